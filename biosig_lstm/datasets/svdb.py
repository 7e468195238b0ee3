"""MIT-BIH Supraventricular Arrhythmia Database: 78 half-hours chosen for their supraventricular beats."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written import declare_uncalibrated, generated_recording, joined
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb

__all__ = ["DATASET", "MitBihSupraventricular", "write_sample"]

_UNCALIBRATED = ("820", "865")


@dataclass(frozen=True, repr=False)
class MitBihSupraventricular(Dataset):
    """The MIT-BIH Supraventricular Arrhythmia Database as PhysioNet gives it: ``800.hea``, ``800.dat``, ``800.atr``.

    Notes
    -----
    Labels are the database's own symbols: a supraventricular premature beat is ``S`` here, where mitdb writes ``A``.
    `biosig_lstm.Beats` counts both as S. Half of the headers declare a gain of 0, not calibrated, which reads as
    200 steps a millivolt. The release names no subjects: each record counts as one.
    """

    def read(self, record: str) -> Recording:
        """Return one record with its ``.atr`` annotations."""
        return read_wfdb(self.root / record, annotator="atr")


DATASET = MitBihSupraventricular


def write_sample(root: str | Path) -> None:
    """Write three generated records of 20 s in the layout of the database: two unnamed leads, 128 Hz, format 212.

    820 and 865 declare no calibration; 800 does.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    for record in ("800", *_UNCALIBRATED):
        made = generated_recording(record, fs=128.0, channels=("ECG1", "ECG2"), seed=int(record))
        beats = made.annotations
        named = beats.with_labels(np.where(beats.labels == "A", "S", beats.labels))
        marks = Annotations([7], labels=["~"])
        header = write_wfdb(made.with_annotations(joined(marks, named)), folder, fmt="212", gain=200.0)
        if record in _UNCALIBRATED:
            declare_uncalibrated(header)
