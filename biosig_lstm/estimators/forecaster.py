"""What comes next: quantiles of the steps that follow, from a network that reads forwards alone."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.estimators._beside import Compared, fit_baselines, foreseen_beside
from biosig_lstm.estimators._foresee import Start, foreseen, given_ahead, steps_ahead, straight_start
from biosig_lstm.estimators._look_ahead import forward_reader, warn_of_looking_ahead
from biosig_lstm.estimators._origins import (
    Origins,
    later_values,
    naive_scales,
    rolling_origins,
    training_pieces,
    warn_of_short,
)
from biosig_lstm.estimators._unlabelled import UnlabelledEstimator
from biosig_lstm.estimators.baselines import BASELINES, Baseline
from biosig_lstm.estimators.forecasts import Forecasts
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.metrics.forecast import ForecastScores, check_levels
from biosig_lstm.models import ModelSpec, with_cell
from biosig_lstm.models._checks import check_count
from biosig_lstm.models.causal_lstm import CausalLSTM
from biosig_lstm.models.forecast import ForecastNetwork
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings
from biosig_lstm.training.forecasts import ForecastTask, check_forecast

__all__ = ["Forecaster"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

_LEAST_STEPS = 8
_LEAST_CONTEXT, _CONTEXTS = 64, 2
_MOST_LAGS = 64
_HIDDEN = 32
_OBSERVED_ABOVE = 0.5


class Forecaster(UnlabelledEstimator):
    """A network that foresees the next steps of a series, as quantiles that cannot cross.

    Parameters
    ----------
    pipeline : Pipeline, optional
        How recordings become series: an item is a series, a step of it is what comes next. None: items come as arrays.
        What a step holds must not depend on later steps: of filters that look ahead, as those that go both ways do, it
        is warned; `OneWay` does not.
    model : ModelSpec, optional
        Reads a series: `CausalLSTM`, of any cell, or another that gives each step an answer and never looks ahead. Of
        ``bl.LSTM(32)``, which reads both ways, the forward direction is taken. By default ``CausalLSTM(32)``.
    horizon_steps : int [>= 1]
        How many steps are foreseen.
    quantiles : sequence of float
        Which, ascending, between 0 and 1; 0.5 must be among them.
    targets : sequence of str
        Columns that are foreseen; by default all that are named in none of the following.
    known_ahead : sequence of str
        Columns that are known before they come, such as the time of day. Neither these nor `targets`: columns that are
        known in the past alone.
    observed : str
        Column that is 1 where the targets were observed and 0 where they were filled in; these are read, and neither
        learned nor scored.
    context_steps : int, optional
        A forecast reads so many to twice as many steps, or what there is; by default twice the horizon or the season,
        at least 64.
    season_steps : int or "auto", optional
        Steps of a season, which the network is then given the last one of; "auto": as the autocorrelation of each past
        shows, see `models.forecast.season_of`. By default none. The seasonal naive forecast has one in any case, and
        scaled errors are against the value a season before where its steps are given, else against the one before.
    scale_by_past : bool
        Bring a series to mean 0 and deviation 1 by what has come of it; see `models.forecast.ForecastNetwork`.
    cell : str, optional
        "lstm", "gru", "rnn" or "transformer": the model with another cell.
    members, standardize, task
        As of `Estimator`; the quantiles of several members are averaged. Features are standardised by default.

    Attributes
    ----------
    baselines : dict of str to tuple of Baseline
        The simple methods, one for each target, as they were fitted on the training series.

    Raises
    ------
    ParameterError
        When a setting is out of range, or the model gives no answer for each step.

    Notes
    -----
    Every step of a series is an origin: all are learned in one pass. The linear part of the network begins as the
    least-squares map from the last values to the horizon, so that training goes on from a direct autoregressive model.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> bl.Forecaster(cell="gru", horizon_steps=24).model.cell
    'gru'
    """

    per_step = True
    instead = "a Forecaster gives quantiles, no probabilities of classes: call predict or backtest"

    def __init__(
        self,
        pipeline: Pipeline | None = None,
        model: ModelSpec | None = None,
        *,
        horizon_steps: int = 1,
        quantiles: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
        targets: Sequence[str] = (),
        known_ahead: Sequence[str] = (),
        observed: str = "",
        context_steps: int | None = None,
        season_steps: int | Literal["auto"] | None = None,
        scale_by_past: bool = True,
        cell: str | None = None,
        members: int = 1,
        standardize: Standardize | None = Standardize(),  # noqa: B008 (frozen, without state)
        task: str = "forecast",
    ) -> None:
        for what, names in (("targets", targets), ("known_ahead", known_ahead)):
            if isinstance(names, str):
                raise ParameterError(f"{what} must be several names, such as ({names!r},), got {names!r}")
        reader = forward_reader(CausalLSTM(_HIDDEN, dropout=0.0) if model is None else model)
        reader = reader if cell is None else with_cell(reader, cell)
        super().__init__(pipeline, reader, members=members, standardize=standardize, task=task)
        for name, value in (("horizon_steps", horizon_steps), ("season_steps", season_steps)):
            if value not in (None, "auto" if name == "season_steps" else None):
                check_count(name, value)
        self.horizon_steps, self.levels = horizon_steps, check_levels(quantiles)
        repeated = season_steps if isinstance(season_steps, int) else 0
        usual = max(_CONTEXTS * max(horizon_steps, repeated), _LEAST_CONTEXT)
        self.context_steps = usual if context_steps is None else context_steps
        check_count("context_steps", self.context_steps, least=_LEAST_STEPS)
        self.targets, self.known_ahead, self.observed = tuple(targets), tuple(known_ahead), observed
        self.season_steps, self.scale_by_past = season_steps, bool(scale_by_past)
        self.baselines: dict[str, tuple[Baseline, ...]] = {}
        self._start: Start | None = None
        self._asked = self.targets

    def __repr__(self) -> str:
        state = f"trained on {len(self.training.subjects)} subjects" if self.training else "not trained"
        what = f"{self.horizon_steps} steps of {', '.join(self.targets) or 'all columns'}"
        return f"Forecaster({self.model!r}, members={self.members}; {what}; {state})"

    def fit(self, train: Any, val: Any = None, *, subjects: npt.ArrayLike | None = None, **how: Any) -> Self:
        """Learn the next steps of series, and fit the simple methods beside.

        Parameters
        ----------
        train, val : Windows, recordings, mne.Epochs, mne.io.Raw, or arrays of (steps, features)
            Series of different subjects; no labels are needed.
        subjects : array_like [shape=(n,)], optional
            Whose each array of `train` is.
        **how
            As of `Estimator.fit`: settings or single ones by name, directory, progress and so on.

        Raises
        ------
        LeakageError
            When a subject is on both sides.
        DataError
            When no series is long enough, or a column is not there.
        """
        self.training = None
        train = self._series(train, subjects)
        val = None if val is None else self._series(val)
        warn_of_looking_ahead(self.pipeline, stacklevel=3)
        self._take_layout(train)
        learned = self._pieces(train)
        series = self._target_values(train), train.offsets, self._observed(train)
        check_forecast(train, self._task, what="learn from")
        self.baselines = fit_baselines(*series, self._task, context=self.context_steps, season=self._season)
        super().fit(learned, None if val is None else self._pieces(val), **how)
        return self

    def predict(  # type: ignore[override]
        self,
        data: Windows | Recording | Iterable[Recording],
        *,
        horizon_steps: int | None = None,
        ahead: Sequence[npt.ArrayLike] | None = None,
    ) -> Forecasts:
        """Return a forecast from the end of each item.

        Parameters
        ----------
        data : Windows, recordings or arrays
            Series.
        horizon_steps : int, optional
            Fewer steps than the model was trained for.
        ahead : sequence of array_like [shape=(horizon, columns)], optional
            Of each item, what is known of the steps that come: the columns `known_ahead`, in their order. Needed where
            there are any.

        Raises
        ------
        ParameterError
            When more steps are asked for than were trained, or what is known ahead is missing.
        DataError
            When an item has fewer than 8 steps.
        """
        windows = self._windows(data)
        short = np.flatnonzero(windows.lengths < _LEAST_STEPS)
        if len(short):
            raise DataError(
                f"{windows.recordings[short[0]]}: {windows.lengths[short[0]]} steps, a forecast reads {_LEAST_STEPS} "
                "or more"
            )
        coming_steps = self._known_ahead(ahead, len(windows))
        origins = Origins(np.arange(len(windows)), windows.lengths - 1)
        made = self._forecasts(windows, origins, coming_steps)
        return self._cut(made, horizon_steps)

    def backtest(self, data: Windows | Recording | Iterable[Recording], *, every_steps: int | None = None) -> Forecasts:
        """Return forecasts along each item, as if each had been made at its time.

        Parameters
        ----------
        data : Windows, recordings or arrays
            Series.
        every_steps : int [>= 1], optional
            From one origin to the next; the horizon by default.
        """
        windows = self._windows(data)
        return self._forecasts(windows, self._rolling(windows, every_steps), None)

    def evaluate(  # type: ignore[override]
        self,
        test: Any,
        *,
        beside: Sequence[str] = BASELINES,
        every_steps: int | None = None,
        subjects: npt.ArrayLike | None = None,
        allow_seen: bool = False,
        seed: int = 0,
    ) -> ForecastScores:
        """Return how well the next steps are foreseen in subjects that the model has not seen.

        Parameters
        ----------
        test : Windows, recordings or arrays
            Series.
        beside : sequence of {"naive", "seasonal", "ar"}
            Simple methods that are scored on the same values.
        every_steps : int [>= 1], optional
            From one origin to the next; the horizon by default.
        subjects : array_like [shape=(n,)], optional
            Whose each array is.
        allow_seen : bool
            Score subjects of the training set too, when that is what is asked.
        seed : int
            Of the bootstrap over subjects.

        Returns
        -------
        ForecastScores
            As `biosig_lstm.metrics.forecast_scores` names them.

        Raises
        ------
        LeakageError
            When a subject has been trained on.
        DataError
            When no series is long enough.
        """
        windows = self._windows(self._series(test, subjects, layout=True), need_subject=True)
        if not allow_seen:
            self.check_unseen(windows)
        made = self.compare(windows, beside=beside, every_steps=every_steps)
        if not (made.scale > 0).any():
            warnings.warn(
                "every past is constant, or shorter than a season: there is no scaled error (MASE)",
                BiosigWarning,
                stacklevel=2,
            )
        return made.scores(self.levels, seed=seed)

    def compare(
        self,
        data: Windows | Recording | Iterable[Recording],
        *,
        beside: Sequence[str] = BASELINES,
        every_steps: int | None = None,
    ) -> Compared:
        """Return what this model and the simple methods foresee along each item, and what came.

        Those of several folds can be scored together: ``Compared.together(parts).scores(model.levels)``. Nobody is
        refused here: what is scored must not have been learned.

        Parameters
        ----------
        data, beside, every_steps
            As of `evaluate`.
        """
        unknown = [name for name in beside if name not in BASELINES]
        if unknown:
            raise ParameterError(f"beside must be {options(unknown[0], BASELINES)}")
        windows = self._windows(data)
        origins = self._rolling(windows, every_steps)
        said: dict[str, npt.NDArray[Any]] = {"": self._forecasts(windows, origins, None).quantiles}
        values, offsets, observed = self._target_values(windows), windows.offsets, self._observed(windows)
        for name in beside:
            others = self.baselines[name]
            said[f"_{name}"] = foreseen_beside(others, values, offsets, origins, context=self.context_steps)
        later = later_values(values, offsets, origins, horizon=self.horizon_steps)
        counts = later_values(observed[:, None].astype(np.float64), offsets, origins, horizon=self.horizon_steps) > 0
        scale = naive_scales(values, offsets, origins, season=self._season or 1, known=observed)
        return Compared(later, said, windows.subjects[origins.items], scale, np.broadcast_to(counts, later.shape))

    @property
    def _season(self) -> int | None:
        return None if self.season_steps == "auto" else self.season_steps

    @property
    def _task(self) -> ForecastTask:
        observed = self.columns.index(self.observed) if self.observed else None
        return ForecastTask(self._places(self.targets), self.horizon_steps, self.levels, _LEAST_STEPS, observed)

    @property
    def _scaled_task(self) -> ForecastTask:
        """The task where columns are scaled, that which says what was observed among them."""
        if not self.observed or self.scaling is None:
            return self._task
        mean, deviation = self._scaling_of((self.observed,))
        return replace(self._task, observed_above=float((_OBSERVED_ABOVE - mean[0]) / deviation[0]))

    def _places(self, names: Sequence[str]) -> tuple[int, ...]:
        return tuple(self.columns.index(name) for name in names)

    def _pieces(self, windows: Windows) -> Windows:
        long_enough = windows.select(windows.lengths > _LEAST_STEPS)
        if not len(long_enough):
            raise DataError(
                f"no series to learn from or to validate on: a forecast reads {_LEAST_STEPS} steps or more and is "
                f"compared with those that follow, and none of {windows!r} is longer"
            )
        return training_pieces(long_enough, context=self.context_steps, horizon=self.horizon_steps)

    def _take_layout(self, train: Windows) -> None:
        super()._take_layout(train)
        named = {*self.known_ahead, self.observed}
        self.targets = self._asked or tuple(name for name in self.columns if name not in named)
        for name in (*self.targets, *self.known_ahead, *([self.observed] if self.observed else [])):
            if name not in self.columns:
                raise ParameterError(f"no column {options(name, self.columns)}")
        both = set(self.targets) & named
        if both or not self.targets or len(set(self.targets)) < len(self.targets):
            raise ParameterError(
                f"targets must be columns of their own, got {self.targets} beside {sorted(named - {''})}"
            )

    def _before_training(self, scaled: Windows) -> None:
        self._start, self.forecasting = None, self._scaled_task
        self._start = straight_start(self._build(), scaled, self.forecasting)

    def _build(self) -> ForecastNetwork:
        network = ForecastNetwork(
            self.model,
            n_features=len(self.columns),
            targets=self._places(self.targets),
            ahead=self._places(self.known_ahead),
            horizon=self.horizon_steps,
            levels=self.levels,
            lags=min(self.context_steps // 2, _MOST_LAGS),
            scaled=self.scale_by_past,
            season=self.season_steps,
            context=self.context_steps,
        )
        if self._start is not None:
            network.begin(*self._start)
        return network

    def _target_values(self, windows: Windows) -> Float64:
        return windows.values[:, list(self._places(self.targets))].astype(np.float64)

    def _observed(self, windows: Windows) -> Bool:
        if not self.observed:
            return np.ones(len(windows.values), dtype=bool)
        column = windows.values[:, self.columns.index(self.observed)]
        if not np.isin(column, (0.0, 1.0)).all():
            raise DataError(
                f"column {self.observed!r} must be 1 where the targets were observed and 0 where they were not, got "
                f"{column.min():g} to {column.max():g}"
            )
        return np.asarray(column > _OBSERVED_ABOVE)

    def _rolling(self, windows: Windows, every_steps: int | None) -> Origins:
        every = self.horizon_steps if every_steps is None else every_steps
        check_count("every_steps", every)
        how = {"context": self.context_steps, "horizon": self.horizon_steps, "every": every, "least": _LEAST_STEPS}
        warn_of_short(windows, horizon=self.horizon_steps, least=_LEAST_STEPS, stacklevel=4)
        return rolling_origins(windows.lengths, **how)

    def _known_ahead(self, ahead: Sequence[npt.ArrayLike] | None, n_items: int) -> list[Float32] | None:
        if not self.known_ahead and ahead is not None:
            raise ParameterError("this model knows no column ahead: give no `ahead`")
        if not self.known_ahead:
            return None
        scaling, places = self._scaling_of(self.known_ahead), self._places(self.known_ahead)
        rows = given_ahead(ahead, n_items, horizon=self.horizon_steps, names=self.known_ahead)
        return [steps_ahead((one - scaling[0]) / scaling[1], places, len(self.columns)) for one in rows]

    def _forecasts(self, windows: Windows, origins: Origins, ahead: list[Float32] | None) -> Forecasts:
        self.networks.eval()
        how: dict[str, Any] = {"context": self.context_steps, "ahead": ahead}
        made = foreseen(list(self.networks), self._scale(windows), origins, self._task, **how)
        mean, deviation = self._scaling_of(self.targets)
        where = windows.offsets[origins.items] + origins.steps
        return Forecasts(
            recordings=windows.recordings[origins.items],
            subjects=windows.subjects[origins.items],
            items=origins.items,
            origins=origins.steps,
            origins_s=windows.step_samples()[where] / windows.fs[origins.items],
            quantiles=made * deviation + mean,
            levels=self.levels,
            targets=self.targets,
            rate_hz=self.rate_hz,
            unit=self.unit,
        )

    def _scaling_of(self, names: Sequence[str]) -> tuple[Float32, Float32]:
        """Return the mean and the deviation that columns are scaled by."""
        places = list(self._places(names))
        if self.scaling is None:
            return np.zeros(len(places), np.float32), np.ones(len(places), np.float32)
        return np.array(self.scaling.mean, np.float32)[places], np.array(self.scaling.deviation, np.float32)[places]

    def _cut(self, made: Forecasts, horizon_steps: int | None) -> Forecasts:
        if horizon_steps is None:
            return made
        check_count("horizon_steps", horizon_steps)
        if horizon_steps > self.horizon_steps:
            raise ParameterError(
                f"the model was trained for {self.horizon_steps} steps ahead, {horizon_steps} were asked: fed with its "
                "own answers it would be too sure; train one with that horizon_steps"
            )
        return replace(made, quantiles=made.quantiles[:, :horizon_steps])

    def _run(self, train: Windows, val: Windows | None, *, settings: FitSettings) -> dict[str, Any]:
        return super()._run(train, val, settings=settings) | self._own_settings()

    def _own_settings(self) -> dict[str, Any]:
        names = ("horizon_steps", "levels", "targets", "known_ahead", "observed", "context_steps", "season_steps")
        return {name: getattr(self, name) for name in (*names, "scale_by_past")}

    def _header(self) -> dict[str, Any]:
        return super()._header() | {
            **self._own_settings(),
            "baselines": {name: [one.to_dict() for one in several] for name, several in self.baselines.items()},
        }

    def _restore(self, header: Mapping[str, Any]) -> None:
        for name in ("levels", "targets", "known_ahead"):
            setattr(self, name, tuple(header[name]))
        self.horizon_steps, self.context_steps = int(header["horizon_steps"]), int(header["context_steps"])
        self.observed, self.season_steps = str(header["observed"]), header["season_steps"]
        self.scale_by_past = bool(header["scale_by_past"])
        self._asked = self.targets
        self.baselines = {
            name: tuple(Baseline.from_dict(one) for one in several) for name, several in header["baselines"].items()
        }
        self.forecasting = self._scaled_task
