"""Sound of several channels mixed down to one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.filters._base import Filter, Float32, as_rows

__all__ = ["Mono", "mono"]

_CANCELLED = 1e-4


def mono(signals: npt.ArrayLike, fs: float) -> Float32:
    """Return the mean of the channels.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        One channel or more; what is missing (NaN) in one is missing in the mean.
    fs : float [unit=Hz, > 0]
        Samples a second.

    Returns
    -------
    np.ndarray [shape=(1, samples), dtype=float32]

    Raises
    ------
    DataError
        When there is no channel.

    Examples
    --------
    >>> mono([[1.0, 0.0], [0.0, 0.5]], 8000).tolist()
    [[0.5, 0.25]]
    """
    rows = as_rows(signals, fs, gaps_allowed=True)
    if not len(rows):
        raise DataError("there is no channel to mix down")
    return np.asarray(rows.mean(axis=0, keepdims=True, dtype=np.float32))


def _cancelled(rows: Float32, mixed: Float32) -> bool:
    """Return whether the mean of channels has less than a hundredth of their root mean square."""
    power, left = (float(np.vdot(values, values)) / max(values.size, 1) for values in (rows, mixed))
    return left < _CANCELLED * power


@dataclass(frozen=True)
class Mono(Filter):
    """Mix all channels down to one, ``sound``: their mean; a recording of one channel keeps its values.

    Examples
    --------
    >>> stereo = Recording([[1.0, 0.0], [0.0, 0.5]], 8000, ["left", "right"], ["FS", "FS"])
    >>> Mono()(stereo)
    Recording('': sound (FS); 0.00025 s at 8000 Hz; Annotations(0))
    """

    accepts_nan: ClassVar[bool] = True
    mixes_channels: ClassVar[bool] = True

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return the mean of the channels, shape (1, samples)."""
        return mono(signals, fs)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording with one channel, ``sound``.

        Raises
        ------
        DataError
            When there is no channel, or the channels have several units.

        Warns
        -----
        BiosigWarning
            When the channels cancel each other, as where one is the other turned over: their mean lies 40 dB below
            them.
        """
        if recording.channels == ("sound",):
            return recording
        if len(set(recording.units)) > 1:
            raise DataError(f"{recording.id}: channels in {', '.join(recording.units)} cannot be mixed down to one")
        mixed = mono(recording.signals, recording.fs)
        if _cancelled(recording.signals, mixed):
            warnings.warn(
                f"{recording.id}: {', '.join(recording.channels)} cancel each other: their mean is all but silent; "
                "take one of them (Channels)",
                BiosigWarning,
                stacklevel=2,
            )
        note = f"{self!r} of {', '.join(recording.channels)}"
        history = (*recording.history, note)
        return replace(recording, signals=mixed, channels=["sound"], units=recording.units[:1], history=history)

    def sources(self, recording: Recording) -> dict[str, tuple[str, ...]]:
        """Return that ``sound`` is made of all channels."""
        return {"sound": tuple(recording.channels)}
