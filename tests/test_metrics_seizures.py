"""Scores of seizures against timescoring, the package of SzCORE, and against plain arithmetic."""

from __future__ import annotations

import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timescoring import annotations as reference_annotations
from timescoring import scoring as reference_scoring

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import SZCORE, SeizureRules, seizure_counts, seizure_scores

HOUR_S = 3600
Events = list[tuple[float, float]]


@st.composite
def event_lists(draw: st.DrawFn, duration_s: int = HOUR_S) -> Events:
    """Return events in order, none overlapping the next, at half seconds, some longer than five minutes."""
    gaps = draw(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 1500)), max_size=8))
    events, now = [], 0
    for gap, length in gaps:
        start, now = now + gap, now + gap + length
        if now > 2 * duration_s:
            break
        events.append((start / 2, now / 2))
    return events


def by_reference(kind: str, expert: Events, model: Events, duration_s: int = HOUR_S):
    fs = 10
    marks = [reference_annotations.Annotation(list(events), fs, duration_s * fs) for events in (expert, model)]
    return getattr(reference_scoring, kind)(*marks)


@settings(max_examples=100, deadline=None)
@given(event_lists(), event_lists())
def test_events_are_counted_as_timescoring_counts_them(expert: Events, model: Events) -> None:
    counts = seizure_counts(expert, model, duration_s=HOUR_S)
    other = by_reference("EventScoring", expert, model)
    assert (counts.seizures, counts.found, counts.false_alarms) == (other.refTrue, other.tp, other.fp)
    assert counts.alarms == len(other.hyp.events)


@settings(max_examples=60, deadline=None)
@given(event_lists(), event_lists())
def test_seconds_are_counted_as_timescoring_counts_them(expert: Events, model: Events) -> None:
    counts = seizure_counts(expert, model, duration_s=HOUR_S)
    other = by_reference("SampleScoring", expert, model)
    (both, missed), (extra, neither) = counts.seconds.tolist()
    assert (both, both + missed, extra) == (other.tp, other.refTrue, other.fp)
    assert both + missed + extra + neither == other.numSamples == HOUR_S


@settings(max_examples=25, deadline=None)
@given(event_lists(), event_lists(), event_lists(), event_lists())
def test_scores_are_those_of_timescoring(a: Events, b: Events, c: Events, d: Events) -> None:
    scores = seizure_scores([a, c], [b, d], ["x", "y"], duration_s=[HOUR_S, HOUR_S], n_resamples=5)
    for kind, prefix in (("EventScoring", "event"), ("SampleScoring", "sample")):
        parts = {"x": by_reference(kind, a, b), "y": by_reference(kind, c, d)}
        for ours, theirs in (("se", "sensitivity"), ("pp", "precision"), ("f1", "f1")):
            expected = {name: float(getattr(part, theirs)) for name, part in parts.items()}
            for name in parts:
                assert scores.by_subject[name][f"{prefix}_{ours}"] == pytest.approx(expected[name], nan_ok=True)
            known = [value for value in expected.values() if not math.isnan(value)]
            mean = statistics.fmean(known) if known else math.nan
            assert scores[f"{prefix}_{ours}_mean_of_subjects"].value == pytest.approx(mean, nan_ok=True)
        true, hits, false = (sum(getattr(part, n) for part in parts.values()) for n in ("refTrue", "tp", "fp"))
        assert scores[f"{prefix}_se"].value == pytest.approx(hits / true if true else math.nan, nan_ok=True)
        alarms = hits + false
        assert scores[f"{prefix}_pp"].value == pytest.approx(hits / alarms if alarms else math.nan, nan_ok=True)
    rates = [by_reference("EventScoring", *pair).fpRate for pair in ((a, b), (c, d))]
    assert scores["false_alarms_per_day"].value == pytest.approx(statistics.fmean(rates))


@settings(max_examples=60, deadline=None)
@given(event_lists(), event_lists())
def test_the_order_of_events_does_not_matter(expert: Events, model: Events) -> None:
    there = seizure_counts(expert, model, duration_s=HOUR_S)
    back = seizure_counts(expert[::-1], model[::-1], duration_s=HOUR_S)
    assert there[:4] == back[:4]
    np.testing.assert_array_equal(there.seconds, back.seconds)
    np.testing.assert_array_equal(there.delays_s, back.delays_s)


@pytest.mark.parametrize(
    ("model", "found", "false_alarms"),
    [
        ((960.0, 970.0), 0, 1),  # ends where the 30 s before the onset begin
        ((960.0, 970.1), 1, 0),
        ((1159.9, 1165.0), 1, 0),
        ((1160.0, 1165.0), 0, 1),  # 60 s after the end
    ],
)
def test_tolerances_reach_so_far_and_no_further(model, found, false_alarms) -> None:
    counts = seizure_counts([(1000, 1100)], [model], duration_s=HOUR_S)
    assert (counts.found, counts.false_alarms) == (found, false_alarms)


def test_events_less_than_90_s_apart_are_one_and_long_ones_are_split() -> None:
    apart = seizure_counts([(100, 110), (200, 210)], [], duration_s=HOUR_S)
    close = seizure_counts([(100, 110), (199.9, 210)], [], duration_s=HOUR_S)
    assert (apart.seizures, close.seizures) == (2, 1)
    assert seizure_counts([(0, 300)], [], duration_s=HOUR_S).seizures == 1
    assert seizure_counts([(0, 300.1)], [], duration_s=HOUR_S).seizures == 2
    other = SeizureRules(merge_s=0, longest_s=60, before_s=0, after_s=0)
    assert seizure_counts([(0, 150), (151, 160)], [], duration_s=HOUR_S, rules=other).seizures == 4


def test_events_that_overlap_are_one() -> None:
    counts = seizure_counts([(100, 400), (150, 200)], [], duration_s=HOUR_S)
    assert counts.seizures == 1
    assert counts.seconds[0].sum() == 300


def test_delay_is_from_the_onset_to_the_first_detection_and_may_be_negative() -> None:
    expert = [(100, 160), (1000, 1700), (2500, 2600)]
    model = [(90, 120), (1010, 1020), (2400, 2700), (3300, 3310)]
    counts = seizure_counts(expert, model, duration_s=HOUR_S)
    assert counts.delays_s.tolist() == [-10.0, 10.0, -30.0]
    assert (counts.seizures, counts.found) == (5, 3)
    later = seizure_counts([(1000, 1030)], [(1080, 1090)], duration_s=HOUR_S)
    assert later.delays_s.tolist() == [80.0]
    assert not len(seizure_counts([(1000, 1030)], [(100, 110)], duration_s=HOUR_S).delays_s)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(-30, 60), min_size=1, max_size=6), min_size=1, max_size=4))
def test_mean_and_median_of_delays(delays_s: list[list[int]]) -> None:
    onsets = [400 + 500 * k for k in range(6)]
    expert = [[(onset, onset + 10) for onset in onsets[: len(each)]] for each in delays_s]
    model = [[(onset + d, onset + d + 0.5) for onset, d in zip(onsets, each, strict=False)] for each in delays_s]
    scores = seizure_scores(
        expert, model, [f"s{k}" for k in range(len(expert))], duration_s=[HOUR_S] * len(expert), n_resamples=5
    )
    every = [d for each in delays_s for d in each]
    assert scores["delay_s_mean"].value == pytest.approx(statistics.fmean(every))
    assert scores["delay_s_median"].value == pytest.approx(statistics.median(every))
    means = [statistics.median(each) for each in delays_s]
    assert scores["delay_s_median_mean_of_subjects"].value == pytest.approx(statistics.fmean(means))


def test_intervals_draw_subjects_and_hold_the_value() -> None:
    rng = np.random.default_rng(0)
    expert = [[(600, 660), (2000, 2080)] for _ in range(12)]
    model = [[(605, 640)] + ([(2010, 2020)] if rng.random() < 0.5 else [(3000, 3005)]) for _ in range(12)]
    subjects = [f"s{k // 2}" for k in range(12)]
    scores = seizure_scores(expert, model, subjects, duration_s=[HOUR_S] * 12)
    for name, interval in scores.metrics.items():
        if not math.isnan(interval.value):
            assert interval.low <= interval.value <= interval.high, name
    assert scores["event_se"].low < scores["event_se"].high
    assert scores.n_subjects == 6
    assert scores.n_items == 12 * HOUR_S
    alone = seizure_scores(expert, model, ["s"] * 12, duration_s=[HOUR_S] * 12)
    assert alone["event_se"].value == scores["event_se"].value
    assert math.isnan(alone["event_se"].low)


def test_a_patient_without_seizures_counts_for_false_alarms_alone() -> None:
    scores = seizure_scores([[(100, 130)], []], [[(110, 120)], [(50, 60)]], ["a", "b"], duration_s=[HOUR_S, HOUR_S])
    assert math.isnan(scores.by_subject["b"]["event_se"])
    assert scores["event_se_mean_of_subjects"].value == 1
    assert scores["false_alarms_per_day"].value == pytest.approx(12)
    assert scores["false_alarms_per_day_mean_of_subjects"].value == pytest.approx(12)
    assert scores["delay_s_mean"].value == 10


def test_scores_go_to_json_and_are_readable() -> None:
    nothing = seizure_scores([[]], [[]], ["a"], duration_s=[60.0])
    said = json.loads(nothing.to_json())
    assert said["events"]["a"]["event_se"] is None
    assert said["events"]["a"]["false_alarms_per_day"] == 0
    assert said["metrics"]["delay_s_median"]["value"] is None
    assert said["per_subject"]["a"]["seizure"] == {"tp": 0, "fp": 0, "fn": 0}
    text = repr(nothing)
    assert "false_alarms_per_day  0.000" in text
    assert "\nmean of subjects\n" in text


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([(100, 90)], "event from 100 to 90 s must end after it begins, within 0 to 3600 s"),
        ([(-1, 90)], "event from -1 to 90 s"),
        ([(3599, 3601)], "event from 3599 to 3601 s"),
        ([(float("nan"), 3)], "event from nan to 3 s"),
        ([1.0, 2.0], r"rows of onset and end in seconds, got shape \(2,\)"),
    ],
)
def test_events_that_cannot_be_are_refused(events, message) -> None:
    with pytest.raises(DataError, match=message):
        seizure_counts([], events, duration_s=HOUR_S)
    with pytest.raises(DataError, match=f"recording 1: .*{message}"):
        seizure_scores([[], []], [[], events], ["a", "b"], duration_s=[HOUR_S, HOUR_S])


def test_lists_of_other_lengths_and_odd_rules_are_refused() -> None:
    with pytest.raises(DataError, match="one or more recordings with reference, events, subject and length"):
        seizure_scores([[]], [[], []], ["a"], duration_s=[60.0])
    with pytest.raises(DataError, match="one or more recordings"):
        seizure_scores([], [], [], duration_s=[])
    with pytest.raises(DataError, match="must last a positive number of seconds, got 0"):
        seizure_counts([], [], duration_s=0)
    with pytest.raises(ParameterError, match="times of the rules must be finite, 0 s or more"):
        SeizureRules(merge_s=-1)
    with pytest.raises(ParameterError, match="the longest above 0"):
        SeizureRules(longest_s=0)
    assert SeizureRules(30, 60, 90, 300) == SZCORE
