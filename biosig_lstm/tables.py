"""A table of recordings: a CSV file that says of each where it is, whose it is and what it shows."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigError, DataError, options
from biosig_lstm.filters.channels import Channels
from biosig_lstm.formats import find_recordings, open_recording

__all__ = ["Facts", "Row", "Table", "read_table"]

_REQUIRED = ("path", "label", "subject")
_COLUMNS = (*_REQUIRED, "start_s", "stop_s")
_VOLTS = ("V", "mV", "uV", "nV")


class Row(NamedTuple):
    """A line of the table.

    Attributes
    ----------
    line : int
        Its number in the file, the header being line 1.
    path : Path
        The recording.
    label, subject : str
        What it shows, and whose it is.
    start_s, stop_s : float or None [unit=s]
        The stretch meant; the whole recording where there is none.
    """

    line: int
    path: Path
    label: str
    subject: str
    start_s: float | None
    stop_s: float | None


class Facts(NamedTuple):
    """What the recordings of a table have in common.

    Attributes
    ----------
    fs : float [unit=Hz]
        Their rate, or the one they are brought to.
    channels, units : tuple of str
        In the order of the first recording.
    longest_s : float [unit=s]
        Length of the longest.
    """

    fs: float
    channels: tuple[str, ...]
    units: tuple[str, ...]
    longest_s: float


@dataclass(frozen=True, repr=False)
class Table:
    """Recordings with one label each, read and checked.

    Parameters
    ----------
    path : Path
        The CSV file.
    rows : tuple of Row
        Its lines.
    """

    path: Path
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {n}" for name, n in sorted(Counter(row.label for row in self.rows).items()))
        return f"Table({self.path.name}: {len(self)} rows, {len(self.subjects)} subjects; {counts})"

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels that occur, sorted."""
        return tuple(sorted({row.label for row in self.rows}))

    @property
    def subjects(self) -> tuple[str, ...]:
        """Subjects that occur, sorted."""
        return tuple(sorted({row.subject for row in self.rows}))

    @property
    def ids(self) -> tuple[str, ...]:
        """Id of each row's recording: its file's name, with its folders or its start where two are alike."""
        return tuple(_ids(self.rows))

    def subjects_of(self, label: str) -> tuple[str, ...]:
        """Return the subjects that have a row with this label, sorted."""
        return tuple(sorted({row.subject for row in self.rows if row.label == label}))

    def recordings(self, *, announce: Callable[[str], None] | None = None) -> Iterator[Recording]:
        """Return the recordings one after the other, each read when its turn comes.

        Parameters
        ----------
        announce : callable, optional
            Called with the id of each recording before it is read.

        Returns
        -------
        iterator of Recording
            Each the stretch that its row means, with its subject, and its label as the one annotation over all of it.

        Raises
        ------
        DataError
            At its turn, when a recording cannot be read; the message names the line.
        """
        for row, name in zip(self.rows, self.ids, strict=True):
            if announce:
                announce(name)
            yield self._open(row, name)

    def _open(self, row: Row, name: str) -> Recording:
        try:
            recording = open_recording(row.path, start_s=row.start_s, stop_s=row.stop_s, annotator=None)
        except (BiosigError, OSError) as error:
            raise DataError(f"{self.path.name} line {row.line}: {error}") from error
        whole = Annotations([0], [recording.n_samples], [row.label])
        return replace(recording, id=name, subject=row.subject, annotations=whole)

    def facts(
        self,
        *,
        channels: Sequence[str] | None = None,
        rate_hz: float | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> Facts:
        """Read every recording once and return what they have in common.

        Parameters
        ----------
        channels : sequence of str, optional
            Channels that will be used: others may differ.
        rate_hz : float [unit=Hz], optional
            Rate that recordings will be brought to: theirs may differ, and be higher.
        announce : callable, optional
            Called with the id of each recording before it is read.

        Raises
        ------
        DataError
            When any cannot be read, lacks a channel or is of a lower rate, all of them in one message; or when they
            differ in channels, rate or units: the message counts each kind and says what it would take.
        """
        seen: dict[Row, Facts] = {}
        unusable: list[str] = []
        for row, name in zip(self.rows, self.ids, strict=True):
            if announce:
                announce(name)
            try:
                recording = self._usable(row, name, channels, rate_hz)
            except DataError as error:
                unusable.append(str(error))
                continue
            held = (recording.fs, tuple(recording.channels), tuple(recording.units), recording.duration_s)
            seen[row] = Facts(*held)
        if unusable:
            raise DataError(
                f"{self.path}: {len(unusable)} of {len(self)} recordings cannot be used; correct or remove these "
                "lines:\n  " + "\n  ".join(unusable)
            )
        _check_alike(self.path, seen, rates=rate_hz is None)
        first = next(iter(seen.values()))
        return first._replace(fs=rate_hz or first.fs, longest_s=max(held.longest_s for held in seen.values()))

    def _usable(self, row: Row, name: str, channels: Sequence[str] | None, rate_hz: float | None) -> Recording:
        recording = self._open(row, name)
        where = f"{self.path.name} line {row.line}: {row.path.name}"
        if not recording.n_samples or not recording.channels:
            raise DataError(f"{where}: holds no samples")
        if rate_hz is not None and recording.fs < rate_hz * (1 - 1e-6):
            raise DataError(f"{where}: recorded at {recording.fs:g} Hz, below the {rate_hz:g} Hz asked for")
        try:
            return Channels(tuple(channels))(recording) if channels else recording
        except DataError as error:
            raise DataError(f"{where}: {error}") from error


def read_table(path: str | Path) -> Table:
    """Return the table of recordings in a CSV file.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8 with a header line; columns ``path``, ``label`` and ``subject``, and where a row means a
        stretch of its recording ``start_s`` and ``stop_s``; further columns are not looked at. Paths are relative to
        the table. Commas, semicolons and tabs are taken as separators.

    Raises
    ------
    DataError
        When the file is no such table, a field is empty or no number, a file has two subjects, a row stands twice, or
        recordings are not there: every such line is in the message.
    """
    file = Path(path)
    header, lines = _lines(file)
    lacking = [name for name in _REQUIRED if name not in header]
    if lacking:
        raise DataError(
            f"{file}: the table lacks a column {options(lacking[0], header)}; wanted: {', '.join(_COLUMNS)}"
        )
    problems: list[str] = []
    rows = [row for row in (_row(number, line, file, problems) for number, line in lines) if row]
    problems += _twice(rows)
    if problems:
        raise DataError(f"{file}: {len(problems)} lines cannot be used:\n  " + "\n  ".join(problems))
    if not rows:
        raise DataError(f"{file}: the table has a header and no rows")
    _check_present(file, rows)
    return Table(file, tuple(rows))


def _lines(file: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no text in UTF-8 (byte {error.start}): save the table as CSV UTF-8") from error
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator, restkey="", restval="")
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    return header, [(reader.line_num, {k: v for k, v in line.items() if isinstance(v, str)}) for line in reader]


def _row(number: int, line: Mapping[str, str], file: Path, problems: list[str]) -> Row | None:
    fields = {name: line.get(name, "").strip() for name in _COLUMNS}
    empty = [name for name in _REQUIRED if not fields[name]]
    if empty:
        problems.append(f"line {number}: {' and '.join(empty)} empty")
        return None
    try:
        start_s, stop_s = (float(fields[name]) if fields[name] else None for name in ("start_s", "stop_s"))
    except ValueError as error:
        problems.append(f"line {number}: start_s and stop_s must be seconds: {error}")
        return None
    edges = (start_s or 0.0, math.inf if stop_s is None else stop_s)
    if not 0 <= edges[0] < edges[1]:
        problems.append(
            f"line {number}: start_s {fields['start_s'] or 0} and stop_s {fields['stop_s']} mean no stretch"
        )
        return None
    return Row(number, file.parent / fields["path"], fields["label"], fields["subject"], start_s, stop_s)


def _twice(rows: Sequence[Row]) -> Iterator[str]:
    subjects: dict[Path, Row] = {}
    stretches: dict[tuple[Path, float | None, float | None], Row] = {}
    for row in rows:
        first = subjects.setdefault(row.path, row)
        if first.subject != row.subject:
            yield (
                f"line {row.line}: {row.path.name} belongs to {row.subject!r} here and to {first.subject!r} in line "
                f"{first.line}"
            )
        before = stretches.setdefault((row.path, row.start_s, row.stop_s), row)
        if before is not row:
            yield f"line {row.line}: the same stretch of {row.path.name} as line {before.line}"


def _check_present(file: Path, rows: Sequence[Row]) -> None:
    absent = [row for row in rows if not _is_there(row.path)]
    if absent:
        listed = "\n  ".join(f"line {row.line}: {row.path}" for row in absent)
        raise DataError(
            f"{file}: {len(absent)} of {len(rows)} recordings are not there (paths are relative to the table):\n"
            f"  {listed}"
        )


def _is_there(path: Path) -> bool:
    if path.is_file():
        return True
    try:
        return not path.is_dir() and bool(find_recordings(path))
    except BiosigError:
        return False


def _ids(rows: Sequence[Row]) -> list[str]:
    stems = {path: path.stem for path in {row.path for row in rows}}
    doubled = {stem for stem, n in Counter(stems.values()).items() if n > 1}
    names = {path: path.with_suffix("").as_posix() if stem in doubled else stem for path, stem in stems.items()}
    several = {path for path, n in Counter(row.path for row in rows).items() if n > 1}
    return [f"{names[row.path]}@{row.start_s or 0:g}" if row.path in several else names[row.path] for row in rows]


def _check_alike(file: Path, seen: Mapping[Row, Facts], *, rates: bool) -> None:
    names = {row: " ".join(sorted(name.strip().casefold() for name in held.channels)) for row, held in seen.items()}
    shown = {names[row]: " ".join(held.channels) for row, held in seen.items()}
    common = set.intersection(*({name.strip() for name in held.channels} for held in seen.values()))
    shared = f"all have {', '.join(sorted(common))}" if common else "none is in all of them: rename or leave out some"
    _refuse_mixed(file, "channels", {row: shown[name] for row, name in names.items()},
                  remedy=f"Say which to use, as in channels=[...] or --channels; {shared}")  # fmt: skip
    if rates:
        lowest = min(held.fs for held in seen.values())
        _refuse_mixed(file, "rate", {row: f"{held.fs:g} Hz" for row, held in seen.items()},
                      remedy=f"rate_hz={lowest:g} or --rate-hz {lowest:g} brings all to the lowest")  # fmt: skip
    kinds = {row: " ".join(sorted({_dimension(unit) for unit in held.units})) for row, held in seen.items()}
    _refuse_mixed(file, "units", kinds, remedy="Voltages are converted into each other, other units cannot be")


def _dimension(unit: str) -> str:
    return "V" if unit in _VOLTS else unit or "(none)"


def _refuse_mixed(file: Path, what: str, kinds: Mapping[Row, str], *, remedy: str) -> None:
    counts = Counter(kinds.values())
    if len(counts) > 1:
        examples = {kind: row.path.name for row, kind in kinds.items()}
        listed = "; ".join(f"{kind} ({n} of {len(kinds)}, such as {examples[kind]})" for kind, n in counts.items())
        raise DataError(f"{file}: recordings differ in {what}: {listed}. {remedy}")
