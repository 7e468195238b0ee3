"""What a value is worth depends on the night: columns against the rest of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["against_night"]

Float64 = npt.NDArray[np.float64]

_NORMAL_IQR = 1.349


def against_night(columns: Float64, *, limit: float) -> Float64:
    """Return each column less its median, over its interquartile range in normal standard deviations, limited.

    Parameters
    ----------
    columns : np.ndarray [shape=(epochs, columns)]
        A night.
    limit : float [> 0]
        Largest absolute value.
    """
    low, middle, high = np.percentile(columns, [25, 50, 75], axis=0)
    return np.asarray(np.clip((columns - middle) / ((high - low) / _NORMAL_IQR + 1e-6), -limit, limit))
