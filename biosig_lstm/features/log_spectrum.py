"""Logarithm of the spectrum of windows of EEG: how high it lies, and its shape, which no gain changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.features._eeg import Float32, Float64, add_columns, by_blocks, channels, check_bands, float32
from biosig_lstm.features.band_power import power_density
from biosig_lstm.steps import Step

__all__ = ["LogSpectrum", "log_spectrum"]


def log_spectrum(x: npt.ArrayLike, *, fs: float, edges_hz: Sequence[float], segment_s: float = 4.0) -> Float32:
    """Return the level of the spectrum of windows, and how each band differs from it.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    edges_hz : sequence of float [length=bands + 1, unit=Hz]
        Ascending; a band reaches from one to below the next.
    segment_s : float [unit=s, > 0]
        Length of Welch's segments, at most that of the window.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, 1 + bands), dtype=float32]
        First the mean over the bands of the decimal logarithm of the band's mean density in uV²/Hz; then of each band
        its logarithm less that mean. NaN where a sample is not finite, a band has no power or no frequency lies in it.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the edges do not ascend or reach beyond half the rate, or a length is not positive.

    Notes
    -----
    The density is that of `biosig_lstm.features.band_power.power_density`. A gain moves the first value alone.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((1, 1, 500))
    >>> small, large = (log_spectrum(g * x, fs=100, edges_hz=(1, 4, 8, 13))[0, 0] for g in (1, 10))
    >>> (large - small).round(3).tolist()
    [2.0, 0.0, 0.0, 0.0]
    """
    _check_edges(edges_hz)
    check_bands({f"{low:g}-{high:g}": (low, high) for low, high in pairwise(edges_hz)}, fs)

    def of_block(part: npt.NDArray[np.float32]) -> Float32:
        found = power_density(part, fs=fs, segment_s=segment_s)
        inside = np.stack([found.inside(band) for band in pairwise(edges_hz)], axis=-1).astype(np.float64)
        return _level_and_shape(found.power @ inside, inside.sum(axis=0))

    return by_blocks(x, of_block)


def _level_and_shape(power: Float64, count: Float64) -> Float32:
    density = power / np.maximum(count, 1)
    log = np.log10(density, out=np.full_like(density, np.nan), where=density > 0)
    level = log.mean(axis=-1, keepdims=True)
    return float32(np.concatenate([level, log - level], axis=-1))


def _check_edges(edges_hz: Sequence[float]) -> None:
    if len(edges_hz) < 2 or any(low >= high for low, high in pairwise(edges_hz)):
        raise ParameterError(f"edges_hz must be two or more ascending frequencies, got {tuple(edges_hz)}")


@dataclass(frozen=True)
class LogSpectrum(Step):
    """Add level and shape of the logarithmic spectrum to windows of EEG, after their samples.

    Parameters
    ----------
    edges_hz, segment_s
        As in `log_spectrum`.
    regions : tuple of str
        Groups of channels over which values are averaged, as ``"frontal=F3,Fz,F4"``; each channel by itself where none
        is given.

    Raises
    ------
    ParameterError
        When the edges do not ascend, a length is not positive, or a region is none.

    Notes
    -----
    Columns of each channel or region: ``C3.log_level``, then ``C3.1-2hz_log_shape`` for each band; 0 stands for what
    is not defined.
    """

    kind: ClassVar[str] = "feature"

    edges_hz: tuple[float, ...] = (1.0, 4.0, 8.0, 13.0, 20.0, 30.0, 45.0)
    segment_s: float = 4.0
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_edges(self.edges_hz)
        names = [_region(text)[0] for text in self.regions]
        if self.segment_s <= 0 or len(set(names)) < len(names):
            raise ParameterError(f"segment_s must be positive and each region there once, got {self!r}")

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with a column for the level and one for each band, of each channel or region.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, have these columns, or lack a
            channel of a region.
        ParameterError
            When a band reaches beyond half the rate.
        """
        held = channels(windows)
        groups = dict(_region(text) for text in self.regions) or {name: (name,) for name in held}
        rows = [[_place(name, held) for name in members] for members in groups.values()]
        bands = [f"{low:g}-{high:g}hz_log_shape" for low, high in pairwise(self.edges_hz)]
        columns = [f"{group}.{name}" for group in groups for name in ("log_level", *bands)]

        def work(x: Float32, fs: float) -> Float32:
            each = log_spectrum(x, fs=fs, edges_hz=self.edges_hz, segment_s=self.segment_s)
            return np.stack([each[:, members].mean(axis=1) for members in rows], axis=1)

        return add_columns(windows, columns, work)


def _region(text: str) -> tuple[str, tuple[str, ...]]:
    name, _, members = text.partition("=")
    found = tuple(member.strip() for member in members.split(",") if member.strip())
    if not name or not found:
        raise ParameterError(f"a region is a name and its channels, as 'frontal=F3,Fz,F4', got {text!r}")
    return name, found


def _place(name: str, held: Sequence[str]) -> int:
    if name not in held:
        raise DataError(f"channel of a region {options(name, held)}")
    return list(held).index(name)
