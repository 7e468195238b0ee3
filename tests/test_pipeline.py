"""The preparation as one value: order, equality, saving, and runs whose first beat has a past."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.beats import Beats
from biosig_lstm.features.own_beat import AgainstOwnBeat
from biosig_lstm.features.rr import COLUMNS, RRIntervals, rr_features
from biosig_lstm.filters import Bandpass, EcgLeads, FillGaps, Highpass, Normalize, Notch, Resample
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import AroundEvents, FixedLength, WholeRecording

AROUND = AroundEvents(0.40, 0.45, rate_hz=100.0, leads=2)


def beats_pipeline(**changes: Any) -> Pipeline:
    """Return the preparation of beats, other steps given by their place."""
    steps: dict[str, Any] = {
        "filters": [EcgLeads(2), FillGaps(), Bandpass(0.5, 40)],
        "events": Beats(),
        "windows": AROUND,
        "features": [AgainstOwnBeat(0.40, 100.0), RRIntervals()],
    }
    return Pipeline(**(steps | changes))


# Each differs from the others in one thing: a step, a field of it, its place or the order.
DIFFERENT = [
    beats_pipeline(),
    beats_pipeline(filters=[EcgLeads(1), FillGaps(), Bandpass(0.5, 40)]),
    beats_pipeline(filters=[EcgLeads(2), FillGaps(), Bandpass(0.5, 35)]),
    beats_pipeline(filters=[EcgLeads(2), FillGaps(), Bandpass(0.5, 40, order=4)]),
    beats_pipeline(filters=[EcgLeads(2), Bandpass(0.5, 40), FillGaps()]),
    beats_pipeline(filters=[EcgLeads(2), FillGaps(), Highpass(0.5)]),
    beats_pipeline(filters=[]),
    beats_pipeline(events=()),
    beats_pipeline(events=Beats("detected")),
    beats_pipeline(windows=replace(AROUND, run=32)),
    beats_pipeline(windows=replace(AROUND, classes=("N", "V"))),
    beats_pipeline(features=[RRIntervals()]),
    beats_pipeline(windows=FixedLength(10.0, classes=("AF", "N")), events=(), features=()),
    beats_pipeline(windows=WholeRecording(), events=(), features=(), filters=[Resample(100), Notch(50), Normalize()]),
]
each = pytest.mark.parametrize("pipeline", DIFFERENT, ids=[p.digest() for p in DIFFERENT])


@pytest.fixture(scope="module")
def sample() -> list[Recording]:
    return list(datasets.get("sample").recordings(["s01", "s02"]))


def test_the_walk_is_filters_events_windows_features_in_order(sample: list[Recording]) -> None:
    prepare = beats_pipeline()
    walked = sample[0]
    for step in (*prepare.filters, *prepare.events, prepare.windows, *prepare.features):
        walked = step(walked)
    assert prepare(sample[0]) == walked
    assert prepare.cut(prepare.find(prepare.filter(sample[0]))) == walked


def test_many_recordings_are_their_items_one_after_the_other(sample: list[Recording]) -> None:
    prepare = beats_pipeline()
    together = prepare(iter(sample))
    assert together.recordings.tolist() == ["s01", "s02"]
    for k, recording in enumerate(sample):
        assert together.select([k]) == prepare(recording)


def test_no_recordings_are_an_error() -> None:
    with pytest.raises(DataError, match="no recordings came to be prepared"):
        beats_pipeline()([])


def test_a_recording_that_cannot_be_prepared_is_named(sample: list[Recording]) -> None:
    lost = sample[1].with_signals(np.zeros_like(sample[1].signals), note="lost")
    with pytest.raises(DataError, match="s02: no usable ECG lead: MLII is flat; V1 is flat"):
        beats_pipeline()([sample[0], lost])


# ---- Runs


@pytest.mark.parametrize("run", [1, 32, 1000])
def test_runs_are_cut_after_the_features(sample: list[Recording], run: int) -> None:
    whole = beats_pipeline()(sample)
    cut = beats_pipeline(windows=replace(AROUND, run=run))(sample)
    np.testing.assert_array_equal(cut.values, whole.values)
    np.testing.assert_array_equal(cut.y, whole.y)
    np.testing.assert_array_equal(cut.positions, whole.positions)
    assert cut.lengths.max() == min(run, whole.lengths.max())
    assert len(cut) == sum(-(-n // run) for n in whole.lengths.tolist())


def test_the_first_beat_of_a_run_has_a_past(sample: list[Recording]) -> None:
    cut = beats_pipeline(windows=replace(AROUND, run=32), features=[RRIntervals()])(sample[0])
    times = cut.positions / sample[0].fs
    first = int(cut.offsets[1])
    before = cut.columns.index("rr_before/record")
    expected = 4 * np.log((times[first] - times[first - 1]) / np.median(np.diff(times)))
    assert cut.values[first, before] == pytest.approx(expected, abs=1e-5)
    alone = rr_features(times[first : first + 32])
    assert np.abs(cut.values[first, -len(COLUMNS) :] - alone[0]).max() > 0.01


# ---- Equality, repr, saving


@each
def test_a_pipeline_reads_back_from_json(pipeline: Pipeline) -> None:
    again = Pipeline.from_dict(json.loads(json.dumps(pipeline.to_dict())))
    assert again == pipeline
    assert hash(again) == hash(pipeline)
    assert repr(again) == repr(pipeline)
    assert again.digest() == pipeline.digest()
    assert pickle.loads(pickle.dumps(pipeline)) == pipeline


def test_pipelines_are_equal_when_all_their_settings_are() -> None:
    assert beats_pipeline() == beats_pipeline(events=[Beats()], filters=(EcgLeads(2), FillGaps(), Bandpass(0.5, 40)))
    for k, one in enumerate(DIFFERENT):
        assert [one == other for other in DIFFERENT] == [k == j for j in range(len(DIFFERENT))]
    assert len({p.digest() for p in DIFFERENT}) == len({repr(p) for p in DIFFERENT}) == len(DIFFERENT)


def test_the_repr_is_the_configuration() -> None:
    text = repr(beats_pipeline())
    for part in (
        "Bandpass(low_hz=0.5, high_hz=40",
        "Beats(positions='auto')",
        "AroundEvents(before_s=0.4, after_s=0.45",
    ):
        assert part in text
    names = {kind.__name__: kind for kind in (Pipeline, AroundEvents, EcgLeads, FillGaps, Bandpass, Beats)}
    known = names | {kind.__name__: kind for kind in (AgainstOwnBeat, RRIntervals)}
    assert eval(text, known) == beats_pipeline()


def test_the_digest_is_the_same_in_another_process() -> None:
    code = (
        "import json, sys; from biosig_lstm.pipeline import Pipeline; "
        "print(Pipeline.from_dict(json.loads(sys.argv[1])).digest())"
    )
    text = json.dumps(beats_pipeline().to_dict(), sort_keys=True)
    env = {**os.environ, "PYTHONHASHSEED": "12"}
    other = subprocess.run([sys.executable, "-c", code, text], capture_output=True, text=True, check=True, env=env)
    assert other.stdout.strip() == beats_pipeline().digest()


def test_a_pipeline_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'windows'"):
        beats_pipeline().windows = FixedLength(1.0)  # type: ignore[misc]


# ---- What is refused


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"filters": [RRIntervals()]}, r"RRIntervals\(\) is a step of kind 'feature', a step of kind 'filter' belongs"),
        ({"events": Bandpass(0.5, 40)}, "is a step of kind 'filter', a step of kind 'event' belongs here"),
        ({"windows": Beats()}, "is a step of kind 'event', a step of kind 'windows' belongs here"),
        ({"features": [AROUND]}, "is a step of kind 'windows', a step of kind 'feature' belongs here"),
        ({"filters": [np.abs]}, r"<ufunc 'absolute'> is a step of kind 'ufunc', a step of kind 'filter'"),
    ],
)
def test_a_step_in_the_wrong_place_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        beats_pipeline(**changes)


def edit(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(beats_pipeline().to_dict()))
    change(values)
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["filters"][0].update(step="EcgLead"), "no step 'EcgLead'; did you mean 'EcgLeads'"),
        (lambda v: v["events"][0].update(step="Bandpass"), "this version has no step 'Bandpass'; possible: .*Beats"),
        (lambda v: v["windows"].update(step="Beats"), "this version has no step 'Beats'; possible: AroundEvents"),
        (lambda v: v["features"][0].update(step="os.system"), "this version has no step 'os.system'"),
        (lambda v: v["filters"][0].pop("step"), "not the description of a pipeline: 'step'"),
        (lambda v: v["filters"][2].update(low="x"), "not the description of a pipeline: .*unexpected keyword.*'low'"),
        (lambda v: v["filters"][2].pop("low_hz"), "not the description of a pipeline: .*'low_hz'"),
        (lambda v: v.pop("features"), "not the description of a pipeline: 'features'"),
        (lambda v: v.update(windows=None), "not the description of a pipeline: .*a step is written as"),
        (lambda v: v.update(windows="AroundEvents"), "not the description of a pipeline: .*a step is written as"),
        (lambda v: v.update(filters=[["EcgLeads", 2]]), "not the description of a pipeline: .*a step is written as"),
        (lambda v: v.update(filters=3), "not the description of a pipeline: .*not iterable"),
    ],
)
def test_what_is_no_description_is_refused(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Pipeline.from_dict(edit(change))


def test_a_value_that_a_step_does_not_allow_is_refused_by_the_step() -> None:
    with pytest.raises(ParameterError, match="most must be at least 1, got 0"):
        Pipeline.from_dict(edit(lambda v: v["filters"][0].update(most=0)))


# ---- Beats from elsewhere


def test_positions_change_where_beats_come_from_and_nothing_else(sample: list[Recording]) -> None:
    prepare = beats_pipeline()
    detected = prepare.with_positions("detected")
    assert detected == beats_pipeline(events=Beats("detected"))
    assert prepare == beats_pipeline()
    assert detected.with_positions("auto") == prepare
    found = detected(sample[0])
    assert found.class_counts() == dict.fromkeys("NSVFQ", 0)
    assert len(found.values) == pytest.approx(len(prepare(sample[0]).values), abs=5)


def test_positions_of_a_pipeline_without_beats_change_nothing() -> None:
    plain = Pipeline(windows=FixedLength(1.0))
    assert plain.with_positions("detected") == plain


def test_other_positions_are_refused() -> None:
    with pytest.raises(ParameterError, match="positions 'given'; possible: annotated, auto, detected"):
        beats_pipeline().with_positions("given")


def test_annotated_beats_are_wanted_where_there_are_none(sample: list[Recording]) -> None:
    bare = sample[0].with_annotations(Annotations())
    with pytest.raises(DataError, match="s01: no annotated beats; labels found: none"):
        beats_pipeline().with_positions("annotated")(bare)
