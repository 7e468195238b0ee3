"""Scores of forecasts: against scikit-learn and utilsforecast, and what bad input is told."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss
from utilsforecast.losses import mase as mase_elsewhere

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import (
    bootstrap_by_subject,
    forecast_scores,
    interval_coverage,
    interval_width,
    mase,
    naive_scale,
    pinball_loss,
)

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
numbers = st.floats(-1e3, 1e3, allow_nan=False, width=32)


def foreseen(n: int = 40, *, horizon: int = 3, targets: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values, and quantiles of them that ascend."""
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((n, horizon, targets))
    centre = truth + rng.standard_normal(truth.shape)
    return truth, centre[:, :, None] + np.array([-2.0, -0.7, 0.0, 0.7, 2.0])[:, None]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=20), st.sampled_from(LEVELS))
def test_pinball_loss_is_that_of_scikit_learn(pairs: list[tuple[float, float]], level: float) -> None:
    truth, said = (np.array(side) for side in zip(*pairs, strict=True))
    assert pinball_loss(truth, said, level) == pytest.approx(mean_pinball_loss(truth, said, alpha=level), abs=1e-9)


@pytest.mark.parametrize("season", [1, 4])
def test_mase_is_that_of_utilsforecast(season: int) -> None:
    rng = np.random.default_rng(0)
    past, truth, said = rng.standard_normal(60).cumsum(), rng.standard_normal(8), rng.standard_normal(8)
    later = pd.DataFrame({"unique_id": "a", "ds": range(60, 68), "y": truth, "model": said})
    before = pd.DataFrame({"unique_id": "a", "ds": range(60), "y": past})
    elsewhere = mase_elsewhere(later, models=["model"], seasonality=season, train_df=before)["model"].item()
    assert mase(truth, said, past, season=season) == pytest.approx(elsewhere)


def test_the_naive_forecast_scores_one_within_the_past_it_is_scaled_by() -> None:
    past = np.random.default_rng(0).standard_normal(50).cumsum()
    assert mase(past[1:], past[:-1], past) == pytest.approx(1.0)
    assert naive_scale(past) == pytest.approx(np.abs(np.diff(past)).mean())


def test_a_constant_or_short_past_has_no_scaled_error() -> None:
    assert np.isnan(mase([1.0], [2.0], [3.0, 3.0, 3.0]))
    assert np.isnan(mase([1.0], [2.0], [3.0]))
    with pytest.raises(ParameterError, match="season must be at least 1 step, got 0"):
        naive_scale([1.0, 2.0], season=0)


def test_scores_are_the_means_of_what_is_defined_for_one_series() -> None:
    truth, said = foreseen(targets=2)
    scale = np.random.default_rng(1).uniform(0.5, 2.0, (40, 2))
    scores = forecast_scores(truth, {"": said}, np.arange(40) % 5, levels=LEVELS, scale=scale)
    losses = [pinball_loss(truth, said[:, :, k], level) for k, level in enumerate(LEVELS)]
    assert scores["pinball"].value == pytest.approx(np.mean(losses))
    assert scores["mase"].value == pytest.approx((np.abs(truth - said[:, :, 2]) / scale[:, None]).mean())
    assert scores["coverage_90"].value == pytest.approx(interval_coverage(truth, said[:, :, 0], said[:, :, 4]))
    assert scores["width_50"].value == pytest.approx(interval_width(said[:, :, 1], said[:, :, 3])) == 1.4
    assert (scores.n_subjects, scores.n_items, scores.n_unscaled) == (5, 40, 0)
    by_hand = [(np.abs(truth - said[:, :, 2]) / scale[:, None])[:, h].mean() for h in range(3)]
    np.testing.assert_allclose(scores.by_horizon[""], by_hand)


def test_intervals_are_those_over_subjects() -> None:
    truth, said = foreseen()
    whose = np.arange(40) % 4
    scores = forecast_scores(truth, {"": said}, whose, levels=LEVELS, scale=np.ones((40, 1)), seed=3)
    inside = (said[:, :, 0] <= truth) & (truth <= said[:, :, 4])
    counts = [[inside[whose == k].sum(), inside[whose == k].size] for k in range(4)]
    by_hand = bootstrap_by_subject(counts, lambda n: n[:, 0] / n[:, 1], seed=3)
    assert scores["coverage_90"] == by_hand


def test_methods_stand_beside_each_other_with_their_ratio() -> None:
    truth, said = foreseen()
    worse = said + 3.0
    scores = forecast_scores(
        truth, {"": said, "_naive": worse}, np.arange(40) % 4, levels=LEVELS, scale=np.ones((40, 1))
    )
    assert scores["mase_ratio_naive"].value == pytest.approx(scores["mase"].value / scores["mase_naive"].value)
    assert scores["pinball_ratio_naive"].high < 1
    head, *rows = repr(scores).splitlines()[1:]
    assert head.split() == ["model", "naive"]
    assert [row.split()[0] for row in rows[:2]] == ["mase", "pinball"]
    assert rows[-1].startswith("pinball_ratio")
    assert "<td>naive</td>" in scores._repr_html_()
    model, naive = scores.plot().axes[0].get_lines()
    assert (model.get_label(), naive.get_label()) == ("model", "naive")
    np.testing.assert_array_equal(naive.get_ydata(), scores.by_horizon["_naive"])
    plain = json.loads(scores.to_json())
    assert plain["subjects"] == 4
    assert set(plain["by_horizon"]) == {"model", "_naive"}


def test_what_is_not_known_does_not_count() -> None:
    truth, said = foreseen()
    known = np.ones(truth.shape, dtype=bool)
    known[:10] = False
    spoiled = np.where(known, truth, np.nan)
    some = forecast_scores(spoiled, {"": said}, np.arange(40) % 4, levels=LEVELS, scale=np.ones((40, 1)), known=known)
    rest = forecast_scores(truth[10:], {"": said[10:]}, np.arange(10, 40) % 4, levels=LEVELS, scale=np.ones((30, 1)))
    assert some["pinball"].value == pytest.approx(rest["pinball"].value)
    assert some["mase"].value == pytest.approx(rest["mase"].value)


def test_a_constant_past_is_left_out_of_scaled_errors_alone() -> None:
    truth, said = foreseen()
    scale = np.ones((40, 1))
    scale[:5] = 0.0
    scores = forecast_scores(truth, {"": said}, np.arange(40) % 4, levels=LEVELS, scale=scale)
    assert scores.n_unscaled == 5
    assert scores["mase"].value == pytest.approx(np.abs(truth - said[:, :, 2])[5:].mean())
    assert scores["coverage_90"].value == pytest.approx(interval_coverage(truth, said[:, :, 0], said[:, :, 4]))


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ((0.5, 0.1), "must ascend and lie between 0 and 1"),
        ((0.0, 0.5), "must ascend and lie between 0 and 1"),
        ((0.5, 1.0), "must ascend and lie between 0 and 1"),
        ((0.5, 0.5), "must ascend"),
        ((), "must ascend"),
        ((0.1, 0.9), "must hold 0.5, the median"),
    ],
)
def test_levels_that_are_none_are_refused(levels: tuple[float, ...], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        forecast_scores(np.zeros((2, 1, 1)), {}, ["a", "b"], levels=levels, scale=np.ones((2, 1)))


def test_shapes_that_do_not_fit_are_named() -> None:
    truth, said = foreseen()
    whose, scale = np.arange(40), np.ones((40, 1))
    with pytest.raises(DataError, match=r"quantiles of the model must have shape \(40, 3, 5, 1\), got \(40, 3, 4, 1\)"):
        forecast_scores(truth, {"": said[:, :, 1:]}, whose, levels=LEVELS, scale=scale)
    with pytest.raises(DataError, match=r"scale must have shape \(40, 1\)"):
        forecast_scores(truth, {"": said}, whose, levels=LEVELS, scale=np.ones((39, 1)))
    with pytest.raises(DataError, match=r"truth must be \(n, horizon, targets\)"):
        forecast_scores(truth[0], {"": said}, whose, levels=LEVELS, scale=scale)
    with pytest.raises(DataError, match="nothing to score"):
        forecast_scores(truth, {"": said}, whose, levels=LEVELS, scale=scale, known=np.zeros(truth.shape))


@pytest.mark.parametrize("shapes", [((3,), (3, 1)), ((3,), (1,)), ((0,), (0,))])
def test_values_of_other_shapes_are_not_spread_over_one_another(
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
) -> None:
    came, said = (np.ones(shape) for shape in shapes)
    for score in (
        lambda: pinball_loss(came, said, 0.5),
        lambda: mase(came, said, [1.0, 2.0]),
        lambda: interval_coverage(came, said, said + 1),
        lambda: interval_width(came, said),
    ):
        with pytest.raises(DataError, match="one or more values of the same shape are needed, got "):
            score()


def test_what_is_no_value_or_no_level_is_refused() -> None:
    with pytest.raises(DataError, match="truth holds 1 values that are not finite"):
        interval_coverage([np.nan, 1.0], [0.0, 0.0], [2.0, 2.0])
    with pytest.raises(DataError, match="past holds 1 values that are not finite"):
        naive_scale([1.0, np.inf])
    with pytest.raises(DataError, match=r"past must be one series, \(steps,\), got shape \(2, 1\)"):
        naive_scale([[1.0], [2.0]])
    for level in (0.0, 1.0, 90.0, np.nan):
        with pytest.raises(ParameterError, match="level must lie between 0 and 1, both excluded, got "):
            pinball_loss([1.0], [1.0], level)
    truth, said = np.ones((2, 3, 1)), np.ones((2, 3, 1, 1))
    how: dict[str, Any] = {"levels": (0.5,), "scale": np.ones((2, 1)), "n_resamples": 10}
    truth[0, 0] = np.nan
    with pytest.raises(DataError, match="truth, where it counts, holds 1 values that are not finite"):
        forecast_scores(truth, {"": said}, ["a", "b"], **how)
    known = np.isfinite(truth)
    assert forecast_scores(truth, {"": said}, ["a", "b"], known=known, **how)["mase"].value == 0
    with pytest.raises(DataError, match="what _ar foresaw holds 3 values that are not finite"):
        forecast_scores(truth, {"": said, "_ar": said * [[[[np.nan]]], [[[1.0]]]]}, ["a", "b"], known=known, **how)


def test_small_units_leave_digits_in_the_table() -> None:
    truth = 1e-6 * np.random.default_rng(0).standard_normal((6, 2, 1))
    said = 1e-6 * np.array([-1.0, 0.0, 1.0])[None, None, :, None] * np.ones((6, 2, 1, 1))
    made = forecast_scores(truth, {"": said}, list("aabbcc"), levels=(0.05, 0.5, 0.95), scale=np.full((6, 1), 1e-6))
    assert "width_90     2e-06 [2e-06, 2e-06]" in repr(made)
    assert f"{made['pinball'].value:.4g} [" in repr(made)
    alone = forecast_scores(truth, {"": said}, ["a"] * 6, levels=(0.05, 0.5, 0.95), scale=np.full((6, 1), 1e-6))
    assert "width_90     2e-06 [-, -]" in repr(alone)
    assert "nan" not in repr(alone)
