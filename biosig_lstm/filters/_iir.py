"""Butterworth designs, checked against the rate, and the steps that apply them forward and backward."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows, check_fs
from biosig_lstm.filters._sos import zero_phase
from biosig_lstm.filters.causal import CausalFilter

__all__ = ["IirFilter", "butterworth", "check_cutoff", "filter_zero_phase"]

Float64 = npt.NDArray[np.float64]
Kind = Literal["lowpass", "highpass", "bandpass"]
_HIGHEST_ORDER = 12


def check_cutoff(name: str, cutoff_hz: float, fs: float) -> None:
    """Raise ParameterError unless 0 < `cutoff_hz` < fs/2."""
    check_fs(fs)
    if not 0 < cutoff_hz < fs / 2:
        raise ParameterError(
            f"{name} must lie between 0 and {fs / 2:g} Hz (the Nyquist frequency, half of fs = {fs:g} Hz), "
            f"both excluded; got {cutoff_hz!r}"
        )


def butterworth(kind: Kind, cutoffs_hz: tuple[float, ...], fs: float, *, order: int) -> Float64:
    """Return a Butterworth filter as second-order sections, shape (sections, 6), as `scipy.signal.butter` does.

    Raises
    ------
    ParameterError
        When `order` is not a whole number from 1 to 12.
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= _HIGHEST_ORDER:
        raise ParameterError(f"order must be a whole number from 1 to {_HIGHEST_ORDER}, got {order!r}")
    return _butterworth(kind, cutoffs_hz, float(fs), order).copy()


@lru_cache(maxsize=64)
def _butterworth(kind: Kind, cutoffs_hz: tuple[float, ...], fs: float, order: int) -> Float64:
    from scipy import signal

    cutoff = cutoffs_hz[0] if len(cutoffs_hz) == 1 else cutoffs_hz
    sos: Float64 = np.asarray(signal.butter(order, cutoff, kind, fs=fs, output="sos"))
    return sos


def filter_zero_phase(signals: npt.ArrayLike, fs: float, sos: Float64) -> Float32:
    """Return `signals` filtered by `sos` forward, then backward, checked first.

    Raises
    ------
    DataError
        When a value is not finite, or there are fewer than 3 samples.
    """
    rows = as_rows(signals, fs)
    if rows.shape[1] < 3:
        raise DataError(f"a zero-phase filter needs at least 3 samples, got {rows.shape[1]}")
    return zero_phase(rows, sos)


@dataclass(frozen=True)
class IirFilter(Filter):
    """A recursive filter: applied to a recording without delay, or to a stream as the values come."""

    def sections(self, fs: float) -> Float64:
        """Return the filter at rate `fs` as second-order sections, shape (sections, 6)."""
        raise NotImplementedError(f"{type(self).__name__} defines no sections(fs)")

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` filtered forward and backward, shape (channels, samples)."""
        return filter_zero_phase(signals, fs, self.sections(fs))

    def causal(self, fs: float, n_channels: int, *, settled: bool = False) -> CausalFilter:
        """Return this filter for a stream: it sees the past alone, so it delays, and attenuates half as many dB.

        Parameters
        ----------
        fs : float [unit=Hz]
            Rate of the stream.
        n_channels : int
            Rows of every block.
        settled : bool
            Start as if the first sample had always been there, rather than from rest.
        """
        return CausalFilter(self.sections(fs), fs=fs, n_channels=n_channels, settled=settled)
