"""The text of the most probable path: the likeliest symbol of each frame, repeats and blanks taken out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError

__all__ = ["collapse", "greedy", "log_probabilities_of"]

Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]


def log_probabilities_of(values: npt.ArrayLike) -> Float32:
    """Return log-probabilities as the decoders take them.

    Raises
    ------
    DataError
        When they have another shape than (frames, outputs), two outputs or more, or hold NaN or plus infinity.
    """
    logs = np.ascontiguousarray(values, dtype=np.float32)
    if logs.ndim != 2 or logs.shape[1] < 2:
        raise DataError(f"log-probabilities must be (frames, blank and symbols), got shape {logs.shape}")
    if np.isnan(logs).any() or np.isposinf(logs).any():
        raise DataError("log-probabilities hold values that are not: NaN or plus infinity")
    return logs


def collapse(path: npt.ArrayLike) -> Int64:
    """Return the symbols that a path says: repeats become one, then blanks (0) are left out.

    Parameters
    ----------
    path : array_like of int [shape=(frames,)]
        Output of each frame.

    Returns
    -------
    np.ndarray of int64 [shape=(symbols,)]
        Graves et al. (ICML 2006), the map B of section 3.1.

    Examples
    --------
    >>> collapse([0, 2, 2, 0, 2, 1, 0]).tolist()
    [2, 2, 1]
    """
    outputs: npt.NDArray[Any] = np.asarray(path, dtype=np.int64)
    changed = np.ones(len(outputs), dtype=bool)
    changed[1:] = outputs[1:] != outputs[:-1]
    found: Int64 = outputs[changed & (outputs != 0)]
    return found


def greedy(log_probabilities: npt.ArrayLike) -> Int64:
    """Return the symbols of the most probable path.

    Parameters
    ----------
    log_probabilities : array_like [shape=(frames, outputs)]
        Natural logarithms; output 0 is the blank.

    Returns
    -------
    np.ndarray of int64 [shape=(symbols,)]
        Best path decoding (Graves et al., ICML 2006, section 3.2): not always the most probable text, which
        `beam_search` looks for.

    Raises
    ------
    DataError
        When the shape is another, or a value is not a number.

    Examples
    --------
    >>> greedy(np.log([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])).tolist()
    [1, 1]
    """
    logs = log_probabilities_of(log_probabilities)
    return collapse(logs.argmax(axis=1)) if len(logs) else np.zeros(0, dtype=np.int64)
