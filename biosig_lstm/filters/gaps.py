"""Gaps: values that are missing (NaN), drawn in as straight lines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows

__all__ = ["FillGaps", "Gap", "fill_gaps", "find_gaps"]


class Gap(NamedTuple):
    """A stretch of missing values: samples `start` to `stop` (excluded) of row `channel`."""

    channel: int
    start: int
    stop: int


def find_gaps(signals: npt.ArrayLike, fs: float) -> list[Gap]:
    """Return the stretches of NaN of each channel, in order.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Values; NaN is missing.
    fs : float [unit=Hz, > 0]
        Samples a second.

    Examples
    --------
    >>> find_gaps([[1.0, float("nan"), float("nan"), 2.0]], 100)
    [Gap(channel=0, start=1, stop=3)]
    """
    rows = as_rows(signals, fs, gaps_allowed=True)
    return [gap for channel, row in enumerate(rows) for gap in _gaps_of(channel, row)]


def _gaps_of(channel: int, row: Float32) -> list[Gap]:
    if not row.size or not np.isnan(row.min()):
        return []
    missing = np.concatenate([[False], np.isnan(row), [False]])
    edges = np.flatnonzero(missing[1:] != missing[:-1]).reshape(-1, 2)
    return [Gap(channel, start, stop) for start, stop in edges.tolist()]


def fill_gaps(signals: npt.ArrayLike, fs: float, *, longest_s: float | None = None) -> Float32:
    """Fill what is missing with straight lines between the neighbours; at the ends, with the nearest value.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Values; NaN is missing.
    fs : float [unit=Hz, > 0]
        Samples a second.
    longest_s : float [unit=s, > 0], optional
        The longest gap that may be filled; any by default.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Finite values; those that were there are unchanged.

    Raises
    ------
    DataError
        When a channel has no value at all, or a gap is longer than `longest_s`.
    ParameterError
        When `longest_s` is not positive.

    Notes
    -----
    The answer of `numpy.interp` over the values that are there.

    Examples
    --------
    >>> fill_gaps([[1.0, float("nan"), 3.0, float("nan")]], 100).tolist()
    [[1.0, 2.0, 3.0, 3.0]]
    """
    rows = as_rows(signals, fs, gaps_allowed=True)
    gaps = find_gaps(rows, fs)
    _check_gaps(gaps, fs, longest_s, [f"channel {k}" for k in range(len(rows))], n_samples=rows.shape[1])
    return _filled(rows, gaps)


def _filled(rows: Float32, gaps: list[Gap]) -> Float32:
    filled = rows.copy()
    for channel, start, stop in gaps:
        row = filled[channel]
        before = row[start - 1] if start else row[stop]
        after = row[stop] if stop < len(row) else before
        row[start:stop] = np.interp(np.arange(start, stop), [start - 1, stop], [before, after])
    return filled


def _check_gaps(gaps: list[Gap], fs: float, longest_s: float | None, names: list[str], *, n_samples: int) -> None:
    if longest_s is not None and not (longest_s > 0 and math.isfinite(longest_s)):
        raise ParameterError(f"longest_s must be a positive number of seconds, or None for any gap, got {longest_s!r}")
    for gap in gaps:
        length_s = (gap.stop - gap.start) / fs
        if gap.stop - gap.start == n_samples:
            raise DataError(
                f"{names[gap.channel]} holds no value at all: leave it out "
                "(FillGaps(drop_empty=True), or Recording.pick)"
            )
        if longest_s is not None and length_s > longest_s:
            raise DataError(
                f"{names[gap.channel]} has a gap of {length_s:.6g} s at {gap.start / fs:.6g} s, "
                f"longer than longest_s = {longest_s:g} s"
            )


@dataclass(frozen=True)
class FillGaps(Filter):
    """Fill what is missing with straight lines; see `fill_gaps`. The history says how much was filled, and where.

    Parameters
    ----------
    longest_s : float [unit=s, > 0], optional
        The longest gap that may be filled; a longer one is an error. Any by default.
    drop_empty : bool
        Leave out a channel that holds no value at all, instead of refusing the recording.
    """

    longest_s: float | None = None
    drop_empty: bool = False

    accepts_nan: ClassVar[bool] = True

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` without gaps, shape (channels, samples)."""
        return fill_gaps(signals, fs, longest_s=self.longest_s)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording without gaps.

        Raises
        ------
        DataError
            When a channel holds no value at all and `drop_empty` is off, all channels are empty, or a gap is
            longer than `longest_s`: the channel's name, and where, in seconds.
        """
        kept, dropped = self._without_empty(recording)
        gaps = find_gaps(kept.signals, kept.fs)
        where = f"{kept.id}: " if kept.id else ""
        names = [f"{where}channel {name!r}" for name in kept.channels]
        _check_gaps(gaps, kept.fs, self.longest_s, names, n_samples=kept.n_samples)
        return kept.with_signals(_filled(kept.signals, gaps), note=f"{self!r}: {_summary(kept, gaps, dropped)}")

    def _without_empty(self, recording: Recording) -> tuple[Recording, list[str]]:
        if not self.drop_empty:
            return recording, []
        empty = [bool(np.isnan(row).all()) for row in recording.signals]
        kept: list[Any] = [name for name, is_empty in zip(recording.channels, empty, strict=True) if not is_empty]
        dropped = [name for name in recording.channels if name not in kept]
        if dropped and not kept:
            raise DataError(f"{recording.id or 'recording'}: no channel holds a value: {', '.join(dropped)}")
        return (recording.pick(kept) if dropped else recording), dropped


def _summary(recording: Recording, gaps: list[Gap], dropped: list[str]) -> str:
    parts = []
    for channel, name in enumerate(recording.channels):
        lengths_s = [(gap.stop - gap.start) / recording.fs for gap in gaps if gap.channel == channel]
        if lengths_s:
            parts.append(
                f"{name} {len(lengths_s)} filled, longest {max(lengths_s):.6g} s, {sum(lengths_s):.6g} s in all"
            )
    parts += [f"{name} left out, empty" for name in dropped]
    return "; ".join(parts) or "no gap"
