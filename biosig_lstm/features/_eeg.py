"""What features of windows of EEG share: the gate that values pass, bands, and the columns that are added."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError, options

__all__ = [
    "BANDS_HZ",
    "add_columns",
    "as_bands",
    "by_blocks",
    "channel_columns",
    "channels",
    "check_bands",
    "float32",
    "ratio",
    "unit_suffix",
    "zero_mean",
]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Work = Callable[[npt.NDArray[np.float32], float], npt.NDArray[np.float32]]

BANDS_HZ: dict[str, tuple[float, float]] = {
    "delta": (0.5, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "sigma": (11.0, 16.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
"""Bands of the EEG that have a name: from the first frequency to below the second."""

_BLOCK = 200_000


def by_blocks(x: npt.ArrayLike, work: Callable[[npt.NDArray[Any]], Float32]) -> Float32:
    """Return what `work` makes of windows (n, channels, samples), a few at a time: less memory, and faster."""
    values = np.asarray(x)
    rows = max(_BLOCK // max(values[:1].size, 1), 1) if values.ndim == 3 else 1
    if values.ndim != 3 or len(values) <= rows:
        return work(values)
    return np.concatenate([work(values[start : start + rows]) for start in range(0, len(values), rows)])


def zero_mean(x: npt.ArrayLike, fs: float) -> Float64:
    """Return windows (n, channels, samples) less their mean: exactly 0 where flat, NaN where a sample is not finite.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate is not positive.
    """
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 3 or not values.shape[2]:
        raise DataError(f"windows must be (n_windows, channels, samples), got shape {values.shape}")
    if not 0 < fs < math.inf:
        raise ParameterError(f"fs must be positive and finite, got {fs!r}")
    finite = np.isfinite(values).all(axis=2, keepdims=True)
    known = np.where(finite, values, 0.0)
    flat = np.ptp(known, axis=2, keepdims=True) == 0
    return np.where(finite, np.where(flat, 0.0, known - known.mean(axis=2, keepdims=True)), np.nan)


def ratio(above: Float64, below: Float64) -> Float64:
    """Return the quotient, NaN where there is nothing to divide by."""
    above, below = np.broadcast_arrays(above, below)
    return np.asarray(np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0), dtype=np.float64)


def float32(values: Float64) -> Float32:
    """Return values as float32, what is beyond its range at the end of it."""
    limit = np.finfo(np.float32).max
    return np.asarray(np.clip(values, -limit, limit), dtype=np.float32)


def as_bands(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return bands by name, of names in `BANDS_HZ` and texts as in ``"mu=9-11.5"``.

    Raises
    ------
    ParameterError
        When there is none, one comes twice, or a text is neither.

    Examples
    --------
    >>> as_bands(("alpha", "mu=9-11.5"))
    {'alpha': (8.0, 13.0), 'mu': (9.0, 11.5)}
    """
    bands = dict(_band(text) for text in texts)
    if len(bands) != len(texts) or not bands:
        raise ParameterError(f"bands must be one or more, each once, got {', '.join(texts) or 'none'}")
    return bands


def _band(text: str) -> tuple[str, tuple[float, float]]:
    name, equals, edges = text.partition("=")
    if not equals and name in BANDS_HZ:
        return name, BANDS_HZ[name]
    low, _, high = edges.partition("-")
    try:
        return name, (float(low), float(high))
    except ValueError:
        known = options(text, BANDS_HZ)
        raise ParameterError(f"bands are names or 'name=low-high' in Hz, got {known}") from None


def check_bands(bands: Mapping[str, tuple[float, float]], fs: float) -> None:
    """Refuse bands that are none, or reach beyond half the rate."""
    for name, (low, high) in bands.items():
        if not 0 <= low < high <= fs / 2:
            what = f"band {name!r}: {low:g} to {high:g} Hz"
            raise ParameterError(f"{what} must ascend and lie between 0 and half the rate, {fs / 2:g} Hz")


def channels(windows: Windows) -> list[str]:
    """Return the names of the channels of windows as `biosig_lstm.windows.Epochs` makes them.

    Raises
    ------
    DataError
        When steps are no windows, or windows around events: what rate those have is not known.
    """
    if windows.window_shape is None or windows.rate_hz is None:
        raise DataError(
            "features of EEG need steps that are windows (channels, samples), as Epochs(...) and "
            "FixedLength(..., epoch_s=...) make them"
        )
    n_channels, width = windows.window_shape
    return [column.rpartition("[")[0] for column in windows.columns[: n_channels * width : width]]


def channel_columns(windows: Windows, names: Sequence[str]) -> list[str]:
    """Return a column for each channel and name, channel after channel."""
    return [f"{channel}.{name}" for channel, name in product(channels(windows), names)]


def unit_suffix(windows: Windows) -> str:
    """Return the unit of all channels as column names have it, ``uv``; ``units`` where it is not one."""
    unit = windows.unit
    return unit.lower() if unit and "/" not in unit else "units"


def add_columns(windows: Windows, columns: Sequence[str], work: Work) -> Windows:
    """Return the windows with further columns: what `work` makes of windows (n, channels, samples) and their rate.

    What is not defined (NaN) becomes 0.

    Raises
    ------
    DataError
        When a column is there already.
    """
    n_channels, width = windows.window_shape or (0, 0)
    whole = [*windows.columns, *columns]
    if len(set(whole)) < len(whole):
        again = next(name for name in columns if whole.count(name) > 1)
        raise DataError(f"the column {again!r} is there already: has this feature been computed before?")
    cut = windows.values[:, : n_channels * width].reshape(-1, n_channels, width)
    found = np.zeros((0, len(columns)), dtype=np.float32)
    if len(cut):
        fs = float(windows.fs[0])
        found = np.nan_to_num(by_blocks(cut, lambda part: work(part, fs).reshape(len(part), len(columns))), nan=0.0)
    return windows.with_values(np.concatenate([windows.values, found], axis=1), columns=whole)
