"""MIT-BIH Normal Sinus Rhythm Database: 18 days of people without significant arrhythmias."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written import declare_uncalibrated, generated_recording, joined
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb

__all__ = ["DATASET", "MitBihNormalSinus", "write_sample"]

_ANNOTATED_S = 16.0


@dataclass(frozen=True, repr=False)
class MitBihNormalSinus(Dataset):
    """The MIT-BIH Normal Sinus Rhythm Database as PhysioNet gives it: ``16265.hea``, ``16265.dat``, ``16265.atr``.

    Notes
    -----
    The annotations stop one to five hours before the signals do: what a detector finds later is no false alarm.
    A record is a day of two leads: 85 to 96 MB once read.
    """

    def read(self, record: str) -> Recording:
        """Return one record with its ``.atr`` annotations."""
        return read_wfdb(self.root / record, annotator="atr")


DATASET = MitBihNormalSinus


def write_sample(root: str | Path) -> None:
    """Write two generated records of 20 s in the layout of the database, annotated for their first 16 s.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    for record in ("16265", "19830"):
        made = generated_recording(record, fs=128.0, channels=("ECG1", "ECG2"), seed=int(record))
        beats = made.annotations[made.annotations.starts < _ANNOTATED_S * made.fs]
        named = beats.with_labels(np.where(beats.labels == "A", "S", beats.labels))
        marks = joined(named, Annotations([5, 40], labels=["~", "|"]))
        header = write_wfdb(made.with_annotations(marks), folder, fmt="212", gain=200.0, comments=["32 M"])
        declare_uncalibrated(header)
