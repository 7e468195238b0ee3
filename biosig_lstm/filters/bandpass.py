"""Band-pass: what lies between two frequencies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from biosig_lstm.errors import ParameterError
from biosig_lstm.filters._base import Float32
from biosig_lstm.filters._iir import Float64, IirFilter, butterworth, check_cutoff, filter_zero_phase

__all__ = ["Bandpass", "bandpass"]


def bandpass(signals: npt.ArrayLike, fs: float, *, low_hz: float, high_hz: float, order: int = 2) -> Float32:
    """Keep what lies between `low_hz` and `high_hz`, without delay.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples), samples >= 3]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    low_hz, high_hz : float [unit=Hz, 0 < low_hz < high_hz < fs/2]
        Where the attenuation reaches 6 dB: 3 in each direction.
    order : int [1-12]
        Order of the Butterworth prototype; the filter runs forward and backward, so slopes are twice as steep.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Filtered values, in the unit of `signals`.

    Raises
    ------
    ParameterError
        When a frequency is outside what the rate allows, `low_hz` is not below `high_hz`, or `order` is not allowed.
    DataError
        When a value is not finite, or there are fewer than 3 samples.

    Notes
    -----
    The answer of ``scipy.signal.sosfiltfilt(scipy.signal.butter(order, (low_hz, high_hz), "bandpass", fs=fs,
    output="sos"), signals)`` with its default padding: odd extension by ``3 * (2 * order + 1)`` samples at each
    end, or by one less than the recording's length where that is shorter.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(2500) / 250
    >>> drift, beat = np.sin(2 * np.pi * 0.05 * t), np.sin(2 * np.pi * 10 * t)
    >>> kept = bandpass([drift + beat], 250, low_hz=0.5, high_hz=40)[0]
    >>> float(np.corrcoef(kept, beat)[0, 1].round(2))
    0.99
    """
    return filter_zero_phase(signals, fs, _sections(fs, low_hz, high_hz, order))


def _sections(fs: float, low_hz: float, high_hz: float, order: int) -> Float64:
    check_cutoff("low_hz", low_hz, fs)
    check_cutoff("high_hz", high_hz, fs)
    if not low_hz < high_hz:
        raise ParameterError(f"low_hz must be below high_hz, got {low_hz!r} and {high_hz!r}")
    return butterworth("bandpass", (float(low_hz), float(high_hz)), fs, order=order)


@dataclass(frozen=True)
class Bandpass(IirFilter):
    """Keep what lies between two frequencies; see `bandpass`.

    Parameters
    ----------
    low_hz, high_hz : float [unit=Hz, 0 < low_hz < high_hz < fs/2]
        Where the attenuation reaches 6 dB.
    order : int [1-12]
        Order of the Butterworth prototype.

    Examples
    --------
    >>> Bandpass(low_hz=0.5, high_hz=40)
    Bandpass(low_hz=0.5, high_hz=40, order=2)
    """

    low_hz: float
    high_hz: float
    order: int = 2

    def sections(self, fs: float) -> Float64:
        """Return the filter at rate `fs` as second-order sections, shape (order, 6)."""
        return _sections(fs, self.low_hz, self.high_hz, self.order)
