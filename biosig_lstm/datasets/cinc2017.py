"""PhysioNet/CinC Challenge 2017: single-lead recordings of 9 to 61 s, each normal, fibrillation, other or noise."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._challenge import LargeDataset, find_file, names_below
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import DataError
from biosig_lstm.formats.wfdb import read_wfdb

__all__ = ["DATASET", "Cinc2017", "write_sample"]

_TABLES = ("REFERENCE-v3.csv", "REFERENCE.csv")


@dataclass(frozen=True, repr=False)
class Cinc2017(LargeDataset):
    """The challenge's recordings as PhysioNet gives them: ``A00001.hea``, ``A00001.mat`` and a table of labels.

    Records may lie at the root or in folders below it, such as ``training/A00``. Labels come from ``REFERENCE-v3.csv``
    where it is there, else from ``REFERENCE.csv``: at the root, in the folder above, or below.

    Notes
    -----
    The label is one annotation over the whole recording: ``N``, ``A``, ``O`` or ``~``.
    """

    def find_records(self) -> set[str]:
        """Return the names of the records at the root and in the folders below it."""
        return names_below(self.root, ".hea")

    def read(self, record: str) -> Recording:
        """Return one record with its label.

        Raises
        ------
        DataError
            When the table of labels is not there, or does not have the record.
        """
        recording = read_wfdb(find_file(self.root, f"{record}.hea") or self.root / record, annotator=None)
        if record not in self.labels:
            raise DataError(f"record {record} has no label in {self.table.name}")
        return recording.with_annotations(Annotations([0], [recording.n_samples], labels=[self.labels[record]]))

    @property
    def table(self) -> Path:
        """The table of labels.

        Raises
        ------
        DataError
            When there is none.
        """
        beside = (folder / name for folder in (self.root, self.root.parent) for name in _TABLES)
        below = (find_file(self.root, name) for name in _TABLES)
        for path in (*beside, *below):
            if path is not None and path.is_file():
                return path
        raise DataError(f"no {' or '.join(_TABLES)} in {self.root}; it comes from {self.card.address}")

    @cached_property
    def labels(self) -> dict[str, str]:
        """Label of each record in the table.

        Raises
        ------
        DataError
            When there is no table, or a line of it is no record and its label.
        """
        path = self.table
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
        for row in rows:
            if len(row) != 2 or row[1].strip() not in self.classes:
                raise DataError(f"{path}: a line must be a record and one of {' '.join(self.classes)}, got {row}")
        return {name.strip(): label.strip() for name, label in rows}


DATASET = Cinc2017
_FS_HZ = 300.0
_SAMPLE = {"A00001": "N", "A00002": "N", "A00004": "A", "A00008": "O", "A00022": "~"}
_MAT_HEADER = (30, 1)  # type of a MAT-file of version 4: int16, little endian; rows


def write_sample(root: str | Path) -> None:
    """Write five generated recordings of 9 to 30 s in the layout of the challenge, one of them upside down.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (record, label) in enumerate(_SAMPLE.items()):
        _write_record(folder, record, label, duration_s=(30.0, 9.0)[seed % 2], seed=seed)
    lines = [f"{record},{label}" for record, label in _SAMPLE.items()]
    (folder / "REFERENCE.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_record(folder: Path, record: str, label: str, *, duration_s: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_samples = round(duration_s * _FS_HZ)
    if label == "~":
        lead = rng.normal(0, 0.3, n_samples)
    else:
        made, _, _ = synthetic_ecg(duration_s=duration_s, seed=seed, p_ventricular=0.2 if label == "O" else 0.0)
        lead = np.interp(np.arange(n_samples) / _FS_HZ, np.arange(made.shape[1]) / 360.0, made[0])
    stored = np.clip(np.rint(1000 * lead * (-1 if record == "A00002" else 1)), -32767, 32767).astype("<i2")
    header = np.array([_MAT_HEADER[0], _MAT_HEADER[1], n_samples, 0, 4], dtype="<i4")
    (folder / f"{record}.mat").write_bytes(header.tobytes() + b"val\0" + stored.tobytes())
    first, total = int(stored[0]), int(stored.astype(np.int64).sum()) & 0xFFFF
    checksum = total - 0x10000 if total >= 0x8000 else total
    lines = (
        f"{record} 1 300 {n_samples} 05:05:15 1/05/2000 ",
        f"{record}.mat 16+24 1000/mV 16 0 {first} {checksum} 0 ECG ",
    )
    (folder / f"{record}.hea").write_text("\n".join(lines) + "\n", encoding="utf-8")
