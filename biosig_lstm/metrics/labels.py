"""Scores of items that bear one label each, from the probability of every class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.metrics._multilabel_kernels import weighted_auc_ap
from biosig_lstm.metrics.classification import accuracy, label_indices
from biosig_lstm.metrics.intervals import Interval, intervals_by_subject, percentile_interval, times_drawn
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.summary import class_scores

__all__ = ["label_scores", "merge_probabilities"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Merged = Mapping[str, Mapping[str, str]]

_DRAWS_AT_ONCE = 250


def merge_probabilities(
    probability: npt.ArrayLike, *, classes: Sequence[str], into: Mapping[str, str]
) -> tuple[Float64, tuple[str, ...]]:
    """Return the probabilities of fewer classes: those of classes that become one are added.

    Parameters
    ----------
    probability : array_like [shape=(n, classes)]
        Of every class.
    classes : sequence of str
        Names of the columns.
    into : mapping of str to str
        What each class becomes.

    Returns
    -------
    probability : np.ndarray [shape=(n, merged)]
        Merged classes in the order in which they first come.
    classes : tuple of str
        Their names.

    Raises
    ------
    ParameterError
        When a class is not in `into`.

    Examples
    --------
    >>> merge_probabilities([[0.3, 0.3, 0.4]], classes="ZOS", into={"Z": "healthy", "O": "healthy", "S": "ictal"})
    (array([[0.6, 0.4]]), ('healthy', 'ictal'))
    """
    for name in classes:
        if name not in into:
            raise ParameterError(f"class to merge {options(name, into)}")
    names = tuple(dict.fromkeys(into[name] for name in classes))
    member = np.array([[into[name] == merged for merged in names] for name in classes], dtype=np.float64)
    return np.asarray(probability, dtype=np.float64) @ member, names


def label_scores(
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    classes: Sequence[str],
    merged: Merged | None = None,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score the probabilities of labels that exclude each other.

    Parameters
    ----------
    truth : array_like of str or int [shape=(n,)]
        Names out of `classes`, or indices into them; items whose truth is -1 are left out.
    probability : array_like [shape=(n, classes)]
        Of every class; finite. The likeliest is the answer.
    subjects : array_like of str [shape=(n,)]
        Whose each item is: the unit of the bootstrap.
    classes : sequence of str
        Names of the columns; of two the second is the one that is looked for.
    merged : mapping of str to mapping of str to str, optional
        By a name, what each class becomes: the accuracy of the answers in fewer classes, by the summed probabilities.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        As of `class_scores`; of two classes ``auc``, the area under the ROC curve of the second, as well; and
        ``accuracy_NAME`` of each name in `merged`.

    Raises
    ------
    DataError
        When the shapes do not fit together, or a probability is not finite.
    ParameterError
        When a class is not known.

    Notes
    -----
    The area counts pairs of items, of one subject or of two, ties one half (Mann-Whitney). All metrics are of the
    same draws of subjects.

    Examples
    --------
    >>> scores = label_scores([0, 1, 1], [[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], list("abc"), classes=("rest", "task"))
    >>> scores["auc"].value, round(scores["accuracy"].value, 3)
    (1.0, 0.667)
    """
    true, likely, whose = _checked(truth, probability, subjects, classes)
    drawing: dict[str, Any] = {"seed": seed, "n_resamples": n_resamples, "confidence": confidence}
    scores = class_scores(true, likely.argmax(axis=1), whose, classes=classes, **drawing)
    more = {}
    if len(classes) == 2:
        more["auc"] = _auc(true, likely[:, 1], whose, **drawing)
    for name, into in (merged or {}).items():
        sums, names = merge_probabilities(likely, classes=classes, into=into)
        target = np.array([names.index(into[label]) for label in classes])
        right = sums.argmax(axis=1) == target[true]
        more[f"accuracy_{name}"] = intervals_by_subject(_right_and_wrong(right, whose), _share, **drawing)["accuracy"]
    return replace(scores, metrics={**scores.metrics, **more})


def _checked(
    truth: npt.ArrayLike, probability: npt.ArrayLike, subjects: npt.ArrayLike, classes: Sequence[str]
) -> tuple[Int64, Float64, npt.NDArray[np.str_]]:
    true, whose = label_indices(truth, classes), np.asarray(subjects, dtype=np.str_).reshape(-1)
    likely = np.asarray(probability, dtype=np.float64)
    if likely.shape != (len(true), len(classes)) or len(whose) != len(true):
        raise DataError(
            f"{len(true)} labels of {len(classes)} classes need as many rows of probabilities and subjects, got "
            f"{likely.shape} and {len(whose)}"
        )
    if not np.isfinite(likely).all():
        raise DataError(f"probabilities must be finite, item {int(np.argwhere(~np.isfinite(likely))[0][0])} has others")
    known = true >= 0
    return true[known], likely[known], whose[known]


def _right_and_wrong(right: npt.NDArray[np.bool_], whose: npt.NDArray[np.str_]) -> Float64:
    """Return a table [[right, 0], [wrong, 0]] of each subject, whose accuracy is the share that is right."""
    _, code = np.unique(whose, return_inverse=True)
    n_subjects = int(code.max()) + 1
    counts = np.stack([np.bincount(code[kind], minlength=n_subjects) for kind in (right, ~right)], axis=1)
    return np.stack([counts, np.zeros_like(counts)], axis=2).astype(np.float64)


def _share(tables: Float64) -> dict[str, Float64]:
    return {"accuracy": accuracy(tables)}


def _auc(
    true: Int64, score: Float64, whose: npt.NDArray[np.str_], *, seed: int, n_resamples: int, confidence: float
) -> Interval:
    ids, code = np.unique(whose, return_inverse=True)
    generator = np.random.default_rng(seed)
    drawn = n_resamples if len(ids) > 1 else 0
    sizes = [min(_DRAWS_AT_ONCE, drawn - done) for done in range(0, drawn, _DRAWS_AT_ONCE)]
    draws = [np.ones((1, len(ids))), *(times_drawn(generator, size=size, n_subjects=len(ids)) for size in sizes)]
    areas = [weighted_auc_ap(true, score, np.ascontiguousarray(times[:, code].T, dtype=np.int32))[0] for times in draws]
    return percentile_interval(float(areas[0][0]), np.concatenate(areas)[1:], confidence)
