"""From the confusion of each subject to scores with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError
from biosig_lstm.metrics.classification import (
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    confusion_by_subject,
    f1_score,
    label_indices,
    macro_f1,
    positive_predictivity,
    sensitivity,
)
from biosig_lstm.metrics.intervals import Interval, Statistics, intervals_by_subject
from biosig_lstm.metrics.result import Scores

__all__ = ["class_scores", "class_statistics", "summarize"]

Float64 = npt.NDArray[np.float64]


def summarize(
    counts: npt.ArrayLike,
    subjects: Sequence[str],
    *,
    classes: Sequence[str],
    statistics: Statistics,
    leave_out: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Return scores of the confusion matrices of subjects, with intervals.

    Parameters
    ----------
    counts : array_like of int [shape=(subjects, classes, classes)]
        Confusion matrix of each subject, rows the truth.
    subjects : sequence of str [length=subjects]
        Ids, no two alike; their order does not change the result.
    classes : sequence of str
        Names of rows and columns.
    statistics : callable
        From confusions (..., classes, classes) to a mapping of metric names to values (...,).
    leave_out : mapping of str to sequence of str, optional
        A suffix, and the subjects without whom every metric is given once more under ``<metric>_<suffix>``;
        passed over where none of them is among the subjects.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        Metrics in the order of `statistics`, then those of each suffix.

    Raises
    ------
    DataError
        When there is no subject, or `counts` and `subjects` do not fit together.
    """
    order = np.argsort(np.asarray(subjects, dtype=np.str_), kind="stable")
    ids = [str(subjects[k]) for k in order]
    tables = np.asarray(counts, dtype=np.int64)[order] if ids else np.zeros((0, 1, 1), dtype=np.int64)
    if not ids or len(set(ids)) < len(ids) or len(np.asarray(counts)) != len(ids):
        raise DataError(f"one confusion for each of one or more distinct subjects, got {len(ids)} subjects: {ids[:8]}")
    drawing: dict[str, Any] = {"n_resamples": n_resamples, "confidence": confidence, "seed": seed}
    metrics = intervals_by_subject(tables, statistics, **drawing)
    variants = [""]
    for suffix, gone in (leave_out or {}).items():
        kept = ~np.isin(ids, list(gone))
        if not kept.all():
            variants.append(f"_{suffix}")
            metrics |= _named(_rest(tables[kept], tables[:1] * 0, statistics, drawing), f"_{suffix}")
    per_subject = dict(zip(ids, tables, strict=True))
    return Scores(metrics, tuple(classes), per_subject, confidence, tuple(variants))


def _rest(kept: npt.NDArray[Any], none: npt.NDArray[Any], statistics: Statistics, drawing: dict[str, Any]) -> Any:
    return intervals_by_subject(kept if len(kept) else none, statistics, **drawing)


def _named(metrics: Mapping[str, Interval], suffix: str) -> dict[str, Interval]:
    return {f"{name}{suffix}": interval for name, interval in metrics.items()}


def class_statistics(counts: Float64, classes: Sequence[str]) -> dict[str, Float64]:
    """Return ``se_C``, ``pp_C`` and ``f1_C`` of each class C, from the first rows and columns of confusions.

    Parameters
    ----------
    counts : np.ndarray [shape=(..., m, m)]
        Confusion matrices, rows the truth; m is at least the number of classes.
    classes : sequence of str
        The classes that are scored, in the order of rows and columns.
    """
    se, pp, f1 = sensitivity(counts), positive_predictivity(counts), f1_score(counts)
    named: dict[str, Float64] = {}
    for k, name in enumerate(classes):
        named |= {f"se_{name}": se[..., k], f"pp_{name}": pp[..., k], f"f1_{name}": f1[..., k]}
    return named


def class_scores(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    classes: Sequence[str],
    leave_out: Mapping[str, Sequence[str]] | None = None,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score labelled items of any task: sleep epochs, rhythms, words.

    Parameters
    ----------
    truth, predicted : array_like of str or int [shape=(n,)]
        Names out of `classes`, or indices into them; items whose truth is -1 are left out.
    subjects : array_like of str [shape=(n,)]
        Whose each item is.
    classes : sequence of str
        Names of the labels.
    leave_out : mapping of str to sequence of str, optional
        Suffix and subjects to leave out; see `summarize`.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``se_C pp_C f1_C`` of each class C, ``accuracy``, ``balanced_accuracy``, ``macro_f1`` and ``kappa``.

    Examples
    --------
    >>> scores = class_scores(["W", "W", "R"], ["W", "R", "R"], ["a", "b", "b"], classes=("W", "R"))
    >>> round(scores["accuracy"].value, 3)
    0.667
    """

    def statistics(counts: Float64) -> dict[str, Float64]:
        return class_statistics(counts, classes) | {
            "accuracy": accuracy(counts),
            "balanced_accuracy": balanced_accuracy(counts),
            "macro_f1": macro_f1(counts),
            "kappa": cohen_kappa(counts),
        }

    true, guess = label_indices(truth, classes), label_indices(predicted, classes)
    ids, counts = confusion_by_subject(true, guess, subjects, n_classes=len(classes))
    return summarize(
        counts,
        ids,
        classes=classes,
        statistics=statistics,
        leave_out=leave_out,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
    )
