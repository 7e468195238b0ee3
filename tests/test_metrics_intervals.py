"""Intervals over subjects: what they cover, what they hold, when there is none."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import Interval, bootstrap_by_subject, intervals_by_subject


def share(counts):
    total = counts.sum(axis=-1)
    return np.divide(counts[..., 0], total, out=np.full(total.shape, np.nan), where=total > 0)


tables = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=2, max_size=8)


@settings(max_examples=80, deadline=None)
@given(tables, st.integers(0, 99))
def test_the_interval_holds_the_value_and_the_seed_decides(counts, seed):
    interval = bootstrap_by_subject(counts, share, n_resamples=200, seed=seed)
    again = bootstrap_by_subject(counts, share, n_resamples=200, seed=seed)
    assert interval.to_dict() == again.to_dict()
    if not np.sum(counts):
        assert interval.to_dict() == {"value": None, "low": None, "high": None}
        return
    assert interval.value == share(np.sum(counts, axis=0))
    assert 0 <= interval.low <= interval.value <= interval.high <= 1


def test_other_seeds_draw_others():
    counts = np.random.default_rng(0).integers(1, 50, (8, 2))
    assert bootstrap_by_subject(counts, share, seed=0) != bootstrap_by_subject(counts, share, seed=1)


def test_limits_agree_with_scipy():
    per_subject = np.random.default_rng(0).normal(5, 2, 40)
    mine = bootstrap_by_subject(np.column_stack([per_subject, np.ones(40)]), lambda n: n[:, 0] / n[:, 1],
                                n_resamples=20_000, confidence=0.9)  # fmt: skip
    theirs = scipy.stats.bootstrap(
        (per_subject,), np.mean, n_resamples=20_000, confidence_level=0.9, method="percentile", random_state=1
    ).confidence_interval
    assert math.isclose(mine.value, per_subject.mean())
    assert np.allclose([mine.low, mine.high], theirs, atol=0.03)


def test_whole_subjects_are_drawn():
    """Of two subjects, one all right and one all wrong, a quarter of the draws are the one alone."""
    interval = bootstrap_by_subject([[1000, 0], [0, 1000]], share)
    assert (interval.value, interval.low, interval.high) == (0.5, 0.0, 1.0)
    alike = bootstrap_by_subject([[500, 500], [500, 500]], share)
    assert (alike.low, alike.high) == (0.5, 0.5)


def test_wider_confidence_is_wider():
    counts = np.random.default_rng(0).integers(1, 50, (8, 2))
    narrow, wide = (bootstrap_by_subject(counts, share, confidence=c) for c in (0.5, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_resamples_without_the_class_are_left_out():
    """The class occurs in one subject of three: where it was drawn, its share is 0.9, whoever else was."""
    interval = bootstrap_by_subject([[90, 10], [0, 0], [0, 0]], share)
    assert (interval.value, interval.low, interval.high) == (0.9, 0.9, 0.9)


def test_one_subject_has_a_value_and_no_interval():
    interval = bootstrap_by_subject([[3, 1]], share)
    assert interval.to_dict() == {"value": 0.75, "low": None, "high": None}
    assert str(interval) == "0.750 [-, -]"


def test_an_undefined_value_has_no_interval():
    interval = bootstrap_by_subject([[0, 0], [0, 0]], share)
    assert math.isnan(interval.low)
    assert str(interval) == "-"
    assert json.dumps(interval.to_dict(), allow_nan=False) == '{"value": null, "low": null, "high": null}'


def test_named_statistics_share_their_resamples():
    counts = np.random.default_rng(0).integers(1, 50, (8, 2))
    both = intervals_by_subject(counts, lambda n: {"a": share(n), "b": 1 - share(n)}, seed=4)
    assert list(both) == ["a", "b"]
    assert both["a"] == bootstrap_by_subject(counts, share, seed=4)
    assert np.allclose([both["b"].low, both["b"].high], [1 - both["a"].high, 1 - both["a"].low])


def test_many_subjects_are_drawn_in_blocks():
    counts = np.random.default_rng(0).integers(0, 2, (5000, 1))
    ones = np.column_stack([counts, np.ones(5000)])
    interval = bootstrap_by_subject(ones, lambda n: n[:, 0] / n[:, 1], n_resamples=1000)
    assert np.isclose(interval.high - interval.low, 2 * 1.96 * np.sqrt(0.25 / 5000), rtol=0.1)


def test_what_cannot_be_resampled_is_refused():
    with pytest.raises(DataError, match=r"counts of at least one subject are needed, got shape \(0, 2\)"):
        bootstrap_by_subject(np.zeros((0, 2)), share)
    with pytest.raises(DataError, match="counts must be finite, subject 1 has others"):
        bootstrap_by_subject([[1, 2], [np.nan, 1]], share)
    with pytest.raises(ParameterError, match="n_resamples must be at least 1, got 0"):
        bootstrap_by_subject([[1, 2]], share, n_resamples=0)
    with pytest.raises(ParameterError, match="confidence must lie between 0 and 1, got 95"):
        bootstrap_by_subject([[1, 2]], share, confidence=95)


def test_an_interval_reads_well():
    assert str(Interval(0.5, 0.25, 0.75)) == "0.500 [0.250, 0.750]"
