"""Speech Commands: the layout of the archive, the official lists, twelve classes, silence."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.containers import Recording
from biosig_lstm.datasets import speech_commands
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.formats.audio import read_audio, write_audio

NAMES = ["speech-commands-v2-12", "speech-commands-v2-35", "speech-commands-v1-12", "speech-commands-v1-30"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    speech_commands.write_sample(tmp_path)
    return tmp_path


def opened(root: Path, name: str) -> tuple[datasets.Dataset, Protocol]:
    plan = datasets.get_protocol(name)
    data = datasets.get(plan.dataset, root, **plan.settings)
    return data, data.resolve(plan)


@pytest.mark.parametrize(("name", "classes"), list(zip(NAMES, [12, 35, 12, 30], strict=True)))
def test_sides_follow_the_official_lists_and_share_no_speaker(root: Path, name: str, classes: int) -> None:
    data, plan = opened(root, name)
    assert len(plan.classes) == classes
    listed = {
        side: set((root / file).read_text().split())
        for side, file in (("val", "validation_list.txt"), ("test", "testing_list.txt"))
    }
    for side in ("train", "val", "test"):
        records = [record for record in getattr(plan, side) if not record.startswith("silence/")]
        assert records
        for record in records:
            assert (f"{record}.wav" in listed["val"], f"{record}.wav" in listed["test"]) == (
                side == "val",
                side == "test",
            )
    people = [{data.subject_of(r) for r in getattr(plan, side)} for side in ("train", "val", "test")]
    assert not people[0] & people[1]
    assert not people[0] & people[2]
    assert not people[1] & people[2]


def test_thirty_five_words_are_labels_as_the_folders_say(root: Path) -> None:
    data, plan = opened(root, "speech-commands-v2-35")
    assert plan.test == tuple(f"{word}/11d4e5f6_nohash_0" for word in ("cat", "go", "no", "yes", "zero"))
    assert [r.annotations.labels.tolist() for r in data.recordings(plan.test)] == [
        ["cat"], ["go"], ["no"], ["yes"], ["zero"]
    ]  # fmt: skip
    assert data.subject_of("cat/11d4e5f6_nohash_0") == "speech_commands-11d4e5f6"
    assert len(data) == 20


def test_a_word_of_version_two_is_in_no_protocol_of_version_one(root: Path) -> None:
    (root / "visual").mkdir()
    (root / "go" / "33d0e1f2_nohash_0.wav").rename(root / "visual" / "33d0e1f2_nohash_0.wav")
    assert "visual/33d0e1f2_nohash_0" in opened(root, "speech-commands-v2-35")[1].train
    assert "visual/33d0e1f2_nohash_0" not in opened(root, "speech-commands-v1-30")[1].train


def test_twelve_classes_have_a_tenth_of_other_words_and_silence(root: Path) -> None:
    data, plan = opened(root, "speech-commands-v2-12")
    labels = Counter(r.annotations.labels.tolist()[0] for r in data.recordings(plan.train))
    assert set(labels) == {"yes", "no", "go", "unknown", "silence"}
    assert labels["unknown"] == 1
    assert set(labels) <= set(plan.classes)
    again, plan_again = opened(root, "speech-commands-v2-12")
    assert plan_again.train == plan.train
    assert len(again) == len(data)


@pytest.mark.parametrize("n_samples", [320000, 320001, 320007, 326409])
def test_seconds_of_silence_overlap_on_one_side_alone(root: Path, n_samples: int) -> None:
    file = root / "_background_noise_" / "white_noise.wav"
    noise = np.random.default_rng(1).normal(0, 0.05, (1, n_samples))
    write_audio(Recording(noise, 16000, ["sound"], ["FS"]), file)
    data, plan = opened(root, "speech-commands-v2-12")
    whole = read_audio(file)
    heard: dict[str, set[int]] = {}
    for side in ("train", "val", "test"):
        records = [record for record in getattr(plan, side) if record.startswith("silence/")]
        assert records
        heard[side] = set()
        for recording in data.recordings(records):
            first = int(recording.id.rpartition("-")[2]) * 16
            np.testing.assert_array_equal(recording.signals, whole.signals[:, first : first + 16000])
            heard[side] |= set(range(first, first + 16000))
    assert not heard["train"] & heard["test"]
    assert not heard["train"] & heard["val"]
    assert not heard["val"] & heard["test"]
    assert min(map(len, heard.values())) > n_samples // 10 - 1700  # no more than a step of 0.1 s is left over


def test_a_list_that_is_not_there_is_named(root: Path) -> None:
    (root / "testing_list.txt").unlink()
    with pytest.raises(DataError, match=r"testing_list\.txt: the official list cannot be read"):
        opened(root, "speech-commands-v2-35")


def test_labels_of_no_kind_are_refused(root: Path) -> None:
    with pytest.raises(ParameterError, match="labels '35'; possible: "):
        datasets.get("speech_commands", root, labels="35")


def test_a_file_that_is_no_sound_is_named(root: Path) -> None:
    (root / "go" / "11d4e5f6_nohash_0.wav").write_bytes(b"x")
    data, _ = opened(root, "speech-commands-v2-35")
    with pytest.raises(DataError, match="record go/11d4e5f6_nohash_0 cannot be read"):
        list(data.recordings(["go/11d4e5f6_nohash_0"]))
