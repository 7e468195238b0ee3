"""A bidirectional LSTM over an item's steps, with one answer for the item or one for each step."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass

from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_count, check_name
from biosig_lstm.models._readers import MemorySteps, check_reader, sequence_reader
from biosig_lstm.models._recurrent import step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.pooling import POOLINGS, pooling_layer

__all__ = ["BiLSTM", "BiLSTMNetwork"]


@dataclass(frozen=True)
class BiLSTM(ModelSpec):
    """A bidirectional LSTM, and a linear layer on its pooled states or on those of each step.

    Parameters
    ----------
    hidden_size : int
        Units of each direction.
    num_layers : int
        How many layers.
    dropout : float
        Dropped between layers and before the linear layer in training, in [0, 1).
    pooling : {"last", "mean", "max", "attention"} or None
        How the states of an item become one vector; not used when every step gets an answer. None: only such
        networks can be built.
    memory_steps : int, optional
        Longest dependency expected, in steps, at least 3: sets the gates so that gradients reach that far from the
        start of training (chrono initialisation, Tallec and Ollivier 2018). A good value is the length of the items;
        "auto" takes the median length of those that an estimator is fitted to. Cells without gates have no such start.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence; see `biosig_lstm.models.sequence_reader`.

    Raises
    ------
    ParameterError
        When a parameter is out of range, or a pooling is not known.

    Examples
    --------
    >>> import torch
    >>> network = BiLSTM(hidden_size=16, pooling="mean").build(n_features=3, n_outputs=4)
    >>> network(torch.zeros(2, 5, 3), torch.tensor([5, 2])).shape
    torch.Size([2, 4])
    """

    hidden_size: int = 64
    _: KW_ONLY
    num_layers: int = 1
    dropout: float = 0.0
    pooling: str | None = "last"
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
        if self.pooling is not None:
            check_name("pooling", self.pooling, POOLINGS)

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = False,
    ) -> BiLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When a size is below 1, or one answer for each item is asked for and `pooling` is None.
        """
        return BiLSTMNetwork(self, n_features=n_features, n_outputs=n_outputs, per_step=per_step)


class BiLSTMNetwork(nn.Module):
    """The network of a `BiLSTM` specification: (x, lengths) to logits."""

    def __init__(self, spec: BiLSTM, *, n_features: int, n_outputs: int, per_step: bool) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        if spec.pooling is None and not per_step:
            raise ParameterError("one answer for each item needs a pooling, got None; possible: " + ", ".join(POOLINGS))
        self.lstm = sequence_reader(
            spec.cell,
            n_features,
            spec.hidden_size,
            num_layers=spec.num_layers,
            dropout=spec.dropout,
            memory_steps=spec.memory_steps,
        )
        self.pool = None if per_step or spec.pooling is None else pooling_layer(spec.pooling, 2 * spec.hidden_size)
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(2 * spec.hidden_size, n_outputs)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits: x (batch, steps, n_features) and lengths (batch,); see `ModelSpec.build`."""
        states = self.lstm(x, lengths)
        if self.pool is not None:
            pooled: Tensor = self.head(self.dropout(self.pool(states, lengths)))
            return pooled
        logits: Tensor = self.head(self.dropout(states))
        return logits.where(step_mask(lengths, x.shape[1]).unsqueeze(2), 0.0)
