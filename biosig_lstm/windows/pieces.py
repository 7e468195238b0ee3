"""Pieces of a recording: the whole of it where it is short, equal parts where it is long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import classes_at, unit

__all__ = ["Pieces"]


@dataclass(frozen=True)
class Pieces(Step):
    """The recording in as few equal pieces as are no longer than `longest_s`, each an item whose steps are samples.

    Nothing is left out and nothing is padded: 20 s are one piece, and 70 s at `longest_s` = 30 three of 23.3 s.

    Parameters
    ----------
    longest_s : float [unit=s, > 0]
        Longest piece.
    classes : tuple of str
        Labels of pieces: a piece has that whose annotation covers its middle, the latest to begin of
        several, or none.
    """

    kind: ClassVar[str] = "windows"

    longest_s: float
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.longest_s < math.inf:
            raise ParameterError(f"the longest piece must last a positive number of seconds, got {self!r}")

    def __call__(self, recording: Recording) -> Windows:
        """Return an item for each piece."""
        if not recording.n_samples:
            raise DataError(f"{recording.id}: the recording holds no samples")
        edges = self.edges(recording.n_samples, recording.fs)
        n_pieces = len(edges) - 1
        middles = (edges[:-1] + edges[1:]) // 2
        return Windows(
            values=recording.signals.T,
            offsets=edges,
            columns=recording.channels,
            rate_hz=recording.fs,
            subjects=np.full(n_pieces, recording.subject),
            recordings=np.full(n_pieces, recording.id),
            starts=edges[:-1],
            fs=np.full(n_pieces, recording.fs),
            y=classes_at(recording, middles, self.classes) if self.classes else None,
            classes=self.classes,
            unit=unit(recording.units),
        )

    def edges(self, n_samples: int, fs: float) -> npt.NDArray[np.int64]:
        """Return where the pieces of so many samples begin, and the end of the last.

        Examples
        --------
        >>> Pieces(2.0).edges(50, 10.0).tolist()
        [0, 16, 33, 50]
        """
        most = max(math.floor(self.longest_s * fs * (1 + 1e-9)), 1)
        n_pieces = -(-n_samples // most)
        return np.asarray(np.arange(n_pieces + 1) * n_samples // n_pieces, dtype=np.int64)
