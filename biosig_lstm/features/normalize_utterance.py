"""Features brought to mean zero and deviation one within an utterance, or over all that a speaker said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import Windows
from biosig_lstm.steps import Step

__all__ = ["NormalizeUtterance", "normalize_speaker"]

_FLAT = 1e-5


@dataclass(frozen=True)
class NormalizeUtterance(Step):
    """Subtract the mean of each column over the steps of an item, and divide by its standard deviation.

    What a microphone, a room or a distance does to all of an utterance is taken away with the mean (cepstral mean and
    variance normalisation: Viikki and Laurila 1998, doi:10.1016/S0167-6393(98)00033-8).

    Parameters
    ----------
    variance : bool
        Divide by the standard deviation (over n) too. A column that does not vary, and an item of one step, become 0.

    Examples
    --------
    >>> from biosig_lstm.containers import Recording
    >>> from biosig_lstm.windows import WholeRecording
    >>> windows = WholeRecording()(Recording([[1.0, 2.0, 3.0]], 100, ["x"], ["FS"]))
    >>> NormalizeUtterance(variance=False)(windows).values.ravel().tolist()
    [-1.0, 0.0, 1.0]
    """

    kind: ClassVar[str] = "feature"

    variance: bool = True

    def __call__(self, windows: Windows) -> Windows:
        """Return the items, each normalised by itself."""
        groups = np.repeat(np.arange(len(windows)), windows.lengths)
        return windows.with_values(_normalized(windows.values, groups, len(windows), variance=self.variance))


def normalize_speaker(windows: Windows, *, variance: bool = True) -> Windows:
    """Return items normalised over all items of their subject among `windows`.

    Parameters
    ----------
    windows : Windows
        Items of any number of subjects.
    variance : bool
        Divide by the standard deviation (over n) too; a column that does not vary becomes 0.

    Notes
    -----
    No label is used, but the recordings of a speaker are needed together: an answer depends on what else that speaker
    said. It is a function and no step of a pipeline, which sees one recording at a time.
    """
    names, groups = np.unique(windows.subjects, return_inverse=True)
    steps = np.repeat(groups, windows.lengths)
    return windows.with_values(_normalized(windows.values, steps, len(names), variance=variance))


def _normalized(
    values: npt.NDArray[np.float32], groups: npt.NDArray[np.int64], n_groups: int, *, variance: bool
) -> npt.NDArray[np.float32]:
    """Return values less the mean of their group, over its deviation."""
    counts = np.maximum(np.bincount(groups, minlength=n_groups), 1)[:, None]
    means = _sums(values, groups, np.zeros((n_groups, values.shape[1]))) / counts
    if not variance:
        return np.asarray(_scaled(values, groups, means, np.ones_like(means)))
    deviations = np.sqrt(_sums_of_squares(values, groups, means) / counts)
    flat = deviations <= _FLAT * np.abs(means)
    factors = np.divide(1.0, deviations, out=np.zeros_like(deviations), where=~flat)
    return np.asarray(_scaled(values, groups, means, factors))


@njit(cache=True)
def _sums(values: Any, groups: Any, sums: Any) -> Any:
    for step in range(len(values)):
        for column in range(values.shape[1]):
            sums[groups[step], column] += values[step, column]
    return sums


@njit(cache=True)
def _sums_of_squares(values: Any, groups: Any, means: Any) -> Any:
    sums = np.zeros_like(means)
    for step in range(len(values)):
        for column in range(values.shape[1]):
            sums[groups[step], column] += (values[step, column] - means[groups[step], column]) ** 2
    return sums


@njit(cache=True)
def _scaled(values: Any, groups: Any, means: Any, factors: Any) -> Any:
    out = np.empty(values.shape, dtype=np.float32)
    for step in range(len(values)):
        for column in range(values.shape[1]):
            group = groups[step]
            out[step, column] = (values[step, column] - means[group, column]) * factors[group, column]
    return out
