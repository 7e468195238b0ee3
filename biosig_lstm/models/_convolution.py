"""Convolutions over items of unequal length: what lies beyond an item's end changes neither answer nor statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_count
from biosig_lstm.models._recurrent import step_mask

__all__ = ["ConvBlock", "MaskedBatchNorm", "check_convolutions", "shorter", "stacked", "through"]


def check_convolutions(
    channels: Sequence[int], kernels: Sequence[int], strides: Sequence[int], *, least: int = 1
) -> None:
    """Raise a ParameterError unless these are `least` convolutions or more, each with an odd kernel and a stride."""
    if len(channels) < least or not len(channels) == len(kernels) == len(strides):
        each = "each of one or more convolutions" if least else "each convolution"
        raise ParameterError(
            f"a kernel and a stride for {each}, got channels {channels}, kernels {kernels}, strides {strides}"
        )
    for name, values in {"channels": channels, "kernels": kernels, "strides": strides}.items():
        for value in values:
            check_count(name, value)
    if any(width % 2 == 0 for width in kernels):
        raise ParameterError(f"kernels must be odd, got {kernels}")


def stacked(
    block: Callable[..., nn.Module], sizes: Iterable[int], *, kernels: Iterable[int], strides: Iterable[int]
) -> nn.ModuleList:
    """Return blocks from each of the sizes to the next."""
    shapes = zip(pairwise(sizes), kernels, strides, strict=True)
    return nn.ModuleList(block(given, made, kernel=width, stride=step) for (given, made), width, step in shapes)


def through(blocks: Iterable[nn.Module], rows: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return what blocks, one after the other, make of rows and of their lengths."""
    for block in blocks:
        rows, lengths = block(rows, lengths)
    return rows, lengths


def shorter(lengths: Tensor, stride: int) -> Tensor:
    """Return the lengths after a convolution of this stride, padded by half its width: rounded up."""
    return torch.div(lengths + stride - 1, stride, rounding_mode="floor")


class MaskedBatchNorm(nn.Module):
    """Batch normalisation whose mean and variance are those of the valid steps alone.

    Parameters
    ----------
    channels : int
        Features of a step.

    Notes
    -----
    Ioffe and Szegedy (ICML 2015) with the padding left out of the batch's statistics; in evaluation the running
    statistics are used, so that an item's answer does not depend on its batch.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, rows: Tensor, valid: Tensor) -> Tensor:
        """Return rows (batch, channels, steps) normalised, zero where `valid` (batch, 1, steps) is False."""
        norm = self.norm
        if not self.training:
            normalised: Tensor = norm(rows).where(valid, 0.0)
            return normalised
        weight = valid.to(rows.dtype)
        count = weight.sum()
        mean = (rows * weight).sum(dim=(0, 2)) / count
        centred = rows - mean[None, :, None]
        variance = (centred.square() * weight).sum(dim=(0, 2)) / count
        self._remember(mean, variance, count)
        scale = norm.weight / torch.sqrt(variance + norm.eps)
        return (centred * scale[None, :, None] + norm.bias[None, :, None]).where(valid, 0.0)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        norm, share = self.norm, self.norm.momentum or 0.1
        unbiased = variance * count / (count - 1).clamp(min=1)
        if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
            norm.running_mean.lerp_(mean.to(norm.running_mean.dtype), share)
            norm.running_var.lerp_(unbiased.to(norm.running_var.dtype), share)
            norm.num_batches_tracked += 1


class ConvBlock(nn.Module):
    """A convolution, masked batch normalisation and a rectifier, with a way past them where the shapes allow.

    Parameters
    ----------
    given, made : int
        Channels that come and go.
    kernel : int
        Width, odd.
    stride : int
        How many steps become one.
    """

    def __init__(self, given: int, made: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.past = given == made and stride == 1
        self.conv = nn.Conv1d(given, made, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = MaskedBatchNorm(made)

    def forward(self, rows: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return rows (batch, made, ceil(steps / stride)), zero beyond their lengths, and these lengths."""
        ends = shorter(lengths, self.stride)
        made = self.conv(rows)
        features = torch.relu(self.norm(made, step_mask(ends, made.shape[2]).unsqueeze(1)))
        return (features + rows if self.past else features), ends
