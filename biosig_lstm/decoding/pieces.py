"""Where a long stretch of sound may be cut for decoding: where nothing is said."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import ParameterError

__all__ = ["cut_at_silence"]

_SURE = np.log(0.99)


def cut_at_silence(log_probabilities: npt.NDArray[np.float32], *, longest: int) -> list[tuple[int, int]]:
    """Return stretches of at most `longest` frames, cut where the blank is surest.

    Parameters
    ----------
    log_probabilities : np.ndarray of float32 [shape=(frames, outputs)]
        Natural logarithms; output 0 is the blank.
    longest : int [>= 2]
        Frames of a stretch.

    Returns
    -------
    list of (int, int) [unit=frames]
        Begin and end of each, one after the other, all frames in one; none where there is no frame.

    Notes
    -----
    A stretch ends in its second half: in the middle of the longest run of frames whose blank has a probability
    above 0.99, or where there is none, at the frame of the likeliest blank. A frame that is surely blank belongs to no
    symbol and keeps two alike apart: the best path of the whole is that of the pieces.

    Examples
    --------
    >>> logs = np.log(np.array([[0.1, 0.9], [0.995, 0.005], [0.1, 0.9], [0.2, 0.8]], dtype=np.float32))
    >>> cut_at_silence(logs, longest=3)
    [(0, 2), (2, 4)]
    """
    if longest < 2:
        raise ParameterError(f"longest must be at least 2 frames, got {longest}")
    found, begin, n_frames = [], 0, len(log_probabilities)
    while n_frames - begin > longest:
        first = begin + longest // 2
        end = first + _quietest(log_probabilities[first : begin + longest, 0]) + 1
        found.append((begin, end))
        begin = end
    return [*found, (begin, n_frames)] if n_frames else []


def _quietest(blank: npt.NDArray[np.float32]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], blank > _SURE, [False]]).astype(np.int8)))
    if not len(edges):
        return int(blank.argmax())
    begins, ends = edges[::2], edges[1::2]
    run = int((ends - begins).argmax())
    return int((begins[run] + ends[run] - 1) // 2)
