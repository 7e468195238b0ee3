"""A table of recordings: a CSV file that says of each where it is, whose it is and what it shows."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigError, BiosigWarning, DataError, ParameterError, options
from biosig_lstm.filters.channels import Channels
from biosig_lstm.formats import channels_wanted, find_recordings, open_recording

__all__ = ["Facts", "Row", "Table", "read_table"]

_REQUIRED = ("path", "label", "subject")
_COLUMNS = (*_REQUIRED, "start_s", "stop_s")
_VOLTS = ("V", "mV", "uV", "nV")
_USUAL_HZ = 100.0


class Row(NamedTuple):
    """A line of the table.

    Attributes
    ----------
    line : int
        Its number in the file, the header being line 1.
    path : Path
        The file that stands for the recording.
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
        """Id of each row's recording: its file's name, with folders or the stretch meant where two are alike."""
        return tuple(_ids(self.rows))

    def subjects_of(self, label: str) -> tuple[str, ...]:
        """Return the subjects that have a row with this label, sorted."""
        return tuple(sorted({row.subject for row in self.rows if row.label == label}))

    def recordings(
        self, *, channels: Sequence[str] = (), announce: Callable[[str], None] | None = None
    ) -> Iterator[Recording]:
        """Return the recordings one after the other, each read when its turn comes.

        Parameters
        ----------
        channels : sequence of str, optional
            Channels that will be used: of a file whose channels differ in rate these are opened.
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
            yield self._open(row, name, channels)

    def _open(self, row: Row, name: str, channels: Sequence[str]) -> Recording:
        try:
            chosen = channels_wanted(row.path, channels) if channels else None
            recording = open_recording(
                row.path, channels=chosen, start_s=row.start_s, stop_s=row.stop_s, annotator=None
            )
        except (BiosigError, OSError) as error:
            meant = (
                "" if row.start_s is row.stop_s else f" (start_s {row.start_s or 0:g}, stop_s {_seconds(row.stop_s)})"
            )
            raise DataError(f"{self.path.name} line {row.line}{meant}: {error}") from error
        whole = Annotations([0], [recording.n_samples], [row.label])
        return replace(recording, id=name, subject=row.subject, annotations=whole)

    def facts(
        self,
        *,
        channels: Sequence[str] | None = None,
        rate_hz: float | None = None,
        alike: bool = True,
        announce: Callable[[str], None] | None = None,
    ) -> Facts:
        """Read every recording once and return what they have in common.

        Parameters
        ----------
        channels : sequence of str, optional
            Channels that will be used: others may differ.
        rate_hz : float [unit=Hz, > 0], optional
            Rate that recordings will be brought to: theirs may differ, and be higher.
        alike : bool
            Refuse recordings that differ in channels, rate or units. False: the facts are those of the first.
        announce : callable, optional
            Called with the id of each recording before it is read.

        Raises
        ------
        DataError
            When any cannot be read, holds no value, lacks a channel, is of a lower rate or is a copy of another
            subject's, all of them in one message; or when they differ in channels, rate or units: the message counts
            each kind and says what it would take.
        ParameterError
            When `rate_hz` is not positive.
        """
        if rate_hz is not None and not 0 < rate_hz < math.inf:
            raise ParameterError(f"rate_hz must be a positive rate, got {rate_hz}")
        seen: dict[Row, _Seen] = {}
        unusable: list[str] = []
        for row, name in zip(self.rows, self.ids, strict=True):
            if announce:
                announce(name)
            try:
                seen[row] = _look_at(self._usable(row, name, channels, rate_hz))
            except DataError as error:
                unusable.append(str(error))
        unusable += [f"{self.path.name} {copy}" for copy in _copies(seen)]
        if unusable:
            raise DataError(
                f"{self.path}: {len(unusable)} of {len(self)} recordings cannot be used; correct or remove these "
                "lines:\n  " + "\n  ".join(unusable)
            )
        _warn_of_flat(self.path, seen)
        facts = {row: held.facts for row, held in seen.items()}
        if alike:
            _check_alike(self.path, facts, rates=rate_hz is None)
        first = next(iter(facts.values()))
        return first._replace(fs=rate_hz or first.fs, longest_s=max(held.longest_s for held in facts.values()))

    def _usable(self, row: Row, name: str, channels: Sequence[str] | None, rate_hz: float | None) -> Recording:
        recording = self._open(row, name, channels or ())
        where = f"{self.path.name} line {row.line}: {row.path.name}"
        if not recording.n_samples or not recording.channels:
            raise DataError(f"{where}: holds no samples")
        if rate_hz is not None and recording.fs < rate_hz * (1 - 1e-6):
            raise DataError(f"{where}: recorded at {recording.fs:g} Hz, below the {rate_hz:g} Hz asked for")
        try:
            kept = Channels(tuple(channels))(recording) if channels else recording
        except DataError as error:
            raise DataError(f"{self.path.name} line {row.line}: {error}") from error
        empty = [c for c, values in zip(kept.channels, kept.signals, strict=True) if np.isnan(values).all()]
        if empty:
            raise DataError(f"{where}: no value in channel {', '.join(empty)}")
        return kept


class _Seen(NamedTuple):
    facts: Facts
    digest: bytes
    flat: bool


def _look_at(recording: Recording) -> _Seen:
    rows = recording.signals
    facts = Facts(recording.fs, tuple(recording.channels), tuple(recording.units), recording.duration_s)
    flat = bool((np.nanmin(rows, axis=1) == np.nanmax(rows, axis=1)).all())
    return _Seen(facts, hashlib.blake2b(np.ascontiguousarray(rows).data, digest_size=16).digest(), flat)


def _copies(seen: Mapping[Row, _Seen]) -> Iterator[str]:
    first: dict[bytes, Row] = {}
    for row, held in seen.items():
        other = row if held.flat else first.setdefault(held.digest, row)
        if other.subject != row.subject:
            yield (
                f"line {row.line}: {row.path.name} of {row.subject!r} holds the same samples as {other.path.name} of "
                f"{other.subject!r} in line {other.line}"
            )


def _warn_of_flat(file: Path, seen: Mapping[Row, _Seen]) -> None:
    flat = [row for row, held in seen.items() if held.flat]
    if flat:
        warnings.warn(
            f"{file.name}: {len(flat)} of {len(seen)} recordings are flat throughout, such as {flat[0].path.name} in "
            f"line {flat[0].line}: nothing can be learned from them",
            BiosigWarning,
            stacklevel=3,
        )


def read_table(path: str | Path) -> Table:
    """Return the table of recordings in a CSV file.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8 with a header line; columns ``path``, ``label`` and ``subject``, and where a row means a
        stretch of its recording ``start_s`` and ``stop_s``; further columns are not looked at. Paths are relative to
        the table. Commas, semicolons and tabs are taken as separators; what holds one stands in double quotes.

    Raises
    ------
    DataError
        When the file is no such table, a field is empty or no number, a file has two subjects (under whatever name
        it stands), a row stands twice, or recordings are not there: every such line is in the message.

    Warns
    -----
    BiosigWarning
        When two labels or two subjects differ in case, spaces or leading zeros alone: they are taken as two.
    """
    file = Path(path)
    header, lines = _lines(file)
    _check_header(file, header)
    problems: dict[int, str] = {}
    rows = [row for row in (_row(number, fields, header, file, problems) for number, fields in lines) if row]
    problems |= _twice(rows)
    if problems:
        listed = "".join(f"\n  line {number}: {what}" for number, what in sorted(problems.items()))
        share = f"{len(problems)} of {len(lines)} lines"
        raise DataError(f"{file}: {share} cannot be used (paths are relative to the table):{listed}")
    if not rows:
        raise DataError(f"{file}: the table has a header and no rows")
    _warn_of_twins(file, "labels", {row.label for row in rows})
    _warn_of_twins(file, "subjects", {row.subject for row in rows})
    return Table(file, tuple(rows))


def _lines(file: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    text = _text(file)
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines += [(reader.line_num, [field.strip() for field in fields]) for fields in reader]
    except csv.Error as error:
        raise DataError(
            f"{file}: line {reader.line_num} is no line of a CSV table: {error}; is a quote open?"
        ) from error
    lines = [(number, fields) for number, fields in lines if any(fields)]
    if not lines:
        raise DataError(f"{file}: is empty; wanted a header line with the columns {', '.join(_COLUMNS)}")
    return [name.casefold() for name in lines[0][1]], lines[1:]


def _text(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: is no text in UTF-8 (byte {error.start}): save the table as CSV UTF-8") from error
    if "\0" in text:
        raise DataError(f"{file}: is no text: it holds zero bytes; wanted a CSV table in UTF-8")
    return text


def _check_header(file: Path, header: Sequence[str]) -> None:
    lacking = [name for name in _REQUIRED if name not in header]
    if lacking:
        raise DataError(
            f"{file}: the table lacks a column {options(lacking[0], [name[:40] for name in header[:20] if name])}; "
            f"wanted: {', '.join(_COLUMNS)}"
        )
    twice = [name for name in _COLUMNS if header.count(name) > 1]
    if twice:
        raise DataError(f"{file}: column {twice[0]!r} stands {header.count(twice[0])} times")


def _row(number: int, fields: Sequence[str], header: Sequence[str], file: Path, problems: dict[int, str]) -> Row | None:
    try:
        return _read_row(number, fields, header, file)
    except DataError as error:
        problems[number] = str(error)
        return None


def _read_row(number: int, fields: Sequence[str], header: Sequence[str], file: Path) -> Row:
    if any(fields[len(header) :]):
        raise DataError(f"{len(fields)} fields, the header has {len(header)}; a field with a comma stands in quotes")
    held = {**dict.fromkeys(_COLUMNS, ""), **dict(zip(header, fields, strict=False))}
    empty = [name for name in _REQUIRED if not held[name]]
    if empty:
        raise DataError(f"{' and '.join(empty)} empty")
    start_s, stop_s = (_number(name, held[name]) for name in ("start_s", "stop_s"))
    if stop_s is not None and (start_s or 0.0) >= stop_s:
        raise DataError(f"start_s {start_s or 0:g} and stop_s {stop_s:g} mean no stretch")
    return Row(number, _place(file.parent / held["path"]), held["label"], held["subject"], start_s, stop_s)


def _number(name: str, text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise DataError(f"{name} must be seconds from the beginning, such as 12.5, got {text!r}")
    return value


def _place(path: Path) -> Path:
    """Return the file that stands for a recording; of an unknown format the file itself: reading it will say so."""
    try:
        if path.is_dir():
            raise DataError(f"{path} is a folder, a row means one recording")
        return find_recordings(path)[0]
    except (BiosigError, OSError) as error:
        if path.is_file():
            return path
        raise error if path.is_dir() else DataError(f"{path} is not there") from error


def _twice(rows: Sequence[Row]) -> dict[int, str]:
    problems: dict[int, str] = {}
    subjects: dict[Path, Row] = {}
    stretches: dict[tuple[Path, float, float | None], Row] = {}
    for row in rows:
        file = row.path.resolve()
        first = subjects.setdefault(file, row)
        before = stretches.setdefault((file, row.start_s or 0.0, row.stop_s), row)
        if before is not row:
            problems[row.line] = f"the same stretch of {row.path.name} as line {before.line}"
        if first.subject != row.subject:
            problems[row.line] = (
                f"{row.path.name} belongs to {row.subject!r} here and to {first.subject!r} in line {first.line}"
            )
    return problems


def _warn_of_twins(file: Path, what: str, names: Iterable[str]) -> None:
    spellings: dict[str, list[str]] = {}
    for name in sorted(names):
        plain = re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"\s+", " ", name.casefold()))
        spellings.setdefault(plain, []).append(name)
    twins = [" and ".join(map(repr, alike)) for alike in spellings.values() if len(alike) > 1]
    if twins:
        warnings.warn(
            f"{file.name}: {what} that differ in case, spaces or leading zeros alone are taken as different: "
            f"{'; '.join(twins)}. Write them alike where they are one",
            BiosigWarning,
            stacklevel=3,
        )


def _ids(rows: Sequence[Row]) -> list[str]:
    paths = list(dict.fromkeys(row.path for row in rows))
    names = dict(zip(paths, _names(paths), strict=True))
    several = {path for path, n in Counter(row.path for row in rows).items() if n > 1}
    return [names[row.path] + (_stretch(row) if row.path in several else "") for row in rows]


def _names(paths: Sequence[Path]) -> list[str]:
    stems = [path.stem for path in paths]
    if len(set(stems)) == len(stems):
        return stems
    parent = os.path.commonpath([path.absolute().parent for path in paths])
    below = [path.absolute().relative_to(parent) for path in paths]
    bare = [path.with_suffix("").as_posix() for path in below]
    return bare if len(set(bare)) == len(bare) else [path.as_posix() for path in below]


def _stretch(row: Row) -> str:
    return f"@{row.start_s or 0:.10g}-{_seconds(row.stop_s)}"


def _seconds(value: float | None) -> str:
    return "end" if value is None else f"{value:.10g}"


def _check_alike(file: Path, seen: Mapping[Row, Facts], *, rates: bool) -> None:
    named = {row: {name.strip().casefold(): name for name in held.channels} for row, held in seen.items()}
    shown = {frozenset(names): " ".join(names.values()) for names in reversed(named.values())}
    first = next(iter(named.values()))
    common = [name for key, name in first.items() if all(key in names for names in named.values())]
    shared = f"all have {', '.join(common)}" if common else "none is in all of them: rename or leave out some"
    _refuse_mixed(file, "channels", {row: shown[frozenset(names)] for row, names in named.items()},
                  remedy=f"Say which to use, as in channels=[...] or --channels; {shared}")  # fmt: skip
    if rates:
        rate_hz = min(_USUAL_HZ, *(held.fs for held in seen.values()))
        _refuse_mixed(file, "rate", {row: f"{held.fs:g} Hz" for row, held in seen.items()},
                      remedy=f"rate_hz={rate_hz:g} or --rate-hz {rate_hz:g} brings all to one")  # fmt: skip
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
