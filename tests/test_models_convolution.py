"""Convolutions over items of unequal length: against torch on the valid steps alone, in training and after it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models import ConvBiLSTM
from biosig_lstm.models._convolution import ConvBlock, MaskedBatchNorm, shorter
from biosig_lstm.models._recurrent import step_mask

CHANNELS = 5


def twins(seed: int = 0) -> tuple[MaskedBatchNorm, nn.BatchNorm1d]:
    """Return the masked layer and torch's own, alike, with weights that are not one and zero."""
    torch.manual_seed(seed)
    ours, theirs = MaskedBatchNorm(CHANNELS), nn.BatchNorm1d(CHANNELS)
    nn.init.uniform_(theirs.weight, 0.5, 2)
    nn.init.normal_(theirs.bias)
    ours.norm.load_state_dict(theirs.state_dict())
    return ours, theirs


def check_statistics(ours: MaskedBatchNorm, theirs: nn.BatchNorm1d) -> None:
    assert ours.norm.state_dict().keys() == theirs.state_dict().keys()
    for name, wanted in theirs.state_dict().items():
        torch.testing.assert_close(ours.norm.state_dict()[name], wanted, atol=1e-5, rtol=1e-5, msg=name)


def valid_columns(rows: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return the valid steps of all items end to end, shape (1, channels, steps)."""
    return torch.cat([row[:, :n] for row, n in zip(rows, lengths.tolist(), strict=True)], dim=1).unsqueeze(0)


def test_without_padding_it_is_torchs_own() -> None:
    ours, theirs = twins()
    whole = torch.ones(4, 1, 30, dtype=torch.bool)
    for step in range(5):
        rows = 3 * torch.randn(4, CHANNELS, 30) + step
        mine, other = rows.clone().requires_grad_(), rows.clone().requires_grad_()
        said, wanted = ours(mine, whole), theirs(other)
        torch.testing.assert_close(said, wanted, atol=1e-5, rtol=1e-5)
        weights = torch.randn_like(said)
        (said * weights).sum().backward()
        (wanted * weights).sum().backward()
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-4, rtol=1e-4)
        check_statistics(ours, theirs)
    torch.testing.assert_close(ours.norm.weight.grad, theirs.weight.grad, atol=1e-3, rtol=1e-4)
    ours.eval()
    theirs.eval()
    rows = torch.randn(2, CHANNELS, 30)
    torch.testing.assert_close(ours(rows, whole[:2]), theirs(rows))


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(1, 20), min_size=2, max_size=6), seed=st.integers(0, 99))
def test_with_padding_it_is_torchs_over_the_valid_columns(lengths: list[int], seed: int) -> None:
    ours, theirs = twins(seed)
    ends = torch.tensor(lengths)
    rows = torch.randn(len(lengths), CHANNELS, 24) * 2 + 1
    mask = step_mask(ends, 24).unsqueeze(1)
    said = ours(rows, mask)
    torch.testing.assert_close(valid_columns(said, ends), theirs(valid_columns(rows, ends)), atol=1e-4, rtol=1e-4)
    check_statistics(ours, theirs)
    assert (said.masked_select(~mask.expand_as(said)) == 0).all()
    ours.eval()
    theirs.eval()
    torch.testing.assert_close(
        valid_columns(ours(rows, mask), ends), theirs(valid_columns(rows, ends)), atol=1e-5, rtol=1e-5
    )


def test_what_lies_in_the_padding_changes_nothing() -> None:
    lengths = torch.tensor([20, 3, 11])
    mask = step_mask(lengths, 20).unsqueeze(1)
    rows = torch.randn(3, CHANNELS, 20)
    first, second = twins()[0], twins()[0]
    said = first(rows, mask)
    again = second(rows.where(mask, 1e4), mask)
    torch.testing.assert_close(said, again)
    torch.testing.assert_close(first.norm.running_var, second.norm.running_var)


@pytest.mark.parametrize(("kernel", "stride"), [(7, 1), (7, 2), (5, 4), (3, 3)])
def test_a_block_shortens_as_its_convolution_does(kernel: int, stride: int) -> None:
    lengths = torch.arange(1, 40)
    block = ConvBlock(2, 3, kernel=kernel, stride=stride).eval()
    rows = torch.randn(len(lengths), 2, 39).where(step_mask(lengths, 39).unsqueeze(1), 0.0)
    features, ends = block(rows, lengths)
    assert ends.tolist() == shorter(lengths, stride).tolist()
    for k, n in enumerate(lengths.tolist()):
        alone, end = block(rows[k : k + 1, :, :n], lengths[k : k + 1])
        assert alone.shape[2] == int(end) == -(-n // stride)
        torch.testing.assert_close(features[k : k + 1, :, : int(end)], alone, atol=1e-6, rtol=1e-5)
        assert (features[k, :, int(end) :] == 0).all()


def test_there_is_a_way_past_where_shapes_allow() -> None:
    block = ConvBlock(3, 3, kernel=5, stride=1).eval()
    nn.init.zeros_(block.conv.weight)
    rows = torch.randn(2, 3, 10)
    torch.testing.assert_close(block(rows, torch.tensor([10, 10]))[0], rows)
    assert not ConvBlock(3, 3, kernel=5, stride=2).past
    assert not ConvBlock(2, 3, kernel=5, stride=1).past


def test_a_training_batch_of_one_step() -> None:
    norm = MaskedBatchNorm(CHANNELS)
    said = norm(torch.randn(1, CHANNELS, 1), torch.ones(1, 1, 1, dtype=torch.bool))
    torch.testing.assert_close(said, torch.zeros(1, CHANNELS, 1))
    assert all(torch.isfinite(value).all() for value in norm.state_dict().values())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"channels": ()}, "a kernel and a stride for each"),
        ({"channels": (8,), "kernels": (3, 3), "strides": (2,)}, "a kernel and a stride for each"),
        ({"channels": (8,), "kernels": (4,), "strides": (2,)}, "kernels must be odd"),
        ({"channels": (8,), "kernels": (3,), "strides": (0,)}, "strides must be"),
        ({"dropout": 1.0}, "dropout must"),
        ({"pooling": "first"}, "pooling"),
    ],
)
def test_specifications_that_cannot_be_built(spec: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ConvBiLSTM(**spec)  # type: ignore[arg-type]


def test_answers_for_each_step_are_refused() -> None:
    with pytest.raises(ParameterError, match="one answer for each item; for one of each step take BiLSTM"):
        ConvBiLSTM().build(n_features=1, n_outputs=2, per_step=True)
