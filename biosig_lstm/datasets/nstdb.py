"""MIT-BIH Noise Stress Test Database: two records of mitdb under electrode motion, and three of noise alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._written import generated_recording, joined
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb

__all__ = ["DATASET", "MitBihNoiseStress", "write_sample"]

_FS = 360.0
_SNR_DB = {"24": 24.0, "00": 0.0, "_6": -6.0}


@dataclass(frozen=True, repr=False)
class MitBihNoiseStress(Dataset):
    """The MIT-BIH Noise Stress Test Database as PhysioNet gives it: ``118e24.hea``, ``118e24.dat``, ``118e24.atr``.

    Notes
    -----
    ``118e24`` is record 118 of mitdb with electrode motion ``e`` at 24 dB, ``119e_6`` is record 119 at -6 dB. Their
    subjects are therefore ``118`` and ``119``, as in mitdb: a model that was trained on mitdb has seen them. The noise
    records ``bw`` (baseline wander), ``em`` (electrode motion) and ``ma`` (muscle) have no annotations.
    """

    def read(self, record: str) -> Recording:
        """Return one record, with its ``.atr`` annotations where it is an electrocardiogram."""
        return read_wfdb(self.root / record, annotator=None if record in self.card.splits["noise"] else "atr")

    def subject_of(self, record: str) -> str:
        """Return the record of mitdb that was made noisy; the three noise records share one subject."""
        return self.card.subject_of(record) if record in self.card.splits["noise"] else record[:3]


DATASET = MitBihNoiseStress


def write_sample(root: str | Path) -> None:
    """Write five generated records of 20 s in the layout of the database: two patients, noise at three strengths.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    noise = _motion()
    for name in ("bw", "em", "ma"):
        made = Recording(noise, _FS, ("noise1", "noise2"), ("mV", "mV"), id=name)
        write_wfdb(made, folder, fmt="212", gain=200.0)
    for patient, snr in (("118", "24"), ("118", "_6"), ("119", "00")):
        record, strength = f"{patient}e{snr}", 10 ** (-_SNR_DB[snr] / 20)
        clean = generated_recording(record, fs=_FS, channels=("MLII", "V1"), seed=int(patient))
        noisy = clean.with_signals(clean.signals + np.float32(strength) * noise, note="noise added")
        marks = joined(clean.annotations, Annotations([2], labels=["+"], notes=["(N"]))
        fmt = "212" if _SNR_DB[snr] > 0 else "16"
        write_wfdb(noisy.with_annotations(marks), folder, fmt=fmt, gain=200.0, baseline=1024)


def _motion() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return two leads of noise, quiet for the first quarter: slow steps, as of an electrode that moves."""
    rng = np.random.default_rng(118)
    steps = np.repeat(rng.normal(scale=0.3, size=(2, 40)), round(0.5 * _FS), axis=1)
    steps[:, : steps.shape[1] // 4] = 0
    return steps.astype(np.float32)
