"""Scores of sleep stages against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import STAGE_CLASSES, WNR, merge_classes, stage_scores

STAGES = list(STAGE_CLASSES)


def drawn(seed: int, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.choice(STAGES, n, p=[0.3, 0.15, 0.4, 0.08, 0.07])
    said = np.where(rng.random(n) < 0.6, truth, rng.choice(STAGES, n))
    return truth, said, rng.choice(["a", "b", "c", "d"], n)


@pytest.mark.parametrize("seed", range(3))
def test_stages_score_as_scikit_learn_says(seed: int) -> None:
    truth, said, subjects = drawn(seed)
    scores = stage_scores(truth, said, subjects)
    assert scores["accuracy"].value == pytest.approx(sklearn_metrics.accuracy_score(truth, said))
    assert scores["kappa"].value == pytest.approx(sklearn_metrics.cohen_kappa_score(truth, said))
    assert scores["macro_f1"].value == pytest.approx(sklearn_metrics.f1_score(truth, said, average="macro"))
    each = sklearn_metrics.f1_score(truth, said, average=None, labels=STAGES)
    assert [scores[f"f1_{stage}"].value for stage in STAGES] == pytest.approx(each.tolist())


@pytest.mark.parametrize("seed", range(3))
def test_wake_sleep_and_rem_score_as_scikit_learn_says(seed: int) -> None:
    truth, said, subjects = drawn(seed)
    merged = [np.array([WNR[stage] for stage in stages]) for stages in (truth, said)]
    scores = stage_scores(truth, said, subjects)
    assert scores["accuracy_wnr"].value == pytest.approx(sklearn_metrics.accuracy_score(*merged))
    assert scores["kappa_wnr"].value == pytest.approx(sklearn_metrics.cohen_kappa_score(*merged))


def test_intervals_draw_subjects_and_hold_the_value() -> None:
    truth, said, subjects = drawn(4)
    scores = stage_scores(truth, said, subjects)
    for name in ("accuracy", "macro_f1", "kappa", "accuracy_wnr", "kappa_wnr"):
        assert scores[name].low <= scores[name].value <= scores[name].high
    alone = stage_scores(truth, said, np.full(len(truth), "a"))
    assert alone["kappa"].value == scores["kappa"].value
    assert np.isnan(alone["kappa"].low)
    assert scores.n_subjects == 4
    assert scores.n_items == len(truth)


def test_epochs_that_nobody_staged_are_left_out() -> None:
    truth, said, subjects = drawn(5)
    index = np.array([STAGES.index(stage) for stage in truth])
    guess = np.array([STAGES.index(stage) for stage in said])
    left_out = np.arange(len(index)) % 3 == 0
    got = stage_scores(np.where(left_out, -1, index), guess, subjects)
    expected = stage_scores(truth[~left_out], said[~left_out], subjects[~left_out])
    assert got.to_dict() == expected.to_dict()


def test_a_stage_that_never_comes_leaves_the_mean_alone() -> None:
    scores = stage_scores(["W", "N2", "N2"], ["W", "N2", "W"], ["a", "a", "b"])
    expected = sklearn_metrics.f1_score(["W", "N2", "N2"], ["W", "N2", "W"], average="macro")
    assert scores["macro_f1"].value == pytest.approx(expected)
    assert np.isnan(scores["f1_R"].value)


def test_the_first_five_metrics_are_those_of_the_protocol() -> None:
    scores = stage_scores(*drawn(6))
    assert list(scores.metrics)[:5] == ["accuracy", "macro_f1", "kappa", "accuracy_wnr", "kappa_wnr"]


@given(st.lists(st.integers(0, 40), min_size=25, max_size=25))
def test_merging_loses_no_epoch_and_only_ever_helps_the_accuracy(cells: list[int]) -> None:
    counts = np.array(cells).reshape(5, 5)
    merged = merge_classes(counts, classes=STAGES, into=WNR)
    assert merged.shape == (3, 3)
    assert merged.sum() == counts.sum()
    assert np.trace(merged) >= np.trace(counts)
    assert merged[1, 1] == counts[1:4, 1:4].sum()
    assert merged[0, 2] == counts[0, 4]


def test_merging_works_on_many_at_once() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (4, 2, 5, 5))
    merged = merge_classes(counts, classes=STAGES, into=WNR)
    np.testing.assert_array_equal(merged[3, 1], merge_classes(counts[3, 1], classes=STAGES, into=WNR))


def test_what_is_no_stage_is_refused() -> None:
    with pytest.raises(ParameterError, match="no class 'REM'; possible: "):
        stage_scores(["REM"], ["W"], ["a"])
    with pytest.raises(ParameterError, match="class to merge 'S4'; possible: "):
        merge_classes(np.eye(2), classes=["W", "S4"], into=WNR)
    with pytest.raises(DataError, match="subject"):
        stage_scores([], [], [])
