"""Runs of frames of a recording, changed each time they are drawn for training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError

__all__ = ["FrameAugmentation"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FrameAugmentation:
    """Change a run of scaled rows at random: a stretch of it, backwards in time, with noise, without some columns.

    Parameters
    ----------
    noise : float [>= 0]
        Standard deviation of noise on every value, in units of the column.
    turn : float [0 to 1]
        Probability that time runs backwards.
    shortest : float [0 < shortest <= 1]
        Share of the rows that is kept at least, side by side.
    lose : float [0 to 1)
        Probability that a column is zero throughout the run; those that stay are as much larger, as in dropout.

    Raises
    ------
    ParameterError
        When one is out of range.
    """

    noise: float = 0.3
    turn: float = 0.5
    shortest: float = 0.7
    lose: float = 0.0

    def __post_init__(self) -> None:
        if self.noise < 0 or not 0 <= self.turn <= 1 or not 0 < self.shortest <= 1 or not 0 <= self.lose < 1:
            raise ParameterError(f"noise must be 0 or more, the others shares of one, got {self!r}")

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the run changed, shape (rows, columns), and its label as it is."""
        kept = int(rng.integers(int(np.ceil(self.shortest * len(x))), len(x) + 1))
        first = int(rng.integers(0, len(x) - kept + 1))
        rows = x[first : first + kept]
        rows = rows[::-1] if rng.random() < self.turn else rows
        changed = rows + np.float32(self.noise) * rng.standard_normal(rows.shape, dtype=np.float32)
        there = np.asarray(rng.random(x.shape[1]) >= self.lose, dtype=np.float32) / np.float32(1 - self.lose)
        return changed * there, y
