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

__all__ = ["Surprise", "against_recording", "groups_of", "log_energies", "measures"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_FLOOR = 1e-7
_QUANTILES = (0.05, 0.5, 0.95)
_RIDGE, _LEAST = 1e-3, 1e-3
_QUIET = 0.25
_MOST = 80.0  # a larger logarithm would overflow


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


def against_recording(sizes: Sequence[Float64], recordings: Sequence[str]) -> list[Float64]:
    """Return log sizes of items less what is usual in their recording: the lower quartile over its steps.

    The lower quartile, not the median, so that a recording half of which is strange has still a usual half.

    Parameters
    ----------
    sizes : sequence of np.ndarray [shape=(steps, k)]
        Of each item.
    recordings : sequence of str
        Of each item.

    Examples
    --------
    >>> against_recording([np.array([[1.0], [3.0]]), np.array([[5.0]])], ["a", "b"])[0].ravel().tolist()
    [-0.5, 1.5]
    """
    names = np.array(recordings, dtype=np.str_)
    usual = {
        name: np.quantile(np.concatenate([sizes[k] for k in np.flatnonzero(names == name).tolist()]), _QUIET, axis=0)
        for name in dict.fromkeys(names.tolist())
    }
    return [item - usual[name] for item, name in zip(sizes, names.tolist(), strict=True)]


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
    precision : np.ndarray [shape=(columns, columns)]
        Inverse of the second moments of the residuals; empty where an item is judged by its energies.
    distance : float
        Mean over the normal items of the log distance, where `precision` is there.

    Notes
    -----
    A step is the stranger the larger its residuals: the sum over groups of standardised log energies. Of an item whose
    steps are stretches of signal the squared Mahalanobis distance of its energies counts, which is large for residuals
    that are too small as well: a flat line is easily foreseen, and strange. Of an item whose steps are rows of features
    the geometric mean over its steps of the squared Mahalanobis distance of their residuals counts: if one part is
    foreseen badly that says less than if the whole is.
    """

    columns: Float64
    step_mean: Float64
    step_sd: Float64
    item_mean: Float64
    item_precision: Float64
    precision: Float64
    distance: float = 0.0

    def __post_init__(self) -> None:
        for name in _ARRAYS:
            object.__setattr__(self, name, freeze(np.array(getattr(self, name), dtype=np.float64)))

    @classmethod
    def fit(
        cls,
        residuals: Sequence[Float32],
        groups: Sequence[slice],
        *,
        recordings: Sequence[str] | None = None,
        as_rows: bool = False,
    ) -> Surprise:
        """Return what the residuals of normal items look like.

        Parameters
        ----------
        residuals : sequence of np.ndarray [shape=(steps, columns)]
            Of each item.
        groups : sequence of slice
            Columns that belong together; see `groups_of`.
        recordings : sequence of str, optional
            Of each item, to judge against what is usual in it; see `against_recording`.
        as_rows : bool
            Whether an item is judged by the distance of its steps, which are rows of features.

        Raises
        ------
        DataError
            When there are fewer than two items.
        """
        if len(residuals) < 2:
            raise DataError(f"the spread of residuals needs two or more normal items, got {len(residuals)}")
        joined = np.concatenate(residuals).astype(np.float64)
        moments = joined.T @ joined / len(joined) if as_rows else np.diag(np.square(joined).mean(axis=0))
        columns = np.sqrt(np.diag(moments) + _FLOOR)
        precision = _inverse(moments) if as_rows else np.zeros((0, 0))
        measured = [measures(item, groups, precision) for item in residuals]
        sizes = measured if recordings is None else against_recording(measured, recordings)
        steps, items = np.concatenate(sizes)[:, : len(groups)], np.stack([_summary(x[:, : len(groups)]) for x in sizes])
        return cls(
            columns=columns,
            step_mean=steps.mean(axis=0),
            step_sd=steps.std(axis=0) + _FLOOR,
            item_mean=items.mean(axis=0),
            item_precision=_inverse(np.atleast_2d(np.cov(items.T))),
            precision=precision,
            distance=float(np.mean([x[:, -1].mean() for x in sizes])),
        )

    def measures(self, residuals: Float32, groups: Sequence[slice]) -> Float64:
        """Return what `of_steps` and `of_item` judge, shape (steps, groups), one more where there is a distance."""
        return measures(residuals, groups, self.precision)

    def of_steps(self, sizes: Float64) -> Float64:
        """Return the standardised log energy of each group at each step, shape (steps, groups)."""
        deviations: Float64 = (sizes[:, : len(self.step_mean)] - self.step_mean) / self.step_sd
        return deviations

    def of_item(self, sizes: Float64) -> float:
        """Return how strange an item is as a whole; 1 is usual."""
        if len(self.precision):
            return float(np.exp(min(sizes[:, -1].mean() - self.distance, _MOST)))
        away = _summary(sizes) - self.item_mean
        return float(away @ self.item_precision @ away) / len(away)

    def of_samples(self, residuals: Float32) -> Float64:
        """Return residuals in units of what is usual in their column, shape (steps, columns), never negative."""
        relative: Float64 = np.abs(residuals) / self.columns
        return relative

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {name: getattr(self, name).tolist() for name in _ARRAYS} | {"distance": self.distance}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Surprise:
        """Return what `to_dict` wrote."""
        arrays = {name: np.array(values[name], dtype=np.float64) for name in _ARRAYS}
        return cls(**arrays, distance=float(values["distance"]))


def measures(residuals: npt.NDArray[Any], groups: Sequence[slice], precision: Float64) -> Float64:
    """Return log energies (steps, groups), and where there is a precision the log distance as one more column."""
    energies = log_energies(residuals, groups)
    if not len(precision):
        return energies
    rows = residuals.astype(np.float64)
    squares = np.einsum("ti,ij,tj->t", rows, precision, rows) / rows.shape[1]
    return np.column_stack([energies, np.log(np.maximum(squares, 0.0) + _LEAST)])


def _inverse(spread: Float64) -> Float64:
    """Return the inverse of a covariance, a small share of each variance being added to it."""
    return np.asarray(np.linalg.inv(spread + np.diag(_RIDGE * np.diag(spread) + _FLOOR)), dtype=np.float64)


def _summary(energies: Float64) -> Float64:
    return np.quantile(energies, _QUANTILES, axis=0).ravel()


_ARRAYS = ("columns", "step_mean", "step_sd", "item_mean", "item_precision", "precision")
