"""Long-Term AF Database: 84 days of people with atrial fibrillation, every beat and rhythm annotated."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written import generated_recording, joined
from biosig_lstm.formats.wfdb import read_wfdb, write_annotations, write_wfdb

__all__ = ["DATASET", "LongTermAf", "write_sample"]

_FS = 128.0


@dataclass(frozen=True, repr=False)
class LongTermAf(Dataset):
    """The Long-Term AF Database as PhysioNet gives it: ``00.hea``, ``00.dat``, ``00.atr``, ``00.qrs`` and so on.

    Notes
    -----
    Labels are those of ``.atr``: beats, ``+`` where a rhythm begins (its name in the note, such as ``(AFIB``), and
    ``"`` comments. The unaudited detections of ``.qrs`` are not read. Both leads are called ECG in the files, here
    ``ECG`` and ``ECG (2)``. Names such as ``100`` are also names of mitdb, of other people: subjects are
    ``ltafdb-100`` and so on. A record is a day of two leads: up to 97 MB once read.
    """

    def read(self, record: str) -> Recording:
        """Return one record with its ``.atr`` annotations; those beyond its end are left out with a warning."""
        return read_wfdb(self.root / record, annotator="atr")

    def subject_of(self, record: str) -> str:
        """Return a name that no other database's records have."""
        return f"ltafdb-{self.card.subject_of(record)}"


DATASET = LongTermAf


def write_sample(root: str | Path) -> None:
    """Write two generated records of 20 s in the layout of the database: two leads of one name, ``.atr``, ``.qrs``.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    rhythm = Annotations([130, 900, 1700], labels=["+"] * 3, notes=["(N", "(AFIB", "(SBR"])
    comment = Annotations([1000], labels=['"'], notes=["MB"])
    for record in ("00", "100"):
        made = generated_recording(record, fs=_FS, channels=("ECG", "ECG (2)"), seed=int(record))
        marks = joined(made.annotations, rhythm, comment)
        header = write_wfdb(made.with_annotations(marks), folder, fmt="212", gain=(88.968, 131.062))
        header.write_text(header.read_text(encoding="utf-8").replace("ECG (2)", "ECG"), encoding="utf-8", newline="\n")
        detected = made.annotations.with_labels(["N"] * len(made.annotations))
        write_annotations(folder / record, "qrs", detected)
