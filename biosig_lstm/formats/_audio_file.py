"""One sound file, opened but not read: any stretch of it, and blocks of it in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["UNIT", "AudioFile", "soundfile"]

UNIT = "FS"
"""Full scale: the largest value that the file can hold is 1."""

_BLOCK = 1 << 18
_RUN_IN_S = {"MP3": 1.0}
_UNKNOWN_SIZE = (0, 0xFFFFFFFF)
_READABLE = frozenset({0x0, 0x1, 0x2, 0x3, 0x6, 0x7, 0x11, 0x31, 0x40, 0x64, 0xFFFE})
_CODECS = {0x42: "G.723.1", 0x50: "MPEG", 0x55: "MP3", 0xFF: "AAC", 0x161: "Windows Media Audio", 0x2000: "AC-3"}


class AudioFile:
    """A sound file: what it holds, and stretches of it on demand.

    Parameters
    ----------
    path : path
        The file.

    Attributes
    ----------
    fs : float [unit=Hz]
    channels : tuple of str
        ``sound`` of one; ``left`` and ``right`` of two; ``channel 1`` and so on of more.
    n_samples : int
        Samples of each channel.
    codec : str
        Format and subtype, as in ``WAV PCM_16``.
    notes : tuple of str
        What is wrong with the file, and how it is read all the same.

    Raises
    ------
    DataError
        When the file is not there, is empty, not sound, of an unknown codec, or holds no samples.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with _opened(self.path) as stream:
            self.fs = float(stream.samplerate)
            self.channels = _names(stream.channels)
            self.n_samples = int(stream.frames)
            self.codec = f"{stream.format} {stream.subtype}"
            frame_bytes = stream.channels * _BYTES.get(stream.subtype, 0)
        missing = _bytes_missing(self.path) / frame_bytes if frame_bytes else 0.0
        ends_early = f"ends early, {missing / self.fs:.6g} s before its header says; what is there is read"
        self.notes = (ends_early,) if missing >= 1 else ()
        if not self.n_samples:
            raise DataError(f"{path}: holds no samples ({self.codec})")

    def __reduce__(self) -> tuple[type[AudioFile], tuple[Path]]:
        return AudioFile, (self.path,)

    def __repr__(self) -> str:
        what = f"{self.codec}, {', '.join(self.channels)}"
        return f"AudioFile({self.path.name!r}: {what}; {self.duration_s:g} s at {self.fs:g} Hz)"

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def read(
        self, channels: Sequence[str] | None = None, *, start_s: float | None = None, stop_s: float | None = None
    ) -> Recording:
        """Return a stretch, the whole by default, values in parts of full scale.

        Raises
        ------
        DataError
            When a channel or the stretch is not there, or the file is damaged.
        """
        first = 0 if start_s is None else round(start_s * self.fs)
        last = self.n_samples if stop_s is None else round(stop_s * self.fs)
        if not 0 <= first < last <= self.n_samples:
            raise DataError(
                f"{self.path}: no stretch from {start_s} to {stop_s} s, it holds 0 to {self.duration_s:g} s"
            )
        rows = self._rows(channels)
        with _opened(self.path) as stream:
            self._seek(stream, first)
            return self._recording(self._decode(stream, last - first, rows), rows, first)

    def blocks(
        self, channels: Sequence[str] | None = None, *, block_s: float = 30.0, overlap_s: float = 0.0
    ) -> Iterator[Recording]:
        """Yield the whole file as stretches of `block_s`, the last one shorter, with no more than one in memory.

        Parameters
        ----------
        channels : sequence of str, optional
            Names, in the order wanted.
        block_s : float [unit=s, > 0]
            Length of a block.
        overlap_s : float [unit=s, 0 to below block_s]
            How much of a block is given again at the beginning of the next.

        Raises
        ------
        ParameterError
            When a length is not in its range.
        DataError
            When a channel is not there, or the file is damaged.
        """
        if not 0 <= overlap_s < block_s < math.inf:
            raise ParameterError(f"blocks need 0 <= overlap_s < block_s, got {overlap_s!r} and {block_s!r} s")
        size = max(round(block_s * self.fs), 1)
        again = min(round(overlap_s * self.fs), size - 1)
        return self._blocks(self._rows(channels), size, again)

    def _blocks(self, rows: list[int], size: int, again: int) -> Iterator[Recording]:
        kept = np.zeros((len(rows), 0), dtype=np.float32)
        first = 0
        with _opened(self.path) as stream:
            _read_on(stream)
            while first + kept.shape[1] < self.n_samples:
                count = min(size, self.n_samples - first) - kept.shape[1]
                values = np.concatenate([kept, self._decode(stream, count, rows)], axis=1)
                yield self._recording(values, rows, first)
                kept = values[:, values.shape[1] - again :]
                first += values.shape[1] - kept.shape[1]

    def _rows(self, channels: Sequence[str] | None) -> list[int]:
        wanted = self.channels if channels is None else tuple(channels)
        for name in wanted:
            if name not in self.channels:
                raise DataError(f"{self.path}: channel {options(name, self.channels)}")
        return [self.channels.index(name) for name in wanted]

    def _seek(self, stream: Any, first: int) -> None:
        """Go to a sample; a codec that needs what was before is run in."""
        run_in = min(first, round(_RUN_IN_S.get(stream.format, 0.0) * self.fs))
        if first > run_in:
            stream.seek(first - run_in)
        _read_on(stream)
        if run_in:
            stream.read(run_in, dtype="float32")

    def _decode(self, stream: Any, count: int, rows: list[int]) -> npt.NDArray[np.float32]:
        try:
            out = np.empty((len(rows), count), dtype=np.float32)
        except MemoryError as error:
            raise DataError(
                f"{self.path}: {count} samples of {len(rows)} channels do not fit in memory; read it by blocks"
            ) from error
        for done in range(0, count, _BLOCK):
            got = stream.read(min(_BLOCK, count - done), dtype="float32", always_2d=True)
            out[:, done : done + len(got)] = got.T[rows]
            if len(got) < min(_BLOCK, count - done):
                raise DataError(f"{self.path}: damaged: {count - done - len(got)} of {count} samples cannot be decoded")
        return out

    def _recording(self, values: npt.NDArray[np.float32], rows: list[int], first: int) -> Recording:
        if np.isinf(values).any():
            at = int(np.argmax(np.isinf(values).any(axis=0)))
            raise DataError(f"{self.path}: holds infinite values, first at {(first + at) / self.fs:.6g} s")
        names = [self.channels[row] for row in rows]
        last = first + values.shape[1]
        part = () if last - first == self.n_samples else (f"read {first / self.fs:g}-{last / self.fs:g} s",)
        return Recording(values, self.fs, names, [UNIT] * len(names), id=self.path.stem, history=part)


_BYTES = {
    "PCM_U8": 1, "PCM_S8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1,
}  # fmt: skip


def soundfile(path: Path) -> ModuleType:
    """Return the package soundfile; it needs a library that a system may lack."""
    try:
        import soundfile as package
    except (ImportError, OSError) as error:
        raise DataError(f"{path}: sound files need soundfile and its libsndfile: {error}") from error
    return package  # type: ignore[no-any-return]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if not path.stat().st_size:
        raise DataError(f"{path}: the file is empty")
    package = soundfile(path)
    try:
        with package.SoundFile(str(path)) as stream:
            yield stream
    except package.LibsndfileError as error:
        what = _unknown_codec(path) or error.error_string.rstrip(".")
        raise DataError(f"{path}: not sound that can be read: {what}") from error


def _read_on(stream: Any) -> None:
    """Let soundfile no longer seek to where it is after each read, which leaves a seam in MP3."""
    stream.seekable = lambda: False


def _names(n_channels: int) -> tuple[str, ...]:
    few = {1: ("sound",), 2: ("left", "right")}
    return few.get(n_channels, tuple(f"channel {k + 1}" for k in range(n_channels)))


def _bytes_missing(path: Path) -> int:
    """Return how many bytes of samples a WAV file lacks that its header promises."""
    size = path.stat().st_size
    for name, begin, length in _chunks(path):
        if name == b"data":
            return 0 if length in _UNKNOWN_SIZE else max(begin + length - size, 0)
    return 0


def _unknown_codec(path: Path) -> str:
    """Return what to say of the codec of a WAV file where soundfile has none of its number; else nothing."""
    for name, begin, _ in _chunks(path):
        if name == b"fmt ":
            with path.open("rb") as file:
                file.seek(begin)
                number = int.from_bytes(file.read(2), "little")
            codec = f"{number:#06x}" + (f" ({_CODECS[number]})" if number in _CODECS else "")
            return "" if number in _READABLE else f"its codec, {codec}, is not known; convert it to PCM"
    return ""


def _chunks(path: Path) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name of each chunk of a WAV file, where its content begins, and its length; none of another file."""
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        while len(chunk := file.read(8)) == 8:
            length = int.from_bytes(chunk[4:], "little")
            begin = file.tell()
            yield chunk[:4], begin, length
            file.seek(begin + length + length % 2)
