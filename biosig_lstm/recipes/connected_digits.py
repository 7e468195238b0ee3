"""Spoken digits in order, by any speaker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from biosig_lstm.augmentation.digit_words import PRONUNCIATIONS, DigitVoices, check_voices
from biosig_lstm.augmentation.sound import SoundAugmentation, add_noise
from biosig_lstm.augmentation.spectrogram import SpectrogramAugmentation
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets.connected_digits import MOST_DIGITS, join_words
from biosig_lstm.estimators import Transcriber
from biosig_lstm.features.level_floor import LevelFloor
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.normalize_utterance import NormalizeUtterance
from biosig_lstm.features.tilt import Tilt
from biosig_lstm.filters.mono import Mono
from biosig_lstm.filters.resample_sound import ResampleSound
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes._transcripts import WordSequenceRecipe
from biosig_lstm.training import FitSettings
from biosig_lstm.windows.utterance import TRANSCRIPT, Utterance

__all__ = ["RECIPE", "DigitSequences"]

_QUIET_DB = (60.0, 60.0)
_GROUPS = 4


@dataclass(frozen=True)
class DigitSequences:
    """Sequences of one to seven digits by voices that nobody has: called as ``(seed) -> recordings``.

    Parameters
    ----------
    voices : int [>= 0]
        How many speakers; each says every digit once, which its sequences are joined of.
    per_voice : int [>= 1]
        Sequences of each.
    fs : float [unit=Hz, > 0]
        Rate of the recordings.
    snr_db : tuple of float [unit=dB]
        Least and greatest ratio of a sequence's power to that of noise.

    Notes
    -----
    Joined as `biosig_lstm.datasets.connected_digits.compose` joins words of people.
    """

    voices: int = 300
    per_voice: int = 2
    fs: float = 8000.0
    snr_db: tuple[float, float] = (15.0, 45.0)

    def __post_init__(self) -> None:
        check_voices(self.voices, self.per_voice, fs=self.fs, snr_db=self.snr_db)

    def __call__(self, seed: int) -> Iterator[Recording]:
        """Yield the sequences, the same for the same seed."""
        words = DigitVoices(voices=self.voices, fs=self.fs, snr_db=_QUIET_DB)(seed)
        for number in range(self.voices):
            ten = {str(word.annotations.labels[0]): word.signals[0] for word in islice(words, len(PRONUNCIATIONS))}
            for k in range(self.per_voice):
                # a last 0 would be no other seed than that of the voice: NumPy fills up with zeros
                rng = np.random.default_rng([seed, number, k + 1])
                yield self._sequence(ten, rng, f"voice{number}-{k}", number)

    def _sequence(
        self, words: Mapping[str, npt.NDArray[np.float32]], rng: np.random.Generator, name: str, number: int
    ) -> Recording:
        digits = rng.choice(sorted(words), size=int(rng.integers(1, MOST_DIGITS + 1))).tolist()
        joined = join_words([words[digit] for digit in digits], self.fs, rng)[None]
        sound = add_noise(joined, rng, snr_db=rng.uniform(*self.snr_db), slope=rng.uniform(-2.0, 0.5))
        return Recording(
            np.clip(sound, -1, 1),
            self.fs,
            ["sound"],
            ["FS"],
            id=name,
            subject=f"synthetic-{number % _GROUPS}",
            annotations=Annotations([0], [sound.shape[1]], [TRANSCRIPT], [" ".join(digits)]),
        )


RECIPE = WordSequenceRecipe(
    name="connected-digits",
    protocols=("connected-digits",),
    pipeline=Pipeline(
        filters=[Mono(), ResampleSound(8000)],
        windows=Utterance(),
        features=[LogMel(low_hz=60), Tilt(-7.9), LevelFloor(), NormalizeUtterance(variance=False)],
    ),
    model=SpeechBiLSTM((64, 64, 64), kernels=(5, 5, 5), strides=(2, 2, 1), hidden_size=64, num_layers=1, dropout=0.3),
    settings=FitSettings(
        max_epochs=25,
        batch_size=16,
        learning_rate=4e-3,
        weight_decay=2e-2,
        class_weights=None,
        average_decay=0.99,
        renew_every=5,
    ),
    task="transcripts",
    about="the digits 0 to 9 in English, one after the other",
    estimator=Transcriber,
    augment=SpectrogramAugmentation(low_hz=60.0, masked_share=0.06, masks=2),
    sounds=SoundAugmentation(),
    voices=DigitSequences(),
    unit="words",
    alphabet=tuple("0123456789"),
)
