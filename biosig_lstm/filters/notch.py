"""Notch: one frequency taken out, such as that of the mains."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError
from biosig_lstm.filters._base import Float32
from biosig_lstm.filters._iir import Float64, IirFilter, check_cutoff, filter_zero_phase

__all__ = ["Notch", "notch"]


def notch(
    signals: npt.ArrayLike, fs: float, *, freq_hz: float, quality: float = 30.0, harmonics: bool = False
) -> Float32:
    """Take out `freq_hz`, and with `harmonics` its multiples, without delay.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples), samples >= 3]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    freq_hz : float [unit=Hz, 0 < freq_hz < fs/2]
        What to take out: 50 or 60 for the mains.
    quality : float [> 0]
        `freq_hz` over the width of the gap at 3 dB, of one direction; the multiples have the same width in Hz.
    harmonics : bool
        Also take out every multiple below fs/2.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Filtered values, in the unit of `signals`.

    Raises
    ------
    ParameterError
        When `freq_hz` or its gap is outside what the rate allows.
    DataError
        When a value is not finite, or there are fewer than 3 samples.

    Notes
    -----
    One second-order section of `scipy.signal.iirnotch` for each frequency, applied as
    `scipy.signal.sosfiltfilt` does with its default padding. A narrow gap rings: the first and the last
    ``quality / freq_hz`` seconds still hold some of the mains.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(3600) / 360
    >>> hum = notch([np.sin(2 * np.pi * 60 * t)], 360, freq_hz=60)
    >>> bool(abs(hum[0, 720:-720]).max() < 0.01)
    True
    """
    return filter_zero_phase(signals, fs, _sections(fs, freq_hz, quality, harmonics))


def _sections(fs: float, freq_hz: float, quality: float, harmonics: bool) -> Float64:
    from scipy import signal

    check_cutoff("freq_hz", freq_hz, fs)
    if not (quality > 0 and math.isfinite(quality)):
        raise ParameterError(f"quality must be a positive number, got {quality!r}")
    if freq_hz / quality >= fs / 2:
        raise ParameterError(
            f"quality {quality:g} at {freq_hz:g} Hz makes a gap of {freq_hz / quality:g} Hz, "
            f"not below the Nyquist frequency of {fs / 2:g} Hz (fs = {fs:g} Hz); raise quality"
        )
    n_gaps = max(math.ceil(fs / 2 / freq_hz) - 1, 1) if harmonics else 1
    gaps = [signal.iirnotch(k * freq_hz, k * quality, fs=fs) for k in range(1, n_gaps + 1)]
    return np.array([[*b, *a] for b, a in gaps], dtype=np.float64)


@dataclass(frozen=True)
class Notch(IirFilter):
    """Take out one frequency, and optionally its multiples; see `notch`.

    Parameters
    ----------
    freq_hz : float [unit=Hz, 0 < freq_hz < fs/2]
        What to take out.
    quality : float [> 0]
        `freq_hz` over the width of the gap at 3 dB.
    harmonics : bool
        Also take out every multiple below fs/2.
    """

    freq_hz: float
    quality: float = 30.0
    harmonics: bool = False

    def sections(self, fs: float) -> Float64:
        """Return the filter at rate `fs` as second-order sections, one for each gap, shape (gaps, 6)."""
        return _sections(fs, self.freq_hz, self.quality, self.harmonics)
