"""Scores of labelled items, from confusion matrices: rows are the truth, columns what was predicted.

Every score takes confusion matrices of shape (..., classes, classes) and works on all of them at once, so that
the same function scores one test set, every subject of it, and thousands of resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError, options

__all__ = [
    "accuracy",
    "balanced_accuracy",
    "cohen_kappa",
    "confusion_by_subject",
    "confusion_matrix",
    "f1_score",
    "label_indices",
    "macro_f1",
    "macro_roc_auc",
    "positive_predictivity",
    "roc_auc",
    "sensitivity",
]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


def label_indices(labels: npt.ArrayLike, classes: Sequence[str]) -> Int64:
    """Return the index of each label in `classes`.

    Parameters
    ----------
    labels : array_like of str or int [shape=(n,)]
        Names out of `classes`, or indices already; -1 where there is no label.
    classes : sequence of str
        Names of the labels.

    Raises
    ------
    ParameterError
        When a label is not among the classes.

    Examples
    --------
    >>> label_indices(["N", "V", "N"], ["N", "S", "V"])
    array([0, 2, 0])
    """
    given = np.asarray(labels).reshape(-1)
    if not len(given):
        return np.zeros(0, dtype=np.int64)
    if given.dtype.kind in "iu":
        return _checked_indices(given.astype(np.int64), classes)
    if given.dtype.kind not in "UO":
        raise ParameterError(f"labels must be names or whole numbers, got {given.dtype}")
    names, inverse = np.unique(given.astype(np.str_), return_inverse=True)
    known = {name: k for k, name in enumerate(classes)}
    for name in names.tolist():
        if name not in known:
            raise ParameterError(f"no class {options(name, classes)}")
    return np.array([known[name] for name in names.tolist()], dtype=np.int64)[inverse]


def _checked_indices(indices: Int64, classes: Sequence[str]) -> Int64:
    if indices.min() < -1 or indices.max() >= len(classes):
        raise ParameterError(
            f"labels must lie in -1 to {len(classes) - 1} for {len(classes)} classes, "
            f"got {indices.min()} to {indices.max()}"
        )
    return indices


def confusion_matrix(truth: npt.ArrayLike, predicted: npt.ArrayLike, *, n_classes: int) -> Int64:
    """Return how often each class was predicted for each true class.

    Parameters
    ----------
    truth, predicted : array_like of int [shape=(n,)]
        Class indices; items whose truth is -1 (no label) are left out.
    n_classes : int
        How many classes there are.

    Returns
    -------
    np.ndarray of int [shape=(n_classes, n_classes)]
        Row: true class; column: predicted class.

    Examples
    --------
    >>> confusion_matrix([0, 0, 1], [0, 1, 1], n_classes=2)
    array([[1, 1],
           [0, 1]])
    """
    one = np.zeros(np.asarray(truth).size, dtype=np.str_)
    _, counts = confusion_by_subject(truth, predicted, one, n_classes=n_classes)
    return np.asarray(counts.sum(axis=0))


def confusion_by_subject(
    truth: npt.ArrayLike, predicted: npt.ArrayLike, subjects: npt.ArrayLike, *, n_classes: int
) -> tuple[tuple[str, ...], Int64]:
    """Return the confusion matrix of each subject.

    Parameters
    ----------
    truth, predicted : array_like of int [shape=(n,)]
        Class indices; items whose truth is -1 (no label) are left out.
    subjects : array_like of str [shape=(n,)]
        Whose each item is.
    n_classes : int
        How many classes there are.

    Returns
    -------
    subjects : tuple of str
        Ids, sorted; those without any labelled item too.
    counts : np.ndarray of int [shape=(subjects, n_classes, n_classes)]
        Row: true class; column: predicted class.

    Raises
    ------
    DataError
        When the lengths differ.
    ParameterError
        When a class index is out of range, or a labelled item has no prediction.
    """
    true, guess = (np.asarray(x, dtype=np.int64).reshape(-1) for x in (truth, predicted))
    whose = np.asarray(subjects, dtype=np.str_).reshape(-1)
    if not len(true) == len(guess) == len(whose):
        raise DataError(f"truth, predicted and subjects differ in length: {len(true)}, {len(guess)}, {len(whose)}")
    ids, code = np.unique(whose, return_inverse=True)
    labelled = true >= 0
    true, guess, code = true[labelled], guess[labelled], code[labelled]
    if len(true) and not (true.max() < n_classes and guess.min() >= 0 and guess.max() < n_classes):
        raise ParameterError(
            f"class indices of labelled items must lie in 0 to {n_classes - 1}, "
            f"got truth up to {true.max()}, predicted {guess.min()} to {guess.max()}"
        )
    cells = (code * n_classes + true) * n_classes + guess
    counts = np.bincount(cells, minlength=len(ids) * n_classes**2)
    return tuple(ids.tolist()), counts.reshape(len(ids), n_classes, n_classes).astype(np.int64)


def sensitivity(confusion: npt.ArrayLike) -> Float64:
    """Return Se (recall) of each class: hits over true items; NaN where the class does not occur.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(..., classes), range=0 to 1]

    Examples
    --------
    >>> sensitivity([[8, 2], [1, 9]]).tolist()
    [0.8, 0.9]
    """
    n = _matrices(confusion)
    return _ratio(_hits(n), n.sum(axis=-1))


def positive_predictivity(confusion: npt.ArrayLike) -> Float64:
    """Return +P (precision) of each class: hits over predictions of it; NaN where it is never predicted.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(..., classes), range=0 to 1]
    """
    n = _matrices(confusion)
    return _ratio(_hits(n), n.sum(axis=-2))


def f1_score(confusion: npt.ArrayLike) -> Float64:
    """Return F1 of each class, 2 TP / (2 TP + FP + FN); NaN where it neither occurs nor is predicted.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(..., classes), range=0 to 1]
    """
    n = _matrices(confusion)
    return _ratio(2 * _hits(n), n.sum(axis=-1) + n.sum(axis=-2))


def accuracy(confusion: npt.ArrayLike) -> Float64:
    """Return the share of items on the diagonal; NaN without items.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(...,), range=0 to 1]
    """
    n = _matrices(confusion)
    return _ratio(_hits(n).sum(axis=-1), n.sum(axis=(-1, -2)))


def balanced_accuracy(confusion: npt.ArrayLike) -> Float64:
    """Return the mean sensitivity of the classes that occur.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(...,), range=0 to 1]
    """
    return _mean_defined(sensitivity(confusion))


def macro_f1(confusion: npt.ArrayLike) -> Float64:
    """Return the mean F1 of the classes that occur or are predicted.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(...,), range=0 to 1]
    """
    return _mean_defined(f1_score(confusion))


def cohen_kappa(confusion: npt.ArrayLike) -> Float64:
    """Return Cohen's kappa: agreement beyond chance (Cohen 1960), NaN where chance alone agrees fully.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.

    Returns
    -------
    np.ndarray [shape=(...,), range=-1 to 1]
    """
    n = _matrices(confusion)
    total = n.sum(axis=(-1, -2))
    by_chance = (n.sum(axis=-1) * n.sum(axis=-2)).sum(axis=-1)
    return _ratio(total * _hits(n).sum(axis=-1) - by_chance, total**2 - by_chance)


def roc_auc(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Return the area under the ROC curve of one class: how often a positive outranks a negative.

    Parameters
    ----------
    truth : array_like of bool or 0/1 [shape=(n,)]
        Whether each item is of the class.
    score : array_like [shape=(n,)]
        The higher, the likelier; ties count one half (Mann-Whitney).

    Returns
    -------
    float [range=0 to 1]
        NaN unless there are both positives and negatives.

    Raises
    ------
    DataError
        When the lengths differ or a score is not finite.

    Examples
    --------
    >>> roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    positive = np.asarray(truth).reshape(-1).astype(bool)
    values = np.asarray(score, dtype=np.float64).reshape(-1)
    if len(positive) != len(values) or not np.isfinite(values).all():
        raise DataError(f"{len(positive)} labels need as many finite scores, got {int(np.isfinite(values).sum())}")
    n_positive = int(positive.sum())
    n_pairs = n_positive * (len(positive) - n_positive)
    if not n_pairs:
        return float("nan")
    rank_sum = float(_middle_ranks(values)[positive].sum())
    return (rank_sum - n_positive * (n_positive + 1) / 2) / n_pairs


def macro_roc_auc(truth: npt.ArrayLike, scores: npt.ArrayLike) -> float:
    """Return the mean area under the ROC curve, each class against the rest.

    Parameters
    ----------
    truth : array_like of int [shape=(n,)] or of 0/1 [shape=(n, classes)]
        Class indices, or one column a class where an item may have several.
    scores : array_like [shape=(n, classes)]
        The higher, the likelier.

    Returns
    -------
    float [range=0 to 1]
        Over the classes that have both positives and negatives; NaN where none has.

    Raises
    ------
    DataError
        When the shapes do not fit together.
    """
    given, values = np.asarray(truth), np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or len(given) != len(values):
        raise DataError(f"scores must be (n, classes) for {len(given)} items, got shape {values.shape}")
    hot = given[:, None] == np.arange(values.shape[1]) if given.ndim == 1 else given.astype(bool)
    if hot.shape != values.shape:
        raise DataError(f"truth and scores must name the same classes, got shapes {hot.shape} and {values.shape}")
    areas = [roc_auc(hot[:, k], values[:, k]) for k in range(values.shape[1])]
    return float(_mean_defined(np.array(areas)))


def _middle_ranks(values: Float64) -> Float64:
    _, inverse, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    middle: Float64 = (last - (count - 1) / 2)[inverse]
    return middle


def _matrices(confusion: npt.ArrayLike) -> Float64:
    n = np.asarray(confusion, dtype=np.float64)
    if n.ndim < 2 or n.shape[-1] != n.shape[-2]:
        raise DataError(f"a confusion matrix must be (..., classes, classes), got shape {n.shape}")
    return n


def _hits(n: Float64) -> Float64:
    return np.diagonal(n, axis1=-2, axis2=-1)


def _ratio(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> Float64:
    empty = np.full(np.shape(bottom), np.nan)
    np.divide(top, bottom, out=empty, where=np.asarray(bottom) > 0)
    return empty


def _mean_defined(values: Float64) -> Float64:
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))
