"""How strange it is what a network did not foresee: sizes of residuals against those of normal signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError

__all__ = ["Surprise", "groups_of", "log_energies"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_FLOOR = 1e-7
_QUANTILES = (0.05, 0.5, 0.95)
_RIDGE = 1e-3


def groups_of(n_columns: int, window_shape: tuple[int, int] | None, *, parts: int = 1) -> tuple[slice, ...]:
    """Return the columns that belong together: parts of each channel of a window, then of the scalars; or each column.

    Parameters
    ----------
    n_columns : int
        How many columns there are.
    window_shape : (int, int) or None
        Channels and samples of the window that each step is, where it is one.
    parts : int [>= 1]
        How many parts the samples of a channel, and the scalars, are taken in; of fewer, each is a part.

    Examples
    --------
    >>> groups_of(7, (2, 3))
    (slice(0, 3, None), slice(3, 6, None), slice(6, 7, None))
    """
    if window_shape is None:
        return tuple(slice(k, k + 1) for k in range(n_columns))
    channels, samples = window_shape
    edges = [*range(0, channels * samples + 1, samples), n_columns]
    spans = [(first, stop) for first, stop in pairwise(edges) if first < stop]
    return tuple(piece for first, stop in spans for piece in _pieces(first, stop, parts))


def _pieces(first: int, stop: int, parts: int) -> list[slice]:
    n_parts = min(parts, stop - first)
    edges = [first + (stop - first) * k // n_parts for k in range(n_parts + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def log_energies(residuals: npt.NDArray[Any], groups: Sequence[slice]) -> Float64:
    """Return the logarithm of the mean square of each group's residuals, (steps, columns) to (steps, groups)."""
    squares = np.square(residuals, dtype=np.float64)
    return np.log(np.stack([squares[:, group].mean(axis=1) for group in groups], axis=1) + _FLOOR)


@dataclass(frozen=True, eq=False)
class Surprise:
    """What residuals of normal signal look like, and how far others are from that.

    Parameters
    ----------
    columns : np.ndarray [shape=(columns,)]
        Root mean square of each column's residuals.
    step_mean, step_sd : np.ndarray [shape=(groups,)]
        Of the log energies of steps.
    item_mean : np.ndarray [shape=(3 * groups,)]
        Of the 5th, 50th and 95th percentiles over the steps of an item, percentile after percentile.
    item_precision : np.ndarray [shape=(3 * groups, 3 * groups)]
        Inverse of their covariance.

    Notes
    -----
    A step is the stranger the larger its residuals: the sum over groups of standardised log energies. Of an item the
    squared Mahalanobis distance counts, which is large for residuals that are too small as well: a flat line is easily
    foreseen, and strange.
    """

    columns: Float64
    step_mean: Float64
    step_sd: Float64
    item_mean: Float64
    item_precision: Float64

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            object.__setattr__(self, name, freeze(np.array(values, dtype=np.float64)))

    @classmethod
    def fit(cls, residuals: Sequence[Float32], groups: Sequence[slice]) -> Surprise:
        """Return what the residuals of normal items, each (steps, columns), look like.

        Raises
        ------
        DataError
            When there are fewer than two items.
        """
        if len(residuals) < 2:
            raise DataError(f"the spread of residuals needs two or more normal items, got {len(residuals)}")
        energies = [log_energies(item, groups) for item in residuals]
        steps, items = np.concatenate(energies), np.stack([_summary(item) for item in energies])
        spread = np.atleast_2d(np.cov(items.T))
        spread += np.diag(_RIDGE * np.diag(spread) + _FLOOR)
        total = sum(np.square(item, dtype=np.float64).sum(axis=0) for item in residuals)
        return cls(
            columns=np.sqrt(total / len(steps) + _FLOOR),
            step_mean=steps.mean(axis=0),
            step_sd=steps.std(axis=0) + _FLOOR,
            item_mean=items.mean(axis=0),
            item_precision=np.asarray(np.linalg.inv(spread), dtype=np.float64),
        )

    def of_steps(self, residuals: Float32, groups: Sequence[slice]) -> Float64:
        """Return the standardised log energy of each group at each step, shape (steps, groups)."""
        deviations: Float64 = (log_energies(residuals, groups) - self.step_mean) / self.step_sd
        return deviations

    def of_item(self, residuals: Float32, groups: Sequence[slice]) -> float:
        """Return how strange an item is as a whole: 1 is usual, as the squared distance over its expectation."""
        away = _summary(log_energies(residuals, groups)) - self.item_mean
        return float(away @ self.item_precision @ away) / len(away)

    def of_samples(self, residuals: Float32) -> Float64:
        """Return residuals in units of what is usual in their column, shape (steps, columns), never negative."""
        relative: Float64 = np.abs(residuals) / self.columns
        return relative

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {name: values.tolist() for name, values in vars(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Surprise:
        """Return what `to_dict` wrote."""
        return cls(**{name: np.array(value, dtype=np.float64) for name, value in values.items()})


def _summary(energies: Float64) -> Float64:
    return np.quantile(energies, _QUANTILES, axis=0).ravel()
