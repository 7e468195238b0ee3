"""Kernel logistic regression inside a network: numbers that were solved elsewhere, and how they answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["KernelMachine"]


class KernelMachine(nn.Module):
    """Logits by likeness to known items; before it is solved, nothing.

    Parameters
    ----------
    references, n_columns, n_outputs : int
        Known items at most, columns and answers.
    width : float
        The kernel of two rows is ``exp(-sum((a - b)**2) / (width * n_columns))``, of columns scaled to one.
    """

    centre: Tensor
    spread: Tensor
    known: Tensor
    weights: Tensor
    offset: Tensor
    solved: Tensor

    def __init__(self, *, references: int, n_columns: int, n_outputs: int, width: float) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("centre", torch.zeros(n_columns))
        self.register_buffer("spread", torch.ones(n_columns))
        self.register_buffer("known", torch.zeros(references, n_columns))
        self.register_buffer("weights", torch.zeros(references, n_outputs))
        self.register_buffer("offset", torch.zeros(n_outputs))
        self.register_buffer("solved", torch.zeros(1))

    def put(self, *, centre: Tensor, spread: Tensor, known: Tensor, weights: Tensor, offset: Tensor) -> None:
        """Set what was solved: `known` of at most `references` rows, scaled already, and a row of weights for each."""
        for name, values in {"centre": centre, "spread": spread, "offset": offset}.items():
            getattr(self, name).copy_(values)
        for name, values in {"known": known, "weights": weights}.items():
            getattr(self, name).zero_()
            getattr(self, name)[: len(values)].copy_(values)
        self.solved.fill_(1.0)

    def kernel(self, rows: Tensor, others: Tensor) -> Tensor:
        """Return the likeness (n, m) of scaled rows (n, columns) and (m, columns)."""
        squares = rows.square().sum(dim=1, keepdim=True) + others.square().sum(dim=1) - 2 * rows @ others.T
        return torch.exp(-squares.clamp(min=0) / (self.width * rows.shape[1]))

    def forward(self, values: Tensor) -> Tensor:
        """Return the logits (batch, n_outputs) of rows (batch, columns)."""
        return self.kernel((values - self.centre) / self.spread, self.known) @ self.weights + self.offset
