"""The simple methods beside a forecaster: fitted on the same training series, asked from the same origins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.annotations import Int64
from biosig_lstm.estimators._origins import Origins, later_values, past_values, rolling_origins
from biosig_lstm.estimators.baselines import BASELINES, Baseline, autoregression, centred, items_of
from biosig_lstm.metrics.forecast import ForecastScores, forecast_scores
from biosig_lstm.training.forecasts import ForecastTask

__all__ = ["Compared", "fit_baselines", "foreseen_beside"]

Float64 = npt.NDArray[np.float64]

_MOST_ORDER = 128
_ROWS_AT_ONCE = 2048


class Compared(NamedTuple):
    """What several methods foresaw, and what came: what `biosig_lstm.metrics.forecast_scores` takes.

    Attributes
    ----------
    truth : np.ndarray [shape=(n, horizon, targets)]
        What came.
    said : dict of str to np.ndarray [shape=(n, horizon, levels, targets)]
        What was foreseen: by the model under the empty name, by the others as ``_naive``.
    subjects : np.ndarray of str [shape=(n,)]
        Whose.
    scale : np.ndarray [shape=(n, targets)]
        What scaled errors are measured in.
    known : np.ndarray of bool [shape=(n, horizon, targets)]
        Which values count.
    """

    truth: Float64
    said: dict[str, npt.NDArray[Any]]
    subjects: npt.NDArray[np.str_]
    scale: Float64
    known: npt.NDArray[np.bool_]

    @staticmethod
    def together(parts: Sequence[Compared]) -> Compared:
        """Return those of several sets of subjects, such as the folds of a cross-validation, as one."""
        said = {name: np.concatenate([part.said[name] for part in parts]) for name in parts[0].said}
        truth, subjects, scale, known = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("truth", "subjects", "scale", "known")
        )
        return Compared(truth, said, subjects, scale, known)

    def scores(self, levels: Sequence[float], *, seed: int = 0) -> ForecastScores:
        """Return the scores of all; the levels are those of the quantiles."""
        how: dict[str, Any] = {"levels": levels, "scale": self.scale, "known": self.known, "seed": seed}
        return forecast_scores(self.truth, self.said, self.subjects, **how)


def fit_baselines(
    values: Float64,
    offsets: Int64,
    observed: npt.NDArray[np.bool_],
    task: ForecastTask,
    *,
    context: int,
    season: int | None,
) -> dict[str, tuple[Baseline, ...]]:
    """Return each of the simple methods, one for each target.

    Parameters
    ----------
    values : np.ndarray [shape=(total_steps, targets)]
        Training series, end to end.
    offsets : np.ndarray of int [shape=(n + 1,)]
        Where each begins.
    observed : np.ndarray of bool [shape=(total_steps,)]
        Which steps count.
    task, context, season
        As of `Forecaster`. Orders up to the context, 128 at most, are tried.
    """
    lengths = np.diff(offsets)
    origins = _training_origins(lengths, task, context=context)
    later = later_values(np.where(observed[:, None], values, np.nan), offsets, origins, horizon=task.horizon)
    past = past_values(values, offsets, origins, context=context)
    most = max(min(context, _MOST_ORDER, int(lengths.max()) // 2), 1)
    made: dict[str, list[Baseline]] = {name: [] for name in BASELINES}
    for k in range(values.shape[1]):
        series = centred(items_of(values[:, k], offsets))
        model = autoregression(series, most=most, known=items_of(observed, offsets))
        own: dict[str, dict[str, Any]] = {"seasonal": {"season": season}, "ar": {"coefficients": model.coefficients}}
        for name in BASELINES:
            fitted = Baseline.fit(name, past[..., k], later[..., k], levels=task.levels, **own.get(name, {}))
            made[name].append(fitted)
    return {name: tuple(several) for name, several in made.items()}


def _training_origins(lengths: Int64, task: ForecastTask, *, context: int) -> Origins:
    """Return origins of which at least a step came, and of series no longer than the context one with all that came."""
    how = {"context": context, "every": task.horizon, "least": task.least}
    parts = [rolling_origins(lengths, horizon=horizon, **how) for horizon in (1, task.horizon)]
    items, steps = np.unique(np.concatenate([np.stack(part) for part in parts], axis=1), axis=1)
    return Origins(items, steps)


def foreseen_beside(
    baselines: Sequence[Baseline], values: Float64, offsets: Int64, origins: Origins, *, context: int
) -> Float64:
    """Return quantiles, (n, horizon, levels, targets), of a simple method after each origin."""
    made = []
    for first in range(0, len(origins.items), _ROWS_AT_ONCE):
        some = Origins(*(part[first : first + _ROWS_AT_ONCE] for part in origins))
        past = past_values(values, offsets, some, context=context)
        made.append(np.stack([one(past[..., k]) for k, one in enumerate(baselines)], axis=-1))
    return np.concatenate(made)
