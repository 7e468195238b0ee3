"""Steps that are windows: each is encoded by itself, padding left out, and a network reads their vectors in order."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from biosig_lstm.models._checks import check_batch, is_exporting
from biosig_lstm.models._readers import MemorySteps, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models.pooling import mean_pooling

__all__ = ["RunSpec", "StepsNetwork", "encode_valid"]


class RunSpec(Protocol):
    """What a specification says of the reader of vectors."""

    @property
    def cell(self) -> str: ...
    @property
    def embedding(self) -> int: ...
    @property
    def hidden_size(self) -> int: ...
    @property
    def num_layers(self) -> int: ...
    @property
    def dropout(self) -> float: ...
    @property
    def memory_steps(self) -> MemorySteps: ...


class StepsNetwork(nn.Module):
    """Vectors of steps under a reader of both directions: (x, lengths) to logits, linear in its states and the vectors.

    Parameters
    ----------
    spec : RunSpec
        Sizes of the reader; what is dropped in training before it and before the linear layer.
    encoder : torch.nn.Module
        Steps (n, n_features) to vectors (n, embedding).
    n_features : int
        Features of a step.
    n_outputs : int
        Logits of an answer.
    per_step : bool
        Whether every step gets an answer, rather than every item the mean of its steps.
    at_once : int
        As of `encode_valid`.
    """

    def __init__(
        self, spec: RunSpec, encoder: nn.Module, *, n_features: int, n_outputs: int, per_step: bool, at_once: int
    ) -> None:
        super().__init__()
        self.n_features, self.per_step, self.at_once = n_features, per_step, at_once
        self.steps = encoder
        self.lstm = sequence_reader(
            spec.cell,
            spec.embedding,
            spec.hidden_size,
            num_layers=spec.num_layers,
            dropout=spec.dropout,
            memory_steps=spec.memory_steps,
        )
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(2 * spec.hidden_size + spec.embedding, n_outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits: x (batch, steps, n_features) and lengths (batch,); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        valid = step_mask(lengths, x.shape[1])
        vectors = self.dropout(encode_valid(self.steps, x, valid, at_once=self.at_once))
        states = self.dropout(torch.cat([self.lstm(vectors, lengths), vectors], dim=2))
        if not self.per_step:
            pooled: Tensor = self.head(mean_pooling(states, lengths))
            return pooled
        logits: Tensor = self.head(states)
        return logits.where(valid.unsqueeze(2), 0.0)


def encode_valid(encode: nn.Module, x: Tensor, valid: Tensor, *, at_once: int) -> Tensor:
    """Return the vector of every valid step; steps beyond an item's length are zero, and not looked at.

    Parameters
    ----------
    encode : nn.Module
        Steps (n, features) to vectors (n, embedding). In training it gets all steps together, since it may normalise by
        them.
    x : Tensor [shape=(batch, steps, features)]
        The padded items.
    valid : Tensor [shape=(batch, steps), dtype=bool]
        Which steps belong to their item.
    at_once : int
        Largest number of steps that are encoded together outside of training, so that memory does not grow with the
        length of an item; all are in an exported network, which cannot count them.

    Returns
    -------
    Tensor [shape=(batch, steps, embedding)]
        The vectors in the places of their steps.
    """
    rows = valid.flatten().nonzero().squeeze(1)
    steps = x.flatten(0, 1).index_select(0, rows)
    together = encode.training or is_exporting()
    encoded = encode(steps) if together else torch.cat([encode(part) for part in torch.split(steps, at_once)])
    padded = encoded.new_zeros(valid.numel(), encoded.shape[1]).index_copy(0, rows, encoded)
    return padded.view(*valid.shape, -1)
