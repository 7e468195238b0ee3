"""Scores of heart beats, in the classes and with the rules of ANSI/AAMI EC57."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import DataError
from biosig_lstm.events.beats import AAMI
from biosig_lstm.metrics.classification import accuracy, confusion_by_subject, label_indices
from biosig_lstm.metrics.events import match_events, per_recording
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.summary import class_statistics, summarize

__all__ = ["AAMI", "AAMI_CLASSES", "WITHOUT_232", "beat_scores", "detected_beat_scores"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

AAMI_CLASSES = ("N", "S", "V", "F", "Q")

WITHOUT_232: Mapping[str, tuple[str, ...]] = MappingProxyType({"without_232": ("232",)})
"""MIT-BIH record 232 holds three quarters of the S beats of the test records DS2: S is shown without it too."""


def beat_scores(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    classes: Sequence[str] = AAMI_CLASSES,
    leave_out: Mapping[str, Sequence[str]] = WITHOUT_232,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score beats whose places are given: one prediction for each beat of the expert.

    Parameters
    ----------
    truth, predicted : array_like of str or int [shape=(n,)]
        AAMI letters, or indices into `classes`; beats whose truth is -1 are left out.
    subjects : array_like of str [shape=(n,)]
        Whose each beat is.
    classes : sequence of str
        Names of the labels.
    leave_out : mapping of str to sequence of str
        Suffix and subjects without whom every metric is given once more, where one of them was scored.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``se_C pp_C f1_C`` of each class C, ``mean_f1_nsv`` (mean F1 of N, S and V, where these are classes) and
        ``accuracy``, all beats of all subjects together; then each with ``_without_232``.

    Raises
    ------
    ParameterError
        When a label is not among the classes.
    DataError
        When the lengths differ, or there is no beat.

    Notes
    -----
    What is 0/0 is NaN: +P of a class never predicted, Se of one that does not occur, and `mean_f1_nsv` when one
    of N, S, V neither occurs nor is predicted.

    Examples
    --------
    >>> scores = beat_scores(list("NNNSV"), list("NNNVV"), ["101", "101", "232", "232", "101"])
    >>> scores["se_S"].value, scores["pp_V"].value, scores["accuracy_without_232"].value
    (0.0, 0.5, 1.0)
    """
    true, guess = label_indices(truth, classes), label_indices(predicted, classes)
    ids, counts = confusion_by_subject(true, guess, subjects, n_classes=len(classes))
    return summarize(
        counts,
        ids,
        classes=classes,
        statistics=_beat_statistics(classes),
        leave_out=leave_out,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
    )


def detected_beat_scores(
    reference: Sequence[Annotations],
    detected: Sequence[Annotations],
    subjects: Sequence[str],
    *,
    tolerance_samples: int | Sequence[int],
    classes: Sequence[str] = AAMI_CLASSES,
    leave_out: Mapping[str, Sequence[str]] = WITHOUT_232,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Scores:
    """Score beats that were found as well as labelled: what was missed and what was invented counts.

    Parameters
    ----------
    reference, detected : sequence of Annotations [length=recordings]
        The expert's beats and those found, labelled with `classes`: see ``annotations.relabel(AAMI)``.
    subjects : sequence of str [length=recordings]
        Whose each recording is.
    tolerance_samples : int or sequence of int [>= 0]
        Largest distance of a pair, of all or of each recording; 150 ms in EC57 (54 at 360 Hz).
    classes, leave_out, seed, n_resamples, confidence
        As in `beat_scores`.

    Returns
    -------
    Scores
        As of `beat_scores`; the confusion has one more class, ``none``: a missed beat is a false negative of
        its class, a detection without a beat a false positive of the class predicted, and both count against
        the accuracy.

    Raises
    ------
    ParameterError
        When a label is not among the classes.
    DataError
        When the lists differ in length.

    Notes
    -----
    Beats are matched by `match_events`, without regard to their labels, as EC57 asks.
    """
    if not len(reference) == len(detected) == len(subjects):
        raise DataError(
            f"one reference, detection and subject each, got {len(reference)}, {len(detected)} and {len(subjects)}"
        )
    ids, code = np.unique(np.asarray(subjects, dtype=np.str_), return_inverse=True)
    counts = np.zeros((len(ids), len(classes) + 1, len(classes) + 1), dtype=np.int64)
    tolerances = per_recording(tolerance_samples, len(reference))
    for whose, expert, found, tolerance in zip(code.tolist(), reference, detected, tolerances, strict=True):
        counts[whose] += _detected_confusion(expert, found, tolerance_samples=tolerance, classes=classes)
    return summarize(
        counts,
        ids.tolist(),
        classes=(*classes, "none"),
        statistics=_beat_statistics(classes),
        leave_out=leave_out,
        seed=seed,
        n_resamples=n_resamples,
        confidence=confidence,
    )


def _detected_confusion(
    expert: Annotations, found: Annotations, *, tolerance_samples: int, classes: Sequence[str]
) -> Int64:
    true, guess = label_indices(expert.labels, classes), label_indices(found.labels, classes)
    match = match_events(expert.starts, found.starts, tolerance_samples=tolerance_samples)
    none = len(classes)
    counts = np.zeros((none + 1, none + 1), dtype=np.int64)
    np.add.at(counts, (true[match.pairs[:, 0]], guess[match.pairs[:, 1]]), 1)
    np.add.at(counts[:, none], true[match.missed], 1)
    np.add.at(counts[none], guess[match.extra], 1)
    return counts


def _beat_statistics(classes: Sequence[str]) -> Callable[[Float64], dict[str, Float64]]:
    def statistics(counts: Float64) -> dict[str, Float64]:
        named = class_statistics(counts, classes)
        if {"N", "S", "V"} <= set(classes):
            named["mean_f1_nsv"] = (named["f1_N"] + named["f1_S"] + named["f1_V"]) / 3
        return named | {"accuracy": accuracy(counts)}

    return statistics
