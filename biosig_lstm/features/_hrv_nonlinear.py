"""Heart rate variability by nonlinear measures: the Poincare plot, entropies, detrended fluctuations."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.errors import ParameterError
from biosig_lstm.features._hrv_intervals import series

__all__ = ["NONLINEAR", "dfa_alpha", "entropies", "nonlinear"]

Float64 = npt.NDArray[np.float64]

NONLINEAR = {
    "sd1": "ms", "sd2": "ms", "sd1_sd2": "1", "csi": "1", "cvi": "1",
    "sample_entropy": "1", "approximate_entropy": "1", "dfa_alpha1": "1", "dfa_alpha2": "1",
}  # fmt: skip
"""Columns of `nonlinear` and their units."""

_TOLERANCE = 0.2
_NOTHING_MS = 1e-9
_SHORT, _LONG = (4, 16), (16, 64)


def nonlinear(nn_ms: npt.ArrayLike) -> dict[str, float]:
    """Return the nonlinear measures.

    Parameters
    ----------
    nn_ms : array_like [shape=(n,), unit=ms]
        Consecutive intervals between beats, NaN where one is not NN.

    Returns
    -------
    dict of str to float
        The columns `NONLINEAR`; NaN where there are too few intervals, or none varies.

    Raises
    ------
    DataError
        When intervals are not between 0 and a minute, or look like seconds.

    Notes
    -----
    *sd1* and *sd2* are the standard deviations (n - 1) across and along the line of identity, of pairs of NN
    intervals that follow each other (Brennan 2001, doi:10.1109/10.959330); *csi* is their ratio sd2/sd1 and *cvi* the
    decimal logarithm of 16 sd1 sd2 (Toichi 1997, doi:10.1016/S0165-1838(96)00112-9). The entropies are those of
    `entropies` with a tolerance of 0.2 times the standard deviation. *dfa_alpha1* and *dfa_alpha2* are the slopes of
    `dfa_alpha` over 4-16 and 16-64 intervals (Peng 1995, doi:10.1063/1.166141), with the NN intervals put end to end.

    Examples
    --------
    >>> found = nonlinear([800, 810, 790, 900, 800])
    >>> round(found["sd1"], 1), round(found["csi"], 2)
    (61.4, 0.6)
    """
    nn = series(nn_ms).nn_ms
    there = nn[np.isfinite(nn)]
    columns = dict.fromkeys(NONLINEAR, np.nan)
    columns |= _poincare(nn)
    if len(there) < 2 or np.ptp(there) == 0:
        return columns
    tolerance = _TOLERANCE * float(there.std(ddof=1))
    columns["sample_entropy"], columns["approximate_entropy"] = entropies(nn, tolerance=tolerance)
    columns["dfa_alpha1"], columns["dfa_alpha2"] = (dfa_alpha(there, scales=scales) for scales in (_SHORT, _LONG))
    return columns


def _poincare(nn: Float64) -> dict[str, float]:
    across, along = nn[1:] - nn[:-1], nn[1:] + nn[:-1]
    pairs = np.isfinite(across)
    if np.count_nonzero(pairs) < 2:
        return {}
    sd1, sd2 = (float(x[pairs].std(ddof=1) / np.sqrt(2)) for x in (across, along))
    if min(sd1, sd2) < _NOTHING_MS:
        return {"sd1": sd1, "sd2": sd2}
    return {"sd1": sd1, "sd2": sd2, "sd1_sd2": sd1 / sd2, "csi": sd2 / sd1, "cvi": float(np.log10(16 * sd1 * sd2))}


def entropies(values: npt.ArrayLike, *, tolerance: float) -> tuple[float, float]:
    """Return the sample entropy and the approximate entropy of a series, of templates of 2 and 3 values.

    Parameters
    ----------
    values : array_like [shape=(n,)]
        The series; no template reaches over a NaN.
    tolerance : float [>= 0]
        Values match that differ by no more, in their unit.

    Returns
    -------
    sample_entropy : float
        NaN where no template of 3 values has a match.
    approximate_entropy : float
        NaN where there is no template of 3 values.

    Raises
    ------
    ParameterError
        When the tolerance is negative or not a number.

    Notes
    -----
    Richman and Moorman 2000 (doi:10.1152/ajpheart.2000.278.6.H2039) and Pincus 1991 (doi:10.1073/pnas.88.6.2297).
    Templates are sorted by their first value, so that only those within the tolerance are compared: memory grows
    with n, time with the pairs that match in one value. Where values are missing, templates of 2 count that go on to
    a third, and the last of the series, as it does in Pincus' definition.

    Examples
    --------
    >>> entropies([1, 2, 1, 2, 1, 2, 1, 2, 1, 2], tolerance=0.1)[0]
    0.0
    """
    x = np.asarray(values, dtype=np.float64).reshape(-1)
    if not tolerance >= 0:
        raise ParameterError(f"the tolerance must be 0 or more, got {tolerance!r}")
    first, second, third = x[:-1], x[1:], np.append(x[2:], np.nan)[: max(len(x) - 1, 0)]
    counts = np.isfinite(third) | (np.arange(len(third)) == len(third) - 1)
    whole = np.flatnonzero(np.isfinite(first) & np.isfinite(second) & counts)
    order = whole[np.argsort(first[whole], kind="stable")]
    pairs, pairs_with_third, triples = _matches(first[order], second[order], third[order], tolerance)
    has_third = np.isfinite(third[order])
    if not has_third.any():
        return np.nan, np.nan
    n_alike = int(triples[has_third].sum()) - int(has_third.sum())
    n_possible = int(pairs_with_third[has_third].sum()) - int(has_third.sum())
    sample = float(np.log(n_possible) - np.log(n_alike)) if n_alike else np.nan
    phi_2 = np.mean(np.log(pairs / len(pairs)))
    phi_3 = np.mean(np.log(triples[has_third] / np.count_nonzero(has_third)))
    return sample, float(phi_2 - phi_3)


@njit(cache=True)
def _matches(first: Any, second: Any, third: Any, tolerance: float) -> Any:
    """Return how many templates match each one in two values, of these that have a third, and in three values."""
    n = len(first)
    pairs, with_third, triples = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    low, high = 0, 0
    for i in range(n):
        while first[i] - first[low] > tolerance:
            low += 1
        while high < n and first[high] - first[i] <= tolerance:
            high += 1
        counts = _near(second[low:high], third[low:high], second[i], third[i], tolerance)
        pairs[i], with_third[i], triples[i] = counts
    return pairs, with_third, triples


@njit(cache=True)
def _near(second: Any, third: Any, a: float, b: float, tolerance: float) -> Any:
    n_pairs, n_with, n_triples = 0, 0, 0
    for j in range(len(second)):
        near = abs(second[j] - a) <= tolerance
        apart = abs(third[j] - b)
        n_pairs += near
        n_with += near & (apart >= 0)
        n_triples += near & (apart <= tolerance)
    return n_pairs, n_with, n_triples


def dfa_alpha(values: npt.ArrayLike, *, scales: tuple[int, int]) -> float:
    """Return the exponent of detrended fluctuations: the slope of log fluctuation over log box length.

    Parameters
    ----------
    values : array_like [shape=(n,)]
        The series, none missing.
    scales : (int, int)
        Shortest and longest box; all lengths between them count.

    Returns
    -------
    float
        About 0.5 for white noise, 1 for 1/f noise, 1.5 for its sum. NaN where the longest box does not fit twice, or
        a fluctuation is zero.

    Raises
    ------
    ParameterError
        When boxes are shorter than 3, or there are not two lengths.

    Notes
    -----
    Peng 1995 (doi:10.1063/1.166141): boxes lie end to end from the start, a line is taken from each, and what is left
    over at the end is left out.
    """
    x = np.asarray(values, dtype=np.float64).reshape(-1)
    if scales[0] < 3 or scales[1] <= scales[0]:
        raise ParameterError(f"boxes must hold 3 values or more and the last be longer than the first, got {scales}")
    if len(x) < 2 * scales[1]:
        return np.nan
    lengths = np.arange(scales[0], scales[1] + 1)
    fluctuation = _fluctuations(np.cumsum(x - x.mean()), lengths)
    if not (fluctuation > 0).all():
        return np.nan
    return float(np.polyfit(np.log2(lengths), np.log2(fluctuation), 1)[0])


@njit(cache=True)
def _fluctuations(profile: Any, lengths: Any) -> Any:
    out = np.empty(len(lengths))
    for k in range(len(lengths)):
        width = lengths[k]
        n_boxes = len(profile) // width
        middle = 0.5 * (width - 1)
        of_time = width * (width * width - 1.0) / 12.0
        total = 0.0
        for box in range(n_boxes):
            part = profile[box * width : (box + 1) * width]
            mean = part.mean()
            slope = 0.0
            for i in range(width):
                slope += (i - middle) * (part[i] - mean)
            slope /= of_time
            for i in range(width):
                total += (part[i] - mean - slope * (i - middle)) ** 2
        out[k] = np.sqrt(total / (n_boxes * width))
    return out
