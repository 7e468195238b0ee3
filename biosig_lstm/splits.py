"""Splits by subject, never by window, and the audit that refuses a leak."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from biosig_lstm._time_order import disorder, some
from biosig_lstm.containers import Windows
from biosig_lstm.errors import LeakageError, ParameterError

__all__ = [
    "FittedOnSubjects",
    "audit",
    "kfold_by_subject",
    "leave_one_subject_out",
    "split_by_subject",
    "split_subjects",
]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Groups = Sequence[Sequence[str]]

_DRAWS = 4


class FittedOnSubjects(Protocol):
    """What was learned from the items of known subjects: a scaler, a feature selection."""

    @property
    def fitted_subjects(self) -> tuple[str, ...]:
        """Ids of the subjects it was fitted on."""


def split_by_subject(
    windows: Windows, fractions: Sequence[float], *, seed: int = 0, stratify: bool = True, same_person: Groups = ()
) -> tuple[Windows, ...]:
    """Return one part for each fraction, every subject whole in one of them.

    Parameters
    ----------
    windows : Windows
        The items of all subjects.
    fractions : sequence of float [each > 0, sum=1]
        Share of the subjects in each part, such as ``(0.6, 0.2, 0.2)``.
    seed : int
        Of the draw: the same seed gives the same parts, whatever the order of the items.
    stratify : bool
        Whether the labels of each class are spread over the parts in these proportions, as far as whole
        subjects allow; otherwise the subjects are drawn blindly.
    same_person : sequence of sequence of str
        Groups of ids that are one person, such as ``[("201", "202")]`` in MIT-BIH.

    Returns
    -------
    tuple of Windows
        In the order of `fractions`; items keep their order.

    Raises
    ------
    ParameterError
        When a fraction is out of range or there are fewer persons than parts.
    LeakageError
        When the parts fail the `audit`.
    """
    _refuse(disorder(windows))
    subjects, counts = _class_counts(windows)
    parts = split_subjects(subjects, counts, fractions, seed=seed, stratify=stratify, same_person=same_person)
    sets = tuple(windows.select(np.isin(windows.subjects, part)) for part in parts)
    for k, later in enumerate(sets):
        for earlier in sets[:k]:
            _refuse(_shared(earlier, later, same_person))
    return sets


def kfold_by_subject(
    windows: Windows, *, n_splits: int, seed: int = 0, stratify: bool = True, same_person: Groups = ()
) -> Iterator[tuple[Windows, Windows]]:
    """Return the (train, test) pairs of a cross-validation; every subject is tested once.

    Parameters
    ----------
    windows : Windows
        The items of all subjects.
    n_splits : int [>= 2]
        How many folds.
    seed, stratify, same_person
        As in `split_by_subject`.

    Returns
    -------
    iterator of (Windows, Windows)
        Training and test items of each fold.

    Raises
    ------
    ParameterError
        When there are fewer than two folds, or fewer persons than folds.
    LeakageError
        When a fold fails the `audit`.
    """
    if n_splits < 2:
        raise ParameterError(f"n_splits must be at least 2, got {n_splits}")
    _refuse(disorder(windows))
    subjects, counts = _class_counts(windows)
    equal = [1 / n_splits] * n_splits
    folds = split_subjects(subjects, counts, equal, seed=seed, stratify=stratify, same_person=same_person)
    return _train_test(windows, folds, same_person)


def leave_one_subject_out(windows: Windows, *, same_person: Groups = ()) -> Iterator[tuple[Windows, Windows]]:
    """Return (train, test) pairs, one for each person, in order of their ids.

    Parameters
    ----------
    windows : Windows
        The items of all subjects.
    same_person : sequence of sequence of str
        As in `split_by_subject`; ids of one person are tested together.

    Returns
    -------
    iterator of (Windows, Windows)
        Training and test items of each fold.

    Raises
    ------
    ParameterError
        When there are fewer than two persons.
    LeakageError
        When a fold fails the `audit`.
    """
    _refuse(disorder(windows))
    persons = _persons(windows.subjects.tolist(), same_person)
    folds = sorted({tuple(sorted(s for s, p in persons.items() if p == person)) for person in persons.values()})
    if len(folds) < 2:
        raise ParameterError(f"leaving one subject out needs at least 2 persons, got {len(folds)}")
    return _train_test(windows, folds, same_person)


def _train_test(
    windows: Windows, folds: Sequence[tuple[str, ...]], same_person: Groups
) -> Iterator[tuple[Windows, Windows]]:
    for fold in folds:
        tested = np.isin(windows.subjects, fold)
        train, test = windows.select(~tested), windows.select(tested)
        _refuse(_shared(train, test, same_person))
        yield train, test


def split_subjects(
    subjects: Sequence[str],
    counts: npt.ArrayLike,
    fractions: Sequence[float],
    *,
    seed: int = 0,
    stratify: bool = True,
    same_person: Groups = (),
) -> tuple[tuple[str, ...], ...]:
    """Return the ids of each part; the parts differ in size as `fractions` do, and share no person.

    Parameters
    ----------
    subjects : sequence of str [length=n]
        Ids, no two alike, in any order.
    counts : array_like [shape=(n, classes)]
        How many labels of each class a subject has (further columns are spread alike).
    fractions : sequence of float [each > 0, sum=1]
        Share of the persons in each part.
    seed, stratify, same_person
        As in `split_by_subject`.

    Returns
    -------
    tuple of tuple of str
        Sorted ids of each part.

    Raises
    ------
    ParameterError
        When a fraction is out of range, an id stands twice, or there are fewer persons than parts.

    Notes
    -----
    The number of persons of each part is fixed first (largest remainder, at least one). Then persons are dealt
    in order of their largest share of any class, jittered by the seed, each to the part with a place left where
    the squared distance of the class shares from `fractions`, over all classes alike, becomes smallest (greedy,
    as in Sechidis et al. 2011, *On the Stratification of Multi-Label Data*, but by whole persons). The best of
    four such deals is taken.

    Examples
    --------
    >>> split_subjects(["a", "b", "c", "d"], [[9, 1], [8, 0], [9, 1], [8, 0]], (0.5, 0.5))
    (('a', 'b'), ('c', 'd'))
    """
    table = np.asarray(counts, dtype=np.float64)
    if len(set(subjects)) < len(subjects) or table.ndim != 2 or len(table) != len(subjects):
        raise ParameterError(
            f"one row of counts for each distinct subject, got {len(subjects)} subjects, counts of shape {table.shape}"
        )
    persons = _persons(subjects, same_person)
    names = sorted(set(persons.values()))
    quotas = _quotas(len(names), fractions)
    rows = np.searchsorted(names, [persons[s] for s in subjects])
    merged = np.zeros((len(names), table.shape[1]))
    np.add.at(merged, rows, table)
    part = _deal(merged, quotas, np.asarray(fractions, dtype=float), seed=seed, stratify=stratify)
    return tuple(tuple(sorted(s for s, row in zip(subjects, rows, strict=True) if part[row] == k)) for k in
                 range(len(fractions)))  # fmt: skip


def _persons(subjects: Iterable[str], same_person: Groups) -> dict[str, str]:
    """Return the person of each subject: the least of the ids that stand for one person."""
    ids: dict[str, set[str]] = {}
    for group in same_person:
        joined = set(group).union(*(ids.get(name, ()) for name in group))
        ids |= dict.fromkeys(joined, joined)
    return {name: min(ids.get(name, {name})) for name in subjects}


def _quotas(n: int, fractions: Sequence[float]) -> Int64:
    share = np.asarray(fractions, dtype=float)
    if share.ndim != 1 or len(share) < 2 or not (share > 0).all() or not math.isclose(share.sum(), 1, abs_tol=1e-9):
        raise ParameterError(f"fractions must be two or more, each above 0, with sum 1, got {tuple(fractions)}")
    if n < len(share):
        raise ParameterError(f"{len(share)} parts need at least {len(share)} persons, got {n}")
    quotas = np.maximum(np.floor(share * n + 1e-9).astype(np.int64), 1)
    while quotas.sum() < n:
        quotas[np.argmax(share * n - quotas)] += 1
    while quotas.sum() > n:
        quotas[np.argmax(np.where(quotas > 1, quotas - share * n, -np.inf))] -= 1
    return quotas


def _deal(counts: Float64, quotas: Int64, fractions: Float64, *, seed: int, stratify: bool) -> Int64:
    generator = np.random.default_rng(seed)
    if not stratify:
        return generator.permutation(np.repeat(np.arange(len(quotas)), quotas))
    shares = counts / np.maximum(counts.sum(axis=0), 1)
    deals = [_greedy(shares, quotas, fractions, generator) for _ in range(_DRAWS)]
    return min(deals, key=lambda part: _imbalance(shares, part, fractions))


def _greedy(shares: Float64, quotas: Int64, fractions: Float64, generator: np.random.Generator) -> Int64:
    size = shares.max(axis=1, initial=0) * generator.uniform(0.5, 1.5, len(shares))
    ties = generator.random(len(shares))
    filled, left = np.zeros((len(quotas), shares.shape[1])), quotas.copy()
    part = np.zeros(len(shares), dtype=np.int64)
    for row in np.lexsort((ties, -size)).tolist():
        added = shares[row] * (shares[row] + 2 * (filled - fractions[:, None])) / fractions[:, None]
        part[row] = np.argmin(np.where(left > 0, added.sum(axis=1), np.inf))
        filled[part[row]] += shares[row]
        left[part[row]] -= 1
    return part


def _imbalance(shares: Float64, part: Int64, fractions: Float64) -> float:
    filled = np.zeros((len(fractions), shares.shape[1]))
    np.add.at(filled, part, shares)
    return float((((filled - fractions[:, None]) ** 2) / fractions[:, None]).sum())


def _class_counts(windows: Windows) -> tuple[list[str], Float64]:
    """Return the subjects and, for each, its labels of every class and its steps, shape (subjects, classes + 1)."""
    subjects, code = np.unique(windows.subjects, return_inverse=True)
    counts = np.zeros((len(subjects), len(windows.classes) + 1))
    np.add.at(counts[:, -1], code, windows.lengths)
    if windows.y is not None and windows.multi_label:
        np.add.at(counts[:, :-1], code, windows.y == 1)
    elif windows.y is not None:
        whose = np.repeat(code, windows.lengths) if windows.step_labels else code
        labelled = windows.y >= 0
        np.add.at(counts, (whose[labelled], windows.y[labelled]), 1)
    return subjects.tolist(), counts


def audit(train: Windows, test: Windows, *, same_person: Groups = (), fitted: Iterable[FittedOnSubjects] = ()) -> None:
    """Refuse a pair of sets whose score would be void.

    Parameters
    ----------
    train, test : Windows
        What is learned from, and what is scored.
    same_person : sequence of sequence of str
        Groups of ids that are one person.
    fitted : iterable of objects with `fitted_subjects`
        What was learned before the model: scalers, feature selections.

    Raises
    ------
    LeakageError
        Naming everything that was found: a subject, a person under two ids or a recording on both sides;
        windows across the sides that overlap in time; a fitted object that has seen test subjects; items whose
        steps are not in order of time, or were chosen by label.

    Notes
    -----
    Sequences built after sorting by label are found from the `positions` of their steps. An item cut from the
    order of time is a gapless stretch of its recording: it skips no step that stands in another item. Items cut
    after sorting by label skip steps, and only those of *other* labels. So every pair of neighbouring steps of
    one label that skips others is looked at: did what they skip ever have that label? If skipping had nothing
    to do with labels, it would, in the share p of that label in the recording, and more often where labels come
    in bursts. With E the sum of p over all skipped steps and A how many do have the label, Chernoff's bound
    gives a probability of at most ``exp(A - E + A ln(E / A))``; below 1e-9 the items are refused. Items in order
    of time skip nothing, so E = 0 and no real rhythm, however rare its beats, can raise a false alarm; nor can
    steps that were dropped from all items.

    Evenly spaced steps have their times from the start of their item: after sorting, items claim each other's
    times under other labels. More than a tenth of the steps at shared times contradicting (and at least 20) is
    refused. Where steps are neither evenly spaced nor have positions, only a weaker test is left: if the label
    changes far less often inside items than from one item to the next (a hypergeometric probability below 1e-9),
    the items are refused, and positions settle it. Items that carry one label each may stand in any order.
    """
    found = _shared(train, test, same_person) + _seen(test, same_person, fitted)
    for side, windows in (("train", train), ("test", test)):
        found += [f"{side}: {finding}" for finding in disorder(windows)]
    _refuse(found)


def _refuse(findings: list[str]) -> None:
    if findings:
        raise LeakageError("; ".join(findings))


def _shared(train: Windows, test: Windows, same_person: Groups) -> list[str]:
    learned, scored = set(train.subjects.tolist()), set(test.subjects.tolist())
    recordings = set(train.recordings.tolist()) & set(test.recordings.tolist())
    found = []
    if learned & scored:
        found.append(f"on both sides: subjects {some(learned & scored)}")
    person = _persons([*learned, *scored], same_person)
    twin = {person[name]: name for name in sorted(scored - learned)}
    twins = {f"{name}={twin[person[name]]}" for name in learned - scored if person[name] in twin}
    if twins:
        found.append(f"one person under two ids (train=test): {some(twins)}")
    if recordings:
        found.append(f"on both sides: recordings {some(recordings)}")
    overlaps = [(name, n) for name in sorted(recordings) if (n := _overlapping(train, test, name))]
    if overlaps:
        n_items = sum(n for _, n in overlaps)
        found.append(f"{n_items} test items overlap training items in time, in {some(name for name, _ in overlaps)}")
    return found


def _overlapping(train: Windows, test: Windows, recording: str) -> int:
    """Return how many test items of a recording share a sample with a training item of it."""
    begin, end = _spans(train, recording)
    other_begin, other_end = _spans(test, recording)
    order = np.argsort(begin, kind="stable")
    reach = np.maximum.accumulate(end[order])
    before = np.searchsorted(begin[order], other_end, side="left")
    return int(((before > 0) & (reach[np.maximum(before - 1, 0)] > other_begin)).sum())


def _spans(windows: Windows, recording: str) -> tuple[Int64, Int64]:
    items = windows.select(windows.recordings == recording)
    samples = items.step_samples()
    step = np.ones(len(items)) if items.positions is not None or not items.rate_hz else items.fs / items.rate_hz
    return samples[items.offsets[:-1]], samples[items.offsets[1:] - 1] + np.maximum(np.rint(step), 1).astype(np.int64)


def _seen(test: Windows, same_person: Groups, fitted: Iterable[FittedOnSubjects]) -> list[str]:
    tested = set(test.subjects.tolist())
    found = []
    for what in fitted:
        if not hasattr(what, "fitted_subjects"):
            raise ParameterError(f"{type(what).__name__} does not say what it was fitted on: no fitted_subjects")
        person = _persons([*tested, *what.fitted_subjects], same_person)
        persons = {person[name] for name in what.fitted_subjects}
        seen = {name for name in tested if person[name] in persons}
        if seen:
            found.append(f"{type(what).__name__} was fitted on test subjects {some(seen)}")
    return found
