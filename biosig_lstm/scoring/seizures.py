"""Seizures along a recording: what a model says of each step, and the events that come of it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording, freeze
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.estimators import Predictions, StepClassifier

__all__ = ["LONGEST_S", "SEIZURE", "SeizureEvents", "find_seizures", "seizure_probabilities", "seizures_of"]

SEIZURE = "seizure"
"""Class of the model, and label of what is found."""

LONGEST_S = 4 * 3600.0
"""Longer recordings are prepared and read in pieces of at most this length."""

Float64 = npt.NDArray[np.float64]
Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False, repr=False)
class SeizureEvents:
    """A row for each seizure that was found.

    Parameters
    ----------
    recordings, subjects : np.ndarray of str [shape=(n,)]
        Where it is and whose.
    onsets_s, ends_s : np.ndarray of float [shape=(n,), unit=s]
        From the start of the recording.
    confidence : np.ndarray of float [shape=(n,), range=[0, 1]]
        Mean of the smoothed probability over the event.
    """

    recordings: Strings
    subjects: Strings
    onsets_s: Float64
    ends_s: Float64
    confidence: Float64

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, freeze(np.asarray(getattr(self, field.name))))
        lengths = {field.name: len(getattr(self, field.name)) for field in fields(self)}
        if len(set(lengths.values())) > 1:
            raise DataError(f"seizures need one of each for every row, got {lengths}")

    def __len__(self) -> int:
        return len(self.onsets_s)

    def __repr__(self) -> str:
        times = zip(self.recordings.tolist(), self.onsets_s.tolist(), self.ends_s.tolist(), strict=True)
        shown = ", ".join(f"{name} {onset:.0f}-{end:.0f} s" for name, onset, end in list(times)[:8])
        more = ", ..." if len(self) > 8 else ""
        return f"SeizureEvents({len(self)}{': ' if len(self) else ''}{shown}{more})"

    @property
    def labels(self) -> Strings:
        """``seizure`` for each row, shape (n,)."""
        return np.full(len(self), SEIZURE)

    @property
    def durations_s(self) -> Float64:
        """Length of each, shape (n,)."""
        return self.ends_s - self.onsets_s

    @property
    def spans_s(self) -> Float64:
        """Onset and end of each, shape (n, 2), as `biosig_lstm.metrics.seizure_scores` takes them."""
        return np.column_stack([self.onsets_s, self.ends_s])

    def csv_rows(self, *, header: bool = True) -> str:
        """Return the rows as CSV text: recording, onset_s, duration_s, label, confidence."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            writer.writerow(["recording", "onset_s", "duration_s", "label", "confidence"])
        columns = (self.recordings.tolist(), self.onsets_s.tolist(), self.durations_s.tolist())
        for name, onset, length, sure in zip(*columns, self.confidence.tolist(), strict=True):
            writer.writerow([name, f"{onset:.3f}", f"{length:.3f}", SEIZURE, f"{sure:.4f}"])
        return text.getvalue()

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of several sets one after the other."""
        joined: dict[str, Any] = {
            f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)
        }
        return cls(**joined)


def find_seizures(
    model: StepClassifier,
    recording: Recording,
    *,
    threshold: float = 0.5,
    smooth_s: float = 10.0,
    shortest_s: float = 6.0,
) -> SeizureEvents:
    """Find the seizures in a recording of any length.

    Parameters
    ----------
    model : StepClassifier
        Of steps of equal length, with a class ``seizure``.
    recording : Recording
        With the channels that the model was trained on.
    threshold, smooth_s, shortest_s
        As in `seizures_of`.

    Returns
    -------
    SeizureEvents
        In order of time; onsets and ends are multiples of the model's step.

    Raises
    ------
    ParameterError
        When the model has no class ``seizure`` or its steps have no length, or as `seizures_of`.
    DataError
        When the recording cannot be prepared for the model.
    """
    said = seizure_probabilities(model, recording)
    step_s = 1 / (model.rate_hz or math.inf)
    return seizures_of(said, step_s=step_s, threshold=threshold, smooth_s=smooth_s, shortest_s=shortest_s)


def seizure_probabilities(model: StepClassifier, recording: Recording) -> Predictions:
    """Return what a model says of each step of a recording, at the recording's own rate; see `find_seizures`.

    Notes
    -----
    Recordings of more than four hours are prepared and read in equal pieces, so that what is made of them on the way
    stays small. What a preparation takes from the whole of a recording, such as its usual amplitude, is then the
    piece's, and the network does not look from one piece into the next.
    """
    if SEIZURE not in model.classes:
        raise ParameterError(f"class to find {options(SEIZURE, model.classes)}")
    if not model.rate_hz:
        raise ParameterError(f"steps must be of equal length to be seizures, those of {model!r} are not")
    parts = []
    for start, piece in _pieces(recording, step_s=1 / model.rate_hz):
        part = model.predict(model.pipeline(piece)).at_rate(recording.fs)
        parts.append(replace(part, samples=part.samples + start))
    return Predictions.concatenate(parts)


def _pieces(recording: Recording, *, step_s: float) -> Iterator[tuple[int, Recording]]:
    """Yield first sample and piece, each but the last a whole number of steps long."""
    n_pieces = max(math.ceil(recording.duration_s / LONGEST_S), 1)
    length_s = math.ceil(recording.duration_s / n_pieces / step_s) * step_s
    for k in range(n_pieces):
        stop_s = recording.duration_s if k == n_pieces - 1 else (k + 1) * length_s
        piece = recording if n_pieces == 1 else recording.crop(start_s=k * length_s, stop_s=stop_s)
        yield round(k * length_s * recording.fs), piece


def seizures_of(
    said: Predictions, *, step_s: float, threshold: float = 0.5, smooth_s: float = 10.0, shortest_s: float = 6.0
) -> SeizureEvents:
    """Return the seizures that come of what a model said of the steps of one recording.

    Parameters
    ----------
    said : Predictions
        A row for each step, in order, `samples` where it begins.
    step_s : float [unit=s, > 0]
        Length of a step.
    threshold : float [0 < threshold <= 1]
        Where the smoothed probability is no less, there is a seizure. The default is no choice made on any data.
    smooth_s : float [unit=s, >= 0]
        The probability of a step is the mean over the steps around it, of about this length, an odd number of them;
        at the ends of the recording of those that are there.
    shortest_s : float [unit=s, >= 0]
        Shorter events are left out.

    Returns
    -------
    SeizureEvents
        In order of time.

    Raises
    ------
    ParameterError
        When a parameter is out of range.

    Examples
    --------
    >>> likely = np.array([0.1, 0.1, 0.9, 0.9, 0.9, 0.1])
    >>> rows = np.log(np.column_stack([1 - likely, likely]))
    >>> names = np.full(6, "a")
    >>> said = Predictions(names, names, np.arange(6) * 512, np.full(6, 256.0), rows, ("background", "seizure"))
    >>> seizures_of(said, step_s=2.0, smooth_s=0)
    SeizureEvents(1: a 4-10 s)
    """
    if not 0 < threshold <= 1 or smooth_s < 0 or shortest_s < 0 or not 0 < step_s < math.inf:
        wrong = f"threshold={threshold}, smooth_s={smooth_s}, shortest_s={shortest_s}, step_s={step_s}"
        raise ParameterError(f"threshold must lie in (0, 1], lengths be 0 s or more, steps longer, got {wrong}")
    likely = said.probabilities[:, said.classes.index(SEIZURE)].astype(np.float64)
    smooth = _smoothed(likely, 2 * round((smooth_s / step_s - 1) / 2) + 1 if smooth_s > step_s else 1)
    above = np.concatenate([[False], smooth >= threshold, [False]])
    first, last = np.flatnonzero(above[1:] != above[:-1]).reshape(-1, 2).T
    kept = (last - first) * step_s >= shortest_s - 1e-9
    first, last = first[kept], last[kept]
    sums = np.concatenate([[0.0], np.cumsum(smooth)])
    return SeizureEvents(
        said.recordings[first],
        said.subjects[first],
        said.times_s[first],
        said.times_s[last - 1] + step_s,
        np.clip((sums[last] - sums[first]) / np.maximum(last - first, 1), 0, 1),
    )


def _smoothed(values: Float64, n_steps: int) -> Float64:
    """Return the mean over the n steps around each, an odd number, of those that are there."""
    half = n_steps // 2
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    begin, end = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    return np.asarray((sums[end] - sums[begin]) / (end - begin))
