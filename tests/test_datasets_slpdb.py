"""The MIT-BIH Polysomnographic Database: beats and stages, with and without its signals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb

from biosig_lstm import datasets
from biosig_lstm.datasets.slpdb import write_sample
from biosig_lstm.errors import DataError
from biosig_lstm.events.sleep_stages import STAGES
from biosig_lstm.formats.wfdb import WfdbAnnotations, write_annotations

WFDB_BEATS = {"N", "S", "V", "F", "Q", "x"}


@pytest.fixture
def written(tmp_path: Path) -> datasets.Dataset:
    write_sample(tmp_path)
    return datasets.get("slpdb", tmp_path)


def stages(recording) -> dict[int, tuple[str, str]]:
    """Return label and note of each staged 30 s, by its place."""
    marks = recording.annotations[recording.annotations.stops > recording.annotations.starts]
    assert (marks.stops - marks.starts == 7500).all()
    assert (marks.starts % 7500 == 0).all()
    return {
        start // 7500: (label, note)
        for start, label, note in zip(
            marks.starts.tolist(), marks.labels.tolist(), marks.notes.tolist(), strict=True
        )
    }  # fmt: skip


def test_stages_last_thirty_seconds_in_the_words_of_edf(written: datasets.Dataset) -> None:
    one, two, three = written.recordings()
    found = stages(one)
    assert [label for label, _ in found.values()] == [f"Sleep stage {code}" for code in "WW1122234R"]
    assert {place: note for place, (_, note) in found.items() if note} == {3: "HA", 5: "L", 6: "X"}
    assert list(stages(two)) == list(range(2, 10))
    assert stages(two)[9] == ("Sleep stage R", "LA A")
    assert stages(three)[1] == ("Movement time", "")


def test_one_man_s_two_records_share_the_subject(written: datasets.Dataset) -> None:
    assert written.subjects == {"slp02a": "slp02a+slp02b", "slp02b": "slp02a+slp02b", "slp03": "slp03"}
    card = datasets.card("slpdb")
    assert len(card.records) == 18
    assert len({card.subject_of(record) for record in card.records}) == 16


def test_beats_are_those_that_wfdb_reads(written: datasets.Dataset) -> None:
    for recording in written.recordings():
        expected = wfdb.rdann(str(written.root / recording.id), "ecg")
        beats = recording.annotations[recording.annotations.stops == recording.annotations.starts]
        np.testing.assert_array_equal(beats.starts, expected.sample)
        assert beats.labels.tolist() == expected.symbol


def test_without_signals_the_rest_is_the_same(written: datasets.Dataset) -> None:
    with_signals = {recording.id: recording for recording in written.recordings()}
    for path in written.root.glob("*.dat"):
        path.unlink()
    for recording in written.recordings():
        other = with_signals[recording.id]
        assert other.channels == ("ECG",)
        assert recording.channels == ()
        assert (recording.fs, recording.n_samples) == (other.fs, other.n_samples) == (250.0, 75000)
        assert recording.annotations == other.annotations
        assert recording.history == (f"{recording.id}.dat absent: no channels",)


def test_neither_signals_nor_a_length_is_a_message(written: datasets.Dataset) -> None:
    header = written.root / "slp03.hea"
    header.write_text(header.read_text(encoding="utf-8").replace(" 75000", "", 1), encoding="utf-8")
    (written.root / "slp03.dat").unlink()
    with pytest.raises(DataError, match=r"record slp03 cannot be read: .*slp03\.hea: states no length"):
        next(written.recordings("slp03"))


def test_what_is_no_stage_is_left_out_and_a_file_of_nothing_else_refused(written: datasets.Dataset) -> None:
    none = np.zeros(3, dtype=np.int16)
    notes = ("? H", "2 HA\0", "U")
    marks = WfdbAnnotations([1, 7500, 15000], ['"'] * 3, none, none, none, notes)
    write_annotations(written.root / "slp03", "st", marks)
    (recording,) = written.recordings("slp03")
    assert stages(recording) == {1: ("Sleep stage 2", "HA")}
    write_annotations(written.root / "slp03", "st", WfdbAnnotations([1], ['"'], [0], [0], [0], ("?",)))
    with pytest.raises(DataError, match=r"slp03\.st: holds no sleep stage, codes are W 1 2 3 4 R M MT"):
        next(written.recordings("slp03"))


def test_the_protocol_leaves_subjects_out_by_who_was_seen() -> None:
    plan = datasets.get_protocol("slpdb")
    assert plan.open
    assert plan.task == "stages"
    assert plan.classes == ("W", "N1", "N2", "N3", "R")


def test_real_nights_have_the_stages_and_beats_that_wfdb_reads(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("slpdb", data_root("slpdb"))
    assert len(data) >= 3
    for recording in data.recordings():
        path = str(data.root / recording.id)
        said = [note.strip("\0 ").split()[0] for note in wfdb.rdann(path, "st").aux_note]
        words = {"M": "Movement time", "MT": "Movement time"}
        expected = Counter(words.get(code, f"Sleep stage {code}") for code in said)
        assert Counter(label for label, _ in stages(recording).values()) == expected
        assert set(expected) <= {*STAGES, "Movement time"}
        instants = recording.annotations[recording.annotations.stops == recording.annotations.starts]
        np.testing.assert_array_equal(instants.starts, wfdb.rdann(path, "ecg").sample)
        assert set(instants.labels.tolist()) <= WFDB_BEATS
        assert recording.n_samples == wfdb.rdheader(path).sig_len
