"""Writing WFDB records: header, one signal file in any of the storage formats, annotations."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.formats import _wfdb_flac
from biosig_lstm.formats._wfdb_annotations import CODES, NOTE, WfdbAnnotations
from biosig_lstm.formats._wfdb_signals import FORMATS, INVALID

__all__ = ["write_annotations", "write_wfdb"]

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Samples = npt.NDArray[Any]

_RANGE_BITS = {8: 31, 80: 8, 508: 8, 310: 10, 311: 10, 212: 12, 24: 24, 524: 24, 32: 32}
_FREE_CODES = (*range(42, 50), 15, 17)
_LONGEST_SKIP = 2**31 - 1
_BLANK = re.compile(r"\s+")


def write_wfdb(
    recording: Recording,
    directory: str | Path,
    *,
    name: str | None = None,
    fmt: str | int = 16,
    gain: float | Sequence[float] | None = None,
    baseline: int | Sequence[int] = 0,
    start_time: datetime | None = None,
    comments: Sequence[str] = (),
    annotator: str | None = "atr",
) -> Path:
    """Write a recording as a WFDB record: a header, one signal file, and its annotations.

    Parameters
    ----------
    recording : Recording
        What to write; NaN becomes the format's mark of a missing sample.
    directory : str or Path
        Where; it must exist.
    name : str, optional
        Name of the record: letters, digits, ``_`` and ``-``. Defaults to the recording's id.
    fmt : str or int
        Storage format: 8 16 24 32 61 80 160 212 310 311, and 508 516 524 (FLAC, with the package soundfile).
    gain : float or sequence of float, optional [unit=steps per physical unit]
        For all channels or each. By default the largest value of each channel takes the largest number of the
        format; a recording read from WFDB is written exactly with its own gain and baseline.
    baseline : int or sequence of int
        Digital value that stands for 0.
    start_time : datetime, optional
        When the recording started.
    comments : sequence of str
        Lines for the header.
    annotator : str or None
        Extension of the annotation file; None writes none.

    Returns
    -------
    Path
        The header.

    Raises
    ------
    DataError
        When a value does not fit into the format at this gain.
    ParameterError
        When the name or the format is not allowed.
    """
    folder, record = Path(directory), recording.id if name is None else name
    number = _format_number(fmt)
    if not re.fullmatch(r"[-\w]+", record):
        raise ParameterError(f"record name {record!r}: only letters, digits, _ and - are allowed; give name=")
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder to write {record} into")
    baselines = np.broadcast_to(np.asarray(baseline, dtype=np.int64), len(recording.channels))
    gains = _gains(recording, gain, number, baselines)
    digital = _to_digital(recording, number, gains, baselines)
    signal_file = folder / f"{record}.dat"
    if number > 500:
        _wfdb_flac.write(signal_file, digital, fmt=number, fs=recording.fs)
    else:
        signal_file.write_bytes(_encode(digital, number, recording.id))
    lines = [_record_line(record, recording, start_time)]
    lines += _signal_lines(signal_file.name, number, recording, digital, gains, baselines)
    header = folder / f"{record}.hea"
    header.write_text(
        "\n".join([*lines, *(f"# {comment}" for comment in comments)]) + "\n", encoding="utf-8", newline="\n"
    )
    if annotator is not None and len(recording.annotations):
        write_annotations(folder / record, annotator, recording.annotations)
    return header


def _format_number(fmt: str | int) -> int:
    if str(fmt) not in map(str, FORMATS):
        raise ParameterError(f"fmt {options(str(fmt), map(str, FORMATS))}")
    return int(fmt)


def _limit(fmt: int) -> int:
    return int(2 ** (_RANGE_BITS.get(fmt, 16) - 1) - 1)


def _gains(
    recording: Recording, gain: float | Sequence[float] | None, fmt: int, baselines: Int64
) -> npt.NDArray[np.float64]:
    if gain is not None:
        gains = np.broadcast_to(np.asarray(gain, dtype=np.float64), len(recording.channels))
        if not (np.isfinite(gains) & (gains != 0)).all():
            raise ParameterError(f"gain must be finite and not 0, got {gain}")
        return gains
    size = np.nan_to_num(np.abs(recording.signals)).max(axis=1, initial=0).astype(np.float64)
    limit = (32767 if fmt == 8 else _limit(fmt)) - np.abs(baselines) - 1
    return np.where(size > 0, limit / np.where(size > 0, size, 1), 1.0)


def _to_digital(recording: Recording, fmt: int, gains: npt.NDArray[np.float64], baselines: Int64) -> Int32:
    values = np.rint(recording.signals.astype(np.float64) * gains[:, None] + baselines[:, None])
    lost, limit = np.isnan(values), _limit(fmt)
    outside = ~lost & (np.abs(values) > limit)
    if outside.any():
        row = int(np.argmax(outside.any(axis=1)))
        worst = values[row][np.argmax(np.where(outside[row], np.abs(values[row]), 0))]
        raise DataError(
            f"{recording.id}: channel {recording.channels[row]!r} reaches {worst:.0f} steps at gain {gains[row]:g}, "
            f"format {fmt} holds -{limit} to {limit}; choose a lower gain or a wider format"
        )
    if lost.any() and fmt == 8:
        raise DataError(f"{recording.id}: format 8 has no mark for missing samples; choose another format")
    return np.where(lost, INVALID[fmt], values).astype(np.int32)


def _encode(digital: Int32, fmt: int, record: str) -> bytes:
    if fmt == 8:
        return _encode_8(digital, record)
    flat: Samples = digital.T.reshape(-1)
    if fmt == 24:
        flat = flat.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3]
    elif fmt == 212:
        flat = _encode_212(flat)
    elif fmt in (310, 311):
        flat = _encode_31x(flat, fmt)
    else:
        offset, dtype = {80: (128, "u1"), 160: (32768, "<u2"), 16: (0, "<i2"), 61: (0, ">i2"), 32: (0, "<i4")}[fmt]
        flat = (flat + offset).astype(dtype) if offset else flat.astype(dtype)
    return bytes(flat.tobytes())


def _encode_8(digital: Int32, record: str) -> bytes:
    steps = np.diff(digital, axis=1, prepend=digital[:, :1])
    if steps.size and np.abs(steps).max() > 127:
        raise DataError(f"{record}: format 8 holds steps of up to 127 between samples; lower the gain, or use 16")
    return bytes(steps.T.astype(np.int8).tobytes())


def _padded(flat: Int32, block: int) -> Int32:
    return np.pad(flat, (0, -len(flat) % block)).reshape(-1, block)


def _encode_212(flat: Int32) -> Samples:
    a, b = (_padded(flat, 2) & 0xFFF).T
    return np.stack([a & 255, (a >> 8) | ((b >> 8) << 4), b & 255], axis=1).astype(np.uint8)


def _encode_31x(flat: Int32, fmt: int) -> Samples:
    a, b, c = (_padded(flat, 3) & 0x3FF).T
    if fmt == 311:
        words: Samples = (a | (b << 10) | (c << 20)).astype("<u4")
        return words
    first, second = (a << 1) | ((c & 31) << 11), (b << 1) | ((c >> 5) << 11)
    return np.stack([first, second], axis=1).astype("<u2")


def _record_line(record: str, recording: Recording, start_time: datetime | None) -> str:
    line = f"{record} {len(recording.channels)} {_number(recording.fs)} {recording.n_samples}"
    return line if start_time is None else f"{line} {start_time:%H:%M:%S.%f}"[:-3] + f" {start_time:%d/%m/%Y}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))


def _signal_lines(  # noqa: PLR0917
    file: str, fmt: int, recording: Recording, digital: Int32, gains: npt.NDArray[np.float64], baselines: Int64
) -> list[str]:
    bits = _RANGE_BITS.get(fmt, 16)
    lines = []
    for k, (channel, unit) in enumerate(zip(recording.channels, recording.units, strict=True)):
        total = (int(digital[k].sum(dtype=np.int64)) + 32768) % 65536 - 32768
        initial = int(digital[k, 0]) if digital.shape[1] else 0
        scale = f"{_number(float(gains[k]))}({baselines[k]})/{_BLANK.sub('_', unit) or 'NU'}"
        name = _BLANK.sub(" ", channel)
        lines.append(f"{file} {fmt} {scale} {bits} 0 {initial} {total} 0 {name}")
    return lines


def write_annotations(
    path: str | Path, extension: str, annotations: WfdbAnnotations | Annotations, *, fs: float | None = None
) -> Path:
    """Write annotations in the MIT format.

    Parameters
    ----------
    path : str or Path
        The record, without extension.
    extension : str
        Extension of the annotation file: letters, such as ``atr``.
    annotations : WfdbAnnotations or Annotations
        Labels that are no WFDB symbols get a code of their own, defined in the file; there is room for ten.
    fs : float [unit=Hz], optional
        The annotator's clock, written to the file; by default what the annotations say.

    Returns
    -------
    Path
        The annotation file.

    Raises
    ------
    DataError
        When a label or a note cannot be stored.
    """
    file = Path(path).with_name(f"{Path(path).name}.{extension}")
    what = _from_container(annotations) if isinstance(annotations, Annotations) else annotations
    clock = what.fs if fs is None else fs
    custom = _custom_labels(what, file)
    codes = {**CODES, **{symbol: code for code, (symbol, _) in custom.items()}}
    data = bytearray()
    if clock is not None:
        _append_note(data, f"## time resolution: {_number(clock)}", file)
    if custom:
        _append_note(data, "## annotation type definitions", file)
        for code, (symbol, description) in custom.items():
            _append_note(data, f"{code} {symbol} {description or symbol}", file)
        _append_note(data, "## end of definitions", file)
    for comment in what.comments:
        _append_note(data, comment, file)
    _append_all(data, what, codes, file)
    file.write_bytes(bytes(data) + b"\0\0")
    return file


def _from_container(annotations: Annotations) -> WfdbAnnotations:
    if (annotations.stops > annotations.starts).any():
        message = "WFDB annotations are instants: the stretches' ends are not written, their beginnings are"
        warnings.warn(message, BiosigWarning, stacklevel=4)
    zeros = np.zeros(len(annotations), dtype=np.int16)
    return WfdbAnnotations(
        annotations.starts, annotations.labels, zeros, zeros, zeros, tuple(annotations.notes.tolist())
    )


def _custom_labels(annotations: WfdbAnnotations, file: Path) -> dict[int, tuple[str, str]]:
    custom = dict(annotations.custom_labels)
    known = {*CODES, *(symbol for symbol, _ in custom.values())}
    new = sorted(set(annotations.symbol.tolist()) - known)
    free = [code for code in _FREE_CODES if code not in custom]
    if len(new) > len(free):
        raise DataError(
            f"{file}: {len(new)} labels are no WFDB symbols, there is room for {len(free)}: {', '.join(new)}"
        )
    custom |= {code: (symbol, symbol) for code, symbol in zip(free, new, strict=False)}
    unfit = [symbol for symbol, _ in custom.values() if not re.fullmatch(r"\S+", symbol)]
    if unfit:
        raise DataError(f"{file}: a WFDB symbol is not empty and has no spaces, got {unfit}; relabel first")
    return custom


def _append_all(data: bytearray, what: WfdbAnnotations, codes: Mapping[str, int], file: Path) -> None:
    channel = number = 0
    steps = np.diff(what.sample, prepend=0).tolist()
    fields = zip(
        steps, what.symbol.tolist(), what.subtype.tolist(), what.chan.tolist(), what.num.tolist(), what.aux_note,
        strict=True,
    )  # fmt: skip
    for step, symbol, subtype, chan, num, note in fields:
        code = codes[symbol]
        if not (code and 0 <= chan <= 255 and -128 <= subtype <= 127 and -128 <= num <= 127):
            raise DataError(
                f"{file}: cannot store annotation {symbol!r} with chan {chan}, subtype {subtype}, num {num}"
            )
        _append_word(data, step, code)
        if num != number:
            data += bytes([num & 255, 60 << 2])
        if subtype:
            data += bytes([subtype & 255, 61 << 2])
        if chan != channel:
            data += bytes([chan, 62 << 2])
        channel, number = chan, num
        if note:
            _append_text(data, note, file)


def _append_word(data: bytearray, step: int, code: int) -> None:
    while not 0 <= step <= 1023:
        skip = max(min(step, _LONGEST_SKIP), -_LONGEST_SKIP)
        data += bytes([0, 59 << 2, skip >> 16 & 255, skip >> 24 & 255, skip & 255, skip >> 8 & 255])
        step -= skip
    data += bytes([step & 255, (step >> 8) | (code << 2)])


def _append_note(data: bytearray, text: str, file: Path) -> None:
    _append_word(data, 0, NOTE)
    _append_text(data, text, file)


def _append_text(data: bytearray, text: str, file: Path) -> None:
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise DataError(f"{file}: the note {text!r} holds characters beyond Latin-1") from error
    if len(raw) > 255:
        raise DataError(f"{file}: a note holds up to 255 characters, got {len(raw)}: {text[:40]!r}...")
    data += bytes([len(raw), 63 << 2]) + raw + b"\0" * (len(raw) % 2)
