"""The text header of a WFDB record: what is stored, where, and how to turn it into physical values."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

from biosig_lstm.errors import BiosigWarning, DataError

__all__ = ["Header", "Segment", "SignalSpec", "find_header", "first_token", "locate", "parse_header"]

DEFAULT_FS_HZ = 250.0
DEFAULT_GAIN = 200.0

_RECORD = re.compile(
    r"(?P<record>[^\s/]+)(?:/(?P<segments>\d+))?\s+(?P<signals>\d+)"
    r"(?:\s+(?P<fs>[\d.]+(?:[eE][-+]?\d+)?)(?:/(?P<counter>-?[\d.]+(?:[eE][-+]?\d+)?)?(?:\((?P<base>-?[\d.]+)\))?)?"
    r"(?:\s+(?P<samples>\d+)(?:\s+\d{1,2}-[A-Z][a-z]{2}-\d{4}\s+[\d:]+"  # when the file was made, in CinC 2020
    r"|\s+(?P<time>[\d:.]+)(?:\s+(?P<date>[\d/]+))?)?)?)?\s*$"
)
_SIGNAL = re.compile(
    r"(?P<file>\S+)\s+(?P<format>\d+)(?:x(?P<spf>\d+))?(?::(?P<skew>\d+))?(?:\+(?P<offset>\d+))?"
    r"(?:\s+(?P<gain>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\((?P<baseline>[-+]?\d+)\))?(?:/(?P<unit>\S*))?"
    r"(?:\s+(?P<resolution>\d+)(?:\s+(?P<zero>[-+]?\d+)(?:\s+(?P<initial>[-+]?\d+)(?:\s+(?P<checksum>[-+]?\d+)"
    r"(?:\s+(?P<block>\d+)(?:\s+(?P<description>.*))?)?)?)?)?)?)?\s*$"
)
_SEGMENT = re.compile(r"(?P<name>\S+)\s+(?P<samples>\d+)\s*$")


@dataclass(frozen=True)
class SignalSpec:
    """One signal line of a header.

    Parameters
    ----------
    file : str
        File that holds the samples, beside the header; ``~`` where there is none.
    format : int
        Storage format, such as 16 or 212.
    samples_per_frame : int
        Samples of this signal in each frame of the record.
    skew : int [unit=frames]
        How much later in the file this signal's samples stand than those of a signal without skew.
    byte_offset : int
        Bytes before the first sample (in FLAC files: samples).
    gain : float [unit=1/`unit`]
        Digital steps for one physical unit.
    baseline : int
        Digital value that stands for 0 physical units.
    unit : str
        Physical unit, ``mV`` where the header has none.
    adc_resolution, adc_zero : int
        Bits of the converter, and the value at the middle of its range.
    initial_value : int
        First sample; format 8 counts from it.
    checksum : int or None
        Sum of all samples, modulo 65,536; None where the header has none.
    block_size : int
        Bytes of a block, 0 for an ordinary file.
    description : str
        Name of the signal, empty where the header has none.
    """

    file: str
    format: int
    samples_per_frame: int = 1
    skew: int = 0
    byte_offset: int = 0
    gain: float = DEFAULT_GAIN
    baseline: int = 0
    unit: str = "mV"
    adc_resolution: int = 0
    adc_zero: int = 0
    initial_value: int = 0
    checksum: int | None = None
    block_size: int = 0
    description: str = ""


@dataclass(frozen=True)
class Segment:
    """One segment line of the header of a multi-segment record; ``~`` names a gap."""

    name: str
    n_samples: int


@dataclass(frozen=True)
class Header:
    """The header of a WFDB record.

    Parameters
    ----------
    path : Path
        The ``.hea`` file.
    record : str
        Name of the record.
    fs : float [unit=Hz]
        Frames a second; 250 where the header has none.
    n_signals : int
        Number of signals.
    n_samples : int
        Frames of the record; 0 where the header does not say.
    signals : tuple of SignalSpec
        The signals; empty for a multi-segment record.
    segments : tuple of Segment
        The segments; empty for an ordinary record.
    counter_hz, base_counter : float
        Rate of a tape or sample counter, and its first value.
    base_time, base_date : datetime.time, datetime.date or None
        When the record starts.
    comments : tuple of str
        Comment lines, without the number sign.
    """

    path: Path
    record: str
    fs: float
    n_signals: int
    n_samples: int
    signals: tuple[SignalSpec, ...] = ()
    segments: tuple[Segment, ...] = ()
    counter_hz: float | None = None
    base_counter: float = 0.0
    base_time: time | None = None
    base_date: date | None = None
    comments: tuple[str, ...] = ()

    @property
    def is_multi_segment(self) -> bool:
        """Whether the record is made of segments."""
        return bool(self.segments)

    @property
    def has_layout(self) -> bool:
        """Whether the first segment only names the signals (variable layout)."""
        return bool(self.segments) and self.segments[0].n_samples == 0 and self.segments[0].name != "~"


def locate(path: Path) -> Path | None:
    """Return the header of the record that `path` names, with or without extension; None where there is none."""
    tried = [path] if path.suffix == ".hea" else [path.with_name(path.name + ".hea"), path.with_suffix(".hea")]
    return next((candidate for candidate in tried if candidate.is_file()), None)


def find_header(path: str | Path) -> Path:
    """Return the header of the record that `path` names.

    Raises
    ------
    DataError
        When there is no header.
    """
    given = Path(path)
    found = locate(given)
    if found is None:
        missing = given.with_suffix(".hea")
        raise DataError(f"{given}: no WFDB header: {missing} is not there; a record is its .hea and its signal files")
    return found


def first_token(path: Path) -> str:
    """Return the record name of a header as written, with ``/segments`` where it has them; empty if unreadable."""
    with path.open("rb") as file:
        for line in file.read(4096).splitlines():
            if line.strip() and not line.lstrip().startswith(b"#"):
                return line.split()[0].decode("latin-1")
    return ""


def parse_header(path: Path) -> Header:
    """Return the header in a ``.hea`` file.

    Raises
    ------
    DataError
        When the file is empty, not text, or a line is malformed; the message shows the line.
    """
    text = _text(path)
    lines = [line.strip() for line in text.splitlines()]
    comments = tuple(line.strip(" \t#") for line in lines if line.startswith("#"))
    body = [line for line in lines if line and not line.startswith("#")]
    if not body:
        raise DataError(f"{path}: no record line in the header: the file is empty or holds comments only")
    match = _RECORD.match(body[0])
    if match is None:
        raise DataError(f"{path}: malformed record line {_show(body[0])}; expected 'name signals [fs [samples ...]]'")
    fields = match.groupdict()
    n_segments, n_signals = int(fields["segments"] or 0), int(fields["signals"])
    expected = n_segments or n_signals
    _check_lines(path, body, expected, "segments" if n_segments else "signals")
    detail = body[1 : expected + 1]
    return Header(
        path=path,
        record=fields["record"],
        fs=_rate(path, fields["fs"]),
        n_signals=n_signals,
        n_samples=int(fields["samples"] or 0),
        signals=() if n_segments else tuple(_signal(path, line) for line in detail),
        segments=tuple(_segment(path, line) for line in detail) if n_segments else (),
        counter_hz=float(fields["counter"]) if fields["counter"] else None,
        base_counter=float(fields["base"] or 0),
        base_time=_time(path, fields["time"]),
        base_date=_date(path, fields["date"]),
        comments=comments,
    )


def _text(path: Path) -> str:
    raw = path.read_bytes()
    if not raw.strip():
        raise DataError(f"{path}: the header file is empty; fetch it again")
    if b"\0" in raw:
        raise DataError(f"{path}: not a WFDB header: it holds binary data, a header is text")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _show(line: str) -> str:
    return repr(line if len(line) <= 80 else line[:77] + "...")


def _check_lines(path: Path, body: list[str], expected: int, kind: str) -> None:
    found = len(body) - 1
    if found < expected:
        raise DataError(f"{path}: the record line promises {expected} {kind}, the header has lines for {found}")
    if found > expected:
        message = f"{path}: {found - expected} lines after the {expected} {kind} of the record line are left out"
        warnings.warn(message, BiosigWarning, stacklevel=5)


def _rate(path: Path, text: str | None) -> float:
    try:
        fs = float(text) if text else DEFAULT_FS_HZ
    except ValueError:
        fs = 0.0
    if not (fs > 0 and math.isfinite(fs)):
        raise DataError(f"{path}: the sampling frequency must be a positive number of Hz, got {text!r}")
    return fs


def _signal(path: Path, line: str) -> SignalSpec:
    match = _SIGNAL.match(line)
    if match is None:
        raise DataError(f"{path}: malformed signal line {_show(line)}; expected 'file format [gain [...]]'")
    fields = {name: text for name, text in match.groupdict().items() if text}
    numbers = {name: int(fields.get(key, default)) for name, key, default in _INTEGERS}
    zero = numbers["adc_zero"]
    if numbers["samples_per_frame"] < 1:
        raise DataError(f"{path}: a signal needs at least one sample a frame: {_show(line)}")
    gain = float(fields.get("gain", 0)) or DEFAULT_GAIN
    if not math.isfinite(gain):
        raise DataError(f"{path}: the gain must be a finite number: {_show(line)}")
    return SignalSpec(
        file=fields["file"],
        gain=gain,
        baseline=int(fields.get("baseline", zero)),
        unit=fields.get("unit", "mV"),
        checksum=int(fields["checksum"]) if "checksum" in fields else None,
        description=fields.get("description", "").strip(),
        **numbers,
    )


_INTEGERS = (
    ("format", "format", 16),
    ("samples_per_frame", "spf", 1),
    ("skew", "skew", 0),
    ("byte_offset", "offset", 0),
    ("adc_resolution", "resolution", 0),
    ("adc_zero", "zero", 0),
    ("initial_value", "initial", 0),
    ("block_size", "block", 0),
)


def _segment(path: Path, line: str) -> Segment:
    match = _SEGMENT.match(line)
    if match is None:
        raise DataError(f"{path}: malformed segment line {_show(line)}; expected 'name samples'")
    return Segment(match["name"], int(match["samples"]))


def _time(path: Path, text: str | None) -> time | None:
    if not text:
        return None
    layout = ("%S", "%M:%S", "%H:%M:%S")[min(text.count(":"), 2)] + (".%f" if "." in text else "")
    try:
        return datetime.strptime(text, layout).time()
    except ValueError:
        warnings.warn(f"{path}: the base time {text!r} is not a time of day, left out", BiosigWarning, stacklevel=5)
        return None


def _date(path: Path, text: str | None) -> date | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%d/%m/%Y").date()
    except ValueError:
        warnings.warn(f"{path}: the base date {text!r} is not day/month/year, left out", BiosigWarning, stacklevel=5)
        return None
