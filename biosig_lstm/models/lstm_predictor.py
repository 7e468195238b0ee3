"""An LSTM, or another cell, that reads forwards and says of each step what the next one will be."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._readers import MemorySteps, check_reader
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.causal_lstm import CausalLSTM, CausalLSTMNetwork

__all__ = ["LSTMPredictor"]


@dataclass(frozen=True)
class LSTMPredictor(ModelSpec):
    """Layers of LSTMs that read an item forwards; the answer at each step is a forecast of the step that follows.

    Parameters
    ----------
    hidden_size : int
        Units of a layer.
    num_layers : int
        How many layers.
    dropout : float
        Dropped before, between and after the layers in training, in [0, 1).
    memory_steps : int, optional
        As of `BiLSTM`.
    cell : {"lstm", "gru", "rnn", "transformer"}
        As of `CausalLSTM`.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    Malhotra et al., "Long short term memory networks for anomaly detection in time series", ESANN 2015, with a horizon
    of one step; a step may be a whole frame or beat.

    Examples
    --------
    >>> import torch
    >>> network = LSTMPredictor(8).build(n_features=2, n_outputs=2)
    >>> network(torch.zeros(1, 5, 2), torch.tensor([5])).shape
    torch.Size([1, 5, 2])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (True,)
    ahead_steps: ClassVar[int] = 1
    """An answer stands for the step after its own."""

    hidden_size: int = 64
    _: KW_ONLY
    num_layers: int = 1
    dropout: float = 0.0
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

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,
        per_step: bool = True,
    ) -> CausalLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When one answer for each item is asked for.
        """
        if not per_step:
            raise ParameterError("LSTMPredictor gives an answer for each step; for one of each item take BiLSTM")
        layers = CausalLSTM(
            self.hidden_size,
            num_layers=self.num_layers,
            dropout=self.dropout,
            memory_steps=self.memory_steps,
            cell=self.cell,
        )
        return layers.build(n_features=n_features, n_outputs=n_outputs, window_shape=window_shape)
