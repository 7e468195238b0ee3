"""Studies of sequence models, by name: `run("gradient")` measures, and says which of the usual claims hold.

A study is one file in this folder with a ``STUDY``; it is found by its name, nothing is registered by hand.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.steps import names_in
from biosig_lstm.studies._study import Claim, Findings, Study, StudyOptions, StudyResult
from biosig_lstm.studies._table import Table

__all__ = ["Claim", "Findings", "Study", "StudyOptions", "StudyResult", "Table", "get", "names", "read_claims", "run"]


def names() -> list[str]:
    """Return the names of all studies, sorted.

    Examples
    --------
    >>> "gradient" in names()
    True
    """
    return sorted(name.replace("_", "-") for name in names_in(__name__))


def get(name: str) -> Study[Any]:
    """Return a study by name.

    Raises
    ------
    ParameterError
        When there is none of that name.

    Examples
    --------
    >>> get("gradient").name
    'gradient'
    """
    if name not in names():
        raise ParameterError(f"study {options(str(name), names())}")
    found: Study[Any] = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").STUDY
    return found


def run(
    name: str,
    *,
    out: str | Path | None = None,
    seed: int = 0,
    quick: bool = False,
    data: str | Path | None = None,
    device: str = "cpu",
    announce: Callable[[str], None] | None = None,
) -> StudyResult:
    """Run a study, and write it to a folder where one is named.

    Parameters
    ----------
    name : str
        One of `names()`.
    out : path, optional
        Folder for NAME.csv, NAME.md, NAME.png and NAME.json. What has been measured is written there too when the
        study is interrupted or fails.
    seed, quick, data, device, announce
        As of `StudyOptions`.

    Returns
    -------
    StudyResult
        Its repr is the tables and claims, `plot()` the picture.

    Raises
    ------
    ParameterError
        When there is no such study, an option is not allowed, `data` is no folder, or `out` cannot be written to.
    DataError
        When the study needs a database that is not there.
    """
    study = get(name)
    quiet = {} if announce is None else {"announce": announce}
    where = None if data is None else Path(data)
    if where is not None and not where.is_dir():
        raise ParameterError(f"data: {where} is no folder; name the one that holds a folder for each database")
    how = StudyOptions(seed=seed, quick=quick, data=where, device=device, **quiet)
    if out is None:
        return study.run(how)
    from biosig_lstm.scoring import output_folder

    folder = output_folder(out)
    result = study.run(how, keep=lambda partial: partial.write(folder))
    result.write(folder)
    return result


def read_claims(folder: str | Path) -> Table:
    """Return the claims of all studies that were written to a folder, as one table.

    Returns
    -------
    Table
        Columns ``study``, ``claimed``, ``measured`` and ``verdict``; beside the study stands whether its run was quick
        or broken off.

    Raises
    ------
    DataError
        When no study was written there, or a file is not what a study writes.
    """
    from biosig_lstm.studies._write import claims_of

    found = [path for path in (Path(folder) / f"{name}.json" for name in names()) if path.is_file()]
    if not found:
        raise DataError(f"{folder}: holds no NAME.json of a study; known studies: {', '.join(names())}")
    rows = tuple(row for path in found for row in claims_of(path))
    return Table(("study", "claimed", "measured", "verdict"), rows, title="Claims")
