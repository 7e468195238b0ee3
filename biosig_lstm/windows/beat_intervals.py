"""The intervals between beats in order, one a step: a series whose next value can be foreseen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import DETECTED, Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step

__all__ = ["COLUMNS", "BeatIntervals", "beat_intervals"]

Float64 = npt.NDArray[np.float64]

COLUMNS = ("rr", "normal")
_SHORTEST_S, _LONGEST_S = 0.3, 2.4
_NEIGHBOURS = 11


def beat_intervals(
    times_s: npt.ArrayLike, usual: npt.ArrayLike, *, largest_deviation: float = 0.25
) -> npt.NDArray[np.float32]:
    """Return the interval that ends with each beat but the first, and whether it is a normal one.

    Parameters
    ----------
    times_s : array_like [shape=(n,), unit=s]
        Instants of the beats, ascending.
    usual : array_like of bool [shape=(n,)]
        Whether each beat is of a kind whose intervals count.
    largest_deviation : float [> 0]
        By what share of the median of the last eleven normal intervals a normal one may differ from it.

    Returns
    -------
    np.ndarray [shape=(n - 1, 2), dtype=float32]
        The columns `COLUMNS`: *rr* in seconds, of an interval that is not normal the last one that was; *normal*, 1 or
        0.

    Raises
    ------
    DataError
        When beats do not ascend, are not one for each of `usual`, or no interval is normal.
    ParameterError
        When the deviation is not positive.

    Notes
    -----
    Normal is an interval between two usual beats that lasts 0.3 to 2.4 s and differs by no more than a quarter from the
    median before it. Nothing depends on later beats, except that intervals before the first normal one are given its
    length. After eleven intervals in a row that differ too much, the next is taken for normal: a new rhythm.
    """
    times, kind = np.asarray(times_s, dtype=np.float64), np.asarray(usual, dtype=bool)
    if times.ndim != 1 or times.shape != kind.shape:
        raise DataError(f"times_s and usual must be one for each beat, got shapes {times.shape} and {kind.shape}")
    if not largest_deviation > 0:
        raise ParameterError(f"largest_deviation must be positive, got {largest_deviation!r}")
    intervals = np.diff(times)
    if not (np.isfinite(times).all() and (intervals >= 0).all()):
        raise DataError("beats must be in order of time, each at a finite one")
    plausible = kind[1:] & kind[:-1] & (intervals >= _SHORTEST_S) & (intervals <= _LONGEST_S)
    if not plausible.any():
        raise DataError(f"{len(times)} beats, and no interval of 0.3 to 2.4 s between two usual ones")
    filled, normal = _sort_out(intervals, plausible, float(largest_deviation))
    return np.stack([filled, normal], axis=1).astype(np.float32)


@njit(cache=True)
def _sort_out(intervals: Any, plausible: Any, largest: Any) -> Any:
    filled, normal = intervals.copy(), np.zeros(len(intervals))
    recent = np.zeros(_NEIGHBOURS)
    n_recent, n_refused = 0, 0
    last = intervals[np.argmax(plausible)]
    for k in range(len(intervals)):
        median = np.median(recent[: min(n_recent, _NEIGHBOURS)]) if n_recent else intervals[k]
        near = abs(intervals[k] - median) <= largest * median
        if plausible[k] and (near or n_refused >= _NEIGHBOURS):
            if n_refused >= _NEIGHBOURS:
                n_recent = 0
            recent[n_recent % _NEIGHBOURS] = intervals[k]
            n_recent, n_refused, last, normal[k] = n_recent + 1, 0, intervals[k], 1.0
        else:
            n_refused += plausible[k]
        filled[k] = last
    return filled, normal


@dataclass(frozen=True)
class BeatIntervals(Step):
    """A recording as the series of the intervals between its beats: an item, a step of it for each beat but the first.

    Parameters
    ----------
    classes : tuple of str
        Labels of the usual beats, after `Beats`: others, and the intervals at them, are not normal.
    largest_deviation : float [> 0]
        As of `beat_intervals`.

    Raises
    ------
    ParameterError
        When the deviation is not positive.
    """

    kind: ClassVar[str] = "windows"

    classes: tuple[str, ...] = ("N", DETECTED)
    largest_deviation: float = 0.25

    def __post_init__(self) -> None:
        if not self.largest_deviation > 0:
            raise ParameterError(f"largest_deviation must be positive, got {self.largest_deviation!r}")

    def __call__(self, recording: Recording) -> Windows:
        """Return one item of two columns; see `beat_intervals`.

        Raises
        ------
        DataError
            When there are fewer than two beats, or no interval is normal.
        """
        beats = recording.annotations
        if len(beats) < 2:
            raise DataError(
                f"{recording.id}: {len(beats)} beats make no interval; is Beats() missing among the events?"
            )
        usual = np.isin(beats.labels, self.classes)
        try:
            values = beat_intervals(beats.starts / recording.fs, usual, largest_deviation=self.largest_deviation)
        except DataError as error:
            raise DataError(f"{recording.id}: {error}") from error
        return Windows(
            values=values,
            offsets=np.array([0, len(values)]),
            columns=COLUMNS,
            rate_hz=None,
            subjects=np.array([recording.subject]),
            recordings=np.array([recording.id]),
            starts=beats.starts[1:2],
            fs=np.array([recording.fs]),
            positions=beats.starts[1:],
            unit="s",
        )
