"""Voices made by rule: a formant synthesiser whose speakers are drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import numpy.typing as npt

from biosig_lstm.augmentation._formants import FS_HZ, PHONES, STEP, resonate
from biosig_lstm.errors import ParameterError, options

__all__ = ["FS_HZ", "FormantVoice", "speak"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

_NEUTRAL_HZ = np.array([500.0, 1500.0, 2500.0])
_HIGHER_HZ = (3500.0, 4500.0, 5500.0)
_WIDTHS_HZ = np.array([70.0, 90.0, 130.0, 200.0, 250.0, 300.0])
_NASAL_WIDTHS_HZ = np.array([150.0, 400.0, 300.0, 0.0, 0.0, 0.0])
_HIGHEST_HZ = 7600.0
_FRICTION_GAIN = 3.0


@dataclass(frozen=True)
class FormantVoice:
    """A speaker.

    Parameters
    ----------
    tract : float [> 0]
        What all formants are multiplied by: 1 is an average man, 1.17 an average woman.
    pitch_hz : float [unit=Hz, > 0]
        Mean of the fundamental.
    accent : mapping of str to tuple of float
        What the first three formants of a phone are multiplied by.
    formants : tuple of float
        What each of the first five formants is multiplied by in all phones.
    slowness : float [> 0]
        What durations are multiplied by.
    widths : float [> 0]
        What bandwidths are multiplied by.
    darkness : float [0 to 1)
        Pole of the low-pass filter of the source.
    breath_db, friction_db, voice_db : float [unit=dB]
        Levels: of breath in vowels, of friction against its usual level, of the voice against its usual level.
    sibilant_db : float [unit=dB]
        Level of the friction of s, z, t and k, besides.
    friction_place : float [> 0]
        What the frequencies of friction are multiplied by.
    glide_s : float [unit=s, > 0]
        How long formants take from one phone to the next.
    undershoot : float [0 to 1]
        How far formants stay near those of a neutral vowel.
    """

    tract: float = 1.0
    pitch_hz: float = 120.0
    accent: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    formants: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0)
    slowness: float = 1.0
    widths: float = 1.0
    darkness: float = 0.4
    breath_db: float = -40.0
    friction_db: float = 0.0
    voice_db: float = 0.0
    sibilant_db: float = 0.0
    friction_place: float = 1.0
    glide_s: float = 0.05
    undershoot: float = 0.05

    @classmethod
    def draw(
        cls, rng: np.random.Generator, *, glide_s: tuple[float, float] = (0.025, 0.08), sibilant_db: float = 0.0
    ) -> Self:
        """Return a speaker who might be anybody, from deep to high, soft to sharp, of any accent.

        Parameters
        ----------
        rng : np.random.Generator
            Draws.
        glide_s : tuple of float [unit=s, > 0]
            Least and greatest time of formants from one phone to the next.
        sibilant_db : float [unit=dB]
            Of every speaker.
        """
        return cls(
            tract=_between(rng, 0.88, 1.25),
            pitch_hz=_between(rng, 80, 240),
            accent={name: tuple(np.exp(rng.normal(0, 0.07, 3)).tolist()) for name in PHONES},
            formants=tuple(np.exp(rng.normal(0, 0.04, 5)).tolist()),
            slowness=float(np.exp(rng.normal(0.08, 0.24))),
            widths=_between(rng, 0.9, 2.5),
            darkness=rng.uniform(0, 0.75),
            breath_db=rng.uniform(-50, -22),
            friction_db=rng.normal(-3, 8),
            voice_db=rng.normal(0, 4),
            sibilant_db=sibilant_db,
            friction_place=float(np.exp(rng.normal(0, 0.12))),
            glide_s=rng.uniform(*glide_s),
            undershoot=rng.uniform(0, 0.15),
        )


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def speak(phones: Sequence[str], voice: FormantVoice, rng: np.random.Generator) -> Float32:
    """Return what a speaker makes of phones, no two times the same.

    Parameters
    ----------
    phones : sequence of str
        Names of `PHONES`, such as ``("n", "a", "a>", "n")`` for nine.
    voice : FormantVoice
        Who speaks.
    rng : np.random.Generator
        Draws durations, levels, melody and noise.

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32]
        Sound at 16,000 Hz, root mean square 0.1.

    Raises
    ------
    ParameterError
        When there is no phone, or none of that name.

    Notes
    -----
    After Klatt 1980 (doi:10.1121/1.383940): a glottal pulse (Rosenberg 1971) and breath through six resonators one
    after the other, friction through one of its own. Formants move from target to target under a Hann window; zeros of
    nasal tracts are left out, nasals have wide formants instead.

    Examples
    --------
    >>> sound = speak(("n", "a", "a>", "n"), FormantVoice(), np.random.default_rng(0))
    >>> 0.2 < len(sound) / FS_HZ < 0.8
    True
    """
    unknown = [name for name in phones if name not in PHONES]
    if unknown or not phones:
        raise ParameterError(f"phone {options(unknown[0] if unknown else '', PHONES)}")
    steps = _durations(phones, voice, rng)
    targets = np.repeat(_targets(phones, voice, rng), steps, axis=0)
    formants, widths = _formants(targets, voice)
    levels = _levels(targets, voice, rng)
    loud = _envelope(len(targets), rng)
    samples = len(targets) * STEP
    voiced = _at_samples(levels[:, 0] * loud, samples)
    breath = _at_samples(levels[:, 1] + 10 ** (voice.breath_db / 20) * levels[:, 0] * loud, samples)
    friction = _at_samples(levels[:, 2], samples) * _FRICTION_GAIN
    source = _glottis(len(targets), voice, rng) * voiced + rng.standard_normal(samples) * breath
    noise_hz = np.stack([np.minimum(targets[:, 7] * voice.friction_place, 7500), targets[:, 8]], axis=1)
    sound = resonate(source, rng.standard_normal(samples) * friction, formants, widths, noise_hz)
    radiated = np.diff(sound, prepend=0.0)
    return np.asarray(0.1 * radiated / np.sqrt(np.mean(radiated**2)), dtype=np.float32)


def _durations(phones: Sequence[str], voice: FormantVoice, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    usual = np.array([PHONES[name].duration_ms for name in phones]) * np.exp(rng.normal(0, 0.25, len(phones)))
    if PHONES[phones[-1]].duration_ms > 40 and phones[-1][0] != "_":
        usual[-1] *= rng.uniform(0.9, 1.7)
    return np.maximum(np.rint(usual * voice.slowness / 5), 2).astype(np.int64)


def _targets(phones: Sequence[str], voice: FormantVoice, rng: np.random.Generator) -> Float64:
    rows = np.array([PHONES[name] for name in phones], dtype=np.float64)
    rows[:, 4:7] += rng.normal(0, 3, (len(phones), 3))
    rows[[name in ("f", "T") for name in phones], 6] += rng.normal(-2, 6)
    rows[[name in ("s", "z", "t", "k") for name in phones], 6] += voice.sibilant_db
    for k, name in enumerate(phones):
        if name == "h":
            rows[k, :3] = rows[k + 1 if k + 1 < len(phones) else max(k - 2, 0), :3]
        rows[k, :3] *= voice.accent.get(name, (1.0, 1.0, 1.0))
    return rows


def _formants(targets: Float64, voice: FormantVoice) -> tuple[Float64, Float64]:
    """Return frequencies and bandwidths (steps, 6)."""
    span = max(int(voice.glide_s * 200), 3)
    window = np.hanning(span + 2)[1:-1]
    lower = _smooth(targets[:, :3] * (1 - voice.undershoot) + _NEUTRAL_HZ * voice.undershoot, window)
    higher = np.broadcast_to(_HIGHER_HZ, (len(targets), 3))
    factors = np.append(voice.formants, 1.0) * voice.tract
    nasal = _smooth(targets[:, 9:10], window)
    widths = _WIDTHS_HZ * voice.widths + nasal * _NASAL_WIDTHS_HZ
    return np.minimum(np.concatenate([lower, higher], axis=1) * factors, _HIGHEST_HZ), widths


def _levels(targets: Float64, voice: FormantVoice, rng: np.random.Generator) -> Float64:
    """Return amplitudes of voice, breath and friction (steps, 3)."""
    heard = np.where(targets[:, 4:7] > -60, 10 ** (targets[:, 4:7] / 20), 0.0)
    heard *= 10 ** (np.array([voice.voice_db, 0.0, voice.friction_db]) / 20)
    return _smooth(heard, np.ones(max(int(rng.uniform(2, 6)), 2)))


def _smooth(columns: Float64, window: Float64) -> Float64:
    n = len(window)
    padded = np.pad(columns, ((n, n), (0, 0)), mode="edge")
    smoothed = [np.convolve(column, window / window.sum(), "same")[n:-n] for column in padded.T]
    return np.stack(smoothed, axis=1)


def _envelope(steps: int, rng: np.random.Generator) -> Float64:
    """Return how loud the voice is along the word: it comes, falls and goes."""
    place = np.arange(steps)
    falls = 10 ** (-rng.uniform(0, 18) * np.linspace(0, 1, steps) ** rng.uniform(0.7, 3) / 20)
    comes, goes = place / rng.uniform(1, 6) + 0.05, (steps - place) / rng.uniform(2, 12)
    return np.asarray(np.minimum(1, np.minimum(comes, goes)) * falls)


def _at_samples(values: Float64, samples: int) -> Float64:
    middles = np.arange(len(values)) * STEP + STEP / 2
    return np.interp(np.arange(samples), middles, values)


def _glottis(steps: int, voice: FormantVoice, rng: np.random.Generator) -> Float64:
    """Return the derivative of the flow through the glottis, root mean square 1."""
    from scipy.signal import lfilter

    melody = np.linspace(rng.normal(0.05, 0.08), rng.normal(-0.1, 0.1), steps)
    melody += 0.03 * np.sin(np.linspace(0, rng.uniform(1, 5), steps))
    samples = steps * STEP
    pitch_hz = _at_samples(voice.pitch_hz * np.exp(melody), samples) * (1 + rng.normal(0, 0.003, samples))
    phase = np.cumsum(pitch_hz / FS_HZ) % 1
    opened = phase / rng.uniform(0.45, 0.75)
    flow = np.where(opened < 1, opened**2 * (1 - opened), 0.0)
    pulses = lfilter([1.0], [1.0, -voice.darkness], np.diff(flow, prepend=0.0))
    return np.asarray(pulses / (pulses.std() + 1e-12))
