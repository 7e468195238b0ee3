"""EEG and polysomnography: EDF and BDF by a memory map, GDF, BrainVision, EEGLAB, CNT and FIF through MNE."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, options
from biosig_lstm.formats._edf_header import EdfHeader, parse_edf_header
from biosig_lstm.formats._edf_record import EdfRecord, read_edf_annotations
from biosig_lstm.formats._family import Family

__all__ = ["FAMILY", "EdfRecord", "open_edf", "read_edf_annotations", "read_eeg"]

_EDF = (".edf", ".bdf", ".rec")
_BY_MNE = (".gdf", ".vhdr", ".ahdr", ".set", ".cnt", ".fif", ".fif.gz")
_HEADER_OF = ((".eeg", ".vhdr"), (".eeg", ".ahdr"), (".vmrk", ".vhdr"), (".amrk", ".ahdr"), (".fdt", ".set"))
_READERS = {".cnt": "read_raw_cnt", ".ahdr": "read_raw_brainvision"}
_MAGIC = (b"0       ", b"\xffBIOSEMI")
_SMALLEST_UV, _LARGEST_UV = 0.05, 50_000.0


def open_edf(path: str | Path) -> EdfRecord:
    """Return an EDF, EDF+, BDF or BDF+ file opened for reading stretches of it; see `EdfRecord`.

    Examples
    --------
    >>> night = open_edf("SC4001E0-PSG.edf")  # doctest: +SKIP
    >>> night.read(["EEG Fpz-Cz"], start_s=3600, stop_s=3630)  # doctest: +SKIP
    Recording('SC4001E0-PSG': EEG Fpz-Cz (uV); 30 s at 100 Hz; Annotations(0))
    """
    return EdfRecord(path)


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
    Where the channels' root mean square is not that of an EEG (below 0.05 or above 50,000 uV) a `BiosigWarning` asks
    whether the file's unit is right.
    """
    file = Path(path)
    if file.name.lower().endswith(_EDF):
        record = EdfRecord(file)
        recording = record.read(channels, start_s=start_s, stop_s=stop_s, annotations=annotations)
        _warn_of_left_out(record, recording, chosen=channels is not None)
    else:
        recording = _read_by_mne(file, channels, start_s=start_s, stop_s=stop_s)
        recording = recording if annotations else recording.with_annotations(Annotations())
    _warn_of_size(recording)
    return recording


def _warn_of_left_out(record: EdfRecord, recording: Recording, *, chosen: bool) -> None:
    others = [
        f"{name} ({rate:g} Hz)"
        for name, rate in zip(record.channels, record.rates_hz, strict=True)
        if name not in recording.channels
    ]
    for note in record.header.notes:
        warnings.warn(f"{record.header.path}: {note}", BiosigWarning, stacklevel=3)
    if others and not chosen:
        warnings.warn(
            f"{record.header.path}: left out {', '.join(others)}: a recording has one rate, here {recording.fs:g} Hz; "
            "name channels to read others",
            BiosigWarning,
            stacklevel=3,
        )


def _warn_of_size(recording: Recording) -> None:
    volts = np.array([unit == "uV" for unit in recording.units])
    if not volts.any() or not recording.n_samples:
        return
    size = float(np.nanmedian(np.nanstd(recording.signals[volts], axis=1)))
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
    import mne

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            read = getattr(mne.io, _READERS.get(file.suffix.lower(), "read_raw"))
            raw = read(file, preload=False, verbose="error")
        except Exception as error:
            raise DataError(f"{file}: MNE cannot read it: {type(error).__name__}: {error}") from error
        duration_s = raw.n_times / float(raw.info["sfreq"])
        begin, end = start_s or 0.0, duration_s if stop_s is None else stop_s
        if not 0 <= begin < end <= duration_s + 1e-9:
            raise DataError(f"{file}: no stretch from {start_s} to {stop_s} s, the file holds 0 to {duration_s:g} s")
        for name in channels or ():
            if name not in raw.ch_names:
                raise DataError(f"{file}: channel {options(name, raw.ch_names)}")
        picked = raw if channels is None else raw.copy().pick(list(channels))
        if start_s is not None or stop_s is not None:
            picked = picked.copy().crop(begin, end, include_tmax=False)
        recording = Recording.from_mne(picked, id=file.name.split(".")[0])
    notes = tuple(dict.fromkeys(" ".join(str(one.message).split()) for one in said))
    return Recording(
        recording.signals,
        recording.fs,
        recording.channels,
        recording.units,
        id=recording.id,
        subject=recording.id,
        annotations=recording.annotations,
        history=(*recording.history, *(f"MNE: {note}" for note in notes)),
    )


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
    return [path for path in files if _locate(path) and not _only_annotations(path)]


def _only_annotations(path: Path) -> bool:
    if not path.name.lower().endswith(_EDF):
        return False
    try:
        header: EdfHeader = parse_edf_header(path)
    except DataError:
        return False  # opening the file says what is wrong with it
    return bool(header.signals) and all(signal.is_annotation for signal in header.signals)


FAMILY = Family(name="EEG", extensions=(*_EDF, *_BY_MNE), find=_locate, open_one=_open, list_all=_list)
