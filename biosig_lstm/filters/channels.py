"""Channels by name: the same ones, in the same order, from every recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.filters._base import Filter

__all__ = ["Channels"]


@dataclass(frozen=True)
class Channels(Filter):
    """Keep these channels, in this order.

    Parameters
    ----------
    names : tuple of str
        Channels wanted, no two alike. Spelling is that given; a recording's channel that differs in case or in
        surrounding spaces alone is the same, and takes the name given here.

    Raises
    ------
    ParameterError
        When no name is given, or one twice.

    Examples
    --------
    >>> ecg = Recording([[1.0], [2.0], [3.0]], 250, ["I", "ii", "V5"], ["mV"] * 3)
    >>> Channels(("V5", "II"))(ecg)
    Recording('': V5 (mV), II (mV); 0.004 s at 250 Hz; Annotations(0))
    """

    names: tuple[str, ...]

    accepts_nan: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if not self.names or len({_key(name) for name in self.names}) < len(self.names):
            raise ParameterError(f"names must be one or more channels, no two alike, got {self.names}")

    def __call__(self, recording: Recording) -> Recording:
        """Return the recording with these channels only.

        Raises
        ------
        DataError
            When the recording lacks one; the message says what it has.
        """
        held = {_key(name): row for row, name in enumerate(recording.channels)}
        missing = [name for name in self.names if _key(name) not in held]
        if missing:
            raise DataError(f"{recording.id}: channel {options(missing[0], recording.channels)}")
        if tuple(recording.channels) == self.names:
            return recording
        rows = [held[_key(name)] for name in self.names]
        return Recording(
            recording.signals[rows],
            recording.fs,
            self.names,
            [recording.units[row] for row in rows],
            id=recording.id,
            subject=recording.subject,
            annotations=recording.annotations,
            history=(*recording.history, f"kept {', '.join(self.names)} of {', '.join(recording.channels)}"),
        )


def _key(name: str) -> str:
    return name.strip().casefold()
