"""Waves of a lead: checked when made, to WFDB's brackets and back, with boundaries that are not known."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import WAVES, Annotations, Waves
from biosig_lstm.errors import DataError

NAN = float("nan")


def brackets(text: str) -> Annotations:
    """Return instants at every tenth sample, one for each symbol."""
    return Annotations(10 * np.arange(len(text)), labels=list(text))


def test_waves_come_in_the_order_of_their_peaks() -> None:
    waves = Waves(["T", "P"], [50, 10], [60, 20], [70, 30])
    assert waves.labels.tolist() == ["P", "T"]
    assert waves.onsets.tolist() == [10, 50]
    assert repr(waves) == "Waves(2: P 1, T 1)"
    assert repr(Waves()) == "Waves(0)"


def test_symbols_become_waves() -> None:
    waves = Waves.from_annotations(brackets("(p)(N)(t)"))
    assert list(waves.rows()) == [("P", 0, 10, 20), ("QRS", 30, 40, 50), ("T", 60, 70, 80)]


@pytest.mark.parametrize(
    ("text", "wave"),
    [("N)(t)", ("QRS", NAN, 0, 10)), ("(N(t)", ("QRS", 0, 10, NAN)), ("N", ("QRS", NAN, 0, NAN))],
)
def test_a_bracket_that_is_missing_is_not_known(text: str, wave: tuple[str, float, float, float]) -> None:
    label, *places = next(iter(Waves.from_annotations(brackets(text)).rows()))
    assert label == wave[0]
    np.testing.assert_array_equal(places, wave[1:])


def test_brackets_without_a_peak_and_other_symbols_are_no_waves() -> None:
    assert len(Waves.from_annotations(brackets("()(+)u"))) == 0
    assert Waves.from_annotations(brackets("(p+)")).offsets.tolist() == [30]


def test_leads_are_told_apart_by_their_notes() -> None:
    first, second = Waves(["P"], [1], [2], [3]), Waves(["QRS"], [2], [3], [9])
    marks = [first.annotations(note="i"), second.annotations(note="ii")]
    both = Annotations(
        np.concatenate([m.starts for m in marks]),
        labels=np.concatenate([m.labels for m in marks]),
        notes=np.concatenate([m.notes for m in marks]),
    )
    assert Waves.from_annotations(both, note="i") == first
    assert Waves.from_annotations(both, note="ii") == second
    assert len(Waves.from_annotations(both, note="v1")) == 0


@st.composite
def whole_waves(draw: st.DrawFn) -> Waves:
    steps = draw(st.lists(st.integers(1, 50), min_size=3, max_size=24))
    places = np.cumsum(steps[: len(steps) // 3 * 3]).reshape(-1, 3)
    labels = draw(st.lists(st.sampled_from(WAVES), min_size=len(places), max_size=len(places)))
    return Waves(labels, *places.T)


@given(whole_waves())
def test_brackets_and_back(waves: Waves) -> None:
    assert Waves.from_annotations(waves.annotations()) == waves
    assert pickle.loads(pickle.dumps(waves)) == waves


@given(whole_waves(), st.sampled_from([0.5, 2.0]))
def test_another_rate_and_back(waves: Waves, factor: float) -> None:
    assert waves.rescale(factor).rescale(1 / factor) == waves


def test_arrays_are_read_only_after_pickling_too() -> None:
    waves = pickle.loads(pickle.dumps(Waves(["P"], [1], [2], [3])))
    with pytest.raises(ValueError, match="read-only"):
        waves.peaks[0] = 5


def test_places_between_samples_are_rounded_and_none_lies_before_the_start() -> None:
    marks = Waves(["P"], [-0.7], [2.4], [3.6]).annotations(note="v1")
    assert marks.starts.tolist() == [0, 2, 4]
    assert marks.notes.tolist() == ["v1"] * 3


@pytest.mark.parametrize(
    ("given_waves", "message"),
    [
        ((["P"], [1], [2], []), r"a label, onset, peak and offset each, got \[1, 1, 1, 0\]"),
        ((["U"], [1], [2], [3]), "wave 'U'; possible: P, QRS, T"),
        ((["P"], [1], [NAN], [3]), "every wave needs a peak, wave 0 has none"),
        ((["P"], [3], [2], [4]), "wave 0 must begin before it peaks and end after, got 3.0, 2.0, 4.0"),
    ],
)
def test_what_cannot_be_is_refused(given_waves: tuple[list[float], ...], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Waves(*given_waves)


def test_there_are_three_waves_to_ask_for() -> None:
    with pytest.raises(DataError, match=r"wave 'qrs'.*QRS"):
        Waves().of("qrs")
