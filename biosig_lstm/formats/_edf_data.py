"""Samples and annotations out of the data records of an EDF or BDF file, read through a memory map."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.errors import DataError
from biosig_lstm.formats._edf_header import EdfHeader, EdfSignal

__all__ = ["Stored", "Tal", "open_records", "parse_tals", "read_samples", "read_tals", "record_onsets"]

Float32 = npt.NDArray[np.float32]
_TIME = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?)?)?$")
_RECORDS_AT_ONCE = 4096


class Tal(NamedTuple):
    """A time-stamped annotation: seconds from the start of the file, how long, and what."""

    onset_s: float
    duration_s: float
    text: str


class Stored(NamedTuple):
    """Which signals of one rate to decode, and how: (signals,) each; value = gain times stored number plus offset."""

    firsts: npt.NDArray[np.int64]
    gains: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.float64]
    samples_per_record: int


def open_records(header: EdfHeader) -> npt.NDArray[np.uint8]:
    """Return the data records as bytes, (records, bytes of a record), without reading them."""
    width = header.record_samples * header.sample_bytes
    if not (header.n_records and width):
        return np.zeros((0, max(width, 1)), dtype=np.uint8)
    shape = (header.n_records, width)
    return np.asarray(np.memmap(header.path, dtype=np.uint8, mode="r", offset=header.header_bytes, shape=shape))


def read_samples(
    records: npt.NDArray[np.uint8], stored: Stored, *, sample_bytes: int, start: int, out: Float32
) -> npt.NDArray[np.int32]:
    """Decode from sample `start` on until `out` is full, all signals in one pass over the records.

    Parameters
    ----------
    records : np.ndarray [shape=(records, bytes of a record)]
        From `open_records`.
    stored : Stored
        The signals.
    sample_bytes : {2, 3}
        EDF or BDF.
    start : int
        First sample, counted from the first data record.
    out : np.ndarray [shape=(signals, samples)]
        Where the values go.

    Returns
    -------
    np.ndarray [shape=(signals, 2)]
        Lowest and highest of the numbers as they are stored.

    Notes
    -----
    16 bits times a gain are exact enough in single precision (2^-24 of the value, where a step is 2^-16 of the
    range); 24 bits are scaled in double precision and rounded once.
    """
    extremes = np.array([[2**31 - 1, -(2**31)]] * len(stored.firsts), dtype=np.int32)
    flat = records.reshape(-1)
    width = records.shape[1] // sample_bytes
    place = (width, stored.samples_per_record, start)
    if sample_bytes == 2:
        gains, offsets = stored.gains.astype(np.float32), stored.offsets.astype(np.float32)
        _decode_16(flat.view("<i2"), place, stored.firsts, gains, offsets, out, extremes)
    else:
        _decode_24(flat, place, stored.firsts, stored.gains, stored.offsets, out, extremes)
    return extremes


@njit(cache=True, error_model="numpy")
def _decode_16(data: Any, place: Any, firsts: Any, gains: Any, offsets: Any, out: Any, extremes: Any) -> None:  # noqa: PLR0917
    record_width, width, start = place
    at, column, begin = 0, start % width, start // width * record_width
    while at < out.shape[1]:
        count = min(width - column, out.shape[1] - at)
        for row in range(len(firsts)):
            first = begin + firsts[row] + column
            piece, to = data[first : first + count], out[row, at : at + count]
            gain, offset = gains[row], offsets[row]
            low, high = np.int16(32767), np.int16(-32768)
            for k in range(count):
                value = piece[k]
                to[k] = np.float32(value) * gain + offset
                low = value if value < low else low
                high = value if value > high else high
            extremes[row, 0] = min(extremes[row, 0], low)
            extremes[row, 1] = max(extremes[row, 1], high)
        at += count
        column = 0
        begin += record_width


@njit(cache=True, error_model="numpy")
def _decode_24(data: Any, place: Any, firsts: Any, gains: Any, offsets: Any, out: Any, extremes: Any) -> None:  # noqa: PLR0917
    record_width, width, start = place
    at, column, begin = 0, start % width, start // width * record_width
    while at < out.shape[1]:
        count = min(width - column, out.shape[1] - at)
        for row in range(len(firsts)):
            first = 3 * (begin + firsts[row] + column)
            piece, to = data[first : first + 3 * count], out[row, at : at + count]
            gain, offset = gains[row], offsets[row]
            low, high = extremes[row]
            for k in range(count):
                value = np.int32(piece[3 * k]) | np.int32(piece[3 * k + 1]) << 8
                value = np.int32(value | np.int32(np.int8(piece[3 * k + 2])) << 16)
                to[k] = value * gain + offset
                low = value if value < low else low
                high = value if value > high else high
            extremes[row, 0] = low
            extremes[row, 1] = high
        at += count
        column = 0
        begin += record_width


def parse_tals(raw: bytes) -> tuple[list[Tal], list[bytes]]:
    r"""Return the time-stamped annotations in the bytes of an annotation signal, and the pieces that are none.

    Notes
    -----
    EDF+ 2.2.2 (Kemp and Olivan 2003): ``+onset[0x15duration]0x14text0x14[text0x14...]0x00``. A list that lacks its
    last 0x14 is read all the same.

    Examples
    --------
    >>> parse_tals(b"+0.5\x14\x14\x00-2\x1530\x14wake\x14\x00\x00\x00noon\x14\x00")
    ([Tal(onset_s=0.5, duration_s=0.0, text=''), Tal(onset_s=-2.0, duration_s=30.0, text='wake')], [b'noon\x14'])
    """
    found: list[Tal] = []
    wrong: list[bytes] = []
    for piece in filter(None, raw.split(b"\x00")):
        stamp, *texts = piece.removesuffix(b"\x14").split(b"\x14")
        time = _TIME.match(stamp)
        if time is None:
            wrong.append(piece)
            continue
        onset_s, duration_s = float(time[1]), float(time[2] or 0.0)
        found.extend(Tal(onset_s, duration_s, _decoded(text)) for text in texts or [b""])
    return found, wrong


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.decode("latin-1").strip()


def read_tals(records: npt.NDArray[np.uint8], header: EdfHeader) -> tuple[list[Tal], list[bytes]]:
    """Return the annotations that have a text, onsets counted from the first record, and the pieces that are none."""
    found: list[Tal] = []
    wrong: list[bytes] = []
    for signal in _annotation_signals(header):
        for raw in _cells(records, header, signal):
            if not raw or (raw.count(b"\x14") == 2 and raw.endswith(b"\x14\x14")):
                continue  # the record's own time stamp and nothing else
            good, bad = parse_tals(raw)
            found += [tal for tal in good if tal.text]
            wrong += bad
    begin = _first_onset(records, header)
    return [tal._replace(onset_s=tal.onset_s - begin) for tal in found], wrong


def _annotation_signals(header: EdfHeader) -> list[EdfSignal]:
    return [signal for signal in header.signals if signal.is_annotation]


def _cells(records: npt.NDArray[np.uint8], header: EdfHeader, signal: EdfSignal) -> Iterator[bytes]:
    begin, size = signal.first * header.sample_bytes, signal.samples_per_record * header.sample_bytes
    for first in range(0, len(records), _RECORDS_AT_ONCE):
        block = records[first : first + _RECORDS_AT_ONCE, begin : begin + size].tobytes()
        yield from (block[k : k + size].rstrip(b"\x00") for k in range(0, len(block), size))


def _first_onset(records: npt.NDArray[np.uint8], header: EdfHeader) -> float:
    """Return when the first record begins, after the second that the header names as the start."""
    for signal in _annotation_signals(header)[:1]:
        for raw in _cells(records[:1], header, signal):
            found, _ = parse_tals(raw)
            return found[0].onset_s if found and not found[0].text else 0.0
    return 0.0


def record_onsets(records: npt.NDArray[np.uint8], header: EdfHeader, notes: list[str]) -> npt.NDArray[np.float64]:
    """Return when each data record begins, in seconds from the first, shape (records,).

    Raises
    ------
    DataError
        When records of a discontinuous file overlap or go back in time.
    """
    marks = _annotation_signals(header)
    if not (header.discontinuous and marks):
        return np.asarray(np.arange(len(records)) * header.record_s, dtype=np.float64)
    onsets = np.array([_stamp(raw) for raw in _cells(records, header, marks[0])])
    missing = np.flatnonzero(np.isnan(onsets))
    for k in missing.tolist():
        onsets[k] = onsets[k - 1] + header.record_s if k else 0.0
    if len(missing):
        notes.append(f"{len(missing)} data records without a time stamp, taken to follow the one before")
    steps = np.diff(onsets)
    if (steps < header.record_s * 0.999).any():
        k = int(np.argmin(steps))
        raise DataError(
            f"{header.path}: data record {k + 1} of a discontinuous file begins at {onsets[k + 1]:g} s, before record "
            f"{k}, of {header.record_s:g} s from {onsets[k]:g} s on, has ended"
        )
    return np.asarray(onsets - onsets[:1].sum(), dtype=np.float64)


def _stamp(raw: bytes) -> float:
    found: Sequence[Tal] = parse_tals(raw.partition(b"\x00")[0])[0]
    return found[0].onset_s if found else float("nan")
