"""Series that can be foreseen, and a small forecaster of them, for the tests of forecasting."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosig_lstm.estimators import Forecaster

__all__ = ["HORIZON", "QUICK", "forecaster", "series"]

QUICK: dict[str, Any] = {
    "max_epochs": 4, "batch_size": 8, "device": "cpu", "progress": False, "learning_rate": 5e-3
}  # fmt: skip
HORIZON = 6


def series(n: int, *, seed: int = 0, steps: int = 90) -> list[np.ndarray]:
    """Waves of twelve steps with a size, a level and noise of their own."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        at = np.arange(steps + int(rng.integers(0, 30)))
        size = rng.uniform(1, 10)
        wave = size * (np.sin(2 * np.pi * at / 12 + rng.uniform(0, 6)) + 0.1 * rng.standard_normal(len(at)))
        made.append((wave + rng.uniform(-50, 50))[:, None])
    return made


def forecaster(**how: Any) -> Forecaster:
    return Forecaster(**({"cell": "lstm", "horizon_steps": HORIZON, "context_steps": 24} | how))
