"""Normalisation: each channel of a recording centred and scaled by its own spread."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, ParameterError, options
from biosig_lstm.filters._base import Filter, Float32, as_rows, channels_named

__all__ = ["Normalize", "normalize"]

Method = Literal["robust", "percentile", "zscore"]
_MAD_TO_SD = 1.482602218505602


def normalize(signals: npt.ArrayLike, fs: float, *, method: Method = "robust") -> Float32:
    """Centre each channel and divide it by its own spread.

    Parameters
    ----------
    signals : array_like [shape=(channels, samples)]
        Finite values.
    fs : float [unit=Hz, > 0]
        Samples a second; the answer does not depend on it.
    method : {'robust', 'percentile', 'zscore'}
        ``robust``: median, and median absolute deviation times 1.4826, which for a normal distribution is the
        standard deviation. ``percentile``: median, and the distance from the 5th to the 95th percentile.
        ``zscore``: mean and standard deviation (``ddof=0``).

    Returns
    -------
    np.ndarray [shape=(channels, samples), dtype=float32]
        Values without unit. A flat channel becomes zeros, with a `BiosigWarning`.

    Raises
    ------
    ParameterError
        When `method` is another.
    DataError
        When a value is not finite.

    Notes
    -----
    Where the robust spread is zero although the channel is not flat (more than half of it at one value), its
    standard deviation is used instead, with a `BiosigWarning`. The scale is that of the whole recording: this is
    no scaling learned from training data.

    Examples
    --------
    >>> normalize([[1.0, 2.0, 3.0, 4.0, 5.0]], 100, method="robust").round(2)
    array([[-1.35, -0.67,  0.  ,  0.67,  1.35]], dtype=float32)
    """
    rows = as_rows(signals, fs)
    return _normalized(rows, method, [f"channel {k}" for k in range(len(rows))])


def _normalized(rows: Float32, method: str, names: list[str]) -> Float32:
    if method not in get_args(Method):
        raise ParameterError(f"method {options(str(method), get_args(Method))}")
    out = np.zeros_like(rows)
    for row, target, name in zip(rows, out, names, strict=True):
        if not row.size or row.min() == row.max():
            warnings.warn(f"{name} is flat: normalised to zeros", BiosigWarning, stacklevel=3)
            continue
        centre, spread = _centre_and_spread(row, method)
        if spread == 0:
            warnings.warn(f"{name} is flat for more than half of its length", BiosigWarning, stacklevel=3)
            spread = float(row.std(dtype=np.float64))
        np.subtract(row, centre, out=target, dtype=np.float64, casting="same_kind")
        np.divide(target, spread, out=target, dtype=np.float64, casting="same_kind")
    return out


def _centre_and_spread(row: Float32, method: str) -> tuple[float, float]:
    if method == "zscore":
        return float(row.mean(dtype=np.float64)), float(row.std(dtype=np.float64))
    if method == "percentile":
        low, centre, high = np.percentile(row, [5, 50, 95])
        return float(centre), float(high - low)
    centre = np.median(row)
    return float(centre), float(np.median(np.abs(row - centre))) * _MAD_TO_SD


@dataclass(frozen=True)
class Normalize(Filter):
    """Centre each channel and divide it by its own spread; see `normalize`. The channels then have no unit.

    Parameters
    ----------
    method : {'robust', 'percentile', 'zscore'}
        How centre and spread are found.
    """

    method: Method = "robust"

    def apply(self, signals: npt.ArrayLike, fs: float) -> Float32:
        """Return `signals` normalised, shape (channels, samples)."""
        return normalize(signals, fs, method=self.method)

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording normalised, its units empty.

        Raises
        ------
        DataError
            When a channel holds NaN: its name, and where, in seconds.
        """
        where = f"{recording.id}: " if recording.id else ""
        names = [f"{where}channel {name!r}" for name in recording.channels]
        with channels_named(recording):
            rows = as_rows(recording.signals, recording.fs)
        changed = recording.with_signals(_normalized(rows, self.method, names), note=repr(self))
        return replace(changed, units=("",) * len(recording.channels))
