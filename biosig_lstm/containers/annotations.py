"""Labelled stretches of a recording: beats, rhythms, sleep stages, seizures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError

__all__ = ["DETECTED", "Annotations", "freeze"]

DETECTED = "QRS"
"""Label of a beat that was found but not named: it is no class."""

Int64 = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]


def freeze(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a read-only view of `array`; the caller gives the array away and must not write to it later."""
    view = array.view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True, eq=False, repr=False)
class Annotations:
    """Labelled stretches, in order of their start.

    Parameters
    ----------
    starts, stops : array_like of int [shape=(n,), unit=samples]
        First sample and the sample after the last; equal for an instant such as a beat.
    labels : array_like of str [shape=(n,)]
        What is there: a beat symbol, a rhythm, a stage.
    notes : array_like of str [shape=(n,)], optional
        Free text of each annotation, empty by default.

    Raises
    ------
    DataError
        When the lengths differ or a stretch stops before it starts.

    Examples
    --------
    >>> beats = Annotations([10, 200, 390], [10, 200, 390], ["N", "V", "N"])
    >>> beats
    Annotations(3: N 2, V 1)
    """

    starts: Int64
    stops: Int64
    labels: Strings
    notes: Strings

    def __init__(
        self,
        starts: npt.ArrayLike = (),
        stops: npt.ArrayLike | None = None,
        labels: npt.ArrayLike | Iterable[str] = (),
        notes: npt.ArrayLike | Iterable[str] | None = None,
    ) -> None:
        begin = np.array(starts, dtype=np.int64).reshape(-1)
        end = begin.copy() if stops is None else np.array(stops, dtype=np.int64).reshape(-1)
        names = _strings(labels)
        texts = np.full(len(begin), "", dtype=np.str_) if notes is None else _strings(notes)
        _check_lengths(begin, end, names, texts)
        order = np.argsort(begin, kind="stable")
        for name, array in zip(("starts", "stops", "labels", "notes"), (begin, end, names, texts), strict=True):
            object.__setattr__(self, name, freeze(array[order]))

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        counts = Counter(self.labels.tolist()).most_common(6)
        return f"Annotations({len(self)}{': ' if counts else ''}{', '.join(f'{k} {v}' for k, v in counts)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Annotations):
            return NotImplemented
        return all(np.array_equal(getattr(self, k), getattr(other, k)) for k in self.__dict__)

    __hash__ = None  # type: ignore[assignment]

    def __setstate__(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        for name, array in state.items():
            object.__setattr__(self, name, freeze(array))

    def __getitem__(self, which: slice | npt.ArrayLike) -> Annotations:
        """Return those annotations that an index array, a mask or a slice chooses."""
        index = which if isinstance(which, slice) else np.asarray(which)
        if not isinstance(index, slice) and index.ndim != 1:
            raise IndexError(f"annotations take a slice, a mask or an array of indices, got {which!r}")
        return Annotations(self.starts[index], self.stops[index], self.labels[index], self.notes[index])

    def with_labels(self, labels: npt.ArrayLike | Iterable[str]) -> Annotations:
        """Return the same stretches under other labels, one each."""
        return replace(self, labels=labels)  # type: ignore[arg-type]

    def relabel(self, mapping: Mapping[str, str]) -> Annotations:
        """Return the annotations whose label stands in `mapping`, under the label it maps to."""
        known = np.isin(self.labels, list(mapping))
        return self[known].with_labels([mapping[label] for label in self.labels[known].tolist()])

    def crop(self, *, start: int, stop: int) -> Annotations:
        """Return what overlaps samples `start` to `stop`, clipped to them and counted from `start`."""
        instant = (self.stops == self.starts) & (self.starts >= start) & (self.starts < stop)
        overlap = (self.stops > start) & (self.starts < stop) & (self.stops > self.starts)
        inside = self[instant | overlap]
        begin = np.clip(inside.starts, start, stop) - start
        end = np.clip(inside.stops, start, stop) - start
        return Annotations(begin, end, inside.labels, inside.notes)

    def rescale(self, factor: float) -> Annotations:
        """Return the annotations at a rate `factor` times as high, rounded to the nearest sample."""
        begin, end = (np.rint(x * factor).astype(np.int64) for x in (self.starts, self.stops))
        return Annotations(begin, end, self.labels, self.notes)


def _strings(values: npt.ArrayLike | Iterable[str]) -> Strings:
    if isinstance(values, np.ndarray) and values.dtype.kind == "U":
        return values.reshape(-1)
    items = values.tolist() if isinstance(values, np.ndarray) else list(values)  # type: ignore[arg-type]
    return np.array([str(item) for item in items], dtype=np.str_).reshape(-1)


def _check_lengths(starts: Int64, stops: Int64, labels: Strings, notes: Strings) -> None:
    if not len(starts) == len(stops) == len(labels) == len(notes):
        raise DataError(
            f"annotations need one start, stop, label and note each, "
            f"got {len(starts)}, {len(stops)}, {len(labels)} and {len(notes)}"
        )
    wrong = np.flatnonzero(stops < starts)
    if len(wrong):
        k = int(wrong[0])
        raise DataError(f"annotation {k} ({str(labels[k])!r}) stops at sample {stops[k]}, before {starts[k]}")
