"""Convolutions that shorten frames of sound, bidirectional LSTMs, an answer for each step that is left."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import ClassVar

from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._convolution import ConvBlock, check_convolutions, shorter, stacked, through
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec

__all__ = ["SpeechBiLSTM", "SpeechBiLSTMNetwork"]


@dataclass(frozen=True)
class SpeechBiLSTM(ModelSpec):
    """Strided convolutions over frames, a bidirectional LSTM at the lower rate, an answer for each of its steps.

    For transcripts: symbols are far rarer than frames, and what comes at a lower rate is faster and learned sooner.

    Parameters
    ----------
    channels : tuple of int
        Of the convolutions, one after the other; none: the LSTM reads the frames.
    kernels, strides : tuple of int
        Width of each, odd, and how many steps it makes one.
    hidden_size : int
        Units of each direction of the LSTM.
    num_layers : int
        Layers of the LSTM.
    dropout : float
        Dropped before, between and after the LSTM's layers in training, in [0, 1).
    memory_steps : int, optional
        As of `BiLSTM`, in steps of the lower rate.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    Its network answers ``ceil(steps / s)`` steps, s the product of the strides: ``answer_lengths`` says how many.

    Examples
    --------
    >>> import torch
    >>> network = SpeechBiLSTM((8, 8), strides=(2, 2), hidden_size=8).build(n_features=40, n_outputs=3)
    >>> network(torch.zeros(2, 101, 40), torch.tensor([101, 90])).shape
    torch.Size([2, 26, 3])
    >>> network.answer_lengths(torch.tensor([101, 90])).tolist()
    [26, 23]
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (True,)

    channels: tuple[int, ...] = (64, 64)
    _: KW_ONLY
    kernels: tuple[int, ...] = (5, 5)
    strides: tuple[int, ...] = (2, 2)
    hidden_size: int = 64
    num_layers: int = 2
    dropout: float = 0.3
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
        check_convolutions(self.channels, self.kernels, self.strides, least=0)

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = True,
    ) -> SpeechBiLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When one answer for each item is asked for.
        """
        if not per_step:
            raise ParameterError("SpeechBiLSTM gives answers for each step; for one of each item take ConvBiLSTM")
        return SpeechBiLSTMNetwork(self, n_features=n_features, n_outputs=n_outputs)


class SpeechBiLSTMNetwork(nn.Module):
    """The network of a `SpeechBiLSTM` specification: (x, lengths) to logits."""

    def __init__(self, spec: SpeechBiLSTM, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        self.n_features = n_features
        self.strides = spec.strides
        sizes = (n_features, *spec.channels)
        self.blocks = stacked(ConvBlock, sizes, kernels=spec.kernels, strides=spec.strides)
        self.lstm_stride = prod(spec.strides)
        self.lstm = sequence_reader(
            spec.cell,
            sizes[-1],
            spec.hidden_size,
            num_layers=spec.num_layers,
            dropout=spec.dropout,
            memory_steps=spec.memory_steps,
        )
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(2 * spec.hidden_size, n_outputs)

    def answer_lengths(self, lengths: Tensor) -> Tensor:
        """Return how many steps are answered of items of these lengths."""
        for stride in self.strides:
            lengths = shorter(lengths, stride)
        return lengths

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits (batch, answers, n_outputs); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        rows = x.where(step_mask(lengths, x.shape[1]).unsqueeze(2), 0.0).transpose(1, 2)
        rows, ends = through(self.blocks, rows, lengths)
        states = self.lstm(self.dropout(rows.transpose(1, 2)), ends)
        logits: Tensor = self.head(self.dropout(states))
        return logits.where(step_mask(ends, logits.shape[1]).unsqueeze(2), 0.0)
