"""Phones as targets of formants and levels, and the resonators that turn them into sound."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["FS_HZ", "PHONES", "STEP", "Phone", "resonate"]

Float64 = npt.NDArray[np.float64]

FS_HZ = 16000
STEP = FS_HZ // 200
_NONE = -99.0


class Phone(NamedTuple):
    """A target: formants of an average man, duration, and how loud voice, breath and friction are."""

    f1_hz: float
    f2_hz: float
    f3_hz: float
    duration_ms: float
    voice_db: float = 0.0
    breath_db: float = _NONE
    friction_db: float = _NONE
    friction_hz: float = 4000.0
    friction_width_hz: float = 3000.0
    nasal: float = 0.0


def _silent(f1: float, f2: float, f3: float, duration_ms: float) -> Phone:
    return Phone(f1, f2, f3, duration_ms, _NONE)


def _hiss(f2: float, duration_ms: float, *, db: float, hz: float, width: float, breath: float = _NONE) -> Phone:
    return Phone(330, f2, 2500, duration_ms, _NONE, breath, db, hz, width)


PHONES: Mapping[str, Phone] = MappingProxyType(
    {
        "i": Phone(280, 2270, 2980, 140),
        "I": Phone(410, 1920, 2550, 75),
        "e": Phone(500, 1900, 2550, 105),
        "e>": Phone(400, 2090, 2650, 95, -1),
        "E": Phone(560, 1800, 2500, 110),
        "@": Phone(480, 1450, 2450, 60, -2),
        "V": Phone(640, 1260, 2450, 110),
        "A": Phone(730, 1100, 2450, 120),
        "a": Phone(720, 1270, 2500, 115),
        "a>": Phone(400, 2000, 2550, 100, -1),
        "O": Phone(570, 880, 2450, 150),
        "o:": Phone(500, 950, 2400, 150),
        "o": Phone(540, 1050, 2350, 90),
        "o>": Phone(400, 850, 2350, 90, -3),
        "u": Phone(320, 1000, 2250, 130),
        "<u": Phone(330, 1600, 2250, 90),
        "y": Phone(325, 1280, 2250, 130),
        "w": Phone(310, 680, 2200, 80, -5),
        "r": Phone(350, 1150, 1550, 75, -3),
        "r:": Phone(450, 1250, 1650, 90, -2),
        "4": Phone(400, 1450, 2400, 28, -10),
        "n": Phone(270, 1450, 2500, 80, -8, nasal=1.0),
        "v": Phone(300, 1100, 2250, 60, -12, _NONE, -34, 3500, 4000),
        "z": Phone(290, 1550, 2500, 80, -14, _NONE, -18, 5500, 2500),
        "s": _hiss(1550, 110, db=-14, hz=5600, width=2500),
        "f": _hiss(1150, 100, db=-28, hz=4500, width=5500),
        "T": _hiss(1350, 90, db=-30, hz=5000, width=5000),
        "t": _hiss(1750, 18, db=-12, hz=4300, width=2500, breath=-30),
        "k": _hiss(2000, 16, db=-14, hz=2100, width=900, breath=-30),
        "h": Phone(500, 1500, 2500, 35, _NONE, -16),
        "_t": _silent(300, 1700, 2600, 60),
        "_k": _silent(300, 2000, 2500, 60),
    }
)
"""Vowels and consonants by a letter or two: ``>`` is the end of a diphthong, ``_`` the closure before a burst.

Formants are near the means of Peterson and Barney 1952 and Klatt 1980 for men."""


@njit(cache=True)
def resonate(
    source: Float64, friction: Float64, formants: Float64, widths: Float64, noise: Float64
) -> Float64:  # pragma: no cover (compiled)
    """Return a source through a cascade of resonators, and friction through one of its own, added.

    Parameters
    ----------
    source, friction : np.ndarray [shape=(samples,)]
        Voice and breath; noise of a narrow place in the mouth.
    formants, widths : np.ndarray [shape=(steps, n), unit=Hz]
        Frequency and bandwidth of each resonator, anew every `STEP` samples (Klatt 1980, equations 1 and 2).
    noise : np.ndarray [shape=(steps, 2), unit=Hz]
        The same of the friction's.
    """
    n = formants.shape[1]
    first, second = np.zeros(n + 1), np.zeros(n + 1)
    a, b, c = np.zeros(n + 1), np.zeros(n + 1), np.zeros(n + 1)
    out = np.zeros(len(source))
    before = 0.0
    for i in range(len(source)):
        if i % STEP == 0:
            k = i // STEP
            for j in range(n + 1):
                hz, width = (noise[k, 0], noise[k, 1]) if j == n else (formants[k, j], widths[k, j])
                radius = np.exp(-np.pi * width / FS_HZ)
                c[j] = -radius * radius
                b[j] = 2 * radius * np.cos(2 * np.pi * hz / FS_HZ)
                a[j] = 1 - radius if j == n else 1 - b[j] - c[j]
        value = source[i]
        for j in range(n):
            value = a[j] * value + b[j] * first[j] + c[j] * second[j]
            second[j] = first[j]
            first[j] = value
        hiss = a[n] * friction[i] + b[n] * first[n] + c[n] * second[n]
        second[n] = first[n]
        first[n] = hiss
        out[i] = value + hiss - before
        before = 0.6 * hiss
    return out
