"""Episodes of atrial fibrillation along a recording, against an expert's changes of rhythm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Classifier, Estimator
from biosig_lstm.events.rhythms import FIBRILLATION, rhythm_stretches
from biosig_lstm.metrics import Scores
from biosig_lstm.metrics.episodes import episode_scores
from biosig_lstm.scoring.episodes import episodes_of
from biosig_lstm.scoring.tasks._task import Part
from biosig_lstm.scoring.tasks.rhythm import RhythmTask

__all__ = ["TASK"]


class _Episodes(RhythmTask):
    """Onset, end and burden of atrial fibrillation; flutter counts as none."""

    counted = "windows"

    def check_classes(self, model: Estimator, classes: Sequence[str]) -> None:
        """Accept any: a protocol's classes are the rhythms of its database, of which fibrillation alone is scored."""

    def score_one(self, model: Classifier, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return the expert's episodes, and what the model says of each window."""
        if not (np.asarray(recording.annotations.labels) == "+").any():
            raise DataError(f"{recording.id}: no change of rhythm is annotated, which an evaluation needs")
        truth = rhythm_stretches(recording.annotations, n_samples=recording.n_samples, rhythms=(FIBRILLATION,))
        return Part(recording, truth, self.answer(model, recording, annotated=False))

    def scores(self, model: Classifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return sensitivity and positive predictivity of episodes and of their duration, and the burden's error."""
        recordings = [part.recording for part in parts]
        found = [
            episodes_of(part.said, n_samples=r.n_samples, fs=r.fs) for part, r in zip(parts, recordings, strict=True)
        ]
        return episode_scores(
            [part.truth for part in parts],
            [each.episodes for each in found],
            [recording.subject for recording in recordings],
            n_samples=[recording.n_samples for recording in recordings],
            fs=[recording.fs for recording in recordings],
        )


TASK = _Episodes()
