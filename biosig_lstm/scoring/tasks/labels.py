"""One label for each item, whatever it is: a recording, a window of it, a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from biosig_lstm.containers import Recording
from biosig_lstm.datasets import Protocol
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Classifier, Estimator
from biosig_lstm.metrics import Scores, label_scores
from biosig_lstm.scoring.tasks._task import Part, Task

__all__ = ["TASK"]


@dataclass(frozen=True)
class _Labels(Task):
    """Every item gets a class.

    Parameters
    ----------
    merged : mapping of str to mapping of str to str
        Fewer classes that the answers are scored in as well, see `label_scores`.
    """

    counted: ClassVar[str] = "items"
    takes_sound_files: ClassVar[bool] = True
    estimator: ClassVar[type[Estimator]] = Classifier

    merged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of_protocol(self, plan: Protocol) -> Task:
        """Return the task with the protocol's fewer classes."""
        return _Labels(plan.merged)

    def score_one(self, model: Classifier, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return the class index of every item, -1 where there is none, and the predictions."""
        windows = model.pipeline(recording)
        if windows.y is None or not (windows.y >= 0).any():
            raise DataError(f"{recording.id}: no item has a label out of {', '.join(model.classes)}")
        return Part(recording, windows.y, model.predict(windows).at_rate(recording.fs))

    def scores(self, model: Classifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return Se, +P and F1 of each class, accuracy, balanced accuracy, macro F1 and kappa, of two classes AUC."""
        truth, said = self.truth_and_said(parts)
        return label_scores(truth, said.probabilities, said.subjects, classes=model.classes, merged=self.merged)


TASK = _Labels()
