"""What holds for every file in the metrics folder, found by looking there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import numpy as np
import pytest

import biosig_lstm.metrics
from biosig_lstm.metrics import classification

MODULES = [m.name for m in pkgutil.iter_modules(biosig_lstm.metrics.__path__) if not m.name.startswith("_")]
OF_CONFUSIONS = [
    function
    for name in classification.__all__
    if list(inspect.signature(function := getattr(classification, name)).parameters) == ["confusion"]
]


def functions():
    for name in MODULES:
        module = importlib.import_module(f"biosig_lstm.metrics.{name}")
        yield from (
            pytest.param(f, id=f"{name}.{n}") for n in module.__all__ if inspect.isfunction(f := getattr(module, n))
        )


@pytest.mark.parametrize("name", MODULES)
def test_the_package_names_all_that_a_file_gives(name):
    module = importlib.import_module(f"biosig_lstm.metrics.{name}")
    for public in module.__all__:
        assert public in biosig_lstm.metrics.__all__
        assert getattr(biosig_lstm.metrics, public) is getattr(module, public)


@pytest.mark.parametrize("function", list(functions()))
def test_every_parameter_is_documented(function):
    text = inspect.getdoc(function)
    parameters, _, _ = text.partition("Returns\n---")
    for name in inspect.signature(function).parameters:
        assert name in parameters, f"{function.__name__}: {name} is not documented"


def test_there_are_scores_of_confusions():
    assert len(OF_CONFUSIONS) >= 7


@pytest.mark.parametrize("score", OF_CONFUSIONS)
def test_a_perfect_prediction_scores_one(score):
    assert np.allclose(score(np.diag([5, 2, 9])), 1)


@pytest.mark.parametrize("score", OF_CONFUSIONS)
def test_all_wrong_scores_at_most_nought(score):
    assert (score(np.array([[0, 3], [4, 0]])) <= 0).all()


@pytest.mark.parametrize("score", OF_CONFUSIONS)
def test_the_order_of_classes_does_not_matter(score):
    counts = np.random.default_rng(0).integers(0, 20, (4, 4))
    order = np.array([2, 0, 3, 1])
    there, back = score(counts), score(counts[np.ix_(order, order)])
    np.testing.assert_allclose(there[order] if there.ndim else there, back)


@pytest.mark.parametrize("score", OF_CONFUSIONS)
def test_counts_are_not_changed(score):
    counts = np.random.default_rng(0).integers(0, 20, (4, 4)).astype(float)
    before = counts.copy()
    score(counts)
    assert np.array_equal(counts, before)


def test_scoring_loads_neither_torch_nor_matplotlib():
    code = "import sys, biosig_lstm.metrics, biosig_lstm.splits; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "lightning", "mne", "wfdb", "matplotlib", "sklearn"} & set(loaded)
