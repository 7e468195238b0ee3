"""Forecasters: what comes never changes what is foreseen, series that can be foreseen are, what cannot be is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from forecast_series import HORIZON, QUICK, forecaster, series
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigWarning, DataError, LeakageError, ParameterError
from biosig_lstm.estimators import Compared, Forecaster, Forecasts, load


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def trained() -> Forecaster:
    return forecaster(members=2).fit(series(16), series(4, seed=1), **QUICK)


def test_a_wave_is_foreseen_better_than_by_its_last_value(trained: Forecaster) -> None:
    scores = trained.evaluate(series(8, seed=2))
    assert scores["mase_ratio_naive"].high < 0.4
    assert scores["pinball_ratio_naive"].high < 0.4
    assert scores["mase_ratio_seasonal"].value < 1.1
    assert 0.75 < scores["coverage_90"].value <= 1
    assert set(scores.variants) == {"", "_naive", "_seasonal", "_ar"}
    assert scores.n_subjects == 8
    assert [len(row) for row in scores.by_horizon.values()] == [HORIZON] * 4


def test_what_is_foreseen_and_where(trained: Forecaster) -> None:
    items = series(3, seed=3)
    said = trained.predict(items)
    assert said.quantiles.shape == (3, HORIZON, 5, 1)
    assert said.origins.tolist() == [len(item) - 1 for item in items]
    assert (np.diff(said.quantiles, axis=2) > 0).all()
    np.testing.assert_array_equal(said.median, said.quantiles[:, :, 2])
    low, high = said.interval(0.9)
    np.testing.assert_array_equal(high - low, said.quantiles[:, :, 4] - said.quantiles[:, :, 0])
    assert (
        repr(said)
        == f"Forecasts(3 of 3 recordings; {HORIZON} steps of feature0; quantiles 0.05, 0.25, 0.5, 0.75, 0.95)"
    )
    with pytest.raises(ParameterError, match=r"no quantile 0\.1: the model was trained for 0\.05, 0\.25"):
        said.interval(0.8)
    with pytest.raises(DataError, match="no forecast of 'nobody'"):
        said.of("nobody")
    assert len(said.of(str(said.recordings[1]))) == 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(8, 80))
def test_what_comes_never_changes_a_forecast(trained: Forecaster, seed: int, cut: int) -> None:
    (item,) = series(1, seed=seed)
    other = item.copy()
    other[cut:] = 1e3 * np.random.default_rng(seed).standard_normal((len(item) - cut, 1))
    one, two = (trained.backtest([rows], every_steps=1) for rows in (item, other))
    before = one.origins < cut
    np.testing.assert_array_equal(one.quantiles[before], two.quantiles[before])
    if before.any():
        assert not np.array_equal(one.quantiles[~before], two.quantiles[~before])
    alone = trained.predict([item[:cut]])
    same = one.origins == cut - 1
    if same.any():
        np.testing.assert_allclose(alone.quantiles, one.quantiles[same], atol=1e-4)


@pytest.mark.parametrize("cell", ["gru", "rnn", "transformer"])
def test_every_cell_reads_forwards_alone(cell: str, tmp_path: Path) -> None:
    model = forecaster(cell=cell).fit(series(6), **(QUICK | {"max_epochs": 1}))
    (item,) = series(1, seed=9)
    other = item.copy()
    other[60:] += 100.0
    one, two = (model.backtest([rows], every_steps=1) for rows in (item, other))
    before = one.origins < 60
    np.testing.assert_allclose(one.quantiles[before], two.quantiles[before], atol=1e-4)
    model.save(tmp_path / "m.biosig")
    np.testing.assert_array_equal(
        load(tmp_path / "m.biosig").predict([item]).quantiles, model.predict([item]).quantiles
    )


def test_a_series_of_another_size_and_level_is_foreseen_alike(trained: Forecaster) -> None:
    (item,) = series(1, seed=4)
    said, larger = trained.predict([item]), trained.predict([item * 1.0 + 2.0])
    np.testing.assert_allclose(larger.median, said.median + 2.0, atol=0.05 * np.ptp(item))


def test_a_loaded_model_answers_as_the_saved_one(trained: Forecaster, tmp_path: Path) -> None:
    trained.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert isinstance(again, Forecaster)
    items = series(3, seed=3)
    np.testing.assert_array_equal(again.predict(items).quantiles, trained.predict(items).quantiles)
    assert again.evaluate(items).to_json() == trained.evaluate(items).to_json()
    assert repr(again) == repr(trained)
    for name in ("horizon_steps", "levels", "targets", "known_ahead", "observed", "context_steps", "season_steps"):
        assert getattr(again, name) == getattr(trained, name), name
    again.fit(series(6), **(QUICK | {"max_epochs": 1}))


def test_the_seed_decides_everything() -> None:
    items = series(6)
    one, same, other = (
        forecaster().fit(items, **(QUICK | {"max_epochs": 1}), seed=seed).predict(items).quantiles for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_constant_series_has_no_scaled_error_and_a_forecast() -> None:
    model = forecaster().fit(series(6), **(QUICK | {"max_epochs": 1}))
    flat = [np.full((80, 1), 3.0), np.full((80, 1), -7.0)]
    with pytest.warns(
        BiosigWarning, match="every past is constant, or shorter than a season: there is no scaled error"
    ):
        scores = model.evaluate(flat)
    assert np.isnan(scores["mase"].value)
    assert scores["pinball"].value < 1.0
    assert scores.n_unscaled == scores.n_items
    assert np.isfinite(model.predict(flat).quantiles).all()


def test_series_that_are_too_short_are_named() -> None:
    model = forecaster()
    with pytest.raises(DataError, match="reads 8 steps or more and is compared with those that follow"):
        model.fit([np.zeros((8, 1))], **QUICK)
    model.fit(series(6), **(QUICK | {"max_epochs": 1}))
    with pytest.raises(DataError, match=r"8 steps that are read and 6 that follow are 14, the longest .* has 13"):
        model.evaluate([np.arange(13.0)[:, None]])
    with pytest.raises(DataError, match="7 steps, a forecast reads 8 or more"):
        model.predict([np.zeros((7, 1))])
    with pytest.warns(BiosigWarning, match="1 series of fewer than 14 steps are left out"):
        assert model.evaluate([np.arange(13.0)[:, None], *series(2, seed=4)]).n_subjects == 2


def test_missing_values_are_refused() -> None:
    gap = series(2)
    gap[1][20] = np.nan
    with pytest.raises(DataError, match="item 1 holds values that are not finite: fill or leave out what is missing"):
        forecaster().fit(gap, **QUICK)


def test_a_longer_horizon_than_was_learned_is_refused(trained: Forecaster) -> None:
    assert trained.predict(series(1), horizon_steps=2).horizon_steps == 2
    with pytest.raises(ParameterError, match="trained for 6 steps ahead, 7 were asked"):
        trained.predict(series(1), horizon_steps=7)


def test_subjects_stay_on_one_side(trained: Forecaster) -> None:
    with pytest.raises(LeakageError, match="the model has been trained on 16 of these subjects"):
        trained.evaluate(series(16))
    items = series(4)
    train, val = (Windows.from_arrays(part, subjects=["a", who]) for part, who in ((items[:2], "b"), (items[2:], "c")))
    with pytest.raises(LeakageError, match="on both sides: subjects 'a'"):
        forecaster().fit(train, val, **QUICK)
    again = Windows.from_arrays(items, subjects=list("abcd"))
    model = forecaster().fit(items[:2], subjects=["x", "y"], **(QUICK | {"max_epochs": 1}))
    with pytest.raises(LeakageError, match=r"1 of these subjects \(x\)"):
        model.evaluate(series(1, seed=7), subjects=["x"])
    assert model.evaluate(again).n_subjects == 4


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"quantiles": (0.5, 0.1)}, "quantiles must ascend and lie between 0 and 1"),
        ({"quantiles": (0.0, 0.5)}, "quantiles must ascend and lie between 0 and 1"),
        ({"quantiles": 0.5}, r"quantiles must be several, such as \(0\.05, 0\.5, 0\.95\), got 0\.5"),
        ({"targets": "rr"}, r"targets must be several names, such as \('rr',\), got 'rr'"),
        ({"quantiles": (0.1, 0.9)}, "quantiles must hold 0.5"),
        ({"horizon_steps": 0}, "horizon_steps must be a whole number of at least 1, got 0"),
        ({"season_steps": 0}, "season_steps must be a whole number of at least 1, got 0"),
        ({"context_steps": 4}, "context_steps must be a whole number of at least 8, got 4"),
        ({"cell": "lstn"}, "cell is not known: 'lstn'; did you mean 'lstm'"),
        ({"members": 0}, "members must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(how: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        forecaster(**how)


def test_it_has_no_classes(trained: Forecaster) -> None:
    with pytest.raises(ParameterError, match="gives quantiles, no probabilities of classes"):
        trained.log_probabilities(series(1))
    with pytest.raises(ParameterError, match="not trained yet"):
        forecaster().predict(series(1))


def test_forecasts_that_do_not_fit_together_are_refused() -> None:
    parts: dict[str, Any] = {
        "recordings": ["a"], "subjects": ["a"], "items": [0], "origins": [3], "origins_s": [0.1], "levels": (0.5,),
        "targets": ("x",),
    }  # fmt: skip
    with pytest.raises(DataError, match=r"quantiles must be \(n, horizon, 1 levels, 1 targets\)"):
        Forecasts(**parts, quantiles=np.zeros((1, 2, 2, 1)))
    with pytest.raises(DataError, match="recordings must be one for each of 2 forecasts"):
        Forecasts(**parts, quantiles=np.zeros((2, 2, 1, 1)))


def test_a_fan_is_drawn(trained: Forecaster) -> None:
    series_of = Windows.from_arrays(series(2, seed=5))
    said = trained.backtest(series_of)
    figure = bl.plot.forecast(said, series_of, number=1, past_steps=10)
    (axes,) = figure.axes
    came, median, origin = axes.get_lines()
    item = series_of.item(0)[:, 0]
    first = int(said.origins[1]) - 9
    np.testing.assert_array_equal(came.get_ydata(), item[first : first + 10 + HORIZON])
    np.testing.assert_array_equal(median.get_ydata(), said.median[1, :, 0])
    assert origin.get_xdata()[0] == 0
    assert len(axes.collections) == 2
    assert axes.get_xlabel() == "time after the last known step (steps)"
    with pytest.raises(ParameterError, match="past_steps must be at least 1, got -20"):
        bl.plot.forecast(said, series_of, past_steps=-20)
    with pytest.raises(ParameterError, match="number must lie in 0 to"):
        bl.plot.forecast(said, series_of, number=len(said))
    with pytest.raises(DataError, match=r"does not hold feature0 of .* that was read"):
        bl.plot.forecast(said, Windows.from_arrays(series(2, seed=6)))


def test_a_horizon_longer_than_every_series_is_refused() -> None:
    with pytest.raises(DataError, match="of no training series so much is known that all 200 steps of the horizon"):
        forecaster(horizon_steps=200).fit(series(4), **QUICK)


def test_constant_series_can_be_learned() -> None:
    model = forecaster().fit([np.full((60, 1), k) for k in range(4)], **(QUICK | {"max_epochs": 1}))
    (said,) = model.predict([np.full((60, 1), 2.0)]).median[:, :, 0]
    np.testing.assert_allclose(said, 2.0, atol=0.01)


def test_a_run_with_another_horizon_is_not_gone_on_with(tmp_path: Path) -> None:
    items, how = series(4), QUICK | {"max_epochs": 1, "directory": tmp_path, "resume": True}
    forecaster().fit(items, **how)
    with pytest.raises(ParameterError, match="holds a run with another horizon_steps"):
        forecaster(horizon_steps=5).fit(items, **how)


def test_folds_are_scored_together(trained: Forecaster) -> None:
    items = series(6, seed=8)
    parts = [trained.compare(items[:2], beside=("ar",)), trained.compare(items[2:], beside=("ar",))]
    together = Compared.together(parts).scores(trained.levels)
    whole = trained.evaluate(items, beside=("ar",))
    assert together["mase_ratio_ar"].value == pytest.approx(whole["mase_ratio_ar"].value)
    assert together.n_forecasts == whole.n_forecasts
    assert set(together.variants) == {"", "_ar"}


def test_a_season_is_read_twice_by_default() -> None:
    assert Forecaster(season_steps=168).context_steps == 336
    assert Forecaster(season_steps="auto", horizon_steps=40).context_steps == 80
    assert Forecaster().context_steps == 64


def test_series_shorter_than_the_context_are_learned() -> None:
    model = forecaster(context_steps=400).fit(series(6), **(QUICK | {"max_epochs": 1}))
    scores = model.evaluate(series(4, seed=1))
    assert scores.n_items == 4
    assert scores["mase_ratio_naive"].value < 1
