"""The QT Database: whose marks are read, what the brackets mean, and where its records come from."""

from __future__ import annotations

import numpy as np
import pytest

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.containers import Waves
from biosig_lstm.datasets import qtdb
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.formats.wfdb import read_header

wfdb = pytest.importorskip("wfdb")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qtdb")
    qtdb.write_sample(folder)
    return folder


@pytest.mark.parametrize("annotator", ["q1c", "q2c", "man", "pu", "atr"])
def test_values_and_marks_are_those_that_wfdb_reads(root, annotator):
    data = datasets.get("qtdb", root, annotator=annotator)
    for recording in data.recordings():
        path = str(root / recording.id)
        reference, marks = wfdb.rdrecord(path), wfdb.rdann(path, annotator)
        assert (tuple(reference.sig_name), reference.fs) == (recording.channels, recording.fs)
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
        assert recording.annotations.labels.tolist() == marks.symbol


def test_notes_of_brackets_name_the_wave_that_their_num_field_tells(root):
    marks = next(datasets.get("qtdb", root).recordings("sel100")).annotations
    num = wfdb.rdann(str(root / "sel100"), "q1c").num
    for label, note, wave in zip(marks.labels.tolist(), marks.notes.tolist(), num, strict=True):
        assert note == ("pNtu"[wave] if label in "()" else "")
    assert marks.labels[:8].tolist() == list("(p)(N)t)")
    assert marks.notes[:8].tolist() == ["p", "", "p", "N", "", "N", "", "t"]


def test_marks_are_waves_with_the_onset_of_t_left_open(root):
    marks = next(datasets.get("qtdb", root).recordings("sel100")).annotations
    waves = Waves.from_annotations(marks)
    t_waves, qrs = waves.of("T"), waves.of("QRS")
    assert len(t_waves) == len(qrs) == len(marks) / 8 > 2
    assert np.isnan(t_waves.onsets).all()
    np.testing.assert_array_equal(qrs.offsets - qrs.onsets, 2 * round(0.05 * 250))


def test_only_records_that_the_annotator_has_seen_are_given(root):
    records = {a: datasets.get("qtdb", root, annotator=a).record_names for a in ("q1c", "q2c", "qt2", "atr")}
    assert records["q1c"] == ("sel100", "sel30", "sele0121")
    assert records["q2c"] == records["qt2"] == ("sel100",)
    assert records["atr"] == ("sel100", "sele0121")
    with pytest.raises(ParameterError, match="annotator 'q1'; did you mean 'q"):
        datasets.get("qtdb", root, annotator="q1")


def test_missing_annotation_file_is_named(tmp_path):
    qtdb.write_sample(tmp_path)
    (tmp_path / "sel30.q1c").unlink()
    with pytest.raises(DataError, match=r"sel30 cannot be read: .*sel30.q1c: no such annotation file; beside it are"):
        list(datasets.get("qtdb", tmp_path).recordings("sel30"))


def test_header_tells_the_rate_of_the_source(root):
    assert (read_header(root / "sel100").fs, read_header(root / "sel100").counter_hz) == (250, 360)


def test_sources_are_as_many_as_the_paper_counts_and_cover_the_records():
    card = datasets.card("qtdb")
    published = {"mitdb": 15, "stdb": 6, "svdb": 13, "ltdb": 4, "edb": 33, "nsrdb": 10}
    assert {source: len(card.splits[source]) for source in published} == published
    assert len(card.splits["sddb"]) + len(card.splits["control"]) == 24
    sources = [*published, "sddb", "control"]
    assert sorted(sum((card.splits[source] for source in sources), ())) == sorted(card.records)
    assert len(card.records) == len(set(card.records)) == 105


@pytest.mark.parametrize("source", ["mitdb", "svdb", "nsrdb"])
def test_subjects_are_those_of_the_source_so_that_a_model_of_it_is_known_to_have_seen_them(root, source):
    data, card = datasets.get("qtdb", root), datasets.card(source)
    subjects = {data.subject_of(record) for record in data.card.splits[source]}
    assert subjects <= {card.subject_of(record) for record in card.records}


def test_two_men_of_the_european_database_have_two_records_each(root):
    data = datasets.get("qtdb", root)
    assert data.subject_of("sele0121") == data.subject_of("sele0122") == "e0121+e0122"
    assert data.subject_of("sele0124") == data.subject_of("sele0126") == "e0124+e0126"
    assert len({data.subject_of(record) for record in data.card.records}) == 103
    assert next(data.recordings("sel100")).subject == "100"


def test_beats_of_the_source_can_be_read_for_beat_models(root):
    data = datasets.get("qtdb", root, annotator="atr")
    beats = bl.Beats(positions="annotated")(next(data.recordings("sel100"))).annotations
    assert set(beats.labels.tolist()) <= {"N", "S", "V"}
    assert len(beats) > 10
