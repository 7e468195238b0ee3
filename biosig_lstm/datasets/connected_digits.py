"""Connected digits: sequences of spoken digits, composed of single words of the Free Spoken Digit Dataset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.formats.audio import read_audio, write_audio
from biosig_lstm.windows.utterance import TRANSCRIPT

__all__ = ["DATASET", "MOST_DIGITS", "ConnectedDigits", "compose", "join_words", "write_sample"]

_FILE = re.compile(r"([a-z]+)-\d{4}-(\d+)")
_WORD = re.compile(r"(\d)_([a-z]+)_\d+")
MOST_DIGITS = 7
_PAUSE_S, _ENDS_S = (0.05, 0.5), (0.1, 0.5)
_FRAME_S, _QUIET_PERCENT = 0.02, 10


@dataclass(frozen=True, repr=False)
class ConnectedDigits(Dataset):
    """Sequences as `compose` writes them: ``george-0012-4071.wav``, speaker, number, and the digits that are said.

    Notes
    -----
    The digits, a space between, are the note of one annotation ``transcript`` over the recording. Its subject is that
    of the single words, ``fsdd-george``.
    """

    def find_records(self) -> set[str]:
        """Return the names of the sequences at the root."""
        return {path.stem for path in self.root.glob("*.wav") if _FILE.fullmatch(path.stem)}

    def subject_of(self, record: str) -> str:
        """Return whose voice it is, by the name that `fsdd` has for him: ``fsdd-george``."""
        return f"fsdd-{record.partition('-')[0]}"

    def read(self, record: str) -> Recording:
        """Return one sequence with its digits.

        Raises
        ------
        DataError
            When the name is another, or the file is not there or is not sound.
        """
        match = _FILE.fullmatch(record)
        if match is None:
            raise DataError(f"{record} must be a speaker, a number and digits, such as george-0012-4071")
        recording = read_audio(self.root / f"{record}.wav")
        return recording.with_annotations(Annotations([0], [recording.n_samples], [TRANSCRIPT], [" ".join(match[2])]))


DATASET = ConnectedDigits


def compose(fsdd: str | Path, root: str | Path, *, per_speaker: int = 100, seed: int = 0) -> list[Path]:
    """Write sequences of one to seven digits of each speaker of fsdd.

    Parameters
    ----------
    fsdd : path
        Folder of its words, ``7_jackson_32.wav``; folders below are searched.
    root : path
        Folder to write to; made if need be.
    per_speaker : int [1 to 9999]
        Sequences of each speaker.
    seed : int
        Of the draws: digits, words, pauses. A speaker's sequences do not depend on who else is there.

    Returns
    -------
    list of Path
        The files, in order of speakers.

    Raises
    ------
    DataError
        When there is no word at `fsdd`, or their rates differ.
    ParameterError
        When `per_speaker` is out of range.

    Notes
    -----
    Words follow each other after 0.05 to 0.5 s of white noise, whose power is that of the quietest tenth of the frames
    of the sequence's words.
    """
    if not 1 <= per_speaker <= 9999:
        raise ParameterError(f"per_speaker must lie in 1 to 9999, got {per_speaker}")
    words: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(Path(fsdd).rglob("*.wav"), key=lambda path: path.name):
        match = _WORD.fullmatch(path.stem)
        if match:
            words.setdefault(match[2], {}).setdefault(match[1], []).append(path)
    if not words:
        raise DataError(f"{fsdd}: holds no words of fsdd, such as 7_jackson_32.wav")
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(folder, speaker, k, words[speaker], np.random.default_rng([seed, k, *speaker.encode()]))
        for speaker in sorted(words)
        for k in range(per_speaker)
    ]


def _write(folder: Path, speaker: str, number: int, words: dict[str, list[Path]], rng: np.random.Generator) -> Path:
    digits = rng.choice(sorted(words), size=int(rng.integers(1, MOST_DIGITS + 1))).tolist()
    said = [read_audio(words[digit][int(rng.integers(len(words[digit])))]) for digit in digits]
    rates = {recording.fs for recording in said}
    if len(rates) > 1:
        raise DataError(f"words of {speaker} differ in rate: {', '.join(f'{rate:g} Hz' for rate in sorted(rates))}")
    sound = join_words([recording.signals.mean(axis=0) for recording in said], said[0].fs, rng)
    recording = Recording(sound[None].astype(np.float32), said[0].fs, ["sound"], ["FS"])
    return write_audio(recording, folder / f"{speaker}-{number:04d}-{''.join(digits)}.wav")


def join_words(
    words: Sequence[npt.NDArray[np.float32]], fs: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Return words one after the other, with noise of random length before, between and after them; see `compose`.

    Parameters
    ----------
    words : sequence of np.ndarray [shape=(samples,)]
        Their sound, one at least.
    fs : float [unit=Hz, > 0]
        Samples a second.
    rng : np.random.Generator
        Draws pauses and noise.
    """
    width = round(_FRAME_S * fs)
    frames = [word[: len(word) // width * width].reshape(-1, width) for word in words]
    powers = np.concatenate([(frame.astype(np.float64) ** 2).mean(axis=1) for frame in frames])
    quiet = float(np.sqrt(np.percentile(powers, _QUIET_PERCENT))) if len(powers) else 0.0
    spans = [_ENDS_S, *[_PAUSE_S] * (len(words) - 1), _ENDS_S]
    gaps = [quiet * rng.standard_normal(round(rng.uniform(*span) * fs)) for span in spans]
    return np.concatenate([gaps[0], *(part for pair in zip(words, gaps[1:], strict=True) for part in pair)])


def write_sample(root: str | Path) -> None:
    """Write three sequences of each of two generated speakers, composed of the generated words of `fsdd`.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    import tempfile

    from biosig_lstm.datasets import fsdd

    with tempfile.TemporaryDirectory() as words:
        fsdd.write_sample(words)
        compose(words, root, per_speaker=3)
