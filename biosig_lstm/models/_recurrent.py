"""A bidirectional LSTM that is exact for items of unequal length, and fast on a CPU."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from biosig_lstm.models._checks import check_count, check_fraction

__all__ = ["BidirectionalLSTM", "flip_within_length", "initialise_lstm", "step_mask"]


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
    for name, weight in lstm.named_parameters():
        if name.startswith("bias"):
            weight.zero_()
            if name.startswith("bias_ih"):
                _set_gate_biases(weight, memory_steps)
            continue
        for gate in weight.chunk(4):
            (nn.init.xavier_uniform_ if name.startswith("weight_ih") else nn.init.orthogonal_)(gate)


def _set_gate_biases(bias: Tensor, memory_steps: int | None) -> None:
    input_gate, forget_gate, _, _ = bias.chunk(4)
    if memory_steps is None:
        forget_gate.fill_(1.0)
        return
    forget_gate.copy_(torch.empty_like(forget_gate).uniform_(1.0, memory_steps - 1.0).log())
    input_gate.copy_(-forget_gate)


class BidirectionalLSTM(nn.Module):
    """Layers of LSTMs that read each item forwards and backwards within its own length.

    The answer is that of ``torch.nn.LSTM(bidirectional=True)`` on a packed sequence, without packing: a layer is two
    one-way LSTMs, and the backward one is fed each item flipped within its length. Padding after an item's end can
    then reach neither direction's valid steps.

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
        sizes = [input_size] + [2 * hidden_size] * num_layers
        self.forward_layers = nn.ModuleList(nn.LSTM(size, hidden_size, batch_first=True) for size, _ in pairwise(sizes))
        self.backward_layers = nn.ModuleList(
            nn.LSTM(size, hidden_size, batch_first=True) for size, _ in pairwise(sizes)
        )
        self.dropout = nn.Dropout(dropout)
        for layer in (*self.forward_layers, *self.backward_layers):
            if isinstance(layer, nn.LSTM):
                initialise_lstm(layer, memory_steps=memory_steps)

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
        """
        valid = step_mask(lengths, x.shape[1]).unsqueeze(2)
        states = x
        for depth, (ahead, back) in enumerate(zip(self.forward_layers, self.backward_layers, strict=True)):
            given = self.dropout(states) if depth else states
            forwards, _ = ahead(given)
            backwards, _ = back(flip_within_length(given, lengths))
            states = torch.cat([forwards, flip_within_length(backwards, lengths)], dim=2).where(valid, 0.0)
        return states


def check_recurrent(hidden_size: object, *, num_layers: object, dropout: object, memory_steps: object) -> None:
    """Raise a ParameterError unless these are the sizes of a recurrent network."""
    check_count("hidden_size", hidden_size)
    check_count("num_layers", num_layers)
    check_fraction("dropout", dropout)
    if memory_steps is not None:
        check_count("memory_steps", memory_steps, least=3)
