"""An open WFDB record: header parsed once, signal files mapped into memory, any stretch decoded on demand."""

from __future__ import annotations

import mmap
import warnings
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import canonical_unit, freeze
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats import _wfdb_flac
from biosig_lstm.formats._wfdb_header import Header, SignalSpec, parse_header
from biosig_lstm.formats._wfdb_signals import FORMATS, INVALID, NO_INVALID, bytes_needed, decode, samples_in

__all__ = ["Reader", "open_reader"]

Int64 = npt.NDArray[np.int64]
Samples = npt.NDArray[Any]

_NAN = np.float32(np.nan)


class Reader(Protocol):
    """What can decode frames of a record, whether it is in one piece or in segments."""

    header: Header
    n_frames: int
    signals: tuple[SignalSpec, ...]

    def check_holds(self, wanted: Sequence[int], *, last: int) -> None:
        """Raise when the files of the signals `wanted` end before frame `last`."""
        ...

    def fill(self, wanted: Sequence[int], *, first: int, repeat: int, out: Samples) -> None:
        """Decode the signals `wanted` from frame `first` on into the rows of `out`: float32 physical, int32 digital."""
        ...


def open_reader(path: Path) -> Reader:
    """Return the reader of the record whose header is at `path`."""
    header = parse_header(path)
    return _Segmented(header) if header.is_multi_segment else _Whole(header)


class _SignalFile:
    """One file and the signals that are interleaved in it."""

    def __init__(self, header: Header, name: str, members: list[int]) -> None:
        specs = [header.signals[k] for k in members]
        self.path = header.path.parent / name
        self.record = header.record
        self.format = _format_of(header, name, specs)
        self.byte_offset = specs[0].byte_offset
        sizes = [spec.samples_per_frame for spec in specs]
        self.stride = sum(sizes)
        self.owner = np.repeat(np.arange(len(specs)), sizes)
        self.sizes = np.array(sizes, dtype=np.int64)
        self.places = np.cumsum(self.sizes) - self.sizes
        self.initial = np.array([spec.initial_value for spec in specs], dtype=np.int64)
        self._data: npt.NDArray[np.uint8] | None = None

    @property
    def is_null(self) -> bool:
        """Whether there is no file: format 0 holds no samples."""
        return self.format == 0

    def data(self) -> npt.NDArray[np.uint8]:
        """Return the bytes from the first sample on, mapped."""
        if self._data is None:
            self._data = _map(self.path, self.record)[self.byte_offset :]
        return self._data

    def n_frames(self) -> int:
        """Return how many whole frames the file holds."""
        if self.format > 500:
            held = _wfdb_flac.n_samples(self.path, self.record) - self.byte_offset
            return max(held, 0) // int(self.sizes[0])
        return samples_in(self.format, len(self.data())) // self.stride

    def frames(self, first: int, count: int) -> tuple[npt.NDArray[np.uint8], int, int]:
        """Return bytes, their format, and the frame they begin with, that hold `count` frames from `first` on."""
        if self.format > 500:
            flat = _wfdb_flac.read(
                self.path, self.record, fmt=self.format, sizes=self.sizes.tolist(), first=first, count=count,
                offset=self.byte_offset,
            )  # fmt: skip
            return freeze(flat).view(np.uint8), 32, first
        return self.data(), self.format, 0

    def state_at(self, first: int) -> Int64:
        """Return each signal's value before frame `first`: what format 8 counts on from."""
        if self.format != 8:
            return self.initial
        state = self.initial.copy()
        if first > 0:
            none, nothing, mark = np.zeros(0, dtype=np.int64), np.zeros(0), np.int32(NO_INVALID)
            out = np.zeros((0, 0), dtype=np.float32)
            where = (self.owner, state, none, none, none)
            decode(self.data(), 8, 0, first, *where, 0, mark, nothing, nothing, _NAN, out, none)
        return state

    def check_holds(self, last: int, promised: int) -> None:
        """Raise when the file ends before frame `last`."""
        if self.format < 500 and bytes_needed(self.format, last * self.stride) <= len(self.data()):
            return
        held = self.n_frames()
        if held < last:
            raise DataError(
                f"{self.path}: cut short: the header of {self.record} promises {promised} samples a signal, "
                f"the file holds {held}; fetch it again, or read what is there with stop={held}"
            )


def _format_of(header: Header, name: str, specs: list[SignalSpec]) -> int:
    for field, noun in (("format", "formats"), ("byte_offset", "byte offsets")):
        found = sorted({getattr(spec, field) for spec in specs})
        if len(found) > 1:
            raise DataError(f"{header.path}: signals of one file ({name}) with different {noun}: {found}")
    fmt = specs[0].format
    if fmt not in FORMATS and fmt != 0:
        raise DataError(
            f"{header.path}: unknown signal format {fmt} of {name}; possible: {', '.join(map(str, FORMATS))}"
        )
    return fmt


def _map(path: Path, record: str) -> npt.NDArray[np.uint8]:
    if not path.is_file():
        raise DataError(
            f"{path}: the signal file of record {record} is not there; fetch it and put it beside the header"
        )
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return freeze(np.zeros(0, dtype=np.uint8))
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class _Part:
    """The signals wanted of one file that have the same skew, and what decoding them needs."""

    file: _SignalFile
    skew: int
    rows: Int64
    places: Int64
    sizes: Int64
    baselines: npt.NDArray[np.float64]
    steps: npt.NDArray[np.float64]
    invalid: Any
    missing: Any

    def fill(self, *, first: int, end: int, repeat: int, out: Samples, sums: Int64) -> int:
        """Decode from frame `first` on, at most to frame `end` of the file; return how many samples were filled."""
        width, begin = max(repeat, 1), first + self.skew
        count = 0 if self.file.is_null else max(min(out.shape[1] // width, end - begin), 0)
        if count == 0:
            return 0
        data, fmt, origin = self.file.frames(begin, count)
        decode(
            data, fmt, begin - origin, count, self.file.owner, self.file.state_at(begin), self.rows, self.places,
            self.sizes, repeat, self.invalid, self.baselines, self.steps, self.missing, out, sums,
        )  # fmt: skip
        return count * width


class _Whole:
    """A record in one piece."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self.signals = header.signals
        members: dict[str, list[int]] = {}
        for k, spec in enumerate(header.signals):
            members.setdefault(spec.file, []).append(k)
        self._files = [(_SignalFile(header, name, group), group) for name, group in members.items()]
        self._plans: dict[tuple[tuple[int, ...], bool], list[_Part]] = {}
        self.n_frames = header.n_samples or self._length()

    def _length(self) -> int:
        stored = [file for file, _ in self._files if not file.is_null]
        return stored[0].n_frames() if stored else 0

    def check_holds(self, wanted: Sequence[int], *, last: int) -> None:
        for part in self._parts(wanted, digital=False):
            if not part.file.is_null:
                part.file.check_holds(min(last + part.skew, self.n_frames), self.n_frames)

    def _parts(self, wanted: Sequence[int], *, digital: bool) -> list[_Part]:
        key = (tuple(wanted), digital)
        if key not in self._plans:
            groups = [(file, group, skew) for file, group in self._files for skew in sorted(self._skews(group))]
            parts = [self._part(wanted, file, group, skew=skew, digital=digital) for file, group, skew in groups]
            self._plans[key] = [part for part in parts if len(part.rows)]
        return self._plans[key]

    def _skews(self, group: list[int]) -> set[int]:
        return {self.signals[k].skew for k in group}

    def _part(self, wanted: Sequence[int], file: _SignalFile, group: list[int], *, skew: int, digital: bool) -> _Part:
        rows = [row for row, k in enumerate(wanted) if k in group and self.signals[k].skew == skew]
        inside = [group.index(wanted[row]) for row in rows]
        specs = [self.signals[wanted[row]] for row in rows]
        return _Part(
            file=file,
            skew=skew,
            rows=np.array(rows, dtype=np.int64),
            places=file.places[inside],
            sizes=file.sizes[inside],
            baselines=np.array([0.0 if digital else spec.baseline for spec in specs]),
            steps=np.array([1.0 if digital else 1.0 / spec.gain for spec in specs]),
            invalid=np.int32(NO_INVALID if digital else INVALID.get(file.format, NO_INVALID)),
            missing=np.int32(NO_INVALID) if digital else _NAN,
        )

    def fill(self, wanted: Sequence[int], *, first: int, repeat: int, out: Samples) -> None:
        digital = out.dtype == np.int32
        sums = np.zeros(len(wanted), dtype=np.int64)
        for part in self._parts(wanted, digital=digital):
            done = part.fill(first=first, end=self.n_frames, repeat=repeat, out=out, sums=sums)
            if done < out.shape[1]:
                out[part.rows, done:] = INVALID.get(part.file.format, NO_INVALID) if digital else np.nan
        if first == 0 and out.shape[1] == self.n_frames * max(repeat, 1):
            self._check_sums(wanted, sums)

    def _check_sums(self, wanted: Sequence[int], sums: Int64) -> None:
        wrong = []
        for k, total in zip(wanted, sums.tolist(), strict=True):
            spec = self.signals[k]
            if spec.checksum and not spec.skew and spec.format and (total - spec.checksum) % 65536:
                wrong.append(spec.description or f"signal {k}")
        if wrong:
            warnings.warn(
                f"{self.header.path}: the checksum of {', '.join(wrong)} does not match the header: "
                "the signal file or the header was changed or damaged; compare with the original",
                BiosigWarning,
                stacklevel=6,
            )


class _Segmented:
    """A record of several segments: with the same signals in each (fixed layout), or found by name (variable)."""

    def __init__(self, header: Header) -> None:
        self.header = header
        self._open: dict[str, _Whole] = {}
        skip = 1 if header.has_layout else 0
        self._segments = header.segments[skip:]
        self._edges = np.concatenate([[0], np.cumsum([s.n_samples for s in self._segments])]).astype(int).tolist()
        self.n_frames = self._edges[-1]
        if header.n_samples not in (0, self.n_frames):
            raise DataError(
                f"{header.path}: the record line promises {header.n_samples} samples, its segments hold {self.n_frames}"
            )
        self._by_name = header.has_layout
        self.signals = self._layout().signals
        if len(self.signals) != header.n_signals:
            raise DataError(
                f"{header.path}: the record line promises {header.n_signals} signals, "
                f"its first segment holds {len(self.signals)}"
            )

    def _layout(self) -> Header:
        named = [segment.name for segment in self.header.segments if segment.name != "~"]
        if not named:
            raise DataError(f"{self.header.path}: all segments are gaps: there is nothing to read")
        return self._header(named[0]) if self._by_name else self._segment(named[0]).header

    def _header(self, name: str) -> Header:
        path = self.header.path.with_name(name + ".hea")
        if not path.is_file():
            raise DataError(f"{path}: the header of a segment of record {self.header.record} is not there; fetch it")
        header = parse_header(path)
        if header.is_multi_segment:
            raise DataError(f"{path}: a segment that is itself made of segments; the format allows one level")
        if header.fs != self.header.fs:
            raise DataError(f"{path}: {header.fs:g} Hz, the record {self.header.record} has {self.header.fs:g} Hz")
        return header

    def _segment(self, name: str) -> _Whole:
        if name not in self._open:
            self._open[name] = _Whole(self._header(name))
        return self._open[name]

    def check_holds(self, wanted: Sequence[int], *, last: int) -> None:
        """Leave it to each segment."""

    def fill(self, wanted: Sequence[int], *, first: int, repeat: int, out: Samples) -> None:
        width = max(repeat, 1)
        last, at = first + out.shape[1] // width, first
        while at < last:
            index = bisect_right(self._edges, at) - 1
            begin, end = self._edges[index], min(self._edges[index + 1], last)
            part = out[:, (at - first) * width : (end - first) * width]
            self._fill_segment(index, wanted, first=at - begin, repeat=repeat, out=part)
            at = end

    def _fill_segment(self, index: int, wanted: Sequence[int], *, first: int, repeat: int, out: Samples) -> None:
        gap = -(2**31) if out.dtype == np.int32 else np.nan
        segment = self._segments[index]
        if segment.name == "~":
            out[:] = gap
            return
        reader = self._segment(segment.name)
        if reader.n_frames != segment.n_samples:
            raise DataError(
                f"{reader.header.path}: the segment holds {reader.n_frames} samples, "
                f"{self.header.path.name} promises {segment.n_samples}"
            )
        sources = [self._find(reader, k) for k in wanted]
        there = [row for row, source in enumerate(sources) if source is not None]
        found = [k for k in sources if k is not None]
        values = np.empty((len(there), out.shape[1]), dtype=out.dtype)
        reader.check_holds(found, last=first + out.shape[1] // max(repeat, 1))
        reader.fill(found, first=first, repeat=repeat, out=values)
        out[:] = gap
        out[there] = values

    def _find(self, reader: _Whole, k: int) -> int | None:
        spec = self.signals[k]
        if not self._by_name:
            found: int | None = k
        else:
            names = [other.description for other in reader.signals]
            found = names.index(spec.description) if spec.description in names else None
        if found is not None and canonical_unit(reader.signals[found].unit) != canonical_unit(spec.unit):
            raise DataError(
                f"{reader.header.path}: signal {spec.description!r} is in {reader.signals[found].unit}, "
                f"in {self.header.record} it is in {spec.unit}"
            )
        return found
