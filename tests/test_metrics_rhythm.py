"""Scores of rhythm: the challenge of 2017 against scikit-learn, episodes against counting sample by sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.rhythms import join_stretches, rhythm_changes, rhythm_stretches, voted_stretches
from biosig_lstm.metrics.episodes import episode_counts, episode_scores
from biosig_lstm.metrics.rhythm import CINC2017_CLASSES, cinc2017_scores

Array = np.ndarray[Any, Any]


def stretches(*spans: tuple[int, int]) -> Annotations:
    return Annotations([a for a, _ in spans], [b for _, b in spans], ["(AFIB"] * len(spans))


def mask(marks: Annotations, n: int) -> Array:
    inside = np.zeros(n, dtype=bool)
    for start, stop in zip(marks.starts.tolist(), marks.stops.tolist(), strict=True):
        inside[start:stop] = True
    return inside


def spans_of(inside: Array) -> Annotations:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(int), [0]])))
    return stretches(*zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def test_f1_is_that_of_scikit_learn_and_noise_does_not_count_in_the_mean() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(CINC2017_CLASSES, 300, p=[0.6, 0.1, 0.25, 0.05])
    said = np.where(rng.random(300) < 0.7, truth, rng.choice(CINC2017_CLASSES, 300))
    scores = cinc2017_scores(truth, said, [f"r{k}" for k in range(300)], n_resamples=50)
    expected = f1_score(truth, said, labels=list(CINC2017_CLASSES), average=None)
    found = [scores[f"f1_{name}"].value for name in ("N", "A", "O", "P")]
    np.testing.assert_allclose(found, expected)
    assert scores["f1_cinc"].value == pytest.approx(expected[:3].mean())
    assert scores["f1_cinc"].low < scores["f1_cinc"].value < scores["f1_cinc"].high
    assert scores.n_subjects == 300


def test_labels_without_truth_are_left_out_and_others_refused() -> None:
    scores = cinc2017_scores([0, -1, 1], [0, 1, 1], ["a", "b", "c"], n_resamples=10)
    assert scores.n_items == 2
    with pytest.raises(ParameterError, match="no class 'X'"):
        cinc2017_scores(["X"], ["N"], ["a"])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_counts_are_those_of_every_sample(samples: list[tuple[bool, bool]]) -> None:
    expert, model = (np.array(column) for column in zip(*samples, strict=True))
    reference, found = spans_of(expert), spans_of(model)
    counts = episode_counts(reference, found, n_samples=len(samples), fs=2.0)
    assert counts["both"] * 2 == (expert & model).sum()
    assert counts["missed"] * 2 == (expert & ~model).sum()
    assert counts["extra"] * 2 == (~expert & model).sum()
    assert counts["neither"] * 2 == (~expert & ~model).sum()
    hits = [bool(model[a:b].any()) for a, b in zip(reference.starts, reference.stops, strict=True)]
    right = [bool(expert[a:b].any()) for a, b in zip(found.starts, found.stops, strict=True)]
    assert (counts["found"], counts["not_found"]) == (sum(hits), len(hits) - sum(hits))
    assert (counts["right"], counts["wrong"]) == (sum(right), len(right) - sum(right))
    assert counts["off"] == pytest.approx(abs(expert.mean() - model.mean()))


def test_scores_of_several_recordings_are_gross() -> None:
    reference = [stretches((0, 600), (800, 900)), stretches()]
    found = [stretches((300, 600)), stretches((0, 100))]
    scores = episode_scores(reference, found, ["a", "b"], n_samples=[1000, 1000], fs=[10.0, 10.0], n_resamples=50)
    values = {name: round(interval.value, 4) for name, interval in scores.metrics.items()}
    assert values == {
        "episode_se": 0.5, "episode_pp": 0.5, "duration_se": round(300 / 700, 4), "duration_pp": 0.75,
        "specificity": round(1200 / 1300, 4), "burden_error": 0.25,
    }  # fmt: skip
    assert scores.counts.tolist() == [[30, 40], [10, 120]]


def test_where_there_is_nothing_to_find_nothing_is_said_of_it() -> None:
    scores = episode_scores([stretches()], [stretches()], ["a"], n_samples=[100], fs=[1.0])
    assert np.isnan(scores["episode_se"].value)
    assert np.isnan(scores["duration_pp"].value)
    assert (scores["specificity"].value, scores["burden_error"].value) == (1.0, 0.0)


def test_episodes_that_overlap_or_lie_outside_are_refused() -> None:
    with pytest.raises(DataError, match="one after the other within 100 samples"):
        episode_counts(stretches((0, 50), (40, 60)), stretches(), n_samples=100, fs=1.0)
    with pytest.raises(DataError, match="one after the other within 100 samples"):
        episode_counts(stretches(), stretches((90, 101)), n_samples=100, fs=1.0)
    with pytest.raises(DataError, match="reference, episodes and subject each, got 1"):
        episode_scores([stretches()], [], ["a"], n_samples=[10], fs=[1.0])
    with pytest.raises(DataError, match="got 0"):
        episode_scores([], [], [], n_samples=[], fs=[])


def test_a_rhythm_lasts_until_the_next_change_or_the_end() -> None:
    notes = ["(N", "(AFIB", "", "(AFL", "(AFIB", "(AFIB"]
    marks = Annotations([5, 100, 120, 200, 300, 350], labels=["+", "+", "N", "+", "+", "+"], notes=notes)
    found = rhythm_stretches(marks, n_samples=400)
    assert (found.starts.tolist(), found.stops.tolist()) == ([100, 300], [200, 400])
    both = rhythm_stretches(marks, n_samples=400, rhythms=("(AFIB", "(AFL"))
    assert (both.starts.tolist(), both.stops.tolist()) == ([100], [400])
    assert len(rhythm_stretches(Annotations(), n_samples=400)) == 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_changes_of_rhythm_read_back_as_the_stretches_they_were(samples: list[bool]) -> None:
    found = spans_of(np.array(samples))
    again = rhythm_stretches(rhythm_changes(found, n_samples=len(samples)), n_samples=len(samples))
    assert again == found


def test_gaps_are_bridged_before_short_stretches_go() -> None:
    found = join_stretches(stretches((0, 10), (12, 20), (40, 45), (80, 100)), gap_samples=2, shortest_samples=10)
    assert (found.starts.tolist(), found.stops.tolist()) == ([0, 80], [20, 100])
    nested = join_stretches(stretches((0, 50), (10, 20), (30, 60)))
    assert (nested.starts.tolist(), nested.stops.tolist()) == ([0], [60])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 30), st.integers(1, 15), st.integers(0, 4), st.integers(0, 4)),
        min_size=1,
        max_size=12,
    )
)
def test_votes_are_the_weighted_mean_over_each_sample(windows: list[tuple[int, int, int, int]]) -> None:
    starts, widths, votes, weights = (np.array(column) for column in zip(*windows, strict=True))
    found = voted_stretches(starts, starts + widths, votes / 4, weights=weights / 4, threshold=0.4)
    expected = np.zeros(50, dtype=bool)
    for k in range(50):
        over = (starts <= k) & (k < starts + widths) & (weights > 0)
        if over.any():
            expected[k] = np.average(votes[over] / 4, weights=weights[over]) > 0.4 + 1e-12
    np.testing.assert_array_equal(mask(found, 50), expected)


def test_windows_that_are_none_are_refused() -> None:
    with pytest.raises(ParameterError, match="a start, a later stop, a vote and a weight"):
        voted_stretches([0], [0], [0.5])
    with pytest.raises(ParameterError, match="got 1, 1, 2 and 2"):
        voted_stretches([0], [1], [0.5, 0.5])
    with pytest.raises(ParameterError, match="a weight of 0 or more"):
        voted_stretches([0], [1], [0.5], weights=[-1.0])
