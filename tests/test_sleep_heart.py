"""The walk from a folder of nights to stages: trained, scored by the protocol, put to recordings, drawn."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wfdb

from biosig_lstm import datasets, plot, recipes
from biosig_lstm.augmentation.columns import ColumnAugmentation
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets.slpdb import write_sample
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import Predictions, StepClassifier, load
from biosig_lstm.formats.wfdb import write_wfdb
from biosig_lstm.models import BiLSTM
from biosig_lstm.recipes.sleep_heart import RECIPE
from biosig_lstm.scoring import evaluate_protocol
from biosig_lstm.scoring.tasks import task

METRICS = ("accuracy", "macro_f1", "kappa", "accuracy_wnr", "kappa_wnr")
SMALL = replace(
    RECIPE,
    model=BiLSTM(4, pooling=None),
    members=2,
    settings=replace(RECIPE.settings, max_epochs=4, items_per_epoch=4, batch_size=2, crop_steps=8, device="cpu"),
)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> datasets.Dataset:
    folder = tmp_path_factory.mktemp("slpdb")
    write_sample(folder)
    return datasets.get("slpdb", folder)


@pytest.fixture(scope="module")
def model(nights: datasets.Dataset) -> StepClassifier:
    trained = SMALL.fit(nights.recordings(["slp02a", "slp02b"]), protocol="slpdb", progress=False)
    assert isinstance(trained, StepClassifier)
    return trained


@pytest.fixture(scope="module")
def saved(model: StepClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "sleep.biosig"
    model.save(path)
    return path


def without_signals(nights: datasets.Dataset, folder: Path) -> Path:
    for path in nights.root.iterdir():
        if path.suffix != ".dat":
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "predictions.csv").read_text(encoding="utf-8").splitlines()))


def test_the_recipe_is_that_of_the_protocol() -> None:
    assert recipes.recipe_for("slpdb") is RECIPE
    assert RECIPE.new().task == "stages"
    assert RECIPE.pipeline.windows.classes == datasets.get_protocol("slpdb").classes


def test_only_who_was_not_seen_is_scored(model: StepClassifier, nights: datasets.Dataset) -> None:
    found = evaluate_protocol(model, root=nights.root)
    assert found.recordings == ("slp03",)
    assert found.seen_in_training == ()
    assert tuple(found.scores.metrics)[:5] == METRICS
    assert found.scores.n_items == 9
    assert len(found.predictions) == 10


def test_who_was_seen_is_scored_as_seen_where_there_is_nobody_else(
    model: StepClassifier, nights: datasets.Dataset, tmp_path: Path
) -> None:
    for path in nights.root.glob("slp02*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert evaluate_protocol(model, root=tmp_path).seen_in_training == ("slp02a", "slp02b")


def test_no_signal_file_is_needed_to_evaluate(
    model: StepClassifier, saved: Path, nights: datasets.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = without_signals(nights, tmp_path)
    assert not list(silent.glob("*.dat"))
    assert main(["evaluate", str(saved), "--data", str(silent), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    expected = evaluate_protocol(model, root=nights.root)
    assert said["recordings"] == ["slp03"]
    assert {name: said["metrics"][name]["value"] for name in METRICS} == pytest.approx(
        {name: expected.scores[name].value for name in METRICS}, abs=1e-6
    )


def test_the_road_over_found_beats_scores_nearly_the_same(model: StepClassifier, nights: datasets.Dataset) -> None:
    annotated, detected = (evaluate_protocol(model, root=nights.root, detected=found) for found in (False, True))
    np.testing.assert_allclose(
        annotated.predictions.probabilities, detected.predictions.probabilities, atol=0.05
    )  # fmt: skip


def test_a_night_that_nobody_staged_cannot_be_scored(model: StepClassifier, nights: datasets.Dataset) -> None:
    (night,) = nights.recordings("slp03")
    beats = night.with_annotations(night.annotations[night.annotations.labels == "N"])
    with pytest.raises(DataError, match="slp03: no epoch bears one of the stages W N1 N2 N3 R"):
        task("stages").score_one(model, beats)


def test_recordings_are_classified_from_their_ecg(
    saved: Path, nights: datasets.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["classify", str(saved), str(nights.root), "--out", str(out)]) == 0
    assert "10 epochs" in capsys.readouterr().out
    rows = rows_of(out)
    assert len(rows) == 30
    assert [float(row["time_s"]) for row in rows[:3]] == [0.0, 30.0, 60.0]
    assert {row["label"] for row in rows} <= set(RECIPE.pipeline.windows.classes)
    written = wfdb.rdann(str(out / "slp03"), "stage")
    assert written.fs == 250
    np.testing.assert_array_equal(written.sample, np.maximum(7500 * np.arange(10), 1))
    assert [note.strip("\0") for note in written.aux_note] == [r["label"] for r in rows if r["recording"] == "slp03"]


def test_annotated_beats_may_be_taken_from_a_file(saved: Path, nights: datasets.Dataset, tmp_path: Path) -> None:
    assert main(["classify", str(saved), str(nights.root / "slp03"), "--annotator", "ecg", "--out", str(tmp_path)]) == 0
    (night,) = nights.recordings("slp03")
    said = load(saved).predict(night)
    rows = rows_of(tmp_path)
    assert [row["label"] for row in rows] == said.labels.tolist()


def test_the_rate_of_a_recording_does_not_matter(model: StepClassifier, nights: datasets.Dataset) -> None:
    (night,) = nights.recordings("slp03")
    beats = night.annotations[night.annotations.labels == "N"]
    other = Recording(
        np.zeros((0, 2 * night.n_samples)), 500.0, (), (), id="slp03", annotations=beats.rescale(2.0)
    )  # fmt: skip
    np.testing.assert_allclose(model.predict(other).probabilities, model.predict(night).probabilities, atol=1e-5)


def test_long_gaps_are_warned_of(model: StepClassifier, nights: datasets.Dataset) -> None:
    (night,) = nights.recordings("slp03")
    marks = night.annotations
    early = (marks.labels != "N") | (marks.starts < 35000)
    with pytest.warns(BiosigWarning, match="slp03: in 5 of 10 epochs most of the time lies in no plausible RR"):
        said = task("stages").answer(model, night.with_annotations(marks[early]), annotated=True)
    assert len(said) == 10


def test_the_ecg_is_chosen_among_the_channels_of_a_polysomnogram(
    model: StepClassifier, nights: datasets.Dataset
) -> None:
    (night,) = nights.recordings("slp03")
    rng = np.random.default_rng(0)
    others = rng.standard_normal((2, night.n_samples)).cumsum(axis=1)
    wide = Recording(
        np.concatenate([others, night.signals]), 250.0, ["EEG (C4-A1)", "Resp (sum)", "ECG"], ["mV", "l", "mV"],
        id="slp03",
    )  # fmt: skip
    alone = night.with_annotations(Annotations())
    np.testing.assert_allclose(model.predict(wide).probabilities, model.predict(alone).probabilities, atol=1e-6)


def test_a_night_is_drawn_with_the_expert_s_stages_above(model: StepClassifier, nights: datasets.Dataset) -> None:
    (night,) = nights.recordings("slp03")
    said = model.predict(night)
    figure = plot.hypnogram(said, night)
    expert, told, probability = figure.axes
    assert [axes.get_ylabel() for axes in figure.axes] == ["expert", "model", "probability"]
    assert [label.get_text() for label in told.get_yticklabels()] == ["W", "R", "N1", "N2", "N3"]
    levels = {stage: -k for k, stage in enumerate(("W", "R", "N1", "N2", "N3"))}
    np.testing.assert_array_equal(told.get_lines()[0].get_ydata(), [levels[stage] for stage in said.labels])
    drawn = expert.get_lines()[0]
    expected = [levels["W"], np.nan, *(levels[s] for s in ("N1", "N2", "N2", "N3", "N3", "R", "N1", "W")), np.nan]
    np.testing.assert_array_equal(drawn.get_ydata(), expected)
    np.testing.assert_allclose(drawn.get_xdata()[:3] * 3600, [0, 30, 60])
    assert len(probability.collections) == 5
    assert len(plot.hypnogram(said).axes) == 2


def test_only_one_night_with_stages_is_drawn(model: StepClassifier, nights: datasets.Dataset) -> None:
    both = model.predict(nights.recordings(["slp02a", "slp03"]))
    with pytest.raises(DataError, match="a hypnogram shows one night, got 2: slp02a, slp03"):
        plot.hypnogram(both)
    (night,) = nights.recordings("slp03")
    with pytest.raises(DataError, match="slp03: no sleep stages to draw"):
        plot.hypnogram(both.of("slp03"), night.with_annotations(Annotations()))


def test_other_rates_and_records_without_an_ecg(model: StepClassifier, tmp_path: Path) -> None:
    breath = Recording(np.ones((1, 3000)), 10.0, ["Resp"], ["l"], id="r9")
    with pytest.raises(DataError, match="r9: no usable ECG lead: Resp is no voltage"):
        model.predict(breath)
    header = write_wfdb(replace(breath, units=["mV"]), tmp_path, gain=1000)
    assert main(["classify", "sleep.biosig", str(header), "--out", str(tmp_path)]) != 0


def test_columns_are_lost_throughout_a_run_and_noise_is_as_large_as_said() -> None:
    x, y = np.ones((400, 200), dtype=np.float32), np.zeros(400, dtype=np.int64)
    lost, labels = ColumnAugmentation(noise=0.0, lose=0.3)(x, y, np.random.default_rng(0))
    assert labels is y
    np.testing.assert_allclose(np.unique(lost), [0.0, 1 / 0.7], rtol=1e-6)
    assert (np.ptp(lost, axis=0) == 0).all()
    assert np.mean(lost[0] == 0) == pytest.approx(0.3, abs=0.1)
    noisy, _ = ColumnAugmentation(noise=0.5, lose=0.0)(x, y, np.random.default_rng(0))
    assert np.std(noisy - x) == pytest.approx(0.5, rel=0.02)
    assert noisy.dtype == np.float32
    np.testing.assert_array_equal(x, 1)


@pytest.mark.parametrize("values", [{"noise": -0.1}, {"lose": 1.0}, {"lose": -0.1}])
def test_augmentation_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match="noise must be 0 or more and lose lie in"):
        ColumnAugmentation(**values)


@pytest.mark.long
def test_real_nights_are_told_better_than_by_the_most_frequent_stage(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("slpdb", data_root("slpdb"))
    small = replace(RECIPE, members=1, settings=replace(RECIPE.settings, max_epochs=25, device="cpu"))
    tested = [name for name in ("slp45", "slp59", "slp61") if name in data.record_names]
    trained = small.fit(data.recordings([n for n in data.record_names if n not in tested]), progress=False)
    scores = trained.evaluate(data.recordings(tested))
    assert scores["kappa"].value > 0.15
    assert isinstance(trained.predict(data.recordings(tested[:1])), Predictions)
