"""GRU, plain recurrent network and Transformer in the place of LSTMs: against torch's own, and one word apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import biosig_lstm as bl
from biosig_lstm import datasets, models
from biosig_lstm.cli import main
from biosig_lstm.containers import Windows
from biosig_lstm.decoding import Alphabet
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import load
from biosig_lstm.models import (
    CELLS,
    BiLSTM,
    CausalLSTM,
    ConvBiLSTM,
    initialise_gru,
    initialise_rnn,
    sequence_reader,
    step_mask,
    with_cell,
    with_memory,
)
from biosig_lstm.models._causal import CONTEXT_STEPS, CausalTransformerLayer
from biosig_lstm.models._transformer import sinusoidal_positions
from biosig_lstm.recipes import recipe_for, recipe_names

TORCH = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}
some_lengths = st.lists(st.integers(1, 15) | st.integers(16, 120), min_size=1, max_size=5)


def packed(peer: nn.RNNBase, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    return nn.utils.rnn.pad_packed_sequence(peer(packed)[0], batch_first=True, total_length=x.shape[1])[0]


@pytest.mark.parametrize("cell", TORCH)
@settings(max_examples=15, deadline=None)
@given(lengths=some_lengths, num_layers=st.integers(1, 2))
def test_recurrent_cells_are_those_of_torch_on_packed_sequences(cell: str, lengths: list[int], num_layers: int) -> None:
    torch.manual_seed(0)
    ours = sequence_reader(cell, 4, 6, num_layers=num_layers)
    peer = TORCH[cell](4, 6, num_layers, batch_first=True, bidirectional=True)
    weights = {}
    for layers, suffix in ((ours.forward_layers, ""), (ours.backward_layers, "_reverse")):
        for depth, layer in enumerate(layers):
            weights |= {k.replace("_l0", f"_l{depth}{suffix}"): v for k, v in layer.state_dict().items()}
    peer.load_state_dict(weights)
    x, count = torch.randn(len(lengths), max(lengths), 4), torch.tensor(lengths)
    torch.testing.assert_close(ours(x, count), packed(peer, x, count), atol=1e-6, rtol=1e-6)


def test_the_transformer_is_that_of_torch() -> None:
    torch.manual_seed(0)
    ours = sequence_reader("transformer", 5, 32, num_layers=2).eval()
    layer = nn.TransformerEncoderLayer(
        32, 2, ours.layers[0].feed[0].out_features, activation="gelu", batch_first=True, norm_first=True, dropout=0.0
    )
    peer = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(32), enable_nested_tensor=False).eval()
    for mine, theirs in zip(ours.layers, peer.layers, strict=True):
        theirs.self_attn.in_proj_weight = mine.project.weight
        theirs.self_attn.in_proj_bias = mine.project.bias
        theirs.self_attn.out_proj = mine.gather
        theirs.linear1, theirs.linear2 = mine.feed[0], mine.feed[2]
        theirs.norm1, theirs.norm2 = mine.attention_norm, mine.feed_norm
    peer.norm = ours.norm
    x, lengths = torch.randn(3, 40, 5), torch.tensor([40, 7, 21])
    beyond = ~step_mask(lengths, 40)
    positions = sinusoidal_positions(torch.arange(40), 32)
    expected = ours.widen(peer(ours.embed(x) + positions, src_key_padding_mask=beyond))
    torch.testing.assert_close(ours(x, lengths)[~beyond], expected[~beyond], atol=1e-5, rtol=0)


@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 70), min_size=1, max_size=5), extra=st.integers(0, 5), longest=st.integers(1, 30)
)
def test_longer_items_than_were_learned_are_read_in_stretches(lengths: list[int], extra: int, longest: int) -> None:
    torch.manual_seed(0)
    reader = sequence_reader("transformer", 3, 16)
    reader(torch.randn(2, longest + 1, 3), torch.tensor([longest, 1]))
    assert int(reader.longest) == longest
    reader.eval()
    width = max(longest, 4)
    hop = width // 2
    x, count = torch.randn(len(lengths), max(lengths) + extra, 3), torch.tensor(lengths)
    with torch.no_grad():
        together = reader(x, count)
        for i, length in enumerate(lengths):
            alone = reader(x[i : i + 1, :length], count[i : i + 1])
            torch.testing.assert_close(together[i : i + 1, :length], alone, atol=1e-5, rtol=0)
            assert not together[i, length:].any()
            for t in {0, length // 2, length - 1}:
                last = max(-(-(length - width) // hop), 0)
                start = hop * min(max((t - width // 4) // hop, 0), last)
                part = x[i : i + 1, start : min(start + width, length)]
                by_hand = reader(part, torch.tensor([part.shape[1]]))[0, t - start]
                torch.testing.assert_close(together[i, t], by_hand, atol=1e-5, rtol=0)


def test_a_transformer_holds_beyond_the_length_of_its_training_items(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((128, 32, 1))
    model = bl.StepClassifier(model=BiLSTM(16, cell="transformer"))
    model.fit(x, (x[:, :, 0] > 0).astype(int), **(QUICK | {"max_epochs": 15, "batch_size": 16, "learning_rate": 0.01}))
    long = rng.standard_normal((1, 1500, 1))
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert (again.predict(long).labels == (long[0, :, 0] > 0).astype(int).astype(str)).mean() > 0.95


def test_positions_are_sines_and_cosines() -> None:
    """Vaswani et al. 2017, section 3.5: PE(t, 2i) = sin(t / 10000^(2i/d)), PE(t, 2i + 1) = cos of the same."""
    made = sinusoidal_positions(torch.arange(50), 7).numpy()
    for t in (0, 1, 49):
        for k in range(7):
            angle = t / 10_000 ** (2 * (k // 2) / 7)
            assert made[t, k] == pytest.approx(np.cos(angle) if k % 2 else np.sin(angle), abs=1e-5)


@pytest.mark.parametrize(("inputs", "units", "layers"), [(1, 32, 1), (12, 64, 1), (64, 48, 1), (96, 96, 2)])
def test_the_transformer_has_about_the_parameters_of_the_lstm(inputs: int, units: int, layers: int) -> None:
    lstm, other = (
        sum(p.numel() for p in sequence_reader(cell, inputs, units, num_layers=layers).parameters())
        for cell in ("lstm", "transformer")
    )
    assert 0.98 < other / lstm < 1.02


def test_the_update_gate_keeps_from_the_start() -> None:
    torch.manual_seed(0)
    plain, chrono = nn.GRU(3, 400), nn.GRU(3, 400)
    initialise_gru(plain)
    initialise_gru(chrono, memory_steps=101)
    reset, update, new = plain.bias_ih_l0.detach().chunk(3)
    assert (update == 1).all()
    assert not torch.cat([reset, new, plain.bias_hh_l0.detach()]).any()
    memories = chrono.bias_ih_l0.detach().chunk(3)[1].exp().sort().values.numpy()
    np.testing.assert_allclose(memories, np.linspace(1, 100, 400), atol=9)
    for gate in chrono.weight_hh_l0.chunk(3):
        torch.testing.assert_close(gate @ gate.T, torch.eye(400), atol=1e-4, rtol=0)


def test_plain_units_start_orthogonal() -> None:
    torch.manual_seed(0)
    rnn = nn.RNN(3, 16)
    initialise_rnn(rnn)
    torch.testing.assert_close(rnn.weight_hh_l0 @ rnn.weight_hh_l0.T, torch.eye(16), atol=1e-5, rtol=0)
    assert not rnn.bias_ih_l0.any()


def reach(cell: str, memory_steps: int | None) -> float:
    """Return how much of the last state's gradient reaches 100 steps back, relative to the last step's own."""
    torch.manual_seed(0)
    reader = sequence_reader(cell, 3, 32, memory_steps=memory_steps)
    x = torch.randn(4, 101, 3).requires_grad_()
    reader(x, torch.full((4,), 101))[:, -1, :32].sum().backward()
    norms = x.grad.norm(dim=(0, 2))
    return float(norms[0] / norms[-1])


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_memory_steps_reach_back_in_cells_with_gates(cell: str) -> None:
    assert reach(cell, None) < 1e-3
    assert reach(cell, 1000) > 1e-2


def test_memory_is_set_from_the_lengths_of_the_items() -> None:
    spec = BiLSTM(4, memory_steps="auto")
    assert with_memory(spec, [10, 70, 30]).memory_steps == 30
    assert with_memory(spec, [1, 2]).memory_steps == 3
    assert with_memory(ConvBiLSTM(memory_steps="auto"), [1600]).memory_steps == 100
    assert with_memory(BiLSTM(4), [10]) == BiLSTM(4)
    with pytest.raises(ParameterError, match=r"memory_steps must be .* at least 3, 'auto' or None, got 'Auto'"):
        BiLSTM(4, memory_steps="Auto")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="memory_steps='auto' is set from the lengths of the items by an est"):
        spec.build(n_features=1, n_outputs=2)


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=12, deadline=None)
@given(stretches=st.lists(st.integers(1, 40), min_size=1, max_size=6), num_layers=st.integers(1, 2))
def test_reading_on_from_a_state_is_reading_at_once(cell: str, stretches: list[int], num_layers: int) -> None:
    torch.manual_seed(0)
    network = CausalLSTM(16, num_layers=num_layers, cell=cell).build(n_features=3, n_outputs=2).eval()
    x = torch.randn(2, sum(stretches), 3)
    with torch.no_grad():
        at_once, last = network.read(x)
        state, parts = None, []
        for part in x.split(stretches, dim=1):
            said, state = network.read(part, state)
            parts.append(said)
        torch.testing.assert_close(torch.cat(parts, dim=1), at_once, atol=1e-5, rtol=0)
        for one, other in zip(state, last, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_what_comes_changes_nothing_that_was_said(cell: str) -> None:
    torch.manual_seed(0)
    network = CausalLSTM(16, num_layers=2, cell=cell).build(n_features=3, n_outputs=2).eval()
    x, count = torch.randn(1, 60, 3), torch.tensor([60])
    other = x.clone()
    other[:, 40:] = 9.0
    with torch.no_grad():
        one, two = network(x, count), network(other, count)
    torch.testing.assert_close(one[:, :40], two[:, :40], atol=1e-6, rtol=0)
    assert (one[:, 40:] - two[:, 40:]).abs().min() > 0


@pytest.mark.parametrize("cell", TORCH)
def test_causal_layers_are_those_of_torch(cell: str) -> None:
    torch.manual_seed(0)
    network = CausalLSTM(6, num_layers=2, dropout=0.0, cell=cell).build(n_features=4, n_outputs=2)
    peer = TORCH[cell](4, 6, 2, batch_first=True)
    names = {f"{name[:-1]}{depth}": w for depth in (0, 1) for name, w in network.layers[depth].state_dict().items()}
    peer.load_state_dict(names)
    x = torch.randn(3, 30, 4)
    torch.testing.assert_close(network.read(x)[0], network.head(peer(x)[0]), atol=1e-6, rtol=0)


def test_a_causal_transformer_attends_to_what_is_near_by_hand() -> None:
    """softmax(q k / sqrt(d) - slope * distance) v over a step and the 256 before it (Press et al. 2022)."""
    torch.manual_seed(0)
    layer = CausalTransformerLayer(32, 32).eval()
    x = torch.randn(1, 300, 32)
    with torch.no_grad():
        read, state = layer(x)
        query, key, value = layer.project(layer.attention_norm(x))[0].chunk(3, dim=1)
        for t in (0, 7, 299):
            first = max(t - CONTEXT_STEPS, 0)
            back = torch.arange(t - first, -1, -1)
            heads = []
            for head, slope in enumerate((2.0**-4, 2.0**-8)):
                mine = slice(16 * head, 16 * head + 16)
                scores = key[first : t + 1, mine] @ query[t, mine] / 4 - slope * back
                heads.append(scores.softmax(dim=0) @ value[first : t + 1, mine])
            after = x[0, t] + layer.gather(torch.cat(heads))
            torch.testing.assert_close(read[0, t], after + layer.feed(layer.feed_norm(after)), atol=1e-5, rtol=0)
    assert [part.shape for part in state] == [(256, 1, 32), (256, 1, 32), (256, 1, 1)]


@pytest.mark.parametrize("width", [32, 64])
def test_a_causal_transformer_has_about_the_parameters_of_a_one_way_lstm(width: int) -> None:
    lstm, other = (
        sum(p.numel() for p in CausalLSTM(32, cell=cell).build(n_features=width, n_outputs=2).parameters())
        for cell in ("lstm", "transformer")
    )
    assert 0.95 < other / lstm < 1.1


@pytest.mark.parametrize("cell", CELLS)
def test_a_language_model_of_every_cell_says_the_same_symbol_by_symbol(cell: str, tmp_path: Path) -> None:
    texts = ["do mi so do", "mi so", "so ti ti do"] * 4
    spec = CausalLSTM(8, dropout=0.0, embedding_size=8, memory_steps="auto", cell=cell)
    model = bl.LanguageModel(spec, unit="words").fit(texts, max_epochs=2, device="cpu", progress=False)
    assert model.model.memory_steps == 5
    model.save(tmp_path / "l.biosig")
    again = bl.LanguageModel.load(tmp_path / "l.biosig")
    scorer = again.scorer(Alphabet(("ti", "so", "mi", "do"), unit="words"), weight=1.0)
    states, totals = [scorer.start(), scorer.start()], [0.0, 0.0]
    (states[1],) = scorer.advance([states[1]], [2])
    totals[1] = float(scorer.scores([scorer.start()])[0, 1])
    for k, (one, two) in enumerate([(1, 3), (4, 4)]):
        said = scorer.scores(states)
        totals = [totals[0] + said[0, one - 1], totals[1] + said[1, two - 1]]
        states = scorer.advance(states, [one, two])
        assert len(states) == 2, k
    totals = [total + end for total, end in zip(totals, scorer.final(states), strict=True)]
    np.testing.assert_allclose(totals, model.score(["ti do", "so mi do"]), atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ["LSTMAutoencoder", "LSTMPredictor"])
def test_anomalies_are_found_by_every_cell(name: str, cell: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    windows = Windows.from_arrays(
        [rng.standard_normal((20, 2)) for _ in range(8)], subjects=[f"p{k % 4}" for k in range(8)], rate_hz=10.0
    )
    spec = with_cell(models.specs()[name](6, memory_steps="auto"), cell)
    model = bl.AnomalyDetector(bl.Pipeline.of_arrays(), spec)
    train, val = windows.select(np.arange(8) % 4 < 2), windows.select(np.arange(8) % 4 >= 2)
    model.fit(train, val, **QUICK, false_alarms_per_h=1000.0)
    assert model.model.memory_steps == 20
    model.save(tmp_path / "m.biosig")
    np.testing.assert_array_equal(load(tmp_path / "m.biosig").predict(val).scores, model.predict(val).scores)


QUICK: dict[str, Any] = {"max_epochs": 1, "batch_size": 4, "device": "cpu", "progress": False}


def toy(n: int = 8, *, seed: int = 0) -> Windows:
    rng = np.random.default_rng(seed)
    items = [rng.standard_normal((int(length), 2)) for length in rng.integers(5, 30, n)]
    return Windows.from_arrays(items, ["a", "b"] * (n // 2))


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_is_trained_saved_and_loaded_alike(cell: str, tmp_path: Path) -> None:
    model = bl.Classifier(model=BiLSTM(4, cell=cell, memory_steps="auto")).fit(toy(), **QUICK)
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    other = toy(seed=1)
    assert again.model == model.model
    assert again.model.memory_steps == round(float(np.median(toy().lengths)))
    assert np.array_equal(again.predict(other).log_probabilities, model.predict(other).log_probabilities)


def test_the_names_of_the_cells_are_one_word_apart() -> None:
    made = {"lstm": bl.LSTM, "gru": bl.GRU, "rnn": bl.RNN, "transformer": bl.Transformer}
    for cell in CELLS:
        assert made[cell](32, pooling="mean") == BiLSTM(32, pooling="mean", cell=cell)


@pytest.mark.parametrize("protocol", recipe_names())
def test_every_recipe_takes_every_cell(protocol: str) -> None:
    model = recipe_for(protocol).model
    for cell in CELLS:
        assert with_cell(model, cell) == replace(model, cell=cell)


def test_a_recipe_is_trained_with_another_cell_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, out = str(datasets.get("sample").root), str(tmp_path / "m.biosig")
    asked = ["train", "sample-aami", "--data", root, "--out", out, "--max-epochs", "1", "--device", "cpu"]
    assert main([*asked, "--cell", "gru"]) == 0
    assert load(out).model == with_cell(recipe_for("sample-aami").model, "gru")
    (tmp_path / "t.csv").write_text("path,label,subject\na.wav,x,p\n")
    table = ["train", str(tmp_path / "t.csv"), "--out", out]
    assert main([*table, "--cell", "gru"]) == 2
    assert "--cell goes with a protocol, not with a table" in capsys.readouterr().err
