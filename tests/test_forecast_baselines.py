"""The simple methods of forecasting: autoregression against statsmodels, seasons, offsets that hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from statsmodels.tsa.ar_model import AutoReg, ar_select_order

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators._origins import (
    Origins,
    first_read,
    later_values,
    naive_scales,
    past_values,
    rolling_origins,
    training_pieces,
)
from biosig_lstm.estimators.baselines import (
    Baseline,
    autoregression,
    autoregressive,
    naive,
    season_of,
    seasonal_naive,
)
from biosig_lstm.metrics import naive_scale
from biosig_lstm.models import forecast as networks

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def second_order(n: int, *, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal(n + 100)
    for k in range(2, n + 100):
        rows[k] += 1.2 * rows[k - 1] - 0.5 * rows[k - 2]
    return rows[100:] - rows[100:].mean()


@pytest.mark.parametrize("order", [1, 2, 7])
def test_coefficients_are_those_of_statsmodels(order: int) -> None:
    rows = second_order(300)
    theirs = AutoReg(rows, order, trend="n").fit().params
    np.testing.assert_allclose(autoregression([rows], most=order, order=order).coefficients, theirs, rtol=1e-6)


def test_the_order_is_that_of_statsmodels() -> None:
    for seed in range(4):
        rows = second_order(250, seed=seed)
        theirs = ar_select_order(rows, 12, ic="aic", trend="n").ar_lags
        mine = autoregression([rows], most=12)
        assert len(mine.coefficients) == len(theirs)
        assert mine.aic.shape == (12,)


def test_several_steps_ahead_are_those_of_statsmodels() -> None:
    rows = second_order(300)
    fitted = AutoReg(rows, 4, trend="n").fit()
    theirs = fitted.predict(300, 319)
    np.testing.assert_allclose(autoregressive(rows[None], 20, fitted.params)[0], theirs, atol=1e-8)
    raised = autoregressive(rows[None] + 7.0, 20, fitted.params)[0]
    np.testing.assert_allclose(raised, theirs + 7.0, atol=1e-8)


def test_several_series_are_fitted_together_and_what_is_not_known_is_left_out() -> None:
    one, two = second_order(4000), second_order(4000, seed=1)
    np.testing.assert_allclose(autoregression([one, two], most=2, order=2).coefficients, [1.2, -0.5], atol=0.03)
    spoiled, known = one.copy(), np.ones(4000, dtype=bool)
    spoiled[2000:2050] += 100.0
    known[2000:2060] = False
    np.testing.assert_allclose(
        autoregression([spoiled], most=2, order=2, known=[known]).coefficients, [1.2, -0.5], atol=0.05
    )
    with pytest.raises(DataError, match="no series has more than 5 steps"):
        autoregression([one[:5]], most=5)


def test_a_past_shorter_than_the_order_is_continued_at_its_level() -> None:
    past = np.array([[np.nan, np.nan, np.nan, 2.0, 4.0]])
    np.testing.assert_allclose(autoregressive(past, 1, np.array([0.5, 0.25, 0.1])), [[3.0 + 0.5 - 0.25]])


@pytest.mark.parametrize("season", [5, 17, 40])
def test_a_season_is_found_in_the_past(season: int) -> None:
    rng = np.random.default_rng(0)
    shape = rng.standard_normal(season)
    past = np.stack([np.roll(np.tile(shape, 40), k)[:160] for k in range(6)]) + 0.1 * rng.standard_normal((6, 160))
    assert (season_of(past) == season).all()


def test_a_past_without_a_season_has_one_step() -> None:
    assert season_of(np.ones((2, 50))).tolist() == [1, 1]
    assert season_of(np.arange(3.0)[None]).tolist() == [1]


def test_the_seasonal_forecast_repeats_the_last_season() -> None:
    past = np.arange(10.0)[None]
    assert seasonal_naive(past, 7, 4)[0].tolist() == [6, 7, 8, 9, 6, 7, 8]
    assert seasonal_naive(past, 3, 1)[0].tolist() == naive(past, 3)[0].tolist() == [9, 9, 9]
    assert seasonal_naive(past, 2, 11)[0].tolist() == [9, 9]
    begun = np.where(np.arange(10) < 8, np.nan, past)
    assert seasonal_naive(begun, 2, 4)[0].tolist() == [9, 9]


@pytest.mark.parametrize("name", ["naive", "seasonal", "ar"])
def test_intervals_hold_what_they_say_on_series_of_the_same_kind(name: str) -> None:
    def cut(seed: int) -> tuple[np.ndarray, np.ndarray]:
        rows = np.lib.stride_tricks.sliding_window_view(second_order(6000, seed=seed), 74)[::5]
        return rows[:, :64], rows[:, 64:]

    own = {"ar": {"coefficients": [1.2, -0.5]}, "seasonal": {"season": 6}}.get(name, {})
    method = Baseline.fit(name, *cut(0), levels=LEVELS, **own)
    past, later = cut(1)
    said = method(past)
    assert said.shape == (*later.shape, 5)
    assert (np.diff(said, axis=2) >= 0).all()
    np.testing.assert_array_equal(said[:, :, 2], method.point(past))
    inside = (said[:, :, 0] <= later) & (later <= said[:, :, 4])
    assert 0.87 < inside.mean() < 0.93
    again = Baseline.from_dict(method.to_dict())
    np.testing.assert_array_equal(again(past), said)


def test_a_method_that_is_not_there_is_guessed() -> None:
    with pytest.raises(ParameterError, match="beside must be 'naiv'; did you mean 'naive'"):
        Baseline.fit("naiv", np.zeros((1, 4)), np.zeros((1, 2)), levels=LEVELS)
    with pytest.raises(DataError, match="of no training series so much is known that all 2 steps"):
        Baseline.fit("naive", np.zeros((1, 4)), np.full((1, 2), np.nan), levels=LEVELS)


def test_what_is_read_does_not_depend_on_what_comes() -> None:
    steps = np.arange(500)
    read = steps - first_read(steps, 64) + 1
    assert (read[:128] == steps[:128] + 1).all()
    assert read[128:].min() == 65
    assert read.max() == 128


def test_pieces_hold_each_origin_with_its_past_and_its_horizon() -> None:
    items = [np.arange(float(n))[:, None] + 1000 * n for n in (5, 40, 41, 200)]
    pieces = training_pieces(Windows.from_arrays(items, rate_hz=1.0), context=16, horizon=4)
    assert pieces.lengths.max() == 36
    assert pieces.y is None
    for item in items:
        mine = [pieces.item(k) for k in range(len(pieces)) if pieces.item(k)[0, 0] // 1000 == len(item)]
        assert set(np.concatenate(mine)[:, 0].tolist()) == set(item[:, 0].tolist())
        assert [part[0, 0] - 1000 * len(item) for part in mine] == [16 * k for k in range(len(mine))]
    begins = pieces.values[pieces.offsets[:-1], 0] % 1000
    np.testing.assert_array_equal(pieces.starts, begins)


def test_origins_roll_and_see_their_own_item_alone() -> None:
    lengths = np.array([10, 30, 3])
    origins = rolling_origins(lengths, context=12, horizon=4, every=5, least=4)
    assert origins.items.tolist() == [0, 1, 1, 1]
    assert origins.steps.tolist() == [5, 11, 16, 21]
    offsets, values = np.array([0, 10, 40, 43]), np.arange(43.0)[:, None]
    past = past_values(values, offsets, origins, context=12)
    assert past.shape == (4, 24, 1)
    assert past[:, -1, 0].tolist() == [5, 21, 26, 31]
    assert np.isnan(past[0, :, 0]).sum() == 18
    assert later_values(values, offsets, origins, horizon=4)[0, :, 0].tolist() == [6, 7, 8, 9]
    beyond = later_values(values, offsets, Origins(np.array([0]), np.array([8])), horizon=4)[0, :, 0]
    assert beyond[0] == 9
    assert np.isnan(beyond[1:]).all()


@pytest.mark.parametrize("season", [1, 3])
def test_scales_are_those_of_the_past_of_each_origin(season: int) -> None:
    rng = np.random.default_rng(0)
    values, offsets = rng.standard_normal((50, 2)), np.array([0, 20, 50])
    origins = Origins(np.array([0, 1, 1]), np.array([15, 2, 25]))
    found = naive_scales(values, offsets, origins, season=season, known=np.ones(50, dtype=bool))
    for row, item, step in zip(found, *origins, strict=True):
        past = values[offsets[item] : offsets[item] + step + 1]
        wanted = [naive_scale(past[:, k], season=season) for k in range(2)]
        np.testing.assert_allclose(row, wanted)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1.0, 1e9])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_season_does_not_depend_on_the_unit(unit: float, dtype: torch.dtype) -> None:
    wave = np.sin(2 * np.pi * np.arange(100) / 20) + 0.1 * np.random.default_rng(0).standard_normal(100)
    assert int(networks.season_of(torch.tensor(unit * wave, dtype=dtype))) == 20
    assert int(networks.season_of(torch.tensor(unit * (wave + 50), dtype=dtype))) == 20
    assert int(networks.season_of(torch.full((100,), 0.1 * unit, dtype=dtype))) == 1
