"""A U-Net with a bidirectional LSTM at its bottom: a label for every sample, from detail and from rhythm."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._convolution import shorter, stacked
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec

__all__ = ["LstmUNet", "LstmUNetNetwork"]


@dataclass(frozen=True)
class LstmUNet(ModelSpec):
    """Convolutions that halve the rate, a bidirectional LSTM at the lowest, convolutions that double it again.

    What each convolution on the way down found is handed to the one of the same rate on the way up. So the LSTM may
    decide what is there, over many seconds, and the convolutions where it begins, to the sample.

    Parameters
    ----------
    channels : tuple of int
        Of the convolutions on the way down; each but the first halves the rate.
    kernels : tuple of int
        Width of each of them, odd.
    hidden_size : int
        Units of each direction of the LSTM.
    num_layers : int
        Layers of the LSTM.
    dropout : float
        Dropped between the LSTM's layers and after it in training, in [0, 1).
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
    The U-Net is that of Ronneberger, Fischer and Brox (MICCAI 2015), in one dimension; it was used for the waves of
    an ECG by Moskalenko, Zolotykh and Osipov (Neuroinformatics 2019, Studies in Computational Intelligence 856).
    Here the bottom is recurrent, what goes up is narrowed by a convolution of width one, and values beyond an item's
    length are zero after every convolution, so that an item's answer does not depend on its batch.

    Examples
    --------
    >>> network = LstmUNet(channels=(4, 8), kernels=(5, 5), hidden_size=8).build(n_features=2, n_outputs=4)
    >>> network(torch.zeros(2, 50, 2), torch.tensor([50, 7])).shape
    torch.Size([2, 50, 4])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (True,)

    channels: tuple[int, ...] = (16, 32, 48, 64)
    _: KW_ONLY
    kernels: tuple[int, ...] = (9, 7, 7, 5)
    hidden_size: int = 64
    num_layers: int = 2
    dropout: float = 0.2
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
        for size in self.channels:
            check_count("channels", size)
        if len(self.channels) < 2 or len(self.kernels) != len(self.channels):
            raise ParameterError(f"two channels or more and a kernel for each, got {self.channels} and {self.kernels}")
        if any(not isinstance(width, int) or width < 1 or width % 2 == 0 for width in self.kernels):
            raise ParameterError(f"kernels must be odd, got {self.kernels}")

    @property
    def strides(self) -> tuple[int, ...]:
        """How many steps each convolution on the way down makes one."""
        return (1, *[2] * (len(self.channels) - 1))

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = True,
    ) -> LstmUNetNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When one answer for each item is asked for: this network answers each step.
        """
        if not per_step:
            raise ParameterError("LstmUNet gives an answer for each step; for one of each item take BiLSTM")
        return LstmUNetNetwork(self, n_features=n_features, n_outputs=n_outputs)


class LstmUNetNetwork(nn.Module):
    """The network of an `LstmUNet` specification: (x, lengths) to logits."""

    def __init__(self, spec: LstmUNet, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        self.n_features = n_features
        sizes = (n_features, *spec.channels)
        self.down = stacked(_Block, sizes, kernels=spec.kernels, strides=spec.strides)
        self.lstm_stride = prod(spec.strides)
        self.lstm = sequence_reader(
            spec.cell,
            spec.channels[-1],
            spec.hidden_size,
            num_layers=spec.num_layers,
            dropout=spec.dropout,
            memory_steps=spec.memory_steps,
        )
        self.dropout = nn.Dropout(spec.dropout)
        below = (*spec.channels[1:-1], 2 * spec.hidden_size)
        self.narrow = nn.ModuleList(nn.Conv1d(a, b, 1) for a, b in zip(below, spec.channels, strict=False))
        kernels = spec.kernels[: len(below)]
        self.up = nn.ModuleList(
            _Block(2 * size, size, kernel=width, stride=1) for size, width in zip(spec.channels, kernels, strict=False)
        )
        self.head = nn.Conv1d(spec.channels[0], n_outputs, 1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits: x (batch, steps, n_features) and lengths (batch,); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        valid, seen, rows = [], [], x.transpose(1, 2)
        for depth, block in enumerate(self.down):
            short = shorter(lengths, 2**depth)
            made = block(rows if depth else rows.where(step_mask(lengths, x.shape[1]).unsqueeze(1), 0.0))
            valid.append(step_mask(short, made.shape[2]).unsqueeze(1))
            rows = made.where(valid[-1], 0.0)
            seen.append(rows)
        read = self.dropout(self.lstm(rows.transpose(1, 2), short)).transpose(1, 2)
        for depth in reversed(range(len(self.up))):
            wide = self.narrow[depth](read).repeat_interleave(2, dim=2)[:, :, : seen[depth].shape[2]]
            joined = torch.cat([wide.where(valid[depth], 0.0), seen[depth]], dim=1)
            read = self.up[depth](joined).where(valid[depth], 0.0)
        logits: Tensor = self.head(read).where(valid[0], 0.0).transpose(1, 2)
        return logits


class _Block(nn.Module):
    """A convolution, batch normalisation and a rectifier: (batch, a, steps) to (batch, b, ceil(steps / stride))."""

    def __init__(self, given: int, made: int, *, kernel: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(given, made, kernel, stride=stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm1d(made)

    def forward(self, rows: Tensor) -> Tensor:
        """Return the features."""
        features: Tensor = torch.relu(self.norm(self.conv(rows)))
        return features
