"""Gates and memory of trained models: that they are those of the network's own LSTM, and where they lie."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import biosig_lstm as bl
from biosig_lstm import datasets, models, plot
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Gates, StepClassifier
from biosig_lstm.models import GATES, BiLSTM, ConvBiLSTM

PARTS = (([0, 1], ["p", "p"]), ([2, 3], ["q", "q"]))
QUICK: dict[str, Any] = {"max_epochs": 1, "batch_size": 4, "device": "cpu", "progress": False}


def toy(*, rate_hz: float | None = 10.0) -> Windows:
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((length, 2)) for length in (40, 7, 25, 33)]
    return Windows.from_arrays(items, ["a", "b", "a", "b"], rate_hz=rate_hz)


@pytest.fixture(scope="module")
def recording() -> Recording:
    (found,) = datasets.get("sample").recordings(["s06"])
    return found


@pytest.fixture(scope="module")
def beat_gates(beats_model: StepClassifier, recording: Recording) -> Gates:
    return beats_model.gates(recording)


def test_a_row_for_every_step_with_the_states_of_the_network() -> None:
    windows = toy()
    model = bl.Classifier(model=BiLSTM(5, num_layers=2)).fit(windows, **QUICK)
    gates = model.gates(windows)
    assert len(gates) == windows.lengths.sum()
    assert gates.forget_gate.shape == (105, 2, 2, 5)
    assert gates.items.tolist() == np.repeat(np.arange(4), windows.lengths).tolist()
    np.testing.assert_allclose(gates.times_s, np.concatenate([np.arange(n) / 10 for n in windows.lengths]))
    lstm = model.networks[0].lstm
    for k in range(len(windows)):
        x = torch.from_numpy(model.prepare(windows).item(k).copy()).unsqueeze(0)
        with torch.no_grad():
            states = lstm(x, torch.tensor([x.shape[1]]))[0].numpy()
        np.testing.assert_allclose(gates.hidden[gates.items == k][:, 1].reshape(-1, 10), states, atol=1e-6)


def test_the_rows_obey_the_equations_of_the_lstm(beat_gates: Gates) -> None:
    first = beat_gates.items == 0
    forget, write, candidate, cell = (
        getattr(beat_gates, name)[first][:, 0, 0] for name in ("forget_gate", "input_gate", "candidate", "cell")
    )
    np.testing.assert_allclose(forget[1:] * cell[:-1] + write[1:] * candidate[1:], cell[1:], atol=1e-5)
    np.testing.assert_allclose(write[0] * candidate[0], cell[0], atol=1e-6)
    shown = beat_gates.output_gate * np.tanh(beat_gates.cell)
    np.testing.assert_allclose(shown, beat_gates.hidden, atol=1e-6)
    for name in ("forget_gate", "input_gate", "output_gate"):
        assert 0 <= getattr(beat_gates, name).min() <= getattr(beat_gates, name).max() <= 1


def test_steps_lie_where_the_beats_are(beats_model: StepClassifier, recording: Recording, beat_gates: Gates) -> None:
    said = beats_model.predict(recording)
    assert np.array_equal(beat_gates.samples, said.samples)
    assert set(beat_gates.recordings.tolist()) == {recording.id}
    part = beat_gates.between(5.0, 15.0)
    assert 0 < len(part) < len(beat_gates)
    assert part.times_s.min() >= 5.0
    assert part.times_s.max() < 15.0
    assert len(beat_gates.of("another")) == 0
    assert repr(beat_gates).startswith(f"Gates({len(said)} steps in 1 recordings; 1 layers of")


def test_convolutions_make_fewer_steps() -> None:
    spec = ConvBiLSTM(channels=(4, 4), kernels=(5, 3), strides=(2, 2), hidden_size=3)
    model = bl.Classifier(model=spec).fit(toy(), **QUICK)
    gates = model.gates(toy())
    assert [int((gates.items == k).sum()) for k in range(4)] == [10, 2, 7, 9]
    np.testing.assert_allclose(gates.times_s[:4], [0.0, 0.4, 0.8, 1.2])


ONE_WAY = {"CausalLSTM", "LSTMPredictor"}


@pytest.mark.parametrize("name", sorted(set(models.specs()) - ONE_WAY))
def test_every_model_of_lstms_shows_its_gates(name: str) -> None:
    """The steps an LSTM reads are as many as its network says, at equal distances."""
    from biosig_lstm.estimators.gates import read_gates

    spec = models.specs()[name]
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((length, 35)) for length in (20, 9)]
    network = spec().build(n_features=35, n_outputs=3, window_shape=(2, 16), per_step=True in spec.answers_per_step)
    stride = getattr(network, "lstm_stride", 1)
    gates = read_gates(network.eval(), Windows.from_arrays(items), [[1], [0]])
    assert [int((gates.items == k).sum()) for k in range(2)] == [-(-20 // stride), -(-9 // stride)]
    assert (np.diff(gates.samples[gates.items == 0]) == stride).all()


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("gru", "a GRU, which has no memory"),
        ("rnn", "plain units, which have no"),
        ("transformer", "a Transformer, whi"),
    ],
)
def test_other_cells_have_no_such_gates(cell: str, why: str) -> None:
    model = bl.Classifier(model=BiLSTM(4, cell=cell)).fit(toy(), **QUICK)
    with pytest.raises(ParameterError, match=f"this model reads by {why}.*; a model trained with cell='lstm' has them"):
        model.gates(toy())


def test_what_reads_forwards_alone_has_no_backward_gates() -> None:
    train, val = (replace(toy().select(rows), subjects=np.array(names)) for rows, names in PARTS)
    how = {**QUICK, "false_alarms_per_h": 1000.0}
    model = bl.AnomalyDetector(bl.Pipeline.of_arrays(), bl.LSTMPredictor(4), normal=("a", "b")).fit(train, val, **how)
    with pytest.raises(ParameterError, match=r"this model reads by one that goes forwards alone$"):
        model.gates(toy())
    both = bl.AnomalyDetector(bl.Pipeline.of_arrays(), bl.LSTMAutoencoder(4, code_size=2), normal=("a", "b"))
    assert both.fit(train, val, **how).gates(toy()).cell.shape == (105, 1, 2, 4)


def test_there_is_no_member_beyond_the_last() -> None:
    lstm = bl.Classifier(model=BiLSTM(4)).fit(toy(), **QUICK)
    with pytest.raises(ParameterError, match="member must lie in 0 to 0, got 1"):
        lstm.gates(toy(), member=1)


def test_rows_that_do_not_fit_are_refused(beat_gates: Gates) -> None:
    with pytest.raises(DataError, match="gates need one of each for every step"):
        replace(beat_gates, cell=beat_gates.cell[:3])


def test_the_picture_shows_the_gates_of_the_stretch(
    beats_model: StepClassifier, recording: Recording, beat_gates: Gates
) -> None:
    figure = plot.gates(recording, beat_gates, beats_model.predict(recording), start_s=2.0, length_s=6.0)
    panels = figure.axes[:5]
    part = beat_gates.between(2.0, 8.0)
    titles = [axes.get_ylabel().split("\n")[1] for axes in panels[1:]]
    assert titles == ["forget gate", "input gate", "output gate", "memory (tanh)"]
    bars = [[text.get_text() for text in axes.get_yticklabels()] for axes in figure.axes[5:]]
    assert bars == [["forgets", "keeps"], ["ignores", "writes"], ["hides", "shows"], ["-1", "empty", "+1"]]
    for axes, name in zip(panels[1:], ("forget_gate", "input_gate", "output_gate", "cell"), strict=True):
        drawn = np.asarray(axes.collections[0].get_array())
        expected = getattr(part, name)[:, 0, 0].T
        expected = np.tanh(expected) if name == "cell" else expected
        assert drawn.shape == expected.shape
        np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(expected, axis=0), atol=1e-7)
    edges = panels[1].collections[0].get_coordinates()[0, :, 0]
    assert (edges[0], edges[-1]) == (2.0, 8.0)
    assert ((edges[:-1] <= part.times_s) & (part.times_s <= edges[1:])).all()
    back = plot.gates(recording, beat_gates, start_s=2.0, length_s=6.0, direction="backward")
    assert not np.array_equal(back.axes[1].collections[0].get_array(), panels[1].collections[0].get_array())


def test_a_picture_of_nothing_is_refused(recording: Recording, beat_gates: Gates) -> None:
    with pytest.raises(DataError, match="s06: the model read no step from 9000 to 9010 s"):
        plot.gates(recording, beat_gates, start_s=9000.0)
    with pytest.raises(ParameterError, match="direction is not known: 'forwards'; did you mean 'forward'"):
        plot.gates(recording, beat_gates, direction="forwards")
    with pytest.raises(ParameterError, match="layer must lie in 0 to 0, got 1"):
        plot.gates(recording, beat_gates, layer=1)
    assert GATES[0] == "forget_gate"
