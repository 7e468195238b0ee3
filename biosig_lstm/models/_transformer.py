"""A Transformer's encoder that reads items of unequal length, in the place of recurrent layers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from biosig_lstm.models._checks import check_batch, check_count, is_exporting
from biosig_lstm.models._recurrent import check_recurrent, step_mask

__all__ = ["TransformerReader", "feed_forward_size", "head_count", "sinusoidal_positions"]

HEAD_SIZE = 16
LARGEST_PERIOD_STEPS = 10_000.0
SHORTEST_STRETCH = 4
LARGEST_FEED_FORWARD = 8  # times hidden_size


def head_count(hidden_size: int) -> int:
    """Return how many heads a width is shared among: as many of 16 units or more as divide it.

    Examples
    --------
    >>> [head_count(size) for size in (8, 48, 64, 50)]
    [1, 3, 4, 2]
    """
    most = max(hidden_size // HEAD_SIZE, 1)
    return next(heads for heads in range(most, 0, -1) if hidden_size % heads == 0)


def feed_forward_size(input_size: int, hidden_size: int, *, num_layers: int) -> int:
    """Return the width between a layer's two linear maps with which it has the parameters of a bidirectional LSTM.

    Within 1 and 8 times `hidden_size`: a very wide input costs an LSTM more than it costs a Transformer.
    """
    lstm = 8 * hidden_size * (input_size + hidden_size) + 24 * hidden_size**2 * (num_layers - 1)
    others = hidden_size * input_size + 2 * hidden_size**2 + 4 * hidden_size**2 * num_layers
    alike = round((lstm - others) / (2 * hidden_size * num_layers))
    return min(max(alike, hidden_size), LARGEST_FEED_FORWARD * hidden_size)


def sinusoidal_positions(steps: Tensor, width: int) -> Tensor:
    """Return a vector for each step: sines and cosines of periods from 2 pi to 10,000 * 2 pi steps.

    Parameters
    ----------
    steps : Tensor [shape=(steps,)]
        Which steps, counted from 0.
    width : int
        Length of the vectors.

    Returns
    -------
    Tensor [shape=(steps, width)]
        Sines at even places, cosines at odd ones (Vaswani et al. 2017, section 3.5).
    """
    place = torch.arange(width, device=steps.device)
    rate = torch.exp(-math.log(LARGEST_PERIOD_STEPS) * (place - place % 2) / width)
    angle = steps.to(rate.dtype).unsqueeze(1) * rate
    return torch.where(place % 2 == 0, angle.sin(), angle.cos())


class TransformerReader(nn.Module):
    """Layers of self-attention over each item's own steps, taking what `BidirectionalLSTM` takes and giving its shape.

    Parameters
    ----------
    input_size : int
        Features of a step.
    hidden_size : int
        Width of the layers, shared among `head_count` heads; the answer has twice as many features.
    num_layers : int
        How many layers.
    dropout : float
        Dropped from what each layer adds in training, in [0, 1).
    memory_steps : int, optional
        Says nothing here: every step sees every other.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    The encoder of Vaswani et al. ("Attention is all you need", NeurIPS 2017) with the normalisation before each part
    (Xiong et al., ICML 2020), so that it trains without a warm-up of its own. Positions are counted from the item's
    first step. No step attends to padding, so that an item's answer does not depend on its batch. `feed_forward_size`
    gives it about as many parameters as the bidirectional LSTM of the same `hidden_size`.

    A trained network knows positions up to the length of its longest training item, which it keeps in `longest`, and
    reads longer items in stretches of that length that overlap by half, of each the middle: read in one piece, they
    would have positions that it has never seen.

    Examples
    --------
    >>> reader = TransformerReader(3, 8)
    >>> reader(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
    torch.Size([2, 5, 16])
    """

    longest: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        num_layers: int = 1,
        dropout: float = 0.0,
        memory_steps: int | None = None,
    ) -> None:
        super().__init__()
        check_recurrent(hidden_size, num_layers=num_layers, dropout=dropout, memory_steps=memory_steps)
        check_count("input_size", input_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        between = feed_forward_size(input_size, hidden_size, num_layers=num_layers)
        self.embed = nn.Linear(input_size, hidden_size)
        self.layers = nn.ModuleList(
            TransformerLayer(hidden_size, feed_forward=between, dropout=dropout) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_size)
        self.widen = nn.Linear(hidden_size, 2 * hidden_size)
        self.register_buffer("longest", torch.zeros(1, dtype=torch.int64))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what is read at every step: x (batch, steps, input_size) to (batch, steps, 2 * hidden_size).

        Zero beyond an item's length.

        Raises
        ------
        ParameterError
            When `x` has other features, or a length is not in 1 to `steps`.
        """
        check_batch(x, lengths, n_features=self.input_size)
        if is_exporting():
            return self._read(x, lengths)
        if self.training:
            self.longest.clamp_(min=lengths.max())
        width = max(int(self.longest), SHORTEST_STRETCH)
        known = self.training or not int(self.longest) or x.shape[1] <= width
        return self._read(x, lengths) if known else self._read_stretches(x, lengths, width)

    def _read_stretches(self, x: Tensor, lengths: Tensor, width: int) -> Tensor:
        """Return what is read in stretches of `width` steps that overlap by half, of each the middle."""
        batch, steps = x.shape[:2]
        hop = width // 2
        counts = torch.div(lengths - width + hop - 1, hop, rounding_mode="floor").clamp(min=0) + 1
        most = int(counts.max())
        enough = pad(x, (0, 0, 0, max((most - 1) * hop + width - steps, 0)))
        parts = enough.unfold(1, width, hop)[:, :most].transpose(2, 3).flatten(0, 1)
        left = (lengths.unsqueeze(1) - hop * torch.arange(most, device=x.device)).clamp(0, width).flatten()
        rows = left.nonzero().squeeze(1)
        read = self._read(parts.index_select(0, rows), left.index_select(0, rows))
        states = read.new_zeros(batch * most, width, read.shape[2]).index_copy(0, rows, read)
        step = torch.arange(steps, device=x.device)
        part = torch.div(step - width // 4, hop, rounding_mode="floor").clamp(min=0).minimum(counts.unsqueeze(1) - 1)
        within = (step - part * hop).clamp(max=width - 1)
        item = torch.arange(batch, device=x.device).unsqueeze(1)
        return states[item * most + part, within].where(step_mask(lengths, steps).unsqueeze(2), 0.0)

    def _read(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = step_mask(lengths, x.shape[1])
        states = self.embed(x.where(valid.unsqueeze(2), 0.0))
        places = sinusoidal_positions(torch.arange(x.shape[1], device=x.device), self.hidden_size)
        states = states + places.to(states.dtype)
        for layer in self.layers:
            states = layer(states, valid)
        read: Tensor = self.widen(self.norm(states))
        return read.where(valid.unsqueeze(2), 0.0)


class TransformerLayer(nn.Module):
    """Self-attention and two linear maps, each normalised before and added to what came."""

    def __init__(self, width: int, *, feed_forward: int, dropout: float) -> None:
        super().__init__()
        self.heads = head_count(width)
        self.attention_norm, self.feed_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project, self.gather = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, feed_forward), nn.GELU(), nn.Linear(feed_forward, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: Tensor, valid: Tensor) -> Tensor:
        """Return the states (batch, steps, width) after the layer; only steps that are `valid` are attended to."""
        states = states + self.dropout(self._attend(self.attention_norm(states), valid))
        after: Tensor = states + self.dropout(self.feed(self.feed_norm(states)))
        return after

    def _attend(self, states: Tensor, valid: Tensor) -> Tensor:
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.project(states).chunk(3, dim=2)
        )
        seen = scaled_dot_product_attention(query, key, value, attn_mask=valid[:, None, None, :])
        gathered: Tensor = self.gather(seen.transpose(1, 2).flatten(2))
        return gathered
