"""One label for each item, whatever it is: a recording, a window of it, a word."""

from __future__ import annotations

from collections.abc import Sequence

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Classifier
from biosig_lstm.metrics import Scores, class_scores
from biosig_lstm.scoring.tasks._task import Part, Task

__all__ = ["TASK"]


class _Labels(Task):
    """Every item gets a class."""

    counted = "items"
    estimator = Classifier

    def score_one(self, model: Classifier, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return the class index of every item, -1 where there is none, and the predictions."""
        windows = model.pipeline(recording)
        if windows.y is None or not (windows.y >= 0).any():
            raise DataError(f"{recording.id}: no item has a label out of {', '.join(model.classes)}")
        return Part(recording, windows.y, model.predict(windows).at_rate(recording.fs))

    def scores(self, model: Classifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return Se, +P and F1 of each class, accuracy, macro F1 and kappa."""
        truth, said = self.truth_and_said(parts)
        return class_scores(truth, said.index, said.subjects, classes=model.classes)


TASK = _Labels()
