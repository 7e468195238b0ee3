"""Runs of beats: an encoder reads each beat's window, a bidirectional LSTM the run, and every beat gets a label."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_count, check_name
from biosig_lstm.models._readers import MemorySteps, check_reader
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models._steps import StepsNetwork
from biosig_lstm.models.bilstm import BiLSTM

__all__ = ["BeatRuns"]

ENCODERS = ("conv", "bilstm")
LEAD_POOLINGS = {"mean_max": 2, "mean": 1, "max": 1}  # how many vectors of a lead's size each returns
FIRST_KERNEL_SAMPLES, KERNEL_SAMPLES = 7, 5
FRAME_SAMPLES = 4
STEPS_AT_ONCE = 512


@dataclass(frozen=True)
class BeatRuns(ModelSpec):
    """A window encoder shared by all leads, then a bidirectional LSTM over the steps of a run.

    A step's features are its window, lead after lead, then its scalars (RR intervals and the like). A lead's row may
    hold several views of its window (the beat, the beat minus the usual one) and scalars of its own. Each lead is
    encoded by the same weights and the leads present are pooled, so neither the order of the leads nor their number
    matters; with the scalars they make the step's vector. The answer is linear in the states of the LSTM and in the
    step's own vector.

    Parameters
    ----------
    encoder : {"conv", "bilstm"} or ModelSpec
        What reads one lead of a window: convolutions, or a BiLSTM over frames of 4 samples. A specification builds
        the encoder from its own network: it takes frames of 4 samples as features and gives `embedding` outputs.
    channels : tuple of int
        Channels of each convolution of "conv", each halving the samples; not used by others.
    lead_embedding : int
        Size of an encoded lead.
    embedding : int
        Size of a step's vector.
    hidden_size, num_layers : int
        Units of each direction, and layers, of the LSTM over the steps.
    dropout : float
        Dropped from the step's vector, between LSTM layers and before the linear layer in training, in [0, 1).
    lead_pooling : {"mean_max", "mean", "max"}
        How the leads become one vector.
    views : int
        Windows of equal length in a lead's row, channels of "conv"; others take one.
    lead_scalars : int
        Scalars behind the windows in a lead's row.
    memory_steps : int, optional
        Longest dependency expected, in steps, at least 3, or "auto" (chrono initialisation, see `BiLSTM`).
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the run, and the frames of "bilstm"; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range, or a name is not known.

    Notes
    -----
    A lead that is zero throughout a step is absent from it: what scales windows must leave zero where it is.
    Convolutions are normalised by statistics of the training batches, gathered over valid steps alone and fixed
    afterwards (Ioffe and Szegedy 2015): unlike normalisation within a window it keeps amplitude, and a trained
    network's answer does not depend on the items beside it. With one answer for each item, the states and vectors
    are averaged over its steps.

    Examples
    --------
    >>> spec = BeatRuns(hidden_size=16)
    >>> network = spec.build(n_features=2 * 90 + 4, n_outputs=3, window_shape=(2, 90), per_step=True)
    >>> network(torch.zeros(8, 64, 184), torch.full((8,), 64)).shape
    torch.Size([8, 64, 3])
    """

    encoder: str | ModelSpec = "conv"
    _: KW_ONLY
    channels: tuple[int, ...] = (16, 32, 32)
    lead_embedding: int = 32
    embedding: int = 64
    hidden_size: int = 64
    num_layers: int = 1
    dropout: float = 0.2
    lead_pooling: str = "mean_max"
    views: int = 1
    lead_scalars: int = 0
    memory_steps: MemorySteps = None
    cell: str = "lstm"

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, ModelSpec):
            check_name("encoder", self.encoder, ENCODERS)
        object.__setattr__(self, "channels", tuple(self.channels))
        if not self.channels:
            raise ParameterError("channels must name at least one convolution, got none")
        for count in self.channels:
            check_count("channels", count)
        check_count("embedding", self.embedding, least=2)
        check_count("lead_embedding", self.lead_embedding, least=2)
        check_count("views", self.views)
        check_count("lead_scalars", self.lead_scalars, least=0)
        if self.encoder != "conv" and (self.views, self.lead_scalars) != (1, 0):
            raise ParameterError("several views, or scalars of leads, need the encoder 'conv'")
        check_reader(
            self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout,
            memory_steps=self.memory_steps,
            cell=self.cell,
        )
        check_name("lead_pooling", self.lead_pooling, LEAD_POOLINGS)

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
            When a size is below 1, or no window of `window_shape` fits into the features of a step.
        """
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        shape = _checked_window_shape(window_shape, n_features)
        if (shape[1] - self.lead_scalars) % self.views or shape[1] <= self.lead_scalars:
            raise ParameterError(f"rows of {shape[1]} are not {self.views} windows and {self.lead_scalars} scalars")
        encoder = StepEncoder(self, n_features=n_features, window_shape=shape)
        return StepsNetwork(
            self, encoder, n_features=n_features, n_outputs=n_outputs, per_step=per_step, at_once=STEPS_AT_ONCE
        )


class StepEncoder(nn.Module):
    """From a step's window and scalars to its vector: (n, n_features) to (n, embedding)."""

    def __init__(self, spec: BeatRuns, *, n_features: int, window_shape: tuple[int, int]) -> None:
        super().__init__()
        self.window_shape, self.lead_pooling = window_shape, spec.lead_pooling
        self.encode = _lead_encoder(spec, samples=(window_shape[1] - spec.lead_scalars) // spec.views)
        n_joined = LEAD_POOLINGS[spec.lead_pooling] * spec.lead_embedding + n_features - prod(window_shape)
        self.join = nn.Sequential(nn.Linear(n_joined, spec.embedding), nn.ReLU())

    def forward(self, steps: Tensor) -> Tensor:
        """Return the vectors of steps (n, n_features)."""
        windows, scalars = steps.tensor_split([prod(self.window_shape)], dim=1)
        leads = windows.reshape(-1, *self.window_shape)
        encoded = self.encode(leads.flatten(0, 1)).view(*leads.shape[:2], -1)
        pooled = pool_leads(encoded, present=(leads != 0).any(dim=2), how=self.lead_pooling)
        vectors: Tensor = self.join(torch.cat([pooled, scalars], dim=1))
        return vectors


class ConvEncoder(nn.Module):
    """Convolutions over one lead, each halving the samples: (n, views * samples + scalars) to (n, lead_embedding)."""

    def __init__(self, spec: BeatRuns, *, samples: int) -> None:
        super().__init__()
        self.views, self.samples = spec.views, samples
        kernels = (FIRST_KERNEL_SAMPLES, *[KERNEL_SAMPLES] * len(spec.channels))
        pairs = pairwise((spec.views, *spec.channels))
        blocks = [_conv_block(given, made, kernel) for (given, made), kernel in zip(pairs, kernels, strict=False)]
        left = samples
        for _ in spec.channels:
            left = (left + 1) // 2
        self.convolve = nn.Sequential(*blocks, nn.Flatten(), nn.Dropout(spec.dropout))
        self.join = nn.Sequential(
            nn.Linear(spec.channels[-1] * left + spec.lead_scalars, spec.lead_embedding), nn.ReLU()
        )

    def forward(self, leads: Tensor) -> Tensor:
        """Return the encoded leads."""
        windows, scalars = leads.tensor_split([self.views * self.samples], dim=1)
        read = self.convolve(windows.reshape(-1, self.views, self.samples))
        encoded: Tensor = self.join(torch.cat([read, scalars], dim=1))
        return encoded


class FrameEncoder(nn.Module):
    """Another model's network over the frames of one lead: (n, samples) to (n, embedding)."""

    def __init__(self, spec: ModelSpec, *, embedding: int) -> None:
        super().__init__()
        self.network = spec.build(n_features=FRAME_SAMPLES, n_outputs=embedding)

    def forward(self, leads: Tensor) -> Tensor:
        """Return the encoded leads."""
        frames = pad(leads, (0, -leads.shape[1] % FRAME_SAMPLES)).reshape(leads.shape[0], -1, FRAME_SAMPLES)
        lengths = torch.full(frames.shape[:1], frames.shape[1], device=leads.device)
        encoded: Tensor = self.network(frames, lengths)
        return encoded


def pool_leads(encoded: Tensor, *, present: Tensor, how: str) -> Tensor:
    """Return one vector for each step, from the leads that are present; zero where none is.

    Parameters
    ----------
    encoded : Tensor [shape=(n, leads, embedding)]
        Each lead of each step.
    present : Tensor [shape=(n, leads), dtype=bool]
        Which leads count.
    how : {"mean_max", "mean", "max"}
        The mean over leads, their maximum, or one after the other.

    Returns
    -------
    Tensor [shape=(n, embedding) or (n, 2 * embedding)]
        Independent of the leads' order.
    """
    counted = present.unsqueeze(2)
    mean = encoded.where(counted, 0.0).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
    largest = encoded.where(counted, -torch.inf).amax(dim=1).where(counted.any(dim=1), 0.0)
    return {"mean": mean, "max": largest, "mean_max": torch.cat([mean, largest], dim=1)}[how]


def _conv_block(given: int, made: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv1d(given, made, kernel, stride=2, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(made), nn.ReLU())


def _lead_encoder(spec: BeatRuns, *, samples: int) -> nn.Module:
    if spec.encoder == "conv":
        return ConvEncoder(spec, samples=samples)
    if isinstance(spec.encoder, ModelSpec):
        return FrameEncoder(spec.encoder, embedding=spec.lead_embedding)
    return FrameEncoder(BiLSTM(spec.lead_embedding // 2, cell=spec.cell), embedding=spec.lead_embedding)


def _checked_window_shape(window_shape: tuple[int, int] | None, n_features: int) -> tuple[int, int]:
    if window_shape is None:
        raise ParameterError("BeatRuns needs window_shape=(leads, samples): each step must be a window, got None")
    leads, samples = window_shape
    check_count("leads", leads)
    check_count("samples", samples)
    if leads * samples > n_features:
        raise ParameterError(
            f"a window of {leads} leads x {samples} samples needs {leads * samples} features, got {n_features}"
        )
    return leads, samples
