"""Power of the EEG in its bands, absolute and as a share, by Welch's or the multitaper estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.features._eeg import (
    BANDS_HZ,
    Float32,
    add_columns,
    as_bands,
    by_blocks,
    channel_columns,
    check_bands,
    float32,
    ratio,
    unit_suffix,
    zero_mean,
)
from biosig_lstm.features._spectrum import Density, Method, check_method, density
from biosig_lstm.steps import Step

__all__ = ["BANDS_HZ", "BandPower", "Powers", "band_power", "power_density"]


class Powers(NamedTuple):
    """Power in each band, shape (n_windows, channels, bands): in unit², and as a share of all bands."""

    absolute: Float32
    relative: Float32


def power_density(
    x: npt.ArrayLike, *, fs: float, method: Method = "welch", segment_s: float = 4.0, bandwidth_hz: float = 1.0
) -> Density:
    """Return the one-sided power spectral density of windows.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    method : {"welch", "multitaper"}
        *welch*: Hann-windowed segments that overlap by half, each less its mean. *multitaper*: the whole window
        through discrete prolate spheroidal sequences, weighted by their concentration.
    segment_s : float [unit=s, > 0]
        Length of Welch's segments, at most that of the window; frequencies lie 1/segment_s apart.
    bandwidth_hz : float [unit=Hz, > 0]
        Width over which the multitaper estimate smooths; sequences of which more than 0.9 lies in it are used.

    Returns
    -------
    Density
        *frequencies_hz*, shape (f,), and *power*, shape (n_windows, channels, f), float64, unit uV²/Hz; NaN in a
        channel of a window that has a sample that is not finite, 0 where it is flat.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate, a length or a width is not positive, or there is no such method.

    Notes
    -----
    Welch 1967 (doi:10.1109/TAU.1967.1161901), as `scipy.signal.welch`; Thomson 1982 (doi:10.1109/PROC.1982.12433), as
    `mne.time_frequency.psd_array_multitaper` without adaptive weights.
    """
    return density(zero_mean(x, fs), fs=fs, method=method, segment_s=segment_s, bandwidth_hz=bandwidth_hz)


def band_power(
    x: npt.ArrayLike,
    *,
    fs: float,
    bands: Mapping[str, tuple[float, float]] = BANDS_HZ,
    method: Method = "welch",
    segment_s: float = 4.0,
    bandwidth_hz: float = 1.0,
) -> Powers:
    """Return the power of windows in bands.

    Parameters
    ----------
    x, fs, method, segment_s, bandwidth_hz
        As in `power_density`.
    bands : mapping of str to (float, float) [unit=Hz]
        From the first frequency to below the second, so that bands side by side share nothing.

    Returns
    -------
    Powers
        *absolute*, in uV², is the sum of the density over the band's frequencies times their spacing; *relative* is
        its share, 0 to 1, of what lies from the lowest edge of any band to below the highest. Shape (n_windows,
        channels, bands), float32. NaN where a sample is not finite, or no frequency lies in the band (the window is
        too short); relative power is NaN in a flat channel too.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When a band is none or reaches beyond half the rate, or as in `power_density`.

    Examples
    --------
    >>> t = np.arange(3000) / 100
    >>> absolute, relative = band_power((10 * np.sin(2 * np.pi * 10 * t))[None, None], fs=100)
    >>> absolute[0, 0, 2].round(3), relative[0, 0, 2].round(3)  # alpha: half the square of the amplitude
    (np.float32(50.0), np.float32(1.0))
    """
    check_bands(bands, fs)

    def of_block(part: npt.NDArray[Any]) -> Float32:
        found = power_density(part, fs=fs, method=method, segment_s=segment_s, bandwidth_hz=bandwidth_hz)
        return _in_bands(found, bands)

    absolute, relative = np.moveaxis(by_blocks(x, of_block), -1, 0)
    return Powers(absolute, relative)


def _in_bands(found: Density, bands: Mapping[str, tuple[float, float]]) -> Float32:
    """Return absolute and relative power, shape (n, channels, bands, 2)."""
    edges = np.array(list(bands.values()))
    whole = (float(edges.min()), float(edges.max()))
    inside = np.stack([found.inside(band) for band in (*bands.values(), whole)], axis=-1)
    power = np.where(inside.any(axis=0), found.power @ inside.astype(np.float64) * found.spacing_hz, np.nan)
    absolute, total = power[..., :-1], power[..., -1:]
    return float32(np.stack([absolute, ratio(absolute, total)], axis=-1))


@dataclass(frozen=True)
class BandPower(Step):
    """Add the power in bands to windows of EEG, after their samples.

    Parameters
    ----------
    bands : tuple of str
        Names in `BANDS_HZ`, or a band of one's own as ``"mu=9-11.5"``, in Hz.
    method, segment_s, bandwidth_hz
        As in `power_density`.
    log10 : bool
        Give the decimal logarithm of the absolute power.

    Raises
    ------
    ParameterError
        When there is no such band or method, or a length is not positive.

    Notes
    -----
    For each channel a column for each band, ``C3.alpha_uv2`` (with *log10* ``C3.alpha_log10_uv2``), then its share of
    all bands, ``C3.alpha_relative``. `band_power` says what they are; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    bands: tuple[str, ...] = ("delta", "theta", "alpha", "sigma", "beta", "gamma")
    method: Method = "welch"
    segment_s: float = 4.0
    bandwidth_hz: float = 1.0
    log10: bool = False

    def __post_init__(self) -> None:
        as_bands(self.bands)
        check_method(self.method, segment_s=self.segment_s, bandwidth_hz=self.bandwidth_hz)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with twice as many further columns of each channel as there are bands.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        ParameterError
            When a band reaches beyond half the rate.
        """
        bands = as_bands(self.bands)
        unit = f"{'log10_' if self.log10 else ''}{unit_suffix(windows)}2"
        names = [f"{band}_{unit}" for band in bands] + [f"{band}_relative" for band in bands]
        return add_columns(windows, channel_columns(windows, names), self._of)

    def _of(self, x: Float32, fs: float) -> Float32:
        options = {"method": self.method, "segment_s": self.segment_s, "bandwidth_hz": self.bandwidth_hz}
        absolute, relative = band_power(x, fs=fs, bands=as_bands(self.bands), **options)  # type: ignore[arg-type]
        if self.log10:
            absolute = np.log10(absolute, out=np.full_like(absolute, np.nan), where=absolute > 0)
        return np.concatenate([absolute, relative], axis=-1)
