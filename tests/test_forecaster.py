"""Forecasters: what comes never changes what is foreseen, quantiles never cross, series that can be foreseen are."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, LeakageError, ParameterError
from biosig_lstm.estimators import Compared, Forecaster, Forecasts, load
from biosig_lstm.models import LSTMAutoencoder, LSTMPredictor
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.bilstm import BiLSTM
from biosig_lstm.models.forecast import ForecastNetwork, in_order, past_moments
from biosig_lstm.training.batch import Batch
from biosig_lstm.training.forecasts import ForecastModule, ForecastTask, coming
from biosig_lstm.training.settings import FitSettings

QUICK: dict[str, Any] = {
    "max_epochs": 4, "batch_size": 8, "device": "cpu", "progress": False, "learning_rate": 5e-3
}  # fmt: skip
HORIZON = 6


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def series(n: int, *, seed: int = 0, steps: int = 90) -> list[np.ndarray]:
    """Waves of twelve steps with a size, a level and noise of their own."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        at = np.arange(steps + int(rng.integers(0, 30)))
        size = rng.uniform(1, 10)
        wave = size * (np.sin(2 * np.pi * at / 12 + rng.uniform(0, 6)) + 0.1 * rng.standard_normal(len(at)))
        made.append((wave + rng.uniform(-50, 50))[:, None])
    return made


def forecaster(**how: Any) -> Forecaster:
    return Forecaster(**({"cell": "lstm", "horizon_steps": HORIZON, "context_steps": 24} | how))


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


def test_what_is_known_ahead_must_be_given(with_known_ahead: Forecaster, trained: Forecaster) -> None:
    items, later = with_hour(2, seed=1)
    with pytest.raises(ParameterError, match=r"the model needs feature1 of the steps that come: ahead=.*\(6, 1\)"):
        with_known_ahead.predict(items)
    with pytest.raises(ParameterError, match=r"a finite array \(6, 1\) for each of 2 items, got \[\(6, 2\)"):
        with_known_ahead.predict(items, ahead=later)
    with pytest.raises(ParameterError, match="knows no column ahead: give no `ahead`"):
        trained.predict(series(2), ahead=later)


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


def test_columns_that_are_not_there_are_guessed() -> None:
    data = Windows.from_arrays(series(4), columns=["power"])
    with pytest.raises(ParameterError, match="no column 'powr'; did you mean 'power'"):
        forecaster(targets=("powr",)).fit(data, **QUICK)
    with pytest.raises(ParameterError, match="targets must be columns of their own"):
        forecaster(targets=("power",), observed="power").fit(data, **QUICK)
    with pytest.raises(ParameterError, match="beside must be 'naiv'; did you mean 'naive'"):
        forecaster().fit(data, **(QUICK | {"max_epochs": 1})).compare(data, beside=("naiv",))


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


def test_what_looks_ahead_is_refused() -> None:
    with pytest.raises(ParameterError, match="BothWays looks ahead: its answer at a step changes with the steps after"):
        Forecaster(model=BothWays()).fit(series(4), **QUICK)
    with pytest.raises(ParameterError, match="LSTMAutoencoder"):
        Forecaster(model=LSTMAutoencoder(4)).fit(series(4), **QUICK)
    assert Forecaster(model=bl.LSTM(12)).model == bl.CausalLSTM(12, dropout=0.0)
    assert Forecaster(model=LSTMPredictor(4), horizon_steps=2).fit(series(4), **(QUICK | {"max_epochs": 1})).training
    with pytest.raises(ParameterError, match="OfItems gives no answer for each step; a Forecaster takes"):
        Forecaster(model=OfItems())


def ecg(subject: str, *, seconds: int = 120, fs: float = 200.0) -> Recording:
    """Beats whose interval swings with the breath, under noise."""
    rng = np.random.default_rng(ord(subject))
    at, times = 0.5, []
    while at < seconds - 1:
        times.append(at)
        at += 0.8 + 0.08 * np.sin(2 * np.pi * at / 4) + 0.01 * rng.standard_normal()
    clock = np.arange(int(seconds * fs)) / fs
    row = sum(np.exp(-0.5 * ((clock - t) / 0.02) ** 2) for t in times) + 0.02 * rng.standard_normal(len(clock))
    labels = np.array(["N"] * len(times))
    labels[20] = "V"
    marks = Annotations(np.rint(np.array(times) * fs).astype(int), labels=labels)
    return Recording(row[None], fs, ["II"], ["mV"], id=f"r{subject}", subject=subject, annotations=marks)


def test_the_next_rr_intervals_of_recordings() -> None:
    prepare = bl.Pipeline(events=bl.Beats(), windows=bl.BeatIntervals())
    model = Forecaster(prepare, bl.LSTM(8), horizon_steps=4, targets=("rr",), observed="normal", context_steps=16)
    model.fit([ecg(who) for who in "abcdef"], [ecg("g")], **(QUICK | {"max_epochs": 2}))
    said = model.predict(ecg("x"))
    marks = ecg("x").annotations
    assert said.origins_s.tolist() == [marks.starts[-1] / 200]
    assert np.isnan(said.times_s).all()
    assert (said.targets, said.unit) == (("rr",), "s")
    assert ((said.median > 0.6) & (said.median < 1.0)).all()
    assert model.evaluate([ecg("x"), ecg("y")])["mase_ratio_naive"].value < 0.9
    rows = list(csv.DictReader(io.StringIO(said.csv_rows())))
    assert (rows[0]["time_s"], rows[0]["target"], rows[3]["ahead"]) == ("", "rr", "4")


def test_the_next_samples_of_recordings(tmp_path: Path) -> None:
    prepare = bl.Pipeline(filters=[bl.OneWay(20, rate_hz=50)], windows=bl.WholeRecording())
    model = Forecaster(prepare, bl.GRU(8), horizon_steps=10, context_steps=64)
    model.fit([ecg(who, seconds=40) for who in "abc"], **(QUICK | {"max_epochs": 1}))
    said = model.predict([ecg("x", seconds=40), ecg("y", seconds=40)])
    assert said.rate_hz == 50
    assert said.times_s[0, 0] == pytest.approx(40.0)
    np.testing.assert_allclose(np.diff(said.times_s[0]), 0.02)
    said.to_csv(tmp_path / "said.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "said.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 20
    assert float(rows[13]["q0.5"]) == pytest.approx(float(said.median[1, 3, 0]), rel=1e-4)
    assert (rows[13]["recording"], rows[13]["ahead"], float(rows[13]["time_s"])) == ("ry", "4", pytest.approx(40.06))


def test_filters_that_look_ahead_are_warned_of() -> None:
    prepare = bl.Pipeline(filters=[bl.Bandpass(0.5, 20), bl.Resample(50)], windows=bl.WholeRecording())
    with pytest.warns(BiosigWarning, match=r"Bandpass\(.*\), Resample\(rate_hz=50\) look ahead.*OneWay"):
        Forecaster(prepare, horizon_steps=5).fit([ecg("a", seconds=20)], **(QUICK | {"max_epochs": 1}))


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


def test_rr_intervals_of_real_patients(data_root: Callable[[str], Path]) -> None:
    records = ["101", "106", "112", "122", "205"]
    recordings = list(bl.datasets.get("mitdb", data_root("mitdb")).recordings(records))
    prepare = bl.Pipeline(events=bl.Beats(positions="annotated"), windows=bl.BeatIntervals())
    model = Forecaster(prepare, bl.LSTM(8), horizon_steps=8, targets=("rr",), observed="normal", context_steps=32)
    model.fit(recordings[:4], **(QUICK | {"max_epochs": 1}))
    scores = model.evaluate(recordings[4:])
    assert scores["mase_ratio_naive"].value < 0.95
    assert 0.7 < scores["coverage_90"].value < 1


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
    with pytest.raises(ParameterError, match="number must lie in 0 to"):
        bl.plot.forecast(said, series_of, number=len(said))
    with pytest.raises(DataError, match=r"does not hold feature0 of .* that was read"):
        bl.plot.forecast(said, Windows.from_arrays(series(2, seed=6)))


def test_a_horizon_longer_than_every_series_is_refused() -> None:
    with pytest.raises(DataError, match="no training series is longer than the horizon of 200 steps"):
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


def test_memory_is_set_by_the_lengths_of_what_is_read() -> None:
    model = Forecaster(model=bl.LSTM(4, memory_steps="auto"), horizon_steps=2, context_steps=16)
    assert model.fit(series(4), **(QUICK | {"max_epochs": 1})).model.memory_steps == 34


def test_folds_are_scored_together(trained: Forecaster) -> None:
    items = series(6, seed=8)
    parts = [trained.compare(items[:2], beside=("ar",)), trained.compare(items[2:], beside=("ar",))]
    together = Compared.together(parts).scores(trained.levels)
    whole = trained.evaluate(items, beside=("ar",))
    assert together["mase_ratio_ar"].value == pytest.approx(whole["mase_ratio_ar"].value)
    assert together.n_forecasts == whole.n_forecasts
    assert set(together.variants) == {"", "_ar"}


def test_a_forecaster_is_fitted_again_on_other_columns() -> None:
    model = forecaster()
    for name in ("power", "flow"):
        model.fit(Windows.from_arrays(series(4), columns=[name]), **(QUICK | {"max_epochs": 1}))
        assert model.targets == (name,)


def test_a_season_is_read_twice_by_default() -> None:
    assert Forecaster(season_steps=168).context_steps == 336
    assert Forecaster(season_steps="auto", horizon_steps=40).context_steps == 80
    assert Forecaster().context_steps == 64
