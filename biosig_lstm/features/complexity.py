"""How predictable the EEG is: permutation entropy and sample entropy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._eeg import Float32, Float64, add_columns, channel_columns, float32, zero_mean
from biosig_lstm.features._hrv_nonlinear import entropies
from biosig_lstm.steps import Step

__all__ = ["Complexity", "permutation_entropy", "sample_entropy"]

_LARGEST_ORDER = 7


def permutation_entropy(x: npt.ArrayLike, *, fs: float, order: int = 3, delay_samples: int = 1) -> Float32:
    """Return the permutation entropy of windows, as a share of the largest possible.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples)]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    order : int [2 to 7]
        Samples of a pattern.
    delay_samples : int [>= 1]
        From one sample of a pattern to the next.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels), dtype=float32]
        Entropy of the orders in which the samples of a pattern stand, over log(order!): 0 to 1. Equal samples stand
        in the order of time, so a flat channel has 0. NaN where a sample is not finite, or no pattern fits.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate, the order or the delay is out of range.

    Notes
    -----
    Bandt and Pompe 2002 (doi:10.1103/PhysRevLett.88.174102).

    Examples
    --------
    >>> permutation_entropy([[[4, 7, 9, 10, 6, 11, 3]]], fs=1, order=2)[0, 0].round(4)  # their example: 0.918
    np.float32(0.9183)
    """
    _check_patterns(order, delay_samples)
    values = zero_mean(x, fs)
    if values.shape[-1] <= (order - 1) * delay_samples:
        return np.full(values.shape[:-1], np.nan, dtype=np.float32)
    rows = _permutation_entropies(values.reshape(-1, values.shape[-1]), order, delay_samples, math.factorial(order))
    return float32(rows.reshape(values.shape[:-1]))


def _check_patterns(order: int, delay_samples: int) -> None:
    if not 2 <= order <= _LARGEST_ORDER or delay_samples < 1:
        raise ParameterError(
            f"order must be 2 to {_LARGEST_ORDER} and delay_samples 1 or more, got {order} and {delay_samples}"
        )


@njit(cache=True)
def _permutation_entropies(rows: Any, order: int, delay: int, n_patterns: int) -> Any:
    out = np.empty(len(rows))
    n = rows.shape[1] - (order - 1) * delay
    counts = np.zeros(n_patterns, np.int64)
    for i in range(len(rows)):
        row = rows[i]
        if np.isnan(row[0]):
            out[i] = np.nan
            continue
        counts[:] = 0
        for j in range(n):
            counts[_pattern(row, j, order, delay)] += 1
        total = 0.0
        for count in counts:
            if count:
                total -= count / n * np.log(count / n)
        out[i] = total / np.log(n_patterns)
    return out


@njit(cache=True)
def _pattern(row: Any, start: int, order: int, delay: int) -> int:
    """Return the number of a pattern: of each sample, how many later ones are smaller, in factorial base."""
    code = 0
    for a in range(order - 1):
        smaller = 0
        for b in range(a + 1, order):
            smaller += row[start + b * delay] < row[start + a * delay]
        code = code * (order - a) + smaller
    return code


def sample_entropy(x: npt.ArrayLike, *, fs: float, tolerance: float = 0.2) -> Float32:
    """Return the sample entropy of windows, of templates of 2 and 3 samples.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples)]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.
    tolerance : float [> 0]
        Samples match that differ by no more than so many standard deviations (n - 1) of the window.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels), dtype=float32]
        The logarithm of how many pairs of templates match in 2 samples over how many do in 3, 0 or more. NaN where a
        sample is not finite, the channel is flat, or no pair matches in 3.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate or the tolerance is not positive.

    Notes
    -----
    Richman and Moorman 2000 (doi:10.1152/ajpheart.2000.278.6.H2039), by `biosig_lstm.features.hrv.entropies`. Time
    grows with the square of the samples.
    """
    _check_tolerance(tolerance)
    values = zero_mean(x, fs)
    rows = values.reshape(-1, values.shape[-1])
    found = np.array([_sample_entropy(row, tolerance) for row in rows], dtype=np.float64)
    return float32(found.reshape(values.shape[:-1]))


def _check_tolerance(tolerance: float) -> None:
    if not 0 < tolerance < math.inf:
        raise ParameterError(f"the tolerance must be positive and finite, got {tolerance!r}")


def _sample_entropy(row: Float64, tolerance: float) -> float:
    if len(row) < 4 or np.isnan(row[0]) or not row.any():
        return math.nan
    return entropies(row, tolerance=tolerance * float(row.std(ddof=1)))[0]


@dataclass(frozen=True)
class Complexity(Step):
    """Add permutation entropy and sample entropy to windows of EEG, after their samples.

    Parameters
    ----------
    order, delay_samples
        As in `permutation_entropy`.
    tolerance : float [> 0]
        As in `sample_entropy`.

    Raises
    ------
    ParameterError
        When one is out of range.

    Notes
    -----
    Columns of each channel: ``C3.permutation_entropy``, ``C3.sample_entropy``; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    order: int = 3
    delay_samples: int = 1
    tolerance: float = 0.2

    def __post_init__(self) -> None:
        _check_patterns(self.order, self.delay_samples)
        _check_tolerance(self.tolerance)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 2 further columns of each channel.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        """
        return add_columns(windows, channel_columns(windows, ["permutation_entropy", "sample_entropy"]), self._of)

    def _of(self, x: Float32, fs: float) -> Float32:
        patterns = permutation_entropy(x, fs=fs, order=self.order, delay_samples=self.delay_samples)
        return np.stack([patterns, sample_entropy(x, fs=fs, tolerance=self.tolerance)], axis=-1)
