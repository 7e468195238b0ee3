"""What is strange along a recording: events, and the score of each window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Anomalies, AnomalyDetector, Estimator
from biosig_lstm.estimators.anomalies import AnomalyTruth, anomaly_report
from biosig_lstm.metrics import Scores
from biosig_lstm.scoring.anomalies import find_anomalies
from biosig_lstm.scoring.tasks._task import Part, Task

__all__ = ["EXTENSION", "TASK", "AnomalyTask", "Strange"]

EXTENSION = "anomalies"
_ANOMALY = "anomaly"


@dataclass(frozen=True)
class Strange:
    """Events of one recording or of many as rows of a table, and the windows that they come of."""

    windows: Anomalies

    def __len__(self) -> int:
        return len(self.windows.events)

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """``anomaly`` for each event, shape (n,)."""
        return np.full(len(self), _ANOMALY)

    @property
    def spans_s(self) -> npt.NDArray[np.float64]:
        """Onset and end of each event, shape (n, 2)."""
        return np.array([[event.start_s, event.stop_s] for event in self.windows.events]).reshape(-1, 2)

    def csv_rows(self, *, header: bool = True) -> str:
        """Return the events as CSV text: recording, start_s, stop_s, score."""
        return self.windows.csv_rows(header=header)

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        self.windows.to_csv(path)


class AnomalyTask(Task):
    """Where a detector alarms, by the threshold that it was given."""

    counted = "events"
    estimator = AnomalyDetector

    def check_classes(self, model: Estimator, classes: Sequence[str]) -> None:
        """Accept any: a detector knows no classes, and whatever a protocol's are is strange."""

    def labels(self, model: AnomalyDetector) -> tuple[str, ...]:  # noqa: ARG002
        """Return the one label that answers have."""
        return (_ANOMALY,)

    def nothing(self, model: AnomalyDetector) -> Strange:
        """Return no event: what gives a table its header."""
        names, none = np.zeros(0, dtype=np.str_), np.zeros(0)
        return Strange(Anomalies(names, names, none, none, none, np.inf, model.merge_s))

    def answer(self, model: AnomalyDetector, recording: Recording, *, annotated: bool) -> Strange:  # noqa: ARG002
        """Return a row for each event that was found."""
        return Strange(find_anomalies(model, recording))

    def annotations(self, recording: Recording, said: Strange) -> Mapping[str, Annotations]:
        """Return ``[`` at the beginning and ``]`` at the end of each event, as flutter is marked.

        None stands at sample 0, where a mark would be about the file, or beyond the last.
        """
        places = np.rint(said.spans_s.ravel() * recording.fs).astype(np.int64)
        inside = np.clip(places, 1, max(recording.n_samples - 1, 1))
        return {EXTENSION: Annotations(inside, labels=["[", "]"] * len(said))}

    def write_more(self, said: Strange, target: Path) -> None:
        """Write ``<recording>-scores.csv``, a row for each window."""
        target.parent.mkdir(parents=True, exist_ok=True)
        path = target.with_name(f"{target.name}-scores.csv")
        path.write_text(said.windows.window_rows(), encoding="utf-8", newline="")

    def score_one(self, model: AnomalyDetector, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return where labels say that something is strange, and what the model says of each window.

        Raises
        ------
        DataError
            When nothing in the recording is labelled, or it cannot be prepared.
        """
        windows = model.pipeline(recording)
        truth = model.truth(windows)
        if not (truth.anomalous | truth.normal).any():
            raise DataError(f"{recording.id}: nothing is labelled, which an evaluation needs")
        return Part(recording, truth, model.predict(windows))

    def scores(self, model: AnomalyDetector, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return ranking of windows, events that were found, false alarms an hour, delay."""
        return anomaly_report(
            Anomalies.concatenate([part.said for part in parts]),
            AnomalyTruth.concatenate([part.truth for part in parts]),
        )

    def join(self, parts: Sequence[Part]) -> Any:
        """Return what was said of all recordings, one after the other."""
        return Strange(Anomalies.concatenate([part.said for part in parts]))


TASK = AnomalyTask()
