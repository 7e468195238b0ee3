"""What all filters share: the check of their input, and the step around a function on arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, overload

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.containers.raw import filter_raw, is_raw
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step

if TYPE_CHECKING:
    from biosig_lstm.containers.raw import BaseRaw, RawArray

__all__ = ["Filter", "NotFiniteError", "as_rows", "channels_named", "check_fs", "read_only"]

Float32 = npt.NDArray[np.float32]


class NotFiniteError(DataError):
    """A channel holds NaN or infinity; knows which, so that a step can say its name."""

    def __init__(self, channel: int, at_s: float, *, name: str = "") -> None:
        self.channel, self.at_s = channel, at_s
        super().__init__(
            f"{name or f'channel {channel}'} holds NaN or infinity, first at {at_s:.6g} s, "
            f"and a filter would spread it: fill the gaps first (FillGaps)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.channel, self.at_s))

    def named(self, recording: Recording) -> NotFiniteError:
        """Return this error with the channel's name and the recording's id in the message."""
        where = f"{recording.id}: " if recording.id else ""
        return NotFiniteError(self.channel, self.at_s, name=f"{where}channel {recording.channels[self.channel]!r}")


def check_fs(fs: float) -> None:
    """Raise ParameterError unless `fs` is a positive number of Hz."""
    if not (np.isfinite(fs) and fs > 0):
        raise ParameterError(f"fs must be a positive number of Hz, got {fs!r}")


def as_rows(signals: npt.ArrayLike, fs: float, *, gaps_allowed: bool = False) -> Float32:
    """Return `signals` as contiguous float32 of shape (channels, samples), not copied where it is that already.

    Raises
    ------
    DataError
        When the shape is another, or, unless `gaps_allowed`, a value is not finite.
    """
    check_fs(fs)
    rows = np.ascontiguousarray(signals, dtype=np.float32)
    if np.ndim(signals) != 2:
        raise DataError(f"signals must be (channels, samples), got shape {np.shape(signals)}")
    if rows.size and not gaps_allowed:
        _refuse_gaps(rows, fs)
    return rows


def read_only(array: Float32) -> Float32:
    """Return a read-only view: compiled functions then know one type of input and are compiled once."""
    view = array.view()
    view.flags.writeable = False
    return view


def _refuse_gaps(rows: Float32, fs: float) -> None:
    finite = np.isfinite(rows.min(axis=1)) & np.isfinite(rows.max(axis=1))
    if not finite.all():
        channel = int(np.argmin(finite))
        raise NotFiniteError(channel, int(np.argmin(np.isfinite(rows[channel]))) / fs)


@contextmanager
def channels_named(recording: Recording) -> Iterator[None]:
    """Let an error about a channel's values say the channel's name and the recording's id."""
    try:
        yield
    except NotFiniteError as error:
        raise error.named(recording) from None


@dataclass(frozen=True)
class Filter(Step):
    """A step Recording -> Recording whose arithmetic is a function on arrays; an `mne.io.Raw` goes through it too.

    A subclass defines `apply`; where more changes than the values, it defines `on_recording` instead.
    """

    kind: ClassVar[str] = "filter"
    accepts_nan: ClassVar[bool] = False
    changes_length: ClassVar[bool] = False
    mixes_channels: ClassVar[bool] = False
    """Whether a channel of the answer depends on several of the recording."""
    chooses_channels: ClassVar[bool] = False
    """Whether the step says which channels remain, of whatever kind."""

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return the filtered values, shape (channels, samples)."""
        raise NotImplementedError(f"{type(self).__name__} defines no apply(signals, fs)")

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording filtered, with this step in its history.

        Raises
        ------
        DataError
            When a channel holds NaN: its name, and where, in seconds.
        """
        with channels_named(recording):
            values = self.apply(recording.signals, recording.fs)
        return recording.with_signals(values, note=repr(self))

    def knowing(self, recording: Recording, *, bad: Sequence[str], eeg: Sequence[str]) -> Recording:  # noqa: ARG002
        """Return the recording filtered, where it is known which channels are bad and which are EEG."""
        return self.on_recording(recording)

    def sources(self, recording: Recording) -> dict[str, tuple[str, ...]]:  # noqa: ARG002
        """Return the channels that each channel of the answer is made of, where their names differ."""
        return {}

    @overload
    def __call__(self, value: Recording, /) -> Recording: ...

    @overload
    def __call__(self, value: BaseRaw, /) -> RawArray: ...

    def __call__(self, value: Any, /) -> Any:
        """Return the recording, or the `mne.io.Raw`, filtered: a new one, the input is left as it is.

        Raises
        ------
        DataError, ParameterError
            As `on_recording`. See `biosig_lstm.containers.raw.filter_raw` for what is kept of an `mne.io.Raw`.
        """
        return filter_raw(value, self) if is_raw(value) else self.on_recording(value)
