"""One recurrent layer in both directions, and the ways to read items of unequal length with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, pad
from torch.nn.utils.rnn import pack_padded_sequence

from biosig_lstm.models import last_pooling, sequence_reader
from biosig_lstm.training.batch import pad_steps

__all__ = ["WAYS", "Items", "WayNetwork", "as_torch_layer", "predict", "train_epoch"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

WAYS = {
    "padded to the longest of all": "zeros up to the longest item of the data are read, the last states are taken",
    "padded": "zeros up to the longest item of the batch are read, the last states are taken",
    "last true step": "zeros are read, the forward state is taken where the item ends",
    "masked": "each direction reads the item's own steps: what this package does",
    "packed": "torch packs the items",
}
"""Ways by name, and what each does."""

_LONGEST_OF_ALL, _PADDED, _LAST_TRUE, _MASKED, _PACKED = WAYS


class Items(NamedTuple):
    """Sequences of unequal length with a class each.

    Attributes
    ----------
    x : sequence of np.ndarray [shape=(steps, features)]
        Their steps.
    y : np.ndarray of int [shape=(n,)]
        Their classes.
    longest : int
        Steps of the longest item of the data that they are part of.
    """

    x: Sequence[Float32]
    y: Int64
    longest: int


def as_torch_layer(reader: nn.Module, cell: str) -> nn.LSTM | nn.GRU:
    """Return torch's own layer in both directions with the weights of a reader of one layer.

    Parameters
    ----------
    reader : torch.nn.Module
        As of `biosig_lstm.models.sequence_reader`, of this cell.
    cell : {"lstm", "gru"}
        Which.
    """
    ahead, back = reader.get_submodule("forward_layers.0"), reader.get_submodule("backward_layers.0")
    weights = {**ahead.state_dict(), **{f"{name}_reverse": value for name, value in back.state_dict().items()}}
    features, units = weights["weight_ih_l0"].shape[1], weights["weight_hh_l0"].shape[1]
    kind = nn.LSTM if cell == "lstm" else nn.GRU
    layer = kind(features, units, batch_first=True, bidirectional=True)
    layer.load_state_dict(weights)
    return layer


class WayNetwork(nn.Module):
    """A layer in both directions, read in one of `WAYS`, and a linear map of its last states.

    Networks of one seed start with the same weights, whichever the way.

    Parameters
    ----------
    way : str
        One of `WAYS`.
    cell : {"lstm", "gru"}
        Which.
    n_features, units, n_classes : int
        Sizes.
    """

    def __init__(self, way: str, cell: str, *, n_features: int, units: int, n_classes: int) -> None:
        super().__init__()
        ours = sequence_reader(cell, n_features, units)
        self.head = nn.Linear(2 * units, n_classes)
        self.way = way
        self.layer = ours if way == _MASKED else as_torch_layer(ours, cell)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits, (batch, classes), of padded items (batch, steps, features)."""
        logits: Tensor = self.head(self._last_states(x, lengths))
        return logits

    def _last_states(self, x: Tensor, lengths: Tensor) -> Tensor:
        if self.way == _PACKED:
            return _packed_states(self.layer, x, lengths)
        states = self.layer(x, lengths) if self.way == _MASKED else self.layer(x)[0]
        all_steps = torch.full_like(lengths, x.shape[1])
        return last_pooling(states, all_steps if self.way in (_LONGEST_OF_ALL, _PADDED) else lengths)


def _packed_states(layer: nn.Module, x: Tensor, lengths: Tensor) -> Tensor:
    packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
    last = layer(packed)[1]
    forwards, backwards = last[0] if isinstance(last, tuple) else last
    return torch.cat([forwards, backwards], dim=1)


def _batch(network: WayNetwork, items: Items, chosen: Int64) -> tuple[Tensor, Tensor]:
    x, lengths = pad_steps([items.x[k] for k in chosen.tolist()])
    if network.way == _LONGEST_OF_ALL:
        x = pad(x, (0, 0, 0, items.longest - x.shape[1]))
    device = network.head.weight.device
    return x.to(device), lengths.to(device)


def train_epoch(
    network: WayNetwork, items: Items, optimiser: torch.optim.Optimizer, *, batch_size: int, rng: np.random.Generator
) -> None:
    """Train on every item once, in batches drawn without regard to their lengths."""
    network.train()
    order = rng.permutation(len(items.x))
    for first in range(0, len(order), batch_size):
        chosen = order[first : first + batch_size]
        optimiser.zero_grad()
        logits = network(*_batch(network, items, chosen))
        loss = cross_entropy(logits, torch.from_numpy(items.y[chosen]).to(logits.device))
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()


def predict(network: WayNetwork, items: Items, *, batch_size: int, rng: np.random.Generator) -> Float32:
    """Return the probability of each class, (items, classes), items being read in batches drawn at random."""
    network.eval()
    order = rng.permutation(len(items.x))
    batches = [order[first : first + batch_size] for first in range(0, len(order), batch_size)]
    with torch.inference_mode():
        found = [network(*_batch(network, items, chosen)).softmax(dim=1).cpu().numpy() for chosen in batches]
    said: Float32 = np.concatenate(found)[np.argsort(order)]
    return said
