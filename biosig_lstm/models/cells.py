"""The model that reads steps, by the name of its cell: one word apart, and otherwise the same."""

from __future__ import annotations

from typing import Any

from biosig_lstm.models.bilstm import BiLSTM

__all__ = ["GRU", "LSTM", "RNN", "Transformer"]


def LSTM(hidden_size: int = 64, **how: Any) -> BiLSTM:  # noqa: N802
    """Return a `BiLSTM` with long short-term memory; its other parameters by name.

    Examples
    --------
    >>> LSTM(32) == BiLSTM(32)
    True
    """
    return BiLSTM(hidden_size, cell="lstm", **how)


def GRU(hidden_size: int = 64, **how: Any) -> BiLSTM:  # noqa: N802
    """Return a `BiLSTM` with gated recurrent units in the place of LSTMs.

    Examples
    --------
    >>> GRU(32, pooling="mean").cell
    'gru'
    """
    return BiLSTM(hidden_size, cell="gru", **how)


def RNN(hidden_size: int = 64, **how: Any) -> BiLSTM:  # noqa: N802
    """Return a `BiLSTM` with plain recurrent units in the place of LSTMs.

    Examples
    --------
    >>> RNN(32).cell
    'rnn'
    """
    return BiLSTM(hidden_size, cell="rnn", **how)


def Transformer(hidden_size: int = 64, **how: Any) -> BiLSTM:  # noqa: N802
    """Return a `BiLSTM` with a Transformer's encoder in the place of LSTMs, of about as many parameters.

    Examples
    --------
    >>> Transformer(32).cell
    'transformer'
    """
    return BiLSTM(hidden_size, cell="transformer", **how)
