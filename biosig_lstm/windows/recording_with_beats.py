"""The recording as one item that knows where its beats are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import even_items

__all__ = ["BEAT_COLUMN", "RecordingWithBeats"]

BEAT_COLUMN = "beat"


@dataclass(frozen=True)
class RecordingWithBeats(Step):
    """The recording as one item, its steps the samples, with a last column that is 1 at each beat and 0 elsewhere.

    Parameters
    ----------
    classes : tuple of str
        Labels of recordings: an annotation over the whole recording is its label.
    beat : str
        Label of the annotations that are beats, as `biosig_lstm.events.RPeaks` sets it.
    """

    kind: ClassVar[str] = "windows"

    classes: tuple[str, ...] = ()
    beat: str = "QRS"

    def __call__(self, recording: Recording) -> Windows:
        """Return one item of all samples.

        Raises
        ------
        DataError
            When the recording holds no samples, or a channel has the name of the last column.
        """
        if not recording.n_samples:
            raise DataError(f"{recording.id}: the recording holds no samples")
        if BEAT_COLUMN in recording.channels:
            raise DataError(f"{recording.id}: a channel is called {BEAT_COLUMN!r}, as the column that marks beats is")
        start = np.zeros(1, dtype=np.int64)
        item = even_items(recording, start, width=recording.n_samples, classes=self.classes)
        marks = recording.annotations
        at = np.asarray(marks.starts)[np.asarray(marks.labels) == self.beat]
        beats = np.zeros((recording.n_samples, 1), dtype=np.float32)
        beats[at] = 1
        values = np.concatenate([item.values, beats], axis=1)
        return item.with_values(values, columns=[*recording.channels, BEAT_COLUMN])
