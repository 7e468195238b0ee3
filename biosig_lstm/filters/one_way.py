"""A low-pass, or band-pass, of past samples alone, and fewer samples of it: what a forecast may read."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows, channels_named, check_fs
from biosig_lstm.filters._iir import Float64, butterworth, check_cutoff
from biosig_lstm.filters.causal import CausalFilter

__all__ = ["OneWay", "one_way"]

_NEAR = 1e-6


def one_way(
    signals: npt.ArrayLike, fs: float, *, high_hz: float, low_hz: float = 0.0, keep_every: int = 1, order: int = 2
) -> Float32:
    """Filter forwards alone, and keep every so many samples: no value depends on a later one.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    high_hz : float [unit=Hz, 0 < high_hz < fs/2]
        Above it less is kept; attenuation there is 3 dB.
    low_hz : float [unit=Hz, 0 <= low_hz < high_hz]
        Below it less is kept; 0: all.
    keep_every : int [>= 1]
        1 keeps every sample.
    order : int [1-12]
        Order of the Butterworth prototype.

    Returns
    -------
    np.ndarray [shape=(channels, ceil(samples / keep_every)), dtype=float32]
        Delayed, as what sees the past alone must be. The first sample is taken to have been there always.

    Raises
    ------
    ParameterError
        When a frequency is outside what the rate allows.
    DataError
        When a value is not finite.

    Examples
    --------
    >>> one_way([[1.0] * 6], 360, high_hz=20, keep_every=3).round(3).tolist()
    [[1.0, 1.0]]
    """
    rows = as_rows(signals, fs)
    if keep_every < 1:
        raise ParameterError(f"keep_every must be at least 1, got {keep_every}")
    sos = _sections(fs, low_hz, high_hz, order)
    kept = CausalFilter(sos, fs=fs, n_channels=max(len(rows), 1), settled=True).push(rows)[:, ::keep_every]
    return np.ascontiguousarray(kept)


def _sections(fs: float, low_hz: float, high_hz: float, order: int) -> Float64:
    check_cutoff("high_hz", high_hz, fs)
    if not low_hz:
        return butterworth("lowpass", (float(high_hz),), fs, order=order)
    check_cutoff("low_hz", low_hz, fs)
    if not low_hz < high_hz:
        raise ParameterError(f"low_hz must be below high_hz, got {low_hz!r} and {high_hz!r}")
    return butterworth("bandpass", (float(low_hz), float(high_hz)), fs, order=order)


@dataclass(frozen=True)
class OneWay(Filter):
    """Filter forwards alone, at a lower rate if asked; see `one_way`. Annotations follow, to the nearest sample.

    Parameters
    ----------
    high_hz : float [unit=Hz, 0 < high_hz < fs/2]
        Above it less is kept; below half of `rate_hz` where that is given.
    low_hz : float [unit=Hz, 0 <= low_hz < high_hz]
        Below it less is kept; 0: all.
    rate_hz : float [unit=Hz], optional
        Samples a second wanted: the recording's rate divided by a whole number.
    order : int [1-12]
        Order of the Butterworth prototype.

    Raises
    ------
    ParameterError
        When `high_hz` is not below half of `rate_hz`.
    """

    high_hz: float
    _: KW_ONLY
    low_hz: float = 0.0
    rate_hz: float | None = None
    order: int = 2

    changes_length: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.rate_hz is not None:
            check_cutoff("high_hz", self.high_hz, self.rate_hz)

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` filtered, at the wanted rate."""
        every = self._keep_every(fs)
        return one_way(signals, fs, high_hz=self.high_hz, low_hz=self.low_hz, keep_every=every, order=self.order)

    def _keep_every(self, fs: float) -> int:
        check_fs(fs)
        every = fs / (self.rate_hz or fs)
        if every < 1 - _NEAR or abs(every - round(every)) > _NEAR * every:
            nearest = fs / max(round(every), 1)
            raise ParameterError(
                f"rate_hz must be the rate of {fs:g} Hz divided by a whole number, got {self.rate_hz:g} Hz; the "
                f"nearest is {nearest:g}"
            )
        return round(every)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording filtered, at the wanted rate.

        Raises
        ------
        ParameterError
            When the rate is not the recording's divided by a whole number.
        DataError
            When a channel holds NaN: its name, and where, in seconds.
        """
        with channels_named(recording):
            values = self.apply(recording.signals, recording.fs)
        return recording.with_signals(values, note=repr(self), fs=self.rate_hz or recording.fs)
