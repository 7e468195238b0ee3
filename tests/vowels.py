"""Sound like a voice, for tests of features: vowels of moving pitch, breath and pauses."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.windows import WholeRecording

Array = np.ndarray[Any, Any]


@cache
def words(seconds: float, fs: int, *, seed: int = 0) -> Array:
    """Return float32 sound of 16 bits: vowels of moving pitch, breath and pauses."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fs)) / fs
    pitch = 2 * np.pi * np.cumsum(120 + 40 * np.sin(2 * np.pi * 0.7 * t)) / fs
    voice = sum(np.sin(k * pitch) / k for k in range(1, 30) if k * 160 < fs / 2)
    loud = np.clip(np.sin(2 * np.pi * 1.3 * t), 0, 1)
    mixed = 0.1 * voice * loud + 0.01 * rng.standard_normal(len(t))
    made = (np.rint(mixed * 32768) / 32768).astype(np.float32)
    made.flags.writeable = False
    return made


def windows_of(values: Array, fs: float, *, name: str = "r", **more: Any) -> Windows:
    return WholeRecording()(Recording(np.atleast_2d(values), fs, ["sound"], ["FS"], id=name, **more))
