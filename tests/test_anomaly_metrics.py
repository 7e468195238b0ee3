"""Scores of anomalies against scikit-learn, thresholds against counting, alarms by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import (
    alarm_events,
    alarm_scores,
    alarm_threshold,
    anomaly_scores,
    average_precision,
    ranking_differences,
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=1, max_size=40))
def test_average_precision_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    truth, score = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    found = average_precision(truth, score)
    if truth.any():
        assert found == pytest.approx(average_precision_score(truth, score), abs=1e-12)
    else:
        assert np.isnan(found)


def test_rankings_of_many_windows_are_those_of_scikit_learn_inside_their_intervals() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(3000) < 0.1
    scores, subjects = rng.normal(size=3000) + 1.2 * truth, rng.integers(0, 9, 3000).astype(str)
    found = anomaly_scores(truth, scores, subjects)
    assert found["auroc"].value == pytest.approx(roc_auc_score(truth, scores), abs=1e-12)
    assert found["average_precision"].value == pytest.approx(average_precision_score(truth, scores), abs=1e-12)
    assert found["prevalence"].value == pytest.approx(truth.mean())
    for name in ("auroc", "average_precision"):
        assert found[name].low < found[name].value < found[name].high
    assert found.n_subjects == 9
    assert found.counts.tolist() == [[0, int(truth.sum())], [0, int((~truth).sum())]]


def test_levels_for_intervals_cost_little() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(5000) < 0.2
    scores = rng.normal(size=5000) + truth
    levels = anomaly_scores(truth, np.round(scores, 1), np.repeat("a", 5000))
    assert levels["auroc"].value == pytest.approx(roc_auc_score(truth, np.round(scores, 1)), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=60), st.floats(1, 2000), st.floats(0, 3), st.integers(1, 3),
)  # fmt: skip
def test_a_threshold_keeps_its_rate_and_gives_none_away(
    scores: list[float], rate: float, merge_s: float, n_recordings: int
) -> None:
    n = len(scores)
    starts = np.arange(n, dtype=float)
    names = np.arange(n) * n_recordings // n
    threshold = alarm_threshold(scores, starts, starts + 1, false_alarms_per_h=rate, recordings=names, merge_s=merge_s)
    allowed = int(rate * n / 3600)

    def alarms(level: float) -> int:
        return len(alarm_events(scores, starts, starts + 1, threshold=level, recordings=names, merge_s=merge_s)[0])

    assert alarms(threshold) <= allowed
    lower = [level for level in [*scores, np.nextafter(min(scores), -np.inf)] if level < threshold]
    if lower:
        assert alarms(max(lower)) > allowed


def test_hours_that_overlap_count_once() -> None:
    starts = np.arange(0, 3600, 1.0)
    scores = np.zeros(3600)
    scores[::60] = np.arange(60) + 1.0
    threshold = alarm_threshold(scores, starts, starts + 2, false_alarms_per_h=10)
    assert threshold == 50
    assert len(alarm_events(scores, starts, starts + 2, threshold=threshold).rows) == 10


def test_alarms_join_what_touches_and_stay_in_their_recording() -> None:
    found = alarm_events(
        [9, 1, 8, 7, 9], [0, 1, 2, 3, 4], [1, 2, 3, 4, 5], threshold=5, recordings=["a", "a", "a", "b", "b"]
    )
    assert list(zip(found.starts_s, found.stops_s, found.peaks, found.rows, strict=True)) == [
        (0, 1, 9, 0), (2, 3, 8, 2), (3, 5, 9, 3)
    ]  # fmt: skip
    merged = alarm_events([9, 1, 8], [0, 1, 2], [1, 2, 3], threshold=5, merge_s=1.0)
    assert (merged.starts_s.tolist(), merged.stops_s.tolist()) == ([0], [3])
    assert alarm_events([], [], [], threshold=0).rows.tolist() == []


def test_alarms_against_events_by_hand() -> None:
    scores = alarm_scores(
        [[[100, 110], [200, 210]], []], [[[104, 108], [500, 501]], [[5, 6]]], ["a", "b"], duration_s=[1800, 1800]
    )
    assert scores["event_se"].value == 0.5
    assert scores["event_pp"].value == pytest.approx(1 / 3)
    assert scores["false_alarms_per_h"].value == 2
    assert scores["delay_s_median"].value == 4
    early = alarm_scores([[[100, 110]]], [[[90, 120]]], ["a"], duration_s=[1800])
    assert early["delay_s_mean"].value == 0


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(DataError, match="2 labels need as many finite scores, got 1"):
        average_precision([0, 1], [0.5, np.nan])
    with pytest.raises(DataError, match="one or more windows with truth, score and subject each"):
        anomaly_scores([0, 1], [0.5], ["a", "b"])
    with pytest.raises(ParameterError, match="false_alarms_per_h must be positive, got 0"):
        alarm_threshold([1.0], [0.0], [1.0], false_alarms_per_h=0)
    with pytest.raises(DataError, match="no threshold without normal windows"):
        alarm_threshold([], [], [], false_alarms_per_h=1)
    with pytest.raises(DataError, match="2 scores need as many starts, stops and recordings"):
        alarm_events([1, 2], [0], [1], threshold=0)
    with pytest.raises(DataError, match="a score is not a number, or a window ends before it begins"):
        alarm_events([1], [2], [1], threshold=0)


def test_differences_are_those_of_scikit_learn_and_narrower_than_two_intervals() -> None:
    rng = np.random.default_rng(4)
    subjects = rng.integers(0, 12, 4000).astype(str)
    hard = rng.normal(size=12)[np.unique(subjects, return_inverse=True)[1]]
    truth = rng.random(4000) < 0.15
    better = rng.normal(size=4000) + (2.0 + hard) * truth
    worse = better + 0.8 * rng.normal(size=4000)
    found = ranking_differences(truth, better, worse, subjects)
    expected = {
        "auroc": roc_auc_score(truth, better) - roc_auc_score(truth, worse),
        "average_precision": average_precision_score(truth, better) - average_precision_score(truth, worse),
    }
    alone = anomaly_scores(truth, better, subjects)
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=1e-12)
        assert 0 < found[name].low < found[name].value < found[name].high
        assert found[name].high - found[name].low < alone[name].high - alone[name].low
    turned = ranking_differences(truth, worse, better, subjects)
    assert turned["auroc"].low == pytest.approx(-found["auroc"].high, abs=1e-9)


def test_a_score_does_not_differ_from_itself_or_from_what_ranks_alike() -> None:
    rng = np.random.default_rng(5)
    truth, subjects = rng.random(300) < 0.3, rng.integers(0, 4, 300).astype(str)
    scores = np.round(rng.normal(size=300) + truth, 1)
    for other in (scores, np.exp(scores)):
        found = ranking_differences(truth, scores, other, subjects, n_resamples=50)
        for interval in found.values():
            assert (interval.low, interval.value, interval.high) == pytest.approx((0, 0, 0), abs=1e-12)
    with pytest.raises(DataError, match="one or more windows with truth, score and subject each"):
        ranking_differences(truth, scores, scores[:-1], subjects)
