"""Whether the steps of items stand in the order of time, or were chosen by their labels: what the audit looks for."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows

__all__ = ["disorder", "some"]

Int64 = npt.NDArray[np.int64]

_IMPROBABLE = 1e-9
_CONTRARY = 20
_SHOWN = 6


def some(names: Iterable[str]) -> str:
    """Return the first few names, sorted, and how many more there are."""
    every = sorted(set(names))
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(repr(name) for name in every[:_SHOWN]) + more


def disorder(windows: Windows) -> list[str]:
    """Return what shows that steps are not in the order of time, or were chosen by label; see `splits.audit`."""
    if not len(windows) or (windows.positions is None and not windows.step_labels):
        return []
    if windows.positions is None and windows.rate_hz is None:
        return _cut_by_label(windows)
    samples = windows.step_samples()
    return _backward(windows, samples) or [
        *_starts_astray(windows, samples),
        *(_sorted_by_label(windows, samples) if windows.step_labels else []),
    ]


def _backward(windows: Windows, samples: Int64) -> list[str]:
    """Return the recordings in which a step lies before the one that it follows."""
    inside = _inside(windows)
    backward = inside[samples[inside + 1] < samples[inside]]
    if not len(backward):
        return []
    items = np.searchsorted(windows.offsets, backward, side="right") - 1
    names = some(windows.recordings[items].tolist())
    return [f"steps run backward in time inside {len(set(items.tolist()))} items, of recordings {names}"]


def _inside(windows: Windows) -> Int64:
    """Return the steps that have a next step in the same item."""
    not_last = np.ones(len(windows.values), dtype=bool)
    not_last[windows.offsets[1:] - 1] = False
    return np.flatnonzero(not_last)


def _starts_astray(windows: Windows, samples: Int64) -> list[str]:
    """Return whether the items of a recording start in another order than their first steps lie in."""
    begin = samples[windows.offsets[:-1]]
    order = np.lexsort((begin, windows.starts, windows.recordings))
    same = windows.recordings[order][1:] == windows.recordings[order][:-1]
    astray = order[1:][same & (np.diff(begin[order]) < 0)]
    if not len(astray):
        return []
    return [f"starts contradict positions in {len(astray)} items, of {some(windows.recordings[astray].tolist())}"]


def _sorted_by_label(windows: Windows, samples: Int64) -> list[str]:
    """Return whether steps of one time differ in label, or items skip steps of other labels only; see `audit`."""
    recording, rank, labels = _time_order(windows, samples)
    mine = labels[rank]
    n_shared = len(rank) - len(labels)
    n_contrary = 0 if windows.y is None else int(((mine != windows.y) & (mine >= 0) & (windows.y >= 0)).sum())
    if n_contrary >= _CONTRARY and n_contrary > n_shared / 10:
        return [f"{n_contrary} of {n_shared} steps have another label than a step of another item at the same time"]
    inside = _inside(windows)
    leaps = inside[(rank[inside + 1] - rank[inside] > 1) & (mine[inside] == mine[inside + 1]) & (mine[inside] >= 0)]
    expected, actual = _skipped(leaps, recording, rank, labels)
    if _chernoff(expected, actual) >= math.log(_IMPROBABLE):
        return []
    names = some(windows.recordings[np.searchsorted(windows.offsets, leaps, side="right") - 1].tolist())
    return [
        f"items were built after sorting by label: between neighbouring steps of one label they skip steps of "
        f"other labels ({actual} of their own, {expected:.0f} expected), in recordings {names}"
    ]


def _skipped(leaps: Int64, recording: Int64, rank: Int64, labels: Int64) -> tuple[float, int]:
    """Return how many of the steps that were skipped should have the label of their neighbours, and how many do."""
    expected, actual = 0.0, 0
    for k in np.unique(labels[rank[leaps]]).tolist():
        alike = leaps[labels[rank[leaps]] == k]
        first, last = rank[alike] + 1, rank[alike + 1]
        share = np.bincount(recording, labels == k) / np.maximum(np.bincount(recording, labels >= 0), 1)
        expected += float((_between(labels >= 0, first, last) * share[recording[first]]).sum())
        actual += int(_between(labels == k, first, last).sum())
    return expected, actual


def _time_order(windows: Windows, samples: Int64) -> tuple[Int64, Int64, Int64]:
    """Return, with all distinct steps in order of recording and time: recordings, place of each step, labels."""
    _, code = np.unique(windows.recordings, return_inverse=True)
    least = int(samples.min())
    span = int(samples.max()) - least + 1
    keys = np.repeat(code, windows.lengths) * span + (samples - least)
    distinct, chosen, rank = np.unique(keys, return_index=True, return_inverse=True)
    labels = np.full(len(chosen), -1) if windows.y is None else windows.y[chosen]
    return distinct // span, rank, labels


def _between(flags: npt.NDArray[np.bool_], first: Int64, last: Int64) -> Int64:
    """Return how many of the flags ``first:last`` are up, for many stretches."""
    so_far = np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)
    return np.asarray(so_far[last] - so_far[first])


def _chernoff(expected: float, actual: int) -> float:
    """Return the log of a bound on the probability of so few, where they are independent and `expected` on average."""
    if actual >= expected:
        return 0.0
    return actual - expected + (actual * math.log(expected / actual) if actual else 0.0)


def _cut_by_label(windows: Windows) -> list[str]:
    """Return whether labels change far less often inside items than between them; see `audit`."""
    if windows.y is None:
        return []
    from scipy.stats import hypergeom

    inside = _inside(windows)
    order = np.lexsort((windows.starts, windows.recordings))
    same = windows.recordings[order][1:] == windows.recordings[order][:-1]
    last, first = windows.offsets[order + 1][:-1][same] - 1, windows.offsets[order][1:][same]
    within, n_within = _changes(windows.y[inside], windows.y[inside + 1])
    between, n_between = _changes(windows.y[last], windows.y[first])
    chance = hypergeom.logcdf(within, n_within + n_between, within + between, n_within) if n_within else 0.0
    if chance >= math.log(_IMPROBABLE):
        return []
    return [
        f"items look cut or sorted by label: it changes {within} times in {n_within} steps inside items but "
        f"{between} times in {n_between} between them; windows with positions would show their order in time"
    ]


def _changes(before: Int64, after: Int64) -> tuple[int, int]:
    known = (before >= 0) & (after >= 0)
    return int((before != after)[known].sum()), int(known.sum())
