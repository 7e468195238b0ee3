"""A detector of anomalies on the command line: trained, shown, put to files, scored on failures that do not change."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from biosig_lstm import datasets
from biosig_lstm.augmentation.sensor_failure import KINDS
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import AnomalyDetector, load
from biosig_lstm.estimators.anomalies import anomaly_report
from biosig_lstm.formats.wfdb import read_annotations, read_wfdb, write_wfdb
from biosig_lstm.models import CELLS, with_cell
from biosig_lstm.recipes import recipe_for
from biosig_lstm.recipes._anomalies import AnomalyRecipe
from biosig_lstm.scoring import anomalies as along
from biosig_lstm.scoring import evaluate_protocol
from biosig_lstm.scoring.anomalies import find_anomalies
from biosig_lstm.scoring.tasks import task
from biosig_lstm.scoring.tasks.sensor_failures import failed, failure_truth

PROTOCOL = "mitdb-failures"
TRAINED, TESTED = ("101", "106", "108", "109"), ("112",)
SECONDS = 400.0


def beating(record: str, *, fs: float = 360.0, leads: int = 2, seconds: float = SECONDS) -> Recording:
    signals, _, _ = synthetic_ecg(duration_s=seconds, seed=int(record), fs=fs)
    return Recording(signals[:leads], fs, ("MLII", "V1")[:leads], ("mV",) * leads, id=record, subject=record)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("mitdb")
    for name, records in (("train", TRAINED), ("test", TESTED)):
        (root / name).mkdir()
        for record in records:
            write_wfdb(beating(record), root / name, fmt="212", gain=200.0, baseline=1024)
            (root / name / f"{record}.atr").write_bytes(b"\0\0")
    return root / "train", root / "test"


@pytest.fixture(scope="module")
def model_file(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("models") / "failures.biosig"
    asked = ["train", PROTOCOL, "--data", str(folders[0]), "--out", str(out), "--max-epochs", "3", "--device", "cpu"]
    assert main(asked) == 0
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_trained_detector_says_what_it_is(model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(model_file), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    model = load(model_file)
    assert isinstance(model, AnomalyDetector)
    assert facts["kind"] == "AnomalyDetector"
    assert facts["threshold"] == pytest.approx(model.threshold, abs=1e-4)
    assert (facts["scores"], facts["against"], facts["protocol"]) == ("each window", "recording", PROTOCOL)
    assert facts["trained on"] == "4 subjects"


def test_events_and_scores_are_written_and_what_cannot_be_read_is_left_out(
    model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = failed(beating("112"))
    bare = replace(broken, id="broken", annotations=Annotations())
    write_wfdb(bare, tmp_path, fmt="16", gain=200.0, baseline=0)
    (tmp_path / "cut.hea").write_text("cut 2 360 100\ncut.dat 16 200 16 0 0 0 0 MLII\ncut.dat 16 200 16 0 0 0 0 V1\n")
    out = tmp_path / "out"
    assert main(["classify", str(model_file), str(tmp_path), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert "cut" in said.err
    assert "1 failed, 1 done" in said.err
    model = load(model_file)
    assert isinstance(model, AnomalyDetector)
    expected = model.predict(replace(read_wfdb(tmp_path / "broken"), id="broken", subject="broken"))
    assert f"{len(expected.events)} events" in said.out
    events = rows(out / "predictions.csv")
    assert [float(row["start_s"]) for row in events] == [event.start_s for event in expected.events]
    assert {row["recording"] for row in events} == {"broken"}
    windows = rows(out / "broken-scores.csv")
    np.testing.assert_allclose([float(row["score"]) for row in windows], expected.scores, atol=1e-3)
    assert [row["anomaly"] == "yes" for row in windows] == expected.is_anomaly.tolist()
    marks = read_annotations(out / "broken", "anomalies")
    assert list(marks.symbol) == ["[", "]"] * len(expected.events)
    begun = [max(event.start_s, 1 / 360) for event in expected.events]
    np.testing.assert_allclose(np.asarray(marks.sample)[::2] / 360, begun)
    truth = failure_truth(expected, replace(broken, id="broken"))
    assert anomaly_report(expected, truth)["auroc"].value > 0.8


def test_a_protocol_scores_the_same_failures_each_time(
    model_file: Path, folders: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    scores = []
    for _ in range(2):
        assert main(["evaluate", str(model_file), "--data", str(folders[1]), "--json"]) == 0
        scores.append(json.loads(capsys.readouterr().out))
    for found in scores:
        found.pop("seconds")
    assert scores[0] == scores[1]
    assert scores[0]["recordings"] == list(TESTED)
    assert scores[0]["seen_in_training"] == []
    named = {"auroc", "average_precision", "prevalence", "event_se", "false_alarms_per_h", "delay_s_median"}
    assert named <= set(scores[0]["metrics"])
    assert scores[0]["metrics"]["auroc"]["value"] > 0.8


def test_failures_depend_on_the_name_of_the_record_alone() -> None:
    one, same, other = failed(beating("112")), failed(beating("112")), failed(replace(beating("112"), id="113"))
    np.testing.assert_array_equal(one.signals, same.signals)
    assert one.annotations == same.annotations
    assert one.annotations != other.annotations
    assert {name: int((one.annotations.labels == name).sum()) for name in KINDS} == dict.fromkeys(KINDS, 4)
    with pytest.raises(DataError, match="are too short for 20 failures"):
        failed(beating("112", seconds=60.0))


def test_truth_of_windows_by_hand(model_file: Path) -> None:
    model = load(model_file)
    assert isinstance(model, AnomalyDetector)
    broken = failed(beating("112"))
    said = model.predict(broken)
    truth = failure_truth(said, broken)
    assert truth.events is not None
    for k, (begin, end) in enumerate(zip(said.starts_s.tolist(), said.stops_s.tolist(), strict=True)):
        inside = [a <= (begin + end) / 2 < b for a, b in truth.events["112"].tolist()]
        touched = [begin < b and end > a for a, b in truth.events["112"].tolist()]
        assert (truth.anomalous[k], truth.normal[k]) == (any(inside), not any(touched))
    windows = model.pipeline(broken)
    np.testing.assert_array_equal(truth.anomalous, np.asarray(windows.y) >= 0)


def test_any_rate_and_number_of_leads_can_be_read(model_file: Path) -> None:
    model = load(model_file)
    for fs, leads in ((360.0, 1), (250.0, 2), (500.0, 2)):
        said = model.predict(beating("112", fs=fs, leads=leads, seconds=60.0))  # type: ignore[arg-type]
        assert len(said) == 59
        assert np.isfinite(said.scores).all()  # type: ignore[attr-defined]


def test_long_recordings_are_read_in_pieces_and_no_window_is_lost(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, whole = load(model_file), beating("112")
    assert isinstance(model, AnomalyDetector)
    at_once = find_anomalies(model, whole)
    monkeypatch.setattr(along, "LONGEST_S", 150.0)
    pieces = find_anomalies(model, whole)
    np.testing.assert_allclose(pieces.starts_s, at_once.starts_s, atol=1e-9)
    np.testing.assert_allclose(pieces.stops_s, at_once.stops_s, atol=1e-9)
    assert np.corrcoef(np.log(pieces.scores), np.log(at_once.scores))[0, 1] > 0.8
    assert pieces.threshold == at_once.threshold


def test_the_recipe_holds_people_back_for_the_threshold_and_takes_every_cell() -> None:
    recipe = recipe_for(PROTOCOL)
    assert isinstance(recipe, AnomalyRecipe)
    people = [beating(record, seconds=30.0) for record in TRAINED]
    quick = replace(recipe, settings=replace(recipe.settings, max_epochs=1, device="cpu"), false_alarms_per_h=600.0)
    for cell in CELLS:
        model = replace(quick, model=with_cell(recipe.model, cell)).fit(people, progress=False)
        assert isinstance(model, AnomalyDetector)
        assert model.threshold is not None
        assert np.isfinite(model.predict(beating("112", seconds=30.0)).scores).all()
    with pytest.raises(DataError, match="people who teach nothing: got recordings of 1"):
        quick.fit(people[:1], progress=False)


def test_other_models_are_refused_and_bare_records_cannot_be_scored(
    model_file: Path, folders: tuple[Path, Path]
) -> None:
    model, asked = load(model_file), task("anomalies")
    with pytest.raises(ParameterError, match="events need a AnomalyDetector"):
        asked.check(bl_beats())
    part = asked.score_one(model, beating("112", seconds=60.0))
    with pytest.raises(DataError, match="nothing to score: 0 anomalies"):
        asked.scores(model, [part])
    with pytest.raises(ParameterError, match="beats need a StepClassifier, got a AnomalyDetector"):
        evaluate_protocol(model, root=folders[1], protocol="mitdb-aami")


def bl_beats() -> object:
    return recipe_for("sample-aami").new()


def test_the_protocol_has_no_frozen_split() -> None:
    plan = datasets.get_protocol(PROTOCOL)
    assert plan.open
    assert plan.classes == KINDS
