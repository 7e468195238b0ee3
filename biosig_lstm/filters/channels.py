"""Channels by name: the same ones, in the same order, from every recording."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from biosig_lstm.containers import Recording
from biosig_lstm.containers.channel_names import the_channel_meant
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters._base import Filter

__all__ = ["Channels"]


@dataclass(frozen=True)
class Channels(Filter):
    """Keep these channels, in this order.

    Parameters
    ----------
    names : tuple of str
        Channels wanted, no two alike. Spelling is that given; a recording's channel that differs in case or in
        surrounding spaces alone is the same, and takes the name given here. Where there is none, an EEG channel is
        found under its other names too: ``Fz`` as ``FZ``, ``Fz.`` or ``EEG Fz-LE``, ``T7`` as ``T3``; see
        `biosig_lstm.containers.channel_names.canonical_channel`.

    Raises
    ------
    ParameterError
        When no name is given, or one twice.

    Examples
    --------
    >>> ecg = Recording([[1.0], [2.0], [3.0]], 250, ["I", "ii", "V5"], ["mV"] * 3)
    >>> Channels(("V5", "II"))(ecg)
    Recording('': V5 (mV), II (mV); 0.004 s at 250 Hz; Annotations(0))
    >>> eeg = Recording([[1.0], [2.0]], 250, ["EEG FZ-LE", "EEG T3-LE"], ["uV"] * 2)
    >>> Channels(("T7",))(eeg)
    Recording('': T7 (uV); 0.004 s at 250 Hz; Annotations(0))
    """

    names: tuple[str, ...]

    accepts_nan: ClassVar[bool] = True
    chooses_channels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names or len({_key(name) for name in self.names}) < len(self.names):
            raise ParameterError(f"names must be one or more channels, no two alike, got {self.names}")

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording with these channels only.

        Raises
        ------
        DataError
            When the recording lacks one, or one may be several; the message says what it has.
        """
        if tuple(recording.channels) == self.names:
            return recording
        found = self._found(recording)
        rows = [list(recording.channels).index(name) for name in found.values()]
        kept = ", ".join(
            name if _key(name) == _key(held) else f"{name} (called {held})" for name, held in found.items()
        )
        return Recording(
            recording.signals[rows],
            recording.fs,
            self.names,
            [recording.units[row] for row in rows],
            id=recording.id,
            subject=recording.subject,
            annotations=recording.annotations,
            history=(*recording.history, f"kept {kept} of {', '.join(recording.channels)}"),
        )

    def sources(self, recording: Recording) -> dict[str, tuple[str, ...]]:
        """Return the channel that each of `names` is in the recording."""
        return {name: (held,) for name, held in self._found(recording).items()}

    def _found(self, recording: Recording) -> dict[str, str]:
        try:
            found = {name: the_channel_meant(name, recording.channels, recording.units) for name in self.names}
        except DataError as error:
            raise DataError(f"{recording.id}: {error}") from None
        twice = [held for held, count in Counter(found.values()).items() if count > 1]
        if twice:
            names = " and ".join(name for name, held in found.items() if held == twice[0])
            raise DataError(f"{recording.id}: {names} are one channel here, {twice[0]}")
        return found


def _key(name: str) -> str:
    return name.strip().casefold()
