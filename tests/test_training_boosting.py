"""Boosted trees: against scikit-learn, by hand, and inside a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.tree import DecisionTreeRegressor

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.models._trees import SHARES, TreeSum, sequence_statistics
from biosig_lstm.training.boosting import Trees, grow_trees

Array = np.ndarray[Any, Any]


def as_layer(trees: Trees) -> TreeSum:
    rounds, n_outputs, inner = trees.columns.shape
    layer = TreeSum(rounds=rounds, n_outputs=n_outputs, depth=(inner + 1).bit_length() - 1)
    layer.put(**{name: torch.from_numpy(values) for name, values in trees._asdict().items()})
    return layer


def walk(trees: Trees, row: Array) -> Array:
    """Return the logits of one row, question after question."""
    logits = trees.start.astype(np.float64)
    inner = trees.columns.shape[2]
    for turn in range(len(trees.columns)):
        for k in range(len(logits)):
            node = 0
            while node < inner:
                above = row[trees.columns[turn, k, node]] > trees.thresholds[turn, k, node]
                node = 2 * node + (2 if above else 1)
            logits[k] += trees.leaves[turn, k, node - inner]
    return logits


def problem(n: int = 400, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    return x, np.where(x[:, 0] * x[:, 1] > 0, 2, (x[:, 2] + rng.normal(0, 0.3, n) > 0).astype(int))


def test_the_layer_answers_as_a_walk_from_root_to_leaf() -> None:
    x, y = problem()
    trees = grow_trees(x, y, n_classes=3, rounds=7, depth=3, seed=1)
    with torch.no_grad():
        answers = as_layer(trees)(torch.from_numpy(x[:50])).numpy()
    np.testing.assert_allclose(answers, [walk(trees, row) for row in x[:50]], atol=1e-5)


def test_one_question_is_the_best_there_is() -> None:
    x = np.array([[1.0, 5], [2, 1], [3, 4], [4, 2], [5, 3], [6, 6]] * 20)
    y = (x[:, 0] > 3).astype(int)
    trees = grow_trees(x, y, n_classes=2, rounds=1, depth=1, share_of_columns=1, share_of_rows=1, least_rows=1)
    assert trees.columns.ravel().tolist() == [0, 0]
    assert ((trees.thresholds >= 3) & (trees.thresholds < 4)).all()
    slope = 0.5 * 60  # every row has half a probability: 60 rows of a class with gradient 0.5, curvature 0.25
    np.testing.assert_allclose(trees.leaves[0, 1], [-0.06 * slope / 18, 0.06 * slope / 18], rtol=1e-3)


def test_squared_gains_choose_the_cut_of_a_regression_tree() -> None:
    rng = np.random.default_rng(3)
    x = rng.permutation(np.repeat(np.arange(40.0), 5))[:, None]
    y = (rng.random(200) < np.where(x[:, 0] < 13, 0.2, 0.7)).astype(int)
    trees = grow_trees(x, y, n_classes=2, rounds=1, depth=1, l2=0, share_of_columns=1, share_of_rows=1, least_rows=1)
    expected = DecisionTreeRegressor(max_depth=1).fit(x, y).tree_.threshold[0]
    assert np.floor(trees.thresholds[0, 1, 0]) == np.floor(expected)


def test_it_predicts_as_well_as_scikit_learn() -> None:
    wine = load_wine()
    test = np.arange(len(wine.target)) % 3 == 0
    trees = grow_trees(wine.data[~test], wine.target[~test], n_classes=3, rounds=100, depth=3, least_rows=5)
    with torch.no_grad():
        logits = as_layer(trees)(torch.tensor(wine.data[test], dtype=torch.float32))
    found = logits.softmax(dim=1).double().numpy()
    other = HistGradientBoostingClassifier(learning_rate=0.06, max_depth=3, min_samples_leaf=5, random_state=0)
    expected = other.fit(wine.data[~test], wine.target[~test]).predict_proba(wine.data[test])
    truth = wine.target[test]
    assert log_loss(truth, found / found.sum(axis=1, keepdims=True)) < log_loss(truth, expected) + 0.02
    assert (found.argmax(axis=1) == truth).mean() > 0.95


def test_the_seed_decides() -> None:
    x, y = problem()
    one, same, other = (grow_trees(x, y, n_classes=3, rounds=3, seed=seed) for seed in (0, 0, 1))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one.columns, other.columns)


def test_weights_shift_the_answer_to_what_counts_more() -> None:
    x, y = problem()
    heavy = grow_trees(x, y, n_classes=3, rounds=5, weights=np.where(y == 1, 10.0, 1.0))
    plain = grow_trees(x, y, n_classes=3, rounds=5)
    assert heavy.start[1] > plain.start[1] + 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 99), constant=st.booleans(), depth=st.integers(1, 4))
def test_any_columns_give_finite_answers(seed: int, constant: bool, depth: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.ones((30, 3)) if constant else rng.integers(-2, 3, (30, 3)).astype(float)
    trees = grow_trees(x, rng.integers(0, 2, 30), n_classes=2, rounds=2, depth=depth, least_rows=4)
    assert np.isfinite(trees.leaves).all()
    assert not np.isnan(trees.thresholds).any()
    if constant:
        assert np.isinf(trees.thresholds).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rounds": 0}, "rounds must be positive, got 0"),
        ({"depth": 9}, "depth must lie in 1 to 8, got 9"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0"),
        ({"l2": -1.0}, "l2 must be positive, got -1"),
        ({"least_rows": 0}, "least_rows must be positive, got 0"),
        ({"share_of_columns": 0.0}, "must lie in 0 to 1, got 0"),
        ({"share_of_rows": 1.5}, "must lie in 0 to 1, got 1.5"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    x, y = problem(20)
    with pytest.raises(ParameterError, match=message):
        grow_trees(x, y, n_classes=3, **change)


def test_rows_that_do_not_fit_are_refused() -> None:
    x, y = problem(20)
    with pytest.raises(DataError, match=r"a class and a weight for each row, got \(20, 6\), \(19,\)"):
        grow_trees(x, y[1:], n_classes=3)
    with pytest.raises(DataError, match="classes must lie in 0 to 1, got 0 to 2"):
        grow_trees(x, y, n_classes=2)
    x[3, 4] = np.nan
    with pytest.raises(DataError, match="finite values, column 4 is not"):
        grow_trees(x, y, n_classes=3)


@settings(max_examples=30, deadline=None)
@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5), extra=st.integers(0, 4))
def test_statistics_of_steps_are_those_of_numpy(lengths: list[int], extra: int) -> None:
    generator = torch.Generator().manual_seed(sum(lengths))
    x = torch.randn(len(lengths), max(lengths) + extra, 3, generator=generator)
    found = sequence_statistics(x, torch.tensor(lengths)).numpy()
    for row, item, length in zip(found, x.numpy(), lengths, strict=True):
        steps = item[:length].astype(np.float64)
        expected = [steps.mean(axis=0), steps.std(axis=0), *np.quantile(steps, SHARES, axis=0)]
        np.testing.assert_allclose(row, np.concatenate(expected), atol=1e-5)
