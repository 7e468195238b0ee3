"""Confidence intervals that respect whose the items are: whole subjects are drawn, never single items."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError

__all__ = ["Interval", "bootstrap_by_subject", "intervals_by_subject"]

Float64 = npt.NDArray[np.float64]
Statistic = Callable[[Float64], npt.NDArray[Any]]
Statistics = Callable[[Float64], Mapping[str, npt.NDArray[Any]]]

_BLOCK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A value and the limits of its confidence interval; NaN where there is none.

    Examples
    --------
    >>> print(Interval(0.853, 0.7, 0.92))
    0.853 [0.700, 0.920]
    >>> Interval(float("nan"), float("nan"), float("nan")).to_dict()
    {'value': None, 'low': None, 'high': None}
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        return f"{_text(self.value)} [{_text(self.low)}, {_text(self.high)}]"

    def to_dict(self) -> dict[str, float | None]:
        """Return value, low and high as plain JSON values: None for NaN."""
        return {name: None if math.isnan(x) else float(x) for name, x in vars(self).items()}


def bootstrap_by_subject(
    per_subject_counts: npt.ArrayLike,
    statistic: Statistic,
    *,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return a statistic of summed counts, and its percentile interval over resampled subjects.

    Parameters
    ----------
    per_subject_counts : array_like [shape=(subjects, ...)]
        What is counted of each subject: hits and misses, or a confusion matrix.
    statistic : callable
        From summed counts of shape (r, ...) to values of shape (r,), for all r resamples at once.
    n_resamples : int [>= 1]
        How many times as many subjects are drawn, with replacement.
    confidence : float [0 < confidence < 1]
        Share of the resampled values between the two limits.
    seed : int
        Of the draws: the same seed gives the same interval.

    Returns
    -------
    Interval
        The value of all subjects together, and its limits.

    Raises
    ------
    DataError
        When there is no subject, or a count is not finite.
    ParameterError
        When `n_resamples` or `confidence` is out of range.

    Notes
    -----
    Percentile method with subjects as the sampling unit (Efron and Tibshirani 1993, *An Introduction to the
    Bootstrap*, chapters 8 and 13). Three deviations: a resample in which the statistic is undefined (NaN: the
    class is absent from all subjects drawn) is left out, so that the interval is that of a test set in which
    the class occurs; of one subject alone nothing can be drawn, so the limits are NaN; and the interval is
    stretched to hold the value itself where the resampled values all lie on one side of it.

    Examples
    --------
    >>> hits_and_misses = [[90, 10], [80, 20], [99, 1], [50, 50]]
    >>> print(bootstrap_by_subject(hits_and_misses, lambda n: n[:, 0] / n.sum(axis=1)))
    0.797 [0.600, 0.945]
    """

    def named(counts: Float64) -> dict[str, npt.NDArray[Any]]:
        return {"value": statistic(counts)}

    intervals = intervals_by_subject(
        per_subject_counts, named, n_resamples=n_resamples, confidence=confidence, seed=seed
    )
    return intervals["value"]


def intervals_by_subject(
    per_subject_counts: npt.ArrayLike,
    statistics: Statistics,
    *,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return many statistics of the same resamples by name; see `bootstrap_by_subject`.

    Parameters
    ----------
    per_subject_counts : array_like [shape=(subjects, ...)]
        What is counted of each subject.
    statistics : callable
        From summed counts of shape (r, ...) to a mapping of names to values of shape (r,).
    n_resamples, confidence, seed
        As in `bootstrap_by_subject`.

    Returns
    -------
    dict of str to Interval
        In the order in which `statistics` names them.
    """
    counts = _checked(per_subject_counts, n_resamples=n_resamples, confidence=confidence)
    values = statistics(counts.sum(axis=0, keepdims=True))
    if len(counts) == 1:
        return {name: Interval(float(value[0]), math.nan, math.nan) for name, value in values.items()}
    drawn = statistics(_resampled_sums(counts, n_resamples=n_resamples, seed=seed))
    return {name: percentile_interval(float(value[0]), drawn[name], confidence) for name, value in values.items()}


def _checked(per_subject_counts: npt.ArrayLike, *, n_resamples: int, confidence: float) -> Float64:
    counts = np.asarray(per_subject_counts, dtype=np.float64)
    if counts.ndim < 1 or not len(counts):
        raise DataError(f"counts of at least one subject are needed, got shape {counts.shape}")
    if not np.isfinite(counts).all():
        raise DataError(f"counts must be finite, subject {int(np.argwhere(~np.isfinite(counts))[0][0])} has others")
    check_drawing(n_resamples=n_resamples, confidence=confidence)
    return counts


def check_drawing(*, n_resamples: int, confidence: float) -> None:
    """Raise a ParameterError unless intervals can be drawn so."""
    if n_resamples < 1:
        raise ParameterError(f"n_resamples must be at least 1, got {n_resamples}")
    if not 0 < confidence < 1:
        raise ParameterError(f"confidence must lie between 0 and 1, got {confidence}")


def _resampled_sums(counts: Float64, *, n_resamples: int, seed: int) -> Float64:
    generator = np.random.default_rng(seed)
    n_subjects, flat = len(counts), counts.reshape(len(counts), -1)
    step = max(_BLOCK // n_subjects, 1)
    sizes = [min(step, n_resamples - done) for done in range(0, n_resamples, step)]
    sums = [times_drawn(generator, size=size, n_subjects=n_subjects) @ flat for size in sizes]
    return np.concatenate(sums).reshape(n_resamples, *counts.shape[1:])


def times_drawn(generator: np.random.Generator, *, size: int, n_subjects: int) -> Float64:
    """Return how often each subject is in each of `size` draws of as many as there are, shape (size, n_subjects)."""
    drawn = generator.integers(n_subjects, size=(size, n_subjects))
    cells = (drawn + n_subjects * np.arange(size)[:, None]).ravel()
    return np.bincount(cells, minlength=size * n_subjects).reshape(size, n_subjects).astype(np.float64)


def percentile_interval(value: float, drawn: npt.NDArray[Any], confidence: float) -> Interval:
    """Return the value with the percentiles of its draws, those that are NaN left out; see `bootstrap_by_subject`."""
    defined = drawn[~np.isnan(drawn)]
    if math.isnan(value) or not len(defined):
        return Interval(value, math.nan, math.nan)
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Interval(value, min(float(low), value), max(float(high), value))


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
