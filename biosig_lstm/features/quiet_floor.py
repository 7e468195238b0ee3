"""Frames that are quieter than the room are brought up to it: what an editor or a codec has silenced."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.steps import Step

__all__ = ["QuietFloor", "quiet_floor"]

Float32 = npt.NDArray[np.float32]


def quiet_floor(frames: npt.ArrayLike, *, percent: float = 10.0, below: float = 4.0) -> Float32:
    """Return frames of which no value lies below the quiet part of its column.

    Parameters
    ----------
    frames : array_like [shape=(frames, columns)]
        Logarithms of power, as log-mel; natural ones for the default of `below`.
    percent : float [0 to 50]
        Percentile of a column that is its floor, among the frames that are not silenced.
    below : float [> 0]
        Frames whose mean lies further below the median over frames than this are silenced ones.

    Returns
    -------
    np.ndarray [shape=(frames, columns), dtype=float32]
        The larger of value and floor.

    Raises
    ------
    ParameterError
        When `percent` or `below` is out of range.

    Examples
    --------
    >>> quiet_floor([[-17.0], [-9.0], [-8.0], [-3.0]], percent=0).ravel().tolist()
    [-9.0, -9.0, -8.0, -3.0]
    """
    if not 0 <= percent <= 50 or not below > 0:
        raise ParameterError(f"percent must lie in 0 to 50 and below be positive, got {percent} and {below}")
    values = np.asarray(frames, dtype=np.float32)
    if not len(values):
        return values
    level = values.mean(axis=1, dtype=np.float64)
    heard = values[level >= np.median(level) - below]
    floor = np.percentile(heard, percent, axis=0).astype(np.float32)
    return np.asarray(np.maximum(values, floor), dtype=np.float32)


@dataclass(frozen=True)
class QuietFloor(Step):
    """Bring frames that are quieter than the room up to it, item by item; see `quiet_floor`.

    Files that were cut or gated begin and end in digital silence, whose logarithm lies far below that of any room: a
    network that has rarely seen it is thrown off.

    Parameters
    ----------
    percent, below
        As of `quiet_floor`.

    Raises
    ------
    ParameterError
        When one is out of range.
    """

    kind: ClassVar[str] = "feature"

    percent: float = 10.0
    below: float = 4.0

    def __post_init__(self) -> None:
        quiet_floor(np.zeros((0, 1)), percent=self.percent, below=self.below)

    def __call__(self, windows: Windows) -> Windows:
        """Return the items, each with floors of its own."""
        ends = pairwise(windows.offsets.tolist())
        parts = [quiet_floor(windows.values[a:b], percent=self.percent, below=self.below) for a, b in ends]
        return windows.with_values(np.concatenate([windows.values[:0], *parts]))
