"""Scoring by a protocol and what it leaves on disk: numbers, text, picture, table; and the demo as a whole."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest

from biosig_lstm import datasets, demo
from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.events.beats import Beats
from biosig_lstm.filters import Resample
from biosig_lstm.formats.wfdb import read_annotations, write_wfdb
from biosig_lstm.metrics import Scores
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.report import write_evaluation
from biosig_lstm.scoring import Evaluation, classify_files, evaluate_protocol, some
from biosig_lstm.scoring._paths import _below
from biosig_lstm.scoring.tasks import Part, Task, task
from biosig_lstm.windows import AroundEvents

SAMPLE = datasets.get("sample").root
PNG = b"\x89PNG\r\n\x1a\n"


def copy_of(model: StepClassifier, **training: object) -> StepClassifier:
    """Return the same model, trained on others by its own account."""
    other = StepClassifier(model.pipeline, model.model)
    vars(other).update(vars(model))
    assert model.training is not None
    other.training = replace(model.training, **training)  # type: ignore[arg-type]
    return other


@pytest.fixture(scope="module")
def scored(beats_model: StepClassifier) -> Evaluation:
    return evaluate_protocol(beats_model, root=SAMPLE, name="small")


def test_the_protocol_is_the_model_s_own(scored: Evaluation) -> None:
    assert scored.protocol == "sample-aami"
    assert scored.recordings == ("s06", "s07", "s08")
    assert scored.notes == datasets.get_protocol("sample-aami").notes
    assert scored.positions == "reference"


def test_the_text_says_all(scored: Evaluation) -> None:
    text = repr(replace(scored, absent=("s09",), seen_in_training=("s07",)))
    assert text.startswith("small by sample-aami, positions reference: 3 records")
    assert "absent (1): s09" in text
    assert "NO TEST, seen in training (1): s07" in text
    assert repr(scored.scores) in text
    assert "3 records" in scored._repr_html_()
    assert "<table" in scored._repr_html_()


def test_thousands_of_names_are_not_listed_but_counted(scored: Evaluation) -> None:
    names = tuple(f"A{k:05d}" for k in range(5000))
    found = replace(scored, absent=names, seen_in_training=names)
    assert "absent (5000): A00000 A00001 " in repr(found)
    assert repr(found).count("A00059 and 4940 more") == 2
    assert "A00060" not in repr(found)
    assert found.to_dict()["absent"] == list(names)


def test_why_nothing_could_be_scored_is_said_of_a_few(beats_model: StepClassifier, tmp_path: Path) -> None:
    for path in SAMPLE.glob("*.hea"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match=r"none of 3 records could be scored: s06: .*; s07: .*; s08: "):
        evaluate_protocol(beats_model, root=tmp_path)
    assert some(["a", "b", "c"], between="; ", most=2) == "a; b and 1 more"


def test_a_reason_that_names_its_record_is_not_given_the_name_again(
    beats_model: StepClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score_one(self: Task, model: StepClassifier, recording: Recording, **how: bool) -> Part:
        raise DataError(f"{recording.id}: nothing")

    monkeypatch.setattr(type(task("beats")), "score_one", score_one)
    with pytest.raises(DataError, match=r"scored: s06: nothing; s07: nothing; s08: nothing$"):
        evaluate_protocol(beats_model, root=SAMPLE)


def test_every_scored_beat_is_among_the_predictions(scored: Evaluation) -> None:
    assert len(scored.predictions) == scored.scores.n_items
    beats = [len(r.annotations) - 1 for r in datasets.get("sample").recordings("test")]
    assert [len(scored.predictions.of(name)) for name in scored.recordings] == beats


def test_each_record_is_announced(beats_model: StepClassifier, tmp_path: Path) -> None:
    heard: list[str] = []
    evaluate_protocol(beats_model, root=SAMPLE, announce=heard.append)
    assert heard == ["s06", "s07", "s08"]
    heard.clear()
    classify_files(beats_model, [SAMPLE / "s01", SAMPLE / "s02"], out=tmp_path, announce=heard.append)
    assert heard == ["s01", "s02"]


def test_a_record_of_the_training_set_counts_as_seen_though_its_subject_is_shared(
    beats_model: StepClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = datasets.get_protocol("sample-aami")
    monkeypatch.setattr(
        datasets, "get_protocol", lambda name: replace(plan, test=("s01", "s06"), shared_subjects=("s01",))
    )
    found = evaluate_protocol(beats_model, root=SAMPLE)
    assert found.seen_in_training == ("s01",)


def test_another_record_of_a_shared_subject_is_scored_as_the_protocol_says(
    beats_model: StepClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = datasets.get_protocol("sample-aami")
    model = copy_of(beats_model, subjects=("s06",), recordings=("s99",))
    shared = replace(plan, shared_subjects=("s06",))
    monkeypatch.setattr(datasets, "get_protocol", lambda name: shared)
    assert evaluate_protocol(model, root=SAMPLE).seen_in_training == ()
    monkeypatch.setattr(datasets, "get_protocol", lambda name: plan)
    assert evaluate_protocol(model, root=SAMPLE).seen_in_training == ("s06",)


def test_a_split_that_only_its_maker_knows_is_no_reason_not_to_be_scored(beats_model: StepClassifier) -> None:
    model = copy_of(beats_model, protocol="my own split", recordings=("s06",), subjects=("somebody",))
    assert evaluate_protocol(model, root=SAMPLE, protocol="sample-aami").seen_in_training == ("s06",)


def test_protocols_are_read_once_however_many_records_were_seen(
    beats_model: StepClassifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], datasets.get_protocol
    monkeypatch.setattr(datasets, "get_protocol", lambda name: asked.append(name) or real(name))
    model = copy_of(beats_model, recordings=("s06", "s07", "s08"))
    assert len(evaluate_protocol(model, root=SAMPLE).seen_in_training) == 3
    assert len(asked) == 2


def test_no_signal_is_kept_once_it_is_scored(beats_model: StepClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Recording] = []
    kind, scores = type(task("beats")), type(task("beats")).scores

    def spy(self: Task, model: StepClassifier, parts: list[Part], **how: bool) -> Scores:
        kept.extend(part.recording for part in parts)
        return scores(self, model, parts, **how)

    monkeypatch.setattr(kind, "scores", spy)
    evaluate_protocol(beats_model, root=SAMPLE)
    assert [recording.id for recording in kept] == ["s06", "s07", "s08"]
    assert {recording.signals.nbytes for recording in kept} == {0}
    assert {recording.duration_s for recording in kept} == {150.0}


def test_classes_that_a_model_of_beats_lacks_are_named_and_others_refused(beats_model: StepClassifier) -> None:
    model = copy_of(beats_model)
    model.classes = ("N", "V")
    with pytest.warns(BiosigWarning, match="does not name S F Q: beats of these classes are not scored"):
        task("beats").check_classes(model, ("N", "S", "V", "F", "Q"))
    model.classes = ("W", "N1", "N2", "N3", "R")
    with pytest.raises(ParameterError, match="5 classes is needed, this one lacks N S V F Q and adds W N1 N2 N3 R"):
        evaluate_protocol(model, root=SAMPLE)


def test_two_drives_of_windows_become_folders() -> None:
    here, there = PureWindowsPath(r"C:\a\100.hea"), PureWindowsPath(r"D:\a\100.hea")
    assert [str(path) for path in _below([here, there])] == ["C/a/100.hea", "D/a/100.hea"]
    assert [str(path) for path in _below([here, PureWindowsPath(r"C:\b\100.hea")])] == ["a/100.hea", "b/100.hea"]
    assert str(_below([here, PureWindowsPath(r"\\ward\ecg\100.hea")])[1]) == "ward_ecg/100.hea"


def test_what_an_evaluation_leaves_on_disk(scored: Evaluation, tmp_path: Path) -> None:
    out = tmp_path / "new" / "scores"
    write_evaluation(scored, out)
    assert sorted(path.name for path in out.iterdir()) == [
        "predictions.csv", "scores.json", "scores.png", "scores.txt",
    ]  # fmt: skip
    assert json.loads((out / "scores.json").read_text()) == scored.to_dict()
    assert (out / "scores.txt").read_text() == repr(scored) + "\n"
    assert (out / "scores.png").read_bytes()[:8] == PNG
    assert (out / "predictions.csv").read_text() == scored.predictions.csv_rows()
    (tmp_path / "taken").write_text("")
    with pytest.raises(ParameterError, match="taken: it is a file; name a folder"):
        write_evaluation(scored, tmp_path / "taken")


def test_the_figure_shows_confusion_and_subjects(scored: Evaluation) -> None:
    left, right = scored.scores.plot().axes
    assert (left.get_xlabel(), left.get_ylabel()) == ("predicted", "truth")
    assert [label.get_text() for label in left.get_xticklabels()] == list("NSVFQ")
    assert len(left.texts) == 25
    counts = [int(text.get_text().split("\n")[1]) for text in left.texts]
    np.testing.assert_array_equal(np.reshape(counts, (5, 5)), scored.scores.counts)
    dots = [line for line in right.get_lines() if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots[:3]] == [3, 3, 3]


def test_the_demo_leaves_what_it_promises(tmp_path: Path) -> None:
    summary = demo.run(tmp_path / "demo", max_epochs=2)
    left = {path.name for path in (tmp_path / "demo").iterdir()}
    promised = set(re.findall(r"``([\w.]+)``", demo.run.__doc__ or ""))
    assert len(promised) >= 7
    assert promised | {"s06.beats", "s07.beats", "s08.beats"} == left
    assert (tmp_path / "demo" / "summary.txt").read_text() == summary
    assert "nothing about patients" in summary
    assert "sample-aami" in summary
    assert (tmp_path / "demo" / "beats.png").read_bytes()[:8] == PNG
    model = StepClassifier.load(tmp_path / "demo" / "beats.biosig")
    assert model.training is not None
    assert model.training.settings["max_epochs"] == 2
    assert len(read_annotations(tmp_path / "demo" / "s06", "beats")) > 100


def test_the_demo_s_command_prints_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "run", lambda out: f"done in {out}\n")
    monkeypatch.setattr("sys.argv", ["demo", "--out", str(tmp_path)])
    assert demo.main() == 0
    assert capsys.readouterr().out == f"done in {tmp_path}\n"


def test_a_preparation_at_another_rate_changes_no_place_in_the_file(tmp_path: Path) -> None:
    prepare = Pipeline(filters=[Resample(180)], events=Beats(), windows=AroundEvents(0.2, 0.3, rate_hz=90, run=16))
    model = StepClassifier(prepare, BiLSTM(4, pooling=None), task="beats")
    train = prepare.with_positions("annotated")(datasets.get("sample").recordings("s01"))
    model.fit(train, max_epochs=1, device="cpu", progress=False)
    classify_files(model, [SAMPLE / "s06"], out=tmp_path)
    expert = next(datasets.get("sample").recordings("s06")).annotations
    beats = expert.starts[expert.labels != "+"]
    found = read_annotations(tmp_path / "s06", "beats").sample
    assert np.abs(found[:, None] - beats[None, :]).min(axis=1).max() < 0.15 * 360
    rows = [line.split(",") for line in (tmp_path / "predictions.csv").read_text().splitlines()[1:]]
    assert [int(row[1]) for row in rows] == found.tolist()
    np.testing.assert_allclose([float(row[2]) for row in rows], found / 360, atol=1e-4)
    scores = evaluate_protocol(model, root=SAMPLE, protocol="sample-aami", detected=True).scores
    missed = np.asarray(scores.counts)[:-1, -1].sum()  # the column "none"
    assert missed < 0.05 * scores.n_items


def test_noise_is_named_under_a_warning(beats_model: StepClassifier, tmp_path: Path) -> None:
    hiss = np.random.default_rng(0).standard_normal((1, 60 * 360)).astype(np.float32)
    write_wfdb(Recording(hiss, 360.0, ["MLII"], ["mV"], id="hiss"), tmp_path, fmt=16, gain=1000.0)
    with pytest.warns(BiosigWarning, match=r"hiss: no lead is usable in 6 of 6 windows of 10 s \(noise\)"):
        report = classify_files(beats_model, [tmp_path / "hiss"], out=tmp_path / "out")
    assert report.failed == ()
