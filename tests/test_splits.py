"""Splits by subject: what they keep apart, how they spread the classes, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Windows
from biosig_lstm.errors import LeakageError, ParameterError
from biosig_lstm.splits import kfold_by_subject, leave_one_subject_out, split_by_subject, split_subjects


def make_windows(n_subjects=10, items_each=6, *, n_steps=4, step_labels=False, labelled=True, seed=0):
    """Return items of subjects s00, s01 ..., two recordings each, in order of time."""
    rng = np.random.default_rng(seed)
    n = n_subjects * items_each
    who = np.repeat([f"s{k:02d}" for k in range(n_subjects)], items_each)
    part = np.tile(np.arange(items_each) % 2, n_subjects)
    n_labels = n * n_steps if step_labels else n
    return Windows(
        values=rng.normal(size=(n * n_steps, 3)),
        offsets=np.arange(n + 1) * n_steps,
        columns=("a", "b", "c"),
        rate_hz=100.0,
        subjects=who,
        recordings=[f"{s}-{p}" for s, p in zip(who, part, strict=True)],
        starts=np.tile(np.arange(items_each) // 2 * n_steps, n_subjects),
        fs=np.full(n, 100.0),
        y=rng.integers(0, 3, n_labels) if labelled else None,
        classes=("N", "S", "V") if labelled else (),
        step_labels=step_labels,
    )


def subjects_of(windows):
    return set(windows.subjects.tolist())


@pytest.mark.parametrize("step_labels", [False, True])
@pytest.mark.parametrize("stratify", [False, True])
def test_parts_share_nobody_and_lose_nothing(step_labels, stratify):
    windows = make_windows(step_labels=step_labels)
    parts = split_by_subject(windows, (0.6, 0.2, 0.2), seed=3, stratify=stratify)
    assert [len(subjects_of(part)) for part in parts] == [6, 2, 2]
    assert sum(len(part) for part in parts) == len(windows)
    assert set.union(*map(subjects_of, parts)) == subjects_of(windows)
    for part in parts:
        assert part == windows.select(np.isin(windows.subjects, sorted(subjects_of(part))))


def test_the_seed_decides_and_the_order_of_items_does_not():
    windows = make_windows(20)
    shuffled = windows.select(np.random.default_rng(1).permutation(len(windows)))
    first = [subjects_of(part) for part in split_by_subject(windows, (0.5, 0.5), seed=5)]
    assert first == [subjects_of(part) for part in split_by_subject(windows, (0.5, 0.5), seed=5)]
    assert first == [subjects_of(part) for part in split_by_subject(shuffled, (0.5, 0.5), seed=5)]
    others = [tuple(sorted(subjects_of(split_by_subject(windows, (0.5, 0.5), seed=k)[0]))) for k in range(8)]
    assert len(set(others)) > 1


def test_a_rare_class_reaches_every_part():
    names = [f"s{k}" for k in range(12)]
    counts = np.column_stack([np.full(12, 1000), np.isin(np.arange(12), [0, 5, 9]) * 40])
    rare = {"s0", "s5", "s9"}
    for seed in range(20):
        for part in split_subjects(names, counts, (1 / 3, 1 / 3, 1 / 3), seed=seed):
            assert len(part) == 4
            assert len(rare & set(part)) == 1


def test_stratified_is_nearer_the_fractions_than_blind():
    rng = np.random.default_rng(0)
    counts = rng.gamma(0.4, 300, size=(22, 4))
    names = [f"s{k}" for k in range(22)]

    def distance(seed, stratify):
        parts = split_subjects(names, counts, (0.6, 0.4), seed=seed, stratify=stratify)
        held = counts[np.isin(names, parts[1])].sum(axis=0) / counts.sum(axis=0)
        return np.abs(held - 0.4).max()

    stratified = [distance(seed, stratify=True) for seed in range(20)]
    blind = [distance(seed, stratify=False) for seed in range(20)]
    assert max(stratified) < np.median(blind)


def test_step_labels_are_counted_by_step():
    windows = make_windows(8, step_labels=True)
    y = np.zeros(len(windows.values), dtype=int)
    y[np.isin(np.repeat(windows.subjects, 4), ["s01", "s06"])] = 2
    marked = Windows(**{name: getattr(windows, name) for name in windows.__dataclass_fields__} | {"y": y})
    for seed in range(10):
        counts = [part.class_counts()["V"] for part in split_by_subject(marked, (0.5, 0.5), seed=seed)]
        assert counts == [24, 24]


def test_unlabelled_windows_are_split_too():
    train, test = split_by_subject(make_windows(labelled=False), (0.7, 0.3))
    assert (len(subjects_of(train)), len(subjects_of(test))) == (7, 3)


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(2, 30),
    weights=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    seed=st.integers(0, 1000),
    stratify=st.booleans(),
)
def test_every_subject_is_in_one_part_and_sizes_follow_the_fractions(n, weights, seed, stratify):
    fractions = [w / sum(weights) for w in weights]
    names = [f"p{k}" for k in range(n)]
    counts = np.random.default_rng(seed).integers(0, 50, size=(n, 3))
    if n < len(fractions):
        with pytest.raises(ParameterError, match=f"{len(fractions)} parts need at least {len(fractions)} persons"):
            split_subjects(names, counts, fractions, seed=seed, stratify=stratify)
        return
    parts = split_subjects(names, counts, fractions, seed=seed, stratify=stratify)
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert all(parts)
    if n * min(fractions) >= 1:
        assert all(abs(len(part) - n * f) < 1 for part, f in zip(parts, fractions, strict=True))


def test_ids_of_one_person_stay_together():
    windows = make_windows(10)
    pairs = [("s00", "s07"), ("s07", "s03"), ("s01", "elsewhere")]
    for seed in range(10):
        parts = split_by_subject(windows, (0.5, 0.5), seed=seed, same_person=pairs)
        assert sum({"s00", "s03", "s07"} <= subjects_of(part) for part in parts) == 1
    folds = list(leave_one_subject_out(windows, same_person=pairs))
    assert len(folds) == 8
    assert subjects_of(folds[0][1]) == {"s00", "s03", "s07"}


def test_every_subject_is_tested_once_in_a_cross_validation():
    windows = make_windows(11)
    folds = list(kfold_by_subject(windows, n_splits=4, seed=2))
    tested = [name for _, test in folds for name in subjects_of(test)]
    assert sorted(tested) == sorted(subjects_of(windows))
    assert sorted(len(subjects_of(test)) for _, test in folds) == [2, 3, 3, 3]
    for train, test in folds:
        assert len(train) + len(test) == len(windows)
        assert not subjects_of(train) & subjects_of(test)


def test_one_person_is_tested_in_one_fold():
    pairs = [("s00", "s07"), ("s02", "s05")]
    for seed in range(5):
        folds = list(kfold_by_subject(make_windows(9), n_splits=3, seed=seed, same_person=pairs))
        for pair in pairs:
            assert sum(set(pair) <= subjects_of(test) for _, test in folds) == 1


def test_leave_one_subject_out_goes_through_them_in_order():
    windows = make_windows(4)
    assert [subjects_of(test) for _, test in leave_one_subject_out(windows)] == [{f"s0{k}"} for k in range(4)]


def test_too_few_subjects_are_refused_with_the_numbers():
    windows = make_windows(3)
    with pytest.raises(ParameterError, match="4 parts need at least 4 persons, got 3"):
        split_by_subject(windows, (0.25, 0.25, 0.25, 0.25))
    with pytest.raises(ParameterError, match="3 parts need at least 3 persons, got 2"):
        split_by_subject(windows, (0.4, 0.3, 0.3), same_person=[("s00", "s02")])
    with pytest.raises(ParameterError, match="5 parts need at least 5 persons, got 3"):
        kfold_by_subject(windows, n_splits=5)
    with pytest.raises(ParameterError, match="at least 2 persons, got 1"):
        leave_one_subject_out(make_windows(1))


@pytest.mark.parametrize("fractions", [(), (1.0,), (0.5, 0.6), (1.2, -0.2), (0.5, 0.0, 0.5), (0.5, float("nan"))])
def test_fractions_that_are_none_are_refused(fractions):
    with pytest.raises(ParameterError, match="fractions must be two or more, each above 0, with sum 1"):
        split_by_subject(make_windows(), fractions)


def test_one_fold_is_none():
    with pytest.raises(ParameterError, match="n_splits must be at least 2, got 1"):
        kfold_by_subject(make_windows(), n_splits=1)


def test_counts_must_fit_the_subjects():
    with pytest.raises(ParameterError, match="one row of counts for each distinct subject, got 2"):
        split_subjects(["a", "a"], [[1], [2]], (0.5, 0.5))
    with pytest.raises(ParameterError, match=r"got 2 subjects, counts of shape \(3, 1\)"):
        split_subjects(["a", "b"], [[1], [2], [3]], (0.5, 0.5))


def test_a_recording_of_two_subjects_is_refused():
    windows = make_windows(4)
    shared = Windows(
        **{name: getattr(windows, name) for name in windows.__dataclass_fields__}
        | {"recordings": ["night"] * len(windows)}
    )
    with pytest.raises(LeakageError, match="on both sides: recordings 'night'"):
        split_by_subject(shared, (0.5, 0.5))
    with pytest.raises(LeakageError, match="recordings 'night'"):
        next(leave_one_subject_out(shared))
