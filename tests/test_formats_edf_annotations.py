"""Annotations of EDF+ and BDF+ files against MNE, and TALs as the standard has them or not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest
from edf_files import EdfFile, eeg, tal
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats._edf_data import Tal, parse_tals
from biosig_lstm.formats.eeg import open_edf, read_edf_annotations, read_eeg

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12)
TIMES = st.integers(-(10**9), 10**9).map(lambda n: n / 1e4)


def listed(recording: Recording) -> list[tuple[float, float, str]]:
    """Return onset and duration in seconds, and label, of each annotation."""
    marks = recording.annotations
    fs = recording.fs
    return sorted(
        (int(a) / fs, int(b - a) / fs, str(label))
        for a, b, label in zip(marks.starts, marks.stops, marks.labels, strict=True)
    )


def by_mne(path: Path) -> list[tuple[float, float, str]]:
    """Return MNE's annotations of a file with signals, cut to the recording as MNE does."""
    with warnings.catch_warnings(action="ignore"):
        marks = mne.io.read_raw(path, verbose="error").annotations
    return sorted((float(one["onset"]), float(one["duration"]), str(one["description"])) for one in marks)


@given(TIMES, st.none() | TIMES.map(abs), st.lists(TEXTS, min_size=1, max_size=3))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_tals_come_back_as_they_were_written(onset_s: float, duration_s: float | None, texts: list[str]) -> None:
    raw = tal(0.5, None, "") + tal(onset_s, duration_s, "\x14".join(texts)) + b"\x00" * 7 + tal(1, 2, "last")
    found, wrong = parse_tals(raw)
    assert wrong == []
    assert found[0] == Tal(0.5, 0.0, "")
    assert found[1:-1] == [Tal(onset_s, duration_s or 0.0, text) for text in texts]
    assert found[-1] == Tal(1.0, 2.0, "last")


@given(st.binary(max_size=80))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_bytes_are_annotations_or_pieces_that_are_none(raw: bytes) -> None:
    found, wrong = parse_tals(raw)
    assert all(isinstance(one, Tal) for one in found)
    assert b"".join(wrong).replace(b"\x00", b"") in raw.replace(b"\x00", b"") or len(wrong) > 1


@pytest.mark.parametrize("bdf", [False, True])
def test_annotations_are_mnes(tmp_path: Path, bdf: bool) -> None:
    tals = {0: [(0.5, 1, "blink"), (0.5, 1, "spike"), (2, None, "Ereignis ä 仰卧")], 2: [(3.25, 0.75, "seizure")]}
    kind = "BDF+C" if bdf else "EDF+C"
    path = EdfFile([eeg(width=100)], kind=kind, tals=tals, bdf=bdf).write(tmp_path / f"file.{kind[:3].lower()}")
    assert listed(read_eeg(path)) == by_mne(path)
    assert listed(read_eeg(path))[0] == (0.5, 1.0, "blink")


def test_what_overlaps_an_end_is_cut_and_what_lies_outside_is_left_out(tmp_path: Path) -> None:
    tals = {0: [(-1, 1.5, "before"), (3, 10, "after"), (-3, 1, "long ago"), (30, 1, "later"), (4, None, "stop")]}
    path = EdfFile([eeg(width=100)], kind="EDF+C", tals=tals).write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match="2 annotations before the beginning or beyond the end left out"):
        got = read_eeg(path)
    assert listed(got) == [(0.0, 0.5, "before"), (3.0, 1.0, "after")]
    theirs = [one for one in by_mne(path) if one[2] != "stop"]  # MNE keeps an instant that is at the very end
    assert [(max(a, 0.0), round(b, 6), c) for a, b, c in theirs] == listed(got)
    assert len(read_edf_annotations(path)) == 5


@pytest.mark.parametrize("fraction", [0.25, 0.999])
def test_onsets_count_from_the_first_sample_where_it_comes_a_fraction_late(tmp_path: Path, fraction: float) -> None:
    onsets = [fraction + k for k in range(4)]
    tals = {1: [(fraction + 1.5, 0.5, "event")]}
    path = EdfFile([eeg(width=100)], kind="EDF+C", onsets=onsets, tals=tals).write(tmp_path / "file.edf")
    assert listed(read_eeg(path)) == [(1.5, 0.5, "event")]
    np.testing.assert_allclose([one[:2] for one in by_mne(path)], [(1.5, 0.5)], atol=1e-9)
    assert read_edf_annotations(path)[0][0] == pytest.approx(1.5)


def test_several_annotation_signals_are_all_read(tmp_path: Path) -> None:
    file = EdfFile([eeg(width=100)], kind="EDF+C", annotation_signals=3, tals={1: [(1.5, None, "a")]})
    path = file.write(tmp_path / "file.edf")
    assert listed(read_eeg(path)) == by_mne(path) == [(1.5, 0.0, "a")]


def test_annotations_of_a_stretch_are_those_of_the_whole_that_lie_in_it(tmp_path: Path) -> None:
    tals = {3: [(0.5, 1, "x"), (1.2, None, "y"), (2.5, 1, "z")]}
    record = open_edf(EdfFile([eeg(width=100)], kind="EDF+C", tals=tals).write(tmp_path / "file.edf"))
    part = record.read(start_s=1, stop_s=3)
    assert part.annotations == record.read().annotations.crop(start=100, stop=300)
    assert len(part.annotations) == 3
    assert len(record.read(annotations=False).annotations) == 0


def test_annotations_of_one_channel_name_it_in_their_note(tmp_path: Path) -> None:
    tals = {0: [(1, None, "spike@@Fp1"), (2, None, "mail a@@b")]}
    path = EdfFile([eeg("Fp1", width=100)], kind="EDF+C", tals=tals).write(tmp_path / "file.edf")
    marks = read_eeg(path).annotations
    assert (marks.labels.tolist(), marks.notes.tolist()) == (["spike", "mail a@@b"], ["Fp1", ""])
    assert [text for _, _, text in by_mne(path)] == marks.labels.tolist()


@pytest.mark.parametrize(
    "raw", [b"noon\x14lunch\x14\x00", b"+\x14x\x14\x00", b"5\x14x\x14\x00", b"+1.2.3\x14x\x14\x00"]
)
def test_an_annotation_that_cannot_be_read_costs_no_other_and_no_recording(tmp_path: Path, raw: bytes) -> None:
    file = EdfFile([eeg(width=100)], kind="EDF+C", tals={1: [(1, None, "good")]}, raw_tals={0: raw, 1: raw})
    path = file.write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match="2 annotations that cannot be read left out, the first is"):
        got = read_eeg(path)
    assert listed(got) == [(1.0, 0.0, "good")]
    assert any("2 annotations that cannot be read" in line for line in got.history)
    with pytest.warns(BiosigWarning, match="2 annotations that cannot be read"):
        assert read_edf_annotations(path) == [(1.0, 0.0, "good")]


def test_text_that_is_not_utf8_is_latin1_and_an_endless_onset_is_left_out(tmp_path: Path) -> None:
    raw = b"+1\x14\xe4ndern\x14\x00" + b"+" + b"9" * 100 + b"\x1530\x14far\x14\x00"
    path = EdfFile([eeg(width=100)], kind="EDF+C", raw_tals={0: raw}).write(tmp_path / "file.edf")
    with pytest.warns(BiosigWarning, match="1 annotations before the beginning or beyond"):
        assert listed(read_eeg(path)) == [(1.0, 0.0, "ändern")]


def test_time_stamps_of_a_discontinuous_file_that_fail(tmp_path: Path) -> None:
    path = EdfFile([eeg()], kind="EDF+D", onsets=[0, 1, 1.5, 4]).write(tmp_path / "back.edf")
    with pytest.raises(DataError, match=r"data record 2 of a discontinuous file begins at 1.5 s, before record 1"):
        read_eeg(path)
    good = EdfFile([eeg()], kind="EDF+D", onsets=[0, 1, 5, 6]).write(tmp_path / "one.edf")
    raw = good.read_bytes().replace(b"+5\x14\x14", b"?5\x14\x14")
    (tmp_path / "lost.edf").write_bytes(raw)
    with pytest.warns(BiosigWarning, match="1 data records without a time stamp, taken to follow the one before"):
        got = open_edf(tmp_path / "lost.edf").read(annotations=False)
    missing = np.isnan(got.signals[0]).reshape(7, 8)
    assert missing.all(axis=1).tolist() == [False, False, False, True, True, True, False]
    assert missing.sum() == 3 * 8


def test_files_of_annotations_alone(tmp_path: Path) -> None:
    stages = {0: [(0, 30, "Sleep stage W"), (30, 60, "Sleep stage 1"), (90, 86400, "Sleep stage ?")]}
    path = EdfFile(kind="EDF+C", record_s=0, onsets=[0], tals=stages).write(tmp_path / "Hypnogram.edf")
    assert read_edf_annotations(path) == [
        (0.0, 30.0, "Sleep stage W"), (30.0, 60.0, "Sleep stage 1"), (90.0, 86400.0, "Sleep stage ?"),
    ]  # fmt: skip
    with pytest.raises(DataError, match="holds annotations alone, no signal; read_edf_annotations reads them"):
        read_eeg(path)
    with pytest.raises(DataError, match="has no annotation signal: plain EDF holds none"):
        read_edf_annotations(EdfFile([eeg()]).write(tmp_path / "plain.edf"))


def test_twenty_hypnograms_of_sleep_edf_are_mnes(data_root: Callable[[str], Path]) -> None:
    paths = sorted(data_root("sleep-edf-hypnograms").glob("*.edf"))
    assert len(paths) == 20
    for path in paths:
        found = read_edf_annotations(path)
        theirs = mne.read_annotations(path)
        assert [text for _, _, text in found] == theirs.description.tolist()
        np.testing.assert_array_equal([one[:2] for one in found], np.stack([theirs.onset, theirs.duration], axis=1))
        assert {text.removeprefix("Sleep stage ") for _, _, text in found} <= set("W1234R?") | {"Movement time"}
