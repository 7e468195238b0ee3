"""Filters on the mel scale, and the cosine transform of their logarithms."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import BiosigWarning, ParameterError
from biosig_lstm.features._speech_settings import Settings

__all__ = ["cosines", "mel_filters"]

Float64 = npt.NDArray[np.float64]

_LINEAR_HZ, _LOG_FROM_HZ = 200.0 / 3.0, 1000.0
_LOG_STEP = np.log(6.4) / 27.0


def _to_mel(hz: Any, scale: str) -> Any:
    if scale == "htk":
        return 1127.0 * np.log1p(np.asarray(hz) / 700.0)
    if scale == "kaldi":
        ratio = np.float32(1) + np.asarray(hz, np.float32) / np.float32(700)
        return np.float32(1127) * np.log(ratio, dtype=np.float64).astype(np.float32)
    steps = np.log(np.maximum(hz, _LOG_FROM_HZ) / _LOG_FROM_HZ) / _LOG_STEP
    return np.minimum(hz, _LOG_FROM_HZ) / _LINEAR_HZ + steps


def _to_hz(mel: Float64) -> Any:
    """Return the frequencies of places on Slaney's scale."""
    knee = _LOG_FROM_HZ / _LINEAR_HZ
    return np.minimum(mel, knee) * _LINEAR_HZ * np.exp(_LOG_STEP * np.maximum(mel - knee, 0.0))


@lru_cache(maxsize=16)
def mel_filters(made: Settings) -> Float64:
    """Return triangular filters on the bins of a transform, shape (n_mels, n_fft // 2 + 1).

    Notes
    -----
    ``htk``: mel 1127 ln(1 + f / 700), triangles with straight sides on the mel scale and a peak of 1, the bin at half
    the rate left out. ``kaldi``: the same as Kaldi computes it (mel-computations.cc), each step rounded to float32,
    which moves weights by 1e-6: a strong tone at the edge of a filter is louder or softer by 1e-4 for it. ``slaney``:
    linear to 1 kHz, logarithmic above (Slaney's Auditory Toolbox, 1998), triangles with straight sides in Hz and an
    area of 1, as in librosa.

    Raises
    ------
    ParameterError
        When a filter of another scale than ``slaney`` is so narrow that it has no bin; there it is told in a warning.
    """
    scale = made.mel_scale
    number = np.float32 if scale == "kaldi" else np.float64
    low, high = _to_mel(made.low_hz, scale), _to_mel(made.high_hz, scale)
    edges = low + (high - low) / number(made.n_mels + 1) * np.arange(made.n_mels + 2, dtype=number)
    bins = np.fft.rfftfreq(made.n_fft, 1 / made.fs)
    at = bins if scale == "slaney" else _to_mel(bins, scale)
    edges = _to_hz(edges) if scale == "slaney" else edges
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    weights = np.maximum(0.0, np.minimum((at - left) / (centre - left), (right - at) / (right - centre)))
    if scale == "slaney":
        weights *= 2.0 / (right - left)
    else:
        weights[:, made.n_fft // 2 :] = 0.0
    _check(weights, made)
    filters: Float64 = weights.astype(np.float64)
    filters.flags.writeable = False
    return filters


def _check(weights: Float64, made: Settings) -> None:
    empty = np.flatnonzero(~(weights > 0).any(axis=1))
    if not len(empty):
        return
    what = (
        f"{made.n_mels} mel filters from {made.low_hz:g} to {made.high_hz:g} Hz are too many for transforms of "
        f"{made.n_fft} samples at {made.fs:g} Hz: filter {empty[0]} holds no frequency; take fewer, or longer frames"
    )
    if made.mel_scale != "slaney":
        raise ParameterError(what)
    warnings.warn(what, BiosigWarning, stacklevel=5)


@lru_cache(maxsize=16)
def cosines(n_mels: int, n_mfcc: int, lifter: float, lifter_from: int) -> Float64:
    """Return the orthonormal cosine transform of type II, shape (n_mels, n_mfcc), its columns liftered.

    Where `lifter` is not 0, coefficient k is multiplied by ``1 + lifter / 2 * sin(pi * (k + lifter_from) / lifter)``.
    """
    k, m = np.arange(n_mfcc), np.arange(n_mels)[:, None]
    basis = np.sqrt(2.0 / n_mels) * np.cos(np.pi / n_mels * (m + 0.5) * k)
    basis[:, 0] = np.sqrt(1.0 / n_mels)
    weights = 1.0 + lifter / 2 * np.sin(np.pi * (k + lifter_from) / lifter) if lifter else np.ones(n_mfcc)
    return np.asarray(basis * weights, dtype=np.float64)
