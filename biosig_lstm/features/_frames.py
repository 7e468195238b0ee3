"""Sound to the power in mel filters, frame by frame, and its logarithm."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError
from biosig_lstm.features._lanes import VECTOR_BYTES
from biosig_lstm.features._mel import mel_filters
from biosig_lstm.features._mel_kernels import mel_powers, turns
from biosig_lstm.features._speech_settings import Settings

__all__ = ["as_signal", "log_powers", "not_below", "padded", "read_only"]

Float32 = npt.NDArray[np.float32]

_BLOCK = 1024
_DECIBELS = 10.0 / np.log(10.0)


def as_signal(signal: npt.ArrayLike) -> Float32:
    """Return sound as contiguous float32 of shape (samples,).

    Raises
    ------
    DataError
        When the shape is another, there are no samples, or one is not finite.
    """
    values = np.ascontiguousarray(signal, dtype=np.float32)
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


def log_powers(values: Float32, made: Settings, *, n_frames: int) -> tuple[Float32, Float32]:
    """Return the logarithm of the power in each mel filter, (frames, n_mels), and of the energy, (frames,).

    The first frame begins with the first sample. Filters are natural logarithms or dB, as the settings want.
    """
    logs, energies = np.empty((n_frames, made.n_mels), np.float32), np.empty(n_frames, np.float32)
    plan = _plan(made)
    dtype = plan.taper.dtype
    lanes = VECTOR_BYTES // dtype.itemsize
    room = np.empty((5, (max(made.n_fft // 2, made.n_mels) + 1) * lanes), dtype)
    powers, sums = np.empty((min(_BLOCK, n_frames), made.n_mels), dtype), np.empty(min(_BLOCK, n_frames), dtype)
    sound = (dtype.type(made.full_scale), dtype.type(made.pre_emphasis), made.remove_dc)
    for first in range(0, n_frames, _BLOCK):
        rows = slice(first, min(first + _BLOCK, n_frames))
        block, energy = powers[: rows.stop - first], sums[: rows.stop - first]
        part = read_only(values[first * made.hop :])
        mel_powers(part, block, energy, room, lanes, made.hop, sound, plan.taper, plan.angles, plan.filters)
        logs[rows] = _log(block, made) * (_DECIBELS if made.decibels else 1.0)
        energies[rows] = _log(energy, made)
    return logs, energies


def read_only(values: Float32) -> Float32:
    """Return a read-only view: compiled functions then know one type of input and are compiled once."""
    view = values.view()
    view.flags.writeable = False
    return view


def _log(values: npt.NDArray[Any], made: Settings) -> npt.NDArray[Any]:
    floored = np.maximum(values, values.dtype.type(made.floor), out=values)
    return np.asarray(np.log(floored, out=floored))


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
