"""What a task must say of itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from biosig_lstm import datasets
from biosig_lstm._artefacts import BAD, is_bad
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Estimator, MultiLabelPredictions, Predictions
from biosig_lstm.metrics import Scores

__all__ = ["Answers", "Events", "Part", "Task"]

_SHOWN = 10


class Answers(Protocol):
    """What a model said of one recording or of many, as rows of a table."""

    def __len__(self) -> int: ...

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """Label of each row, shape (n,)."""
        ...

    def csv_rows(self, *, header: bool = True) -> str:
        """Return the rows as CSV text."""
        ...

    def to_csv(self, path: str | Path) -> None:
        """Write the rows to a file."""
        ...


class Part(NamedTuple):
    """A scored recording: the expert's truth, in whatever form the task has it, and what the model said."""

    recording: Recording
    truth: Any
    said: Any


class Events(NamedTuple):
    """Answers as stretches and instants of the recording, notes being channels, and the probability of each, or NaN."""

    annotations: Annotations
    probability: npt.NDArray[np.float32] | None = None


class Task(ABC):
    """What protocols and commands must know of a kind of question to put it to a model.

    Attributes
    ----------
    counted : str
        What rows of the answer are called: beats, epochs, recordings.
    can_detect : bool
        Whether a protocol can also be scored on events that the model found by itself.
    takes_sound_files : bool
        Whether long sound goes to the model as an open file, unread, as `Classifier.predict` takes it.
    """

    counted: ClassVar[str] = "items"
    can_detect: ClassVar[bool] = False
    takes_sound_files: ClassVar[bool] = False

    def check(self, model: Estimator) -> None:
        """Refuse a model that does not answer this question.

        Raises
        ------
        ParameterError
            Saying what came and what is wanted.
        """
        if not isinstance(model, self.estimator):
            raise ParameterError(f"{self.counted} need a {self.estimator.__name__}, got a {type(model).__name__}")

    def check_classes(self, model: Estimator, classes: Sequence[str]) -> None:
        """Refuse a model of other classes than those of a protocol: labels that it does not know would not count.

        Raises
        ------
        ParameterError
            Naming those that the model lacks, and those that the protocol lacks.
        """
        lacks, adds = _without(classes, model.classes), _without(model.classes, classes)
        if lacks or adds:
            differs = " and ".join([f"lacks {lacks}"] * bool(lacks) + [f"adds {adds}"] * bool(adds))
            raise ParameterError(f"a model of the protocol's {len(classes)} classes is needed, this one {differs}")

    def of_protocol(self, plan: datasets.Protocol) -> Task:  # noqa: ARG002
        """Return the task as a protocol asks for it."""
        return self

    @property
    @abstractmethod
    def estimator(self) -> type[Estimator]:
        """Kind of model that answers."""

    @abstractmethod
    def score_one(self, model: Any, recording: Recording, *, detected: bool = False) -> Part:
        """Return what the experts and what the model say of a recording of a database.

        Raises
        ------
        DataError
            When the recording has no truth to be scored by.
        """

    @abstractmethod
    def scores(self, model: Any, parts: Sequence[Part], *, detected: bool = False) -> Scores:
        """Return the scores of all parts, with intervals by subject."""

    def truth_and_said(self, parts: Sequence[Part]) -> tuple[npt.NDArray[np.int64], Predictions]:
        """Return the truth of all parts, a class index for each row of predictions, and the predictions."""
        return np.concatenate([part.truth for part in parts]), Predictions.concatenate([part.said for part in parts])

    def join(self, parts: Sequence[Part]) -> Any:
        """Return all answers one after the other."""
        return Predictions.concatenate([part.said for part in parts])

    def labels(self, model: Any) -> tuple[str, ...]:
        """Return the labels that answers may have, in the order in which they are counted."""
        classes: tuple[str, ...] = model.classes
        return classes

    def nothing(self, model: Any) -> Answers:
        """Return answers without a row: what gives a table its header."""
        names, none = np.zeros(0, dtype=np.str_), np.zeros(0)
        classes: tuple[str, ...] = model.classes
        return Predictions(
            names, names, none.astype(np.int64), none, np.zeros((0, len(classes)), np.float32), classes
        )  # fmt: skip

    def answer(self, model: Any, recording: Recording, *, annotated: bool) -> Answers:
        """Return what the model says of any recording.

        Parameters
        ----------
        model : Estimator
            A trained model.
        recording : Recording
            From any source.
        annotated : bool
            Take the positions of beats from the recording's annotations.
        """
        windows = model.pipeline.with_positions("annotated" if annotated else "detected")(recording)
        said: Answers = model.predict(windows).at_rate(recording.fs)
        return said

    def counts(self, said: Answers) -> Counter[str]:
        """Return how many answers there are of each class."""
        return Counter(said.labels.tolist())

    def annotations(self, recording: Recording, said: Any) -> Mapping[str, Annotations]:  # noqa: ARG002
        """Return what is written beside the table for a recording, by the annotation file's extension."""
        return {}

    def write_more(self, said: Any, target: Path) -> None:  # noqa: B027 (most tasks have nothing to add)
        """Write what else there is to say of a recording to files whose names begin with that of `target`."""

    def events(self, recording: Recording, said: Any) -> Events:
        """Return the answers as events, for files other than WFDB's: each over what it is about.

        Windows that were rejected are events too, ``BAD_`` and the reason, of no probability.

        Parameters
        ----------
        recording : Recording
            That they are of.
        said : Answers
            Rows with a label and a place each.
        """
        spans_s = getattr(said, "spans_s", None)
        if spans_s is not None:
            edges = np.clip(np.rint(spans_s * recording.fs), 0, recording.n_samples).astype(np.int64).reshape(-1, 2)
            return Events(Annotations(edges[:, 0], edges[:, 1], said.labels))
        if not isinstance(said, Predictions) or isinstance(said, MultiLabelPredictions):
            return Events(said.annotations(recording.id))
        rows = said.of(recording.id)
        bad = _rejected(rows, recording)
        marks = Annotations(
            np.concatenate([rows.samples, bad.starts]),
            np.concatenate([rows.stops, bad.stops]),
            [*rows.labels.tolist(), *bad.labels.tolist()],
        )
        likely = np.concatenate([rows.probabilities.max(axis=1), np.full(len(bad), np.nan, np.float32)])
        order = np.argsort(np.concatenate([rows.samples, bad.starts]), kind="stable")
        return Events(marks, likely[order])


def _rejected(said: Predictions, recording: Recording) -> Annotations:
    """Return what was rejected as MNE marks it, once for each window and reason."""
    spans = dict.fromkeys((row.start_s, row.stop_s, row.reason) for row in said.rejected)
    edges = np.array([span[:2] for span in spans]).reshape(-1, 2) * recording.fs
    edges = np.clip(np.rint(edges), 0, recording.n_samples).astype(np.int64)
    labels = [reason if is_bad(reason) else BAD + reason for _, _, reason in spans]
    return Annotations(edges[:, 0], edges[:, 1], labels)


def _without(names: Sequence[str], others: Sequence[str]) -> str:
    """Return the names that the others lack, as text; no more than ten."""
    left = [name for name in names if name not in others]
    return " ".join(left[:_SHOWN]) + (f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else "")
