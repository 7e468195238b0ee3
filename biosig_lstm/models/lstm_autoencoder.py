"""An LSTM autoencoder: an item is read into a few numbers and written again from them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_batch, check_count
from biosig_lstm.models._recurrent import BidirectionalLSTM, check_recurrent, initialise_lstm, step_mask
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models.pooling import last_pooling

__all__ = ["LSTMAutoencoder", "LSTMAutoencoderNetwork"]


@dataclass(frozen=True)
class LSTMAutoencoder(ModelSpec):
    """An LSTM reads an item in both directions into a code, another writes its steps from that code alone.

    Parameters
    ----------
    hidden_size : int
        Units of either LSTM.
    code_size : int
        Numbers that stand for a whole item: the fewer, the less of what is unusual comes back.

    Raises
    ------
    ParameterError
        When a size is below one.

    Notes
    -----
    After Malhotra et al., "LSTM-based encoder-decoder for multi-sensor anomaly detection", ICML Anomaly Detection
    Workshop 2016 (arXiv 1607.00148). Deviations: the encoder reads in both directions; the decoder is given the code at
    every step and in its first state, not the steps it has written, and writes them in their order.

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

    def __post_init__(self) -> None:
        check_recurrent(self.hidden_size, num_layers=1, dropout=0.0, memory_steps=None)
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
        self.encoder = BidirectionalLSTM(n_features, spec.hidden_size)
        self.code = nn.Linear(2 * spec.hidden_size, spec.code_size)
        self.begin = nn.Linear(spec.code_size, 2 * spec.hidden_size)
        self.decoder = nn.LSTM(spec.code_size, spec.hidden_size, batch_first=True)
        self.head = nn.Linear(spec.hidden_size, n_outputs)
        initialise_lstm(self.decoder)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the steps as they are written again (batch, steps, n_outputs); see `ModelSpec.build`."""
        check_batch(x, lengths, n_features=self.n_features)
        code = self.code(last_pooling(self.encoder(x, lengths), lengths))
        hidden, cell = (state.unsqueeze(0).contiguous() for state in self.begin(code).chunk(2, dim=1))
        steps, _ = self.decoder(code.unsqueeze(1).expand(-1, x.shape[1], -1), (hidden, cell))
        written: Tensor = self.head(steps)
        return torch.where(step_mask(lengths, x.shape[1]).unsqueeze(2), written, 0.0)
