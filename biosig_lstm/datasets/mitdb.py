"""MIT-BIH Arrhythmia Database: 48 half-hours of two leads with every beat labelled by two cardiologists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset, choose_channels
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import ParameterError, options
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb

__all__ = ["DATASET", "MitBihArrhythmia", "write_sample"]

_ORDERS = ("named", "stored")
_SAMPLE_LEADS = {
    "101": ("MLII", "V1"),
    "102": ("V5", "V2"),
    "114": ("V5", "MLII"),
    "201": ("MLII", "V1"),
    "202": ("MLII", "V1"),
    "232": ("MLII", "V1"),
}


@dataclass(frozen=True, repr=False)
class MitBihArrhythmia(Dataset):
    """The MIT-BIH Arrhythmia Database as PhysioNet gives it: ``100.hea``, ``100.dat``, ``100.atr`` and so on.

    Parameters
    ----------
    card, root
        As of every `Dataset`.
    lead_order : {"named", "stored"}
        ``"named"`` gives MLII as the first lead of every record that has one, so that lead 0 means the same
        everywhere (record 114 stores it second); ``"stored"`` gives the leads as the files have them.

    Raises
    ------
    ParameterError
        When `lead_order` is neither.

    Notes
    -----
    Labels are the database's own symbols, rhythm changes and marks of signal quality among them. Records 201 and
    202 show one man and share the subject ``201+202``.
    """

    lead_order: Literal["named", "stored"] = "named"

    def __post_init__(self) -> None:
        if self.lead_order not in _ORDERS:
            raise ParameterError(f"lead_order {options(self.lead_order, _ORDERS)}")

    def read(self, record: str) -> Recording:
        """Return one record with its ``.atr`` annotations, MLII first unless the stored order was asked for."""
        recording = read_wfdb(self.root / record, annotator="atr")
        if self.lead_order == "stored" or "MLII" not in recording.channels[1:]:
            return recording
        order = sorted(recording.channels, key=lambda name: name != "MLII")
        return choose_channels(recording, order)


DATASET = MitBihArrhythmia


def write_sample(root: str | Path) -> None:
    """Write six generated records of 20 s in the layout of the database: two leads, format 212, ``.atr``.

    Among them are 114 with V5 before MLII, 201 and 202, and 102 in paced rhythm.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    for record, leads in _SAMPLE_LEADS.items():
        signals, peaks, labels = synthetic_ecg(duration_s=20.0, seed=int(record), p_ventricular=0.15)
        beats = np.where(labels == "N", "/", labels) if record == "102" else labels
        signals = signals[::-1] if record == "114" else signals
        marks = Annotations([1, *peaks], labels=["+", *beats], notes=["(N", *[""] * len(beats)])
        written = Recording(signals, 360.0, leads, ("mV", "mV"), id=record, annotations=marks)
        write_wfdb(written, folder, fmt="212", gain=200.0, baseline=1024, comments=["generated"])
