"""Does a memory set from the lengths of the items pay on real recordings?

Run ``python tests/benchmarks/compare_memory.py --data FOLDER [--only DATABASE ...] [--cells lstm gru]`` where FOLDER
holds the databases by name; prints a Markdown table: mean F1 over classes on subjects left out, three folds, mean and
range of the seeds. "as it is" starts the gate that keeps with a bias of 1; "auto" draws it for the median length of the
training items (``memory_steps``).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from real_sets import SEEDS, described, held_sets, reached

import biosig_lstm as bl

UNITS = 32
HEAD = "| set | items, steps | cell, pooling | as it is | auto | difference |\n|---|---|---|---|---|---|\n"


def models(cells: Sequence[str], *, per_step: bool) -> dict[str, bl.BiLSTM]:
    """Return the networks by what the rows call them."""
    poolings = (None,) if per_step else ("attention", "last")
    return {
        f"{cell}, {pooling or 'each step'}": bl.BiLSTM(UNITS, cell=cell, pooling=pooling, dropout=0.2)
        for cell in cells
        for pooling in poolings
    }


def with_range(values: list[float]) -> str:
    """Return the mean, and the least and the largest."""
    return f"{np.mean(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=())
    parser.add_argument("--cells", nargs="+", default=("lstm", "gru"))
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    sys.stdout.write(HEAD)
    for one, windows in held_sets(chosen.data, chosen.only):
        for name, model in models(chosen.cells, per_step=windows.step_labels).items():
            settings = one.settings
            plain = [reached(windows, model, seed=seed, settings=settings) for seed in SEEDS]
            chrono = bl.models.spec_from_dict({**model.to_dict(), "memory_steps": "auto"})
            auto = [reached(windows, chrono, seed=seed, settings=settings) for seed in SEEDS]
            difference = np.mean(auto) - np.mean(plain)
            row = (one.name, described(windows), name, with_range(plain), with_range(auto), f"{difference:+.3f}")
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
