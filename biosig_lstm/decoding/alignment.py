"""When each symbol of a known text was said: the most probable path that says it (forced alignment)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.decoding.alphabet import frames_needed
from biosig_lstm.decoding.greedy import log_probabilities_of
from biosig_lstm.errors import DataError

__all__ = ["align"]

Int64 = npt.NDArray[np.int64]


def align(log_probabilities: npt.ArrayLike, symbols: npt.ArrayLike) -> Int64:
    """Return the first frame of each symbol, and the frame after its last.

    Parameters
    ----------
    log_probabilities : array_like [shape=(frames, outputs)]
        Natural logarithms; output 0 is the blank.
    symbols : array_like of int [shape=(symbols,)]
        What is said, each from 1 to ``outputs - 1``.

    Returns
    -------
    np.ndarray of int64 [shape=(symbols, 2), unit=frames]
        Where the most probable path says each symbol.

    Raises
    ------
    DataError
        When there are fewer frames than the text needs, no path can say it, or a symbol is none of the outputs.

    Notes
    -----
    Viterbi's algorithm over the symbols with blanks between (Graves et al., ICML 2006, equations 6 and 7 with the
    maximum for the sum). Networks trained so say a symbol in few frames, somewhere within it: the places are those
    of the symbols, the limits not their boundaries.

    Examples
    --------
    >>> logs = np.log([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
    >>> align(logs, [1, 2]).tolist()
    [[1, 3], [3, 4]]
    """
    logs = log_probabilities_of(log_probabilities)
    wanted = np.asarray(symbols, dtype=np.int64).reshape(-1)
    if not len(wanted):
        return np.zeros((0, 2), dtype=np.int64)
    if wanted.min() < 1 or wanted.max() >= logs.shape[1]:
        raise DataError(f"symbols must lie in 1 to {logs.shape[1] - 1}, got {wanted.min()} to {wanted.max()}")
    if len(logs) < frames_needed(wanted):
        raise DataError(f"{len(wanted)} symbols need {frames_needed(wanted)} frames, there are {len(logs)}")
    states = np.zeros(2 * len(wanted) + 1, dtype=np.int64)
    states[1::2] = wanted
    path = _best_path(logs.astype(np.float64), states)
    if path[0] < 0:
        raise DataError("no path of a probability above zero says these symbols")
    frames = np.arange(len(path))
    first = np.full(len(wanted), len(path))
    last = np.full(len(wanted), -1)
    said = path % 2 == 1
    np.minimum.at(first, path[said] // 2, frames[said])
    np.maximum.at(last, path[said] // 2, frames[said])
    return np.stack([first, last + 1], axis=1)


@njit(cache=True)
def _best_path(logs, states):  # type: ignore[no-untyped-def]
    """Return the state of each frame on the best path, -1 where there is none."""
    n_frames, n_states = len(logs), len(states)
    score = np.full(n_states, -np.inf)
    score[0], score[1] = logs[0, states[0]], logs[0, states[1]]
    came = np.zeros((n_frames, n_states), dtype=np.int8)
    for frame in range(1, n_frames):
        before = score.copy()
        for state in range(n_states):
            best, step = before[state], 0
            if state > 0 and before[state - 1] > best:
                best, step = before[state - 1], 1
            if state > 1 and states[state] != 0 and states[state] != states[state - 2] and before[state - 2] > best:
                best, step = before[state - 2], 2
            score[state] = best + logs[frame, states[state]]
            came[frame, state] = step
    path = np.full(n_frames, -1, dtype=np.int64)
    state = n_states - 1 if score[n_states - 1] >= score[n_states - 2] else n_states - 2
    if score[state] == -np.inf:
        return path
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = state
        state -= came[frame, state]
    return path
