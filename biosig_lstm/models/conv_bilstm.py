"""Convolutions that shorten a waveform, a bidirectional LSTM over what they found, one answer for each item."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import ClassVar

from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count, check_name
from biosig_lstm.models._convolution import ConvBlock, check_convolutions, stacked, through
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.pooling import POOLINGS, pooling_layer

__all__ = ["ConvBiLSTM", "ConvBiLSTMNetwork"]


@dataclass(frozen=True)
class ConvBiLSTM(ModelSpec):
    """Strided convolutions over raw samples, a bidirectional LSTM at the lower rate, attention, one answer an item.

    For waveforms: an LSTM over the samples themselves would need thousands of steps.

    Parameters
    ----------
    channels : tuple of int
        Of the convolutions, one after the other.
    kernels, strides : tuple of int
        Width of each, odd, and how many steps it makes one.
    hidden_size : int
        Units of each direction of the LSTM.
    num_layers : int
        Layers of the LSTM.
    dropout : float
        Dropped before, between and after the LSTM's layers in training, in [0, 1).
    pooling : str
        How steps become one vector: ``last``, ``mean``, ``max`` or ``attention``; see `biosig_lstm.models.pooling`.
    memory_steps : int, optional
        Longest dependence the LSTM should begin with, in steps of the lower rate (chrono initialisation); "auto" as of
        `BiLSTM`.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Examples
    --------
    >>> import torch
    >>> network = ConvBiLSTM(channels=(8, 8), kernels=(7, 5), strides=(4, 4)).build(n_features=1, n_outputs=3)
    >>> network(torch.zeros(2, 500, 1), torch.tensor([500, 90])).shape
    torch.Size([2, 3])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (False,)

    channels: tuple[int, ...] = (24, 32, 48, 64)
    _: KW_ONLY
    kernels: tuple[int, ...] = (15, 7, 5, 5)
    strides: tuple[int, ...] = (2, 2, 2, 2)
    hidden_size: int = 48
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
        check_convolutions(self.channels, self.kernels, self.strides)

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = False,
    ) -> ConvBiLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When an answer for each step is asked for: there are fewer steps after the convolutions.
        """
        if per_step:
            raise ParameterError("ConvBiLSTM gives one answer for each item; for one of each step take BiLSTM")
        return ConvBiLSTMNetwork(self, n_features=n_features, n_outputs=n_outputs)


class ConvBiLSTMNetwork(nn.Module):
    """The network of a `ConvBiLSTM` specification: (x, lengths) to logits."""

    def __init__(self, spec: ConvBiLSTM, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        self.n_features = n_features
        sizes = (n_features, *spec.channels)
        self.blocks = stacked(ConvBlock, sizes, kernels=spec.kernels, strides=spec.strides)
        self.lstm_stride = prod(spec.strides)
        self.lstm = sequence_reader(
            spec.cell,
            spec.channels[-1],
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
        rows = x.where(step_mask(lengths, x.shape[1]).unsqueeze(2), 0.0).transpose(1, 2)
        rows, ends = through(self.blocks, rows, lengths)
        states = self.lstm(self.dropout(rows.transpose(1, 2)), ends)
        logits: Tensor = self.head(self.dropout(self.pool(states, ends)))
        return logits
