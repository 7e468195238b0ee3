"""Layers that read forwards alone, of each cell: what was read is a state to go on from, what comes is never seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from biosig_lstm.models._checks import is_exporting
from biosig_lstm.models._transformer import LARGEST_FEED_FORWARD, TransformerLayer

__all__ = ["CONTEXT_STEPS", "CausalTransformerLayer", "LayerState", "distance_slopes", "one_way_layers", "read_on"]

CONTEXT_STEPS = 256
"""How many steps back a causal Transformer's layer sees."""

LayerState = tuple[Tensor, ...]
"""What a layer remembers, the batch in the middle: (n, batch, size) of each part."""

_RECURRENT: dict[str, type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def one_way_layers(cell: str, sizes: Sequence[int]) -> nn.ModuleList:
    """Return layers of a cell from each of the sizes to the next, for `read_on`, with the weights torch gives them."""
    if cell == "transformer":
        return nn.ModuleList(CausalTransformerLayer(given, made) for given, made in pairwise(sizes))
    return nn.ModuleList(_RECURRENT[cell](given, made, batch_first=True) for given, made in pairwise(sizes))


def read_on(layer: nn.Module, rows: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
    """Return what a layer says of steps (batch, steps, features), read on from a state, and the state after them.

    An LSTM's state is what it shows and what it remembers, that of a GRU or a plain recurrent layer what it shows,
    that of a Transformer what it has seen in the last `CONTEXT_STEPS` steps.
    """
    if isinstance(layer, nn.LSTM) or not isinstance(layer, nn.RNNBase):
        said, after = layer(rows, state)
        return said, tuple(after)
    said, shown = layer(rows, None if state is None else state[0])
    return said, (shown,)


def distance_slopes(heads: int) -> Tensor:
    """Return by how much each head's attention falls with each step back: 2^(-8/heads), 2^(-16/heads) ... 2^-8.

    Examples
    --------
    >>> distance_slopes(2).tolist()
    [0.0625, 0.00390625]
    """
    return torch.exp2(-8.0 * torch.arange(1, heads + 1) / heads)


class CausalTransformerLayer(TransformerLayer):
    """A layer of self-attention that sees a step and the `CONTEXT_STEPS` before it, and nothing that comes.

    Parameters
    ----------
    input_size : int
        Features of a step; brought to `hidden_size` by a linear map where they are others.
    hidden_size : int
        Width of the layer.

    Notes
    -----
    There are no positions: attention falls linearly with distance (Press, Smith and Lewis, "Train short, test long",
    ICLR 2022, section 3), so that any number of steps can be read, in stretches of any length, with one answer. The
    feed-forward part is as wide as gives it the parameters of a one-way LSTM layer of these sizes.
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        others = 4 * hidden_size**2 + input_size * hidden_size * (input_size != hidden_size)
        alike = round((4 * hidden_size * (input_size + hidden_size) - others) / (2 * hidden_size))
        between = min(max(alike, hidden_size), LARGEST_FEED_FORWARD * hidden_size)
        super().__init__(hidden_size, feed_forward=between, dropout=0.0)
        same = input_size == hidden_size
        self.embed: nn.Module = nn.Identity() if same else nn.Linear(input_size, hidden_size)

    def forward(self, x: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:  # type: ignore[override]
        """Return the states (batch, steps, hidden_size), and what is known of the last `CONTEXT_STEPS` steps."""
        rows = self.embed(x)
        if is_exporting():
            return self._stretch(rows, state)
        parts: list[Tensor] = []
        for part in rows.split(CONTEXT_STEPS, dim=1):
            read, state = self._stretch(part, state)
            parts.append(read)
        return torch.cat(parts, dim=1), state or ()

    def _stretch(self, rows: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        query, key, value = self.project(self.attention_norm(rows)).chunk(3, dim=2)
        known = torch.ones_like(key[:, :, :1])
        if state is not None:
            before = (part.transpose(0, 1) for part in state)
            key, value, known = (torch.cat(pair, dim=1) for pair in zip(before, (key, value, known), strict=True))
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (query, key, value))
        seen = scaled_dot_product_attention(q, k, v, attn_mask=self._falling(known, rows.shape[1]))
        rows = rows + self.gather(seen.transpose(1, 2).flatten(2))
        last = (pad(part, (0, 0, CONTEXT_STEPS, 0))[:, -CONTEXT_STEPS:] for part in (key, value, known))
        return rows + self.feed(self.feed_norm(rows)), tuple(part.transpose(0, 1) for part in last)

    def _falling(self, known: Tensor, steps: int) -> Tensor:
        """Return what is added to the scores, (batch, heads, steps, keys): the last `steps` keys are the queries'."""
        place = torch.arange(known.shape[1], device=known.device)
        back = place[-steps:].unsqueeze(1) - place
        slopes = distance_slopes(self.heads).to(known.device)[:, None, None]
        seen = (back >= 0) & (back <= CONTEXT_STEPS) & (known[:, None, None, :, 0] > 0)
        return torch.where(seen, -slopes * back, -math.inf).to(known.dtype)
