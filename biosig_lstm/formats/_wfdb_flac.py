"""Samples of WFDB's FLAC formats 508, 516 and 524, by way of the optional package soundfile."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError

__all__ = ["n_samples", "read", "write"]

_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}
_BLOCK = 1 << 20


def _soundfile(path: Path) -> ModuleType:
    try:
        import soundfile
    except ImportError as error:
        raise DataError(
            f"{path}: FLAC signals (formats 508, 516, 524) need soundfile: pip install soundfile"
        ) from error
    return soundfile  # type: ignore[no-any-return]


def _check(path: Path, record: str) -> None:
    if not path.is_file():
        raise DataError(
            f"{path}: the signal file of record {record} is not there; fetch it and put it beside the header"
        )
    with path.open("rb") as file:
        if file.read(4) != b"fLaC":
            raise DataError(f"{path}: not a FLAC file, as the header of {record} says; fetch it again")


def n_samples(path: Path, record: str) -> int:
    """Return how many samples of each stream a FLAC file holds."""
    soundfile = _soundfile(path)
    _check(path, record)
    try:
        return int(soundfile.info(str(path)).frames)
    except RuntimeError as error:
        raise DataError(f"{path}: damaged FLAC file ({error}); fetch it again") from error


def read(
    path: Path, record: str, *, fmt: int, sizes: list[int], first: int, count: int, offset: int
) -> npt.NDArray[np.int32]:
    """Return frames of a FLAC file in the order of a plain signal file.

    Parameters
    ----------
    path, record : Path, str
        The file, and the record it belongs to.
    fmt : int
        508, 516 or 524: no more than 8, 16 or 24 bits.
    sizes : list of int
        Samples a frame of each signal of the file: all alike.
    first, count : int [unit=frames]
        What to read.
    offset : int [unit=samples]
        Where the record begins in each stream.

    Returns
    -------
    np.ndarray [shape=(count * sum(sizes),), dtype=int32]

    Raises
    ------
    DataError
        When the file is not what the header says.
    """
    soundfile = _soundfile(path)
    _check(path, record)
    if len(set(sizes)) != 1:
        raise DataError(f"{path}: signals of one FLAC file need the same samples a frame, the header has {sizes}")
    try:
        with soundfile.SoundFile(str(path)) as stream:
            bits = _BITS.get(stream.subtype, 99)
            if bits > fmt - 500 or stream.channels != len(sizes):
                raise DataError(
                    f"{path}: holds {stream.channels} streams of {bits} bits ({stream.subtype}), "
                    f"the header of {record} promises {len(sizes)} of at most {fmt - 500}"
                )
            stream.seek(offset + first * sizes[0])
            out = _blocks(stream, count * sizes[0])
    except RuntimeError as error:
        raise DataError(f"{path}: damaged FLAC file ({error}); fetch it again") from error
    if len(out) < count * sizes[0]:
        raise DataError(
            f"{path}: damaged FLAC file: it ends {count * sizes[0] - len(out)} samples early; fetch it again"
        )
    frames = out.reshape(count, sizes[0], len(sizes)).transpose(0, 2, 1)
    return np.ascontiguousarray(frames >> (32 - bits)).reshape(-1)


def _blocks(stream: Any, count: int) -> npt.NDArray[np.int32]:
    """Read in blocks: libsndfile fails at more than 2**24 values in one call."""
    out, done = np.empty((count, stream.channels), dtype=np.int32), 0
    while done < count:
        got = len(stream.read(out=out[done : done + _BLOCK]))
        done += got
        if got == 0:
            break
    return out[:done]


def write(path: Path, digital: npt.NDArray[np.int32], *, fmt: int, fs: float) -> None:
    """Write digital samples as a FLAC file.

    Parameters
    ----------
    path : Path
        The signal file.
    digital : np.ndarray [shape=(channels, samples), dtype=int32]
        At most 8 channels.
    fmt : int
        508, 516 or 524.
    fs : float [unit=Hz]
        Written to the file as a whole number; WFDB goes by its own header.

    Raises
    ------
    DataError
        When there are more channels than FLAC holds.
    """
    soundfile = _soundfile(path)
    if len(digital) > 8:
        raise DataError(f"{path}: a FLAC file holds at most 8 channels, got {len(digital)}; write another format")
    bits = fmt - 500
    name = {width: subtype for subtype, width in _BITS.items()}[bits]
    samples = np.ascontiguousarray(digital.T << (32 - bits))
    rate = int(min(max(round(fs), 1), 655350))
    soundfile.write(str(path), samples, rate, subtype=name, format="FLAC")
