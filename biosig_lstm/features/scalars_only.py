"""Windows without their samples: what features made of them is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.steps import Step

__all__ = ["ScalarsOnly"]


@dataclass(frozen=True)
class ScalarsOnly(Step):
    """Leave out the samples of windows and keep the columns after them: steps become rows of features."""

    kind: ClassVar[str] = "feature"

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with their scalars as the only columns.

        Raises
        ------
        DataError
            When steps are not windows, or there are no scalars: a feature must come first.
        """
        n_channels, width = windows.window_shape or (0, 0)
        n_samples = n_channels * width
        if not n_samples or n_samples == len(windows.columns):
            raise DataError("there are no columns beside the samples of windows: features must come before ScalarsOnly")
        kept = windows.with_values(windows.values[:, n_samples:], columns=windows.columns[n_samples:])
        return replace(kept, window_shape=None)
