"""The rhythm around each beat: its RR intervals against the patient's own, as scalars of a run of beats."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from biosig_lstm.containers import Windows
from biosig_lstm.features._runs import add_beat_columns
from biosig_lstm.steps import Step

__all__ = ["COLUMNS", "RRIntervals", "rr_features"]

Float64 = npt.NDArray[np.float64]

COLUMNS = (
    "rr_before/local", "rr_after/local", "rr_before/local_slow", "rr_before/record", "rr_after/record",
    "rr_before/rr_after", "rr_before/previous", "rr_after/next", "local/record", "local_change", "record",
    "local_irregular", "wide_irregular", "wide_change", "rr_before/wide_slow", "local/wide_slow",
    "rr_before/local_mean", "rr_before/record_mean",
)  # fmt: skip

_SCALE = (4, 4, 4, 4, 4, 3, 3, 3, 4, 10, 2, 3, 3, 10, 4, 4, 4, 4)
_SHORTEST_S, _LONGEST_S = 0.2, 3.0
_USUAL_S = 0.8
_LOCAL, _WIDER, _WIDE = 16, 60, 120
_IRREGULAR = 0.1
_LIMIT = 4.0


def rr_features(times_s: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Return what the RR intervals say about each beat.

    Parameters
    ----------
    times_s : array_like [shape=(n,), unit=s]
        Instants of consecutive beats of one recording, ascending.

    Returns
    -------
    np.ndarray [shape=(n, 18), dtype=float32, range=[-4, 4]]
        The columns `COLUMNS`. A ratio ``a/b`` is the logarithm of one interval over the other; *local* is the median
        of 33 beats around, *local_mean* their mean, *local_slow* their 80th percentile, *wide_slow* the 70th
        percentile of 241 beats, *record* and *record_mean* the median and the mean of the recording (against 0.8 s
        where the median stands alone); *change* is the median, over 33 or 121 beats, of the absolute difference of
        successive logarithms, *irregular* the share of them above 0.1.

    Notes
    -----
    Ratios to the patient's own rhythm are what tells premature beats between patients (de Chazal, O'Dwyer and Reilly
    2004, doi:10.1109/TBME.2004.827359); logarithms make early and late symmetric. Intervals are limited to 0.2-3 s
    and each column is scaled to the order of one by a constant, so that nothing is learned from the data. Windows
    shrink in recordings of few beats and are mirrored at the ends. The interval before the first beat, and that after
    the last one, is taken to be the record's median; *previous* of the first beat and *next* of the last one are taken
    from the other end of the recording.
    """
    times = np.asarray(times_s, dtype=np.float64)
    if len(times) < 2:
        return np.zeros((len(times), len(COLUMNS)), dtype=np.float32)
    log_rr = np.log(np.clip(np.diff(times), _SHORTEST_S, _LONGEST_S))
    record = float(np.median(log_rr))
    before, after = np.append(record, log_rr), np.append(log_rr, record)
    local = _percentile(before, _LOCAL, 0.5)
    wide_slow = _percentile(before, _WIDE, 0.7)
    change = np.abs(np.diff(before, prepend=before[0]))
    irregular = (change > _IRREGULAR).astype(np.float64)
    columns = (
        before - local, after - local, before - _percentile(before, _LOCAL, 0.8), before - record, after - record,
        before - after, before - np.roll(before, 1), after - np.roll(after, -1), local - record,
        _percentile(change, _LOCAL, 0.5), np.full(len(before), record - np.log(_USUAL_S)),
        _mean(irregular, _LOCAL), _mean(irregular, _WIDER), _percentile(change, _WIDER, 0.5),
        before - wide_slow, local - wide_slow,
        before - np.log(_mean(np.exp(before), _LOCAL)), before - np.log(np.mean(np.exp(before))),
    )  # fmt: skip
    scaled = np.stack(columns, axis=1) * np.array(_SCALE, dtype=np.float64)
    limited: npt.NDArray[np.float32] = np.clip(scaled, -_LIMIT, _LIMIT).astype(np.float32)
    return limited


def _reach(values: Float64, beats: int) -> int:
    return max(min(beats, (len(values) - 1) // 2 - 1), 0)


def _percentile(values: Float64, beats: int, share: float) -> Float64:
    size = 2 * _reach(values, beats) + 1
    found: Float64 = ndimage.rank_filter(values, int(share * size), size=size, mode="mirror")
    return found


def _mean(values: Float64, beats: int) -> Float64:
    found: Float64 = ndimage.uniform_filter1d(values, 2 * _reach(values, beats) + 1, mode="mirror")
    return found


@dataclass(frozen=True)
class RRIntervals(Step):
    """Add the columns of `rr_features` to runs of beats.

    Apply it to whole recordings, before they are cut into runs: the first beat of a run has a past.
    """

    kind: ClassVar[str] = "feature"

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 18 further columns.

        Raises
        ------
        DataError
            When the steps are not events: they have no positions.
        """
        return add_beat_columns(windows, COLUMNS, rr_features, needs="RR intervals need")
