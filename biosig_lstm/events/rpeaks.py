"""R-peaks: where the heart beats are, from any number of leads at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
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
_BLOCK_S, _SPAN = 1.5, 9
_THRESHOLD, _REFRACTORY_S = 0.3, 0.28
_FLOOR = 0.1


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
    unusable: npt.NDArray[np.bool_]


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
    nothing = np.zeros(0, dtype=np.int64)
    if rows.shape[1] < max(0.3 * fs, 3):
        return RPeakResult(nothing, [(0, rows.shape[1], "too short")] if rows.shape[1] else [])
    step = max(1, int(fs // 100))
    leads = [lead for lead in (_prepare(row, fs, step) for row in rows) if lead is not None]
    if not leads:
        return RPeakResult(nothing, [(0, rows.shape[1], "flat or missing")])
    rate = fs / step
    size = round(_BLOCK_S * rate)
    weights = _weights(leads, size)
    score = _fused(leads, weights, size)
    found = kernels.pick(score, _THRESHOLD, round(_REFRACTORY_S * rate))
    best = leads[int(np.argmax(np.sum([w for w, _ in weights], axis=1)))]
    peaks = kernels.locate(found, best.band, best.values, round(0.08 * rate), step)
    left_out = _left_out(leads, step, rows.shape[1], rate)
    return RPeakResult(np.unique(peaks), left_out)


def _prepare(row: npt.NDArray[Any], fs: float, step: int) -> _Lead | None:
    values = row if row.dtype in (np.float32, np.float64) else row.astype(np.float64)
    known = np.isfinite(values)
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
    unusable = np.zeros(len(band), dtype=np.bool_)
    unusable[missing // step] = True
    return _Lead(values, band, envelope, unusable)


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


def _weights(leads: list[_Lead], size: int) -> list[tuple[Float32, Float32]]:
    """Return, for each lead, its weight and its level in each block."""
    out = []
    for lead in leads:
        level = kernels.running_percentile(kernels.block_maxima(lead.envelope, size), _SPAN, 0.4)
        level = np.maximum(level, _FLOOR * np.median(level) + 1e-9)
        rest = kernels.running_percentile(kernels.block_medians(lead.envelope, size, 6), _SPAN, 0.5)
        weight = np.clip(level / np.maximum(rest, 1e-9) - 1, 0.05, 20) ** 2
        out.append((weight.astype(np.float32), level))
    return out


def _fused(leads: list[_Lead], weights: list[tuple[Float32, Float32]], size: int) -> Float32:
    score = np.zeros(len(leads[0].envelope), dtype=np.float32)
    whole = np.sum([weight for weight, _ in weights], axis=0)
    for lead, (weight, level) in zip(leads, weights, strict=True):
        kernels.fuse(score, lead.envelope, (weight / (whole * level)).astype(np.float32), size)
    level = kernels.running_percentile(kernels.block_maxima(score, size), _SPAN, 0.4)
    scaled = np.zeros_like(score)
    kernels.fuse(scaled, score, 1.0 / np.maximum(level, 0.05), size)
    return scaled


def _left_out(leads: list[_Lead], step: int, n_samples: int, rate: float) -> list[tuple[int, int, str]]:
    unusable = np.all([lead.unusable for lead in leads], axis=0).astype(np.int8)
    edges = np.flatnonzero(np.diff(unusable, prepend=0, append=0)).reshape(-1, 2)
    return [(int(a) * step, min(int(b) * step, n_samples), "missing") for a, b in edges.tolist() if b - a > 0.1 * rate]


@dataclass(frozen=True)
class RPeaks(Step):
    """Replace a recording's annotations by one instant at each R-peak.

    Parameters
    ----------
    label : str
        Label of each beat.
    """

    label: str = "QRS"

    kind: ClassVar[str] = "event"

    def __call__(self, recording: Recording) -> Recording:
        """Return `recording` with its beats; stretches that could not be searched are named in its history."""
        result = find_rpeaks(recording.signals, recording.fs)
        marks = Annotations(result.peaks, labels=[self.label] * len(result.peaks))
        notes = [
            f"R-peaks: {a / recording.fs:g}-{b / recording.fs:g} s left out: {why}" for a, b, why in result.left_out
        ]
        found = recording.with_annotations(marks)
        return found.with_signals(found.signals, note="; ".join(notes)) if notes else found
