"""Where somebody speaks, by the energy of the sound, and recordings without the silence at their ends."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.filters._base import Filter, as_rows, channels_named

__all__ = ["TrimSilence", "voice_activity"]

_STEP_S = 0.010
_SMOOTHED_STEPS = 3
_FLOOR_WITHIN_S = 2.0
_FLOOR_PERCENT = 10
_QUIETEST_DB = -80.0
_SILENCE_DB = -50.0
_CLICK_S = 0.050


def voice_activity(
    signals: npt.ArrayLike,
    fs: float,
    *,
    above_floor_db: float = 12.0,
    before_s: float = 0.1,
    after_s: float = 0.2,
) -> npt.NDArray[np.int64]:
    """Return the stretches that are louder than the noise around them.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values, in parts of full scale; of several channels the powers are added.
    fs : float [unit=Hz, > 0]
        Samples a second.
    above_floor_db : float [unit=dB, > 0]
        How far above the noise a stretch must rise.
    before_s, after_s : float [unit=s, >= 0]
        What is kept around a stretch: soft beginnings and ends lie under the noise (hangover).

    Returns
    -------
    np.ndarray [shape=(n, 2), dtype=int64, unit=samples]
        First sample of each stretch and the sample after its last, in order, not touching each other. None where
        nothing rises above the noise: silence, but also a sound that never pauses and never changes.

    Raises
    ------
    ParameterError
        When an argument is not in its range.
    DataError
        When a value is not finite, or there are no samples.

    Notes
    -----
    The power of every 10 ms less its mean, over 30 ms, in dB. The noise is what a tenth of it lies below within 2 s on
    both sides (quantile-based noise estimation: Stahl, Fischer and Bippus, ICASSP 2000), and -80 dB of full scale at
    least. A stretch begins and ends where the power crosses half of `above_floor_db` over the noise, and counts where
    it reaches all of it: the two thresholds of Rabiner and Sambur 1975 (doi:10.1002/j.1538-7305.1975.tb02840.x). What
    lasts less than 50 ms is a click. Times are known to 10 ms.

    Examples
    --------
    >>> word = np.random.default_rng(0).standard_normal(16000) * np.repeat([0.001, 0.1, 0.001], [6000, 4000, 6000])
    >>> voice_activity(word[None], 8000, before_s=0, after_s=0).tolist()
    [[5920, 10080]]
    """
    _check(above_floor_db, before_s=before_s, after_s=after_s)
    rows = as_rows(signals, fs)
    if not rows.size:
        raise DataError(f"there are no samples to find speech in, got shape {rows.shape}")
    step = max(round(_STEP_S * fs), 1)
    level = _level_db(rows, step)
    loud = _above(level, above_floor_db, within=round(_FLOOR_WITHIN_S * fs / step))
    loud = loud[(loud[:, 1] - loud[:, 0]) * step >= _CLICK_S * fs]
    wide = loud * step + np.array([-round(before_s * fs), round(after_s * fs)])
    return _joined(np.clip(wide, 0, rows.shape[1]))


def _check(above_floor_db: float, **around_s: float) -> None:
    if not 0 < above_floor_db < math.inf:
        raise ParameterError(f"above_floor_db must be positive and finite, got {above_floor_db!r}")
    for name, value in around_s.items():
        if not 0 <= value < math.inf:
            raise ParameterError(f"{name} must be 0 or more and finite, got {value!r}")


def _level_db(rows: npt.NDArray[np.float32], step: int) -> npt.NDArray[np.float64]:
    from scipy.ndimage import uniform_filter1d

    edges = np.arange(0, rows.shape[1], step)
    counts = np.diff(np.append(edges, rows.shape[1]))
    power = np.zeros(len(edges))
    for row in rows:
        means = np.add.reduceat(row, edges, dtype=np.float64) / counts
        power += np.maximum(np.add.reduceat(row * row, edges, dtype=np.float64) / counts - means**2, 0.0)
    smooth = uniform_filter1d(power, _SMOOTHED_STEPS, mode="nearest")
    return np.asarray(10 * np.log10(np.maximum(smooth, 10 ** (_QUIETEST_DB / 10))))


def _above(level: npt.NDArray[np.float64], above_floor_db: float, *, within: int) -> npt.NDArray[np.int64]:
    """Return the stretches of steps above half the threshold that reach all of it, shape (n, 2)."""
    from scipy.ndimage import percentile_filter

    over = level - percentile_filter(level, _FLOOR_PERCENT, size=2 * within + 1, mode="reflect")
    half = np.concatenate([[False], over > above_floor_db / 2, [False]])
    runs = np.flatnonzero(half[1:] != half[:-1]).reshape(-1, 2)
    reached = np.array([over[first:stop].max() > above_floor_db for first, stop in runs.tolist()], dtype=bool)
    return np.asarray(runs[reached], dtype=np.int64)


def _joined(stretches: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return stretches in order with those that meet made one."""
    if not len(stretches):
        return stretches
    apart = stretches[1:, 0] > np.maximum.accumulate(stretches[:, 1])[:-1]
    starts = stretches[np.concatenate([[True], apart]), 0]
    stops = np.maximum.accumulate(stretches[:, 1])[np.concatenate([apart, [True]])]
    return np.stack([starts, stops], axis=1)


@dataclass(frozen=True)
class TrimSilence(Filter):
    """Cut off what comes before the first voice and after the last; see `voice_activity`.

    Annotations are clipped and moved with the sound, and the history says which seconds were kept. Pauses in between
    stay.

    Parameters
    ----------
    above_floor_db, before_s, after_s
        As in `voice_activity`.

    Raises
    ------
    ParameterError
        When an argument is not in its range.

    Warns
    -----
    BiosigWarning
        When nothing rises above the noise, and all is below -50 dB of full scale. Like a sound without any pause, such
        a recording stays as it is.
    """

    above_floor_db: float = 12.0
    before_s: float = 0.1
    after_s: float = 0.2

    changes_length: ClassVar[bool] = True
    mixes_channels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.above_floor_db, before_s=self.before_s, after_s=self.after_s)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording from its first voice to its last.

        Raises
        ------
        DataError
            When a channel holds NaN: its name, and where, in seconds.
        """
        fs = recording.fs
        with channels_named(recording):
            found = voice_activity(
                recording.signals, fs, above_floor_db=self.above_floor_db, before_s=self.before_s, after_s=self.after_s
            )
        if not len(found):
            if np.var(recording.signals, axis=1, dtype=np.float64).sum() < 10 ** (_SILENCE_DB / 10):
                message = f"{recording.id}: silence: nothing rises {self.above_floor_db:g} dB above the noise; not cut"
                warnings.warn(message, BiosigWarning, stacklevel=3)
            return replace(recording, history=(*recording.history, f"{self!r}: no voice beside a pause, not cut"))
        start_s, stop_s = found[0, 0] / fs, found[-1, 1] / fs
        note = f"{self!r}: kept {start_s:g}-{stop_s:g} s of {recording.duration_s:g} s"
        return replace(recording.crop(start_s=start_s, stop_s=stop_s), history=(*recording.history, note))
