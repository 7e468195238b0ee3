"""Covariance of an EEG channel with itself a few samples later, as the logarithm of a matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

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
    float32,
    zero_mean,
)
from biosig_lstm.steps import Step

__all__ = ["DelayCovariance", "delay_covariance"]


def delay_covariance(
    x: npt.ArrayLike, *, fs: float, delays: int = 8, step_s: float = 0.0173, noise: float = 1.0
) -> Float32:
    """Return the matrix logarithm of the covariance of each channel's delayed copies.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples)]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    delays : int [>= 2]
        Copies, the first undelayed.
    step_s : float [unit=s, > 0]
        From one copy to the next; taken as whole samples, one at least.
    noise : float [> 0]
        Deviation of white noise, in the unit of `x`: covariances are in units of its variance, and it is added, so
        that what lies far below it counts for nothing and a flat channel has 0.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, delays * (delays + 1) / 2), dtype=float32]
        The upper triangle of ``logm(I + covariance / noise**2)``, row after row. NaN where a sample is not finite, or
        fewer samples than `delays` lie under all copies.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate or a parameter is out of range.

    Notes
    -----
    The covariance of delayed copies holds the spectrum as lags do (Carrara and Papadopoulo 2024,
    doi:10.1109/TBME.2024.3390214, who delay several channels); differences of logarithms are distances between
    covariances (log-Euclidean: Arsigny et al. 2006, doi:10.1002/mrm.20965).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 10, (1, 1, 100_000))
    >>> delay_covariance(noise, fs=200, delays=2)[0, 0].round(1)  # white: log(10**2 + 1) on the diagonal, 0 beside it
    array([ 4.6, -0. ,  4.6], dtype=float32)
    """
    _check(delays, step_s, noise)
    return by_blocks(x, lambda part: _of_values(zero_mean(part, fs), delays, max(round(step_s * fs), 1), noise))


def _check(delays: int, step_s: float, noise: float) -> None:
    if delays < 2 or not (0 < step_s < math.inf and 0 < noise < math.inf):
        raise ParameterError(
            f"delays must be 2 or more, step_s and noise positive, got {delays!r}, {step_s!r} and {noise!r}"
        )


def _of_values(values: Float64, delays: int, step: int, noise: float) -> Float32:
    width = values.shape[-1] - (delays - 1) * step
    triangle = np.triu_indices(delays)
    if width < delays:
        return np.full((*values.shape[:-1], len(triangle[0])), np.nan, dtype=np.float32)
    known = np.nan_to_num(values, nan=0.0)
    copies = np.stack([known[..., k * step : k * step + width] for k in range(delays)], axis=-2) / noise
    covariance = copies @ copies.swapaxes(-1, -2) / width
    powers, axes = np.linalg.eigh(covariance)
    logs = (axes * np.log1p(np.maximum(powers, 0))[..., None, :]) @ axes.swapaxes(-1, -2)
    return float32(np.where(np.isnan(values[..., :1]), np.nan, logs[..., triangle[0], triangle[1]]))


@dataclass(frozen=True)
class DelayCovariance(Step):
    """Add the logarithm of the covariance of each channel's delayed copies to windows of EEG, after their samples.

    Parameters
    ----------
    delays, step_s, noise
        As in `delay_covariance`.

    Raises
    ------
    ParameterError
        When one is out of range.

    Notes
    -----
    Columns of each channel: ``C3.log_covariance_0_0``, ``C3.log_covariance_0_1`` and so on, by the numbers of two
    copies; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    delays: int = 8
    step_s: float = 0.0173
    noise: float = 1.0

    def __post_init__(self) -> None:
        _check(self.delays, self.step_s, self.noise)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with a column for each pair of copies, of each channel.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        """
        pairs = zip(*np.triu_indices(self.delays), strict=True)
        names = [f"log_covariance_{a}_{b}" for a, b in pairs]
        return add_columns(windows, channel_columns(windows, names), self._of)

    def _of(self, x: Float32, fs: float) -> Float32:
        return delay_covariance(x, fs=fs, delays=self.delays, step_s=self.step_s, noise=self.noise)
