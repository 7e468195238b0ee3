"""EDF+ files of generated recordings, for the samples of databases that come in that format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["EdfChannel", "Note", "write_edf"]

Note = tuple[float, float, str]
"""Onset and duration in seconds, and text."""

_HIGHEST = 32767
_RECORD_S = 1.0
_NOTE_BYTES = 2
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)


@dataclass(frozen=True)
class EdfChannel:
    """A channel to write: its label, values and rate, and the largest value that it can hold.

    Parameters
    ----------
    label : str
        At most 16 characters.
    values : np.ndarray [shape=(samples,)]
        In `unit`; rounded to a 32,767th of `largest`.
    fs : int [unit=Hz, > 0]
        Whole, as the data records last a second.
    largest : float [> 0]
        Values lie within plus and minus it.
    unit : str
        At most 8 characters.
    """

    label: str
    values: npt.NDArray[np.float64]
    fs: int
    largest: float = 1000.0
    unit: str = "uV"

    def digital(self) -> npt.NDArray[np.int16]:
        """Return the values as stored, record after record, shape (records, samples a record)."""
        steps = np.rint(self.values * (_HIGHEST / self.largest))
        rows = np.clip(steps, -_HIGHEST, _HIGHEST).astype("<i2").reshape(-1, self.fs)
        return np.asarray(rows)


def write_edf(path: Path, channels: Sequence[EdfChannel], notes: Iterable[Note] = (), *, n_bytes: int = 64) -> None:
    """Write a continuous EDF+ file of data records of one second, or of annotations alone.

    Parameters
    ----------
    path : Path
        The file; its folder is there.
    channels : sequence of EdfChannel
        Of one length in seconds; none writes a single data record of annotations.
    notes : iterable of (float, float, str)
        Onset and duration in seconds, and text; each stands in the data record of its onset.
    n_bytes : int
        Bytes that each data record has for its annotations.
    """
    digital = [channel.digital() for channel in channels]
    n_records = len(digital[0]) if digital else 1
    said = _said(notes, n_records, alone=not digital)
    width = max(n_bytes, *(len(text) for text in said))
    width += width % _NOTE_BYTES
    with path.open("wb") as file:
        file.write(_head(channels, n_records=n_records, width=width // _NOTE_BYTES))
        for k, text in enumerate(said):
            file.write(b"".join(rows[k].tobytes() for rows in digital) + text.ljust(width, b"\0"))


def _said(notes: Iterable[Note], n_records: int, *, alone: bool) -> list[bytes]:
    texts = [f"+{k}\x14\x14\0".encode() for k in range(n_records)]
    for onset_s, duration_s, text in notes:
        at = 0 if alone else min(int(onset_s), n_records - 1)
        texts[at] += f"+{onset_s:g}\x15{duration_s:g}\x14{text}\x14\0".encode()
    return texts


def _head(channels: Sequence[EdfChannel], *, n_records: int, width: int) -> bytes:
    n = len(channels) + 1
    first = (("0", 8), ("X X X X", 80), ("Startdate 01-JAN-2001 X X X", 80), ("01.01.01", 8), ("22.00.00", 8))
    record_s = _RECORD_S if channels else 0.0
    last = ((256 * (n + 1), 8), ("EDF+C", 44), (n_records, 8), (f"{record_s:g}", 8), (n, 4))
    columns: tuple[Sequence[object], ...] = (
        [*(one.label for one in channels), "EDF Annotations"],
        [""] * n,
        [*(one.unit for one in channels), ""],
        [*(f"{-one.largest:g}" for one in channels), "-1"],
        [*(f"{one.largest:g}" for one in channels), "1"],
        [*([-_HIGHEST] * len(channels)), -32768],
        [_HIGHEST] * n,
        [""] * n,
        [*(one.fs for one in channels), width],
        [""] * n,
    )
    cells = [(value, size) for size, column in zip(_WIDTHS, columns, strict=True) for value in column]
    return b"".join(str(value).encode("ascii").ljust(size) for value, size in (*first, *last, *cells))
