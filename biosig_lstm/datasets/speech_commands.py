"""Speech Commands: single words in English by thousands of speakers, a second each, with the official lists."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.datasets._challenge import LargeDataset
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.formats.audio import open_audio, read_audio, write_audio

__all__ = ["CLASSES_12", "DATASET", "KEYWORDS", "WORDS_V1", "WORDS_V2", "SpeechCommands", "write_sample"]

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
"""The ten words of the task with twelve classes."""

CLASSES_12 = (*KEYWORDS, "silence", "unknown")
"""The classes of the task as Warden 2018 sets it."""

WORDS_V1 = (
    "bed", "bird", "cat", "dog", "down", "eight", "five", "four", "go", "happy", "house", "left", "marvin", "nine",
    "no", "off", "on", "one", "right", "seven", "sheila", "six", "stop", "three", "tree", "two", "up", "wow", "yes",
    "zero",
)  # fmt: skip
"""The thirty words of version 0.01."""

WORDS_V2 = tuple(sorted({*WORDS_V1, "backward", "follow", "forward", "learn", "visual"}))
"""The thirty-five words of version 0.02."""

_LABELS = ("words", "12")
_NOISE = "_background_noise_"
_SILENCE = "silence"
_FILE = re.compile(r"([0-9a-f]+)_nohash_\d+\.wav")
_LISTS = {"val": "validation_list.txt", "test": "testing_list.txt"}
_UNKNOWN_SHARE = 0.1
_PIECE_MS, _STEP_MS = 1000, 100
_NOISE_SIDES = {"train": (0.0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}


@dataclass(frozen=True, repr=False)
class SpeechCommands(LargeDataset):
    """The archive as it is unpacked: ``yes/0a7c2a8d_nohash_0.wav``, the two lists, ``_background_noise_``.

    Parameters
    ----------
    labels : str
        ``"words"``: each recording is the word of its folder. ``"12"``: ten words keep their names, all others are
        ``unknown``, and seconds of the background noise are ``silence``.

    Raises
    ------
    ParameterError
        When there is no such kind of label.

    Notes
    -----
    A record is a word, ``yes/0a7c2a8d_nohash_0``, its subject the speaker: what stands before ``_nohash_``. Records of
    silence, ``silence/white_noise-12300``, begin at so many milliseconds of a noise file. The first eight tenths of
    each noise file are for training, the ninth for validation and the last for the test: no sample is on two sides.
    Of the words that are ``unknown``, each side has a tenth as many as it has keywords, always the same ones, as in the
    authors' own code; which ones is this package's choice, by a hash of the name.
    """

    labels: str = "words"

    def __post_init__(self) -> None:
        if self.labels not in _LABELS:
            raise ParameterError(f"{self.card.name}: labels {options(self.labels, _LABELS)}")

    def find_records(self) -> set[str]:
        """Return the names of the words at the root, and of the seconds of silence where there are twelve classes."""
        return set(self.words) | (set(self.silences) if self.labels == "12" else set())

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Records of words that were there when they were first asked for, sorted."""
        files = (path for word in WORDS_V2 if (self.root / word).is_dir() for path in (self.root / word).iterdir())
        return tuple(sorted(f"{path.parent.name}/{path.stem}" for path in files if _FILE.fullmatch(path.name)))

    @cached_property
    def silences(self) -> dict[str, str]:
        """The side of each second of background noise: ``train``, ``val`` or ``test``."""
        return {
            f"{_SILENCE}/{path.stem}-{start_ms}": side
            for path in sorted((self.root / _NOISE).glob("*.wav"))
            for side, start_ms in _pieces(open_audio(path).duration_s)
        }

    def subject_of(self, record: str) -> str:
        """Return a name of the speaker that no other database has: ``speech_commands-0a7c2a8d``."""
        word, _, name = record.partition("/")
        if word == _SILENCE:
            return f"{self.name}-noise-{name.rpartition('-')[0]}-{self.silences.get(record, '')}"
        return f"{self.name}-{name.partition('_nohash_')[0]}"

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides, by the lists at the root.

        Raises
        ------
        DataError
            When a list is not there.
        """
        wanted = set(protocol.classes) if self.labels == "words" else set(WORDS_V2)
        train, val, test = (self._side(side, wanted) for side in ("train", "val", "test"))
        return replace(protocol, train=train, val=val, test=test)

    def _side(self, side: str, wanted: set[str]) -> tuple[str, ...]:
        words = [record for record in self.words if self._side_of(record) == side and _word(record) in wanted]
        if self.labels == "words":
            return tuple(words)
        keywords = [record for record in words if _word(record) in KEYWORDS]
        others = [record for record in words if _word(record) not in KEYWORDS]
        silences = [record for record, where in self.silences.items() if where == side]
        return (*keywords, *_sample(others, math.ceil(_UNKNOWN_SHARE * len(keywords))), *silences)

    def _side_of(self, record: str) -> str:
        return next((side for side, names in self._lists.items() if record in names), "train")

    @cached_property
    def _lists(self) -> dict[str, frozenset[str]]:
        return {side: frozenset(_listed(self.root / name)) for side, name in _LISTS.items()}

    def read(self, record: str) -> Recording:
        """Return one word, or a second of silence, with its label.

        Raises
        ------
        DataError
            When its file is not there or is not sound.
        """
        word, _, name = record.partition("/")
        if word == _SILENCE:
            file, _, start_ms = name.rpartition("-")
            start_s, stop_s = int(start_ms) / 1000, (int(start_ms) + _PIECE_MS) / 1000
            recording = read_audio(self.root / _NOISE / f"{file}.wav", start_s=start_s, stop_s=stop_s)
        else:
            recording = read_audio(self.root / word / f"{name}.wav")
        label = word if self.labels == "words" or word in CLASSES_12 else "unknown"
        return recording.with_annotations(Annotations([0], [recording.n_samples], [label]))


DATASET = SpeechCommands


def _word(record: str) -> str:
    return record.partition("/")[0]


def _pieces(duration_s: float) -> Iterable[tuple[str, int]]:
    """Yield the side and the start in milliseconds of each second of a noise file."""
    length_ms = 1000 * duration_s
    for side, (first, last) in _NOISE_SIDES.items():
        starts_ms = range(math.ceil(first * length_ms), math.floor(last * length_ms) - _PIECE_MS + 1, _STEP_MS)
        yield from ((side, start_ms) for start_ms in starts_ms)


def _sample(records: list[str], count: int) -> list[str]:
    return sorted(sorted(records, key=lambda record: hashlib.sha256(record.encode()).digest())[:count])


def _listed(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the official list cannot be read; it comes with the archive: {error}") from error
    return [line.removesuffix(".wav") for line in lines]


_SAMPLE_FS_HZ = 16000
_SAMPLE_WORDS = {"yes": 500.0, "no": 900.0, "go": 1400.0, "cat": 2000.0, "zero": 2700.0}
_SAMPLE_SPEAKERS = ("00a1b2c3", "11d4e5f6", "22a7b8c9", "33d0e1f2")


def write_sample(root: str | Path) -> None:
    """Write generated words of four speakers in the layout of the archive: a tone for each word, noise, the lists.

    They are told apart with ease, which real words are not.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    rng = np.random.default_rng(0)
    t = np.arange(_SAMPLE_FS_HZ) / _SAMPLE_FS_HZ
    for word, hz in _SAMPLE_WORDS.items():
        (folder / word).mkdir(parents=True, exist_ok=True)
        for speaker in _SAMPLE_SPEAKERS:
            sound = 0.2 * np.hanning(len(t)) * np.sin(2 * np.pi * hz * rng.uniform(0.98, 1.02) * t)
            _write(sound + rng.normal(0, 0.001, len(t)), folder / word / f"{speaker}_nohash_0.wav")
    (folder / _NOISE).mkdir(exist_ok=True)
    _write(rng.normal(0, 0.05, 20 * _SAMPLE_FS_HZ), folder / _NOISE / "white_noise.wav")
    for speaker, name in zip(_SAMPLE_SPEAKERS, _LISTS.values(), strict=False):
        lines = [f"{word}/{speaker}_nohash_0.wav\n" for word in _SAMPLE_WORDS]
        (folder / name).write_text("".join(lines), encoding="utf-8", newline="\n")


def _write(sound: npt.NDArray[np.floating], path: Path) -> None:
    write_audio(Recording(sound[None].astype(np.float32), _SAMPLE_FS_HZ, ["sound"], ["FS"]), path)
