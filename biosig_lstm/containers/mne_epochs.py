"""Epochs of MNE as what windows are made of: volts there, microvolts here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers._mne import good_names, his_id, units_of
from biosig_lstm.errors import DataError

if TYPE_CHECKING:
    import mne

__all__ = ["EpochData", "epoch_data", "is_epochs"]

_UNKNOWN = "unknown"


def is_epochs(value: object) -> bool:
    """Return whether a value is one of MNE's objects of epochs, without importing MNE."""
    return any(kind.__name__ == "BaseEpochs" and kind.__module__.startswith("mne.") for kind in type(value).__mro__)


class EpochData(NamedTuple):
    """What an object of MNE epochs holds, in the units of this package.

    Attributes
    ----------
    values : np.ndarray of float32 [shape=(epochs, channels, samples)]
        Voltages in uV.
    fs : float [unit=Hz]
        Their rate.
    channels, units : sequence of str
        Of the channels.
    labels, classes : sequence of str
        Name of the event of each epoch, and those there are, in order of their codes.
    subjects, recordings : np.ndarray of str [shape=(epochs,)]
        Whose each is, and out of which recording.
    starts : np.ndarray of int64 [shape=(epochs,)]
        Sample of the raw object that each begins at, at its rate `raw_fs`.
    raw_fs : float [unit=Hz]
        Rate that `starts` count at.
    """

    values: npt.NDArray[np.float32]
    fs: float
    channels: Sequence[str]
    units: Sequence[str]
    labels: Sequence[str]
    classes: Sequence[str]
    subjects: npt.NDArray[np.str_]
    recordings: npt.NDArray[np.str_]
    starts: npt.NDArray[np.int64]
    raw_fs: float

    def fields(self, *, classes: Sequence[str] = (), step_s: float | None = None) -> dict[str, Any]:
        """Return the fields of windows, an item for each epoch; parameters as of `Windows.from_mne`."""
        n, n_channels, n_samples = self.values.shape
        if not n_samples:
            raise DataError("epochs hold no samples")
        known = tuple(classes) or tuple(self.classes)
        place = {name: k for k, name in enumerate(known)}
        common = {
            "subjects": self.subjects,
            "recordings": self.recordings,
            "starts": self.starts,
            "fs": np.full(n, self.raw_fs),
            "y": np.array([place.get(label, -1) for label in self.labels], dtype=np.int64),
            "classes": known,
            "unit": "/".join(sorted(set(self.units))),
        }
        if step_s is None:
            rows = self.values.transpose(0, 2, 1).reshape(-1, n_channels)
            layout = {"columns": self.channels, "rate_hz": self.fs, "window_shape": None}
            return {"values": rows, "offsets": np.arange(n + 1) * n_samples, **layout, **common}
        width = max(round(min(step_s * self.fs, n_samples)), 1)
        n_steps = n_samples // width
        cut = self.values[:, :, : n_steps * width].reshape(n, n_channels, n_steps, width)
        columns = [f"{name}[{j}]" for name in self.channels for j in range(width)]
        layout = {"columns": columns, "rate_hz": self.fs / width, "window_shape": (n_channels, width)}
        rows = cut.transpose(0, 2, 1, 3).reshape(n * n_steps, -1)
        return {"values": rows, "offsets": np.arange(n + 1) * n_steps, **layout, **common}


def epoch_data(epochs: mne.BaseEpochs, *, subject: str = "", need_subject: bool = True) -> EpochData:
    """Return what an object of MNE epochs holds; channels that are marked as bad, and triggers, are left out.

    Raises
    ------
    DataError
        When nobody says whose the epochs are although it is needed, or no channel is left.
    """
    epochs.drop_bad(verbose="error")  # until then MNE does not know how many there are
    kinds = dict(zip(epochs.ch_names, epochs.get_channel_types(), strict=True))
    names = [name for name in good_names(epochs, "epochs", "left out") if kinds[name] != "stim"]
    if not names:
        raise DataError("epochs: every channel that is not marked as bad is a trigger")
    units, gains = units_of(epochs, names)
    fs = float(epochs.info["sfreq"])
    raw_fs = float(getattr(epochs, "_raw_sfreq", None) or fs)  # events keep the raw's rate when epochs are decimated
    events = {code: str(name) for name, code in epochs.event_id.items()}
    who = _subjects(epochs, subject, need_subject=need_subject)
    return EpochData(
        values=(epochs.get_data(picks=names, verbose="error") * gains[:, None]).astype(np.float32),
        fs=fs,
        channels=names,
        units=units,
        labels=[events.get(code, "") for code in epochs.events[:, 2].tolist()],
        classes=[events[code] for code in sorted(events)],
        subjects=who,
        recordings=_column(epochs, "recording", who),
        starts=epochs.events[:, 0].astype(np.int64) + round(float(epochs.times[0]) * raw_fs),
        raw_fs=raw_fs,
    )


def _subjects(epochs: mne.BaseEpochs, subject: str, *, need_subject: bool) -> npt.NDArray[np.str_]:
    found = _column(epochs, "subject", np.full(len(epochs), subject or his_id(epochs.info)))
    if subject:
        found = np.full(len(epochs), subject)
    if need_subject and (found == "").any():
        raise DataError(
            "epochs of whom? Name the subject: subject=..., a column 'subject' of epochs.metadata, or "
            "epochs.info['subject_info'] = {'his_id': ...}; people are kept on one side of a split by it"
        )
    return np.where(found == "", _UNKNOWN, found)


def _column(epochs: mne.BaseEpochs, name: str, otherwise: npt.NDArray[np.str_]) -> npt.NDArray[np.str_]:
    table = epochs.metadata
    if table is None or name not in table.columns:
        return otherwise
    held = table[name]
    return np.array(["" if is_missing else str(value) for value, is_missing in zip(held, held.isna(), strict=True)])
