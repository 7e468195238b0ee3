"""EDF+ files of annotations alone: what a hypnogram or a list of events comes in."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import DataError, ParameterError

__all__ = ["EDF_YEARS", "write_edf_annotations"]

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_LARGEST_RECORD, _SAMPLE_BYTES = 61_440, 2
_STAMP = b"+0\x14\x14\x00"
_UNKNOWN = datetime(1985, 1, 1)
EDF_YEARS = range(1985, 2085)
"""Years that the two digits of EDF stand for."""
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


def write_edf_annotations(
    path: str | Path, annotations: Annotations, *, fs: float, start: datetime | None = None
) -> None:
    """Write annotations as an EDF+ file that holds nothing else, as the hypnograms of Sleep-EDF are.

    Parameters
    ----------
    path : path
        Ends with ``.edf``; its folder is there.
    annotations : Annotations
        Labels are the texts. A note is the name of the channel that the annotation is on: ``label@@channel``.
    fs : float [unit=Hz, > 0]
        Rate of the recording that they belong to.
    start : datetime, optional
        When that recording began, to the second.

    Raises
    ------
    ParameterError
        When the name is another, the rate is not positive, or the year is not in 1985 to 2084.
    DataError
        When a label is empty or holds a control character, or one annotation is longer than a data record.

    Notes
    -----
    EDF+ (Kemp and Olivan 2003, doi:10.1016/S1388-2457(03)00123-8): one signal ``EDF Annotations``, data records of 0 s
    and at most 61,440 bytes. Times are written to the nanosecond. Nothing is written of who was recorded.
    """
    file = Path(path)
    if file.suffix.lower() != ".edf":
        raise ParameterError(f"an EDF+ file is called *.edf, got {file.name}")
    if not 0 < fs < math.inf:
        raise ParameterError(f"fs must be positive and finite, got {fs!r}")
    if start is not None and start.year not in EDF_YEARS:
        raise ParameterError(f"EDF knows the years {EDF_YEARS[0]} to {EDF_YEARS[-1]}, got {start.year}")
    records = list(_records(_STAMP, _tals(annotations, fs)))
    width = max(map(len, records)) + max(map(len, records)) % _SAMPLE_BYTES
    with file.open("wb") as out:
        out.write(_head(start, n_records=len(records), width=width // _SAMPLE_BYTES))
        out.writelines(record.ljust(width, b"\0") for record in records)


def _tals(annotations: Annotations, fs: float) -> Iterator[bytes]:
    columns = (annotations.starts, annotations.stops, annotations.labels, annotations.notes)
    for start, stop, label, note in zip(*(column.tolist() for column in columns), strict=True):
        text = f"{label}@@{note}" if note else label
        if not label.strip() or _FORBIDDEN.search(text):
            raise DataError(f"the annotation at {start / fs:g} s has a text that EDF+ cannot hold: {text!r}")
        onset = f"{start / fs:+.9f}".rstrip("0").rstrip(".")
        lasting = f"\x15{(stop - start) / fs:.9f}".rstrip("0").rstrip(".") if stop > start else ""
        tal = f"{onset}{lasting}\x14{text}\x14\x00".encode()
        if len(_STAMP) + len(tal) > _LARGEST_RECORD:
            raise DataError(f"the annotation at {start / fs:g} s has {len(tal)} bytes, EDF+ takes {_LARGEST_RECORD}")
        yield tal


def _records(stamp: bytes, tals: Iterator[bytes]) -> Iterator[bytes]:
    held = stamp
    for tal in tals:
        if len(held) + len(tal) > _LARGEST_RECORD:
            yield held
            held = stamp
        held += tal
    yield held


def _head(start: datetime | None, *, n_records: int, width: int) -> bytes:
    begun = start or _UNKNOWN
    date = f"{begun.day:02}-{_MONTHS[begun.month - 1]}-{begun.year}" if start else "X"
    cells: tuple[tuple[object, int], ...] = (
        ("0", 8), ("X X X X", 80), (f"Startdate {date} X X X", 80), (f"{begun:%d.%m.%y}", 8), (f"{begun:%H.%M.%S}", 8),
        (512, 8), ("EDF+C", 44), (n_records, 8), (0, 8), (1, 4),
        ("EDF Annotations", 16), ("", 80), ("", 8), (-1, 8), (1, 8), (-32768, 8), (32767, 8), ("", 80), (width, 8),
        ("", 32),
    )  # fmt: skip
    return b"".join(str(value).encode("ascii").ljust(size) for value, size in cells)
