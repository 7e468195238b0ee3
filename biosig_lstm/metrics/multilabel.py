"""Scores of items that may bear several labels: the statements of a 12-lead electrocardiogram, tags of a sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics._multilabel_kernels import NEGATIVE, POSITIVE, UNKNOWN, weighted_auc_ap
from biosig_lstm.metrics.intervals import Interval, check_drawing, percentile_interval, times_drawn
from biosig_lstm.metrics.result import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MultiLabelScores", "f1_thresholds", "multilabel_scores"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_DRAWS_AT_ONCE = 250


@dataclass(frozen=True, eq=False, repr=False)
class MultiLabelScores(Scores):
    """Named values with intervals for labels that do not exclude each other; `per_subject` stays empty.

    Parameters
    ----------
    metrics, classes, per_subject, confidence, variants
        As of `Scores`: ``auc_C``, ``ap_C``, ``f1_C`` of each class C, ``macro_auc``, ``macro_ap``, ``macro_f1``.
    outcomes : mapping of str to array_like of int [shape=(classes, 2, 2)]
        Of each subject and class the counts [[TN, FP], [FN, TP]] at the thresholds.
    thresholds : tuple of float [length=classes]
        Least probability at which an item bears the label.
    n_labelled : int
        Items of which at least one label is known.
    """

    outcomes: Mapping[str, Int64] = field(default_factory=dict, kw_only=True)
    thresholds: tuple[float, ...] = field(default=(), kw_only=True)
    n_labelled: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        frozen = {name: freeze(np.array(n, dtype=np.int64)) for name, n in self.outcomes.items()}
        object.__setattr__(self, "outcomes", frozen)

    @property
    def counts(self) -> Int64:
        """[[TN, FP], [FN, TP]] of each class at its threshold, over all subjects, shape (classes, 2, 2)."""
        return sum(self.outcomes.values(), start=np.zeros((len(self.classes), 2, 2), dtype=np.int64))

    @property
    def n_true(self) -> Int64:
        """How many items bear each label, shape (classes,)."""
        positives: Int64 = self.counts[:, 1].sum(axis=1)
        return positives

    @property
    def n_subjects(self) -> int:
        """How many subjects were scored."""
        return len(self.outcomes)

    @property
    def n_items(self) -> int:
        """How many items were scored, over all subjects."""
        return self.n_labelled

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values; of each subject those classes alone that it has, or was given."""
        return super().to_dict() | {
            "per_subject": {name: _by_class(n, self.classes) for name, n in self.outcomes.items()},
            "positives": dict(zip(self.classes, self.n_true.tolist(), strict=True)),
            "thresholds": dict(zip(self.classes, self.thresholds, strict=True)),
        }

    def plot(self) -> Figure:
        """Return a figure of the area under the ROC curve of each class, with its interval, and of their mean."""
        from biosig_lstm.metrics._figure import multilabel_figure

        return multilabel_figure(self)


def multilabel_scores(
    truth: npt.ArrayLike,
    probability: npt.ArrayLike,
    subjects: npt.ArrayLike,
    *,
    classes: Sequence[str],
    thresholds: float | npt.ArrayLike = 0.5,
    seed: int = 0,
    n_resamples: int = 1000,
    confidence: float = 0.95,
) -> MultiLabelScores:
    """Score probabilities of labels that do not exclude each other.

    Parameters
    ----------
    truth : array_like of int [shape=(n, classes)]
        1 where an item bears the label, 0 where it does not, -1 where that is not known.
    probability : array_like [shape=(n, classes)]
        The higher, the likelier; finite.
    subjects : array_like of str [shape=(n,)]
        Whose each item is: the unit of the bootstrap.
    classes : sequence of str
        Names of the columns.
    thresholds : float or array_like [shape=(classes,)]
        Least probability at which an item bears the label, for F1; learned on other subjects, see `f1_thresholds`.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    MultiLabelScores
        ``macro_auc`` (mean area under the ROC curve), ``macro_ap`` (mean average precision), ``macro_f1``; then
        ``auc_C``, ``ap_C``, ``f1_C`` of each class C.

    Raises
    ------
    DataError
        When the shapes do not fit together, a label is not -1, 0 or 1, a probability is not finite, or no label
        is known.
    ParameterError
        When `n_resamples` or `confidence` is out of range, or there is not one threshold for each class.

    Notes
    -----
    As in Strodthoff et al. (IEEE J Biomed Health Inform 25(5):1519-1528, 2021) the macro-AUC is the mean over the
    classes that have both positives and negatives; classes that do not are NaN and in no mean. They drew single
    records, and only kept draws in which every class occurs; here whole patients are drawn, and in a draw without
    positives of a class that class is left out of the mean. F1 and average precision are NaN where there is no
    positive.

    Examples
    --------
    >>> truth = [[1, 0], [0, 1], [1, 1], [0, 0]]
    >>> probability = [[0.9, 0.2], [0.4, 0.3], [0.3, 0.8], [0.1, 0.4]]
    >>> scores = multilabel_scores(truth, probability, list("abcd"), classes=("AFIB", "LVH"))
    >>> scores["auc_AFIB"].value, scores["auc_LVH"].value, scores["macro_auc"].value
    (0.75, 0.75, 0.75)
    """
    y, p = _checked(truth, probability, n_classes=len(classes))
    limits = _limits(thresholds, n_classes=len(classes))
    ids, code = np.unique(np.asarray(subjects, dtype=np.str_).reshape(-1), return_inverse=True)
    if len(code) != len(y):
        raise DataError(f"one subject for each of {len(y)} items, got {len(code)}")
    outcomes = _outcomes(y, p >= limits, code=code, n_subjects=len(ids))
    check_drawing(n_resamples=n_resamples, confidence=confidence)
    drawn = _drawn(y, p, code, outcomes, seed=seed, n_resamples=n_resamples if len(ids) > 1 else 0)
    return MultiLabelScores(
        _intervals(drawn, classes, confidence),
        tuple(classes),
        {},
        confidence,
        outcomes=dict(zip(ids.tolist(), outcomes, strict=True)),
        thresholds=tuple(limits.tolist()),
        n_labelled=int((y != UNKNOWN).any(axis=1).sum()),
    )


def f1_thresholds(truth: npt.ArrayLike, probability: npt.ArrayLike) -> Float64:
    """Return for each class the least probability that makes its F1 the largest.

    Parameters
    ----------
    truth : array_like of int [shape=(n, classes)]
        1, 0, or -1 where it is not known.
    probability : array_like [shape=(n, classes)]
        Of items whose subjects are neither trained on nor tested.

    Returns
    -------
    np.ndarray [shape=(classes,)]
        Half way between two probabilities that occur, so that nothing lies on it; 0.5 for a class without positives.

    Raises
    ------
    DataError
        As `multilabel_scores`.

    Examples
    --------
    >>> f1_thresholds([[1], [1], [0], [0]], [[0.9], [0.5], [0.3], [0.1]]).tolist()
    [0.4]
    """
    y, p = _checked(truth, probability, n_classes=np.shape(probability)[-1] if np.ndim(probability) else 0)
    return np.array([_best_cut(y[:, k], p[:, k]) for k in range(y.shape[1])])


def _best_cut(truth: Int64, probability: Float64) -> float:
    known = truth != UNKNOWN
    values = probability[known]
    order = np.argsort(-values, kind="stable")
    ordered, hits = values[order], np.cumsum(truth[known][order] == POSITIVE)
    if not len(hits) or not hits[-1]:
        return 0.5
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), len(ordered) - 1)
    f1 = 2 * hits[ends] / (ends + 1 + hits[-1])
    best = int(np.argmax(f1))
    lower = ordered[ends[best + 1]] if best + 1 < len(ends) else ordered[-1]
    return float((ordered[ends[best]] + lower) / 2)


def _drawn(y: Int64, p: Float64, code: Int64, outcomes: Int64, *, seed: int, n_resamples: int) -> dict[str, Float64]:
    """Return AUC, AP and F1, shape (1 + n_resamples, classes): of all subjects, then of each draw of them."""
    generator = np.random.default_rng(seed)
    n_subjects = len(outcomes)
    sizes = [min(_DRAWS_AT_ONCE, n_resamples - done) for done in range(0, n_resamples, _DRAWS_AT_ONCE)]
    draws = [np.ones((1, n_subjects))]
    draws += [times_drawn(generator, size=size, n_subjects=n_subjects) for size in sizes]
    auc, ap = zip(*(_ranked(y, p, times[:, code]) for times in draws), strict=True)
    flat = outcomes.reshape(n_subjects, -1).astype(np.float64)
    counts = np.concatenate([times @ flat for times in draws]).reshape(-1, *outcomes.shape[1:])
    return {"auc": np.concatenate(auc), "ap": np.concatenate(ap), "f1": _f1(counts)}


def _ranked(y: Int64, p: Float64, times: Float64) -> tuple[Float64, Float64]:
    weights = np.ascontiguousarray(times.T, dtype=np.int32)
    each = [weighted_auc_ap(y[:, k], p[:, k], weights) for k in range(y.shape[1])]
    return np.stack([auc for auc, _ in each], axis=1), np.stack([ap for _, ap in each], axis=1)


def _f1(counts: Float64) -> Float64:
    hits, misses, false = counts[..., 1, 1], counts[..., 1, 0], counts[..., 0, 1]
    f1 = np.full(hits.shape, np.nan)
    np.divide(2 * hits, 2 * hits + misses + false, out=f1, where=hits + misses > 0)
    return f1


def _intervals(drawn: Mapping[str, Float64], classes: Sequence[str], confidence: float) -> dict[str, Interval]:
    scored = ~np.isnan(drawn["auc"][0])
    macro = {
        f"macro_{name}": percentile_interval(float(means[0]), means[1:], confidence)
        for name, means in ((name, _mean_defined(values[:, scored])) for name, values in drawn.items())
    }
    single = {
        f"{name}_{label}": percentile_interval(float(values[0, k]), values[1:, k], confidence)
        for k, label in enumerate(classes)
        for name, values in drawn.items()
    }
    return macro | single


def _mean_defined(values: Float64) -> Float64:
    defined = ~np.isnan(values)
    means = np.full(len(values), np.nan)
    np.divide(np.where(defined, values, 0).sum(axis=1), defined.sum(axis=1), out=means, where=defined.any(axis=1))
    return means


def _outcomes(y: Int64, named: npt.NDArray[np.bool_], *, code: Int64, n_subjects: int) -> Int64:
    counts = np.zeros((n_subjects, y.shape[1], 2, 2), dtype=np.int64)
    item, label = np.nonzero(y != UNKNOWN)
    np.add.at(counts, (code[item], label, y[item, label], named[item, label].astype(np.int64)), 1)
    return counts


def _checked(truth: npt.ArrayLike, probability: npt.ArrayLike, *, n_classes: int) -> tuple[Int64, Float64]:
    y, p = np.asarray(truth, dtype=np.int64), np.asarray(probability, dtype=np.float64)
    if y.ndim != 2 or y.shape != p.shape or y.shape[1] != n_classes:
        raise DataError(f"truth and probability must both be (n, {n_classes} classes), got {y.shape} and {p.shape}")
    if not np.isin(y, (UNKNOWN, NEGATIVE, POSITIVE)).all():
        raise DataError(f"labels must be 1, 0 or -1 (not known), got {y.min()} to {y.max()}")
    if not (y != UNKNOWN).any():
        raise DataError("nothing to score: no label of any item is known")
    if not np.isfinite(p).all():
        raise DataError(f"probabilities must be finite, item {int(np.argwhere(~np.isfinite(p))[0][0])} has others")
    return y, p


def _limits(thresholds: float | npt.ArrayLike, *, n_classes: int) -> Float64:
    given = np.asarray(thresholds, dtype=np.float64)
    if given.ndim and given.shape != (n_classes,):
        raise ParameterError(f"one threshold, or one for each of {n_classes} classes, got shape {given.shape}")
    return np.broadcast_to(given, (n_classes,)).copy()


def _by_class(counts: Int64, classes: tuple[str, ...]) -> dict[str, dict[str, int]]:
    rows = ((name, *table.ravel().tolist()) for name, table in zip(classes, counts, strict=True))
    return {name: {"tp": tp, "fp": fp, "fn": fn} for name, _, fp, fn, tp in rows if tp or fp or fn}
