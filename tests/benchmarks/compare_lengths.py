"""Does a cell hold on items longer than those it has learned from? Run ``python tests/benchmarks/compare_lengths.py``.

Each step of a random walk is named by whether it lies above where it was six steps before. 256 items of 64 steps train
two layers of 32 units for 30 epochs; 40 others of 64 steps and 4 of 2,000 are named. "one piece" lets a Transformer
read an item at once, as if it had learned from items of any length.
"""

from __future__ import annotations

import sys

import numpy as np
import torch

import biosig_lstm as bl
from biosig_lstm.models import CELLS

STEPS, LONG_STEPS, LAG = 64, 2000, 6


def walks(rng: np.random.Generator, n: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the increments of random walks, (n, steps, 1), and the label of each step."""
    x = rng.standard_normal((n, steps, 1)).astype(np.float32)
    walk = np.cumsum(x[:, :, 0], axis=1)
    return x, (walk - np.pad(walk, ((0, 0), (LAG, 0)))[:, :-LAG] > 0).astype(int)


def accuracy(model: bl.StepClassifier, x: np.ndarray, y: np.ndarray) -> float:
    """Return the share of steps that are named right."""
    return float((model.predict(x).index == y.ravel()).mean())


def row(cell: str) -> str:
    """Return the row of a cell."""
    rng = np.random.default_rng(0)
    train, long, short = walks(rng, 256, STEPS), walks(rng, 4, LONG_STEPS), walks(rng, 40, STEPS)
    model = bl.StepClassifier(model=bl.BiLSTM(32, cell=cell, num_layers=2))
    model.fit(*train, max_epochs=30, batch_size=16, progress=False, device="cpu")
    figures = [accuracy(model, *short), accuracy(model, *long)]
    for network in model.networks:
        if cell == "transformer":
            network.lstm.longest.zero_()
    figures.append(accuracy(model, *long))
    return f"| {cell} | {' | '.join(f'{value:.3f}' for value in figures)} |"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    sys.stdout.write(
        f"| cell | {STEPS} steps | {LONG_STEPS:,} steps | {LONG_STEPS:,} steps in one piece |\n|---|---|---|---|\n"
    )
    for cell in CELLS:
        sys.stdout.write(row(cell) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
