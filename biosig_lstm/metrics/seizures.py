"""Scores of seizures found along recordings, by event and by second, with the event rules of SzCORE."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics.intervals import intervals_by_subject
from biosig_lstm.metrics.result import Scores

__all__ = ["SZCORE", "SeizureCounts", "SeizureRules", "SeizureScores", "seizure_counts", "seizure_scores"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Spans = list[tuple[int, int]]

_GRID_HZ = 10
_DAY_S = 86400.0
_CLASSES = ("seizure", "background")
_OF_SUBJECTS = "_mean_of_subjects"
_COUNTS = ("seizures", "found", "false_alarms", "days", "both", "missed", "extra", "delay", "delays")


@dataclass(frozen=True)
class SeizureRules:
    """What counts as one event, and as found.

    Parameters
    ----------
    before_s, after_s : float [unit=s, >= 0]
        A detection may begin so long before a seizure, or end so long after it, and is no false alarm.
    merge_s : float [unit=s, >= 0]
        Events that lie less apart are one.
    longest_s : float [unit=s, > 0]
        Longer events are split into pieces of this length.
    """

    before_s: float = 30.0
    after_s: float = 60.0
    merge_s: float = 90.0
    longest_s: float = 300.0

    def __post_init__(self) -> None:
        if not all(0 <= x < math.inf for x in vars(self).values()) or self.longest_s < 1 / _GRID_HZ:
            raise ParameterError(f"times of the rules must be finite, 0 s or more, the longest above 0, got {self!r}")


SZCORE = SeizureRules()
"""The rules of SzCORE: any overlap, 30 s before, 60 s after, merged below 90 s, split above 5 min."""


class SeizureCounts(NamedTuple):
    """What seizures that were found in a recording have in common with those of an expert.

    Attributes
    ----------
    seizures, found : int
        Events of the expert, after merging and splitting, and those of them that a detection overlaps.
    alarms, false_alarms : int
        Detections, after merging and splitting, and those that overlap no event that was found.
    seconds : np.ndarray of int [shape=(2, 2), unit=s]
        Whole seconds: rows seizure and background by the expert, columns by the detections.
    delays_s : np.ndarray of float [shape=(k,), unit=s]
        Of each merged seizure that was found: from its onset to the first moment of a detection in it or in the time
        around it that the rules allow, so no less than ``-before_s``.
    duration_s : float
        Of the recording.
    """

    seizures: int
    found: int
    alarms: int
    false_alarms: int
    seconds: Int64
    delays_s: Float64
    duration_s: float


def seizure_counts(
    reference: npt.ArrayLike, detected: npt.ArrayLike, *, duration_s: float, rules: SeizureRules = SZCORE
) -> SeizureCounts:
    """Count what detections in a recording have in common with an expert's seizures.

    Parameters
    ----------
    reference, detected : array_like [shape=(n, 2), unit=s]
        Onset and end of each event, in any order; those that overlap are one.
    duration_s : float [unit=s, > 0]
        Length of the recording.
    rules : SeizureRules
        What is one event, and what is found.

    Returns
    -------
    SeizureCounts
        By event and by second.

    Raises
    ------
    DataError
        When an event ends before it begins, or lies outside of the recording.

    Notes
    -----
    Dan et al. 2024, *SzCORE: Seizure Community Open-Source Research Evaluation framework*, Epilepsia
    (doi:10.1111/epi.18113), as the package ``timescoring`` has it: any overlap with the seizure, extended by the
    tolerances, finds it. Times are rounded to 0.1 s for events, to whole seconds for `seconds`.
    Deviations: events of one list that overlap are joined; there the end of the later one counts. Delays are not part
    of SzCORE.

    Examples
    --------
    >>> counts = seizure_counts([[100, 160]], [[110, 150], [1000, 1010]], duration_s=3600)
    >>> counts.found, counts.false_alarms, counts.delays_s.tolist(), counts.seconds.tolist()
    (1, 1, [10.0], [[40, 20], [10, 3530]])
    """
    expert, model = (_checked(events, duration_s) for events in (reference, detected))
    merged, alarms = (_merged(_grid(events, _GRID_HZ), round(rules.merge_s * _GRID_HZ)) for events in (expert, model))
    pieces, parts = (_split(spans, max(round(rules.longest_s * _GRID_HZ), 1)) for spans in (merged, alarms))
    reach = [_extended(span, rules) for span in pieces]
    found = [span for span in reach if _first_over(parts, span)]
    return SeizureCounts(
        seizures=len(pieces),
        found=len(found),
        alarms=len(parts),
        false_alarms=sum(not _first_over(found, part) for part in parts),
        seconds=_seconds(expert, model, round(duration_s)),
        delays_s=np.array(_delays(merged, alarms, rules), dtype=np.float64) / _GRID_HZ,
        duration_s=duration_s,
    )


def _checked(events: npt.ArrayLike, duration_s: float) -> list[tuple[float, float]]:
    if not 0 < duration_s < math.inf:
        raise DataError(f"the recording must last a positive number of seconds, got {duration_s!r}")
    table = np.asarray(events, dtype=np.float64)
    if table.size and (table.ndim != 2 or table.shape[1] != 2):
        raise DataError(f"events must be rows of onset and end in seconds, got shape {table.shape}")
    spans = [(onset, end) for onset, end in table.reshape(-1, 2).tolist()]
    for onset, end in spans:
        if not 0 <= onset <= end <= duration_s:
            raise DataError(f"event from {onset:g} to {end:g} s must end after it begins, within 0 to {duration_s:g} s")
    return spans


def _grid(events: list[tuple[float, float]], rate_hz: int) -> Spans:
    edges = ((round(onset * rate_hz), round(end * rate_hz)) for onset, end in events)
    return sorted((start, stop) for start, stop in edges if stop > start)


def _merged(spans: Spans, gap: int) -> Spans:
    """Return sorted spans with those joined that overlap, touch, or lie less than a gap apart."""
    joined: Spans = []
    for start, stop in spans:
        if joined and start - joined[-1][1] < max(gap, 1):
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def _split(spans: Spans, longest: int) -> Spans:
    return [(at, min(at + longest, stop)) for start, stop in spans for at in range(start, stop, longest)]


def _extended(span: tuple[int, int], rules: SeizureRules) -> tuple[int, int]:
    before, after = round(rules.before_s * _GRID_HZ), round(rules.after_s * _GRID_HZ)
    return max(span[0] - before, 0), span[1] + after


def _first_over(spans: Spans, span: tuple[int, int]) -> Spans:
    """Return the first of the spans, whose starts and stops ascend, that overlaps another, or nothing."""
    first = bisect_right(spans, span[0], key=itemgetter(1))
    return spans[first : first + 1] if first < len(spans) and spans[first][0] < span[1] else []


def _delays(seizures: Spans, alarms: Spans, rules: SeizureRules) -> list[int]:
    reaches = [_extended(span, rules) for span in seizures]
    return [
        max(alarm[0], reach[0]) - seizure[0]
        for seizure, reach in zip(seizures, reaches, strict=True)
        for alarm in _first_over(alarms, reach)
    ]


def _seconds(expert: list[tuple[float, float]], model: list[tuple[float, float]], n: int) -> Int64:
    true, said = (_merged(_grid(events, 1), 0) for events in (expert, model))
    lengths = [sum(min(stop, n) - start for start, stop in spans) for spans in (true, said)]
    both = sum(max(min(b, d, n) - max(a, c), 0) for a, b in true for c, d in said)
    missed, extra = lengths[0] - both, lengths[1] - both
    return np.array([[both, missed], [extra, n - both - missed - extra]], dtype=np.int64)


@dataclass(frozen=True, eq=False, repr=False)
class SeizureScores(Scores):
    """Scores of seizures; the confusion of each subject counts seconds.

    Parameters
    ----------
    metrics, classes, per_subject, confidence, variants
        As of `Scores`; metrics as `seizure_scores` says.
    by_subject : mapping of str to mapping of str to float
        Metrics of each subject alone, NaN where there is nothing to divide by, and how many ``seizures`` it has, how
        many were ``found``, how many ``false_alarms`` there were, in how many ``days``.
    """

    by_subject: Mapping[str, Mapping[str, float]] = field(default_factory=dict, kw_only=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values; what is undefined is None."""
        events = {
            name: {key: None if math.isnan(x) else x for key, x in values.items()}
            for name, values in self.by_subject.items()
        }
        return super().to_dict() | {"events": events}


def seizure_scores(
    reference: Sequence[npt.ArrayLike],
    detected: Sequence[npt.ArrayLike],
    subjects: Sequence[str],
    *,
    duration_s: Sequence[float],
    rules: SeizureRules = SZCORE,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> SeizureScores:
    """Score the seizures found in many recordings.

    Parameters
    ----------
    reference, detected : sequence of array_like [length=recordings]
        Onset and end in seconds of each event of each recording, shape (n, 2).
    subjects : sequence of str [length=recordings]
        Whose each recording is.
    duration_s : sequence of float [length=recordings]
        Length of each.
    rules : SeizureRules
        What is one event, and what is found.
    seed, n_resamples, confidence
        Of the intervals; see `biosig_lstm.metrics.bootstrap_by_subject`.

    Returns
    -------
    SeizureScores
        Of all recordings together: ``event_se``, ``event_pp`` and ``event_f1`` of events, ``false_alarms_per_day``,
        ``delay_s_mean`` and ``delay_s_median`` of seizures that were found, ``sample_se``, ``sample_pp`` and
        ``sample_f1`` of seconds. Then each as the mean over the subjects for whom it is defined, as SzCORE gives them,
        under ``<metric>_mean_of_subjects``; `SeizureScores.by_subject` has them of each.

    Raises
    ------
    DataError
        When the lists differ in length or are empty, or as `seizure_counts`; the message says of which recording.

    Notes
    -----
    See `seizure_counts` for the rules. Precision is, as in SzCORE, found seizures over these and false alarms: several
    detections in one seizure count once.

    Examples
    --------
    >>> expert, model = [[[100, 160]], []], [[[110, 150]], [[5, 20]]]
    >>> scores = seizure_scores(expert, model, ["chb01", "chb02"], duration_s=[43200, 43200])
    >>> scores["event_se"].value, scores["false_alarms_per_day"].value, scores["delay_s_median"].value
    (1.0, 1.0, 10.0)
    """
    if not len(reference) == len(detected) == len(subjects) == len(duration_s) or not len(reference):
        raise DataError(f"one or more recordings with reference, events, subject and length each, got {len(reference)}")
    counts = [
        _counted(place, *events, rules=rules)
        for place, events in enumerate(zip(reference, detected, duration_s, strict=True))
    ]
    ids, whose = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    delays = np.unique(np.concatenate([one.delays_s for one in counts]))
    rows = np.zeros((len(ids), len(_COUNTS) + len(delays)))
    seconds = np.zeros((len(ids), 2, 2), dtype=np.int64)
    for at, one in zip(whose.tolist(), counts, strict=True):
        rows[at] += _row(one, delays)
        seconds[at] += one.seconds
    alone = _metrics(rows, delays)
    table = np.concatenate([rows, _defined(alone)], axis=1)
    statistics = partial(_pooled_and_mean, delays=delays, names=tuple(alone))
    return SeizureScores(
        intervals_by_subject(table, statistics, seed=seed, n_resamples=n_resamples, confidence=confidence),
        _CLASSES,
        dict(zip(ids.tolist(), seconds, strict=True)),
        confidence,
        ("", _OF_SUBJECTS),
        by_subject={name: _alone(alone, rows[k], k) for k, name in enumerate(ids.tolist())},
    )


def _defined(metrics: Mapping[str, Float64]) -> Float64:
    """Return for each subject its metrics, 0 where undefined, then 1 or 0 for whether they are defined."""
    values = np.stack(list(metrics.values()), axis=-1)
    known = ~np.isnan(values)
    return np.concatenate([np.where(known, values, 0.0), known], axis=1)


def _pooled_and_mean(sums: Float64, *, delays: Float64, names: Sequence[str]) -> Mapping[str, Float64]:
    counted, values, known = np.split(sums, [-2 * len(names), -len(names)], axis=-1)
    means = _ratio(values, known)
    return _metrics(counted, delays) | {f"{name}{_OF_SUBJECTS}": means[..., k] for k, name in enumerate(names)}


def _counted(
    place: int, reference: npt.ArrayLike, detected: npt.ArrayLike, duration_s: float, *, rules: SeizureRules
) -> SeizureCounts:
    try:
        return seizure_counts(reference, detected, duration_s=duration_s, rules=rules)
    except DataError as error:
        raise DataError(f"recording {place}: {error}") from error


def _row(one: SeizureCounts, delays: Float64) -> Float64:
    (both, missed), (extra, _) = one.seconds.tolist()
    histogram = np.bincount(np.searchsorted(delays, one.delays_s), minlength=len(delays))
    days = one.duration_s / _DAY_S
    first = [
        one.seizures,
        one.found,
        one.false_alarms,
        days,
        both,
        missed,
        extra,
        one.delays_s.sum(),
        len(one.delays_s),
    ]
    return np.concatenate([first, histogram]).astype(np.float64)


def _metrics(rows: Float64, delays: Float64) -> dict[str, Float64]:
    n = {name: rows[..., k] for k, name in enumerate(_COUNTS)}
    return {
        "event_se": _ratio(n["found"], n["seizures"]),
        "event_pp": _ratio(n["found"], n["found"] + n["false_alarms"]),
        "event_f1": _ratio(2 * n["found"], n["found"] + n["false_alarms"] + n["seizures"]),
        "false_alarms_per_day": _ratio(n["false_alarms"], n["days"]),
        "delay_s_mean": _ratio(n["delay"], n["delays"]),
        "delay_s_median": _median(rows[..., len(_COUNTS) :], delays),
        "sample_se": _ratio(n["both"], n["both"] + n["missed"]),
        "sample_pp": _ratio(n["both"], n["both"] + n["extra"]),
        "sample_f1": _ratio(2 * n["both"], 2 * n["both"] + n["missed"] + n["extra"]),
    }


def _median(histogram: Float64, values: Float64) -> Float64:
    """Return the median of values that come so often each, shape (..., values) to (...,)."""
    total = histogram.sum(axis=-1)
    if not len(values):
        return np.full(total.shape, np.nan)
    below = np.cumsum(histogram, axis=-1)
    low, high = ((below >= count[..., None]).argmax(axis=-1) for count in (np.ceil(total / 2), total // 2 + 1))
    return np.where(total > 0, (values[low] + values[high]) / 2, np.nan)


def _ratio(one: Float64, whole: Float64) -> Float64:
    ratio: Float64 = np.divide(one, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return ratio


def _alone(metrics: Mapping[str, Float64], row: Float64, subject: int) -> dict[str, float]:
    counts = dict(zip(_COUNTS[:4], row[:4].tolist(), strict=True))
    return counts | {name: float(values[subject]) for name, values in metrics.items()}
