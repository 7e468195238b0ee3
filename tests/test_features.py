"""Rhythm, the patient's own beat, scaling: what the columns say about beats, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from sklearn.preprocessing import StandardScaler

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.features.own_beat import SCALARS, AgainstOwnBeat, own_beat_features, usual_beat
from biosig_lstm.features.rr import COLUMNS, RRIntervals, rr_features
from biosig_lstm.features.standardize import FittedStandardize, Standardize
from biosig_lstm.splits import audit

Array = np.ndarray[Any, Any]
INTERVALS = hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(0.05, 5.0))


def rr_columns(times_s: Array) -> dict[str, Array]:
    return dict(zip(COLUMNS, rr_features(times_s).T, strict=True))


def beats_of(shapes: Array, *, n_leads: int = 1) -> Array:
    return np.repeat(shapes[:, None, :], n_leads, axis=1).astype(np.float32)


def wave(*, centre_s: float = 0.0, width_s: float = 0.015, height: float = 1.0) -> Array:
    t = np.arange(85) / 100 - 0.4
    return height * np.exp(-0.5 * ((t - centre_s) / width_s) ** 2)


def normal_beat() -> Array:
    return wave() + wave(centre_s=-0.16, width_s=0.02, height=0.15) + wave(centre_s=0.28, width_s=0.04, height=0.3)


def noisy(shape: Array, n: int, *, seed: int = 0) -> Array:
    return shape + 0.01 * np.random.default_rng(seed).standard_normal((n, len(shape)))


def own_beat(beats: Array) -> tuple[Array, Array, dict[str, Array]]:
    values, residuals, scalars = own_beat_features(beats, rate_hz=100.0, before_s=0.4)
    return values, residuals, {name: scalars[..., k] for k, name in enumerate(SCALARS)}


# ---- RR intervals


def test_a_steady_rhythm_is_zero_but_for_its_rate() -> None:
    got = rr_columns(np.arange(100) * 0.6)
    for name, values in got.items():
        expected = 2 * np.log(0.6 / 0.8) if name == "record" else 0.0
        np.testing.assert_allclose(values, expected, atol=1e-6, err_msg=name)


def test_a_premature_beat_is_early_and_the_next_one_late() -> None:
    intervals = np.full(99, 0.8)
    intervals[49:51] = 0.5, 1.1
    got = rr_columns(np.concatenate([[0.0], np.cumsum(intervals)]))
    assert got["rr_before/local"][50] == pytest.approx(4 * np.log(0.5 / 0.8), abs=1e-5)
    assert got["rr_after/local"][50] == pytest.approx(4 * np.log(1.1 / 0.8), abs=1e-5)
    assert got["rr_before/rr_after"][50] == pytest.approx(3 * np.log(0.5 / 1.1), abs=1e-5)
    assert got["rr_before/local"][51] == pytest.approx(4 * np.log(1.1 / 0.8), abs=1e-5)
    assert got["rr_before/local"][49] == pytest.approx(0.0, abs=1e-5)


def test_intervals_are_limited_and_so_are_the_columns() -> None:
    got = rr_columns(np.array([0.0, 0.8, 1.6, 1.61, 60.0, 60.8, 61.6]))
    assert got["rr_before/record"][3] == -4.0
    assert got["rr_before/record"][4] == pytest.approx(4.0)
    assert got["rr_before/rr_after"][5] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("times", [[], [7.5]])
def test_fewer_than_two_beats_have_no_rhythm(times: list[float]) -> None:
    got = rr_features(times)
    assert got.shape == (len(times), len(COLUMNS))
    assert not got.any()


@settings(max_examples=40, deadline=None)
@given(INTERVALS, st.floats(0, 1e5))
def test_rhythm_is_finite_within_limits_and_knows_no_clock(intervals: Array, start: float) -> None:
    times = np.concatenate([[0.0], np.cumsum(intervals)])
    got = rr_features(times)
    assert got.shape == (len(times), len(COLUMNS))
    assert np.abs(got).max() <= 4.0
    np.testing.assert_allclose(rr_features(times + start)[1:-1], got[1:-1], atol=5e-3)


@settings(max_examples=30, deadline=None)
@given(hnp.arrays(np.float64, st.integers(5, 60), elements=st.floats(0.5, 1.0)))
def test_ratios_do_not_depend_on_the_rate(intervals: Array) -> None:
    slow = rr_columns(np.concatenate([[0.0], np.cumsum(intervals)]))
    fast = rr_columns(np.concatenate([[0.0], np.cumsum(intervals * 0.7)]))
    for name in ("rr_before/local", "rr_after/record", "rr_before/rr_after", "local/record", "rr_before/wide_slow"):
        np.testing.assert_allclose(fast[name], slow[name], atol=1e-5, err_msg=name)
    np.testing.assert_allclose(fast["record"] - slow["record"], 2 * np.log(0.7), atol=1e-5)


def test_rhythm_needs_steps_that_are_beats() -> None:
    even = Windows(
        np.zeros((4, 1)), [0, 4], ["a"], 100.0, subjects=["p"], recordings=["r"], starts=[0], fs=[100.0]
    )  # fmt: skip
    with pytest.raises(DataError, match=r"RR intervals need steps that are beats.*no positions"):
        RRIntervals()(even)


# ---- The patient's own beat


def test_the_usual_beat_is_that_of_the_majority() -> None:
    beats = beats_of(np.concatenate([noisy(normal_beat(), 30), noisy(-2 * normal_beat(), 20, seed=1)]), n_leads=2)
    usual = usual_beat(beats, qrs=slice(30, 51))
    assert usual.shape == (2, 85)
    for row in usual:
        assert stats.pearsonr(row, normal_beat()).statistic > 0.999


def test_one_beat_is_its_own_usual_one() -> None:
    beats = beats_of(normal_beat()[None])
    np.testing.assert_array_equal(usual_beat(beats, qrs=slice(30, 51)), beats[0])
    values, residuals, scalars = own_beat(beats)
    assert not residuals.any()
    assert np.ptp(values[0, 0, 30:51]) == pytest.approx(1.0, abs=2e-3)
    for name in ("qrs_energy", "p_energy", "slope", "steep_share", "high_share", "height"):
        assert scalars[name] == pytest.approx(0.0, abs=1e-6)


def test_correlations_are_those_of_pearson_where_the_wave_is_not_small() -> None:
    shapes = np.concatenate([noisy(normal_beat(), 30), noisy(wave(width_s=0.04) - wave(centre_s=0.06), 3, seed=2)])
    _, _, scalars = own_beat(beats_of(shapes))
    usual = usual_beat(beats_of(shapes), qrs=slice(30, 51))[0]
    for k in (0, 15, 30, 32):
        expected = stats.pearsonr(shapes[k, 30:51], usual[30:51]).statistic
        assert scalars["qrs_correlation"][k, 0] == pytest.approx(expected, abs=2e-3)
    beside = stats.pearsonr(shapes[29, 30:51], shapes[30, 30:51]).statistic
    assert scalars["qrs_correlation_before"][30, 0] == pytest.approx(beside, abs=2e-3)
    assert scalars["qrs_correlation_after"][29, 0] == pytest.approx(beside, abs=2e-3)


def test_a_wide_beat_is_less_steep_and_longer_high() -> None:
    shapes = np.concatenate([noisy(normal_beat(), 30), noisy(wave(width_s=0.05), 3, seed=2)])
    _, _, scalars = own_beat(beats_of(shapes))
    assert (scalars["slope"][30:] < -0.5).all()
    assert (scalars["high_share"][30:] > 0.4).all()
    assert np.abs(scalars["slope"][:30]).max() < 0.2


def test_a_beat_without_its_p_wave_shows_it() -> None:
    shapes = np.concatenate([noisy(normal_beat(), 30), noisy(wave(), 3, seed=2)])
    _, _, scalars = own_beat(beats_of(shapes))
    assert (scalars["p_energy"][30:] < -1).all()
    assert np.abs(scalars["p_energy"][:30]).max() < 0.5
    assert scalars["p_correlation"][30:].max() < scalars["p_correlation"][:30].min()


@settings(max_examples=15, deadline=None)
@given(st.floats(0.5, 20.0), st.integers(0, 50))
def test_gain_does_not_matter(gain: float, seed: int) -> None:
    shapes = np.concatenate([noisy(normal_beat(), 12, seed=seed), noisy(wave(width_s=0.05), 2, seed=seed)])
    plain = own_beat_features(beats_of(shapes), rate_hz=100.0, before_s=0.4)
    scaled = own_beat_features(beats_of(gain * shapes), rate_hz=100.0, before_s=0.4)
    for a, b in zip(plain, scaled, strict=True):
        np.testing.assert_allclose(b, a, atol=0.02)


def test_a_lead_of_zeros_stays_zero_and_the_other_is_as_if_alone() -> None:
    one = beats_of(noisy(normal_beat(), 12))
    both = np.concatenate([one, np.zeros_like(one)], axis=1)
    for alone, beside in zip(own_beat(one)[:2], own_beat(both)[:2], strict=True):
        np.testing.assert_array_equal(beside[:, :1], alone)
        assert not beside[:, 1].any()
    for name, values in own_beat(both)[2].items():
        assert not values[:, 1].any(), name
        np.testing.assert_array_equal(values[:, :1], own_beat(one)[2][name])


def test_values_are_limited() -> None:
    shapes = noisy(normal_beat(), 12)
    shapes[3] *= 1000
    values, residuals, scalars = own_beat(beats_of(shapes))
    assert (values.max(), residuals.max()) == (5.0, 5.0)
    assert all(np.abs(column).max() <= 4.0 for column in scalars.values())


def runs_of(beats: Array, **changes: Any) -> Windows:
    n, leads, samples = beats.shape
    plain = Windows(
        values=beats.reshape(n, -1),
        offsets=[0, n],
        columns=[f"lead{k}[{j}]" for k in range(leads) for j in range(samples)],
        rate_hz=None,
        subjects=["p"],
        recordings=["r"],
        starts=[0],
        fs=[100.0],
        positions=np.arange(n) * 80,
        window_shape=(leads, samples),
    )
    return replace(plain, **changes)


def test_the_rows_of_a_lead_are_its_beat_what_is_left_and_its_scalars() -> None:
    beats = beats_of(noisy(normal_beat(), 12), n_leads=2)
    made = AgainstOwnBeat(0.4, 100.0)(runs_of(beats))
    assert made.window_shape == (2, 85 + 85 + 17)
    values, residuals, scalars = own_beat_features(beats, rate_hz=100.0, before_s=0.4)
    rows = made.values.reshape(12, 2, -1)
    np.testing.assert_array_equal(rows[..., :85], values)
    np.testing.assert_array_equal(rows[..., 85:170], residuals)
    np.testing.assert_array_equal(rows[..., 170:], scalars)
    assert made.columns[85] == "lead0.residual[0]"
    assert made.columns[187 + 170] == "lead1.qrs_correlation"


def test_own_beat_needs_windows_and_nothing_else() -> None:
    windows = runs_of(beats_of(noisy(normal_beat(), 12)))
    message = "where each step is a window and nothing else"
    with pytest.raises(DataError, match=message):
        AgainstOwnBeat(0.4, 100.0)(RRIntervals()(windows))
    with pytest.raises(DataError, match=message):
        AgainstOwnBeat(0.4, 100.0)(replace(windows, window_shape=None))


def test_own_beat_needs_windows_that_reach_the_t_wave() -> None:
    short = runs_of(beats_of(noisy(normal_beat(), 12)[:, :50]))
    with pytest.raises(DataError, match=r"windows end 0\.1 s after the R-peak.*T wave.*0\.12 s"):
        AgainstOwnBeat(0.4, 100.0)(short)


@pytest.mark.parametrize("fields", [(0.07, 100.0), (0.4, 49.0)])
def test_own_beat_needs_the_p_wave_and_50_hz(fields: tuple[float, float]) -> None:
    with pytest.raises(ParameterError, match="begin before the P wave ends and have 50 Hz or more, got AgainstOwnBeat"):
        AgainstOwnBeat(*fields)


# ---- Scaling


def items(*, seed: int = 0, subjects: tuple[str, ...] = ("p1", "p2")) -> Windows:
    rng = np.random.default_rng(seed)
    values = rng.normal([0.0, 5.0, -300.0, 0.1], [1.0, 0.01, 40.0, 3.0], size=(60, 4)).astype(np.float32)
    return Windows(
        values=np.column_stack([values, np.full(60, 7.0)]),
        offsets=np.linspace(0, 60, len(subjects) + 1).astype(int),
        columns=["lead0[0]", "lead0[1]", "rate", "change", "constant"],
        rate_hz=None,
        subjects=subjects,
        recordings=subjects,
        starts=[0] * len(subjects),
        fs=[100.0] * len(subjects),
        window_shape=(1, 2),
    )


def test_scaling_agrees_with_scikit_learn_on_training_and_on_new_items() -> None:
    train, test = items(), items(seed=1, subjects=("p3",))
    reference = StandardScaler().fit(train.values.astype(np.float64))
    fitted = Standardize().fit(train)
    np.testing.assert_allclose(fitted.mean, reference.mean_, rtol=1e-12)
    np.testing.assert_allclose(fitted.deviation, reference.scale_, rtol=1e-9)
    for windows in (train, test):
        np.testing.assert_allclose(
            fitted(windows).values, reference.transform(windows.values.astype(np.float64)), atol=2e-3
        )
    np.testing.assert_allclose(fitted(train).values.mean(axis=0), 0, atol=1e-3)
    np.testing.assert_allclose(fitted(train).values[:, :4].std(axis=0), 1, atol=1e-3)


def test_a_column_that_does_not_vary_is_only_shifted() -> None:
    scaled = Standardize().fit(items())(items(seed=1))
    np.testing.assert_allclose(scaled.values[:, 4], 0, atol=1e-6)


def test_scalars_alone_are_scaled_when_asked() -> None:
    train = items()
    fitted = Standardize(scalars_only=True).fit(train)
    whole = Standardize().fit(train)
    assert fitted.mean[:2] == (0.0, 0.0)
    assert fitted.deviation[:2] == (1.0, 1.0)
    assert fitted.mean[2:] == whole.mean[2:]
    np.testing.assert_array_equal(fitted(train).values[:, :2], train.values[:, :2])
    plain = replace(train, window_shape=None)
    assert Standardize(scalars_only=True).fit(plain) == whole


def test_scaling_leaves_its_input_and_all_else() -> None:
    train = items()
    before = train.values.copy()
    scaled = Standardize().fit(train)(train)
    np.testing.assert_array_equal(train.values, before)
    assert scaled.with_values(train.values) == train
    assert scaled.values.dtype == np.float32


def test_scaling_reads_back_from_its_dictionary() -> None:
    fitted = Standardize().fit(items())
    assert FittedStandardize.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_scaling_refuses_other_columns() -> None:
    fitted = Standardize().fit(items())
    other = replace(items(), values=items().values[:, :3], columns=["a", "b", "c"])
    with pytest.raises(DataError, match="scaling was learned on 5 columns, got 3"):
        fitted(other)


def test_scaling_knows_whom_it_has_seen() -> None:
    fitted = Standardize().fit(items(subjects=("p2", "p1", "p1")))
    assert fitted.fitted_subjects == ("p1", "p2")
    with pytest.raises(LeakageError, match="p1"):
        audit(items(subjects=("p5",)), items(subjects=("p1",)), fitted=[fitted])
