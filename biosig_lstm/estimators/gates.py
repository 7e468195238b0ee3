"""What the gates of a trained LSTM do along recordings: what it keeps, writes, shows, and remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from biosig_lstm.containers import Windows, freeze
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.models import GATES, BidirectionalLSTM, LSTMStep, gate_traces
from biosig_lstm.training.batch import pad_steps

__all__ = ["Gates", "read_gates"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]

_CELLS = {
    "NoneType": "one that goes forwards alone",
    "BidirectionalGRU": "a GRU, which has no memory apart from what it shows",
    "BidirectionalRNN": "plain units, which have no gates",
    "TransformerReader": "a Transformer, which attends to all steps at once and keeps nothing",
}

_ROWS = ("recordings", "subjects", "items", "samples", "fs", *GATES)


@dataclass(frozen=True, eq=False, repr=False)
class Gates:
    """A row for each step that the LSTM reads: a beat, an epoch, a sample, or several samples made one.

    Parameters
    ----------
    recordings, subjects : np.ndarray of str [shape=(n,)]
        Where the step is and whose.
    items : np.ndarray of int64 [shape=(n,)]
        Which item it is of: each starts with an empty memory.
    samples : np.ndarray of int64 [shape=(n,), unit=samples]
        Where it lies in the recording.
    fs : np.ndarray of float64 [shape=(n,), unit=Hz]
        Rate of these samples.
    forget_gate, input_gate, output_gate : np.ndarray of float32 [shape=(n, layers, 2, hidden_size), range=0 to 1]
        How much of its memory each unit keeps, how much of the candidate it writes, how much it shows. Direction 0
        reads forwards, 1 backwards.
    candidate : np.ndarray of float32 [shape=(n, layers, 2, hidden_size), range=-1 to 1]
        What could be written.
    cell, hidden : np.ndarray of float32 [shape=(n, layers, 2, hidden_size)]
        The memory after the step, and what is shown of it.

    Raises
    ------
    DataError
        When the parts have different numbers of rows.
    """

    recordings: Strings
    subjects: Strings
    items: Int64
    samples: Int64
    fs: npt.NDArray[np.float64]
    forget_gate: Float32
    input_gate: Float32
    candidate: Float32
    output_gate: Float32
    cell: Float32
    hidden: Float32

    def __post_init__(self) -> None:
        for name in _ROWS:
            object.__setattr__(self, name, freeze(np.asarray(getattr(self, name))))
        lengths = {name: len(getattr(self, name)) for name in _ROWS}
        if len(set(lengths.values())) > 1:
            raise DataError(f"gates need one of each for every step, got {lengths}")

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        layers, _, units = self.cell.shape[1:]
        where = f"{len(set(self.recordings.tolist()))} recordings"
        return f"Gates({len(self)} steps in {where}; {layers} layers of {units} units in both directions)"

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """Seconds from the start of the recording, shape (n,)."""
        return self.samples / self.fs

    def of(self, recording: str) -> Self:
        """Return the steps of one recording."""
        return self._rows(self.recordings == recording)

    def between(self, start_s: float, stop_s: float) -> Self:
        """Return the steps from `start_s` to before `stop_s`."""
        return self._rows((self.times_s >= start_s) & (self.times_s < stop_s))

    def _rows(self, chosen: npt.NDArray[np.bool_]) -> Self:
        return replace(self, **{name: getattr(self, name)[chosen] for name in _ROWS})


def read_gates(network: nn.Module, windows: Windows, batches: Sequence[Sequence[int]]) -> Gates:
    """Return what the gates of a network's LSTM do along windows that are scaled already.

    Parameters
    ----------
    network : nn.Module
        Its `lstm` is a `BidirectionalLSTM`; one that reads less often than there are steps says so by `lstm_stride`.
    windows : Windows
        Items.
    batches : sequence of sequence of int
        Which items go through the network together; each item in one of them.

    Raises
    ------
    ParameterError
        When the network has another cell than an LSTM.
    """
    found: dict[int, LSTMStep] = {}
    for batch in batches:
        x, lengths = pad_steps([windows.item(k) for k in batch])
        read, ends = _read_by_lstm(network, x, lengths)
        steps = gate_traces(_lstm_of(network), read, ends)
        found |= {k: LSTMStep(*(part[row, : ends[row]] for part in steps)) for row, k in enumerate(batch)}
    counts = np.array([len(found[k].cell) for k in range(len(windows))], dtype=np.int64)
    item = np.repeat(np.arange(len(windows)), counts)
    within = np.arange(len(item)) - np.repeat(np.cumsum(counts) - counts, counts)
    place = windows.offsets[item] + within * int(getattr(network, "lstm_stride", 1))
    traces: dict[str, Any] = {
        name: torch.cat([found[k][number] for k in range(len(windows))]).numpy() for number, name in enumerate(GATES)
    }
    return Gates(
        recordings=windows.recordings[item],
        subjects=windows.subjects[item],
        items=item,
        samples=windows.step_samples()[place],
        fs=windows.fs[item],
        **traces,
    )


def _lstm_of(network: nn.Module) -> BidirectionalLSTM:
    lstm = getattr(network, "lstm", None)
    if not isinstance(lstm, BidirectionalLSTM):
        cell = _CELLS.get(type(lstm).__name__, f"no cell that is known ({type(network).__name__})")
        hint = "" if lstm is None else "; a model trained with cell='lstm' has them"
        raise ParameterError(
            f"gates and memory are those of an LSTM that reads in both directions, this model reads by {cell}{hint}"
        )
    return lstm


def _read_by_lstm(network: nn.Module, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return what the network's LSTM is given, and how many steps of it count."""
    seen: list[tuple[Tensor, Tensor]] = []
    handle = _lstm_of(network).register_forward_pre_hook(lambda _, given: seen.append((given[0], given[1])))
    try:
        with torch.inference_mode():
            network(x, lengths)
    finally:
        handle.remove()
    return seen[-1]
