"""Baseline wander: the slow drift of an electrocardiogram, taken out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.filters._base import Float32, as_rows
from biosig_lstm.filters._iir import Float64, IirFilter, butterworth, check_cutoff, filter_zero_phase

__all__ = ["BaselineWander", "remove_baseline_wander"]

Method = Literal["highpass", "median"]
_MEDIAN_WIDTHS_S = (0.2, 0.6)
_ORDER = 2


def remove_baseline_wander(
    signals: npt.ArrayLike, fs: float, *, method: Method = "highpass", cutoff_hz: float = 0.5
) -> Float32:
    """Take the slow drift out of an electrocardiogram, without delay.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples), samples >= 3]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    method : {'highpass', 'median'}
        ``highpass``: a Butterworth high-pass filter of order 2, forward and backward. ``median``: what is left
        after a moving median of 200 ms (which takes out P waves and QRS complexes), then one of 600 ms (T waves),
        is the baseline, and is subtracted.
    cutoff_hz : float [unit=Hz, 0 < cutoff_hz < fs/2]
        Of the high-pass filter, where the attenuation reaches 6 dB; the median has none.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Values around zero, in the unit of `signals`.

    Raises
    ------
    ParameterError
        When `method` is another, or `cutoff_hz` is outside what the rate allows.
    DataError
        When a value is not finite, or there are fewer than 3 samples.

    Notes
    -----
    The medians are those of P. de Chazal, M. O'Dwyer and R. B. Reilly, "Automatic classification of heartbeats
    using ECG morphology and heartbeat interval features", IEEE Trans. Biomed. Eng. 51(7), 2004; windows are the
    nearest odd number of samples, and beyond its ends a recording is taken to keep its first or last value.
    In the comparison of G. Lenis et al., "Comparison of baseline wander removal techniques considering the
    preservation of ST changes in the ischemic ECG", Comput. Math. Methods Med., 2017, the Butterworth high-pass
    filter is the choice for medical use; it is the default here.

    Examples
    --------
    >>> import numpy as np
    >>> t = np.arange(3600) / 360
    >>> level = remove_baseline_wander([5 + np.sin(2 * np.pi * 0.1 * t)], 360, method="median")
    >>> bool(abs(level).max() < 0.1)
    True
    """
    _check_method(method)
    if method == "highpass":
        return filter_zero_phase(signals, fs, _sections(fs, cutoff_hz))
    rows = as_rows(signals, fs)
    if rows.shape[1] < 3:
        raise DataError(f"a moving median needs at least 3 samples, got {rows.shape[1]}")
    return np.stack([row - _baseline(row, fs) for row in rows]) if len(rows) else rows.copy()


def _baseline(row: Float32, fs: float) -> Float32:
    from scipy import ndimage

    for width_s in _MEDIAN_WIDTHS_S:
        row = ndimage.median_filter(row, size=2 * round(width_s * fs / 2) + 1, mode="nearest")
    return row


def _check_method(method: str) -> None:
    if method not in get_args(Method):
        raise ParameterError(f"method {options(str(method), get_args(Method))}")


def _sections(fs: float, cutoff_hz: float) -> Float64:
    check_cutoff("cutoff_hz", cutoff_hz, fs)
    return butterworth("highpass", (float(cutoff_hz),), fs, order=_ORDER)


@dataclass(frozen=True)
class BaselineWander(IirFilter):
    """Take the slow drift out of an electrocardiogram; see `remove_baseline_wander`.

    Parameters
    ----------
    cutoff_hz : float [unit=Hz, 0 < cutoff_hz < fs/2]
        Of the high-pass filter; the median has none.
    method : {'highpass', 'median'}
        High-pass filter, or the two moving medians of de Chazal 2004.
    """

    cutoff_hz: float = 0.5
    method: Method = "highpass"

    def sections(self, fs: float) -> Float64:
        """Return the high-pass filter at rate `fs` as second-order sections, shape (1, 6).

        Raises
        ------
        ParameterError
            When the method is the median, which is no recursive filter.
        """
        if self.method != "highpass":
            raise ParameterError(f"method {self.method!r} has no sections and no causal form; use 'highpass'")
        return _sections(fs, self.cutoff_hz)

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` without their drift, shape (channels, samples)."""
        return remove_baseline_wander(signals, fs, method=self.method, cutoff_hz=self.cutoff_hz)
