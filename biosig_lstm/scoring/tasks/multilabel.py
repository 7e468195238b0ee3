"""Several labels for each recording: statements of a twelve-lead ECG."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import MultiLabelClassifier, MultiLabelPredictions
from biosig_lstm.metrics import MultiLabelScores, multilabel_scores
from biosig_lstm.scoring.tasks._task import Part, Task

__all__ = ["TASK"]


class _MultiLabel(Task):
    """Every recording gets a probability for each label by itself."""

    counted = "labels"
    estimator = MultiLabelClassifier

    def score_one(self, model: MultiLabelClassifier, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return 1, 0 or -1 for each label of the recording, and the predictions."""
        windows = model.pipeline(recording)
        if windows.y is None or not (windows.y >= 0).any():
            raise DataError(f"{recording.id}: no label, which an evaluation needs")
        return Part(recording, windows.y, model.predict(windows).at_rate(recording.fs))

    def scores(
        self,
        model: MultiLabelClassifier,
        parts: Sequence[Part],
        *,
        detected: bool = False,  # noqa: ARG002
    ) -> MultiLabelScores:
        """Return the macro-AUC and its like, F1 at the model's own thresholds, and those of each class."""
        truth = np.concatenate([part.truth for part in parts])
        said = self.join(parts)
        return multilabel_scores(
            truth, said.probabilities, said.subjects, classes=model.classes, thresholds=model.thresholds
        )

    def nothing(self, model: MultiLabelClassifier) -> MultiLabelPredictions:
        """Return predictions without a row."""
        names, none = np.zeros(0, dtype=np.str_), np.zeros(0)
        rows = np.zeros((0, len(model.classes)), dtype=np.float32)
        return MultiLabelPredictions(
            names, names, none.astype(np.int64), none, rows, model.classes, thresholds=model.thresholds
        )

    def counts(self, said: MultiLabelPredictions) -> Counter[str]:  # type: ignore[override]
        """Return how many recordings bear each label."""
        return Counter(dict(zip(said.classes, said.named.sum(axis=0).tolist(), strict=True)))


TASK = _MultiLabel()
