"""The rhythm of short recordings, as the PhysioNet/CinC Challenge of 2017 scores it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.metrics.classification import accuracy, confusion_by_subject, f1_score, label_indices
from biosig_lstm.metrics.result import Scores
from biosig_lstm.metrics.summary import summarize

__all__ = ["CINC2017_CLASSES", "cinc2017_scores"]

Float64 = npt.NDArray[np.float64]

CINC2017_CLASSES = ("N", "A", "O", "~")
_NAMES = ("N", "A", "O", "P")


def cinc2017_scores(truth: npt.ArrayLike, predicted: npt.ArrayLike, subjects: npt.ArrayLike, **drawing: Any) -> Scores:
    """Score the rhythm of recordings by the rule of the PhysioNet/CinC Challenge 2017.

    Parameters
    ----------
    truth, predicted : array_like of str or int [shape=(n,)]
        ``N`` normal, ``A`` atrial fibrillation, ``O`` other, ``~`` too noisy, or their indices; items whose truth is
        -1 are left out.
    subjects : array_like of str [shape=(n,)]
        Whose each recording is.
    **drawing
        `seed`, `n_resamples` and `confidence` of the intervals; see `biosig_lstm.metrics.bootstrap_by_subject`.

    Returns
    -------
    Scores
        ``f1_N f1_A f1_O f1_P`` (P: the noisy recordings), ``f1_cinc``, the mean of the first three, and ``accuracy``.

    Notes
    -----
    With C the counts, true class by predicted class, ``f1_N = 2 * C[N, N] / (sum of row N + sum of column N)`` and so
    on (Clifford et al., "AF classification from a short single lead ECG recording", Computing in Cardiology 44, 2017,
    equations 1 to 5). The noisy class counts in the sums, but not in the mean: that is how entries were ranked.

    Examples
    --------
    >>> scores = cinc2017_scores(["N", "A", "O", "~"], ["N", "A", "N", "~"], ["a", "b", "c", "d"])
    >>> {name: round(scores[name].value, 3) for name in ("f1_N", "f1_A", "f1_O", "f1_P", "f1_cinc")}
    {'f1_N': 0.667, 'f1_A': 1.0, 'f1_O': 0.0, 'f1_P': 1.0, 'f1_cinc': 0.556}
    """
    classes = CINC2017_CLASSES
    true, guess = label_indices(truth, classes), label_indices(predicted, classes)
    ids, counts = confusion_by_subject(true, guess, subjects, n_classes=len(classes))
    return summarize(counts, ids, classes=classes, statistics=_statistics, **drawing)


def _statistics(counts: Float64) -> dict[str, Float64]:
    f1 = f1_score(counts)
    named = {f"f1_{name}": f1[..., k] for k, name in enumerate(_NAMES)}
    return named | {"f1_cinc": f1[..., :3].mean(axis=-1), "accuracy": accuracy(counts)}
