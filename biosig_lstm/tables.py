"""A table of recordings: a CSV file that says of each where it is, whose it is and what it shows."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from biosig_lstm._table_facts import Facts, Row, Seen, common_facts, copies, look_at, warn_of_flat
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigError, BiosigWarning, DataError, ParameterError, options
from biosig_lstm.filters.channels import Channels
from biosig_lstm.formats import channels_wanted, find_recordings, open_recording
from biosig_lstm.windows.utterance import TRANSCRIPT

__all__ = ["Facts", "Row", "Table", "answer_column", "read_table"]

_ANSWERS = {"label": "Classifier", "text": "Transcriber"}
_STRETCH = ("start_s", "stop_s")
_WANTED = "path, label (of transcripts: text), subject, start_s, stop_s"


@dataclass(frozen=True, repr=False)
class Table:
    """Recordings with one label, or one text, each; read and checked.

    Parameters
    ----------
    path : Path
        The CSV file.
    rows : tuple of Row
        Its lines.
    column : {"label", "text"}
        Where the answers stand: what recordings show, or what is said in them.
    """

    path: Path
    rows: tuple[Row, ...]
    column: str = field(default="label", kw_only=True)

    def __repr__(self) -> str:
        if self.column == "text":
            n_words = sum(len(row.label.split()) for row in self.rows)
            return f"Table({self.path.name}: {len(self)} rows, {len(self.subjects)} subjects; {n_words} words)"
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
            Each the stretch that its row means, with its subject, and one annotation over all of it: its label, or
            ``transcript`` with its text as the note.

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
        what = ([TRANSCRIPT], [row.label]) if self.column == "text" else ([row.label],)
        whole = Annotations([0], [recording.n_samples], *what)
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
            each kind and says what it would take. Sounds may differ in rate and channels: `fs` is the lowest rate, at
            most 16 kHz.
        ParameterError
            When `rate_hz` is not positive.
        """
        if rate_hz is not None and not 0 < rate_hz < math.inf:
            raise ParameterError(f"rate_hz must be a positive rate, got {rate_hz}")
        seen: dict[Row, Seen] = {}
        unusable: list[str] = []
        for row, name in zip(self.rows, self.ids, strict=True):
            if announce:
                announce(name)
            try:
                seen[row] = look_at(self._usable(row, name, channels, rate_hz))
            except DataError as error:
                unusable.append(str(error))
        unusable += [f"{self.path.name} {copy}" for copy in copies(seen)]
        if unusable:
            raise DataError(
                f"{self.path}: {len(unusable)} of {len(self)} recordings cannot be used; correct or remove these "
                "lines:\n  " + "\n  ".join(unusable)
            )
        warn_of_flat(self.path, seen)
        facts = {row: held.facts for row, held in seen.items()}
        first = common_facts(self.path, facts, rate_hz=rate_hz) if alike else next(iter(facts.values()))
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


def answer_column(path: str | Path) -> str:
    """Return the column that holds the answers of a table: ``label`` or ``text``.

    Parameters
    ----------
    path : path
        As of `read_table`.

    Raises
    ------
    DataError
        When the file is no table, or has both columns or neither.
    """
    file = Path(path)
    header, _ = _lines(file)
    found = [name for name in _ANSWERS if name in header]
    if len(found) == 1:
        return found[0]
    if not found:
        _check_header(file, header, "label")
    raise DataError(
        f"{file}: the table has a column 'label' and a column 'text': leave one out, or say which is meant by training "
        "with Classifier.from_table (label) or Transcriber.from_table (text)"
    )


def read_table(path: str | Path, *, column: str = "label") -> Table:
    """Return the table of recordings in a CSV file.

    Parameters
    ----------
    path : path
        A CSV file in UTF-8 with a header line; columns ``path``, ``label`` and ``subject``, and where a row means a
        stretch of its recording ``start_s`` and ``stop_s``; further columns are not looked at. Paths are relative to
        the table. Commas, semicolons and tabs are taken as separators; what holds one stands in double quotes.
    column : {"label", "text"}
        ``text``: a column of this name, what is said, stands in place of ``label``. White space in it is collapsed;
        case, punctuation and everything else stay as written.

    Raises
    ------
    DataError
        When the file is no such table, a field is empty or no number, a file has two subjects (under whatever name
        it stands), a row stands twice, or recordings are not there: every such line is in the message.
    ParameterError
        When `column` is neither.

    Warns
    -----
    BiosigWarning
        When two labels or two subjects differ in case, spaces or leading zeros alone: they are taken as two.
    """
    if column not in _ANSWERS:
        raise ParameterError(f"column {options(column, _ANSWERS)}")
    file = Path(path)
    header, lines = _lines(file)
    _check_header(file, header, column)
    rows: list[Row] = []
    problems: dict[int, str] = {}
    for number, fields in lines:
        try:
            rows.append(_read_row(number, fields, header, file, column))
        except DataError as error:
            problems[number] = str(error)
    problems |= _twice(rows)
    if problems:
        listed = "".join(f"\n  line {number}: {what}" for number, what in sorted(problems.items()))
        share = f"{len(problems)} of {len(lines)} lines"
        raise DataError(f"{file}: {share} cannot be used (paths are relative to the table):{listed}")
    if not rows:
        raise DataError(f"{file}: the table has a header and no rows")
    if column == "label":
        _warn_of_twins(file, "labels", {row.label for row in rows})
    _warn_of_twins(file, "subjects", {row.subject for row in rows})
    return Table(file, tuple(rows), column=column)


def _columns(column: str) -> tuple[str, ...]:
    return ("path", column, "subject")


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
        raise DataError(f"{file}: is empty; wanted a header line with the columns {_WANTED}")
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


def _check_header(file: Path, header: Sequence[str], column: str) -> None:
    lacking = [name for name in _columns(column) if name not in header]
    other = next((name for name in _ANSWERS if name != column and name in header), "")
    if column in lacking and other:
        raise DataError(
            f"{file}: the table lacks a column {column!r}, but has {other!r}: {_ANSWERS[other]}.from_table learns that"
        )
    if lacking:
        raise DataError(
            f"{file}: the table lacks a column {options(lacking[0], [name[:40] for name in header[:20] if name])}; "
            f"wanted: {_WANTED}"
        )
    twice = [name for name in (*_columns(column), *_STRETCH) if header.count(name) > 1]
    if twice:
        raise DataError(f"{file}: column {twice[0]!r} stands {header.count(twice[0])} times")


def _read_row(number: int, fields: Sequence[str], header: Sequence[str], file: Path, column: str) -> Row:
    if any(fields[len(header) :]):
        raise DataError(f"{len(fields)} fields, the header has {len(header)}; a field with a comma stands in quotes")
    required = _columns(column)
    held = {**dict.fromkeys((*required, *_STRETCH), ""), **dict(zip(header, fields, strict=False))}
    empty = [name for name in required if not held[name]]
    if empty:
        raise DataError(f"{' and '.join(empty)} empty")
    start_s, stop_s = (_number(name, held[name]) for name in _STRETCH)
    if stop_s is not None and (start_s or 0.0) >= stop_s:
        raise DataError(f"start_s {start_s or 0:g} and stop_s {stop_s:g} mean no stretch")
    answer = " ".join(held["text"].split()) if column == "text" else held[column]
    return Row(number, _place(file.parent / held["path"]), answer, held["subject"], start_s, stop_s)


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
