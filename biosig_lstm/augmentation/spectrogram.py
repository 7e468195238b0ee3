"""Frames of log-mel power changed at random: vocal tracts of other lengths, other tempi, stretches masked."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError

__all__ = ["SpectrogramAugmentation", "bend", "mask", "stretch", "warp_vocal_tract"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_KNOTS = 5
_FEWEST_FRAMES = 4


def warp_vocal_tract(frames: npt.ArrayLike, *, factor: float, low_hz: float = 20.0, high_hz: float = 4000.0) -> Float32:
    """Return log-mel frames as of a vocal tract of another length: every frequency is multiplied.

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Filters evenly spaced on HTK's mel scale.
    factor : float [> 0]
        Above 1 for a shorter tract: what lay at 1000 Hz comes to lie at ``1000 * factor``.
    low_hz, high_hz : float [unit=Hz]
        Where the first filter begins and the last ends.

    Returns
    -------
    np.ndarray [shape=(frames, n_mels), dtype=float32]
        Interpolated between filters; beyond the last one its value goes on.

    Notes
    -----
    Vocal tract length perturbation (Jaitly and Hinton, ICML workshop 2013), on the filters' outputs and without the
    break near the end of the band. The mean over time may be taken away before or after: the answer is the same.
    """
    values = _frames(frames)
    if not 0 < factor < math.inf or not 0 <= low_hz < high_hz < math.inf:
        raise ParameterError(f"factor must be positive, low_hz < high_hz, got {factor!r}, {low_hz!r}, {high_hz!r}")
    n_mels = values.shape[1]
    low, high = _mel(low_hz), _mel(high_hz)
    centre_hz = 700 * (10 ** ((low + (high - low) * np.arange(1, n_mels + 1) / (n_mels + 1)) / 2595) - 1)
    return _at_columns(values, (_mel(centre_hz / factor) - low) / (high - low) * (n_mels + 1) - 1)


def bend(frames: npt.ArrayLike, offsets: npt.ArrayLike) -> Float32:
    """Return frames whose columns are moved by offsets that change smoothly along the frequencies.

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Log-mel.
    offsets : array_like [shape=(knots,), unit=columns]
        At evenly spaced columns from the first to the last, straight lines in between: how much further up a column
        takes its values from.
    """
    values = _frames(frames)
    knots = np.asarray(offsets, dtype=np.float64)
    columns = np.arange(values.shape[1])
    moved = np.interp(columns, np.linspace(0, values.shape[1] - 1, len(knots)), knots)
    return _at_columns(values, columns + moved)


def stretch(frames: npt.ArrayLike, n_frames: int) -> Float32:
    """Return the frames drawn out or pressed together to `n_frames`, interpolated; first and last stay first and last.

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Any features.
    n_frames : int [>= 1]
        How many are wanted.
    """
    values = _frames(frames)
    if n_frames < 1:
        raise ParameterError(f"n_frames must be at least 1, got {n_frames}")
    return _between(values, np.linspace(0, len(values) - 1, n_frames))


def mask(frames: npt.ArrayLike, rng: np.random.Generator, *, steps: int, columns: int) -> Float32:
    """Return frames with one random stretch of time and one of frequency set to zero (SpecAugment).

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Normalised, so that zero is the mean.
    rng : np.random.Generator
        Draws the stretches.
    steps, columns : int [>= 0]
        Greatest length of each.

    Notes
    -----
    Park et al., Interspeech 2019, doi:10.21437/Interspeech.2019-2680.
    """
    changed = _frames(frames).astype(np.float32)
    for axis, most in enumerate((steps, columns)):
        width = int(rng.integers(0, min(most, changed.shape[axis]) + 1))
        first = int(rng.integers(0, changed.shape[axis] - width + 1))
        changed[(slice(None),) * axis + (slice(first, first + width),)] = 0.0
    return changed


def _mel(hz: npt.ArrayLike) -> Float64:
    return np.asarray(2595 * np.log10(1 + np.asarray(hz, dtype=np.float64) / 700))


def _frames(frames: npt.ArrayLike) -> npt.NDArray[np.floating]:
    values = np.asarray(frames)
    if values.ndim != 2 or not values.size:
        raise DataError(f"frames are (frames, columns) with values in them, got shape {values.shape}")
    return values


def _at_columns(values: npt.NDArray[np.floating], places: Float64) -> Float32:
    return _between(values.T, places).T


def _between(values: npt.NDArray[np.floating], places: Float64) -> Float32:
    """Return rows at places that need not be whole, those beyond the ends as the ends."""
    inside = np.clip(places, 0, len(values) - 1)
    below = np.minimum(inside.astype(np.int64), len(values) - 1)
    above = np.minimum(below + 1, len(values) - 1)
    share = (inside - below)[:, None].astype(np.float32)
    return np.asarray(values[below] * (1 - share) + values[above] * share, dtype=np.float32)


@dataclass(frozen=True)
class SpectrogramAugmentation:
    """Change training items of log-mel frames with one label: called as ``(x, y, rng) -> (x, y)``.

    Parameters
    ----------
    warp : float [0 to 1)
        Logarithm of the greatest change of the vocal tract's length, either way.
    bend : float [>= 0]
        Standard deviation of what each of five knots along the frequencies is moved by, in hundredths of all columns.
    stretch : float [0 to 1)
        Logarithm of the greatest change of the number of frames, either way.
    cut : int [>= 0]
        Most frames that are lost at each end.
    masked_share : float [0 to 1]
        Greatest share of the frames, and of the columns, that is masked at once.
    masks : int [>= 0]
        Masks of each kind.
    low_hz, high_hz : float [unit=Hz]
        Where the first filter begins and the last ends.

    Raises
    ------
    ParameterError
        When a value is out of range.

    Notes
    -----
    Frames come with the mean of each column over the item taken away, and leave so.
    """

    warp: float = 0.15
    bend: float = 1.5
    stretch: float = 0.3
    cut: int = 3
    masked_share: float = 0.17
    masks: int = 1
    low_hz: float = 20.0
    high_hz: float = 4000.0

    def __post_init__(self) -> None:
        if not (0 <= self.warp < 1 and 0 <= self.stretch < 1 and 0 <= self.masked_share <= 1):
            raise ParameterError(f"warp and stretch lie in [0, 1), masked_share in [0, 1], got {self!r}")
        if self.bend < 0 or self.cut < 0 or self.masks < 0 or not 0 <= self.low_hz < self.high_hz:
            raise ParameterError(f"bend, cut and masks must be 0 or more, low_hz below high_hz, got {self!r}")

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the frames changed, shape (other frames, n_mels), and the label as it is."""
        before, after = (int(n) for n in rng.integers(0, self.cut + 1, 2))
        kept = x[before : len(x) - after] if len(x) - before - after >= _FEWEST_FRAMES else x
        factor, drawn = (math.exp(rng.uniform(-most, most)) for most in (self.warp, self.stretch))
        frames = stretch(kept, max(round(len(kept) * drawn), min(len(kept), _FEWEST_FRAMES)))
        frames = warp_vocal_tract(frames, factor=factor, low_hz=self.low_hz, high_hz=self.high_hz)
        frames = bend(frames, rng.normal(0, self.bend * x.shape[1] / 100, _KNOTS))
        frames -= frames.mean(axis=0)
        for _ in range(self.masks):
            steps, columns = (int(self.masked_share * size) for size in frames.shape)
            frames = mask(frames, rng, steps=steps, columns=columns)
        return frames, y
