"""Stretches of rhythm: read from changes of rhythm, found from the votes of windows, and written as changes again."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import ParameterError

__all__ = ["FIBRILLATION", "join_stretches", "rhythm_changes", "rhythm_stretches", "voted_stretches"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

FIBRILLATION = "(AFIB"
"""Note of a change to atrial fibrillation in PhysioNet's databases."""

_CHANGE, _NORMAL = "+", "(N"


def rhythm_stretches(
    annotations: Annotations, *, n_samples: int, rhythms: Collection[str] = (FIBRILLATION,)
) -> Annotations:
    """Return the stretches of some rhythms, each from the change to it to the next change or the end.

    Parameters
    ----------
    annotations : Annotations
        With changes of rhythm: label ``+``, the rhythm in the note (``(AFIB``, ``(N``), as in afdb and mitdb.
    n_samples : int
        Samples of the recording.
    rhythms : collection of str
        Notes that count; neighbours of them are joined.

    Returns
    -------
    Annotations
        Ascending, none touching the next, labelled by the first of their notes.

    Examples
    --------
    >>> changes = Annotations([0, 100, 250], labels=["+"] * 3, notes=["(N", "(AFIB", "(N"])
    >>> rhythm_stretches(changes, n_samples=400)
    Annotations(1: (AFIB 1)
    """
    changes = annotations[np.asarray(annotations.labels) == _CHANGE]
    notes = [note.strip() for note in changes.notes.tolist()]
    known = changes[np.array([bool(note) for note in notes], dtype=bool)]
    names = [note for note in notes if note]
    starts = np.clip(np.asarray(known.starts), 0, n_samples)
    stops = np.append(starts[1:], n_samples)[: len(starts)]
    counted = np.array([name in rhythms for name in names], dtype=bool) & (stops > starts)
    chosen = Annotations(
        starts[counted], stops[counted], [name for name, keep in zip(names, counted, strict=True) if keep]
    )
    return join_stretches(chosen)


def join_stretches(stretches: Annotations, *, gap_samples: int = 0, shortest_samples: int = 0) -> Annotations:
    """Return stretches with those joined that lie no further apart than a gap, and then the short ones left out.

    Parameters
    ----------
    stretches : Annotations
        They may overlap.
    gap_samples, shortest_samples : int [>= 0]
        Longest gap that is bridged, shortest stretch that is kept.
    """
    starts, stops = np.asarray(stretches.starts), np.maximum.accumulate(np.asarray(stretches.stops))
    first = np.ones(len(starts), dtype=bool)
    first[1:] = starts[1:] > stops[:-1] + gap_samples
    last = np.append(first[1:], True)[: len(starts)]
    begin, end = starts[first], stops[last]
    kept = end - begin >= shortest_samples
    return Annotations(begin[kept], end[kept], stretches.labels[first][kept])


def voted_stretches(
    starts: npt.ArrayLike,
    stops: npt.ArrayLike,
    votes: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    threshold: float = 0.5,
    label: str = FIBRILLATION,
) -> Annotations:
    """Return where the windows that lie over a place vote for a rhythm.

    Parameters
    ----------
    starts, stops : array_like of int [shape=(n,), unit=samples]
        Windows, which may overlap.
    votes : array_like of float [shape=(n,), range=[0, 1]]
        Probability of the rhythm in each window.
    weights : array_like of float [shape=(n,), >= 0], optional
        What each vote counts, less for noisy windows; ones by default.
    threshold : float [0 to 1]
        Where the weighted mean of the votes is above it, the rhythm is there.
    label : str
        Of the stretches.

    Returns
    -------
    Annotations
        Ascending, none touching the next.

    Raises
    ------
    ParameterError
        When the arrays differ in length, a window is empty or a weight negative.

    Examples
    --------
    >>> voted_stretches([0, 10, 20], [20, 30, 40], [0.1, 0.7, 0.9]).starts.tolist()
    [20]
    """
    begin, end = np.asarray(starts, dtype=np.int64), np.asarray(stops, dtype=np.int64)
    vote = np.asarray(votes, dtype=np.float64)
    weight = np.ones(len(vote)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(begin) == len(end) == len(vote) == len(weight) or (end <= begin).any() or (weight < 0).any():
        raise ParameterError(
            f"windows need a start, a later stop, a vote and a weight of 0 or more each, got {len(begin)}, {len(end)}, "
            f"{len(vote)} and {len(weight)}"
        )
    edges = np.unique(np.concatenate([begin, end]))
    total, whole = (_covering(edges, begin, end, values) for values in (weight * vote, weight))
    above = total > threshold * np.maximum(whole, 1e-9)
    places = np.flatnonzero(above)
    return join_stretches(Annotations(edges[places], edges[places + 1], [label] * len(places)))


def _covering(edges: Int64, starts: Int64, stops: Int64, values: Float64) -> Float64:
    """Return between each edge and the next the sum of the values of the windows over it."""
    change = np.zeros(len(edges) + 1)
    np.add.at(change, np.searchsorted(edges, starts), values)
    np.add.at(change, np.searchsorted(edges, stops), -values)
    return np.cumsum(change)[: max(len(edges) - 1, 0)]


def rhythm_changes(stretches: Annotations, *, n_samples: int) -> Annotations:
    """Return the changes of rhythm that say where stretches begin and end, ``(N`` in between; see `rhythm_stretches`.

    Parameters
    ----------
    stretches : Annotations
        Ascending, none touching the next, labelled by their rhythms (``(AFIB``).
    n_samples : int
        Samples of the recording.
    """
    places, notes = [0], [_NORMAL]
    for start, stop, label in zip(
        stretches.starts.tolist(), stretches.stops.tolist(), stretches.labels.tolist(), strict=True
    ):
        if start <= places[-1]:
            places.pop()
            notes.pop()
        places += [start, stop]
        notes += [label, _NORMAL]
    inside = [k for k, place in enumerate(places) if place < n_samples]
    return Annotations([places[k] for k in inside], labels=[_CHANGE] * len(inside), notes=[notes[k] for k in inside])
