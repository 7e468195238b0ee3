"""University of Bonn EEG: 500 segments of one channel, from healthy people, between seizures and in seizures."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._challenge import LargeDataset
from biosig_lstm.datasets._named_files import NamedFiles
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options

__all__ = ["DATASET", "FS_HZ", "GROUPINGS", "Bonn", "write_sample"]

FS_HZ = 173.61
"""Rate of all segments."""

GROUPINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sets": {name: name for name in "ZONFS"},
        "states": {"Z": "healthy", "O": "healthy", "N": "interictal", "F": "interictal", "S": "ictal"},
        "seizure": {**dict.fromkeys("ZONF", "seizure-free"), "S": "seizure"},
    }
)
"""Label of each set: five classes, three (ZO, NF, S) or two (ZONF, S)."""

_SAMPLES = 4097


@dataclass(frozen=True, repr=False)
class Bonn(NamedFiles, LargeDataset):
    """The database as it is published: ``Z/Z001.txt`` and so on, each line of a file one number.

    Files are known by their names, in whatever folders they lie and in letters of either case: ``n/N001.TXT`` is
    record N001. Of several files of one name the one least deep is read, and of those the first by its path.

    Parameters
    ----------
    grouping : str
        Labels that segments get, one of `GROUPINGS`: ``"sets"``, the five letters; ``"states"``, three states;
        ``"seizure"``, seizure or none.

    Raises
    ------
    ParameterError
        When there is no such grouping.

    Notes
    -----
    The label is one annotation over the whole segment; its note is the letter of the set. Whose segment it is was not
    published: each is a subject of its own, so no split keeps the patients apart.
    """

    file_name: ClassVar[re.Pattern[str]] = re.compile(r"([ZONFS]\d{3})\.txt", re.IGNORECASE)

    grouping: str = "sets"

    def __post_init__(self) -> None:
        if self.grouping not in GROUPINGS:
            raise ParameterError(f"{self.card.name}: grouping {options(self.grouping, GROUPINGS)}")

    def record_of(self, name: str) -> str:
        """Return the name of the segment of a file, in capitals."""
        return name.upper()

    def subject_of(self, record: str) -> str:
        """Return a name of the segment that no other database has for a person: ``bonn-S001`` of ``S001``."""
        return f"{self.name}-{record}"

    def read(self, record: str) -> Recording:
        """Return one segment with its label.

        Raises
        ------
        DataError
            When its file is not there, is empty, or holds anything but a number a line.
        """
        signal = _numbers(self.path_of(record))
        mark = Annotations([0], [len(signal)], [GROUPINGS[self.grouping][record[0]]], [record[0]])
        said = "the file states no unit: taken for uV"
        return Recording(signal[None], FS_HZ, ["EEG"], ["uV"], id=record, annotations=mark, history=(said,))


DATASET = Bonn


def _numbers(path: Path) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    words = path.read_bytes().decode("ascii", errors="replace").split()
    try:
        values = np.array(words, dtype=np.float32)
    except ValueError as error:
        raise DataError(f"{path}: a line must be one number: {error}") from error
    if not len(values) or not np.isfinite(values).all():
        raise DataError(f"{path}: holds {len(values)} numbers, not all of them finite; a segment has {_SAMPLES}")
    if len(values) != _SAMPLES:
        warnings.warn(f"{path}: holds {len(values)} numbers, a segment has {_SAMPLES}", BiosigWarning, stacklevel=2)
    return values


_SAMPLE_SIZES_UV = {"Z": 40.0, "O": 60.0, "N": 45.0, "F": 55.0, "S": 280.0}
_SAMPLE_RHYTHMS_HZ = {"Z": 20.0, "O": 10.0, "N": 2.0, "F": 5.0, "S": 3.5}


def write_sample(root: str | Path) -> None:
    """Write two generated segments of each set in the layout of the database, those of set N as ``.TXT``.

    Each set has a rhythm and a size of its own: they are told apart with ease, which real segments are not.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    for name, size_uv in _SAMPLE_SIZES_UV.items():
        folder = Path(root) / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in (1, 2):
            rng = np.random.default_rng([ord(name), number])
            phase = 2 * np.pi * (_SAMPLE_RHYTHMS_HZ[name] * np.arange(_SAMPLES) / FS_HZ + rng.uniform())
            values = np.rint(size_uv * (np.sin(phase) + rng.normal(0, 0.7, _SAMPLES))).astype(int)
            file = folder / f"{name}{number:03d}.{'TXT' if name == 'N' else 'txt'}"
            file.write_bytes(b"".join(b"%d\r\n" % value for value in values.tolist()))
