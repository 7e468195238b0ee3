"""Which family of formats a file belongs to: each public module of this folder offers one `FAMILY`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol

from biosig_lstm.containers import Recording
from biosig_lstm.containers.channel_names import channels_meant
from biosig_lstm.errors import DataError
from biosig_lstm.steps import modules_in

__all__ = [
    "Channel",
    "Family",
    "Opener",
    "channels_wanted",
    "family_of",
    "find_recordings",
    "list_channels",
    "open_recording",
]


class Channel(NamedTuple):
    """One channel that a file holds; its unit is that of the recording that is read from it."""

    name: str
    unit: str
    rate_hz: float


class Opener(Protocol):
    """How a family opens one recording; seconds count from the beginning of the recording."""

    def __call__(
        self,
        path: Path,
        *,
        channels: Sequence[str] | None,
        start_s: float | None,
        stop_s: float | None,
        annotator: str | None,
    ) -> Recording:
        """Return the recording at `path`."""
        ...


@dataclass(frozen=True)
class Family:
    """One family of formats.

    Parameters
    ----------
    name : str
        What users know it by.
    extensions : tuple of str
        The extensions of its files, for messages.
    find : callable
        ``find(path)`` returns the file that stands for the recording that `path` names (for WFDB, where
        ``100`` and ``100.dat`` both mean ``100.hea``), or None where the file is not of this family.
    open_one : callable
        Opens what `find` returned.
    list_all : callable
        ``list_all(folder)`` returns one file for each recording in a folder and the folders below.
    list_channels : callable
        Returns the channels of what `find` returned, those of every rate, from the header alone.
    """

    name: str
    extensions: tuple[str, ...]
    find: Callable[[Path], Path | None]
    open_one: Opener
    list_all: Callable[[Path], list[Path]]
    list_channels: Callable[[Path], list[Channel]]


@cache
def families() -> tuple[Family, ...]:
    """Return the families that exist, in the order of their modules' names."""
    return tuple(module.FAMILY for module in modules_in(__package__))


def _find(path: Path) -> tuple[Family, Path]:
    for family in families():
        found = family.find(path)
        if found is not None:
            return family, found
    if path.is_dir():
        raise DataError(f"{path}: is a folder, not a recording; find_recordings lists what is in it")
    if not path.exists():
        raise DataError(f"{path}: no such file or record")
    known = "; ".join(f"{family.name} ({' '.join(family.extensions)})" for family in families())
    raise DataError(f"{path}: not a format that is known, by its name and content; possible: {known}")


def open_recording(
    path: str | Path,
    *,
    channels: Sequence[str] | None = None,
    start_s: float | None = None,
    stop_s: float | None = None,
    annotator: str | None = "auto",
) -> Recording:
    """Return a recording from a file of any known format, which is found by name and content.

    Parameters
    ----------
    path : str or Path
        A file; of WFDB also the name of the record without extension.
    channels : sequence of str, optional
        Names of the channels wanted, in this order; all by default.
    start_s, stop_s : float [unit=s], optional
        Stretch to read; the whole recording by default.
    annotator : str or None
        Where annotations are files of their own: which to read; ``auto`` takes the usual one where it is there,
        None takes none. A WFDB record whose signal files are not there is a recording without channels where its
        annotations are named: what goes by beats alone needs no more.

    Returns
    -------
    Recording

    Raises
    ------
    DataError
        When the file is not there, its format is not known, or it is damaged.

    Examples
    --------
    >>> open_recording("mitdb/100", stop_s=10)  # doctest: +SKIP
    Recording('100': MLII (mV), V5 (mV); 10 s at 360 Hz; Annotations(14: N 12, + 1, A 1))
    """
    family, found = _find(Path(path))
    return family.open_one(found, channels=channels, start_s=start_s, stop_s=stop_s, annotator=annotator)


def list_channels(path: str | Path) -> list[Channel]:
    """Return every channel that a file holds, also those that `open_recording` leaves out for their rate.

    Parameters
    ----------
    path : str or Path
        As for `open_recording`. No samples are read.

    Raises
    ------
    DataError
        When the file is not there, its format is not known, or its header is damaged.

    Examples
    --------
    >>> list_channels("SC4001E0-PSG.edf")[3]  # doctest: +SKIP
    Channel(name='Resp oro-nasal', unit='', rate_hz=1.0)
    """
    family, found = _find(Path(path))
    return family.list_channels(found)


def family_of(path: str | Path) -> str:
    """Return the name of the family of formats that a recording is in: ``EEG``, ``WFDB`` and so on.

    Raises
    ------
    DataError
        When the file is not there, or its format is not known.
    """
    return _find(Path(path))[0].name


def channels_wanted(path: str | Path, names: Iterable[str]) -> list[str] | None:
    """Return the channels of a file that are meant by `names`, where it needs saying which to open.

    Parameters
    ----------
    path : str or Path
        As for `open_recording`.
    names : iterable of str
        Names, told apart without regard to case and surrounding spaces; an EEG channel also by its other names, as in
        `biosig_lstm.containers.channel_names.channels_meant`.

    Returns
    -------
    list of str or None
        To be given to `open_recording`. None, for its own choice, where all channels have one rate, or one of the names
        is not in the file, or may be several.
    """
    held = list_channels(path)
    if len({channel.rate_hz for channel in held}) < 2:
        return None
    spelled, units = [channel.name for channel in held], [channel.unit for channel in held]
    meant = [channels_meant(name, spelled, units) for name in names]
    return [found[0] for found in meant] if meant and all(len(found) == 1 for found in meant) else None


def find_recordings(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return one file for each recording that `paths` name, folders searched to the bottom and sorted.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Files, records or folders.

    Returns
    -------
    list of Path
        Without repetition, in the order of `paths`; what is in a folder, sorted by name.

    Raises
    ------
    DataError
        When a path is not there, or is a file of no known format.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found: dict[Path, None] = {}
    for path in map(Path, given):
        listed = _in_folder(path) if path.is_dir() else [_find(path)[1]]
        found.update(dict.fromkeys(listed))
    return list(found)


def _in_folder(folder: Path) -> list[Path]:
    return sorted({path for family in families() for path in family.list_all(folder)})
