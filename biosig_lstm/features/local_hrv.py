"""Heart rate variability around each beat, as scalars of a run of beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.features._hrv_intervals import Artefacts, nn_intervals
from biosig_lstm.features._runs import add_beat_columns
from biosig_lstm.steps import Step

__all__ = ["COLUMNS", "LocalHRV", "local_hrv"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

COLUMNS = {"mean_nn": "ms", "sdnn": "ms", "rmssd": "ms", "pnn50": "%", "pnn20": "%"}
"""Columns and their units."""


def local_hrv(times_s: npt.ArrayLike, *, window_s: float, artefacts: Artefacts = "lipponen") -> npt.NDArray[np.float32]:
    """Return the heart rate variability of the window around each beat.

    Parameters
    ----------
    times_s : array_like [shape=(n,), unit=s]
        Instants of consecutive beats of one recording, ascending.
    window_s : float [unit=s, > 0]
        Length of the window, half of it on either side of the beat.
    artefacts : {"lipponen", "malik", "none"}
        Which intervals do not count; see `hrv.nn_intervals`.

    Returns
    -------
    np.ndarray [shape=(n, 5), dtype=float32]
        The columns `COLUMNS`, as `hrv.time_domain` defines them, of the intervals that begin and end in the window;
        0 where one is not defined.

    Raises
    ------
    DataError
        When beats are not in order.
    ParameterError
        When the window has no length, or there is no such rule.

    Notes
    -----
    Sums over windows are differences of running sums, so time does not grow with the length of the window.

    Examples
    --------
    >>> [round(x, 1) for x in local_hrv([0.0, 0.8, 1.6, 2.5], window_s=10, artefacts="none")[0].tolist()]
    [833.3, 57.7, 70.7, 33.3, 33.3]
    """
    times = np.asarray(times_s, dtype=np.float64)
    if not window_s > 0:
        raise ParameterError(f"window_s must be positive, got {window_s!r}")
    nn = nn_intervals(times, artefacts=artefacts)
    if not np.isfinite(nn).any():
        return np.zeros((len(times), len(COLUMNS)), dtype=np.float32)
    first = np.searchsorted(times, times - window_s / 2)
    last = np.searchsorted(times, times + window_s / 2, side="right") - 1
    level = float(np.nanmean(nn))
    count, total, squares = (_sums(x, first, last) for x in (np.isfinite(nn), nn - level, (nn - level) ** 2))
    change = np.diff(nn)
    steps = (np.isfinite(change), change**2, np.abs(change) > 50, np.abs(change) > 20)
    n_changes, changes, over_50, over_20 = (_sums(x, first, np.maximum(last - 1, first)) for x in steps)
    mean = _ratio(total, count)
    columns = (
        np.where(count > 0, mean + level, 0.0),
        np.sqrt(_ratio(np.maximum(squares - total * mean, 0), np.maximum(count - 1, 0))),
        np.sqrt(_ratio(np.maximum(changes, 0), n_changes)),
        100 * over_50 / (n_changes + 1),
        100 * over_20 / (n_changes + 1),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def _sums(values: npt.ArrayLike, first: Int64, last: Int64) -> Float64:
    """Return the sum of the values ``first:last`` of each window, what is missing left out."""
    so_far = np.concatenate([[0.0], np.cumsum(np.nan_to_num(np.asarray(values, dtype=np.float64)))])
    end = len(so_far) - 1
    return np.asarray(so_far[np.minimum(last, end)] - so_far[np.minimum(first, end)])


def _ratio(above: Float64, below: Float64) -> Float64:
    ratio = np.zeros(len(above))
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


@dataclass(frozen=True)
class LocalHRV(Step):
    """Add the columns of `local_hrv` to runs of beats.

    Apply it to whole recordings, before they are cut into runs. The columns are in ms and %, so let a model
    standardize them.

    Parameters
    ----------
    window_s : float [unit=s]
        Length of the window around each beat.
    artefacts : {"lipponen", "malik", "none"}
        Which intervals do not count. Labels are not looked at: a model is not to know them.
    """

    kind: ClassVar[str] = "feature"

    window_s: float = 60.0
    artefacts: Artefacts = "lipponen"

    def __post_init__(self) -> None:
        if not self.window_s > 0:
            raise ParameterError(f"window_s must be positive, got {self.window_s!r}")
        if self.artefacts not in get_args(Artefacts):
            raise ParameterError(f"artefacts {options(str(self.artefacts), get_args(Artefacts))}")

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 5 further columns.

        Raises
        ------
        DataError
            When the steps are not events: they have no positions.
        """
        return add_beat_columns(windows, tuple(COLUMNS), self._of, needs="HRV needs")

    def _of(self, times_s: Float64) -> npt.NDArray[np.float32]:
        return local_hrv(times_s, window_s=self.window_s, artefacts=self.artefacts)
