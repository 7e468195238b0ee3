"""Sound: WAV, FLAC, OGG, MP3 and what else libsndfile reads, whole, in stretches, or block by block."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.formats._audio_file import UNIT, AudioFile, soundfile
from biosig_lstm.formats._family import Channel, Family

__all__ = ["FAMILY", "AudioFile", "open_audio", "read_audio", "suspected", "write_audio"]

_EXTENSIONS = (".wav", ".flac", ".ogg", ".mp3", ".oga", ".opus", ".aif", ".aiff", ".au", ".sph", ".w64")
_FORMATS = {".sph": "NIST", ".oga": "OGG", ".opus": "OGG", ".aif": "AIFF"}
_SUBTYPES = {".ogg": "VORBIS", ".oga": "VORBIS", ".opus": "OPUS", ".mp3": "MPEG_LAYER_III"}
_FULL = 0.999
_BEYOND = 2.0
_BLOCK = 1 << 16
_CLIPPED_RUN = 3
_CLIPPED_SHARE = 1e-3


def open_audio(path: str | Path) -> AudioFile:
    """Return a sound file opened for reading stretches or blocks of it; see `AudioFile`.

    Examples
    --------
    >>> meeting = open_audio("meeting.mp3")  # doctest: +SKIP
    >>> meeting.read(start_s=3600, stop_s=3630)  # doctest: +SKIP
    Recording('meeting': sound (FS); 30 s at 44100 Hz; Annotations(0))
    """
    sound = AudioFile(path)
    for note in sound.notes:
        warnings.warn(f"{path}: {note}", BiosigWarning, stacklevel=2)
    return sound


def read_audio(
    path: str | Path,
    channels: Sequence[str] | None = None,
    *,
    start_s: float | None = None,
    stop_s: float | None = None,
) -> Recording:
    """Return a recording from a sound file, in parts of full scale.

    Parameters
    ----------
    path : path
        WAV (8 to 32 bits, float, A-law, mu-law, ADPCM), FLAC, OGG (Vorbis, Opus), MP3, AIFF, AU, NIST SPHERE.
    channels : sequence of str, optional
        Of ``sound`` where there is one channel, ``left`` and ``right`` where there are two, ``channel 1`` and so on
        where there are more. All by default.
    start_s, stop_s : float [unit=s], optional
        The stretch to read; nothing else is decoded, but for a second before it in MP3.

    Returns
    -------
    Recording
        Values of -1 to 1 in the unit ``FS`` (full scale); the least step of 16 bits is 1/32768. Samples stored as
        floating point come as they are.

    Raises
    ------
    DataError
        When the file is not sound, its codec is not known, it holds no samples or infinite ones, or a channel or
        stretch is not there.

    Warns
    -----
    BiosigWarning
        When all samples are equal (silence); when more than a thousandth of a channel's samples are clipped: in runs
        of three or more at full scale; when values go beyond twice full scale (floating point in another unit); when
        there are NaN (they are kept: the steps that cannot bear them say so); when the file ends before its header
        says.
    """
    return suspected(open_audio(path).read(channels, start_s=start_s, stop_s=stop_s), path)


def suspected(recording: Recording, path: str | Path) -> Recording:
    """Return sound as it is, with the warnings of `read_audio` about its samples."""
    for name, row in zip(recording.channels, recording.signals, strict=True):
        for note in _suspicions(row, recording.fs):
            warnings.warn(f"{path}: channel {name!r} {note}", BiosigWarning, stacklevel=3)
    return recording


def _suspicions(row: np.ndarray[tuple[int], np.dtype[np.float32]], fs: float) -> list[str]:
    low, high = float(row.min()), float(row.max())
    if np.isnan(low):
        missing = np.isnan(row)
        return [f"holds {np.count_nonzero(missing)} NaN, first at {int(np.argmax(missing)) / fs:.6g} s"]
    if low == high:
        return [f"is silent: every sample is {low:g}"]
    peak = max(-low, high)
    if peak > _BEYOND:
        return [f"reaches {peak:.6g} times full scale: are its floating-point samples in another unit?"]
    clipped = _clipped_share(row) if peak >= _FULL else 0.0
    return [f"is clipped: {100 * clipped:.2g} % of its samples"] if clipped > _CLIPPED_SHARE else []


def _clipped_share(row: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    full = np.concatenate([[False], np.abs(row) >= _FULL, [False]])
    edges = np.flatnonzero(full[1:] != full[:-1]).reshape(-1, 2)
    lengths = edges[:, 1] - edges[:, 0]
    return float(lengths[lengths >= _CLIPPED_RUN].sum() / len(row))


def write_audio(recording: Recording, path: str | Path, *, subtype: str | None = None) -> Path:
    """Write a recording in parts of full scale as a sound file, its format by the extension.

    Parameters
    ----------
    recording : Recording
        Channels in ``FS``, at a whole number of Hz.
    path : path
        Ends in ``.wav``, ``.flac``, ``.ogg``, ``.mp3`` or another extension that `read_audio` knows.
    subtype : str, optional
        Name of libsndfile: ``PCM_16`` (where the format has it the default), ``PCM_24``, ``FLOAT``, ``VORBIS``, ...

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        When the extension, or the subtype for it, is not known.
    DataError
        When a channel is not in ``FS``, holds NaN, or the rate is none that the format holds.

    Notes
    -----
    What is beyond full scale is clipped by formats of whole numbers. libsndfile is given samples block by block: its
    Vorbis encoder breaks down on some millions at once.
    """
    file = Path(path)
    extension = file.suffix.lower()
    if extension not in _EXTENSIONS:
        raise ParameterError(f"{file.name}: extension {options(extension, _EXTENSIONS)}")
    if set(recording.units) != {UNIT} or np.isnan(recording.signals).any() or recording.fs != round(recording.fs):
        raise DataError(f"{file}: sound is finite values in {UNIT} at a whole number of Hz, got {recording!r}")
    kind = _FORMATS.get(extension, extension[1:].upper())
    wanted = subtype or _SUBTYPES.get(extension, "PCM_16")
    if not soundfile(file).check_format(kind, wanted):
        raise ParameterError(f"{file.name}: {kind} has no subtype {options(wanted, _subtypes(file, kind))}")
    try:
        package = soundfile(file)
        shape = (int(recording.fs), len(recording.channels))
        with package.SoundFile(str(file), "w", *shape, format=kind, subtype=wanted) as stream:
            for first in range(0, recording.n_samples, _BLOCK):
                stream.write(recording.signals[:, first : first + _BLOCK].T)
    except RuntimeError as error:
        raise DataError(f"{file}: cannot be written as {kind} {wanted}: {error}") from error
    return file


def _subtypes(file: Path, kind: str) -> list[str]:
    module = soundfile(file)
    return [name for name in module.available_subtypes(kind) if module.check_format(kind, name)]


def _locate(path: Path) -> Path | None:
    return path if path.suffix.lower() in _EXTENSIONS and path.is_file() else None


def _open(
    path: Path, *, channels: Sequence[str] | None, start_s: float | None, stop_s: float | None, annotator: str | None
) -> Recording:
    del annotator  # a sound file holds none
    return read_audio(path, channels, start_s=start_s, stop_s=stop_s)


def _list(folder: Path) -> list[Path]:
    """Return the sound files of a folder; what has a WFDB header beside it is a signal file of that record."""
    files = (path for path in folder.rglob("*") if _locate(path))
    return [path for path in files if not path.with_suffix(".hea").is_file()]


def _list_channels(path: Path) -> list[Channel]:
    sound = AudioFile(path)
    return [Channel(name, UNIT, sound.fs) for name in sound.channels]


FAMILY = Family(
    name="sound",
    extensions=_EXTENSIONS,
    find=_locate,
    open_one=_open,
    list_all=_list,
    list_channels=_list_channels,
)
