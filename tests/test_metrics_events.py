"""Matching of instants: optimal by a solver of the general problem, and beside wfdb."""

from __future__ import annotations

import numpy as np
import pytest
import wfdb
import wfdb.processing
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import AAMI, event_scores, match_events

instants = st.lists(st.integers(0, 120), max_size=14)
tolerances = st.integers(0, 40)


def solve(reference, detected, tolerance):
    """Return the most pairs possible and the least sum of distances, by the Hungarian method."""
    if not reference or not detected:
        return 0, 0
    distance = np.abs(np.subtract.outer(reference, detected))
    out_of_reach = 10_000
    rows, columns = linear_sum_assignment(np.where(distance <= tolerance, distance, out_of_reach))
    chosen = distance[rows, columns]
    return int((chosen <= tolerance).sum()), int(chosen[chosen <= tolerance].sum())


@settings(max_examples=300, deadline=None)
@given(instants, instants, tolerances)
def test_as_many_pairs_as_can_be_and_the_nearest(reference, detected, tolerance):
    pairs, missed, extra = match_events(reference, detected, tolerance_samples=tolerance)
    distance = np.abs(np.array(reference, dtype=int)[pairs[:, 0]] - np.array(detected, dtype=int)[pairs[:, 1]])
    assert (distance <= tolerance).all()
    assert (len(pairs), distance.sum()) == solve(reference, detected, tolerance)
    assert sorted([*pairs[:, 0], *missed]) == list(range(len(reference)))
    assert sorted([*pairs[:, 1], *extra]) == list(range(len(detected)))


@settings(max_examples=100, deadline=None)
@given(instants, instants, tolerances)
def test_either_list_may_be_the_reference(reference, detected, tolerance):
    there = match_events(reference, detected, tolerance_samples=tolerance)
    back = match_events(detected, reference, tolerance_samples=tolerance)
    assert (len(there.pairs), len(there.missed), len(there.extra)) == (
        len(back.pairs),
        len(back.extra),
        len(back.missed),
    )


def test_indices_are_of_the_lists_as_they_came():
    match = match_events([300, 100], [400, 302, 99], tolerance_samples=10)
    assert match.pairs.tolist() == [[1, 2], [0, 1]]
    assert match.missed.tolist() == []
    assert match.extra.tolist() == [0]


@pytest.mark.parametrize(("distance", "n_pairs"), [(54, 1), (55, 0), (-54, 1), (-55, 0)])
def test_the_tolerance_itself_is_within(distance, n_pairs):
    assert len(match_events([1000], [1000 + distance], tolerance_samples=54).pairs) == n_pairs


def detections_of(reference, rng, *, jitter=20, lost=0.02, invented=0.02):
    kept = reference[rng.random(len(reference)) > lost]
    noise = rng.integers(0, reference[-1], int(len(reference) * invented))
    return np.unique(np.concatenate([kept + rng.integers(-jitter, jitter + 1, len(kept)), noise]))


def compare_with_wfdb(reference, detected):
    theirs = wfdb.processing.compare_annotations(reference, detected, 54)
    match = match_events(reference, detected, tolerance_samples=54)
    assert len(match.pairs) >= theirs.tp
    assert (len(match.pairs), len(match.missed), len(match.extra)) == (theirs.tp, theirs.fn, theirs.fp)


@pytest.mark.parametrize("seed", range(3))
def test_counts_agree_with_wfdb(seed):
    rng = np.random.default_rng(seed)
    reference = np.cumsum(rng.integers(150, 500, 2000))
    compare_with_wfdb(reference, detections_of(reference, rng))


@pytest.mark.parametrize("record", ["101", "208"])
def test_counts_agree_with_wfdb_on_real_beats(data_root, record):
    marks = wfdb.rdann(str(data_root("mitdb") / record), "atr")
    beats = marks.sample[np.isin(marks.symbol, list(AAMI))]
    compare_with_wfdb(beats, detections_of(beats, np.random.default_rng(0)))


def test_a_wide_tolerance_over_many_events_is_still_solved():
    reference = np.arange(0, 30_000, 10)
    match = match_events(reference, reference + 3, tolerance_samples=500)
    assert match.pairs.tolist() == [[k, k] for k in range(3000)]


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ParameterError, match="tolerance_samples must be 0 or more, got -1"):
        match_events([1], [1], tolerance_samples=-1)


def test_a_detector_is_scored_over_recordings():
    scores = event_scores(
        [[100, 200, 300], [50], [10, 20]], [[101, 300, 400], [50], [10, 20]], ["a", "a", "b"], tolerance_samples=5
    )
    assert scores["se"].value == 5 / 6
    assert scores["pp"].value == 5 / 6
    assert scores["f1"].value == 5 / 6
    assert scores.counts.tolist() == [[5, 1], [1, 0]]
    assert scores.per_subject["a"].tolist() == [[3, 1], [1, 0]]
    assert scores["se"].low <= 5 / 6 <= scores["se"].high


def test_each_recording_may_have_its_tolerance():
    said = {"reference": [[100], [100]], "detected": [[110], [110]], "subjects": ["a", "b"]}
    assert event_scores(**said, tolerance_samples=[10, 9]).counts.tolist() == [[1, 1], [1, 0]]
    with pytest.raises(ParameterError, match="one tolerance for each of 2 recordings, got 1"):
        event_scores(**said, tolerance_samples=[10])
    with pytest.raises(DataError, match="one reference, detection and subject each, got 2, 2 and 1"):
        event_scores([[1], [2]], [[1], [2]], ["a"], tolerance_samples=1)


def test_a_tolerance_that_reaches_everything_is_refused():
    with pytest.raises(ParameterError, match="leaves 20000 detections in reach of each of 20000 events"):
        match_events(np.arange(20_000), np.arange(20_000), tolerance_samples=20_000)
