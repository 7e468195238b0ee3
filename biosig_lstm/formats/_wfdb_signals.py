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

NO_INVALID = -(2**31)
INVALID = {
    8: NO_INVALID, 16: -(2**15), 24: -(2**23), 32: -(2**31), 61: -(2**15), 80: -(2**7), 160: -(2**15),
    212: -(2**11), 310: -(2**9), 311: -(2**9), 508: -(2**7), 516: -(2**15), 524: -(2**23),
}  # fmt: skip
"""The digital value that marks a missing sample, by format; format 8 has none (no sample gets as low as this)."""

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


# Unsigned indices spare numba the check for negative ones, and so let the compiler vectorise: four times as fast.
_U = np.uint64


@njit(cache=True)
def _byte(data: Bytes, at: int) -> Any:  # pragma: no cover
    return np.int32(data[at]) if at < len(data) else np.int32(0)


@njit(cache=True)
def _unpack_212(data: Bytes, count: int, out: Any) -> None:  # pragma: no cover
    pairs = min((count + 1) // 2, len(data) // 3)
    for j in range(pairs):
        k, m = _U(3) * _U(j), _U(2) * _U(j)
        low, mid, high = np.int32(data[k]), np.int32(data[k + _U(1)]), np.int32(data[k + _U(2)])
        out[m] = ((low | ((mid & np.int32(15)) << np.int32(8))) ^ np.int32(2048)) - np.int32(2048)
        out[m + _U(1)] = ((high | ((mid >> np.int32(4)) << np.int32(8))) ^ np.int32(2048)) - np.int32(2048)
    if 2 * pairs < count:
        word = _byte(data, 3 * pairs) | ((_byte(data, 3 * pairs + 1) & 15) << 8)
        out[2 * pairs] = (word ^ 2048) - 2048


@njit(cache=True)
def _unpack_212_pair(data: Bytes, count: int, even: Any, odd: Any) -> None:  # pragma: no cover
    """Unpack two leads into a row each: the most common layout of all, worth half its time."""
    for j in range(count):
        k = _U(3) * _U(j)
        low, mid, high = np.int32(data[k]), np.int32(data[k + _U(1)]), np.int32(data[k + _U(2)])
        even[_U(j)] = ((low | ((mid & np.int32(15)) << np.int32(8))) ^ np.int32(2048)) - np.int32(2048)
        odd[_U(j)] = ((high | ((mid >> np.int32(4)) << np.int32(8))) ^ np.int32(2048)) - np.int32(2048)


@njit(cache=True)
def _unpack_31x(data: Bytes, fmt: int, count: int, out: Any) -> None:  # pragma: no cover
    for j in range((count + 2) // 3):
        k = 4 * j
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
def _unpack_one_byte(data: Bytes, fmt: int, count: int, out: Any) -> None:  # pragma: no cover
    flip = np.int32(128) if fmt == 8 else np.int32(0)
    for j in range(count):
        out[_U(j)] = (np.int32(data[_U(j)]) ^ flip) - np.int32(128)


@njit(cache=True)
def _unpack_two_bytes(data: Bytes, fmt: int, count: int, out: Any) -> None:  # pragma: no cover
    low, high = (_U(1), _U(0)) if fmt == 61 else (_U(0), _U(1))
    flip = np.int32(0x8000) if fmt != 160 else np.int32(0)
    for j in range(count):
        k = _U(2) * _U(j)
        word = np.int32(data[k + low]) | (np.int32(data[k + high]) << np.int32(8))
        out[_U(j)] = (word ^ flip) - np.int32(0x8000)


@njit(cache=True)
def _unpack_long(data: Bytes, width: int, count: int, out: Any) -> None:  # pragma: no cover
    for j in range(count):
        k = _U(width) * _U(j)
        word = np.int32(data[k]) | (np.int32(data[k + _U(1)]) << 8) | (np.int32(data[k + _U(2)]) << 16)
        out[_U(j)] = (word ^ 0x800000) - 0x800000 if width == 3 else word | (np.int32(data[k + _U(3)]) << 24)


@njit(cache=True)
def _unpack(data: Bytes, fmt: int, first: int, count: int, out: Any) -> int:  # pragma: no cover
    """Unpack `count` samples from `first` on into `out`; return where in `out` the first one stands."""
    shift = 0
    if fmt == 212:
        shift = first % 2
        _unpack_212(data[first // 2 * 3 :], count + shift, out)
    elif fmt in (310, 311):
        shift = first % 3
        _unpack_31x(data[first // 3 * 4 :], fmt, count + shift, out)
    elif fmt in (16, 61, 160):
        _unpack_two_bytes(data[2 * first :], fmt, count, out)
    elif fmt in (24, 32):
        _unpack_long(data[fmt // 8 * first :], fmt // 8, count, out)
    else:
        _unpack_one_byte(data[first:], fmt, count, out)
    return shift


@njit(cache=True)
def _accumulate(flat: Any, frames: int, owner: Int64, state: Int64) -> None:  # pragma: no cover
    stride = len(owner)
    for k in range(stride):
        if k > 0 and owner[k] == owner[k - 1]:
            continue
        size = 1
        while k + size < stride and owner[k + size] == owner[k]:
            size += 1
        value = state[owner[k]]
        for i in range(frames):
            for j in range(k, k + size):
                value += flat[i * stride + j]
                flat[i * stride + j] = value
        state[owner[k]] = value


@njit(cache=True)
def _frame_mean(flat: Any, at: int, n: int, invalid: int) -> int:  # pragma: no cover
    total, valid = 0, 0
    for k in range(n):
        value = int(flat[at + k])
        if value != invalid:
            total += value
            valid += 1
    return int(total / valid) if valid else invalid


@njit(cache=True, inline="always")
def _place_strided(  # noqa: PLR0917
    flat: Any, stride: int, frames: int, invalid: int, baseline: float, step: float, missing: Any, row: Any
) -> Any:  # pragma: no cover
    total = np.int32(0)
    for i in range(frames):
        value = flat[_U(stride) * _U(i)]
        total = np.int32(total + value)
        row[_U(i)] = missing if value == invalid else (np.float64(value) - baseline) * step
    return total


@njit(cache=True)
def _place_single(  # noqa: PLR0917
    flat: Any, stride: int, frames: int, invalid: int, baseline: float, step: float, missing: Any, row: Any
) -> Any:  # pragma: no cover
    if stride == 1:
        return _place_strided(flat, 1, frames, invalid, baseline, step, missing, row)
    if stride == 2:
        return _place_strided(flat, 2, frames, invalid, baseline, step, missing, row)
    return _place_strided(flat, stride, frames, invalid, baseline, step, missing, row)


@njit(cache=True)
def _place_frames(  # noqa: PLR0917
    flat: Any, stride: int, frames: int, n: int, repeat: int,
    invalid: int, baseline: float, step: float, missing: Any, row: Any,
) -> int:  # pragma: no cover  # fmt: skip
    total = 0
    for i in range(frames):
        begin = i * stride
        for k in range(n):
            total += flat[begin + k]
        if repeat == 0:
            value = _frame_mean(flat, begin, n, invalid)
            row[i] = missing if value == invalid else (value - baseline) * step
        for k in range(repeat):
            held = flat[begin + k * n // repeat]
            row[i * repeat + k] = missing if held == invalid else (held - baseline) * step
    return total


@njit(cache=True, nogil=True)
def decode(  # noqa: PLR0917
    data: Bytes, fmt: int, first_frame: int, n_frames: int, owner: Int64, state: Int64, rows: Int64, places: Int64,
    sizes: Int64, repeat: int, invalid: Any, baselines: Float64, steps: Float64, missing: Any, out: Any, sums: Int64,
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
    invalid : int32
        Digital value that marks a missing sample.
    baselines, steps : np.ndarray [shape=(signals wanted,), dtype=float64]
        The output is ``(value - baseline) * step``.
    missing : float32 or int32
        Written where a sample is missing.
    out : np.ndarray [shape=(any, n_frames * max(repeat, 1) or more), dtype=float32 or int32]
        Its `rows` are filled from their beginning.
    sums : np.ndarray [shape=(any,)]
        The sum of the raw samples of each signal is added at its row, modulo 65,536 at least.
    """
    stride = len(owner)
    chunk = max(_CHUNK // stride, 1)
    flat = np.empty(chunk * stride + 6, dtype=np.int32)
    pair = fmt == 212 and stride == 2 and owner[0] != owner[1]
    spacing, apart = (1, chunk) if pair else (stride, 1)
    for done in range(0, n_frames, chunk):
        frames = min(chunk, n_frames - done)
        first = (first_frame + done) * stride
        shift = 0
        if pair:
            _unpack_212_pair(data[first // 2 * 3 :], frames, flat, flat[chunk:])
        else:
            shift = _unpack(data, fmt, first, frames * stride, flat)
        if fmt == 8:
            _accumulate(flat, frames, owner, state)
        for c in range(len(places)):
            source = flat[shift + places[c] * apart :]
            if sizes[c] == 1 and repeat <= 1:
                row = out[rows[c], done : done + frames]
                sums[rows[c]] += _place_single(source, spacing, frames, invalid, baselines[c], steps[c], missing, row)
            else:
                width = max(repeat, 1)
                row = out[rows[c], done * width : (done + frames) * width]
                sums[rows[c]] += _place_frames(
                    source, spacing, frames, sizes[c], repeat, invalid, baselines[c], steps[c], missing, row
                )
