"""Scores of detected instants, such as R-peaks, against those of an expert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics.classification import f1_score, positive_predictivity, sensitivity
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.summary import summarize

__all__ = ["EventMatch", "event_scores", "match_events"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_MOST_IN_REACH = 200_000_000
_SKIP_REFERENCE, _SKIP_DETECTED, _PAIR = 0, 1, 2


class EventMatch(NamedTuple):
    """Which events belong together: indices into the two lists that were matched.

    Attributes
    ----------
    pairs : np.ndarray of int [shape=(k, 2)]
        Index of the reference event and of the detected one.
    missed : np.ndarray of int
        Reference events without a detection.
    extra : np.ndarray of int
        Detections without a reference event.
    """

    pairs: Int64
    missed: Int64
    extra: Int64


def match_events(reference: npt.ArrayLike, detected: npt.ArrayLike, *, tolerance_samples: int) -> EventMatch:
    """Pair detected with reference events one to one, within a tolerance.

    As many pairs as can be, and among those matchings the one with the smallest sum of distances.

    Parameters
    ----------
    reference, detected : array_like of int [shape=(n,), shape=(m,), unit=samples]
        Instants, in any order.
    tolerance_samples : int [>= 0]
        Largest distance within a pair; 150 ms in ANSI/AAMI EC57 (54 samples at 360 Hz).

    Returns
    -------
    EventMatch
        ``(pairs, missed, extra)``, each in order of time.

    Raises
    ------
    ParameterError
        When the tolerance is negative, or so wide that nearly everything is in reach of everything.

    Notes
    -----
    EC57 (and ``bxb``) walk along both lists and pair the nearest; where two detections compete for one beat the
    outcome depends on the walk. Here the matching is the optimum itself, by dynamic programming over the band
    of pairs within the tolerance: an optimal matching of points on a line need not cross.

    Examples
    --------
    >>> match = match_events([100, 200, 300], [60, 102, 290, 400], tolerance_samples=54)
    >>> match.pairs.tolist(), match.missed.tolist(), match.extra.tolist()
    ([[0, 1], [2, 2]], [1], [0, 3])
    """
    if tolerance_samples < 0:
        raise ParameterError(f"tolerance_samples must be 0 or more, got {tolerance_samples}")
    expert, found = (np.asarray(x, dtype=np.int64).reshape(-1) for x in (reference, detected))
    by_expert, by_found = np.argsort(expert, kind="stable"), np.argsort(found, kind="stable")
    expert, found = expert[by_expert], found[by_found]
    low = np.searchsorted(found, expert - tolerance_samples, side="left").astype(np.int64)
    high = np.searchsorted(found, expert + tolerance_samples, side="right").astype(np.int64)
    if (high - low).sum() > _MOST_IN_REACH:
        raise ParameterError(
            f"tolerance_samples={tolerance_samples} leaves {(high - low).mean():.0f} detections in reach of each of "
            f"{len(expert)} events: too many to match, and no tolerance in samples is that wide"
        )
    partner: Int64 = _partners(expert, found, low, high, np.int64(tolerance_samples))
    paired = partner >= 0
    alone = np.ones(len(found), dtype=bool)
    alone[partner[paired]] = False
    pairs = np.column_stack([by_expert[paired], by_found[partner[paired]]])
    return EventMatch(pairs, by_expert[~paired], by_found[alone])


@njit(cache=True)
def _partners(reference: Int64, detected: Int64, low: Int64, high: Int64, tolerance: np.int64) -> Int64:
    """Return the detection of each reference event, or -1; both sorted, ``low:high`` the detections in reach.

    Cell (i, j) is the best score of the first i + 1 reference events with the first j detections,
    kept for j in low[i] to high[i] only: beyond that the row is constant, before it no later row looks.
    """
    n = len(reference)
    first = np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        first[i + 1] = first[i] + high[i] - low[i] + 1
    score = np.zeros(first[n], dtype=np.int64)
    choice = np.zeros(first[n], dtype=np.uint8)
    worth = min(n, len(detected)) * tolerance + 1
    for i in range(n):
        for j in range(low[i], high[i] + 1):
            above = np.int64(0)
            if i > 0:
                above = score[first[i - 1] + min(j, high[i - 1]) - low[i - 1]]
            best, how = above, _SKIP_REFERENCE
            if j > low[i]:
                left = score[first[i] + j - 1 - low[i]]
                if left > best:
                    best, how = left, _SKIP_DETECTED
                before = np.int64(0)
                if i > 0:
                    before = score[first[i - 1] + min(j - 1, high[i - 1]) - low[i - 1]]
                pair = before + worth - abs(reference[i] - detected[j - 1])
                if pair > best:
                    best, how = pair, _PAIR
            score[first[i] + j - low[i]] = best
            choice[first[i] + j - low[i]] = how
    partner: Int64 = _walk_back(choice, first, low, high)
    return partner


@njit(cache=True)
def _walk_back(choice: npt.NDArray[np.uint8], first: Int64, low: Int64, high: Int64) -> Int64:
    n = len(low)
    partner = np.full(n, -1, dtype=np.int64)
    i = n - 1
    j = high[i] if n else np.int64(0)
    while i >= 0:
        j = min(j, high[i])
        how = choice[first[i] + j - low[i]]
        if how == _SKIP_DETECTED:
            j -= 1
            continue
        if how == _PAIR:
            j -= 1
            partner[i] = j
        i -= 1
    return partner


def event_scores(
    reference: Sequence[npt.ArrayLike],
    detected: Sequence[npt.ArrayLike],
    subjects: Sequence[str],
    *,
    tolerance_samples: int | Sequence[int],
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score a detector over many recordings: Se, +P and F1 of all events together (gross, in EC57's words).

    Parameters
    ----------
    reference, detected : sequence of array_like of int [length=recordings, unit=samples]
        The instants in each recording.
    subjects : sequence of str [length=recordings]
        Whose each recording is.
    tolerance_samples : int or sequence of int
        Largest distance within a pair, of all or of each recording.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        Metrics ``se``, ``pp`` and ``f1``; the confusion's classes are ``event`` and ``none``.

    Raises
    ------
    DataError
        When the lists differ in length.
    """
    tolerances = per_recording(tolerance_samples, len(reference))
    if not len(reference) == len(detected) == len(subjects):
        raise DataError(
            f"one reference, detection and subject each, got {len(reference)}, {len(detected)} and {len(subjects)}"
        )
    ids, code = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    counts = np.zeros((len(ids), 2, 2), dtype=np.int64)
    for whose, expert, found, tolerance in zip(code.tolist(), reference, detected, tolerances, strict=True):
        match = match_events(expert, found, tolerance_samples=tolerance)
        counts[whose] += [[len(match.pairs), len(match.missed)], [len(match.extra), 0]]
    return summarize(
        counts,
        ids.tolist(),
        classes=("event", "none"),
        statistics=_event_statistics,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
    )


def per_recording(tolerance_samples: int | Sequence[int], n: int) -> list[int]:
    """Return the tolerance of each of n recordings, from one number or from one of each."""
    if isinstance(tolerance_samples, int | np.integer):
        return [int(tolerance_samples)] * n
    if len(tolerance_samples) != n:
        raise ParameterError(f"one tolerance for each of {n} recordings, got {len(tolerance_samples)}")
    return [int(x) for x in tolerance_samples]


def _event_statistics(counts: Float64) -> Mapping[str, Float64]:
    return {
        "se": sensitivity(counts)[..., 0],
        "pp": positive_predictivity(counts)[..., 0],
        "f1": f1_score(counts)[..., 0],
    }
