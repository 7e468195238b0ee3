"""Another reference of the EEG: the average of all electrodes, or of some, as linked ears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.containers.channel_names import eeg_channels, is_derivation, the_channel_meant
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows, channels_named

__all__ = ["Rereference", "rereference"]

_AVERAGE = "average"


def rereference(
    signals: npt.ArrayLike, fs: float, *, reference: Sequence[int], channels: Sequence[int] | None = None
) -> Float32:
    """Subtract the mean of some channels from others.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values, all against one common reference.
    fs : float [unit=Hz, > 0]
        Samples a second; the answer does not depend on it.
    reference : sequence of int
        Rows whose mean is the new reference.
    channels : sequence of int, optional
        Rows that it is subtracted from; all by default.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        In the unit of `signals`; other rows as they were.

    Raises
    ------
    ParameterError
        When there is no row to be the reference.
    DataError
        When a value is not finite.

    Examples
    --------
    >>> rereference([[1.0, 2.0], [3.0, 6.0]], 100, reference=[0, 1]).tolist()
    [[-1.0, -2.0], [1.0, 2.0]]
    """
    rows = as_rows(signals, fs)
    if not len(reference):
        raise ParameterError("reference must be one row or more")
    total = np.zeros(rows.shape[1])
    for row in reference:
        total += rows[row]
    mean = (total / len(reference)).astype(np.float32)
    changed = rows.copy()
    for row in range(len(rows)) if channels is None else channels:
        changed[row] -= mean
    return changed


@dataclass(frozen=True)
class Rereference(Filter):
    """Bring the EEG to another reference; other channels (ECG, EOG, status) and derivations stay; see `rereference`.

    Parameters
    ----------
    reference : 'average', str or tuple of str
        ``average``: the mean of `channels`. Else one electrode, as ``"Cz"``, or several whose mean is taken, as
        ``("A1", "A2")`` for linked ears; they are found under their other names too (``EEG A1-Ref``), and stay among
        the channels.
    channels : {'eeg', 'all'} or tuple of str
        What is brought to the new reference. ``eeg``: the voltages that are named as EEG; ``all``: every voltage.

    Raises
    ------
    ParameterError
        When no reference is given, or one twice.

    Notes
    -----
    As `mne.set_eeg_reference`, ears and mastoids that are named as EEG channels are part of the average; name the
    `channels` to leave them out. What is a difference of two electrodes already (``C3-M2``) has no part in it.

    Examples
    --------
    >>> eeg = Recording([[1.0], [2.0], [6.0], [9.0]], 250, ["EEG Fz", "EEG Cz", "EEG Pz", "ECG"], ["uV"] * 4)
    >>> Rereference("average")(eeg).signals[:, 0].tolist()
    [-2.0, -1.0, 3.0, 9.0]
    >>> Rereference("Pz")(eeg).signals[:, 0].tolist()
    [-5.0, -4.0, 0.0, 9.0]
    """

    reference: str | tuple[str, ...] = _AVERAGE
    channels: str | tuple[str, ...] = "eeg"

    mixes_channels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        named = self.reference if self.reference == _AVERAGE else _names(self.reference)
        object.__setattr__(self, "reference", named)
        object.__setattr__(self, "channels", self.channels if isinstance(self.channels, str) else tuple(self.channels))
        if named != _AVERAGE and (not named or not all(named) or len(set(named)) < len(named)):
            raise ParameterError(f"reference must be 'average' or names of electrodes, each once, got {named!r}")

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording against the new reference.

        Raises
        ------
        DataError
            When an electrode is not there, the channels are of several units, there is nothing to average, or a channel
            holds NaN: its name, and where, in seconds.
        """
        return self.knowing(recording, bad=(), eeg=())

    def knowing(self, recording: Recording, *, bad: Sequence[str], eeg: Sequence[str]) -> Recording:
        """Return the recording against the new reference; bad channels have no part in it and stay as they are."""
        try:
            changed, mean_of = self._found(recording, bad, eeg)
        except DataError as error:
            raise DataError(f"{recording.id}: {error}") from None
        part = recording.pick(dict.fromkeys([*changed, *mean_of]))
        held = list(part.channels)
        with channels_named(part):
            found = rereference(
                part.signals,
                part.fs,
                reference=[held.index(name) for name in mean_of],
                channels=[held.index(name) for name in changed],
            )
        values = recording.signals.copy()
        values[[list(recording.channels).index(name) for name in held]] = found
        what = f"the average of {len(mean_of)}" if self.reference == _AVERAGE else " and ".join(mean_of)
        return recording.with_signals(values, note=f"{self!r}: {len(changed)} channels against {what}")

    def _found(self, recording: Recording, bad: Sequence[str], eeg: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return what is changed, and what the reference is made of."""
        names, units = list(recording.channels), list(recording.units)
        asked = eeg_channels(self.channels, names, units, typed=eeg)
        changed = [name for name in asked if not is_derivation(name) and name not in bad]
        average = self.reference == _AVERAGE
        mean_of = changed if average else [the_channel_meant(name, names, units) for name in self.reference]
        if not changed or (average and len(mean_of) < 2):
            raise DataError(
                f"{len(mean_of)} channels against a common reference, an average needs two: {', '.join(names)}"
            )
        said = {name: units[names.index(name)] for name in [*changed, *mean_of]}
        if len(set(said.values())) > 1:
            several = ", ".join(f"{name} ({unit})" for name, unit in said.items())
            raise DataError(f"channels of several units: {several}; bring them to one (ToUnit)")
        return changed, mean_of


def _names(given: str | tuple[str, ...]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
