"""Filtering a stream block by block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters._base import Float32, NotFiniteError, as_rows
from biosig_lstm.filters._sos import causal_pass, steady_state

__all__ = ["CausalFilter"]


class CausalFilter:
    """A recursive filter that keeps its state between blocks: how a stream is cut does not change the answer.

    Parameters
    ----------
    sos : np.ndarray [shape=(sections, 6)]
        Second-order sections, as `scipy.signal` gives them.
    fs : float [unit=Hz]
        Rate of the stream.
    n_channels : int
        Rows of every block.
    settled : bool
        Start as if the first sample had always been there, rather than from rest: no step at the beginning
        where the signal carries an offset.

    Examples
    --------
    >>> import numpy as np
    >>> from biosig_lstm.filters import Bandpass
    >>> stream = Bandpass(low_hz=0.5, high_hz=40).causal(250, n_channels=2)
    >>> stream.push(np.ones((2, 50))).shape
    (2, 50)
    """

    def __init__(self, sos: npt.NDArray[np.float64], *, fs: float, n_channels: int, settled: bool = False) -> None:
        if n_channels < 1:
            raise ParameterError(f"n_channels must be at least 1, got {n_channels}")
        self._sos, self._fs, self._settled = np.array(sos, dtype=np.float64), fs, settled
        self._states = np.zeros((n_channels, len(self._sos), 2))
        self._seen = 0

    def __repr__(self) -> str:
        return f"CausalFilter({len(self._sos)} sections, {len(self._states)} channels, {self.seen_s:g} s seen)"

    @property
    def seen_s(self) -> float:
        """Seconds of signal pushed since the start."""
        return self._seen / self._fs

    def push(self, block: npt.ArrayLike) -> Float32:
        """Return the next `block` of the stream, filtered; equal to `scipy.signal.sosfilt` of the whole.

        Parameters
        ----------
        block : array_like [shape=(channels, samples)]
            Any number of samples, also none.

        Raises
        ------
        DataError
            When the number of channels is another, or a value is not finite; the state is then as before.
        """
        try:
            rows = as_rows(block, self._fs)
        except NotFiniteError as error:
            raise NotFiniteError(error.channel, error.at_s + self.seen_s) from None
        if len(rows) != len(self._states):
            raise DataError(f"block must have {len(self._states)} channels, got {len(rows)}")
        if self._settled and not self._seen and rows.size:
            self._states[:] = steady_state(self._sos) * rows[:, 0, None, None]
        self._seen += rows.shape[1]
        return causal_pass(rows, self._sos, self._states)

    def reset(self) -> None:
        """Forget what was pushed: the next block starts a new stream."""
        self._states[:] = 0.0
        self._seen = 0
