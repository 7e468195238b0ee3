"""Features brought to mean zero and standard deviation one, by what the training items show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError

__all__ = ["FittedStandardize", "Standardize"]


@dataclass(frozen=True)
class Standardize:
    """Learn the mean and standard deviation of each column from training items.

    Parameters
    ----------
    scalars_only : bool
        Leave the samples of windows as they are and scale the columns after them.
    """

    scalars_only: bool = False

    def fit(self, train: Windows) -> FittedStandardize:
        """Return the scaling that brings `train` to mean zero and standard deviation one.

        Columns that do not vary are only shifted.
        """
        values = train.values.astype(np.float64)
        mean, deviation = values.mean(axis=0), values.std(axis=0)
        deviation[deviation < 1e-8] = 1.0
        if self.scalars_only and train.window_shape:
            n_samples = train.window_shape[0] * train.window_shape[1]
            mean[:n_samples], deviation[:n_samples] = 0.0, 1.0
        subjects = tuple(sorted(set(train.subjects.tolist())))
        return FittedStandardize(tuple(mean.tolist()), tuple(deviation.tolist()), subjects)


@dataclass(frozen=True)
class FittedStandardize:
    """A scaling that was learned.

    Parameters
    ----------
    mean, deviation : tuple of float [length=features]
        Of each column in training.
    fitted_subjects : tuple of str
        Whom it was learned from; the audit of a split refuses it where one of them is tested.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    fitted_subjects: tuple[str, ...]

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with every column scaled.

        Raises
        ------
        DataError
            When there are more or fewer columns than in training.
        """
        if len(windows.columns) != len(self.mean):
            raise DataError(f"scaling was learned on {len(self.mean)} columns, got {len(windows.columns)}")
        scaled = (windows.values - np.array(self.mean, np.float32)) / np.array(self.deviation, np.float32)
        return windows.with_values(scaled.astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        """Return the scaling as plain JSON values."""
        return {k: list(v) for k, v in vars(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> FittedStandardize:
        """Return the scaling that `to_dict` wrote."""
        return cls(*(tuple(values[k]) for k in ("mean", "deviation", "fitted_subjects")))
