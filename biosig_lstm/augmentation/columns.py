"""Runs of features changed at random when they are drawn: noise on every value, columns lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError

__all__ = ["ColumnAugmentation"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ColumnAugmentation:
    """Change a run of scaled features, such as those of a night's epochs.

    Parameters
    ----------
    noise : float [>= 0]
        Standard deviation of noise on every value, in units of the column.
    lose : float [0 to 1)
        Probability that a column is zero throughout the run; those that stay are as much larger, as in dropout.

    Raises
    ------
    ParameterError
        When one is out of range.

    Examples
    --------
    >>> change = ColumnAugmentation(noise=0.0, lose=0.5)
    >>> x, y = change(np.ones((2, 6), np.float32), np.array([0, 1]), np.random.default_rng(0))
    >>> x.tolist()
    [[2.0, 0.0, 0.0, 0.0, 2.0, 2.0], [2.0, 0.0, 0.0, 0.0, 2.0, 2.0]]
    """

    noise: float = 0.3
    lose: float = 0.2

    def __post_init__(self) -> None:
        if self.noise < 0 or not 0 <= self.lose < 1:
            raise ParameterError(f"noise must be 0 or more and lose lie in [0, 1), got {self!r}")

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the run changed, shape (steps, features), and its labels as they are."""
        kept = np.asarray(rng.random(x.shape[1]) >= self.lose, dtype=np.float32) / np.float32(1 - self.lose)
        changed = x + np.float32(self.noise) * rng.standard_normal(x.shape, dtype=np.float32)
        return changed * kept, y
