"""The header of an EDF, EDF+, BDF or BDF+ file, clause by clause, with what was wrong in it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from biosig_lstm.errors import DataError

__all__ = ["ANNOTATION_LABELS", "EdfHeader", "EdfSignal", "parse_edf_header"]

ANNOTATION_LABELS = ("EDF Annotations", "BDF Annotations")
_FIXED = 256
_WIDTHS = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
_BIOSEMI = b"\xffBIOSEMI"
_SHORTEST_S, _LONGEST_S = 1e-6, 1e9


@dataclass(frozen=True)
class EdfSignal:
    """One signal of the file.

    Parameters
    ----------
    label, unit, prefilter : str
        As the header has them, without the spaces at the ends.
    physical_min, physical_max : float
        What `digital_min` and `digital_max` mean, in `unit`; not a number where the header has none.
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

    @cached_property
    def has_range(self) -> bool:
        """Whether stored numbers have a physical value: both ranges are given and not empty."""
        return math.isfinite(self.gain) and self.gain != 0 and math.isfinite(self.offset)

    @cached_property
    def gain(self) -> float:
        """Physical units for one step of the stored number; not a number where the header gives none."""
        span = self.digital_max - self.digital_min
        return (self.physical_max - self.physical_min) / span if span else math.nan

    @cached_property
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
        When the file is too short for its header, is of another kind, or a number without which nothing can be read
        is none; the message names the field.

    Notes
    -----
    As many data records are taken as the file holds whole, whatever their number in the header: a recorder that stops
    early leaves -1, 0 or the planned number.
    """
    fixed, table = _header_bytes(path)
    n_signals = len(table) // _FIXED
    notes: list[str] = []
    sample_bytes = 3 if fixed[:8] == _BIOSEMI else 2
    signals = _signals(path, table, n_signals, notes)
    record_bytes = sample_bytes * sum(signal.samples_per_record for signal in signals)
    header_bytes = _FIXED * (n_signals + 1)
    if (said := _text(fixed[184:192])) != str(header_bytes):
        notes.append(f"header of {header_bytes} bytes says {said!r}")
    record_s = _number(path, "duration of a data record", fixed[244:252])
    if any(not signal.is_annotation for signal in signals) and not _SHORTEST_S <= record_s <= _LONGEST_S:
        raise DataError(f"{path}: data records of {record_s:g} s: there is no rate to read signals at")
    return EdfHeader(
        path=path,
        sample_bytes=sample_bytes,
        patient=_text(fixed[8:88]),
        recording=_text(fixed[88:168]),
        start=f"{_text(fixed[168:176])} {_text(fixed[176:184])}",
        reserved=_text(fixed[192:236]),
        header_bytes=header_bytes,
        n_records=_n_records(_text(fixed[236:244]), path.stat().st_size - header_bytes, record_bytes, notes),
        record_s=record_s,
        signals=signals,
        notes=tuple(notes),
    )


def _header_bytes(path: Path) -> tuple[bytes, bytes]:
    with path.open("rb") as file:
        fixed = file.read(_FIXED)
        if fixed[:8].strip(b" \x00") not in (b"0", _BIOSEMI):
            raise DataError(f"{path}: begins with {fixed[:8]!r}, EDF with {b'0       '!r}, BDF with {_BIOSEMI!r}")
        if len(fixed) < _FIXED:
            raise DataError(f"{path}: {len(fixed)} bytes are too short for an EDF header of {_FIXED}")
        n_signals = _whole(path, "number of signals", fixed[252:256])
        if not 0 <= n_signals <= 9999:
            raise DataError(f"{path}: {n_signals} signals, an EDF file has 0 to 9999")
        table = file.read(_FIXED * n_signals)
    if len(table) < _FIXED * n_signals:
        raise DataError(f"{path}: the header ends after {_FIXED + len(table)} bytes, {n_signals} signals need more")
    return fixed, table


def _n_records(said: str, n_bytes: int, record_bytes: int, notes: list[str]) -> int:
    held, left = divmod(n_bytes, record_bytes) if record_bytes else (0, 0)
    if said == "-1":
        notes.append(f"number of data records not written (-1): the file holds {held}")
    elif said != str(held) and record_bytes:
        notes.append(f"{said or 'no'} data records announced, the file holds {held}")
    if left:
        notes.append(f"{left} bytes after the last whole data record left out")
    return held


def _signals(path: Path, table: bytes, n_signals: int, notes: list[str]) -> tuple[EdfSignal, ...]:
    columns: list[list[bytes]] = []
    at = 0
    for width in _WIDTHS:
        columns.append([table[at + k * width : at + (k + 1) * width] for k in range(n_signals)])
        at += width * n_signals
    signals: list[EdfSignal] = []
    first = 0
    for k in range(n_signals):
        signals.append(_signal(path, [column[k] for column in columns], place=k, first=first, notes=notes))
        first += signals[-1].samples_per_record
    return tuple(signals)


def _signal(path: Path, fields: list[bytes], *, place: int, first: int, notes: list[str]) -> EdfSignal:
    label = _text(fields[0])
    where = f"signal {place} ({label!r})"
    n_samples = _whole(path, f"samples per record of {where}", fields[8])
    if n_samples < 0:
        raise DataError(f"{path}: {where} has {n_samples} samples a data record")
    low, high = _limit(fields[3]), _limit(fields[4])
    bottom, top = _limit(fields[5]), _limit(fields[6])
    has_digital = math.isfinite(bottom) and math.isfinite(top)
    signal = EdfSignal(
        label=label,
        unit=_text(fields[2]),
        prefilter=_text(fields[7]),
        physical_min=low,
        physical_max=high,
        digital_min=round(bottom) if has_digital else 0,
        digital_max=round(top) if has_digital else 0,
        samples_per_record=n_samples,
        first=first,
    )
    if signal.digital_min > signal.digital_max and not signal.is_annotation:
        notes.append(f"{where} has a digital minimum of {bottom:g} above its maximum of {top:g}, read as they stand")
    return signal


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _limit(raw: bytes) -> float:
    try:
        value = float(_text(raw).replace(",", "."))
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def _number(path: Path, what: str, raw: bytes) -> float:
    value = _limit(raw)
    if math.isnan(value):
        raise DataError(f"{path}: {what} must be a number, got {_text(raw)!r}")
    return value


def _whole(path: Path, what: str, raw: bytes) -> int:
    return round(_number(path, what, raw))
