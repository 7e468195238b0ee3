"""Runs of beats changed at random when they are drawn: leads lost, turned over, scaled, noisy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["RunAugmentation"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RunAugmentation:
    """Change a run of windows; each lead's row is some windows of equal length, then scalars.

    Parameters
    ----------
    leads, views, samples, scalars : int
        Layout of a step: rows, windows in a row, samples of a window, scalars behind them.
    lose_lead : float [0 to 1]
        Probability that all leads but one are lost throughout the run.
    turn : float [0 to 1]
        Probability that a lead's windows change sign.
    gain : float
        Standard deviation of the logarithm of a lead's gain.
    hide : float [0 to 1]
        Probability that the first window of every lead is hidden, so that the model must use the others.
    noise : float
        Standard deviation of noise on every sample, in units of the window.
    """

    leads: int
    views: int
    samples: int
    scalars: int
    lose_lead: float = 0.5
    turn: float = 0.25
    gain: float = 0.15
    hide: float = 0.3
    noise: float = 0.03

    def __call__(self, x: Float32, y: Int64, rng: np.random.Generator) -> tuple[Float32, Int64]:
        """Return the run changed, shape (steps, features), and its labels as they are."""
        width = self.views * self.samples
        row = width + self.scalars
        steps = x.copy()
        rows = steps[:, : self.leads * row].reshape(len(x), self.leads, row)
        present = (rows != 0).any(axis=(0, 2))
        windows = rows[..., :width].reshape(len(x), self.leads, self.views, self.samples)
        sign = np.where(rng.random(self.leads) < self.turn, -1.0, 1.0)
        scale = sign * np.exp(rng.normal(0, self.gain, self.leads))
        windows = windows * scale[:, None, None].astype(np.float32)
        if rng.random() < self.hide:
            windows[:, :, 0] = 0
        hum = rng.standard_normal((len(x), self.leads, 1, self.samples), dtype=np.float32)
        windows = windows + np.float32(self.noise) * hum
        rows[..., :width] = windows.reshape(len(x), self.leads, width)
        rows[:, ~present] = 0
        self._lose(rows, present, rng)
        steps[:, : self.leads * row] = rows.reshape(len(x), -1)
        return steps, y

    def _lose(self, rows: Float32, present: npt.NDArray[np.bool_], rng: np.random.Generator) -> None:
        if present.sum() < 2 or rng.random() >= self.lose_lead:
            return
        kept = int(rng.choice(np.flatnonzero(present)))
        rows[:, np.arange(self.leads) != kept] = 0
