"""Sound to the power in mel filters, frame by frame, and its logarithm."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError
from biosig_lstm.features._lanes import lanes
from biosig_lstm.features._mel import mel_filters
from biosig_lstm.features._mel_kernels import mel_powers, turns
from biosig_lstm.features._speech_settings import Settings

__all__ = ["LogPowers", "Work", "as_signal", "not_below", "padded", "read_only", "real", "whole"]

Float32 = npt.NDArray[np.float32]

_BLOCK = 1024
_DECIBELS = 10.0 / np.log(10.0)


def real(signal: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return sound as an array.

    Raises
    ------
    DataError
        When it is no real numbers: complex ones, or text.
    """
    values = np.asarray(signal)
    if values.dtype.kind not in "biuf":
        raise DataError(f"sound is real numbers, got an array of {values.dtype}")
    return values


def as_signal(signal: npt.ArrayLike) -> Float32:
    """Return sound as contiguous float32 of shape (samples,).

    Raises
    ------
    DataError
        As of `real`, and when the shape is another, there are no samples, or one is not finite.
    """
    values = np.ascontiguousarray(real(signal), dtype=np.float32)
    if np.ndim(signal) != 1 or not values.size:
        raise DataError(f"sound must be (samples,), one at least, got shape {np.shape(signal)}")
    if not (np.isfinite(values.min()) and np.isfinite(values.max())):
        raise DataError(f"sound holds NaN or infinity, first at sample {int(np.argmin(np.isfinite(values)))}")
    return values


def padded(values: Float32, made: Settings) -> Float32:
    """Return sound with the zeros before and after it that its frames reach into."""
    n_frames = made.n_frames(len(values))
    before = made.n_fft // 2 if made.centred else 0
    after = max((n_frames - 1) * made.hop + (made.n_fft if made.centred else made.width) - before - len(values), 0)
    if not (before or after):
        return values
    return np.concatenate([np.zeros(before, np.float32), values, np.zeros(after, np.float32)])


class LogPowers:
    """Sound to the logarithm of the power in each mel filter, with the memory that this takes.

    Parameters
    ----------
    made : Settings
        How frames are made.
    """

    def __init__(self, made: Settings) -> None:
        plan = _plan(made)
        dtype = plan.taper.dtype
        self.made, self.dtype = made, dtype
        self._few, self._many = lanes(dtype, few=True), lanes(dtype)
        self._room = np.empty((5, (max(made.n_fft // 2, made.n_mels) + 1) * len(self._many)), dtype)
        sound = (dtype.type(made.full_scale), dtype.type(made.pre_emphasis), made.remove_dc)
        self._how = (made.hop, sound, plan.taper, plan.angles, plan.filters)
        self._floor = dtype.type(made.floor)

    def __call__(self, values: Float32, *, n_frames: int) -> tuple[Float32, npt.NDArray[Any]]:
        """Return logarithms, (frames, n_mels), natural ones or dB, and the energy of each frame, no logarithm.

        The first frame begins with the first sample.
        """
        logs, energies = np.empty((n_frames, self.made.n_mels), np.float32), np.empty(n_frames, self.dtype)
        for first in range(0, n_frames, _BLOCK):
            rows = slice(first, min(first + _BLOCK, n_frames))
            block = logs[rows] if self.made.single else np.empty((rows.stop - first, self.made.n_mels), self.dtype)
            side = self._few if len(block) <= len(self._few) else self._many
            part = read_only(values[first * self.made.hop :])
            mel_powers(part, block, energies[rows], self._room, side, *self._how)
            found = self.log(block)
            if self.made.decibels:
                found *= _DECIBELS
            if not self.made.single:
                logs[rows] = found
        return logs, energies

    def log(self, powers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the natural logarithms of powers, in their place."""
        np.maximum(powers, self._floor, out=powers)
        return np.asarray(np.log(powers, out=powers))


Work = Callable[..., Float32]
"""``(values, n_frames=...) -> frames`` of sound that begins where the first of them does."""


def whole(signal: npt.ArrayLike, made: Settings, work: Work) -> Float32:
    """Return all frames of sound.

    Raises
    ------
    DataError
        As of `as_signal`.
    """
    values = as_signal(signal)
    return work(padded(values, made), n_frames=made.n_frames(len(values)))


def read_only(values: Float32) -> Float32:
    """Return a read-only view: compiled functions then know one type of input and are compiled once."""
    view = values.view()
    view.flags.writeable = False
    return view


def not_below(logs: Float32, made: Settings) -> Float32:
    """Return dB no more than `range_db` below the largest of all."""
    return np.maximum(logs, logs.max() - np.float32(made.range_db)) if made.range_db < np.inf and len(logs) else logs


class _Plan(NamedTuple):
    taper: npt.NDArray[Any]
    angles: tuple[npt.NDArray[Any], npt.NDArray[Any]]
    filters: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]


@lru_cache(maxsize=16)
def _plan(made: Settings) -> _Plan:
    dtype = np.float32 if made.single else np.float64
    return _Plan(_taper(made).astype(dtype), turns(made.n_fft, dtype), _packed(mel_filters(made), dtype))


def _packed(
    filters: npt.NDArray[Any], dtype: npt.DTypeLike
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the first bin of each filter, the edges of its weights among all weights, and those."""
    inside = filters > 0
    begins = inside.argmax(axis=1)
    counts = np.where(inside.any(axis=1), filters.shape[1] - inside[:, ::-1].argmax(axis=1) - begins, 0)
    weights = [row[begin : begin + count] for row, begin, count in zip(filters, begins, counts, strict=True)]
    return begins, np.concatenate([[0], np.cumsum(counts)]), np.concatenate(weights).astype(dtype)


def _taper(made: Settings) -> npt.NDArray[np.float64]:
    """Return the window: Povey's, a Hann window to the power of 0.85, symmetric; or a periodic Hann window."""
    k = np.arange(made.width)
    if made.window == "povey":
        return np.asarray((0.5 - 0.5 * np.cos(2 * np.pi * k / (made.width - 1))) ** 0.85)
    taper = np.zeros(made.n_fft)
    first = (made.n_fft - made.width) // 2
    taper[first : first + made.width] = 0.5 - 0.5 * np.cos(2 * np.pi * k / made.width)
    return taper
