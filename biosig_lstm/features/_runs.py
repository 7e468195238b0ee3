"""Columns that come from the times of the beats of each run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError

__all__ = ["add_beat_columns"]


def add_beat_columns(
    windows: Windows,
    columns: Sequence[str],
    work: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float32]],
    *,
    needs: str,
) -> Windows:
    """Return the windows with further columns: what `work` makes of the beats of each item, in seconds.

    Raises
    ------
    DataError
        When the steps are not events: they have no positions. `needs` begins the message.
    """
    if windows.positions is None:
        raise DataError(f"{needs} steps that are beats, these windows have no positions of events")
    found = np.empty((len(windows.values), len(columns)), dtype=np.float32)
    for (first, stop), fs in zip(pairwise(windows.offsets.tolist()), windows.fs.tolist(), strict=True):
        found[first:stop] = work(windows.positions[first:stop] / fs)
    values = np.concatenate([windows.values, found], axis=1)
    return windows.with_values(values, columns=[*windows.columns, *columns])
