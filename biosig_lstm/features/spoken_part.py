"""Frames of sound from where a word begins to where it ends."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.steps import Step

__all__ = ["SpokenPart", "frame_power", "spoken_part"]

_NEPER_DB = 10 / np.log(10)
_LONG_S = 60.0


def frame_power(frames: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the natural logarithm of the mean power of each frame, shape (frames,), from those of its filters."""
    values = np.asarray(frames, dtype=np.float64)
    loudest = values.max(axis=1, keepdims=True)
    return np.asarray(loudest[:, 0] + np.log(np.mean(np.exp(values - loudest), axis=1)))


def spoken_part(frames: npt.ArrayLike, *, range_db: float = 28.0, margin: int = 3) -> tuple[int, int]:
    """Return the first frame of the spoken part and the one after its last.

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Natural logarithms of power in filters.
    range_db : float [unit=dB, > 0]
        How far below the loudest frame speech may lie.
    margin : int [unit=frames, >= 0]
        Kept before and after.

    Examples
    --------
    >>> spoken_part(np.repeat([-18.0, -5.0, -18.0], [20, 30, 40])[:, None], margin=2)
    (18, 52)
    """
    power = frame_power(frames)
    loud = np.flatnonzero(power >= power.max() - range_db / _NEPER_DB)
    return max(int(loud[0]) - margin, 0), min(int(loud[-1]) + 1 + margin, len(power))


def _warn_of_length(duration_s: float, name: str) -> None:
    if duration_s > _LONG_S:
        warnings.warn(
            f"{name}: {duration_s:g} s from the first loud frame to the last are taken as one word; cut it up first",
            BiosigWarning,
            stacklevel=3,
        )


@dataclass(frozen=True)
class SpokenPart(Step):
    """Leave out the frames before the first and after the last that is nearly as loud as the loudest.

    For a single word in each item, between pauses that hold noise: the threshold follows the word, not the noise.

    Parameters
    ----------
    range_db : float [unit=dB, > 0]
        How far below the loudest frame speech may lie.
    margin_s : float [unit=s, >= 0]
        What is kept before and after.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Notes
    -----
    Comes after `LogMel` in its set *speech* or *kaldi*, whose values are natural logarithms. Starts and labels stay
    those of the recording.
    """

    kind: ClassVar[str] = "feature"

    range_db: float = 28.0
    margin_s: float = 0.03

    def __post_init__(self) -> None:
        if not self.range_db > 0 or not self.margin_s >= 0:
            raise ParameterError(f"range_db must be positive and margin_s 0 or more, got {self!r}")

    def __call__(self, windows: Windows) -> Windows:
        """Return items of the same frames, fewer of them.

        Raises
        ------
        DataError
            When frames have labels of their own, or steps have no rate.

        Warns
        -----
        BiosigWarning
            When the spoken part of an item lasts longer than a minute: that is no word.
        """
        if windows.rate_hz is None or windows.step_labels:
            raise DataError("SpokenPart takes frames at a rate, with a label for each item and not for each frame")
        margin = round(self.margin_s * windows.rate_hz)
        kept, counts = [], []
        for first, stop in pairwise(windows.offsets.tolist()):
            begin, end = spoken_part(windows.values[first:stop], range_db=self.range_db, margin=margin)
            kept.append(np.arange(first + begin, first + end))
            counts.append(end - begin)
            _warn_of_length((end - begin) / windows.rate_hz, str(windows.recordings[len(counts) - 1]))
        steps = np.concatenate(kept) if kept else np.zeros(0, dtype=np.int64)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return replace(windows, values=windows.values[steps], offsets=offsets, positions=None)
