"""The LSTM written out as its equations: the readable reference, whose gates and memory can be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._recurrent import BidirectionalLSTM, flip_within_length, step_mask

__all__ = ["GATES", "LSTMCell", "LSTMReader", "LSTMStep", "gate_traces"]


class LSTMStep(NamedTuple):
    """Everything that happens in a step, or in all steps of a sequence; each of the same shape.

    Parameters
    ----------
    forget_gate : Tensor [range=0 to 1]
        How much of the memory is kept.
    input_gate : Tensor [range=0 to 1]
        How much of the candidate is written to the memory.
    candidate : Tensor [range=-1 to 1]
        What could be written.
    output_gate : Tensor [range=0 to 1]
        How much of the memory is shown.
    cell : Tensor
        The memory after the step.
    hidden : Tensor [range=-1 to 1]
        What is shown of it.
    """

    forget_gate: Tensor
    input_gate: Tensor
    candidate: Tensor
    output_gate: Tensor
    cell: Tensor
    hidden: Tensor


GATES = LSTMStep._fields


class LSTMCell(nn.Module):
    r"""One step of a long short-term memory, as in the textbook.

    Parameters
    ----------
    input_size : int
        Features of a step.
    hidden_size : int
        Units.

    Raises
    ------
    ParameterError
        When a size is below 1.

    Notes
    -----
    With ``[h, x]`` what was shown at the step before, followed by what comes now::

        f_t = sigmoid(W_f [h_(t-1), x_t] + b_f)        what is kept
        i_t = sigmoid(W_i [h_(t-1), x_t] + b_i)        what is written
        g_t = tanh(W_c [h_(t-1), x_t] + b_c)           what could be written
        o_t = sigmoid(W_o [h_(t-1), x_t] + b_o)        what is shown
        c_t = f_t * c_(t-1) + i_t * g_t                the memory
        h_t = o_t * tanh(c_t)

    These are the equations of Hochreiter and Schmidhuber (Neural Computation 1997) with the forget gate of Gers,
    Schmidhuber and Cummins (Neural Computation 2000), and those of `torch.nn.LSTM`, which keeps each weight in two
    parts, adds two biases, and is much faster.

    Examples
    --------
    >>> cell = LSTMCell(3, 8)
    >>> step = cell(torch.zeros(2, 3))
    >>> step = cell(torch.ones(2, 3), step)
    >>> step.hidden.shape
    torch.Size([2, 8])
    """

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        check_count("input_size", input_size)
        check_count("hidden_size", hidden_size)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.forget_gate = nn.Linear(hidden_size + input_size, hidden_size)
        self.input_gate = nn.Linear(hidden_size + input_size, hidden_size)
        self.candidate = nn.Linear(hidden_size + input_size, hidden_size)
        self.output_gate = nn.Linear(hidden_size + input_size, hidden_size)

    def forward(self, x: Tensor, before: LSTMStep | None = None) -> LSTMStep:
        """Return what happens when `x`, (batch, input_size), comes after the step `before`; None: after nothing."""
        nothing = x.new_zeros(len(x), self.hidden_size)
        hidden, memory = (nothing, nothing) if before is None else (before.hidden, before.cell)
        joined = torch.cat([hidden, x], dim=1)

        f = torch.sigmoid(self.forget_gate(joined))
        i = torch.sigmoid(self.input_gate(joined))
        g = torch.tanh(self.candidate(joined))
        o = torch.sigmoid(self.output_gate(joined))

        c = f * memory + i * g
        h = o * torch.tanh(c)
        return LSTMStep(forget_gate=f, input_gate=i, candidate=g, output_gate=o, cell=c, hidden=h)

    @classmethod
    def from_torch(cls, lstm: nn.LSTM | nn.LSTMCell, *, layer: int = 0, backward: bool = False) -> LSTMCell:
        """Return the cell with the weights of torch's.

        Parameters
        ----------
        lstm : torch.nn.LSTM or torch.nn.LSTMCell
            Without projections.
        layer : int
            Which layer of an LSTM.
        backward : bool
            The backward direction of a bidirectional LSTM.

        Raises
        ------
        ParameterError
            When there is no such layer or direction, or the LSTM projects its states.
        """
        if getattr(lstm, "proj_size", 0):
            raise ParameterError(f"an LSTM whose states are projected has other equations, got {lstm}")
        weights = dict(lstm.named_parameters())
        end = "" if isinstance(lstm, nn.LSTMCell) else f"_l{layer}" + ("_reverse" if backward else "")
        if f"weight_ih{end}" not in weights or (isinstance(lstm, nn.LSTMCell) and (layer or backward)):
            which = f"layer {layer}{', backward' if backward else ''}"
            raise ParameterError(f"{lstm} has no {which}")
        of_input, of_hidden = weights[f"weight_ih{end}"], weights[f"weight_hh{end}"]
        bias = weights[f"bias_ih{end}"] + weights[f"bias_hh{end}"] if lstm.bias else of_input.new_zeros(len(of_input))
        made = cls(of_input.shape[1], of_hidden.shape[1]).to(of_input)
        made._put(torch.cat([of_hidden, of_input], dim=1), bias)
        return made

    @torch.no_grad()
    def _put(self, weight: Tensor, bias: Tensor) -> None:
        """Set the weights, in torch's order of gates."""
        gates = (self.input_gate, self.forget_gate, self.candidate, self.output_gate)
        for gate, w, b in zip(gates, weight.chunk(4), bias.chunk(4), strict=True):
            gate.weight.copy_(w)
            gate.bias.copy_(b)


class LSTMReader(nn.Module):
    """Layers of `LSTMCell` that read padded items step by step, in one direction or in both.

    Parameters
    ----------
    forward_cells : sequence of LSTMCell
        A cell for each layer.
    backward_cells : sequence of LSTMCell
        As many, for the direction from each item's end; none: only forwards.

    Raises
    ------
    ParameterError
        When the cells do not fit on each other.

    Notes
    -----
    A loop over the steps: to read and to look into, not to train with. `BidirectionalLSTM` gives the same states.

    Examples
    --------
    >>> reader = LSTMReader([LSTMCell(3, 8)], [LSTMCell(3, 8)])
    >>> reader(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
    torch.Size([2, 5, 16])
    """

    def __init__(self, forward_cells: Sequence[LSTMCell], backward_cells: Sequence[LSTMCell] = ()) -> None:
        super().__init__()
        _check_cells(forward_cells, backward_cells)
        self.forward_cells = nn.ModuleList(forward_cells)
        self.backward_cells = nn.ModuleList(backward_cells)
        self.input_size = forward_cells[0].input_size

    @classmethod
    def from_torch(cls, lstm: nn.LSTM | BidirectionalLSTM) -> LSTMReader:
        """Return the reader with the weights of torch's LSTM, of any layers and directions, or of this package's."""
        if isinstance(lstm, BidirectionalLSTM):
            ahead, back = (
                [LSTMCell.from_torch(layer) for layer in layers if isinstance(layer, nn.LSTM)]
                for layers in (lstm.forward_layers, lstm.backward_layers)
            )
            return cls(ahead, back)
        depths = range(lstm.num_layers)
        ahead = [LSTMCell.from_torch(lstm, layer=k) for k in depths]
        back = [LSTMCell.from_torch(lstm, layer=k, backward=True) for k in depths if lstm.bidirectional]
        return cls(ahead, back)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the states of the last layer, (batch, steps, directions * hidden_size); zero beyond the lengths."""
        return _joined(self.trace(x, lengths)[-1])

    def trace(self, x: Tensor, lengths: Tensor) -> list[list[LSTMStep]]:
        """Return what every gate does at every step.

        Parameters
        ----------
        x : Tensor [shape=(batch, steps, input_size)]
            The padded items.
        lengths : Tensor [shape=(batch,), dtype=int64]
            Valid steps of each item, 1 to `steps`.

        Returns
        -------
        list of list of LSTMStep
            For each layer, and in it for each direction, tensors (batch, steps, hidden_size): both directions in the
            order of the item's steps, zero beyond its length.
        """
        check_batch(x, lengths, n_features=self.input_size)
        layers: list[list[LSTMStep]] = []
        for depth, ahead in enumerate(self.forward_cells):
            given = _joined(layers[-1]) if depth else x
            read = [_read(ahead, given, lengths)]
            if len(self.backward_cells):
                flipped = _read(self.backward_cells[depth], flip_within_length(given, lengths), lengths)
                read.append(LSTMStep(*(flip_within_length(values, lengths) for values in flipped)))
            layers.append(read)
        return layers


def gate_traces(lstm: nn.LSTM | BidirectionalLSTM, x: Tensor, lengths: Tensor) -> LSTMStep:
    """Return what every gate of a trained LSTM does at every step.

    Parameters
    ----------
    lstm : torch.nn.LSTM or BidirectionalLSTM
        Its equations are computed anew, step by step, from its weights.
    x, lengths : Tensor
        Padded items as of `LSTMReader.trace`.

    Returns
    -------
    LSTMStep
        Tensors [shape=(batch, steps, layers, directions, hidden_size)], the forward direction first.

    Examples
    --------
    >>> gate_traces(BidirectionalLSTM(3, 8), torch.zeros(2, 5, 3), torch.tensor([5, 2])).cell.shape
    torch.Size([2, 5, 1, 2, 8])
    """
    with torch.no_grad():
        layers = LSTMReader.from_torch(lstm).trace(x, lengths)
    stacked = [torch.stack([torch.stack(of, dim=2) for of in _by_name(layers, k)], dim=2) for k in range(len(GATES))]
    return LSTMStep(*stacked)


def _by_name(layers: list[list[LSTMStep]], k: int) -> list[list[Tensor]]:
    return [[direction[k] for direction in layer] for layer in layers]


def _read(cell: nn.Module, x: Tensor, lengths: Tensor) -> LSTMStep:
    steps: list[LSTMStep] = []
    for x_t in x.unbind(dim=1):
        steps.append(cell(x_t, steps[-1] if steps else None))
    valid = step_mask(lengths, x.shape[1]).unsqueeze(2)
    return LSTMStep(*(torch.stack(values, dim=1).where(valid, 0.0) for values in zip(*steps, strict=True)))


def _joined(directions: list[LSTMStep]) -> Tensor:
    return torch.cat([steps.hidden for steps in directions], dim=2)


def _check_cells(ahead: Sequence[LSTMCell], back: Sequence[LSTMCell]) -> None:
    if not ahead or len(back) not in {0, len(ahead)}:
        raise ParameterError(f"cells of one layer or more, backwards as many or none, got {len(ahead)} and {len(back)}")
    for cells in filter(None, (ahead, back)):
        for below, cell in zip(ahead, cells[1:], strict=False):
            wanted = below.hidden_size * (2 if back else 1)
            if cell.input_size != wanted:
                raise ParameterError(f"the cell above takes {cell.input_size} features, the layer below gives {wanted}")
    if any(a.input_size != b.input_size or a.hidden_size != b.hidden_size for a, b in zip(ahead, back, strict=False)):
        raise ParameterError("both directions of a layer need cells of the same sizes")
