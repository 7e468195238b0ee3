"""Artefacts of the EEG, marked in the recording: nothing is taken away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

import numpy as np

from biosig_lstm._artefacts import BAD, Limits, find_artefacts
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.containers.channel_names import eeg_channels
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters._base import Filter

__all__ = ["MarkArtefacts"]

Mark = tuple[int, int, str, str]


@dataclass(frozen=True)
class MarkArtefacts(Filter):
    """Add an annotation for each stretch of an EEG channel that is too large, too flat, or mostly mains.

    Labels are ``BAD_peak-to-peak``, ``BAD_flat``, ``BAD_line-noise`` and ``BAD_missing`` (NaN), as MNE has them; the
    note is the channel. The values stay as they are. `biosig_lstm.windows.FixedLength` leaves out windows that such a
    stretch overlaps.

    Parameters
    ----------
    peak_to_peak_uv, flat_uv : float [unit=uV, > 0], optional
        Largest and smallest difference between the highest and the lowest value of a window.
    line_share : float [0 to 1], optional
        Largest share of a window's power above 1 Hz that lies within 1 Hz of `line_hz`.
    line_hz : float [unit=Hz]
        50, or 60 as in America.
    window_s : float [unit=s, > 0]
        Length of the windows that are judged, one after the other; neighbours with one reason are joined. The last one
        ends with the recording.
    channels : {'eeg', 'all'} or tuple of str
        What is judged. ``eeg``: the voltages that are named as EEG; ``all``: every voltage.

    Raises
    ------
    ParameterError
        When no limit is given, or one is out of range.

    Notes
    -----
    It is a filter, to stand where the values are still those to be judged: before what scales them (`Normalize`), and,
    for the mains, before `Notch`.

    Examples
    --------
    >>> eeg = Recording([[0.0] * 100 + [0.0, 400.0] * 50], 100, ["Fz"], ["uV"])
    >>> marked = MarkArtefacts(peak_to_peak_uv=200)(eeg)
    >>> marked.annotations
    Annotations(1: BAD_peak-to-peak 1)
    >>> marked.annotations.starts.tolist(), marked.annotations.notes.tolist()
    ([100], ['Fz'])
    """

    peak_to_peak_uv: float | None = None
    flat_uv: float | None = None
    line_share: float | None = None
    line_hz: float = 50.0
    window_s: float = 1.0
    channels: str | tuple[str, ...] = "eeg"

    accepts_nan: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", self.channels if isinstance(self.channels, str) else tuple(self.channels))
        if not 0 < self.window_s < float("inf"):
            raise ParameterError(f"window_s must be positive and finite, got {self.window_s!r}")
        self.limits.check()

    @property
    def limits(self) -> Limits:
        """The limits that windows are held against."""
        return Limits(self.peak_to_peak_uv, self.flat_uv, self.line_share, self.line_hz)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording with its artefacts marked; annotations that are there stay.

        Raises
        ------
        DataError
            When no channel is EEG, or one is no voltage.
        ParameterError
            When the mains cannot be seen at this rate.
        """
        return self.knowing(recording, bad=(), eeg=())

    def knowing(self, recording: Recording, *, bad: Sequence[str], eeg: Sequence[str]) -> Recording:
        """Return the recording with the artefacts of channels marked that are not known to be bad."""
        try:
            asked = eeg_channels(self.channels, recording.channels, recording.units, typed=eeg)
        except DataError as error:
            raise DataError(f"{recording.id}: {error}") from None
        judged = recording.pick([name for name in asked if name not in bad]).to_unit("uV")
        marks = _joined(self._marks(judged)) if judged.n_samples else []
        old = recording.annotations
        columns = list(zip(*marks, strict=True)) or [(), (), (), ()]
        together = Annotations(
            [*old.starts.tolist(), *columns[0]],
            [*old.stops.tolist(), *columns[1]],
            [*old.labels.tolist(), *columns[2]],
            [*old.notes.tolist(), *columns[3]],
        )
        note = f"{self!r}: {len(marks)} stretches of {len(judged.channels)} channels"
        return recording.with_annotations(together).with_signals(recording.signals, note=note)

    def _marks(self, judged: Recording) -> list[Mark]:
        width = min(max(round(self.window_s * judged.fs), 1), judged.n_samples)
        starts = np.append(np.arange(0, judged.n_samples - width, width), judged.n_samples - width)
        windows = np.lib.stride_tricks.sliding_window_view(judged.signals, width, axis=1)[:, starts].transpose(1, 0, 2)
        return [
            (int(starts[k]), int(starts[k]) + width, BAD + reason, judged.channels[channel])
            for k, channel, reason, _ in find_artefacts(windows, judged.fs, limits=self.limits)
        ]


def _joined(marks: Iterable[Mark]) -> list[Mark]:
    """Return the stretches, those of one channel and reason that touch or overlap as one."""
    joined: list[Mark] = []
    for (label, note), same in groupby(sorted(marks, key=lambda m: (m[2], m[3], m[0])), key=lambda m: m[2:]):
        for start, stop, *_ in same:
            if joined and joined[-1][2:] == (label, note) and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], stop, label, note)
            else:
                joined.append((start, stop, label, note))
    return joined
