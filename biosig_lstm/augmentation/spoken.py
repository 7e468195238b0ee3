"""Frames of sound changed at random: words in another order, stretches of time and frequency masked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError

__all__ = ["SpokenAugmentation", "sounding"]

_SILENCE = (-6.0, -2.0)
_DEVIATION = 2.5
_FRAGMENTS, _FRAGMENT = 0.2, (0.1, 0.5)

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


def sounding(frames: npt.ArrayLike, *, pause: int = 12, least: int = 8) -> Int64:
    """Return the stretches of frames that are loud.

    Parameters
    ----------
    frames : array_like [shape=(frames, features)]
        Log-mel, whatever its scaling: the mean of a frame is how loud it is.
    pause : int [unit=frames, >= 1]
        Shorter pauses are none.
    least : int [unit=frames, >= 1]
        Shorter stretches are none.

    Returns
    -------
    np.ndarray of int64 [shape=(stretches, 2), unit=frames]
        First frame of each, and the one after its last. Loud is what lies in the upper half between the 20th and the
        97th percentile: the pauses of an item should be a fifth of it or more.

    Examples
    --------
    >>> level = np.zeros(100)
    >>> level[20:40] = level[60:80] = 1
    >>> sounding(level[:, None]).tolist()
    [[20, 40], [60, 80]]
    """
    level = np.asarray(frames, dtype=np.float64).mean(axis=1)
    low, high = np.percentile(level, [20, 97])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], level > (low + high) / 2, [False]]).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    apart = begins[1:] - ends[:-1] >= pause
    first = begins[np.concatenate([[True], apart])] if len(begins) else begins
    last = ends[np.concatenate([apart, [True]])] if len(ends) else ends
    found: Int64 = np.stack([first, last], axis=1)[last - first >= least]
    return found


@dataclass(frozen=True)
class SpokenAugmentation:
    """Change training items of frames with texts: called as ``(x, y, rng) -> (x, y)``.

    Parameters
    ----------
    reorder : float [0 to 1]
        How often the words of an item are put in another order, a random number of them: where as many stretches of
        sound are found in it as it has symbols, which are words then.
    masks : int [>= 0]
        Stretches of time and of frequency that are set to zero, each.
    mask_steps, mask_columns : int [>= 1]
        Greatest length of one.
    noise : float [>= 0]
        Standard deviation of what is added to each value.
    mute : float [0 to 1]
        How often the frames before the first stretch of sound, or after the last, are set to one value far below the
        mean, as digital silence is in scaled features: files that were cut by an editor begin and end so.
    hiss : float [0 to 1]
        How often noise is added that fades, of a level and a tilt over the columns that are drawn: what a recorder with
        automatic gain lets through after a silence.
    warp : float [0 to below 1]
        By how much the columns are stretched or squeezed along their order, at most, as a longer or shorter vocal tract
        does to log-mel: an item's share is drawn between ``-warp`` and ``warp``.
    stretch : float [0 to below 1]
        By how much time is, alike.

    Raises
    ------
    ParameterError
        When a value is out of range.

    Notes
    -----
    A network that has few texts learns their order by heart, and never where a word is: other orders prevent that.
    Masks as in SpecAugment (Park et al., Interspeech 2019), without warping time; zero is the mean of scaled features.
    Warped columns as in vocal tract length perturbation (Jaitly and Hinton, ICML 2013 workshop on speech), here of the
    finished log-mel and along the whole scale.
    """

    reorder: float = 0.0
    masks: int = 2
    mask_steps: int = 20
    mask_columns: int = 8
    noise: float = 0.0
    mute: float = 0.0
    hiss: float = 0.0
    warp: float = 0.0
    stretch: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.reorder, self.mute, self.hiss)):
            raise ParameterError(f"reorder, mute and hiss must lie in [0, 1], got {self!r}")
        if self.noise < 0 or self.masks < 0:
            raise ParameterError(f"noise and masks must be 0 or more, got {self!r}")
        if not 0 <= self.warp < 1 or not 0 <= self.stretch < 1:
            raise ParameterError(f"warp and stretch must lie in [0, 1), got {self!r}")
        if self.mask_steps < 1 or self.mask_columns < 1:
            raise ParameterError(f"mask_steps and mask_columns must be at least 1, got {self!r}")

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return changed copies of the frames (steps, columns) and of the symbols."""
        if rng.random() < self.reorder:
            x, y = reordered(x, y, rng)
        if self.stretch:
            x = stretched(x, 1 + rng.uniform(-self.stretch, self.stretch))
        if self.warp:
            x = stretched(x.T, 1 + rng.uniform(-self.warp, self.warp), length=x.shape[1]).T
        if rng.random() < self.hiss:
            x = hissing(x, rng)
        changed = (x + self.noise * rng.standard_normal(x.shape)).astype(np.float32)
        for _ in range(self.masks):
            for axis, most in enumerate((self.mask_steps, self.mask_columns)):
                width = int(rng.integers(0, min(most, changed.shape[axis] // 2) + 1))
                first = int(rng.integers(0, changed.shape[axis] - width + 1))
                changed[(slice(None),) * axis + (slice(first, first + width),)] = 0.0
        for backwards in (False, True):
            if rng.random() < self.mute:
                _mute(changed[::-1] if backwards else changed, rng)
        return changed, y


def stretched(rows: npt.NDArray[np.float32], factor: float, *, length: int | None = None) -> Float32:
    """Return rows drawn out by a factor, interpolated linearly; where they end sooner the last is repeated.

    Parameters
    ----------
    rows : np.ndarray [shape=(n, columns)]
        What is drawn out along the first axis.
    factor : float [> 0]
        Above 1 there are more rows.
    length : int, optional
        Rows wanted; by default ``factor`` times as many, and one at least.
    """
    wanted = max(round(factor * len(rows)), 1) if length is None else length
    at = np.minimum(np.arange(wanted) / factor, len(rows) - 1)
    before = at.astype(np.int64)
    after = np.minimum(before + 1, len(rows) - 1)
    share = (at - before)[:, None].astype(np.float32)
    return np.asarray(rows[before] * (1 - share) + rows[after] * share, dtype=np.float32)


def hissing(x: Float32, rng: np.random.Generator) -> Float32:
    """Return scaled log-mel with noise that fades, powers added.

    Parameters
    ----------
    x : np.ndarray [shape=(frames, columns)]
        Log-mel of deviation one; a deviation is taken for 2.5 natural logarithms of power.
    rng : np.random.Generator
        Draws level, tilt and how fast it fades.
    """
    steps, columns = x.shape
    fading = np.arange(steps)[:, None] / rng.uniform(100, 1000)
    tilt = rng.uniform(-0.3, 0.8) * np.linspace(-0.5, 0.5, columns)
    level = rng.uniform(-1.5, 1.0) + tilt - fading + 0.3 * rng.standard_normal(x.shape)
    return np.asarray(np.logaddexp(_DEVIATION * x, _DEVIATION * level) / _DEVIATION, dtype=np.float32)


def _mute(frames: Float32, rng: np.random.Generator) -> None:
    """Set frames before the first stretch of sound to one low value, as many of them as are drawn."""
    found = sounding(frames)
    if len(found):
        frames[: int(rng.integers(0, found[0, 0] + 1))] = rng.uniform(*_SILENCE)


def reordered(x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
    """Return one or more words of an item in random order, cut in the middle of pauses; the item where none are found.

    What comes before the first word and after the last stays where it is, shortened at random. One in five begins with
    the end of a word, its last tenth to its last half, that the recording has cut off and no symbol stands for.

    Parameters
    ----------
    x : np.ndarray [shape=(frames, features)]
        Log-mel.
    y : np.ndarray of int64 [shape=(words,)]
        A symbol for each word.
    rng : np.random.Generator
        Draws how many, which and their order.
    """
    found = sounding(x)
    if len(found) != len(y) or len(y) < 2:
        return x, y
    half = int(np.median(found[1:, 0] - found[:-1, 1]) // 2)
    middles = (found[1:, 0] + found[:-1, 1]) // 2
    begins = np.concatenate([[max(found[0, 0] - half, 0)], middles])
    ends = np.concatenate([middles, [min(found[-1, 1] + half, len(x))]])
    order = rng.permutation(len(y))[: int(rng.integers(1, len(y) + 1))]
    before = x[int(rng.integers(0, begins[0] + 1)) : begins[0]]
    after = x[ends[-1] : int(rng.integers(ends[-1], len(x) + 1))]
    if rng.random() < _FRAGMENTS:
        first, stop = found[int(rng.integers(len(found)))]
        before = np.concatenate([x[stop - int(rng.uniform(*_FRAGMENT) * (stop - first)) : stop + half], before])
    return np.concatenate([before, *(x[begins[k] : ends[k]] for k in order), after]), y[order]
