"""Scores of labelled items, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import (
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    confusion_by_subject,
    confusion_matrix,
    f1_score,
    label_indices,
    macro_f1,
    macro_roc_auc,
    positive_predictivity,
    roc_auc,
    sensitivity,
)

CLASSES = 4
NAN_AS_SKLEARN = {"labels": range(CLASSES), "average": None, "zero_division": np.nan}
labelled = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=2, max_size=60)


def split(pairs):
    truth, predicted = np.array(pairs).T
    return truth, predicted, confusion_matrix(truth, predicted, n_classes=CLASSES)


@settings(max_examples=80, deadline=None)
@given(labelled)
def test_scores_of_each_class_agree_with_sklearn(pairs):
    truth, predicted, counts = split(pairs)
    assert np.array_equal(counts, sk.confusion_matrix(truth, predicted, labels=range(CLASSES)))
    np.testing.assert_allclose(sensitivity(counts), sk.recall_score(truth, predicted, **NAN_AS_SKLEARN))
    np.testing.assert_allclose(positive_predictivity(counts), sk.precision_score(truth, predicted, **NAN_AS_SKLEARN))
    np.testing.assert_allclose(f1_score(counts), sk.f1_score(truth, predicted, **NAN_AS_SKLEARN))


@settings(max_examples=80, deadline=None)
@given(labelled)
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true", "ignore:A single label was found")
def test_scores_of_all_classes_agree_with_sklearn(pairs):
    truth, predicted, counts = split(pairs)
    assert math.isclose(accuracy(counts), sk.accuracy_score(truth, predicted))
    assert math.isclose(balanced_accuracy(counts), sk.balanced_accuracy_score(truth, predicted))
    assert math.isclose(macro_f1(counts), sk.f1_score(truth, predicted, average="macro"))
    if len(set(truth) | set(predicted)) > 1:
        assert math.isclose(cohen_kappa(counts), sk.cohen_kappa_score(truth, predicted), abs_tol=1e-12)
    else:
        assert math.isnan(cohen_kappa(counts))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-5, 5)), min_size=2, max_size=60))
def test_roc_auc_agrees_with_sklearn_also_in_ties(pairs):
    truth, score = np.array([t for t, _ in pairs]), np.array([s for _, s in pairs], dtype=float)
    if truth.all() or not truth.any():
        assert math.isnan(roc_auc(truth, score))
    else:
        assert math.isclose(roc_auc(truth, score), sk.roc_auc_score(truth, score))


@pytest.mark.parametrize("seed", range(4))
def test_macro_roc_auc_agrees_with_sklearn(seed):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, 200)
    scores = rng.dirichlet(np.ones(4), 200) + np.eye(4)[truth] * 0.3
    expected = sk.roc_auc_score(truth, scores / scores.sum(1, keepdims=True), multi_class="ovr")
    assert math.isclose(macro_roc_auc(truth, scores / scores.sum(1, keepdims=True)), expected)
    hot = rng.random((200, 4)) < 0.3
    assert math.isclose(macro_roc_auc(hot, scores), sk.roc_auc_score(hot, scores, average="macro"))


def test_macro_roc_auc_leaves_out_a_class_without_positives():
    scores = np.random.default_rng(0).random((50, 3))
    truth = np.repeat([0, 1], 25)
    assert math.isclose(macro_roc_auc(truth, scores), np.mean([roc_auc(truth == k, scores[:, k]) for k in (0, 1)]))
    assert math.isnan(macro_roc_auc(np.zeros(50, dtype=int), scores))


def test_many_matrices_are_scored_as_each_alone():
    counts = np.random.default_rng(0).integers(0, 9, size=(5, 2, CLASSES, CLASSES))
    for score in (sensitivity, positive_predictivity, f1_score, accuracy, balanced_accuracy, macro_f1, cohen_kappa):
        alone = [[score(counts[i, j]) for j in range(2)] for i in range(5)]
        np.testing.assert_allclose(score(counts), alone)


@pytest.mark.parametrize("score", [accuracy, balanced_accuracy, macro_f1, cohen_kappa])
def test_a_perfect_prediction_scores_one_and_nothing_is_undefined(score):
    truth = np.array([0, 1, 2, 3, 1, 0])
    assert score(confusion_matrix(truth, truth, n_classes=CLASSES)) == 1
    assert math.isnan(score(np.zeros((CLASSES, CLASSES))))


def test_confusions_of_subjects_add_up():
    rng = np.random.default_rng(0)
    truth, predicted = rng.integers(-1, 3, 300), rng.integers(0, 3, 300)
    who = rng.choice(["b", "a", "c"], 300)
    ids, counts = confusion_by_subject(truth, predicted, who, n_classes=3)
    assert ids == ("a", "b", "c")
    for name, table in zip(ids, counts, strict=True):
        mine = (who == name) & (truth >= 0)
        assert np.array_equal(table, sk.confusion_matrix(truth[mine], predicted[mine], labels=range(3)))
    assert np.array_equal(counts.sum(axis=0), confusion_matrix(truth, predicted, n_classes=3))


def test_labels_become_indices():
    assert label_indices(["V", "N"], ("N", "V")).tolist() == [1, 0]
    assert label_indices(np.array(["V", "N"], dtype=object), ("N", "V")).tolist() == [1, 0]
    assert label_indices([1, -1], ("N", "V")).tolist() == [1, -1]
    assert label_indices([], ("N", "V")).tolist() == []


def test_labels_that_are_none_are_refused():
    with pytest.raises(ParameterError, match="no class 'n'; did you mean"):
        label_indices(["NN", "n"], ("NN", "nn"))
    with pytest.raises(ParameterError, match="labels must lie in -1 to 1 for 2 classes, got 0 to 2"):
        label_indices([0, 2], ("N", "V"))
    with pytest.raises(ParameterError, match="labels must be names or whole numbers, got float64"):
        label_indices([0.0, 1.0], ("N", "V"))


def test_what_does_not_fit_together_is_refused():
    with pytest.raises(DataError, match="differ in length: 2, 1, 2"):
        confusion_by_subject([0, 1], [0], ["a", "b"], n_classes=2)
    with pytest.raises(ParameterError, match="must lie in 0 to 1, got truth up to 2, predicted 0 to 0"):
        confusion_matrix([2], [0], n_classes=2)
    with pytest.raises(ParameterError, match="predicted -1 to 0"):
        confusion_matrix([0, 0], [0, -1], n_classes=2)
    with pytest.raises(DataError, match=r"must be \(\.\.\., classes, classes\), got shape \(2, 3\)"):
        accuracy(np.zeros((2, 3)))
    with pytest.raises(DataError, match="2 labels need as many finite scores, got 1"):
        roc_auc([0, 1], [0.1, np.nan])
    with pytest.raises(DataError, match=r"scores must be \(n, classes\) for 2 items, got shape \(3,\)"):
        macro_roc_auc([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(DataError, match=r"got shapes \(2, 3\) and \(2, 2\)"):
        macro_roc_auc(np.eye(3)[:2], np.zeros((2, 2)))
