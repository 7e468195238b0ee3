"""LSTMs, GRUs and plain recurrent layers in both directions: exact for items of unequal length, fast on a CPU."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from biosig_lstm.models._checks import check_batch, check_count, check_fraction, check_name, is_exporting

__all__ = [
    "CELLS",
    "BidirectionalGRU",
    "BidirectionalLSTM",
    "BidirectionalRNN",
    "check_recurrent",
    "flip_within_length",
    "initialise_gru",
    "initialise_layer",
    "initialise_lstm",
    "initialise_rnn",
    "segment_ends",
    "step_mask",
]

CELLS = ("lstm", "gru", "rnn", "transformer")

SEGMENTS = 16  # at most about so many to a batch: more save no padding worth their calls
SHORTEST_SEGMENT_STEPS = 16
LEAST_PADDING = 0.2  # share of a batch below which reading the padding costs less than leaving it out


def step_mask(lengths: Tensor, steps: int) -> Tensor:
    """Return which steps are valid.

    Parameters
    ----------
    lengths : Tensor [shape=(batch,), dtype=int64]
        Valid steps of each item.
    steps : int
        Steps of the padded batch.

    Returns
    -------
    Tensor [shape=(batch, steps), dtype=bool]
        True where the step belongs to the item.

    Examples
    --------
    >>> step_mask(torch.tensor([1, 3]), 3).int().tolist()
    [[1, 0, 0], [1, 1, 1]]
    """
    return torch.arange(steps, device=lengths.device) < lengths.unsqueeze(1)


def flip_within_length(x: Tensor, lengths: Tensor) -> Tensor:
    """Return each item with its valid steps in reverse order; the steps beyond its length stay where they are.

    Parameters
    ----------
    x : Tensor [shape=(batch, steps, features)]
        The padded items.
    lengths : Tensor [shape=(batch,), dtype=int64]
        Valid steps of each item, 1 to `steps`.

    Returns
    -------
    Tensor [shape=(batch, steps, features)]
        Flipping twice gives `x` again.

    Examples
    --------
    >>> flip_within_length(torch.tensor([[[1], [2], [3]]]), torch.tensor([2])).flatten().tolist()
    [2, 1, 3]
    """
    batch, steps = x.shape[:2]
    step = torch.arange(steps, device=x.device)
    count = lengths.unsqueeze(1)
    source = torch.where(step < count, count - 1 - step, step)
    row = source + steps * torch.arange(batch, device=x.device).unsqueeze(1)
    return x.flatten(0, 1).index_select(0, row.flatten()).view_as(x)


def segment_ends(lengths: list[int]) -> list[int]:
    """Return the steps at which to drop the items that have ended from a batch.

    Parameters
    ----------
    lengths : list of int
        Valid steps of each item, at least one item.

    Returns
    -------
    list of int
        Some of the lengths, ascending and far enough apart to be worth a call each; the last is the longest. The
        longest alone where the items are nearly alike.

    Examples
    --------
    >>> segment_ends([100, 1000, 110, 500, 990])
    [100, 500, 990, 1000]
    """
    longest = max(lengths)
    if sum(lengths) > (1 - LEAST_PADDING) * len(lengths) * longest:
        return [longest]
    apart = max(SHORTEST_SEGMENT_STEPS, longest / SEGMENTS)
    ends = [0]
    for length in sorted(lengths):
        if length - ends[-1] >= apart:
            ends.append(length)
    return ends[1:] if ends[-1] == longest else [*ends[1:], longest]


def read_segments(layer: nn.RNNBase, x: Tensor, lengths: list[int], ends: list[int]) -> Tensor:
    """Return the states of a one-way layer, computed segment by segment on the items that have not ended.

    Parameters
    ----------
    layer : torch.nn.LSTM, torch.nn.GRU or torch.nn.RNN
        One layer, one direction, batch first.
    x : Tensor [shape=(batch, steps, features)]
        The padded items, the longest first.
    lengths : list of int
        Valid steps of each item, descending.
    ends : list of int
        Where segments end, ascending; the last is the longest length.

    Returns
    -------
    Tensor [shape=(batch, steps, hidden_size)]
        What the layer gives at the valid steps.
    """
    parts: list[Tensor] = []
    carried: Any = None
    for start, end in pairwise([0, *ends]):
        live = sum(length > start for length in lengths)
        states, carried = layer(x[:live, start:end], _first_items(carried, live))
        parts.append(pad(states, (0, 0, 0, 0, 0, len(lengths) - live)))
    return pad(torch.cat(parts, dim=1), (0, 0, 0, x.shape[1] - ends[-1]))


def _first_items(carried: Any, live: int) -> Any:
    """Return the state of the items that go on: an LSTM carries two tensors, the others one."""
    if isinstance(carried, tuple):
        return tuple(part[:, :live].contiguous() for part in carried)
    return None if carried is None else carried[:, :live].contiguous()


@torch.no_grad()
def initialise_lstm(lstm: nn.LSTM, *, memory_steps: int | None = None) -> None:
    """Set the weights of an LSTM, in place, so that it remembers from the start of training.

    Input weights are Xavier-uniform and recurrent weights orthogonal, each gate by itself. Biases are zero but for
    the forget gate's, which is 1 (Jozefowicz et al. 2015), or, with `memory_steps` = T, drawn as log(U(1, T - 1)),
    the input gate's being its negative: chrono initialisation, for dependencies of up to T steps.

    Parameters
    ----------
    lstm : torch.nn.LSTM
        Any number of layers and directions.
    memory_steps : int, optional
        Longest dependency expected, in steps, at least 3.

    References
    ----------
    Tallec and Ollivier, "Can recurrent neural networks warp time?", ICLR 2018, equation 16.
    Jozefowicz, Zaremba and Sutskever, "An empirical exploration of recurrent network architectures", ICML 2015.

    Notes
    -----
    PyTorch adds two biases, ``bias_ih`` and ``bias_hh``: the first carries the value, the second is zero.
    """
    biases = _draw_weights(lstm, gates=4)
    for bias in biases:
        input_gate, forget_gate, _, _ = bias.chunk(4)
        forget_gate.copy_(_keeping(forget_gate, memory_steps))
        if memory_steps is not None:
            input_gate.copy_(-forget_gate)


@torch.no_grad()
def initialise_gru(gru: nn.GRU, *, memory_steps: int | None = None) -> None:
    """Set the weights of a GRU, in place, as `initialise_lstm` does: its update gate is what keeps the state.

    The bias of the update gate is 1 or, with `memory_steps` = T, drawn as log(U(1, T - 1)). In PyTorch's GRU the
    update gate z keeps: ``h_t = z * h_(t-1) + (1 - z) * n``, so what an LSTM's input gate needs comes by itself.

    References
    ----------
    Tallec and Ollivier, "Can recurrent neural networks warp time?", ICLR 2018, section 3, for gates that are tied.
    """
    for bias in _draw_weights(gru, gates=3):
        update_gate = bias.chunk(3)[1]
        update_gate.copy_(_keeping(update_gate, memory_steps))


@torch.no_grad()
def initialise_rnn(rnn: nn.RNN, *, memory_steps: int | None = None) -> None:  # noqa: ARG001
    """Set the weights of a plain recurrent layer, in place: Xavier-uniform, orthogonal and zero.

    It has no gate that keeps: `memory_steps` says nothing to it.
    """
    _draw_weights(rnn, gates=1)


def _draw_weights(layer: nn.RNNBase, *, gates: int) -> list[Tensor]:
    """Draw the weights, gate by gate, set all biases to zero, and return those of the inputs."""
    biases: list[Tensor] = []
    for name, weight in layer.named_parameters():
        if name.startswith("bias"):
            weight.zero_()
            biases += [weight] if name.startswith("bias_ih") else []
            continue
        for gate in weight.chunk(gates):
            (nn.init.xavier_uniform_ if name.startswith("weight_ih") else nn.init.orthogonal_)(gate)
    return biases


def _keeping(gate: Tensor, memory_steps: int | None) -> Tensor:
    if memory_steps is None:
        return torch.ones_like(gate)
    return torch.empty_like(gate).uniform_(1.0, memory_steps - 1.0).log()


class _Bidirectional(nn.Module):
    """Layers that read each item forwards and backwards within its own length; see `BidirectionalLSTM`."""

    layer: ClassVar[type[nn.LSTM] | type[nn.GRU] | type[nn.RNN]]

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
        sizes = [input_size] + [2 * hidden_size] * (num_layers - 1)
        self.forward_layers = nn.ModuleList(self.layer(size, hidden_size, batch_first=True) for size in sizes)
        self.backward_layers = nn.ModuleList(self.layer(size, hidden_size, batch_first=True) for size in sizes)
        self.dropout = nn.Dropout(dropout)
        for layer in (*self.forward_layers, *self.backward_layers):
            initialise_layer(layer, memory_steps=memory_steps)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the states of both directions at every step.

        Parameters
        ----------
        x : Tensor [shape=(batch, steps, input_size), dtype=float]
            The padded items.
        lengths : Tensor [shape=(batch,), dtype=int64]
            Valid steps of each item, 1 to `steps`.

        Returns
        -------
        Tensor [shape=(batch, steps, 2 * hidden_size)]
            The forward direction's states, then the backward direction's; zero beyond an item's length.

        Raises
        ------
        ParameterError
            When `x` has other features, or a length is not in 1 to `steps`.
        """
        check_batch(x, lengths, n_features=self.input_size)
        if x.device.type != "cpu" or is_exporting():
            return self._read(x, lengths, None)
        ends = segment_ends(lengths.tolist())
        if ends == [x.shape[1]]:
            return self._read(x, lengths, None)
        order = lengths.argsort(descending=True, stable=True)
        return self._read(x[order], lengths[order], ends)[order.argsort()]

    def _read(self, x: Tensor, lengths: Tensor, ends: list[int] | None) -> Tensor:
        valid = step_mask(lengths, x.shape[1]).unsqueeze(2)
        states = x
        for depth, (ahead, back) in enumerate(zip(self.forward_layers, self.backward_layers, strict=True)):
            given = self.dropout(states) if depth else states
            forwards = _read_one_way(ahead, given, lengths, ends)
            backwards = _read_one_way(back, flip_within_length(given, lengths), lengths, ends)
            states = torch.cat([forwards, flip_within_length(backwards, lengths)], dim=2).where(valid, 0.0)
        return states


def _read_one_way(layer: nn.Module, x: Tensor, lengths: Tensor, ends: list[int] | None) -> Tensor:
    if ends is not None and isinstance(layer, nn.RNNBase):
        return read_segments(layer, x, lengths.tolist(), ends)
    states: Tensor = layer(x)[0]
    return states


def initialise_layer(layer: nn.Module, *, memory_steps: int | None = None) -> None:
    """Set the weights of a recurrent layer as those of its cell are set; others are left as they are."""
    if isinstance(layer, nn.LSTM):
        initialise_lstm(layer, memory_steps=memory_steps)
    elif isinstance(layer, nn.GRU):
        initialise_gru(layer, memory_steps=memory_steps)
    elif isinstance(layer, nn.RNN):
        initialise_rnn(layer, memory_steps=memory_steps)


class BidirectionalLSTM(_Bidirectional):
    """Layers of LSTMs that read each item forwards and backwards within its own length.

    The answer is that of ``torch.nn.LSTM(bidirectional=True)`` on a packed sequence, without packing: a layer is two
    one-way LSTMs, and the backward one is fed each item flipped within its length. Padding after an item's end can
    then reach neither direction's valid steps. On a CPU the items are read longest first and leave the batch about
    when they end, so that little time goes into padding; elsewhere, and in an exported network, padding is read too
    and its states are dropped.

    Parameters
    ----------
    input_size : int
        Features of a step.
    hidden_size : int
        Units of each direction.
    num_layers : int
        How many layers, each fed with both directions of the one below.
    dropout : float
        Dropped between layers in training, in [0, 1).
    memory_steps : int, optional
        Longest dependency expected, in steps, for chrono initialisation; see `initialise_lstm`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Examples
    --------
    >>> lstm = BidirectionalLSTM(3, 8)
    >>> lstm(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
    torch.Size([2, 5, 16])
    """

    layer = nn.LSTM


class BidirectionalGRU(_Bidirectional):
    """`BidirectionalLSTM` with gated recurrent units (Cho et al., EMNLP 2014), as ``torch.nn.GRU`` computes them."""

    layer = nn.GRU


class BidirectionalRNN(_Bidirectional):
    """`BidirectionalLSTM` with plain recurrent units of Elman (1990): ``h_t = tanh(W x_t + U h_(t-1) + b)``."""

    layer = nn.RNN


def check_recurrent(
    hidden_size: object, *, num_layers: object, dropout: object, memory_steps: object, cell: object = "lstm"
) -> None:
    """Raise a ParameterError unless these are the sizes of a recurrent network, and the cell is one of `CELLS`."""
    check_count("hidden_size", hidden_size)
    check_count("num_layers", num_layers)
    check_fraction("dropout", dropout)
    check_name("cell", cell, CELLS)
    if memory_steps is not None:
        check_count("memory_steps", memory_steps, least=3)
