"""EEG During Mental Arithmetic Tasks: 36 people at rest, and subtracting in their heads."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import DataError
from biosig_lstm.formats.eeg import read_eeg

__all__ = ["CHANNELS", "DATASET", "EegMat", "write_sample"]

CHANNELS = (
    "EEG Fp1", "EEG Fp2", "EEG F3", "EEG F4", "EEG F7", "EEG F8", "EEG T3", "EEG T4", "EEG C3", "EEG C4", "EEG T5",
    "EEG T6", "EEG P3", "EEG P4", "EEG O1", "EEG O2", "EEG Fz", "EEG Cz", "EEG Pz", "EEG A2-A1", "ECG ECG",
)  # fmt: skip
"""Channels of a recording, as its file names them."""

_RECORD = re.compile(r"(Subject\d\d)_([12])")
_LABELS = {"1": "rest", "2": "arithmetic"}
_TABLE = "subject-info.csv"


@dataclass(frozen=True, repr=False)
class EegMat(Dataset):
    """The database as PhysioNet gives it: ``Subject00_1.edf`` at rest, ``Subject00_2.edf`` while subtracting.

    Notes
    -----
    The label is one annotation over the whole recording, ``rest`` or ``arithmetic``, by the name of the file; what a
    file itself has as annotations, its length in words, is left out. The ECG, which files state in mV, is in uV as all
    channels are. Recordings at rest last three times as long: cut both into windows of one length.
    """

    def find_records(self) -> set[str]:
        """Return the names of the recordings at the root."""
        return {path.stem for path in self.root.glob("*.edf") if _RECORD.fullmatch(path.stem)}

    def subject_of(self, record: str) -> str:
        """Return whom a recording shows: ``Subject00`` of ``Subject00_1``."""
        return record.partition("_")[0]

    def read(self, record: str) -> Recording:
        """Return one recording with its label.

        Raises
        ------
        DataError
            When the name says nothing of what was done, or the file is damaged.
        """
        said = _RECORD.fullmatch(record)
        if said is None:
            raise DataError(f"{record} must be Subject, two digits, and _1 (rest) or _2 (arithmetic)")
        recording = read_eeg(self.root / f"{record}.edf", annotations=False)
        return recording.with_annotations(Annotations([0], [recording.n_samples], [_LABELS[said[2]]]))

    def facts(self) -> dict[str, dict[str, str]]:
        """Return what ``subject-info.csv`` says of each subject that is there.

        Returns
        -------
        dict of str to dict of str to str
            By subject, the table's own columns: age, gender, year of the recording, number of subtractions, and whether
            the count was good (``Count quality`` 1) or not (0).

        Raises
        ------
        DataError
            When the table is not there, or has no column ``Subject``.
        """
        path = self.root / _TABLE
        if not path.is_file():
            raise DataError(f"{self.name}: no {_TABLE} in {self.root}; it comes from {self.card.address}")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        if rows and "Subject" not in rows[0]:
            raise DataError(f"{path}: no column Subject, its columns are {', '.join(rows[0])}")
        held = set(self.subjects.values())
        return {row.pop("Subject"): row for row in rows if row["Subject"] in held}


DATASET = EegMat
_FS_HZ = 500
_SAMPLE_S = {"1": 60, "2": 30}
_SAMPLE_SUBJECTS = ("Subject00", "Subject01", "Subject02")


def write_sample(root: str | Path) -> None:
    """Write generated recordings of three people in the layout of the database: 60 s of rest, 30 s of arithmetic.

    At rest there is a rhythm of 10 Hz, strongest at the back of the head, that arithmetic weakens.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    for seed, subject in enumerate(_SAMPLE_SUBJECTS):
        for number, length_s in _SAMPLE_S.items():
            rng = np.random.default_rng([seed, int(number)])
            channels = [_channel(name, rng, length_s=length_s, resting=number == "1") for name in CHANNELS]
            notes = [(0.0, 0.0, f"[Total time]+{length_s}.000")] if seed == 1 else []
            write_edf(folder / f"{subject}_{number}.edf", channels, notes)
    lines = [f"{subject},{18 + k},F,2011,{10 + k},{k % 2}" for k, subject in enumerate(_SAMPLE_SUBJECTS)]
    head = "Subject,Age,Gender,Recording year,Number of subtractions,Count quality"
    (folder / _TABLE).write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")


def _channel(name: str, rng: np.random.Generator, *, length_s: int, resting: bool) -> EdfChannel:
    seconds = np.arange(length_s * _FS_HZ) / _FS_HZ
    if name == "ECG ECG":
        return EdfChannel(name, 0.8 * np.sin(2 * np.pi * 1.2 * seconds) ** 40, _FS_HZ, largest=2.0, unit="mV")
    alpha = (30.0 if name[4] in "PO" else 10.0) * (1.0 if resting else 0.3)
    values = alpha * np.sin(2 * np.pi * 10 * (seconds + rng.uniform())) + rng.normal(0, 8, len(seconds))
    return EdfChannel(name, values, _FS_HZ, largest=200.0)
