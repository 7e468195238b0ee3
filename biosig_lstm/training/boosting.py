"""Gradient boosting: trees grown one after the other on what the ones before them leave unexplained."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.errors import DataError, ParameterError

__all__ = ["Trees", "grow_trees"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_BINS = 64
_LEAST_GAIN, _TINY = 1e-7, 1e-12


class Trees(NamedTuple):
    """Complete binary trees, one for each class in each round.

    Attributes
    ----------
    columns : np.ndarray [shape=(rounds, classes, 2**depth - 1), dtype=int64]
        Which column each inner node looks at; the children of node ``i`` are ``2 * i + 1`` and ``2 * i + 2``.
    thresholds : np.ndarray [shape=(rounds, classes, 2**depth - 1), dtype=float32]
        A value above it goes to the second child.
    leaves : np.ndarray [shape=(rounds, classes, 2**depth), dtype=float32]
        What a leaf adds to the logit of its class.
    start : np.ndarray [shape=(classes,), dtype=float32]
        Logits before the first tree.
    """

    columns: Int64
    thresholds: Float32
    leaves: Float32
    start: Float32


def grow_trees(
    values: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    n_classes: int,
    weights: npt.ArrayLike | None = None,
    rounds: int = 200,
    depth: int = 4,
    learning_rate: float = 0.06,
    l2: float = 3.0,
    least_rows: int = 15,
    share_of_columns: float = 0.4,
    share_of_rows: float = 0.7,
    seed: int = 0,
) -> Trees:
    """Grow trees that tell classes apart.

    Parameters
    ----------
    values : array_like [shape=(n, columns)]
        Finite values.
    y : array_like of int [shape=(n,), range=[0, n_classes)]
        Class of each row.
    n_classes : int
        How many classes there are.
    weights : array_like [shape=(n,)], optional
        How much each row counts; ones by default.
    rounds : int [>= 1]
        How many times a tree is grown for every class.
    depth : int [1 to 8]
        Questions asked from the root to a leaf.
    learning_rate : float [> 0]
        What is kept of each tree's answer.
    l2 : float [>= 0]
        Draws the answers of leaves with little in them to zero.
    least_rows : int [>= 1]
        Rows on either side of a question.
    share_of_columns, share_of_rows : float [0 to 1]
        Columns drawn for each tree, rows drawn for each round.
    seed : int
        Of these draws.

    Returns
    -------
    Trees
        The sum of `start` and of one leaf of each tree is the logit of a class.

    Raises
    ------
    ParameterError
        When a setting is out of range.
    DataError
        When rows and classes do not fit together, or a value is not finite.

    Notes
    -----
    Second-order boosting of the multinomial likelihood: a leaf with gradients of sum G and curvatures of sum H answers
    ``-learning_rate * G / (H + l2)``, a question gains ``GL**2 / (HL + l2) + GR**2 / (HR + l2) - G**2 / (H + l2)``
    (Chen and Guestrin, "XGBoost", KDD 2016, equations 5 to 7). Thresholds lie at the 64-quantiles of a column. Trees
    are complete: where nothing can be gained, all rows go to the first child.

    Examples
    --------
    >>> grow_trees([[0.0], [1.0]] * 20, [0, 1] * 20, n_classes=2, rounds=3, depth=1).thresholds.shape
    (3, 2, 1)
    """
    rows, labels = np.asarray(values, dtype=np.float32), np.asarray(y, dtype=np.int64)
    count = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
    _check_rows(rows, labels, count, n_classes=n_classes)
    _check_settings(rounds=rounds, depth=depth, learning_rate=learning_rate, l2=l2, least_rows=least_rows)
    _check_shares(share_of_columns, share_of_rows)
    edges = _edges(rows)
    bins = np.stack([np.searchsorted(edge, column) for edge, column in zip(edges, rows.T, strict=True)]).astype(
        np.uint8
    )
    truth = np.eye(n_classes)[labels]
    start = np.log((truth * count[:, None]).sum(axis=0) / count.sum() + 1e-6)
    logits, rng, grown = np.tile(start, (len(rows), 1)), np.random.default_rng(seed), []
    n_columns, n_rows = (
        max(1, round(share * n)) for share, n in ((share_of_columns, len(edges)), (share_of_rows, len(rows)))
    )
    for _ in range(rounds):
        likely = np.exp(logits - logits.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        drawn = np.sort(rng.choice(len(rows), n_rows, replace=False))
        for k in range(n_classes):
            chosen = np.sort(rng.choice(len(edges), n_columns, replace=False))
            p = likely[:, k]
            moments = np.stack([count * (p - truth[:, k]), count * p * (1 - p)], axis=1)
            questions, cuts, node = _grow(bins, moments, drawn, chosen, (depth, float(l2), least_rows))
            leaves = -learning_rate * _leaf_answers(node[drawn], moments[drawn], size=2**depth, l2=l2)
            logits[:, k] += leaves[node]
            limits = np.where(cuts < _BINS - 1, edges[questions, np.minimum(cuts, _BINS - 2)], np.inf)
            grown.append((questions, limits, leaves))
    return _stacked(grown, start, n_classes=n_classes)


def _edges(rows: Float32) -> Float32:
    shares = np.arange(1, _BINS) / _BINS
    found: Float32 = np.quantile(rows, shares, axis=0, method="midpoint").T.astype(np.float32)
    return found


def _leaf_answers(leaf: Int64, moments: Float64, *, size: int, l2: float) -> Float64:
    slope, curve = (np.bincount(leaf, weights=column, minlength=size) for column in moments.T)
    answers: Float64 = slope / (curve + l2 + _TINY)
    return answers


def _stacked(grown: list[tuple[Int64, Float64, Float64]], start: Float64, *, n_classes: int) -> Trees:
    questions, limits, leaves = (
        np.stack(part).reshape(-1, n_classes, len(part[0])) for part in zip(*grown, strict=True)
    )
    return Trees(questions, limits.astype(np.float32), leaves.astype(np.float32), start.astype(np.float32))


@njit(cache=True)
def _grow(bins: Any, moments: Any, drawn: Any, chosen: Any, limits: Any) -> Any:
    """Return column and last bin of the first child for each inner node, and the leaf of every row."""
    depth, l2, least_rows = limits
    n_inner = 2**depth - 1
    questions, cuts = np.zeros(n_inner, dtype=np.int64), np.full(n_inner, _BINS - 1, dtype=np.int64)
    node = np.zeros(bins.shape[1], dtype=np.int64)
    for level in range(depth):
        width = 2**level
        best = np.full(width, _LEAST_GAIN)
        histogram = np.zeros((width, _BINS, 3))
        for column in chosen:
            _count(histogram, bins[column], moments, drawn, node)
            for k in range(width):
                gain, cut = _best_cut(histogram[k], l2, least_rows)
                if gain > best[k]:
                    best[k] = gain
                    questions[width - 1 + k], cuts[width - 1 + k] = column, cut
        for i in range(len(node)):
            at = width - 1 + node[i]
            node[i] = 2 * node[i] + (1 if bins[questions[at], i] > cuts[at] else 0)
    return questions, cuts, node


@njit(cache=True)
def _count(histogram: Any, bins: Any, moments: Any, drawn: Any, node: Any) -> None:
    histogram[:] = 0.0
    for i in drawn:
        cell = histogram[node[i], bins[i]]
        cell[0] += moments[i, 0]
        cell[1] += moments[i, 1]
        cell[2] += 1.0


@njit(cache=True)
def _best_cut(cells: Any, l2: float, least_rows: int) -> Any:
    """Return the gain of the best question about one column, and the last bin of its first child."""
    total, curve, rows = 0.0, 0.0, 0.0
    for b in range(_BINS):
        total += cells[b, 0]
        curve += cells[b, 1]
        rows += cells[b, 2]
    best, cut, slope, bend, count = 0.0, _BINS - 1, 0.0, 0.0, 0.0
    whole = total * total / (curve + l2 + _TINY)
    for b in range(_BINS - 1):
        slope += cells[b, 0]
        bend += cells[b, 1]
        count += cells[b, 2]
        if count < least_rows or rows - count < least_rows:
            continue
        other = total - slope
        gain = slope * slope / (bend + l2 + _TINY) + other * other / (curve - bend + l2 + _TINY) - whole
        if gain > best:
            best, cut = gain, b
    return best, cut


def _check_rows(rows: Float32, labels: Int64, weights: Float64, *, n_classes: int) -> None:
    if rows.ndim != 2 or labels.shape != (len(rows),) or weights.shape != (len(rows),) or not rows.size:
        raise DataError(
            f"trees need values (n, columns), a class and a weight for each row, got {rows.shape}, {labels.shape} and "
            f"{weights.shape}"
        )
    if not np.isfinite(rows).all():
        raise DataError(f"trees need finite values, column {np.argwhere(~np.isfinite(rows))[0][1]} is not")
    if labels.min() < 0 or labels.max() >= n_classes:
        raise DataError(f"classes must lie in 0 to {n_classes - 1}, got {labels.min()} to {labels.max()}")


def _check_settings(**settings: float) -> None:
    for name, value in settings.items():
        if value < (0 if name == "l2" else 1 if name != "learning_rate" else 1e-9):
            raise ParameterError(f"{name} must be positive, got {value}")
    if settings["depth"] > 8:
        raise ParameterError(f"depth must lie in 1 to 8, got {settings['depth']}")


def _check_shares(*shares: float) -> None:
    for share in shares:
        if not 0 < share <= 1:
            raise ParameterError(f"share_of_columns and share_of_rows must lie in 0 to 1, got {share}")
