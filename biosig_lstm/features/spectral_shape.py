"""Shape of the spectrum of the EEG: edges below which a share of the power lies, and its entropy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._eeg import (
    Float32,
    Float64,
    add_columns,
    by_blocks,
    channel_columns,
    check_bands,
    float32,
    ratio,
    zero_mean,
)
from biosig_lstm.features._spectrum import Density, Method, check_method, density
from biosig_lstm.steps import Step

__all__ = ["SpectralShape", "spectral_shape"]


def spectral_shape(
    x: npt.ArrayLike,
    *,
    fs: float,
    low_hz: float = 0.5,
    high_hz: float = 45.0,
    shares: tuple[float, ...] = (0.5, 0.95),
    method: Method = "welch",
    segment_s: float = 4.0,
    bandwidth_hz: float = 1.0,
) -> Float32:
    """Return spectral edges and the spectral entropy of windows.

    Parameters
    ----------
    x, fs, method, segment_s, bandwidth_hz
        As in `biosig_lstm.features.band_power.power_density`.
    low_hz, high_hz : float [unit=Hz]
        The part of the spectrum that counts, its end not included.
    shares : tuple of float [0 to 1]
        Shares of the power.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, len(shares) + 1), dtype=float32]
        For each share the first frequency up to which at least so much of the power lies, in Hz; then the entropy of
        the distribution of power over the frequencies, over that of an even one: 0 is one frequency, 1 is white. NaN
        where a sample is not finite, the channel is flat, or fewer than two frequencies count.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When a share is not between 0 and 1, or frequencies do not lie between 0 and half the rate.

    Notes
    -----
    The edge of 0.95 is that of Rampil 1980; the entropy that of Inouye 1991 (doi:10.1016/0013-4694(91)90138-T).

    Examples
    --------
    >>> t = np.arange(3000) / 100
    >>> spectral_shape(np.sin(2 * np.pi * 10 * t)[None, None], fs=100)[0, 0, :2].tolist()
    [10.0, 10.25]
    """
    _check_shares(shares)
    check_bands({"spectrum": (low_hz, high_hz)}, fs)

    def of_block(part: npt.NDArray[Any]) -> Float32:
        found = density(zero_mean(part, fs), fs=fs, method=method, segment_s=segment_s, bandwidth_hz=bandwidth_hz)
        return _shape(found, (low_hz, high_hz), shares)

    return by_blocks(x, of_block)


def _shape(found: Density, band_hz: tuple[float, float], shares: tuple[float, ...]) -> Float32:
    inside = found.inside(band_hz)
    if np.count_nonzero(inside) < 2:
        return np.full((*found.power.shape[:-1], len(shares) + 1), np.nan, dtype=np.float32)
    power = found.power[..., inside]
    parts = ratio(power, power.sum(axis=-1, keepdims=True))
    columns = [*(_edge(parts, found.frequencies_hz[inside], share) for share in shares), _entropy(parts)]
    return float32(np.stack(columns, axis=-1))


def _check_shares(shares: tuple[float, ...]) -> None:
    if not all(0 < share < 1 for share in shares) or len(set(shares)) < len(shares):
        raise ParameterError(f"shares must lie between 0 and 1, each once, got {shares}")


def _edge(parts: Float64, frequencies: Float64, share: float) -> Float64:
    reached = np.cumsum(parts, axis=-1) >= share * (1 - 1e-12)
    return np.where(np.isnan(parts[..., 0]), np.nan, frequencies[reached.argmax(axis=-1)])


def _entropy(parts: Float64) -> Float64:
    logarithm = np.log(parts, out=np.zeros_like(parts), where=parts > 0)
    return np.asarray(-(parts * logarithm).sum(axis=-1) / np.log(parts.shape[-1]))


@dataclass(frozen=True)
class SpectralShape(Step):
    """Add spectral edges and the spectral entropy to windows of EEG, after their samples.

    Parameters
    ----------
    low_hz, high_hz, shares, method, segment_s, bandwidth_hz
        As in `spectral_shape`.

    Raises
    ------
    ParameterError
        When there is no such method, a length is not positive, or a share is not between 0 and 1.

    Notes
    -----
    Columns of each channel: ``C3.edge50_hz``, ``C3.edge95_hz`` (by the shares, in percent), ``C3.spectral_entropy``;
    0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    low_hz: float = 0.5
    high_hz: float = 45.0
    shares: tuple[float, ...] = (0.5, 0.95)
    method: Method = "welch"
    segment_s: float = 4.0
    bandwidth_hz: float = 1.0

    def __post_init__(self) -> None:
        _check_shares(self.shares)
        check_method(self.method, segment_s=self.segment_s, bandwidth_hz=self.bandwidth_hz)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with a further column of each channel for each share, and one for the entropy.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        ParameterError
            When frequencies do not lie between 0 and half the rate.
        """
        names = [*(f"edge{100 * share:g}_hz" for share in self.shares), "spectral_entropy"]
        return add_columns(windows, channel_columns(windows, names), self._of)

    def _of(self, x: Float32, fs: float) -> Float32:
        return spectral_shape(
            x,
            fs=fs,
            low_hz=self.low_hz,
            high_hz=self.high_hz,
            shares=self.shares,
            method=self.method,
            segment_s=self.segment_s,
            bandwidth_hz=self.bandwidth_hz,
        )
