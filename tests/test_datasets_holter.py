"""The Holter databases with labelled beats: svdb, incartdb, nsrdb, nstdb; what is written, what is read, the traps."""

from __future__ import annotations

import importlib
from collections import Counter

import numpy as np
import pytest

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.errors import DataError
from biosig_lstm.scoring import evaluate_protocol

wfdb = pytest.importorskip("wfdb")

NAMES = ("svdb", "incartdb", "nsrdb", "nstdb")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("holter")
    for name in NAMES:
        importlib.import_module(f"biosig_lstm.datasets.{name}").write_sample(folder / name)
    return {name: datasets.get(name, folder / name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_values_and_annotations_are_those_that_wfdb_reads(written, name):
    data = written[name]
    for recording in data.recordings():
        path = str(data.root / recording.id)
        reference = wfdb.rdrecord(path)
        assert (tuple(reference.sig_name), reference.fs) == (recording.channels, recording.fs)
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
        if recording.id in ("bw", "em", "ma"):
            continue
        marks = wfdb.rdann(path, "atr")
        np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
        assert recording.annotations.labels.tolist() == marks.symbol
        assert recording.annotations.notes.tolist() == [note.rstrip("\0") for note in marks.aux_note]


@pytest.mark.parametrize(("name", "n", "n_subjects"), [("svdb", 78, 78), ("incartdb", 75, 32), ("nsrdb", 18, 18)])
def test_as_many_records_and_subjects_as_published(name, n, n_subjects):
    card = datasets.card(name)
    assert len(card.records) == len(set(card.records)) == n
    assert len({card.subject_of(record) for record in card.records}) == n_subjects


def test_rates_and_formats_are_the_published_ones(written):
    found = {name: next(data.recordings()).fs for name, data in written.items()}
    assert found == {"svdb": 128, "incartdb": 257, "nsrdb": 128, "nstdb": 360}
    headers = {path: wfdb.rdheader(str(written["nstdb"].root / path)) for path in ("118e24", "118e_6")}
    assert (headers["118e24"].fmt[0], headers["118e_6"].fmt[0]) == ("212", "16")


def test_svdb_calls_supraventricular_beats_s_and_uncalibrated_headers_read_as_200_steps(written):
    data = written["svdb"]
    assert " 0 12 0 " in (data.root / "820.hea").read_text(encoding="utf-8")
    labels = Counter(next(data.recordings("820")).annotations.labels.tolist())
    assert labels["S"] > 0
    assert "A" not in labels
    digital = wfdb.rdrecord(str(data.root / "820"), physical=False).d_signal.T
    np.testing.assert_allclose(next(data.recordings("820")).signals, digital / 200, atol=1e-6)
    beats = bl.Beats(positions="annotated")(next(data.recordings("820"))).annotations
    assert Counter(beats.labels.tolist())["S"] == labels["S"]


def test_incart_patients_are_as_many_as_its_documentation_counts():
    groups = datasets.card("incartdb").same_person
    assert [record for group in groups for record in group] == list(datasets.card("incartdb").records)
    assert Counter(map(len, groups)) == {1: 2, 2: 18, 3: 11, 4: 1}
    by_patient = dict(enumerate(groups, start=1))
    assert by_patient[8] == ("I16", "I17")
    assert "I36" in by_patient[16]
    assert (by_patient[4], by_patient[22], by_patient[30][-1]) == (("I08",), ("I49", "I50"), "I71")


def test_incart_records_of_a_patient_share_a_subject(written):
    subjects = written["incartdb"].subjects
    assert subjects["I01"] == subjects["I02"] == "I01+I02"
    assert subjects["I16"] == subjects["I17"] == "I16+I17"
    assert subjects["I08"] == "I08"


def test_incart_header_of_another_patient_is_refused(tmp_path):
    importlib.import_module("biosig_lstm.datasets.incartdb").write_sample(tmp_path)
    header = tmp_path / "I02.hea"
    header.write_text(header.read_text(encoding="utf-8").replace("patient 1", "patient 2"), encoding="utf-8")
    with pytest.raises(DataError, match="I02 cannot be read: the header says patient 2, the card says 1"):
        list(datasets.get("incartdb", tmp_path).recordings("I02"))


def test_incart_leads_obey_einthoven_in_the_written_sample(written):
    recording = next(written["incartdb"].recordings("I01"))
    assert recording.channels[:7] == ("I", "II", "III", "AVR", "AVL", "AVF", "V1")
    first, second, third = recording.signals[:3]
    np.testing.assert_allclose(first + third, second, atol=1.5 / 300)


def test_nsrdb_signals_go_on_after_the_annotations(written):
    for recording in written["nsrdb"].recordings():
        assert recording.annotations.starts[-1] < 16 * recording.fs < recording.n_samples
    assert "one to five hours" in written["nsrdb"].card.notes


def test_nstdb_has_the_subjects_of_mitdb_so_that_a_model_of_mitdb_is_known_to_have_seen_them(written):
    data = written["nstdb"]
    assert data.subjects["118e24"] == data.subjects["118e_6"] == "118"
    assert data.subjects["119e00"] == "119"
    assert {"118", "119"} <= set(datasets.get_protocol("mitdb-aami").train)
    assert len({data.subject_of(record) for record in data.card.records}) == 3


def test_nstdb_noise_has_no_annotations_and_electrocardiograms_without_theirs_are_refused(written, tmp_path):
    data = written["nstdb"]
    assert [len(recording.annotations) for recording in data.recordings("noise")] == [0, 0, 0]
    importlib.import_module("biosig_lstm.datasets.nstdb").write_sample(tmp_path)
    (tmp_path / "118e24.atr").unlink()
    with pytest.raises(DataError, match=r"118e24 cannot be read: .*118e24.atr: no such annotation file"):
        list(datasets.get("nstdb", tmp_path).recordings("118e24"))


def test_nstdb_splits_by_strength_cover_the_electrocardiograms():
    splits = datasets.card("nstdb").splits
    strengths = [records for name, records in splits.items() if name.startswith("snr_")]
    assert sorted(sum(strengths, ())) == sorted(splits["ecg"])
    assert splits["snr_minus_6"] == ("118e_6", "119e_6")


@pytest.mark.parametrize("name", ["svdb", "incartdb", "nsrdb"])
def test_a_model_trained_on_mitdb_is_scored_on_every_record(written, name):
    result = evaluate_protocol(bl.pretrained("ecg-beats"), root=written[name].root, protocol=f"{name}-aami")
    assert result.recordings == written[name].record_names
    assert (result.seen_in_training, result.failed) == ((), ())
    assert set(result.predictions.subjects.tolist()) == set(written[name].subjects.values())


def test_nstdb_is_no_test_for_a_model_of_mitdb_and_its_noise_is_not_scored(written):
    result = evaluate_protocol(bl.pretrained("ecg-beats"), root=written["nstdb"].root, protocol="nstdb-aami")
    assert result.recordings == ("118e24", "118e_6", "119e00")
    assert set(result.seen_in_training) == set(result.recordings)
    assert result.failed == ()
    assert repr(datasets.get_protocol("nstdb-aami")) == "Protocol('nstdb-aami': test 12; classes N S V F Q)"
