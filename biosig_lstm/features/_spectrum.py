"""Power spectral densities of many windows at once: Welch's and the multitaper estimate."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.signal import get_window
from scipy.signal.windows import dpss

from biosig_lstm.errors import ParameterError, options

__all__ = ["Density", "Method", "check_method", "density", "in_band", "welch_transforms"]

Float64 = npt.NDArray[np.float64]
Complex128 = npt.NDArray[np.complex128]
Method = Literal["welch", "multitaper"]

_LEAST_CONCENTRATED = 0.9


class Density(NamedTuple):
    """Frequencies in Hz, shape (f,), and the one-sided density (n, channels, f) in unit²/Hz."""

    frequencies_hz: Float64
    power: Float64

    @property
    def spacing_hz(self) -> float:
        return float(self.frequencies_hz[1]) if len(self.frequencies_hz) > 1 else np.nan

    def inside(self, band_hz: tuple[float, float]) -> npt.NDArray[np.bool_]:
        """Return which frequencies lie in a band, its end not among them."""
        return in_band(self.frequencies_hz, band_hz)


def in_band(frequencies_hz: Float64, band_hz: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Return which frequencies lie in a band, its end not among them."""
    near = 1e-9 * band_hz[1]
    return np.asarray((frequencies_hz >= band_hz[0] - near) & (frequencies_hz < band_hz[1] - near))


def check_method(method: str, *, segment_s: float, bandwidth_hz: float) -> None:
    """Refuse an estimate that does not exist, segments without length and smoothing without width."""
    if method not in get_args(Method):
        raise ParameterError(f"no such spectral estimate: {options(method, get_args(Method))}")
    if not (0 < segment_s < np.inf and 0 < bandwidth_hz < np.inf):
        raise ParameterError(f"segment_s and bandwidth_hz must be positive, got {segment_s!r} and {bandwidth_hz!r}")


def density(x: Float64, *, fs: float, method: str, segment_s: float, bandwidth_hz: float) -> Density:
    """Return the density of windows (n, channels, samples) of mean zero."""
    check_method(method, segment_s=segment_s, bandwidth_hz=bandwidth_hz)
    return _welch(x, fs, segment_s) if method == "welch" else _multitaper(x, fs, bandwidth_hz)


def welch_transforms(x: Float64, *, fs: float, segment_s: float) -> tuple[Complex128, int]:
    """Return transforms of Hann-windowed segments that overlap by half, (n, channels, segments, f), and their length.

    Scaled such that the squares are one-sided densities; a segment is at most as long as the window.
    """
    width = min(max(round(segment_s * fs), 1), x.shape[-1])
    taper = get_window("hann", width)
    segments = np.lib.stride_tricks.sliding_window_view(x, width, axis=-1)[..., :: width - width // 2, :]
    centred = segments - segments.mean(axis=-1, keepdims=True)
    centred *= taper / np.sqrt(fs * np.sum(taper**2))
    transform: Complex128 = fft.rfft(centred, axis=-1)
    transform *= np.sqrt(_sides(width))
    return transform, width


def _sides(width: int) -> Float64:
    """Return 2 for frequencies that a one-sided density folds, 1 for 0 and for half the rate."""
    sides = np.full(width // 2 + 1, 2.0)
    sides[0] = 1.0
    if width % 2 == 0:
        sides[-1] = 1.0
    return sides


def _squares(x: Complex128) -> Float64:
    return np.asarray(x.real**2 + x.imag**2, dtype=np.float64)


def _welch(x: Float64, fs: float, segment_s: float) -> Density:
    transform, width = welch_transforms(x, fs=fs, segment_s=segment_s)
    return Density(fft.rfftfreq(width, 1 / fs), _squares(transform).mean(axis=-2))


@lru_cache(maxsize=8)
def _tapers(width: int, half_bandwidth: float) -> tuple[Float64, Float64]:
    if half_bandwidth < 0.5 or width < 2:
        return np.full((1, width), 1 / np.sqrt(width)), np.ones(1)
    count = min(int(2 * half_bandwidth), width)
    tapers, shares = dpss(width, min(half_bandwidth, (width - 1) / 2), count, sym=False, norm=2, return_ratios=True)
    kept = shares > _LEAST_CONCENTRATED
    kept[np.argmax(shares)] = True
    return tapers[kept], shares[kept]


def _multitaper(x: Float64, fs: float, bandwidth_hz: float) -> Density:
    width = x.shape[-1]
    tapers, shares = _tapers(width, bandwidth_hz * width / (2 * fs))
    power = np.zeros((*x.shape[:-1], width // 2 + 1))
    for taper, share in zip(tapers, shares, strict=True):
        power += share * _squares(fft.rfft(x * taper, axis=-1))
    return Density(fft.rfftfreq(width, 1 / fs), power * (_sides(width) / (fs * shares.sum())))
