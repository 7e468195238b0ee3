"""BIDS trees as databases: against what MNE-BIDS writes and reads, and against trees of the specification's layout."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest
from bids_trees import CHANNELS, EVENTS, table, write_tree
from edf_files import EdfFile, Signal, eeg

from biosig_lstm import Bandpass, BiLSTM, Classifier, FixedLength, Pipeline, SleepStages, cli, load, split_by_subject
from biosig_lstm.datasets import open_bids
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.formats import open_recording, read_bids_events
from biosig_lstm.scoring import evaluate_bids
from biosig_lstm.windows import Epochs

mne_bids = pytest.importorskip("mne_bids")

SMALL = BiLSTM(4)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree of six subjects."""
    return write_tree(tmp_path_factory.mktemp("bids") / "rhythms")


def written_by_mne(root: Path, subject: str, *, session: str, form: str, seed: int) -> mne.io.BaseRaw:
    """Let MNE-BIDS write 10 s of four channels with two annotations, the third channel marked as bad."""
    info = mne.create_info(["Fz", "Cz", "Oz", "HEOG", "STI"], 100, ["eeg", "eeg", "eeg", "eog", "stim"])
    info["line_freq"] = 60
    raw = mne.io.RawArray(np.random.default_rng(seed).normal(0, 2e-5, (5, 1000)), info, verbose="error")
    raw.set_annotations(mne.Annotations([1.01, 3], [0.5, 0], ["left", "right hand"]))
    raw.info["bads"] = ["Oz"]
    where = mne_bids.BIDSPath(subject=subject, session=session, task="imagery", root=root, datatype="eeg")
    with warnings.catch_warnings(action="ignore"):
        mne_bids.write_raw_bids(raw, where, format=form, allow_preload=True, verbose="error")
    return raw


@pytest.mark.parametrize("form", ["BrainVision", "EDF", "EEGLAB", "BDF"])
def test_what_mne_bids_wrote_is_what_mne_bids_reads(tmp_path: Path, form: str) -> None:
    for k, subject in enumerate(("a1", "b2")):
        written_by_mne(tmp_path, subject, session="1", form=form, seed=k)
    data = open_bids(tmp_path)
    assert data.subjects == {f"sub-{s}_ses-1_task-imagery": f"sub-{s}" for s in ("a1", "b2")}
    assert data.classes == ("left", "right hand")
    assert (data.line_hz, data.source) == (60.0, "events")
    for record in data.record_names:
        with pytest.warns(BiosigWarning, match="left out Oz: marked as bad in channels.tsv"):
            got = data.read(record)
        where = mne_bids.BIDSPath(subject=got.subject[4:], session="1", task="imagery", root=tmp_path, datatype="eeg")
        with warnings.catch_warnings(action="ignore"):
            theirs = mne_bids.read_raw_bids(where, verbose="error")
        assert theirs.info["bads"] == ["Oz"]
        assert got.channels == ("Fz", "Cz", "HEOG")
        assert set(got.units) == {"uV"}
        np.testing.assert_allclose(got.signals, theirs.get_data(picks=list(got.channels)) * 1e6, atol=5e-3)
        marks = theirs.annotations
        np.testing.assert_array_equal(got.annotations.starts, np.rint(marks.onset * 100))
        np.testing.assert_array_equal(got.annotations.stops - got.annotations.starts, np.rint(marks.duration * 100))
        assert got.annotations.labels.tolist() == list(marks.description)
        assert got.subject == theirs.info["subject_info"]["his_id"]


def test_a_real_recording_in_a_tree_is_that_of_its_file(data_root: Callable[[str], Path], tmp_path: Path) -> None:
    source = sorted(data_root("eegmmidb").rglob("S001R04.edf"))[0]
    where = mne_bids.BIDSPath(subject="001", task="motor", run="4", root=tmp_path, datatype="eeg")
    with warnings.catch_warnings(action="ignore"):
        raw = mne.io.read_raw_edf(source, verbose="error")
        raw.info["line_freq"] = 60
        mne_bids.write_raw_bids(raw, where, verbose="error")
    data = open_bids(tmp_path)
    (got,), theirs = data.recordings(), open_recording(source)
    assert data.classes == ("T0", "T1", "T2")
    np.testing.assert_array_equal(got.signals, theirs.signals)
    assert (got.channels, got.fs) == (theirs.channels, theirs.fs)
    np.testing.assert_array_equal(got.annotations.starts, theirs.annotations.starts)
    np.testing.assert_array_equal(got.annotations.labels, theirs.annotations.labels)


def test_a_tree_is_a_database(tree: Path) -> None:
    data = open_bids(tree)
    assert len(data) == 6
    assert data.classes == ("left", "right")
    assert set(data.subjects.values()) == {f"sub-0{k}" for k in range(1, 7)}
    assert "6 records, 6 subjects; CC0" in repr(data)
    assert "Rhythms" in data._repr_html_()
    assert data.participants["sub-02"]["group"] == "control"
    one = next(data.recordings("sub-01_task-imagery", channels=["Cz"]))
    assert (one.id, one.subject, one.channels) == ("sub-01_task-imagery", "sub-01", ("Cz",))
    assert [(m * 64, n) for m, _, n in EVENTS[:3]] == list(
        zip(one.annotations.starts, one.annotations.labels, strict=True)
    )
    windows = Pipeline(windows=FixedLength(2.0, step_s=0.5, classes=data.classes))(data.recordings())
    assert min(windows.class_counts().values()) > 0
    parts = split_by_subject(windows, (0.5, 0.5), seed=0)
    assert not set(parts[0].subjects) & set(parts[1].subjects)


def test_sessions_of_a_person_are_one_subject_and_stay_on_one_side(tmp_path: Path) -> None:
    data = open_bids(write_tree(tmp_path / "t", n_subjects=4, sessions=("1", "2")))
    assert len(data) == 8
    assert len(set(data.subjects.values())) == 4
    assert data.select(ses="2", task="imagery") == tuple(name for name in data.record_names if "ses-2" in name)
    windows = Pipeline(windows=FixedLength(2.0))(data.recordings())
    train, test = split_by_subject(windows, (0.5, 0.5), seed=1)
    assert not set(train.subjects) & set(test.subjects)


@pytest.mark.parametrize(
    ("label", "classes", "source"),
    [
        ("group", ("control", "patient"), "participants"),
        ("task", ("imagery",), "names"),
        ("age", ("20", "21"), "participants"),
    ],
)
def test_labels_of_whole_recordings(tree: Path, label: str, classes: tuple[str, ...], source: str) -> None:
    data = open_bids(tree, label)
    assert (data.source, data.classes[: len(classes)]) == (source, classes)
    one = data.read("sub-02_task-imagery")
    assert (one.annotations.starts.tolist(), one.annotations.stops.tolist()) == ([0], [one.n_samples])
    assert one.annotations.labels.tolist() == [data.label_of("sub-02_task-imagery")]


def test_a_label_that_is_no_column_is_refused_with_those_there_are(tree: Path) -> None:
    with pytest.raises(
        ParameterError, match=r"label 'grup'; did you mean 'group'\? possible: .*age.*group.*task.*trial_type"
    ):
        open_bids(tree, "grup")
    with pytest.raises(ParameterError, match="label 'onset'"):
        open_bids(tree, "onset")


def test_sidecars_and_tables_are_inherited_from_above(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=2)
    for path in root.rglob("*_events.tsv"):
        path.unlink()
    table(root / "task-imagery_events.tsv", ["onset", "duration", "trial_type"], [(2, 1, "above")])
    table(root / "task-rest_events.tsv", ["onset", "duration", "trial_type"], [(2, 1, "another task")])
    nearer = root / "sub-02" / "eeg" / "sub-02_task-imagery_eeg.json"
    nearer.write_text(json.dumps({"PowerLineFrequency": 60}))
    data = open_bids(root)
    assert data.classes == ("above",)
    assert data.sidecar("sub-01_task-imagery")["PowerLineFrequency"] == 50
    assert data.sidecar("sub-02_task-imagery") | {"PowerLineFrequency": 60} == data.sidecar("sub-02_task-imagery")
    assert data.sidecar("sub-02_task-imagery")["TaskName"] == "imagery"
    assert data.line_hz is None


def test_bad_channels_types_units_and_triggers(tmp_path: Path) -> None:
    folder = tmp_path / "sub-1" / "eeg"
    folder.mkdir(parents=True)
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    made = [eeg("Fz", seed=0), eeg("EOG1", seed=1), eeg("bad one", seed=2), eeg("code", seed=3),
            eeg("no unit", seed=4, unit="", physical=(-0.003, 0.003)), eeg("not listed", seed=5)]  # fmt: skip
    EdfFile(made).write(folder / "sub-1_task-x_eeg.edf")
    rows = [("Fz", "EEG", "uV", "good"), ("EOG1", "EOG", "uV", "n/a"), ("bad one", "EEG", "uV", "BAD"),
            ("code", "TRIG", "n/a", "good"), ("no unit", "EEG", "V", "good"), ("gone", "EEG", "uV", "")]  # fmt: skip
    table(folder / "sub-1_task-x_channels.tsv", ["name", "type", "units", "status"], rows[:5])
    data = open_bids(tmp_path, "task")
    with pytest.warns(BiosigWarning, match="left out bad one: marked as bad"):
        got = data.read("sub-1_task-x")
    assert got.channels == ("Fz", "EOG1", "no unit", "not listed")
    assert got.units == ("uV",) * 4
    np.testing.assert_allclose(got.signals[2], made[4].physical_values * 1e6, atol=1e-2)
    assert got.history == ("left out bad one: marked as bad in channels.tsv", "left out code: triggers")
    with pytest.warns(BiosigWarning, match="marked as bad"):
        assert open_bids(tmp_path, "task", types=["EEG"]).read("sub-1_task-x").channels == ("Fz", "no unit")
    table(folder / "sub-1_task-x_channels.tsv", ["name", "type", "units", "status"], [rows[0], rows[5]])
    with pytest.warns(BiosigWarning, match="not among the channels of sub-1_task-x_eeg.edf: gone"):
        data.read("sub-1_task-x")
    table(folder / "sub-1_task-x_channels.tsv", ["name", "status"], [(signal.label, "bad") for signal in made])
    with pytest.raises(DataError, match="no channel is left of 6: left out Fz, EOG1"):
        data.read("sub-1_task-x")
    (folder / "sub-1_task-x_channels.tsv").unlink()
    with pytest.raises(DataError, match=r"no channels\.tsv says which channels are of type EEG"):
        open_bids(tmp_path, "task", types=["EEG"]).read("sub-1_task-x")


def test_events_that_leave_the_recording_are_cut_and_those_outside_left_out(tmp_path: Path) -> None:
    events = [(-3, 1, "before"), (-1, 2, "over the beginning"), (9, 5, "over the end"), (20, 1, "after")]
    data = open_bids(write_tree(tmp_path / "t", n_subjects=1, events=events))
    with pytest.warns(
        BiosigWarning, match="sub-01_task-imagery: 2 events before its beginning or beyond its end left out"
    ):
        marks = data.read("sub-01_task-imagery").annotations
    assert marks.labels.tolist() == ["over the beginning", "over the end"]
    assert (marks.starts.tolist(), marks.stops.tolist()) == ([0, 576], [64, 640])
    part = data.read("sub-01_task-imagery", start_s=8, stop_s=10).annotations
    assert (part.starts.tolist(), part.labels.tolist()) == ([64], ["over the end"])


def test_rows_of_events_that_are_no_numbers_are_left_out_and_said(tmp_path: Path) -> None:
    rows = [("1.5", "n/a", "a"), ("soon", 1, "b"), (2, "long", "c"), (3, -1, "d"), ("inf", 1, "e"), ("4", 1, "n/a")]
    path = table(tmp_path / "x_events.tsv", ["onset", "duration", "trial_type"], rows)
    with pytest.warns(BiosigWarning, match="4 of 6 rows left out, line 3 the first: onset or duration is no number"):
        assert read_bids_events(path) == [(2, 1.5, 0.0, "a")]
    with pytest.raises(DataError, match=r"column 'value'; possible: duration, onset, trial_type"):
        read_bids_events(path, column="value")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty, wanted a header line"),
        (b"onset\tduration\n\xff\xfe\n", "no text in UTF-8"),
        (b"onset\tduration\n1\t2\t3\n", "line 2 has 3 fields, the header 2"),
        (b"onset\ttrial_type\n" + b"x" * 200_000, "is no table of fields between tabs"),
        (b'onset\ttrial_type\n0\t"go\n1\tstop\n2\t"go\n', "is no table of fields between tabs"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "x_events.tsv").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        read_bids_events(tmp_path / "x_events.tsv")


def test_a_table_without_the_column_is_named_and_types_are_of_either_case(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=2)
    lacking = root / "sub-02" / "eeg" / "sub-02_task-imagery_events.tsv"
    lacking.write_text("onset\tduration\tvalue\n1\t1\t3\n")
    with pytest.warns(
        BiosigWarning, match=r"no column trial_type in .*sub-02_task-imagery_events\.tsv: their recordings"
    ):
        assert [len(one.annotations) > 0 for one in open_bids(root).recordings()] == [True, False]
    assert open_bids(root, "group", types="eeg") == open_bids(root, "group", types=("EEG",))


def test_a_table_of_events_that_cannot_be_read_costs_its_own_recordings_alone(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=2)
    (root / "sub-02" / "eeg" / "sub-02_task-imagery_events.tsv").write_bytes(b"")
    with pytest.warns(BiosigWarning, match=r"sub-02_task-imagery_events\.tsv.* is empty.*the events of its recordings"):
        data = open_bids(root)
    assert {event.record for event in data.events()} == {"sub-01_task-imagery"}
    first, second = data.record_names
    assert len(next(data.recordings(first)).annotations)
    with pytest.raises(DataError, match=r"sub-02_task-imagery cannot be read: .*events\.tsv: cannot be read"):
        next(data.recordings(second))


def test_what_is_no_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        open_bids(tmp_path / "nowhere")
    with (
        pytest.warns(BiosigWarning, match=r"has no dataset_description\.json"),
        pytest.raises(DataError, match="no EEG of BIDS"),
    ):
        open_bids(tmp_path)
    root = write_tree(tmp_path / "t", n_subjects=2)
    (root / "dataset_description.json").write_text("[1]")
    with pytest.raises(DataError, match="must be an object with names, got a list"):
        open_bids(root)
    (root / "dataset_description.json").write_text("{")
    with pytest.raises(DataError, match="is no JSON in UTF-8"):
        open_bids(root)


def test_files_that_do_not_belong_to_their_folder_or_are_not_fetched(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=2)
    path = root / "sub-01" / "eeg" / "sub-01_task-imagery_eeg.edf"
    moved = path.with_name("sub-02_task-imagery_eeg.edf")
    shutil.move(path, moved)
    with pytest.raises(DataError, match="lies in the folder of sub-01 and is named for another subject"):
        open_bids(root)
    moved.unlink()
    path.symlink_to("../../.git/annex/objects/gone.edf")
    data = open_bids(root)
    with pytest.raises(DataError, match=r"sub-01_task-imagery cannot be read: .* not been fetched; `datalad get`"):
        list(data.recordings())
    with pytest.raises(ParameterError, match="'sub-03_task-imagery'; did you mean"):
        data.file_of("sub-03_task-imagery")


def test_people_without_a_row_or_with_two(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=3)
    table(root / "participants.tsv", ["participant_id", "group"], [("sub-01", "patient"), ("02", "n/a")])
    with pytest.warns(BiosigWarning, match="no row for sub-03: their recordings have no label"):
        data = open_bids(root, "group")
    assert data.classes == ("patient",)
    assert [len(one.annotations) for one in data.recordings()] == [1, 0, 0]
    table(root / "participants.tsv", ["participant_id", "group"], [("sub-01", "a"), ("01", "b")])
    with pytest.raises(DataError, match="stand twice: sub-01"):
        open_bids(root, "group")
    table(root / "participants.tsv", ["subject", "group"], [("sub-01", "a")])
    with pytest.raises(DataError, match="column 'participant_id'"):
        open_bids(root, "group")


def test_a_rate_that_is_not_the_sidecars_is_said_and_the_files_taken(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=1)
    (root / "task-imagery_eeg.json").write_text(json.dumps({"SamplingFrequency": 1000}))
    with pytest.warns(BiosigWarning, match="the file has 64 Hz, its sidecar says 1000 Hz: the file's is taken"):
        assert open_bids(root).read("sub-01_task-imagery").fs == 64


def test_stages_in_a_table_of_events_make_a_night(tmp_path: Path) -> None:
    stages = ["Sleep stage W", "Sleep stage N2", "Sleep stage N3", "Sleep stage R"]
    root = write_tree(tmp_path / "t", n_subjects=2, n_s=120, events=[(30 * k, 30, s) for k, s in enumerate(stages)])
    windows = Pipeline(events=SleepStages(), windows=Epochs(30))(open_bids(root).recordings())
    assert [windows.classes[k] for k in windows.item_y(0)] == ["W", "N2", "N3", "R"]


def test_a_classifier_of_groups_is_trained_and_validated_by_subject(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=4, bad={"sub-01": "Oz"})
    with pytest.warns(BiosigWarning, match="marked as bad"), pytest.raises(DataError, match="all have Fz, Cz"):
        Classifier.from_bids(root, "group", n_splits=0, max_epochs=1, progress=False)
    with pytest.warns(BiosigWarning, match="marked as bad"):
        model = Classifier.from_bids(
            root, "group", channels=["Fz", "Cz"], n_splits=2, max_epochs=1, model=SMALL, progress=False
        )
    assert model.classes == ("control", "patient")
    assert model.training is not None
    assert model.training.subjects == ("sub-01", "sub-02", "sub-03", "sub-04")
    assert model.validation is not None
    assert sorted(model.validation.predictions.subjects.tolist()) == ["sub-01", "sub-02", "sub-03", "sub-04"]
    other = open_bids(write_tree(tmp_path / "u", n_subjects=6), "group")
    scores = model.evaluate(list(other.recordings(["sub-05_task-imagery", "sub-06_task-imagery"])))
    assert scores.n_subjects == 2


def test_a_classifier_of_events_takes_their_stretches(tree: Path) -> None:
    model = Classifier.from_bids(tree, n_splits=2, max_epochs=1, model=SMALL, progress=False)
    assert model.classes == ("left", "right")
    assert model.validation is not None
    assert len(model.validation.predictions) == 18
    with pytest.warns(BiosigWarning, match="6 of 18 events left out: their stretch is empty, leaves the recording"):
        Classifier.from_bids(tree, stretch_s=(-2, 1), n_splits=0, max_epochs=1, model=SMALL, progress=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"classes": ["left", "up"]}, "no recording has the trial_type up"),
        ({"stretch_s": (1, 1)}, "must be a start and a later stop"),
        ({"label": "group", "stretch_s": (0, 1)}, "stretch_s is a stretch of events; 'group' labels whole recordings"),
    ],
)
def test_settings_that_do_not_fit_a_tree_are_refused(tree: Path, settings: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Classifier.from_bids(tree, progress=False, **settings)  # type: ignore[arg-type]


def test_instants_need_a_stretch(tmp_path: Path) -> None:
    root = write_tree(tmp_path / "t", n_subjects=2, events=[(1, 0, "left"), (3, 0, "right")])
    with pytest.raises(ParameterError, match=r"all 4 events are instants: .* as in stretch_s=\(0, 1\)"):
        Classifier.from_bids(root, n_splits=0, progress=False)


def test_the_command_trains_on_a_tree(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "m.biosig")
    few = ["--folds", "0", "--max-epochs", "1"]
    assert cli.main(["train", str(tree), "--label", "group", "--types", "EEG", "--out", out, *few]) == 0
    assert load(out).classes == ("control", "patient")
    assert (
        cli.main(["train", str(tree), "--classes", "left", "right", "--stretch-s", "0", "1", "--out", out, *few]) == 0
    )
    assert load(out).classes == ("left", "right")
    capsys.readouterr()
    assert cli.main(["train", str(tree), "--data", "x", "--out", out]) == 2
    assert "--data goes with a protocol, not with a BIDS tree" in capsys.readouterr().err
    assert cli.main(["train", "sample-aami", "--label", "x", "--out", out]) == 2
    assert "--label goes with a BIDS tree, not with a protocol" in capsys.readouterr().err


def test_pipelines_filter_recordings_of_a_tree(tree: Path) -> None:
    windows = Pipeline(filters=[Bandpass(2, 20)], windows=FixedLength(5, classes=("control", "patient")))(
        open_bids(tree, "group").recordings()
    )
    assert windows.class_counts() == {"control": 6, "patient": 6}
    assert tuple(windows.columns) == CHANNELS


def test_files_of_a_mixed_rate_are_opened_at_that_of_the_types_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "sub-1" / "eeg"
    folder.mkdir(parents=True)
    (tmp_path / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.10.0"}')
    slow = [Signal(name, np.arange(40) * 30, 10, "uV") for name in ("A", "B")]
    EdfFile([eeg("Fz", n_records=4, width=32), *slow]).write(folder / "sub-1_task-x_eeg.edf")
    rows = [("Fz", "EEG"), ("A", "EMG"), ("B", "EMG")]
    table(folder / "sub-1_task-x_channels.tsv", ["name", "type"], rows)
    got = open_bids(tmp_path, "task", types="EEG").read("sub-1_task-x")
    assert (got.channels, got.fs) == (("Fz",), 32.0)


def test_a_model_is_scored_on_people_of_a_tree_that_it_has_not_seen(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = write_tree(tmp_path / "few", n_subjects=2)
    few_events = Classifier.from_bids(few, n_splits=0, max_epochs=1, model=SMALL, progress=False)
    few_events.save(tmp_path / "m.biosig")
    with pytest.warns(
        BiosigWarning, match=r"rhythms: left out sub-01, sub-02: the model was trained on people of these"
    ):
        found = evaluate_bids(few_events, tree)
    assert found.scores.n_subjects == 4
    assert found.seen_in_training == ()
    assert len(found.recordings) == len(found.predictions) == 12
    arguments = ["evaluate", str(tmp_path / "m.biosig"), "--data", str(tree), "--label", "trial_type", "--json"]
    assert cli.main(arguments) == 0
    printed = capsys.readouterr()
    assert "left out sub-01, sub-02: the model was trained on people of these names" in printed.err
    said = json.loads(printed.out)
    assert (said["protocol"], said["recordings"]) == ("rhythms, trial_type", list(found.recordings))
    assert said["metrics"]["accuracy"]["value"] == pytest.approx(found.scores.metrics["accuracy"].value)
    everyone = evaluate_bids(few_events, few)
    assert set(everyone.seen_in_training) == set(everyone.recordings)
    with (
        pytest.warns(BiosigWarning, match="left out sub-01, sub-02"),
        pytest.raises(DataError, match="no label is one of left right, there are control patient"),
    ):
        evaluate_bids(few_events, tree, "group")
    assert cli.main([*arguments[:2], "--label", "group"]) == 2
    assert "--label is of a BIDS tree: it goes with --data DIR" in capsys.readouterr().err
