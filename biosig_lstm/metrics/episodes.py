"""Episodes of a rhythm found along a recording, against those of an expert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import DataError
from biosig_lstm.metrics.intervals import intervals_by_subject
from biosig_lstm.metrics.result import Scores

__all__ = ["episode_counts", "episode_scores"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_CLASSES = ("episode", "rest")
_COUNTS = ("both", "missed", "extra", "neither", "found", "not_found", "right", "wrong", "off", "records")


def episode_counts(reference: Annotations, found: Annotations, *, n_samples: int, fs: float) -> dict[str, float]:
    """Count what episodes that were found have in common with those of an expert.

    Parameters
    ----------
    reference, found : Annotations
        Stretches of each, ascending, none overlapping another of its own.
    n_samples : int
        Samples of the recording.
    fs : float [unit=Hz]
        Its rate.

    Returns
    -------
    dict of str to float
        Seconds that are in ``both``, that were ``missed``, are ``extra``, or in ``neither``; the expert's episodes
        that are overlapped by one of the others (``found``) or by none (``not_found``), the episodes found that overlap
        one of the expert's (``right``) or none (``wrong``); ``off``, the burden found less the expert's, as an
        absolute share of the recording; ``records``, one.

    Raises
    ------
    DataError
        When stretches of one list overlap, or lie outside the recording.

    Examples
    --------
    >>> expert, model = Annotations([0], [600], ["(AFIB"]), Annotations([300, 800], [600, 900], ["(AFIB"] * 2)
    >>> counts = episode_counts(expert, model, n_samples=1000, fs=10.0)
    >>> counts["both"], counts["missed"], counts["extra"], counts["wrong"], round(counts["off"], 2)
    (30.0, 30.0, 10.0, 1, 0.2)
    """
    spans = [_checked(marks, n_samples) for marks in (reference, found)]
    shared = _overlaps(*spans)
    lengths = [int((stops - starts).sum()) for starts, stops in spans]
    both = int(shared.sum())
    missed, extra = lengths[0] - both, lengths[1] - both
    hit, right = (shared > 0).any(axis=1), (shared > 0).any(axis=0)
    return {
        "both": both / fs,
        "missed": missed / fs,
        "extra": extra / fs,
        "neither": (n_samples - both - missed - extra) / fs,
        "found": int(hit.sum()),
        "not_found": int((~hit).sum()),
        "right": int(right.sum()),
        "wrong": int((~right).sum()),
        "off": abs(lengths[1] - lengths[0]) / n_samples,
        "records": 1,
    }


def _checked(marks: Annotations, n_samples: int) -> tuple[Int64, Int64]:
    starts, stops = np.asarray(marks.starts), np.asarray(marks.stops)
    if (starts[1:] < stops[:-1]).any() or (len(starts) and (starts[0] < 0 or stops[-1] > n_samples)):
        raise DataError(f"episodes must lie one after the other within {n_samples} samples, got {marks!r}")
    return starts, stops


def _overlaps(reference: tuple[Int64, Int64], found: tuple[Int64, Int64]) -> Int64:
    """Return how many samples each episode of the one has in common with each of the other."""
    later = np.maximum(reference[0][:, None], found[0][None])
    earlier = np.minimum(reference[1][:, None], found[1][None])
    shared: Int64 = np.maximum(earlier - later, 0)
    return shared


def episode_scores(
    reference: Sequence[Annotations],
    found: Sequence[Annotations],
    subjects: Sequence[str],
    *,
    n_samples: Sequence[int],
    fs: Sequence[float],
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score the episodes found in many recordings.

    Parameters
    ----------
    reference, found : sequence of Annotations [length=recordings]
        Stretches, as `biosig_lstm.events.rhythms.rhythm_stretches` gives them.
    subjects : sequence of str [length=recordings]
        Whose each recording is.
    n_samples, fs : sequence [length=recordings]
        Length and rate of each recording.
    seed, n_resamples, confidence
        Of the intervals; see `biosig_lstm.metrics.bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``episode_se`` and ``episode_pp``: share of the expert's episodes that one was found in, of those found that lie
        on one of the expert's, however short the overlap; ``duration_se`` and ``duration_pp``, the same of seconds;
        ``specificity``: share of the seconds without an episode that none was found in; ``burden_error``: the mean over
        recordings of how far the share of time in episodes is off. The confusion counts seconds.

    Raises
    ------
    DataError
        When the lists differ in length, or nothing is there.

    Notes
    -----
    Gross statistics (all episodes, all seconds together) of ANSI/AAMI EC57:2012, 4.6: episode sensitivity and positive
    predictivity by any overlap, duration sensitivity and positive predictivity. EC57's further rule, which leaves out
    reference episodes too short to be judged, is not used.
    """
    if not len(reference) == len(found) == len(subjects) == len(n_samples) == len(fs) or not len(reference):
        raise DataError(f"one or more recordings with reference, episodes and subject each, got {len(reference)}")
    ids, whose = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    rows = np.zeros((len(ids), len(_COUNTS)))
    for at, expert, model, length, rate in zip(whose.tolist(), reference, found, n_samples, fs, strict=True):
        counts = episode_counts(expert, model, n_samples=length, fs=rate)
        rows[at] += [counts[name] for name in _COUNTS]
    metrics = intervals_by_subject(rows, _statistics, seed=seed, n_resamples=n_resamples, confidence=confidence)
    seconds = np.rint(rows[:, :4]).astype(np.int64).reshape(-1, 2, 2)
    return Scores(metrics, _CLASSES, dict(zip(ids.tolist(), seconds, strict=True)), confidence)


def _statistics(rows: Float64) -> Mapping[str, Float64]:
    count = {name: rows[..., k] for k, name in enumerate(_COUNTS)}
    return {
        "episode_se": _share(count["found"], count["not_found"]),
        "episode_pp": _share(count["right"], count["wrong"]),
        "duration_se": _share(count["both"], count["missed"]),
        "duration_pp": _share(count["both"], count["extra"]),
        "specificity": _share(count["neither"], count["extra"]),
        "burden_error": count["off"] / count["records"],
    }


def _share(one: Float64, other: Float64) -> Float64:
    whole = one + other
    share: Float64 = np.divide(one, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
    return share
