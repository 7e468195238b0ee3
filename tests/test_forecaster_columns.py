"""Columns of what is foreseen: known ahead, known in the past alone, several targets, observed or filled in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from forecast_series import HORIZON, QUICK, forecaster, series

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Forecaster


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def with_hour(n: int, *, seed: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Noise that jumps where the second column says so; and what that column says of the steps that come."""
    rng = np.random.default_rng(seed)
    items, later = [], []
    for _ in range(n):
        jump = (rng.random(96) < 0.3).astype(float)
        value = 3 * jump + 0.1 * rng.standard_normal(96)
        rows = np.stack([value, jump], axis=1)
        items.append(rows[:90])
        later.append(rows[90:])
    return items, later


@pytest.fixture(scope="module")
def with_known_ahead() -> Forecaster:
    train, _ = with_hour(24, seed=0)
    names = {"targets": ("feature0",), "known_ahead": ("feature1",)}
    how = QUICK | {"max_epochs": 10, "learning_rate": 2e-2}
    return forecaster(context_steps=16, **names).fit(train, **how)


def test_what_is_known_ahead_is_used(with_known_ahead: Forecaster) -> None:
    items, later = with_hour(12, seed=1)
    said = with_known_ahead.predict(items, ahead=[rows[:, 1:] for rows in later])
    error = np.abs(said.median[:, :, 0] - np.stack([rows[:, 0] for rows in later]))
    assert error.mean() < 0.6
    contrary = with_known_ahead.predict(items, ahead=[1 - rows[:, 1:] for rows in later])
    assert np.abs(contrary.median - said.median).mean() > 1.5
    assert with_known_ahead.evaluate(items)["mase_ratio_ar"].high < 0.7


def test_what_is_known_ahead_must_be_given(with_known_ahead: Forecaster) -> None:
    items, later = with_hour(2, seed=1)
    with pytest.raises(ParameterError, match=r"the model needs feature1 of the steps that come: ahead=.*\(6, 1\)"):
        with_known_ahead.predict(items)
    with pytest.raises(ParameterError, match=r"a finite array \(6, 1\) for each of 2 items, got \[\(6, 2\)"):
        with_known_ahead.predict(items, ahead=later)
    with pytest.raises(ParameterError, match="knows no column ahead: give no `ahead`"):
        forecaster().fit(series(4), **(QUICK | {"max_epochs": 1})).predict(series(2), ahead=later)


def test_a_column_known_in_the_past_alone_is_read() -> None:
    rng = np.random.default_rng(0)
    items = []
    for _ in range(20):
        cause = rng.standard_normal(91)
        items.append(np.stack([np.roll(cause, 1), cause], axis=1)[1:])
    model = forecaster(horizon_steps=1, targets=("feature0",), context_steps=16)
    model.fit(items[:16], **(QUICK | {"max_epochs": 5, "learning_rate": 2e-2}))
    scores = model.evaluate(items[16:])
    assert scores["mase_ratio_ar"].high < 0.5
    assert model.predict(items[16:]).targets == ("feature0",)


def test_several_targets_are_foreseen_together(tmp_path: Path) -> None:
    items = [
        np.concatenate([a, 10 * b[: len(a)]], axis=1)
        for a, b in zip(series(8), series(8, seed=1, steps=130), strict=True)
    ]
    model = forecaster().fit(items, **(QUICK | {"max_epochs": 2}))
    said = model.predict(items)
    assert said.targets == ("feature0", "feature1")
    assert said.quantiles.shape == (8, HORIZON, 5, 2)
    assert model.evaluate(items, allow_seen=True)["mase_ratio_naive"].value < 0.7


def test_what_was_not_observed_is_neither_learned_nor_scored() -> None:
    rng = np.random.default_rng(0)

    def spoiled(items: list[np.ndarray], size: float) -> list[np.ndarray]:
        made = []
        for item in items:
            there = np.ones(len(item))
            there[rng.choice(np.arange(30, len(item)), 8, replace=False)] = 0
            made.append(np.stack([np.where(there > 0, item[:, 0], item[:, 0] + size), there], axis=1))
        return made

    model = forecaster(targets=("feature0",), observed="feature1")
    model.fit(spoiled(series(10), 0.0), **(QUICK | {"max_epochs": 1}))
    test = spoiled(series(4, seed=1), 0.0)
    hidden = [np.where(rows[:, 1:] > 0, rows, rows + np.array([50.0, 0.0])) for rows in test]
    origin = 23  # the first forecast reads nothing that is hidden
    one, two = (model.backtest(rows, every_steps=200) for rows in (test, hidden))
    assert (one.origins == origin).all()
    np.testing.assert_array_equal(one.quantiles, two.quantiles)
    scores, others = (model.evaluate(rows, every_steps=200) for rows in (test, hidden))
    for name in ("mase", "mase_ar", "pinball"):
        assert scores[name].value == pytest.approx(others[name].value)


def test_columns_that_are_not_there_are_guessed() -> None:
    data = Windows.from_arrays(series(4), columns=["power"])
    with pytest.raises(ParameterError, match="no column 'powr'; did you mean 'power'"):
        forecaster(targets=("powr",)).fit(data, **QUICK)
    with pytest.raises(ParameterError, match="targets must be columns of their own"):
        forecaster(targets=("power",), observed="power").fit(data, **QUICK)
    with pytest.raises(ParameterError, match=r"targets must be columns of their own, got \('power', 'power'\)"):
        forecaster(targets=("power", "power")).fit(data, **QUICK)
    with pytest.raises(ParameterError, match="beside must be 'naiv'; did you mean 'naive'"):
        forecaster().fit(data, **(QUICK | {"max_epochs": 1})).compare(data, beside=("naiv",))


def test_a_forecaster_is_fitted_again_on_other_columns() -> None:
    model = forecaster()
    for name in ("power", "flow"):
        model.fit(Windows.from_arrays(series(4), columns=[name]), **(QUICK | {"max_epochs": 1}))
        assert model.targets == (name,)


@pytest.mark.parametrize("scaled", [True, False])
def test_a_column_that_says_all_was_observed_changes_nothing_that_counts(scaled: bool) -> None:
    """Standardised, a column of ones is one of noughts: what was observed is still learned and validated on."""
    items, val = ([np.concatenate([x, np.ones_like(x)], axis=1) for x in series(n, seed=n)] for n in (12, 4))
    how: dict[str, Any] = {} if scaled else {"standardize": None}
    model = forecaster(targets=("feature0",), observed="feature1", **how).fit(items, val, **QUICK)
    assert [row["val_loss"] > 0 for row in model.history[0].epochs] == [True] * 4
    alone = forecaster(**how).fit(series(12, seed=12), series(4, seed=4), **QUICK)
    test = series(6, seed=5)
    scores = model.evaluate([np.concatenate([x, np.ones_like(x)], axis=1) for x in test])
    assert scores["pinball"].value == pytest.approx(alone.evaluate(test)["pinball"].value, rel=0.2)


def test_where_nothing_was_observed_nothing_is_learned() -> None:
    there, gone = ([np.concatenate([x, np.full_like(x, k)], axis=1) for x in series(4, seed=k)] for k in (1, 0))
    model = forecaster(targets=("feature0",), observed="feature1")
    with pytest.raises(DataError, match="nothing to learn from: 'feature1' says that nothing was observed after the f"):
        model.fit(gone, there, **QUICK)
    with pytest.raises(DataError, match="nothing to validate on: 'feature1' says that nothing was observed after"):
        model.fit(there, gone, **QUICK)
    there[0][3, 1] = 0.25
    with pytest.raises(DataError, match=r"'feature1' must be 1 where the targets were observed.* got 0\.25 to 1"):
        model.fit(there, **QUICK)
