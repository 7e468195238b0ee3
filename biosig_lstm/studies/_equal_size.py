"""Networks that differ in their cell and have about as many parameters each."""

from __future__ import annotations

from dataclasses import replace

import torch

from biosig_lstm.models import CELLS, BiLSTM

__all__ = ["equal_models", "parameter_count", "units_with"]


def parameter_count(model: BiLSTM, *, n_features: int, n_outputs: int) -> int:
    """Return how many numbers a network of this model learns.

    Examples
    --------
    >>> parameter_count(BiLSTM(8), n_features=3, n_outputs=2)
    866
    """
    with torch.random.fork_rng(devices=[]):
        network = model.build(n_features=n_features, n_outputs=n_outputs)
    return sum(weight.numel() for weight in network.parameters())


def equal_models(model: BiLSTM, *, n_features: int, n_outputs: int) -> dict[str, BiLSTM]:
    """Return the model with each cell, of the units that bring it nearest to the parameters of this one.

    Parameters
    ----------
    model : BiLSTM
        With the cell "lstm". A Transformer keeps its `hidden_size`, since it takes the parameters of that LSTM by
        itself.
    n_features, n_outputs : int
        Of the data.

    Returns
    -------
    dict of str to BiLSTM
        By cell.

    Examples
    --------
    >>> models = equal_models(BiLSTM(32), n_features=12, n_outputs=4)
    >>> {cell: model.hidden_size for cell, model in models.items()}
    {'lstm': 32, 'gru': 38, 'rnn': 69, 'transformer': 32}
    """
    wanted = parameter_count(model, n_features=n_features, n_outputs=n_outputs)
    found: dict[str, BiLSTM] = {}
    for cell in CELLS:
        rival = replace(model, cell=cell)
        if cell in ("gru", "rnn"):
            units = units_with(rival, wanted, n_features=n_features, n_outputs=n_outputs)
            rival = replace(rival, hidden_size=units)
        found[cell] = rival
    return found


def units_with(model: BiLSTM, parameters: int, *, n_features: int, n_outputs: int) -> int:
    """Return the units with which a recurrent model comes nearest to so many parameters.

    Examples
    --------
    >>> units_with(BiLSTM(1), 866, n_features=3, n_outputs=2)
    8
    """

    def missing(units: int) -> int:
        sized = replace(model, hidden_size=units)
        return parameters - parameter_count(sized, n_features=n_features, n_outputs=n_outputs)

    low, high = 1, 2
    while missing(high) > 0:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if missing(middle) > 0 else (low, middle)
    return min((low, high), key=lambda units: abs(missing(units)))
