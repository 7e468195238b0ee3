"""The audit: every way in which a test set can be known beforehand, refused by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Windows
from biosig_lstm.errors import LeakageError, ParameterError
from biosig_lstm.metrics import AAMI, AAMI_CLASSES
from biosig_lstm.splits import audit, split_by_subject


def runs_of_beats(recordings, *, run=10, order="time", stride=None, subjects=None):
    """Return runs of beats; `recordings` maps a name to (positions, labels); order "time" or "label"."""
    positions, labels, names = [], [], []
    for name, (where, what) in recordings.items():
        by = np.argsort(what, kind="stable") if order == "label" else np.arange(len(what))
        for first in range(0, len(by) - run + 1, stride or run):
            chosen = by[first : first + run]
            positions.append(np.sort(where[chosen]) if order == "label" else where[chosen])
            labels.append(what[chosen][np.argsort(where[chosen], kind="stable")] if order == "label" else what[chosen])
            names.append(name)
    return Windows(
        values=np.zeros((len(names) * run, 1)),
        offsets=np.arange(len(names) + 1) * run,
        columns=("x",),
        rate_hz=None,
        subjects=names if subjects is None else [subjects[name] for name in names],
        recordings=names,
        starts=[where[0] for where in positions],
        fs=np.full(len(names), 360.0),
        y=np.concatenate(labels),
        classes=AAMI_CLASSES,
        positions=np.concatenate(positions),
        step_labels=True,
    )


def rhythm(n=1500, *, rare=0.06, seed=0):
    """Return positions and labels of beats: mostly N, single V, in order of time."""
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.integers(200, 400, n)), np.where(rng.random(n) < rare, 2, 0)


EMPTY = {"b": (np.arange(20) * 300, np.zeros(20, dtype=int))}


def plain(names, *, recordings=None, starts=None, n_steps=5, fs=1.0):
    n = len(names)
    return Windows(
        values=np.zeros((n * n_steps, 1)),
        offsets=np.arange(n + 1) * n_steps,
        columns=("x",),
        rate_hz=1.0,
        subjects=names,
        recordings=names if recordings is None else recordings,
        starts=np.zeros(n) if starts is None else starts,
        fs=np.full(n, fs),
    )


@dataclass(frozen=True)
class Scaler:
    fitted_subjects: tuple[str, ...]


def test_strangers_pass():
    audit(plain(["a", "b"]), plain(["c"]), same_person=[("a", "b")], fitted=[Scaler(("a", "b"))])


def test_a_subject_on_both_sides_is_named():
    with pytest.raises(LeakageError, match="on both sides: subjects 'b', 'c'"):
        audit(plain(["a", "b", "c"]), plain(["c", "b"], recordings=["x", "y"]))


def test_one_person_under_two_ids_is_named():
    audit(plain(["201"]), plain(["202"]))
    with pytest.raises(LeakageError, match=r"one person under two ids.*'201=202'"):
        audit(plain(["201", "100"]), plain(["202", "103"]), same_person=[("201", "202")])


def test_one_recording_on_both_sides_is_named():
    with pytest.raises(LeakageError, match=r"on both sides: recordings 'night'$"):
        audit(plain(["a"], recordings=["night"]), plain(["b"], recordings=["night"], starts=[5]))


@pytest.mark.parametrize(("start", "overlap"), [(4, True), (5, False), (-4, True), (-5, False), (0, True)])
def test_overlap_begins_with_one_shared_sample(start, overlap):
    train = plain(["a"], recordings=["night"], starts=[100])
    test = plain(["b"], recordings=["night"], starts=[100 + start])
    with pytest.raises(LeakageError, match="recordings 'night'") as caught:
        audit(train, test)
    assert ("1 test items overlap training items in time, in 'night'" in str(caught.value)) is overlap


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_overlapping_items_are_counted_as_by_hand(train_starts, test_starts):
    train = plain(["a"] * len(train_starts), recordings=["r"] * len(train_starts), starts=train_starts)
    test = plain(["b"] * len(test_starts), recordings=["r"] * len(test_starts), starts=test_starts)
    by_hand = sum(any(abs(s - t) < 5 for t in train_starts) for s in test_starts)
    with pytest.raises(LeakageError, match="recordings 'r'") as caught:
        audit(train, test)
    found = f"{by_hand} test items overlap" in str(caught.value)
    assert found if by_hand else "overlap" not in str(caught.value)


def test_positions_give_the_span_of_beats():
    beats = {"r": (np.arange(20) * 300, np.zeros(20, dtype=int))}
    later = {"r": (np.arange(20) * 300 + 2700, np.zeros(20, dtype=int))}
    with pytest.raises(LeakageError, match="1 test items overlap"):
        audit(runs_of_beats(beats, subjects={"r": "a"}), runs_of_beats(later, run=20, subjects={"r": "b"}))


def test_what_was_fitted_on_a_test_subject_is_named():
    with pytest.raises(LeakageError, match="Scaler was fitted on test subjects 'c'"):
        audit(plain(["a"]), plain(["c", "d"]), fitted=[Scaler(("a", "c"))])
    with pytest.raises(LeakageError, match="Scaler was fitted on test subjects '202'"):
        audit(plain(["a"]), plain(["202"]), fitted=[Scaler(("201",))], same_person=[("201", "202")])


def test_what_does_not_say_what_it_was_fitted_on_is_refused():
    with pytest.raises(ParameterError, match="int does not say what it was fitted on"):
        audit(plain(["a"]), plain(["b"]), fitted=[3])


def test_everything_found_is_in_one_message():
    with pytest.raises(LeakageError, match="subjects 'a'; on both sides: recordings 'a'; 1 test items overlap"):
        audit(plain(["a"]), plain(["a"]))


def test_long_lists_are_cut():
    names = [f"s{k}" for k in range(9)]
    with pytest.raises(LeakageError, match="'s5' and 3 more"):
        audit(plain(names), plain(names))


def test_steps_that_run_backward_are_refused():
    windows = runs_of_beats({"a": rhythm()})
    backward = replace(windows, positions=windows.positions[::-1])
    with pytest.raises(LeakageError, match="test: steps run backward in time inside 150 items, of recordings 'a'"):
        audit(runs_of_beats(EMPTY), backward)


def test_starts_that_contradict_positions_are_refused():
    windows = runs_of_beats({"a": rhythm()})
    with pytest.raises(LeakageError, match=r"train: starts contradict positions in .* items, of 'a'"):
        audit(replace(windows, starts=windows.starts[::-1]), runs_of_beats(EMPTY))


@pytest.mark.parametrize("run", [2, 10, 64])
@pytest.mark.parametrize("rare", [0.06, 0.1, 0.5])
def test_runs_built_after_sorting_by_label_are_refused(run, rare):
    beats = {"a": rhythm(rare=rare)}
    audit(runs_of_beats(EMPTY), runs_of_beats(beats, run=run))
    with pytest.raises(LeakageError, match=r"test: items were built after sorting by label.*in recordings 'a'"):
        audit(runs_of_beats(EMPTY), runs_of_beats(beats, run=run, order="label"))


def test_only_recordings_that_were_sorted_are_named():
    honest, cheat = runs_of_beats({"c": rhythm(rare=0.3, seed=1)}), runs_of_beats({"a": rhythm()}, order="label")
    with pytest.raises(LeakageError, match=r"sorting by label.*in recordings 'a'$"):
        audit(runs_of_beats(EMPTY), Windows.concatenate([honest, cheat]))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    run=st.integers(2, 20),
    stride=st.integers(1, 30),
    pattern=st.lists(st.integers(0, 4), min_size=1, max_size=6),
)
def test_order_of_time_never_raises_an_alarm(seed, run, stride, pattern):
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.resize(pattern, 100), np.repeat(rng.integers(0, 5, 5), 20), rng.integers(0, 5, 100)])
    beats = {"a": (np.cumsum(rng.integers(1, 400, 300)), labels)}
    windows = runs_of_beats(beats, run=run, stride=stride)
    kept = windows.select(rng.random(len(windows)) < 0.7)
    audit(runs_of_beats(EMPTY), windows)
    audit(runs_of_beats(EMPTY), kept)


def test_beats_dropped_from_some_items_whatever_their_label_raise_no_alarm():
    rng = np.random.default_rng(0)
    where, what = rhythm(6000, rare=0.5)
    dropped = rng.random(len(where)) < 0.3
    items = runs_of_beats({"a": (where, what)})
    thinned = runs_of_beats({"a": (where[~dropped], what[~dropped])})
    audit(runs_of_beats(EMPTY), Windows.concatenate([items, thinned]))


def test_without_positions_labels_that_change_only_between_items_are_refused():
    windows = runs_of_beats({"a": rhythm(rare=0.3), "c": rhythm(rare=0.2, seed=1)}, order="label")
    with pytest.raises(LeakageError, match=r"items look cut or sorted by label: it changes . times in .* inside items"):
        audit(runs_of_beats(EMPTY), replace(windows, positions=None))
    honest = runs_of_beats({"a": rhythm(rare=0.3), "c": rhythm(rare=0.2, seed=1)})
    audit(runs_of_beats(EMPTY), replace(honest, positions=None))
    audit(runs_of_beats(EMPTY), replace(honest, positions=None, y=None))


def night(stages, *, run=20, stride=20, order="time", spacing=3000):
    """Return runs of sleep epochs, evenly spaced by definition, of stages in order of time or of stage."""
    by = np.argsort(stages, kind="stable") if order == "label" else np.arange(len(stages))
    firsts = np.arange(0, len(stages) - run + 1, stride)
    chosen = np.array([np.sort(by[first : first + run]) for first in firsts])
    return Windows(
        values=np.zeros((chosen.size, 1)),
        offsets=np.arange(len(firsts) + 1) * run,
        columns=("x",),
        rate_hz=1 / 30,
        subjects=["c"] * len(firsts),
        recordings=["night"] * len(firsts),
        starts=chosen[:, 0] * spacing,
        fs=np.full(len(firsts), spacing / 30),
        y=stages[chosen].ravel(),
        classes=("W", "N1", "N2", "N3", "R"),
        step_labels=True,
    )


def test_evenly_spaced_steps_that_contradict_each_other_are_refused():
    rng = np.random.default_rng(0)
    stages = np.repeat(rng.integers(0, 5, 120), rng.integers(1, 15, 120))
    audit(plain(["b"]), night(stages))
    audit(plain(["b"]), night(stages, stride=7))
    audit(plain(["b"]), night(stages, stride=1, spacing=3001))
    with pytest.raises(LeakageError, match=r"test: \d+ of \d+ steps have another label than a step of another item"):
        audit(plain(["b"]), night(stages, order="label"))


def test_the_rate_of_the_recording_gives_the_span_of_windows():
    train = plain(["a"], recordings=["r"], starts=[0], fs=100.0)
    for start, overlap in ((499, True), (500, False)):
        with pytest.raises(LeakageError, match="recordings 'r'") as caught:
            audit(train, plain(["b"], recordings=["r"], starts=[start], fs=100.0))
        assert ("1 test items overlap" in str(caught.value)) is overlap


def read_beats(root):
    beats = {}
    for path in sorted(root.glob("*.atr")):
        marks = wfdb.rdann(str(path.with_suffix("")), "atr")
        kept = np.isin(marks.symbol, list(AAMI))
        labels = [AAMI_CLASSES.index(AAMI[s]) for s in np.array(marks.symbol)[kept].tolist()]
        beats[path.stem] = marks.sample[kept], np.array(labels)
    return beats


@pytest.mark.parametrize("run", [10, 64])
def test_real_beats_pass_in_order_of_time_and_fail_sorted(data_root, run):
    beats = read_beats(data_root("mitdb"))
    people = [("201", "202")]
    train, test = split_by_subject(runs_of_beats(beats, run=run), (0.7, 0.3), same_person=people)
    assert train.class_counts()["V"] > 0 < test.class_counts()["V"]
    split_by_subject(runs_of_beats(beats, run=run, stride=3), (0.7, 0.3), same_person=people)
    with pytest.raises(LeakageError, match="items were built after sorting by label"):
        split_by_subject(runs_of_beats(beats, run=run, order="label"), (0.7, 0.3), same_person=people)


@pytest.mark.parametrize("run", [10, 64])
def test_real_beats_pass_without_positions(data_root, run):
    beats = read_beats(data_root("mitdb"))
    split_by_subject(replace(runs_of_beats(beats, run=run), positions=None), (0.7, 0.3))
    with pytest.raises(LeakageError, match="items look cut or sorted by label"):
        split_by_subject(replace(runs_of_beats(beats, run=run, order="label"), positions=None), (0.7, 0.3))
