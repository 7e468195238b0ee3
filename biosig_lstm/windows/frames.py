"""Frames: a recording, or each piece of a long one, as a run of overlapping windows with one label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import classes_at, unit

__all__ = ["ONE_CHANNEL", "Frames"]

ONE_CHANNEL = "signal"
"""What columns call the channel where there must be one alone, whatever its name."""


@dataclass(frozen=True)
class Frames(Step):
    """A recording in as few equal pieces as are no longer than `longest_s`, each an item whose steps are frames.

    Frames of a piece follow each other every `step_s` and lie within it; what is left over at its end is left out.

    Parameters
    ----------
    length_s : float [unit=s, > 0]
        Length of a frame.
    step_s : float [unit=s, > 0]
        From the start of one frame to that of the next.
    longest_s : float [unit=s, >= length_s]
        Longest piece.
    classes : tuple of str
        Labels of pieces: a piece has that whose annotation covers its middle, the latest to begin of
        several, or none.
    one_channel : bool
        Take recordings of one channel alone, whatever its name is.
    exact : bool
        Pieces of exactly `longest_s`, so that their length says nothing; what is left over at the end of the recording
        is left out.

    Raises
    ------
    ParameterError
        When a length is not positive, or pieces are shorter than frames.
    """

    kind: ClassVar[str] = "windows"

    length_s: float
    step_s: float
    longest_s: float
    classes: tuple[str, ...] = ()
    one_channel: bool = False
    exact: bool = False

    def __post_init__(self) -> None:
        if not (0 < self.length_s <= self.longest_s < math.inf and 0 < self.step_s < math.inf):
            raise ParameterError(f"frames need positive lengths, at most that of a piece, got {self!r}")

    def __call__(self, recording: Recording) -> Windows:
        """Return an item for each piece: a step for each frame, the samples of each channel one after the other.

        Raises
        ------
        DataError
            When a piece holds no frame, or there are more channels than one where one is wanted.
        """
        width, hop = (max(round(length * recording.fs), 1) for length in (self.length_s, self.step_s))
        edges = self._edges(recording)
        counts = (np.diff(edges) - width) // hop + 1
        names = self._names(recording)
        if not names or not len(counts) or counts.min() < 1:
            what = f"{recording.duration_s:g} s of {len(names)} channels"
            raise DataError(f"{recording.id}: {what} hold no {self._least()}")
        starts = np.concatenate([edges[k] + hop * np.arange(count) for k, count in enumerate(counts)])
        cut = np.lib.stride_tricks.sliding_window_view(recording.signals, width, axis=1)[:, starts]
        middles = (edges[:-1] + edges[1:]) // 2
        return Windows(
            values=cut.transpose(1, 0, 2).reshape(len(starts), -1),
            offsets=np.concatenate([[0], np.cumsum(counts)]),
            columns=[f"{name}[{j}]" for name in names for j in range(width)],
            rate_hz=1 / self.step_s,
            subjects=np.full(len(counts), recording.subject),
            recordings=np.full(len(counts), recording.id),
            starts=edges[:-1],
            fs=np.full(len(counts), recording.fs),
            y=classes_at(recording, middles, self.classes) if self.classes else None,
            classes=self.classes,
            window_shape=(len(names), width),
            unit=unit(recording.units),
        )

    def _edges(self, recording: Recording) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        most = max(math.floor(self.longest_s * recording.fs * (1 + 1e-9)), 1)
        if self.exact:
            return np.arange(0, recording.n_samples + 1, most, dtype=np.int64)
        n_pieces = max(-(-recording.n_samples // most), 1)
        return np.arange(n_pieces + 1, dtype=np.int64) * recording.n_samples // n_pieces

    def _least(self) -> str:
        return f"piece of {self.longest_s:g} s" if self.exact else f"frame of {self.length_s:g} s"

    def _names(self, recording: Recording) -> tuple[str, ...]:
        if not self.one_channel:
            return tuple(recording.channels)
        if len(recording.channels) != 1:
            held = ", ".join(recording.channels[:8]) + (", ..." if len(recording.channels) > 8 else "")
            raise DataError(
                f"{recording.id}: holds {len(recording.channels)} channels ({held}), one alone is read: choose it, as "
                f"recording.pick(['{(recording.channels or ('Cz',))[0]}']) does"
            )
        return (ONE_CHANNEL,)
