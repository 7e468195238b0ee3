"""A model of short recordings along a long one: what it says of each window, and the episodes that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.estimators import Classifier, Predictions
from biosig_lstm.events.rhythms import join_stretches, voted_stretches

__all__ = ["LONGEST_S", "RhythmEpisodes", "episodes_of", "find_episodes", "rhythm_along"]

LONGEST_S = 61.0
"""Recordings of up to this length are answered as a whole, longer ones window by window."""

_NOISE, _SURE = "~", 1 - 1e-4
_AT_ONCE = 128


@dataclass(frozen=True, repr=False)
class RhythmEpisodes:
    """Episodes of a rhythm along a recording.

    Parameters
    ----------
    episodes : Annotations
        Onset, end (in the recording's samples) and rhythm of each.
    burden : float [range=[0, 1]]
        Share of the recording that lies in episodes.
    windows : Predictions
        What the model said of each window.
    fs : float [unit=Hz]
        Rate of the recording.
    """

    episodes: Annotations
    burden: float
    windows: Predictions
    fs: float

    def __len__(self) -> int:
        return len(self.episodes)

    def __repr__(self) -> str:
        times = zip(self.episodes.starts.tolist(), self.episodes.stops.tolist(), strict=True)
        shown = ", ".join(f"{a / self.fs:.0f}-{b / self.fs:.0f} s" for a, b in list(times)[:8])
        more = ", ..." if len(self) > 8 else ""
        return f"RhythmEpisodes({len(self)} episodes, burden {100 * self.burden:.1f} %: {shown}{more})"


def find_episodes(
    model: Classifier,
    recording: Recording,
    *,
    rhythm: str = "A",
    window_s: float = 30.0,
    step_s: float = 10.0,
    threshold: float = 0.5,
    shortest_s: float = 30.0,
    gap_s: float = 10.0,
    label: str = "(AFIB",
) -> RhythmEpisodes:
    """Find the episodes of a rhythm in a recording of any length.

    Parameters
    ----------
    model : Classifier
        Of the rhythm of short recordings, such as the pretrained ``ecg-rhythm``.
    recording : Recording
        An ECG of the model's rate or more; of several leads the most usual one is read.
    rhythm : str
        Class of the model that is sought.
    window_s, step_s : float [unit=s]
        Length of a window, and from one to the next.
    threshold : float [0 to 1]
        Where the mean of the votes of the windows over a place is above it, the rhythm is there.
    shortest_s, gap_s : float [unit=s]
        Shorter episodes are left out, after those have been joined that lie no further apart than a gap.
    label : str
        Of the episodes.

    Returns
    -------
    RhythmEpisodes
        Onsets and ends are as exact as the windows are close: about half of `step_s`.

    Raises
    ------
    ParameterError
        When the model has no such class, or a length is not positive.
    DataError
        When the recording cannot be prepared for the model.

    Notes
    -----
    A window votes by the probability of the rhythm among the classes that are no noise, and counts by the probability
    that it is no noise. So noise neither begins nor ends an episode; where there is nothing else, there is none.
    """
    if rhythm not in model.classes:
        raise ParameterError(f"rhythm {options(rhythm, model.classes)}")
    return episodes_of(
        rhythm_along(model, recording, window_s=window_s, step_s=step_s),
        n_samples=recording.n_samples,
        fs=recording.fs,
        rhythm=rhythm,
        window_s=window_s,
        threshold=threshold,
        shortest_s=shortest_s,
        gap_s=gap_s,
        label=label,
    )


def episodes_of(
    windows: Predictions,
    *,
    n_samples: int,
    fs: float,
    rhythm: str = "A",
    window_s: float = 30.0,
    threshold: float = 0.5,
    shortest_s: float = 30.0,
    gap_s: float = 10.0,
    label: str = "(AFIB",
) -> RhythmEpisodes:
    """Return the episodes that come of what a model said of the windows of a recording; see `find_episodes`."""
    classes, likely = windows.classes, windows.probabilities.astype(np.float64)
    clean = 1 - likely[:, classes.index(_NOISE)] if _NOISE in classes else np.ones(len(likely))
    starts = np.asarray(windows.samples)
    found = voted_stretches(
        starts,
        np.minimum(starts + round(window_s * fs), n_samples),
        likely[:, classes.index(rhythm)] / np.maximum(clean, 1e-9),
        weights=clean,
        threshold=threshold,
        label=label,
    )
    kept = join_stretches(found, gap_samples=round(gap_s * fs), shortest_samples=round(shortest_s * fs))
    inside = int((np.asarray(kept.stops) - np.asarray(kept.starts)).sum())
    return RhythmEpisodes(kept, inside / n_samples, windows, fs)


def rhythm_along(
    model: Classifier, recording: Recording, *, window_s: float = 30.0, step_s: float = 10.0
) -> Predictions:
    """Return what a model of short recordings says of each window of a long one; parameters as of `find_episodes`.

    Returns
    -------
    Predictions
        A row for each window, `samples` its start; one row where the recording is no longer than a window. The last
        window ends with the recording. A window of one value alone, or of none, is noise.
    """
    if window_s <= 0 or step_s <= 0:
        raise ParameterError(f"window_s and step_s must be positive, got {window_s} and {step_s}")
    pieces = list(_starts(recording, window_s=window_s, step_s=step_s))
    parts = []
    for first in range(0, len(pieces), _AT_ONCE):
        cut = [_piece(recording, start, window_s=window_s) for start in pieces[first : first + _AT_ONCE]]
        parts.append(_answers(model, cut))
    said = Predictions.concatenate(parts)
    names = np.full(len(said), recording.id), np.full(len(said), recording.subject)
    rates = np.full(len(said), recording.fs)
    return replace(said, recordings=names[0], subjects=names[1], samples=np.array(pieces), fs=rates)


def _starts(recording: Recording, *, window_s: float, step_s: float) -> Iterator[int]:
    width, step = round(window_s * recording.fs), max(round(step_s * recording.fs), 1)
    last = max(recording.n_samples - width, 0)
    yield from range(0, last, step)
    yield last


def _piece(recording: Recording, start: int, *, window_s: float) -> Recording:
    stop = min(start + round(window_s * recording.fs), recording.n_samples)
    return replace(
        recording, signals=recording.signals[:, start:stop], annotations=Annotations(), id=f"{recording.id}@{start}"
    )


def _answers(model: Classifier, pieces: list[Recording]) -> Predictions:
    """Return a row for each piece, in order."""
    heard = [k for k, piece in enumerate(pieces) if not _is_silent(piece)]
    rows = np.tile(_noise_row(model.classes), (len(pieces), 1))
    if heard:
        rows[heard] = model.predict([pieces[k] for k in heard]).log_probabilities
    names = np.array([piece.id for piece in pieces])
    return Predictions(names, names, np.zeros(len(rows), np.int64), np.ones(len(rows)), rows, model.classes)


def _noise_row(classes: tuple[str, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rest = (1 - _SURE) / max(len(classes) - 1, 1)
    likely = [_SURE if name == _NOISE else rest for name in classes]
    return np.log(np.array(likely if _NOISE in classes else [1 / len(classes)] * len(classes), dtype=np.float32))


def _is_silent(piece: Recording) -> bool:
    rows = (row[np.isfinite(row)] for row in piece.signals)
    return all(not len(row) or row.min() == row.max() for row in rows)
