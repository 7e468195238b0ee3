"""Seizures along a recording, by event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.metrics import Scores, seizure_scores
from biosig_lstm.scoring.seizures import SEIZURE, SeizureEvents, find_seizures
from biosig_lstm.scoring.tasks._task import Events, Part, Task

__all__ = ["EXTENSION", "TASK"]

EXTENSION = "seizures"


class _Seizures(Task):
    """Onset and end of each seizure, by the same stated rule in every recording: `find_seizures` without settings."""

    counted = "seizures"
    estimator = StepClassifier

    def score_one(self, model: StepClassifier, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return the expert's seizures, shape (n, 2) in seconds, and those that were found."""
        marks = recording.annotations
        if not np.isin(marks.labels, model.classes).any():
            raise DataError(f"{recording.id}: neither {' nor '.join(model.classes)} is annotated, nothing to score by")
        seizures = marks[marks.labels == SEIZURE]
        truth = np.column_stack([seizures.starts, seizures.stops]) / recording.fs
        return Part(recording, truth, find_seizures(model, recording))

    def scores(self, model: StepClassifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return sensitivity, precision, F1, false alarms a day and delay of events, and of seconds."""
        recordings = [part.recording for part in parts]
        return seizure_scores(
            [part.truth for part in parts],
            [part.said.spans_s for part in parts],
            [recording.subject for recording in recordings],
            duration_s=[recording.duration_s for recording in recordings],
        )

    def join(self, parts: Sequence[Part]) -> SeizureEvents:
        """Return all seizures that were found, one recording after the other."""
        return SeizureEvents.concatenate([part.said for part in parts])

    def labels(self, model: StepClassifier) -> tuple[str, ...]:  # noqa: ARG002
        """Return the one label that answers have."""
        return (SEIZURE,)

    def nothing(self, model: StepClassifier) -> SeizureEvents:  # noqa: ARG002
        """Return no seizure: what gives a table its header."""
        names, none = np.zeros(0, dtype=np.str_), np.zeros(0)
        return SeizureEvents(names, names, none, none, none)

    def answer(self, model: StepClassifier, recording: Recording, *, annotated: bool) -> SeizureEvents:  # noqa: ARG002
        """Return a row for each seizure that was found."""
        return find_seizures(model, recording)

    def annotations(self, recording: Recording, said: SeizureEvents) -> Mapping[str, Annotations]:
        """Return ``[`` at the onset and ``]`` at the end of each seizure, as CHB-MIT marks them.

        None stands at sample 0, where a mark would be about the file, or beyond the last.
        """
        places = np.rint(said.spans_s.ravel() * recording.fs).astype(np.int64)
        inside = np.clip(places, 1, max(recording.n_samples - 1, 1))
        return {EXTENSION: Annotations(inside, labels=["[", "]"] * len(said))}

    def events(self, recording: Recording, said: SeizureEvents) -> Events:
        """Return each seizure from its onset to its end, with its confidence."""
        edges = np.clip(np.rint(said.spans_s * recording.fs), 0, recording.n_samples).astype(np.int64)
        return Events(Annotations(edges[:, 0], edges[:, 1], said.labels), said.confidence.astype(np.float32))


TASK = _Seizures()
