"""Spoken digits: names, speakers, the two protocols, what the real files say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets import fsdd
from biosig_lstm.errors import DataError
from biosig_lstm.scoring.tasks import task


@pytest.fixture
def root(tmp_path: Path) -> Path:
    fsdd.write_sample(tmp_path)
    return tmp_path


def test_a_word_is_a_record_its_speaker_the_subject_its_digit_the_label(root: Path) -> None:
    data = datasets.get("fsdd", root)
    assert len(data) == 40
    assert set(data.subjects.values()) == {"fsdd-ada", "fsdd-ben"}
    (recording,) = data.recordings(["7_ben_0"])
    assert (recording.fs, recording.channels, recording.units) == (8000, ("sound",), ("FS",))
    assert recording.subject == "fsdd-ben"
    mark = recording.annotations
    assert (mark.labels.tolist(), mark.starts.tolist()) == (["7"], [0])
    assert mark.stops.tolist() == [recording.n_samples]


def test_samples_are_those_that_soundfile_reads(root: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    (recording,) = datasets.get("fsdd", root).recordings(["3_ada_7"])
    values, fs = soundfile.read(root / "recordings" / "3_ada_7.wav", dtype="float32")
    assert fs == recording.fs
    np.testing.assert_array_equal(recording.signals[0], values)


def test_of_several_files_of_one_name_the_least_deep_is_read_and_others_are_none(root: Path) -> None:
    (root / "recordings" / "0_ada_0.wav").rename(root / "0_ada_0.wav")
    (root / "copy").mkdir()
    (root / "copy" / "0_ada_0.wav").write_bytes(b"not sound")
    (root / "10_ada_0.wav").write_bytes(b"")
    (root / "0_ada.wav").write_bytes(b"")
    data = datasets.get("fsdd", root)
    assert len(data) == 40
    assert next(data.recordings(["0_ada_0"])).n_samples > 0


def test_speakers_of_ones_own_have_any_name_and_capitals_make_no_other(root: Path) -> None:
    folder = root / "recordings"
    for old, new in (("0_ada_0", "0_Ada_3"), ("1_ada_0", "1_speaker-7_0"), ("2_ben_0", "2_ben_4.WAV")):
        (folder / f"{old}.wav").rename(folder / (new if new.endswith(".WAV") else f"{new}.wav"))
    data = datasets.get("fsdd", root)
    assert len(data) == 40
    assert {data.subjects[name] for name in ("0_Ada_3", "0_ada_7")} == {"fsdd-ada"}
    assert data.subjects["1_speaker-7_0"] == "fsdd-speaker-7"
    assert next(data.recordings(["2_ben_4"])).annotations.labels.tolist() == ["2"]


def test_the_protocol_of_unseen_speakers_splits_nothing() -> None:
    plan = datasets.get_protocol("fsdd")
    assert plan.open
    assert plan.classes == fsdd.DIGITS
    assert task(plan.task).counted == "items"
    assert "not heard" in plan.notes


def test_the_classic_protocol_tests_the_first_five_and_says_that_speakers_are_shared(root: Path) -> None:
    data = datasets.get("fsdd", root)
    plan = data.resolve(datasets.get_protocol("fsdd-classic"))
    assert {name.rpartition("_")[2] for name in plan.test} == {"0"}
    assert {name.rpartition("_")[2] for name in plan.train} == {"7"}
    assert len(plan.test) == len(plan.train) == 20
    assert plan.shared_subjects == ("fsdd-ada", "fsdd-ben")
    assert "Every speaker is on both sides" in plan.notes
    assert data.records_of(datasets.get_protocol("fsdd-classic"), "test") == plan.test


def test_a_file_that_is_no_sound_or_gone_is_named(root: Path) -> None:
    (root / "recordings" / "1_ada_0.wav").write_bytes(b"RIFF")
    data = datasets.get("fsdd", root)
    with pytest.raises(DataError, match=r"fsdd: record 1_ada_0 cannot be read: .*1_ada_0\.wav"):
        list(data.recordings(["1_ada_0"]))
    with pytest.raises(DataError, match=r"no file of 9_eve_3 in "):
        data.read("9_eve_3")


def test_real_words(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("fsdd", data_root("fsdd"))
    assert len(data) >= 500
    counts = Counter((name[0], who) for name, who in data.subjects.items())
    assert set(counts.values()) == {50}
    for recording in data.recordings(data.record_names[::97]):
        assert recording.fs == 8000
        assert 0.1 < recording.duration_s < 3
    plan = data.resolve(datasets.get_protocol("fsdd-classic"))
    assert len(plan.test) * 9 == len(plan.train)
