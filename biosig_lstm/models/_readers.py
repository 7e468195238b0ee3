"""What reads a sequence, chosen in one word: LSTM, GRU, plain recurrent network or Transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from math import prod
from statistics import median
from typing import Any, Literal, TypeVar

from torch import nn

from biosig_lstm.errors import ParameterError
from biosig_lstm.models._checks import check_name
from biosig_lstm.models._recurrent import CELLS, BidirectionalGRU, BidirectionalLSTM, BidirectionalRNN, check_recurrent
from biosig_lstm.models._spec import ModelSpec
from biosig_lstm.models._transformer import TransformerReader

__all__ = ["MemorySteps", "check_reader", "known_memory", "sequence_reader", "with_cell", "with_memory"]

MemorySteps = int | Literal["auto"] | None

Spec = TypeVar("Spec", bound=ModelSpec)

_READERS = {
    "lstm": BidirectionalLSTM,
    "gru": BidirectionalGRU,
    "rnn": BidirectionalRNN,
    "transformer": TransformerReader,
}


def sequence_reader(
    cell: str,
    input_size: int,
    hidden_size: int,
    *,
    num_layers: int = 1,
    dropout: float = 0.0,
    memory_steps: MemorySteps = None,
) -> nn.Module:
    """Return the layers of this cell that read each item within its own length, in both directions.

    Parameters
    ----------
    cell : {"lstm", "gru", "rnn", "transformer"}
        Which.
    input_size, hidden_size, num_layers, dropout, memory_steps
        As of `BidirectionalLSTM`. Memory is that of gates: only "lstm" and "gru" have them.

    Returns
    -------
    torch.nn.Module
        Takes x, float [shape=(batch, steps, input_size)], and lengths, int64 [shape=(batch,)]; returns states
        [shape=(batch, steps, 2 * hidden_size)], zero beyond an item's length.

    Raises
    ------
    ParameterError
        When a parameter is out of range, or the cell is not known.

    Examples
    --------
    >>> type(sequence_reader("gru", 3, 8)).__name__
    'BidirectionalGRU'
    """
    check_name("cell", cell, CELLS)
    memory = known_memory(memory_steps)
    return _READERS[cell](input_size, hidden_size, num_layers=num_layers, dropout=dropout, memory_steps=memory)


def known_memory(memory_steps: MemorySteps) -> int | None:
    """Return how far a network is to remember.

    Raises
    ------
    ParameterError
        When that is left to data which are not known yet.
    """
    if memory_steps == "auto":
        raise ParameterError(
            "memory_steps='auto' is set from the lengths of the items by an estimator, when it is fitted"
        )
    return memory_steps


def check_reader(
    hidden_size: object, *, num_layers: object, dropout: object, memory_steps: object, cell: object
) -> None:
    """Raise a ParameterError unless a specification can have these: as `check_recurrent`, memory being "auto" too."""
    if isinstance(memory_steps, str) and memory_steps != "auto":
        raise ParameterError(f"memory_steps must be a whole number of at least 3, 'auto' or None, got {memory_steps!r}")
    known = None if memory_steps == "auto" else memory_steps
    check_recurrent(hidden_size, num_layers=num_layers, dropout=dropout, memory_steps=known, cell=cell)


def with_cell(spec: Spec, cell: str) -> Spec:
    """Return the same model with another cell.

    Raises
    ------
    ParameterError
        When the model has no cell to choose, or the cell is not known.

    Examples
    --------
    >>> from biosig_lstm.models import BiLSTM
    >>> with_cell(BiLSTM(32), "gru").cell
    'gru'
    """
    if spec.only_cell or "cell" not in {field.name for field in fields(spec)}:
        raise ParameterError(f"{type(spec).__name__} has no cell to choose: {spec.only_cell or 'it reads by one'}")
    changed: dict[str, Any] = {"cell": cell}
    return replace(spec, **changed)


def with_memory(spec: Spec, lengths: Sequence[int]) -> Spec:
    """Return the same model, its memory set to the median length where it was left to the data.

    Parameters
    ----------
    spec : ModelSpec
        Returned as it is unless its `memory_steps` is "auto".
    lengths : sequence of int
        Steps of the items to learn from; where convolutions shorten items, those that are left count.

    Examples
    --------
    >>> from biosig_lstm.models import BiLSTM
    >>> with_memory(BiLSTM(32, memory_steps="auto"), [40, 200, 90]).memory_steps
    90
    """
    if getattr(spec, "memory_steps", None) != "auto":
        return spec
    left = median(lengths) / prod(getattr(spec, "strides", (1,)))
    changed: dict[str, Any] = {"memory_steps": max(round(left), 3)}
    return replace(spec, **changed)
