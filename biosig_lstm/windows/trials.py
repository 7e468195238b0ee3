"""Trials: one item for each annotation of the classes, from the cue on."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import even_items, indices, over_bad

__all__ = ["Trials"]


@dataclass(frozen=True)
class Trials(Step):
    """A window for each annotation that bears one of the classes, each an item whose steps are samples.

    Trials that a stretch overlaps whose label begins with ``bad``, as `MarkArtefacts` and MNE have them, are left out;
    `Windows.rejections` says which and why.

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
        of_classes = marks[np.isin(marks.labels, self.classes)]
        chosen = of_classes[of_classes.stops - of_classes.starts >= round(self.least_s * recording.fs)]
        chosen = chosen[chosen.starts + later + width <= recording.n_samples]
        starts = chosen.starts + later
        if not len(of_classes):
            starts = np.arange(later, recording.n_samples - width + 1, width, dtype=np.int64)
        if not len(starts):
            raise DataError(f"{recording.id}: {recording.duration_s:g} s hold no trial of {self.length_s:g} s")
        labels = indices(chosen.labels.tolist(), self.classes) if len(of_classes) else np.full(len(starts), -1)
        made = even_items(recording, starts, width=width, classes=self.classes)
        bad, rejected = over_bad(recording, starts, starts + width, self.classes)
        return replace(replace(made, y=labels).select(~bad), rejected=rejected)
