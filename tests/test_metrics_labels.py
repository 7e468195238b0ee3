"""Scores of labels with probabilities against scikit-learn, and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import label_scores, merge_probabilities

INTO = {"3": {"Z": "h", "O": "h", "N": "i", "F": "i", "S": "s"}, "2": {**dict.fromkeys("ZONF", "none"), "S": "s"}}


def drawn(n: int, *, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=n)
    logits = rng.normal(0, 1, (n, classes)) + 1.2 * np.eye(classes)[truth]
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return truth, likely.round(2), rng.integers(8, size=n).astype(str)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 200))
def test_two_classes_agree_with_scikit_learn(seed: int) -> None:
    truth, likely, whose = drawn(60, classes=2, seed=seed)
    scores = label_scores(truth, likely, whose, classes=("rest", "task"), n_resamples=20)
    said = likely.argmax(axis=1)
    assert scores["auc"].value == pytest.approx(sklearn_metrics.roc_auc_score(truth, likely[:, 1]))
    assert scores["balanced_accuracy"].value == pytest.approx(sklearn_metrics.balanced_accuracy_score(truth, said))
    assert scores["accuracy"].value == pytest.approx(sklearn_metrics.accuracy_score(truth, said))
    assert scores["macro_f1"].value == pytest.approx(sklearn_metrics.f1_score(truth, said, average="macro"))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 100))
def test_merged_classes_agree_with_scikit_learn_on_summed_probabilities(seed: int) -> None:
    truth, likely, whose = drawn(80, classes=5, seed=seed)
    scores = label_scores(truth, likely, whose, classes=tuple("ZONFS"), merged=INTO, n_resamples=20)
    three = np.stack([likely[:, :2].sum(axis=1), likely[:, 2:4].sum(axis=1), likely[:, 4]], axis=1)
    expected = sklearn_metrics.accuracy_score(np.array([0, 0, 1, 1, 2])[truth], three.argmax(axis=1))
    assert scores["accuracy_3"].value == pytest.approx(expected)
    seizure = likely[:, 4] > likely[:, :4].sum(axis=1)
    assert scores["accuracy_2"].value == pytest.approx(sklearn_metrics.accuracy_score(truth == 4, seizure))
    assert "auc" not in scores.metrics
    expected = sklearn_metrics.balanced_accuracy_score(truth, likely.argmax(axis=1))
    assert scores["balanced_accuracy"].value == pytest.approx(expected)


def test_the_interval_of_the_area_is_that_of_whole_subjects_drawn_again() -> None:
    truth, likely, whose = drawn(120, classes=2, seed=3)
    found = label_scores(truth, likely, whose, classes=("rest", "task"), n_resamples=4000)["auc"]
    rng, ids, areas = np.random.default_rng(9), np.unique(whose), []
    for _ in range(1500):
        rows = np.concatenate([np.flatnonzero(whose == who) for who in rng.choice(ids, len(ids))])
        areas.append(sklearn_metrics.roc_auc_score(truth[rows], likely[rows, 1]))
    np.testing.assert_allclose([found.low, found.high], np.quantile(areas, [0.025, 0.975]), atol=0.012)


def test_what_has_no_label_is_left_out_and_of_one_subject_nothing_is_drawn() -> None:
    truth, likely, _ = drawn(40, classes=2, seed=1)
    truth[::4] = -1
    one = label_scores(truth, likely, ["a"] * 40, classes=("rest", "task"))
    kept = truth >= 0
    assert one["auc"].value == pytest.approx(sklearn_metrics.roc_auc_score(truth[kept], likely[kept, 1]))
    assert math.isnan(one["auc"].low)
    assert one.n_items == 30


def test_one_class_alone_has_no_area() -> None:
    scores = label_scores([0, 0], [[0.9, 0.1], [0.2, 0.8]], ["a", "b"], classes=("rest", "task"))
    assert math.isnan(scores["auc"].value)
    assert scores["accuracy"].value == 0.5


def test_summed_probabilities_keep_their_sum_and_unknown_classes_are_named() -> None:
    _, likely, _ = drawn(10, classes=5, seed=2)
    merged, names = merge_probabilities(likely, classes="ZONFS", into=INTO["3"])
    assert names == ("h", "i", "s")
    np.testing.assert_allclose(merged.sum(axis=1), likely.sum(axis=1))
    with pytest.raises(ParameterError, match="class to merge 'Q'"):
        merge_probabilities([[1.0]], classes=["Q"], into=INTO["3"])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(DataError, match="need as many rows of probabilities and subjects"):
        label_scores([0, 1], [[0.5, 0.5]], ["a", "b"], classes=("rest", "task"))
    with pytest.raises(DataError, match="item 1 has others"):
        label_scores([0, 1], [[0.5, 0.5], [np.nan, 0.5]], ["a", "b"], classes=("rest", "task"))
