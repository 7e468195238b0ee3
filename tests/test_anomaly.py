"""Anomaly detection: failures that are injected are stranger, and the threshold keeps the rate that was asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.covariance import EmpiricalCovariance

from biosig_lstm import plot
from biosig_lstm.augmentation.sensor_failure import KINDS, SensorFailure
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, LeakageError, ParameterError
from biosig_lstm.estimators import Anomalies, AnomalyDetector, load
from biosig_lstm.estimators._surprise import Surprise, against_recording, groups_of, log_energies
from biosig_lstm.metrics import alarm_events
from biosig_lstm.models import BiLSTM, LSTMAutoencoder, LSTMPredictor
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import AroundEvents, FixedLength

FS, SECONDS = 50.0, 48
QUICK: dict[str, Any] = {
    "max_epochs": 6, "batch_size": 8, "device": "cpu", "progress": False, "learning_rate": 0.02,
    "false_alarms_per_h": 240.0,
}  # fmt: skip
FRAMES = Pipeline(windows=FixedLength(2.0, epoch_s=0.2, classes=KINDS))
MODELS = [LSTMAutoencoder(12, code_size=6), LSTMPredictor(12)]


def pulse(subject: str, *, unit: str = "mV", channels: tuple[str, ...] = ("II", "V1")) -> Recording:
    """A pulse each second and a little noise."""
    rng = np.random.default_rng(ord(subject))
    seconds = np.arange(int(SECONDS * FS)) / FS
    row = np.exp(-0.5 * ((seconds % 1 - 0.5) / 0.06) ** 2)
    signals = row + 0.03 * rng.standard_normal((len(channels), len(row)))
    return Recording(signals, FS, channels, [unit] * len(channels), id=f"r{subject}", subject=subject)


def failing(subject: str) -> Recording:
    made = SensorFailure(("lead_off", "saturation", "motion"), n_each=1, apart_s=3.0, all_channels=1.0, size=1.0)
    return made(pulse(subject), np.random.default_rng(3))


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: type(model).__name__)
def trained(request: pytest.FixtureRequest) -> AnomalyDetector:
    train, val = ([pulse(who) for who in names] for names in ("abcd", "ef"))
    return AnomalyDetector(FRAMES, request.param).fit(FRAMES(train), FRAMES(val), **QUICK)


def test_what_fails_is_stranger_than_what_works(trained: AnomalyDetector) -> None:
    windows = FRAMES([failing("x"), failing("y")])
    said, failed = trained.predict(windows), np.asarray(windows.y) >= 0
    assert failed.sum() > 5
    assert np.median(said.scores[failed]) > 3 * np.median(said.scores[~failed])
    scores = trained.evaluate(windows)
    assert scores["auroc"].value > 0.9
    assert scores["event_se"].value > 0.6
    assert scores["false_alarms_per_h"].value >= 0


def test_a_flat_line_is_strange_although_it_is_easily_foreseen(trained: AnomalyDetector) -> None:
    normal = pulse("x")
    flat = np.array(normal.signals)
    flat[:, int(20 * FS) : int(30 * FS)] = 0.0
    said = trained.predict(normal.with_signals(flat, note="flat"))
    inside = (said.starts_s >= 20) & (said.stops_s <= 30)
    assert said.scores[inside].min() > np.quantile(said.scores[~inside], 0.9)


def test_normal_signal_held_out_alarms_as_often_as_was_stated(trained: AnomalyDetector) -> None:
    val = FRAMES([pulse("e"), pulse("f")])
    for rate in (60.0, 240.0, 600.0):
        trained.set_threshold(val, false_alarms_per_h=rate)
        hours = 2 * SECONDS / 3600
        assert len(trained.predict(val).events) <= rate * hours
        allowed = int(rate * hours)
        above = np.sort(trained.predict(val).scores)[::-1]
        assert (above > trained.threshold).sum() >= allowed
    trained.set_threshold(val, false_alarms_per_h=QUICK["false_alarms_per_h"])


def test_a_rate_that_allows_no_alarm_is_said(trained: AnomalyDetector) -> None:
    val, before = FRAMES([pulse("e")]), trained.threshold
    with pytest.warns(BiosigWarning, match="allow no false alarm at 1 an hour"):
        trained.set_threshold(val, false_alarms_per_h=1.0)
    assert trained.threshold == trained.predict(val).scores.max()
    trained.threshold = before


def test_a_loaded_detector_answers_as_the_saved_one(trained: AnomalyDetector, tmp_path: Path) -> None:
    trained.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert isinstance(again, AnomalyDetector)
    one, other = (model.predict([failing("x")]) for model in (trained, again))
    np.testing.assert_array_equal(one.scores, other.scores)
    assert one.events == other.events
    for name in ("threshold", "normal", "scored", "merge_s", "model", "pipeline", "columns"):
        assert getattr(again, name) == getattr(trained, name), name


def test_where_in_a_window_the_surprise_lies(trained: AnomalyDetector) -> None:
    clean = pulse("x")
    changed = np.array(clean.signals)
    changed[1, int(20.0 * FS) : int(20.4 * FS)] += 5.0
    after = clean.with_signals(changed, note="bump")
    steps = trained.step_scores(after)[10]
    assert steps.shape == (10, 2)
    assert steps[0:2, 1].max() == steps.max()
    samples = trained.sample_scores(after)[10]
    assert samples.shape == (10, 20)
    assert samples[:, 10:].max() > samples[:, :10].max()
    assert (samples >= 0).all()


def test_the_seed_decides_everything() -> None:
    train, val = FRAMES([pulse("a"), pulse("b")]), FRAMES([pulse("c")])
    how = QUICK | {"max_epochs": 2}
    one, same, other = (
        AnomalyDetector(FRAMES, LSTMPredictor(6)).fit(train, val, **how, seed=seed).predict(val) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.scores, same.scores)
    assert one.threshold == same.threshold
    assert not np.array_equal(one.scores, other.scores)


def test_anomalies_are_not_learned() -> None:
    train, val = FRAMES([failing("a"), failing("b")]), FRAMES([failing("c")])
    model = AnomalyDetector(FRAMES, LSTMPredictor(6)).fit(train, val, **(QUICK | {"max_epochs": 2}))
    normal = train.select(np.asarray(train.y) < 0)
    again = AnomalyDetector(FRAMES, LSTMPredictor(6)).fit(normal, val, **(QUICK | {"max_epochs": 2}))
    np.testing.assert_array_equal(model.predict(val).scores, again.predict(val).scores)


def with_beats(subject: str) -> Recording:
    """Narrow pulses, every eighth one wide and upside down."""
    clean = pulse(subject)
    at = (np.arange(1, SECONDS - 1) * FS + FS / 2).astype(int)
    signals, labels = np.array(clean.signals), np.full(len(at), "N")
    labels[4::8] = "V"
    for place in at[4::8]:
        signals[:, place - 12 : place + 12] *= -1.5
    return clean.with_signals(signals, note="V").with_annotations(Annotations(at, labels=labels))


@pytest.mark.parametrize("network", MODELS, ids=lambda model: type(model).__name__)
def test_beats_that_were_not_learned_are_found_among_those_that_were(network: Any) -> None:
    prepare = Pipeline(windows=AroundEvents(0.25, 0.25, run=8, classes=("N", "V")))
    model = AnomalyDetector(prepare, network, normal=("N",), scored="step")
    model.fit(prepare(with_beats(who) for who in "abcd"), prepare(with_beats(who) for who in "ef"), **QUICK)
    scores = model.evaluate([with_beats("x"), with_beats("y")])
    assert scores["auroc"].value > 0.95
    said = model.predict(with_beats("x"))
    assert len(said) == SECONDS - 2
    np.testing.assert_allclose(said.starts_s, np.arange(1, SECONDS - 1) + 0.5)


def test_training_subjects_are_not_scored(trained: AnomalyDetector) -> None:
    with pytest.raises(LeakageError, match="has been trained on 1 of these subjects"):
        trained.evaluate([failing("a")])
    assert trained.evaluate([failing("a")], allow_seen=True)["auroc"].value > 0.5
    with pytest.raises(LeakageError, match="on both sides"):
        AnomalyDetector(FRAMES, LSTMPredictor(4)).fit(FRAMES([pulse("a")]), FRAMES([pulse("a")]), **QUICK)


def test_what_cannot_be_is_refused(trained: AnomalyDetector) -> None:
    with pytest.raises(ParameterError, match="BiLSTM tells classes; an AnomalyDetector takes LSTMAutoencoder or"):
        AnomalyDetector(FRAMES, BiLSTM(4))
    with pytest.raises(ParameterError, match="scored must be 'beat'"):
        AnomalyDetector(FRAMES, LSTMPredictor(4), scored="beat")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="against must be 'record'; did you mean 'recording'"):
        AnomalyDetector(FRAMES, LSTMPredictor(4), against="record")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="merge_s must be finite, 0 or more"):
        AnomalyDetector(FRAMES, LSTMPredictor(4), merge_s=-1.0)
    fresh = AnomalyDetector(FRAMES, LSTMPredictor(4))
    with pytest.raises(ParameterError, match="is not trained yet: call fit"):
        fresh.predict(pulse("x"))
    with pytest.raises(ParameterError, match="is not trained yet"):
        fresh.step_scores(pulse("x"))
    with pytest.raises(ParameterError, match="normal signal of subjects that are not trained on: give val"):
        fresh.fit(FRAMES([pulse("a")]))
    with pytest.raises(ParameterError, match="false_alarms_per_h must be positive, got 0"):
        fresh.fit(FRAMES([pulse("a")]), FRAMES([pulse("b")]), false_alarms_per_h=0)
    with pytest.raises(ParameterError, match="fit has no setting 'max_epoch'; did you mean"):
        fresh.fit(FRAMES([pulse("a")]), FRAMES([pulse("b")]), max_epoch=2)
    with pytest.raises(ParameterError, match="gives scores, no probabilities"):
        trained.log_probabilities(pulse("x"))
    with pytest.raises(DataError, match=r"lacking V1\[0\], .* foreign Resp\[0\]"):
        trained.predict(pulse("x", channels=("II", "Resp")))
    with pytest.raises(DataError, match="windows in uV, the model was trained on mV"):
        trained.predict(pulse("x", unit="uV"))
    with pytest.raises(DataError, match="nothing to score: 0 anomalies and 24 normal"):
        trained.evaluate([pulse("x")])


def test_classes_that_are_not_there_are_refused() -> None:
    wrong = AnomalyDetector(FRAMES, LSTMPredictor(4), normal=("motions",))
    with pytest.raises(ParameterError, match="normal class 'motions'; did you mean 'motion'"):
        wrong.fit(FRAMES([pulse("a")]), FRAMES([pulse("b")]), **QUICK)
    none = AnomalyDetector(FRAMES, LSTMPredictor(4), normal=("mains",))
    with pytest.raises(DataError, match="train: nothing is normal signal"):
        none.fit(FRAMES([pulse("a")]), FRAMES([pulse("b")]), **QUICK)
    labels_of_steps = Pipeline(windows=AroundEvents(0.2, 0.2, classes=("N", "V")))([with_beats("a")])
    with pytest.raises(ParameterError, match="a window is scored by one label of its own"):
        AnomalyDetector(FRAMES, LSTMPredictor(4)).fit(labels_of_steps, labels_of_steps, **QUICK)


def test_items_of_one_step_teach_a_predictor_nothing() -> None:
    single = Pipeline(windows=FixedLength(2.0, epoch_s=2.0))
    with pytest.raises(DataError, match=r"nothing to learn from: no item of .* has more than 1 steps"):
        AnomalyDetector(single, LSTMPredictor(4)).fit(single([pulse("a")]), single([pulse("b")]), **QUICK)


def test_events_are_annotations_and_rows() -> None:
    said = Anomalies(
        np.array(["a", "a", "a", "b"]), np.array(["p", "p", "p", "q"]), np.array([0.0, 1, 2, 0]),
        np.array([1.0, 2, 3, 1]), np.array([1.0, 5.0, 6.0, 7.0]), threshold=4.0,
    )  # fmt: skip
    assert [(e.recording, e.start_s, e.stop_s, e.score) for e in said.events] == [("a", 1, 3, 6), ("b", 0, 1, 7)]
    assert said.csv_rows().splitlines()[1] == "a,1.000,3.000,6.0000"
    marks = said.annotations("a", fs=10.0)
    assert (marks.starts.tolist(), marks.stops.tolist(), marks.labels.tolist()) == ([10], [30], ["anomaly"])
    assert len(said.of("b")) == 1
    assert "2 events above 4.00" in repr(said)
    assert said.is_anomaly.tolist() == [False, True, True, True]
    with pytest.raises(DataError, match="no recording 'c'"):
        said.of("c")
    assert len(alarm_events(said.scores, said.starts_s, said.stops_s, threshold=9).starts_s) == 0


def test_energies_of_what_is_usual_have_no_size() -> None:
    rng = np.random.default_rng(0)
    groups = groups_of(6, (2, 3))
    items = [rng.standard_normal((20, 6)).astype(np.float32) for _ in range(300)]
    usual = Surprise.fit(items, groups)
    sizes = [usual.measures(item, groups) for item in items]
    steps = np.concatenate([usual.of_steps(item) for item in sizes])
    np.testing.assert_allclose(steps.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(steps.std(axis=0), 1, atol=1e-3)
    of_samples = np.concatenate([usual.of_samples(item) for item in items])
    np.testing.assert_allclose(np.square(of_samples).mean(axis=0), 1.0, atol=1e-5)
    assert np.mean([usual.of_item(item) for item in sizes]) == pytest.approx(1.0, abs=0.05)
    for factor in (0.01, 100.0):
        assert usual.of_item(usual.measures(factor * items[0], groups)) > 100
    with pytest.raises(DataError, match="two or more normal items, got 1"):
        Surprise.fit(items[:1], groups)


def test_rows_of_features_are_judged_by_their_mahalanobis_distance() -> None:
    rng = np.random.default_rng(2)
    mixed = np.eye(5) + 0.2 * rng.standard_normal((5, 5))
    items = [(rng.standard_normal((20, 5)) @ mixed).astype(np.float32) for _ in range(200)]
    groups = groups_of(5, None)
    usual = Surprise.fit(items, groups, as_rows=True)
    inverse = EmpiricalCovariance(assume_centered=True).fit(np.concatenate(items)).precision_
    expected = [np.log(np.einsum("ti,ij,tj->t", item, inverse, item) / 5 + 1e-3) for item in items]
    sizes = [usual.measures(item, groups) for item in items]
    np.testing.assert_allclose(sizes[3][:, -1], expected[3], atol=0.02)
    np.testing.assert_allclose(sizes[3][:, :-1], log_energies(items[3], groups))
    found = np.log([usual.of_item(item) for item in sizes])
    np.testing.assert_allclose(found, np.mean(expected, axis=1) - np.mean(expected), atol=0.02)
    again = Surprise.from_dict(json.loads(json.dumps(usual.to_dict())))
    assert again.of_item(sizes[3]) == usual.of_item(sizes[3])


def test_against_its_recording_the_gain_of_a_residual_falls_away() -> None:
    rng = np.random.default_rng(1)
    groups = groups_of(4, None)
    items = [rng.standard_normal((30, 4)).astype(np.float32) for _ in range(6)]
    names = ["a", "b", "a", "b", "a", "b"]
    louder = [item * (1.0 if name == "a" else 7.0) for item, name in zip(items, names, strict=True)]
    bare, gained = (against_recording([log_energies(item, groups) for item in each], names) for each in (items, louder))
    for one, other in zip(bare, gained, strict=True):
        np.testing.assert_allclose(one[one > -6], other[one > -6], atol=1e-2)
    quartiles = np.quantile(np.concatenate([bare[k] for k in (0, 2, 4)]), 0.25, axis=0)
    np.testing.assert_allclose(quartiles, 0.0, atol=1e-12)


def test_against_its_recording_a_noisier_sensor_does_not_alarm_all_the_time(tmp_path: Path) -> None:
    train, val = FRAMES([pulse(who) for who in "abcd"]), FRAMES([pulse("e"), pulse("f")])

    def noisy(who: str) -> Recording:
        clean = pulse(who)
        noise = 0.06 * np.random.default_rng(9).standard_normal(clean.signals.shape)
        return clean.with_signals(np.asarray(clean.signals) + noise, note="noise")

    medians = {}
    for against in ("training", "recording"):
        model = AnomalyDetector(FRAMES, LSTMPredictor(12), against=against).fit(train, val, **QUICK)
        medians[against] = [float(np.median(model.predict(one).scores)) for one in (pulse("x"), noisy("x"))]
    rise = {name: noisy / quiet for name, (quiet, noisy) in medians.items()}
    assert rise["training"] > 2
    assert rise["recording"] < rise["training"] / 1.5
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert isinstance(again, AnomalyDetector)
    assert again.against == "recording"
    np.testing.assert_array_equal(again.predict(noisy("x")).scores, model.predict(noisy("x")).scores)


def test_windows_without_labels_are_all_normal() -> None:
    bare = Pipeline(windows=FixedLength(2.0, epoch_s=0.2))
    windows: Windows = bare([pulse("a"), pulse("b")])
    model = AnomalyDetector(bare, LSTMPredictor(4)).fit(windows, bare([pulse("c")]), **(QUICK | {"max_epochs": 1}))
    with pytest.raises(DataError, match="nothing to score: these windows have no labels"):
        model.evaluate([pulse("x")])


def test_a_stretch_is_drawn_with_its_events_and_its_surprise(trained: AnomalyDetector) -> None:
    broken = failing("x")
    figure = plot.anomalies(broken, trained, start_s=4.0, length_s=20.0)
    assert [axes.get_ylabel() for axes in figure.axes[:4]] == ["II (mV)", "V1 (mV)", "score", "surprise"]
    assert figure.axes[3].get_xlim() == (4.0, 24.0)
    assert len(figure.axes[0].patches) == len(trained.predict(broken).events)
    figure.canvas.draw()
    with pytest.raises(DataError, match="nothing to draw from 99 s on"):
        plot.anomalies(broken, trained, start_s=99.0)
