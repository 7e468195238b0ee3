"""How large a window is, on a logarithmic scale: its level, its activity, its slope and its bend."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._eeg import Float32, add_columns, by_blocks, channel_columns, channels, float32, zero_mean
from biosig_lstm.steps import Step

__all__ = ["COLUMNS", "LogActivity", "log_activity"]

COLUMNS = ("level", "log_activity", "log_slope", "log_bend")


def log_activity(x: npt.ArrayLike, *, floor: float = 1e-3) -> Float32:
    """Return level and log sizes of windows.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples)]
        The windows.
    floor : float [> 0]
        Added to each size, in the unit of the signal: what is no larger is nothing.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, 4), dtype=float32]
        The columns `COLUMNS`: the mean; the natural logarithms of the standard deviation, and of the root mean square
        of the first and of the second differences, a floor added to each. A flat window has the logarithm of the floor
        in all three. NaN where a sample is not finite; a difference of windows too short for it is nothing.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the floor is not positive.

    Notes
    -----
    Logarithms of the square roots of what Hjorth's parameters are ratios of (Hjorth 1970,
    doi:10.1016/0013-4694(70)90143-4), differences not being divided by the time. They say of a sensor what a waveform
    hides: that it is flat, hums, or was cut off.

    Examples
    --------
    >>> log_activity([[[1.0, 3.0, 1.0, 3.0]]]).round(2)
    array([[[2.  , 0.  , 0.69, 1.39]]], dtype=float32)
    """
    if not 0 < floor < math.inf:
        raise ParameterError(f"floor must be positive and finite, got {floor!r}")
    return by_blocks(x, lambda part: _log_activity(np.asarray(part, dtype=np.float64), floor))


def _log_activity(values: npt.NDArray[np.float64], floor: float) -> Float32:
    moved = zero_mean(values, 1.0)
    slope = np.diff(moved, axis=-1)
    sizes = [np.log(_root_mean_square(part) + floor) for part in (moved, slope, np.diff(slope, axis=-1))]
    level = np.where(np.isfinite(moved[..., 0]), values.mean(axis=-1), np.nan)
    return float32(np.stack([level, *sizes], axis=-1))


def _root_mean_square(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    if not values.shape[-1]:
        return np.zeros(values.shape[:-1])
    return np.asarray(np.sqrt(np.square(values).mean(axis=-1)))


@dataclass(frozen=True)
class LogActivity(Step):
    """Add level and log sizes to windows, after their samples.

    Parameters
    ----------
    floor : float [> 0]
        As in `log_activity`, in the unit of the windows.
    leads : int [>= 1], optional
        Take so many channels by their place and name the columns by that, ``lead0.level``: for models of whatever leads
        there are. Of more the first are taken, of fewer the last again. By default every channel, by its name.

    Raises
    ------
    ParameterError
        When the floor is not positive, or `leads` is below one.

    Notes
    -----
    Columns of each channel: ``II.level``, ``II.log_activity``, ``II.log_slope``, ``II.log_bend``. `log_activity` says
    what they are; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    floor: float = 1e-3
    leads: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.floor < math.inf:
            raise ParameterError(f"floor must be positive and finite, got {self.floor!r}")
        if self.leads is not None and self.leads < 1:
            raise ParameterError(f"leads must be at least 1, got {self.leads}")

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 4 further columns of each channel.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.FixedLength` makes them of epochs, or have these columns.
        """
        chosen, names = list(range(len(channels(windows)))), channel_columns(windows, COLUMNS)
        if self.leads is not None:
            chosen = [min(k, chosen[-1]) for k in range(self.leads)]
            names = [f"lead{k}.{name}" for k, name in product(range(self.leads), COLUMNS)]
        return add_columns(windows, names, lambda x, _: log_activity(x[:, chosen], floor=self.floor))
