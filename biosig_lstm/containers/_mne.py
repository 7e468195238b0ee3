"""The bridge to MNE-Python, on the fields of a recording: volts there, microvolts here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.annotations import Annotations
from biosig_lstm.errors import DataError, ParameterError, options

if TYPE_CHECKING:
    import mne

    from biosig_lstm.containers.recording import Recording

__all__ = ["Bads", "fields_from_raw", "good_names", "his_id", "raw_from_recording", "units_of"]

Bads = Literal["left out", "kept"]

_VOLTAGES = ("eeg", "ecg", "eog", "emg", "seeg", "ecog", "dbs", "bio")
_UNITLESS = ("stim", "misc", "syst", "exci", "ias", "resp")
_ECG_LEADS = {"I", "II", "III", "MLI", "MLII", "MLIII", "AVR", "AVL", "AVF", "V", "ECG", "EKG"}
_UNITS = {101: "Hz", 109: "Ohm", 110: "S", 112: "T", 114: "DegC", 201: "T/m"}
"""Units that are no voltage, by the number that FIFF gives them."""
_VOLT_UNITS = ("V", "mV", "uV", "nV")
_SAMPLES_AT_ONCE = 1_000_000


def fields_from_raw(raw: mne.io.BaseRaw, *, id: str, subject: str, bads: Bads = "left out") -> dict[str, Any]:  # noqa: A002
    """Return the fields of a recording that hold what an MNE raw object holds."""
    names = good_names(raw, id or "raw", bads)
    units, gains = units_of(raw, names)
    signals = np.empty((len(names), raw.n_times), dtype=np.float32)
    block = max(_SAMPLES_AT_ONCE // len(names), 1)
    for first in range(0, raw.n_times, block):
        last = min(first + block, raw.n_times)
        signals[:, first:last] = raw.get_data(picks=names, start=first, stop=last) * gains[:, None]
    return {
        "signals": signals,
        "fs": float(raw.info["sfreq"]),
        "channels": names,
        "units": units,
        "id": id,
        "subject": subject or his_id(raw.info),
        "annotations": _annotations_from_raw(raw),
    }


def good_names(source: Any, name: str, bads: str) -> list[str]:
    """Return the channels of a raw object or of epochs, those that are marked as bad left out unless they are kept."""
    if bads not in ("left out", "kept"):
        raise ParameterError(f"bads {options(bads, ('left out', 'kept'))}")
    names = [one for one in source.ch_names if bads == "kept" or one not in source.info["bads"]]
    if not names:
        raise DataError(f"{name}: no channel left, MNE marks all {len(source.ch_names)} as bad")
    return names


def units_of(source: Any, names: Sequence[str]) -> tuple[list[str], npt.NDArray[np.float64]]:
    """Return the unit of each channel here, and what MNE's values are multiplied by."""
    kinds = dict(zip(source.ch_names, source.get_channel_types(), strict=True))
    numbers = {channel["ch_name"]: int(channel["unit"]) for channel in source.info["chs"]}
    units = ["uV" if kinds[name] in _VOLTAGES else _unit(kinds[name], numbers[name]) for name in names]
    return units, np.array([1e6 if unit == "uV" else 1.0 for unit in units])


def _unit(kind: str, number: int) -> str:
    return "" if kind in _UNITLESS else _UNITS.get(number, kind)


def his_id(info: Any) -> str:
    """Return who was recorded, as the info has it; empty where it does not say."""
    return str((info["subject_info"] or {}).get("his_id") or "")


def _annotations_from_raw(raw: mne.io.BaseRaw) -> Annotations:
    fs, marks = float(raw.info["sfreq"]), raw.annotations
    starts = np.rint(np.asarray(marks.onset, dtype=float) * fs).astype(np.int64) - raw.first_samp
    stops = starts + np.rint(np.asarray(marks.duration) * fs).astype(np.int64)
    found = Annotations(starts, stops, marks.description, [",".join(names) for names in marks.ch_names])
    return found.crop(start=0, stop=raw.n_times)


def raw_from_recording(recording: Recording, like: mne.io.BaseRaw | None = None) -> mne.io.RawArray:
    """Return a recording as an MNE raw object: volts, channel types guessed from the names, or those of another."""
    import mne

    volts = [unit in _VOLT_UNITS for unit in recording.units]
    names = [name for name, is_volt in zip(recording.channels, volts, strict=True) if is_volt]
    values = recording.signals.astype(np.float64)
    if names:
        values[volts] = recording.pick(names).to_unit("V").signals
    kinds = [_kind(name) if is_volt else "misc" for name, is_volt in zip(recording.channels, volts, strict=True)]
    info = mne.create_info(list(recording.channels), recording.fs, kinds, verbose="error")
    first_samp = 0
    if like is not None:
        info = _info_like(info, like)
        first_samp = round(like.first_samp * recording.fs / float(like.info["sfreq"]))
    elif recording.subject:
        info["subject_info"] = {"his_id": recording.subject}
    raw = mne.io.RawArray(values, info, first_samp=first_samp, verbose="error")
    marks = recording.annotations
    channels = [[note] if note in recording.channels else [] for note in marks.notes.tolist()]
    begin, lasting = marks.starts / recording.fs, (marks.stops - marks.starts) / recording.fs
    return raw.set_annotations(mne.Annotations(begin, lasting, marks.labels.tolist(), ch_names=channels))


def _info_like(info: mne.Info, like: mne.io.BaseRaw) -> mne.Info:
    """Return an info with the channels' types and places, bads, subject and date of another, by the channels' names."""
    old = {channel["ch_name"]: channel for channel in like.info["chs"]}
    for channel in info["chs"]:
        channel.update({**old.get(channel["ch_name"], {}), "ch_name": channel["ch_name"]})
    info["bads"] = [name for name in like.info["bads"] if name in info["ch_names"]]
    info["subject_info"] = like.info["subject_info"]
    info["line_freq"] = like.info["line_freq"]
    info.set_meas_date(like.info["meas_date"])
    return info


def _kind(channel: str) -> str:
    name = channel.upper().removeprefix("ECG ").removeprefix("EKG ")
    is_chest = name[:1] == "V" and name[1:].isdigit()
    if name in _ECG_LEADS or is_chest:
        return "ecg"
    for kind in ("EOG", "EMG"):
        if kind in name:
            return kind.lower()
    return "eeg"
