"""Convolutions over time and frequency, a bidirectional LSTM over what they find, one answer for each item."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count, check_name
from biosig_lstm.models._convolution import MaskedBatchNorm, check_convolutions, shorter, stacked, through
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.pooling import POOLINGS, pooling_layer

__all__ = ["SpectrogramBiLSTM", "SpectrogramBiLSTMNetwork"]


@dataclass(frozen=True)
class SpectrogramBiLSTM(ModelSpec):
    """Convolutions that slide over time and frequency alike, a bidirectional LSTM, pooling, one answer.

    For spectrograms of voices: what a formant does looks the same a few filters higher, in a shorter vocal tract.

    Parameters
    ----------
    channels : tuple of int
        Of the convolutions, one after the other.
    kernels : tuple of int
        Width of each in steps and, two more, in columns; odd.
    strides : tuple of int
        How many steps each makes one; it makes one of two columns.
    width : int
        What the columns and channels of a step are brought together to, before the LSTM.
    hidden_size : int
        Units of each direction of the LSTM.
    num_layers : int
        Layers of the LSTM.
    dropout : float
        Dropped before, between and after the LSTM's layers in training, in [0, 1).
    pooling : str
        How steps become one vector; see `biosig_lstm.models.pooling`.
    memory_steps : int, optional
        As of `BiLSTM`, in steps of the lower rate.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Examples
    --------
    >>> network = SpectrogramBiLSTM((4, 4), hidden_size=8).build(n_features=40, n_outputs=10)
    >>> network(torch.zeros(2, 50, 40), torch.tensor([50, 9])).shape
    torch.Size([2, 10])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (False,)

    channels: tuple[int, ...] = (12, 12)
    _: KW_ONLY
    kernels: tuple[int, ...] = (5, 3)
    strides: tuple[int, ...] = (2, 1)
    width: int = 64
    hidden_size: int = 64
    num_layers: int = 1
    dropout: float = 0.3
    pooling: str = "attention"
    memory_steps: MemorySteps = None
    cell: str = "lstm"

    def __post_init__(self) -> None:
        check_reader(
            self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout,
            memory_steps=self.memory_steps,
            cell=self.cell,
        )
        check_name("pooling", self.pooling, POOLINGS)
        check_count("width", self.width)
        check_convolutions(self.channels, self.kernels, self.strides)

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = False,
    ) -> SpectrogramBiLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When an answer for each step is asked for.
        """
        if per_step:
            raise ParameterError("SpectrogramBiLSTM gives one answer for each item; for one of each step take BiLSTM")
        return SpectrogramBiLSTMNetwork(self, n_features=n_features, n_outputs=n_outputs)


class PlaneBlock(nn.Module):
    """A convolution over time and frequency, masked batch normalisation and a rectifier; half as many columns."""

    def __init__(self, given: int, made: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        size = (kernel, kernel + 2)
        self.conv = nn.Conv2d(given, made, size, stride=(stride, 2), padding=(kernel // 2, kernel // 2 + 1), bias=False)
        self.norm = MaskedBatchNorm(made)

    def forward(self, planes: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return planes (batch, made, steps, columns), zero beyond their lengths, and these lengths."""
        ends = shorter(lengths, self.stride)
        made = self.conv(planes)
        columns = made.shape[3]
        valid = step_mask(ends, made.shape[2]).repeat_interleave(columns, dim=1).unsqueeze(1)
        return torch.relu(self.norm(made.flatten(2), valid)).view_as(made), ends


class SpectrogramBiLSTMNetwork(nn.Module):
    """The network of a `SpectrogramBiLSTM` specification: (x, lengths) to logits."""

    def __init__(self, spec: SpectrogramBiLSTM, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        self.n_features = n_features
        self.blocks = stacked(PlaneBlock, (1, *spec.channels), kernels=spec.kernels, strides=spec.strides)
        columns = n_features
        for _ in spec.channels:
            columns = (columns + 1) // 2
        self.gather = nn.Linear(columns * spec.channels[-1], spec.width)
        self.lstm_stride = prod(spec.strides)
        self.lstm = sequence_reader(
            spec.cell,
            spec.width,
            spec.hidden_size,
            num_layers=spec.num_layers,
            dropout=spec.dropout,
            memory_steps=spec.memory_steps,
        )
        self.pool = pooling_layer(spec.pooling, 2 * spec.hidden_size)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(2 * spec.hidden_size, n_outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits: x (batch, steps, n_features) and lengths (batch,); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        planes = x.where(step_mask(lengths, x.shape[1]).unsqueeze(2), 0.0).unsqueeze(1)
        planes, ends = through(self.blocks, planes, lengths)
        steps = torch.relu(self.gather(planes.transpose(1, 2).flatten(2)))
        states = self.lstm(self.dropout(steps), ends)
        logits: Tensor = self.head(self.dropout(self.pool(states, ends)))
        return logits
