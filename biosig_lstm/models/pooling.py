"""From the states of every step to one vector for each item; steps beyond its length do not count."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from biosig_lstm.models._recurrent import step_mask

__all__ = ["POOLINGS", "AttentionPooling", "last_pooling", "max_pooling", "mean_pooling", "pooling_layer"]

Pooling = Callable[[Tensor, Tensor], Tensor]


def last_pooling(states: Tensor, lengths: Tensor) -> Tensor:
    """Return the state in which each direction has read the whole item.

    That is the forward direction's state at the item's last valid step, and the backward direction's at its first.

    Parameters
    ----------
    states : Tensor [shape=(batch, steps, features)]
        The forward direction's features, then as many of the backward direction's.
    lengths : Tensor [shape=(batch,), dtype=int64]
        Valid steps of each item, 1 to `steps`.

    Returns
    -------
    Tensor [shape=(batch, features)]
        One vector for each item.
    """
    forwards, backwards = states.chunk(2, dim=2)
    last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, forwards.shape[2])
    return torch.cat([forwards.gather(1, last).squeeze(1), backwards[:, 0]], dim=1)


def mean_pooling(states: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean over the valid steps: (batch, steps, features), (batch,) to (batch, features)."""
    valid = step_mask(lengths, states.shape[1]).unsqueeze(2)
    return states.where(valid, 0.0).sum(dim=1) / lengths.unsqueeze(1).to(states.dtype)


def max_pooling(states: Tensor, lengths: Tensor) -> Tensor:
    """Return the maximum over the valid steps: (batch, steps, features), (batch,) to (batch, features)."""
    valid = step_mask(lengths, states.shape[1]).unsqueeze(2)
    return states.where(valid, -torch.inf).amax(dim=1)


class AttentionPooling(nn.Module):
    """The mean of the valid steps, weighted by what the network finds important.

    A step's score is ``v . tanh(W s + b)``; its weight is the softmax of the scores over the item's valid steps
    (Yang et al., "Hierarchical attention networks for document classification", NAACL 2016, equations 5 to 7).

    Parameters
    ----------
    features : int
        Features of a state.
    """

    def __init__(self, features: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, features)
        self.score = nn.Linear(features, 1, bias=False)

    def weights(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return the weight of each step, (batch, steps): they add up to 1 over the valid ones, others are 0."""
        scores: Tensor = self.score(torch.tanh(self.hidden(states))).squeeze(2)
        return scores.where(step_mask(lengths, states.shape[1]), -torch.inf).softmax(dim=1)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Return the weighted mean: (batch, steps, features), (batch,) to (batch, features)."""
        valid = step_mask(lengths, states.shape[1]).unsqueeze(2)
        return (self.weights(states, lengths).unsqueeze(2) * states.where(valid, 0.0)).sum(dim=1)


POOLINGS = ("last", "mean", "max", "attention")


def pooling_layer(name: str, features: int) -> Pooling:
    """Return the pooling of this name, one of `POOLINGS`, for states of this many features."""
    if name == "attention":
        return AttentionPooling(features)
    return {"last": last_pooling, "mean": mean_pooling, "max": max_pooling}[name]
