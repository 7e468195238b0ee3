"""The header of an EDF, EDF+, BDF or BDF+ file, clause by clause, with what was wrong in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from biosig_lstm.errors import DataError

__all__ = ["ANNOTATION_LABELS", "EdfHeader", "EdfSignal", "parse_edf_header"]

ANNOTATION_LABELS = ("EDF Annotations", "BDF Annotations")
_FIXED = 256
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_BIOSEMI = b"\xffBIOSEMI"


@dataclass(frozen=True)
class EdfSignal:
    """One signal of the file.

    Parameters
    ----------
    label, unit, prefilter : str
        As the header has them, without the spaces at the ends.
    physical_min, physical_max : float
        What `digital_min` and `digital_max` mean, in `unit`.
    digital_min, digital_max : int
        Range of the stored numbers.
    samples_per_record : int
        How many of them a data record holds.
    first : int
        Where they begin in a data record, in samples.
    """

    label: str
    unit: str
    prefilter: str
    physical_min: float
    physical_max: float
    digital_min: int
    digital_max: int
    samples_per_record: int
    first: int

    @property
    def is_annotation(self) -> bool:
        """Whether it holds text instead of samples."""
        return self.label in ANNOTATION_LABELS

    @property
    def gain(self) -> float:
        """Physical units for one step of the stored number; not a number where the header gives none."""
        span = self.digital_max - self.digital_min
        return (self.physical_max - self.physical_min) / span if span else math.nan

    @property
    def offset(self) -> float:
        """Physical value of the stored number zero."""
        return self.physical_min - self.gain * self.digital_min


@dataclass(frozen=True)
class EdfHeader:
    """What the header says, and how far the file bears it out.

    Parameters
    ----------
    path : Path
        The file.
    sample_bytes : int
        2 for EDF, 3 for BDF.
    patient, recording : str
        Identification as free text.
    start : str
        Date and time as the file has them, ``dd.mm.yy hh.mm.ss``.
    reserved : str
        ``EDF+C``, ``EDF+D`` and the like; empty in plain EDF.
    header_bytes : int
        Where the data records begin.
    n_records : int
        Whole data records that the file holds.
    record_s : float
        Seconds of a data record.
    signals : tuple of EdfSignal
        Annotation signals among them.
    notes : tuple of str
        What was wrong and how it was read all the same.
    """

    path: Path
    sample_bytes: int
    patient: str
    recording: str
    start: str
    reserved: str
    header_bytes: int
    n_records: int
    record_s: float
    signals: tuple[EdfSignal, ...]
    notes: tuple[str, ...] = ()

    @property
    def record_samples(self) -> int:
        """Stored numbers in a data record, those of annotations among them."""
        return sum(signal.samples_per_record for signal in self.signals)

    @property
    def discontinuous(self) -> bool:
        """Whether data records may leave gaps of time between them."""
        return self.reserved[:5] in ("EDF+D", "BDF+D")

    def rate_hz(self, signal: EdfSignal) -> float:
        """Return the rate of a signal."""
        return signal.samples_per_record / self.record_s


def parse_edf_header(path: Path) -> EdfHeader:
    """Return the header of a file.

    Raises
    ------
    DataError
        When the file is too short for its header, or a number in it cannot be read; the message names the field.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        fixed = file.read(_FIXED)
        if len(fixed) < _FIXED:
            raise DataError(f"{path}: {len(fixed)} bytes are too short for an EDF header of {_FIXED}")
        n_signals = _whole(path, "number of signals", fixed[252:256])
        if not 0 <= n_signals <= 9999:
            raise DataError(f"{path}: {n_signals} signals, an EDF file has 0 to 9999")
        table = file.read(_FIXED * n_signals)
    if len(table) < _FIXED * n_signals:
        raise DataError(f"{path}: the header ends after {_FIXED + len(table)} bytes, {n_signals} signals need more")
    sample_bytes = 3 if fixed[:8] == _BIOSEMI else 2
    signals = _signals(path, table, n_signals)
    record_bytes = sample_bytes * sum(signal.samples_per_record for signal in signals)
    header_bytes = _FIXED * (n_signals + 1)
    notes: list[str] = []
    said_bytes = _whole(path, "number of header bytes", fixed[184:192])
    if said_bytes != header_bytes:
        notes.append(f"header of {header_bytes} bytes says {said_bytes}")
    said = _whole(path, "number of data records", fixed[236:244])
    record_s = _number(path, "duration of a data record", fixed[244:252])
    if not (record_s > 0 or record_bytes == 0 or all(signal.is_annotation for signal in signals)):
        raise DataError(f"{path}: data records of {record_s:g} s: there is no rate to read signals at")
    return EdfHeader(
        path=path,
        sample_bytes=sample_bytes,
        patient=_text(fixed[8:88]),
        recording=_text(fixed[88:168]),
        start=f"{_text(fixed[168:176])} {_text(fixed[176:184])}",
        reserved=_text(fixed[192:236]),
        header_bytes=header_bytes,
        n_records=_n_records(said, size - header_bytes, record_bytes, notes),
        record_s=record_s,
        signals=signals,
        notes=tuple(notes),
    )


def _n_records(said: int, n_bytes: int, record_bytes: int, notes: list[str]) -> int:
    held, left = divmod(n_bytes, record_bytes) if record_bytes else (max(said, 0), 0)
    if said == -1:
        notes.append(f"number of data records not written (-1): the file holds {held}")
    elif said != held:
        notes.append(f"{said} data records announced, the file holds {held}")
    if left:
        notes.append(f"{left} bytes after the last whole data record left out")
    return min(held, said) if said >= 0 else held


def _signals(path: Path, table: bytes, n_signals: int) -> tuple[EdfSignal, ...]:
    columns: list[list[bytes]] = []
    at = 0
    for width in _WIDTHS:
        columns.append([table[at + k * width : at + (k + 1) * width] for k in range(n_signals)])
        at += width * n_signals
    signals: list[EdfSignal] = []
    first = 0
    for k in range(n_signals):
        label = _text(columns[0][k])
        where = f"signal {k} ({label!r})"
        n_samples = _whole(path, f"samples per record of {where}", columns[8][k])
        if n_samples < 0:
            raise DataError(f"{path}: {where} has {n_samples} samples a data record")
        limits = [_number(path, f"physical or digital limit of {where}", columns[c][k]) for c in (3, 4, 5, 6)]
        text = [_text(columns[c][k]) for c in (2, 7)]
        signals.append(
            EdfSignal(
                label, text[0], text[1], limits[0], limits[1], round(limits[2]), round(limits[3]), n_samples, first
            )
        )
        first += n_samples
    return tuple(signals)


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _number(path: Path, what: str, raw: bytes) -> float:
    text = _text(raw).replace(",", ".")
    try:
        value = float(text)
    except ValueError as error:
        raise DataError(f"{path}: {what} must be a number, got {text!r}") from error
    if not math.isfinite(value):
        raise DataError(f"{path}: {what} must be finite, got {text!r}")
    return value


def _whole(path: Path, what: str, raw: bytes) -> int:
    return round(_number(path, what, raw))
