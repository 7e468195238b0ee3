"""Boosted trees inside a network: numbers that were grown elsewhere, and how they answer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosig_lstm.models._recurrent import step_mask

__all__ = ["SHARES", "TreeSum", "sequence_statistics"]

SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def sequence_statistics(values: Tensor, lengths: Tensor) -> Tensor:
    """Return what the steps of each item have in common: mean, standard deviation and quantiles of every column.

    Parameters
    ----------
    values : Tensor [shape=(batch, steps, columns)]
        The padded items.
    lengths : Tensor [shape=(batch,), dtype=int64]
        Valid steps of each item, 1 to `steps`.

    Returns
    -------
    Tensor [shape=(batch, 9 * columns)]
        All means, all standard deviations (of the population), then all minima and so on by `SHARES`, between steps
        linearly, as NumPy does it.

    Examples
    --------
    >>> sequence_statistics(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([2]))[0, [0, 1, 5]].tolist()
    [2.0, 1.0, 2.0]
    """
    valid = step_mask(lengths, values.shape[1]).unsqueeze(2)
    count = lengths.unsqueeze(1).to(values.dtype)
    mean = values.where(valid, 0.0).sum(dim=1) / count
    spread = ((values - mean.unsqueeze(1)).square().where(valid, 0.0).sum(dim=1) / count).sqrt()
    ordered = values.where(valid, torch.inf).sort(dim=1).values
    return torch.cat([mean, spread, *(_quantile(ordered, lengths, share) for share in SHARES)], dim=1)


def _quantile(ordered: Tensor, lengths: Tensor, share: float) -> Tensor:
    place = share * (lengths - 1).to(ordered.dtype)
    below = place.floor()
    low, high = (
        ordered.gather(1, at.long().view(-1, 1, 1).expand(-1, 1, ordered.shape[2])).squeeze(1)
        for at in (below, place.ceil())
    )
    return low + (high - low) * (place - below).unsqueeze(1)


class TreeSum(nn.Module):
    """The sum of complete binary trees; before any is set, nothing.

    Parameters
    ----------
    rounds, n_outputs, depth : int
        Trees of each output, outputs, questions from root to leaf.
    """

    columns: Tensor
    thresholds: Tensor
    leaves: Tensor
    start: Tensor
    grown: Tensor

    def __init__(self, *, rounds: int, n_outputs: int, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.register_buffer("columns", torch.zeros(rounds, n_outputs, 2**depth - 1, dtype=torch.int32))
        self.register_buffer("thresholds", torch.zeros(rounds, n_outputs, 2**depth - 1))
        self.register_buffer("leaves", torch.zeros(rounds, n_outputs, 2**depth))
        self.register_buffer("start", torch.zeros(n_outputs))
        self.register_buffer("grown", torch.zeros(1))

    def put(self, *, columns: Tensor, thresholds: Tensor, leaves: Tensor, start: Tensor) -> None:
        """Set the trees; shapes as in `biosig_lstm.training.boosting.Trees`."""
        given = {"columns": columns, "thresholds": thresholds, "leaves": leaves, "start": start}
        for name, values in given.items():
            getattr(self, name).copy_(values)
        self.grown.fill_(1.0)

    def forward(self, values: Tensor) -> Tensor:
        """Return the logits (batch, n_outputs) of rows (batch, columns)."""
        rounds, n_outputs, inner = self.columns.shape
        columns, thresholds = (part.flatten(0, 1).T for part in (self.columns.long(), self.thresholds))
        node = torch.zeros(len(values), rounds * n_outputs, dtype=torch.int64, device=values.device)
        for _ in range(self.depth):
            asked = values.gather(1, columns.gather(0, node))
            node = 2 * node + 1 + (asked > thresholds.gather(0, node)).long()
        answers = self.leaves.flatten(0, 1).T.gather(0, node - inner)
        return answers.view(-1, rounds, n_outputs).sum(dim=1) + self.start
