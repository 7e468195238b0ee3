"""Samples and annotations out of the data records of an EDF or BDF file, read through a memory map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.errors import DataError
from biosig_lstm.formats._edf_header import EdfHeader, EdfSignal

__all__ = ["Tal", "open_records", "read_digital", "read_physical", "record_onsets", "tals"]

Float32 = npt.NDArray[np.float32]
_TIME = re.compile(rb"([+-]\d+(?:\.\d*)?)(?:\x15(\d+(?:\.\d*)?))?$")


class Tal(NamedTuple):
    """A time-stamped annotation: seconds from the start of the file, how long, and what."""

    onset_s: float
    duration_s: float
    text: str


def open_records(header: EdfHeader) -> npt.NDArray[np.uint8]:
    """Return the data records as bytes, (records, bytes of a record), without reading them."""
    width = header.record_samples * header.sample_bytes
    if not (header.n_records and width):
        return np.zeros((0, max(width, 1)), dtype=np.uint8)
    return np.memmap(header.path, dtype=np.uint8, mode="r", offset=header.header_bytes, shape=(header.n_records, width))


def read_physical(
    records: npt.NDArray[np.uint8], header: EdfHeader, signal: EdfSignal, *, start: int, stop: int, scale: float = 1.0
) -> Float32:
    """Return samples `start` to `stop` of a signal, in its unit times `scale`, shape (samples,)."""
    chunk, skip = _chunk(records, header, signal, start=start, stop=stop)
    out = np.empty(stop - start, dtype=np.float32)
    decode = _physical_16 if header.sample_bytes == 2 else _physical_24
    decode(chunk, skip, signal.gain * scale, signal.offset * scale, out)
    return out


def read_digital(
    records: npt.NDArray[np.uint8], header: EdfHeader, signal: EdfSignal, *, start: int, stop: int
) -> npt.NDArray[np.int32]:
    """Return samples `start` to `stop` of a signal as they are stored, shape (samples,)."""
    chunk, skip = _chunk(records, header, signal, start=start, stop=stop)
    out = np.empty(stop - start, dtype=np.int32)
    (_digital_16 if header.sample_bytes == 2 else _digital_24)(chunk, skip, out)
    return out


def _chunk(
    records: npt.NDArray[np.uint8], header: EdfHeader, signal: EdfSignal, *, start: int, stop: int
) -> tuple[npt.NDArray[Any], int]:
    width = signal.samples_per_record
    first, last = start // width, -(-stop // width)
    begin, size = signal.first * header.sample_bytes, width * header.sample_bytes
    block = np.asarray(records[first:last])[:, begin : begin + size]
    if header.sample_bytes == 2:
        block = np.asarray(records[first:last]).view("<i2")[:, signal.first : signal.first + width]
    return block, start - first * width


@njit(cache=True)
def _physical_16(chunk: Any, skip: Any, gain: Any, offset: Any, out: Any) -> None:
    width = chunk.shape[1]
    row, column = skip // width, skip % width
    at = 0
    while at < len(out):
        n = min(width - column, len(out) - at)
        for k in range(n):
            out[at + k] = chunk[row, column + k] * gain + offset
        at += n
        row += 1
        column = 0


@njit(cache=True)
def _physical_24(chunk: Any, skip: Any, gain: Any, offset: Any, out: Any) -> None:
    width = chunk.shape[1] // 3
    for at in range(len(out)):
        row, column = (skip + at) // width, 3 * ((skip + at) % width)
        value = np.int32(chunk[row, column]) | np.int32(chunk[row, column + 1]) << 8
        value |= np.int32(chunk[row, column + 2]) << 16
        value -= (value >> 23) << 24
        out[at] = value * gain + offset


@njit(cache=True)
def _digital_16(chunk: Any, skip: Any, out: Any) -> None:
    width = chunk.shape[1]
    for at in range(len(out)):
        out[at] = chunk[(skip + at) // width, (skip + at) % width]


@njit(cache=True)
def _digital_24(chunk: Any, skip: Any, out: Any) -> None:
    width = chunk.shape[1] // 3
    for at in range(len(out)):
        row, column = (skip + at) // width, 3 * ((skip + at) % width)
        value = np.int32(chunk[row, column]) | np.int32(chunk[row, column + 1]) << 8
        value |= np.int32(chunk[row, column + 2]) << 16
        out[at] = value - ((value >> 23) << 24)


def tals(records: npt.NDArray[np.uint8], header: EdfHeader) -> Iterator[tuple[int, Tal]]:
    """Yield the record's number and each time-stamped annotation in it, the record's own time stamp included.

    Raises
    ------
    DataError
        When an annotation's time cannot be read.
    """
    for signal in (signal for signal in header.signals if signal.is_annotation):
        begin = signal.first * header.sample_bytes
        size = signal.samples_per_record * header.sample_bytes
        for number in range(len(records)):
            yield from ((number, tal) for tal in _parse(records[number, begin : begin + size].tobytes(), header))


def _parse(raw: bytes, header: EdfHeader) -> Iterator[Tal]:
    for piece in raw.split(b"\x14\x00"):
        stamp, *texts = piece.lstrip(b"\x00").split(b"\x14")
        if not stamp:
            continue
        found = _TIME.match(stamp)
        if found is None:
            raise DataError(f"{header.path}: annotation with the time {stamp[:40]!r}, wanted such as b'+12.5'")
        onset_s, duration_s = float(found[1]), float(found[2] or 0.0)
        for text in texts or [b""]:
            yield Tal(onset_s, duration_s, _decoded(text))


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8").strip("\x00 ")
    except UnicodeDecodeError:
        return text.decode("latin-1").strip("\x00 ")


def record_onsets(records: npt.NDArray[np.uint8], header: EdfHeader) -> npt.NDArray[np.float64]:
    """Return when each data record begins, in seconds from the first, shape (records,)."""
    steady = np.asarray(np.arange(len(records)) * header.record_s, dtype=np.float64)
    marks = [signal for signal in header.signals if signal.is_annotation]
    if not (header.discontinuous and marks):
        return steady
    begin, size = marks[0].first * header.sample_bytes, marks[0].samples_per_record * header.sample_bytes
    onsets = np.array([
        next((tal.onset_s for tal in _parse(records[k, begin : begin + size].tobytes(), header)), np.nan)
        for k in range(len(records))
    ])  # fmt: skip
    if np.isnan(onsets).any() or (np.diff(onsets) < header.record_s * 0.999).any():
        raise DataError(f"{header.path}: a discontinuous file whose data records have no rising time stamps")
    return np.asarray(onsets - onsets[:1].sum(), dtype=np.float64)
