"""From samples to the power in mel filters, compiled: frames go side by side through one transform in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.features._lanes import load, spread, store

__all__ = ["append", "mel_powers", "transform", "turns"]

_REORDERED = {"reassoc", "contract", "nsz"}


def turns(n_fft: int, dtype: npt.DTypeLike) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return what the transform of `n_fft` real samples is multiplied with: that of half the length, and its end.

    Returns
    -------
    within : np.ndarray [shape=(2, 3, n_fft // 8)]
        Cosines and sines of one, two and three times the angles of each butterfly.
    between : np.ndarray [shape=(2, n_fft // 4 + 1)]
        Cosines and sines of the angles between the halves.
    """
    within = np.exp(-2j * np.pi * np.outer([1, 2, 3], np.arange(n_fft // 8)) / (n_fft // 2))
    between = np.exp(-2j * np.pi * np.arange(n_fft // 4 + 1) / n_fft)
    return np.stack([within.real, within.imag]).astype(dtype), np.stack([between.real, between.imag]).astype(dtype)


@njit(cache=True, fastmath=_REORDERED)
def append(room: Any, held: int, values: Any) -> bool:
    """Write values to `room` from place `held` on; return whether all are finite."""
    total = values.dtype.type(0)
    for k in range(len(values)):
        room[held + k] = values[k]
        total += values[k] * 0
    return bool(total == 0)


@njit(cache=True)
def mel_powers(  # noqa: PLR0917  (compiled functions are called with positional arguments)
    values: Any, powers: Any, energies: Any, room: Any, lanes: Any, hop: int, sound: Any, taper: Any, angles: Any,
    filters: Any,
) -> None:  # fmt: skip
    """Write the power in each filter, and the energy, of each frame of `values`, which begins at sample k * hop.

    Parameters
    ----------
    values : array [shape=(samples,)]
        Sound.
    powers, energies : array [shape=(frames, n_mels) and (frames,)]
        Where the answers go.
    room : array [shape=(5, (n_fft / 2 + 1) * len(lanes))]
        Memory to work in, of the type of the computation.
    lanes : tuple of int
        As long as there are frames side by side; see `biosig_lstm.features._lanes.lanes`.
    hop : int
        Samples from one frame to the next.
    sound : (float, float, bool)
        A factor, pre-emphasis, and whether the mean is taken away.
    taper : array [shape=(width,)]
        The window.
    angles : (array, array)
        What `turns` gives.
    filters : (array, array, array)
        First bin of each filter, where its weights begin and end among all, and those.
    """
    half, wide = angles[0].shape[2] * 4, len(lanes)
    used = (len(taper) + 1) // 2
    clean, shaped = room[4][: len(taper)], np.zeros(2 * half, dtype=room.dtype)
    for first in range(0, len(powers), wide):
        room[0, used * wide : half * wide] = 0
        room[1, used * wide : half * wide] = 0
        for lane in range(min(wide, len(powers) - first)):
            start = (first + lane) * hop
            energies[first + lane] = _prepare(values[start : start + len(taper)], clean, shaped, sound, taper)
            for k in range(used):
                room[0, k * wide + lane] = shaped[2 * k]
                room[1, k * wide + lane] = shaped[2 * k + 1]
        at = transform(room[0], room[1], room[2], room[3], angles[0], half, lanes)
        _power(room[at], room[at + 1], room[4], angles[1], half, lanes)
        _sum_filters(room[4], room[0], filters, lanes)
        for lane in range(min(wide, len(powers) - first)):
            for m in range(powers.shape[1]):
                powers[first + lane, m] = room[0, m * wide + lane]


@njit(cache=True, fastmath=_REORDERED)
def _prepare(frame: Any, clean: Any, shaped: Any, sound: Any, taper: Any) -> Any:
    """Scale a frame, take its mean away, emphasise high frequencies, window it; return the energy before these two."""
    factor, emphasis, centred = sound
    total = taper[0] * 0
    for j in range(len(frame)):
        clean[j] = frame[j] * factor
        total += clean[j]
    mean = total / len(frame) if centred else total * 0
    energy = total * 0
    for j in range(len(frame)):
        clean[j] -= mean
        energy += clean[j] * clean[j]
    shaped[0] = (clean[0] - emphasis * clean[0]) * taper[0]
    for j in range(1, len(frame)):
        shaped[j] = (clean[j] - emphasis * clean[j - 1]) * taper[j]
    return energy


@njit(cache=True)
def transform(  # noqa: PLR0917
    xr: Any, xi: Any, yr: Any, yi: Any, turn: Any, length: int, lanes: Any
) -> int:
    """Transform complex signals, ``len(lanes)`` side by side; return 0 where the answer is in x, 2 where it is in y.

    Notes
    -----
    Stockham's transform of radix 4, and 2 once where the length wants it: it sorts itself (Van Loan 1992, section 1.7).
    """
    n, stride, in_y = length, 1, False
    while n > 1:
        ar, ai, br, bi = (yr, yi, xr, xi) if in_y else (xr, xi, yr, yi)
        if n >= 4:
            _radix4(ar, ai, br, bi, turn, n // 4, stride, lanes)
            n, stride = n // 4, stride * 4
        else:
            _radix2(ar, ai, br, bi, stride * len(lanes), lanes)
            n = 1
        in_y = not in_y
    return 2 if in_y else 0


@njit(cache=True)
def _radix4(  # noqa: PLR0917
    xr: Any, xi: Any, yr: Any, yi: Any, turn: Any, quarter: int, stride: int, lanes: Any
) -> None:
    wide = stride * len(lanes)
    for p in range(quarter):
        c1, c2, c3 = turn[0, 0, p * stride], turn[0, 1, p * stride], turn[0, 2, p * stride]
        s1, s2, s3 = turn[1, 0, p * stride], turn[1, 1, p * stride], turn[1, 2, p * stride]
        for j in range(0, wide, len(lanes)):
            i, o, far = p * wide + j, 4 * p * wide + j, quarter * wide
            ar, br = load(xr, i, lanes), load(xr, i + far, lanes)
            cr, dr = load(xr, i + 2 * far, lanes), load(xr, i + 3 * far, lanes)
            ai, bi = load(xi, i, lanes), load(xi, i + far, lanes)
            ci, di = load(xi, i + 2 * far, lanes), load(xi, i + 3 * far, lanes)
            sr, si, tr, ti = ar + cr, ai + ci, br + dr, bi + di
            ur, ui, vr, vi = ar - cr, ai - ci, br - dr, bi - di
            store(yr, o, sr + tr)
            store(yi, o, si + ti)
            pr, pi, qr, qi, er, ei = ur + vi, ui - vr, sr - tr, si - ti, ur - vi, ui + vr
            store(yr, o + wide, c1 * pr - s1 * pi)
            store(yi, o + wide, c1 * pi + s1 * pr)
            store(yr, o + 2 * wide, c2 * qr - s2 * qi)
            store(yi, o + 2 * wide, c2 * qi + s2 * qr)
            store(yr, o + 3 * wide, c3 * er - s3 * ei)
            store(yi, o + 3 * wide, c3 * ei + s3 * er)


@njit(cache=True)
def _radix2(xr: Any, xi: Any, yr: Any, yi: Any, wide: int, lanes: Any) -> None:  # noqa: PLR0917
    for j in range(0, wide, len(lanes)):
        ar, ai, br, bi = load(xr, j, lanes), load(xi, j, lanes), load(xr, j + wide, lanes), load(xi, j + wide, lanes)
        store(yr, j, ar + br)
        store(yi, j, ai + bi)
        store(yr, j + wide, ar - br)
        store(yi, j + wide, ai - bi)


@njit(cache=True)
def _power(zr: Any, zi: Any, out: Any, turn: Any, half: int, lanes: Any) -> None:  # noqa: PLR0917
    """Write the power of real signals whose even and odd samples were transformed as real and imaginary parts."""
    wide = len(lanes)
    first = load(zr, 0, lanes) + load(zi, 0, lanes)
    last = load(zr, 0, lanes) - load(zi, 0, lanes)
    store(out, 0, first * first)
    store(out, half * wide, last * last)
    for k in range(1, half // 2 + 1):
        i, j = k * wide, (half - k) * wide
        ar, ai, br, bi = load(zr, i, lanes), load(zi, i, lanes), load(zr, j, lanes), load(zi, j, lanes)
        both = spread(turn.dtype.type(0.5), ar)
        er, ei, dr, di = both * (ar + br), both * (ai - bi), both * (ai + bi), both * (br - ar)
        c, s = turn[0, k], turn[1, k]
        tr, ti = c * dr - s * di, c * di + s * dr
        pr, pi, qr, qi = er + tr, ei + ti, er - tr, ei - ti
        store(out, i, pr * pr + pi * pi)
        store(out, j, qr * qr + qi * qi)


@njit(cache=True)
def _sum_filters(spectrum: Any, out: Any, filters: Any, lanes: Any) -> None:
    begins, edges, weights = filters
    for m in range(len(begins)):
        total = spread(weights[0], load(spectrum, 0, lanes))
        total = total - total
        for w in range(edges[m], edges[m + 1]):
            total = total + weights[w] * load(spectrum, (begins[m] + w - edges[m]) * len(lanes), lanes)
        store(out, m * len(lanes), total)
