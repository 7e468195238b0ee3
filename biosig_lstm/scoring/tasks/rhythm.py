"""The rhythm of a recording: normal, atrial fibrillation, other or noise; along a long one, and its episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Classifier, Estimator, Predictions
from biosig_lstm.events.rhythms import rhythm_changes
from biosig_lstm.metrics import Scores
from biosig_lstm.metrics.rhythm import CINC2017_CLASSES, cinc2017_scores
from biosig_lstm.scoring.episodes import LONGEST_S, episodes_of, rhythm_along
from biosig_lstm.scoring.tasks._task import Events, Part, Task

__all__ = ["EXTENSION", "TASK", "RhythmTask"]

EXTENSION = "rhythm"


class RhythmTask(Task):
    """Every recording of up to a minute gets a class; longer ones are read in windows of 30 s, one every 10 s."""

    counted = "windows"
    estimator = Classifier

    def check(self, model: Estimator) -> None:
        """Refuse a model of other classes."""
        super().check(model)
        if tuple(model.classes) != CINC2017_CLASSES:
            raise ParameterError(f"rhythms are {' '.join(CINC2017_CLASSES)}, the model has {' '.join(model.classes)}")

    def score_one(self, model: Classifier, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return the class index of the recording and what the model says of it as a whole."""
        marks = recording.annotations
        known = [label for label in marks.labels.tolist() if label in CINC2017_CLASSES]
        if len(known) != 1:
            raise DataError(f"{recording.id}: one label out of {' '.join(CINC2017_CLASSES)} is needed, got {known}")
        said = rhythm_along(model, recording, window_s=recording.duration_s)
        return Part(recording, np.array([CINC2017_CLASSES.index(known[0])]), said)

    def scores(self, model: Classifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return F1 of each class, and the challenge's mean of the first three."""
        truth, said = self.truth_and_said(parts)
        return cinc2017_scores(truth, said.index, said.subjects)

    def answer(self, model: Classifier, recording: Recording, *, annotated: bool) -> Predictions:  # noqa: ARG002
        """Return one row for the recording, or one for each window of a long one."""
        whole = recording.duration_s <= LONGEST_S
        return (
            rhythm_along(model, recording, window_s=recording.duration_s) if whole else rhythm_along(model, recording)
        )

    def annotations(self, recording: Recording, said: Predictions) -> Mapping[str, Annotations]:
        """Return the episodes of fibrillation of a long recording as changes of rhythm."""
        if recording.duration_s <= LONGEST_S:
            return {}
        found = episodes_of(said, n_samples=recording.n_samples, fs=recording.fs)
        return {EXTENSION: rhythm_changes(found.episodes, n_samples=recording.n_samples)}

    def events(self, recording: Recording, said: Predictions) -> Events:
        """Return the rhythm of a short recording over the whole of it, of a long one the episodes of fibrillation."""
        if recording.duration_s > LONGEST_S:
            found = episodes_of(said, n_samples=recording.n_samples, fs=recording.fs).episodes
            return Events(found.with_labels([label.removeprefix("(") for label in found.labels.tolist()]))
        whole = Annotations([0], [recording.n_samples], said.labels[:1])
        return Events(whole, said.probabilities.max(axis=1)[:1])


TASK = RhythmTask()
