"""What a model says about recordings, step by step or as a whole, with its probabilities."""

from __future__ import annotations

import csv
import html
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Rejection, Rejections, freeze
from biosig_lstm.errors import DataError

__all__ = ["Predictions"]

Strings = npt.NDArray[np.str_]

_ROWS = ("recordings", "subjects", "samples", "fs", "log_probabilities", "durations_s")


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """A row for each answer: a beat, a window or a recording.

    Parameters
    ----------
    recordings, subjects : np.ndarray of str [shape=(n,)]
        Where it is and whose.
    samples : np.ndarray of int64 [shape=(n,), unit=samples]
        Where it lies in the recording.
    fs : np.ndarray of float64 [shape=(n,), unit=Hz]
        Rate of these samples: that of the recording as it was prepared; `at_rate` gives them at another.
    log_probabilities : np.ndarray of float32 [shape=(n, classes)]
        Natural logarithms.
    classes : tuple of str
        Names of the columns of `log_probabilities`.
    durations_s : np.ndarray of float64 [shape=(n,), unit=s]
        How long what each row is about lasts: a window, an epoch; 0, the default, for an instant such as a beat.
    rejected : tuple of Rejection
        Windows that the preparation left out, and why: they have no row. Or, of a night, epochs whose row is not to be
        relied on.
    """

    recordings: Strings
    subjects: Strings
    samples: npt.NDArray[np.int64]
    fs: npt.NDArray[np.float64]
    log_probabilities: npt.NDArray[np.float32]
    classes: tuple[str, ...]
    durations_s: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), kw_only=True)
    rejected: tuple[Rejection, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        if not len(self.durations_s):
            object.__setattr__(self, "durations_s", np.zeros(len(self.samples)))
        for name in _ROWS:
            object.__setattr__(self, name, freeze(np.asarray(getattr(self, name))))
        lengths = {name: len(getattr(self, name)) for name in _ROWS if name != "log_probabilities"}
        if len(set(lengths.values())) > 1:
            raise DataError(f"predictions need one of each for every row, got {lengths}")
        if self.log_probabilities.shape != (len(self.samples), len(self.classes)):
            raise DataError(
                f"log_probabilities must be ({len(self.samples)}, {len(self.classes)}), "
                f"got {self.log_probabilities.shape}"
            )

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        counts = ", ".join(f"{k} {v}" for k, v in Counter(self.labels.tolist()).most_common())
        lost = f"; {len(self.rejections)} windows rejected" if self.rejected else ""
        return f"Predictions({len(self)} in {len(set(self.recordings.tolist()))} recordings: {counts}{lost})"

    def _repr_html_(self) -> str:
        names = sorted(set(self.recordings.tolist()))
        head = "".join(f"<th>{name}</th>" for name in ("recording", *self.classes))
        rows = []
        for name in names[:20]:
            counts = Counter(self._named(self.recordings == name))
            cells = "".join(f"<td>{counts.get(label, 0)}</td>" for label in self.classes)
            rows.append(f"<tr><td>{html.escape(name)}</td>{cells}</tr>")
        more = f"<p>and {len(names) - 20} more</p>" if len(names) > 20 else ""
        return f"<table><tr>{head}</tr>{''.join(rows)}</table>{more}"

    @property
    def index(self) -> npt.NDArray[np.int64]:
        """The most probable class of each row as an index into `classes`, shape (n,)."""
        return np.asarray(self.log_probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def labels(self) -> Strings:
        """The most probable class of each row, shape (n,)."""
        return np.array(self.classes, dtype=np.str_)[self.index]

    @property
    def probabilities(self) -> npt.NDArray[np.float32]:
        """Probability of each class, shape (n, classes)."""
        return np.exp(self.log_probabilities)

    @property
    def times_s(self) -> npt.NDArray[np.float64]:
        """Seconds from the start of the recording, shape (n,)."""
        return self.samples / self.fs

    @property
    def stops(self) -> npt.NDArray[np.int64]:
        """Sample after the last of what each row is about, shape (n,); `samples` for an instant."""
        return self.samples + np.rint(self.durations_s * self.fs).astype(np.int64)

    @property
    def rejections(self) -> Rejections:
        """What was rejected, and why, by recording, time, channel and reason."""
        return Rejections(self.rejected, len(self) + len(self._without_row()))

    def _without_row(self) -> dict[tuple[str, float, float], tuple[str, ...]]:
        """Return what is wrong with windows that have no row."""
        have = {(name, round(at, 3)) for name, at in zip(self.recordings.tolist(), self.times_s.tolist(), strict=True)}
        found = Rejections(self.rejected, 0).by_window()
        return {where: what for where, what in found.items() if (where[0], round(where[1], 3)) not in have}

    def at_rate(self, fs: float) -> Self:
        """Return the rows with their places in samples of another rate, such as that of the file."""
        samples = np.rint(self.samples * (fs / self.fs)).astype(np.int64)
        return replace(self, samples=samples, fs=np.full(len(self), float(fs)))

    def of(self, recording: str) -> Self:
        """Return the rows of one recording."""
        rows = self.recordings == recording
        rejected = tuple(row for row in self.rejected if row.recording == recording)
        return replace(self, **{name: getattr(self, name)[rows] for name in _ROWS}, rejected=rejected)

    def _named(self, rows: npt.NDArray[np.bool_]) -> list[str]:
        named: list[str] = self.labels[rows].tolist()
        return named

    def annotations(self, recording: str) -> Annotations:
        """Return the rows of one recording as annotations: a stretch, or an instant, and its label each."""
        rows = self.recordings == recording
        return Annotations(self.samples[rows], self.stops[rows], self.labels[rows])

    def csv_rows(self, *, header: bool = True) -> str:
        """Return the rows as CSV text: recording, sample, time_s, label, probability of each class.

        Windows that were left out follow with ``rejected: `` and the reasons in the place of a label, and no
        probabilities.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            writer.writerow(["recording", "sample", "time_s", "label", *(f"p_{name}" for name in self.classes)])
        columns = (self.recordings.tolist(), self.samples.tolist(), self.times_s.tolist(), self.labels.tolist())
        for name, sample, time_s, label, row in zip(*columns, self.probabilities.tolist(), strict=True):
            writer.writerow([name, sample, f"{time_s:.4f}", label, *(f"{p:.4f}" for p in row)])
        rates = dict(zip(self.recordings.tolist(), self.fs.tolist(), strict=True))
        for (name, start_s, _), reasons in self._without_row().items():
            sample = round(start_s * rates[name]) if name in rates else ""
            label = f"rejected: {', '.join(reasons)}"
            writer.writerow([name, sample, f"{start_s:.4f}", label, *[""] * len(self.classes)])
        return text.getvalue()

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of several sets, which must share their classes, one after the other."""
        if not parts:
            raise DataError("no predictions to put together")
        first = parts[0]
        for part in parts:
            if part.classes != first.classes:
                raise DataError(f"predictions of classes {first.classes} and {part.classes} cannot be put together")
        joined: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ROWS}
        return replace(first, **joined, rejected=tuple(row for part in parts for row in part.rejected))
