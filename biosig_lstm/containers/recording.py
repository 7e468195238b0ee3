"""A recording: channels of physical values at one rate, and what is known about them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers.annotations import Annotations, freeze
from biosig_lstm.errors import DataError, ParameterError, options

if TYPE_CHECKING:
    import mne

__all__ = ["Recording", "canonical_unit"]

Float32 = npt.NDArray[np.float32]

_VOLTS = {"V": 1.0, "mV": 1e-3, "uV": 1e-6, "nV": 1e-9}
_SPELLINGS = {
    "v": "V", "volt": "V", "volts": "V", "mv": "mV", "millivolt": "mV", "millivolts": "mV",
    "uv": "uV", "µv": "uV", "μv": "uV", "microvolt": "uV", "microvolts": "uV", "nv": "nV",
}  # fmt: skip


def canonical_unit(unit: str) -> str:
    """Return the package's spelling of a unit: ``V``, ``mV``, ``uV``, ``nV``; any other is kept as it came."""
    return _SPELLINGS.get(unit.strip().lower(), unit.strip())


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Channels of physical values, sampled together.

    The array is taken over, not copied, and read-only from then on: whoever made it must not write to it.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples), dtype=float32]
        Physical values; NaN where nothing was recorded.
    fs : float [unit=Hz, > 0]
        Samples a second, of every channel.
    channels : sequence of str [length=channels]
        Names, no two alike.
    units : sequence of str [length=channels]
        Unit of each channel; spellings of volt are unified to ``V mV uV nV``.
    id : str
        Name of the recording, unique within its database.
    subject : str
        Who was recorded: splits keep all of one subject's recordings on one side. Defaults to `id`.
    annotations : Annotations
        Labelled stretches, in samples of this recording.
    history : tuple of str
        What was done to the values since they were read, in words.

    Raises
    ------
    DataError
        When shapes, names, units and rate do not fit together, a value is infinite, or an annotation
        starts outside the recording.
    """

    signals: Float32
    fs: float
    channels: Sequence[str]
    units: Sequence[str]
    id: str = ""
    subject: str = ""
    annotations: Annotations = field(default_factory=Annotations)
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        signals = np.ascontiguousarray(self.signals, dtype=np.float32)
        fixed = {
            "signals": freeze(signals),
            "fs": float(self.fs),
            "channels": tuple(str(name) for name in self.channels),
            "units": tuple(canonical_unit(str(unit)) for unit in self.units),
            "subject": self.subject or self.id,
            "history": tuple(self.history),
        }
        for name, value in fixed.items():
            object.__setattr__(self, name, value)
        _check(self)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, freeze(value) if isinstance(value, np.ndarray) else value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recording):
            return NotImplemented
        same = all(getattr(self, k) == getattr(other, k) for k in self.__dict__ if k != "signals")
        return same and np.array_equal(self.signals, other.signals, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        leads = ", ".join(f"{c} ({u})" for c, u in zip(self.channels[:4], self.units, strict=False))
        more = f", and {len(self.channels) - 4} more" if len(self.channels) > 4 else ""
        who = f"{self.id!r}" + (f" of {self.subject!r}" if self.subject != self.id else "")
        return f"Recording({who}: {leads}{more}; {self.duration_s:g} s at {self.fs:g} Hz; {self.annotations!r})"

    def _repr_html_(self) -> str:
        from biosig_lstm.containers._svg import recording_html

        return recording_html(self)

    @property
    def n_samples(self) -> int:
        """Samples of each channel."""
        return int(self.signals.shape[1])

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.fs

    def with_signals(self, signals: npt.NDArray[Any], *, note: str, fs: float | None = None) -> Recording:
        """Return this recording with other values, and `note` added to its history.

        Parameters
        ----------
        signals : np.ndarray [shape=(channels, samples)]
            The new values.
        note : str
            What was done, for the history.
        fs : float [unit=Hz], optional
            The new rate: the annotations follow it.
        """
        moved = self.annotations
        if fs is not None and fs != self.fs:
            moved = moved.rescale(fs / self.fs)
            inside = np.minimum(moved.starts, max(signals.shape[-1] - 1, 0))
            moved = Annotations(inside, np.clip(moved.stops, inside, None), moved.labels, moved.notes)
        return replace(self, signals=signals, fs=fs or self.fs, annotations=moved, history=(*self.history, note))

    def with_annotations(self, annotations: Annotations) -> Recording:
        """Return this recording under other annotations."""
        return replace(self, annotations=annotations)

    def pick(self, channels: Iterable[str]) -> Recording:
        """Return the named channels, in the order asked.

        Raises
        ------
        DataError
            When a channel is not there.
        """
        wanted = list(channels)
        for name in wanted:
            if name not in self.channels:
                raise DataError(f"{self.id}: no channel {options(name, self.channels)}")
        rows = [list(self.channels).index(name) for name in wanted]
        units = [self.units[row] for row in rows]
        return replace(self, signals=self.signals[rows], channels=wanted, units=units)

    def crop(self, *, start_s: float = 0.0, stop_s: float | None = None) -> Recording:
        """Return the stretch from `start_s` to `stop_s`, its annotations clipped and shifted with it.

        Parameters
        ----------
        start_s, stop_s : float [unit=s]
            Within the recording; `stop_s` defaults to its end. Rounded to the nearest sample.

        Raises
        ------
        ParameterError
            When the stretch is empty or leaves the recording.
        """
        stop_s = self.duration_s if stop_s is None else stop_s
        first, last = round(start_s * self.fs), round(stop_s * self.fs)
        if not 0 <= first < last <= self.n_samples:
            raise ParameterError(
                f"{self.id}: cannot crop {start_s:g} to {stop_s:g} s, the recording holds 0 to {self.duration_s:g} s"
            )
        part = self.annotations.crop(start=first, stop=last)
        note = f"cropped to {first / self.fs:g}-{last / self.fs:g} s"
        return replace(self, signals=self.signals[:, first:last], annotations=part, history=(*self.history, note))

    def to_unit(self, unit: str) -> Recording:
        """Return the recording with every channel in `unit`, one of ``V mV uV nV``.

        Raises
        ------
        ParameterError
            When `unit` is not a voltage.
        DataError
            When a channel's unit is not a voltage: its name and unit are in the message.
        """
        target = canonical_unit(unit)
        if target not in _VOLTS:
            raise ParameterError(f"unit {options(unit, _VOLTS)}")
        foreign = [f"{c} ({u or 'no unit'})" for c, u in zip(self.channels, self.units, strict=True) if u not in _VOLTS]
        if foreign:
            raise DataError(f"{self.id}: cannot be expressed in {target}, not a voltage: {', '.join(foreign)}")
        if all(u == target for u in self.units):
            return self
        gains = np.array([_VOLTS[u] / _VOLTS[target] for u in self.units], dtype=np.float32)
        changed = self.with_signals(self.signals * gains[:, None], note=f"{'/'.join(self.units)} to {target}")
        return replace(changed, units=(target,) * len(self.channels))

    @classmethod
    def from_mne(
        cls,
        raw: mne.io.BaseRaw,
        *,
        id: str = "",  # noqa: A002
        subject: str = "",
        bads: Literal["left out", "kept"] = "left out",
    ) -> Recording:
        """Return an `mne.io.Raw` as a recording: EEG and other voltages in uV.

        Parameters
        ----------
        raw : mne.io.BaseRaw
            MNE's values are in volts; they are converted once, here.
        id, subject : str
            Names to give; the ``his_id`` of MNE's subject is used where it has one.
        bads : {"left out", "kept"}
            What becomes of channels that MNE marks as bad.

        Notes
        -----
        Annotations count from the first sample of the object, whatever its ``first_samp``; what lies outside is left
        out. The channels that an annotation is of are its note. Channels that are no voltages keep MNE's values.
        """
        from biosig_lstm.containers._mne import fields_from_raw

        return cls(**fields_from_raw(raw, id=id, subject=subject, bads=bads))

    def to_mne(self, like: mne.io.BaseRaw | None = None) -> mne.io.RawArray:
        """Return the recording as an `mne.io.RawArray`: voltages in volts, annotations in seconds.

        Parameters
        ----------
        like : mne.io.BaseRaw, optional
            Where date, subject, mains, ``first_samp``, and the types, places and bads of channels come from, by the
            channels' names. By default the types are guessed from the names, channels that are no voltages are
            ``misc``, and the subject is the recording's.
        """
        from biosig_lstm.containers._mne import raw_from_recording

        return raw_from_recording(self, like)


def _check(recording: Recording) -> None:
    name, signals = recording.id or "recording", recording.signals
    if signals.ndim != 2:
        raise DataError(f"{name}: signals must be (channels, samples), got shape {signals.shape}")
    if not len(recording.channels) == len(recording.units) == len(signals):
        raise DataError(
            f"{name}: {len(signals)} rows of signals, {len(recording.channels)} channel names, "
            f"{len(recording.units)} units; all three must agree"
        )
    twice = sorted({c for c in recording.channels if list(recording.channels).count(c) > 1})
    if twice:
        raise DataError(f"{name}: channel names must differ, given twice: {', '.join(twice)}")
    if not (recording.fs > 0 and math.isfinite(recording.fs)):
        raise DataError(f"{name}: fs must be a positive number of Hz, got {recording.fs}")
    if np.isinf(signals).any():
        raise DataError(f"{name}: signals hold infinite values; mark what is missing with NaN")
    starts = recording.annotations.starts
    if len(starts) and (starts[0] < 0 or starts[-1] >= max(signals.shape[1], 1)):
        at = int(starts[0] if starts[0] < 0 else starts[-1])
        raise DataError(f"{name}: annotation at sample {at}, the recording holds 0 to {signals.shape[1] - 1}")
