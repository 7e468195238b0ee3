"""Units: every channel in one unit of voltage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from biosig_lstm.containers import Recording
from biosig_lstm.filters._base import Filter

__all__ = ["ToUnit"]


@dataclass(frozen=True)
class ToUnit(Filter):
    """Express every channel in one unit of voltage; see `biosig_lstm.containers.Recording.to_unit`.

    Parameters
    ----------
    unit : {'V', 'mV', 'uV', 'nV'}
        The unit wanted. What is missing (NaN) stays missing.

    Examples
    --------
    >>> from biosig_lstm.containers import Recording
    >>> eeg = Recording([[0.001, 0.002]], 250, ["Cz"], ["mV"])
    >>> ToUnit("uV")(eeg).signals.tolist()
    [[1.0, 2.0]]
    """

    unit: str

    accepts_nan: ClassVar[bool] = True

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording in the wanted unit.

        Raises
        ------
        ParameterError
            When `unit` is not a voltage.
        DataError
            When a channel's unit is not a voltage: its name and unit are in the message.
        """
        return recording.to_unit(self.unit)
