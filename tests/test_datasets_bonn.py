"""The Bonn EEG segments: the names that circulate, groupings, what the real files say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets import bonn
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.scoring.tasks import task
from biosig_lstm.windows import WholeRecording


@pytest.fixture
def root(tmp_path: Path) -> Path:
    bonn.write_sample(tmp_path)
    return tmp_path


def test_a_segment_is_a_record_and_a_subject_with_its_set_as_label(root: Path) -> None:
    data = datasets.get("bonn", root)
    assert data.record_names == ("F001", "F002", "N001", "N002", "O001", "O002", "S001", "S002", "Z001", "Z002")
    for recording in data.recordings():
        assert (recording.fs, recording.channels, recording.units) == (173.61, ("EEG",), ("uV",))
        assert recording.subject == f"bonn-{recording.id}"
        mark = recording.annotations
        assert (mark.labels.tolist(), mark.starts.tolist(), mark.stops.tolist()) == ([recording.id[0]], [0], [4097])
        assert "unit" in recording.history[0]


def test_values_are_those_that_numpy_reads(root: Path) -> None:
    (recording,) = datasets.get("bonn", root).recordings(["N002"])
    np.testing.assert_array_equal(recording.signals[0], np.loadtxt(root / "N" / "N002.TXT"))


@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        ("sets", ["F", "N", "O", "S", "Z"]),
        ("states", ["interictal", "interictal", "healthy", "ictal", "healthy"]),
        ("seizure", ["seizure-free", "seizure-free", "seizure-free", "seizure", "seizure-free"]),
    ],
)
def test_groupings_as_the_field_has_them(root: Path, grouping: str, expected: list[str]) -> None:
    data = datasets.get("bonn", root, grouping=grouping)
    chosen = ["F001", "N001", "O001", "S001", "Z001"]
    assert [r.annotations.labels.tolist() for r in data.recordings(chosen)] == [[name] for name in expected]


def test_a_grouping_that_is_none_is_refused(root: Path) -> None:
    with pytest.raises(ParameterError, match=r"grouping 'six'; possible: "):
        datasets.get("bonn", root, grouping="six")


@pytest.mark.parametrize("name", ["bonn", "bonn-3", "bonn-2"])
def test_every_segment_has_one_of_the_classes_of_each_protocol(root: Path, name: str) -> None:
    protocol = datasets.get_protocol(name)
    assert protocol.open
    assert task(protocol.task).counted == "items"
    assert "no patient-wise figure" in protocol.notes
    data = datasets.get("bonn", root, **protocol.settings)
    cut = WholeRecording(classes=protocol.classes)
    found = np.concatenate([cut(recording).y for recording in data.recordings()])
    assert set(found.tolist()) == set(range(len(protocol.classes)))


@pytest.mark.parametrize("place", ["z001.txt", "z/Z001.TXT", "setA/Z/z001.Txt", "Z001.txt"])
def test_files_are_known_by_name_whatever_the_case_and_the_folder(tmp_path: Path, place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text("\n".join(map(str, range(4097))))
    (tmp_path / "notes.txt").write_text("not a segment")
    (recording,) = datasets.get("bonn", tmp_path).recordings()
    assert recording.id == "Z001"
    assert recording.annotations.labels.tolist() == ["Z"]
    assert recording.signals[0, -1] == 4096


def test_of_several_files_of_one_name_the_least_deep_is_read(root: Path) -> None:
    (root / "z001.txt").write_text("7\n" * 4097)
    for folder, name in ((root / "copy", "Z001.txt"), (root / "copy" / "set" / "z", "z001.txt")):
        folder.mkdir(parents=True)
        (folder / name).write_text("9\n" * 4097)
    data = datasets.get("bonn", root)
    (recording,) = data.recordings("Z001")
    assert set(recording.signals[0].tolist()) == {7.0}
    assert len(data) == 10


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "holds 0 numbers"),
        ("1\ntwo\n3\n", "a line must be one number: .*two"),
        ("1\nnan\n3\n", "not all of them finite"),
        ("1\ninf\n3\n", "not all of them finite"),
    ],
)
def test_a_file_of_anything_else_is_refused_by_name(root: Path, text: str, match: str) -> None:
    (root / "Z" / "Z001.txt").write_text(text)
    with pytest.raises(DataError, match=rf"(?s)record Z001 cannot be read: .*Z001\.txt.*{match}"):
        list(datasets.get("bonn", root).recordings("Z001"))


def test_a_segment_of_another_length_is_read_under_a_warning(root: Path) -> None:
    (root / "Z" / "Z001.txt").write_text("5\n" * 4096)
    with pytest.warns(BiosigWarning, match=r"Z001\.txt: holds 4096 numbers, a segment has 4097"):
        (recording,) = datasets.get("bonn", root).recordings("Z001")
    assert recording.annotations.stops.tolist() == [4096]


def test_a_segment_that_went_away_is_named(root: Path) -> None:
    data = datasets.get("bonn", root)
    assert "Z001" in data.record_names
    (root / "Z" / "Z001.txt").unlink()
    with pytest.raises(DataError, match=r"bonn: record Z001 cannot be read: .*Z001"):
        list(data.recordings("Z001"))
    with pytest.raises(DataError, match=r"no file of Z077 in "):
        data.read("Z077")


def test_the_card_names_500_segments() -> None:
    card = datasets.card("bonn")
    assert len(card.records) == 500
    assert {name[0] for name in card.records} == set("ZONFS")


def test_real_segments(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("bonn", data_root("bonn"))
    assert len(data) > 100
    chosen = [next(name for name in data.record_names if name[0] == letter) for letter in "ZONFS"]
    sizes = {}
    for recording in data.recordings(chosen):
        assert recording.n_samples == 4097
        assert recording.duration_s == pytest.approx(23.6, abs=0.01)
        sizes[recording.id[0]] = float(recording.signals.std())
    assert all(10 < size < 1000 for size in sizes.values())
    assert max(sizes, key=lambda letter: sizes[letter]) == "S"


def test_a_folder_that_is_not_there_says_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"is not in .*nowhere; download version 2001 from https://doi\.org/10\.34810/data490"
    ):
        datasets.get("bonn", tmp_path / "nowhere")
