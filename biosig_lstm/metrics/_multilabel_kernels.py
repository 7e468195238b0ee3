"""The area under the ROC curve and the average precision of many weightings of the same items at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["NEGATIVE", "POSITIVE", "UNKNOWN", "weighted_auc_ap"]

UNKNOWN, NEGATIVE, POSITIVE = -1, 0, 1

Float64 = npt.NDArray[np.float64]


def weighted_auc_ap(
    truth: npt.NDArray[Any], score: npt.NDArray[Any], weights: npt.NDArray[np.int32]
) -> tuple[Float64, Float64]:
    """Return the AUC and the average precision of one class under each of many weightings of the items.

    Parameters
    ----------
    truth : np.ndarray of int [shape=(n,)]
        1 positive, 0 negative, -1 not known, which is left out.
    score : np.ndarray [shape=(n,)]
        The higher, the likelier; finite.
    weights : np.ndarray [shape=(n, draws), dtype=int32]
        How often each item counts in each draw.

    Returns
    -------
    auc, average_precision : np.ndarray [shape=(draws,)]
        NaN for a draw without a positive (and, for the AUC, without a negative).

    Notes
    -----
    The items are sorted once for all draws. Then every draw is summed over groups of equal score from the highest
    down, the draws side by side: the AUC is the Mann-Whitney count of pairs, ties one half; the average precision
    is the sum of the precision at each score times the recall gained there, as in scikit-learn.
    """
    known = np.flatnonzero(truth != UNKNOWN)
    order = known[np.argsort(-score[known], kind="stable")]
    ordered = score[order]
    ends = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]) + 1, len(ordered)).astype(np.int64)
    found: tuple[Float64, Float64] = _sum_over_groups(order, ends, truth == POSITIVE, weights)
    return found


@njit(cache=True)
def _sum_over_groups(order: Any, ends: Any, positive: Any, weights: Any) -> Any:
    n_draws = weights.shape[1]
    n_negative, n_positive = _totals(order, positive, weights)
    pairs, gained = np.zeros(n_draws), np.zeros(n_draws)
    above, hits = np.zeros(n_draws, np.int32), np.zeros(n_draws, np.int32)
    first = 0
    for end in ends:
        group = order[first:end]
        if positive[group].any():
            new_negative, new_positive = _totals(group, positive, weights)
            for r in range(n_draws):
                hits[r] += new_positive[r]
                pairs[r] += new_positive[r] * (2.0 * (n_negative[r] - above[r]) - new_negative[r])
                above[r] += new_negative[r]
                if hits[r]:
                    gained[r] += new_positive[r] * (hits[r] / (hits[r] + above[r]))
        else:
            _add(above, group, weights)
        first = end
    for r in range(n_draws):
        both = 2.0 * n_positive[r] * n_negative[r]
        pairs[r] = pairs[r] / both if both else np.nan
        gained[r] = gained[r] / n_positive[r] if n_positive[r] else np.nan
    return pairs, gained


@njit(cache=True)
def _totals(items: Any, positive: Any, weights: Any) -> Any:
    n_negative, n_positive = np.zeros(weights.shape[1], np.int32), np.zeros(weights.shape[1], np.int32)
    _add(n_negative, items[~positive[items]], weights)
    _add(n_positive, items[positive[items]], weights)
    return n_negative, n_positive


@njit(cache=True)
def _add(total: Any, items: Any, weights: Any) -> None:
    for item in items:
        for r in range(len(total)):
            total[r] += weights[item, r]
