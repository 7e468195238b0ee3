"""A recipe for sequences of beats: a network, and trees that are grown beside it on the same items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from biosig_lstm.containers import Windows
from biosig_lstm.estimators import Estimator
from biosig_lstm.models.beat_rhythm import BeatRhythmNetwork
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training.trees import add_trees

__all__ = ["RhythmRecipe"]


@dataclass(frozen=True)
class RhythmRecipe(Recipe):
    """How a model of the rhythm of a recording is made; see `Recipe` for what all recipes have.

    Notes
    -----
    Each member gets trees of its own draws of rows and columns, weighted by class as the network's loss is.
    """

    def fit_windows(
        self,
        windows: Windows,
        val: Windows | None = None,
        *,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on items with a label each, and its trees; parameters as of `Recipe.fit`."""
        model = super().fit_windows(windows, val, directory=directory, protocol=protocol, progress=progress)
        for k, network in enumerate(model.networks):
            if isinstance(network, BeatRhythmNetwork):
                add_trees(network, windows, settings=self.settings, seed=self.settings.seed + k)
        return model
