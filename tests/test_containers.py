"""Recordings, annotations and windows: shapes, units and places are right, or an error says what is not."""

from __future__ import annotations

import pickle

import mne
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import Annotations, Recording, Windows, canonical_unit
from biosig_lstm.errors import DataError, ParameterError


def recording(**changes: object) -> Recording:
    fields: dict[str, object] = {
        "signals": np.arange(2000, dtype=np.float32).reshape(2, 1000) / 1000,
        "fs": 100.0,
        "channels": ["MLII", "V1"],
        "units": ["mV", "mV"],
        "id": "100",
        "annotations": Annotations([100, 400, 700], labels=["N", "V", "N"]),
    }
    return Recording(**(fields | changes))  # type: ignore[arg-type]


def windows(**changes: object) -> Windows:
    fields: dict[str, object] = {
        "values": np.arange(14, dtype=np.float32).reshape(7, 2),
        "offsets": [0, 3, 7],
        "columns": ["a", "b"],
        "rate_hz": 50.0,
        "subjects": ["p", "q"],
        "recordings": ["r1", "r2"],
        "starts": [0, 20],
        "fs": [100.0, 100.0],
        "y": [0, 1],
        "classes": ["N", "V"],
    }
    return Windows(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signals": np.zeros(10)}, r"signals must be \(channels, samples\), got shape \(10,\)"),
        ({"units": ["mV"]}, "2 rows of signals, 2 channel names, 1 units"),
        ({"channels": ["I", "I"]}, "channel names must differ, given twice: I"),
        ({"fs": 0.0}, "fs must be a positive number of Hz, got 0.0"),
        ({"fs": float("nan")}, "fs must be a positive number of Hz"),
        ({"signals": np.full((2, 1000), np.inf)}, "infinite values; mark what is missing with NaN"),
        ({"annotations": Annotations([1000], labels=["N"])}, "annotation at sample 1000, the recording holds 0 to 999"),
        ({"annotations": Annotations([-1], labels=["N"])}, "annotation at sample -1"),
    ],
)
def test_a_recording_that_does_not_fit_together_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        recording(**changes)


def test_arrays_are_read_only_also_after_pickling() -> None:
    for whole in (recording(), pickle.loads(pickle.dumps(recording()))):
        with pytest.raises(ValueError, match="read-only"):
            whole.signals[0, 0] = 1
        with pytest.raises(ValueError, match="read-only"):
            whole.annotations.starts[0] = 1
    cut = pickle.loads(pickle.dumps(windows()))
    with pytest.raises(ValueError, match="read-only"):
        cut.values[0, 0] = 1
    assert cut == windows()
    assert pickle.loads(pickle.dumps(recording())) == recording()


def test_units_are_converted_once_and_refused_by_name_when_foreign() -> None:
    np.testing.assert_allclose(recording().to_unit("uV").signals, recording().signals * 1000)
    assert recording().to_unit("mV").history == ()
    assert recording().to_unit("µV").units == ("uV", "uV")
    with pytest.raises(DataError, match=r"cannot be expressed in uV, not a voltage: V1 \(l/s\)"):
        recording(units=["mV", "l/s"]).to_unit("uV")
    with pytest.raises(ParameterError, match="unit 'furlong'; possible: V, mV, nV, uV"):
        recording().to_unit("furlong")


@pytest.mark.parametrize(
    ("came", "kept"), [("millivolts", "mV"), ("µV", "uV"), ("μV", "uV"), (" V ", "V"), ("NU", "NU")]
)
def test_spellings_of_a_unit_are_unified(came: str, kept: str) -> None:
    assert canonical_unit(came) == kept


@given(
    start=st.integers(0, 998),
    length=st.integers(1, 999),
    events=st.lists(st.tuples(st.integers(0, 999), st.integers(0, 50)), max_size=12),
)
def test_cropping_keeps_annotations_on_their_samples(start: int, length: int, events: list[tuple[int, int]]) -> None:
    stop = min(start + length, 1000)
    begins = [a for a, _ in events]
    ends = [min(a + n, 1000) for a, n in events]
    whole = recording(annotations=Annotations(begins, ends, [str(a) for a in begins]))
    part = whole.crop(start_s=start / 100, stop_s=stop / 100)
    np.testing.assert_array_equal(part.signals, whole.signals[:, start:stop])
    for first, label in zip(part.annotations.starts.tolist(), part.annotations.labels.tolist(), strict=True):
        assert first == max(int(label) - start, 0)
    instants_inside = sum(start <= a < stop for a, b in zip(begins, ends, strict=True) if a == b)
    stretches_inside = sum(b > start and a < stop for a, b in zip(begins, ends, strict=True) if b > a)
    assert len(part.annotations) == instants_inside + stretches_inside


def test_a_crop_outside_the_recording_is_refused() -> None:
    with pytest.raises(ParameterError, match="cannot crop 5 to 12 s, the recording holds 0 to 10 s"):
        recording().crop(start_s=5, stop_s=12)


def test_channels_are_picked_by_name_in_the_order_asked() -> None:
    assert recording().pick(["V1", "MLII"]).channels == ("V1", "MLII")
    with pytest.raises(DataError, match="no channel 'V2'; possible: MLII, V1"):
        recording().pick(["V2"])


def test_a_new_rate_moves_the_annotations() -> None:
    half = recording().with_signals(np.zeros((2, 500)), note="halved", fs=50.0)
    assert half.annotations.starts.tolist() == [50, 200, 350]
    assert half.history == ("halved",)
    assert half.duration_s == recording().duration_s


def test_mne_gets_volts_and_gives_microvolts_back() -> None:
    raw = recording(annotations=Annotations([100, 200], [150, 200], ["a", "b"])).to_mne()
    assert isinstance(raw, mne.io.RawArray)
    assert raw.get_channel_types() == ["ecg", "ecg"]
    np.testing.assert_allclose(raw.get_data(), recording().signals * 1e-3, rtol=1e-6)
    back = Recording.from_mne(raw, id="100")
    assert back.units == ("uV", "uV")
    np.testing.assert_allclose(back.to_unit("mV").signals, recording().signals, rtol=1e-5)
    assert back.annotations == Annotations([100, 200], [150, 200], ["a", "b"])


def test_mne_channels_marked_bad_are_left_out() -> None:
    raw = recording().to_mne()
    raw.info["bads"] = ["MLII"]
    assert Recording.from_mne(raw).channels == ("V1",)
    raw.info["bads"] = ["MLII", "V1"]
    with pytest.raises(DataError, match="no channel left, MNE marks all 2 as bad"):
        Recording.from_mne(raw)


def test_the_notebook_shows_facts_and_a_picture() -> None:
    shown = recording(id="<b>100</b>")._repr_html_()
    assert "<polyline" in shown
    assert "10 s at 100 Hz" in shown
    assert "<b>100</b></b>" not in shown
    assert "no samples" in recording(signals=np.zeros((2, 0)), annotations=Annotations())._repr_html_()
    assert "nan" not in recording(signals=np.full((2, 1000), np.nan))._repr_html_().split("<svg")[1]


def test_annotations_are_ordered_relabelled_and_counted() -> None:
    marks = Annotations([30, 10], [40, 20], ["V", "N"], ["late", "early"])
    assert marks.labels.tolist() == ["N", "V"]
    assert marks.notes.tolist() == ["early", "late"]
    assert marks.relabel({"V": "ectopic"}) == Annotations([30], [40], ["ectopic"], ["late"])
    assert repr(marks) == "Annotations(2: N 1, V 1)"
    assert marks[marks.labels == "N"].starts.tolist() == [10]


def test_annotations_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="got 2, 2, 1 and 2"):
        Annotations([1, 2], labels=["N"])
    with pytest.raises(DataError, match=r"annotation 0 \('N'\) stops at sample 1, before 5"):
        Annotations([5], [1], ["N"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"columns": ["a"]}, r"values must be \(total_steps, 1 columns\), got shape \(7, 2\)"),
        ({"offsets": [0, 3, 6]}, "offsets must run from 0 to 7"),
        ({"offsets": [0, 7, 7]}, "item 1 has none"),
        ({"subjects": ["p"]}, "subjects must be one for each of 2 items, got 1"),
        ({"y": [0, 2]}, "y must lie in -1 to 1, got 0 to 2"),
        ({"y": [0, 1, 1]}, "y must be one for each of 2 items, got 3"),
        ({"y": [0, 1], "step_labels": True}, "y must be one for each of 7 steps, got 2"),
        ({"positions": [1, 2]}, "positions must be one for each of 7 steps"),
        ({"values": np.full((7, 2), np.nan)}, "recording 'r1': column 'a' is not finite"),
    ],
)
def test_windows_that_do_not_fit_together_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        windows(**changes)


def test_items_are_selected_and_put_together_again() -> None:
    both = windows()
    parts = [both.select([1]), both.select(np.array([True, False]))]
    assert Windows.concatenate(parts) == both.select([1, 0])
    np.testing.assert_array_equal(both.select([1]).item(0), both.item(1))
    assert both.class_counts() == {"N": 1, "V": 1}
    with pytest.raises(DataError, match="windows differ in columns"):
        Windows.concatenate([both, windows(columns=["a", "c"])])
    with pytest.raises(ParameterError, match="the list of parts is empty"):
        Windows.concatenate([])


@given(n_steps=st.integers(1, 9), first=st.integers(1, 9))
def test_runs_hold_every_step_once_in_order(n_steps: int, first: int) -> None:
    whole = windows(y=[0, 1, 0, 1, 1, 0, 0], step_labels=True, positions=[5, 9, 12, 20, 33, 40, 55], rate_hz=None)
    runs = whole.into_runs(n_steps, first=min(first, n_steps))
    assert {int(runs.lengths[runs.recordings == name][0]) for name in ("r1", "r2")} <= {min(first, n_steps), 3, 4}
    np.testing.assert_array_equal(runs.values, whole.values)
    assert runs.lengths.max() <= n_steps
    assert runs.starts.tolist() == [whole.positions[k] for k in runs.offsets[:-1]]  # type: ignore[index]
    assert set(zip(runs.recordings.tolist(), runs.subjects.tolist(), strict=True)) == {("r1", "p"), ("r2", "q")}


def test_labels_of_items_cannot_be_cut_into_runs() -> None:
    with pytest.raises(ParameterError, match="runs need at least one step and labels of steps"):
        windows().into_runs(2)


def test_even_steps_know_their_samples() -> None:
    assert windows().step_samples().tolist() == [0, 2, 4, 20, 22, 24, 26]
