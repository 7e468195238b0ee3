"""Hjorth's parameters of the EEG: activity, mobility, complexity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.features._eeg import (
    Float32,
    Float64,
    add_columns,
    by_blocks,
    channel_columns,
    float32,
    ratio,
    unit_suffix,
    zero_mean,
)
from biosig_lstm.steps import Step

__all__ = ["Hjorth", "hjorth"]


def hjorth(x: npt.ArrayLike, *, fs: float) -> Float32:
    """Return activity, mobility and complexity of windows.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, 3), dtype=float32]
        *activity*: the variance, in uV². *mobility*: the standard deviation of the derivative over that of the signal,
        in 1/s; 2 pi f for a sine of f Hz far below the rate. *complexity*: the mobility of the derivative over that of
        the signal; 1 for a sine. NaN where a sample is not finite; *mobility* where the channel is flat, *complexity*
        where its derivative is, or there are fewer than 4 samples.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate is not positive.

    Notes
    -----
    Hjorth 1970 (doi:10.1016/0013-4694(70)90143-4). Derivatives are differences of neighbours times the rate, variances
    are about the mean, over n.

    Examples
    --------
    >>> t = np.arange(10_000) / 1000
    >>> hjorth((10 * np.sin(2 * np.pi * t))[None, None], fs=1000)[0, 0].round().tolist()
    [50.0, 6.0, 1.0]
    """
    return by_blocks(x, lambda part: _hjorth(zero_mean(part, fs), fs))


def _hjorth(values: Float64, fs: float) -> Float32:
    if values.shape[-1] < 4:
        values = np.concatenate([values, np.full((*values.shape[:-1], 4), np.nan)], axis=-1)
    slope = np.diff(values, axis=-1) * fs
    of_signal, of_slope, of_bend = (_variance(part) for part in (values, slope, np.diff(slope, axis=-1) * fs))
    mobility = np.sqrt(ratio(of_slope, of_signal))
    return float32(np.stack([of_signal, mobility, ratio(np.sqrt(ratio(of_bend, of_slope)), mobility)], axis=-1))


def _variance(values: Float64) -> Float64:
    return np.asarray(values.var(axis=-1))


@dataclass(frozen=True)
class Hjorth(Step):
    """Add Hjorth's parameters to windows of EEG, after their samples.

    Notes
    -----
    Columns of each channel: ``C3.activity_uv2``, ``C3.mobility_per_s``, ``C3.complexity``. `hjorth` says what they
    are; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 3 further columns of each channel.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        """
        names = [f"activity_{unit_suffix(windows)}2", "mobility_per_s", "complexity"]
        return add_columns(windows, channel_columns(windows, names), lambda x, fs: hjorth(x, fs=fs))
