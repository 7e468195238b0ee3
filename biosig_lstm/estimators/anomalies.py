"""What was found strange: a score of each window, and the events in which scores exceed the threshold."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, freeze
from biosig_lstm.errors import DataError, options
from biosig_lstm.metrics.anomaly import alarm_events

__all__ = ["Anomalies", "AnomalyEvent"]

Float64 = npt.NDArray[np.float64]
Strings = npt.NDArray[np.str_]

_HEADER = ("recording", "start_s", "stop_s", "score")
_SHOWN = 10
_LABEL = "anomaly"


@dataclass(frozen=True)
class AnomalyEvent:
    """A stretch that was found strange.

    Parameters
    ----------
    recording : str
        Where.
    start_s, stop_s : float [unit=s]
        From the first to the end of the last of its windows.
    score : float
        The highest of its windows.
    """

    recording: str
    start_s: float
    stop_s: float
    score: float


@dataclass(frozen=True, eq=False, repr=False)
class Anomalies:
    """Scores of windows, or of steps where these are scored, in order.

    Parameters
    ----------
    recordings, subjects : np.ndarray of str [shape=(n,)]
        Which recording each window is of, and whose.
    starts_s, stops_s : np.ndarray [shape=(n,), unit=s]
        Where it lies.
    scores : np.ndarray [shape=(n,)]
        The higher, the stranger.
    threshold : float
        What exceeds it alarms.
    merge_s : float [unit=s]
        Windows no further apart are one event.
    """

    recordings: Strings
    subjects: Strings
    starts_s: Float64
    stops_s: Float64
    scores: Float64
    threshold: float
    merge_s: float = 0.0

    def __post_init__(self) -> None:
        for name in ("recordings", "subjects", "starts_s", "stops_s", "scores"):
            object.__setattr__(self, name, freeze(np.asarray(getattr(self, name))))
            if len(getattr(self, name)) != len(self.scores):
                raise DataError(f"{name} must be one for each of {len(self.scores)} scores")

    def __len__(self) -> int:
        return len(self.scores)

    def __repr__(self) -> str:
        found = self.events
        lines = [f"  {e.recording}: {e.start_s:.1f} to {e.stop_s:.1f} s, score {e.score:.2f}" for e in found[:_SHOWN]]
        more = [f"  and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
        head = f"Anomalies({len(self)} windows, {len(found)} events above {self.threshold:.2f})"
        return "\n".join([head, *lines, *more])

    @property
    def is_anomaly(self) -> npt.NDArray[np.bool_]:
        """Which windows exceed the threshold, shape (n,)."""
        return self.scores > self.threshold

    @property
    def events(self) -> tuple[AnomalyEvent, ...]:
        """Stretches in which scores exceed the threshold, by recording and time."""
        made = alarm_events(
            self.scores,
            self.starts_s,
            self.stops_s,
            threshold=self.threshold,
            recordings=self.recordings,
            merge_s=self.merge_s,
        )
        rows = zip(
            self.recordings[made.rows].tolist(),
            made.starts_s.tolist(),
            made.stops_s.tolist(),
            made.peaks.tolist(),
            strict=True,
        )
        return tuple(AnomalyEvent(*row) for row in rows)

    def of(self, recording: str) -> Anomalies:
        """Return what was found in one recording.

        Raises
        ------
        DataError
            When there is none of that name.
        """
        chosen = self.recordings == recording
        if not chosen.any():
            raise DataError(f"no recording {options(recording, set(self.recordings.tolist()))}")
        parts: dict[str, Any] = {name: getattr(self, name)[chosen] for name in _COLUMNS}
        return Anomalies(**parts, threshold=self.threshold, merge_s=self.merge_s)

    def annotations(self, recording: str, *, fs: float) -> Annotations:
        """Return the events of one recording as stretches labelled ``anomaly``, in samples of a rate."""
        found = [event for event in self.events if event.recording == recording]
        starts, stops = ([round(at * fs) for at in edges] for edges in _edges(found))
        return Annotations(starts, stops, [_LABEL] * len(found), [f"{event.score:.3f}" for event in found])

    def csv_rows(self) -> str:
        """Return a row for each event as CSV text: recording, start_s, stop_s, score."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_HEADER)
        writer.writerows(self._rows())
        return text.getvalue()

    def _rows(self) -> Iterator[list[str]]:
        for event in self.events:
            yield [event.recording, f"{event.start_s:.3f}", f"{event.stop_s:.3f}", f"{event.score:.4f}"]

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")


def _edges(events: list[AnomalyEvent]) -> tuple[list[float], list[float]]:
    return [event.start_s for event in events], [event.stop_s for event in events]


_COLUMNS = ("recordings", "subjects", "starts_s", "stops_s", "scores")
