"""The network of forecasts: its loss, its quantiles, where training begins, the last season, and no look ahead."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from forecast_series import HORIZON, QUICK, forecaster, series
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Forecaster, load
from biosig_lstm.models import LSTMAutoencoder, LSTMPredictor
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.bilstm import BiLSTM
from biosig_lstm.models.forecast import ForecastNetwork, in_order, past_moments
from biosig_lstm.training.batch import Batch
from biosig_lstm.training.forecasts import ForecastModule, ForecastTask, coming
from biosig_lstm.training.settings import FitSettings


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class BothWays(ModelSpec):
    """Reads both ways, which a forecast must not."""

    hidden_size: int = 4
    _: KW_ONLY

    def build(self, **how: Any) -> torch.nn.Module:
        return BiLSTM(self.hidden_size).build(**how)


@dataclass(frozen=True)
class OfItems(BothWays):
    """Answers items alone."""

    answers_per_step: ClassVar[tuple[bool, ...]] = (False,)


def test_the_pinball_loss_counts_what_is_there() -> None:
    """The loss of a batch by hand: origins after eight steps, horizons inside the item, in deviations of the item."""
    torch.manual_seed(0)
    task = ForecastTask((0,), 3, (0.1, 0.5, 0.9), 8)
    network = ForecastNetwork(
        bl.CausalLSTM(4, dropout=0.0), n_features=1, targets=(0,), horizon=3, levels=task.levels, lags=4
    )
    x = torch.randn(2, 14, 1)
    lengths = torch.tensor([14, 11])
    x[1, 11:] = 0
    loss, counts = ForecastModule(network, settings=FitSettings(), task=task)._loss(Batch(x, lengths, torch.zeros(2)))
    said = network(x, lengths).detach().numpy()
    total, number = 0.0, 0
    for row, length in enumerate(lengths.tolist()):
        unit = x[row, :length, 0].numpy().std()
        for origin in range(7, length):
            for ahead in range(min(3, length - 1 - origin)):
                left = (float(x[row, origin + 1 + ahead, 0]) - said[row, origin, ahead, :, 0]) / unit
                at = np.array(task.levels)
                total += np.maximum(at * left, (at - 1) * left).mean()
                number += 1
    assert counts
    assert float(loss.detach()) == pytest.approx(total / number, rel=1e-5)
    truth, known = coming(network, x, lengths, task)
    assert int(known.sum()) == number
    assert truth.shape == known.shape == (2, 14, 3, 1)
    with pytest.raises(TypeError, match="a ForecastNetwork foresees, got Linear"):
        coming(torch.nn.Linear(1, 1), x, lengths, task)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 50, width=32), min_size=5, max_size=5))
def test_quantiles_cannot_cross(raw: list[float]) -> None:
    made = in_order(torch.tensor(raw)[:, None], middle=2)[:, 0]
    assert (made.diff() >= 0).all()
    assert made[2] == raw[2]


def test_moments_are_those_of_the_past() -> None:
    rows = 1000 + np.random.default_rng(0).standard_normal((1, 40, 2))
    mean, deviation = past_moments(torch.tensor(rows, dtype=torch.float32))
    for k in (0, 1, 20, 39):
        np.testing.assert_allclose(mean[0, k], rows[0, : k + 1].mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(deviation[0, k], np.hypot(rows[0, : k + 1].std(axis=0), 1e-4), atol=1e-4)


def test_what_looks_ahead_is_refused() -> None:
    with pytest.raises(ParameterError, match="BothWays looks ahead: its answer at a step changes with the steps after"):
        Forecaster(model=BothWays()).fit(series(4), **QUICK)
    with pytest.raises(ParameterError, match="LSTMAutoencoder"):
        Forecaster(model=LSTMAutoencoder(4)).fit(series(4), **QUICK)
    assert Forecaster(model=bl.LSTM(12)).model == bl.CausalLSTM(12, dropout=0.0)
    assert Forecaster(model=LSTMPredictor(4), horizon_steps=2).fit(series(4), **(QUICK | {"max_epochs": 1})).training
    with pytest.raises(ParameterError, match="OfItems gives no answer for each step; a Forecaster takes"):
        Forecaster(model=OfItems())


def test_training_begins_as_a_linear_forecast() -> None:
    """At no learning rate worth the name the network is the least-squares map with the spread of its residuals."""
    model = forecaster(scale_by_past=False, standardize=None, context_steps=24)
    items = [row - row.mean() for row in series(16)]
    model.fit(items, **(QUICK | {"max_epochs": 1, "learning_rate": 1e-9}))
    lags = 12
    x, y = [], []
    for item in items:
        for k in range(len(item) - HORIZON):
            past = np.concatenate([np.full(lags, item[0, 0]), item[: k + 1, 0]])[-lags:]
            if k >= 7:
                x.append(past)
                y.append(item[k + 1 : k + 1 + HORIZON, 0])
    (test,) = series(1, seed=5)
    test = test - test.mean()
    by_hand = test[-lags:, 0] @ np.linalg.lstsq(np.array(x), np.array(y), rcond=None)[0]
    said = model.predict([test]).median[0, :, 0]
    assert np.abs(said - by_hand).max() < 0.25 * np.ptp(test)
    scores = model.evaluate(items, allow_seen=True)
    assert 0.85 < scores["coverage_90"].value < 0.95
    assert 0.4 < scores["coverage_50"].value < 0.6


@pytest.mark.parametrize("season", ["auto", 12])
def test_the_last_season_is_given_to_the_network(season: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def pulses(n: int) -> list[np.ndarray]:
        """Each with a shape and, unless it is given, a season of its own: no one linear map foresees them all."""
        made = []
        for _ in range(n):
            shape = rng.standard_normal(12 if season == 12 else int(rng.integers(8, 22)))
            made.append(np.tile(shape, 14)[:108, None] + 0.05 * rng.standard_normal((108, 1)))
        return made

    model = forecaster(season_steps=season, context_steps=48).fit(pulses(30), **(QUICK | {"max_epochs": 2}))
    scores = model.evaluate(pulses(10))
    assert scores["pinball_ratio_naive"].high < 0.4
    if season == "auto":
        assert scores["pinball_ratio_ar"].high < 0.9
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert again.season_steps == season
    (item,) = pulses(1)
    np.testing.assert_array_equal(again.predict([item]).quantiles, model.predict([item]).quantiles)
    other = item.copy()
    other[70:] = 1e3
    one, two = (model.backtest([rows], every_steps=1) for rows in (item, other))
    before = one.origins < 70
    np.testing.assert_array_equal(one.quantiles[before], two.quantiles[before])


def test_memory_is_set_by_the_lengths_of_what_is_read() -> None:
    model = Forecaster(model=bl.LSTM(4, memory_steps="auto"), horizon_steps=2, context_steps=16)
    assert model.fit(series(4), **(QUICK | {"max_epochs": 1})).model.memory_steps == 34
