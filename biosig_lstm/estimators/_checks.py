"""What comes must be what was trained on: the windows of a prediction, and the run that is gone on with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError

__all__ = ["check_layout", "check_run"]

_FILE = "run.json"


def check_layout(
    windows: Windows, *, columns: Sequence[str], unit: str, rate_hz: float | None, prepared_here: bool
) -> None:
    """Refuse windows that differ from those a model was trained on.

    Parameters
    ----------
    windows : Windows
        What came.
    columns, unit, rate_hz
        Of the training windows.
    prepared_here : bool
        Whether the model's own pipeline made `windows`.

    Raises
    ------
    DataError
        Naming the columns, the unit or the rate.
    """
    remedy = (
        "other channels, or the model was made by another version of biosig-lstm and must be trained again"
        if prepared_here
        else "prepare recordings with the model's own pipeline"
    )
    if tuple(windows.columns) != tuple(columns):
        difference = _difference(columns, windows.columns)
        raise DataError(
            f"windows of {len(windows.columns)} columns, the model takes {len(columns)}: {difference}; {remedy}"
        )
    if windows.unit != unit and windows.unit and unit:
        raise DataError(
            f"windows in {windows.unit}, the model was trained on {unit}; add ToUnit to the filters of its pipeline"
        )
    if windows.rate_hz != rate_hz:
        here, there = (f"{rate:g} Hz" if rate else "events" for rate in (windows.rate_hz, rate_hz))
        raise DataError(f"windows of {here}, the model was trained on {there}; resample the recordings first")


def _difference(wanted: Sequence[str], got: Sequence[str]) -> str:
    lacking = [name for name in wanted if name not in set(got)]
    foreign = [name for name in got if name not in set(wanted)]
    said = [f"{what} {_few(names)}" for what, names in (("lacking", lacking), ("foreign", foreign)) if names]
    return ", ".join(said) or "in another order"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def check_run(directory: str | Path, *, run: Mapping[str, Any], resume: bool) -> None:
    """Write down what is trained in a folder, and refuse to go on with a run that was another one.

    Raises
    ------
    ParameterError
        When a run is to be resumed and was begun with other data, another model or other settings.
    """
    folder = Path(directory)
    path = folder / _FILE
    now = json.loads(json.dumps(dict(run)))
    if resume and path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in now if before.get(name) != now[name]]
        if other:
            raise ParameterError(
                f"{folder} holds a run with another {', '.join(other)}: it cannot be gone on with; "
                "name another folder, or delete this one"
            )
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(now, indent=1), encoding="utf-8")
