"""The waves of an ECG on every lead: where P, QRS and T begin and end."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import WAVES, Annotations, Recording, Waves
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Delineator, Estimator
from biosig_lstm.metrics import Scores
from biosig_lstm.metrics.waves import wave_scores
from biosig_lstm.scoring.tasks._task import Events, Part, Task

__all__ = ["TASK", "WaveTable"]

_HEADER = ("recording", "lead", "wave", "onset_s", "peak_s", "offset_s")
_TAKEN = ("hea", "dat", "mat", "atr", "csv")


@dataclass(frozen=True)
class WaveTable:
    """The waves of recordings as rows: recording, lead, wave, and its onset, peak and end in seconds.

    Parameters
    ----------
    leads : tuple of (str, str, float, Waves)
        Recording, lead, rate in Hz and the waves of each lead.
    """

    leads: tuple[tuple[str, str, float, Waves], ...] = ()

    def __len__(self) -> int:
        return sum(len(waves) for *_, waves in self.leads)

    def __repr__(self) -> str:
        return f"WaveTable({len(self)} waves on {len(self.leads)} leads)"

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """Wave of each row, shape (n,)."""
        return np.concatenate([np.zeros(0, dtype=np.str_), *(waves.labels for *_, waves in self.leads)])

    def csv_rows(self, *, header: bool = True) -> str:
        """Return the rows as CSV text; a boundary that is not known is an empty cell."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            writer.writerow(_HEADER)
        for recording, lead, fs, waves in self.leads:
            for label, *places in waves.rows():
                writer.writerow(
                    [recording, lead, label, *("" if math.isnan(at) else f"{at / fs:.4f}" for at in places)]
                )
        return text.getvalue()

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")


class _Waves(Task):
    """Every wave of every lead."""

    counted = "waves"
    estimator = Delineator

    def check_classes(self, model: Estimator, classes: Sequence[str]) -> None:
        """Accept any: every `Delineator` finds P, QRS and T."""

    def score_one(self, model: Delineator, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return the expert's waves of each lead, and those found."""
        marks = recording.annotations
        truth = {lead: Waves.from_annotations(marks, note=lead) for lead in recording.channels}
        truth = {lead: waves for lead, waves in truth.items() if len(waves)}
        if not truth:
            raise DataError(f"{recording.id}: no wave is marked on any lead, which an evaluation needs")
        return Part(recording, truth, self.answer(model, recording, annotated=False))

    def scores(self, model: Delineator, parts: Sequence[Part], *, detected: bool = False) -> Scores:  # noqa: ARG002
        """Return Se, +P, mean and standard deviation of each boundary; a lead that could not be used is missed."""
        rows = [row for part in parts for row in _pairs(part)]
        reference, found, subjects, rates = zip(*rows, strict=True)
        return wave_scores(reference, found, subjects, fs=rates)

    def join(self, parts: Sequence[Part]) -> WaveTable:
        """Return the waves of all recordings."""
        return WaveTable(tuple(lead for part in parts for lead in part.said.leads))

    def labels(self, model: Delineator) -> tuple[str, ...]:  # noqa: ARG002
        """Return the kinds of waves."""
        return WAVES

    def nothing(self, model: Delineator) -> WaveTable:  # noqa: ARG002
        """Return a table without a row."""
        return WaveTable()

    def answer(self, model: Delineator, recording: Recording, *, annotated: bool) -> WaveTable:  # noqa: ARG002
        """Return the waves of every lead that can be used."""
        found = model.waves(recording)
        return WaveTable(tuple((recording.id, lead, recording.fs, waves) for lead, waves in found.items()))

    def annotations(self, recording: Recording, said: WaveTable) -> Mapping[str, Annotations]:  # noqa: ARG002
        """Return an annotation file for each lead, its extension made from the lead's name, as in LUDB."""
        names = _extensions([lead for _, lead, *_ in said.leads])
        return {name: waves.annotations() for name, (*_, waves) in zip(names, said.leads, strict=True)}

    def events(self, recording: Recording, said: WaveTable) -> Events:
        """Return each wave from its onset to its end on its lead; what is not known of it stands at its peak."""
        last = max(recording.n_samples - 1, 0)
        rows = [(lead, *row) for _, lead, _, waves in said.leads for row in waves.rows()]
        starts = [_sample(onset, peak, last) for *_, onset, peak, _ in rows]
        stops = [max(start, _sample(end, peak, last)) for start, (*_, peak, end) in zip(starts, rows, strict=True)]
        return Events(Annotations(starts, stops, [row[1] for row in rows], [row[0] for row in rows]))


TASK = _Waves()


def _pairs(part: Part) -> Iterable[tuple[Waves, Waves, str, float]]:
    found = {lead: waves for _, lead, _, waves in part.said.leads}
    recording = part.recording
    for lead, waves in part.truth.items():
        yield waves, found.get(lead, Waves()), recording.subject, recording.fs


def _sample(place: float, peak: float, last: int) -> int:
    return min(max(round(peak if math.isnan(place) else place), 0), last)


def _extensions(leads: Sequence[str]) -> list[str]:
    """Return a name that an annotation file can end with for each lead: letters and digits, no two alike."""
    made: list[str] = []
    for place, lead in enumerate(leads):
        name = "".join(c for c in lead.lower() if c.isascii() and c.isalnum())
        made.append(f"lead{place}" if not name or name in (*made, *_TAKEN) else name)
    return made
