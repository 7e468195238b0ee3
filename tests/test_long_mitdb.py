"""The recipe for beats on the real records: minutes, so under its own target, `make test-long`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from biosig_lstm import datasets
from biosig_lstm.recipes import recipe_for, train_recipe

HELD_OUT = ("116", "119", "122", "209")

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def test_beats_of_four_patients_are_named_by_a_network_trained_on_the_others(
    data_root: Callable[[str], Path],
) -> None:
    data = datasets.get("mitdb", data_root("mitdb"))
    others = [name for name in data.card.split("DS1") if name not in HELD_OUT]
    recipe = recipe_for("mitdb-aami")
    recipe = replace(recipe, members=1, settings=replace(recipe.settings, device="cpu"))
    model = train_recipe(recipe, list(data.recordings(others)), progress=False)
    scores = model.evaluate(data.recordings(HELD_OUT))
    assert scores["f1_S"].value > 0.9
    assert scores["f1_V"].value > 0.95
    assert scores["f1_N"].value > 0.99
