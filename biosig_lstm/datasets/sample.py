"""The sample that comes with the package: generated electrocardiograms of eight subjects, as WFDB records."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._card import Card
from biosig_lstm.datasets._synthetic_ecg import CHANNELS, synthetic_ecg
from biosig_lstm.formats.wfdb import read_wfdb, write_wfdb

__all__ = ["DATASET", "Sample", "write_sample"]

_N_SUBJECTS, _DURATION_S, _FS, _GAIN = 8, 150.0, 360.0, 200.0


@dataclass(frozen=True, repr=False)
class Sample(Dataset):
    """Generated recordings, MLII and V1 at 360 Hz, 150 s each; they lie in the package and need no download."""

    @classmethod
    def default_root(cls, card: Card) -> Path:
        """Return the folder of the card: the recordings lie beside it."""
        return card.folder

    def read(self, record: str) -> Recording:
        """Return one record with its ``.atr`` annotations."""
        return read_wfdb(self.root / record, annotator="atr")


DATASET = Sample


def write_sample(root: str | Path, *, seed: int = 0) -> None:
    """Write the eight recordings and their SHA-256 sums; seed 0 gives the files that come with the package.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    seed : int [>= 0]
        Another seed gives other subjects.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, _N_SUBJECTS + 1):
        recording = _generated(f"s{number:02d}", seed=(seed, number))
        write_wfdb(recording, folder, fmt="212", gain=_GAIN, comments=["generated, no patient was recorded"])
    files = sorted(path for path in folder.glob("s0*.*") if path.suffix in (".atr", ".dat", ".hea"))
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS.txt").write_text("".join(sums), encoding="utf-8", newline="\n")


def _generated(record: str, *, seed: tuple[int, int]) -> Recording:
    rng = np.random.default_rng(seed)
    signals, peaks, labels = synthetic_ecg(
        fs=_FS,
        duration_s=_DURATION_S,
        seed=(*seed, 1),
        heart_rate_bpm=rng.uniform(58, 92),
        rr_std_s=rng.uniform(0.04, 0.1),
        respiration_hz=rng.uniform(0.2, 0.32),
        p_supraventricular=rng.uniform(0.07, 0.14),
        p_ventricular=rng.uniform(0.07, 0.14),
        ventricular_origin="left" if seed[1] % 2 else "right",
        noise_mv=rng.uniform(0.015, 0.05),
        baseline_mv=rng.uniform(0.05, 0.2),
        mains_mv=rng.uniform(0.005, 0.02),
    )
    marks = Annotations([1, *peaks], labels=["+", *labels], notes=["(N", *[""] * len(labels)])
    return Recording(signals, _FS, CHANNELS, ("mV", "mV"), id=record, annotations=marks)
