"""What is foreseen: quantiles of the steps that follow, where they begin, and when."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError, ParameterError, options

__all__ = ["Forecasts"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]

_NEAR = 1e-9
_ROWS = ("recordings", "subjects", "items", "origins", "origins_s", "quantiles")


@dataclass(frozen=True, eq=False, repr=False)
class Forecasts:
    """Quantiles of the steps after each origin, in order.

    Parameters
    ----------
    recordings, subjects : np.ndarray of str [shape=(n,)]
        Which recording each forecast is of, and whose.
    items : np.ndarray of int [shape=(n,)]
        Which item of those that were given.
    origins : np.ndarray of int [shape=(n,)]
        The last step of the item that is known; the first that is foreseen is the next.
    origins_s : np.ndarray [shape=(n,), unit=s]
        When that step is, from the beginning of the recording; of arrays without a rate its number.
    quantiles : np.ndarray [shape=(n, horizon, levels, targets), dtype=float32]
        In the units of the targets, ascending along the levels.
    levels : tuple of float
        Which quantiles.
    targets : tuple of str
        Names of the columns that are foreseen.
    rate_hz : float or None [unit=Hz]
        Steps a second; None where steps are not evenly spaced in time.
    unit : str
        Of the targets.
    """

    recordings: Strings
    subjects: Strings
    items: Int64
    origins: Int64
    origins_s: Float64
    quantiles: Float32
    levels: tuple[float, ...]
    targets: tuple[str, ...]
    rate_hz: float | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        for name in _ROWS:
            object.__setattr__(self, name, freeze(np.asarray(getattr(self, name))))
            if len(getattr(self, name)) != len(self.quantiles):
                raise DataError(f"{name} must be one for each of {len(self.quantiles)} forecasts")
        if self.quantiles.ndim != 4 or self.quantiles.shape[2:] != (len(self.levels), len(self.targets)):
            raise DataError(
                f"quantiles must be (n, horizon, {len(self.levels)} levels, {len(self.targets)} targets), "
                f"got shape {self.quantiles.shape}"
            )

    def __len__(self) -> int:
        return len(self.quantiles)

    def __repr__(self) -> str:
        n_recordings = len(set(self.recordings.tolist()))
        levels = ", ".join(f"{level:g}" for level in self.levels)
        return (
            f"Forecasts({len(self)} of {n_recordings} recordings; {self.horizon_steps} steps of "
            f"{', '.join(self.targets)}; quantiles {levels})"
        )

    @property
    def horizon_steps(self) -> int:
        """How many steps are foreseen."""
        return int(self.quantiles.shape[1])

    @property
    def median(self) -> Float32:
        """The median of each step, shape (n, horizon, targets)."""
        return self.quantile(0.5)

    @property
    def times_s(self) -> Float64:
        """When each step is, shape (n, horizon), in seconds; NaN where steps are not evenly spaced in time."""
        step_s = 1 / self.rate_hz if self.rate_hz else np.nan
        return np.asarray(self.origins_s[:, None] + step_s * np.arange(1, self.horizon_steps + 1))

    def quantile(self, level: float) -> Float32:
        """Return one quantile of each step, shape (n, horizon, targets).

        Raises
        ------
        ParameterError
            When it was not learned.
        """
        near = [k for k, known in enumerate(self.levels) if abs(known - level) < _NEAR]
        if not near:
            known = ", ".join(f"{k:g}" for k in self.levels)
            raise ParameterError(f"no quantile {level:g}: the model was trained for {known}")
        return self.quantiles[:, :, near[0]]

    def interval(self, share: float) -> tuple[Float32, Float32]:
        """Return the ends, (n, horizon, targets) each, of the central interval that holds this share.

        Raises
        ------
        ParameterError
            When its quantiles were not learned.
        """
        return self.quantile((1 - share) / 2), self.quantile((1 + share) / 2)

    def of(self, recording: str) -> Forecasts:
        """Return the forecasts of one recording.

        Raises
        ------
        DataError
            When there is none of that name.
        """
        chosen = self.recordings == recording
        if not chosen.any():
            raise DataError(f"no forecast of {options(recording, set(self.recordings.tolist()))}")
        return replace(self, **{name: getattr(self, name)[chosen] for name in _ROWS})

    def csv_rows(self, *, header: bool = True) -> str:
        """Return a row for each step of each forecast and each target as CSV text, below a row of names if asked.

        The columns are recording, subject, origin, origin_s, ahead (in steps), time_s (empty where it is not known),
        target, and a quantile each, as ``q0.05``.
        """
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        levels = [f"q{level:g}" for level in self.levels]
        if header:
            writer.writerow(["recording", "subject", "origin", "origin_s", "ahead", "time_s", "target", *levels])
        writer.writerows(self._rows())
        return text.getvalue()

    def _rows(self) -> Iterator[list[str]]:
        times = self.times_s
        for n, ahead, target in np.ndindex(len(self), self.horizon_steps, len(self.targets)):
            yield [
                str(self.recordings[n]),
                str(self.subjects[n]),
                str(self.origins[n]),
                f"{self.origins_s[n]:.10g}",
                str(ahead + 1),
                "" if np.isnan(times[n, ahead]) else f"{times[n, ahead]:.10g}",
                self.targets[target],
                *(f"{value:.6g}" for value in self.quantiles[n, ahead, :, target].tolist()),
            ]

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")
