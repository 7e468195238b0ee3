"""BeatRuns: leads in any order and number, windows with and without scalars, any encoder."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from biosig_lstm.errors import ParameterError
from biosig_lstm.models import BeatRuns, BiLSTM, spec_from_dict
from biosig_lstm.models._steps import StepsNetwork
from biosig_lstm.models.beat_runs import pool_leads

SAMPLES = 21
SCALARS = 3
SMALL = {"channels": (8, 8), "embedding": 12, "hidden_size": 6}
ENCODERS = ["conv", "bilstm", BiLSTM(hidden_size=4, pooling="attention")]
every_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=["conv", "bilstm", "spec"])


def network(leads: int = 2, *, scalars: int = SCALARS, per_step: bool = True, **fields: object) -> StepsNetwork:
    torch.manual_seed(0)
    spec = BeatRuns(**(SMALL | fields))
    built = spec.build(
        n_features=leads * SAMPLES + scalars, n_outputs=3, window_shape=(leads, SAMPLES), per_step=per_step
    )
    return built.eval()


def runs(*leads: Tensor, scalars: Tensor) -> Tensor:
    return torch.cat([*leads, scalars], dim=2)


def parts(batch: int = 2, steps: int = 5) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    one, two = torch.randn(2, batch, steps, SAMPLES, generator=generator)
    return one, two, torch.randn(batch, steps, SCALARS, generator=generator), torch.tensor([steps, 3])


@every_encoder
@pytest.mark.parametrize("lead_pooling", ["mean_max", "mean", "max"])
def test_the_order_of_the_leads_does_not_matter(encoder: str | BiLSTM, lead_pooling: str) -> None:
    one, two, scalars, lengths = parts()
    model = network(encoder=encoder, lead_pooling=lead_pooling)
    answer = model(runs(one, two, scalars=scalars), lengths)
    swapped = model(runs(two, one, scalars=scalars), lengths)
    torch.testing.assert_close(answer, swapped, atol=1e-6, rtol=0)
    assert not torch.allclose(answer, model(runs(one, one, scalars=scalars), lengths), atol=1e-4)


@every_encoder
def test_an_absent_lead_leaves_the_answer_of_the_others(encoder: str | BiLSTM) -> None:
    one, two, scalars, lengths = parts()
    both, three = network(2, encoder=encoder), network(3, encoder=encoder)
    three.load_state_dict(both.state_dict())
    expected = both(runs(one, two, scalars=scalars), lengths)
    absent = three(runs(one, torch.zeros_like(one), two, scalars=scalars), lengths)
    torch.testing.assert_close(absent, expected, atol=1e-6, rtol=0)


def test_one_lead_and_the_same_weights_answer_as_two_with_one_absent() -> None:
    one, _, scalars, lengths = parts()
    single, both = network(1), network(2)
    single.load_state_dict(both.state_dict())
    expected = both(runs(torch.zeros_like(one), one, scalars=scalars), lengths)
    torch.testing.assert_close(single(runs(one, scalars=scalars), lengths), expected, atol=1e-6, rtol=0)


def test_a_step_without_any_lead_is_answered_and_trains() -> None:
    one, two, scalars, lengths = parts()
    x = runs(one, two, scalars=scalars)
    x[0, 2, : 2 * SAMPLES] = 0
    model = network()
    model(x, lengths).square().sum().backward()
    assert torch.isfinite(model(x, lengths)).all()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_leads_pooled_by_hand() -> None:
    encoded = torch.tensor([[[1.0, -5.0], [3.0, -7.0], [9.0, 9.0]], [[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]])
    present = torch.tensor([[True, True, False], [False, False, False]])
    pooled = pool_leads(encoded, present=present, how="mean_max")
    assert pooled.tolist() == [[2.0, -6.0, 3.0, -5.0], [0.0, 0.0, 0.0, 0.0]]
    assert torch.equal(pool_leads(encoded, present=present, how="mean"), pooled[:, :2])
    assert torch.equal(pool_leads(encoded, present=present, how="max"), pooled[:, 2:])


@every_encoder
@pytest.mark.parametrize("per_step", [False, True])
@settings(max_examples=10, deadline=None)
@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=4))
def test_a_run_is_answered_alike_alone_and_in_any_batch(
    encoder: str | BiLSTM, per_step: bool, lengths: list[int]
) -> None:
    model = network(encoder=encoder, per_step=per_step, num_layers=2)
    x = torch.randn(len(lengths), max(lengths) + 2, 2 * SAMPLES + SCALARS)
    count = torch.tensor(lengths)
    together = model(x, count)
    for i, length in enumerate(lengths):
        alone = model(x[i : i + 1, :length], count[i : i + 1])[0]
        torch.testing.assert_close(together[i, :length] if per_step else together[i], alone, atol=1e-5, rtol=0)


def test_only_valid_steps_are_encoded() -> None:
    one, two, scalars, lengths = parts()
    model = network()
    seen = []
    model.steps.register_forward_pre_hook(lambda module, given: seen.append(given[0].shape[0]))
    model(runs(one, two, scalars=scalars), lengths)
    assert seen == [5 + 3]


@every_encoder
def test_every_encoder_gets_a_gradient(encoder: str | BiLSTM) -> None:
    one, two, scalars, lengths = parts()
    model = network(encoder=encoder, channels=(16, 16))
    model(runs(one, two, scalars=scalars), lengths).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_a_step_may_be_nothing_but_its_window() -> None:
    one, two, _, lengths = parts()
    assert network(scalars=0)(torch.cat([one, two], dim=2), lengths).shape == (2, 5, 3)


def test_scalars_count() -> None:
    one, two, scalars, lengths = parts()
    model = network()
    answer = model(runs(one, two, scalars=scalars), lengths)
    assert not torch.allclose(answer, model(runs(one, two, scalars=scalars + 1), lengths), atol=1e-4)


def test_a_step_is_answered_from_its_own_vector_and_from_its_neighbours() -> None:
    one, two, scalars, lengths = parts()
    model, x = network(), runs(one, two, scalars=scalars)
    changed = x.clone()
    changed[:, 1] += 1
    before, after = model(x, lengths), model(changed, lengths)
    assert (before[:, 0] != after[:, 0]).any()
    with torch.no_grad():
        model.head.weight[:, : 2 * SMALL["hidden_size"]] = 0
    before, after = model(x, lengths), model(changed, lengths)
    assert torch.equal(before[:, [0, 2]], after[:, [0, 2]])
    assert (before[:, 1] != after[:, 1]).any()


@pytest.mark.parametrize("samples", [1, 2, 7, 90, 181])
@every_encoder
def test_windows_of_any_size_are_read(encoder: str | BiLSTM, samples: int) -> None:
    spec = BeatRuns(encoder, **SMALL)
    model = spec.build(n_features=samples, n_outputs=3, window_shape=(1, samples), per_step=True)
    assert torch.isfinite(model(torch.randn(2, 4, samples), torch.tensor([4, 1]))).all()


def test_a_nested_specification_makes_a_round_trip_through_json() -> None:
    spec = BeatRuns(BiLSTM(hidden_size=4, pooling="mean"), channels=(4,), memory_steps=64)
    written = json.loads(json.dumps(spec.to_dict()))
    assert written["encoder"]["model"] == "BiLSTM"
    assert spec_from_dict(written) == spec
    assert BeatRuns.from_dict(written) == spec


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"encoder": "cnv"}, "encoder is not known: 'cnv'; did you mean 'conv'"),
        ({"lead_pooling": "median"}, "lead_pooling is not known: 'median'"),
        ({"channels": ()}, "at least one convolution, got none"),
        ({"channels": (8, 0)}, "channels must be a whole number of at least 1, got 0"),
        ({"embedding": 1}, "embedding must be a whole number of at least 2, got 1"),
        ({"dropout": -0.1}, r"dropout must lie in \[0, 1\), got -0.1"),
    ],
)
def test_parameters_out_of_range_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BeatRuns(**fields)


@pytest.mark.parametrize(
    ("window_shape", "message"),
    [
        (None, r"needs window_shape=\(leads, samples\).*got None"),
        ((2, 90), "2 leads x 90 samples needs 180 features, got 100"),
        ((0, 90), "leads must be a whole number of at least 1, got 0"),
    ],
)
def test_windows_that_do_not_fit_are_refused(window_shape: tuple[int, int] | None, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BeatRuns().build(n_features=100, n_outputs=3, window_shape=window_shape)
