"""Columns of a night twice: as they are, and against the rest of the night."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Windows
from biosig_lstm.errors import ParameterError
from biosig_lstm.features._night import against_night
from biosig_lstm.steps import Step

__all__ = ["AgainstNight"]


@dataclass(frozen=True)
class AgainstNight(Step):
    """Add to each column of a night what it is against the rest of the night.

    People and electrodes differ more from each other than stages do. Within a night that falls away; what is common to
    all nights is kept in the columns as they are.

    Parameters
    ----------
    limit : float [> 0]
        Largest absolute value of a column against the night.

    Raises
    ------
    ParameterError
        When the limit is not positive.

    Notes
    -----
    Against the night is the value less the median of its item, over the item's interquartile range in normal standard
    deviations. It looks at the whole item, later epochs too: stages are told when the night is over. How much of a
    recording is wake changes both, so that a model goes with recordings cropped like those that it was trained on.
    """

    kind: ClassVar[str] = "feature"

    limit: float = 5.0

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise ParameterError(f"limit must be positive, got {self.limit!r}")

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows with their columns, and behind them as many more, ``NAME/night``."""
        values = windows.values.astype(np.float64)
        nights = [against_night(values[a:b], limit=self.limit) for a, b in pairwise(windows.offsets.tolist())]
        joined = np.concatenate([values, np.concatenate([values[:0], *nights])], axis=1)
        columns = [*windows.columns, *(f"{name}/night" for name in windows.columns)]
        return windows.with_values(joined.astype(np.float32), columns=columns)
