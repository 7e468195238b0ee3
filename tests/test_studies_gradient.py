"""The gradient that reaches back, against what calculus gives for one unit, and against finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from torch import nn

from biosig_lstm import studies
from biosig_lstm.studies import Table
from biosig_lstm.studies.gradient import STARTS, GradientSettings, relative_gradients

STUDY = studies.get("gradient")
SMALL = GradientSettings(
    features=2, hidden_size=8, sequences=2, repeats=1, longest_steps=30, shown_steps=(10, 30), drawn_points=4
)


def one_unit(kind: type[nn.RNNBase], **how: object) -> nn.RNNBase:
    """Return a layer of one unit in double precision, all of its weights zero."""
    layer = kind(1, 1, batch_first=True, **how).double()
    with torch.no_grad():
        for weight in layer.parameters():
            weight.zero_()
    return layer


@settings(max_examples=20, deadline=None)
@given(weight=st.floats(0.05, 1.2), steps=st.integers(2, 40))
def test_a_linear_unit_passes_on_its_weight_to_the_power_of_k(weight: float, steps: int) -> None:
    layer = one_unit(nn.RNN, nonlinearity="relu")
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1.0)
        layer.weight_hh_l0.fill_(weight)
    x = torch.ones(1, steps, 1, dtype=torch.float64)
    found = relative_gradients(layer, x, torch.ones(1, 1, dtype=torch.float64))
    np.testing.assert_allclose(found.numpy(), weight ** np.arange(steps), rtol=1e-10)


def test_a_tanh_unit_passes_on_the_product_of_its_slopes() -> None:
    layer, weight = one_unit(nn.RNN), 0.8
    with torch.no_grad():
        layer.weight_ih_l0.fill_(0.5)
        layer.weight_hh_l0.fill_(weight)
    x = torch.linspace(-2, 2, 12, dtype=torch.float64).view(1, -1, 1)
    states = layer(x)[0].detach().flatten().numpy()
    slopes = weight * (1 - states[1:] ** 2)  # of each step's state by that of the step before
    last = (1 - states**2)[::-1]
    expected = np.concatenate([[1.0], np.cumprod(slopes[::-1])]) * last / last[0]
    found = relative_gradients(layer, x, torch.ones(1, 1, dtype=torch.float64))
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


@pytest.mark.parametrize("bias", [0.0, 1.0, 3.0])
def test_a_memory_that_is_only_forgotten_loses_what_the_forget_gate_says(bias: float) -> None:
    layer = one_unit(nn.LSTM)
    with torch.no_grad():
        layer.weight_ih_l0[2] = 1e-9  # what could be written is the input, so small that tanh is a line
        layer.bias_ih_l0[1] = bias
    x = torch.zeros(1, 20, 1, dtype=torch.float64)
    found = relative_gradients(layer, x, torch.ones(1, 1, dtype=torch.float64))
    kept = 1 / (1 + math.exp(-bias))
    np.testing.assert_allclose(found.numpy(), kept ** np.arange(20), rtol=1e-9)


@pytest.mark.parametrize("kind", [nn.RNN, nn.GRU, nn.LSTM])
def test_gradients_are_those_of_finite_differences(kind: type[nn.RNNBase]) -> None:
    torch.manual_seed(0)
    layer = kind(2, 3, batch_first=True).double()
    x, direction = torch.randn(1, 5, 2, dtype=torch.float64), torch.randn(1, 3, dtype=torch.float64)

    def last(flat: np.ndarray) -> float:
        with torch.no_grad():
            return float((layer(torch.from_numpy(flat).view(1, 5, 2))[0][0, -1] * direction[0]).sum())

    slope = approx_fprime(x.flatten().numpy(), last, 1e-7).reshape(5, 2)
    size = np.linalg.norm(slope, axis=1)[::-1]
    np.testing.assert_allclose(relative_gradients(layer, x, direction).numpy(), size / size[0], rtol=1e-4)


def test_what_is_far_below_the_smallest_square_is_still_a_number() -> None:
    layer = one_unit(nn.RNN, nonlinearity="relu")
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1.0)
        layer.weight_hh_l0.fill_(1e-10)
    x = torch.ones(1, 21, 1, dtype=torch.float64)
    found = relative_gradients(layer, x, torch.ones(1, 1, dtype=torch.float64))
    np.testing.assert_allclose(math.log10(found[20].item()), -200, rtol=1e-9)


def started(cell: str, start: str) -> nn.RNNBase:
    torch.manual_seed(3)
    layer = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell](4, 16, batch_first=True)
    STARTS[cell, start](layer, 200)
    return layer


def forget_bias(start: str) -> torch.Tensor:
    layer = started("lstm", start)
    return (layer.bias_ih_l0 + layer.bias_hh_l0).detach().chunk(4)[1]


def test_starts_are_what_they_are_called() -> None:
    for value in (0.0, 1.0, 3.0):
        torch.testing.assert_close(forget_bias(f"orthogonal, forget bias {value:.0f}"), torch.full((16,), value))
    torch_own = forget_bias("torch's own, forget bias 0")
    assert torch_own.abs().max() <= 2 / math.sqrt(16)
    for value in (1.0, 3.0):
        torch.testing.assert_close(forget_bias(f"torch's own, forget bias {value:.0f}"), torch_own + value)
    chrono = forget_bias("orthogonal, chrono")
    assert 0 <= chrono.min() <= chrono.max() <= math.log(199)
    for cell, start in STARTS:
        gates = started(cell, start).weight_hh_l0.detach().chunk({"rnn": 1, "gru": 3, "lstm": 4}[cell])
        alike = all(torch.allclose(gate @ gate.T, torch.eye(16), atol=1e-5) for gate in gates)
        assert alike == start.startswith("orthogonal")


def test_gradients_of_a_start_do_not_depend_on_the_other_starts() -> None:
    measured = STUDY.run(studies.StudyOptions(seed=2), settings=SMALL).measured
    assert len(measured.values("start")) == len({start for _, start in STARTS})
    at_zero = measured.where(steps_back=0).column("relative_gradient")
    assert at_zero == [1.0] * len(STARTS)
    assert {10, 30} <= set(measured.column("steps_back"))


def test_verdicts_follow_from_the_figures() -> None:
    sizes = GradientSettings(longest_steps=100, shown_steps=(100,))
    found = {"rnn": 1e-9, "gru": 0.5, "lstm": 0.5}
    rows = [(cell, start, 0, 100, found[cell]) for cell, start in STARTS]
    claims = STUDY.conclude(sizes, Table(STUDY.columns, tuple(rows))).claims
    assert [claim.verdict for claim in claims] == ["holds"] * 5
    rows[-1] = ("lstm", "orthogonal, chrono", 0, 100, 1e3)
    rows[-2] = ("lstm", "orthogonal, forget bias 3", 0, 100, 1e-4)
    claims = STUDY.conclude(sizes, Table(STUDY.columns, tuple(rows))).claims
    assert [claim.verdict for claim in claims] == ["holds", "holds in part", "holds", "holds in part", "holds in part"]
    assert "orthogonal, forget bias 3: 0.0001" in claims[1].measured
    rows = [(cell, start, 0, 100, 0.5 - 0.5 * (cell == "gru")) for cell, start in STARTS]
    claims = STUDY.conclude(sizes, Table(STUDY.columns, tuple(rows))).claims
    assert [claims[0].verdict, claims[2].verdict] == ["does not hold", "does not hold"]
