"""A recipe for a detector of anomalies: normal signal is learned of most people, the threshold of the others."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import AnomalyDetector, Estimator
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.splits import split_by_subject

__all__ = ["AnomalyRecipe"]


@dataclass(frozen=True)
class AnomalyRecipe(Recipe):
    """How a detector of anomalies is made; see `Recipe` for what all recipes have, `AnomalyDetector` for the rest.

    Parameters
    ----------
    scored, against, normal, merge_s
        As of `AnomalyDetector`.
    false_alarms_per_h : float [unit=1/h, > 0]
        How often normal signal may alarm.
    held_share : float [0 to 1]
        Share of the people who set the threshold and teach nothing, where no others are given for that.
    every : int [>= 1]
        Learn each so many windows: those that overlap teach little more.
    """

    _: KW_ONLY
    scored: Literal["window", "step"] = "window"
    against: Literal["training", "recording"] = "training"
    normal: tuple[str, ...] = ()
    merge_s: float = 0.0
    false_alarms_per_h: float = 1.0
    held_share: float = 0.25
    every: int = 1

    def new(self) -> AnomalyDetector:
        """Return the detector, not trained yet."""
        return AnomalyDetector(
            self.pipeline,
            self.model,
            normal=self.normal,
            scored=self.scored,
            against=self.against,
            merge_s=self.merge_s,
            members=self.members,
            standardize=self.standardize,
            task=self.task,
        )

    def fit_windows(
        self,
        windows: Windows,
        val: Windows | None = None,
        *,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a detector trained on windows; parameters as of `Recipe.fit`, `val` being who sets the threshold.

        Raises
        ------
        DataError
            When there are fewer than two people, and no `val`.
        """
        if val is None:
            windows, val = self._sides(windows)
        learned = windows.select(np.arange(0, len(windows), self.every))
        rate = self.false_alarms_per_h
        return self._trained(
            learned, val, directory=directory, false_alarms_per_h=rate, protocol=protocol, progress=progress
        )

    def _sides(self, windows: Windows) -> tuple[Windows, Windows]:
        n_people = len(set(windows.subjects.tolist()))
        if n_people < 2:
            raise DataError(f"a threshold needs people who teach nothing: got recordings of {n_people}")
        shares = (1 - self.held_share, self.held_share)
        learned, held = split_by_subject(windows, shares, seed=self.settings.seed, stratify=False)
        return learned, held
