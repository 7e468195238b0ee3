"""Zero-phase filtering by second-order sections: the answer of `scipy.signal.sosfiltfilt`, many lanes at a time.

A recursive filter is a chain of dependent steps, so one signal alone leaves most of a processor idle. Each channel
is therefore cut into segments, and up to `LANES` segments of any channels are filtered side by side in SIMD. Every
segment but the first starts `run_in` samples early, from the state of a constant input; by the time it reaches its
own samples, what it does not know about the past has decayed below `TOLERANCE` of the signal's amplitude.
"""

# ruff: noqa: PLR0917  (compiled functions are called with positional arguments)

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = [
    "LANES",
    "TOLERANCE",
    "causal_pass",
    "pad_length",
    "run_in_samples",
    "segments_for",
    "steady_state",
    "zero_phase",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

LANES = 32
TOLERANCE = 1e-7
_TILE = 64
_LANE_STEP_COST = 3.0
_NEGLIGIBLE = 1e-290


def zero_phase(signals: Float32, sos: Float64) -> Float32:
    """Return `signals` filtered forward, then backward.

    Parameters
    ----------
    signals : np.ndarray [shape=(channels, samples), samples >= 3]
        Finite values, C-contiguous.
    sos : np.ndarray [shape=(sections, 6)]
        As `scipy.signal` gives them, a0 = 1.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Equal to `scipy.signal.sosfiltfilt` with its default padding, where the recording is longer than that.

    Notes
    -----
    Both ends are extended by `pad_length` samples of the signal turned about its end point (odd extension);
    a recording of n samples that is not longer than that is extended by n - 1.
    States and coefficients are float64 throughout; what passes from one direction to the other is float32.
    """
    n_channels, n_samples = signals.shape
    plan = _plan(sos.tobytes())
    segments = segments_for(n_channels, n_samples, plan.run_in)
    out = np.empty(signals.shape, dtype=np.float32)
    run_in = int(plan.run_in) if segments > 1 else 0
    pad = min(plan.pad, n_samples - 1)
    _forward_backward(_read_only(signals), _read_only(out), out, plan.sos, plan.zi, pad, segments, run_in)
    return out


def causal_pass(signals: Float32, sos: Float64, states: Float64) -> Float32:
    """Return each channel filtered forward from `states` (channels, sections, 2), which are advanced with it."""
    out = np.empty(signals.shape, dtype=np.float32)
    _one_way(_read_only(signals), out, states, sos, np.zeros((len(sos), 2)), 0, 0, 1)
    return out


def steady_state(sos: Float64) -> Float64:
    """Return the states, shape (sections, 2), that a constant input of one leads to (`scipy.signal.sosfilt_zi`)."""
    from scipy import signal

    return np.asarray(signal.sosfilt_zi(sos), dtype=np.float64)


class _Plan(NamedTuple):
    sos: Float64
    zi: Float64
    pad: int
    run_in: float


@lru_cache(maxsize=64)
def _plan(sections: bytes) -> _Plan:
    sos = np.frombuffer(sections, dtype=np.float64).reshape(-1, 6).copy()
    return _Plan(sos, steady_state(sos), pad_length(sos), run_in_samples(sos))


def _read_only(array: Float32) -> Float32:
    view = array.view()
    view.flags.writeable = False
    return view


def pad_length(sos: Float64) -> int:
    """Return the samples that `scipy.signal.sosfiltfilt` adds at each end: three times the filter's taps."""
    missing = min(int((sos[:, 2] == 0).sum()), int((sos[:, 5] == 0).sum()))
    return 3 * (2 * len(sos) + 1 - missing)


def run_in_samples(sos: Float64, tolerance: float = TOLERANCE) -> float:
    r"""Return the samples after which the filter has forgotten its past, to `tolerance` of the input's amplitude.

    Notes
    -----
    With poles :math:`p_i` and residues :math:`c_i`, the impulse response is :math:`h_n = \sum_i c_i p_i^n`. Of an
    input within :math:`\pm 1`, what came before the last :math:`R` samples weighs at most
    :math:`\sum_{n>R}|h_n| \le \sum_i |c_i||p_i|^{R}/(1-|p_i|)`; a wrong guess of it weighs twice that.
    Infinite where poles coincide, since the residues do not exist: such a filter is not cut into segments.
    """
    from scipy import signal

    zeros, poles, gain = signal.sos2zpk(sos)
    poles = poles[np.abs(poles) > 1e-12]
    zeros = zeros[np.abs(zeros) > 1e-12]
    apart = np.abs(poles[:, None] - poles[None, :]) + np.eye(len(poles))
    if (apart < 1e-9).any():
        return math.inf
    residues = np.abs(gain) * np.abs(poles[:, None] - zeros[None, :]).prod(axis=1) / apart.prod(axis=1)
    radius = np.abs(poles)
    share = tolerance / 2 / max(len(poles), 1)
    needed = np.log(share * (1 - radius) / np.maximum(residues, 1e-300)) / np.log(radius)
    return float(np.ceil(max(needed.max(initial=0.0), 0.0))) + len(sos) * 2


def segments_for(n_channels: int, n_samples: int, run_in: float) -> int:
    """Return into how many segments to cut each channel; 0 where filtering one channel after the other is quicker."""
    best, least = 0, float(n_channels * n_samples)
    for segments in range(1, LANES + 1):
        early = run_in if segments > 1 else 0.0
        groups = -(-n_channels * segments // LANES)
        cost = _LANE_STEP_COST * groups * (n_samples / segments + early)
        if cost < least and n_samples // segments > early:
            best, least = segments, cost
    return best


@njit(cache=True, fastmath={"contract"})
def _section_run(values: Float64, section: Float64, state: Float64) -> None:
    """Filter `values` in place by one section, keeping its state (transposed direct form II)."""
    b0, b1, b2, a1, a2 = section[0], section[1], section[2], section[4], section[5]
    z0, z1 = state[0], state[1]
    for t in range(len(values)):
        x = values[t]
        y = b0 * x + z0
        z0 = (b1 * x + z1) - a1 * y
        z1 = b2 * x - a2 * y
        values[t] = y
    state[0] = z0 if abs(z0) > _NEGLIGIBLE or math.isnan(z0) else 0.0
    state[1] = z1 if abs(z1) > _NEGLIGIBLE or math.isnan(z1) else 0.0


@njit(cache=True)
def _run(values: Float64, sos: Float64, state: Float64) -> None:
    for s in range(len(sos)):
        _section_run(values, sos[s], state[s])


@njit(cache=True)
def _run_row(source: Any, out: Float32, sos: Float64, state: Float64, at: int, stop: int, step: int) -> None:
    """Filter positions `at` to `stop` of one row, counted in the direction of `step`, alone."""
    tile = np.empty(512)
    last = len(source) - 1
    while at < stop:
        count = min(len(tile), stop - at)
        for t in range(count):
            tile[t] = source[at + t if step > 0 else last - at - t]
        _run(tile[:count], sos, state)
        for t in range(count):
            out[at + t if step > 0 else last - at - t] = tile[t]
        at += count


@njit(cache=True, fastmath={"contract"})
def _filter_tile(tile: Float64, count: int, step: int, sos: Float64, state: Float64) -> None:
    """Filter `count` rows of the tile in place, from the first or from the last; state is (sections, 2, LANES)."""
    for s in range(len(sos)):
        b0, b1, b2, a1, a2 = sos[s, 0], sos[s, 1], sos[s, 2], sos[s, 4], sos[s, 5]
        z0, z1 = state[s, 0], state[s, 1]
        for t in range(count):
            row = tile[t if step > 0 else count - 1 - t]
            for lane in range(LANES):
                x = row[lane]
                y = b0 * x + z0[lane]
                z0[lane] = (b1 * x + z1[lane]) - a1 * y
                z1[lane] = b2 * x - a2 * y
                row[lane] = y
        for lane in range(LANES):
            z0[lane] = 0.0 if abs(z0[lane]) < _NEGLIGIBLE else z0[lane]
            z1[lane] = 0.0 if abs(z1[lane]) < _NEGLIGIBLE else z1[lane]


@njit(cache=True)
def _run_lanes(
    source: Any, out: Float32, sos: Float64, state: Float64, rows: Any, begins: Any, n: int, step: int, write: bool
) -> None:
    """Filter `n` samples of each lane from `begins`, counted in the direction of `step`, side by side."""
    tile = np.zeros((_TILE, LANES))
    n_samples = source.shape[1]
    for first in range(0, n, _TILE):
        count = min(_TILE, n - first)
        for lane in range(len(rows)):
            at = begins[lane] + first if step > 0 else n_samples - begins[lane] - first - count
            piece = source[rows[lane], at : at + count]
            for t in range(count):
                tile[t, lane] = piece[t]
        _filter_tile(tile, count, step, sos, state)
        if write:
            for lane in range(len(rows)):
                at = begins[lane] + first if step > 0 else n_samples - begins[lane] - first - count
                target = out[rows[lane], at : at + count]
                for t in range(count):
                    target[t] = tile[t, lane]


@njit(cache=True)
def _head_states(heads: Float64, sos: Float64, zi: Float64) -> Float64:
    """Return each channel's state after its extension, having started as if its first value had always been."""
    states = np.empty((len(heads), len(sos), 2))
    for channel in range(len(heads)):
        states[channel] = zi * heads[channel, 0]
        _run(heads[channel], sos, states[channel])
    return states


@njit(cache=True)
def _one_way(
    source: Any, out: Float32, states: Float64, sos: Float64, zi: Float64, segments: int, run_in: int, step: int
) -> None:
    """Filter all channels in one direction, from `states` (channels, sections, 2), which end as the last ones."""
    n_channels, n_samples = source.shape
    length = n_samples // max(segments, 1)
    if segments > 0:
        _segments(source, out, states, sos, zi, segments, run_in, step)
    for channel in range(n_channels):
        _run_row(source[channel], out[channel], sos, states[channel], length * segments, n_samples, step)


@njit(cache=True)
def _segments(
    source: Any, out: Float32, states: Float64, sos: Float64, zi: Float64, segments: int, run_in: int, step: int
) -> None:
    n_channels, n_samples = source.shape
    length = n_samples // segments
    n_lanes = n_channels * segments
    groups = (n_lanes + LANES - 1) // LANES
    rows = np.arange(n_lanes) // segments
    begins = (np.arange(n_lanes) % segments) * length
    lanes = np.zeros((groups, len(sos), 2, LANES))
    for lane in range(n_lanes):
        early = max(begins[lane] - run_in, 0)
        first = source[rows[lane], early if step > 0 else n_samples - 1 - early]
        lanes[lane // LANES, :, :, lane % LANES] = zi * first
    for group in range(groups):
        mine = slice(group * LANES, min((group + 1) * LANES, n_lanes))
        early_begins = np.maximum(begins[mine] - run_in, 0)
        _run_lanes(source, out, sos, lanes[group], rows[mine], early_begins, run_in, step, False)
    for channel in range(n_channels):
        lane = channel * segments
        lanes[lane // LANES, :, :, lane % LANES] = states[channel]
    for group in range(groups):
        mine = slice(group * LANES, min((group + 1) * LANES, n_lanes))
        _run_lanes(source, out, sos, lanes[group], rows[mine], begins[mine], length, step, True)
    for channel in range(n_channels):
        lane = (channel + 1) * segments - 1
        states[channel] = lanes[lane // LANES, :, :, lane % LANES]


@njit(cache=True)
def _forward_backward(
    source: Any, half_way: Any, out: Float32, sos: Float64, zi: Float64, pad: int, segments: int, run_in: int
) -> None:
    n_channels, n_samples = source.shape
    heads, tails = np.empty((n_channels, pad)), np.empty((n_channels, pad))
    for channel in range(n_channels):
        row = source[channel]
        for k in range(pad):
            heads[channel, k] = 2.0 * row[0] - row[pad - k]
            tails[channel, k] = 2.0 * row[n_samples - 1] - row[n_samples - 2 - k]
    states = _head_states(heads, sos, zi)
    _one_way(source, out, states, sos, zi, segments, run_in, 1)
    for channel in range(n_channels):
        _run(tails[channel], sos, states[channel])
    states = _head_states(tails[:, ::-1].copy(), sos, zi)
    _one_way(half_way, out, states, sos, zi, segments, run_in, -1)
