"""A floor under log-mel power that goes with the loudness of the speech: what lies under it is noise to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features.spoken_part import frame_power
from biosig_lstm.steps import Step

__all__ = ["LevelFloor", "level_floor"]

Float32 = npt.NDArray[np.float32]

_LOUD_PERCENT = 90
_DEEPEST_DB = 26.0


def level_floor(frames: npt.ArrayLike, *, depth_db: float = 18.0, compression: float = 0.0) -> Float32:
    """Return log-mel power relative to the loud frames, with noise of a set level added to every filter.

    Parameters
    ----------
    frames : array_like [shape=(frames, n_mels)]
        Natural logarithms of power in filters.
    depth_db : float [unit=dB]
        How far below the level of loud frames the added noise lies.
    compression : float [0 to 1]
        Share of what a frame lies below the level of loud frames that it is raised by before, as an automatic gain
        does: weak consonants come out of the floor. What lies more than 26 dB below is raised as if it lay there.

    Returns
    -------
    np.ndarray [shape=(frames, n_mels), dtype=float32]
        ``ln(exp(frames) / level + 10**(-depth_db / 10))``, level being the mean power that nine frames in ten do not
        reach: the gain of the recording is gone, and with it noise and hum that lie deeper.

    Notes
    -----
    Noise masking: Klatt, ICASSP 1976; Van Compernolle 1989 (doi:10.1016/0885-2308(89)90027-2).

    Examples
    --------
    >>> quiet, loud = level_floor([[-9.0, -3.0]] * 4), level_floor([[-6.0, 0.0]] * 4)
    >>> bool(np.allclose(quiet, loud, atol=1e-6))
    True
    """
    values = np.asarray(frames, dtype=np.float64)
    power = frame_power(values)
    level = np.percentile(power, _LOUD_PERCENT)
    raised = compression * np.clip(level - power, 0, _DEEPEST_DB * np.log(10) / 10)
    relative = values - level + raised[:, None]
    return np.asarray(np.logaddexp(relative, -depth_db * np.log(10) / 10), dtype=np.float32)


@dataclass(frozen=True)
class LevelFloor(Step):
    """Put a floor under log-mel power, item by item; see `level_floor`.

    Parameters
    ----------
    depth_db : float [unit=dB]
        How far below the level of loud frames it lies.
    compression : float [0 to 1]
        Share of what a frame lies below that level that it is raised by first.

    Raises
    ------
    ParameterError
        When one is out of range.
    """

    kind: ClassVar[str] = "feature"

    depth_db: float = 18.0
    compression: float = 0.0

    def __post_init__(self) -> None:
        if not np.isfinite(self.depth_db):
            raise ParameterError(f"depth_db must be finite, got {self.depth_db!r}")
        if not 0 <= self.compression <= 1:
            raise ParameterError(f"compression must lie in [0, 1], got {self.compression!r}")

    def __call__(self, windows: Windows) -> Windows:
        """Return items of the same shape."""
        parts = [
            level_floor(windows.values[first:stop], depth_db=self.depth_db, compression=self.compression)
            for first, stop in pairwise(windows.offsets.tolist())
        ]
        return windows.with_values(np.concatenate(parts)) if parts else windows
