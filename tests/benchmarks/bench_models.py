"""Time of our bidirectional LSTM beside torch's own, packed and padded, on items of unequal length.

Run ``python tests/benchmarks/bench_models.py``; it prints a Markdown table. One thread, one batch of 32 items whose
lengths are log-normal (median 187, longest 1,000), and one as a sorted pool gives it (150 to 200 steps); 12 features.
"padded" is ``torch.nn.LSTM(bidirectional=True)`` on the padded batch, whose backward states are wrong for every item
but the longest; "packed" is exact, as ours is.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median

import numpy as np
import torch
from torch import Tensor, nn

from biosig_lstm.models import BeatRuns, BidirectionalLSTM

BATCH, FEATURES, MEDIAN_STEPS, LONGEST_STEPS = 32, 12, 187, 1000
SPREAD = 0.8  # standard deviation of the lengths' logarithm
SIZES = ((64, 1), (64, 2))  # (hidden_size, num_layers)

States = Callable[[Tensor, Tensor], Tensor]


def draw_lengths(generator: np.random.Generator) -> Tensor:
    """Return BATCH lengths, scaled so that their median is MEDIAN_STEPS, the longest LONGEST_STEPS."""
    lengths = np.exp(generator.normal(0, SPREAD, BATCH))
    lengths = np.clip(np.rint(lengths / np.median(lengths) * MEDIAN_STEPS), 1, LONGEST_STEPS)
    lengths[lengths.argmax()] = LONGEST_STEPS
    return torch.from_numpy(lengths.astype(np.int64))


def packed_states(lstm: nn.LSTM) -> States:
    """Return what runs torch's LSTM on the packed items."""

    def states(x: Tensor, lengths: Tensor) -> Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        padded, _ = nn.utils.rnn.pad_packed_sequence(lstm(packed)[0], batch_first=True)
        return padded

    return states


def padded_states(lstm: nn.LSTM) -> States:
    """Return what runs torch's LSTM over the padding as well."""
    return lambda x, lengths: lstm(x)[0]


def contenders(hidden_size: int, num_layers: int) -> Iterator[tuple[str, nn.Module, States]]:
    """Yield a name, the module that learns, and what computes its states."""
    ours = BidirectionalLSTM(FEATURES, hidden_size, num_layers=num_layers)
    yield "ours", ours, ours
    for name, run in (("packed", packed_states), ("padded", padded_states)):
        peer = nn.LSTM(FEATURES, hidden_size, num_layers, batch_first=True, bidirectional=True)
        yield name, peer, run(peer)


def forward_only(states: States, x: Tensor, lengths: Tensor) -> None:
    """Compute the states."""
    with torch.inference_mode():
        states(x, lengths)


def training_step(module: nn.Module, states: States, x: Tensor, lengths: Tensor) -> None:
    """Compute the states and the gradient of every weight."""
    module.zero_grad()
    states(x, lengths).square().mean().backward()


def seconds(work: Callable[[], None]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved_medians(works: dict[str, Callable[[], None]], *, budget_s: float, most: int = 9) -> dict[str, float]:
    """Return the median time of each work, in rounds over all of them after an untimed one, at least one round each.

    What has used up its budget is left out of further rounds.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(most):
        for name, work in works.items():
            if sum(times[name]) < budget_s:
                times[name].append(seconds(work))
    return {name: median(taken) for name, taken in times.items()}


def lstm_rows(title: str, x: Tensor, lengths: Tensor) -> Iterator[str]:
    """Yield a table row for each size and kind of work."""
    for hidden_size, num_layers in SIZES:
        running = list(contenders(hidden_size, num_layers))
        forward = {name: partial(forward_only, states, x, lengths) for name, _, states in running}
        training = {name: partial(training_step, module, states, x, lengths) for name, module, states in running}
        for kind, works in (("forward", forward), ("training step", training)):
            times = interleaved_medians(works, budget_s=1.5)
            ratios = " | ".join(f"{times[peer] / times['ours']:.1f}" for peer in ("packed", "padded"))
            yield f"| {title}, {num_layers} x {hidden_size}, {kind} | {1000 * times['ours']:.0f} ms | {ratios} |"


def beat_runs_row(generator: np.random.Generator) -> str:
    """Return how long BeatRuns takes over 32 runs of 64 beats, 2 leads of 90 samples and 4 scalars."""
    network = BeatRuns().build(n_features=184, n_outputs=4, window_shape=(2, 90), per_step=True)
    x = torch.from_numpy(generator.standard_normal((BATCH, 64, 184), dtype=np.float32))
    lengths = torch.full((BATCH,), 64)
    works = {
        "forward": partial(forward_only, network, x, lengths),
        "training step": partial(training_step, network, network, x, lengths),
    }
    times = interleaved_medians(works, budget_s=2)
    shown = ", ".join(f"{name} {1000 * taken:.0f} ms" for name, taken in times.items())
    return f"BeatRuns, {BATCH * 64} beats of 2 leads: {shown}"


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    lengths = draw_lengths(generator)
    alike = torch.from_numpy(generator.integers(150, 201, BATCH))
    x = torch.from_numpy(generator.standard_normal((BATCH, LONGEST_STEPS, FEATURES), dtype=np.float32))
    waste = 1 - int(lengths.sum()) / (BATCH * LONGEST_STEPS)
    lines = [
        f"torch {torch.__version__}, one thread; unsorted lengths: {100 * waste:.0f} % of the batch is padding",
        "",
        "| batch, layers x units, work | ours | packed / ours | padded / ours |",
        "|---|---|---|---|",
        *lstm_rows("unsorted", x, lengths),
        *lstm_rows("sorted pool", x[:, : int(alike.max())].contiguous(), alike),
        "",
        beat_runs_row(generator),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
