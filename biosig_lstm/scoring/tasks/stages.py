"""Sleep stages of the epochs of a night."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from biosig_lstm._artefacts import is_bad
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.estimators import Predictions, StepClassifier
from biosig_lstm.metrics import Scores, stage_scores
from biosig_lstm.scoring.tasks._task import Events, Part, Task

__all__ = ["EXTENSION", "TASK"]

EXTENSION = "stage"
_MOSTLY, _MANY, _SHOWN = 0.5, 0.2, 6


class _Stages(Task):
    """Every epoch gets a stage; beats, where the model goes by them, are the experts' or the detector's.

    Epochs in which a channel that the model takes by name holds no value get a stage too, by the epochs around them; a
    `BiosigWarning` names them.
    """

    counted = "epochs"
    can_detect = True
    estimator = StepClassifier

    def score_one(self, model: StepClassifier, recording: Recording, *, detected: bool = False) -> Part:
        """Return the stage index of every epoch, -1 where nobody staged it, and the predictions."""
        _warn_of_lost_epochs(model, recording)
        windows = model.pipeline.with_positions("detected" if detected else "annotated")(recording)
        if windows.y is None or not (windows.y >= 0).any():
            raise DataError(f"{recording.id}: no epoch bears one of the stages {' '.join(model.classes)}")
        return Part(recording, windows.y, model.predict(windows).at_rate(recording.fs))

    def scores(self, model: StepClassifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return accuracy, macro F1 and kappa of the stages and of W, N, R; the beats change nothing in how."""
        truth, said = self.truth_and_said(parts)
        return stage_scores(truth, said.index, said.subjects, classes=model.classes)

    def answer(self, model: StepClassifier, recording: Recording, *, annotated: bool) -> Predictions:
        """Return a row for each epoch, under a `BiosigWarning` where beats of many or the signal of any are unknown."""
        _warn_of_lost_epochs(model, recording)
        windows = model.pipeline.with_positions("annotated" if annotated else "detected")(recording)
        _warn_of_gaps(windows, recording.id)
        return model.predict(windows).at_rate(recording.fs)

    def annotations(self, recording: Recording, said: Predictions) -> Mapping[str, Annotations]:
        """Return a note where each epoch begins, with its stage as the text.

        As in the MIT-BIH Polysomnographic Database the first stands at sample 1: a note at sample 0 is about the file.
        """
        starts = np.maximum(np.rint(said.times_s * recording.fs).astype(np.int64), 1)
        notes = said.labels.tolist()
        return {EXTENSION: Annotations(starts, labels=['"'] * len(starts), notes=notes)}

    def events(self, recording: Recording, said: Predictions) -> Events:
        """Return every epoch in the words of EDF+, as ``Sleep stage N2``."""
        marks, likely = super().events(recording, said)
        said_so = [text if is_bad(text) else f"Sleep stage {text}" for text in marks.labels.tolist()]
        return Events(marks.with_labels(said_so), likely)


TASK = _Stages()


def _warn_of_gaps(windows: Windows, name: str) -> None:
    if "known" not in windows.columns:
        return
    known = windows.values[:, windows.columns.index("known")]
    unknown = int(np.count_nonzero(known < _MOSTLY))
    if unknown > _MANY * len(known):
        warnings.warn(
            f"{name}: in {unknown} of {len(known)} epochs most of the time lies in no plausible RR interval: "
            "stages told there mean little",
            BiosigWarning,
            stacklevel=2,
        )


def _warn_of_lost_epochs(model: StepClassifier, recording: Recording) -> None:
    wanted = {name.strip().casefold() for name in model.pipeline.channel_names}
    length_s = getattr(model.pipeline.windows, "length_s", None)
    if not wanted or length_s is None:
        return
    width = max(round(length_s * recording.fs), 1)
    n_epochs = recording.n_samples // width
    for name, row in zip(recording.channels, recording.signals, strict=True):
        lost = np.isnan(row[: n_epochs * width]).reshape(n_epochs, width).all(axis=1)
        if name.strip().casefold() in wanted and lost.any() and not lost.all():
            times = [f"{length_s * k:g}" for k in np.flatnonzero(lost)]
            shown = ", ".join(times[:_SHOWN]) + (", ..." if len(times) > _SHOWN else "")
            warnings.warn(
                f"{recording.id}: {name} holds no value in {len(times)} of {n_epochs} epochs, at {shown} s: "
                "their stages are told from the epochs around them",
                BiosigWarning,
                stacklevel=2,
            )
