"""YesNo: one man says yes or no in Hebrew, eight words a recording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._named_files import NamedFiles
from biosig_lstm.formats.audio import read_audio, write_audio
from biosig_lstm.windows.utterance import TRANSCRIPT

__all__ = ["DATASET", "WORDS", "YesNo", "write_sample"]

WORDS = {"0": "no", "1": "yes"}
"""What a digit of a file's name says."""


@dataclass(frozen=True, repr=False)
class YesNo(NamedFiles):
    """The files as they are published: ``waves_yesno/0_1_0_0_0_1_1_0.wav``, eight words each.

    Files are known by their names, in whatever folders they lie; of several of one name the one least deep is read,
    and of those the first by its path.

    Notes
    -----
    The transcript, words of ``yes`` and ``no``, is the note of one annotation ``transcript`` over the whole recording:
    where each word lies was not published. One man says all; each recording is a subject of its own, so that those a
    model was trained on are kept apart from those it is scored on.
    """

    file_name: ClassVar[re.Pattern[str]] = re.compile(r"([01](?:_[01]){7})\.wav", re.IGNORECASE)

    def subject_of(self, record: str) -> str:
        """Return a name of the recording that no other database has for a person: ``yesno-0_1_0_0_0_1_1_0``."""
        return f"{self.name}-{record}"

    def read(self, record: str) -> Recording:
        """Return one recording with its transcript.

        Raises
        ------
        DataError
            When its file is not there or is not sound.
        """
        recording = read_audio(self.path_of(record))
        text = " ".join(WORDS[digit] for digit in record.split("_"))
        return recording.with_annotations(Annotations([0], [recording.n_samples], [TRANSCRIPT], [text]))


DATASET = YesNo

_FS_HZ = 8000
_SAMPLE = ("0_1_0_0_1_1_0_1", "1_0_0_1_0_1_1_0", "0_0_1_1_1_0_1_0", "1_1_0_0_0_1_0_1")
_TONES_HZ = {"0": (350.0, 900.0), "1": (500.0, 2200.0)}


def write_sample(root: str | Path) -> None:
    """Write four generated recordings in the layout of the corpus, a chord for each word with pauses between.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root) / "waves_yesno"
    folder.mkdir(parents=True, exist_ok=True)
    for seed, record in enumerate(_SAMPLE):
        rng = np.random.default_rng(seed)
        parts = [np.zeros(_FS_HZ // 4)]
        for digit in record.split("_"):
            t = np.arange(round(rng.uniform(0.25, 0.35) * _FS_HZ)) / _FS_HZ
            tones = sum(np.sin(2 * np.pi * hz * rng.uniform(0.97, 1.03) * t) for hz in _TONES_HZ[digit])
            parts += [0.2 * np.hanning(len(t)) * tones, np.zeros(round(rng.uniform(0.2, 0.3) * _FS_HZ))]
        sound = np.concatenate(parts)
        noisy = (sound + rng.normal(0, 0.001, len(sound))).astype(np.float32)
        write_audio(Recording(noisy[None], _FS_HZ, ["sound"], ["FS"]), folder / f"{record}.wav")
