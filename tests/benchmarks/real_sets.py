"""Small real sets of sequences, and what a model reaches on them: what comparisons of models share.

Each set is cut down so that a fit takes seconds on one core. Figures are for comparing models that were trained on the
same items, not for what a database allows: recipes train longer, on more, and with augmentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.metrics import confusion_by_subject, f1_score
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import kfold_by_subject
from biosig_lstm.studies._rhythms import narrowed

FOLDS, SEEDS = 3, (0, 1)
TAKES = 8  # of each digit by each speaker
RHYTHMS = 450  # recordings, spread over the database


@dataclass(frozen=True)
class RealSet:
    """A set by name: how it is read, and how a network learns from it."""

    name: str
    database: str
    read: Callable[[Path], Windows]
    settings: dict[str, Any]


def _words(root: Path) -> Windows:
    data = datasets.get("fsdd", root)
    held = [name for name in data.record_names if int(name.rsplit("_", 1)[1]) < TAKES]
    pipeline = bl.Pipeline(
        filters=[bl.Mono(), bl.ResampleSound(8000)],
        windows=bl.WholeRecording(classes=tuple("0123456789")),
        features=[bl.LogMel(low_hz=60), bl.NormalizeUtterance()],
    )
    return pipeline(data.recordings(held))


def _rhythms(root: Path) -> Windows:
    data = datasets.get("cinc2017", root)
    every = max(len(data.record_names) // RHYTHMS, 1)
    return narrowed(recipe_for("cinc2017").pipeline(data.recordings(data.record_names[::every])))


def _nights(root: Path) -> Windows:
    return recipe_for("sleep-edf-features").pipeline(datasets.get("sleep_edf_features", root).recordings())


SETS = (
    RealSet("spoken digits", "fsdd", _words, {"max_epochs": 15, "learning_rate": 3e-3}),
    RealSet("rhythms, beat by beat", "cinc2017", _rhythms, {"max_epochs": 15, "batch_size": 32, "learning_rate": 3e-3}),
    RealSet(
        "nights, epoch by epoch",
        "sleep-edf-features",
        _nights,
        {"max_epochs": 40, "batch_size": 8, "learning_rate": 3e-3, "crop_steps": 300},
    ),
)


def held_sets(root: Path, only: Sequence[str] = ()) -> Iterator[tuple[RealSet, Windows]]:
    """Yield the sets whose databases are folders of `root`, read; `only` those of these databases, if any are named."""
    for one in SETS:
        if (root / one.database).is_dir() and (not only or one.database in only):
            yield one, one.read(root / one.database)


def described(windows: Windows) -> str:
    """Return how many items, subjects and steps there are."""
    lengths = windows.lengths
    subjects = len(set(windows.subjects.tolist()))
    return f"{len(windows)} of {subjects}, {lengths.min()}-{int(np.median(lengths))}-{lengths.max()} steps"


def reached(windows: Windows, model: bl.models.ModelSpec, *, seed: int, settings: dict[str, Any]) -> float:
    """Return the mean F1 over classes of answers on subjects that were not learned from, all folds together."""
    kind = bl.StepClassifier if windows.step_labels else bl.Classifier
    said, truth, subjects = [], [], []
    for train, test in kfold_by_subject(windows, n_splits=FOLDS, seed=0):
        fitted = kind(bl.Pipeline.of_arrays(), model, standardize=bl.Standardize())
        fitted.fit(train, **settings, seed=seed, device="cpu", progress=False)
        rows = fitted.predict(test)
        known = test.y >= 0
        said.append(rows.index[known])
        truth.append(test.y[known])
        subjects.append(rows.subjects[known])
    counts = confusion_by_subject(*map(np.concatenate, (truth, said, subjects)), n_classes=len(windows.classes))[1]
    occurring = counts.sum(axis=(0, 2)) > 0
    return float(np.mean(f1_score(counts.sum(axis=0))[occurring]))
