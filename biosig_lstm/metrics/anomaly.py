"""Scores of what finds anomalies: ranking of windows, alarms at a stated rate of false ones, delays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics.classification import roc_auc
from biosig_lstm.metrics.intervals import Interval, intervals_by_subject
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.seizures import SeizureRules, seizure_scores

__all__ = [
    "Alarms",
    "alarm_events",
    "alarm_scores",
    "alarm_threshold",
    "anomaly_scores",
    "average_precision",
    "ranking_differences",
]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_HOUR_S, _HOURS_A_DAY = 3600.0, 24.0
_BINS = 512
_NEAR_S = 1e-6
_CLASSES = ("anomaly", "normal")
_LONGEST_S = 1e9


class Alarms(NamedTuple):
    """Stretches in which scores exceed a threshold.

    Attributes
    ----------
    starts_s, stops_s : np.ndarray [shape=(k,), unit=s]
        Ascending.
    peaks : np.ndarray [shape=(k,)]
        Highest score of each.
    rows : np.ndarray of int [shape=(k,)]
        Which of the windows begins each.
    """

    starts_s: Float64
    stops_s: Float64
    peaks: Float64
    rows: Int64


def alarm_events(
    scores: npt.ArrayLike,
    starts_s: npt.ArrayLike,
    stops_s: npt.ArrayLike,
    *,
    threshold: float,
    recordings: npt.ArrayLike | None = None,
    merge_s: float = 0.0,
) -> Alarms:
    """Join windows whose score exceeds a threshold into alarms.

    Parameters
    ----------
    scores : array_like [shape=(n,)]
        The higher, the stranger.
    starts_s, stops_s : array_like [shape=(n,), unit=s]
        Where each window lies.
    threshold : float
        A higher score alarms.
    recordings : array_like of str [shape=(n,)], optional
        Whose windows these are; alarms do not reach from one recording into another. One recording by default.
    merge_s : float [unit=s, >= 0]
        Windows that lie no further apart are one alarm; those that touch or overlap always are.

    Returns
    -------
    Alarms
        By recording, then by time.

    Examples
    --------
    >>> alarm_events([1, 5, 6, 1, 7], [0, 1, 2, 3, 4], [1, 2, 3, 4, 5], threshold=4).starts_s.tolist()
    [1.0, 4.0]
    """
    values, begin, end, which = _checked(scores, starts_s, stops_s, recordings)
    rows = np.flatnonzero(values > threshold)
    rows = rows[np.lexsort((begin[rows], which[rows]))]
    first = _firsts(begin[rows], end[rows], which[rows], merge_s=merge_s)
    if not len(rows):
        return Alarms(np.zeros(0), np.zeros(0), np.zeros(0), rows)
    at = np.flatnonzero(first)
    stops, peaks = np.maximum.reduceat(end[rows], at), np.maximum.reduceat(values[rows], at)
    return Alarms(begin[rows[at]], stops, peaks, rows[at])


def _firsts(begin: Float64, end: Float64, which: Int64, *, merge_s: float) -> npt.NDArray[np.bool_]:
    """Return which of sorted windows begins an alarm."""
    shift = which * (max(float(end.max(initial=0.0)), 0.0) + merge_s + 1.0)
    reach = np.maximum.accumulate(end + shift)
    apart = np.ones(len(begin), dtype=bool)
    apart[1:] = (begin + shift)[1:] > reach[:-1] + merge_s + _NEAR_S
    apart[1:] |= which[1:] != which[:-1]
    return apart


def alarm_threshold(
    scores: npt.ArrayLike,
    starts_s: npt.ArrayLike,
    stops_s: npt.ArrayLike,
    *,
    false_alarms_per_h: float,
    recordings: npt.ArrayLike | None = None,
    merge_s: float = 0.0,
) -> float:
    """Return the threshold that normal signal exceeds no more often than so many times an hour.

    Parameters
    ----------
    scores, starts_s, stops_s, recordings, merge_s
        As of `alarm_events`, of normal windows alone.
    false_alarms_per_h : float [unit=1/h, > 0]
        Alarms allowed for each hour that the windows cover.

    Returns
    -------
    float
        One of the scores: alarms are what exceeds it. Just below the least where all may alarm.

    Raises
    ------
    DataError
        When there is no window.
    ParameterError
        When the rate is not positive.

    Examples
    --------
    >>> starts = np.arange(3600.0)
    >>> scores = np.random.default_rng(0).normal(size=3600)
    >>> limit = alarm_threshold(scores, starts, starts + 1, false_alarms_per_h=5)
    >>> len(alarm_events(scores, starts, starts + 1, threshold=limit).starts_s)
    5
    """
    values, begin, end, which = _checked(scores, starts_s, stops_s, recordings)
    if not false_alarms_per_h > 0:
        raise ParameterError(f"false_alarms_per_h must be positive, got {false_alarms_per_h}")
    if not len(values):
        raise DataError("no threshold without normal windows: none came")
    allowed = int(false_alarms_per_h * covered_h(begin, end, which))
    levels = np.unique(values)[::-1]

    def alarms(level: float) -> int:
        made = alarm_events(values, begin, end, threshold=level, recordings=which, merge_s=merge_s)
        return len(made.starts_s)

    low, high = 0, len(levels)
    lowest = float(np.nextafter(levels[-1], -np.inf))
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if alarms(float(levels[middle])) <= allowed else (low, middle)
    if high == len(levels) and alarms(lowest) <= allowed:
        return lowest
    return float(levels[low])


def covered_h(begin: Float64, end: Float64, which: Int64) -> float:
    """Return how many hours windows cover, overlaps counted once."""
    order = np.lexsort((begin, which))
    begin, end, which = begin[order], end[order], which[order]
    following = np.append(begin[1:], np.inf)
    following[:-1][which[1:] != which[:-1]] = np.inf
    return float(np.maximum(np.minimum(end, following) - begin, 0.0).sum() / _HOUR_S)


def _checked(
    scores: npt.ArrayLike, starts_s: npt.ArrayLike, stops_s: npt.ArrayLike, recordings: npt.ArrayLike | None
) -> tuple[Float64, Float64, Float64, Int64]:
    values, begin, end = (np.asarray(x, dtype=np.float64).reshape(-1) for x in (scores, starts_s, stops_s))
    names = np.zeros(len(values)) if recordings is None else np.asarray(recordings)
    if not len(values) == len(begin) == len(end) == len(names):
        raise DataError(f"{len(values)} scores need as many starts, stops and recordings, got {len(begin)}, {len(end)}")
    if np.isnan(values).any() or (end < begin).any():
        raise DataError("a score is not a number, or a window ends before it begins")
    _, which = np.unique(names, return_inverse=True)
    return values, begin, end, which.astype(np.int64)


def average_precision(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the area under precision against recall, by steps.

    Parameters
    ----------
    truth : array_like of bool or 0/1 [shape=(n,)]
        Whether each window is anomalous.
    score : array_like [shape=(n,)]
        The higher, the stranger; those alike are taken together.

    Returns
    -------
    float [range=0 to 1]
        NaN where nothing is anomalous. A score that says nothing reaches the share of anomalous windows.

    Raises
    ------
    DataError
        When the lengths differ or a score is not finite.

    Notes
    -----
    ``sum((recall[n] - recall[n - 1]) * precision[n])`` over descending thresholds, as in scikit-learn's
    ``average_precision_score``.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 3)
    0.833
    """
    positive = np.asarray(truth).reshape(-1).astype(bool)
    values = np.asarray(score, dtype=np.float64).reshape(-1)
    if len(positive) != len(values) or not np.isfinite(values).all():
        raise DataError(f"{len(positive)} labels need as many finite scores, got {int(np.isfinite(values).sum())}")
    levels, at = np.unique(-values, return_inverse=True)
    counts = np.stack([np.bincount(at[chosen], minlength=len(levels)) for chosen in (positive, ~positive)])
    return float(_precision_area(counts.astype(np.float64)[None])[0])


def anomaly_scores(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score how well windows are ranked.

    Parameters
    ----------
    truth : array_like of bool or 0/1 [shape=(n,)]
        Whether each window is anomalous.
    scores : array_like [shape=(n,)]
        The higher, the stranger.
    subjects : array_like of str [shape=(n,)]
        Whose each window is.
    seed, n_resamples, confidence
        Of the intervals; see `biosig_lstm.metrics.bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``auroc`` and ``average_precision`` of all windows together; their intervals are taken on 512 levels of the
        score. ``prevalence``: the share of anomalous windows, which a score that says nothing has as its average
        precision. The confusion counts windows of each subject as all taken for normal.

    Raises
    ------
    DataError
        When the lengths differ, nothing is there or a score is not finite.
    """
    ids, counts, exact = _ranked(truth, scores, subjects)
    found = intervals_by_subject(counts, _rankings, seed=seed, n_resamples=n_resamples, confidence=confidence)
    found |= {name: _with_value(found[name], value) for name, value in exact.items()}
    held = counts.sum(axis=2).astype(np.int64)
    tables = {who: np.array([[0, n[0]], [0, n[1]]]) for who, n in zip(ids.tolist(), held, strict=True)}
    return Scores(found, _CLASSES, tables, confidence)


def _ranked(
    truth: npt.ArrayLike, scores: npt.ArrayLike, subjects: npt.ArrayLike
) -> tuple[npt.NDArray[np.str_], Float64, dict[str, float]]:
    """Return the names of subjects, their counts by level of the score, and the exact figures of all together."""
    positive = np.asarray(truth).reshape(-1).astype(bool)
    values, names = np.asarray(scores, dtype=np.float64).reshape(-1), np.asarray(subjects, dtype=np.str_).reshape(-1)
    if not len(positive) == len(values) == len(names) or not len(values):
        raise DataError(f"one or more windows with truth, score and subject each, got {len(positive)}, {len(values)}")
    exact = {"auroc": roc_auc(positive, values), "average_precision": average_precision(positive, values)}
    ids, whose = np.unique(names, return_inverse=True)
    return ids, _by_level(positive, values, whose), exact


def _with_value(found: Interval, value: float) -> Interval:
    """Return an interval that was taken on levels with the exact value, and wide enough to hold it."""
    return replace(found, value=value, low=min(found.low, value), high=max(found.high, value))


def _by_level(positive: npt.NDArray[np.bool_], values: Float64, whose: Int64) -> Float64:
    """Return how many of each subject are positive and negative at each level of the score, highest first."""
    edges = np.unique(np.quantile(values, np.arange(1, _BINS) / _BINS))
    bins = len(edges) - np.searchsorted(edges, values, side="left")
    counts = np.zeros((int(whose.max()) + 1, 2, _BINS))
    np.add.at(counts, (whose, np.where(positive, 0, 1), bins), 1)
    return counts


def ranking_differences(
    truth: npt.ArrayLike,
    scores: npt.ArrayLike,
    others: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> dict[str, Interval]:
    """Return by how much one score ranks the same windows of the same people better than another.

    Two intervals that overlap say little of two methods that were tested on the same people: who is hard for one is
    mostly hard for the other. The difference is therefore taken in each draw of people.

    Parameters
    ----------
    truth : array_like of bool or 0/1 [shape=(n,)]
        Whether each window is anomalous.
    scores, others : array_like [shape=(n,)]
        Of the two methods; the higher, the stranger.
    subjects : array_like of str [shape=(n,)]
        Whose each window is.
    seed, n_resamples, confidence
        Of the intervals; see `biosig_lstm.metrics.bootstrap_by_subject`.

    Returns
    -------
    dict of str to Interval
        ``auroc`` and ``average_precision``, that of `scores` less that of `others`; intervals on 512 levels of each.

    Raises
    ------
    DataError
        As `anomaly_scores`.

    Examples
    --------
    >>> found = ranking_differences([0, 1, 0, 1], [1, 2, 1, 2], [2, 1, 1, 2], ["a", "a", "b", "b"])
    >>> found["auroc"].value
    0.5
    """
    (_, first, one), (_, second, other) = (_ranked(truth, each, subjects) for each in (scores, others))

    def differences(drawn: Float64) -> Mapping[str, Float64]:
        mine, theirs = _rankings(drawn[:, 0]), _rankings(drawn[:, 1])
        return {name: mine[name] - theirs[name] for name in one}

    both = np.stack([first, second], axis=1)
    found = intervals_by_subject(both, differences, seed=seed, n_resamples=n_resamples, confidence=confidence)
    return {name: _with_value(at, one[name] - other[name]) for name, at in found.items()}


def _rankings(counts: Float64) -> Mapping[str, Float64]:
    """Return rankings of counts (r, 2, levels): positives and negatives by descending score."""
    n_positive, n_negative = (counts[:, k].sum(axis=1) for k in (0, 1))
    below = n_negative[:, None] - np.cumsum(counts[:, 1], axis=1)
    wins = (counts[:, 0] * (below + counts[:, 1] / 2)).sum(axis=1)
    pairs, total = n_positive * n_negative, n_positive + n_negative
    return {
        "auroc": np.divide(wins, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0),
        "average_precision": _precision_area(counts),
        "prevalence": np.divide(n_positive, total, out=np.full(len(total), np.nan), where=total > 0),
    }


def _precision_area(counts: Float64) -> Float64:
    hits, said = np.cumsum(counts[:, 0], axis=1), np.cumsum(counts.sum(axis=1), axis=1)
    precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
    n_positive = hits[:, -1]
    area = (counts[:, 0] * precision).sum(axis=1)
    found: Float64 = np.divide(area, n_positive, out=np.full(len(area), np.nan), where=n_positive > 0)
    return found


def alarm_scores(
    reference: Sequence[npt.ArrayLike],
    detected: Sequence[npt.ArrayLike],
    subjects: Sequence[str],
    *,
    duration_s: Sequence[float],
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score alarms along recordings.

    Parameters
    ----------
    reference, detected : sequence of array_like [length=recordings]
        Onset and end in seconds of each true event, and of each alarm, shape (n, 2).
    subjects : sequence of str [length=recordings]
        Whose each recording is.
    duration_s : sequence of float [length=recordings]
        Length of each.
    seed, n_resamples, confidence
        Of the intervals; see `biosig_lstm.metrics.bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``event_se``: share of events that an alarm overlaps; ``event_pp``; ``false_alarms_per_h``: alarms that overlap
        no event, for each hour recorded; ``delay_s_mean`` and ``delay_s_median`` of events that were found: from the
        onset to the beginning of the first alarm in it, nought where that began before. The confusion counts seconds.

    Raises
    ------
    DataError
        As `biosig_lstm.metrics.seizure_scores`, whose counting this is, without tolerances.
    """
    rules = SeizureRules(before_s=0.0, after_s=0.0, merge_s=0.0, longest_s=_LONGEST_S)
    made = seizure_scores(
        reference,
        detected,
        subjects,
        duration_s=duration_s,
        rules=rules,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
    )
    daily = made["false_alarms_per_day"]
    hourly = {name: value / _HOURS_A_DAY for name, value in vars(daily).items()}
    metrics = {name: made[name] for name in ("event_se", "event_pp", "delay_s_mean", "delay_s_median")}
    return Scores(metrics | {"false_alarms_per_h": replace(daily, **hourly)}, _CLASSES, made.per_subject, confidence)
