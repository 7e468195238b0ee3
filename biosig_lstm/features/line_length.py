"""How the EEG goes up and down in a window: line length and zero crossings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import Windows
from biosig_lstm.features._eeg import Float32, add_columns, channel_columns, float32, unit_suffix, zero_mean
from biosig_lstm.steps import Step

__all__ = ["LineLength", "line_length"]


def line_length(x: npt.ArrayLike, *, fs: float) -> Float32:
    """Return the line length and the zero crossings of windows, of a second.

    Parameters
    ----------
    x : array_like [shape=(n_windows, channels, samples), unit=uV]
        The windows.
    fs : float [unit=Hz, > 0]
        Their rate.

    Returns
    -------
    np.ndarray [shape=(n_windows, channels, 2), dtype=float32]
        *line_length*: the sum of the absolute differences of neighbours, over the seconds between the first and the
        last sample, in uV/s. *zero_crossings*: how often the signal less its mean changes its sign, a second; a
        stretch at zero crosses once where the signs beside it differ. 0 where the channel is flat, NaN where a sample
        is not finite or there is only one.

    Raises
    ------
    DataError
        When the array has other axes, or no samples.
    ParameterError
        When the rate is not positive.

    Notes
    -----
    Esteller 2001 (doi:10.1109/IEMBS.2001.1020545), divided by the time, so that windows of any length compare.

    Examples
    --------
    >>> line_length([[[0, 2, -1, 1]]], fs=3)[0, 0].tolist()
    [7.0, 3.0]
    """
    values = zero_mean(x, fs)
    n_changes = values.shape[-1] - 1
    if not n_changes:
        return np.full((*values.shape[:-1], 2), np.nan, dtype=np.float32)
    return float32(_changes(values.reshape(-1, n_changes + 1)).reshape(*values.shape[:-1], 2) * (fs / n_changes))


@njit(cache=True)
def _changes(rows: Any) -> Any:
    out = np.zeros((len(rows), 2))
    for i in range(len(rows)):
        length, crossings, sign = 0.0, 0, 0.0
        for j in range(rows.shape[1]):
            now = np.sign(rows[i, j])
            if j:
                length += abs(rows[i, j] - rows[i, j - 1])
            if now != 0:
                crossings += now * sign < 0
                sign = now
        out[i, 0] = length
        out[i, 1] = np.nan if np.isnan(length) else crossings
    return out


@dataclass(frozen=True)
class LineLength(Step):
    """Add line length and zero crossings to windows of EEG, after their samples.

    Notes
    -----
    Columns of each channel: ``C3.line_length_uv_per_s``, ``C3.zero_crossings_per_s``. `line_length` says what they
    are; 0 stands for what is not defined.
    """

    kind: ClassVar[str] = "feature"

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with 2 further columns of each channel.

        Raises
        ------
        DataError
            When steps are not windows as `biosig_lstm.windows.Epochs` makes them, or have these columns.
        """
        names = [f"line_length_{unit_suffix(windows)}_per_s", "zero_crossings_per_s"]
        return add_columns(windows, channel_columns(windows, names), lambda x, fs: line_length(x, fs=fs))
