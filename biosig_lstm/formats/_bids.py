"""What lies beside the signals of a BIDS tree: tables, sidecars, events, and which of them hold for which recording."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options

__all__ = [
    "BidsEvent",
    "BidsName",
    "parse_bids_name",
    "read_bids_events",
    "read_bids_json",
    "read_bids_sidecar",
    "read_bids_table",
    "sidecars_of",
    "write_bids_events",
]

_ENTITY = re.compile(r"([a-z]+)-([0-9A-Za-z+]+)")
_MISSING = ("n/a", "")
_COLUMNS = {
    "onset": {"Description": "Onset, from the first sample of the recording", "Units": "s"},
    "duration": {"Description": "Duration; 0 of an instant", "Units": "s"},
    "trial_type": {"Description": "What is there"},
    "probability": {"Description": "Probability of trial_type, 0 to 1, as the model has it"},
    "channel": {"Description": "Channel that it is on; n/a of all"},
}


class BidsName(NamedTuple):
    """The parts of a file's name: ``sub-01_task-rest_eeg.edf`` has sub and task, the suffix eeg and the extension."""

    entities: dict[str, str]
    suffix: str
    extension: str


class BidsEvent(NamedTuple):
    """A row of an events table: the line it stands on, seconds from the first sample, how long, and what."""

    line: int
    onset_s: float
    duration_s: float
    label: str


def parse_bids_name(name: str) -> BidsName | None:
    """Return the parts of a file's name; None where it is not of the form.

    Examples
    --------
    >>> parse_bids_name("sub-01_task-rest_eeg.edf")
    BidsName(entities={'sub': '01', 'task': 'rest'}, suffix='eeg', extension='.edf')
    """
    stem, dot, extension = name.partition(".")
    *pairs, suffix = stem.split("_")
    found = [_ENTITY.fullmatch(pair) for pair in pairs]
    if not suffix.isalnum() or not all(found):
        return None
    return BidsName({one[1]: one[2] for one in found if one}, suffix, f"{dot}{extension}")


def sidecars_of(file: Path, *, root: Path, suffix: str, extension: str) -> list[Path]:
    """Return the files of one kind that hold for a recording, those nearest to it first.

    Notes
    -----
    The inheritance principle of BIDS: beside the recording or in any folder above it up to the root, and with no
    entity in the name that the recording has not, or has of another value.
    """
    own = parse_bids_name(file.name)
    wanted = own.entities if own else {}
    folders = [folder for folder in file.absolute().parents if folder.is_relative_to(root.absolute())]
    found: list[Path] = []
    for folder in folders:
        held = {path: parse_bids_name(path.name) for path in folder.glob(f"*{suffix}{extension}")}
        fitting = {
            path: name.entities
            for path, name in held.items()
            if name and name[1:] == (suffix, extension) and name.entities.items() <= wanted.items()
        }
        found += sorted(fitting, key=lambda path: (-len(fitting[path]), path.name))
    return found


def read_bids_sidecar(file: Path, *, root: Path, suffix: str = "eeg") -> dict[str, Any]:
    """Return what the JSON files that hold for a recording say of it; of two, what the nearer says."""
    merged: dict[str, Any] = {}
    for path in reversed(sidecars_of(file, root=root, suffix=suffix, extension=".json")):
        merged |= read_bids_json(path)
    return merged


def read_bids_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises
    ------
    DataError
        When the file cannot be read, is no JSON, or holds something else.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise DataError(f"{path}: is no JSON in UTF-8: {error}") from error
    if not isinstance(held, dict):
        raise DataError(f"{path}: must be an object with names, got a {type(held).__name__}")
    return held


def read_bids_table(path: str | Path) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a TSV file, each with its line; what is missing (``n/a``) is empty.

    Raises
    ------
    DataError
        When the file cannot be read, is not in UTF-8 or has no header; when a row has more fields than that.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is no text in UTF-8 (byte {error.start})") from error
    try:
        lines = list(_lines(text))
    except csv.Error as error:
        raise DataError(f"{path}: is no table of fields between tabs: {error}") from error
    header = [name.strip() for name in lines[0][1]] if lines else []
    if not any(header):
        raise DataError(f"{path}: is empty, wanted a header line")
    rows: list[tuple[int, dict[str, str]]] = []
    for line, fields in lines[1:]:
        if len(fields) > len(header):
            raise DataError(f"{path}: line {line} has {len(fields)} fields, the header {len(header)}")
        if any(field.strip() for field in fields):
            values = [field.strip() for field in fields] + [""] * (len(header) - len(fields))
            named = zip(header, ("" if value in _MISSING else value for value in values), strict=True)
            rows.append((line, dict(named)))
    return rows


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True)
    yield from ((reader.line_num, fields) for fields in reader)


def read_bids_events(path: str | Path, *, column: str = "trial_type") -> list[BidsEvent]:
    """Return the events of an ``events.tsv``.

    Parameters
    ----------
    path : path
        The table; it has the columns ``onset`` and ``duration``, in seconds.
    column : str
        Column that says what is there, such as ``trial_type`` or ``value``; rows that have ``n/a`` are left out.

    Returns
    -------
    list of (int, float, float, str)
        Line, onset and duration in seconds from the first sample, and label; in order of onset. Onsets may be negative,
        and may lie beyond the recording; a duration that is not given is 0.

    Raises
    ------
    DataError
        When the table cannot be read or lacks a column.

    Warns
    -----
    BiosigWarning
        When onset or duration of a row is no number: the row is left out.
    """
    rows = read_bids_table(path)
    for name in ("onset", column):
        if rows and name not in rows[0][1]:
            raise DataError(f"{path}: column {options(name, rows[0][1])}")
    found, wrong = [], []
    for line, row in rows:
        onset_s, duration_s = _seconds(row["onset"]), _seconds(row.get("duration") or "0")
        if math.isnan(onset_s) or not duration_s >= 0:
            wrong.append(line)
        elif row[column]:
            found.append(BidsEvent(line, onset_s, duration_s, row[column]))
    if wrong:
        what = f"{len(wrong)} of {len(rows)} rows left out, line {wrong[0]} the first"
        warnings.warn(f"{path}: {what}: onset or duration is no number of seconds", BiosigWarning, stacklevel=2)
    return sorted(found, key=lambda event: event.onset_s)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def write_bids_events(
    path: str | Path,
    annotations: Annotations,
    *,
    fs: float,
    probability: npt.ArrayLike | None = None,
    about: Mapping[str, str] | None = None,
) -> None:
    """Write annotations as an ``events.tsv``, and beside it the JSON file that says what its columns are.

    Parameters
    ----------
    path : path
        Ends with ``_events.tsv``; its folder is there.
    annotations : Annotations
        Notes are names of channels.
    fs : float [unit=Hz, > 0]
        Rate of the recording that they belong to.
    probability : array_like [shape=(n,), 0 to 1], optional
        Of each label, for a column of that name; NaN where there is none.
    about : mapping of str to str, optional
        Meaning of labels, for the JSON file.

    Raises
    ------
    ParameterError
        When the name is another, the rate is not positive, or there is not one probability for each.

    Notes
    -----
    BIDS 1.10, "Task events": ``onset``, ``duration`` and ``trial_type``. Times are written to the nanosecond.
    """
    file = Path(path)
    if not file.name.endswith("_events.tsv"):
        raise ParameterError(f"a table of events is called *_events.tsv, got {file.name}")
    if not 0 < fs < math.inf:
        raise ParameterError(f"fs must be positive and finite, got {fs!r}")
    table = _events_table(annotations, fs=fs, probability=probability)
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerows([list(table), *zip(*table.values(), strict=True)])
    file.write_text(text.getvalue(), encoding="utf-8", newline="")
    described: dict[str, dict[str, Any]] = {name: dict(_COLUMNS[name]) for name in table}
    if about:
        described["trial_type"]["Levels"] = dict(about)
    file.with_suffix(".json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def _events_table(
    annotations: Annotations, *, fs: float, probability: npt.ArrayLike | None
) -> dict[str, Sequence[str]]:
    durations = annotations.stops - annotations.starts
    table: dict[str, Sequence[str]] = {
        "onset": [_decimal(start / fs) for start in annotations.starts.tolist()],
        "duration": [_decimal(width / fs) for width in durations.tolist()],
        "trial_type": [label or _MISSING[0] for label in annotations.labels.tolist()],
    }
    if probability is not None:
        likely = np.asarray(probability, dtype=np.float64).reshape(-1)
        if len(likely) != len(annotations):
            raise ParameterError(f"one probability for each of {len(annotations)} annotations, got {len(likely)}")
        table["probability"] = [_MISSING[0] if math.isnan(value) else f"{value:.4f}" for value in likely.tolist()]
    if any(annotations.notes.tolist()):
        table["channel"] = [note or _MISSING[0] for note in annotations.notes.tolist()]
    return table


def _decimal(seconds: float) -> str:
    text = f"{seconds:.9f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
