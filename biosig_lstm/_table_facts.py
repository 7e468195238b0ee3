"""Rows of a table of recordings, and what the recordings that they name have in common."""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError

__all__ = ["Facts", "Row", "Seen", "common_facts", "copies", "look_at", "warn_of_flat"]

_VOLTS = ("V", "mV", "uV", "nV")
_USUAL_HZ = 100.0
_SOUND_HZ = 16_000.0
_FULL_SCALE = "FS"
_SOUNDS = ("sound", "left", "right")


class Row(NamedTuple):
    """A line of the table.

    Attributes
    ----------
    line : int
        Its number in the file, the header being line 1.
    path : Path
        The file that stands for the recording.
    label, subject : str
        What it shows, in a table of transcripts what is said in it, and whose it is.
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

    @property
    def is_sound(self) -> bool:
        """Whether these are sound: in parts of full scale, or by the names of the channels."""
        names = [name.strip().casefold() for name in self.channels]
        return all(unit == _FULL_SCALE for unit in self.units) or all(name in _SOUNDS for name in names)


class Seen(NamedTuple):
    """What is kept of a recording that was looked at."""

    facts: Facts
    digest: bytes
    flat: bool


def look_at(recording: Recording) -> Seen:
    """Return what a recording is like, and a digest of its samples."""
    rows = recording.signals
    facts = Facts(recording.fs, tuple(recording.channels), tuple(recording.units), recording.duration_s)
    flat = bool((np.nanmin(rows, axis=1) == np.nanmax(rows, axis=1)).all())
    return Seen(facts, hashlib.blake2b(np.ascontiguousarray(rows).data, digest_size=16).digest(), flat)


def copies(seen: Mapping[Row, Seen]) -> Iterator[str]:
    """Yield what is wrong with each row that holds the samples of another subject's."""
    first: dict[bytes, Row] = {}
    for row, held in seen.items():
        other = row if held.flat else first.setdefault(held.digest, row)
        if other.subject != row.subject:
            yield (
                f"line {row.line}: {row.path.name} of {row.subject!r} holds the same samples as {other.path.name} of "
                f"{other.subject!r} in line {other.line}"
            )


def warn_of_flat(file: Path, seen: Mapping[Row, Seen]) -> None:
    """Warn where recordings are flat throughout."""
    flat = [row for row, held in seen.items() if held.flat]
    if flat:
        warnings.warn(
            f"{file.name}: {len(flat)} of {len(seen)} recordings are flat throughout, such as {flat[0].path.name} in "
            f"line {flat[0].line}: nothing can be learned from them",
            BiosigWarning,
            stacklevel=3,
        )


def common_facts(file: Path, seen: Mapping[Row, Facts], *, rate_hz: float | None = None) -> Facts:
    """Return what recordings have in common, the length aside: that of the first.

    Parameters
    ----------
    file : Path
        The table, for messages.
    seen : mapping of Row to Facts
        What each recording is like.
    rate_hz : float [unit=Hz, > 0], optional
        Rate that they will be brought to: theirs may differ.

    Raises
    ------
    DataError
        When they differ in channels, rate or units. Sounds may: they are mixed to one channel, and brought to the
        lowest of their rates, at most 16 kHz.

    Warns
    -----
    BiosigWarning
        When sounds differ in rate.
    """
    first = next(iter(seen.values()))
    if not all(held.is_sound for held in seen.values()):
        _check_alike(file, seen, rates=rate_hz is None)
        return first
    lowest_hz = min(held.fs for held in seen.values())
    chosen_hz = rate_hz or min(lowest_hz, _SOUND_HZ)
    rates = _counted({row: f"{held.fs:g} Hz" for row, held in seen.items()})
    if len(rates) > 1 and rate_hz is None:
        message = f"{file.name}: sounds differ in rate: {'; '.join(rates)}. All are brought to {chosen_hz:g} Hz"
        warnings.warn(message, BiosigWarning, stacklevel=3)
    return first._replace(fs=chosen_hz)


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
    listed = _counted(kinds)
    if len(listed) > 1:
        raise DataError(f"{file}: recordings differ in {what}: {'; '.join(listed)}. {remedy}")


def _counted(kinds: Mapping[Row, str]) -> list[str]:
    """Return each kind with how many rows are of it, and one of them."""
    counts = Counter(kinds.values())
    examples = {kind: row.path.name for row, kind in kinds.items()}
    return [f"{kind} ({n} of {len(kinds)}, such as {examples[kind]})" for kind, n in counts.items()]
