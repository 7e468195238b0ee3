"""The two tasks as the paper defines them, who learns them, and what is concluded from that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator

from biosig_lstm import studies
from biosig_lstm.errors import ParameterError
from biosig_lstm.studies import StudyOptions, Table
from biosig_lstm.studies._long_lag_tasks import Adding, TemporalOrder
from biosig_lstm.studies._long_lag_training import LongLagSettings, learn
from biosig_lstm.studies.long_lags import KINDS

STUDY = studies.get("long-lags")
seeds = st.integers(0, 2**31)
E, B, X, Y = range(4)


@settings(max_examples=25, deadline=None)
@given(steps=st.integers(30, 120), seed=seeds)
def test_adding_is_experiment_4(steps: int, seed: int) -> None:
    x, lengths, targets = Adding().draw(steps, 40, Generator().manual_seed(seed))
    assert steps <= lengths.min() <= lengths.max() <= steps + steps // 10
    for item, length, target in zip(x.numpy(), lengths.tolist(), targets.numpy(), strict=True):
        values, marks = item[:length].T
        assert not item[length:].any()
        assert np.abs(values).max() <= 1
        first, second = np.flatnonzero(marks == 1)
        assert first < 10
        assert second < steps // 2 - 1
        assert marks[-1] == -1
        assert marks[0] == (1 if first == 0 else -1)
        assert first != 0 or values[0] == 0
        assert set(np.flatnonzero(marks)) == {0, first, second, length - 1}
        np.testing.assert_allclose(target, 0.5 + (values[first] + values[second]) / 4, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(steps=st.integers(30, 120), seed=seeds)
def test_temporal_order_is_experiment_6a(steps: int, seed: int) -> None:
    x, lengths, targets = TemporalOrder().draw(steps, 40, Generator().manual_seed(seed))
    assert steps <= lengths.min() <= lengths.max() <= steps + steps // 10
    for item, length, target in zip(x.numpy(), lengths.tolist(), targets.tolist(), strict=True):
        assert (item[:length].sum(axis=1) == 1).all()
        assert not item[length:].any()
        symbols = item[:length].argmax(axis=1)
        assert (symbols[0], symbols[-1]) == (E, B)
        first, second = np.flatnonzero((symbols == X) | (symbols == Y))
        assert steps // 10 <= first <= 2 * (steps // 10)
        assert 5 * (steps // 10) <= second <= 6 * (steps // 10)
        assert target == 2 * (symbols[first] == Y) + (symbols[second] == Y)
        assert (np.delete(symbols, [0, first, second, length - 1]) > Y).all()


def test_a_hundred_steps_are_those_of_the_paper() -> None:
    x, lengths, _ = TemporalOrder().draw(100, 4000, Generator().manual_seed(0))
    told = x[:, :, [X, Y]].sum(dim=2).nonzero()[:, 1].view(-1, 2)
    assert (lengths.min(), lengths.max()) == (100, 110)
    assert told.amin(dim=0).tolist() == [10, 50]
    assert told.amax(dim=0).tolist() == [20, 60]


def test_every_place_and_class_is_as_likely() -> None:
    x, _, targets = Adding().draw(50, 20_000, Generator().manual_seed(0))
    marked = (x[:, :, 1] == 1).sum(dim=0)
    assert marked[24:].sum() == 0
    assert marked[10:24].max() - marked[10:24].min() < 200  # 14 of 23 places, about 870 each
    assert abs(targets.mean().item() - 0.5) < 0.01
    _, _, classes = TemporalOrder().draw(50, 20_000, Generator().manual_seed(0))
    assert classes.bincount().min() > 4_700


def test_right_answers_are_within_what_the_paper_allows() -> None:
    targets = torch.tensor([0.5, 0.5, 0.5])
    assert Adding().right(torch.tensor([[0.5], [0.539], [0.541]]), targets).tolist() == [True, True, False]
    probabilities = torch.tensor([[0.75, 0.2, 0.03, 0.02], [0.65, 0.33, 0.01, 0.01], [0.1, 0.75, 0.1, 0.05]])
    assert TemporalOrder().right(probabilities.log(), torch.tensor([0, 0, 0])).tolist() == [True, False, False]


@pytest.mark.parametrize("task", [Adding(), TemporalOrder()])
def test_sequences_too_short_to_have_two_places_are_refused(task: Any) -> None:
    with pytest.raises(ParameterError, match="steps must be at least 30, got 29"):
        task.draw(29, 4, Generator())


EASY = LongLagSettings(budget=12_800, check_every=10, tested=512, units=(("lstm", 12), ("rnn", 12)))


def test_an_lstm_learns_the_order_of_two_symbols_the_same_for_a_seed() -> None:
    found = learn(TemporalOrder(), cell="lstm", steps=30, memory_steps=30, seed=1, settings=EASY)
    assert found.sequences is not None
    assert found.sequences % (EASY.batch * EASY.check_every) == 0
    assert found.wrong is not None
    assert found.wrong <= EASY.allowed
    assert learn(TemporalOrder(), cell="lstm", steps=30, memory_steps=30, seed=1, settings=EASY) == found


def test_a_network_that_does_not_learn_says_so_and_how_many_are_wrong() -> None:
    short = LongLagSettings(budget=128, tested=512)
    found = learn(Adding(), cell="rnn", steps=40, settings=short)
    assert found.sequences is None
    assert found.wrong is not None
    assert 300 < found.wrong <= 512


def test_a_learner_that_failed_is_not_tried_at_longer_lengths() -> None:
    sizes = LongLagSettings(lengths=(30, 40), far_steps=None, repeats=1, batch=8, budget=16, tested=16)
    measured = STUDY.run(StudyOptions(), settings=sizes).measured
    assert len(measured) == 2 * 2 * len(KINDS)
    assert set(measured.where(steps=30).column("tried")) == {True}
    assert set(measured.where(steps=40).column("tried")) == {False}
    assert set(measured.where(steps=40).column("wrong_of_tested")) == {None}
    assert "not tried" in repr(STUDY.conclude(sizes, measured).tables[0])


def rows_of(learned: dict[tuple[str, str], list[int | None]], *, sizes: LongLagSettings) -> Table:
    """Return what would have been measured, had each kind needed so many sequences at each length of both tasks."""
    rows = [
        (task, *kind, steps, 0, 1000, True, count, 0, 1.0)
        for task in ("adding", "temporal order")
        for kind, counts in learned.items()
        for steps, count in zip(sizes.lengths, counts, strict=True)
    ]
    return Table(STUDY.columns, tuple(rows))


def test_verdicts_follow_from_who_has_learned() -> None:
    sizes = LongLagSettings(lengths=(50, 100), far_steps=None)
    usual: dict[tuple[str, str], list[int | None]] = {
        ("rnn", "default"): [None, None],
        ("gru", "default"): [500, None],
        ("gru", "chrono"): [500, 600],
        ("lstm", "default"): [400, None],
        ("lstm", "chrono"): [400, 700],
        ("transformer", "default"): [900, 1400],
    }
    findings = STUDY.conclude(sizes, rows_of(usual, sizes=sizes))
    assert [claim.verdict for claim in findings.claims] == ["holds"] * 5
    assert "adding, 50 steps: 2.2 times" in findings.claims[4].measured
    assert findings.tables[0].where(cell="rnn").column("50 steps") == ["not within 100,000"]
    assert findings.tables[0].where(cell="lstm", start="chrono").column("100 steps") == ["700"]

    late = usual | {("transformer", "default"): [450, None]}
    claim = STUDY.conclude(sizes, rows_of(late, sizes=sizes)).claims[4]
    assert claim.verdict == "holds in part"
    assert "adding, 50 steps: 1.1 times; adding, 100 steps: at least 142.9 times" in claim.measured

    odd = usual | {("rnn", "default"): [300, 300], ("gru", "chrono"): [None, None], ("lstm", "chrono"): [900, None]}
    odd |= {("gru", "default"): [None, None], ("transformer", "default"): [100, None]}
    verdicts = [claim.verdict for claim in STUDY.conclude(sizes, rows_of(odd, sizes=sizes)).claims]
    assert verdicts == ["does not hold"] * 5

    nobody: dict[tuple[str, str], list[int | None]] = {kind: [None, None] for kind in usual}
    claims = STUDY.conclude(sizes, rows_of(nobody, sizes=sizes)).claims
    assert claims[3].verdict == "not decided", "a GRU that learned nothing is not as good as an LSTM that did not"


def test_a_thousand_steps_are_a_claim_of_their_own() -> None:
    sizes = LongLagSettings(lengths=(50,), far_steps=1000)
    kind = ("lstm", "chrono")
    far = [(task, *kind, 1000, 0, 1000, True, count, 0, 1.0) for task, count in (("adding", 9), ("order", None))]
    claims = STUDY.conclude(sizes, Table(STUDY.columns, tuple(far))).claims
    claim = claims[-1]
    assert {other.verdict for other in claims[:-1]} == {"not decided"}, "nobody else was put to it"
    assert claim.claimed == "An LSTM bridges lags of about 1,000 steps"
    assert claim.verdict == "holds in part"
    assert "adding: 9; order: not within 100,000" in claim.measured
