"""R-peaks: where the heart beats are, from any number of leads at once."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.events import _rpeaks_kernels as kernels
from biosig_lstm.steps import Step

__all__ = ["RPeakResult", "RPeaks", "find_rpeaks", "rpeaks"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_LOW_HZ, _HIGH_HZ = 5.0, 20.0
_SLOPE_HZ = 50.0  # a slope of this many amplitudes a second weighs as much as the amplitude
_SMOOTH_S = 0.2
_BLOCK_S, _SPAN = 0.5, 27  # levels stand for 13.5 s
_LEVEL = 0.35
_LEVEL_FLOOR, _FUSED_FLOOR = 0.3, 0.6  # of the lead's usual level: a pause is not turned up to look like beats
_CANDIDATE, _APART_S = 0.06, 0.2
_FIRST_THRESHOLD, _PASSES = 0.35, 2
_T_WAVE_S, _T_WAVE_HEIGHT = 0.36, 0.6  # so soon after a beat, and so much lower, it may be its T wave
_THRESHOLD_RANGE = (0.15, 0.5)
_TRUSTED, _REACH_S = 0.1, 0.08  # share of the best lead's weight; how far the apex may lie from the middle
_LARGEST = 1e30  # what is larger counts as missing
_USUAL_RR_S = (0.3, 2.0)
_SHORTEST_S = 0.25
_INTERVAL_COSTS = (0.65, 1.0, 1.6, 1.0)  # free from 0.65 to 1.6 times the usual interval


class RPeakResult(NamedTuple):
    """Where the beats are, and which stretches could not be searched.

    Attributes
    ----------
    peaks : np.ndarray [shape=(n,), dtype=int64, unit=samples]
        One sample a beat, ascending.
    left_out : list of (int, int, str)
        First sample, the sample after the last, and why no lead could be used there.
    """

    peaks: Int64
    left_out: list[tuple[int, int, str]]


@dataclass
class _Lead:
    """One lead at the working rate."""

    values: npt.NDArray[Any]
    band: Float32
    envelope: Float32
    missing: Int64


def rpeaks(signals: npt.ArrayLike, fs: float) -> Int64:
    """Return the sample of every R-peak.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples) or (samples,)]
        ECG leads recorded together, in any unit, any gain; NaN where nothing was recorded.
    fs : float [unit=Hz, > 0]
        Samples a second; made for 36 to 2000.

    Returns
    -------
    np.ndarray [shape=(n,), dtype=int64, unit=samples]
        One sample a beat, ascending: the largest deflection of the QRS complex, up or down.

    Raises
    ------
    ParameterError
        When `signals` has more than two dimensions or `fs` is not a positive number.
        Never because of what the values are: short, flat, clipped or missing ones give fewer peaks.

    See Also
    --------
    find_rpeaks : also says which stretches could not be searched.
    """
    return find_rpeaks(signals, fs).peaks


def find_rpeaks(signals: npt.ArrayLike, fs: float) -> RPeakResult:
    """Return the sample of every R-peak, and the stretches where no lead could be used.

    Parameters and errors are those of `rpeaks`.
    """
    rows = np.atleast_2d(np.asarray(signals))
    if rows.ndim != 2:
        raise ParameterError(f"signals must be (channels, samples) or (samples,), got shape {rows.shape}")
    if not (fs > 0 and math.isfinite(fs)):
        raise ParameterError(f"fs must be a positive number of Hz, got {fs}")
    step, n_samples = max(1, int(fs // 100)), rows.shape[1]
    if n_samples < max(0.3 * fs, 3) or not len(rows):
        return RPeakResult(np.zeros(0, dtype=np.int64), [(0, n_samples, "too short")] if n_samples else [])
    leads = [lead for lead in (_prepare(row, fs, step) for row in rows) if lead is not None]
    if not leads:
        return RPeakResult(np.zeros(0, dtype=np.int64), [(0, n_samples, "flat or missing")])
    rate = fs / step
    size = round(_BLOCK_S * rate)
    score, weights = _fused(leads, size)
    found = _beats(score, rate)
    trusted = weights[:, found // size] >= _TRUSTED * weights[:, found // size].max(axis=0)
    peaks = _located(found, leads, np.argmax(trusted, axis=0), step=step, reach=round(_REACH_S * rate))
    left_out = _left_out(leads, step, n_samples, rate)
    return RPeakResult(_outside(np.unique(peaks), left_out), left_out)


def _located(found: Int64, leads: list[_Lead], which: npt.NDArray[Any], *, step: int, reach: int) -> Int64:
    """Return each beat's apex in the lead that `which` names for it: the first that can be trusted there."""
    peaks = np.empty(len(found), dtype=np.int64)
    for k, lead in enumerate(leads):
        mine = which == k
        peaks[mine] = kernels.locate(found[mine], lead.band, lead.values, reach, step)
    return peaks


def _outside(peaks: Int64, stretches: list[tuple[int, int, str]]) -> Int64:
    for start, stop, _ in stretches:
        peaks = peaks[(peaks < start) | (peaks >= stop)]
    return peaks


def _prepare(row: npt.NDArray[Any], fs: float, step: int) -> _Lead | None:
    values = row if row.dtype in (np.float32, np.float64) else row.astype(np.float64)
    known = np.abs(values) < _LARGEST
    missing = np.zeros(0, dtype=np.int64)
    if not known.all():
        if known.sum() < 2:
            return None
        missing = np.flatnonzero(~known)
        values = values.copy()
        values[missing] = np.interp(missing, np.flatnonzero(known), values[known])
    low, high = float(values.min()), float(values.max())
    if not high > low:
        return None
    rate = fs / step
    coarse = kernels.decimate(values, _lowpass(0.45 / step, 2 * step if step > 1 else 0), step, low, 1.0 / (high - low))
    band = kernels.filter_centred(coarse, _bandpass(rate))
    envelope = np.sqrt(kernels.filter_centred(kernels.energy(band, rate / _SLOPE_HZ), _hann(_SMOOTH_S * rate)))
    return _Lead(values, band, envelope, missing)


def _lowpass(cutoff: float, half: int) -> Float32:
    n = np.arange(-half, half + 1)
    taps = np.sinc(2 * cutoff * n) * np.hamming(len(n))
    return np.asarray(taps / taps.sum(), dtype=np.float32)


def _bandpass(rate: float) -> Float32:
    half = int(0.25 * rate)
    n = np.arange(-half, half + 1)
    window = np.hanning(len(n) + 2)[1:-1]
    high = min(_HIGH_HZ, 0.45 * rate) / rate
    low = _LOW_HZ / rate
    taps = (2 * high * np.sinc(2 * high * n) - 2 * low * np.sinc(2 * low * n)) * window
    return np.asarray(taps - taps.mean(), dtype=np.float32)


def _hann(width: float) -> Float32:
    half = max(int(width / 2), 1)
    taps = np.hanning(2 * half + 3)[1:-1]
    return np.asarray(taps / taps.sum(), dtype=np.float32)


def _levels(envelope: Float32, size: int) -> tuple[Float32, Float32, Float32]:
    """Return, block by block, a lead's level of beats, its level of rest, and whether beats are there now."""
    maxima = kernels.block_maxima(envelope, size)
    seconds = kernels.running_maximum(maxima, 1)
    level = kernels.running_percentile(seconds, _SPAN, _LEVEL)
    level = np.maximum(level, _LEVEL_FLOOR * np.median(level) + 1e-9)
    rest = kernels.running_percentile(kernels.block_medians(envelope, size, 4), _SPAN, 0.5)
    present = np.minimum(kernels.running_maximum(maxima, 3) / level, 1.0)
    return level, rest, present


def _fused(leads: list[_Lead], size: int) -> tuple[Float32, npt.NDArray[Any]]:
    """Return one curve with a level of about 1 at each beat, and the weight of each lead in each block."""
    levels = [_levels(lead.envelope, size) for lead in leads]
    weights = [(np.clip(a / np.maximum(b, 1e-9) - 1, 0.05, 20) * here) ** 2 + 1e-6 for a, b, here in levels]
    score, whole = np.zeros(len(leads[0].envelope), dtype=np.float32), np.sum(weights, axis=0)
    for lead, weight, (level, _, _) in zip(leads, weights, levels, strict=True):
        kernels.fuse(score, lead.envelope, (weight / (whole * level)).astype(np.float32), size)
    level, scaled = _levels(score, size)[0], np.zeros_like(score)
    kernels.fuse(scaled, score, (1.0 / np.maximum(level, _FUSED_FLOOR)).astype(np.float32), size)
    return scaled, np.stack(weights)


def _beats(score: Float32, rate: float) -> Int64:
    """Return which maxima of the curve are beats: those whose heights and intervals together are likeliest."""
    at = kernels.pick(score, _CANDIDATE, round(_APART_S * rate))
    height = score[at].astype(np.float64)
    chosen = np.flatnonzero((height > _FIRST_THRESHOLD) & ~_perhaps_t_wave(at, height, rate))
    for _ in range(_PASSES):
        gain = np.clip(np.log(height / _threshold(at, height, chosen)), -5.0, 4.0)
        intervals = np.diff(at[chosen])
        middles = at[chosen][:-1] + intervals / 2
        usual = _local(at, middles, intervals, span=11, fraction=0.5, otherwise=0.8 * rate)
        usual = np.clip(usual, _USUAL_RR_S[0] * rate, _USUAL_RR_S[1] * rate)
        chosen = kernels.best_path(at, gain, usual, round(_SHORTEST_S * rate), np.array(_INTERVAL_COSTS))
    return np.asarray(at[chosen], dtype=np.int64)


def _perhaps_t_wave(at: Int64, height: npt.NDArray[np.float64], rate: float) -> npt.NDArray[np.bool_]:
    soon = np.diff(at, prepend=-len(at) * 10**6) < _T_WAVE_S * rate
    lower = height < _T_WAVE_HEIGHT * np.concatenate([[0.0], height[:-1]])[: len(height)]
    return np.asarray(soon & lower)


def _threshold(at: Int64, height: npt.NDArray[np.float64], chosen: Int64) -> npt.NDArray[np.float64]:
    """Return, at each candidate, the geometric mean of what beats and what other maxima near it reach."""
    rest = np.ones(len(at), dtype=np.bool_)
    rest[chosen] = False
    noise = _local(at, at[rest], height[rest], span=21, fraction=0.6, otherwise=0.05)
    beat = _local(at, at[chosen], height[chosen], span=11, fraction=0.4, otherwise=1.0)
    return np.asarray(np.clip(np.sqrt(np.maximum(noise, 0.05) * beat), *_THRESHOLD_RANGE))


def _local(
    at: Int64, where: npt.NDArray[Any], values: npt.NDArray[Any], *, span: int, fraction: float, otherwise: float
) -> npt.NDArray[np.float64]:
    """Return at `at` the running percentile of `values`, which lie at `where`."""
    if len(where) < 3:
        return np.full(len(at), otherwise)
    return np.asarray(np.interp(at, where, kernels.running_percentile(values.astype(np.float32), span, fraction)))


def _left_out(leads: list[_Lead], step: int, n_samples: int, rate: float) -> list[tuple[int, int, str]]:
    """Return the stretches of more than 0.1 s that are missing in every lead."""
    if any(len(lead.missing) == 0 for lead in leads):
        return []
    unusable = np.zeros((len(leads), len(leads[0].band)), dtype=np.int8)
    for row, lead in zip(unusable, leads, strict=True):
        row[lead.missing // step] = 1
    edges = np.flatnonzero(np.diff(unusable.min(axis=0), prepend=0, append=0)).reshape(-1, 2)
    return [(a * step, min(b * step, n_samples), "missing") for a, b in edges.tolist() if b - a > 0.1 * rate]


@dataclass(frozen=True)
class RPeaks(Step):
    """Replace a recording's annotations by one instant at each R-peak.

    Parameters
    ----------
    label : str
        Label of each beat.
    keep : bool
        Leave the annotations that are there, such as the label of the whole recording, beside the beats.
    """

    label: str = "QRS"
    keep: bool = False

    kind: ClassVar[str] = "event"

    def __call__(self, recording: Recording) -> Recording:
        """Return `recording` with its beats; stretches that could not be searched are named in its history."""
        result = find_rpeaks(recording.signals, recording.fs)
        marks = Annotations(result.peaks, labels=[self.label] * len(result.peaks))
        marks = _joined(recording.annotations, marks) if self.keep else marks
        fs, found = recording.fs, recording.with_annotations(marks)
        notes = [f"no R-peaks sought from {a / fs:g} to {b / fs:g} s: {why}" for a, b, why in result.left_out]
        return replace(found, history=(*found.history, *notes))


def _joined(there: Annotations, marks: Annotations) -> Annotations:
    parts = [(part.starts, part.stops, part.labels, part.notes) for part in (there, marks)]
    return Annotations(*(np.concatenate(column) for column in zip(*parts, strict=True)))
