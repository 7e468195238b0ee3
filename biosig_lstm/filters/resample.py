"""Another rate, by a polyphase low-pass filter."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows, channels_named, check_fs, read_only

__all__ = ["Resample", "resample"]

_LARGEST_FACTOR = 20_000
_CLOSE_ENOUGH = 1e-9
_ZERO_CROSSINGS = 10
_KAISER_BETA = 5.0
_SIMD_TAPS = 16


def resample(signals: npt.ArrayLike, fs: float, *, rate_hz: float) -> Float32:
    """Bring `signals` to another rate, without delay, by a gentle low-pass filter.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    rate_hz : float [unit=Hz, > 0]
        Samples a second wanted. The ratio of the rates must be ``up / down``, whole numbers up to 20,000.

    Returns
    -------
    np.ndarray [shape=(channels, ceil(samples * up / down)), dtype=float32]
        Values in the unit of `signals`; the first sample stays where it is.

    Raises
    ------
    ParameterError
        When a rate is not positive, or their ratio is no such fraction: the nearest rate that is, is named.
    DataError
        When a value is not finite.

    Notes
    -----
    The filter is that of `scipy.signal.resample_poly` by default: a windowed sinc of ten zero crossings on each
    side, Kaiser window with beta 5. A tone at 0.9 of half of the lower rate is 0.7 dB down, at half of it 6 dB; above,
    what is left is folded back: 12 dB down at 1.05 times that, 22 at 1.1, 43 at 1.15, 55 at 1.2. For sound, which is
    loud up there, take `biosig_lstm.filters.resample_sound.resample_sound`, where nothing is. Each channel is resampled
    about the line through its first and last value, so an offset or a trend causes no step at the ends and no ripple,
    which soxr would: for signals with drift, such as ECG and EEG, this one is the better.

    Examples
    --------
    >>> resample([[1.0, 1.0, 1.0, 1.0]], 360, rate_hz=100).tolist()
    [[1.0, 1.0]]
    """
    rows = as_rows(signals, fs)
    ratio = _ratio(fs, rate_hz)
    if ratio == 1:
        return rows.copy()
    up, down = ratio.numerator, ratio.denominator
    out = np.empty((len(rows), -(-rows.shape[1] * up // down)), dtype=np.float32)
    taps, before = _phases(up, down)
    padded = np.zeros(before + rows.shape[1] + taps.shape[1], dtype=np.float32)
    for row, target in zip(rows, out, strict=True):
        if row.size:
            slope = (float(row[-1]) - float(row[0])) / max(len(row) - 1, 1)
            _less_line(read_only(row), float(row[0]), slope, padded, before)
            _resample_row(padded, target, taps, up, down, float(row[0]), slope)
    return out


def _ratio(fs: float, rate_hz: float) -> Fraction:
    check_fs(fs)
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ParameterError(f"rate_hz must be a positive number of Hz, got {rate_hz!r}")
    fraction = _nearest(fs, rate_hz)
    if abs(float(fraction) * fs / rate_hz - 1) > _CLOSE_ENOUGH:
        raise ParameterError(
            f"{rate_hz!r} Hz is not {fs!r} Hz times a fraction of whole numbers up to {_LARGEST_FACTOR}; "
            f"the nearest rate that is: {float(fraction) * fs!r} Hz"
        )
    return fraction


def _nearest(fs: float, rate_hz: float) -> Fraction:
    if rate_hz <= fs:
        return max(Fraction(rate_hz / fs).limit_denominator(_LARGEST_FACTOR), Fraction(1, _LARGEST_FACTOR))
    return 1 / max(Fraction(fs / rate_hz).limit_denominator(_LARGEST_FACTOR), Fraction(1, _LARGEST_FACTOR))


@lru_cache(maxsize=8)
def _phases(up: int, down: int) -> tuple[Float32, int]:
    """Return the taps of each of `up` phases, in the order of the samples, and how many samples lie before."""
    from scipy import signal

    half = _ZERO_CROSSINGS * max(up, down)
    low_pass = signal.firwin(2 * half + 1, 1 / max(up, down), window=("kaiser", _KAISER_BETA)) * up
    before = half // up + 1
    n_taps = -(-(2 * before + 1) // _SIMD_TAPS) * _SIMD_TAPS
    index = half + np.arange(up)[:, None] + up * (before - np.arange(n_taps))[None, :]
    inside = (index >= 0) & (index <= 2 * half)
    taps = np.where(inside, low_pass[np.clip(index, 0, 2 * half)], 0.0)
    return np.ascontiguousarray(taps, dtype=np.float32), before


@njit(cache=True)
def _less_line(row: Any, first: float, slope: float, padded: Any, before: int) -> None:
    for k in range(len(row)):
        padded[before + k] = row[k] - (first + slope * k)


@njit(cache=True, fastmath={"reassoc", "contract", "nsz"})
def _resample_row(  # noqa: PLR0917  (compiled functions are called with positional arguments)
    padded: Any, out: Any, taps: Any, up: int, down: int, first: float, slope: float
) -> None:
    n_taps = taps.shape[1]
    at, phase = 0, 0
    for m in range(len(out)):
        row, piece = taps[phase], padded[at : at + n_taps]
        total = np.float32(0.0)
        for t in range(n_taps):
            total += row[t] * piece[t]
        out[m] = total + first + slope * (at + phase / up)
        at += down // up
        phase += down % up
        if phase >= up:
            phase -= up
            at += 1


@dataclass(frozen=True)
class Resample(Filter):
    """Bring a recording to another rate; see `resample`. Its annotations follow, to the nearest sample.

    For slow signals with offsets and trends; for sound take `ResampleSound`.

    Parameters
    ----------
    rate_hz : float [unit=Hz, > 0]
        Samples a second wanted.

    Examples
    --------
    >>> from biosig_lstm.containers import Annotations, Recording
    >>> ecg = Recording([[0.0] * 720], 360, ["MLII"], ["mV"], annotations=Annotations([360], [360], ["N"]))
    >>> slower = Resample(rate_hz=100)(ecg)
    >>> slower.fs, slower.n_samples, slower.annotations.starts.tolist()
    (100.0, 200, [100])
    """

    rate_hz: float

    changes_length: ClassVar[bool] = True

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` at the wanted rate, shape (channels, ceil(samples * rate_hz / fs))."""
        return resample(signals, fs, rate_hz=self.rate_hz)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording at the wanted rate.

        Raises
        ------
        ParameterError
            When the ratio of the rates is not allowed.
        DataError
            When a channel holds NaN: its name, and where, in seconds.
        """
        if recording.fs == self.rate_hz:
            return recording
        with channels_named(recording):
            values = self.apply(recording.signals, recording.fs)
        return recording.with_signals(values, note=f"{self!r} from {recording.fs:g} Hz", fs=self.rate_hz)
