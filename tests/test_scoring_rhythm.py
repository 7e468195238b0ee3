"""The rhythm of short recordings, and episodes along long ones: tasks, commands, files."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets import afdb, cinc2017
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Classifier, Predictions, StepClassifier
from biosig_lstm.events.rhythms import rhythm_stretches
from biosig_lstm.formats.wfdb import read_annotations, write_wfdb
from biosig_lstm.recipes import recipe_for
from biosig_lstm.scoring import evaluate_protocol
from biosig_lstm.scoring.episodes import episodes_of, find_episodes, rhythm_along
from biosig_lstm.scoring.tasks import task, task_of
from biosig_lstm.shipped import pretrained


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cinc2017")
    cinc2017.write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def model(root: Path) -> Classifier:
    """Return the recipe in small, trained for seconds on the written recordings; one of them it has not seen."""
    recipe = recipe_for("cinc2017")
    small = replace(
        recipe,
        members=2,
        model=replace(recipe.model, channels=(4, 4), hidden_size=4, embedding=8, tree_rounds=4),  # type: ignore[type-var]
        settings=replace(recipe.settings, max_epochs=2, batch_size=2, device="cpu"),
    )
    data = datasets.get("cinc2017", root)
    trained = small.fit(data.recordings(data.record_names[:4]), progress=False, protocol="cinc2017")
    assert isinstance(trained, Classifier)
    return trained


@pytest.fixture(scope="module")
def holter() -> Recording:
    signals, _, _ = synthetic_ecg(fs=250.0, duration_s=100.0, seed=3)
    return Recording(signals, 250.0, ["II", "V1"], ["mV", "mV"], id="h", subject="h")


def voted(likely: list[tuple[float, float, float, float]], *, step: int = 1000, fs: float = 100.0) -> Predictions:
    n = len(likely)
    rows = np.log(np.array(likely, dtype=np.float32) + 1e-9)
    names = np.array(["x"] * n)
    return Predictions(names, names, np.arange(n) * step, np.full(n, fs), rows, ("N", "A", "O", "~"))


A, N, NOISE = (0.1, 0.9, 0.0, 0.0), (0.9, 0.1, 0.0, 0.0), (0.0, 0.01, 0.0, 0.99)


def test_records_that_were_not_seen_are_scored(model: Classifier, root: Path) -> None:
    found = evaluate_protocol(model, root=root)
    assert found.recordings == ("A00022",)
    assert not found.seen_in_training
    assert set(found.to_dict()["metrics"]) == {"f1_N", "f1_A", "f1_O", "f1_P", "f1_cinc", "accuracy"}


def test_the_command_evaluates_and_trees_are_in_the_file(
    model: Classifier, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.save(tmp_path / "m.biosig")
    assert main(["evaluate", str(tmp_path / "m.biosig"), "--data", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recordings"] == ["A00022"]
    again = Classifier.load(tmp_path / "m.biosig")
    data = datasets.get("cinc2017", root)
    assert np.array_equal(
        again.predict(data.recordings()).log_probabilities, model.predict(data.recordings()).log_probabilities
    )
    assert [int(network.trees.grown) for network in again.networks] == [1, 1]


def test_short_recordings_get_one_row_and_long_ones_a_row_for_each_window(
    model: Classifier, root: Path, holter: Recording, tmp_path: Path
) -> None:
    model.save(tmp_path / "m.biosig")
    write_wfdb(holter, tmp_path, fmt="16", gain=1000.0, annotator=None)
    out = tmp_path / "out"
    assert (
        main(["classify", str(tmp_path / "m.biosig"), str(root / "A00001"), str(tmp_path / "h"), "--out", str(out)])
        == 0
    )
    rows = [line.split(",") for line in (out / "predictions.csv").read_text().splitlines()]
    assert rows[0] == ["recording", "sample", "time_s", "label", "p_N", "p_A", "p_O", "p_~"]
    assert [row[:2] for row in rows[1:3]] == [["A00001", "0"], ["h", "0"]]
    assert [float(row[2]) for row in rows[2:]] == [0, 10, 20, 30, 40, 50, 60, 70]
    assert not (out / "A00001.rhythm").exists()
    changes = read_annotations(out / "h", "rhythm")
    assert set(changes.symbol.tolist()) == {"+"}
    assert changes.aux_note[0].startswith("(")


def test_a_model_of_other_classes_is_refused(model: Classifier, beats_model: StepClassifier) -> None:
    with pytest.raises(ParameterError, match="windows need a Classifier, got a StepClassifier"):
        task("rhythm").check(beats_model)
    other = Classifier(model.pipeline, model.model)
    other.classes = ("N", "V")
    with pytest.raises(ParameterError, match="rhythms are N A O ~, the model has N V"):
        task("rhythm").check(other)
    assert task_of(model) is task("rhythm")


def test_a_recording_without_a_label_is_refused(model: Classifier, holter: Recording) -> None:
    with pytest.raises(DataError, match=r"h: one label out of N A O ~ is needed, got \[\]"):
        task("rhythm").score_one(model, holter)


def test_windows_say_what_the_model_says_of_the_same_stretch(model: Classifier, holter: Recording) -> None:
    along = rhythm_along(model, holter, window_s=30, step_s=25)
    assert along.times_s.tolist() == [0, 25, 50, 70]
    assert set(along.recordings.tolist()) == {"h"}
    alone = model.predict(holter.crop(start_s=25, stop_s=55))
    np.testing.assert_allclose(along.probabilities[1], alone.probabilities[0], atol=1e-6)


@pytest.mark.filterwarnings("ignore::biosig_lstm.errors.BiosigWarning")
def test_a_stretch_without_signal_is_noise(model: Classifier, holter: Recording) -> None:
    signals = holter.signals.copy()
    signals[0, : 40 * 250], signals[1, : 40 * 250] = 0.5, np.nan
    along = rhythm_along(model, replace(holter, signals=signals), window_s=20, step_s=20)
    assert along.labels[:2].tolist() == ["~", "~"]
    assert (along.probabilities[:2, 3] > 0.99).all()
    flat = replace(holter, signals=np.zeros_like(signals))
    assert find_episodes(model, flat).burden == 0


@pytest.mark.parametrize("fs", [100.0, 128.0, 360.0, 1000.0])
def test_any_rate_from_100_hz_is_read(model: Classifier, fs: float) -> None:
    signals, _, _ = synthetic_ecg(fs=fs, duration_s=35.0, seed=3, mains_mv=0.0)
    said = rhythm_along(model, Recording(signals, fs, ["II", "V1"], ["mV", "mV"], id="x"))
    assert (len(said), said.fs[0]) == (2, fs)


def test_episodes_begin_and_end_where_the_votes_turn() -> None:
    windows = voted([N] * 6 + [A] * 9 + [N] * 6)  # windows of 30 s, one every 10 s
    found = episodes_of(windows, n_samples=23_000, fs=100.0)
    assert (found.episodes.starts.tolist(), found.episodes.stops.tolist()) == ([7000], [16000])
    assert found.episodes.labels.tolist() == ["(AFIB"]
    assert found.burden == pytest.approx(90 / 230)
    assert repr(found) == "RhythmEpisodes(1 episodes, burden 39.1 %: 70-160 s)"


def test_noise_neither_ends_an_episode_nor_makes_one() -> None:
    through = episodes_of(voted([A] * 5 + [NOISE] + [A] * 5), n_samples=13_000, fs=100.0)
    assert (through.episodes.starts.tolist(), through.episodes.stops.tolist()) == ([0], [13_000])
    assert len(episodes_of(voted([N] * 4 + [NOISE] + [N] * 4), n_samples=11_000, fs=100.0)) == 0


def test_short_episodes_are_left_out_unless_asked_for() -> None:
    windows = voted([N] * 5 + [A] * 3 + [N] * 5)
    assert len(episodes_of(windows, n_samples=15_000, fs=100.0, shortest_s=60)) == 0
    assert len(episodes_of(windows, n_samples=15_000, fs=100.0, shortest_s=10)) == 1


def test_what_cannot_be_found_is_refused(model: Classifier, holter: Recording) -> None:
    with pytest.raises(ParameterError, match=r"rhythm 'AF'.*possible"):
        find_episodes(model, holter, rhythm="AF")
    with pytest.raises(ParameterError, match="window_s and step_s must be positive, got 0 and 10"):
        find_episodes(model, holter, window_s=0)


def test_the_protocol_of_afdb_scores_episodes(model: Classifier, tmp_path: Path) -> None:
    afdb.write_sample(tmp_path)
    found = evaluate_protocol(model, root=tmp_path, protocol="afdb")
    assert found.recordings == ("04015", "05091")
    wanted = {"episode_se", "episode_pp", "duration_se", "duration_pp", "specificity", "burden_error"}
    assert set(found.scores.metrics) == wanted
    (recording,) = datasets.get("afdb", tmp_path).recordings(["04015"])
    truth = rhythm_stretches(recording.annotations, n_samples=recording.n_samples)
    assert found.scores.per_subject["04015"][0].sum() == round((truth.stops - truth.starts).sum() / recording.fs)


def test_a_recording_without_rhythm_is_refused(model: Classifier, holter: Recording) -> None:
    beats = holter.with_annotations(Annotations([10], labels=["N"]))
    with pytest.raises(DataError, match="h: no change of rhythm is annotated"):
        task("episodes").score_one(model, beats)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::biosig_lstm.errors.BiosigWarning")
def test_the_model_that_ships_finds_fibrillation_in_a_holter_it_was_not_made_for(
    data_root: Callable[[str], Path],
) -> None:
    parts = [
        task("episodes").score_one(pretrained("ecg-rhythm"), recording)
        for recording in datasets.get("mitdb", data_root("mitdb")).recordings(["101", "201"])
    ]
    scores = task("episodes").scores(pretrained("ecg-rhythm"), parts)
    assert scores["duration_se"].value > 0.9
    assert scores["duration_pp"].value > 0.9
    assert scores["burden_error"].value < 0.02
