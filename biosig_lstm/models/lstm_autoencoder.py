"""An LSTM autoencoder: an item is read into a few numbers and written again from them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._causal import one_way_layers, read_on
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._readers import MemorySteps, check_reader, known_memory, sequence_reader
from biosig_lstm.models._recurrent import initialise_layer, step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.pooling import last_pooling

__all__ = ["LSTMAutoencoder", "LSTMAutoencoderNetwork"]


@dataclass(frozen=True)
class LSTMAutoencoder(ModelSpec):
    """An LSTM, or another cell, reads an item in both directions into a code, another writes its steps from that alone.

    Parameters
    ----------
    hidden_size : int
        Units of either LSTM.
    code_size : int
        Numbers that stand for a whole item: the fewer, the less of what is unusual comes back.
    memory_steps : int, optional
        As of `BiLSTM`, of both.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads and what writes.

    Raises
    ------
    ParameterError
        When a size is below one.

    Notes
    -----
    After Malhotra et al., "LSTM-based encoder-decoder for multi-sensor anomaly detection", ICML Anomaly Detection
    Workshop 2016 (arXiv 1607.00148). Deviations: the encoder reads in both directions; the decoder is given the code at
    every step and in its first state, not the steps it has written, and writes them in their order. A Transformer has
    no state to begin with: it is given the code at every step, and knows the steps by their positions.

    Examples
    --------
    >>> network = LSTMAutoencoder(8, code_size=3).build(n_features=2, n_outputs=2)
    >>> network(torch.zeros(1, 5, 2), torch.tensor([5])).shape
    torch.Size([1, 5, 2])
    """

    answers_per_step: ClassVar[tuple[bool, ...]] = (True,)
    ahead_steps: ClassVar[int] = 0
    """An answer stands for its own step."""

    hidden_size: int = 64
    _: KW_ONLY
    code_size: int = 16
    memory_steps: MemorySteps = None
    cell: str = "lstm"

    def __post_init__(self) -> None:
        check_reader(self.hidden_size, num_layers=1, dropout=0.0, memory_steps=self.memory_steps, cell=self.cell)
        check_count("code_size", self.code_size)

    def build(
        self,
        *,
        n_features: int,
        n_outputs: int,
        window_shape: tuple[int, int] | None = None,  # noqa: ARG002 (a step is a plain vector here)
        per_step: bool = True,
    ) -> LSTMAutoencoderNetwork:
        """Return a freshly initialised network; see `ModelSpec.build`.

        Raises
        ------
        ParameterError
            When one answer for each item is asked for.
        """
        if not per_step:
            raise ParameterError("LSTMAutoencoder gives an answer for each step; for one of each item take BiLSTM")
        return LSTMAutoencoderNetwork(self, n_features=n_features, n_outputs=n_outputs)


class LSTMAutoencoderNetwork(nn.Module):
    """The network of an `LSTMAutoencoder` specification: (x, lengths) to steps."""

    def __init__(self, spec: LSTMAutoencoder, *, n_features: int, n_outputs: int) -> None:
        super().__init__()
        check_count("n_features", n_features)
        check_count("n_outputs", n_outputs)
        self.n_features = n_features
        memory = known_memory(spec.memory_steps)
        self.encoder = sequence_reader(spec.cell, n_features, spec.hidden_size, memory_steps=memory)
        self.code = nn.Linear(2 * spec.hidden_size, spec.code_size)
        self.begin: nn.Module | None = None
        if spec.cell == "transformer":
            self.decoder = sequence_reader(spec.cell, spec.code_size, spec.hidden_size)
            self.head = nn.Linear(2 * spec.hidden_size, n_outputs)
        else:
            self.begin = nn.Linear(spec.code_size, (2 if spec.cell == "lstm" else 1) * spec.hidden_size)
            (self.decoder,) = one_way_layers(spec.cell, (spec.code_size, spec.hidden_size))
            self.head = nn.Linear(spec.hidden_size, n_outputs)
            initialise_layer(self.decoder, memory_steps=memory)

    @property
    def lstm(self) -> nn.Module:
        """What reads the item."""
        return self.encoder

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the steps as they are written again (batch, steps, n_outputs); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        code = self.code(last_pooling(self.encoder(x, lengths), lengths))
        written: Tensor = self.head(self._write(code, lengths, x.shape[1]))
        return torch.where(step_mask(lengths, x.shape[1]).unsqueeze(2), written, 0.0)

    def _write(self, code: Tensor, lengths: Tensor, steps: int) -> Tensor:
        given = code.unsqueeze(1).expand(-1, steps, -1)
        if self.begin is None:
            written: Tensor = self.decoder(given, lengths)
            return written
        parts = self.begin(code).split(self.head.in_features, dim=1)
        return read_on(self.decoder, given, tuple(part.unsqueeze(0).contiguous() for part in parts))[0]
