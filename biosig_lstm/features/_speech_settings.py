"""What is fixed before sound is cut into frames: three named sets of settings, made into numbers of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args

from biosig_lstm.errors import ParameterError, options

__all__ = ["FAST_HZ", "Like", "Settings", "check_positive", "settings", "settings_of"]

Like = Literal["speech", "kaldi", "librosa"]

FAST_HZ = 1e6
"""A rate at which a step is looked at before it meets sound: what fits no rate is refused at once."""

_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Settings:
    """How frames are cut, transformed and summed; lengths in samples. `settings` gives the same object again."""

    fs: float
    width: int
    hop: int
    n_fft: int
    n_mels: int
    low_hz: float
    high_hz: float
    window: Literal["povey", "hann"] = "povey"
    mel_scale: Literal["htk", "kaldi", "slaney"] = "htk"
    pre_emphasis: float = 0.97
    remove_dc: bool = True
    centred: bool = False
    pad_short: bool = True
    full_scale: float = 1.0
    floor: float = 1e-8
    decibels: bool = False
    range_db: float = math.inf
    single: bool = True
    energy: bool = False
    lifter: float = 22.0
    lifter_from: int = 0

    def n_frames(self, n_samples: int) -> int:
        """Return how many frames `n_samples` samples make."""
        if self.centred:
            return 1 + n_samples // self.hop if n_samples else 0
        if n_samples < self.width:
            return int(self.pad_short and n_samples > 0)
        return 1 + (n_samples - self.width) // self.hop

    @property
    def duration_s(self) -> float:
        """Length of a frame."""
        return self.width / self.fs


_KALDI: dict[str, Any] = {
    "mel_scale": "kaldi", "pad_short": False, "full_scale": 32768.0, "floor": 2.0**-23, "single": False, "energy": True,
}  # fmt: skip
_LIBROSA: dict[str, Any] = {
    "window": "hann", "mel_scale": "slaney", "pre_emphasis": 0.0, "remove_dc": False, "centred": True,
    "floor": 1e-10, "decibels": True, "range_db": 80.0, "single": False, "lifter": 0.0,
    "lifter_from": 1,
}  # fmt: skip
_N_MELS = {"speech": 40, "kaldi": 23, "librosa": 128}


@lru_cache(maxsize=64)
def settings(
    fs: float,
    *,
    like: Like = "speech",
    n_mels: int | None = None,
    window_s: float | None = None,
    hop_s: float | None = None,
    low_hz: float | None = None,
    high_hz: float | None = None,
) -> Settings:
    """Return a named set at a rate, changed where an argument is not None.

    Raises
    ------
    ParameterError
        When there is no such set, or a number is not in its range.
    """
    if like not in get_args(Like):
        raise ParameterError(f"no such set of settings: {options(like, get_args(Like))}")
    if not 0 < fs < math.inf:
        raise ParameterError(f"fs must be a positive number of Hz, got {fs!r}")
    check_positive(window_s=window_s, hop_s=hop_s)
    width, hop = _lengths(fs, like, window_s=window_s, hop_s=hop_s)
    made = Settings(
        fs=fs,
        width=width,
        hop=hop,
        n_fft=width if like == "librosa" and window_s is None else _power_of_two(width),
        n_mels=_N_MELS[like] if n_mels is None else n_mels,
        low_hz=(0.0 if like == "librosa" else 20.0) if low_hz is None else low_hz,
        high_hz=fs / 2 if high_hz is None else high_hz,
    )
    _check(made)
    return replace(made, **{"kaldi": _KALDI, "librosa": _LIBROSA}.get(like, {}))


def settings_of(step: Any, fs: float) -> Settings:
    """Return the settings at a rate that the fields of a step name; see `settings`."""
    names = ("like", "n_mels", "window_s", "hop_s", "low_hz", "high_hz")
    return settings(fs, **{name: getattr(step, name) for name in names})


def check_positive(**lengths: float | None) -> None:
    """Refuse what is given and not a positive number."""
    for name, value in lengths.items():
        if value is not None and not 0 < value < math.inf:
            raise ParameterError(f"{name} must be positive and finite, got {value!r}")


def _lengths(fs: float, like: Like, *, window_s: float | None, hop_s: float | None) -> tuple[int, int]:
    if like == "librosa":
        width, hop = (round(window_s * fs) if window_s else 2048), (round(hop_s * fs) if hop_s else 512)
    else:
        width, hop = (int(length * fs + _SLACK) for length in (window_s or 0.025, hop_s or 0.010))
    if width < 2 or hop < 1:
        raise ParameterError(f"a frame of {width} samples every {hop} is too short at {fs:g} Hz")
    return width, hop


def _power_of_two(width: int) -> int:
    return 1 << (width - 1).bit_length()


def _check(made: Settings) -> None:
    if made.n_mels < 1:
        raise ParameterError(f"n_mels must be at least 1, got {made.n_mels!r}")
    if not 0 <= made.low_hz < made.high_hz <= made.fs / 2:
        raise ParameterError(
            f"low_hz and high_hz must ascend and lie between 0 and half the rate, {made.fs / 2:g} Hz, "
            f"got {made.low_hz:g} and {made.high_hz:g}"
        )
