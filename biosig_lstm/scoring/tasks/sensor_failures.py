"""Sensors that fail at known times: failures are put into the records of a database, always the same ones."""

from __future__ import annotations

import zlib

import numpy as np

from biosig_lstm.augmentation.sensor_failure import KINDS, SensorFailure
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.estimators import Anomalies, AnomalyDetector
from biosig_lstm.estimators.anomalies import AnomalyTruth
from biosig_lstm.scoring.tasks._task import Part
from biosig_lstm.scoring.tasks.anomalies import AnomalyTask

__all__ = ["N_EACH", "TASK", "failed", "failure_truth"]

N_EACH = 4
"""Failures of each kind in a record."""


def failed(recording: Recording) -> Recording:
    """Return a recording with `SensorFailure(n_each=4)`, the same for the same name; its own annotations are left out.

    Raises
    ------
    DataError
        When it is too short for them.
    """
    rng = np.random.default_rng(zlib.crc32(recording.id.encode()))
    return SensorFailure(n_each=N_EACH)(recording.with_annotations(Annotations()), rng)


def failure_truth(said: Anomalies, recording: Recording) -> AnomalyTruth:
    """Return which windows are strange, those with a failure at their middle, and which are normal: wholly without.

    Parameters
    ----------
    said : Anomalies
        Windows of one recording.
    recording : Recording
        With failures, from `failed`.
    """
    marks = recording.annotations
    held = np.isin(marks.labels, KINDS)
    events = np.column_stack([marks.starts[held], marks.stops[held]]) / recording.fs
    begin, end = said.starts_s[:, None], said.stops_s[:, None]
    middle = (begin + end) / 2
    inside = ((middle >= events[:, 0]) & (middle < events[:, 1])).any(axis=1)
    touched = ((begin < events[:, 1]) & (end > events[:, 0])).any(axis=1)
    return AnomalyTruth(np.asarray(inside), np.asarray(~touched), {recording.id: events})


class _SensorFailures(AnomalyTask):
    """Where sensors failed, in windows and events."""

    def score_one(self, model: AnomalyDetector, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return where the sensors of a record were made to fail, and what the model says of each window."""
        broken = failed(recording)
        said = model.predict(broken)
        return Part(broken, failure_truth(said, broken), said)


TASK = _SensorFailures()
