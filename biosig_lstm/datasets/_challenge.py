"""What the twelve-lead challenges share: headers that state diagnoses, folders, and how their files are written."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._base import Dataset
from biosig_lstm.datasets._synthetic_ecg import Float32
from biosig_lstm.datasets._written import TWELVE_LEADS
from biosig_lstm.formats.wfdb import open_wfdb
from biosig_lstm.transfer import Report

__all__ = ["LargeDataset", "find_file", "names_below", "read_challenge", "whole_recording", "write_challenge"]

_DEEPEST = 4
_INT16_MATRIX = 30


@dataclass(frozen=True, repr=False)
class LargeDataset(Dataset):
    """A database of so many records that its folders are listed once, and again after a download."""

    @property
    def record_names(self) -> tuple[str, ...]:
        """Records that were at the root when they were first asked for, sorted."""
        return self._held

    @cached_property
    def _held(self) -> tuple[str, ...]:
        return super().record_names

    def download(self, *args: Any, **settings: Any) -> Report:
        """Fetch what is missing at the root: see `Dataset.download`."""
        try:
            return super().download(*args, **settings)
        finally:
            self.__dict__.pop("_held", None)


def names_below(root: Path, suffix: str) -> set[str]:
    """Return the names, without suffix, of all files with that suffix in a folder and those in it."""
    return {name.removesuffix(suffix) for _, _, files in os.walk(root) for name in files if name.endswith(suffix)}


def find_file(root: Path, name: str) -> Path | None:
    """Return the file of that name in a folder or up to four folders below; None where there is none.

    Of several the one least deep, and of those the first by its path.
    Only the folders are listed, not the thousands of files in them.
    """
    patterns = ("*/" * depth + name for depth in range(_DEEPEST + 1))
    return next((path for pattern in patterns for path in sorted(root.glob(pattern))), None)


def read_challenge(path: Path) -> tuple[Recording, tuple[str, ...]]:
    """Return a record without annotations, and the diagnoses that the line ``Dx`` of its header states, as written."""
    opened = open_wfdb(path)
    stated = (line.partition(":") for line in opened.header.comments)
    said = next((text for key, _, text in stated if key.strip().lower() == "dx"), "")
    diagnoses = (word.strip() for word in said.split(","))
    return opened.read(), tuple(word for word in diagnoses if word and word.lower() != "unknown")


def whole_recording(pairs: Iterable[tuple[str, str]], n_samples: int) -> Annotations:
    """Return one annotation over the whole recording for each label, its codes in the note.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Label and code of each diagnosis; codes of one label are put together.
    n_samples : int
        Length of the recording.
    """
    codes: dict[str, list[str]] = {}
    for label, code in pairs:
        codes.setdefault(label, []).append(code)
    n = len(codes)
    return Annotations([0] * n, [n_samples] * n, list(codes), [",".join(found) for found in codes.values()])


def write_challenge(
    folder: Path, record: str, signals: Float32, *, fs: float, diagnoses: Sequence[str], about: str = "Age: 74"
) -> None:
    """Write a record of twelve leads as the challenges give it: a MATLAB 4 matrix of int16 and a WFDB header.

    Parameters
    ----------
    folder : Path
        Made if need be.
    record : str
        Its name.
    signals : np.ndarray [shape=(12, samples), unit=mV]
        In steps of 1/1,000 mV.
    fs : float [unit=Hz]
        Rate.
    diagnoses : sequence of str
        For the line ``Dx``.
    about : str
        A comment line more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    steps = np.rint(signals * 1000).astype("<i2")
    head = struct.pack("<5i", _INT16_MATRIX, *steps.shape, 0, 4) + b"val\0"
    (folder / f"{record}.mat").write_bytes(head + steps.tobytes(order="F"))
    lines = [f"{record} {len(steps)} {fs:g} {steps.shape[1]}"]
    for lead, row in zip(TWELVE_LEADS, steps, strict=True):
        checksum = (int(row.sum(dtype=np.int64)) + 32768) % 65536 - 32768
        lines.append(f"{record}.mat 16x1+24 1000.0(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    lines += [f"# {about}", "# Sex: Male", f"# Dx: {','.join(diagnoses)}", "# Rx: Unknown", "# Hx: Unknown"]
    (folder / f"{record}.hea").write_text("\n".join([*lines, "# Sx: Unknown"]) + "\n", encoding="utf-8", newline="\n")
