"""Evaluate a model by a frozen protocol, on those of its records that are at hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm import datasets
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets import Dataset, Protocol
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Predictions, StepClassifier
from biosig_lstm.events.beats import outside_flutter
from biosig_lstm.metrics import Scores, beat_scores, detected_beat_scores
from biosig_lstm.metrics.beats import AAMI
from biosig_lstm.scoring._output import Failure, reason

__all__ = ["Evaluation", "evaluate_protocol"]

MATCH_S = 0.15


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What a protocol says about a model.

    Parameters
    ----------
    model, protocol : str
        Their names.
    scores : Scores
        Metrics with intervals, and the confusion.
    predictions : Predictions
        Every beat that was named; among found ones those in flutter, which are not scored.
    recordings, absent : tuple of str
        Records that were scored, and records of the protocol's test set that are not at hand.
    seen_in_training : tuple of str
        Scored records whose subject the model was trained on: a score with any of them is no test.
    failed : tuple of Failure
        Records that could not be scored, and why.
    positions : str
        "reference" or "detected".
    seconds : float
        From the first record read to the scores.
    notes : str
        What the protocol's users must know.
    """

    model: str
    protocol: str
    scores: Scores
    predictions: Predictions
    recordings: tuple[str, ...]
    absent: tuple[str, ...]
    seen_in_training: tuple[str, ...]
    failed: tuple[Failure, ...]
    positions: str
    seconds: float
    notes: str = ""

    def __repr__(self) -> str:
        lines = [f"{self.model} by {self.protocol}, positions {self.positions}: {len(self.recordings)} records"]
        if self.absent:
            lines.append(f"absent ({len(self.absent)}): {' '.join(self.absent)}")
        if self.seen_in_training:
            lines.append(f"NO TEST, seen in training ({len(self.seen_in_training)}): {' '.join(self.seen_in_training)}")
        lines.extend(f"failed: {path}: {why}" for path, why in self.failed)
        return "\n".join([*lines, repr(self.scores)])

    def _repr_html_(self) -> str:
        head = repr(self).removesuffix(repr(self.scores)).replace("\n", "<br>")
        return f"<p>{head}</p>{self.scores._repr_html_()}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the single predictions as plain JSON values."""
        said = self.scores.to_dict()
        return {
            "model": self.model,
            "protocol": self.protocol,
            "positions": self.positions,
            "recordings": list(self.recordings),
            "absent": list(self.absent),
            "seen_in_training": list(self.seen_in_training),
            "failed": [failure._asdict() for failure in self.failed],
            **{name: said[name] for name in ("subjects", "items", "metrics", "confusion", "confidence", "per_subject")},
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


def evaluate_protocol(
    model: StepClassifier,
    *,
    root: str | Path | None = None,
    protocol: str = "",
    name: str = "model",
    detected: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Evaluation:
    """Score a model on the test records of a protocol that are at `root`.

    Parameters
    ----------
    model : StepClassifier
        A trained model.
    root : path, optional
        Folder of the database; by default where `biosig_lstm.datasets.get` looks.
    protocol : str, optional
        Name of the protocol; the one that the model was trained by where none is given.
    name : str
        What to call the model in the result.
    detected : bool
        Find the beats by the package's own detector, matched with the expert's within 150 ms, instead of scoring
        the expert's positions; ventricular flutter, where experts mark no beats, is left out.
    announce : callable, optional
        Called with the name of each record before it is read.

    Returns
    -------
    Evaluation
        Where no test record is at hand but training records are, those are scored and marked as seen.

    Raises
    ------
    ParameterError
        When the protocol is not known, or none is given and the model was trained by none.
    DataError
        When none of the protocol's records is at `root`, or none could be scored.
    """
    started = time.perf_counter()
    plan = _plan(model, protocol)
    data = datasets.get(plan.dataset, root)
    chosen = _records(plan, data)
    parts, failed = [], []
    for record in chosen:
        if announce:
            announce(record)
        try:
            parts.append(_score_one(model, data, record=record, detected=detected))
        except Exception as error:  # whatever is wrong with one record, the others are scored
            failed.append(Failure(record, reason(error)))
    if not parts:
        reasons = "; ".join(f"{path}: {why}" for path, why in failed)
        raise DataError(f"none of {len(chosen)} records could be scored: {reasons}")
    said = Predictions.concatenate([part[2] for part in parts])
    return Evaluation(
        model=name,
        protocol=plan.name,
        scores=_detected_scores(parts) if detected else _reference_scores(model, parts, said),
        predictions=said,
        recordings=tuple(part[0].id for part in parts),
        absent=tuple(record for record in plan.test if record not in data.record_names),
        seen_in_training=tuple(part[0].id for part in parts if _was_seen(model, plan, part[0])),
        failed=tuple(failed),
        positions="detected" if detected else "reference",
        seconds=time.perf_counter() - started,
        notes=plan.notes,
    )


Part = tuple[Recording, npt.NDArray[np.int64], Predictions]


def _plan(model: StepClassifier, protocol: str) -> Protocol:
    chosen = protocol or (model.training.protocol if model.training else "")
    if not chosen:
        known = ", ".join(datasets.protocol_names())
        raise ParameterError(f"the model was trained by no protocol: name one to score it by; possible: {known}")
    return datasets.get_protocol(chosen)


def _records(plan: Protocol, data: Dataset) -> tuple[str, ...]:
    held = data.record_names
    for side in (plan.test, plan.train):
        chosen = tuple(record for record in side if record in held)
        if chosen:
            return chosen
    raise DataError(
        f"{plan.name}: none of its {len(plan.test)} test records is in {data.root} "
        f"(it wants {', '.join(plan.test[:4])}, ...); get them from {data.card.address}"
    )


def _score_one(model: StepClassifier, data: Dataset, *, record: str, detected: bool) -> Part:
    (recording,) = data.recordings([record])
    if not len(recording.annotations.relabel(AAMI)):
        raise DataError(f"{record}: no beat annotations, which an evaluation needs: is {record}.atr beside it?")
    windows = model.pipeline.with_positions("detected" if detected else "annotated")(recording)
    truth = np.full(len(windows.values), -1) if windows.y is None else windows.y
    return recording, truth, model.predict(windows)


def _reference_scores(model: StepClassifier, parts: list[Part], said: Predictions) -> Scores:
    truth = np.concatenate([part[1] for part in parts])
    return beat_scores(truth, said.index, said.subjects, classes=model.classes)


def _detected_scores(parts: list[Part]) -> Scores:
    reference: list[Annotations] = [recording.annotations.relabel(AAMI) for recording, _, _ in parts]
    reach = [round(MATCH_S * recording.fs) for recording, _, _ in parts]
    found = [
        outside_flutter(said.annotations(recording.id), recording.annotations, margin_samples=samples)
        for (recording, _, said), samples in zip(parts, reach, strict=True)
    ]
    return detected_beat_scores(
        reference, found, [recording.subject for recording, _, _ in parts], tolerance_samples=reach
    )


def _was_seen(model: StepClassifier, plan: Protocol, recording: Recording) -> bool:
    seen = model.training
    if seen is None or recording.id in seen.recordings:
        return seen is not None
    shared = recording.subject in plan.shared_subjects and recording.id in plan.test
    return recording.subject in seen.subjects and not shared
