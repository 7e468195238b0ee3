"""MIT-BIH Arrhythmia: the frozen splits, the swapped leads, the man recorded twice; and the real records."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets import mitdb
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.beats import AAMI

wfdb = pytest.importorskip("wfdb")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp("mitdb")
    mitdb.write_sample(root)
    return root


@pytest.fixture
def real(data_root):
    return datasets.get("mitdb", data_root("mitdb"))


def test_splits_are_those_of_de_chazal_and_cover_the_database():
    splits = datasets.card("mitdb").splits
    assert " ".join(splits["DS1"]) == (
        "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 230"
    )
    assert " ".join(splits["DS2"]) == (
        "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 234"
    )
    assert splits["paced"] == ("102", "104", "107", "217")
    together = sorted(splits["DS1"] + splits["DS2"] + splits["paced"])
    assert together == sorted(datasets.card("mitdb").records)
    assert len(set(together)) == 48


def test_protocol_states_the_flaw_of_the_standard_split():
    protocol = datasets.get_protocol("mitdb-aami")
    assert protocol.shared_subjects == ("201+202",)
    assert "the same man" in protocol.notes
    assert protocol.classes == ("N", "S", "V", "F", "Q")
    assert (protocol.mapping, protocol.positions) == ("aami", "reference")


def test_classes_are_those_that_the_named_mapping_gives_from_symbols_of_the_card():
    assert set(AAMI) <= set(datasets.card("mitdb").symbols)
    assert set(AAMI.values()) == set(datasets.get_protocol("mitdb-aami").classes)


def test_man_recorded_twice_is_one_subject_and_every_other_record_its_own(tiny):
    subjects = datasets.get("mitdb", tiny).subjects
    assert subjects["201"] == subjects["202"] == "201+202"
    assert subjects["232"] == "232"
    assert len(set(subjects.values())) == 5
    card = datasets.card("mitdb")
    assert len({card.subject_of(record) for record in card.records}) == 47


def test_lead_order_named_puts_mlii_first_and_stored_keeps_the_file(tiny):
    named = next(datasets.get("mitdb", tiny).recordings("114"))
    stored = next(datasets.get("mitdb", tiny, lead_order="stored").recordings("114"))
    assert (named.channels, stored.channels) == (("MLII", "V5"), ("V5", "MLII"))
    np.testing.assert_array_equal(named.signals, stored.signals[::-1])
    assert named.annotations == stored.annotations
    with pytest.raises(ParameterError, match="lead_order 'name'; did you mean 'named'"):
        datasets.get("mitdb", tiny, lead_order="name")


def test_written_sample_reads_the_same_in_wfdb(tiny):
    for recording in datasets.get("mitdb", tiny, lead_order="stored").recordings():
        reference = wfdb.rdrecord(str(tiny / recording.id))
        assert reference.fmt == ["212", "212"]
        assert tuple(reference.sig_name) == recording.channels
        np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
        marks = wfdb.rdann(str(tiny / recording.id), "atr")
        np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
        assert recording.annotations.labels.tolist() == marks.symbol


def test_split_with_absent_records_is_refused_with_their_names(tiny):
    dataset = datasets.get("mitdb", tiny)
    assert len(dataset) == 6
    assert "100" in dataset.absent
    with pytest.raises(DataError, match=r"not at .*: 106, 108, .*get them from https://physionet.org"):
        dataset.recordings("DS1")


def test_folder_without_a_record_is_refused_rather_than_read_as_empty(tmp_path):
    dataset = datasets.get("mitdb", tmp_path)
    assert (len(dataset), len(dataset.absent)) == (0, 48)
    with pytest.raises(DataError, match=r"mitdb: no record lies in .* itself, such as 100; its files come from https"):
        dataset.recordings()


def test_files_that_differ_from_what_was_published_are_named(tiny):
    with pytest.raises(DataError, match=r"differs from version 1\.0\.0 as published: 101\.atr, 101\.dat, 101\.hea"):
        datasets.get("mitdb", tiny).verify()


def test_paced_record_has_paced_beats_and_no_mlii(tiny):
    recording = next(datasets.get("mitdb", tiny).recordings("102"))
    assert recording.channels == ("V5", "V2")
    assert Counter(recording.annotations.labels.tolist()).most_common(1)[0][0] == "/"


def test_real_records_are_as_published(real):
    assert len(real.verify()) == 3 * len(real)


def test_real_ds1_and_paced_records_are_there_and_what_is_not_is_listed(real):
    card = real.card
    if real.absent == ():
        assert real.record_names == tuple(sorted(card.records))
        return
    assert set(real.record_names) | set(real.absent) == set(card.records)
    assert real.record_names == tuple(sorted(card.splits["DS1"] + card.splits["paced"]))
    assert real.absent == tuple(sorted(card.splits["DS2"]))


def test_real_record_101_has_the_beats_and_values_that_wfdb_reads(real):
    recording = next(real.recordings("101"))
    counts = Counter(recording.annotations.labels.tolist())
    assert {"N": 1860, "A": 3, "Q": 2}.items() <= counts.items()
    marks = wfdb.rdann(str(real.root / "101"), "atr")
    assert counts == Counter(marks.symbol)
    np.testing.assert_array_equal(recording.annotations.starts, marks.sample)
    reference = wfdb.rdrecord(str(real.root / "101"))
    np.testing.assert_allclose(recording.signals, reference.p_signal.T, rtol=0, atol=1e-5)
    assert (recording.fs, recording.units, recording.n_samples) == (360.0, ("mV", "mV"), 650_000)


def test_real_record_114_comes_with_mlii_first(real):
    recording = next(real.recordings("114"))
    reference = wfdb.rdrecord(str(real.root / "114"))
    assert reference.sig_name == ["V5", "MLII"]
    assert recording.channels == ("MLII", "V5")
    np.testing.assert_allclose(recording.signals, reference.p_signal.T[::-1], rtol=0, atol=1e-5)


def test_every_real_record_with_mlii_has_it_first_and_only_declared_symbols(real):
    without = []
    for recording in real.recordings():
        assert recording.channels.index("MLII") == 0 if "MLII" in recording.channels else True
        without += [] if "MLII" in recording.channels else [recording.id]
        assert set(recording.annotations.labels.tolist()) <= set(real.card.symbols)
    assert without == ["102", "104"]
