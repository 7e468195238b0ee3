"""A recipe for runs of frames: a network, and a kernel machine that is solved beside it on the same items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from biosig_lstm.containers import Windows
from biosig_lstm.estimators import Estimator
from biosig_lstm.models.kernel_bilstm import KernelBiLSTMNetwork
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.training.kernels import add_kernel

__all__ = ["FramesRecipe"]


@dataclass(frozen=True)
class FramesRecipe(Recipe):
    """How a model of the spectra of frames is made; see `Recipe` for what all recipes have."""

    def fit_windows(
        self,
        windows: Windows,
        val: Windows | None = None,
        *,
        directory: str | Path | None = None,
        protocol: str = "",
        progress: bool = True,
    ) -> Estimator:
        """Return a model trained on items with a label each, and its kernel machines; parameters as of `Recipe.fit`."""
        model = super().fit_windows(windows, val, directory=directory, protocol=protocol, progress=progress)
        scaled = model.scaling(windows) if model.scaling else windows
        for k, network in enumerate(model.networks):
            if isinstance(network, KernelBiLSTMNetwork):
                add_kernel(network, scaled, settings=self.settings, seed=self.settings.seed + k)
        return model
