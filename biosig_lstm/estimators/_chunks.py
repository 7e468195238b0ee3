"""Long items scored in overlapping chunks, whose log-probabilities are averaged where they overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError

__all__ = ["Chunks", "cut_chunks", "join_chunks"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Chunks:
    """How items are cut into chunks.

    Parameters
    ----------
    steps : int [>= 1]
        Steps of a chunk.
    overlap : int [0 to steps - 1]
        Steps that a chunk shares with the next.
    margin : int [0 to overlap / 2], optional
        Steps at an edge between two chunks that do not count there, since the chunk ends too soon after them; a quarter
        of the overlap by default, so that half of it is averaged.

    Raises
    ------
    ParameterError
        When one is out of range.
    """

    steps: int
    overlap: int = 0
    margin: int | None = None

    def __post_init__(self) -> None:
        given = [count for count in (self.steps, self.overlap, self.margin) if count is not None]
        if any(int(count) != count for count in given):
            raise ParameterError(f"chunks, overlaps and margins are whole numbers of steps, got {given}")
        if self.steps < 1 or not 0 <= self.overlap < self.steps:
            raise ParameterError(
                f"chunks need at least one step and an overlap of fewer, got chunk_steps={self.steps} "
                f"and overlap_steps={self.overlap}"
            )
        if self.margin is None:
            object.__setattr__(self, "margin", self.overlap // 4)
        elif not 0 <= 2 * self.margin <= self.overlap:
            raise ParameterError(
                f"margin_steps must lie in 0 to {self.overlap // 2}, half of overlap_steps={self.overlap}, so that "
                f"every step counts in some chunk; got {self.margin}"
            )

    def starts(self, n_steps: int) -> Int64:
        """Return the first step of each chunk of an item; the last ends with the item, one is enough for a short one.

        Examples
        --------
        >>> Chunks(steps=4, overlap=2).starts(9).tolist()
        [0, 2, 4, 5]
        """
        last = max(n_steps - self.steps, 0)
        return np.append(np.arange(0, last, self.steps - self.overlap), last).astype(np.int64)


def cut_chunks(windows: Windows, chunks: Chunks) -> Windows:
    """Return every chunk of one item as an item of its own, without labels."""
    (n_steps,) = windows.lengths.tolist()
    starts = chunks.starts(n_steps)
    width = min(chunks.steps, n_steps)
    rows = (starts[:, None] + np.arange(width)).ravel()
    return replace(
        windows,
        values=windows.values[rows],
        offsets=width * np.arange(len(starts) + 1),
        y=None,
        subjects=np.repeat(windows.subjects, len(starts)),
        recordings=np.repeat(windows.recordings, len(starts)),
        starts=np.repeat(windows.starts, len(starts)),
        fs=np.repeat(windows.fs, len(starts)),
        positions=None if windows.positions is None else windows.positions[rows],
    )


def join_chunks(parts: Sequence[Float32], *, n_steps: int, chunks: Chunks) -> Float32:
    """Return the log-probabilities of an item from those of its chunks.

    Parameters
    ----------
    parts : sequence of np.ndarray [shape=(steps, classes)]
        Log-probabilities of each chunk that `Chunks.starts` gives.
    n_steps : int
        Steps of the item.
    chunks : Chunks
        How it was cut.

    Returns
    -------
    np.ndarray [shape=(n_steps, classes), dtype=float32]
        The mean over the chunks in which a step counts, scaled so that probabilities add up to one.
    """
    total = np.zeros((n_steps, parts[0].shape[1]))
    count = np.zeros((n_steps, 1))
    margin = chunks.margin or 0
    for start, part in zip(chunks.starts(n_steps).tolist(), parts, strict=True):
        first = margin if start else 0
        stop = len(part) - (margin if start + len(part) < n_steps else 0)
        total[start + first : start + stop] += part[first:stop]
        count[start + first : start + stop] += 1
    mean = total / count
    mean -= np.logaddexp.reduce(mean, axis=1, keepdims=True)
    return mean.astype(np.float32)
