"""Pre-emphasis: high frequencies of speech raised, which the voice gives less of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError
from biosig_lstm.filters._base import Filter, Float32, as_rows

__all__ = ["PreEmphasis", "pre_emphasis"]


def pre_emphasis(signals: npt.ArrayLike, fs: float, *, coefficient: float = 0.97) -> Float32:
    """Return each sample less a part of the one before it.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second.
    coefficient : float [0 to 1]
        The part; 0 changes nothing, 1 is the difference.

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        ``y[t] = x[t] - coefficient * x[t - 1]``, the first sample as it is.

    Raises
    ------
    ParameterError
        When the coefficient is not in its range.
    DataError
        When a value is not finite.

    Examples
    --------
    >>> pre_emphasis([[1.0, 1.0, 2.0]], 8000, coefficient=0.5).tolist()
    [[1.0, 0.5, 1.5]]
    """
    _check(coefficient)
    rows = as_rows(signals, fs)
    emphasised = rows.copy()
    emphasised[:, 1:] -= np.float32(coefficient) * rows[:, :-1]
    return emphasised


def _check(coefficient: float) -> None:
    if not 0 <= coefficient <= 1:
        raise ParameterError(f"coefficient must lie between 0 and 1, got {coefficient!r}")


@dataclass(frozen=True)
class PreEmphasis(Filter):
    """Raise high frequencies; see `pre_emphasis`.

    `biosig_lstm.features.log_mel.LogMel` and `biosig_lstm.features.mfcc.MFCC` do so within each frame already.

    Parameters
    ----------
    coefficient : float [0 to 1]
        Part of the sample before that is taken away.
    """

    coefficient: float = 0.97

    def __post_init__(self) -> None:
        _check(self.coefficient)

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` with their high frequencies raised, shape (channels, samples)."""
        return pre_emphasis(signals, fs, coefficient=self.coefficient)
