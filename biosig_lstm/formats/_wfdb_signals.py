"""Samples of the WFDB storage formats, decoded in one pass from the bytes of a signal file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["FORMATS", "INVALID", "bytes_needed", "decode", "samples_in"]

Bytes = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

NO_INVALID = 1 << 40
INVALID = {
    8: NO_INVALID, 16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -(2**7), 160: -(2**15),
    212: -(2**11), 310: -(2**9), 311: -(2**9), 508: -(2**7), 516: -(2**15), 524: -(2**23),
}  # fmt: skip
"""The digital value that marks a missing sample, by format; format 8 has none."""

FORMATS = tuple(INVALID)

_CHUNK = 6144
_BYTES = {8: 1, 16: 2, 24: 3, 32: 4, 61: 2, 80: 1, 160: 2}


def bytes_needed(fmt: int, n: int) -> int:
    """Return the bytes that hold the first `n` samples of a file in format `fmt`."""
    if fmt == 212:
        return n + (n + 1) // 2
    if fmt in (310, 311):
        whole, rest = divmod(n, 3)
        return whole * 4 + (0, 2, 4 if fmt == 310 else 3)[rest]
    return n * _BYTES[fmt]


def samples_in(fmt: int, n_bytes: int) -> int:
    """Return how many whole samples `n_bytes` of format `fmt` hold."""
    if fmt == 212:
        return n_bytes * 2 // 3
    if fmt in (310, 311):
        whole, rest = divmod(n_bytes, 4)
        return whole * 3 + (0, 0, 1, 1 if fmt == 310 else 2)[rest]
    return n_bytes // _BYTES[fmt]


@njit(cache=True, inline="always")
def _byte(data: Bytes, at: int) -> int:  # pragma: no cover
    return np.int32(data[at]) if at < len(data) else np.int32(0)


@njit(cache=True)
def _unpack_212(data: Bytes, block: int, count: int, out: Any) -> None:  # pragma: no cover
    pairs = min((count + 1) // 2, len(data) // 3 - block)
    for j in range(pairs):
        k = 3 * (block + j)
        low, mid, high = np.int32(data[k]), np.int32(data[k + 1]), np.int32(data[k + 2])
        out[2 * j] = np.int32(((low | ((mid & 15) << 8)) ^ 2048) - 2048)
        out[2 * j + 1] = np.int32(((high | ((mid >> 4) << 8)) ^ 2048) - 2048)
    if 2 * pairs < count:
        k = 3 * (block + pairs)
        out[2 * pairs] = ((_byte(data, k) | ((_byte(data, k + 1) & 15) << 8)) ^ 2048) - 2048


@njit(cache=True)
def _unpack_31x(data: Bytes, fmt: int, block: int, count: int, out: Any) -> None:  # pragma: no cover
    for j in range((count + 2) // 3):
        k = 4 * (block + j)
        w0 = _byte(data, k) | (_byte(data, k + 1) << 8)
        w1 = _byte(data, k + 2) | (_byte(data, k + 3) << 8)
        if fmt == 310:
            a, b, c = (w0 >> 1) & 1023, (w1 >> 1) & 1023, ((w0 >> 11) & 31) | (((w1 >> 11) & 31) << 5)
        else:
            word = w0 | (w1 << 16)
            a, b, c = word & 1023, (word >> 10) & 1023, (word >> 20) & 1023
        out[3 * j] = (a ^ 512) - 512
        out[3 * j + 1] = (b ^ 512) - 512
        out[3 * j + 2] = (c ^ 512) - 512


@njit(cache=True)
def _unpack_bytes(data: Bytes, fmt: int, first: int, count: int, out: Any) -> None:  # pragma: no cover
    if fmt == 16:
        for j in range(count):
            k = 2 * (first + j)
            out[j] = np.int16(np.uint16(data[k]) | (np.uint16(data[k + 1]) << np.uint16(8)))
    elif fmt == 61:
        for j in range(count):
            k = 2 * (first + j)
            out[j] = np.int16(np.uint16(data[k + 1]) | (np.uint16(data[k]) << np.uint16(8)))
    elif fmt == 160:
        for j in range(count):
            k = 2 * (first + j)
            out[j] = (np.int32(data[k]) | (np.int32(data[k + 1]) << 8)) - 32768
    elif fmt == 24:
        for j in range(count):
            k = 3 * (first + j)
            word = np.int32(data[k]) | (np.int32(data[k + 1]) << 8) | (np.int32(data[k + 2]) << 16)
            out[j] = (word ^ 0x800000) - 0x800000
    elif fmt == 32:
        for j in range(count):
            k = 4 * (first + j)
            low = np.uint32(data[k]) | (np.uint32(data[k + 1]) << np.uint32(8))
            high = (np.uint32(data[k + 2]) << np.uint32(16)) | (np.uint32(data[k + 3]) << np.uint32(24))
            out[j] = np.int32(low | high)
    elif fmt == 80:
        for j in range(count):
            out[j] = np.int32(data[first + j]) - 128
    else:
        for j in range(count):
            out[j] = np.int8(data[first + j])


@njit(cache=True)
def _unpack(data: Bytes, fmt: int, first: int, count: int, out: Any) -> int:  # pragma: no cover
    """Unpack `count` samples from `first` on into `out`; return where in `out` the first one stands."""
    if fmt == 212:
        shift = first % 2
        _unpack_212(data, first // 2, count + shift, out)
        return shift
    if fmt in (310, 311):
        shift = first % 3
        _unpack_31x(data, fmt, first // 3, count + shift, out)
        return shift
    _unpack_bytes(data, fmt, first, count, out)
    return 0


@njit(cache=True)
def _accumulate(flat: Any, at: int, count: int, place: int, owner: Int64, state: Int64) -> None:  # pragma: no cover
    total = len(owner)
    for j in range(count):
        who = owner[(place + j) % total]
        state[who] += flat[at + j]
        flat[at + j] = state[who]


@njit(cache=True)
def _frame_mean(flat: Any, at: int, n: int, invalid: int) -> int:  # pragma: no cover
    total, valid = 0, 0
    for k in range(n):
        value = np.int64(flat[at + k])
        if value != invalid:
            total += value
            valid += 1
    return int(total / valid) if valid else invalid


@njit(cache=True)
def _sum_of(flat: Any, at: int, stride: int, n: int, frames: int) -> int:  # pragma: no cover
    total = 0
    for i in range(frames):
        for k in range(n):
            total += flat[at + i * stride + k]
    return total


@njit(cache=True)
def _place_single(
    flat: Any, at: int, stride: int, frames: int, invalid: int, baseline: float, step: float, missing: Any, row: Any
) -> int:  # pragma: no cover
    total = 0
    for i in range(frames):
        value = flat[at + i * stride]
        total += value
        row[i] = missing if value == invalid else (value - baseline) * step
    return total


@njit(cache=True)
def _place_frames(
    flat: Any, at: int, stride: int, frames: int, n: int, repeat: int,
    invalid: int, baseline: float, step: float, missing: Any, row: Any,
) -> int:  # pragma: no cover  # fmt: skip
    for i in range(frames):
        begin = at + i * stride
        if repeat == 0:
            value = _frame_mean(flat, begin, n, invalid)
            row[i] = missing if value == invalid else (value - baseline) * step
        else:
            for k in range(repeat):
                held = np.int64(flat[begin + k * n // repeat])
                row[i * repeat + k] = missing if held == invalid else (held - baseline) * step
    return _sum_of(flat, at, stride, n, frames)


@njit(cache=True, nogil=True)
def decode(
    data: Bytes, fmt: int, first_frame: int, n_frames: int, owner: Int64, state: Int64, rows: Int64, places: Int64,
    sizes: Int64, repeat: int, invalid: int, baselines: Float64, steps: Float64, missing: Any, out: Any, sums: Int64,
) -> None:  # pragma: no cover  # fmt: skip
    """Decode frames of some signals of one file into the rows of `out`.

    Parameters
    ----------
    data : np.ndarray [shape=(bytes,), dtype=uint8]
        The file from its first sample on; it must hold the frames asked for.
    fmt : int
        One of `FORMATS` that is not compressed.
    first_frame, n_frames : int
        The frames to decode.
    owner : np.ndarray [shape=(samples per frame,)]
        Which signal of the file each sample of a frame belongs to.
    state : np.ndarray [shape=(signals of the file,)]
        Format 8: the last value of each signal before `first_frame`. Changed.
    rows, places, sizes : np.ndarray [shape=(signals wanted,)]
        The row of `out` for each signal, where in a frame its samples stand, and how many they are.
    repeat : int
        Samples of the output for each frame, slower signals held; 0 for the mean of each frame, cut toward zero.
    invalid : int
        Digital value that marks a missing sample.
    baselines, steps : np.ndarray [shape=(signals wanted,), dtype=float64]
        The output is ``(value - baseline) * step``.
    missing : float32 or int32
        Written where a sample is missing.
    out : np.ndarray [shape=(any, n_frames * max(repeat, 1) or more), dtype=float32 or int32]
        Its `rows` are filled from their beginning.
    sums : np.ndarray [shape=(signals wanted,)]
        The sum of the raw samples of each signal is added.
    """
    stride = len(owner)
    chunk = max(_CHUNK // stride, 1)
    flat = np.empty(chunk * stride + 6, dtype=np.int32)
    for done in range(0, n_frames, chunk):
        frames = min(chunk, n_frames - done)
        first = (first_frame + done) * stride
        shift = _unpack(data, fmt, first, frames * stride, flat)
        if fmt == 8:
            _accumulate(flat, shift, frames * stride, 0, owner, state)
        for c in range(len(places)):
            at = shift + places[c]
            if sizes[c] == 1 and repeat <= 1:
                row = out[rows[c], done : done + frames]
                sums[c] += _place_single(flat, at, stride, frames, invalid, baselines[c], steps[c], missing, row)
            else:
                width = max(repeat, 1)
                row = out[rows[c], done * width : (done + frames) * width]
                sums[c] += _place_frames(
                    flat, at, stride, frames, sizes[c], repeat, invalid, baselines[c], steps[c], missing, row
                )
