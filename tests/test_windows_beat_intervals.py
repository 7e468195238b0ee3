"""The intervals between beats as a series: what is normal is told by what came before alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.windows.beat_intervals import beat_intervals


def test_intervals_are_sorted_out_by_what_came_before() -> None:
    times = np.cumsum([0.0, *[0.8] * 20, 0.4, 1.2, *[0.8] * 5, 3.0, 0.8])
    usual = np.ones(len(times), dtype=bool)
    rr, normal = beat_intervals(times, usual).T
    assert normal.tolist() == [1] * 20 + [0, 0] + [1] * 5 + [0, 1]
    np.testing.assert_allclose(rr, 0.8, atol=1e-6)
    usual[10] = False
    assert beat_intervals(times, usual)[8:11, 1].tolist() == [1, 0, 0]


def test_a_new_rhythm_is_taken_for_normal_after_eleven_intervals() -> None:
    times = np.cumsum([0.0, *[1.0] * 30, *[0.5] * 30])
    rr, normal = beat_intervals(times, np.ones(61)).T
    assert normal[:30].all()
    assert normal[30:41].tolist() == [0] * 11
    assert normal[41:].all()
    np.testing.assert_allclose(rr[30:41], 1.0)
    np.testing.assert_allclose(rr[41:], 0.5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(30, 60))
def test_an_interval_depends_on_no_later_beat(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    times, usual = np.cumsum(rng.uniform(0.4, 1.2, 80)), rng.random(80) < 0.8
    usual[:2] = True
    whole = beat_intervals(times, usual)
    np.testing.assert_array_equal(beat_intervals(times[:cut], usual[:cut]), whole[: cut - 1])


def test_beats_that_make_no_series_are_refused() -> None:
    window = bl.BeatIntervals()
    bare = Recording(np.zeros((1, 400)), 200.0, ["II"], ["mV"], id="ra", subject="a")
    with pytest.raises(DataError, match="ra: 0 beats make no interval"):
        window(bare)
    with pytest.raises(DataError, match=r"ra: 3 beats, and no interval of 0\.3 to 2\.4 s between two usual ones"):
        window(bare.with_annotations(Annotations([0, 100, 200], labels=["V", "N", "V"])))
    with pytest.raises(DataError, match="beats must be in order of time"):
        beat_intervals([1.0, 0.5, 2.0], [True] * 3)
    with pytest.raises(ParameterError, match="largest_deviation must be positive"):
        bl.BeatIntervals(largest_deviation=0.0)
    with pytest.raises(ParameterError, match=r"largest_deviation must be positive, got -0\.1"):
        beat_intervals([1.0, 2.0, 3.0], [True] * 3, largest_deviation=-0.1)
    with pytest.raises(DataError, match="beats must be in order of time, each at a finite one"):
        beat_intervals([1.0, np.nan, 2.0], [True] * 3)
    with pytest.raises(DataError, match=r"must be one for each beat, got shapes \(3,\) and \(2,\)"):
        beat_intervals([1.0, 2.0, 3.0], [True] * 2)


def test_a_step_for_each_beat_but_the_first() -> None:
    marks = Annotations([100, 260, 420, 500, 660], labels=["N", "N", "N", "V", "N"])
    made = bl.BeatIntervals()(
        Recording(np.zeros((1, 800)), 200.0, ["II"], ["mV"], id="r", subject="s", annotations=marks)
    )
    np.testing.assert_allclose(made.item(0)[:, 0], 0.8)
    assert made.item(0)[:, 1].tolist() == [1, 1, 0, 0]
    assert made.positions is not None
    assert made.positions.tolist() == [260, 420, 500, 660]
    assert (made.columns, made.unit, made.rate_hz) == (("rr", "normal"), "s", None)
    assert (made.subjects.tolist(), made.recordings.tolist(), made.starts.tolist()) == (["s"], ["r"], [260])
