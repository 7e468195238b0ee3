"""Sound to the power in mel filters, frame by frame, in blocks that stay in the cache."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from biosig_lstm.errors import DataError
from biosig_lstm.features._mel import mel_filters
from biosig_lstm.features._speech_settings import Settings

__all__ = ["as_signal", "log_filters", "padded", "spectra"]

Float32 = npt.NDArray[np.float32]
_BLOCK = 512


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
    return np.concatenate([np.zeros(before, np.float32), values, np.zeros(after, np.float32)])


def spectra(values: Float32, made: Settings, *, n_frames: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the power in each mel filter, (frames, n_mels), and the energy of each frame, (frames,).

    The first frame begins with the first sample.
    """
    dtype = np.float32 if made.single else np.float64
    taper, filters = _taper(made).astype(dtype), mel_filters(made).T.astype(dtype)
    powers, energies = np.empty((n_frames, made.n_mels), dtype), np.empty(n_frames, dtype)
    width = made.n_fft if made.centred else made.width
    views = np.lib.stride_tricks.sliding_window_view(values, width)[:: made.hop] if n_frames else values[None]
    for first in range(0, n_frames, _BLOCK):
        rows = slice(first, min(first + _BLOCK, n_frames))
        block: Any = views[rows].astype(dtype)
        energies[rows] = _condition(block, made)
        block *= taper
        transform: Any = fft.rfft(block, made.n_fft, axis=1)
        powers[rows] = (transform.real**2 + transform.imag**2) @ filters
    return powers, energies


def _condition(block: Any, made: Settings) -> Any:
    """Scale frames, take their mean away, emphasise high frequencies, in place; return the energies before the last."""
    if made.full_scale != 1.0:
        block *= block.dtype.type(made.full_scale)
    if made.remove_dc:
        block -= block.mean(axis=1, keepdims=True)
    energies = np.einsum("ij,ij->i", block, block)
    if made.pre_emphasis:
        before = np.concatenate([block[:, :1], block[:, :-1]], axis=1)
        block -= block.dtype.type(made.pre_emphasis) * before
    return energies


@lru_cache(maxsize=16)
def _taper(made: Settings) -> npt.NDArray[np.float64]:
    """Return the window: Povey's, a Hann window to the power of 0.85, symmetric; or a periodic Hann window."""
    k = np.arange(made.width)
    if made.window == "povey":
        return np.asarray((0.5 - 0.5 * np.cos(2 * np.pi * k / (made.width - 1))) ** 0.85)
    taper = np.zeros(made.n_fft)
    first = (made.n_fft - made.width) // 2
    taper[first : first + made.width] = 0.5 - 0.5 * np.cos(2 * np.pi * k / made.width)
    return taper


def log_filters(powers: npt.NDArray[Any], made: Settings) -> Float32:
    """Return the logarithm of powers: natural, or in dB and no more than `range_db` below the largest of all."""
    logs = np.log(np.maximum(powers, made.floor))
    if made.decibels:
        logs *= 10.0 / np.log(10.0)
        if len(logs):
            logs = np.maximum(logs, logs.max() - made.range_db)
    return np.asarray(logs, dtype=np.float32)
