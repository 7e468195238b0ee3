"""EEG and polysomnography: EDF and BDF by a memory map, GDF, BrainVision, EEGLAB, CNT and FIF through MNE."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, options
from biosig_lstm.formats._edf_header import EdfHeader, parse_edf_header
from biosig_lstm.formats._edf_record import EdfRecord, read_edf_annotations
from biosig_lstm.formats._edf_write import EDF_YEARS, write_edf_annotations
from biosig_lstm.formats._family import Channel, Family, family_of

__all__ = [
    "EDF_YEARS",
    "FAMILY",
    "EdfRecord",
    "open_edf",
    "read_edf_annotations",
    "read_eeg",
    "recording_start",
    "write_edf_annotations",
]

_EDF = (".edf", ".bdf", ".rec")
_BY_MNE = (".gdf", ".vhdr", ".ahdr", ".set", ".cnt", ".fif", ".fif.gz")
_HEADER_OF = ((".eeg", ".vhdr"), (".eeg", ".ahdr"), (".vmrk", ".vhdr"), (".amrk", ".ahdr"), (".fdt", ".set"))
_READERS = {".cnt": "read_raw_cnt", ".ahdr": "read_raw_brainvision"}
_MAGIC = (b"0       ", b"\xffBIOSEMI")
_SMALLEST_UV, _LARGEST_UV = 0.05, 50_000.0
_SAMPLES_LOOKED_AT = 20_000
_PIVOT = 85
_LATER_PART = re.compile(r"(-\d+|_split-(?!0*1_)\d+\w*)\.fif(\.gz)?$", re.IGNORECASE)


def open_edf(path: str | Path) -> EdfRecord:
    """Return an EDF, EDF+, BDF or BDF+ file opened for reading stretches of it; see `EdfRecord`.

    Examples
    --------
    >>> night = open_edf("SC4001E0-PSG.edf")  # doctest: +SKIP
    >>> night.read(["EEG Fpz-Cz"], start_s=3600, stop_s=3630)  # doctest: +SKIP
    Recording('SC4001E0-PSG': EEG Fpz-Cz (uV); 30 s at 100 Hz; Annotations(0))
    """
    record = EdfRecord(path)
    for note in record.notes:
        warnings.warn(f"{path}: {note}", BiosigWarning, stacklevel=2)
    return record


def read_eeg(
    path: str | Path,
    channels: Sequence[str] | None = None,
    *,
    start_s: float | None = None,
    stop_s: float | None = None,
    annotations: bool = True,
) -> Recording:
    """Return a recording from an EDF, BDF, GDF, BrainVision, EEGLAB, CNT or FIF file, voltages in uV.

    Parameters
    ----------
    path : path
        The file; of BrainVision the ``.vhdr``, of EEGLAB the ``.set``.
    channels : sequence of str, optional
        Names, in the order wanted. By default all; where a file mixes rates those of the commonest rate, with a
        `BiosigWarning` that names the others.
    start_s, stop_s : float [unit=s], optional
        The stretch to read; of EDF and BDF nothing else is read.
    annotations : bool
        Take along the annotations inside the file.

    Raises
    ------
    DataError
        When the file cannot be read, a channel is not there, or channels asked for differ in rate.

    Notes
    -----
    Where the channels' standard deviation (the median over channels, from up to 40,000 samples of each, spread over the
    stretch) is not that of an EEG, below 0.05 or above 50,000 uV, a `BiosigWarning` asks whether the file's unit is
    right. Channels that MNE-Python marks as bad are left out unless they are named.
    """
    file = Path(path)
    if file.name.lower().endswith(_EDF):
        recording = open_edf(file).read(channels, start_s=start_s, stop_s=stop_s, annotations=annotations)
    else:
        recording = _read_by_mne(file, channels, start_s=start_s, stop_s=stop_s)
        recording = recording if annotations else recording.with_annotations(Annotations())
    _warn_of_size(recording)
    return recording


def recording_start(path: str | Path) -> datetime | None:
    """Return when a recording began, as its file says, without a time zone; None where it does not say.

    Notes
    -----
    Of EDF and BDF the years 85 to 99 are those of the last century (EDF+ 2.1.3.2).
    """
    file = Path(path)
    if not file.name.lower().endswith(_EDF):
        stamp = None if family_of(file) != FAMILY.name else _open_raw(file).info["meas_date"]
        return None if stamp is None else stamp.replace(tzinfo=None, microsecond=0)
    numbers = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d\d) (\d\d)\.(\d\d)\.(\d\d)", parse_edf_header(file).start)
    if numbers is None:
        return None
    day, month, year, hour, minute, second = (int(number) for number in numbers.groups())
    try:
        return datetime(year + (1900 if year >= _PIVOT else 2000), month, day, hour, minute, second)
    except ValueError:
        return None  # no such day, or no such hour


def _warn_of_size(recording: Recording) -> None:
    volts = [row for row, unit in enumerate(recording.units) if unit == "uV"]
    step = max(1, recording.n_samples // _SAMPLES_LOOKED_AT)
    values = recording.signals[volts, ::step]
    measured = values[~np.isnan(values).all(axis=1)]
    if not measured.size:
        return
    size = float(np.median(np.nanstd(measured, axis=1, dtype=np.float64)))
    if not _SMALLEST_UV <= size <= _LARGEST_UV:
        warnings.warn(
            f"{recording.id}: a median standard deviation of {size:.3g} uV is not that of an EEG "
            f"({_SMALLEST_UV:g} to {_LARGEST_UV:g} uV): is the unit in the file right?",
            BiosigWarning,
            stacklevel=3,
        )


def _read_by_mne(
    file: Path, channels: Sequence[str] | None, *, start_s: float | None, stop_s: float | None
) -> Recording:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            raw = _stretch(_open_raw(file), file, channels, start_s=start_s, stop_s=stop_s)
            recording = Recording.from_mne(raw, id=_name(file), subject=_name(file))
        except DataError:
            raise
        except Exception as error:
            raise DataError(f"{file}: MNE cannot read it: {type(error).__name__}: {_gist(error)}") from error
    notes = [f"MNE: {' '.join(str(one.message).split())}" for one in said]
    bad = [name for name in raw.info["bads"] if channels is None]
    notes += [f"left out {', '.join(bad)}: marked as bad in the file"] if bad else []
    return replace(recording, history=(*recording.history, *dict.fromkeys(notes)))


def _open_raw(file: Path) -> Any:
    import mne

    return getattr(mne.io, _READERS.get(file.suffix.lower(), "read_raw"))(file, preload=False, verbose="error")


def _gist(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line and not line.startswith(" ")]
    return lines[0].removeprefix(f"{type(error).__name__}: ") if lines else "no reason given"


def _stretch(
    raw: Any, file: Path, channels: Sequence[str] | None, *, start_s: float | None, stop_s: float | None
) -> Any:
    fs = float(raw.info["sfreq"])
    first = 0 if start_s is None else round(start_s * fs)
    last = raw.n_times if stop_s is None else round(stop_s * fs)
    if not raw.n_times:
        raise DataError(f"{file}: holds no samples")
    if not 0 <= first < last <= raw.n_times:
        raise DataError(f"{file}: no stretch from {start_s} to {stop_s} s, it holds 0 to {raw.n_times / fs:g} s")
    for name in channels or ():
        if name not in raw.ch_names:
            raise DataError(f"{file}: channel {options(name, raw.ch_names)}")
    if channels is not None:
        raw.info["bads"] = []
        raw.pick(list(channels)).reorder_channels(list(channels))
    return raw.crop(first / fs, (last - 1) / fs) if (first, last) != (0, raw.n_times) else raw


def _name(file: Path) -> str:
    return file.name[: -len(".fif.gz")] if file.name.lower().endswith(".fif.gz") else file.stem


def _locate(path: Path) -> Path | None:
    name = path.name.lower()
    for part, whole in _HEADER_OF:
        if name.endswith(part) and path.with_suffix(whole).is_file():
            return path.with_suffix(whole)
    if not path.is_file():
        return None
    if name.endswith(_BY_MNE):
        return path
    if name.endswith(_EDF):
        with path.open("rb") as file:
            return path if file.read(8) in _MAGIC or name.endswith((".edf", ".bdf")) else None
    return None


def _open(
    path: Path, *, channels: Sequence[str] | None, start_s: float | None, stop_s: float | None, annotator: str | None
) -> Recording:
    return read_eeg(path, channels, start_s=start_s, stop_s=stop_s, annotations=annotator is not None)


def _list(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name.lower().endswith((*_EDF, *_BY_MNE))]
    return [path for path in files if _locate(path) and not (_LATER_PART.search(path.name) or _only_annotations(path))]


def _only_annotations(path: Path) -> bool:
    if not path.name.lower().endswith(_EDF):
        return False
    try:
        header: EdfHeader = parse_edf_header(path)
    except DataError:
        return False  # opening the file says what is wrong with it
    return bool(header.signals) and all(signal.is_annotation for signal in header.signals)


def _list_channels(path: Path) -> list[Channel]:
    if path.name.lower().endswith(_EDF):
        record = EdfRecord(path)
        return [Channel(*facts) for facts in zip(record.channels, record.units, record.rates_hz, strict=True)]
    with warnings.catch_warnings(action="ignore"):
        try:
            first = Recording.from_mne(_open_raw(path).crop(0, 0))
        except Exception as error:
            raise DataError(f"{path}: MNE cannot read it: {type(error).__name__}: {_gist(error)}") from error
    return [Channel(name, unit, first.fs) for name, unit in zip(first.channels, first.units, strict=True)]


FAMILY = Family(
    name="EEG",
    extensions=(*_EDF, *_BY_MNE),
    find=_locate,
    open_one=_open,
    list_all=_list,
    list_channels=_list_channels,
)
