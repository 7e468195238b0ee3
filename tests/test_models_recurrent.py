"""The LSTM against its equations and against torch's own on packed sequences; what it starts from; poolings."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models import (
    AttentionPooling,
    BidirectionalLSTM,
    BiLSTM,
    flip_within_length,
    initialise_lstm,
    last_pooling,
    max_pooling,
    mean_pooling,
    step_mask,
)
from biosig_lstm.models._recurrent import segment_ends

Float64 = npt.NDArray[np.float64]
some_lengths = st.lists(st.integers(1, 15) | st.integers(16, 150), min_size=1, max_size=6)


def random_batch(lengths: list[int], *, features: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    x = torch.randn(len(lengths), max(lengths), features, generator=torch.Generator().manual_seed(seed))
    return x, torch.tensor(lengths)


def lstm_by_the_equations(x: Float64, lstm: nn.LSTM) -> Float64:
    """Return the states of one item (steps, features), in float64, from Hochreiter & Schmidhuber with a forget gate."""
    w, u, b1, b2 = (p.detach().numpy().astype(np.float64) for p in lstm.parameters())
    h = c = np.zeros(lstm.hidden_size)
    states = []
    for x_t in x:
        i, f, g, o = np.split(w @ x_t + u @ h + b1 + b2, 4)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
        states.append(h)
    return np.array(states)


def packed_peer(ours: BidirectionalLSTM, *, input_size: int, hidden_size: int, num_layers: int) -> nn.LSTM:
    peer = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True, bidirectional=True)
    weights = {}
    for layers, suffix in ((ours.forward_layers, ""), (ours.backward_layers, "_reverse")):
        for depth, layer in enumerate(layers):
            weights |= {k.replace("_l0", f"_l{depth}{suffix}"): v for k, v in layer.state_dict().items()}
    peer.load_state_dict(weights)
    return peer


def packed_states(peer: nn.LSTM, x: Tensor, lengths: Tensor) -> Tensor:
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    states, _ = nn.utils.rnn.pad_packed_sequence(peer(packed)[0], batch_first=True, total_length=x.shape[1])
    return states


def test_states_are_those_of_the_lstm_equations() -> None:
    torch.manual_seed(0)
    lstm = BidirectionalLSTM(5, 7)
    lengths = [9, 90, 1, 40]
    x, count = random_batch(lengths, features=5)
    states = lstm(x, count).detach().numpy()
    ahead, back = lstm.forward_layers[0], lstm.backward_layers[0]
    for i, length in enumerate(lengths):
        item = x[i, :length].numpy().astype(np.float64)
        expected = np.concatenate(
            [lstm_by_the_equations(item, ahead), lstm_by_the_equations(item[::-1], back)[::-1]], axis=1
        )
        np.testing.assert_allclose(states[i, :length], expected, atol=1e-6, rtol=0)
        assert (states[i, length:] == 0).all()


@settings(max_examples=30, deadline=None)
@given(lengths=some_lengths, num_layers=st.integers(1, 3))
def test_states_are_those_of_torch_on_packed_sequences(lengths: list[int], num_layers: int) -> None:
    torch.manual_seed(0)
    ours = BidirectionalLSTM(4, 6, num_layers=num_layers)
    peer = packed_peer(ours, input_size=4, hidden_size=6, num_layers=num_layers)
    x, count = random_batch(lengths, features=4)
    torch.testing.assert_close(ours(x, count), packed_states(peer, x, count), atol=1e-6, rtol=0)


def test_gradients_are_those_of_torch_on_packed_sequences() -> None:
    torch.manual_seed(0)
    ours = BidirectionalLSTM(4, 6, num_layers=2)
    peer = packed_peer(ours, input_size=4, hidden_size=6, num_layers=2)
    x, count = random_batch([3, 120, 1, 70, 50], features=4)
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours(mine, count).square().sum().backward()
    packed_states(peer, theirs, count).square().sum().backward()
    torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(
        ours.backward_layers[1].weight_hh_l0.grad, peer.weight_hh_l1_reverse.grad, atol=1e-6, rtol=1e-5
    )


@settings(max_examples=50, deadline=None)
@given(lengths=some_lengths, extra=st.integers(0, 3))
def test_a_flip_reverses_the_valid_steps_and_undoes_itself(lengths: list[int], extra: int) -> None:
    x = torch.randn(len(lengths), max(lengths) + extra, 2)
    count = torch.tensor(lengths)
    flipped = flip_within_length(x, count)
    for i, length in enumerate(lengths):
        assert torch.equal(flipped[i, :length], x[i, :length].flip(0))
        assert torch.equal(flipped[i, length:], x[i, length:])
    assert torch.equal(flip_within_length(flipped, count), x)


@settings(max_examples=200, deadline=None)
@given(lengths=st.lists(st.integers(1, 3000), min_size=1, max_size=64))
def test_segments_end_at_lengths_and_the_last_at_the_longest(lengths: list[int]) -> None:
    ends = segment_ends(lengths)
    assert set(ends) <= set(lengths)
    assert ends[-1] == max(lengths)
    assert (np.diff([0, *ends]) > 0).all()
    assert (np.diff([0, *ends[:-1]]) >= 16).all()
    assert len(ends) <= 17


def test_items_nearly_alike_are_read_at_once() -> None:
    assert segment_ends([150, 200, 160, 190]) == [200]


def test_steps_beyond_every_length_are_zero() -> None:
    x = torch.randn(2, 90, 3)
    states = BidirectionalLSTM(3, 4)(x, torch.tensor([60, 20]))
    assert states.shape == (2, 90, 8)
    assert (states[0, 60:] == 0).all()
    assert (states[1, 20:] == 0).all()


def test_items_that_have_ended_leave_the_batch() -> None:
    lstm = BidirectionalLSTM(3, 4)
    seen = []
    lstm.forward_layers[0].register_forward_pre_hook(lambda module, given: seen.append(tuple(given[0].shape[:2])))
    lstm(torch.randn(4, 100, 3), torch.tensor([40, 100, 38, 20]))
    assert seen == [(4, 20), (3, 18), (2, 62)]


def test_dropout_falls_between_layers_and_only_in_training() -> None:
    torch.manual_seed(0)
    x, count = random_batch([8, 5], features=3)
    one, two = BidirectionalLSTM(3, 4, dropout=0.5), BidirectionalLSTM(3, 4, num_layers=2, dropout=0.5)
    assert torch.equal(one(x, count), one(x, count))
    assert not torch.equal(two(x, count), two(x, count))
    two.eval()
    assert torch.equal(two(x, count), two(x, count))


def test_weights_start_orthogonal_and_xavier_with_the_forget_gate_open() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(20, 16)
    initialise_lstm(lstm)
    for gate in lstm.weight_hh_l0.chunk(4):
        torch.testing.assert_close(gate @ gate.T, torch.eye(16), atol=1e-5, rtol=0)
    bound = (6 / (20 + 16)) ** 0.5
    largest = [float(gate.abs().max()) for gate in lstm.weight_ih_l0.detach().chunk(4)]
    assert all(0.95 * bound < value <= bound for value in largest)
    assert lstm.bias_ih_l0.detach().view(4, 16).unique(dim=1).flatten().tolist() == [0.0, 1.0, 0.0, 0.0]
    assert (lstm.bias_hh_l0 == 0).all()


def test_chrono_biases_are_the_logarithm_of_uniform_memories() -> None:
    torch.manual_seed(0)
    lstm = nn.LSTM(2, 500)
    initialise_lstm(lstm, memory_steps=101)
    i, f, g, o = lstm.bias_ih_l0.detach().chunk(4)
    memories = f.exp().sort().values.numpy()
    np.testing.assert_allclose(memories, np.linspace(1, 100, 500), atol=8)
    assert torch.equal(i, -f)
    assert not torch.cat([g, o, lstm.bias_hh_l0.detach()]).any()


def gradient_reach(lstm: BidirectionalLSTM, *, steps: int) -> float:
    """Return how much of the last state's gradient reaches `steps` steps back, relative to the step itself."""
    x = torch.randn(4, steps + 1, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    lstm(x, torch.full((4,), steps + 1))[:, -1, : lstm.forward_layers[0].hidden_size].sum().backward()
    norms = x.grad.norm(dim=(0, 2))
    return float(norms[0] / norms[-1])


def test_chrono_initialisation_reaches_back_a_hundred_steps() -> None:
    torch.manual_seed(0)
    plain, chrono = BidirectionalLSTM(3, 32), BidirectionalLSTM(3, 32, memory_steps=1000)
    assert gradient_reach(plain, steps=100) < 1e-3
    assert gradient_reach(chrono, steps=100) > 1e-2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_size": 0}, "hidden_size must be a whole number of at least 1, got 0"),
        ({"hidden_size": True}, "hidden_size must be a whole number of at least 1, got True"),
        ({"num_layers": 0}, "num_layers must be a whole number of at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1.0"),
        ({"memory_steps": 2}, "memory_steps must be a whole number of at least 3, got 2"),
    ],
)
def test_sizes_out_of_range_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BiLSTM(**values)
    with pytest.raises(ParameterError, match=message):
        BidirectionalLSTM(3, **({"hidden_size": 4} | values))


def test_poolings_of_hand_made_states() -> None:
    states = torch.tensor([[[1.0, 10.0], [3.0, 40.0], [99.0, 99.0]], [[5.0, 6.0], [7.0, 9.0], [3.0, -3.0]]])
    lengths = torch.tensor([2, 3])
    assert last_pooling(states, lengths).tolist() == [[3.0, 10.0], [3.0, 6.0]]
    assert mean_pooling(states, lengths).tolist() == [[2.0, 25.0], [5.0, 4.0]]
    assert max_pooling(states, lengths).tolist() == [[3.0, 40.0], [7.0, 9.0]]


def test_last_pooling_is_the_last_hidden_state_of_torch_on_packed_sequences() -> None:
    torch.manual_seed(0)
    ours = BidirectionalLSTM(4, 6)
    peer = packed_peer(ours, input_size=4, hidden_size=6, num_layers=1)
    x, count = random_batch([3, 120, 1, 70, 50], features=4)
    packed = nn.utils.rnn.pack_padded_sequence(x, count, batch_first=True, enforce_sorted=False)
    _, (hidden, _) = peer(packed)
    expected = torch.cat([hidden[0], hidden[1]], dim=1)
    torch.testing.assert_close(last_pooling(ours(x, count), count), expected, atol=1e-6, rtol=0)


@settings(max_examples=25, deadline=None)
@given(lengths=some_lengths)
def test_attention_weights_add_up_to_one_over_the_valid_steps(lengths: list[int]) -> None:
    torch.manual_seed(0)
    x, count = random_batch(lengths, features=4)
    attention = AttentionPooling(4)
    weights = attention.weights(x, count).detach()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(len(lengths)))
    assert (weights[~step_mask(count, x.shape[1])] == 0).all()
    v, w, b = (p.detach().numpy() for p in (attention.score.weight[0], attention.hidden.weight, attention.hidden.bias))
    for i, length in enumerate(lengths):
        scores = np.tanh(x[i, :length].numpy() @ w.T + b) @ v
        share = np.exp(scores) / np.exp(scores).sum()
        expected = share @ x[i, :length].numpy()
        np.testing.assert_allclose(attention(x, count)[i].detach().numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@settings(max_examples=15, deadline=None)
@given(lengths=some_lengths)
def test_every_pooling_leaves_padding_out(pooling: str, lengths: list[int]) -> None:
    torch.manual_seed(0)
    network = BiLSTM(hidden_size=5, num_layers=2, pooling=pooling).build(n_features=3, n_outputs=2).eval()
    x, count = random_batch(lengths, features=3)
    for i, length in enumerate(lengths):
        alone = network(x[i : i + 1, :length], count[i : i + 1])
        torch.testing.assert_close(network(x, count)[i : i + 1], alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_every_pooling_passes_gradients_on(pooling: str) -> None:
    torch.manual_seed(0)
    network = BiLSTM(hidden_size=5, pooling=pooling).build(n_features=3, n_outputs=2)
    network(*random_batch([6, 4], features=3)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_without_a_pooling_every_step_is_answered() -> None:
    spec = BiLSTM(hidden_size=5, pooling=None)
    x, count = random_batch([6, 4], features=3)
    assert spec.build(n_features=3, n_outputs=2, per_step=True)(x, count).shape == (2, 6, 2)
    with pytest.raises(ParameterError, match="needs a pooling, got None; possible: last, mean, max, attention"):
        spec.build(n_features=3, n_outputs=2)


def test_an_unknown_pooling_is_refused() -> None:
    with pytest.raises(ParameterError, match="pooling is not known: 'men'; did you mean 'mean'"):
        BiLSTM(pooling="men")
