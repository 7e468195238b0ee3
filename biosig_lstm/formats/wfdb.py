"""WFDB, the format of PhysioNet: headers, signals in all its storage formats, and annotations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.formats._family import Channel, Family
from biosig_lstm.formats._names import distinct_names
from biosig_lstm.formats._wfdb_annotations import WfdbAnnotations, parse_annotations
from biosig_lstm.formats._wfdb_header import Header, Segment, SignalSpec, find_header, first_token, locate, parse_header
from biosig_lstm.formats._wfdb_record import open_reader
from biosig_lstm.formats._wfdb_write import write_annotations, write_wfdb

__all__ = [
    "Header",
    "Segment",
    "SignalSpec",
    "WfdbAnnotations",
    "WfdbRecord",
    "open_wfdb",
    "read_annotations",
    "read_header",
    "read_marks",
    "read_wfdb",
    "write_annotations",
    "write_wfdb",
]

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
Frames = Literal["average", "highest"]


def read_header(path: str | Path) -> Header:
    """Return the header of the record at `path`, named with or without extension.

    Raises
    ------
    DataError
        When there is no header, or it is malformed.
    """
    return parse_header(find_header(path))


class WfdbRecord:
    """An open record: the header is parsed, files are mapped as they are needed, any stretch can be read.

    Parameters
    ----------
    path : str or Path
        The record: its name, its ``.hea`` or one of its signal files.

    Attributes
    ----------
    header : Header
    channels, units : tuple of str
        Name and unit of each signal. A signal without a name is called ``signal 0`` by its place; a name that
        comes twice is told apart as ``ECG``, ``ECG (2)``.
    fs : float [unit=Hz]
        Frames a second.
    n_samples : int
        Frames of the record.

    Raises
    ------
    DataError
        When a file is missing or malformed, or the record holds no signals or no samples.
    """

    def __init__(self, path: str | Path) -> None:
        self._reader = open_reader(find_header(path))
        self.header = self._reader.header
        self.fs = self.header.fs
        self.n_samples = self._reader.n_frames
        self.channels = distinct_names(spec.description for spec in self._reader.signals)
        self.units = tuple(spec.unit for spec in self._reader.signals)
        if not self.channels:
            raise DataError(f"{self.header.path}: the record holds no signals; its annotations may be read alone")
        if self.n_samples == 0:
            raise DataError(f"{self.header.path}: the record holds no samples: its length is zero")

    def __repr__(self) -> str:
        length = f"{self.n_samples} samples at {self.fs:g} Hz"
        return f"WfdbRecord({self.header.record!r}: {', '.join(self.channels)}; {length})"

    def __reduce__(self) -> tuple[type[WfdbRecord], tuple[Path]]:
        return type(self), (self.header.path,)

    def read(
        self,
        *,
        channels: Sequence[str | int] | None = None,
        start: int | None = None,
        stop: int | None = None,
        annotator: str | None = None,
        frames: Frames = "average",
    ) -> Recording:
        """Return a stretch as a recording; the arguments are those of `read_wfdb`, but no annotations by default."""
        rows = self._rows(channels)
        repeat = self._repeat(rows, frames)
        signals = self._read(rows, start, stop, repeat, np.float32)
        first = start or 0
        notes = self._history(rows, repeat)
        annotations, left_out = self._annotations(annotator, first, signals.shape[1], max(repeat, 1))
        return Recording(
            signals=signals,
            fs=self.fs * max(repeat, 1),
            channels=[self.channels[k] for k in rows],
            units=[self.units[k] for k in rows],
            id=self.header.record,
            annotations=annotations,
            history=notes + left_out,
        )

    def read_signals(
        self,
        *,
        channels: Sequence[str | int] | None = None,
        start: int | None = None,
        stop: int | None = None,
        frames: Frames = "average",
    ) -> Float32:
        """Return physical values alone, shape (channels, samples): the fast road to many short stretches."""
        rows = self._rows(channels)
        return self._read(rows, start, stop, self._repeat(rows, frames), np.float32)

    def read_digital(
        self,
        *,
        channels: Sequence[str | int] | None = None,
        start: int | None = None,
        stop: int | None = None,
        frames: Frames = "average",
    ) -> Int32:
        """Return the numbers as stored, shape (channels, samples); missing samples keep their format's mark."""
        rows = self._rows(channels)
        return self._read(rows, start, stop, self._repeat(rows, frames), np.int32)

    def _rows(self, channels: Sequence[str | int] | None) -> list[int]:
        if channels is None:
            return list(range(len(self.channels)))
        if isinstance(channels, str):
            raise ParameterError(f"channels must be a sequence of names, got the string {channels!r}")
        if not channels:
            raise ParameterError(f"{self.header.record}: at least one channel is needed, got none")
        return [self._row(channel) for channel in channels]

    def _row(self, channel: str | int) -> int:
        if isinstance(channel, str):
            if channel not in self.channels:
                raise DataError(f"{self.header.record}: no channel {options(channel, self.channels)}")
            return self.channels.index(channel)
        if not 0 <= channel < len(self.channels):
            raise DataError(f"{self.header.record}: no channel {channel}, there are 0 to {len(self.channels) - 1}")
        return channel

    def _repeat(self, rows: list[int], frames: Frames) -> int:
        if frames == "average":
            return 0
        if frames != "highest":
            raise ParameterError(f"frames {options(str(frames), ['average', 'highest'])}")
        return max(self._reader.signals[k].samples_per_frame for k in rows)

    def _read(self, rows: list[int], start: int | None, stop: int | None, repeat: int, dtype: Any) -> npt.NDArray[Any]:
        width = max(repeat, 1)
        first, last = 0 if start is None else start, self.n_samples * width if stop is None else stop
        if not 0 <= first < last <= self.n_samples * width:
            raise ParameterError(
                f"{self.header.record}: cannot read samples {first} to {last}, "
                f"the record holds 0 to {self.n_samples * width}"
            )
        begin, end = first // width, -(-last // width)
        self._reader.check_holds(rows, last=end)
        out = np.empty((len(rows), (end - begin) * width), dtype=dtype)
        self._reader.fill(rows, first=begin, repeat=repeat, out=out)
        return out[:, first - begin * width : last - begin * width]

    def _history(self, rows: list[int], repeat: int) -> tuple[str, ...]:
        signals = self._reader.signals
        several = [self.channels[k] for k in rows if signals[k].samples_per_frame > 1]
        if not several or repeat:
            return ()
        fastest = max(signals[k].samples_per_frame for k in rows)
        warnings.warn(
            f"{self.header.record}: {', '.join(several)} hold up to {fastest} samples in each frame, averaged to the "
            f'frame rate of {self.fs:g} Hz; read_wfdb(..., frames="highest") gives {self.fs * fastest:g} Hz',
            BiosigWarning,
            stacklevel=4,
        )
        return (f"{', '.join(several)} averaged to the frame rate of {self.fs:g} Hz",)

    def _annotations(
        self, annotator: str | None, first: int, n: int, width: int
    ) -> tuple[Annotations, tuple[str, ...]]:
        path = self._annotation_path(annotator)
        if path is None:
            return Annotations(), ()
        found = parse_annotations(path)
        at = found.sample
        if found.fs is not None and found.fs != self.fs * width:
            at = np.rint(at * (self.fs * width / found.fs)).astype(np.int64)
        elif found.fs is None and width > 1:
            at = at * width
        beyond = int(np.count_nonzero(at >= self.n_samples * width))
        inside = (at >= first) & (at < first + n)
        notes = np.array(found.aux_note, dtype=np.str_).reshape(-1) if any(found.aux_note) else None
        if notes is None:
            notes = np.zeros(len(at), dtype="<U1")
        kept = Annotations(at[inside] - first, None, found.symbol[inside], notes[inside])
        if not beyond:
            return kept, ()
        message = f"{beyond} annotations of {path.name} beyond the end left out"
        warnings.warn(f"{self.header.record}: {message}", BiosigWarning, stacklevel=4)
        return kept, (message,)

    def _annotation_path(self, annotator: str | None) -> Path | None:
        if annotator is None:
            return None
        if annotator != "auto":
            return _annotation_file(self.header.path, annotator)
        path = self.header.path.with_suffix(".atr")
        return path if path.is_file() else None


def open_wfdb(path: str | Path) -> WfdbRecord:
    """Return the record at `path`, open: reading many stretches of it parses its header once.

    Examples
    --------
    >>> record = open_wfdb("mitdb/100")  # doctest: +SKIP
    >>> record.read(start=0, stop=3600)  # doctest: +SKIP
    Recording('100': MLII (mV), V5 (mV); 10 s at 360 Hz; Annotations(0))
    """
    return WfdbRecord(path)


def read_wfdb(
    path: str | Path,
    *,
    channels: Sequence[str | int] | None = None,
    start: int | None = None,
    stop: int | None = None,
    annotator: str | None = "auto",
    frames: Frames = "average",
) -> Recording:
    """Return a WFDB record, or a stretch of it, as a recording in physical units.

    Only what is asked is decoded, from a memory map.

    Parameters
    ----------
    path : str or Path
        The record: its name, its ``.hea`` or one of its signal files.
    channels : sequence of str or int, optional
        Names or places of the signals wanted, in this order; all by default.
    start, stop : int [unit=samples], optional
        Stretch to read, in samples of the result; the whole record by default.
    annotator : str or None
        Extension of the annotation file; ``auto`` takes ``.atr`` where there is one, None takes none.
    frames : {"average", "highest"}
        What to do with signals that hold several samples in each frame. ``average``: the mean of each frame, in
        digital steps cut toward zero, as WFDB does by default. ``highest``: every signal at the rate of the
        fastest one wanted, slower ones held, as WFDB's high-resolution mode.

    Returns
    -------
    Recording
        Gaps are NaN. Its id and subject are the name of the record.

    Raises
    ------
    DataError
        When files are missing, cut short or malformed.
    ParameterError
        When the stretch leaves the record.

    Notes
    -----
    Unlike WFDB, missing samples do not enter the mean of a frame, and a stretch of a record in format 8 has the
    values that it has in the whole record. A checksum of 0 counts as not given, and is compared only where a whole
    signal is read. In records of several segments each is scaled by its own header.

    Examples
    --------
    >>> import tempfile
    >>> recording = Recording([[0.0, 0.25, -0.5]], 250, ["ECG"], ["mV"], id="r1")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     header = write_wfdb(recording, folder, gain=200)
    ...     read_wfdb(header).signals
    array([[ 0.  ,  0.25, -0.5 ]], dtype=float32)
    """
    record = WfdbRecord(path)
    return record.read(channels=channels, start=start, stop=stop, annotator=annotator, frames=frames)


def read_marks(path: str | Path, annotator: str) -> Recording:
    """Return a record's annotations as a recording without channels: its signals need not be there.

    Parameters
    ----------
    path : str or Path
        The record: its name or its ``.hea``.
    annotator : str
        Extension of the annotation file.

    Returns
    -------
    Recording
        As long as the header says, or where it does not, up to the last annotation.

    Raises
    ------
    DataError
        When the header or the annotations are not there, empty or damaged.
    """
    header = read_header(path)
    found = read_annotations(header.path, annotator)
    n_samples = header.n_samples or int(found.sample.max(initial=-1)) + 1
    inside = found.sample < n_samples
    marks = Annotations(found.sample[inside], None, found.symbol[inside])
    nothing = np.zeros((0, n_samples), dtype=np.float32)
    history = ("the signals are not there: no channels",)
    return Recording(nothing, header.fs, (), (), id=header.record, annotations=marks, history=history)


def _lacks_signals(path: Path) -> bool:
    header = read_header(path)
    files = {header.path.parent / spec.file for spec in header.signals}
    return not header.is_multi_segment and not any(file.is_file() for file in files)


def read_annotations(path: str | Path, extension: str) -> WfdbAnnotations:
    """Return what an annotation file says, field for field.

    Parameters
    ----------
    path : str or Path
        The record, with or without extension; it need not have a header.
    extension : str
        Extension of the annotation file, such as ``atr`` or ``qrs``.

    Raises
    ------
    DataError
        When the file is not there, empty or damaged.
    """
    return parse_annotations(_annotation_file(Path(path), extension))


def _annotation_file(path: Path, extension: str) -> Path:
    stem = path.with_suffix("") if path.suffix in {".hea", ".dat", ".mat", "." + extension} else path
    file = stem.with_name(f"{stem.name}.{extension}")
    if not file.is_file():
        beside = sorted(other.suffix[1:] for other in stem.parent.glob(f"{stem.name}.*"))
        raise DataError(f"{file}: no such annotation file; beside it are: {', '.join(beside) or 'none'}")
    return file


def _open(
    path: Path, *, channels: Sequence[str] | None, start_s: float | None, stop_s: float | None, annotator: str | None
) -> Recording:
    if annotator not in (None, "auto") and channels is None and _lacks_signals(path):
        marks = read_marks(path, str(annotator))
        return marks if start_s is None and stop_s is None else marks.crop(start_s=start_s or 0.0, stop_s=stop_s)
    record = WfdbRecord(path)
    start, stop = (None if s is None else round(s * record.fs) for s in (start_s, stop_s))
    return record.read(channels=channels, start=start, stop=stop, annotator=annotator)


def _list(folder: Path) -> list[Path]:
    headers = {path: first_token(path) for path in folder.rglob("*.hea")}
    segments = {segment for path, token in headers.items() if "/" in token for segment in _segment_headers(path)}
    return [path for path in headers if path not in segments]


def _segment_headers(path: Path) -> list[Path]:
    try:
        return [path.with_name(segment.name + ".hea") for segment in parse_header(path).segments]
    except DataError:
        return []  # opening the record says what is wrong with it


def _list_channels(path: Path) -> list[Channel]:
    record = WfdbRecord(path)
    return [Channel(name, unit, record.fs) for name, unit in zip(record.channels, record.units, strict=True)]


FAMILY = Family(
    name="WFDB",
    extensions=(".hea", ".dat", ".mat"),
    find=locate,
    open_one=_open,
    list_all=_list,
    list_channels=_list_channels,
)
