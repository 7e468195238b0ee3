"""Connected digits: sequences are made of the words of one speaker, again the same, and say what their names say."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.datasets import connected_digits, fsdd
from biosig_lstm.datasets.connected_digits import compose
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.formats.audio import read_audio


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fsdd")
    fsdd.write_sample(root)
    return root


def test_sequences_say_what_their_names_say(words: Path, tmp_path: Path) -> None:
    files = compose(words, tmp_path, per_speaker=20)
    data = datasets.get("connected_digits", tmp_path)
    assert len(files) == len(data) == 40
    sizes = set()
    for recording in data.recordings():
        speaker, _, digits = recording.id.split("-")
        assert recording.annotations.labels.tolist() == ["transcript"]
        assert recording.annotations.notes.tolist() == [" ".join(digits)]
        assert recording.subject == f"fsdd-{speaker}"
        sizes.add(len(digits))
    assert sizes <= set(range(1, 8))
    assert len(sizes) > 4


def test_the_words_of_the_speaker_are_in_it_one_after_the_other(words: Path, tmp_path: Path) -> None:
    (first,) = compose(words, tmp_path, per_speaker=1)[:1]
    speaker, _, digits = first.stem.split("-")
    sequence = read_audio(first).signals[0]
    places = []
    for digit in digits:
        takes = [read_audio(path).signals[0] for path in words.rglob(f"{digit}_{speaker}_*.wav")]
        found = [int(np.correlate(sequence, take, "valid").argmax()) for take in takes]
        errors = [np.abs(sequence[at : at + len(take)] - take).max() for at, take in zip(found, takes, strict=True)]
        assert min(errors) < 1e-3
        places.append(found[int(np.argmin(errors))])
    if len(set(digits)) == len(digits):
        assert places == sorted(places)


def test_a_speakers_sequences_do_not_depend_on_the_others(words: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    alone.mkdir()
    for path in words.rglob("*_ben_*.wav"):
        shutil.copy(path, alone)
    together = [path for path in compose(words, tmp_path / "a", per_speaker=3) if path.stem.startswith("ben")]
    by_himself = compose(alone, tmp_path / "b", per_speaker=3)
    assert [path.name for path in together] == [path.name for path in by_himself]
    for one, other in zip(together, by_himself, strict=True):
        assert one.read_bytes() == other.read_bytes()
    another = compose(words, tmp_path / "c", per_speaker=3, seed=1)
    assert {path.name for path in another} != {path.name for path in compose(words, tmp_path / "a", per_speaker=3)}


def test_what_cannot_be_composed_is_refused(words: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no words of fsdd"):
        compose(tmp_path, tmp_path / "out")
    with pytest.raises(ParameterError, match="per_speaker must lie in 1 to 9999, got 0"):
        compose(words, tmp_path, per_speaker=0)
    connected_digits.write_sample(tmp_path / "s")
    with pytest.raises(DataError, match="george must be a speaker, a number and digits"):
        datasets.get("connected_digits", tmp_path / "s").read("george")


def test_real_words(data_root: Callable[[str], Path], tmp_path: Path) -> None:
    compose(data_root("fsdd"), tmp_path, per_speaker=2)
    for recording in datasets.get("connected_digits", tmp_path).recordings():
        assert recording.fs == 8000
        assert 0.3 < recording.duration_s < 10
        assert np.abs(recording.signals).max() > 0.01
