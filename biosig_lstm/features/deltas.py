"""How features change from frame to frame: the slope over a few frames, and the slope of the slope."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.features._frames import read_only
from biosig_lstm.steps import Step

__all__ = ["Deltas", "deltas"]

Float32 = npt.NDArray[np.float32]
Like = Literal["kaldi", "librosa"]

_WIDTH = {"kaldi": 5, "librosa": 9}


def deltas(frames: npt.ArrayLike, *, order: int = 1, width: int | None = None, like: Like = "kaldi") -> Float32:
    """Return the slopes of features, of one order.

    Parameters
    ----------
    frames : array_like [shape=(frames, columns)]
        Features of one utterance.
    order : int [>= 1]
        1 the slope, 2 the slope of the slope, and so on.
    width : int [odd, >= 3], optional
        Frames that a slope is fitted to; 5, in librosa's way 9 by default.
    like : {'kaldi', 'librosa'}
        Kaldi's ``add-deltas`` or ``librosa.feature.delta`` (see Notes).

    Returns
    -------
    np.ndarray [shape=(frames, columns), dtype=float32]
        In the unit of the features, of a frame.

    Raises
    ------
    ParameterError
        When an argument is not in its range.
    DataError
        When the array has other axes; in librosa's way also when there are fewer than `width` frames.

    Notes
    -----
    *kaldi*: the slope of the line of least squares through `width` frames, ``sum(n x[t + n]) / sum(n**2)`` (the HTK
    book, equation 5.16); a higher order is that filter as often folded with itself; beyond the ends the first and the
    last frame are repeated. *librosa*: the derivative of that order of a polynomial of that order (Savitzky and Golay
    1964); at the ends, of the one fitted to the first and last `width` frames.

    Examples
    --------
    >>> deltas([[0.0], [1.0], [2.0], [3.0], [4.0]]).ravel().round(3).tolist()
    [0.5, 0.800000011920929, 1.0, 0.800000011920929, 0.5]
    """
    values = np.ascontiguousarray(frames, dtype=np.float32)
    if values.ndim != 2:
        raise DataError(f"features must be (frames, columns), got shape {values.shape}")
    span = _check(order, width, like)
    if like == "kaldi":
        return np.asarray(_weighted(read_only(values), read_only(np.array([0, len(values)])), _weights(order, span)))
    return _fitted(values, order=order, width=span)


def _check(order: int, width: int | None, like: str) -> int:
    if like not in get_args(Like):
        raise ParameterError(f"no such way of slopes: {options(like, get_args(Like))}")
    span = _WIDTH[like] if width is None else width
    if span < 3 or span % 2 == 0 or not 1 <= order < span:
        raise ParameterError(
            f"slopes need an odd width of 3 or more and an order of 1 to below it, got {width}, {order}"
        )
    return span


def _weights(order: int, width: int) -> Float32:
    n = np.arange(width) - width // 2
    once = n / np.sum(n**2)
    found = np.ones(1)
    for _ in range(order):
        found = np.convolve(found, once)
    return found.astype(np.float32)


@njit(cache=True)
def _weighted(values: Any, offsets: Any, weights: Any) -> Any:
    """Return the weighted sum of the frames around each, those of its own item alone."""
    out = np.zeros_like(values)
    half = len(weights) // 2
    for item in range(len(offsets) - 1):
        first, last = offsets[item], offsets[item + 1] - 1
        for t in range(first, last + 1):
            for k in range(len(weights)):
                at = min(max(t + k - half, first), last)
                for column in range(values.shape[1]):
                    out[t, column] += weights[k] * values[at, column]
    return out


def _fitted(values: Float32, *, order: int, width: int) -> Float32:
    from scipy.signal import savgol_filter

    if len(values) < width:
        raise DataError(f"{len(values)} frames are fewer than the {width} that librosa's slopes are fitted to")
    return np.asarray(savgol_filter(values, width, order, deriv=order, axis=0, mode="interp"), dtype=np.float32)


@dataclass(frozen=True)
class Deltas(Step):
    """Add the slopes of every column over the frames of an item; see `deltas`.

    Parameters
    ----------
    order : int [>= 1]
        Slopes up to this order: 1 doubles the columns, 2 makes three of each.
    width, like
        As in `deltas`.

    Raises
    ------
    ParameterError
        When an argument is not in its range.

    Notes
    -----
    Columns ``delta_mel_0`` and so on, then ``delta2_mel_0``.

    Examples
    --------
    >>> from biosig_lstm.containers import Recording
    >>> from biosig_lstm.windows import WholeRecording
    >>> windows = WholeRecording()(Recording([[0.0, 1.0, 2.0, 3.0]], 100, ["x"], ["FS"]))
    >>> Deltas(order=2)(windows).columns
    ('x', 'delta_x', 'delta2_x')
    """

    kind: ClassVar[str] = "feature"

    order: int = 2
    width: int | None = None
    like: Like = "kaldi"

    def __post_init__(self) -> None:
        _check(self.order, self.width, self.like)

    def __call__(self, windows: Windows) -> Windows:
        """Return the items with their slopes after what is there.

        Raises
        ------
        DataError
            In librosa's way, when an item has fewer steps than `width`.
        """
        orders = range(1, self.order + 1)
        parts = [windows.values, *(self._slopes(windows, order) for order in orders)]
        prefixes = ["", *("delta_" if order == 1 else f"delta{order}_" for order in orders)]
        columns = [prefix + name for prefix in prefixes for name in windows.columns]
        return windows.with_values(np.concatenate(parts, axis=1), columns=columns)

    def _slopes(self, windows: Windows, order: int) -> Float32:
        span = _check(self.order, self.width, self.like)
        if self.like == "kaldi":
            return np.asarray(_weighted(windows.values, windows.offsets, _weights(order, span)))
        slopes = np.zeros_like(windows.values)
        for first, stop in pairwise(windows.offsets.tolist()):
            slopes[first:stop] = _fitted(windows.values[first:stop], order=order, width=span)
        return slopes
