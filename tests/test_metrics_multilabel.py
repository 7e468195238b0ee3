"""Multi-label scores against scikit-learn, draw by draw; intervals over whole patients; what is not known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, multilabel_confusion_matrix, roc_auc_score

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import MultiLabelScores, f1_thresholds, macro_roc_auc, multilabel_scores
from biosig_lstm.metrics._multilabel_kernels import weighted_auc_ap
from biosig_lstm.metrics.intervals import times_drawn

CLASSES = ("NORM", "AFIB", "LVH", "PVC")


def case(n: int = 300, *, seed: int = 0, decimals: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities with many ties, and patients of about two records each."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((n, len(CLASSES))) < [0.5, 0.1, 0.3, 0.05]).astype(int)
    probability = np.round(np.clip(rng.random(truth.shape) * 0.7 + 0.3 * truth, 0, 1), decimals)
    return truth, probability, np.array([f"p{k}" for k in rng.integers(0, n // 2, n)])


def scored(**how) -> MultiLabelScores:
    truth, probability, subjects = case()
    return multilabel_scores(truth, probability, subjects, classes=CLASSES, **how)


def test_values_are_those_of_scikit_learn():
    truth, probability, _ = case()
    scores = scored(thresholds=0.4)
    named = probability >= 0.4
    assert scores["macro_auc"].value == pytest.approx(roc_auc_score(truth, probability, average="macro"))
    assert scores["macro_ap"].value == pytest.approx(average_precision_score(truth, probability, average="macro"))
    assert scores["macro_f1"].value == pytest.approx(f1_score(truth, named, average="macro"))
    for k, name in enumerate(CLASSES):
        assert scores[f"auc_{name}"].value == pytest.approx(roc_auc_score(truth[:, k], probability[:, k]))
        assert scores[f"ap_{name}"].value == pytest.approx(average_precision_score(truth[:, k], probability[:, k]))
        assert scores[f"f1_{name}"].value == pytest.approx(f1_score(truth[:, k], named[:, k]))
    np.testing.assert_array_equal(scores.counts, multilabel_confusion_matrix(truth, named))
    assert scores["macro_auc"].value == pytest.approx(macro_roc_auc(truth, probability))


def test_limits_are_the_percentiles_of_scikit_learn_on_the_same_patients():
    truth, probability, subjects = case(120, seed=3)
    ids, code = np.unique(subjects, return_inverse=True)
    times = times_drawn(np.random.default_rng(5), size=60, n_subjects=len(ids))
    areas = []
    for row in times[:, code]:
        drawn = np.repeat(np.arange(len(truth)), row.astype(int))
        present = truth[drawn].any(axis=0)
        areas.append(roc_auc_score(truth[drawn][:, present], probability[drawn][:, present], average="macro"))
    interval = multilabel_scores(truth, probability, subjects, classes=CLASSES, seed=5, n_resamples=60)["macro_auc"]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])))


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1]), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=30),
)
def test_weighted_areas_are_those_of_scikit_learn(items):
    truth, score, weight = (np.array(column) for column in zip(*items, strict=True))
    weights = np.stack([weight, np.ones_like(weight)], axis=1).astype(np.int32)
    auc, ap = weighted_auc_ap(truth, score / 5.0, weights)
    for draw in range(2):
        kept = weights[:, draw] > 0
        if len(set(truth[kept])) == 2:
            w = weights[kept, draw]
            assert auc[draw] == pytest.approx(roc_auc_score(truth[kept], score[kept], sample_weight=w))
            assert ap[draw] == pytest.approx(average_precision_score(truth[kept], score[kept], sample_weight=w))
        else:
            assert math.isnan(auc[draw])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_any_rising_function_of_the_probability_leaves_the_areas(seed):
    truth, probability, subjects = case(60, seed=seed)
    one = multilabel_scores(truth, probability, subjects, classes=CLASSES, n_resamples=5)
    other = multilabel_scores(truth, np.exp(3 * probability) - 7, subjects, classes=CLASSES, n_resamples=5)
    for name in ("macro_auc", "macro_ap"):
        assert str(one[name]) == str(other[name])


def test_whole_patients_are_drawn():
    truth, probability, _ = case(200)
    twice = [np.concatenate([x, x]) for x in (truth, probability)]
    ids = np.array([f"p{k}" for k in range(200)])
    alone = multilabel_scores(truth, probability, ids, classes=CLASSES)
    same = multilabel_scores(*twice, np.concatenate([ids, ids]), classes=CLASSES)
    apart = multilabel_scores(*twice, [f"q{k}" for k in range(400)], classes=CLASSES)
    assert (same["macro_auc"].low, same["macro_auc"].high) == pytest.approx(
        (alone["macro_auc"].low, alone["macro_auc"].high)
    )
    width = [one["macro_auc"].high - one["macro_auc"].low for one in (same, apart)]
    assert width[1] < 0.85 * width[0]


def test_the_seed_decides_the_limits_and_nothing_else():
    one, same, other = scored(seed=1), scored(seed=1), scored(seed=2)
    assert one.metrics == same.metrics
    assert one["macro_auc"].value == other["macro_auc"].value
    assert one["macro_auc"].low != other["macro_auc"].low


def test_the_order_of_items_does_not_matter():
    truth, probability, subjects = case()
    order = np.random.default_rng(0).permutation(len(truth))
    turned = multilabel_scores(truth[order], probability[order], subjects[order], classes=CLASSES)
    assert turned.to_json() == scored().to_json()


def test_a_class_without_positives_or_without_negatives_is_in_no_mean():
    truth, probability, subjects = case()
    truth[:, 1], truth[:, 2] = 0, 1
    scores = multilabel_scores(truth, probability, subjects, classes=CLASSES)
    kept = [0, 3]
    assert scores["macro_auc"].value == pytest.approx(roc_auc_score(truth[:, kept], probability[:, kept]))
    assert math.isnan(scores["auc_AFIB"].value)
    assert math.isnan(scores["auc_LVH"].value)
    assert math.isnan(scores["f1_AFIB"].value)
    assert json.loads(scores.to_json())["metrics"]["auc_AFIB"] == {"value": None, "low": None, "high": None}


def test_labels_that_are_not_known_count_for_nothing():
    truth, probability, subjects = case()
    unknown = np.random.default_rng(1).random(len(truth)) < 0.3
    truth[unknown, 2] = -1
    scores = multilabel_scores(truth, probability, subjects, classes=CLASSES)
    known = ~unknown
    assert scores["auc_LVH"].value == pytest.approx(roc_auc_score(truth[known, 2], probability[known, 2]))
    assert scores["auc_NORM"].value == pytest.approx(roc_auc_score(truth[:, 0], probability[:, 0]))
    assert scores.counts[2].sum() == known.sum()
    truth[:10] = -1
    assert multilabel_scores(truth, probability, subjects, classes=CLASSES).n_items == len(truth) - 10


def test_one_patient_has_no_interval():
    truth, probability, _ = case(40)
    interval = multilabel_scores(truth, probability, ["p"] * 40, classes=CLASSES)["macro_auc"]
    assert interval.value == pytest.approx(macro_roc_auc(truth, probability))
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_the_best_threshold_is_that_of_every_one_tried():
    truth, probability, _ = case(200, seed=9)
    learned = f1_thresholds(truth, probability)
    for k in range(len(CLASSES)):
        tried = [f1_score(truth[:, k], probability[:, k] >= t, zero_division=0) for t in np.unique(probability[:, k])]
        assert f1_score(truth[:, k], probability[:, k] >= learned[k]) == pytest.approx(max(tried))
        assert learned[k] not in probability[:, k]


def test_what_has_no_positive_keeps_the_usual_threshold():
    assert f1_thresholds([[0, -1], [0, 1], [0, 0]], [[0.1, 0.9], [0.2, 0.6], [0.3, 0.2]]).tolist() == [0.5, 0.4]


def test_thresholds_change_f1_alone():
    usual, strict = scored(), scored(thresholds=[0.9, 0.8, 0.7, 0.6])
    assert strict["macro_auc"] == usual["macro_auc"]
    assert strict["f1_NORM"].value < usual["f1_NORM"].value
    assert strict.thresholds == (0.9, 0.8, 0.7, 0.6)
    assert strict.to_dict()["thresholds"] == dict(zip(CLASSES, strict.thresholds, strict=True))


def test_scores_say_what_they_hold():
    scores, (truth, _, subjects) = scored(), case()
    lines = repr(scores).splitlines()
    assert lines[0].startswith(f"Scores of 300 items of {len(set(subjects))} subjects")
    assert lines[1].split() == ["class", "n", "AUC", "AP", "F1"]
    assert lines[2].split()[:2] == ["NORM", str(truth[:, 0].sum())]
    assert "macro_auc" in repr(scores)
    assert "<td>macro_auc</td>" in scores._repr_html_()
    plain = json.loads(scores.to_json())
    assert plain["subjects"] == len(set(subjects))
    assert plain["positives"] == dict(zip(CLASSES, truth.sum(axis=0).tolist(), strict=True))
    tp = sum(of.get("NORM", {"tp": 0})["tp"] for of in plain["per_subject"].values())
    assert tp == plain["confusion"]["counts"][0][1][1]
    axes = scores.plot().axes[0]
    assert {text.get_text() for text in axes.get_xticklabels()} == set(CLASSES)


@pytest.mark.parametrize(
    ("truth", "probability", "message"),
    [
        ([[1, 0]], [[0.2, 0.3, 0.1]], r"must both be \(n, 2 classes\), got \(1, 2\) and \(1, 3\)"),
        ([1, 0], [0.2, 0.3], r"must both be \(n, 2 classes\), got \(2,\) and \(2,\)"),
        ([[2, 0]], [[0.2, 0.3]], r"labels must be 1, 0 or -1 \(not known\), got 0 to 2"),
        ([[1, 0]], [[0.2, float("nan")]], "probabilities must be finite, item 0 has others"),
        ([[-1, -1]], [[0.2, 0.1]], "nothing to score: no label of any item is known"),
        (np.zeros((0, 2), int), np.zeros((0, 2)), "nothing to score"),
    ],
)
def test_what_does_not_fit_is_refused(truth, probability, message):
    with pytest.raises(DataError, match=message):
        multilabel_scores(truth, probability, ["p"] * len(truth), classes=("A", "B"))


def test_parameters_out_of_range_are_refused():
    with pytest.raises(DataError, match="one subject for each of 300 items, got 2"):
        multilabel_scores(*case()[:2], ["a", "b"], classes=CLASSES)
    with pytest.raises(ParameterError, match=r"one threshold, or one for each of 4 classes, got shape \(2,\)"):
        scored(thresholds=[0.1, 0.2])
    with pytest.raises(ParameterError, match="n_resamples must be at least 1, got 0"):
        scored(n_resamples=0)
    with pytest.raises(ParameterError, match=r"confidence must lie between 0 and 1, got 1\.5"):
        scored(confidence=1.5)
