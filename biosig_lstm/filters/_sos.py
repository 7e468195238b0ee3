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

from biosig_lstm.filters._base import read_only

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
_TILE = 128
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
    cut = _Cut(segments, int(plan.run_in) if segments > 1 else 0)
    left, right = _extensions(signals, min(plan.pad, n_samples - 1))
    out = np.empty(signals.shape, dtype=np.float32)
    states = _after(left, plan)
    states = _one_way(signals, out, states, plan, cut, step=1)
    _run_each(right, plan.sos, states)
    states = _after(np.ascontiguousarray(right[:, ::-1]), plan)
    _one_way(out, out, states, plan, cut, step=-1)
    return out


def causal_pass(signals: Float32, sos: Float64, states: Float64) -> Float32:
    """Return each channel filtered forward from `states` (channels, sections, 2), which are advanced with it."""
    out = np.empty(signals.shape, dtype=np.float32)
    _run_rows(read_only(signals), out, sos, states, 0, 1)
    return out


def steady_state(sos: Float64) -> Float64:
    """Return the states, shape (sections, 2), that a constant input of one leads to (`scipy.signal.sosfilt_zi`)."""
    from scipy import signal

    return np.asarray(signal.sosfilt_zi(sos), dtype=np.float64)


def _extensions(signals: Float32, pad: int) -> tuple[Float64, Float64]:
    first, last = signals[:, :1].astype(np.float64), signals[:, -1:].astype(np.float64)
    return 2 * first - signals[:, pad:0:-1], 2 * last - signals[:, -2 : -2 - pad : -1]


def _after(extension: Float64, plan: _Plan) -> Float64:
    """Return each channel's state after its extension, having started as if its first value had always been."""
    states = plan.zi * extension[:, 0, None, None]
    _run_each(extension, plan.sos, states)
    return states


def _one_way(source: Float32, out: Float32, states: Float64, plan: _Plan, cut: _Cut, *, step: int) -> Float64:
    """Filter all channels in one direction from `states` (channels, sections, 2); return the last states."""
    done = 0
    if cut.segments:
        states = _segments(source, out, states, plan, cut, step=step)
        done = source.shape[1] // cut.segments * cut.segments
    _run_rows(read_only(source), out, plan.sos, states, done, step)
    return states


def _segments(source: Float32, out: Float32, states: Float64, plan: _Plan, cut: _Cut, *, step: int) -> Float64:
    """Filter whole segments, each a lane; the first of a channel starts from `states`, the others from the run-in."""
    n_channels, n_samples = source.shape
    length, n_lanes = n_samples // cut.segments, n_channels * cut.segments
    rows = np.repeat(np.arange(n_channels), cut.segments)
    begins = np.tile(np.arange(cut.segments) * length, n_channels)
    early = np.maximum(begins - cut.run_in, 0)
    groups = -(-n_lanes // LANES)
    lanes = np.zeros((groups, len(plan.sos), 2, LANES))
    by_lane = lanes.transpose(0, 3, 1, 2)
    lane = np.arange(n_lanes)
    guess = source[rows, early if step > 0 else n_samples - 1 - early].astype(np.float64)
    by_lane[lane // LANES, lane % LANES] = plan.zi * guess[:, None, None]
    _run_lanes(read_only(source), out, plan.sos, lanes, rows, early, cut.run_in, step, False)
    head = lane[:: cut.segments]
    by_lane[head // LANES, head % LANES] = states
    _run_lanes(read_only(source), out, plan.sos, lanes, rows, begins, length, step, True)
    tail = head + cut.segments - 1
    return np.ascontiguousarray(by_lane[tail // LANES, tail % LANES])


class _Cut(NamedTuple):
    segments: int
    run_in: int


class _Plan(NamedTuple):
    sos: Float64
    zi: Float64
    pad: int
    run_in: float


@lru_cache(maxsize=64)
def _plan(sections: bytes) -> _Plan:
    sos = np.frombuffer(sections, dtype=np.float64).reshape(-1, 6).copy()
    return _Plan(sos, steady_state(sos), pad_length(sos), run_in_samples(sos))


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
def _run_each(values: Float64, sos: Float64, states: Float64) -> None:
    """Filter each row of `values` in place from `states` (rows, sections, 2), which are advanced with it."""
    for k in range(len(values)):
        for s in range(len(sos)):
            _section_run(values[k], sos[s], states[k, s])


@njit(cache=True)
def _run_rows(source: Any, out: Float32, sos: Float64, states: Float64, begin: int, step: int) -> None:
    """Filter each row alone from its position `begin`, counted in the direction of `step`, to its end."""
    tile = np.empty(512)
    n_samples = source.shape[1]
    for k in range(len(source)):
        for first in range(begin, n_samples, len(tile)):
            count = min(len(tile), n_samples - first)
            values = tile[:count]
            for t in range(count):
                values[t] = source[k, first + t if step > 0 else n_samples - 1 - first - t]
            for s in range(len(sos)):
                _section_run(values, sos[s], states[k, s])
            for t in range(count):
                out[k, first + t if step > 0 else n_samples - 1 - first - t] = values[t]


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
def _load(tile: Float64, lane: int, piece: Any) -> None:
    if len(piece) == _TILE:
        for t in range(_TILE):
            tile[t, lane] = piece[t]
    else:
        for t in range(len(piece)):
            tile[t, lane] = piece[t]


@njit(cache=True)
def _store(tile: Float64, lane: int, piece: Float32) -> None:
    if len(piece) == _TILE:
        for t in range(_TILE):
            piece[t] = tile[t, lane]
    else:
        for t in range(len(piece)):
            piece[t] = tile[t, lane]


@njit(cache=True)
def _run_lanes(
    source: Any, out: Float32, sos: Float64, states: Float64, rows: Any, begins: Any, n: int, step: int, write: bool
) -> None:
    """Filter `n` samples of each lane from `begins`, counted in the direction of `step`, LANES side by side."""
    tile = np.zeros((_TILE, LANES))
    n_samples = source.shape[1]
    for group in range(len(states)):
        low = group * LANES
        n_lanes = min(LANES, len(rows) - low)
        for first in range(0, n, _TILE):
            count = min(_TILE, n - first)
            for k in range(n_lanes):
                at = begins[low + k] + first if step > 0 else n_samples - begins[low + k] - first - count
                _load(tile, k, source[rows[low + k], at : at + count])
            _filter_tile(tile, count, step, sos, states[group])
            if write:
                for k in range(n_lanes):
                    at = begins[low + k] + first if step > 0 else n_samples - begins[low + k] - first - count
                    _store(tile, k, out[rows[low + k], at : at + count])
