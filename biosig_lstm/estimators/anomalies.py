"""What was found strange: a score of each window, and the events in which scores exceed the threshold."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, freeze
from biosig_lstm.errors import DataError, options
from biosig_lstm.metrics.anomaly import alarm_events, alarm_scores, anomaly_scores
from biosig_lstm.metrics.result import Scores

__all__ = ["Anomalies", "AnomalyEvent", "AnomalyTruth", "anomaly_report"]

Float64 = npt.NDArray[np.float64]
Strings = npt.NDArray[np.str_]

Bool = npt.NDArray[np.bool_]
Spans = npt.NDArray[np.float64]

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

    @classmethod
    def concatenate(cls, parts: Sequence[Anomalies]) -> Anomalies:
        """Return the windows of several sets one after the other, the threshold being that of the first.

        Raises
        ------
        DataError
            When there is none.
        """
        if not parts:
            raise DataError("no scores came to be joined")
        joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
        return cls(**joined, threshold=parts[0].threshold, merge_s=parts[0].merge_s)

    def spans_s(self) -> dict[str, Spans]:
        """Return where the events of each recording begin and end, shape (n, 2), in seconds."""
        found: dict[str, list[list[float]]] = {name: [] for name in dict.fromkeys(self.recordings.tolist())}
        for event in self.events:
            found[event.recording].append([event.start_s, event.stop_s])
        return {name: np.array(edges, dtype=np.float64).reshape(-1, 2) for name, edges in found.items()}

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

    def csv_rows(self, *, header: bool = True) -> str:
        """Return a row for each event as CSV text: recording, start_s, stop_s, score."""
        return _as_csv([_HEADER] * header, self._rows())

    def window_rows(self) -> str:
        """Return a row for each window as CSV text: recording, start_s, stop_s, score, anomaly (yes or no)."""
        return _as_csv([(*_HEADER, _LABEL)], self._window_rows())

    def _window_rows(self) -> Iterator[list[str]]:
        columns = (self.recordings, self.starts_s, self.stops_s, self.scores, self.is_anomaly)
        for name, start, stop, score, strange in zip(*(column.tolist() for column in columns), strict=True):
            yield [name, f"{start:.3f}", f"{stop:.3f}", f"{score:.4f}", "yes" if strange else "no"]

    def _rows(self) -> Iterator[list[str]]:
        for event in self.events:
            yield [event.recording, f"{event.start_s:.3f}", f"{event.stop_s:.3f}", f"{event.score:.4f}"]

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")


def _as_csv(head: Iterable[Iterable[str]], rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([*head, *rows])
    return text.getvalue()


def _edges(events: list[AnomalyEvent]) -> tuple[list[float], list[float]]:
    return [event.start_s for event in events], [event.stop_s for event in events]


class AnomalyTruth(NamedTuple):
    """What is known of windows; those that are neither strange nor normal are not ranked.

    Attributes
    ----------
    anomalous, normal : np.ndarray of bool [shape=(n,)]
        Which windows are strange, and which are normal.
    events : mapping of str to np.ndarray, optional
        By recording, onset and end of each strange event in seconds, shape (k, 2). None: windows that are strange and
        touch are an event.
    """

    anomalous: Bool
    normal: Bool
    events: Mapping[str, Spans] | None = None

    @classmethod
    def concatenate(cls, parts: Sequence[AnomalyTruth]) -> AnomalyTruth:
        """Return what is known of several sets, one after the other."""
        anomalous, normal = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
        events = {name: spans for part in parts for name, spans in (part.events or {}).items()}
        return cls(anomalous, normal, events if any(part.events is not None for part in parts) else None)


def anomaly_report(said: Anomalies, truth: AnomalyTruth, *, seed: int = 0) -> Scores:
    """Return the scores of what was said of windows, with intervals by subject.

    Parameters
    ----------
    said : Anomalies
        Of one recording or of many.
    truth : AnomalyTruth
        Of the same windows.
    seed : int
        Of the bootstrap over subjects.

    Returns
    -------
    Scores
        As `biosig_lstm.metrics.anomaly_scores` and `alarm_scores` name them.

    Raises
    ------
    DataError
        When there is no normal window or no strange one.
    """
    known = truth.anomalous | truth.normal
    if not truth.anomalous.any() or not truth.normal.any():
        n_strange, n_normal = int(truth.anomalous.sum()), int(truth.normal.sum())
        raise DataError(f"nothing to score: {n_strange} anomalies and {n_normal} normal windows")
    ranked = anomaly_scores(truth.anomalous[known], said.scores[known], said.subjects[known], seed=seed)
    expert = replace(said, scores=truth.anomalous.astype(np.float64), threshold=0.5)
    detected, events = said.spans_s(), expert.spans_s() if truth.events is None else truth.events
    names = list(detected)
    whose = dict(zip(said.recordings.tolist(), said.subjects.tolist(), strict=True))
    lasting = [float(said.stops_s[said.recordings == name].max()) for name in names]
    alarms = alarm_scores(
        [np.minimum(events[name], end) for name, end in zip(names, lasting, strict=True)],
        [np.minimum(detected[name], end) for name, end in zip(names, lasting, strict=True)],
        [whose[name] for name in names],
        duration_s=lasting,
        seed=seed,
    )
    return replace(ranked, metrics={**ranked.metrics, **alarms.metrics})


_COLUMNS = ("recordings", "subjects", "starts_s", "stops_s", "scores")
