"""Scores of sleep stages, epoch by epoch: the five of the AASM, and wake, sleep without REM, REM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError, options
from biosig_lstm.metrics.classification import (
    accuracy,
    cohen_kappa,
    confusion_by_subject,
    label_indices,
    macro_f1,
)
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.summary import class_statistics, summarize

__all__ = ["STAGE_CLASSES", "WNR", "merge_classes", "stage_scores"]

Float64 = npt.NDArray[np.float64]

STAGE_CLASSES = ("W", "N1", "N2", "N3", "R")
"""Sleep stages of the AASM."""

WNR: Mapping[str, str] = MappingProxyType({"W": "W", "N1": "N", "N2": "N", "N3": "N", "R": "R"})
"""The stages with N1, N2 and N3 as one."""


def merge_classes(confusion: npt.ArrayLike, *, classes: Sequence[str], into: Mapping[str, str]) -> Float64:
    """Return the confusion of fewer classes: rows and columns of those that become one are added.

    Parameters
    ----------
    confusion : array_like [shape=(..., classes, classes)]
        Rows are the truth.
    classes : sequence of str
        Names of rows and columns.
    into : mapping of str to str
        What each class becomes.

    Returns
    -------
    np.ndarray [shape=(..., merged, merged)]
        Merged classes in the order in which they first come.

    Raises
    ------
    ParameterError
        When a class is not in `into`.

    Examples
    --------
    >>> merge_classes([[5, 1, 0], [2, 3, 1], [0, 1, 4]], classes=["W", "N1", "N2"], into=WNR).tolist()
    [[5.0, 1.0], [2.0, 9.0]]
    """
    unknown = [name for name in classes if name not in into]
    if unknown:
        raise ParameterError(f"class to merge {options(unknown[0], into)}")
    names = list(dict.fromkeys(into[name] for name in classes))
    member = np.array([[into[name] == merged for name in classes] for merged in names], dtype=np.float64)
    merged: Float64 = member @ np.asarray(confusion, dtype=np.float64) @ member.T
    return merged


def stage_scores(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    classes: Sequence[str] = STAGE_CLASSES,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score the stages of epochs, from whatever signal they were told.

    Parameters
    ----------
    truth, predicted : array_like of str or int [shape=(n,)]
        Stages, or indices into `classes`; epochs whose truth is -1 are left out.
    subjects : array_like of str [shape=(n,)]
        Whose each epoch is.
    classes : sequence of str
        Names of the stages, out of `WNR`.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``accuracy``, ``macro_f1`` (the mean over stages) and ``kappa`` (Cohen 1960) of all epochs of all subjects
        together, ``accuracy_wnr`` and ``kappa_wnr`` of wake, sleep without REM and REM, then ``se_C pp_C f1_C`` of
        each stage C.

    Raises
    ------
    ParameterError
        When a stage is not among the classes.
    DataError
        When the lengths differ, or there is no epoch.

    Notes
    -----
    *macro_f1* leaves out stages that neither occur nor are predicted.

    Examples
    --------
    >>> scores = stage_scores(["W", "N1", "N2", "R"], ["W", "N2", "N2", "N1"], ["a", "a", "b", "b"])
    >>> scores["accuracy"].value, scores["accuracy_wnr"].value
    (0.5, 0.75)
    """

    def statistics(counts: Float64) -> dict[str, Float64]:
        merged = merge_classes(counts, classes=classes, into=WNR)
        return {
            "accuracy": accuracy(counts),
            "macro_f1": macro_f1(counts),
            "kappa": cohen_kappa(counts),
            "accuracy_wnr": accuracy(merged),
            "kappa_wnr": cohen_kappa(merged),
        } | class_statistics(counts, classes)

    true, guess = label_indices(truth, classes), label_indices(predicted, classes)
    ids, counts = confusion_by_subject(true, guess, subjects, n_classes=len(classes))
    return summarize(
        counts,
        ids,
        classes=classes,
        statistics=statistics,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
    )
