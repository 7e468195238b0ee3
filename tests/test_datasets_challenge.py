"""The twelve-lead challenges: cinc2021 and cpsc2018; SNOMED CT codes, several labels a recording, both layouts."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.datasets import cinc2021, cpsc2018
from biosig_lstm.datasets._challenge import find_file, whole_recording, write_challenge
from biosig_lstm.datasets._snomed import ABBREVIATIONS, EQUIVALENT
from biosig_lstm.datasets._written import TWELVE_LEADS
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError

wfdb = pytest.importorskip("wfdb")


@pytest.fixture(scope="module")
def challenge(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("cinc2021")
    cinc2021.write_sample(root)
    return root


@pytest.fixture(scope="module")
def china(tmp_path_factory) -> dict[str, Path]:
    roots = {layout: tmp_path_factory.mktemp(layout) for layout in ("physionet", "original")}
    cpsc2018.write_sample(roots["physionet"])
    cpsc2018.write_original_sample(roots["original"])
    return roots


def labels(recording) -> list[str]:
    return recording.annotations.labels.tolist()


def one(root: Path, name: str, record: str, **settings):
    return next(datasets.get(name, root, **settings).recordings(record))


def test_matrix_is_read_by_matlab_readers_and_values_are_those_of_wfdb(challenge):
    for recording in datasets.get("cinc2021", challenge).recordings():
        (path,) = challenge.rglob(f"{recording.id}.mat")
        steps = loadmat(path)["val"]
        assert (steps.dtype, steps.shape) == (np.int16, recording.signals.shape)
        np.testing.assert_allclose(recording.signals, steps / 1000, rtol=0, atol=1e-6)
        reference = wfdb.rdrecord(str(path.with_suffix("")))
        assert reference.fmt == ["16"] * 12
        assert tuple(reference.sig_name) == recording.channels == TWELVE_LEADS
        assert set(recording.units) == {"mV"}
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-6)


def test_a_diagnosis_is_one_annotation_over_the_whole_recording(challenge):
    recording = one(challenge, "cinc2021", "S23074")
    marks = recording.annotations
    assert labels(recording) == ["SB", "LQRSV"]
    assert marks.notes.tolist() == ["426177001", "251146004"]
    assert set(marks.starts.tolist()) == {0}
    assert set(marks.stops.tolist()) == {recording.n_samples}


@pytest.mark.parametrize(
    ("record", "merged", "separate", "codes"),
    [
        ("Q0001", ["RBBB"], ["RBBB", "CRBBB"], ["59118001,713427006"]),
        ("I0001", ["LBBB"], ["LBBB", "CLBBB"], ["164909002,733534002"]),
        ("Q0002", ["PAC", "PVC", "MI"], ["SVPB", "VPB", "MI"], ["63593006", "17338001", "164865005"]),
    ],
)
def test_diagnoses_that_the_challenge_scores_as_one_bear_one_label(challenge, record, merged, separate, codes):
    recording = one(challenge, "cinc2021", record)
    assert labels(recording) == merged
    assert recording.annotations.notes.tolist() == codes
    assert labels(one(challenge, "cinc2021", record, equivalents="separate")) == separate


def test_scored_classes_are_the_26_of_the_challenge_and_every_label_is_on_the_card():
    card = datasets.card("cinc2021")
    assert len(ABBREVIATIONS) == len(set(ABBREVIATIONS.values())) == 133
    assert set(card.symbols) == set(ABBREVIATIONS.values())
    assert len(card.classes) == len(set(card.classes)) == 26
    assert set(card.classes) <= set(card.symbols) - set(EQUIVALENT)
    assert set(EQUIVALENT.values()) <= set(card.classes)
    pairs = {
        ("713427006", "59118001"),
        ("284470004", "63593006"),
        ("427172004", "17338001"),
        ("733534002", "164909002"),
    }
    for first, second in pairs:
        names = {EQUIVALENT.get(ABBREVIATIONS[code], ABBREVIATIONS[code]) for code in (first, second)}
        assert len(names) == 1
        assert names <= set(card.classes)


def test_ventricular_ectopics_of_cpsc_are_no_scored_pvc(challenge):
    assert labels(one(challenge, "cinc2021", "I0002")) == ["VEB"]
    assert "VEB" not in datasets.card("cinc2021").classes
    assert cpsc2018.CODES["PVC"] == "164884008"


def test_rates_are_those_of_the_collections(challenge):
    rates = {recording.id: recording.fs for recording in datasets.get("cinc2021", challenge).recordings()}
    assert (rates["E00001"], rates["S0001"], rates["I0001"]) == (500, 1000, 257)


def test_one_collection_can_be_read_alone(challenge):
    assert datasets.get("cinc2021", challenge, cohort="ningbo").record_names == ("S23074",)
    assert datasets.get("cinc2021", challenge / "training" / "georgia", cohort="georgia").record_names == ("E00001",)
    with pytest.raises(ParameterError, match="cohort 'cpsc2018'; did you mean 'cpsc_2018'"):
        datasets.get("cinc2021", challenge, cohort="cpsc2018")
    with pytest.raises(DataError, match="cinc2021: no folder ptb-xl in"):
        len(datasets.get("cinc2021", challenge, cohort="ptb-xl"))
    with pytest.raises(ParameterError, match="equivalents 'merge'; did you mean 'merged'"):
        datasets.get("cinc2021", challenge, equivalents="merge")


def test_root_may_be_any_folder_on_the_way_or_hold_all_records(challenge, tmp_path):
    names = datasets.get("cinc2021", challenge).record_names
    assert datasets.get("cinc2021", challenge / "training").record_names == names
    for path in challenge.rglob("*.*"):
        shutil.copy(path, tmp_path)
    flat = datasets.get("cinc2021", tmp_path)
    assert flat.record_names == names
    assert next(flat.recordings("E00001")) == one(challenge, "cinc2021", "E00001")


def test_records_from_st_petersburg_have_the_patients_of_incartdb(challenge):
    data, incart = datasets.get("cinc2021", challenge), datasets.card("incartdb")
    assert data.subjects["I0001"] == data.subjects["I0002"] == incart.subject_of("I01") == "I01+I02"
    assert next(data.recordings("I0002")).subject == "I01+I02"
    assert data.subject_of("I0075") == incart.subject_of("I75")
    assert data.subjects["S23074"] == "S23074"


def test_code_that_is_not_the_challenge_s_stays_with_a_warning(tmp_path):
    write_challenge(tmp_path, "E1", np.zeros((12, 50), dtype=np.float32), fs=500.0, diagnoses=["123"])
    with pytest.warns(BiosigWarning, match="E1: '123' is no code of the challenge"):
        assert labels(one(tmp_path, "cinc2021", "E1")) == ["123"]


@pytest.mark.parametrize("line", ["# Dx: Unknown", "# Dx:", "# nothing"])
def test_header_without_a_diagnosis_gives_no_label(tmp_path, line):
    write_challenge(tmp_path, "E1", np.zeros((12, 50), dtype=np.float32), fs=500.0, diagnoses=[])
    header = tmp_path / "E1.hea"
    header.write_text(header.read_text(encoding="utf-8").replace("# Dx: ", line), encoding="utf-8")
    assert labels(one(tmp_path, "cinc2021", "E1")) == []


def test_header_of_the_first_release_with_its_own_date_and_spacing_is_read(tmp_path):
    write_challenge(tmp_path, "A0001", np.zeros((12, 50), dtype=np.float32), fs=500.0, diagnoses=["164889003"])
    header = tmp_path / "A0001.hea"
    text = header.read_text(encoding="utf-8").replace("A0001 12 500 50", "A0001 12 500 50 05-Feb-2020 11:39:16")
    header.write_text(text.replace("16x1+24 1000.0(0)/mV", "16+24 1000/mV").replace("# ", "#"), encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert labels(one(tmp_path, "cinc2021", "A0001")) == labels(one(tmp_path, "cpsc2018", "A0001")) == ["AF"]


def test_cpsc_has_nine_classes_and_some_recordings_have_several(china):
    data = datasets.get("cpsc2018", china["physionet"])
    assert data.classes == tuple(cpsc2018.CODES) == tuple(data.card.symbols)
    found = {recording.id: labels(recording) for recording in data.recordings()}
    assert found == {"A0001": ["RBBB"], "A0043": ["AF", "RBBB"], "A0100": ["Normal"], "A0200": ["PVC", "STD", "STE"]}


def test_cpsc_lists_its_records_and_a_misspelt_name_is_answered_in_a_line(china):
    data = datasets.get("cpsc2018", china["physionet"])
    assert (data.card.records[0], data.card.records[-1], len(data.card.records)) == ("A0001", "A6877", 6877)
    assert len(data.absent) == 6877 - 4
    with pytest.raises(ParameterError, match=r"'A1'.* possible: A0001, .*, A0060, \.\.\. \(6877 in all\)$") as caught:
        data.recordings("A1")
    assert len(str(caught.value)) < 600


def test_both_layouts_of_cpsc_give_the_same_values_and_classes(china):
    both = [list(datasets.get("cpsc2018", china[layout]).recordings()) for layout in ("physionet", "original")]
    assert len(both[0]) == len(both[1]) == 4
    for physionet, original in zip(*both, strict=True):
        assert (physionet.id, physionet.fs, physionet.channels) == (original.id, original.fs, original.channels)
        np.testing.assert_allclose(physionet.signals, original.signals, rtol=0, atol=1e-6)
        assert sorted(labels(physionet)) == sorted(labels(original))
    assert labels(one(china["original"], "cpsc2018", "A0043")) == ["RBBB", "AF"]


def test_original_layout_keeps_the_first_label_first(china):
    rows = (china["original"] / "REFERENCE.csv").read_text(encoding="utf-8").splitlines()
    assert rows[:3] == ["Recording,First_label,Second_label,Third_label", "A0001,5,,", "A0043,5,2,"]


def test_cpsc_is_found_in_a_copy_of_the_whole_challenge(challenge):
    data = datasets.get("cpsc2018", challenge)
    assert data.record_names == ("A0001",)
    assert labels(next(data.recordings())) == ["RBBB"]


def test_original_file_that_is_no_structure_and_number_that_is_no_class_are_named(china, tmp_path):
    shutil.copytree(china["original"], tmp_path, dirs_exist_ok=True)
    savemat(tmp_path / "TrainingSet1" / "A0001.mat", {"val": np.zeros((12, 5))})
    savemat(tmp_path / "TrainingSet1" / "A0043.mat", {"ECG": {"data": np.zeros((8, 5))}})
    data = datasets.get("cpsc2018", tmp_path)
    with pytest.raises(DataError, match=r"A0001 cannot be read: .*A0001.mat: holds no MATLAB structure ECG"):
        next(data.recordings("A0001"))
    with pytest.raises(DataError, match=r"A0043 cannot be read: .*must be \(12, samples\), got shape \(8, 5\)"):
        next(data.recordings("A0043"))
    (tmp_path / "REFERENCE.csv").write_text("Recording,First_label\nA0100,12\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"A0100: a class is a number from 1 to 9, got '12'"):
        len(datasets.get("cpsc2018", tmp_path))


def test_windows_of_several_labels_have_a_column_for_each_class(challenge, china):
    data = datasets.get("cinc2021", challenge)
    cut = bl.WholeRecording(classes=data.classes, multi_label=True)
    windows = {recording.id: cut(recording) for recording in data.recordings()}
    assert all(part.y.shape == (1, 26) for part in windows.values())
    assert [name for name, bears in zip(data.classes, windows["Q0002"].y[0], strict=True) if bears] == ["PAC", "PVC"]
    assert windows["S0001"].y.tolist() == [[0] * 26]
    nine = bl.WholeRecording(classes=tuple(cpsc2018.CODES), multi_label=True)
    assert nine(one(china["physionet"], "cpsc2018", "A0043")).y.tolist() == [[0, 1, 0, 0, 1, 0, 0, 0, 0]]


@pytest.mark.parametrize("module", [cinc2021, cpsc2018])
def test_folders_are_listed_once_and_again_after_a_download(module, tmp_path, monkeypatch):
    name = module.__name__.rpartition(".")[2]
    module.write_sample(tmp_path)
    data = datasets.get(name, tmp_path)
    before, (first, *_) = len(data), sorted(tmp_path.rglob("A0001.*"))
    monkeypatch.setattr(datasets.Dataset, "download", lambda self: shutil.copy(first, first.with_name("A6877.hea")))
    monkeypatch.setattr(type(data), "find_records", lambda self: pytest.fail("listed again"))
    assert len(data) == before
    monkeypatch.undo()
    monkeypatch.setattr(datasets.Dataset, "download", lambda self: shutil.copy(first, first.with_name("A6877.hea")))
    data.download()
    assert len(data) == before + 1


@pytest.mark.parametrize(("name", "n_classes"), [("cinc2021", 26), ("cpsc2018", 9)])
def test_several_labels_are_scored_on_whatever_the_model_has_not_seen(name, n_classes):
    protocol = datasets.get_protocol(name)
    assert (protocol.task, protocol.open, len(protocol.classes)) == ("multilabel", True, n_classes)
    assert "not published" in protocol.notes


@given(st.lists(st.sampled_from(sorted(ABBREVIATIONS)), max_size=12), st.integers(1, 10_000))
def test_every_label_stands_once_and_no_code_is_lost(codes, n_samples):
    marks = whole_recording([(ABBREVIATIONS[code], code) for code in codes], n_samples)
    assert sorted(set(marks.labels.tolist())) == sorted(marks.labels.tolist())
    assert sorted(code for note in marks.notes.tolist() for code in note.split(",")) == sorted(codes)
    assert (marks.stops == n_samples).all()


def test_of_files_of_one_name_the_first_by_its_folder_is_found_on_every_system(tmp_path, monkeypatch):
    for name in ("validation", "training"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "A00001.hea").touch()
    listed = Path.glob
    for backwards in (False, True):  # folders come in any order, as the system likes
        monkeypatch.setattr(Path, "glob", lambda at, name, last=backwards: iter(sorted(listed(at, name), reverse=last)))
        assert find_file(tmp_path, "A00001.hea") == tmp_path / "training" / "A00001.hea"
    assert find_file(tmp_path, "A00002.hea") is None
    (tmp_path / "A00001.hea").touch()
    assert find_file(tmp_path, "A00001.hea") == tmp_path / "A00001.hea"
