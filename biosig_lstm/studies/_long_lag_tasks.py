"""The adding problem and the temporal order problem of Hochreiter and Schmidhuber, in batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from biosig_lstm.errors import ParameterError

__all__ = ["TASKS", "Adding", "Sequences", "Task", "TemporalOrder"]

_SHORTEST = 30
_FIRST_MARKED = 10
_SYMBOLS = ("E", "B", "X", "Y", "a", "b", "c", "d")
_DISTRACTORS = 4


class Sequences(NamedTuple):
    """New sequences: x (batch, steps, features), zero beyond each item's length; lengths (batch,); targets (batch,)."""

    x: Tensor
    lengths: Tensor
    targets: Tensor


class Task(Protocol):
    """Sequences of about so many steps, how an answer is learned from, and when it is right."""

    @property
    def n_features(self) -> int:
        """Features of a step."""

    @property
    def n_outputs(self) -> int:
        """Numbers of an answer."""

    def draw(self, steps: int, batch: int, generator: Generator) -> Sequences:
        """Return new sequences of `steps` to 1.1 `steps` steps."""

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of answers (batch, n_outputs)."""

    def right(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return which answers are right, bool (batch,)."""


@dataclass(frozen=True)
class Adding:
    """Add the two marked numbers among many (experiment 4).

    The first feature of a step is a number from U(-1, 1); the second marks: 1 at one of the first ten steps and at
    another of the first ``steps / 2 - 1``, -1 at the first and at the last step, else 0. A marked first step has the
    number 0 and keeps its mark. The target is ``0.5 + (X1 + X2) / 4``; an answer is right within 0.04.

    Examples
    --------
    >>> Adding().draw(50, 3, Generator().manual_seed(0)).x.shape[2]
    2
    """

    n_features: int = 2
    n_outputs: int = 1
    tolerance: float = 0.04

    def draw(self, steps: int, batch: int, generator: Generator) -> Sequences:
        """Return new sequences; see `Task.draw`."""
        lengths, longest = _lengths(steps, batch, generator)
        row, last = torch.arange(batch), lengths - 1
        values = torch.rand(batch, longest, generator=generator) * 2 - 1
        first = torch.randint(_FIRST_MARKED, (batch,), generator=generator)
        second = torch.randint(steps // 2 - 2, (batch,), generator=generator)
        second = second + (second >= first).long()  # one that is not marked yet
        values[:, 0] *= ((first != 0) & (second != 0)).float()
        marks = torch.zeros(batch, longest)
        marks[row, last], marks[:, 0] = -1.0, -1.0
        marks[row, first], marks[row, second] = 1.0, 1.0
        targets = 0.5 + (values[row, first] + values[row, second]) / 4
        valid = torch.arange(longest) < lengths.unsqueeze(1)
        return Sequences(torch.stack([values, marks], dim=2) * valid.unsqueeze(2), lengths, targets)

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the mean squared error."""
        return mse_loss(answers.squeeze(1), targets)

    def right(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return which answers err by less than 0.04."""
        return (answers.squeeze(1) - targets).abs() < self.tolerance


@dataclass(frozen=True)
class TemporalOrder:
    """Tell the order of two symbols among distractors (experiment 6a).

    A sequence starts with E and ends with B; X or Y stands at a step from 0.1 to 0.2 `steps` and at one from 0.5 to
    0.6 `steps`, one of a, b, c, d elsewhere. The classes are XX, XY, YX, YY. An answer is right when the probabilities
    of all classes are within 0.3 of 1 for the right class and of 0 for the others.

    Examples
    --------
    >>> TemporalOrder().draw(50, 3, Generator().manual_seed(0)).x.shape[2]
    8
    """

    n_features: int = len(_SYMBOLS)
    n_outputs: int = 4
    tolerance: float = 0.3

    def draw(self, steps: int, batch: int, generator: Generator) -> Sequences:
        """Return new sequences; see `Task.draw`."""
        lengths, longest = _lengths(steps, batch, generator)
        row, tenth = torch.arange(batch), steps // 10
        drawn = torch.randint(_DISTRACTORS, (batch, longest), generator=generator)
        symbols = drawn + len(_SYMBOLS) - _DISTRACTORS
        first = tenth + torch.randint(tenth + 1, (batch,), generator=generator)
        second = 5 * tenth + torch.randint(tenth + 1, (batch,), generator=generator)
        told = torch.randint(2, (batch, 2), generator=generator)
        symbols[:, 0], symbols[row, lengths - 1] = _SYMBOLS.index("E"), _SYMBOLS.index("B")
        symbols[row, first] = _SYMBOLS.index("X") + told[:, 0]
        symbols[row, second] = _SYMBOLS.index("X") + told[:, 1]
        valid = torch.arange(longest) < lengths.unsqueeze(1)
        x = one_hot(symbols, len(_SYMBOLS)).float() * valid.unsqueeze(2)
        return Sequences(x, lengths, 2 * told[:, 0] + told[:, 1])

    def loss(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return the cross-entropy."""
        return cross_entropy(answers, targets)

    def right(self, answers: Tensor, targets: Tensor) -> Tensor:
        """Return which answers have no probability that errs by 0.3 or more."""
        wanted = one_hot(targets, self.n_outputs)
        return (answers.softmax(dim=1) - wanted).abs().amax(dim=1) < self.tolerance


def _lengths(steps: int, batch: int, generator: Generator) -> tuple[Tensor, int]:
    if steps < _SHORTEST:
        raise ParameterError(f"steps must be at least {_SHORTEST}, got {steps}")
    lengths = torch.randint(steps, steps + steps // 10 + 1, (batch,), generator=generator)
    return lengths, int(lengths.max())


TASKS: dict[str, Task] = {"adding": Adding(), "temporal order": TemporalOrder()}
