"""Every recipe is trained, saved and loaded with every cell: one step on the first recording of a written sample."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from biosig_lstm import recipes
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.estimators import load
from biosig_lstm.models import CELLS, with_cell
from biosig_lstm.recipes import BeatRecipe, Recipe
from biosig_lstm.recipes._anomalies import AnomalyRecipe
from biosig_lstm.recipes._transcripts import TranscriptRecipe

FILES = sorted(m.name for m in pkgutil.iter_modules(recipes.__path__) if not m.name.startswith("_"))
MODULES = [importlib.import_module(f"{recipes.__name__}.{name}") for name in FILES]
EVERY: list[Recipe] = [r for module in MODULES for r in getattr(module, "RECIPES", None) or (module.RECIPE,)]
RECIPES = [recipe for recipe in EVERY if not isinstance(recipe, AnomalyRecipe)]
"""Detectors of anomalies want normal signal of two people, and tell no classes: `test_anomaly_files`."""
DIFFERENT = list(
    {(recipe.model, recipe.estimator, len(recipe.pipeline.filters)): recipe for recipe in RECIPES}.values()
)
"""Recipes whose networks differ: those that differ in the names of their classes alone count once."""
MOST_STEPS = 64


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Train on one thread: these networks are small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def first_item(recipe: Recipe, recording: Recording) -> Windows:
    windows = recipe.pipeline(recording)
    windows = windows.into_runs(recipe.run) if isinstance(recipe, BeatRecipe) else windows
    return windows.select(np.arange(len(windows)) < 1)


@pytest.mark.parametrize("recipe", DIFFERENT, ids=lambda recipe: recipe.name)
def test_every_recipe_is_trained_saved_and_loaded_with_every_cell(
    recipe: Recipe, first_of: Callable[[str], Recording], tmp_path: Path
) -> None:
    item = first_item(recipe, first_of(recipe.protocols[0]))
    steps = None if isinstance(recipe, TranscriptRecipe) else MOST_STEPS
    seen = set()
    for cell in CELLS:
        made = replace(recipe, model=with_cell(recipe.model, cell), members=1).new()
        made.fit(item, max_epochs=1, batch_size=1, crop_steps=steps, device="cpu", progress=False)
        made.save(tmp_path / f"{cell}.biosig")
        again = load(tmp_path / f"{cell}.biosig")
        assert again.model == made.model
        (said,), (before,) = again.log_probabilities(item), made.log_probabilities(item)
        assert np.array_equal(said, before)
        assert np.isfinite(said).all()
        seen.add(frozenset((name, tuple(weight.shape)) for name, weight in made.networks.state_dict().items()))
    assert len(seen) == len(CELLS)


def test_every_recipe_has_its_turn() -> None:
    assert {recipe.model for recipe in DIFFERENT} == {recipe.model for recipe in RECIPES}
