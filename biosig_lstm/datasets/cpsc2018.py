"""China Physiological Signal Challenge 2018: 6,877 twelve-lead recordings of nine classes, some of several."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.datasets._challenge import (
    LargeDataset,
    find_file,
    names_below,
    read_challenge,
    whole_recording,
    write_challenge,
)
from biosig_lstm.datasets._written import TWELVE_LEADS, generated_recording
from biosig_lstm.errors import DataError, options

__all__ = ["CODES", "DATASET", "Cpsc2018", "write_original_sample", "write_sample"]

CODES = {
    "Normal": "426783006",
    "AF": "164889003",
    "I-AVB": "270492004",
    "LBBB": "164909002",
    "RBBB": "59118001",
    "PAC": "284470004",
    "PVC": "164884008",
    "STD": "429622005",
    "STE": "164931005",
}
"""The SNOMED CT code of each class, in the order of the numbers 1 to 9 of ``REFERENCE.csv``."""

_CLASS_OF = {code: name for name, code in CODES.items()}
_NAME = re.compile(r"A\d{4}")
_TABLE = "REFERENCE.csv"
_FS = 500.0
_SAMPLE = {"A0001": ("RBBB",), "A0043": ("AF", "RBBB"), "A0100": ("Normal",), "A0200": ("PVC", "STD", "STE")}


@dataclass(frozen=True, repr=False)
class Cpsc2018(LargeDataset):
    """The training set of the CPSC 2018, in either of its layouts.

    The one of PhysioNet: ``training/cpsc_2018/g1/A0001.hea`` and ``.mat``, or the records in any folder up to four
    below the root. The original one: ``A0001.mat`` in the same folders, with ``REFERENCE.csv``.

    Notes
    -----
    Each class of a recording is an annotation over the whole of it; its note is the SNOMED CT code. The order of
    several says nothing in PhysioNet's layout, which sorts them; in the original one the first comes first. No patient
    is named, so each record counts as a subject of its own, under the name that it also has in cinc2021.
    """

    def find_records(self) -> set[str]:
        """Return the names of the records at the root, by their headers or, in the original layout, by the table."""
        headers = names_below(self.root, ".hea")
        found = headers or (names_below(self.root, ".mat") & set(self._table))
        return {name for name in found if _NAME.fullmatch(name)}

    def read(self, record: str) -> Recording:
        """Return one record with its classes as annotations of the whole."""
        header = find_file(self.root, f"{record}.hea")
        if header is None:
            recording, names = self._original(record)
        else:
            recording, stated = read_challenge(header)
            names = tuple(_class_name(word) for word in stated)
        classes = [(name, CODES[name]) for name in names]
        return recording.with_annotations(whole_recording(classes, recording.n_samples))

    def _original(self, record: str) -> tuple[Recording, tuple[str, ...]]:
        path = find_file(self.root, f"{record}.mat")
        if path is None:
            raise DataError(f"neither {record}.hea nor {record}.mat is in {self.root} or below it")
        signals = _matlab_signals(path)
        return Recording(signals, _FS, TWELVE_LEADS, ("mV",) * len(TWELVE_LEADS), id=record), self._table[record]

    @cached_property
    def _table(self) -> dict[str, tuple[str, ...]]:
        path = find_file(self.root, _TABLE)
        if path is None:
            return {}
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))[1:]
        return {row[0]: tuple(_numbered(path, row)) for row in rows if row}


DATASET = Cpsc2018


def _class_name(word: str) -> str:
    name = _CLASS_OF.get(word, word)
    if name not in CODES:
        raise DataError(f"diagnosis {options(word, [*CODES.values(), *CODES])}")
    return name


def _numbered(path: Path, row: list[str]) -> Iterable[str]:
    names = tuple(CODES)
    for cell in filter(None, (cell.strip() for cell in row[1:])):
        number = int(float(cell)) if cell.replace(".", "", 1).isdigit() else 0
        if not 1 <= number <= len(names):
            raise DataError(f"{path}: {row[0]}: a class is a number from 1 to {len(names)}, got {cell!r}")
        yield names[number - 1]


def _matlab_signals(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the field ``data`` of the structure ``ECG`` in a MATLAB 5 file: (12, samples), mV."""
    from scipy.io import loadmat

    try:
        held: dict[str, Any] = loadmat(path)
        signals = np.asarray(held["ECG"]["data"][0, 0], dtype=np.float32)
    except (OSError, KeyError, ValueError, IndexError, TypeError) as error:
        raise DataError(f"{path}: holds no MATLAB structure ECG with a field data: {error}") from error
    if signals.ndim != 2 or len(signals) != len(TWELVE_LEADS):
        raise DataError(f"{path}: ECG.data must be (12, samples), got shape {signals.shape}")
    return signals


def write_sample(root: str | Path) -> None:
    """Write four generated records of 10 s in PhysioNet's layout; two have several classes.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    folder = Path(root) / "training" / "cpsc_2018" / "g1"
    for record, names in _SAMPLE.items():
        made = _generated(record)
        write_challenge(folder, record, made.signals, fs=_FS, diagnoses=[CODES[name] for name in names])


def write_original_sample(root: str | Path) -> None:
    """Write the same records in the original layout: MATLAB structures in ``TrainingSet1``, and ``REFERENCE.csv``.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    from scipy.io import savemat

    folder = Path(root) / "TrainingSet1"
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["Recording,First_label,Second_label,Third_label"]
    for record, names in _SAMPLE.items():
        steps = np.rint(_generated(record).signals.astype(np.float64) * 1000)
        savemat(folder / f"{record}.mat", {"ECG": {"sex": "Male", "age": 74, "data": steps / 1000}})
        numbers = [str(list(CODES).index(name) + 1) for name in reversed(names)]
        lines.append(",".join([record, *numbers, *[""] * (3 - len(numbers))]))
    (Path(root) / _TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def _generated(record: str) -> Recording:
    return generated_recording(record, fs=_FS, channels=TWELVE_LEADS, seed=int(record[1:]), duration_s=10.0)
