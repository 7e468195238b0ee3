"""Scores of forecasts: scaled errors, pinball loss, and whether intervals hold what they promise."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics.intervals import Interval, intervals_by_subject
from biosig_lstm.metrics.result import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "ForecastScores",
    "check_levels",
    "forecast_scores",
    "interval_coverage",
    "interval_width",
    "mase",
    "naive_scale",
    "pinball_loss",
]

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

MEDIAN = 0.5
_NEAR = 1e-9
_IN_UNITS = ("pinball", "width")


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Return the levels of quantiles as a tuple.

    Raises
    ------
    ParameterError
        Unless they ascend, lie between 0 and 1, and hold 0.5, the forecast of a single value.
    """
    if isinstance(levels, (float, int)):
        raise ParameterError(f"quantiles must be several, such as (0.05, 0.5, 0.95), got {levels}")
    known = tuple(float(level) for level in levels)
    ascending = all(a < b for a, b in pairwise(known))
    if not known or not ascending or not (known[0] > 0 and known[-1] < 1):
        raise ParameterError(f"quantiles must ascend and lie between 0 and 1, both excluded, got {known}")
    if MEDIAN not in known:
        raise ParameterError(f"quantiles must hold 0.5, the median, which is the single value foreseen; got {known}")
    return known


def pinball_loss(truth: npt.ArrayLike, quantile: npt.ArrayLike, level: float) -> float:
    """Return the mean pinball loss of one quantile.

    Parameters
    ----------
    truth, quantile : array_like
        What came, and what was foreseen to be exceeded with probability ``1 - level``; of the same shape.
    level : float [0 < level < 1]
        Of the quantile.

    Returns
    -------
    float [>= 0, in units of the values]
        Mean of ``level * d`` where ``d = truth - quantile`` is positive and of ``(level - 1) * d`` where it is not. Of
        the median half the mean absolute error.

    Raises
    ------
    DataError
        When the shapes differ, or a value is not finite.
    ParameterError
        When the level is out of range.

    Notes
    -----
    Koenker and Bassett, "Regression quantiles", Econometrica 1978.

    Examples
    --------
    >>> pinball_loss([1.0, 2.0], [0.0, 4.0], 0.9)
    0.55
    """
    if not 0 < level < 1:
        raise ParameterError(f"level must lie between 0 and 1, both excluded, got {level}")
    came, said = _alike(truth=truth, quantile=quantile)
    left = came - said
    return float(np.maximum(level * left, (level - 1) * left).mean())


def naive_scale(past: npt.ArrayLike, *, season: int = 1) -> float:
    """Return the mean absolute error of the seasonal naive forecast within a series: what MASE is measured in.

    Parameters
    ----------
    past : array_like [shape=(steps,)]
        What was known when the forecast was made.
    season : int [>= 1]
        Steps of a season; 1: the value before.

    Returns
    -------
    float [>= 0]
        NaN of a series of no more than a season.

    Raises
    ------
    DataError
        When `past` has other axes, or a value is not finite.
    ParameterError
        When `season` is below 1.

    Examples
    --------
    >>> naive_scale([1.0, 3.0, 2.0])
    1.5
    """
    (values,) = _alike(past=past)
    if values.ndim != 1:
        raise DataError(f"past must be one series, (steps,), got shape {values.shape}")
    if season < 1:
        raise ParameterError(f"season must be at least 1 step, got {season}")
    return float(np.abs(values[season:] - values[:-season]).mean()) if len(values) > season else float("nan")


def mase(truth: npt.ArrayLike, forecast: npt.ArrayLike, past: npt.ArrayLike, *, season: int = 1) -> float:
    """Return the mean absolute scaled error of the forecast of one series.

    Parameters
    ----------
    truth, forecast : array_like [shape=(horizon,)]
        What came, and what was foreseen.
    past, season
        As of `naive_scale`.

    Returns
    -------
    float [>= 0]
        Below 1 where the error is less than that of the naive forecast of one step within the past. NaN where the past
        is constant, or no longer than a season.

    Raises
    ------
    DataError
        When the shapes differ, or a value is not finite.
    ParameterError
        When `season` is below 1.

    Notes
    -----
    Hyndman and Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting 2006.

    Examples
    --------
    >>> mase([4.0, 4.0], [3.0, 3.0], [1.0, 3.0, 2.0])
    0.6666666666666666
    """
    scale = naive_scale(past, season=season)
    came, said = _alike(truth=truth, forecast=forecast)
    error = np.abs(came - said).mean()
    return float(error / scale) if scale > 0 else float("nan")


def interval_coverage(truth: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Return the share of values that lie in their intervals, ends included.

    Parameters
    ----------
    truth, low, high : array_like
        Values, and the ends of their intervals; of the same shape.

    Raises
    ------
    DataError
        When the shapes differ, or a value is not finite.

    Examples
    --------
    >>> interval_coverage([1.0, 5.0], [0.0, 0.0], [2.0, 2.0])
    0.5
    """
    value, least, most = _alike(truth=truth, low=low, high=high)
    return float(((least <= value) & (value <= most)).mean())


def interval_width(low: npt.ArrayLike, high: npt.ArrayLike) -> float:
    """Return the mean width of intervals, in units of the values.

    Parameters
    ----------
    low, high : array_like
        Their ends; of the same shape.

    Raises
    ------
    DataError
        When the shapes differ, or a value is not finite.
    """
    least, most = _alike(low=low, high=high)
    return float((most - least).mean())


def _alike(**values: npt.ArrayLike) -> list[Float64]:
    """Return named values as arrays of one shape, which are finite."""
    arrays = {name: np.asarray(each, dtype=np.float64) for name, each in values.items()}
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1 or not all(array.size for array in arrays.values()):
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(f"one or more values of the same shape are needed, got {found}")
    for name, array in arrays.items():
        _check_finite(name, array)
    return list(arrays.values())


def _check_finite(name: str, values: Float64) -> None:
    if not np.isfinite(values).all():
        raise DataError(f"{name} holds {int((~np.isfinite(values)).sum())} values that are not finite")


@dataclass(frozen=True, eq=False, repr=False)
class ForecastScores(Scores):
    """Errors of forecasts with intervals; `per_subject` stays empty.

    Parameters
    ----------
    metrics, classes, per_subject, confidence
        As of `Scores`: ``mase``; ``pinball``, the mean over the quantiles; ``coverage_90`` and ``width_90`` of the
        interval from the 5 to the 95 % quantile, and so on for each pair.
    variants : tuple of str
        A suffix for each method beside, ``_naive``, under which the metrics stand again. ``mase_ratio`` and
        ``pinball_ratio`` there are those of the model over those of that method, in the same draws of subjects: below 1
        the model is better.
    by_horizon : mapping of str to array_like [shape=(horizon,)]
        Of each variant the mean absolute scaled error by how many steps ahead.
    n_forecasts : mapping of str to int
        Forecasts of each subject.
    n_unscaled : int
        Forecasts whose past was constant: they have no scaled error, and count in all else.
    """

    by_horizon: Mapping[str, Float64] = field(default_factory=dict, kw_only=True)
    n_forecasts: Mapping[str, int] = field(default_factory=dict, kw_only=True)
    n_unscaled: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        frozen = {name: freeze(np.array(row, dtype=np.float64)) for name, row in self.by_horizon.items()}
        object.__setattr__(self, "by_horizon", frozen)

    @property
    def n_subjects(self) -> int:
        """How many subjects were scored."""
        return len(self.n_forecasts)

    @property
    def n_items(self) -> int:
        """How many forecasts were scored, over all subjects."""
        return sum(self.n_forecasts.values())

    def plot(self) -> Figure:
        """Return a figure of the mean absolute scaled error by steps ahead, a line for each method."""
        from biosig_lstm.metrics._figure import forecast_figure

        return forecast_figure(self)

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self._table, strict=True)]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in self._table]
        return "\n".join([self._title, *lines])

    def _repr_html_(self) -> str:
        rows = ["".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._table]
        return f"<b>{html.escape(self._title)}</b><table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"

    @property
    def _title(self) -> str:
        return (
            f"Scores of {self.n_items} forecasts of {self.n_subjects} subjects; "
            f"[{self.confidence:.0%} interval over subjects]"
        )

    @property
    def _table(self) -> list[list[str]]:
        """A row for each metric, a column for each method."""
        ratios = [name for name in ("mase_ratio", "pinball_ratio") if len(self.variants) > 1]
        bare = [name for name in self.metrics if not name.endswith(self.variants[1:])] if ratios else list(self.metrics)
        heads = ["", *(name.removeprefix("_") or "model" for name in self.variants)]
        return [heads] + [
            [name, *(_cell(name, self.metrics.get(f"{name}{variant}")) for variant in self.variants)]
            for name in [*bare, *ratios]
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        plain = super().to_dict()
        del plain["confusion"]
        ahead = {
            name or "model": [None if np.isnan(x) else x for x in row.tolist()] for name, row in self.by_horizon.items()
        }
        return plain | {"per_subject": dict(self.n_forecasts), "by_horizon": ahead, "unscaled": self.n_unscaled}


def _cell(name: str, found: Interval | None) -> str:
    """Return a metric as text: of one in the units of the targets, whatever these are, four digits count."""
    if found is None or not name.startswith(_IN_UNITS) or name.endswith("_ratio") or np.isnan(found.value):
        return "" if found is None else str(found)
    value, low, high = ("-" if np.isnan(x) else f"{x:.4g}" for x in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def forecast_scores(
    truth: npt.ArrayLike,
    quantiles: Mapping[str, npt.ArrayLike],
    subjects: npt.ArrayLike,
    *,
    levels: Sequence[float],
    scale: npt.ArrayLike,
    known: npt.ArrayLike | None = None,
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> ForecastScores:
    """Score forecasts of several methods on the same values.

    Parameters
    ----------
    truth : array_like [shape=(n, horizon, targets)]
        What came.
    quantiles : mapping of str to array_like [shape=(n, horizon, levels, targets)]
        What each method foresaw; the first under the empty name.
    subjects : array_like of str [shape=(n,)]
        Whose series: the unit of the bootstrap.
    levels : sequence of float
        Of the quantiles, ascending, 0.5 among them.
    scale : array_like [shape=(n, targets)]
        `naive_scale` of the past of each forecast; where it is zero or NaN there is no scaled error.
    known : array_like of bool [shape=(n, horizon, targets)], optional
        Which values count; all by default.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    ForecastScores
        Of all values of all subjects together.

    Raises
    ------
    DataError
        When shapes do not fit together, no value counts, or one that does is not finite.
    ParameterError
        When the levels are no levels of quantiles.
    """
    at = check_levels(levels)
    came, spread = np.asarray(truth, dtype=np.float64), np.asarray(scale, dtype=np.float64)
    counts = np.ones(came.shape, dtype=bool) if known is None else np.asarray(known, dtype=bool)
    said = {name: np.asarray(q, dtype=np.float64) for name, q in quantiles.items()}
    who = np.asarray(subjects, dtype=np.str_).reshape(-1)
    _check_shapes(came, said, who, n_levels=len(at), scale=spread, known=counts)
    names, code = np.unique(who, return_inverse=True)
    scaled = counts & (spread > 0)[:, None, :]
    unit = np.where(spread > 0, spread, 1.0)[:, None, :]
    rows = np.stack([_rows(came, q, at, unit=unit, known=counts, scaled=scaled) for q in said.values()], axis=1)
    sums = np.zeros((len(names), *rows.shape[1:]))
    np.add.at(sums, code, rows)
    metrics = intervals_by_subject(
        sums,
        lambda n: _statistics(n, list(said), at),
        n_resamples=n_resamples,
        confidence=confidence,
        seed=seed,
    )
    ahead = {name: _by_horizon(came, q, at, unit=unit, scaled=scaled) for name, q in said.items()}
    return ForecastScores(
        metrics,
        (),
        {},
        confidence,
        tuple(said),
        by_horizon=ahead,
        n_forecasts=dict(zip(names.tolist(), np.bincount(code, minlength=len(names)).tolist(), strict=True)),
        n_unscaled=int((~(spread > 0).any(axis=1)).sum()),
    )


def _check_shapes(
    truth: Float64, said: Mapping[str, Float64], subjects: npt.NDArray[np.str_], *, n_levels: int, scale: Float64,
    known: Bool,
) -> None:  # fmt: skip
    if truth.ndim != 3:
        raise DataError(f"truth must be (n, horizon, targets), got shape {truth.shape}")
    n, horizon, targets = truth.shape
    shapes: dict[str, tuple[int, ...]] = {f"quantiles of {name or 'the model'}": q.shape for name, q in said.items()}
    wanted: dict[str, tuple[int, ...]] = dict.fromkeys(shapes, (n, horizon, n_levels, targets))
    shapes |= {"subjects": subjects.shape, "scale": scale.shape, "known": known.shape}
    wanted |= {"subjects": (n,), "scale": (n, targets), "known": truth.shape}
    for name, shape in shapes.items():
        if shape != wanted[name]:
            raise DataError(f"{name} must have shape {wanted[name]}, got {shape}")
    if not known.any():
        raise DataError("nothing to score: no value that was foreseen is known")
    _check_finite("truth, where it counts,", truth[known])
    for name, q in said.items():
        _check_finite(f"what {name or 'the model'} foresaw", q)


def _pairs(levels: Sequence[float]) -> list[tuple[int, int, str]]:
    """Return the places of the levels that make a central interval, the widest first, and its percentage."""
    found = []
    for low, level in enumerate(levels):
        high = [k for k, other in enumerate(levels) if abs(other + level - 1) < _NEAR]
        if level < MEDIAN and high:
            found.append((low, high[0], f"{100 * (1 - 2 * level):.4g}"))
    return found


def _rows(
    truth: Float64, said: Float64, levels: Sequence[float], *, unit: Float64, known: Bool, scaled: Bool
) -> Float64:
    """Return sums of each forecast: scaled errors, their number, pinball, inside and width of intervals, number."""
    left = truth[:, :, None, :] - said
    at = np.array(levels)[:, None]
    pinball = np.maximum(at * left, (at - 1) * left).mean(axis=2)
    errors = np.abs(left[:, :, list(levels).index(MEDIAN)]) / unit
    parts = [np.where(scaled, errors, 0.0), scaled, np.where(known, pinball, 0.0), known]
    for low, high, _ in _pairs(levels):
        inside = (said[:, :, low] <= truth) & (truth <= said[:, :, high])
        parts += [known & inside, np.where(known, said[:, :, high] - said[:, :, low], 0.0)]
    return np.stack([part.sum(axis=(1, 2), dtype=np.float64) for part in parts], axis=1)


def _statistics(sums: Float64, names: Sequence[str], levels: Sequence[float]) -> dict[str, Float64]:
    """Return named values of sums (r, methods, parts)."""
    made: dict[str, Float64] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled, pinball = sums[:, :, 0] / sums[:, :, 1], sums[:, :, 2] / sums[:, :, 3]
        shares = sums[:, :, 4:] / sums[:, :, 3:4]
        for k, name in enumerate(names):
            made |= {f"mase{name}": scaled[:, k], f"pinball{name}": pinball[:, k]}
            for pair, (_, _, percent) in enumerate(_pairs(levels)):
                made |= {f"{what}_{percent}{name}": shares[:, k, 2 * pair + j] for j, what in enumerate(_SPANS)}
            if name:
                made |= {
                    f"mase_ratio{name}": scaled[:, 0] / scaled[:, k],
                    f"pinball_ratio{name}": pinball[:, 0] / pinball[:, k],
                }
    return made


def _by_horizon(truth: Float64, said: Float64, levels: Sequence[float], *, unit: Float64, scaled: Bool) -> Float64:
    errors = np.where(scaled, np.abs(truth - said[:, :, list(levels).index(MEDIAN)]) / unit, 0.0)
    count = scaled.sum(axis=(0, 2))
    total = errors.sum(axis=(0, 2))
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))


_SPANS = ("coverage", "width")
