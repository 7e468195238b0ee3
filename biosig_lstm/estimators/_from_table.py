"""A classifier from a table of recordings: checked, validated across subjects, then trained on all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators._kinds import default_pipeline, signal_kind
from biosig_lstm.estimators._sound import SOUND_AUGMENTATION, SOUND_MODEL, sound_pipeline
from biosig_lstm.estimators.predictions import Predictions
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.metrics import Scores, class_scores
from biosig_lstm.models import ConvBiLSTM, ModelSpec
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.splits import kfold_by_subject
from biosig_lstm.tables import Table, read_table
from biosig_lstm.training import FitSettings
from biosig_lstm.windows import Pieces

if TYPE_CHECKING:
    from biosig_lstm.estimators.classifier import Classifier

__all__ = ["Validation", "check_folds", "classifier_from_rows", "classifier_from_table", "prepared", "table_card"]

_WINDOW_S = 30.0
_SETTINGS = FitSettings(max_epochs=30, batch_size=16, learning_rate=3e-3, average_decay=0.98)


@dataclass(frozen=True, repr=False)
class Validation:
    """How models of the same kind did on subjects that they had not seen.

    Parameters
    ----------
    scores : Scores
        Of every recording, named by the model of the fold that it was no part of.
    predictions : Predictions
        A row for each recording; of recordings in several pieces the mean log-probability.
    n_splits : int
        Folds, by subject.
    """

    scores: Scores
    predictions: Predictions
    n_splits: int

    def __repr__(self) -> str:
        return f"{self.n_splits} folds by subject, each recording named by a model of other subjects\n{self.scores!r}"

    def _repr_html_(self) -> str:
        return f"<p>{self.n_splits} folds by subject</p>{self.scores._repr_html_()}"


def classifier_from_table(kind: type[Classifier], path: str | Path, **settings: Any) -> Classifier:
    """Return a trained `Classifier`; see `Classifier.from_table`."""
    return classifier_from_rows(kind, read_table(path), **settings)


def classifier_from_rows(
    kind: type[Classifier],
    table: Table,
    *,
    channels: Sequence[str] | None = None,
    rate_hz: float | None = None,
    window_s: float = _WINDOW_S,
    pipeline: Pipeline | None = None,
    model: ModelSpec | None = None,
    settings: FitSettings | None = None,
    n_splits: int = 5,
    progress: bool = True,
    announce: Callable[[str], None] | None = None,
    **changes: Any,
) -> Classifier:
    """Return a `Classifier` trained on the rows of a table, wherever they were read; parameters of `from_table`."""
    folds = _check_classes(table, n_splits)
    names = [channels] if isinstance(channels, str) else channels
    if pipeline is not None and (names or rate_hz):
        raise ParameterError("channels and rate_hz shape the default pipeline; put Channels and Resample into yours")
    cut = Pieces(window_s, classes=table.classes)
    facts = table.facts(channels=names, rate_hz=rate_hz, alike=pipeline is None, announce=announce)
    sound = pipeline is None and facts.is_sound
    usual: ModelSpec = SOUND_MODEL if sound else ConvBiLSTM()
    if sound:
        prepare = sound_pipeline(facts.fs, windows=cut, channels=names)
    else:
        prepare = pipeline or default_pipeline(facts, windows=cut, rate_hz=rate_hz)
    windows = prepared(table, prepare, announce)
    if windows.classes != table.classes:
        raise ParameterError(
            f"the pipeline's windows know the classes {windows.classes}, the table has {table.classes}: "
            f"give its windows classes={table.classes}"
        )

    def train(part: Windows) -> Classifier:
        fresh = kind(prepare, model or usual, standardize=Standardize(), task="labels")
        augment = SOUND_AUGMENTATION if sound else None
        return fresh.fit(part, settings=settings or _SETTINGS, augment=augment, progress=progress, **changes)

    validation = None
    if folds:
        said = [train(fold).predict(test) for fold, test in kfold_by_subject(windows, n_splits=folds)]
        validation = _validated(Predictions.concatenate(said), table, folds)
    made = train(windows)
    made.validation = validation
    task = f"recordings ({signal_kind(facts)}) to the classes {' '.join(table.classes)}"
    made.card = table_card(table, task, scores=validation.scores if validation else None, n_splits=folds)
    return made


def prepared(table: Table, prepare: Pipeline, announce: Callable[[str], None] | None) -> Windows:
    """Return the items of all rows.

    Raises
    ------
    DataError
        When recordings cannot be prepared: every such row is in the message.
    """
    parts: list[Windows] = []
    problems: list[str] = []
    recordings = table.recordings(channels=prepare.channel_names, announce=announce)
    for row in table.rows:
        with warnings.catch_warnings():  # what is odd about a recording was said when it was looked at
            warnings.simplefilter("ignore", BiosigWarning)
            recording = next(recordings)
        try:
            parts.append(prepare(recording))
        except DataError as error:
            problems.append(f"{table.path.name} line {row.line}: {row.path.name}: {error}")
    if problems:
        listed = "\n  ".join(problems)
        raise DataError(f"{table.path}: {len(problems)} of {len(table)} recordings cannot be prepared:\n  {listed}")
    return Windows.concatenate(parts)


def check_folds(table: Table, n_splits: int) -> int:
    """Return how many folds the subjects allow, at most those asked for.

    Raises
    ------
    ParameterError
        When `n_splits` is 1 or negative.
    DataError
        When there is one subject, and a validation is asked for.
    """
    if n_splits != 0 and n_splits < 2:
        raise ParameterError(f"n_splits must be 2 or more, or 0 for no validation, got {n_splits}")
    if n_splits and len(table.subjects) < 2:
        raise DataError(
            f"{table.path}: all {len(table)} rows are of the subject {table.subjects[0]!r}: how well others are "
            "recognised needs recordings of two subjects or more. Add some; or train without validation (n_splits=0, "
            "--folds 0); or, where the model is for this subject alone, give each recording a subject of its own"
        )
    return min(n_splits, len(table.subjects))


def _check_classes(table: Table, n_splits: int) -> int:
    """Return how many folds the rarest class allows, at most those asked for."""
    if len(table.classes) < 2:
        raise DataError(f"{table.path}: the only label is {table.classes[0]!r}: a classifier needs two classes or more")
    check_folds(table, n_splits)
    few = {name: who for name in table.classes if len(who := table.subjects_of(name)) < 2}
    if few and n_splits:
        listed = "; ".join(f"{name!r} in {who[0]!r} alone" for name, who in few.items())
        raise DataError(
            f"{table.path}: a class of one subject cannot be told from that subject, nor be validated: {listed}. "
            "Add recordings of other subjects, leave the class out, or train without validation (n_splits=0, --folds 0)"
        )
    return min(n_splits, *(len(table.subjects_of(name)) for name in table.classes))


def _validated(said: Predictions, table: Table, n_splits: int) -> Validation:
    merged = _by_recording(said)
    truth = dict(zip(table.ids, (row.label for row in table.rows), strict=True))
    scores = class_scores(
        [truth[name] for name in merged.recordings.tolist()],
        merged.labels.tolist(),
        merged.subjects,
        classes=said.classes,
    )
    return Validation(scores, merged, n_splits)


def _by_recording(said: Predictions) -> Predictions:
    names, first, which = np.unique(said.recordings, return_index=True, return_inverse=True)
    total = np.zeros((len(names), len(said.classes)))
    np.add.at(total, which, said.log_probabilities)
    mean = total / np.bincount(which)[:, None]
    logs = (mean - np.log(np.exp(mean).sum(axis=1, keepdims=True))).astype(np.float32)
    return Predictions(names, said.subjects[first], said.samples[first] * 0, said.fs[first], logs, said.classes)


def table_card(table: Table, task: str, *, scores: Scores | None, n_splits: int) -> dict[str, Any]:
    """Return the card of a model that a table's recordings trained; `scores` are those of its validation, if any."""
    card: dict[str, Any] = {
        "task": task,
        "data": f"{table.path.name}: {len(table)} rows of {len(table.subjects)} subjects",
        "limits": "Research use. Trained on the recordings of one table; says nothing about others unlike them.",
    }
    if scores is not None:
        shown = {name: interval.to_dict() for name, interval in scores.metrics.items()}
        card["validation"] = {"folds": n_splits, "by": "subject", "metrics": shown}
    return card
