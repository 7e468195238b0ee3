"""Beats of an ECG to the AAMI classes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.estimators import Estimator, Predictions, StepClassifier
from biosig_lstm.events.beats import outside_flutter
from biosig_lstm.events.quality import signal_quality
from biosig_lstm.metrics import Scores, beat_scores, detected_beat_scores
from biosig_lstm.metrics.beats import AAMI
from biosig_lstm.scoring.tasks._task import Part, Task

__all__ = ["EXTENSION", "TASK"]

EXTENSION = "beats"
MATCH_S = 0.15
_NOISY = 0.2


class _Beats(Task):
    """Every beat gets a class; positions come from the experts or from the package's detector."""

    counted = "beats"
    can_detect = True
    estimator = StepClassifier

    def check_classes(self, model: Estimator, classes: Sequence[str]) -> None:
        """Refuse a model of other classes; warn of one that lacks some, such as Q: beats of those do not count."""
        lacking = [name for name in classes if name not in model.classes]
        if not lacking or not set(model.classes) <= set(classes):
            super().check_classes(model, classes)
            return
        warnings.warn(
            f"the model does not name {' '.join(lacking)}: beats of these classes are not scored, not even as false "
            "alarms of the others",
            BiosigWarning,
            stacklevel=2,
        )

    def score_one(self, model: StepClassifier, recording: Recording, *, detected: bool = False) -> Part:
        """Return the class index of every beat, -1 where the experts gave none, and the predictions."""
        record = recording.id
        if not len(recording.annotations.relabel(AAMI)):
            raise DataError(f"{record}: no beat annotations, which an evaluation needs: is {record}.atr beside it?")
        windows = model.pipeline.with_positions("detected" if detected else "annotated")(recording)
        truth = np.full(len(windows.values), -1) if windows.y is None else windows.y
        return Part(recording, truth, model.predict(windows).at_rate(recording.fs))

    def scores(self, model: StepClassifier, parts: Sequence[Part], *, detected: bool = False) -> Scores:
        """Return Se, +P and F1 of each class; found beats are matched with the experts' within 150 ms."""
        if detected:
            return _detected_scores(parts)
        truth, said = self.truth_and_said(parts)
        return beat_scores(truth, said.index, said.subjects, classes=model.classes)

    def answer(self, model: StepClassifier, recording: Recording, *, annotated: bool) -> Predictions:
        """Return a row for each beat, under a `BiosigWarning` where much of the recording is not usable."""
        pipeline = model.pipeline.with_positions("annotated" if annotated else "detected")
        filtered = pipeline.filter(recording)
        said = model.predict(pipeline.cut(pipeline.find(filtered))).at_rate(recording.fs)
        _warn_of_noise(recording, filtered.channels)
        return said

    def annotations(self, recording: Recording, said: Predictions) -> Mapping[str, Annotations]:
        """Return the beats under their classes."""
        return {EXTENSION: said.annotations(recording.id)}


TASK = _Beats()


def _detected_scores(parts: Sequence[Part]) -> Scores:
    reference = [part.recording.annotations.relabel(AAMI) for part in parts]
    reach = [round(MATCH_S * part.recording.fs) for part in parts]
    found = [
        outside_flutter(
            part.said.annotations(part.recording.id), part.recording.annotations, margin_samples=samples
        )
        for part, samples in zip(parts, reach, strict=True)
    ]  # fmt: skip
    subjects = [part.recording.subject for part in parts]
    return detected_beat_scores(reference, found, subjects, tolerance_samples=reach)


def _warn_of_noise(recording: Recording, leads: Sequence[str]) -> None:
    windows = signal_quality(recording.pick(leads).signals, recording.fs)
    usable = {quality.start for quality in windows if quality.usable}
    starts = {quality.start for quality in windows}
    if len(usable) < (1 - _NOISY) * len(starts):
        why = ", ".join(sorted({quality.reason for quality in windows if quality.start not in usable}))
        warnings.warn(
            f"{recording.id}: no lead is usable in {len(starts - usable)} of {len(starts)} windows of 10 s ({why}): "
            "beats named there mean little",
            BiosigWarning,
            stacklevel=2,
        )
