"""Evaluate a model on a BIDS tree, on people that it has not seen."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from biosig_lstm.containers import Recording
from biosig_lstm.datasets import BidsDataset, open_bids
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.estimators import Estimator
from biosig_lstm.estimators._from_bids import labelled_items
from biosig_lstm.scoring._output import Announce, Failure, each_or_why, some
from biosig_lstm.scoring.protocol import Evaluation
from biosig_lstm.scoring.tasks import Part, task_of

__all__ = ["evaluate_bids"]

_Item = tuple[str, str, Callable[[], Recording]]


def evaluate_bids(
    model: Estimator,
    root: str | Path,
    label: str = "trial_type",
    *,
    types: Sequence[str] = (),
    stretch_s: tuple[float, float] | None = None,
    name: str = "model",
    announce: Announce | None = None,
) -> Evaluation:
    """Score a model on a BIDS tree.

    Parameters
    ----------
    model : Estimator
        A trained model.
    root, label, types : optional
        As of `biosig_lstm.datasets.open_bids`.
    stretch_s : (float, float) [unit=s], optional
        Stretch of each event that is looked at, from its onset; the event itself by default.
    name : str
        What to call the model in the result.
    announce : callable, optional
        Called with the name of each recording before it is read.

    Returns
    -------
    Evaluation
        Of people that the model has not seen; where it has seen all of them, of all, marked as seen. A model of steps
        reads whole recordings, another the labelled recordings or events, those with one of its labels.

    Raises
    ------
    DataError
        When nothing could be scored.
    ParameterError
        When no table has the column, or events are instants and no stretch is given.

    Warns
    -----
    BiosigWarning
        When people are left out since the model was trained on somebody of the same name.
    """
    started = time.perf_counter()
    asked = task_of(model)
    asked.check(model)
    data = open_bids(root, label, types=types)
    seen = set(model.training.subjects) if model.training else set()
    unseen = set(data.subjects.values()) - seen
    _warn_of_seen(data, seen if unseen else set())
    failed: list[Failure] = []

    def score(read: Callable[[], Recording]) -> Part:
        part = asked.score_one(model, read())
        return part._replace(recording=part.recording.pick(()))

    items = [item for item in _items(model, data, stretch_s) if not unseen or item[1] in unseen]
    jobs = ((item, item, partial(score, read)) for item, _, read in items)
    parts = [part for _, part in each_or_why(jobs, failed, announce=announce)]
    if not parts:
        reasons = some((f"{path}: {why}" for path, why in failed), between="; ", most=5)
        raise DataError(f"{data.root}: nothing could be scored: {reasons or 'no recording has a label'}")
    return Evaluation(
        model=name,
        protocol=f"{data.name}, {label}",
        scores=asked.scores(model, parts),
        predictions=asked.join(parts),
        recordings=tuple(part.recording.id for part in parts),
        absent=(),
        seen_in_training=tuple(part.recording.id for part in parts if part.recording.subject in seen),
        failed=tuple(failed),
        positions="",
        seconds=time.perf_counter() - started,
    )


def _items(model: Estimator, data: BidsDataset, stretch_s: tuple[float, float] | None) -> list[_Item]:
    """Return the name of each recording or event, whose it is, and what reads it."""
    if model.per_step:
        read = partial(data.read, channels=model.pipeline.channel_names)
        return [(record, data.subject_of(record), partial(read, record)) for record in data.record_names]
    known = tuple(name for name in model.classes if name in data.classes)
    if not known:
        raise DataError(
            f"{data.root}: no label is one of {' '.join(model.classes)}, there are {' '.join(data.classes)}"
        )
    table = labelled_items(data, classes=known, stretch_s=stretch_s)
    channels = model.pipeline.channel_names
    return [
        (name, row.subject, partial(table.read, row, name, channels))
        for row, name in zip(table.rows, table.ids, strict=True)
    ]


def _warn_of_seen(data: BidsDataset, seen: set[str]) -> None:
    left_out = sorted(seen & set(data.subjects.values()))
    if left_out:
        warnings.warn(
            f"{data.root}: left out {some(left_out, between=', ', most=8)}: the model was trained on people of these "
            "names; in another tree they may be others, whose folders need names of their own to be scored",
            BiosigWarning,
            stacklevel=3,
        )
