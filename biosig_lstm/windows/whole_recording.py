"""The recording as one item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import even_items

__all__ = ["WholeRecording"]


@dataclass(frozen=True)
class WholeRecording(Step):
    """The recording as one item, its steps the samples.

    Parameters
    ----------
    classes : tuple of str
        Labels of recordings: an annotation over the whole recording is its label.
    multi_label : bool
        Whether a recording may bear several labels, an annotation each: it does not bear those that are not among
        them. Where there is no annotation at all, nothing is known.
    """

    kind: ClassVar[str] = "windows"

    classes: tuple[str, ...] = ()
    multi_label: bool = False

    def __call__(self, recording: Recording) -> Windows:
        """Return one item of all samples."""
        if not recording.n_samples:
            raise DataError(f"{recording.id}: the recording holds no samples")
        starts = np.zeros(1, dtype=np.int64)
        return even_items(
            recording, starts, width=recording.n_samples, classes=self.classes, multi_label=self.multi_label
        )
