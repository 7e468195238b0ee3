"""Envelopes of the EEG in its bands: how large the waves of a band are, and how much that changes in a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.signal import detrend

from biosig_lstm.containers import Windows
from biosig_lstm.features._eeg import (
    BANDS_HZ,
    Float32,
    Float64,
    add_columns,
    as_bands,
    by_blocks,
    channel_columns,
    check_bands,
    float32,
    unit_suffix,
    zero_mean,
)
from biosig_lstm.features._spectrum import in_band
from biosig_lstm.steps import Step

__all__ = ["BandEnvelope", "band_envelope", "envelopes"]

_ROUNDING = 1e-12


def envelopes(
    x: npt.ArrayLike, *, fs: float, bands: Mapping[str, tuple[float, float]] = BANDS_HZ
) -> dict[str, Float32]:
    """Return the envelope of windows in each band, sample by sample.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    bands : mapping of str to (float, float) [unit=Hz]
        From the first frequency to below the second.

    Returns
    -------
    dict of str to np.ndarray [shape=(n_windows, channels, samples), dtype=float32]
        By band the absolute value of the analytic signal, in uV. NaN where a sample of the channel's window is not
        finite, or no frequency of the window lies in the band.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate is not positive, or a band is none or reaches beyond half the rate.

    Notes
    -----
    A straight line is taken from the window, then all frequencies outside of the band are: an ideal filter without
    delay and the Hilbert transform in one (Marple 1999, doi:10.1109/78.782222). The window is taken for one period,
    so that waves at its two ends reach into each other.

    Examples
    --------
    >>> t = np.arange(3000) / 100
    >>> found = envelopes((10 * np.sin(2 * np.pi * 10 * t))[None, None], fs=100)["alpha"]
    >>> bool(abs(found - 10).max() < 0.2)
    True
    """
    check_bands(bands, fs)
    values = zero_mean(x, fs)
    return {name: float32(envelope) for name, envelope in _envelopes(values, fs, bands)}


def _envelopes(values: Float64, fs: float, bands: Mapping[str, tuple[float, float]]) -> list[tuple[str, Float64]]:
    width = values.shape[-1]
    hurt = np.isnan(values[..., :1])
    level = np.where(hurt, 0.0, values)
    level = detrend(level, axis=-1) if width > 2 else level
    level[np.abs(level) < _ROUNDING * np.abs(np.where(hurt, 0.0, values)).max(axis=-1, keepdims=True)] = 0.0
    transform, frequencies = fft.rfft(level, axis=-1), fft.rfftfreq(width, 1 / fs)
    return [
        (name, np.where(hurt, np.nan, _envelope(transform, frequencies, band, width))) for name, band in bands.items()
    ]


def _envelope(
    transform: npt.NDArray[np.complex128], frequencies: Float64, band: tuple[float, float], width: int
) -> Float64:
    inside = np.flatnonzero(in_band(frequencies, band))
    if not len(inside):
        return np.full((*transform.shape[:-1], width), np.nan)
    analytic = np.zeros((*transform.shape[:-1], width), dtype=np.complex128)
    doubled = np.where((inside == 0) | (2 * inside == width), 1.0, 2.0)
    analytic[..., inside] = transform[..., inside] * doubled
    return np.asarray(np.abs(fft.ifft(analytic, axis=-1, overwrite_x=True)))


def band_envelope(x: npt.ArrayLike, *, fs: float, bands: Mapping[str, tuple[float, float]] = BANDS_HZ) -> Float32:
    """Return the mean and the standard deviation of the envelope of windows in each band.

    Parameters
    ----------
    x, fs, bands
        As in `envelopes`.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, bands, 2), dtype=float32]
        Mean and standard deviation (over n) over the samples, in uV; NaN where the envelope is.

    Raises
    ------
    DataError, ParameterError
        As `envelopes`.
    """
    check_bands(bands, fs)
    return by_blocks(x, lambda part: _moments(zero_mean(part, fs), fs, bands))


def _moments(values: Float64, fs: float, bands: Mapping[str, tuple[float, float]]) -> Float32:
    found = [np.stack([e.mean(axis=-1), e.std(axis=-1)], axis=-1) for _, e in _envelopes(values, fs, bands)]
    return float32(np.stack(found, axis=-2))


@dataclass(frozen=True)
class BandEnvelope(Step):
    """Add mean and standard deviation of the envelopes in bands to windows of EEG, after their samples.

    Parameters
    ----------
    bands : tuple of str
        Names in `BANDS_HZ`, or a band of one's own as ``"mu=9-11.5"``, in Hz.

    Raises
    ------
    ParameterError
        When there is no such band.

    Notes
    -----
    For each channel and band ``C3.alpha_envelope_mean_uv`` and ``C3.alpha_envelope_sd_uv``; 0 stands for what is not
    defined.
    """

    kind: ClassVar[str] = "feature"

    bands: tuple[str, ...] = ("delta", "theta", "alpha", "sigma", "beta", "gamma")

    def __post_init__(self) -> None:
        as_bands(self.bands)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with twice as many further columns of each channel as there are bands.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        ParameterError
            When a band reaches beyond half the rate.
        """
        bands, unit = as_bands(self.bands), unit_suffix(windows)
        names = [f"{band}_envelope_{what}_{unit}" for band in bands for what in ("mean", "sd")]
        return add_columns(windows, channel_columns(windows, names), lambda x, fs: band_envelope(x, fs=fs, bands=bands))
