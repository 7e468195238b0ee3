"""What a forecast must beat: the last value, the last season, and an autoregressive model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtri

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.models._season import season_of as season_of_tensor

__all__ = [
    "BASELINES",
    "Autoregression",
    "Baseline",
    "autoregression",
    "autoregressive",
    "naive",
    "past_spread",
    "season_of",
    "seasonal_naive",
]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]
Scalar = TypeVar("Scalar", np.float64, np.bool_)

BASELINES = ("naive", "seasonal", "ar")
_FLOOR, _FLOOR_SHARE = 1e-9, 0.1
_RIDGE = 1e-9
_ROWS_AT_ONCE = 4096
_MEDIAN = 0.5


def naive(past: Float64, horizon: int) -> Float64:
    """Return the last value for every step of the horizon.

    Parameters
    ----------
    past : np.ndarray [shape=(n, steps)]
        What came, the last value last; NaN before the beginning of a series.
    horizon : int
        Steps ahead.

    Returns
    -------
    np.ndarray [shape=(n, horizon)]

    Examples
    --------
    >>> naive(np.array([[1.0, 2.0]]), 2).tolist()
    [[2.0, 2.0]]
    """
    return np.repeat(past[:, -1:], horizon, axis=1)


def season_of(past: Float64) -> Int64:
    """Return how many steps a season has, by the autocorrelation of the past.

    Parameters
    ----------
    past : np.ndarray [shape=(n, steps)]
        As of `naive`.

    Returns
    -------
    np.ndarray of int [shape=(n,)]
        As of `biosig_lstm.models.forecast.season_of`.

    Examples
    --------
    >>> season_of(np.sin(2 * np.pi * np.arange(100) / 20)[None]).tolist()
    [20]
    """
    return np.asarray(season_of_tensor(torch.from_numpy(np.asarray(past, dtype=np.float64))).numpy())


def seasonal_naive(past: Float64, horizon: int, season: int | Int64) -> Float64:
    """Return the value of the same place in the last season for every step of the horizon.

    Parameters
    ----------
    past, horizon
        As of `naive`.
    season : int or np.ndarray of int [shape=(n,)]
        Steps of a season; of a past that is shorter the last value is taken.

    Returns
    -------
    np.ndarray [shape=(n, horizon)]

    Examples
    --------
    >>> seasonal_naive(np.array([[1.0, 2.0, 3.0]]), 4, 3).tolist()
    [[1.0, 2.0, 3.0, 1.0]]
    """
    n, n_steps = past.shape
    length = np.broadcast_to(np.asarray(season, dtype=np.int64), (n,))
    length = np.where(length <= n_steps, length, 1)[:, None]
    ahead = np.arange(1, horizon + 1)
    place = n_steps - 1 + ahead - length * -(-ahead // length)
    found = np.take_along_axis(past, place, axis=1)
    return np.where(np.isnan(found), past[:, -1:], found)


@dataclass(frozen=True, eq=False)
class Autoregression:
    """A linear map from the last values of a series, less its level, to the next one.

    Parameters
    ----------
    coefficients : np.ndarray [shape=(order,)]
        Of the last value first.
    aic : np.ndarray [shape=(orders,)]
        Akaike's criterion of each order from 1 that was tried, less a constant.
    """

    coefficients: Float64
    aic: Float64

    def __post_init__(self) -> None:
        for name in ("coefficients", "aic"):
            object.__setattr__(self, name, freeze(np.array(getattr(self, name), dtype=np.float64)))


def autoregression(
    series: Sequence[Float64], *, most: int, order: int | None = None, known: Sequence[Bool] | None = None
) -> Autoregression:
    """Return the autoregressive model of several series, by least squares.

    Parameters
    ----------
    series : sequence of np.ndarray [shape=(steps,)]
        Each of mean zero.
    most : int [>= 1]
        Largest order that is tried; all orders are compared on the steps after so many.
    order : int, optional
        The order; by default that of the least AIC.
    known : sequence of np.ndarray of bool [shape=(steps,)], optional
        Which steps count as targets.

    Raises
    ------
    DataError
        When no series is longer than `most`.

    Examples
    --------
    >>> rows = np.random.default_rng(0).standard_normal(5000)
    >>> for k in range(1, 5000):
    ...     rows[k] += 0.8 * rows[k - 1]
    >>> bool(abs(autoregression([rows], most=1).coefficients[0] - 0.8) < 0.02)
    True
    """
    gram, count = np.zeros((most + 1, most + 1)), 0
    for number, values in enumerate(series):
        counts = np.ones(len(values), dtype=bool) if known is None else known[number]
        for first in range(most, len(values), _ROWS_AT_ONCE):
            stop = min(first + _ROWS_AT_ONCE, len(values))
            rows = np.lib.stride_tricks.sliding_window_view(values[first - most : stop], most + 1)[counts[first:stop]]
            gram += rows.T @ rows
            count += len(rows)
    if not count:
        raise DataError(f"no series has more than {most} steps: an autoregressive model of that order has no example")
    gram = gram[::-1, ::-1]
    tried = range(1, most + 1) if order is None else range(order, order + 1)
    fitted = [_least_squares(gram, p) for p in tried]
    aic = np.array(
        [count * np.log(max(left / count, _FLOOR)) + 2 * p for p, (_, left) in zip(tried, fitted, strict=True)]
    )
    return Autoregression(fitted[int(aic.argmin())][0], aic)


def _least_squares(gram: Float64, order: int) -> tuple[Float64, float]:
    """Return the coefficients of an order, and the sum of squares that is left."""
    square, cross = gram[1 : order + 1, 1 : order + 1], gram[0, 1 : order + 1]
    ridge = _RIDGE * max(float(np.trace(square)) / order, _FLOOR) * np.eye(order)
    found = np.asarray(np.linalg.solve(square + ridge, cross), dtype=np.float64)
    return found, float(gram[0, 0] - 2 * found @ cross + found @ square @ found)


def autoregressive(past: Float64, horizon: int, coefficients: Float64) -> Float64:
    """Return the forecast of an autoregressive model, step by step, around the level of the past.

    Parameters
    ----------
    past, horizon
        As of `naive`. The level is the mean of the past; what came before its beginning is taken to be at that level.
    coefficients : np.ndarray [shape=(order,)]
        As of `Autoregression`.

    Returns
    -------
    np.ndarray [shape=(n, horizon)]

    Examples
    --------
    >>> autoregressive(np.array([[-1.0, 1.0]]), 2, np.array([0.5])).tolist()
    [[0.5, 0.25]]
    """
    order = len(coefficients)
    level = _mean(past)[:, None]
    last = past[:, -order:] - level
    last = np.where(np.isnan(last), 0.0, last)
    rows = np.zeros((len(past), order + horizon))
    rows[:, order - last.shape[1] : order] = last
    for k in range(order, order + horizon):
        rows[:, k] = rows[:, k - order : k] @ coefficients[::-1]
    return np.asarray(rows[:, order:] + level)


def past_spread(past: Float64, *, floor: float = _FLOOR) -> Float64:
    """Return the standard deviation of each past, shape (n,), NaN left out: in its units residuals are learned.

    Parameters
    ----------
    past : np.ndarray [shape=(n, steps)]
        As of `naive`.
    floor : float [> 0]
        What it is at least.
    """
    known = ~np.isnan(past)
    square = np.where(known, past - _mean(past)[:, None], 0.0) ** 2
    return np.asarray(np.sqrt(square.sum(axis=1) / np.maximum(known.sum(axis=1), 1)).clip(floor))


def _mean(past: Float64) -> Float64:
    known = ~np.isnan(past)
    return np.asarray(np.where(known, past, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


@dataclass(frozen=True, eq=False)
class Baseline:
    """One of the simple methods, with what it learned of one target from training series.

    Parameters
    ----------
    name : {"naive", "seasonal", "ar"}
        Which.
    levels : tuple of float
        Of its quantiles.
    offsets : np.ndarray [shape=(horizon, levels)]
        What is added to the forecast for each quantile, in standard deviations of the past.
    season : int, optional
        Steps of a season; None: as `season_of` finds in each past.
    coefficients : np.ndarray [shape=(order,)]
        Of the autoregressive model.
    floor : float [> 0]
        Least deviation of a past: a tenth of the median one in training.

    Notes
    -----
    Offsets of the first two are empirical quantiles of the training residuals of each step ahead, with the forecast
    itself as the median. Those of the autoregressive model are Gaussian, of the root mean square of these residuals.
    """

    name: str
    levels: tuple[float, ...]
    offsets: Float64
    season: int | None = None
    coefficients: npt.ArrayLike = ()
    floor: float = _FLOOR

    def __post_init__(self) -> None:
        for name in ("offsets", "coefficients"):
            object.__setattr__(self, name, freeze(np.array(getattr(self, name), dtype=np.float64)))

    @classmethod
    def fit(
        cls,
        name: str,
        past: Float64,
        later: Float64,
        *,
        levels: Sequence[float],
        season: int | None = None,
        coefficients: npt.ArrayLike = (),
    ) -> Baseline:
        """Return the method with the offsets that training forecasts show.

        Parameters
        ----------
        name, levels, season, coefficients
            As of `Baseline`.
        past : np.ndarray [shape=(n, steps)]
            What was known.
        later : np.ndarray [shape=(n, horizon)]
            What came; NaN where that is not known.

        Raises
        ------
        ParameterError
            When there is no such method.
        """
        if name not in BASELINES:
            raise ParameterError(f"beside must be {options(name, BASELINES)}")
        horizon = later.shape[1]
        floor = max(_FLOOR_SHARE * float(np.median(past_spread(past))), _FLOOR) if len(past) else _FLOOR
        bare = cls(name, tuple(levels), np.zeros((horizon, len(levels))), season, coefficients, floor)
        left = (later - bare.point(past)) / past_spread(past, floor=floor)[:, None]
        if not np.isfinite(left).any(axis=0).all():
            raise DataError(
                f"of no training series so much is known that all {horizon} steps of the horizon follow what is read: "
                "nothing to compare with"
            )
        made = _gaussian(left, levels) if name == "ar" else _empirical(left, levels)
        return replace(bare, offsets=made)

    def point(self, past: Float64) -> Float64:
        """Return the forecast, (n, horizon), after each past, (n, steps)."""
        horizon = len(self.offsets)
        if self.name == "naive":
            return naive(past, horizon)
        if self.name == "seasonal":
            return seasonal_naive(past, horizon, season_of(past) if self.season is None else self.season)
        return autoregressive(past, horizon, np.asarray(self.coefficients))

    def __call__(self, past: Float64) -> Float64:
        """Return quantiles, (n, horizon, levels), after each past, (n, steps)."""
        spread = past_spread(past, floor=self.floor)
        quantiles: Float64 = self.point(past)[:, :, None] + spread[:, None, None] * self.offsets
        return quantiles

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "name": self.name,
            "levels": list(self.levels),
            "offsets": self.offsets.tolist(),
            "season": self.season,
            "coefficients": np.asarray(self.coefficients).tolist(),
            "floor": self.floor,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Baseline:
        """Return what `to_dict` wrote."""
        return cls(**{**values, "levels": tuple(values["levels"])})


def _empirical(left: Float64, levels: Sequence[float]) -> Float64:
    made = np.nanquantile(left, levels, axis=0).T
    at = np.array(levels)
    made = np.where(at < _MEDIAN, np.minimum(made, 0.0), np.maximum(made, 0.0))
    return np.asarray(np.where(at == _MEDIAN, 0.0, made))


def _gaussian(left: Float64, levels: Sequence[float]) -> Float64:
    spread: Float64 = np.sqrt(np.nanmean(np.square(left), axis=0))
    return np.asarray(spread[:, None] * ndtri(np.array(levels)))


def centred(series: Sequence[Float64]) -> list[Float64]:
    """Return series less their mean, in units of their deviation: a lively one does not outweigh a calm one."""
    return [(values - values.mean()) / (values.std() + _FLOOR) for values in series]


def items_of(values: npt.NDArray[Scalar], offsets: Int64) -> list[npt.NDArray[Scalar]]:
    """Return the stretches of one array between offsets."""
    return [values[first:stop] for first, stop in pairwise(offsets.tolist())]
