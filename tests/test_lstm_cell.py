"""The LSTM written out as its equations: against torch's, weight for weight, and its gates against their meaning."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models import GATES, BidirectionalLSTM, LSTMCell, LSTMReader, gate_traces, step_mask

TOLERANCE = {"atol": 1e-6, "rtol": 0}


@settings(max_examples=20, deadline=None)
@given(inputs=st.integers(1, 9), units=st.integers(1, 9), bias=st.booleans(), seed=st.integers(0, 99))
def test_a_step_is_that_of_torch(inputs: int, units: int, bias: bool, seed: int) -> None:
    torch.manual_seed(seed)
    theirs = nn.LSTMCell(inputs, units, bias=bias)
    ours = LSTMCell.from_torch(theirs)
    state, step = None, None
    for x in 3 * torch.randn(5, 4, inputs):
        state, step = theirs(x, state), ours(x, step)
        torch.testing.assert_close(step.hidden, state[0], **TOLERANCE)
        torch.testing.assert_close(step.cell, state[1], **TOLERANCE)


@settings(max_examples=15, deadline=None)
@given(layers=st.integers(1, 3), both=st.booleans(), steps=st.integers(1, 40))
def test_a_sequence_is_that_of_torch(layers: int, both: bool, steps: int) -> None:
    torch.manual_seed(0)
    theirs = nn.LSTM(4, 6, layers, batch_first=True, bidirectional=both)
    x = torch.randn(3, steps, 4)
    ours = LSTMReader.from_torch(theirs)(x, torch.full((3,), steps))
    torch.testing.assert_close(ours, theirs(x)[0], **TOLERANCE)


@settings(max_examples=15, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), layers=st.integers(1, 2))
def test_padded_items_are_read_as_by_the_fast_one(lengths: list[int], layers: int) -> None:
    torch.manual_seed(0)
    fast = BidirectionalLSTM(3, 5, num_layers=layers)
    count = torch.tensor(lengths)
    x = torch.randn(len(lengths), max(lengths) + 2, 3)
    x[~step_mask(count, x.shape[1])] = 100.0
    torch.testing.assert_close(LSTMReader.from_torch(fast)(x, count), fast(x, count), **TOLERANCE)


def test_gradients_are_those_of_torch() -> None:
    torch.manual_seed(0)
    theirs = nn.LSTM(4, 6, batch_first=True)
    ours = LSTMReader.from_torch(theirs)
    a, b = (torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(1)).requires_grad_() for _ in range(2))
    ours(a, torch.tensor([30, 30])).square().sum().backward()
    theirs(b)[0].square().sum().backward()
    torch.testing.assert_close(a.grad, b.grad, atol=1e-6, rtol=1e-5)


def test_gates_do_what_their_names_say() -> None:
    cell = LSTMCell(1, 1)
    with torch.no_grad():
        for part in cell.parameters():
            part.zero_()
        cell.candidate.bias.fill_(10.0)
    x = torch.zeros(1, 1)
    first = cell(x)
    assert [round(getattr(first, name).item(), 3) for name in GATES] == [0.5, 0.5, 1.0, 0.5, 0.5, 0.231]
    with torch.no_grad():
        cell.forget_gate.bias.fill_(50.0)
        cell.input_gate.bias.fill_(-50.0)
        cell.output_gate.bias.fill_(-50.0)
    kept = cell(x, first)
    assert torch.equal(kept.cell, first.cell), "a forget gate at 1 and an input gate at 0 keep the memory as it is"
    assert kept.hidden.abs().item() < 1e-20, "an output gate at 0 shows nothing of it"


def test_traces_of_both_directions_lie_in_the_order_of_the_steps() -> None:
    torch.manual_seed(0)
    lstm = BidirectionalLSTM(3, 5, num_layers=2)
    x, lengths = torch.randn(2, 9, 3), torch.tensor([9, 4])
    traces = gate_traces(lstm, x, lengths)
    assert traces.forget_gate.shape == (2, 9, 2, 2, 5)
    torch.testing.assert_close(traces.hidden[:, :, 1].flatten(2), lstm(x, lengths), **TOLERANCE)
    kept = traces.forget_gate[0, 1:, :, 0] * traces.cell[0, :-1, :, 0]
    written = traces.input_gate[0, 1:, :, 0] * traces.candidate[0, 1:, :, 0]
    torch.testing.assert_close(kept + written, traces.cell[0, 1:, :, 0], **TOLERANCE)
    ahead = traces.forget_gate[1, :3, :, 1] * traces.cell[1, 1:4, :, 1]
    torch.testing.assert_close(
        ahead + traces.input_gate[1, :3, :, 1] * traces.candidate[1, :3, :, 1], traces.cell[1, :3, :, 1], **TOLERANCE
    )
    assert all((getattr(traces, name)[1, 4:] == 0).all() for name in GATES)


def test_double_precision_is_kept() -> None:
    lstm = nn.LSTM(2, 3, batch_first=True, dtype=torch.float64)
    x = torch.randn(1, 50, 2, dtype=torch.float64)
    ours = LSTMReader.from_torch(lstm)(x, torch.tensor([50]))
    torch.testing.assert_close(ours, lstm(x)[0], atol=1e-14, rtol=0)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match="hidden_size must be a whole number of at least 1, got 0"):
        LSTMCell(3, 0)
    with pytest.raises(ParameterError, match="states are projected has other equations"):
        LSTMCell.from_torch(nn.LSTM(3, 4, proj_size=2))
    with pytest.raises(ParameterError, match="has no layer 1"):
        LSTMCell.from_torch(nn.LSTM(3, 4), layer=1)
    with pytest.raises(ParameterError, match="has no layer 0, backward"):
        LSTMCell.from_torch(nn.LSTMCell(3, 4), backward=True)
    with pytest.raises(ParameterError, match="backwards as many or none, got 0 and 0"):
        LSTMReader([])
    with pytest.raises(ParameterError, match="takes 3 features, the layer below gives 4"):
        LSTMReader([LSTMCell(3, 4), LSTMCell(3, 4)])
    with pytest.raises(ParameterError, match="cells of the same sizes"):
        LSTMReader([LSTMCell(3, 4)], [LSTMCell(3, 5)])
    with pytest.raises(ParameterError, match=r"x must be .*3 features"):
        LSTMReader([LSTMCell(3, 4)])(torch.zeros(1, 5, 2), torch.tensor([5]))
