"""Free Spoken Digit Dataset: the ten digits in English, each said 50 times by each of six speakers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.datasets._challenge import LargeDataset
from biosig_lstm.datasets._named_files import NamedFiles
from biosig_lstm.formats.audio import read_audio, write_audio

__all__ = ["DATASET", "DIGITS", "Fsdd", "write_sample"]

DIGITS = tuple("0123456789")
"""The labels."""

_CLASSIC_TEST = range(5)


@dataclass(frozen=True, repr=False)
class Fsdd(NamedFiles, LargeDataset):
    """The files as they are published: ``recordings/7_jackson_32.wav`` is the 32nd time that Jackson says seven.

    Files are known by their names, in whatever folders they lie; of several of one name the one least deep is read,
    and of those the first by its path.

    Notes
    -----
    A record is a word, ``7_jackson_32``, its subject the speaker, ``fsdd-jackson``, its label the digit. Speakers of
    your own may have any name without an underscore; capitals make no other speaker.
    """

    file_name: ClassVar[re.Pattern[str]] = re.compile(r"(\d_[^_]+_\d+)\.wav", re.IGNORECASE)

    def subject_of(self, record: str) -> str:
        """Return a name of the speaker that no other database has for a person: ``fsdd-jackson``."""
        return f"{self.name}-{record.split('_')[1].lower()}"

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides: those of the first five times are the test set."""
        if protocol.open:
            return protocol
        sides = {
            side: tuple(sorted(record for record in self.paths if _side(record) in folds))
            for side, folds in protocol.folds.items()
        }
        both = {self.subject_of(record) for record in sides["train"]} & set(map(self.subject_of, sides["test"]))
        return replace(protocol, **sides, shared_subjects=tuple(sorted(both)))  # type: ignore[arg-type]

    def read(self, record: str) -> Recording:
        """Return one word with its digit.

        Raises
        ------
        DataError
            When its file is not there or is not sound.
        """
        recording = read_audio(self.path_of(record))
        return recording.with_annotations(Annotations([0], [recording.n_samples], [record[0]]))


DATASET = Fsdd


def _side(record: str) -> str:
    return "first five" if int(record.rpartition("_")[2]) in _CLASSIC_TEST else "others"


_SAMPLE_FS_HZ = 8000
_SAMPLE_SPEAKERS = {"ada": 120.0, "ben": 150.0}


def write_sample(root: str | Path) -> None:
    """Write ten generated words of each of two speakers in the layout of the database: a chord for each digit.

    They are told apart with ease, which real words are not.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root) / "recordings"
    folder.mkdir(parents=True, exist_ok=True)
    for speaker, pitch_hz in _SAMPLE_SPEAKERS.items():
        for digit in DIGITS:
            for number in (0, 7):
                rng = np.random.default_rng([len(speaker), round(pitch_hz), int(digit), number])
                word = _word(int(digit), pitch_hz, rng)
                write_audio(
                    Recording(word, _SAMPLE_FS_HZ, ["sound"], ["FS"]), folder / f"{digit}_{speaker}_{number}.wav"
                )


def _word(digit: int, pitch_hz: float, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    t = np.arange(round(_SAMPLE_FS_HZ * rng.uniform(0.3, 0.4))) / _SAMPLE_FS_HZ
    formants = np.array([300 + 60 * digit, 2800 - 180 * digit])[:, None] * rng.uniform(0.97, 1.03)
    tones = np.sin(2 * np.pi * formants * t) * (1 + 0.5 * np.sin(2 * np.pi * pitch_hz * t))
    word = 0.2 * np.hanning(len(t)) * tones.sum(axis=0) + rng.normal(0, 0.001, len(t))
    return np.asarray(word[None], dtype=np.float32)
