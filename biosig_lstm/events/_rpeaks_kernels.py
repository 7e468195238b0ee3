"""The inner loops of the R-peak detector, compiled: plain arrays in, plain arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "best_path",
    "block_maxima",
    "block_medians",
    "decimate",
    "energy",
    "filter_centred",
    "fuse",
    "locate",
    "pick",
    "running_maximum",
    "running_percentile",
]

Array = npt.NDArray[Any]


@njit(cache=True, fastmath=True)
def _inner(x: Array, start: int, taps: Array) -> Any:
    part, total = x[start : start + len(taps)], np.float32(0.0)
    for k in range(len(taps)):
        total += taps[k] * part[k]
    return total


@njit(cache=True)
def _inner_held(x: Array, start: int, taps: Array) -> Any:
    total, last = np.float32(0.0), len(x) - 1
    for k in range(len(taps)):
        total += taps[k] * x[min(max(start + k, 0), last)]
    return total


@njit(cache=True)
def filter_centred(x: Array, taps: Array) -> Array:
    """Return `x` under a symmetric filter of odd length: no delay; beyond its ends `x` holds its last value."""
    n, half = len(x), len(taps) // 2
    y = np.empty(n, dtype=np.float32)
    for i in range(n):
        if half <= i < n - half:
            y[i] = _inner(x, i - half, taps)
        else:
            y[i] = _inner_held(x, i - half, taps)
    return y


@njit(cache=True)
def decimate(x: Array, taps: Array, step: int, offset: float, gain: float) -> Array:
    """Return every `step`-th value of ``(x - offset) * gain`` under a symmetric filter of unit sum."""
    n, half = len(x), len(taps) // 2
    y = np.empty((n + step - 1) // step, dtype=np.float32)
    for i in range(len(y)):
        start = i * step - half
        inside = start >= 0 and start + len(taps) <= n
        total = _inner(x, start, taps) if inside else _inner_held(x, start, taps)
        y[i] = (total - offset) * gain
    return y


@njit(cache=True, fastmath=True)
def energy(b: Array, slope_gain: float) -> Array:
    """Return the square of `b` plus the square of its slope."""
    n = len(b)
    y = np.empty(n, dtype=np.float32)
    for i in range(n):
        slope = (b[min(i + 1, n - 1)] - b[max(i - 1, 0)]) * np.float32(0.5 * slope_gain)
        y[i] = b[i] * b[i] + slope * slope
    return y


@njit(cache=True)
def block_maxima(x: Array, size: int) -> Array:
    """Return the largest value of each block of `size`; the last block may be shorter."""
    y = np.zeros((len(x) + size - 1) // size, dtype=np.float32)
    for k in range(len(y)):
        largest = x[k * size]
        for i in range(k * size, min((k + 1) * size, len(x))):
            largest = max(largest, x[i])
        y[k] = largest
    return y


@njit(cache=True)
def block_medians(x: Array, size: int, stride: int) -> Array:
    """Return the median of every `stride`-th value of each block of `size`."""
    n_blocks = (len(x) + size - 1) // size
    y = np.zeros(n_blocks, dtype=np.float32)
    for k in range(n_blocks):
        y[k] = np.median(x[k * size : min((k + 1) * size, len(x)) : stride])
    return y


@njit(cache=True)
def _exchange(ordered: Array, old: float, new: float) -> None:
    """Replace one `old` by `new` in an ascending array and keep it ascending."""
    k = 0
    while ordered[k] != old:
        k += 1
    while k + 1 < len(ordered) and ordered[k + 1] < new:
        ordered[k] = ordered[k + 1]
        k += 1
    while k > 0 and ordered[k - 1] > new:
        ordered[k] = ordered[k - 1]
        k -= 1
    ordered[k] = new


@njit(cache=True)
def _mirrored(i: int, n: int) -> int:
    inside = abs(i) if i < n else 2 * (n - 1) - i
    return min(max(inside, 0), n - 1)


@njit(cache=True)
def running_percentile(x: Array, span: int, fraction: float) -> Array:
    """Return, for each value, the `fraction` order statistic of the `span` values around it, ends mirrored."""
    n, half = len(x), span // 2
    y = np.empty(n, dtype=x.dtype)
    ordered = np.empty(2 * half + 1, dtype=x.dtype)
    for k in range(len(ordered)):
        ordered[k] = x[_mirrored(k - half, n)]
    ordered.sort()
    rank = int(fraction * 2 * half + 0.5)
    for i in range(n):
        y[i] = ordered[rank]
        _exchange(ordered, x[_mirrored(i - half, n)], x[_mirrored(i + half + 1, n)])
    return y


@njit(cache=True, fastmath=True)
def fuse(total: Array, envelope: Array, scale: Array, size: int) -> None:
    """Add ``envelope * scale`` to `total`, where `scale` has one value a block and runs straight between middles."""
    last = len(scale) - 1
    for k in range(-1, last + 1):
        left, right = scale[max(k, 0)], scale[min(k + 1, last)]
        first = k * size + size // 2
        slope = (right - left) / np.float32(size)
        for i in range(max(first, 0), min(first + size, len(total))):
            total[i] += envelope[i] * (left + slope * np.float32(i - first))


@njit(cache=True)
def running_maximum(x: Array, half: int) -> Array:
    """Return, for each value, the largest of itself and the `half` values on either side."""
    n = len(x)
    y = np.empty(n, dtype=np.float32)
    for i in range(n):
        y[i] = np.max(x[max(i - half, 0) : min(i + half + 1, n)])
    return y


@njit(cache=True)
def pick(x: Array, threshold: float, distance: int) -> Array:
    """Return the local maxima of `x` of at least `threshold`; of two nearer than `distance` the higher one stays."""
    found = np.empty(len(x) // 2 + 1, dtype=np.int64)
    count = 0
    for i in range(1, len(x) - 1):
        if x[i] < threshold or x[i] <= x[i - 1] or x[i] < x[i + 1]:
            continue
        if count == 0 or i - found[count - 1] >= distance:
            found[count] = i
            count += 1
        elif x[i] > x[found[count - 1]]:
            found[count - 1] = i
    return found[:count]


@njit(cache=True)
def _interval_cost(ratio: float, costs: Array) -> Any:
    """Return what an interval costs that is `ratio` times the usual one there."""
    short, short_cost, long, long_cost = costs
    if ratio < short:
        return short_cost * np.log(short / ratio)
    if ratio > long:
        return min(long_cost * np.log(ratio / long), long_cost)
    return 0.0


@njit(cache=True)
def best_path(at: Array, gain: Array, usual: Array, shortest: int, costs: Array) -> Array:
    """Return the indices of the candidates whose gains, less the costs of the intervals between them, sum highest.

    Dynamic programming: each candidate follows the best of the eight before it, or of none.
    """
    n = len(at)
    total, before = np.zeros(n), np.full(n, -1)
    for i in range(n):
        best = 0.0 if i == 0 else -1e30
        for j in range(i - 1, max(i - 9, -1), -1):
            if at[i] - at[j] < shortest:
                continue
            value = total[j] - _interval_cost((at[i] - at[j]) / usual[i], costs)
            if value > best:
                best, before[i] = value, j
        total[i] = max(best, 0.0) + gain[i] if i < 9 else best + gain[i]
        if i < 9 and best < 0.0:
            before[i] = -1
    path = np.empty(n, dtype=np.int64)
    count, k = 0, 0 if n == 0 else max(n - 9, 0) + int(np.argmax(total[max(n - 9, 0) :]))
    while n > 0 and k >= 0:
        path[count] = k
        count += 1
        k = before[k]
    return path[:count][::-1]


@njit(cache=True)
def locate(peaks: Array, band: Array, x: Array, reach: int, step: int) -> Array:
    """Return, for each peak, where the largest deflection of `band` within `reach` lies on the samples of `x`."""
    y = np.empty(len(peaks), dtype=np.int64)
    for k in range(len(peaks)):
        best = peaks[k]
        for i in range(max(peaks[k] - reach, 0), min(peaks[k] + reach + 1, len(band))):
            if abs(band[i]) > abs(band[best]):
                best = i
        sign = 1.0 if band[best] >= 0 else -1.0
        top = min(best * step, len(x) - 1)
        for i in range(max((best - 1) * step, 0), min((best + 1) * step + 1, len(x))):
            if sign * x[i] > sign * x[top]:
                top = i
        y[k] = top
    return y
