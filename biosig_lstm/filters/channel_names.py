"""Channel names of EEG in one spelling."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from biosig_lstm.containers import Recording
from biosig_lstm.containers.channel_names import canonical_channel
from biosig_lstm.errors import BiosigWarning
from biosig_lstm.filters._base import Filter

__all__ = ["ChannelNames"]

_VOLTS = ("V", "mV", "uV", "nV", "")


@dataclass(frozen=True)
class ChannelNames(Filter):
    """Give EEG channels the names of the 10-10 system; see `biosig_lstm.containers.channel_names.canonical_channel`.

    ``EEG FP1-REF``, ``Fp1.`` and ``FP1`` become ``Fp1``, ``T3`` becomes ``T7``, ``EEG Fpz-Cz`` ``Fpz-Cz``. Channels
    that are no voltage, and those with other names, keep theirs.

    Notes
    -----
    Channels that would get one name, as ``Fz-LE`` and ``Fz-AR``, keep theirs too, with a `BiosigWarning`.

    Examples
    --------
    >>> eeg = Recording([[1.0], [2.0], [3.0]], 250, ["EEG FZ-LE", "EEG T3-LE", "ECG"], ["uV"] * 3)
    >>> ChannelNames()(eeg).channels
    ('Fz', 'T7', 'ECG')
    """

    accepts_nan: ClassVar[bool] = True

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording with its channels renamed; the history says which."""
        names = _renamed(recording)
        changed = [f"{old} to {new}" for old, new in zip(recording.channels, names, strict=True) if old != new]
        if not changed:
            return recording
        history = (*recording.history, f"renamed {', '.join(changed)}")
        return replace(recording, channels=names, history=history)

    def sources(self, recording: Recording) -> dict[str, tuple[str, ...]]:
        """Return the channel that each new name stands for."""
        with warnings.catch_warnings(action="ignore"):
            names = _renamed(recording)
        return {new: (old,) for new, old in zip(names, recording.channels, strict=True)}


def _renamed(recording: Recording) -> list[str]:
    wanted = [
        canonical_channel(name) if unit in _VOLTS else name
        for name, unit in zip(recording.channels, recording.units, strict=True)
    ]
    several = {name for name, count in Counter(wanted).items() if count > 1}
    for name in sorted(several):
        alike = [old for old, new in zip(recording.channels, wanted, strict=True) if new == name]
        warnings.warn(
            f"{recording.id}: {' and '.join(alike)} would all be {name}: they keep their names",
            BiosigWarning,
            stacklevel=4,
        )
    return [old if new in several else new for old, new in zip(recording.channels, wanted, strict=True)]
