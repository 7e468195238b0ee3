"""A night: an encoder reads each epoch, a bidirectional LSTM the epochs of the night, and every epoch gets a stage."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_count, check_name
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models._steps import StepsNetwork
from biosig_lstm.models.pooling import AttentionPooling

__all__ = ["NightBiLSTM"]

ENCODERS = ("conv", "spectrogram", "features")
STEPS_AT_ONCE = 64
KERNEL, FIRST_POOL, LAST_POOL = 9, 8, 4
SMALL_POWER = 1e-4


@dataclass(frozen=True)
class NightBiLSTM(ModelSpec):
    """An encoder of epochs under a bidirectional LSTM over them.

    A step's features are the samples of its epoch, channel after channel, then its scalars, if there are any. The
    answer is linear in the states of the LSTM and in the epoch's own vector, so that the encoder learns from the first
    step of training on and the LSTM has only to say what the neighbours add.

    Parameters
    ----------
    encoder : {"conv", "spectrogram", "features"}
        What reads an epoch: convolutions over its samples, all channels together; a bidirectional LSTM over its
        short-time spectrum, computed here, with attention over the frames; or a linear layer on the features as they
        are, which needs no windows.
    channels : tuple of int
        Channels of each convolution of "conv"; not used by others.
    first_kernel_samples, first_stride_samples : int
        Width and step of the first convolution, half a second and a sixteenth at 100 Hz: it finds waves, where the
        later ones, 9 wide, find what waves follow each other.
    frame_samples : int
        Length of a frame of "spectrogram", half of which is the step to the next: two seconds at 100 Hz. Shorter epochs
        are one frame.
    bands : int
        Filters on the spectrum, learned, that each channel has; bins up to `frame_samples` x 0.4, 40 Hz at 100 Hz,
        are read.
    clip : float or None
        Largest absolute value of a sample that counts, so that one artefact does not decide an epoch; samples are
        expected in units of their recording's spread. None: any. Not of "features".
    embedding : int
        Size of an epoch's vector.
    hidden_size, num_layers : int
        Units of each direction, and layers, of the LSTM over the epochs.
    dropout : float
        Dropped within the encoder, from the epoch's vector, between LSTM layers and before the linear layer in
        training, in [0, 1).
    memory_steps : int, optional
        Longest dependency expected, in epochs, at least 3, or "auto" (chrono initialisation, see `BiLSTM`).
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the night, and the frames of "spectrogram"; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range, or the encoder is not known.

    Notes
    -----
    The convolutions follow Supratak and Guo (TinySleepNet, EMBC 2020), the short-time spectrum under filters and
    attention Phan et al. (SeqSleepNet, IEEE TNSRE 2019), with a bidirectional LSTM over the epochs in both. Both have
    other sizes here: what remains of an epoch is its mean and maximum over time, not a row for each time, which is what
    most parameters of TinySleepNet go into. With the standard sizes and one channel of 30 s at 100 Hz there are 0.28
    million ("conv").

    Outside of training 64 epochs are encoded at a time: memory grows with the night by its vectors alone. With one
    answer for each item, states and vectors are averaged over its steps.

    Examples
    --------
    >>> network = NightBiLSTM(hidden_size=16).build(n_features=3000, n_outputs=5, window_shape=(1, 3000), per_step=True)
    >>> network.eval()(torch.zeros(1, 20, 3000), torch.tensor([20])).shape
    torch.Size([1, 20, 5])
    """

    encoder: str = "conv"
    _: KW_ONLY
    channels: tuple[int, ...] = (64, 64, 64, 64)
    first_kernel_samples: int = 49
    first_stride_samples: int = 6
    frame_samples: int = 200
    bands: int = 32
    clip: float | None = 20.0
    embedding: int = 96
    hidden_size: int = 96
    num_layers: int = 1
    dropout: float = 0.3
    memory_steps: MemorySteps = None
    cell: str = "lstm"

    def __post_init__(self) -> None:
        check_name("encoder", self.encoder, ENCODERS)
        object.__setattr__(self, "channels", tuple(self.channels))
        if not self.channels:
            raise ParameterError("channels must name at least one convolution, got none")
        for count in self.channels:
            check_count("channels", count)
        for name in ("first_kernel_samples", "first_stride_samples", "bands"):
            check_count(name, getattr(self, name))
        check_count("frame_samples", self.frame_samples, least=4)
        check_count("embedding", self.embedding, least=2)
        if self.clip is not None and not (isinstance(self.clip, int | float) and self.clip > 0):
            raise ParameterError(f"clip must be positive, or None for any value, got {self.clip!r}")
        check_reader(
            self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout,
            memory_steps=self.memory_steps,
            cell=self.cell,
        )

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,
        per_step: bool = False,
    ) -> StepsNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When a size is below 1, or the encoder reads windows and none of `window_shape` fits into a step.
        """
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        encoder = _encoder(self, n_features=n_features, window_shape=window_shape)
        return StepsNetwork(
            self, encoder, n_features=n_features, n_outputs=n_outputs, per_step=per_step, at_once=STEPS_AT_ONCE
        )


class WindowEncoder(nn.Module):
    """From the samples and scalars of steps to their vectors: (n, n_features) to (n, embedding)."""

    def __init__(self, spec: NightBiLSTM, *, n_features: int, window_shape: tuple[int, int]) -> None:
        super().__init__()
        self.window_shape, self.clip = window_shape, spec.clip
        kind = ConvEncoder if spec.encoder == "conv" else SpectrumEncoder
        self.encode = kind(spec, *window_shape)
        n_scalars = n_features - prod(window_shape)
        self.join = nn.Sequential(nn.Linear(self.encode.size + n_scalars, spec.embedding), nn.ReLU())

    def forward(self, steps: Tensor) -> Tensor:
        """Return the vectors of steps (n, n_features)."""
        windows, scalars = steps.tensor_split([prod(self.window_shape)], dim=1)
        samples = windows.reshape(-1, *self.window_shape)
        kept = samples if self.clip is None else samples.clamp(-self.clip, self.clip)
        vectors: Tensor = self.join(torch.cat([self.encode(kept), scalars], dim=1))
        return vectors


class ConvEncoder(nn.Module):
    """Convolutions over all channels of an epoch: (n, channels, samples) to (n, size)."""

    def __init__(self, spec: NightBiLSTM, n_channels: int, n_samples: int) -> None:  # noqa: ARG002
        super().__init__()
        self.size = 2 * spec.channels[-1]
        kernel, stride = spec.first_kernel_samples, spec.first_stride_samples
        blocks = [
            _conv_block(n_channels, spec.channels[0], kernel, stride),
            _pool(FIRST_POOL),
            nn.Dropout(spec.dropout),
        ]
        blocks += [_conv_block(given, made, KERNEL, 1) for given, made in pairwise(spec.channels)]
        self.convolve = nn.Sequential(*blocks, _pool(LAST_POOL), nn.Dropout(spec.dropout))

    def forward(self, epochs: Tensor) -> Tensor:
        """Return the mean and the maximum over time of each feature."""
        read = self.convolve(epochs)
        return torch.cat([read.mean(dim=2), read.amax(dim=2)], dim=1)


class SpectrumEncoder(nn.Module):
    """A bidirectional LSTM over the short-time spectrum of an epoch: (n, channels, samples) to (n, size)."""

    window: Tensor

    def __init__(self, spec: NightBiLSTM, n_channels: int, n_samples: int) -> None:
        super().__init__()
        self.frame = min(spec.frame_samples, n_samples)
        self.hop = max(self.frame // 2, 1)
        self.n_bins = max(int(0.4 * self.frame), 1)
        self.size = 2 * spec.bands
        hann = torch.hann_window(self.frame) + 1e-3
        self.register_buffer("window", hann / hann.square().sum().sqrt(), persistent=False)
        self.norm = nn.BatchNorm1d(n_channels * self.n_bins)
        self.filter = nn.Linear(n_channels * self.n_bins, n_channels * spec.bands)
        self.lstm = sequence_reader(spec.cell, n_channels * spec.bands, spec.bands)
        self.pool = AttentionPooling(2 * spec.bands)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, epochs: Tensor) -> Tensor:
        """Return the weighted mean over frames of the states of the LSTM."""
        rows = self.norm(self.log_power(epochs)).transpose(1, 2)
        lengths = torch.full(rows.shape[:1], rows.shape[1], device=rows.device)
        states = self.lstm(self.dropout(torch.relu(self.filter(rows))), lengths)
        pooled: Tensor = self.pool(states, lengths)
        return pooled

    def log_power(self, epochs: Tensor) -> Tensor:
        """Return the logarithm of the power in each bin and frame, (n, channels * bins, frames)."""
        frames = epochs.unfold(2, self.frame, self.hop)
        centred = frames - frames.mean(dim=3, keepdim=True)
        spectrum = torch.view_as_real(torch.fft.rfft(centred * self.window, dim=3)[..., 1 : self.n_bins + 1])
        power = spectrum.square().sum(dim=4)
        return torch.log(power + SMALL_POWER).transpose(2, 3).flatten(1, 2)


class FeatureEncoder(nn.Module):
    """A linear layer on the features of steps: (n, n_features) to (n, embedding)."""

    def __init__(self, spec: NightBiLSTM, *, n_features: int) -> None:
        super().__init__()
        self.join = nn.Sequential(nn.Linear(n_features, spec.embedding), nn.ReLU())

    def forward(self, steps: Tensor) -> Tensor:
        """Return the vectors."""
        vectors: Tensor = self.join(steps)
        return vectors


def _encoder(spec: NightBiLSTM, *, n_features: int, window_shape: tuple[int, int] | None) -> nn.Module:
    if spec.encoder == "features":
        return FeatureEncoder(spec, n_features=n_features)
    if window_shape is None:
        raise ParameterError(
            f"the encoder {spec.encoder!r} needs window_shape=(channels, samples): each step must be a window, "
            "got None; 'features' takes any columns"
        )
    for name, size in zip(("channels", "samples"), window_shape, strict=True):
        check_count(name, size)
    if prod(window_shape) > n_features:
        channels, samples = window_shape
        raise ParameterError(
            f"a window of {channels} channels x {samples} samples needs {prod(window_shape)} features, got {n_features}"
        )
    return WindowEncoder(spec, n_features=n_features, window_shape=window_shape)


def _conv_block(given: int, made: int, kernel: int, stride: int) -> nn.Sequential:
    conv = nn.Conv1d(given, made, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(made), nn.ReLU())


def _pool(width: int) -> nn.MaxPool1d:
    return nn.MaxPool1d(width, ceil_mode=True)
