"""Log-mel power raised or lowered along the filters: power of a filter made power of a hertz, for one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.steps import Step

__all__ = ["Tilt", "tilt"]


def tilt(frames: npt.ArrayLike, *, last_db: float) -> npt.NDArray[np.float32]:
    """Return natural logarithms of power with a straight line over the columns added.

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Natural logarithms of power.
    last_db : float [unit=dB]
        What is added to the last column; nothing is to the first.

    Examples
    --------
    >>> tilt([[1.0, 1.0, 1.0]], last_db=-20).astype(float).round(3).tolist()
    [[1.0, -1.303, -3.605]]
    """
    values = np.asarray(frames, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(last_db):
        raise ParameterError(f"tilt takes (frames, columns) and finite dB, got {values.shape} and {last_db!r}")
    return np.asarray(values + np.linspace(0, last_db * np.log(10) / 10, values.shape[1]), dtype=np.float32)


@dataclass(frozen=True)
class Tilt(Step):
    """Add a straight line over the columns to log-mel power; see `tilt`.

    Parameters
    ----------
    last_db : float [unit=dB]
        What is added to the last column; nothing is to the first.

    Raises
    ------
    ParameterError
        When it is not finite.

    Notes
    -----
    Triangles on HTK's mel scale grow wider by the factor 10**(m / 2595) over m mel, and white noise gives as much more:
    from 60 to 4000 Hz 7.9 dB, which ``Tilt(-7.9)`` takes away.
    """

    kind: ClassVar[str] = "feature"

    last_db: float

    def __post_init__(self) -> None:
        if not np.isfinite(self.last_db):
            raise ParameterError(f"last_db must be finite, got {self.last_db!r}")

    def __call__(self, windows: Windows) -> Windows:
        """Return items of the same shape."""
        return windows.with_values(tilt(windows.values, last_db=self.last_db))
