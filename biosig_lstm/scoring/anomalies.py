"""What is strange along a recording of any length, as a detector says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from biosig_lstm.containers import Recording
from biosig_lstm.estimators import Anomalies, AnomalyDetector
from biosig_lstm.windows import FixedLength

__all__ = ["LONGEST_S", "find_anomalies"]

LONGEST_S = 4 * 3600.0
"""Longer recordings are prepared and read in pieces of at most this length."""


def find_anomalies(model: AnomalyDetector, recording: Recording) -> Anomalies:
    """Return the score of each window, or step, of a recording, and the events in which it exceeds the threshold.

    Parameters
    ----------
    model : AnomalyDetector
        Trained, with its threshold.
    recording : Recording
        Of any length; its annotations are not looked at, except by a preparation that takes beats from them.

    Raises
    ------
    DataError
        When the recording cannot be prepared for the model.

    Notes
    -----
    Recordings of more than four hours are read in equal pieces, so that what is made of them on the way stays small.
    What is usual in a recording is then what is usual in the piece. Windows of one length lie where they would without
    pieces; what stands around events that the preparation finds may be cut at the edge of one.
    """
    parts = []
    for start_s, piece in _pieces(model, recording):
        part = model.predict(piece)
        parts.append(replace(part, starts_s=part.starts_s + start_s, stops_s=part.stops_s + start_s))
    return Anomalies.concatenate(parts)


def _pieces(model: AnomalyDetector, recording: Recording) -> Iterator[tuple[float, Recording]]:
    """Yield where pieces begin, in seconds, and the pieces; each reaches as far as its last window."""
    if recording.duration_s <= LONGEST_S:
        yield 0.0, recording
        return
    step_s, overlap_s = _layout(model)
    n_pieces = math.ceil(recording.duration_s / LONGEST_S)
    length_s = math.ceil(recording.duration_s / n_pieces / step_s) * step_s
    for k in range(n_pieces):
        stop_s = min((k + 1) * length_s + overlap_s, recording.duration_s)
        yield k * length_s, recording.crop(start_s=k * length_s, stop_s=stop_s)


def _layout(model: AnomalyDetector) -> tuple[float, float]:
    """Return the time from window to window, and by how much the longest overlaps the next."""
    windows = model.pipeline.windows
    if not isinstance(windows, FixedLength):
        return 1.0, 0.0
    step_s = windows.step_s or windows.length_s
    return step_s, max(windows.length_s - step_s, 0.0)
