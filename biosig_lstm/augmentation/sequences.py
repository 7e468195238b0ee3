"""Sequences of beats, changed each time they are drawn for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["SequenceAugmentation"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SequenceAugmentation:
    """Change a sequence of beats at random: a stretch of it, turned over, at another gain, with noise.

    Parameters
    ----------
    n_window : int
        Columns at the beginning of a step that are samples.
    cut : float [0 to 1]
        Probability that the sequence is cut to a random stretch.
    shortest : float [0 to 1]
        Share of the steps that is kept at least.
    least_steps : int
        Shorter sequences are not cut.
    turn : float [0 to 1]
        Probability that the samples change sign: electrodes that are swapped turn a lead over.
    gain : float
        Standard deviation of the logarithm of the gain.
    hide : float [0 to 1]
        Probability that all samples are hidden, so that the rhythm must be enough.
    noise : float
        Standard deviation of noise on every sample, in units of the window.
    """

    n_window: int
    cut: float = 0.5
    shortest: float = 0.8
    least_steps: int = 12
    turn: float = 0.5
    gain: float = 0.1
    hide: float = 0.1
    noise: float = 0.03

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the sequence changed, shape (steps, features), and its label as it is."""
        steps = self._stretch(x, rng).copy()
        windows = steps[:, : self.n_window]
        sign = -1.0 if rng.random() < self.turn else 1.0
        windows *= np.float32(sign * np.exp(rng.normal(0, self.gain)))
        if rng.random() < self.hide:
            windows[:] = 0
        windows += np.float32(self.noise) * rng.standard_normal(windows.shape, dtype=np.float32)
        return steps, y

    def _stretch(self, x: Float32, rng: np.random.Generator) -> Float32:
        if len(x) < self.least_steps or rng.random() >= self.cut:
            return x
        kept = int(rng.integers(int(np.ceil(self.shortest * len(x))), len(x) + 1))
        first = int(rng.integers(0, len(x) - kept + 1))
        return x[first : first + kept]
