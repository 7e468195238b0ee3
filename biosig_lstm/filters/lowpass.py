"""Low-pass: what lies below a frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy.typing as npt

from biosig_lstm.filters._base import Float32
from biosig_lstm.filters._iir import Float64, IirFilter, butterworth, check_cutoff, filter_zero_phase

__all__ = ["Lowpass", "lowpass"]


def lowpass(signals: npt.ArrayLike, fs: float, *, cutoff_hz: float, order: int = 2) -> Float32:
    """Keep what lies below `cutoff_hz`, without delay.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples), samples >= 3]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    cutoff_hz : float [unit=Hz, 0 < cutoff_hz < fs/2]
        Where the attenuation reaches 6 dB: 3 in each direction.
    order : int [1-12]
        Order of the Butterworth filter; it runs forward and backward, so its slope is twice as steep.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Filtered values, in the unit of `signals`.

    Raises
    ------
    ParameterError
        When `cutoff_hz` is outside what the rate allows, or `order` is not allowed.
    DataError
        When a value is not finite, or there are fewer than 3 samples.

    Notes
    -----
    The answer of ``scipy.signal.sosfiltfilt(scipy.signal.butter(order, cutoff_hz, "lowpass", fs=fs,
    output="sos"), signals)`` with its default padding: odd extension by ``3 * (order + 1)`` samples at each
    end (`scipy.signal.sosfiltfilt` has the exact rule), or by one less than the recording's length where that
    is shorter.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(2500) / 250
    >>> slow, fast = np.sin(2 * np.pi * 1 * t), np.sin(2 * np.pi * 60 * t)
    >>> kept = lowpass([slow + fast], 250, cutoff_hz=10)[0]
    >>> float(np.corrcoef(kept, slow)[0, 1].round(2))
    1.0
    """
    return filter_zero_phase(signals, fs, _sections(fs, cutoff_hz, order))


def _sections(fs: float, cutoff_hz: float, order: int) -> Float64:
    check_cutoff("cutoff_hz", cutoff_hz, fs)
    return butterworth("lowpass", (float(cutoff_hz),), fs, order=order)


@dataclass(frozen=True)
class Lowpass(IirFilter):
    """Keep what lies below a frequency; see `lowpass`.

    Parameters
    ----------
    cutoff_hz : float [unit=Hz, 0 < cutoff_hz < fs/2]
        Where the attenuation reaches 6 dB.
    order : int [1-12]
        Order of the Butterworth filter.
    """

    cutoff_hz: float
    order: int = 2

    def sections(self, fs: float) -> Float64:
        """Return the filter at rate `fs` as second-order sections, shape (ceil(order / 2), 6)."""
        return _sections(fs, self.cutoff_hz, self.order)
