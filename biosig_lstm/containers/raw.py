"""Steps on MNE's own recordings: an `mne.io.Raw` goes in, and a new one comes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.recording import Recording
from biosig_lstm.errors import ParameterError

if TYPE_CHECKING:
    import mne
    from mne.io import BaseRaw as BaseRaw  # noqa: PLC0414  (for the annotations of those who must not know MNE)
    from mne.io import RawArray as RawArray  # noqa: PLC0414

__all__ = ["RecordingFilter", "as_recording", "filter_raw", "is_raw", "name_of_raw"]

Float64 = npt.NDArray[np.float64]

_VOLTAGES = ("eeg", "ecg", "eog", "emg", "seeg", "ecog", "dbs", "bio")
_FIELDS = ("mag", "grad", "ref_meg")
_TO_SI = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "nV": 1e-9}
_SAMPLES_FOR_INFO = 1000


class RecordingFilter(Protocol):
    """What a step must tell for its use on a raw object."""

    chooses_channels: ClassVar[bool]

    def knowing(self, recording: Recording, *, bad: Sequence[str], eeg: Sequence[str]) -> Recording:
        """Return the recording changed, where it is known which channels are bad and which are EEG."""
        ...

    def sources(self, recording: Recording) -> dict[str, tuple[str, ...]]:
        """Return the channels that each channel of the answer is made of, where their names differ."""
        ...


def is_raw(value: object) -> bool:
    """Return whether a value is one of MNE's raw objects, without importing MNE."""
    return any(kind.__name__ == "BaseRaw" and kind.__module__.startswith("mne.") for kind in type(value).__mro__)


def name_of_raw(raw: mne.io.BaseRaw) -> str:
    """Return the name of the file that a raw object comes from, without folder and extension; empty where none."""
    first = next((Path(str(name)) for name in raw.filenames if name), None)
    return first.stem if first else ""


def as_recording(value: Any) -> Recording:
    """Return a raw object as a recording named after its file; a recording is returned as it is.

    Raises
    ------
    ParameterError
        When it is neither, such as the path of a file.
    """
    if isinstance(value, Recording):
        return value
    if not is_raw(value):
        raise ParameterError(
            f"a Recording or an mne.io.Raw is needed, got {type(value).__name__}; open_recording makes one of a file"
        )
    return Recording.from_mne(value, id=name_of_raw(value))


def filter_raw(raw: mne.io.BaseRaw, step: RecordingFilter) -> mne.io.RawArray:
    """Return a new raw object: what a filter makes of the signals of one.

    Parameters
    ----------
    raw : mne.io.BaseRaw
        Left as it is, and read whole.
    step : RecordingFilter
        A filter of this package.

    Returns
    -------
    mne.io.RawArray
        In volts. Channel types and places, bad channels, annotations, date and the rest of the info are kept.

    Notes
    -----
    Voltages and MEG go through the filter; all other channels (stimulus, misc ...) stay as they are, and follow a new
    rate as `mne.io.Raw.resample` lets them. A channel marked as bad is filtered too, but `Rereference` leaves it out
    and as it is, as MNE does; a derivation of a bad channel is bad. Values that change pass through float32. Cut-offs
    in the info are not updated.
    """
    kinds = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    through = [name for name in raw.ch_names if step.chooses_channels or kinds[name] in (*_VOLTAGES, *_FIELDS)]
    before = _recording(raw, through, kinds)
    eeg = [name for name in through if kinds[name] == "eeg"]
    after = step.knowing(before, bad=raw.info["bads"], eeg=eeg)
    made = {name: (name,) for name in after.channels} | step.sources(before)
    rows = _rows(raw, before, after, made)
    others = [] if step.chooses_channels else [name for name in raw.ch_names if name not in through]
    out = _assemble(raw, rows, made, others=others, fs=after.fs)
    _mark(out, raw, after, made)
    kept = [name for name in after.channels if len(made[name]) == 1] + others
    new = [name for name in after.channels if name not in kept]
    place = dict(zip(kept, _places(raw, [made.get(name, (name,))[0] for name in kept]), strict=True))
    order = list(after.channels) if step.chooses_channels else [*sorted(kept, key=place.__getitem__), *new]
    return out.reorder_channels(order)


def _places(raw: mne.io.BaseRaw, names: Sequence[str]) -> list[int]:
    """Return where channels stand: MNE takes some names, as ``resp``, for types."""
    return [raw.ch_names.index(name) for name in names]


def _values(raw: mne.io.BaseRaw, names: Sequence[str]) -> Float64:
    if not names:
        return np.zeros((0, raw.n_times))
    values: Float64 = raw.get_data(picks=_places(raw, names))
    return values


def _recording(raw: mne.io.BaseRaw, names: list[str], kinds: dict[str, str]) -> Recording:
    volts = np.array([kinds[name] in _VOLTAGES for name in names], dtype=bool)
    values = _values(raw, names)
    units = ["uV" if is_volt else kinds[name] for is_volt, name in zip(volts, names, strict=True)]
    scaled = (values * np.where(volts, 1e6, 1.0)[:, None]).astype(np.float32)
    return Recording(scaled, raw.info["sfreq"], names, units, id=name_of_raw(raw))


def _rows(
    raw: mne.io.BaseRaw, before: Recording, after: Recording, made: dict[str, tuple[str, ...]]
) -> dict[str, Float64]:
    """Return the values of each channel in SI units: MNE's own float64 where the step has left a channel as it was."""
    held = dict(zip(before.channels, before.signals, strict=True))
    rows: dict[str, Float64] = {}
    for name, unit, row in zip(after.channels, after.units, after.signals, strict=True):
        source = made[name]
        if len(source) == 1 and np.array_equal(held[source[0]], row, equal_nan=True):
            rows[name] = _values(raw, list(source))[0]
        else:
            rows[name] = row.astype(np.float64) * _TO_SI.get(unit, 1.0)
    return rows


def _assemble(
    raw: mne.io.BaseRaw,
    rows: dict[str, Float64],
    made: dict[str, tuple[str, ...]],
    *,
    others: list[str],
    fs: float,
) -> mne.io.RawArray:
    import mne

    old = {name: made[name][0] for name in rows if len(made[name]) == 1}
    anchor = [] if old or others else raw.ch_names[:1]
    picks = [*old.values(), *others, *anchor]
    info = _info_at(mne.pick_info(raw.info, _places(raw, picks)), fs)
    mne.rename_channels(info, {source: name for name, source in old.items() if source != name}, verbose="error")
    n_samples = len(next(iter(rows.values()))) if rows else raw.n_times
    kept = np.stack([*(rows[name] for name in old), *_carried(raw, [*others, *anchor], fs=fs, n_samples=n_samples)])
    first = round(raw.first_samp * fs / raw.info["sfreq"])
    out = mne.io.RawArray(kept, info, first_samp=first, verbose="error")
    new = [name for name in rows if name not in old]
    if new:
        types = raw.get_channel_types(picks=_places(raw, [made[name][0] for name in new]))
        derived = mne.io.RawArray(
            np.stack([rows[name] for name in new]),
            mne.create_info(new, fs, types, verbose="error"),
            first_samp=first,
            verbose="error",
        )
        out.add_channels([derived], force_update_info=True)
        bad = [name for name in new if set(made[name]) & set(raw.info["bads"])]
        out.info["bads"] = [*out.info["bads"], *bad]
    return out.drop_channels(anchor) if anchor else out


def _info_at(info: mne.Info, fs: float) -> mne.Info:
    """Return the info at another rate, as MNE's own resampling leaves it."""
    import mne

    if info["sfreq"] == fs:
        return info
    blank = mne.io.RawArray(np.zeros((len(info["ch_names"]), _SAMPLES_FOR_INFO)), info, verbose="error")
    return blank.resample(fs, verbose="error").info


def _carried(raw: mne.io.BaseRaw, names: list[str], *, fs: float, n_samples: int) -> Float64:
    if not names:
        return np.zeros((0, n_samples))
    if raw.info["sfreq"] == fs:
        return _values(raw, names)
    slower = raw.copy().pick(_places(raw, names)).load_data(verbose="error").resample(fs, verbose="error")
    values = _values(slower, names)
    return np.pad(values, ((0, 0), (0, max(n_samples - values.shape[1], 0))), mode="edge")[:, :n_samples]


def _mark(out: mne.io.RawArray, raw: mne.io.BaseRaw, after: Recording, made: dict[str, tuple[str, ...]]) -> None:
    """Annotate `out` as `raw` is, and with what the step has found; channels that are named, by their new names."""
    import mne

    old, found = raw.annotations, after.annotations
    begins = np.asarray(old.onset, dtype=float) - raw.first_samp / raw.info["sfreq"]
    now = [[name for name in out.ch_names if set(made.get(name, (name,))) & set(of)] for of in old.ch_names]
    new = [[note] if note in out.ch_names else [] for note in found.notes.tolist()]
    start = 0.0 if old.orig_time is None else out.first_samp / after.fs
    out.set_annotations(
        mne.Annotations(
            np.concatenate([begins, found.starts / after.fs]) + start,
            np.concatenate([old.duration, (found.stops - found.starts) / after.fs]),
            [*old.description, *found.labels.tolist()],
            orig_time=old.orig_time,
            ch_names=[*now, *new],
        ),
        verbose="error",
    )
