"""The recording as one item, with the text of what is said in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.steps import Step
from biosig_lstm.windows._common import even_items

__all__ = ["TRANSCRIPT", "Utterance", "transcript_of"]

TRANSCRIPT = "transcript"
"""Label of the annotation whose note is what is said over its stretch."""


@dataclass(frozen=True)
class Utterance(Step):
    """The recording as one item, its steps the samples, and its text, where it has a transcript.

    Parameters
    ----------
    label : str
        Annotations of this label have the text as their notes: one over the whole recording, or one for each of its
        stretches. Empty: the labels of all annotations are the text, such as the phones of a segmentation.

    Examples
    --------
    >>> from biosig_lstm.containers import Annotations
    >>> marks = Annotations([0], [800], ["transcript"], ["yes no"])
    >>> said = Recording(np.zeros((1, 800)), 8000, ["sound"], [""], id="a", annotations=marks)
    >>> Utterance()(said).texts.tolist()
    ['yes no']
    """

    kind: ClassVar[str] = "windows"

    label: str = TRANSCRIPT

    def __call__(self, recording: Recording) -> Windows:
        """Return one item of all samples.

        Raises
        ------
        DataError
            When the recording holds no samples.
        """
        if not recording.n_samples:
            raise DataError(f"{recording.id}: the recording holds no samples")
        whole = even_items(recording, np.zeros(1, dtype=np.int64), width=recording.n_samples, classes=())
        text = transcript_of(recording, label=self.label)
        return whole if text is None else replace(whole, texts=np.array([text], dtype=np.str_))


def transcript_of(recording: Recording, *, label: str = TRANSCRIPT) -> str | None:
    """Return what is said in a recording: its annotations' texts in order, a space between; None where there is none.

    Parameters
    ----------
    recording : Recording
        With annotations, or without.
    label : str
        As of `Utterance`.
    """
    marks = recording.annotations
    texts = marks.notes[marks.labels == label] if label else marks.labels
    return " ".join(text for text in texts.tolist() if text) if len(texts) else None
