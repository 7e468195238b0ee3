"""St Petersburg INCART Arrhythmia Database: 75 half-hours of twelve leads from the Holter tapes of 32 patients."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written import TWELVE_LEADS, generated_recording, joined
from biosig_lstm.errors import DataError
from biosig_lstm.formats.wfdb import open_wfdb, write_wfdb

__all__ = ["DATASET", "Incart", "write_sample"]

_PATIENT = re.compile(r"patient\s+(\d+)\s*$")
_SAMPLE = {"I01": 1, "I02": 1, "I08": 4, "I16": 8, "I17": 8}


@dataclass(frozen=True, repr=False)
class Incart(Dataset):
    """The St Petersburg INCART database as PhysioNet gives it: ``I01.hea``, ``I01.dat``, ``I01.atr`` and so on.

    Notes
    -----
    The 75 records come from 32 patients: those of one patient share a subject, such as ``I01+I02``. A header that
    names another patient than the card is an error. Limb leads are named ``AVR``, ``AVL`` and ``AVF``, as in the files.
    """

    def read(self, record: str) -> Recording:
        """Return one record with its ``.atr`` annotations."""
        opened = open_wfdb(self.root / record)
        self._check_patient(record, opened.header.comments)
        return opened.read(annotator="atr")

    def _check_patient(self, record: str, comments: tuple[str, ...]) -> None:
        stated = next((int(found[1]) for line in comments if (found := _PATIENT.match(line))), None)
        known = next((k for k, group in enumerate(self.card.same_person, start=1) if record in group), None)
        if stated is not None and stated != known:
            raise DataError(f"the header says patient {stated}, the card says {known}: are the files of this database?")


DATASET = Incart


def write_sample(root: str | Path) -> None:
    """Write five generated records of 20 s of three patients in the layout of the database: 12 leads, 257 Hz.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    channels = tuple(name.upper() for name in TWELVE_LEADS)
    for record, patient in _SAMPLE.items():
        made = generated_recording(record, fs=257.0, channels=channels, seed=int(record[1:]))
        marks = joined(made.annotations, Annotations([3], labels=["+"], notes=["(N"]))
        about = ["<age>: 65 <sex>: F <diagnoses> generated", f"patient {patient}", "PVCs, noise"]
        write_wfdb(made.with_annotations(marks), folder, fmt="16", gain=306.0 + patient, comments=about)
