"""Lobachevsky University Electrocardiography Database: 12 leads of 200 people, the waves of each lead marked."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording, Waves
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.errors import DataError
from biosig_lstm.formats.wfdb import read_annotations, read_wfdb, write_annotations, write_wfdb

__all__ = ["DATASET", "LEADS", "Ludb", "write_sample"]

LEADS = ("i", "ii", "iii", "avr", "avl", "avf", "v1", "v2", "v3", "v4", "v5", "v6")
"""The leads by the names that their channels and their annotation files have."""

_FOLDER = "data"
_TABLE = "ludb.csv"


@dataclass(frozen=True, repr=False)
class Ludb(Dataset):
    """The database as PhysioNet gives it: ``ludb.csv``, and ``data/1.hea``, ``data/1.dat``, ``data/1.i`` and so on.

    Records may also lie at the root itself.

    Notes
    -----
    Labels are the database's own symbols, ``(``, ``p`` ``N`` ``t`` and ``)``, all leads in one list; the note of each
    is the name of its lead. ``Waves.from_annotations(recording.annotations, note="ii")`` gives the waves of one lead.
    """

    @property
    def folder(self) -> Path:
        """Folder that the records lie in: ``data`` below the root where there is one, else the root."""
        below = self.root / _FOLDER
        return below if any(below.glob("*.hea")) else self.root

    def find_records(self) -> set[str]:
        """Return the names of the records that are there."""
        return {path.stem for path in self.folder.glob("*.hea")}

    def read(self, record: str) -> Recording:
        """Return one record with the waves of all its leads.

        Raises
        ------
        DataError
            When a file is damaged, or no lead has annotations.
        """
        recording = read_wfdb(self.folder / record, annotator=None)
        return recording.with_annotations(_all_leads(self.folder / record, recording))

    def facts(self) -> dict[str, dict[str, str]]:
        """Return what ``ludb.csv`` says of each record that is there: rhythm, diagnoses, age and sex.

        Returns
        -------
        dict of str to dict of str to str
            By record, the table's own columns; several entries of one cell are joined by ``; ``.

        Raises
        ------
        DataError
            When the table is not there, or has no column ``ID``.
        """
        path = next((at / _TABLE for at in (self.root, self.root.parent) if (at / _TABLE).is_file()), None)
        if path is None:
            raise DataError(f"{self.name}: no {_TABLE} in {self.root}; it comes from {self.card.address}")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if rows and "ID" not in rows[0]:
            raise DataError(f"{path}: no column ID, its columns are {', '.join(rows[0])}")
        held = set(self.record_names)
        return {row["ID"].strip(): _cells(row) for row in rows if row["ID"].strip() in held}


DATASET = Ludb


def _cells(row: dict[str, str]) -> dict[str, str]:
    lines = ((name, (cell or "").splitlines()) for name, cell in row.items() if name != "ID")
    return {name: "; ".join(line.strip() for line in cell if line.strip()) for name, cell in lines}


def _all_leads(path: Path, recording: Recording) -> Annotations:
    parts = list(_each_lead(path, recording))
    if not parts:
        raise DataError(f"{path.name}: no lead has annotations: {path.name}.{recording.channels[0]} is not beside it")
    samples, symbols, leads = (np.concatenate(column) for column in zip(*parts, strict=True))
    inside = samples < recording.n_samples
    return Annotations(samples[inside], labels=symbols[inside], notes=leads[inside])


def _each_lead(path: Path, recording: Recording) -> Iterator[tuple[npt.NDArray[np.int64], ...]]:
    for lead in recording.channels:
        if path.with_name(f"{path.name}.{lead}").is_file():
            found = read_annotations(path, lead)
            yield found.sample, found.symbol, np.full(len(found), lead)  # type: ignore[misc]


_SAMPLE_FS_HZ = 500.0
_SAMPLE_S = 10.0
_WAVES_S = (("P", -0.20, 0.05, 0.12), ("QRS", 0.0, 0.045, 1.0), ("T", 0.28, 0.09, 0.25))
_RHYTHMS = {"1": "Sinus bradycardia", "2": "Sinus rhythm", "3": "Atrial fibrillation", "4": "Sinus tachycardia"}
_RATES_BPM = {"1": 50.0, "2": 70.0, "3": 90.0, "4": 110.0}


def write_sample(root: str | Path) -> None:
    """Write four generated records of 10 s in the layout of the database, ``ludb.csv`` among it.

    One record has atrial fibrillation and no P waves; one QRS complex of record 2 has no onset on lead v1.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root) / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for record in _RHYTHMS:
        _write_record(folder, record)
    lines = ["ID,Sex,Age,Rhythms,Other states", *(f'{k},"F\n","{40 + int(k)}\n",{v},' for k, v in _RHYTHMS.items())]
    (Path(root) / _TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_record(folder: Path, record: str) -> None:
    rng = np.random.default_rng(int(record))
    beats_s = np.arange(0.5, _SAMPLE_S - 0.5, 60 / _RATES_BPM[record])
    kinds = [kind for kind in _WAVES_S if record != "3" or kind[0] != "P"]
    n_samples = round(_SAMPLE_S * _SAMPLE_FS_HZ)
    signals = rng.normal(0, 0.005, (len(LEADS), n_samples))
    for row in signals:
        _draw(row, beats_s, kinds, gain=float(rng.uniform(0.5, 1.5)) * float(rng.choice([-1, 1])))
    written = Recording(signals.astype(np.float32), _SAMPLE_FS_HZ, LEADS, ["mV"] * len(LEADS), id=record)
    write_wfdb(written, folder, fmt="16", gain=1000.0, comments=[f"Rhythm: {_RHYTHMS[record]}."], annotator=None)
    for lead in LEADS:
        marks = _marked(beats_s, kinds).annotations()
        lacks_onset = record == "2" and lead == "v1"
        kept = marks[np.arange(len(marks)) != 0] if lacks_onset else marks
        write_annotations(folder / record, lead, kept)


def _draw(
    row: npt.NDArray[np.float64],
    beats_s: npt.NDArray[np.float64],
    kinds: list[tuple[str, float, float, float]],
    *,
    gain: float,
) -> None:
    seconds = np.arange(len(row)) / _SAMPLE_FS_HZ
    for beat in beats_s.tolist():
        for _, centre, half, amplitude in kinds:
            inside = np.clip((seconds - beat - centre) / half, -1, 1)
            row += gain * amplitude * (0.5 + 0.5 * np.cos(np.pi * inside))


def _marked(beats_s: npt.NDArray[np.float64], kinds: list[tuple[str, float, float, float]]) -> Waves:
    """Return the waves of all beats but the first and the last, from the first QRS complex to the last."""
    rows = [(label, beat + centre, half) for beat in beats_s[1:-1].tolist() for label, centre, half, _ in kinds]
    rows = rows[next(k for k, row in enumerate(rows) if row[0] == "QRS") :]
    labels, centres, halves = zip(*rows, strict=True)
    places = _SAMPLE_FS_HZ * np.array([np.subtract(centres, halves), centres, np.add(centres, halves)])
    return Waves(labels, *places)
