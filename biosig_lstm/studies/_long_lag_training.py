"""Training on the tasks of long lags: one network, new sequences, until it meets the criterion."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from biosig_lstm.models import BiLSTM
from biosig_lstm.models.causal_lstm import CausalLSTM
from biosig_lstm.studies._long_lag_tasks import Sequences, Task

__all__ = ["LongLagSettings", "Outcome", "learn", "parameter_count"]

_CHUNK = 256
_PROMISING = 0.9  # share of a batch that is right before the criterion is worth a test


@dataclass(frozen=True, kw_only=True)
class LongLagSettings:
    """Sizes of the study.

    Parameters
    ----------
    lengths : tuple of int
        Steps of the sequences, ascending; each is up to a tenth longer.
    far_steps : int or None
        Length that the LSTM with chrono initialisation alone is put to besides.
    repeats : int
        Networks of each kind.
    units : dict of str to int
        `hidden_size` of each cell, for about as many parameters.
    batch, budget : int
        Sequences of an update, and of a whole run.
    check_every : int
        Updates between tests.
    tested, allowed : int
        New sequences of a test, and how many of them may be wrong.
    learning_rate, gradient_clip : float
        Of Adam; largest norm of the gradient.
    average_decay : float
        What the running average of the weights, which is tested, keeps at each update.
    """

    lengths: tuple[int, ...] = (50, 100, 200, 400)
    far_steps: int | None = 1000
    repeats: int = 1
    units: tuple[tuple[str, int], ...] = (("rnn", 34), ("gru", 19), ("lstm", 16), ("transformer", 12))
    batch: int = 64
    budget: int = 100_000
    check_every: int = 25
    tested: int = 2_560
    allowed: int = 1
    learning_rate: float = 0.01
    gradient_clip: float = 1.0
    average_decay: float = 0.98


class Outcome(NamedTuple):
    """How a run ended: sequences seen when the criterion was met, or None; wrong answers in the last test."""

    sequences: int | None
    wrong: int | None


class _Reader(nn.Module):
    """A network of this package and its answer at the end of each sequence."""

    def __init__(self, cell: str, units: int, *, task: Task, memory_steps: int | None) -> None:
        super().__init__()
        self.per_step = cell != "transformer"
        spec = (
            CausalLSTM(units, dropout=0.0, memory_steps=memory_steps, cell=cell)
            if self.per_step
            else BiLSTM(units, cell=cell)
        )
        self.network = spec.build(n_features=task.n_features, n_outputs=task.n_outputs, per_step=self.per_step)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        answers: Tensor = self.network(x, lengths)
        return answers[torch.arange(len(lengths), device=x.device), lengths - 1] if self.per_step else answers


def learn(
    task: Task,
    *,
    cell: str,
    steps: int,
    memory_steps: int | None = None,
    seed: int = 0,
    settings: LongLagSettings | None = None,
    device: str = "cpu",
) -> Outcome:
    """Train one network on new sequences until it meets the criterion, or its budget is spent.

    Parameters
    ----------
    task : Task
        What to learn.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads.
    steps : int [>= 30]
        Length of the sequences.
    memory_steps : int, optional
        For chrono initialisation.
    seed : int
        Decides weights and sequences.
    settings : LongLagSettings, optional
        Of which sizes, budget, criterion and optimiser are taken.
    device : str
        Where to compute.

    Returns
    -------
    Outcome
        The same for the same seed.
    """
    sizes = settings or LongLagSettings()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Reader(cell, dict(sizes.units)[cell], task=task, memory_steps=memory_steps).to(device)
    drawn, fresh = Generator().manual_seed(2 * seed), Generator().manual_seed(2 * seed + 1)
    average = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=sizes.learning_rate)
    for update in range(1, sizes.budget // sizes.batch + 1):
        new = _moved(task.draw(steps, sizes.batch, drawn), device)
        answers = network(new.x, new.lengths)
        optimizer.zero_grad()
        torch.autograd.backward(task.loss(answers, new.targets))
        nn.utils.clip_grad_norm_(network.parameters(), sizes.gradient_clip)
        optimizer.step()
        _follow(average, network, keep=sizes.average_decay)
        promising = float(task.right(answers, new.targets).float().mean()) >= _PROMISING
        if promising and update % sizes.check_every == 0:
            wrong = _count_wrong(average, task, steps=steps, generator=fresh, most=sizes.allowed, sizes=sizes)
            if wrong <= sizes.allowed:
                return Outcome(update * sizes.batch, wrong)
    return Outcome(None, _count_wrong(average, task, steps=steps, generator=fresh, most=sizes.tested, sizes=sizes))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, *, keep: float) -> None:
    """Bring the weights of an average nearer to those of the network."""
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - keep)


def _moved(new: Sequences, device: str) -> Sequences:
    return Sequences(*(part.to(device) for part in new))


@torch.no_grad()
def _count_wrong(
    network: nn.Module, task: Task, *, steps: int, generator: Generator, most: int, sizes: LongLagSettings
) -> int:
    """Return how many of the new sequences are answered wrongly; counting ends above `most`."""
    device = next(network.parameters()).device.type
    wrong = 0
    for start in range(0, sizes.tested, _CHUNK):
        new = _moved(task.draw(steps, min(_CHUNK, sizes.tested - start), generator), device)
        wrong += int((~task.right(network(new.x, new.lengths), new.targets)).sum())
        if wrong > most:
            break
    return wrong


def parameter_count(cell: str, *, task: Task, settings: LongLagSettings) -> int:
    """Return how many numbers a network of this cell learns."""
    with torch.random.fork_rng(devices=[]):
        network = _Reader(cell, dict(settings.units)[cell], task=task, memory_steps=None)
    return sum(weight.numel() for weight in network.parameters())
