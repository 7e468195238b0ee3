"""The study of time: what is timed and what is left out, with clocks of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import torch

from biosig_lstm.models import CELLS, sequence_reader
from biosig_lstm.studies import StudyOptions, Table, _clock, speed
from biosig_lstm.studies._clock import Clock, clock_of, interleaved, taken
from biosig_lstm.studies.speed import STUDY, SpeedSettings

TINY = SpeedSettings(features=3, units=8, steps=(4, 8), batches=(1, 2), parameter_steps=4, budget_s=0.01, rounds=2)


class Hands:
    """A clock that work moves, and that remembers who looked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.said: list[str] = []

    def work(self, name: str, seconds: float) -> Callable[[], None]:
        def done() -> None:
            self.said.append(name)
            self.now += seconds

        return done

    def clock(self) -> Clock:
        return Clock("test", lambda: self.now, lambda: self.said.append("wait"))


def test_a_device_is_waited_for_before_and_after() -> None:
    hands = Hands()
    assert taken(hands.work("step", 2.0), hands.clock()) == 2.0
    assert hands.said == ["wait", "step", "wait"]


def test_works_take_turns_after_one_call_each_until_their_budget_is_spent() -> None:
    hands = Hands()
    works = {"fast": hands.work("fast", 1.0), "slow": hands.work("slow", 2.5), "long": hands.work("long", 9.0)}
    times = interleaved(works, hands.clock(), budget_s=4.0, rounds=3)
    called = [name for name in hands.said if name != "wait"]
    assert called == ["fast", "slow", "long", "fast", "slow", "fast", "slow", "fast"]
    assert times == {"fast": [1.0] * 3, "slow": [2.5] * 2, "long": [9.0]}  # the first call of "long" counts


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
)
def test_what_memory_does_not_suffice_for_is_said_and_the_others_are_measured(error: Exception) -> None:
    def fail() -> None:
        raise error

    hands = Hands()
    times = interleaved({"big": fail, "small": hands.work("small", 1.0)}, hands.clock(), budget_s=1.0, rounds=1)
    assert times == {"big": "memory", "small": [1.0]}


def test_other_errors_go_on() -> None:
    def fail() -> None:
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        interleaved({"wrong": fail}, Hands().clock(), budget_s=1.0, rounds=1)


def test_clocks_by_device(monkeypatch: pytest.MonkeyPatch) -> None:
    assert clock_of("cuda").wait is torch.cuda.synchronize
    assert clock_of("cuda").name == "wall"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert clock_of("cpu").name == "processor"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    assert clock_of("cpu").name == "wall"


@pytest.fixture
def even_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let each reading of the clock be 1 ms after the one before."""
    ticks = count()
    monkeypatch.setattr(speed, "clock_of", lambda device: Clock("test", lambda: next(ticks) / 1000, lambda: None))
    return iter(())


def test_every_shape_work_and_cell_has_a_row(even_clock: None) -> None:
    measured = STUDY.run(StudyOptions(), settings=TINY).measured
    units, parameters = (measured.where(equal=name) for name in ("units", "parameters"))
    assert len(units) == 2 * 2 * 2 * 4
    assert len(parameters) == 2 * 1 * 2 * 4
    assert measured.values("cell") == list(CELLS)
    assert measured.numbers("seconds") == pytest.approx([0.001] * len(measured))
    assert set(measured.column("runs")) == {2}
    assert set(measured.column("why_not")) == {""}


def test_networks_of_equal_parameters_are_within_two_in_a_hundred() -> None:
    settings = SpeedSettings()
    units = speed._units(settings, "parameters")
    counts = {
        cell: sum(w.numel() for w in sequence_reader(cell, settings.features, size).parameters())
        for cell, size in units.items()
    }
    assert counts == pytest.approx(dict.fromkeys(CELLS, counts["lstm"]), rel=0.02)


def test_what_would_take_too_long_is_left_out_by_name(even_clock: None) -> None:
    settings = SpeedSettings(**{**vars(TINY), "limit_s": 0.0015})
    result = STUDY.run(StudyOptions(), settings=settings)
    units = result.measured.where(equal="units")
    reasons = {(row[5], row[6]): row[9] for row in units.rows}
    assert reasons == {(1, 4): "", (1, 8): "time", (2, 4): "time", (2, 8): "time"}
    assert "not measured: time" in repr(result)
    assert result.claims[-1].verdict == "not decided"


def test_a_time_stands_alone_where_that_of_the_lstm_was_not_measured() -> None:
    shape = ("cpu", "units", "lstm", 10, "training step", 64, 5000)
    rows = ((*shape, None, 0, "time"), ("cpu", "units", "rnn", 10, "training step", 64, 5000, 2.5, 3, ""))
    (table,) = STUDY.conclude(SpeedSettings(), Table(STUDY.columns, rows)).tables
    assert table.rows == ((64, 5000, "training step", "not measured: time", "2,500.0 ms"),)


def test_what_does_not_fit_into_memory_is_not_tried(monkeypatch: pytest.MonkeyPatch, even_clock: None) -> None:
    monkeypatch.setattr(speed, "free_bytes", lambda device: 100)
    result = STUDY.run(StudyOptions(), settings=TINY)
    assert set(result.measured.column("why_not")) == {"memory"}
    assert result.measured.numbers("seconds") == []
    assert {claim.verdict for claim in result.claims} == {"not decided"}
    result.plot()


def test_free_memory_is_a_number_or_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    free = _clock.free_bytes("cpu")
    assert free is None or free > 0

    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(_clock.os, "sysconf", unknown)
    assert _clock.free_bytes("cpu") is None


def rows_of(seconds: Callable[[str, int], float]) -> Table:
    rows: list[tuple[Any, ...]] = [
        ("cpu", equal, cell, 100, work, 16, steps, seconds(cell, steps), 3, "")
        for equal in ("units", "parameters")
        for work in ("training step", "inference")
        for steps in (1000, 5000)
        for cell in CELLS
    ]
    return Table(STUDY.columns, tuple(rows))


def verdicts(seconds: Callable[[str, int], float]) -> list[str]:
    return [claim.verdict for claim in STUDY.conclude(TINY, rows_of(seconds)).claims]


def test_verdicts_follow_from_the_figures() -> None:
    assert verdicts(lambda cell, steps: steps * (1.0 if cell == "lstm" else 0.5)) == ["holds"] * 5 + ["holds in part"]
    assert verdicts(lambda cell, steps: steps * (1.0 if cell == "lstm" else 2.0))[:5] == ["does not hold"] * 5
    square = verdicts(lambda cell, steps: steps**2 / 4000 if cell == "transformer" else steps)
    assert square[3:] == ["holds in part", "holds in part", "holds"]
    assert verdicts(lambda cell, steps: 1.0)[-1] == "does not hold"


def test_growth_is_that_of_the_greatest_lengths_of_one_batch_for_both() -> None:
    def seconds(cell: str, steps: int) -> float:
        return (1 + (steps / 500) ** 2) / 100 if cell == "transformer" else steps / 1000

    shapes = [(1, 100), (1, 1000), (1, 5000), (16, 1000), (16, 5000), (64, 100), (64, 1000)]
    rows: list[tuple[Any, ...]] = [
        ("cpu", "units", cell, 100, "training step", batch, steps, seconds(cell, steps), 3, "")
        for batch, steps in shapes
        for cell in CELLS
        if (cell, batch, steps) != ("transformer", 16, 5000)
    ]
    claim = STUDY.conclude(TINY, Table(STUDY.columns, tuple(rows))).claims[-1]
    assert claim.verdict == "holds"
    assert claim.measured.endswith("(1 items, 1,000 to 5,000 steps)")
