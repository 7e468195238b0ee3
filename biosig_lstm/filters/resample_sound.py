"""Another rate for sound, by soxr: flat almost up to half of the lower rate, and nothing folded back."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows, channels_named

__all__ = ["ResampleSound", "resample_sound"]


def resample_sound(signals: npt.ArrayLike, fs: float, *, rate_hz: float) -> Float32:
    """Bring sound to another rate, without delay.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    rate_hz : float [unit=Hz, > 0]
        Samples a second wanted.

    Returns
    -------
    np.ndarray [shape=(channels, ceil(samples * rate_hz / fs)), dtype=float32]
        Values in the unit of `signals`; the first sample stays where it is. Beyond the ends there is silence.

    Raises
    ------
    ParameterError
        When a rate is not positive and finite.
    DataError
        When a value is not finite.

    Notes
    -----
    soxr at its quality HQ: within 0.1 dB up to 0.46 of the lower rate, and what the lower rate cannot hold is 130 dB
    down. Beyond its ends it takes a signal for silent, so that an offset becomes a step there; of
    `biosig_lstm.filters.resample.resample`, which is for slow signals with drift, it does not.

    Examples
    --------
    >>> resample_sound(np.zeros((1, 441)), 44100, rate_hz=16000).shape
    (1, 160)
    """
    import soxr

    rows = as_rows(signals, fs)
    _check(rate_hz)
    wanted = math.ceil(rows.shape[1] * rate_hz / fs)
    out = np.empty((len(rows), wanted), dtype=np.float32)
    silence = np.zeros(math.ceil(fs / rate_hz) + 1, dtype=np.float32)
    for row, target in zip(rows, out, strict=True):
        target[:] = soxr.resample(np.append(row, silence), fs, rate_hz, "HQ")[:wanted]
    return out


def _check(rate_hz: float) -> None:
    if not 0 < rate_hz < np.inf:
        raise ParameterError(f"rate_hz must be a positive number of Hz, got {rate_hz!r}")


@dataclass(frozen=True)
class ResampleSound(Filter):
    """Bring sound to another rate; see `resample_sound`. Its annotations follow, to the nearest sample.

    For signals with offsets and trends take `Resample`.

    Parameters
    ----------
    rate_hz : float [unit=Hz, > 0]
        Samples a second wanted; a recording at this rate is left as it is.

    Examples
    --------
    >>> cd = Recording(np.zeros((2, 44100)), 44100, ["left", "right"], ["FS", "FS"])
    >>> ResampleSound(16000)(cd)
    Recording('': left (FS), right (FS); 1 s at 16000 Hz; Annotations(0))
    """

    rate_hz: float

    changes_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self.rate_hz)

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` at the wanted rate, shape (channels, ceil(samples * rate_hz / fs))."""
        return resample_sound(signals, fs, rate_hz=self.rate_hz)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording at the wanted rate.

        Raises
        ------
        DataError
            When a channel holds NaN: its name, and where, in seconds.

        Warns
        -----
        BiosigWarning
            When the recording has a lower rate: what lies above half of that stays empty.
        """
        if recording.fs == self.rate_hz:
            return recording
        if recording.fs < self.rate_hz:
            warnings.warn(
                f"{recording.id}: recorded at {recording.fs:g} Hz and brought to {self.rate_hz:g} Hz: there is nothing "
                f"above {recording.fs / 2:g} Hz, which a model that knows higher rates may miss",
                BiosigWarning,
                stacklevel=2,
            )
        with channels_named(recording):
            values = self.apply(recording.signals, recording.fs)
        return recording.with_signals(values, note=f"{self!r} from {recording.fs:g} Hz", fs=self.rate_hz)
