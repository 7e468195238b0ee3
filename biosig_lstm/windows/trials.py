"""Trials: one item for each annotation of the classes, from the cue on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import even_items

__all__ = ["Trials"]


@dataclass(frozen=True)
class Trials(Step):
    """A window for each annotation that bears one of the classes, each an item whose steps are samples.

    Parameters
    ----------
    length_s : float [unit=s, > 0]
        Length of a window.
    classes : tuple of str
        Labels of trials; other annotations, such as rest, are no trials.
    start_s : float [unit=s, >= 0]
        Where a window begins after the cue.
    least_s : float [unit=s, >= 0]
        Trials that last less are left out.

    Raises
    ------
    ParameterError
        When a length is out of range, or there is no class.

    Notes
    -----
    A recording without any such annotation is cut end to end, from `start_s` on, into windows without a label.
    """

    kind: ClassVar[str] = "windows"

    length_s: float
    classes: tuple[str, ...]
    start_s: float = 0.0
    least_s: float = 0.0

    def __post_init__(self) -> None:
        if not (0 < self.length_s < math.inf and 0 <= self.start_s < math.inf and self.least_s >= 0 and self.classes):
            raise ParameterError(f"trials need a positive length, no negative times and classes, got {self!r}")

    def __call__(self, recording: Recording) -> Windows:
        """Return an item for each trial that lies inside the recording.

        Raises
        ------
        DataError
            When there is none.
        """
        width, later = max(round(self.length_s * recording.fs), 1), round(self.start_s * recording.fs)
        marks = recording.annotations
        wanted = np.isin(marks.labels, self.classes)
        if not wanted.any():
            starts = np.arange(later, recording.n_samples - width + 1, width, dtype=np.int64)
        else:
            long_enough = marks.stops - marks.starts >= round(self.least_s * recording.fs)
            starts = marks.starts[wanted & long_enough] + later
            starts = starts[starts + width <= recording.n_samples]
        if not len(starts):
            raise DataError(f"{recording.id}: {recording.duration_s:g} s hold no trial of {self.length_s:g} s")
        return even_items(recording, starts, width=width, classes=self.classes)
