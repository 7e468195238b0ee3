"""Plain arrays and tensors as items: what becomes of them, what is refused, and the whole walk with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.estimators import load
from biosig_lstm.models import BiLSTM

QUICK: dict[str, Any] = {
    "max_epochs": 8, "batch_size": 8, "device": "cpu", "progress": False, "learning_rate": 0.02
}  # fmt: skip


def meter(n: int, *, steps: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days of a meter in thousands of watts, whose evening is high ("home") or low ("away"), of houses."""
    rng = np.random.default_rng(seed)
    home = rng.random(n) < 0.5
    x = 4000 + 300 * rng.standard_normal((n, steps, 1))
    x[home, -6:] += 2000
    return x, np.where(home, "home", "away"), np.array([f"house{seed}{k % 4}" for k in range(n)])


@pytest.fixture(scope="module")
def trained() -> bl.Classifier:
    x, y, houses = meter(64)
    return bl.Classifier(model=BiLSTM(8)).fit(x, y, subjects=houses, **QUICK)


def test_arrays_become_items() -> None:
    x = np.arange(24.0).reshape(2, 4, 3)
    windows = Windows.from_arrays(x, ["b", "a"], subjects=["p", "q"], rate_hz=2.0, columns="uvw", unit="kW")
    assert np.array_equal(windows.item(1), x[1])
    assert windows.classes == ("a", "b")
    assert windows.y.tolist() == [1, 0]
    assert windows.subjects.tolist() == ["p", "q"]
    assert (windows.columns, windows.rate_hz, windows.unit) == (("u", "v", "w"), 2.0, "kW")
    assert windows.fs.tolist() == [2.0, 2.0]
    assert windows.step_samples().tolist() == [0, 1, 2, 3] * 2
    assert Windows.from_arrays(x).step_samples().tolist() == [0, 1, 2, 3] * 2


@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_lists_arrays_and_tensors_say_the_same(lengths: list[int]) -> None:
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((length, 2)).astype(np.float32) for length in lengths]
    windows = Windows.from_arrays(items)
    assert windows.lengths.tolist() == lengths
    assert windows == Windows.from_arrays([item.tolist() for item in items])
    assert windows == Windows.from_arrays([torch.tensor(item, requires_grad=True) for item in items])
    assert windows.y is None
    assert not windows.step_labels


@pytest.mark.parametrize(
    ("y", "classes", "index"),
    [
        ([2, 10, 2], ("2", "10"), [0, 1, 0]),
        ([-1, 1, 1], ("-1", "1"), [0, 1, 1]),
        (np.array([1.0, np.nan, 0.0]), ("0", "1"), [1, -1, 0]),
        (["up", None, "down"], ("down", "up"), [1, -1, 0]),
        (np.array([True, False, True]), ("False", "True"), [1, 0, 1]),
        (torch.tensor([3, 3, 4]), ("3", "4"), [0, 0, 1]),
    ],
)
def test_labels_are_named_in_their_order(y: Any, classes: tuple[str, ...], index: list[int]) -> None:
    windows = Windows.from_arrays(np.random.default_rng(0).random((3, 4, 1)), y)
    assert windows.classes == classes
    assert windows.y.tolist() == index


def test_steps_may_be_labelled_each() -> None:
    items = [np.zeros((3, 1)), np.ones((2, 1))]
    windows = Windows.from_arrays(items, [[0, 0, 1], [1, 1]], step_labels=True)
    assert windows.step_labels
    assert windows.y.tolist() == [0, 0, 1, 1, 1]


def test_an_item_stands_for_itself_unless_subjects_are_given() -> None:
    x = np.random.default_rng(0).random((3, 4, 2))
    one, other = Windows.from_arrays(x), Windows.from_arrays(np.concatenate([x[:1], x[1:] + 1]))
    assert len(set(one.subjects.tolist())) == 3
    assert set(one.subjects.tolist()) & set(other.subjects.tolist()) == {one.subjects[0]}
    twice = Windows.from_arrays(x[[0, 0]])
    assert len(set(twice.recordings.tolist())) == 2
    assert len(set(twice.subjects.tolist())) == 1


X = np.zeros((2, 3, 1))


@pytest.mark.parametrize(
    ("items", "how", "message"),
    [
        (np.zeros((2, 3)), {}, r"must be \(n, steps, features\), got shape \(2, 3\); one feature: X\[:, :, None\]"),
        ([np.zeros(3)], {}, r"item 0 must be \(steps, features\), got shape \(3,\); one feature: item\[:, None\]"),
        ([np.zeros((2, 1)), np.zeros((0, 1))], {}, r"item 1 must be \(steps, features\), got shape \(0, 1\)"),
        ([np.zeros((2, 1)), np.zeros((2, 3))], {}, "item 1 has 3 features, item 0 has 1"),
        ([np.array([["a"]])], {}, "item 0 must hold numbers, got <U1"),
        ([np.array([[np.nan]])], {}, "item 0 holds values that are not finite"),
        (np.zeros((0, 3, 1)), {}, "no items came"),
        (X, {"columns": ["a", "b"]}, "items of 1 features, and 2 columns: a, b"),
        (X, {"subjects": ["a"]}, "subjects must be one for each of 2 items, got 1"),
        (X, {"subjects": ["a", None]}, r"1 of 2 items have no subject \(item 1 the first\)"),
        (X, {"subjects": np.array([np.nan, 2.0])}, r"1 of 2 items have no subject \(item 0 the first\)"),
        (X, {"y": ["a"]}, r"y must be one label for each item, got shapes \[\(1,\)\]"),
        (X, {"y": [[0, 1], [1, 0]], "step_labels": True}, "one label for each step of each item, got shapes"),
        (X, {"y": [0.5, 1.0]}, "labels must be names or whole numbers, got 0.5: a quantity is no class"),
        (X, {"y": ["b", "a"], "classes": ["a"]}, "label 'b'"),
        (X, {"y": [0, 1], "multi_label": True}, r"several labels need y of 1, 0 or -1, shape \(2, classes\)"),
    ],
)
def test_what_is_no_item_or_label_is_refused(items: Any, how: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Windows.from_arrays(items, **how)


def test_three_lines_learn_and_say(trained: bl.Classifier) -> None:
    x, y, houses = meter(40, seed=1)
    said = trained.predict(x)
    assert (said.labels == y).mean() > 0.9
    scores = trained.evaluate(x, y, subjects=houses)
    assert scores.metrics["accuracy"].value == pytest.approx((said.labels == y).mean())
    assert np.array_equal(trained.predict(torch.tensor(x)).log_probabilities, said.log_probabilities)
    shorter = trained.predict([item[-12:] for item in x[:3]])
    assert len(shorter) == 3


def test_a_saved_model_of_arrays_answers_as_before(trained: bl.Classifier, tmp_path: Path) -> None:
    x, _, _ = meter(6, seed=1)
    trained.save(tmp_path / "meter.biosig")
    again = load(tmp_path / "meter.biosig")
    assert again.pipeline == bl.Pipeline.of_arrays()
    assert np.array_equal(again.predict(x).log_probabilities, trained.predict(x).log_probabilities)


def test_values_are_scaled_unless_a_pipeline_is_given(trained: bl.Classifier) -> None:
    assert trained.scaling is not None
    assert bl.Classifier(bl.Pipeline.of_arrays()).standardize is None


def test_who_was_trained_on_is_not_scored(trained: bl.Classifier) -> None:
    x, y, houses = meter(64)
    with pytest.raises(LeakageError, match="trained on 4 of these subjects"):
        trained.evaluate(x, y, subjects=houses)
    alone = bl.Classifier(model=BiLSTM(2)).fit(x, y, **(QUICK | {"max_epochs": 1}))
    with pytest.raises(LeakageError, match="trained on 1 of these subjects"):
        alone.evaluate(np.concatenate([meter(5, seed=1)[0], x[:1]]), [*meter(5, seed=1)[1], y[0]])


def test_names_rate_and_unit_of_training_hold_for_arrays_that_come() -> None:
    x, y, houses = meter(16)
    windows = Windows.from_arrays(x, y, subjects=houses, rate_hz=1 / 3600, columns=["power"], unit="W")
    model = bl.Classifier(model=BiLSTM(2)).fit(windows, **(QUICK | {"max_epochs": 1}))
    assert len(model.predict(x)) == 16
    with pytest.raises(DataError, match="items of 2 features, and 1 columns: power"):
        model.predict(np.zeros((1, 5, 2)))


def test_steps_and_several_labels_are_learned_from_arrays() -> None:
    x, _, houses = meter(16)
    quick = QUICK | {"max_epochs": 1}
    steps = bl.StepClassifier(model=BiLSTM(4)).fit(x, (x[:, :, 0] > 5000).astype(int), subjects=houses, **quick)
    assert len(steps.predict(x)) == x.shape[0] * x.shape[1]
    several = bl.MultiLabelClassifier(model=BiLSTM(4)).fit(
        x, np.eye(2, dtype=int)[[0, 1] * 8], subjects=houses, **quick
    )
    assert several.predict(x).probabilities.shape == (16, 2)


def test_what_does_not_go_with_arrays_is_refused(trained: bl.Classifier) -> None:
    x, y, houses = meter(4, seed=2)
    windows = Windows.from_arrays(x, y, subjects=houses)
    recording = Recording(np.zeros((1, 50)), 10.0, ["II"], ["mV"], id="r", subject="s")
    with pytest.raises(DataError, match="r: this model takes arrays of"):
        trained.predict(recording)
    with pytest.raises(ParameterError, match=r"labels and subjects go with arrays.*got Windows and NoneType"):
        bl.Classifier().fit(windows, subjects=houses)
    with pytest.raises(ParameterError, match="arrays to validate on become Windows"):
        bl.Classifier().fit(x, windows)
    with pytest.raises(ParameterError, match="has a pipeline that prepares recordings, and arrays came"):
        bl.Classifier(bl.Pipeline(windows=bl.FixedLength(1.0))).fit(x, y)
    with pytest.raises(ParameterError, match="labels are missing: arrays are learned as fit"):
        bl.Classifier().fit(x)
    with pytest.raises(ParameterError, match="is not trained yet"):
        bl.Classifier().predict(x)
