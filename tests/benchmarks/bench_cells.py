"""Time of what reads sequences, by cell: LSTM, GRU, plain recurrent network and Transformer of one `hidden_size`.

Run ``python tests/benchmarks/bench_cells.py``; it prints a Markdown table. One thread, both directions, one layer of 64
units on 12 features, items of equal length. The Transformer has the parameters of the LSTM, GRU and RNN have fewer.
Cells take turns within each row.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import torch
from bench_models import forward_only, interleaved_medians, training_step

from biosig_lstm.models import CELLS, gate_traces, sequence_reader

FEATURES, HIDDEN = 12, 64
BUDGET_S, ROUNDS = 4.0, 61
SHAPES = ((1, 100), (1, 1000), (16, 100), (16, 1000))  # (batch, steps)


def rows() -> Iterator[str]:
    """Yield a table row for each batch and kind of work."""
    readers = {cell: sequence_reader(cell, FEATURES, HIDDEN) for cell in CELLS}
    for batch, steps in SHAPES:
        x, lengths = torch.randn(batch, steps, FEATURES), torch.full((batch,), steps)
        forward = {cell: partial(forward_only, reader, x, lengths) for cell, reader in readers.items()}
        training = {cell: partial(training_step, reader, reader, x, lengths) for cell, reader in readers.items()}
        for kind, works in (("forward", forward), ("training step", training)):
            times = interleaved_medians(works, budget_s=BUDGET_S, most=ROUNDS)
            ratios = " | ".join(f"{times[cell] / times['lstm']:.1f}" for cell in CELLS[1:])
            yield f"| {batch} x {steps}, {kind} | {1000 * times['lstm']:.1f} ms | {ratios} |"


def gates_row() -> str:
    """Return how long the equations, step by step, take beside the fast layers."""
    fast = sequence_reader("lstm", FEATURES, HIDDEN)
    x, lengths = torch.randn(1, 1000, FEATURES), torch.full((1,), 1000)
    works = {"fast": partial(forward_only, fast, x, lengths), "gates": partial(gate_traces, fast, x, lengths)}
    times = interleaved_medians(works, budget_s=BUDGET_S, most=ROUNDS)
    return (
        f"Gates of 1,000 steps: {1000 * times['gates']:.0f} ms, {times['gates'] / times['fast']:.0f} times the forward"
    )


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    counts = {cell: sum(p.numel() for p in sequence_reader(cell, FEATURES, HIDDEN).parameters()) for cell in CELLS}
    head = " | ".join(f"{cell} / lstm" for cell in CELLS[1:])
    lines = [
        f"torch {torch.__version__}, one thread; parameters: {', '.join(f'{c} {n:,}' for c, n in counts.items())}",
        "",
        f"| batch x steps, work | lstm | {head} |",
        "|---|---|---|---|---|",
        *rows(),
        "",
        gates_row(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
