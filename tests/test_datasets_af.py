"""Databases of atrial fibrillation: afdb and ltafdb; rhythms, beats that nobody checked, records without signals."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.datasets import afdb, ltafdb
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.formats.wfdb import write_annotations
from biosig_lstm.scoring import evaluate_protocol

wfdb = pytest.importorskip("wfdb")


@pytest.fixture(scope="module")
def af(tmp_path_factory):
    root = tmp_path_factory.mktemp("afdb")
    afdb.write_sample(root)
    return root


@pytest.fixture(scope="module")
def long_term(tmp_path_factory):
    root = tmp_path_factory.mktemp("ltafdb")
    ltafdb.write_sample(root)
    return root


def test_afdb_gives_the_signals_and_rhythms_that_wfdb_reads(af):
    for recording in datasets.get("afdb", af).recordings():
        path = str(af / recording.id)
        reference, marks = wfdb.rdrecord(path), wfdb.rdann(path, "atr")
        assert (
            (tuple(reference.sig_name), reference.fs) == (("ECG1", "ECG2"), recording.fs) == (recording.channels, 250)
        )
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
        assert recording.annotations.labels.tolist() == marks.symbol == ["+"] * 4
        assert recording.annotations.notes.tolist() == ["(N", "(AFIB", "(AFL", "(J"]


def test_afdb_has_25_records_of_which_23_have_signals():
    card = datasets.card("afdb")
    assert len(card.records) == 25
    assert len(card.splits["signals"]) == 23
    assert card.splits["annotations_only"] == ("00735", "03665")
    assert sorted(card.splits["signals"] + card.splits["annotations_only"]) == sorted(card.records)


def test_afdb_records_without_signals_are_left_out_and_say_so_when_asked_for(af):
    data = datasets.get("afdb", af)
    assert data.record_names == ("04015", "05091")
    assert [recording.id for recording in data.recordings()] == ["04015", "05091"]
    for which in ("00735", ["04015", "00735"], "annotations_only", iter(["00735"])):
        with pytest.raises(DataError, match=r"the signals of 00735.* were never published.*annotations\('00735'\)"):
            data.recordings(which)
    assert data.annotations("00735").notes.tolist() == ["(N", "(AFIB", "(AFL", "(J"]


def test_afdb_beats_that_nobody_checked_are_given_when_asked_for_and_bear_no_class(af):
    rhythm = next(datasets.get("afdb", af).recordings("04015"))
    both = next(datasets.get("afdb", af, beats="qrs").recordings("04015"))
    detected = wfdb.rdann(str(af / "04015"), "qrs")
    assert set(detected.symbol) == {"N"}
    found = both.annotations[both.annotations.labels == "QRS"]
    np.testing.assert_array_equal(found.starts, detected.sample)
    assert Counter(both.annotations.labels.tolist())["+"] == len(rhythm.annotations)
    assert "N" not in both.annotations.labels


def test_afdb_corrected_beats_are_taken_where_there_are_any(af):
    counts = {}
    for beats in ("qrs", "qrsc"):
        data = datasets.get("afdb", af, beats=beats)
        counts[beats] = [Counter(r.annotations.labels.tolist())["QRS"] for r in data.recordings(["04015", "05091"])]
    assert counts["qrs"][0] == counts["qrsc"][0]
    assert counts["qrsc"][1] == counts["qrs"][1] + 1 == len(wfdb.rdann(str(af / "05091"), "qrsc").sample)
    with pytest.raises(ParameterError, match="beats 'qrsd'; did you mean 'qrs'"):
        datasets.get("afdb", af, beats="qrsd")


def test_afdb_names_keep_their_zeros(af):
    assert datasets.get("afdb", af).subjects == {"04015": "04015", "05091": "05091"}


def test_afdb_is_scored_by_episodes_on_unseen_subjects():
    protocol = datasets.get_protocol("afdb")
    assert (protocol.task, protocol.open) == ("episodes", True)
    assert protocol.classes == ("AFIB", "AFL", "J", "N")


def test_ltafdb_is_scored_by_episodes_as_afdb_is(long_term):
    found = evaluate_protocol(bl.pretrained("ecg-rhythm"), root=long_term, protocol="ltafdb")
    assert (found.recordings, found.failed, found.seen_in_training) == (("00", "100"), (), ())
    assert "burden_error" in found.scores.metrics
    assert set(found.scores.per_subject) == {"ltafdb-00", "ltafdb-100"}


def test_ltafdb_gives_beats_and_rhythms_of_atr_and_two_leads_of_one_name(long_term):
    for recording in datasets.get("ltafdb", long_term).recordings():
        path = str(long_term / recording.id)
        reference, marks = wfdb.rdrecord(path), wfdb.rdann(path, "atr")
        assert reference.sig_name == ["ECG", "ECG"]
        assert recording.channels == ("ECG", "ECG (2)")
        assert reference.adc_gain == [88.968, 131.062]
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
        np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
        assert recording.annotations.labels.tolist() == marks.symbol
        assert [note for note in recording.annotations.notes if note] == ["(N", "(AFIB", "MB", "(SBR"]


def test_ltafdb_subjects_are_not_those_of_mitdb_with_the_same_names(long_term):
    data, mitdb = datasets.get("ltafdb", long_term), datasets.card("mitdb")
    same = set(data.card.records) & set(mitdb.records)
    assert len(same) > 20
    assert not {data.subject_of(record) for record in same} & {mitdb.subject_of(record) for record in same}
    assert next(data.recordings("100")).subject == data.subjects["100"] == "ltafdb-100"
    assert len({data.subject_of(record) for record in data.card.records}) == len(data.card.records) == 84


def test_ltafdb_annotations_beyond_the_end_are_left_out_with_a_warning(tmp_path):
    ltafdb.write_sample(tmp_path)
    data = datasets.get("ltafdb", tmp_path)
    (recording,) = data.recordings("00")
    later = ltafdb.joined(recording.annotations, ltafdb.Annotations([2 * recording.n_samples], labels=['"']))
    write_annotations(tmp_path / "00", "atr", later)
    with pytest.warns(BiosigWarning, match="00: 1 annotations of 00.atr beyond the end left out"):
        (again,) = data.recordings("00")
    assert again.annotations == recording.annotations
