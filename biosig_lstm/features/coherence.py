"""Coherence between channels of the EEG in bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import fft

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features._eeg import (
    BANDS_HZ,
    Float32,
    Float64,
    add_columns,
    as_bands,
    by_blocks,
    channels,
    check_bands,
    float32,
    ratio,
    zero_mean,
)
from biosig_lstm.features._spectrum import in_band, welch_transforms
from biosig_lstm.steps import Step

__all__ = ["Coherence", "coherence"]


def coherence(
    x: npt.ArrayLike,
    *,
    fs: float,
    bands: Mapping[str, tuple[float, float]] = BANDS_HZ,
    segment_s: float = 2.0,
) -> Float32:
    """Return the magnitude-squared coherence between all pairs of channels, averaged over bands.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    bands : mapping of str to (float, float) [unit=Hz]
        From the first frequency to below the second.
    segment_s : float [unit=s, > 0]
        Length of the Hann-windowed segments, which overlap by half. The fewer a window holds the higher is the
        coherence of channels that have nothing in common.

    Returns
    -------
    np.ndarray [shape=(n_windows, pairs, bands), dtype=float32]
        Mean over the frequencies of the band, 0 to 1; pairs in the order of ``itertools.combinations``. NaN where a
        sample of either channel is not finite, a channel has no power at one of the frequencies, no frequency lies in
        the band, or fewer than two segments fit into the window.

    Raises
    ------
    DataError
        When the array has other axes, no samples, or fewer than two channels.
    ParameterError
        When the rate or the length is not positive, or a band is none or reaches beyond half the rate.

    Notes
    -----
    As `scipy.signal.coherence`. Volume conduction and a common reference make neighbours coherent.

    Examples
    --------
    >>> noise = np.random.default_rng(0).standard_normal(3000)
    >>> coherence([[noise, 3 * noise]], fs=100, bands={"alpha": (8, 13)}).round(3).tolist()
    [[[1.0]]]
    """
    check_bands(bands, fs)
    _check_segment(segment_s)
    return by_blocks(x, lambda part: _coherence(zero_mean(part, fs), fs=fs, bands=bands, segment_s=segment_s))


def _check_segment(segment_s: float) -> None:
    if not 0 < segment_s < np.inf:
        raise ParameterError(f"segment_s must be positive and finite, got {segment_s!r}")


def _coherence(values: Float64, *, fs: float, bands: Mapping[str, tuple[float, float]], segment_s: float) -> Float32:
    if values.shape[1] < 2:
        raise DataError(f"coherence needs two channels or more, got {values.shape[1]}")
    first, second = (np.array(side, dtype=np.intp) for side in _pairs(values.shape[1]))
    transform, width = welch_transforms(values, fs=fs, segment_s=segment_s)
    if transform.shape[-2] < 2 or width < round(segment_s * fs):
        return np.full((len(values), len(first), len(bands)), np.nan, dtype=np.float32)
    frequencies = fft.rfftfreq(width, 1 / fs)
    power = (transform.real**2 + transform.imag**2).sum(axis=-2)
    shared = np.stack(
        [_squared_sum(transform[:, a], transform[:, b]) for a, b in zip(first, second, strict=True)], axis=1
    )
    found = ratio(shared, power[:, first] * power[:, second])
    return float32(np.stack([_mean(found, frequencies, band) for band in bands.values()], axis=-1))


def _pairs(n_channels: int) -> tuple[list[int], list[int]]:
    pairs = list(combinations(range(n_channels), 2))
    return [a for a, _ in pairs], [b for _, b in pairs]


def _squared_sum(a: npt.NDArray[np.complex128], b: npt.NDArray[np.complex128]) -> Float64:
    cross = np.einsum("nsf,nsf->nf", a, b.conj())
    return np.asarray(cross.real**2 + cross.imag**2)


def _mean(found: Float64, frequencies: Float64, band: tuple[float, float]) -> Float64:
    inside = in_band(frequencies, band)
    return np.asarray(found[..., inside].mean(axis=-1)) if inside.any() else np.full(found.shape[:-1], np.nan)


@dataclass(frozen=True)
class Coherence(Step):
    """Add the coherence of all pairs of channels in bands to windows of EEG, after their samples.

    Parameters
    ----------
    bands : tuple of str
        Names in `BANDS_HZ`, or a band of one's own as ``"mu=9-11.5"``, in Hz.
    segment_s : float [unit=s, > 0]
        As in `coherence`.

    Raises
    ------
    ParameterError
        When there is no such band, or the length is not positive.

    Notes
    -----
    Columns ``C3~O2.alpha_coherence``; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    bands: tuple[str, ...] = ("delta", "theta", "alpha", "sigma", "beta", "gamma")
    segment_s: float = 2.0

    def __post_init__(self) -> None:
        as_bands(self.bands)
        _check_segment(self.segment_s)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with a further column for each pair of channels and band.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, have these columns or one channel.
        ParameterError
            When a band reaches beyond half the rate.
        """
        bands, names = as_bands(self.bands), channels(windows)
        if len(names) < 2:
            raise DataError(f"coherence needs two channels or more, got {', '.join(names)}")
        columns = [f"{a}~{b}.{band}_coherence" for a, b in combinations(names, 2) for band in bands]
        return add_columns(windows, columns, self._of)

    def _of(self, x: Float32, fs: float) -> Float32:
        return coherence(x, fs=fs, bands=as_bands(self.bands), segment_s=self.segment_s)
