"""Heart rate variability in the time domain."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from biosig_lstm.features._hrv_intervals import Series, series

__all__ = ["TIME_DOMAIN", "time_domain"]

Float64 = npt.NDArray[np.float64]

TIME_DOMAIN = {
    "mean_nn": "ms", "sdnn": "ms", "sdann": "ms", "sdnn_index": "ms", "rmssd": "ms", "sdsd": "ms",
    "nn50": "1", "pnn50": "%", "nn20": "1", "pnn20": "%", "cvnn": "1", "cvsd": "1",
    "median_nn": "ms", "mad_nn": "ms", "iqr_nn": "ms", "min_nn": "ms", "max_nn": "ms",
    "hr_mean": "bpm", "hr_min": "bpm", "hr_max": "bpm", "hrv_triangular_index": "1", "tinn": "ms",
}  # fmt: skip
"""Columns of `time_domain` and their units."""

_SEGMENT_S, _MARGIN = 300.0, 1e-9
_BIN_MS = 1000 / 128
_NORMAL_CONSISTENT = 1.4826


def time_domain(nn_ms: npt.ArrayLike, *, times_s: npt.ArrayLike | None = None) -> dict[str, float]:
    """Return the measures of the time domain.

    Parameters
    ----------
    nn_ms : array_like [shape=(n,), unit=ms]
        Consecutive intervals between beats, NaN where one is not NN.
    times_s : array_like [shape=(n,), unit=s], optional
        When each interval ends. Where none are given each begins where the last one ends, and one that is NaN lasts
        as long as the median.

    Returns
    -------
    dict of str to float
        The columns `TIME_DOMAIN`; NaN where there are too few intervals.

    Raises
    ------
    DataError
        When intervals are not between 0 and a minute, look like seconds, or their times do not ascend.

    Notes
    -----
    Names and definitions are those of the Task Force (Circulation 93:1043-1065, 1996, table 1). Standard deviations
    divide by n - 1. Differences are those between NN intervals that follow each other; *nn50* counts those above
    50 ms, up and down, and *pnn50* is its share of the number of differences plus one, which is the number of
    intervals where none is missing. *sdann* and *sdnn_index* are the standard deviation of the means and the mean of
    the standard deviations of whole segments of 5 minutes with two NN intervals or more, from two segments on; an
    interval belongs to the segment that it ends in.
    *mad_nn* is the median absolute deviation times 1.4826. *hr_mean* is that of the mean interval; *hr_min* and
    *hr_max* are those of single ones. The histogram of *hrv_triangular_index* and *tinn* has bins of 1/128 s from
    zero on; the triangle of *tinn* is the best one by least squares over the whole histogram, its foot at least one
    bin from its top.

    Examples
    --------
    >>> found = time_domain([800, 810, 790, 900, 800])
    >>> round(found["mean_nn"], 1), round(found["rmssd"], 1), found["nn50"]
    (820.0, 75.2, 2.0)
    """
    intervals = series(nn_ms, times_s)
    nn, change = intervals.known.nn_ms, intervals.changes_ms
    columns = dict.fromkeys(TIME_DOMAIN, np.nan)
    if len(nn):
        columns |= _levels(nn)
    if len(nn) >= 2:
        columns |= _spread(nn) | _long_term(intervals) | _geometric(nn)
    if len(change):
        columns |= _differences(change)
        columns["cvsd"] = columns["rmssd"] / columns["mean_nn"]
    return {name: float(value) for name, value in columns.items()}


def _levels(nn: Float64) -> dict[str, float]:
    low, mean, high = float(nn.min()), float(nn.mean()), float(nn.max())
    rates = {"hr_mean": 60000 / mean, "hr_min": 60000 / high, "hr_max": 60000 / low}
    return {"mean_nn": mean, "median_nn": float(np.median(nn)), "min_nn": low, "max_nn": high, **rates}


def _spread(nn: Float64) -> dict[str, float]:
    sdnn = float(nn.std(ddof=1))
    upper, lower = np.percentile(nn, [75, 25])
    deviation = float(np.median(np.abs(nn - np.median(nn))))
    return {
        "sdnn": sdnn,
        "cvnn": sdnn / float(nn.mean()),
        "mad_nn": _NORMAL_CONSISTENT * deviation,
        "iqr_nn": float(upper - lower),
    }


def _differences(change: Float64) -> dict[str, float]:
    nn50, nn20 = (float(np.count_nonzero(np.abs(change) > limit)) for limit in (50, 20))
    share = 100 / (len(change) + 1)
    return {
        "rmssd": float(np.sqrt(np.mean(change**2))),
        "sdsd": float(change.std(ddof=1)) if len(change) > 1 else np.nan,
        "nn50": nn50,
        "pnn50": nn50 * share,
        "nn20": nn20,
        "pnn20": nn20 * share,
    }


def _long_term(intervals: Series) -> dict[str, float]:
    nn, times = intervals.known
    elapsed_s = times - times[0] + nn[0] / 1000
    segment = np.ceil(elapsed_s / _SEGMENT_S - _MARGIN) - 1
    cuts = np.flatnonzero(np.diff(segment)) + 1
    parts = zip(np.split(segment, cuts), np.split(nn, cuts), strict=True)
    n_whole = np.floor(intervals.span_s / _SEGMENT_S + _MARGIN)
    whole = [part for places, part in parts if len(part) >= 2 and places[0] < n_whole]
    if len(whole) < 2:
        return {}
    means, deviations = np.array([(part.mean(), part.std(ddof=1)) for part in whole]).T
    return {"sdann": float(means.std(ddof=1)), "sdnn_index": float(deviations.mean())}


def _geometric(nn: Float64) -> dict[str, float]:
    bins = (nn / _BIN_MS).astype(np.int64)
    first = int(bins.min()) - 1
    heights = np.bincount(bins - first, minlength=int(bins.max()) - first + 2).astype(np.float64)
    top = int(heights.argmax())
    width = _foot(heights[: top + 1][::-1]) + _foot(heights[top:])
    return {"hrv_triangular_index": len(nn) / float(heights[top]), "tinn": width * _BIN_MS}


def _foot(heights: Float64) -> int:
    """Return how many bins from the top (the first one) a side of the triangle of least squared error ends.

    With line ``top * (1 - j / k)`` up to bin k and nothing beyond, the error is that of no triangle at all, less
    twice its product with the heights, plus its own square: sums that grow bin by bin.
    """
    k = np.arange(1, len(heights))
    top, j = heights[0], np.arange(len(heights))
    product = top * (np.cumsum(heights)[:-1] - np.cumsum(j * heights)[:-1] / k)
    square = top**2 * (k + 1) * (2 * k + 1) / (6 * k)
    return int(np.argmin(square - 2 * product)) + 1
