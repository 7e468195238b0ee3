"""From where forecasts are made: the stretches of items that are read, and what came before and after each origin."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigWarning, DataError

__all__ = [
    "Origins",
    "first_read",
    "later_values",
    "naive_scales",
    "past_values",
    "rolling_origins",
    "training_pieces",
    "warn_of_short",
]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


class Origins(NamedTuple):
    """Where forecasts start.

    Attributes
    ----------
    items : np.ndarray of int [shape=(n,)]
        Which item.
    steps : np.ndarray of int [shape=(n,)]
        The last step of it that is known.
    """

    items: Int64
    steps: Int64


def first_read(steps: npt.ArrayLike, context: int) -> Int64:
    """Return the first step that is read for a forecast after each step: `context` to twice as many before it.

    It does not depend on what comes later, so that a forecast is the same whatever that is.

    Examples
    --------
    >>> first_read([0, 9, 10, 19, 20, 39], 10).tolist()
    [0, 0, 0, 0, 10, 20]
    """
    return np.maximum(np.asarray(steps, dtype=np.int64) // context - 1, 0) * context


def training_pieces(windows: Windows, *, context: int, horizon: int) -> Windows:
    """Return stretches of items as `first_read` cuts them, each with the horizon after it, as items of their own."""
    counts = np.maximum(-(-(windows.lengths - horizon) // context) - 1, 1)
    items = np.repeat(np.arange(len(windows)), counts)
    within = (np.arange(len(items)) - np.repeat(np.cumsum(counts) - counts, counts)) * context
    stops = np.minimum(within + 2 * context + horizon, windows.lengths[items])
    rows = np.concatenate(
        [np.arange(a, b) for a, b in zip(windows.offsets[items] + within, windows.offsets[items] + stops, strict=True)]
    )
    lengths = stops - within
    begin = windows.offsets[items] + within
    return replace(
        windows,
        values=windows.values[rows],
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        y=None,
        step_labels=False,
        texts=None,
        subjects=windows.subjects[items],
        recordings=windows.recordings[items],
        starts=windows.step_samples()[begin],
        fs=windows.fs[items],
        positions=None if windows.positions is None else windows.positions[rows],
    )


def rolling_origins(lengths: Int64, *, context: int, horizon: int, every: int, least: int) -> Origins:
    """Return origins `every` steps apart that leave the whole horizon inside their item; the first after `context`.

    Of items too short for that the only one is as late as can be; those with fewer than `least` steps before the
    horizon have none.
    """
    found = []
    for item, length in enumerate(lengths.tolist()):
        last = length - horizon - 1
        if last >= least - 1:
            steps = np.arange(min(context - 1, last), last + 1, every)
            found.append((np.full(len(steps), item), steps))
    if not found:
        return Origins(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    items, steps = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Origins(items.astype(np.int64), steps.astype(np.int64))


def warn_of_short(windows: Windows, *, horizon: int, least: int, stacklevel: int) -> None:
    """Warn of series that are too short for `rolling_origins`.

    Raises
    ------
    DataError
        When all are.
    """
    needed = least + horizon
    left_out = sorted(set(windows.recordings[windows.lengths < needed].tolist()))
    if int(windows.lengths.max(initial=0)) < needed:
        raise DataError(
            f"no series is long enough: {least} steps that are read and {horizon} that follow are {needed}, the "
            f"longest of {windows!r} has {windows.lengths.max(initial=0)}"
        )
    if left_out:
        warnings.warn(
            f"{len(left_out)} series of fewer than {needed} steps are left out: {', '.join(left_out[:8])}",
            BiosigWarning,
            stacklevel=stacklevel,
        )


def past_values(values: Float64, offsets: Int64, origins: Origins, *, context: int) -> Float64:
    """Return what is read for each forecast, (n, 2 * context, targets), the origin last, NaN where nothing is read."""
    place = offsets[origins.items] + origins.steps
    first = offsets[origins.items] + first_read(origins.steps, context)
    rows = place[:, None] - np.arange(2 * context)[::-1]
    return np.where((rows >= first[:, None])[:, :, None], values[np.maximum(rows, 0)], np.nan)


def later_values(values: Float64, offsets: Int64, origins: Origins, *, horizon: int) -> Float64:
    """Return what came after each origin, (n, horizon, targets), NaN beyond the end of its item."""
    rows = (offsets[origins.items] + origins.steps)[:, None] + np.arange(1, horizon + 1)
    inside = rows < offsets[origins.items + 1][:, None]
    return np.where(inside[:, :, None], values[np.minimum(rows, len(values) - 1)], np.nan)


def naive_scales(
    values: Float64, offsets: Int64, origins: Origins, *, season: int, known: npt.NDArray[np.bool_]
) -> Float64:
    """Return `metrics.naive_scale` of all of the item until each origin, (n, targets); pairs of known values count."""
    change = np.zeros(values.shape)
    counted = np.zeros(len(values))
    place = np.arange(len(values)) - np.repeat(offsets[:-1], np.diff(offsets))
    ends = np.flatnonzero(place >= season)
    both = ends[known[ends] & known[ends - season]]
    change[both] = np.abs(values[both] - values[both - season])
    counted[both] = 1.0
    total, count = (np.concatenate([np.zeros((1, *x.shape[1:])), x.cumsum(axis=0)]) for x in (change, counted))
    begin, end = offsets[origins.items], offsets[origins.items] + origins.steps + 1
    n = (count[end] - count[begin])[:, None]
    nothing = np.full((len(begin), values.shape[1]), np.nan)
    return np.asarray(np.divide(total[end] - total[begin], n, out=nothing, where=n > 0))
