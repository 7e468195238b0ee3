"""The beats of a recording: which annotations are beats, of which class, and when they are found instead."""

from __future__ import annotations

import json

import numpy as np
import pytest

from biosig_lstm import datasets, events
from biosig_lstm.containers import DETECTED, Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.beats import AAMI, Beats, outside_flutter
from biosig_lstm.events.rpeaks import RPeaks

# The classes of ANSI/AAMI EC57 and the WFDB symbols that belong to them.
EC57 = {"N": "NLRej", "S": "AaJS", "V": "VE", "F": "F", "Q": "/fQ"}
NO_BEATS = ["+", "~", "|", '"', "x", "!", "[", "]", "p", "t", "(", ")", "u", "`", "'", "^", "s", "T", "*", "D", "="]


def marked(labels: list[str]) -> Recording:
    original = next(datasets.get("sample").recordings(["s01"]))
    starts = np.arange(len(labels)) * 40 + 10
    return original.with_annotations(Annotations(starts, starts, labels))


@pytest.fixture(scope="module")
def sample() -> Recording:
    return next(datasets.get("sample").recordings(["s02"]))


def test_symbols_map_to_the_classes_of_the_standard() -> None:
    assert dict(AAMI) == {symbol: name for name, symbols in EC57.items() for symbol in symbols}


@pytest.mark.parametrize("name", list(EC57))
def test_beats_bear_their_class(name: str) -> None:
    original = marked(list(EC57[name]))
    got = Beats()(original)
    assert got.annotations.labels.tolist() == [name] * len(EC57[name])
    np.testing.assert_array_equal(got.annotations.starts, original.annotations.starts)


def test_what_marks_no_beat_is_left_out_and_the_order_kept() -> None:
    got = Beats("annotated")(marked(["+", "N", "~", "A", "x", "V", *NO_BEATS, "f"]))
    assert got.annotations.labels.tolist() == ["N", "S", "V", "Q"]
    assert got.annotations.starts.tolist() == [50, 130, 210, 10 + 40 * (6 + len(NO_BEATS))]


def test_the_sample_keeps_its_beats_and_its_signal(sample: Recording) -> None:
    before = sample.annotations
    got = Beats()(sample)
    assert sample.annotations == before
    assert len(got.annotations) == len(before) - 1
    assert np.count_nonzero(got.annotations.labels == "S") == np.count_nonzero(before.labels == "A")
    assert np.shares_memory(got.signals, sample.signals)
    assert Beats()(got).annotations == got.annotations


def test_annotated_beats_are_taken_and_found_ones_where_there_are_none(sample: Recording) -> None:
    bare = sample.with_annotations(Annotations([1], labels=["+"]))
    found = RPeaks()(sample).annotations
    assert set(found.labels.tolist()) == {DETECTED}
    for positions, recording in (("auto", bare), ("detected", bare), ("detected", sample)):
        assert Beats(positions)(recording).annotations == found
    assert Beats("auto")(sample).annotations == Beats("annotated")(sample).annotations != found
    truth = Beats("annotated")(sample).annotations.starts
    apart = np.abs(found.starts[:, None] - truth[None, :]).min(axis=1)
    assert (apart < 0.05 * sample.fs).mean() > 0.98


def test_beats_found_before_are_not_sought_again(sample: Recording) -> None:
    few = RPeaks()(sample)
    few = few.with_annotations(few.annotations[:7])
    assert Beats("auto")(few).annotations == few.annotations
    assert Beats("annotated")(few).annotations == few.annotations


@pytest.mark.parametrize(("labels", "listed"), [([], "none"), (["~", "+", "~"], r"\+, ~")])
def test_no_annotated_beats_are_an_error_that_names_what_is_there(labels: list[str], listed: str) -> None:
    with pytest.raises(DataError, match=f"s01: no annotated beats; labels found: {listed}. Detect them instead"):
        Beats("annotated")(marked(labels))


def test_another_source_of_beats_is_refused_with_a_guess() -> None:
    with pytest.raises(
        ParameterError, match=r"positions 'annotatd'; did you mean 'annotated'\? possible: annotated, auto"
    ):
        Beats("annotatd")


@pytest.mark.parametrize("positions", ["auto", "annotated", "detected"])
def test_the_step_reads_back_from_its_dictionary(positions: str) -> None:
    values = json.loads(json.dumps(Beats(positions).to_dict()))
    kind = events.steps()[values.pop("step")]
    assert kind.from_fields(values) == Beats(positions)
    assert kind.kind == "event"


def test_flutter_without_an_end_goes_on_to_the_end() -> None:
    found = Annotations([10, 100, 200, 900], labels=["N"] * 4)
    open_ended = Annotations([150], labels=["["])
    assert outside_flutter(found, open_ended, margin_samples=20).starts.tolist() == [10, 100]
    twice = Annotations([90, 110, 800], labels=["[", "]", "["])
    assert outside_flutter(found, twice).starts.tolist() == [10, 200]
    assert outside_flutter(found, Annotations()) == found


def test_beats_of_no_class_are_kept_for_the_rhythm() -> None:
    marks = Annotations([100, 400, 700, 1000, 1300, 1500], labels=["N", "B", "n", "r", "?", "+"])
    kept = Beats()(Recording(np.zeros((1, 2000)), 360, ["MLII"], ["mV"], id="r", annotations=marks)).annotations
    assert kept.starts.tolist() == [100, 400, 700, 1000, 1300]
    assert kept.labels.tolist() == ["N", *[DETECTED] * 4]
