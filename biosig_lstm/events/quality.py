"""Signal quality: which stretches of which lead can be used, and why the others cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.events.rpeaks import rpeaks
from biosig_lstm.steps import Step

__all__ = ["Quality", "SignalQuality", "signal_quality"]

Values = npt.NDArray[Any]

_MISSING_SHARE = 0.1
_FLAT_SHARE, _FLAT_RUN_S = 0.5, 0.2
_CLIPPED_SHARE, _CLIPPED_RUN_S = 0.05, 0.05
_NOISE_SHARE, _NOISE_HZ, _BASELINE_HZ = 0.5, 40.0, 1.0
_LOWEST_BPM, _HIGHEST_BPM, _LONGEST_GAP_S = 24.0, 300.0, 6.5


class Quality(NamedTuple):
    """What one window of one lead is worth.

    Attributes
    ----------
    channel : int
        Row of the signals.
    start, stop : int [unit=samples]
        First sample, and the sample after the last.
    reason : str
        Empty where the window is usable, else the first that holds of
        ``missing``, ``flat``, ``clipped``, ``noise``, ``no beats``.
    """

    channel: int
    start: int
    stop: int
    reason: str

    @property
    def usable(self) -> bool:
        """Whether nothing speaks against the window."""
        return not self.reason


def signal_quality(signals: npt.ArrayLike, fs: float, *, window_s: float = 10.0) -> list[Quality]:
    """Return what each window of each ECG lead is worth.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples) or (samples,)]
        ECG leads in any unit; NaN where nothing was recorded.
    fs : float [unit=Hz, > 0]
        Samples a second.
    window_s : float [unit=s, >= 2]
        Length of a window; the last one is shorter where the length is no multiple of it.

    Returns
    -------
    list of Quality
        Lead after lead, window after window.

    Raises
    ------
    ParameterError
        When `signals` has more than two dimensions, `fs` is not positive or the window is too short.

    Notes
    -----
    A window is ``missing`` when more than 10 % of it is NaN; ``flat`` when more than half of it lies in runs of one
    value of 0.2 s or more; ``clipped`` when more than 5 % of it lies in runs of 0.05 s or more at its own minimum
    or maximum; ``noise`` when more than half of the power above 1 Hz lies above 40 Hz (muscle or mains; needs `fs`
    above 100); ``no beats`` when the R-peaks of this lead alone mean a rate outside 24 to 300 a minute or leave a
    gap of more than 6.5 s. The order of checks, feasible beats last, follows Orphanidou et al., IEEE J. Biomed.
    Health Inform. 19(3):832, 2015. Their limits (40 to 180 a minute, gaps of 3 s, intervals within a ratio of 2.2,
    likeness of the beats) are not used: they call pauses and ectopic beats a bad signal. The limits here are
    conventions of this package.

    Examples
    --------
    >>> [quality.reason for quality in signal_quality(np.zeros(2000), 100.0)]
    ['flat', 'flat']
    """
    rows = np.atleast_2d(np.asarray(signals, dtype=np.float64))
    if rows.ndim != 2:
        raise ParameterError(f"signals must be (channels, samples) or (samples,), got shape {rows.shape}")
    if not (fs > 0 and math.isfinite(fs)):
        raise ParameterError(f"fs must be a positive number of Hz, got {fs}")
    if not (window_s >= 2 and math.isfinite(window_s)):
        raise ParameterError(f"window_s must be 2 s or more, got {window_s}")
    size = round(window_s * fs)
    return [
        Quality(channel, start, min(start + size, len(row)), reason)
        for channel, row in enumerate(rows)
        for start, reason in _reasons(row, fs, size)
    ]


def _reasons(row: Values, fs: float, size: int) -> list[tuple[int, str]]:
    peaks = rpeaks(row, fs)
    starts = range(0, len(row), size)
    inside = [peaks[(peaks >= start) & (peaks < start + size)] - start for start in starts]
    return [(s, _reason(row[s : s + size], fs, found)) for s, found in zip(starts, inside, strict=True)]


def _reason(window: Values, fs: float, peaks: npt.NDArray[np.int64]) -> str:
    known = np.isfinite(window)
    if (~known).mean() > _MISSING_SHARE:
        return "missing"
    values = window[known]
    if _share_in_runs(np.diff(values) == 0, _FLAT_RUN_S * fs) > _FLAT_SHARE:
        return "flat"
    rails = [_share_in_runs(values == rail, max(_CLIPPED_RUN_S * fs, 3)) for rail in (values.min(), values.max())]
    if max(rails) > _CLIPPED_SHARE:
        return "clipped"
    if _high_frequency_share(values, fs) > _NOISE_SHARE:
        return "noise"
    return "" if _feasible(peaks, len(window), fs) else "no beats"


def _share_in_runs(flags: npt.NDArray[np.bool_], shortest: float) -> float:
    """Return the share of samples that lie in runs of True of at least `shortest`."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    runs = edges[:, 1] - edges[:, 0]
    return float(runs[runs >= shortest].sum() / max(len(flags), 1))


def _high_frequency_share(values: Values, fs: float) -> float:
    if fs <= 2.5 * _NOISE_HZ or len(values) < fs:
        return 0.0
    power = np.abs(np.fft.rfft((values - values.mean()) * np.hanning(len(values)))) ** 2
    hz = np.fft.rfftfreq(len(values), 1 / fs)
    return float(power[hz > _NOISE_HZ].sum() / max(power[hz > _BASELINE_HZ].sum(), np.finfo(float).tiny))


def _feasible(peaks: npt.NDArray[np.int64], n_samples: int, fs: float) -> bool:
    seconds = n_samples / fs
    if seconds < 2:
        return True
    gaps = np.diff(np.concatenate([[0], peaks, [n_samples]])) / fs
    per_minute = 60 * len(peaks) / seconds
    enough = len(peaks) >= math.floor(seconds * _LOWEST_BPM / 60)
    return bool(enough and per_minute <= _HIGHEST_BPM and gaps.max() <= _LONGEST_GAP_S)


@dataclass(frozen=True)
class SignalQuality(Step):
    """Add an annotation for each stretch of a lead that cannot be used; those that are there stay.

    Parameters
    ----------
    window_s : float [unit=s, >= 2]
        Length of the windows that are judged; neighbours with one reason are joined.
    label : str
        Label of each stretch; its note names the lead and the reason, as in ``MLII: flat``.
    """

    window_s: float = 10.0
    label: str = "unusable"

    kind: ClassVar[str] = "event"

    def __call__(self, recording: Recording) -> Recording:
        """Return `recording` with its unusable stretches marked."""
        stretches = _joined(signal_quality(recording.signals, recording.fs, window_s=self.window_s))
        old = recording.annotations
        notes = [f"{recording.channels[s.channel]}: {s.reason}" for s in stretches]
        marks = Annotations(
            [*old.starts.tolist(), *(s.start for s in stretches)],
            [*old.stops.tolist(), *(s.stop for s in stretches)],
            [*old.labels.tolist(), *[self.label] * len(stretches)],
            [*old.notes.tolist(), *notes],
        )
        return recording.with_annotations(marks)


def _joined(windows: list[Quality]) -> list[Quality]:
    stretches: list[Quality] = []
    for window in (w for w in windows if not w.usable):
        last = stretches[-1] if stretches else None
        if last and (last.channel, last.stop, last.reason) == (window.channel, window.start, window.reason):
            stretches[-1] = last._replace(stop=window.stop)
        else:
            stretches.append(window)
    return stretches
