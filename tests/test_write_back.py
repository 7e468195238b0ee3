"""Answers written back as EDF+ annotations, BIDS events and WFDB annotations: what others read of them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import edfio
import mne
import numpy as np
import pytest
from edf_files import EdfFile, Signal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biosig_lstm import (
    Annotations,
    BiLSTM,
    Classifier,
    FixedLength,
    Pipeline,
    Predictions,
    Recording,
    ScalarsOnly,
    SleepStages,
    StepClassifier,
    WholeRecording,
    classify_files,
    cli,
)
from biosig_lstm.containers import Rejection, Waves
from biosig_lstm.datasets import open_bids
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import MultiLabelPredictions
from biosig_lstm.features.band_power import BandPower
from biosig_lstm.features.reject_artefacts import RejectArtefacts
from biosig_lstm.formats import find_recordings, open_recording, read_bids_events, write_bids_events
from biosig_lstm.formats.eeg import read_edf_annotations, recording_start, write_edf_annotations
from biosig_lstm.formats.wfdb import read_annotations, write_wfdb
from biosig_lstm.scoring.seizures import SeizureEvents
from biosig_lstm.scoring.tasks import task
from biosig_lstm.scoring.tasks.waves import WaveTable
from biosig_lstm.windows import Epochs

STAGES = ("W", "N2", "R")
texts = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20
).filter(lambda text: text != "n/a" and "@@" not in text)  # fmt: skip
marks = st.lists(st.tuples(st.integers(-5000, 5_000_000), st.integers(0, 100_000), texts), max_size=30)
rates = st.sampled_from([1, 100, 128, 200.5, 256, 512, 1000, 48_000])


def annotations_of(found: list[tuple[int, int, str]]) -> Annotations:
    return Annotations([a for a, _, _ in found], [a + n for a, n, _ in found], [text for *_, text in found])


def in_samples(rows: list[tuple[float, float, str]], fs: float) -> list[tuple[int, int, str]]:
    return sorted((round(a * fs), round(n * fs), text) for a, n, text in rows)


@given(found=marks, fs=rates)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_annotations_come_back_from_edf(tmp_path: Path, found: list[tuple[int, int, str]], fs: float) -> None:
    write_edf_annotations(tmp_path / "a.edf", annotations_of(found), fs=fs)
    assert in_samples(read_edf_annotations(tmp_path / "a.edf"), fs) == sorted(found)


@given(found=marks, fs=rates, probable=st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_annotations_come_back_from_bids(
    tmp_path: Path, found: list[tuple[int, int, str]], fs: float, probable: bool
) -> None:
    likely = np.linspace(0, 1, len(found)) if probable else None
    write_bids_events(tmp_path / "a_events.tsv", annotations_of(found), fs=fs, probability=likely)
    rows = read_bids_events(tmp_path / "a_events.tsv")
    assert in_samples([row[1:] for row in rows], fs) == sorted(found)


@pytest.mark.parametrize("n", [0, 3, 20_000])
def test_mne_and_edfio_read_what_was_written(tmp_path: Path, n: int) -> None:
    path = tmp_path / "night-annotations.edf"
    starts, labels = np.arange(n) * 3000, [("Sleep stage N2", "Wäch")[k % 2] for k in range(n)]
    said = Annotations(starts, starts + 3000, labels)
    write_edf_annotations(path, said, fs=100, start=datetime(1989, 4, 24, 16, 13, 5))
    assert path.stat().st_size <= 512 + 61_440 * (1 + n // 1500)
    read = mne.read_annotations(path)
    np.testing.assert_allclose(np.sort(read.onset), np.arange(n) * 30.0)
    np.testing.assert_allclose(read.duration, 30)
    assert read.description[np.argsort(read.onset)].tolist() == said.labels.tolist()
    theirs = edfio.read_edf(path)
    assert len(theirs.signals) == 0
    assert (theirs.startdate.isoformat(), theirs.starttime.isoformat()) == ("1989-04-24", "16:13:05")
    assert [(one.onset, one.duration, one.text) for one in theirs.annotations] == [
        (30.0 * k, 30.0, label) for k, label in enumerate(said.labels.tolist())
    ]
    assert recording_start(path) == datetime(1989, 4, 24, 16, 13, 5)
    assert find_recordings(tmp_path) == []


def test_an_annotation_of_a_channel_names_it(tmp_path: Path) -> None:
    said = Annotations([50, 100], [60, 100], ["spike", "all"], ["Fp1", ""])
    write_edf_annotations(tmp_path / "a.edf", said, fs=100)
    assert [row[2] for row in read_edf_annotations(tmp_path / "a.edf")] == ["spike@@Fp1", "all"]
    assert mne.read_annotations(tmp_path / "a.edf").description.tolist() == ["spike@@Fp1", "all"]
    write_bids_events(tmp_path / "a_events.tsv", said, fs=100, about={"spike": "a spike"})
    assert (tmp_path / "a_events.tsv").read_text() == (
        "onset\tduration\ttrial_type\tchannel\n0.5\t0.1\tspike\tFp1\n1\t0\tall\tn/a\n"
    )
    described = json.loads((tmp_path / "a_events.json").read_text())
    assert list(described) == ["onset", "duration", "trial_type", "channel"]
    assert described["trial_type"]["Levels"] == {"spike": "a spike"}
    assert described["onset"]["Units"] == "s"


@pytest.mark.parametrize(
    ("label", "note"), [("", ""), ("  ", ""), ("a\x14b", ""), ("a\x00b", ""), ("a", "\x15"), ("a\x1b", "")]
)
def test_texts_that_edf_cannot_hold_are_refused(tmp_path: Path, label: str, note: str) -> None:
    with pytest.raises(DataError, match=r"the annotation at 0\.5 s has a text that EDF\+ cannot hold"):
        write_edf_annotations(tmp_path / "a.edf", Annotations([50], [60], [label], [note]), fs=100)
    assert not (tmp_path / "a.edf").exists()


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    none = Annotations()
    with pytest.raises(DataError, match="has 70005 bytes, EDF"):
        write_edf_annotations(tmp_path / "a.edf", Annotations([0], [0], ["x" * 70_000]), fs=100)
    with pytest.raises(ParameterError, match=r"called \*\.edf, got a\.txt"):
        write_edf_annotations(tmp_path / "a.txt", none, fs=100)
    with pytest.raises(ParameterError, match="EDF knows the years 1985 to 2084, got 1970"):
        write_edf_annotations(tmp_path / "a.edf", none, fs=100, start=datetime(1970, 1, 1))
    with pytest.raises(ParameterError, match=r"called \*_events\.tsv, got a\.tsv"):
        write_bids_events(tmp_path / "a.tsv", none, fs=100)
    with pytest.raises(ParameterError, match="one probability for each of 0 annotations, got 1"):
        write_bids_events(tmp_path / "a_events.tsv", none, fs=100, probability=[0.5])
    for fs in (0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="fs must be positive and finite"):
            write_edf_annotations(tmp_path / "a.edf", none, fs=fs)
        with pytest.raises(ParameterError, match="fs must be positive and finite"):
            write_bids_events(tmp_path / "a_events.tsv", none, fs=fs)


@pytest.mark.parametrize(("said", "start"), [("31.02.20 10.00.00", None), ("xx.xx.xx 00.00.00", None),
                                             ("01.02.84 10.11.12", datetime(2084, 2, 1, 10, 11, 12))])  # fmt: skip
def test_when_a_recording_began(tmp_path: Path, said: str, start: datetime | None) -> None:
    day, clock = said.split()
    fields = {(168, 176): day.encode(), (176, 184): clock.encode()}
    path = EdfFile([Signal("EEG", np.arange(8), 4)], fields=fields).write(tmp_path / "a.edf")
    assert recording_start(path) == start


def test_rows_last_as_long_as_what_they_are_about() -> None:
    names, logs = np.array(["a", "a"]), np.log([[0.9, 0.1], [0.2, 0.8]]).astype(np.float32)
    places = (names, names, np.array([0, 200]), np.full(2, 100.0))
    said = Predictions(*places, logs, ("W", "R"), durations_s=np.array([2.0, 1.5]))
    assert said.annotations("a") == Annotations([0, 200], [200, 350], ["W", "R"])
    assert said.at_rate(50).annotations("a") == Annotations([0, 100], [100, 175], ["W", "R"])
    assert Predictions.concatenate([said, said]).of("a").durations_s.tolist() == [2, 1.5, 2, 1.5]
    with pytest.raises(DataError, match="one of each for every row"):
        Predictions(*places, logs, ("W", "R"), durations_s=np.ones(3))


def night(n_epochs: int, *, subject: str) -> Recording:
    """Return epochs of 30 s at 32 Hz, the stages in turn, each with a rhythm of its own."""
    labels = [STAGES[k % 3] for k in range(n_epochs)]
    rng, time_s = np.random.default_rng(len(subject)), np.arange(n_epochs * 960) / 32
    hz = np.repeat([{"W": 10.0, "N2": 3.0, "R": 6.0}[label] for label in labels], 960)
    starts = np.arange(n_epochs) * 960
    marks = Annotations(starts, starts + 960, [f"Sleep stage {label}" for label in labels])
    wave = 40 * np.sin(2 * np.pi * hz * time_s) + rng.normal(0, 4, len(time_s))
    return Recording(wave[None], 32, ["EEG Fpz-Cz"], ["uV"], id=subject, subject=subject, annotations=marks)


def save_edf(recording: Recording, path: Path) -> Path:
    values = (recording.signals[0] * 10).round().astype(int)
    return EdfFile([Signal(recording.channels[0], values, 32, "uV")]).write(path)


@pytest.fixture(scope="module")
def stages_model() -> StepClassifier:
    """Return a model of stages, hardly trained: what it says is no matter here."""
    features = [BandPower(("delta", "theta", "alpha")), ScalarsOnly()]
    prepare = Pipeline(events=SleepStages(), windows=Epochs(30, classes=STAGES), features=features)
    model = StepClassifier(prepare, BiLSTM(4, pooling=None), task="stages")
    return model.fit(prepare([night(9, subject="s"), night(9, subject="sss")]), max_epochs=1, progress=False)


@pytest.fixture(scope="module")
def labels_model() -> Classifier:
    """Return a model of windows of 2 s."""
    prepare = Pipeline(windows=FixedLength(2, classes=("high", "low")))
    parts = [night(3, subject=name) for name in ("a", "bb")]
    halves = [Annotations([0, 1440], [1440, 2880], ["high", "low"])] * 2
    labelled = [part.with_annotations(half) for part, half in zip(parts, halves, strict=True)]
    return Classifier(prepare, BiLSTM(4), task="labels").fit(prepare(labelled), max_epochs=1, progress=False)


def test_stages_of_an_edf_night_are_a_hypnogram_beside_the_table(tmp_path: Path, stages_model: StepClassifier) -> None:
    source = save_edf(night(12, subject="n1"), tmp_path / "n1.edf")
    report = classify_files(stages_model, [source], out=tmp_path / "out")
    assert report.failed == ()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["n1-annotations.edf", "predictions.csv"]
    rows = read_edf_annotations(tmp_path / "out" / "n1-annotations.edf")
    said = stages_model.predict(open_recording(source))
    assert rows == [(30.0 * k, 30.0, f"Sleep stage {label}") for k, label in enumerate(said.labels.tolist())]
    written = tmp_path / "out" / "n1-annotations.edf"
    assert recording_start(written) == recording_start(source) == datetime(2020, 1, 2, 22, 30)
    raw = mne.io.read_raw_edf(source, verbose="error").set_annotations(mne.read_annotations(written))
    got = SleepStages()(Recording.from_mne(raw)).annotations
    assert got.labels.tolist() == said.labels.tolist()


def test_stages_of_a_bids_tree_are_a_derivative_of_it(tmp_path: Path, stages_model: StepClassifier) -> None:
    root = tmp_path / "tree"
    folder = root / "sub-01" / "ses-1" / "eeg"
    folder.mkdir(parents=True)
    source = save_edf(night(12, subject="n1"), folder / "sub-01_ses-1_task-sleep_eeg.edf")
    assert classify_files(stages_model, [root], out=tmp_path / "out").failed == ()
    out = tmp_path / "out" / "sub-01" / "ses-1" / "eeg"
    assert sorted(path.name for path in out.iterdir()) == [
        "sub-01_ses-1_task-sleep_desc-predicted_events.json", "sub-01_ses-1_task-sleep_desc-predicted_events.tsv",
    ]  # fmt: skip
    assert json.loads((tmp_path / "out" / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    lines = (out / "sub-01_ses-1_task-sleep_desc-predicted_events.tsv").read_text().splitlines()
    said = stages_model.predict(open_recording(source))
    assert lines[0] == "onset\tduration\ttrial_type\tprobability"
    assert lines[3].split("\t") == [
        "60", "30", f"Sleep stage {said.labels[2]}", f"{said.probabilities[2].max():.4f}"
    ]  # fmt: skip
    beside = source.with_name("sub-01_ses-1_task-sleep_events.tsv")
    beside.write_bytes((out / "sub-01_ses-1_task-sleep_desc-predicted_events.tsv").read_bytes())
    (root / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    again = Pipeline(events=SleepStages(), windows=Epochs(30, classes=STAGES))(open_bids(root).recordings())
    assert [STAGES[k] for k in again.item_y(0)] == said.labels.tolist()


@pytest.mark.parametrize(
    ("form", "files"),
    [
        ("auto", ["a-annotations.edf"]),
        ("edf", ["a-annotations.edf"]),
        ("bids", ["a_events.json", "a_events.tsv"]),
        ("wfdb", ["a.label"]),
        ("none", []),
    ],
)
def test_windows_with_labels_are_written_in_the_form_asked_for(
    tmp_path: Path, labels_model: Classifier, form: str, files: list[str]
) -> None:
    source = save_edf(night(2, subject="n1"), tmp_path / "a.edf")
    arguments = ["classify", "MODEL", str(source), "--out", str(tmp_path / "out"), "--annotations", form]
    labels_model.save(tmp_path / "m.biosig")
    arguments[1] = str(tmp_path / "m.biosig")
    assert cli.main(arguments) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*files, "predictions.csv"])
    said = labels_model.predict(open_recording(source)).labels.tolist()
    if form in {"auto", "edf"}:
        assert read_edf_annotations(tmp_path / "out" / "a-annotations.edf") == [
            (2.0 * k, 2.0, x) for k, x in enumerate(said)
        ]
    if form == "wfdb":
        assert list(read_annotations(tmp_path / "out" / "a", "label").aux_note) == said


def test_rejected_windows_are_counted_and_written_as_bad(
    tmp_path: Path, stages_model: StepClassifier, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = RejectArtefacts(peak_to_peak_uv=200, flat_uv=1)
    prepare = Pipeline(windows=FixedLength(2, classes=("high", "low")), features=[limits])
    model = Classifier(prepare, BiLSTM(4), task="labels")
    halves = Annotations([0, 1440], [1440, 2880], ["high", "low"])
    learned = [night(3, subject=name).with_annotations(halves) for name in ("a", "bb")]
    model.fit(prepare(learned), max_epochs=1, progress=False).save(tmp_path / "m.biosig")
    spoiled = night(3, subject="n1").signals.copy()
    spoiled[0, 128:256], spoiled[0, 700] = 0, 900
    source = save_edf(night(3, subject="n1").with_signals(spoiled, note="spoiled"), tmp_path / "a.edf")
    assert cli.main(["classify", str(tmp_path / "m.biosig"), str(source), "--out", str(tmp_path / "out")]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert (line.split()[:3], line.endswith("  rejected 3")) == (["a", "42", "items"], True)
    written = read_edf_annotations(tmp_path / "out" / "a-annotations.edf")
    assert len(written) == 45
    bad = [(4.0, 2.0, "BAD_flat"), (6.0, 2.0, "BAD_flat"), (20.0, 2.0, "BAD_peak-to-peak")]
    assert [row for row in written if row[2].startswith("BAD")] == bad
    classify_files(model, [source], out=tmp_path / "bids", annotations="bids")
    rows = [row.split("\t") for row in (tmp_path / "bids" / "a_events.tsv").read_text().splitlines()]
    assert [row[3] for row in rows if row[2].startswith("BAD")] == ["n/a"] * 3
    assert ["20", "2", "BAD_peak-to-peak", "n/a"] in rows
    marks, likely = task("stages").events(
        night(3, subject="n1"),
        replace(stages_model.predict(night(3, subject="n1")), rejected=(Rejection("n1", 30, 60, "flat", "Fz", 0.0),)),
    )
    assert [text for text in marks.labels.tolist() if not text.startswith("Sleep stage ")] == ["BAD_flat"]
    assert likely is not None
    assert np.isnan(likely).sum() == 1


def test_one_answer_of_the_whole_recording_needs_no_file(tmp_path: Path) -> None:
    prepare = Pipeline(windows=WholeRecording(classes=("a", "b")))
    parts = [
        night(1, subject=name).with_annotations(Annotations([0], [960], [label]))
        for name, label in (("s", "a"), ("tt", "b"))
    ]
    model = Classifier(prepare, BiLSTM(4), task="labels").fit(prepare(parts), max_epochs=1, progress=False)
    source = save_edf(night(1, subject="n"), tmp_path / "n.edf")
    classify_files(model, [source], out=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["predictions.csv"]
    classify_files(model, [source], out=tmp_path / "out", annotations="bids")
    assert [row[1:3] for row in read_bids_events(tmp_path / "out" / "n_events.tsv")] == [(0.0, 30.0)]


def test_wfdb_sources_keep_their_annotation_files(tmp_path: Path, stages_model: StepClassifier) -> None:
    one = night(6, subject="w")
    write_wfdb(one.with_annotations(Annotations()), tmp_path)
    classify_files(stages_model, [tmp_path / "w.hea"], out=tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["predictions.csv", "w.stage"]
    classify_files(stages_model, [tmp_path / "w.hea"], out=tmp_path / "two", annotations="edf")
    assert len(read_edf_annotations(tmp_path / "two" / "w-annotations.edf")) == 6
    with pytest.raises(ParameterError, match=r"annotations 'edff'; did you mean 'edf'\?"):
        classify_files(stages_model, [tmp_path / "w.hea"], out=tmp_path / "out", annotations="edff")


def test_real_files_say_when_they_began(data_root: Callable[[str], Path]) -> None:
    names = ["Brainvision/test_NO.vhdr", "EEGLAB/test_raw_2021.set", "GDF/test_1ch.gdf", "short_psg.edf"]
    for name in names:
        source = data_root("eeg-samples") / name
        with warnings.catch_warnings(action="ignore"):
            started = recording_start(source)
        assert started is None or 1985 <= started.year < 2085
    assert recording_start(data_root("eeg-samples") / "short_psg.edf") is not None


def test_tasks_say_what_their_events_are() -> None:
    one = Recording(np.zeros((1, 12_000)), 100, ["II"], ["mV"], id="r")
    waves = WaveTable((("r", "II", 100.0, Waves(["P", "T"], [np.nan, 150.0], [20.4, 160.0], [30.0, 20_000.0])),))
    assert task("waves").events(one, waves).annotations == Annotations(
        [20, 150], [30, 11_999], ["P", "T"], ["II", "II"]
    )
    names, places = np.full(10, "r"), np.arange(10) * 1000
    likely = np.full((10, 4), 0.01, dtype=np.float32)
    likely[:, 0] = 0.97
    likely[3:8] = likely[3:8][:, [1, 0, 2, 3]]
    rhythm = Predictions(names, names, places, np.full(10, 100.0), np.log(likely), ("N", "A", "O", "~"))
    marks, probability = task("rhythm").events(one, rhythm)
    assert (marks.labels.tolist(), probability) == (["AFIB"], None)
    assert 3000 <= marks.starts[0] < marks.stops[0] <= 12_000
    short = one.crop(stop_s=30)
    marks, probability = task("rhythm").events(short, rhythm.of("r"))
    assert marks == Annotations([0], [3000], ["N"])
    np.testing.assert_allclose(probability, [0.97], rtol=1e-5)
    rows = (names[:2], names[:2], places[:2], np.full(2, 100.0), np.log(likely[2:4, :2]), ("a", "b"))
    several = MultiLabelPredictions(*rows, thresholds=(0.5, 0.005), durations_s=np.full(2, 10.0))
    assert task("multilabel").events(one, several).annotations == Annotations(
        [0, 0, 1000], [1000, 1000, 2000], ["a", "b", "b"]
    )


def test_seizures_are_stretches_inside_the_recording() -> None:
    one = Recording(np.zeros((1, 1000)), 10, ["Fz"], ["uV"], id="r")
    names = np.array(["r", "r"])
    found = SeizureEvents(names, names, np.array([-1.0, 90.0]), np.array([5.0, 120.0]), np.array([0.7, 0.9]))
    marks = task("seizures").events(one, found).annotations
    assert (marks.starts.tolist(), marks.stops.tolist()) == ([0, 900], [50, 1000])
    assert set(marks.labels) == set(found.labels)


def test_recordings_of_one_name_in_two_trees_are_told_apart_and_a_date_of_1970_is_none(
    tmp_path: Path, labels_model: Classifier
) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name / "sub-1" / "eeg"
        folder.mkdir(parents=True)
        save_edf(night(1, subject="n"), folder / "sub-1_task-x_eeg.edf")
    assert classify_files(labels_model, [tmp_path / "one", tmp_path / "two"], out=tmp_path / "out").failed == ()
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.tsv")) == [
        f"{name}/sub-1/eeg/sub-1_task-x_desc-predicted_events.tsv" for name in ("one", "two")
    ]
    raw = night(1, subject="n").with_annotations(Annotations()).to_mne()
    raw.set_meas_date(0).save(tmp_path / "n_raw.fif", verbose="error")
    assert recording_start(tmp_path / "n_raw.fif") == datetime(1970, 1, 1)
    assert classify_files(labels_model, [tmp_path / "n_raw.fif"], out=tmp_path / "fif").failed == ()
    assert recording_start(tmp_path / "fif" / "n_raw-annotations.edf") == datetime(1985, 1, 1)
