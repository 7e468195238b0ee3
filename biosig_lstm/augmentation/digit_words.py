"""The ten digits in English as formant voices say them, in the ways that people of many accents do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from biosig_lstm.augmentation.formant_voice import FS_HZ, FormantVoice, speak
from biosig_lstm.augmentation.sound import add_noise
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.filters.resample_sound import resample_sound

__all__ = ["PRONUNCIATIONS", "DigitVoices", "check_voices", "pronounce"]

Alternatives = tuple[tuple[str, ...], ...]

_BEGIN_CUT = MappingProxyType({"f": 0.35, "T": 0.35, "s": 0.12, "t": 0.12, "_t": 0.12, "z": 0.12})
_END_CUT, _END_CUT_SHARE = frozenset({"s", "t", "h", "k", "v", "f"}), 0.15
_AROUND_S = 0.05


def _ways(*parts: str) -> Alternatives:
    """Return the alternatives of each part: separated by ``|``, their phones by spaces; one more often is likelier."""
    return tuple(tuple(way.strip() for way in part.split("|")) for part in parts)


PRONUNCIATIONS: Mapping[str, Alternatives] = MappingProxyType(
    {
        "0": _ways("z|z|s", "I|i|i", "r|r|4", "o o>|o o>|o:|o: o>"),
        "1": _ways("w", "V|V|o: V|O V|a|A|o:", "n"),
        "2": _ways("_t|", "t", "h|h|", "<u u|u|<u u|<u|y|y u"),
        "3": _ways("T|T|_t t|s|f", "r|r|4", "i"),
        "4": _ways("f", "O|o:|o o>|O", "|r:|r|@|4"),
        "5": _ways("f", "a", "a>", "v|v|f|"),
        "6": _ways("s", "I|I|i", "_k", "k|", "s|s|s|s|"),
        "7": _ways("s", "E|E|e", "v", "@|E|I|", "n"),
        "8": _ways("e e>|e e>|E e>|e", "_t t h|_t t|"),
        "9": _ways("n", "a", "a>", "n"),
    }
)
"""Phones of each digit, part by part, each with its alternatives (see `biosig_lstm.augmentation.formant_voice`)."""


def pronounce(digit: str, rng: np.random.Generator) -> tuple[str, ...]:
    """Return the phones of one of the ways to say a digit; now and then the first or last consonant is cut off.

    Parameters
    ----------
    digit : str
        One of ``PRONUNCIATIONS``.
    rng : np.random.Generator
        Chooses.

    Examples
    --------
    >>> pronounce("9", np.random.default_rng(0))
    ('n', 'a', 'a>', 'n')
    """
    phones = [phone for part in PRONUNCIATIONS[digit] for phone in part[rng.integers(len(part))].split()]
    if len(phones) > 2 and rng.random() < _BEGIN_CUT.get(phones[0], 0.0):
        phones = phones[1:]
    if len(phones) > 2 and phones[-1] in _END_CUT and rng.random() < _END_CUT_SHARE:
        phones = phones[:-1]
    return tuple(phones)


def check_voices(voices: int, share: int, *, fs: float, snr_db: tuple[float, float]) -> None:
    """Refuse numbers of voices, and of what each has a share in, that cannot be made.

    Raises
    ------
    ParameterError
        Naming what came.
    """
    if not isinstance(voices, int) or voices < 0:
        raise ParameterError(f"voices must be a whole number, 0 or more, got {voices!r}")
    if not isinstance(share, int) or share < 1:
        raise ParameterError(f"groups of voices, and what each says, must be whole numbers from 1, got {share!r}")
    if not 0 < fs < math.inf or not -math.inf < snr_db[0] <= snr_db[1] < math.inf:
        raise ParameterError(f"fs must be positive, snr_db finite and ascending, got {fs!r} Hz and {snr_db!r} dB")


@dataclass(frozen=True)
class DigitVoices:
    """Recordings of digits by voices that nobody has: called as ``(seed) -> recordings``.

    Parameters
    ----------
    voices : int [>= 0]
        How many speakers, each saying every digit once.
    groups : int [>= 1]
        Subjects that the recordings are counted as: one in so many.
    fs : float [unit=Hz, > 0]
        Rate of the recordings.
    snr_db : tuple of float [unit=dB]
        Least and greatest ratio of a word's power to that of noise.
    glide_s : tuple of float [unit=s, > 0]
        Least and greatest time that a voice's formants take from one phone to the next.
    sibilant_db : float [unit=dB]
        Level of s, z, t and k in all voices: 0 is about as loud as the vowels.

    Notes
    -----
    They are no recordings of people: labels are what was to be said. Their subject is ``synthetic-0`` and so on.

    Examples
    --------
    >>> first = next(DigitVoices(voices=1)(seed=0))
    >>> first.id, first.subject, first.annotations.labels.tolist()
    ('0_voice0', 'synthetic-0', ['0'])
    """

    voices: int = 300
    groups: int = 4
    fs: float = 8000.0
    snr_db: tuple[float, float] = (15.0, 45.0)
    glide_s: tuple[float, float] = (0.025, 0.08)
    sibilant_db: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.glide_s[0] <= self.glide_s[1] < math.inf:
            raise ParameterError(f"glide_s must be positive, finite and ascending, got {self.glide_s!r}")
        if not math.isfinite(self.sibilant_db):
            raise ParameterError(f"sibilant_db must be finite, got {self.sibilant_db!r}")
        check_voices(self.voices, self.groups, fs=self.fs, snr_db=self.snr_db)

    def __call__(self, seed: int) -> Iterator[Recording]:
        """Yield a recording of each digit by each voice, the same for the same seed."""
        for number in range(self.voices):
            rng = np.random.default_rng([seed, number])
            voice = FormantVoice.draw(rng, glide_s=self.glide_s, sibilant_db=self.sibilant_db)
            for digit in PRONUNCIATIONS:
                yield self._recording(digit, voice, rng, number=number)

    def _recording(self, digit: str, voice: FormantVoice, rng: np.random.Generator, *, number: int) -> Recording:
        word = np.pad(speak(pronounce(digit, rng), voice, rng), round(_AROUND_S * FS_HZ))[None]
        sound = resample_sound(word, FS_HZ, rate_hz=self.fs)
        sound = add_noise(sound, rng, snr_db=rng.uniform(*self.snr_db), slope=rng.uniform(-2.0, 0.5))
        return Recording(
            np.clip(sound, -1, 1),
            self.fs,
            ["sound"],
            ["FS"],
            id=f"{digit}_voice{number}",
            subject=f"synthetic-{number % self.groups}",
            annotations=Annotations([0], [sound.shape[1]], [digit]),
        )
