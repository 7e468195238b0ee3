"""The bridge to MNE-Python, on the fields of a recording: volts there, microvolts here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from biosig_lstm.containers.annotations import Annotations
from biosig_lstm.errors import DataError

if TYPE_CHECKING:
    import mne

    from biosig_lstm.containers.recording import Recording

_VOLTAGES = ("eeg", "ecg", "eog", "emg", "seeg", "ecog", "dbs", "bio")
_ECG_LEADS = {"I", "II", "III", "MLI", "MLII", "MLIII", "AVR", "AVL", "AVF", "V", "ECG", "EKG"}


def fields_from_raw(raw: mne.io.BaseRaw, *, id: str, subject: str) -> dict[str, Any]:  # noqa: A002
    """Return the fields of a recording that hold what an MNE raw object holds."""
    names = [name for name in raw.ch_names if name not in raw.info["bads"]]
    if not names:
        raise DataError(f"{id or 'raw'}: no channel left, MNE marks all {len(raw.ch_names)} as bad")
    kinds = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    volts = np.array([kinds[name] in _VOLTAGES for name in names])
    signals = raw.get_data(picks=names) * np.where(volts, 1e6, 1.0)[:, None]
    info = raw.info["subject_info"] or {}
    return {
        "signals": signals,
        "fs": float(raw.info["sfreq"]),
        "channels": names,
        "units": ["uV" if is_volt else kinds[name] for is_volt, name in zip(volts, names, strict=True)],
        "id": id,
        "subject": subject or str(info.get("his_id") or ""),
        "annotations": _annotations_from_raw(raw),
    }


def _annotations_from_raw(raw: mne.io.BaseRaw) -> Annotations:
    fs, n_samples = float(raw.info["sfreq"]), len(raw.times)
    onsets = np.asarray(raw.annotations.onset, dtype=float) - raw.first_samp / fs
    starts = np.rint(onsets * fs).astype(np.int64)
    stops = starts + np.rint(np.asarray(raw.annotations.duration) * fs).astype(np.int64)
    inside = (starts < n_samples) & (stops >= 0)
    starts, stops = np.clip(starts[inside], 0, None), np.clip(stops[inside], 0, n_samples)
    return Annotations(starts, np.maximum(starts, stops), np.asarray(raw.annotations.description)[inside])


def raw_from_recording(recording: Recording) -> mne.io.RawArray:
    """Return a recording as an MNE raw object: volts, channel types guessed from the names."""
    import mne

    volts = recording.to_unit("V")
    kinds = [_kind(name) for name in volts.channels]
    info = mne.create_info(list(volts.channels), volts.fs, kinds, verbose="error")
    raw = mne.io.RawArray(volts.signals.astype(np.float64), info, verbose="error")
    marks = recording.annotations
    durations = (marks.stops - marks.starts) / recording.fs
    raw.set_annotations(mne.Annotations(marks.starts / recording.fs, durations, marks.labels.tolist()))
    return raw


def _kind(channel: str) -> str:
    name = channel.upper().removeprefix("ECG ").removeprefix("EKG ")
    is_chest = name[:1] == "V" and name[1:].isdigit()
    if name in _ECG_LEADS or is_chest:
        return "ecg"
    for kind in ("EOG", "EMG"):
        if kind in name:
            return kind.lower()
    return "eeg"
