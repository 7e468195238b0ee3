"""TIMIT and LibriSpeech: layout, sides of the protocols, transcripts and phones, what is broken."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets import librispeech, timit
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.recipes import recipe_for
from biosig_lstm.windows.utterance import Utterance, transcript_of


@pytest.fixture
def disc(tmp_path):
    timit.write_sample(tmp_path)
    return tmp_path


@pytest.fixture
def books(tmp_path):
    librispeech.write_sample(tmp_path)
    return tmp_path


def test_sphere_files_are_read_at_their_rate_in_parts_of_full_scale(disc):
    recording = next(datasets.get("timit", disc).recordings("FCJF0/SX37"))
    assert (disc / "TRAIN/DR1/FCJF0/SX37.WAV").read_bytes().startswith(b"NIST_1A\n   1024\n")
    assert (recording.fs, recording.units, recording.n_samples) == (16_000, ("FS",), 6800)
    assert np.abs(recording.signals).max() < 1


def test_phones_are_folded_to_39_without_the_glottal_stop(disc):
    marks = next(datasets.get("timit", disc).recordings("FCJF0/SX37")).annotations
    assert marks.labels.tolist() == ["sil", "sh", "iy", "sil"]
    assert marks.starts.tolist() == [0, 2000, 3400, 5300]
    assert marks.stops.tolist() == [2000, 3400, 5000, 6800]
    folded = next(datasets.get("timit", disc).recordings("MDAB0/SX49")).annotations.labels.tolist()
    assert folded == ["sil", "sil", "t", "uw", "sil"]


def test_fold_holds_61_phones_and_39_are_left():
    assert len(timit.PHONES_39) == 60
    assert len(set(timit.PHONES_39.values())) == 39
    assert set(timit.PHONES_39.values()) == set(datasets.card("timit").classes)


@pytest.mark.parametrize(
    ("labels", "said"),
    [("phones61", "h# sh iy q h#"), ("phones39", "sil sh iy sil"), ("words", "she"), ("text", "She.")],
)
def test_every_kind_of_label_gives_a_transcript(disc, labels, said):
    recording = next(datasets.get("timit", disc, labels=labels).recordings("FCJF0/SX37"))
    label = "" if labels.startswith("phones") else "transcript"
    assert transcript_of(recording, label=label) == said
    assert Utterance(label)(recording).texts.tolist() == [said]


def test_timit_sides_are_train_development_and_core_test_without_the_shared_sentences(disc):
    plan = datasets.get("timit", disc).resolve(datasets.get_protocol("timit"))
    assert plan.train == ("FCJF0/SX37", "MARC0/SI558")
    assert (plan.val, plan.test) == (("FAKS0/SX43",), ("MDAB0/SX49",))
    assert len(timit.CORE_TEST) == 24
    assert len(timit.DEVELOPMENT) == 50
    assert not timit.CORE_TEST & timit.DEVELOPMENT


def test_names_in_small_letters_and_copies_turned_into_riff_are_found(disc):
    folder = disc / "TRAIN/DR1/FCJF0"
    for path in sorted(folder.iterdir()):
        path.rename(path.with_name(path.name.lower()))
    folder.rename(folder.with_name("fcjf0"))
    folder = folder.with_name("fcjf0")
    (folder / "sx37.wav").rename(folder / "sx37.wav.wav")
    data = datasets.get("timit", disc)
    assert {"FCJF0/SX37", "FCJF0/SA1"} <= set(data.record_names)
    assert next(data.recordings("FCJF0/SX37")).annotations.labels.tolist() == ["sil", "sh", "iy", "sil"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0 2000 h#\n2000 3400 xx\n", "phone 'xx'"),
        ("0 2000\n", "a line must be start, stop and a label, got '0 2000'"),
        ("zero 2000 h#\n", "a line .* got 'zero 2000 h#'"),
    ],
)
def test_phones_that_cannot_be_read_are_named(disc, text, why):
    (disc / "TRAIN/DR1/FCJF0/SX37.PHN").write_text(text, encoding="ascii")
    with pytest.raises(DataError, match=f"FCJF0/SX37 cannot be read: .*SX37.PHN: {why}"):
        next(datasets.get("timit", disc).recordings("FCJF0/SX37"))


def test_missing_phones_and_unknown_labels_are_named(disc):
    (disc / "TRAIN/DR1/FCJF0/SX37.PHN").unlink()
    with pytest.raises(DataError, match=r"SX37.WAV: no SX37.PHN beside it"):
        next(datasets.get("timit", disc).recordings("FCJF0/SX37"))
    with pytest.raises(ParameterError, match=r"labels 'phones48'; .*possible: phones39"):
        datasets.get("timit", disc, labels="phones48")


def test_marks_beyond_the_end_stop_with_the_sound(disc):
    path = disc / "TRAIN/DR1/FCJF0/SX37.PHN"
    path.write_text(path.read_text(encoding="ascii").replace("6800", "9999"), encoding="ascii")
    assert next(datasets.get("timit", disc).recordings("FCJF0/SX37")).annotations.stops.max() == 6800


def test_librispeech_sides_are_its_subsets(books):
    data = datasets.get("librispeech", books)
    plan = data.resolve(datasets.get_protocol("librispeech-100"))
    assert plan.train == ("103-1240-0000",)
    assert (plan.val, plan.test) == (("84-121123-0000",), ("1089-134686-0000",))
    assert data.records_of(datasets.get_protocol("librispeech-960-other"), "test") == ("367-130732-0000",)
    hours = {"librispeech-100": 1, "librispeech-460": 2, "librispeech-460-other": 2, "librispeech-960": 3}
    for name, count in hours.items():
        assert len(data.records_of(datasets.get_protocol(name), "train")) == count
    assert data.subject_of("1089-134686-0000") == "librispeech-1089"


def test_a_missing_subset_of_several_is_told(books):
    shutil.rmtree(books / "train-clean-360")
    data = datasets.get("librispeech", books)
    told = "librispeech-460: train-clean-360 of its train side is not there: .* not comparable"
    with pytest.warns(BiosigWarning, match=told):
        assert data.resolve(datasets.get_protocol("librispeech-460")).train == ("103-1240-0000",)
    assert data.resolve(datasets.get_protocol("librispeech-100")).train == ("103-1240-0000",)
    shutil.rmtree(books / "train-other-500")
    with pytest.warns(BiosigWarning, match="train-clean-360 and train-other-500 of its train side are not there"):
        datasets.get("librispeech", books).resolve(datasets.get_protocol("librispeech-960"))


def test_every_protocol_of_librispeech_has_a_recipe():
    for name in datasets.card("librispeech").protocols:
        assert recipe_for(name).name == "librispeech"


def test_librispeech_transcript_is_the_note_over_the_whole_recording(books):
    recording = next(datasets.get("librispeech", books).recordings("1089-134686-0000"))
    assert transcript_of(recording) == "HE HOPED THERE WOULD BE STEW"
    assert recording.annotations.stops.tolist() == [recording.n_samples]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "103-1240.trans.txt are not in"),
        ("103-1240-0001 ONE\n", "no transcript of 103-1240"),
        ("103-1240-0000 CAF\xc9\n", r"103-1240.trans.txt: transcripts must be UTF-8, byte 17 is not"),
    ],
)
def test_missing_transcripts_are_named(books, text, why):
    path = books / "train-clean-100/103/1240/103-1240.trans.txt"
    path.unlink()
    if text:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(DataError, match=why):
        next(datasets.get("librispeech", books).recordings("103-1240-0000"))
