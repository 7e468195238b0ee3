"""Evaluate a model by a frozen protocol, on those of its records that are at hand."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from biosig_lstm import datasets
from biosig_lstm.containers import Recording
from biosig_lstm.datasets import Dataset, Protocol
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Estimator
from biosig_lstm.metrics import Scores
from biosig_lstm.scoring._output import Announce, Failure, each_or_why, some
from biosig_lstm.scoring.tasks import Part, Task, task

__all__ = ["Evaluation", "evaluate_protocol"]


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What a protocol says about a model.

    Parameters
    ----------
    model, protocol : str
        Their names.
    scores : Scores
        Metrics with intervals, and the confusion.
    predictions : Predictions, or another table
        Every answer, a beat or a recording; among found beats those in flutter too, which are not scored.
    recordings, absent : tuple of str
        Records that were scored, and records of the protocol's test set that are not at hand.
    seen_in_training : tuple of str
        Scored records whose subject the model was trained on: a score with any of them is no test.
    failed : tuple of Failure
        Records that could not be scored, and why.
    positions : str
        Whether events are the experts' ("reference") or found by the package ("detected"); empty where there are none.
    seconds : float
        From the first record read to the scores.
    notes : str
        What the protocol's users must know.
    annotated : tuple of Recording
        What was scored, without signals: what the experts said of it.
    left_out : tuple of str
        Records at hand that are not scored, since the model was trained on their subject, where others are there.
    """

    model: str
    protocol: str
    scores: Scores
    predictions: Any
    recordings: tuple[str, ...]
    absent: tuple[str, ...]
    seen_in_training: tuple[str, ...]
    failed: tuple[Failure, ...]
    positions: str
    seconds: float
    notes: str = ""
    annotated: tuple[Recording, ...] = ()
    left_out: tuple[str, ...] = ()

    def __repr__(self) -> str:
        where = f", positions {self.positions}" if self.positions else ""
        lines = [f"{self.model} by {self.protocol}{where}: {len(self.recordings)} records"]
        if self.absent:
            lines.append(f"absent ({len(self.absent)}): {some(self.absent)}")
        if self.left_out:
            lines.append(f"left out, of people in training ({len(self.left_out)}): {some(self.left_out)}")
        if self.seen_in_training:
            lines.append(f"NO TEST, seen in training ({len(self.seen_in_training)}): {some(self.seen_in_training)}")
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
            "left_out": list(self.left_out),
            "failed": [failure._asdict() for failure in self.failed],
            **said,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


def evaluate_protocol(
    model: Estimator,
    *,
    root: str | Path | None = None,
    protocol: str = "",
    name: str = "model",
    detected: bool = False,
    announce: Announce | None = None,
) -> Evaluation:
    """Score a model on the test records of a protocol that are at `root`.

    Parameters
    ----------
    model : Estimator
        A trained model.
    root : path, optional
        Folder of the database; by default where `biosig_lstm.datasets.get` looks.
    protocol : str, optional
        Name of the protocol; the one that the model was trained by where none is given.
    name : str
        What to call the model in the result.
    detected : bool
        Find the beats by the package's own detector, matched with the expert's within 150 ms, instead of scoring
        the expert's positions; ventricular flutter, where experts mark no beats, is left out. Beats only.
    announce : callable, optional
        Called with the name of each record before it is read.

    Returns
    -------
    Evaluation
        Where no test record is at hand but training records are, those are scored and marked as seen.

    Raises
    ------
    ParameterError
        When the protocol is not known, or none is given and the model was trained by none, or the model does not
        answer what the protocol asks.
    DataError
        When none of the protocol's records is at `root`, or none could be scored.
    """
    started = time.perf_counter()
    plan = _plan(model, protocol)
    asked = _task(plan, model, detected=detected)
    data = datasets.get(plan.dataset, root, **plan.settings)
    plan, held = data.resolve(plan), set(data.record_names)
    seen = _seen_by(model, plan)
    chosen = _records(plan, data, seen)
    failed: list[Failure] = []

    def score(record: str) -> Part:
        (recording,) = data.recordings([record])
        part = asked.score_one(model, recording, detected=detected)
        return part._replace(recording=recording.pick(()))  # days of signals would not fit into memory

    jobs = ((record, record, partial(score, record)) for record in chosen)
    parts = [part for _, part in each_or_why(jobs, failed, announce=announce)]
    if not parts:
        each = (why if why.startswith(f"{path}:") else f"{path}: {why}" for path, why in failed)
        reasons = some(each, between="; ", most=5)
        raise DataError(f"none of {len(chosen)} records could be scored: {reasons}")
    return Evaluation(
        model=name,
        protocol=plan.name,
        scores=asked.scores(model, parts, detected=detected),
        predictions=asked.join(parts),
        recordings=tuple(part.recording.id for part in parts),
        absent=tuple(record for record in plan.test if record not in held),
        seen_in_training=tuple(part.recording.id for part in parts if _was_seen(seen, plan, part.recording)),
        failed=tuple(failed),
        positions=("detected" if detected else "reference") if asked.can_detect else "",
        seconds=time.perf_counter() - started,
        notes=plan.notes,
        annotated=tuple(part.recording for part in parts),
        left_out=tuple(sorted(held.difference(chosen))) if plan.open else (),
    )


def _plan(model: Estimator, protocol: str) -> Protocol:
    chosen = protocol or (model.training.protocol if model.training else "")
    if not chosen:
        known = ", ".join(datasets.protocol_names())
        raise ParameterError(f"the model was trained by no protocol: name one to score it by; possible: {known}")
    return datasets.get_protocol(chosen)


def _task(plan: Protocol, model: Estimator, *, detected: bool) -> Task:
    asked = task(plan.task).of_protocol(plan)
    asked.check(model)
    asked.check_classes(model, plan.classes)
    if detected and not asked.can_detect:
        raise ParameterError(f"{plan.name} is scored on {asked.counted}: there are no beats to be detected")
    return asked


class _Seen(NamedTuple):
    """Whom a model was trained on: records of the protocol's database, and subjects by whatever name."""

    records: frozenset[str]
    subjects: frozenset[str]

    def holds(self, record: str, subject: str) -> bool:
        return record in self.records or subject in self.subjects


def _seen_by(model: Estimator, plan: Protocol) -> _Seen:
    """Return whom the model was trained on; records of another database may have the same names."""
    training = model.training
    if training is None:
        return _Seen(frozenset(), frozenset())
    known = training.protocol in datasets.protocol_names()
    elsewhere = known and datasets.get_protocol(training.protocol).dataset != plan.dataset
    return _Seen(frozenset(() if elsewhere else training.recordings), frozenset(training.subjects))


def _records(plan: Protocol, data: Dataset, seen: _Seen) -> tuple[str, ...]:
    sides = (data.records_of(plan, "test"), data.records_of(plan, "train"))
    unseen = tuple(record for record in sides[0] if not seen.holds(record, data.subject_of(record)))
    for chosen in (unseen if plan.open else (), *sides):
        if chosen:
            return chosen
    wanted = f"{len(plan.test)} test records" if plan.test else "records"
    examples = f" (it wants {', '.join(plan.test[:4])}, ...)" if plan.test else ""
    raise DataError(f"{plan.name}: none of its {wanted} is in {data.root}{examples}; get them from {data.card.address}")


def _was_seen(seen: _Seen, plan: Protocol, recording: Recording) -> bool:
    shared = recording.subject in plan.shared_subjects and recording.id in plan.test
    return recording.id in seen.records or (recording.subject in seen.subjects and not shared)
