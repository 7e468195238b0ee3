"""A recipe for rare events along long recordings: of each, the runs that hold one and a few of the others."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Estimator
from biosig_lstm.recipes._recipe import Recipe

__all__ = ["SeizureRecipe"]


@dataclass(frozen=True)
class SeizureRecipe(Recipe):
    """How a model that finds rare events is made; see `Recipe` for what all recipes have.

    A recording is prepared as a whole, then cut into runs, the first of random length: those that hold a step of the
    last class are kept, and a few of the others, drawn at random. So what training needs of memory grows with the
    number of recordings and of events, not with the hours recorded. Recordings are scored as a whole.

    Parameters
    ----------
    run : int [>= 1]
        Steps of a training item.
    background_runs : int [>= 1]
        Runs without event that are kept of each recording.
    event_share : float [> 0]
        Runs with events are repeated until there are at least so many for each one without.
    """

    _: KW_ONLY
    run: int
    background_runs: int = 3
    event_share: float = 0.5

    def fit(
        self,
        recordings: Iterable[Recording],
        *,
        val: Iterable[Recording] | None = None,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on runs of labelled recordings; parameters as of `Recipe.fit`."""
        chosen = None if val is None else self.items(val, balance=False)
        windows = self.items(recordings)
        return self.fit_windows(windows, chosen, directory=directory, protocol=protocol, progress=progress)

    def items(self, recordings: Iterable[Recording], *, balance: bool = True) -> Windows:
        """Return the runs to learn from.

        Parameters
        ----------
        recordings : iterable of Recording
            Read one after the other; only the runs that are kept stay in memory.
        balance : bool
            Repeat runs with events as `event_share` says.

        Raises
        ------
        DataError
            When no recording holds an event, or there is none.
        """
        rng = np.random.default_rng(self.settings.seed)
        parts = [self._kept(self.pipeline(recording), rng) for recording in recordings]
        if not parts:
            raise DataError("no recordings came to be prepared")
        windows = Windows.concatenate(parts)
        held = np.flatnonzero(_holds_event(windows))
        if not len(held):
            raise DataError(f"none of {len(parts)} recordings holds a {windows.classes[-1]}: there is nothing to learn")
        n_others = len(windows) - len(held)
        more = max(math.ceil(n_others * self.event_share / len(held)) - 1, 0) if balance else 0
        return windows.select(np.concatenate([np.arange(len(windows)), np.tile(held, more)]))

    def _kept(self, windows: Windows, rng: np.random.Generator) -> Windows:
        runs = windows.into_runs(self.run, first=int(rng.integers(1, self.run + 1)))
        held = _holds_event(runs)
        others = np.flatnonzero(~held)
        drawn = rng.choice(others, min(self.background_runs, len(others)), replace=False)
        return runs.select(np.sort(np.concatenate([np.flatnonzero(held), drawn])))


def _holds_event(windows: Windows) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return for each item whether a step of it bears the last class."""
    is_event = np.asarray(windows.y) == len(windows.classes) - 1
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = np.logical_or.reduceat(is_event, windows.offsets[:-1])
    return found
