"""The intervals between beats as signals: evenly sampled, with what is not known marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.beats import Beats

__all__ = ["CHANNELS", "RRSeries", "rr_series"]

Float64 = npt.NDArray[np.float64]

CHANNELS = ("rr", "known", "change")
UNITS = ("s", "1", "1")
_SHORTEST_S, _LONGEST_S = 0.3, 2.4
_NEIGHBOURS, _LARGEST_DEVIATION = 11, 0.25
_FEWEST = 2


def rr_series(times_s: npt.ArrayLike, *, duration_s: float, rate_hz: float = 4.0) -> npt.NDArray[np.float32]:
    """Return the intervals between beats at a rate of its own.

    Parameters
    ----------
    times_s : array_like [shape=(n,), unit=s]
        Instants of the beats, ascending.
    duration_s : float [unit=s]
        Length of the recording.
    rate_hz : float [unit=Hz]
        Samples a second; sample ``k`` stands for the time ``(k + 0.5) / rate_hz``.

    Returns
    -------
    np.ndarray [shape=(3, floor(duration_s * rate_hz)), dtype=float32]
        *rr* in seconds, a line from each accepted interval's end to the next one's; *known*, 1 where the time lies
        in an accepted interval; *change*, the logarithm of the interval that the time lies in over the one before
        it, 0 where one of the two is not accepted.

    Raises
    ------
    DataError
        When beats do not ascend, or fewer than two intervals are accepted.

    Notes
    -----
    An interval is accepted that lasts 0.3 to 2.4 s and differs by at most a quarter from the median of the eleven
    around it: premature, missed and false beats are left out alike, whether beats are annotated or detected.
    """
    times = np.asarray(times_s, dtype=np.float64)
    rr = np.diff(times)
    if (rr < 0).any():
        raise DataError("beats must be in order of time")
    accepted = _accepted(rr)
    if np.count_nonzero(accepted) < _FEWEST:
        raise DataError(f"{len(times)} beats in {duration_s:g} s give fewer than {_FEWEST} intervals to go by")
    at = (np.arange(int(duration_s * rate_hz)) + 0.5) / rate_hz
    interval = np.searchsorted(times, at, side="right") - 1
    inside = (interval >= 0) & (interval < len(rr))
    held = np.where(inside, interval, 0)
    return np.stack(
        [
            np.interp(at, times[1:][accepted], rr[accepted]),
            inside & accepted[held],
            np.where(inside, _changes(rr, accepted)[held], 0.0),
        ]
    ).astype(np.float32)


def _accepted(rr: Float64) -> npt.NDArray[np.bool_]:
    plausible = (rr >= _SHORTEST_S) & (rr <= _LONGEST_S)
    if not plausible.any():
        return plausible
    filled = np.where(plausible, rr, np.median(rr[plausible]))
    usual = ndimage.median_filter(filled, _NEIGHBOURS, mode="nearest")
    return np.asarray(plausible & (np.abs(rr - usual) <= _LARGEST_DEVIATION * usual))


def _changes(rr: Float64, accepted: npt.NDArray[np.bool_]) -> Float64:
    both = accepted & np.concatenate([[False], accepted[:-1]])
    change = np.zeros(len(rr))
    change[both] = np.log(rr[both] / rr[np.flatnonzero(both) - 1])
    return change


@dataclass(frozen=True)
class RRSeries(Beats):
    """Turn a recording into the series of its RR intervals; what it has of longer annotations is kept.

    Parameters
    ----------
    positions : {"auto", "annotated", "detected"}
        Where beats are taken from, as of `Beats`. A recording without channels must have them annotated.
    rate_hz : float [unit=Hz, > 0]
        Rate of the series.

    Raises
    ------
    ParameterError
        When the rate is not positive, or there are no such positions.
    """

    kind: ClassVar[str] = "event"

    rate_hz: float = 4.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rate_hz > 0:
            raise ParameterError(f"rate_hz must be positive, got {self.rate_hz!r}")

    def __call__(self, recording: Recording) -> Recording:
        """Return a recording of the channels *rr*, *known* and *change*; see `rr_series`.

        Raises
        ------
        DataError
            When there are no beats, or too few.
        """
        beats = super().__call__(recording)
        marks = recording.annotations
        try:
            series = rr_series(beats.annotations.starts / beats.fs, duration_s=beats.duration_s, rate_hz=self.rate_hz)
        except DataError as error:
            raise DataError(f"{recording.id}: {error}") from error
        long = marks[marks.stops > marks.starts].rescale(self.rate_hz / recording.fs)
        return Recording(
            series,
            self.rate_hz,
            CHANNELS,
            UNITS,
            id=recording.id,
            subject=recording.subject,
            annotations=long[long.starts < series.shape[1]],
            history=(*beats.history, f"RR intervals of {len(beats.annotations)} beats at {self.rate_hz:g} Hz"),
        )
