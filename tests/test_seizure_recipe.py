"""The walk from EEG files to seizures: trained, scored across patients and patient by patient, put to files."""

from __future__ import annotations

import csv
import json
import shutil
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm import datasets, recipes
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets.chbmit import CHANNELS, write_sample
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.estimators import Predictions, StepClassifier
from biosig_lstm.formats.eeg import read_eeg
from biosig_lstm.formats.wfdb import write_annotations
from biosig_lstm.metrics import seizure_scores
from biosig_lstm.models import BiLSTM
from biosig_lstm.recipes.eeg_chbmit import RECIPE
from biosig_lstm.scoring import Evaluation, evaluate_protocol, seizures
from biosig_lstm.scoring.seizures import SeizureEvents, find_seizures, seizure_probabilities, seizures_of
from biosig_lstm.scoring.tasks import task, task_of

CLASSES = ("background", "seizure")
SMALL = replace(
    RECIPE,
    model=BiLSTM(12, pooling=None),
    members=1,
    run=40,
    settings=replace(
        RECIPE.settings, max_epochs=10, batch_size=4, crop_steps=40, learning_rate=5e-3, average_decay=0.0, device="cpu"
    ),
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    folder = tmp_path_factory.mktemp("chbmit")
    write_sample(folder)
    return datasets.get("chbmit", folder)


@pytest.fixture(scope="module")
def model(data: datasets.Dataset) -> StepClassifier:
    """Return a small model of two patients."""
    seen = [name for name in data.record_names if name[:5] in ("chb02", "chb17")]
    trained = SMALL.fit(data.recordings(seen), protocol="chbmit", progress=False)
    assert isinstance(trained, StepClassifier)
    return trained


@pytest.fixture(scope="module")
def own_model(data: datasets.Dataset) -> StepClassifier:
    """Return a small model of the earlier files of each patient."""
    plan = data.resolve(datasets.get_protocol("chbmit-patient"))
    trained = SMALL.fit(data.recordings(plan.train), protocol="chbmit-patient", progress=False)
    assert isinstance(trained, StepClassifier)
    return trained


@pytest.fixture(scope="module")
def saved(model: StepClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "seizures.biosig"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def across(model: StepClassifier, data: datasets.Dataset) -> Evaluation:
    return evaluate_protocol(model, root=data.root)


def predictions(likely: list[float], *, name: str = "a", step_samples: int = 512) -> Predictions:
    p = np.array(likely, dtype=np.float64)
    rows = np.log(np.column_stack([1 - p, p]).clip(1e-9)).astype(np.float32)
    names = np.full(len(p), name)
    return Predictions(names, names, step_samples * np.arange(len(p)), np.full(len(p), 256.0), rows, CLASSES)


def test_the_recipe_is_that_of_both_protocols() -> None:
    assert recipes.recipe_for("chbmit") is recipes.recipe_for("chbmit-patient") is RECIPE
    assert task_of(RECIPE.new()) is task("seizures")
    assert RECIPE.pipeline.windows.classes == datasets.get_protocol("chbmit").classes


def test_seizures_of_unseen_patients_are_found(across: Evaluation, data: datasets.Dataset) -> None:
    found = across
    assert {data.subject_of(name) for name in found.recordings} == {"chb01+chb21", "chb12"}
    assert found.seen_in_training == found.failed == ()
    assert found.scores["event_se"].value > 0.8
    assert found.scores["sample_f1"].value > 0.8
    assert abs(found.scores["delay_s_median"].value) < 10
    assert found.positions == ""


def test_scores_are_those_of_the_events_that_are_returned(across: Evaluation, data: datasets.Dataset) -> None:
    found = across
    truth = [list(data.seizures(name)) for name in found.recordings]
    said = [found.predictions.spans_s[found.predictions.recordings == name] for name in found.recordings]
    who = [data.subject_of(name) for name in found.recordings]
    expected = seizure_scores(truth, said, who, duration_s=[120.0] * len(who))
    assert found.scores.to_dict() == expected.to_dict()


def test_later_files_of_a_patient_are_no_test_except_by_the_protocol_that_says_so(
    own_model: StepClassifier, model: StepClassifier, data: datasets.Dataset
) -> None:
    plan = data.resolve(datasets.get_protocol("chbmit-patient"))
    within = evaluate_protocol(own_model, root=data.root)
    assert within.recordings == plan.test
    assert within.seen_in_training == ()
    assert within.scores["event_se"].value > 0.8
    assert set(evaluate_protocol(own_model, root=data.root, protocol="chbmit").seen_in_training) == set(
        data.record_names
    )
    with pytest.raises(LeakageError, match="the model has been trained on 1 of these subjects"):
        own_model.evaluate(data.recordings(plan.test[:1]))
    foreign = evaluate_protocol(model, root=data.root / "chb02", protocol="chbmit-patient")
    assert foreign.seen_in_training == foreign.recordings == ("chb02_16+", "chb02_19")


def test_a_model_of_one_patient_comes_from_the_folder_of_one_case(data: datasets.Dataset) -> None:
    one = datasets.get("chbmit", data.root / "chb12")
    plan = one.resolve(datasets.get_protocol("chbmit-patient"))
    assert one.records_of(plan, "train") == ("chb12_06", "chb12_27")
    assert one.records_of(plan, "test") == ("chb12_28",)
    own = SMALL.fit(one.recordings(plan.train), protocol="chbmit-patient", progress=False)
    found = evaluate_protocol(own, root=one.root)
    assert (found.recordings, found.seen_in_training) == (("chb12_28",), ())


def test_of_each_recording_runs_with_seizures_and_a_few_others_are_kept(data: datasets.Dataset) -> None:
    def quiet(k: int) -> Recording:
        signals = np.random.default_rng(k).normal(0, 20, (18, 256 * 120))
        marks = Annotations([0], [256 * 120], ["background"])
        return Recording(signals, 256.0, CHANNELS, ["uV"] * 18, id=f"q{k}", annotations=marks)

    recipe = replace(SMALL, run=10, background_runs=2, event_share=1.0)
    (ill,) = data.recordings("chb01_04")
    items = recipe.items([quiet(0), ill, quiet(1)])
    holds = np.array([(items.item_y(k) == 1).any() for k in range(len(items))])
    assert [(items.recordings[~holds] == name).sum() for name in ("q0", "q1")] == [2, 2]
    assert (items.recordings[~holds] == "chb01_04").sum() <= 2
    assert set(items.recordings[holds]) == {"chb01_04"}
    assert (~holds).sum() <= holds.sum() <= 2 * (~holds).sum() + 6
    assert items.class_counts()["seizure"] > 0
    once = recipe.items([quiet(0), ill, quiet(1)], balance=False)
    whole = recipe.pipeline(ill)
    assert (once.y == 1).sum() == (whole.y == 1).sum() == 26
    assert items == recipe.items([quiet(0), ill, quiet(1)])


def test_recordings_of_too_low_a_rate_are_refused_before_anything_is_made_up() -> None:
    slow = Recording(np.zeros((18, 640)), 64, CHANNELS, ["uV"] * 18, id="slow")
    with pytest.raises(DataError, match=r"slow: recorded at 64 Hz, which does not fit Bandpass"):
        RECIPE.pipeline(slow)


def test_preparing_takes_less_than_thrice_the_memory_of_the_samples() -> None:
    signals = np.random.default_rng(0).standard_normal((18, 256 * 1800), dtype=np.float32)
    recording = Recording(signals, 256.0, CHANNELS, ["uV"] * 18, id="half an hour")
    RECIPE.pipeline(recording.crop(stop_s=10))
    tracemalloc.start()
    try:
        RECIPE.pipeline(recording)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * signals.nbytes


def test_training_needs_a_seizure(data: datasets.Dataset) -> None:
    with pytest.raises(DataError, match="none of 1 recordings holds a seizure: there is nothing to learn"):
        SMALL.items(data.recordings("chb01_01"))
    with pytest.raises(DataError, match="no recordings came to be prepared"):
        SMALL.items([])


def test_a_validation_patient_may_choose_the_epoch(data: datasets.Dataset) -> None:
    short = replace(SMALL, settings=replace(SMALL.settings, max_epochs=2))
    trained = short.fit(data.recordings(["chb02_16"]), val=data.recordings(["chb17a_03"]), progress=False)
    assert trained.training is not None
    assert trained.training.subjects == ("chb02", "chb17")
    with pytest.raises(LeakageError, match=r"on both sides: subjects 'chb01\+chb21'"):
        short.fit(data.recordings(["chb01_03"]), val=data.recordings(["chb21_19"]), progress=False)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40), st.sampled_from([0.0, 6.0, 10.0]))
def test_smoothed_probabilities_are_a_plain_mean(likely: list[float], smooth_s: float) -> None:
    half = {0.0: 0, 6.0: 1, 10.0: 2}[smooth_s]
    p = predictions(likely).probabilities[:, 1].astype(np.float64)
    smooth = np.array([p[max(k - half, 0) : k + half + 1].mean() for k in range(len(p))])
    threshold = 0.5 if np.abs(smooth - 0.5).min() > 1e-6 else 0.4999
    found = seizures_of(predictions(likely), step_s=2.0, threshold=threshold, smooth_s=smooth_s, shortest_s=0)
    mask = np.zeros(len(p), dtype=bool)
    for onset, end in (found.spans_s / 2).astype(int).tolist():
        mask[onset:end] = True
    np.testing.assert_array_equal(mask, smooth >= threshold)
    parts = [smooth[int(a / 2) : int(b / 2)].mean() for a, b in found.spans_s]
    np.testing.assert_allclose(found.confidence, parts, atol=1e-9)


def test_short_events_are_left_out_and_the_threshold_counts() -> None:
    said = predictions([0.1, 0.9, 0.9, 0.1, 0.6, 0.6, 0.6, 0.1])
    assert seizures_of(said, step_s=2.0, smooth_s=0, shortest_s=4).spans_s.tolist() == [[2, 6], [8, 14]]
    assert seizures_of(said, step_s=2.0, smooth_s=0, shortest_s=6).spans_s.tolist() == [[8, 14]]
    assert seizures_of(said, step_s=2.0, smooth_s=0, shortest_s=4, threshold=0.7).spans_s.tolist() == [[2, 6]]
    assert len(seizures_of(predictions([]), step_s=2.0)) == 0


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"threshold": 1.1}, {"smooth_s": -1}, {"shortest_s": -1}, {"step_s": 0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=r"threshold must lie in \(0, 1\], lengths be 0 s or more, steps longer"):
        seizures_of(predictions([0.5]), **{"step_s": 2.0, **wrong})  # type: ignore[arg-type]


def test_events_know_their_rows(tmp_path: Path) -> None:
    found = SeizureEvents(np.array(["a", "b"]), np.array(["x", "y"]), [1.5, 20], [4.0, 30], [0.75, 1.0])
    assert repr(found) == "SeizureEvents(2: a 2-4 s, b 20-30 s)"
    assert found.labels.tolist() == ["seizure", "seizure"]
    found.to_csv(tmp_path / "events.csv")
    rows = list(csv.DictReader((tmp_path / "events.csv").read_text(encoding="utf-8").splitlines()))
    assert rows[0] == {
        "recording": "a", "onset_s": "1.500", "duration_s": "2.500", "label": "seizure", "confidence": "0.7500",
    }  # fmt: skip
    assert repr(task("seizures").nothing(RECIPE.new())) == "SeizureEvents(0)"
    with pytest.raises(DataError, match="seizures need one of each for every row"):
        replace(found, onsets_s=[1.0])


def test_long_recordings_are_read_in_pieces(
    model: StepClassifier, data: datasets.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = data.recordings("chb21_19")
    whole = seizure_probabilities(model, record)
    monkeypatch.setattr(seizures, "LONGEST_S", 50.0)
    parts = seizure_probabilities(model, record)
    np.testing.assert_array_equal(parts.samples, whole.samples)
    np.testing.assert_array_equal(parts.samples, 512 * np.arange(60))
    assert parts.fs[0] == 256
    (spans,) = find_seizures(model, record).spans_s
    np.testing.assert_allclose(spans, [44, 84], atol=6)


def test_only_models_of_seizures_find_any(model: StepClassifier, data: datasets.Dataset) -> None:
    (record,) = data.recordings("chb21_19")
    other = StepClassifier(RECIPE.pipeline, RECIPE.model)
    other.classes = ("W", "R")
    with pytest.raises(ParameterError, match="class to find 'seizure'"):
        find_seizures(other, record)
    other.classes = CLASSES
    with pytest.raises(ParameterError, match="steps must be of equal length"):
        find_seizures(other, record)
    with pytest.raises(DataError, match="chb21_19: neither background nor seizure is annotated"):
        task("seizures").score_one(model, record.with_annotations(Annotations()))


def test_a_recording_without_the_channels_is_refused_by_their_name(
    model: StepClassifier, data: datasets.Dataset
) -> None:
    (record,) = data.recordings("chb21_19")
    with pytest.raises(DataError, match="chb21_19: no derivation Cz-Pz can be made"):
        find_seizures(model, record.pick(CHANNELS[:-1]))


def test_electrodes_against_one_reference_do_as_well(model: StepClassifier, data: datasets.Dataset) -> None:
    (bipolar,) = data.recordings("chb12_28")
    raw = read_eeg(data.root / "chb12" / "chb12_28.edf", annotations=False)
    names = [f"EEG {name.replace('01', 'O1')}-REF" for name in raw.channels]
    found = find_seizures(model, replace(raw, channels=names))
    np.testing.assert_array_equal(found.spans_s, find_seizures(model, bipolar).spans_s)
    assert len(found) == 1


def test_the_command_scores_unseen_patients(
    saved: Path, across: Evaluation, data: datasets.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "scores"
    assert main(["evaluate", str(saved), "--data", str(data.root), "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["protocol"] == "chbmit"
    assert said["subjects"] == 2
    assert said["metrics"]["event_se"]["value"] == pytest.approx(across.scores["event_se"].value)
    assert said["events"]["chb12"]["seizures"] == 3
    assert {path.name for path in out.iterdir()} == {"scores.json", "scores.txt", "scores.png", "predictions.csv"}


def test_the_command_finds_seizures_in_files(
    saved: Path, data: datasets.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(data.root / "chb01"), str(data.root / "chb17" / "chb17a_03.edf")]
    assert main(["classify", str(saved), *files, "--out", str(tmp_path)]) == 0
    assert "1 seizure    seizure 1" in capsys.readouterr().out
    rows = list(csv.DictReader((tmp_path / "predictions.csv").read_text(encoding="utf-8").splitlines()))
    found = [(row["recording"], float(row["onset_s"]), float(row["duration_s"])) for row in rows]
    true = [(r, a, b - a) for r in ("chb01_03", "chb01_04", "chb17a_03") for a, b in data.seizures(r)]
    assert [name for name, *_ in found] == [name for name, *_ in true]
    np.testing.assert_allclose([times for _, *times in found], [times for _, *times in true], atol=8)


def test_seizures_are_marked_as_the_database_marks_them(data: datasets.Dataset, tmp_path: Path) -> None:
    (record,) = data.recordings("chb01_04")
    names = np.full(2, "chb01_04")
    found = SeizureEvents(names, names, [0.0, 80.0], [32.0, 120.0], [0.9, 0.8])
    for extension, marks in task("seizures").annotations(record, found).items():
        write_annotations(tmp_path / "chb01_04", extension, marks, fs=record.fs)
    written = wfdb.rdann(str(tmp_path / "chb01_04"), "seizures")
    assert written.symbol == ["[", "]", "[", "]"]
    np.testing.assert_array_equal(written.sample, [1, 32 * 256, 80 * 256, 120 * 256 - 1])


def test_files_without_the_channels_are_reported_and_the_others_done(
    saved: Path, data: datasets.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classify", str(saved), str(data.root / "chb12"), "--out", str(tmp_path)]) != 0
    said = capsys.readouterr()
    assert "chb12_06" in said.out
    assert "chb12_27: no derivation Fp1-F7" in said.err


@pytest.mark.parametrize("protocol", ["chbmit", "chbmit-patient"])
def test_the_command_trains(
    protocol: str, data: datasets.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(data.root / "chb02", tmp_path / "chb02")
    shutil.copytree(data.root / "chb17", tmp_path / "chb17")
    out = tmp_path / "m.biosig"
    assert main(["train", protocol, "--data", str(tmp_path), "--out", str(out), "--max-epochs", "1"]) == 0
    assert "StepClassifier" in capsys.readouterr().out
    assert main(["evaluate", str(out), "--data", str(data.root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["protocol"], said["seen_in_training"]) == (protocol, [])


@pytest.mark.long
def test_real_seizures_are_found(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("chbmit", data_root("chbmit"))
    one = datasets.get("chbmit", data.root / data.record_names[0][:5])
    plan = one.resolve(datasets.get_protocol("chbmit-patient"))
    own = RECIPE.fit(one.recordings(one.records_of(plan, "train")), protocol="chbmit-patient", progress=False)
    assert evaluate_protocol(own, root=one.root).scores["event_se"].value > 0.3
