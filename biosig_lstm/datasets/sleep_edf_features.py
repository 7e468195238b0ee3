"""Features of Sleep-EDF nights: 72 numbers for each 30 s, with the expert's stages."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._card import Card
from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["DATASET", "EPOCH_S", "N_COLUMNS", "SleepEdfFeatures", "write_sample"]

EPOCH_S = 30.0
"""Length of what a row of features and a stage are said of."""

N_COLUMNS = 72
"""Features of an epoch."""

_FOLDER = "sleep-edf-features"
_RECORD = re.compile(r"(SC4|ST7)\d{3}[A-Z]0")
_WAKE = ("30 min", "whole")
_WAKE_EPOCHS = 60

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class SleepEdfFeatures(Dataset):
    """A folder of files ``SC4001E0.npz``, each with X (epochs, 72) and y (epochs,), named ``sleep-edf-features`` too.

    Parameters
    ----------
    wake : str
        ``"30 min"`` keeps so much before the first and after the last epoch of sleep, as papers do; ``"whole"`` keeps
        the recording, most of which is wake by day, found with ease.

    Raises
    ------
    ParameterError
        When `wake` is neither.

    Notes
    -----
    A recording has a channel for each column and a sample for each epoch: its rate is 1/30 Hz. Columns have no names
    and no units in the files: channels are ``feature 0`` to ``feature 71``, in ``n/a``. Epochs whose number is none of
    the five stages have no annotation.
    """

    wake: str = "30 min"

    def __post_init__(self) -> None:
        if self.wake not in _WAKE:
            raise ParameterError(f"{self.card.name}: wake {options(self.wake, _WAKE)}")

    @classmethod
    def folder_for(cls, card: Card, root: str | Path | None = None) -> Path:
        """Return the folder of the database, which may be written with hyphens."""
        folder = super().folder_for(card, root)
        beside = folder.with_name(_FOLDER) if root is None else folder / _FOLDER
        return beside if beside.is_dir() and not any(folder.glob("*.npz")) else folder

    def find_records(self) -> set[str]:
        """Return the names of the recordings at the root."""
        return {path.stem for path in self.root.glob("*.npz") if _RECORD.fullmatch(path.stem)}

    def subject_of(self, record: str) -> str:
        """Return whom a record shows, both nights of one person alike: ``SC400`` of ``SC4001E0``."""
        return record[:5]

    def read(self, record: str) -> Recording:
        """Return the features of one recording as channels, with its stages.

        Raises
        ------
        DataError
            When the file is damaged or is not of 72 columns and a stage for each row.
        """
        x, y = _read(self.root / f"{record}.npz")
        first, stop = (0, len(y)) if self.wake == "whole" else _around_sleep(y)
        staged = np.flatnonzero((y[first:stop] >= 0) & (y[first:stop] < len(self.card.classes)))
        names = np.array([f"Sleep stage {stage}" for stage in self.card.classes])
        return Recording(
            x[first:stop].T,
            1 / EPOCH_S,
            [f"feature {k}" for k in range(N_COLUMNS)],
            ["n/a"] * N_COLUMNS,
            annotations=Annotations(staged, staged + 1, names[y[first:stop][staged]]),
        )


DATASET = SleepEdfFeatures


def _read(path: Path) -> tuple[Float32, Int64]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            held: dict[str, Any] = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name}: no readable file of arrays: {error}") from error
    if not {"X", "y"} <= set(held):
        raise DataError(f"{path.name}: needs the arrays X and y, holds {', '.join(held) or 'none'}")
    x, y = held["X"], held["y"]
    if x.ndim != 2 or x.shape[1] != N_COLUMNS or y.shape != x.shape[:1] or not len(y):
        raise DataError(f"{path.name}: X must be (epochs, {N_COLUMNS}) and y (epochs,), got {x.shape} and {y.shape}")
    return x.astype(np.float32), y.astype(np.int64)


def _around_sleep(y: Int64) -> tuple[int, int]:
    asleep = np.flatnonzero(y > 0)
    if not len(asleep):
        return 0, len(y)
    return max(int(asleep[0]) - _WAKE_EPOCHS, 0), min(int(asleep[-1]) + 1 + _WAKE_EPOCHS, len(y))


_SAMPLE_NIGHTS = ("SC4001E0", "SC4002E0", "SC4011E0", "SC4021E0")
_SAMPLE_EPOCHS = {0: 80, 1: 8, 2: 40, 3: 20, 4: 24}


def write_sample(root: str | Path) -> None:
    """Write four generated nights in the layout of the database, two of them of one person.

    Each has 40 minutes of wake before and after sleep; each stage has its own mean in every column.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root)
    folder.mkdir(parents=True, exist_ok=True)
    means = np.random.default_rng(0).normal(0, 1, (len(_SAMPLE_EPOCHS), N_COLUMNS))
    y = np.array([stage for stage, n in (*_SAMPLE_EPOCHS.items(), (2, 30), (0, 80)) for _ in range(n)])
    for seed, record in enumerate(_SAMPLE_NIGHTS):
        noise = np.random.default_rng(1 + seed).normal(0, 1, (len(y), N_COLUMNS))
        np.savez_compressed(folder / f"{record}.npz", X=means[y] + noise, y=y)
