"""An LSTM, or another cell, that reads forwards alone: what comes next is told from what came before."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._causal import LayerState, one_way_layers, read_on
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._readers import MemorySteps, check_reader, known_memory
from biosig_lstm.models._recurrent import initialise_layer, step_mask
from biosig_lstm.models._spec import ModelSpec

__all__ = ["CausalLSTM", "CausalLSTMNetwork", "LSTMState"]

LSTMState = list[LayerState]
"""For each layer what it remembers: of an LSTM (1, batch, hidden_size) twice; see `_causal.read_on` for other cells."""


@dataclass(frozen=True)
class CausalLSTM(ModelSpec):
    """Layers of LSTMs, or of another cell, that read an item forwards, and a linear layer on the state of each step.

    Parameters
    ----------
    hidden_size : int
        Units of a layer.
    num_layers : int
        How many layers.
    dropout : float
        Dropped before, between and after the layers in training, in [0, 1).
    symbols : int, optional
        The one feature of a step is the index of a symbol, from 0 to one below this number, and each symbol has a
        learned vector of `embedding_size`. None: features are values.
    embedding_size : int
        Length of these vectors.
    memory_steps : int, optional
        As of `BiLSTM`.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads the sequence. The model keeps its name: ``CausalLSTM(cell="gru")`` are gated recurrent units.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    With every cell, what comes later changes no answer, and reading in stretches of any length gives the same answers.
    A Transformer's layer sees a step and the 256 before it, and no positions; see
    `biosig_lstm.models._causal.CausalTransformerLayer`.

    Examples
    --------
    >>> network = CausalLSTM(8, symbols=5).build(n_features=1, n_outputs=5)
    >>> network(torch.tensor([[[0.0], [3.0], [1.0]]]), torch.tensor([3])).shape
    torch.Size([1, 3, 5])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (True,)

    hidden_size: int = 128
    _: KW_ONLY
    num_layers: int = 1
    dropout: float = 0.2
    symbols: int | None = None
    embedding_size: int = 32
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
        check_count("embedding_size", self.embedding_size)
        if self.symbols is not None:
            check_count("symbols", self.symbols)

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = True,
    ) -> CausalLSTMNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When one answer for each item is asked for, or symbols have more than one feature.
        """
        if not per_step:
            raise ParameterError("CausalLSTM gives an answer for each step; for one of each item take BiLSTM")
        if self.symbols is not None and n_features != 1:
            raise ParameterError(f"a symbol is one feature, its index, got n_features={n_features}")
        return CausalLSTMNetwork(self, n_features=n_features, n_outputs=n_outputs)


class CausalLSTMNetwork(nn.Module):
    """The network of a `CausalLSTM` specification: (x, lengths) to logits."""

    def __init__(self, spec: CausalLSTM, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        self.n_features = n_features
        self.embedding = None if spec.symbols is None else nn.Embedding(spec.symbols, spec.embedding_size)
        sizes = [n_features if spec.symbols is None else spec.embedding_size] + [spec.hidden_size] * spec.num_layers
        memory = known_memory(spec.memory_steps)
        self.layers = one_way_layers(spec.cell, sizes)
        self.norm = nn.LayerNorm(spec.hidden_size) if spec.cell == "transformer" else nn.Identity()
        self.dropout = nn.Dropout(spec.dropout)
        self.head = nn.Linear(spec.hidden_size, n_outputs)
        for layer in self.layers:
            initialise_layer(layer, memory_steps=memory)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits (batch, steps, n_outputs); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        valid = step_mask(lengths, x.shape[1]).unsqueeze(2)
        logits, _ = self.read(x.where(valid, 0.0))
        return logits.where(valid, 0.0)

    def read(self, x: Tensor, state: LSTMState | None = None) -> tuple[Tensor, LSTMState]:
        """Return the logits of steps (batch, steps, n_features), read on from a state, and the state after them."""
        rows = x if self.embedding is None else self.embedding(x[:, :, 0].to(torch.int64))
        after: LSTMState = []
        for k, layer in enumerate(self.layers):
            rows, now = read_on(layer, self.dropout(rows), None if state is None else state[k])
            after.append(now)
        logits: Tensor = self.head(self.dropout(self.norm(rows)))
        return logits, after
