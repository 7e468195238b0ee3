"""One answer for a run of rows: a BiLSTM with attention, and beside it a kernel machine on the mean row."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count, check_fraction
from biosig_lstm.models._kernel import KernelMachine
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.pooling import AttentionPooling, mean_pooling

__all__ = ["KernelBiLSTM", "KernelBiLSTMNetwork"]


@dataclass(frozen=True)
class KernelBiLSTM(ModelSpec):
    """A bidirectional LSTM over rows such as the spectra of frames, pooled by attention and by the mean.

    With `references`, a kernel logistic regression answers beside the network: it sees the mean of an item's rows, and
    how like it is to those of known items. Both are trained apart, and the answer is the mean of their
    log-probabilities, weighted by `kernel_share`.

    Parameters
    ----------
    hidden_size : int
        Units of each direction of the LSTM.
    classifier_size : int
        Units between what was pooled and the answer.
    dropout : float
        Dropped from the rows and before linear layers in training, in [0, 1).
    references : int
        Known items that are kept at most; 0: no kernel machine.
    kernel_width : float [> 0]
        Of the kernel, see `KernelMachine`; columns are scaled to one first.
    kernel_penalty : float [> 0]
        Of the squared norm of the kernel machine's answer, against the sum of the losses of items.
    kernel_spread : bool
        Let the kernel machine see the standard deviation of each column over the rows as well.
    kernel_share : float
        Weight of the kernel machine's log-probabilities, in [0, 1).
    memory_steps : int, optional
        As of `BiLSTM`.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    What the kernel machine knows are no parameters: gradients do not reach it, and in training the network answers
    alone. It is empty until `biosig_lstm.training.kernels.add_kernel` solves it.

    Examples
    --------
    >>> network = KernelBiLSTM(hidden_size=8).build(n_features=3, n_outputs=4)
    >>> network(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
    torch.Size([2, 4])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (False,)

    hidden_size: int = 48
    _: KW_ONLY
    classifier_size: int = 64
    dropout: float = 0.3
    references: int = 0
    kernel_width: float = 0.5
    kernel_penalty: float = 0.03
    kernel_spread: bool = False
    kernel_share: float = 0.5
    memory_steps: MemorySteps = None
    cell: str = "lstm"

    def __post_init__(self) -> None:
        check_reader(
            self.hidden_size, num_layers=1, dropout=self.dropout, memory_steps=self.memory_steps, cell=self.cell
        )
        check_count("classifier_size", self.classifier_size)
        check_count("references", self.references, least=0)
        check_fraction("kernel_share", self.kernel_share)
        if self.kernel_width <= 0 or self.kernel_penalty <= 0:
            raise ParameterError(f"kernel_width and kernel_penalty must be positive, got {self!r}")

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = False,
    ) -> KernelBiLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When a size is below 1, or an answer for each step is asked for.
        """
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        if per_step:
            raise ParameterError("KernelBiLSTM gives one answer for each item; for one of each step take BiLSTM")
        return KernelBiLSTMNetwork(self, n_features=n_features, n_outputs=n_outputs)


class KernelBiLSTMNetwork(nn.Module):
    """The network of a `KernelBiLSTM` specification: (x, lengths) to logits."""

    def __init__(self, spec: KernelBiLSTM, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        self.n_features, self.penalty, self.share = n_features, spec.kernel_penalty, spec.kernel_share
        self.spread = spec.kernel_spread
        self.dropout = nn.Dropout(spec.dropout)
        self.lstm = sequence_reader(spec.cell, n_features, spec.hidden_size, memory_steps=spec.memory_steps)
        states = 2 * spec.hidden_size
        self.attention = AttentionPooling(states)
        self.head = nn.Sequential(
            nn.Dropout(spec.dropout),
            nn.Linear(2 * states, spec.classifier_size),
            nn.ReLU(),
            nn.Dropout(spec.dropout),
            nn.Linear(spec.classifier_size, n_outputs),
        )
        sizes = {
            "references": spec.references,
            "n_columns": n_features * (1 + spec.kernel_spread),
            "n_outputs": n_outputs,
        }
        self.machine = KernelMachine(**sizes, width=spec.kernel_width) if spec.references else None

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits: x (batch, steps, n_features) and lengths (batch,); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        rows = x.where(step_mask(lengths, x.shape[1]).unsqueeze(2), 0.0)
        states = self.lstm(self.dropout(rows), lengths)
        pooled = torch.cat([self.attention(states, lengths), mean_pooling(states, lengths)], dim=1)
        logits: Tensor = self.head(pooled)
        if self.training or self.machine is None or not bool(self.machine.solved):
            return logits
        likely: Tensor = self.machine(self.statistics(x, lengths)).log_softmax(dim=1)
        joined: Tensor = (1 - self.share) * logits.log_softmax(dim=1) + self.share * likely
        return joined

    def statistics(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return what the kernel machine sees, (batch, n_features), or twice as many where it sees the spread."""
        mean = mean_pooling(x, lengths)
        if not self.spread:
            return mean
        return torch.cat([mean, mean_pooling((x - mean.unsqueeze(1)).square(), lengths).sqrt()], dim=1)
