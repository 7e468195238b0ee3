"""What every model must do: each specification found in biosig_lstm/models is tested from the moment it exists."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from biosig_lstm import models
from biosig_lstm.errors import ParameterError

WINDOW_SHAPE = (2, 16)
N_FEATURES = 2 * 16 + 3
N_OUTPUTS = 4

RIVALS = models.CELLS[1:]
CHOOSING = [name for name, spec in sorted(models.specs().items()) if "cell" in {field.name for field in fields(spec)}]
"""Models that leave it open what reads the sequence."""

every_spec = pytest.mark.parametrize("name", [*sorted(models.specs()), *(f"BiLSTM:{cell}" for cell in RIVALS)])
TASKS = [(name, per_step) for name, spec in sorted(models.specs().items()) for per_step in spec.answers_per_step]
TASKS += [(f"BiLSTM:{cell}", per_step) for cell in RIVALS for per_step in (False, True)]
every_task = pytest.mark.parametrize(("name", "per_step"), TASKS)
READERS = {
    "lstm": ("BidirectionalLSTM", "LSTM"),
    "gru": ("BidirectionalGRU", "GRU"),
    "rnn": ("BidirectionalRNN", "RNN"),
    "transformer": ("TransformerReader", "CausalTransformerLayer"),
}
"""What a network of each cell reads by: in both directions, and forwards."""
every_rival = pytest.mark.parametrize("name", [f"{name}:{cell}" for name in CHOOSING for cell in RIVALS])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def specification(name: str) -> models.ModelSpec:
    """Return the model of this name with its standard sizes; what follows a colon is its cell."""
    model, _, cell = name.partition(":")
    spec = models.specs()[model]()
    return models.with_cell(spec, cell) if cell else spec


def build(name: str, *, per_step: bool, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    spec = specification(name)
    return spec.build(n_features=N_FEATURES, n_outputs=N_OUTPUTS, window_shape=WINDOW_SHAPE, per_step=per_step).eval()


def kind(name: str) -> bool:
    """Return whether the model is asked for an answer of each step: it is where it can be."""
    return True in specification(name).answers_per_step


def answers(network: nn.Module, lengths: Tensor) -> Tensor:
    """Return how many steps are answered: fewer than there are, where the network shortens items."""
    shortened: Tensor = network.answer_lengths(lengths) if hasattr(network, "answer_lengths") else lengths
    return shortened


def batch_of(lengths: list[int], *, steps: int | None = None, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return random items whose padding is not zero but large."""
    generator = torch.Generator().manual_seed(seed)
    count = torch.tensor(lengths)
    x = torch.randn(len(lengths), steps or max(lengths), N_FEATURES, generator=generator)
    padding = ~models.step_mask(count, x.shape[1])
    x[padding] = 100.0
    return x, count


@every_spec
def test_an_answer_that_a_model_does_not_give_is_refused(name: str) -> None:
    answers = specification(name).answers_per_step
    assert answers
    for per_step in {False, True} - set(answers):
        with pytest.raises(
            ParameterError, match=f"{name.partition(':')[0]} gives (one answer|answers|an answer) for each .*; for one"
        ):
            build(name, per_step=per_step)


def test_the_shipped_models_are_found() -> None:
    assert {"BiLSTM", "BeatRuns"} <= set(models.specs())


def test_a_model_is_found_by_name_without_being_listed() -> None:
    assert models.__getattr__("BeatRuns") is models.BeatRuns
    with pytest.raises(AttributeError, match="has no attribute 'GRUs'"):
        models.__getattr__("GRUs")


@every_task
def test_shape_of_the_logits(name: str, per_step: bool) -> None:
    x, lengths = batch_of([6, 2, 4])
    network = build(name, per_step=per_step)
    logits = network(x, lengths)
    assert logits.shape == ((3, int(answers(network, lengths)[0]), N_OUTPUTS) if per_step else (3, N_OUTPUTS))
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@every_task
@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 12) | st.integers(13, 70), min_size=1, max_size=6), extra=st.integers(0, 5))
def test_an_item_is_answered_alike_alone_and_in_any_batch(
    name: str, per_step: bool, lengths: list[int], extra: int
) -> None:
    network = build(name, per_step=per_step)
    x, count = batch_of(lengths, steps=max(lengths) + extra)
    with torch.no_grad():
        together = network(x, count)
        for i, length in enumerate(lengths):
            alone = network(x[i : i + 1, :length], count[i : i + 1])[0]
            end = int(answers(network, count[i]))
            torch.testing.assert_close(together[i, :end] if per_step else together[i], alone, atol=1e-5, rtol=0)
            if per_step:
                assert (together[i, end:] == 0).all()


@every_task
def test_one_step_is_enough(name: str, per_step: bool) -> None:
    x, lengths = batch_of([1, 1])
    assert torch.isfinite(build(name, per_step=per_step)(x, lengths)).all()


@every_task
def test_every_parameter_gets_a_gradient(name: str, per_step: bool) -> None:
    network = build(name, per_step=per_step)
    x, lengths = batch_of([90, 5, 70, 2])
    network(x, lengths).square().sum().backward()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert torch.isfinite(parameter.grad).all(), parameter_name
        assert parameter.grad.abs().max() > 1e-8, parameter_name


@every_spec
def test_padding_gets_no_gradient(name: str) -> None:
    x, lengths = batch_of([6, 3])
    x.requires_grad_()
    build(name, per_step=kind(name))(x, lengths).square().sum().backward()
    assert x.grad is not None
    assert (x.grad[1, 3:] == 0).all()
    assert (x.grad[1, :3] != 0).any()


@every_task
def test_eight_items_are_learned_by_heart(name: str, per_step: bool) -> None:
    network = build(name, per_step=per_step)
    x, lengths = batch_of([5, 3, 8, 1, 6, 2, 7, 4])
    ends = answers(network, lengths)
    n_steps = int(ends.max())
    y = torch.randint(N_OUTPUTS, (8, n_steps) if per_step else (8,), generator=torch.Generator().manual_seed(1))
    valid = models.step_mask(ends, n_steps) if per_step else torch.ones(8, dtype=torch.bool)
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3 if name.endswith("transformer") else 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        cross_entropy(network(x, lengths)[valid], y[valid]).backward()
        optimizer.step()
    assert (network(x, lengths)[valid].argmax(dim=1) == y[valid]).all()


@every_spec
def test_the_weights_make_a_round_trip(name: str, tmp_path: Path) -> None:
    network, other = build(name, per_step=kind(name)), build(name, per_step=kind(name), seed=1)
    x, lengths = batch_of([6, 2])
    assert not torch.equal(network(x, lengths), other(x, lengths))
    torch.save(network.state_dict(), tmp_path / "weights.pt")
    other.load_state_dict(torch.load(tmp_path / "weights.pt", weights_only=True))
    assert torch.equal(network(x, lengths), other(x, lengths))


@every_spec
def test_the_specification_makes_a_round_trip_through_json(name: str) -> None:
    spec = specification(name)
    assert models.spec_from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    assert repr(spec).startswith(f"{name.partition(':')[0]}(")


@every_spec
def test_the_seed_decides_the_weights_and_dropout(name: str) -> None:
    x, lengths = batch_of([6, 2])
    answers = []
    for seed in (0, 0, 1):
        network = build(name, per_step=kind(name), seed=seed).train()
        answers.append(network(x, lengths))
    assert torch.equal(answers[0], answers[1])
    assert not torch.equal(answers[0], answers[2])


@every_spec
def test_the_input_is_left_as_it_was(name: str) -> None:
    x, lengths = batch_of([6, 2])
    before = x.clone()
    build(name, per_step=kind(name))(x, lengths)
    assert torch.equal(x, before)


@every_spec
@pytest.mark.parametrize(
    ("x", "lengths", "message"),
    [
        (torch.zeros(2, 5, N_FEATURES - 1), torch.tensor([5, 2]), f"x must be .*{N_FEATURES} features.*34"),
        (torch.zeros(5, N_FEATURES), torch.tensor([5, 2]), "x must be .*got shape"),
        (torch.zeros(2, 5, N_FEATURES, dtype=torch.int64), torch.tensor([5, 2]), "floating point, got torch.int64"),
        (torch.zeros(2, 5, N_FEATURES), torch.tensor([5, 0]), "lengths must lie in 1 to 5 steps, got 0 to 5"),
        (torch.zeros(2, 5, N_FEATURES), torch.tensor([6, 1]), "lengths must lie in 1 to 5 steps, got 1 to 6"),
        (torch.zeros(2, 5, N_FEATURES), torch.tensor([5]), r"lengths must be \(2,\) int64, got \(1,\)"),
        (torch.zeros(2, 5, N_FEATURES), torch.tensor([5.0, 2.0]), "int64, got .*float32"),
        (torch.zeros(0, 5, N_FEATURES), torch.zeros(0, dtype=torch.int64), "at least one item, got none"),
    ],
)
def test_a_wrong_input_is_refused(name: str, x: Tensor, lengths: Tensor, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        build(name, per_step=kind(name))(x, lengths)


@every_spec
@pytest.mark.parametrize("sizes", [{"n_features": 0, "n_outputs": 2}, {"n_features": 40, "n_outputs": 0}])
def test_sizes_below_one_are_refused(name: str, sizes: dict[str, int]) -> None:
    with pytest.raises(ParameterError, match="must be a whole number of at least 1, got 0"):
        specification(name).build(**sizes, window_shape=WINDOW_SHAPE, per_step=kind(name))


@every_task
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_trace_answers_other_batches_and_lengths(name: str, per_step: bool) -> None:
    network = build(name, per_step=per_step)
    traced = torch.jit.trace(network, batch_of([7, 2, 5]), check_trace=False)
    x, lengths = batch_of([61, 2, 25, 1, 43])
    torch.testing.assert_close(traced(x, lengths), network(x, lengths), atol=1e-6, rtol=0)


@every_rival
def test_every_model_runs_with_every_cell(name: str) -> None:
    """What the tests above ask of the cells of `BiLSTM`, in short, of each other model."""
    cell = name.partition(":")[2]
    spec = specification(name)
    assert models.spec_from_dict(json.loads(json.dumps(spec.to_dict()))) == spec
    network = build(name, per_step=kind(name))
    readers = {type(part).__name__ for part in network.modules()} & {*chain(*READERS.values())}
    assert readers
    assert readers <= set(READERS[cell])
    x, lengths = batch_of([90, 5, 40, 2], steps=93)
    together = network(x, lengths)
    together.square().sum().backward()
    unmoved = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().max() > 1e-8]
    assert unmoved == []
    for i, length in enumerate(lengths.tolist()):
        with torch.no_grad():
            alone = network(x[i : i + 1, :length], lengths[i : i + 1])[0]
        mine = together[i, : len(alone)] if kind(name) else together[i]
        torch.testing.assert_close(mine, alone, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CHOOSING)
def test_an_unknown_cell_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="cell is not known: 'lstn'; did you mean 'lstm'"):
        models.with_cell(models.specs()[name](), "lstn")


def test_every_model_leaves_the_cell_open_or_says_why_not() -> None:
    named = {name for name, spec in models.specs().items() if spec.only_cell}
    assert {*CHOOSING, *named} == set(models.specs())
    assert not set(CHOOSING) & named


def test_a_model_without_a_choice_says_so() -> None:
    @dataclass(frozen=True)
    class OneCell(models.BiLSTM):
        only_cell = "its weights are those of a published network"

    with pytest.raises(ParameterError, match="OneCell has no cell to choose: its weights are those of a publ"):
        models.with_cell(OneCell(), "gru")


def test_a_wrong_description_is_refused() -> None:
    with pytest.raises(ParameterError, match="model is not known: 'BiLSTMs'; did you mean 'BiLSTM'"):
        models.spec_from_dict({"model": "BiLSTMs"})
    with pytest.raises(ParameterError, match="model is not known: 'None'"):
        models.spec_from_dict({"hidden_size": 3})
    with pytest.raises(ParameterError, match="BiLSTM has no such field: 'hiden_size'; did you mean 'hidden_size'"):
        models.spec_from_dict({"model": "BiLSTM", "hiden_size": 3})
    with pytest.raises(ParameterError, match="hidden_size must be a whole number of at least 1, got '3'"):
        models.spec_from_dict({"model": "BiLSTM", "hidden_size": "3"})


def test_importing_the_models_loads_neither_lightning_nor_containers() -> None:
    code = "import sys, biosig_lstm.models as m; m.specs(); print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "biosig_lstm.models.beat_runs" in loaded
    assert not loaded & {"lightning", "pytorch_lightning", "mne", "wfdb", "biosig_lstm.containers"}


def test_the_models_use_only_torch_and_the_errors() -> None:
    allowed = {"__future__", "torch", *sys.stdlib_module_names}
    for path in Path(models.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            for module in names:
                inside = module.startswith(("biosig_lstm.errors", "biosig_lstm.steps", "biosig_lstm.models"))
                assert inside or module.split(".")[0] in allowed, f"{path.name} imports {module}"
