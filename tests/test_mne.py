"""MNE's objects on the way in and out: units, times, labels and people, as MNE has them."""

from __future__ import annotations

from datetime import UTC, datetime

import mne
import numpy as np
import pandas as pd
import pytest

from biosig_lstm import (
    Annotations,
    Bandpass,
    BandPower,
    BiLSTM,
    Classifier,
    FixedLength,
    Highpass,
    Pipeline,
    Recording,
    Resample,
    ScalarsOnly,
    SleepStages,
    Standardize,
    StepClassifier,
    WholeRecording,
    Windows,
    load,
    split_by_subject,
)
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.windows import Epochs

NAMES = ["Fz", "Cz", "Oz", "HEOG", "STI 014", "Temp"]
KINDS = ["eeg", "eeg", "eeg", "eog", "stim", "temperature"]
EVENT_ID = {"right": 7, "left": 3}
SMALL = BiLSTM(4)
AS_THEY_ARE = Pipeline(windows=WholeRecording())


def raw_of(*, first_samp: int = 0, dated: bool = False, seed: int = 0) -> mne.io.RawArray:
    """Return 10 s of six channels at 100 Hz, the third marked as bad, of a person called p1."""
    info = mne.create_info(NAMES, 100, KINDS)
    values = np.random.default_rng(seed).normal(0, 2e-5, (6, 1000))
    values[4:] = [[3.0], [36.5]]
    raw = mne.io.RawArray(values, info, first_samp=first_samp, verbose="error")
    raw.info["subject_info"] = {"his_id": "p1"}
    raw.info["bads"] = ["Oz"]
    if dated:
        raw.set_meas_date(datetime(2020, 5, 17, 12, 0, 1, tzinfo=UTC))
    return raw


def epochs_of(subject: str = "p1", *, n: int = 12, seed: int = 0, **more: object) -> mne.EpochsArray:
    """Return epochs of 2 s at 100 Hz, one rhythm for each event."""
    rng, time_s = np.random.default_rng(seed), np.arange(200) / 100
    codes = np.array([(3, 7)[k % 2] for k in range(n)])
    hz = np.where(codes == 3, 6.0, 15.0)
    waves = 2e-5 * np.sin(2 * np.pi * hz[:, None] * time_s + rng.uniform(0, 6, (n, 1)))
    values = waves[:, None, :] * np.array([1.0, 0.5, 0.0])[None, :, None] + rng.normal(0, 3e-6, (n, 3, 200))
    values[:, 2] = codes[:, None]
    info = mne.create_info(["C3", "C4", "STI"], 100, ["eeg", "eeg", "stim"])
    if subject:
        info["subject_info"] = {"his_id": subject}
    events = np.column_stack([1000 + 300 * np.arange(n), np.zeros(n, int), codes])
    return mne.EpochsArray(values, info, events, tmin=-0.5, event_id=EVENT_ID, verbose="error", **more)


@pytest.mark.parametrize("first_samp", [0, 123])
@pytest.mark.parametrize("dated", [False, True])
def test_a_raw_object_comes_back_as_it_went(first_samp: int, dated: bool) -> None:
    raw = raw_of(first_samp=first_samp, dated=dated)
    marks = mne.Annotations([1.0, 2.5, 7.0], [0.5, 0, 3.0], ["a", "b", "c"], ch_names=[["Cz"], [], []])
    raw.set_annotations(marks)
    got = Recording.from_mne(raw, id="r", bads="kept")
    assert (got.subject, got.channels, got.fs) == ("p1", tuple(NAMES), 100.0)
    assert got.units == ("uV", "uV", "uV", "uV", "", "DegC")
    np.testing.assert_allclose(got.signals[:4], raw.get_data(picks=NAMES[:4]) * 1e6, rtol=1e-6)
    assert got.signals[4:, 0].tolist() == [3.0, 36.5]
    assert got.annotations == Annotations([100, 250, 700], [150, 250, 1000], ["a", "b", "c"], ["Cz", "", ""])
    back = got.to_mne(like=raw)
    np.testing.assert_allclose(back.get_data(), raw.get_data(), rtol=1e-6)
    assert (back.first_samp, back.info["meas_date"], back.info["bads"]) == (first_samp, raw.info["meas_date"], ["Oz"])
    assert back.get_channel_types() == raw.get_channel_types()
    assert back.info["subject_info"]["his_id"] == "p1"
    np.testing.assert_allclose(back.annotations.onset, raw.annotations.onset)
    np.testing.assert_allclose(back.annotations.duration, raw.annotations.duration)
    assert back.annotations.ch_names.tolist() == raw.annotations.ch_names.tolist()
    again = Recording.from_mne(back, id="r", bads="kept")
    np.testing.assert_allclose(again.signals, got.signals, rtol=1e-6)
    assert again.annotations == got.annotations


def test_places_of_electrodes_and_a_new_rate_are_kept() -> None:
    raw = raw_of(first_samp=200, dated=True).pick(["Fz", "Cz"])
    places = {"Fz": np.array([0.0, 0.06, 0.1]), "Cz": np.array([0.0, 0.0, 0.12])}
    raw.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
    half = Resample(50)(Recording.from_mne(raw)).to_mne(like=raw)
    assert (half.info["sfreq"], half.first_samp, half.n_times) == (50.0, 100, 500)
    np.testing.assert_array_equal(half.info["chs"][1]["loc"], raw.info["chs"][1]["loc"])


def test_a_recording_that_mne_never_saw(recwarn: pytest.WarningsRecorder) -> None:
    one = Recording(np.ones((3, 100)), 10, ["Fz", "EOG left", "SpO2"], ["mV", "uV", "%"], id="r", subject="s")
    raw = one.to_mne()
    assert raw.get_channel_types() == ["eeg", "eog", "misc"]
    np.testing.assert_allclose(raw.get_data()[:, 0], [1e-3, 1e-6, 1.0], rtol=1e-6)
    assert raw.info["subject_info"]["his_id"] == "s"
    assert Recording.from_mne(raw).subject == "s"
    assert not recwarn.list


def test_what_lies_outside_a_cropped_raw_is_left_out_and_what_overlaps_is_cut() -> None:
    raw = raw_of(dated=True)
    raw.set_annotations(mne.Annotations([0, 1, 3.5, 8], [1, 3, 1, 2], list("abcd"), orig_time=raw.info["meas_date"]))
    got = Recording.from_mne(raw.copy().crop(3, 6))
    assert got.annotations == Annotations([0, 50], [100, 150], ["b", "c"])


def test_bads_are_one_of_two_words() -> None:
    assert Recording.from_mne(raw_of()).channels == ("Fz", "Cz", "HEOG", "STI 014", "Temp")
    with pytest.raises(ParameterError, match="bads 'keep'; did you mean 'kept'"):
        Recording.from_mne(raw_of(), bads="keep")  # type: ignore[arg-type]


def test_epochs_are_windows_in_microvolts_labelled_by_their_events() -> None:
    epochs = epochs_of()
    got = Windows.from_mne(epochs)
    assert (len(got), got.columns, got.rate_hz, got.unit) == (12, ("C3", "C4"), 100.0, "uV")
    assert got.classes == ("left", "right")
    assert [got.classes[k] for k in got.y] == ["left", "right"] * 6
    np.testing.assert_allclose(got.item(3), epochs.get_data(picks="eeg")[3].T * 1e6, rtol=1e-5)
    assert set(got.subjects) == {"p1"}
    np.testing.assert_array_equal(got.starts, epochs.events[:, 0] - 50)
    assert Windows.from_mne(epochs, classes=["right"]).y.tolist() == [-1, 0] * 6


def test_epochs_out_of_a_raw_lie_where_mne_has_them_and_dropped_ones_are_not_there() -> None:
    raw = raw_of(first_samp=50)
    raw.set_annotations(mne.Annotations([1, 2, 9.9], [0.5, 0, 0.1], ["x", "y", "x"]))
    events, event_id = mne.events_from_annotations(raw, verbose="error")
    epochs = mne.Epochs(raw, events, event_id, 0.1, 0.59, baseline=None, verbose="error")
    got = Windows.from_mne(epochs)
    assert got.columns == ("Fz", "Cz", "HEOG", "Temp")
    assert (len(got), got.starts.tolist(), got.lengths.tolist()) == (2, [160, 260], [50, 50])
    np.testing.assert_allclose(got.item(1)[:, :2], raw.get_data(picks=["Fz", "Cz"])[:, 210:260].T * 1e6, rtol=1e-5)
    slow = Windows.from_mne(epochs.load_data().decimate(2, verbose="error"))
    assert (slow.rate_hz, slow.fs[0], slow.starts.tolist()) == (50.0, 100.0, [160, 260])


@pytest.mark.parametrize(("step_s", "steps", "width"), [(0.5, 4, 50), (0.6, 3, 60), (2.0, 1, 200), (9.0, 1, 200)])
def test_steps_of_epochs_may_be_windows(step_s: float, steps: int, width: int) -> None:
    epochs = epochs_of()
    got = Windows.from_mne(epochs, step_s=step_s)
    assert (got.window_shape, set(got.lengths.tolist())) == ((2, width), {steps})
    cut = epochs.get_data(picks="eeg")[5, :, width * (steps - 1) : width * steps] * 1e6
    np.testing.assert_allclose(got.item(5)[-1].reshape(2, width), cut, rtol=1e-5)
    powers = BandPower(("theta", "beta"))(got)
    alone = BandPower(("theta", "beta"))(Epochs(width / 100)(Recording(
        epochs.get_data(picks="eeg")[5] * 1e6, 100, ["C3", "C4"], ["uV", "uV"], id="r")))  # fmt: skip
    np.testing.assert_allclose(powers.item(5)[:, 2 * width :], alone.values[:, 2 * width :], rtol=1e-4)


def test_people_of_epochs() -> None:
    table = pd.DataFrame({"subject": ["a"] * 6 + ["b"] * 6, "recording": ["r1"] * 6 + ["r2"] * 6})
    epochs = epochs_of("", metadata=table)
    got = Windows.from_mne(epochs)
    assert (got.subjects.tolist(), got.recordings.tolist()) == (["a"] * 6 + ["b"] * 6, ["r1"] * 6 + ["r2"] * 6)
    assert set(Windows.from_mne(epochs, subject="c").subjects) == {"c"}
    train, test = split_by_subject(got, (0.5, 0.5), seed=0)
    assert not set(train.subjects) & set(test.subjects)
    table.loc[3, "subject"] = None
    with pytest.raises(DataError, match="epochs of whom"):
        Windows.from_mne(epochs_of("", metadata=table))
    with pytest.raises(DataError, match="epochs of whom"):
        Windows.from_mne(epochs_of(""))


def test_epochs_without_a_usable_channel_are_refused() -> None:
    epochs = epochs_of()
    epochs.info["bads"] = ["C3", "C4"]
    with pytest.raises(DataError, match="every channel that is not marked as bad is a trigger"):
        Windows.from_mne(epochs)
    with pytest.raises(ParameterError, match="step_s must be positive"):
        Windows.from_mne(epochs_of(), step_s=0)


def test_a_classifier_is_fitted_scored_and_saved_on_epochs(tmp_path) -> None:  # type: ignore[no-untyped-def]
    prepare = Pipeline(windows=FixedLength(2), features=[BandPower(("theta", "beta")), ScalarsOnly()])
    people = [epochs_of(f"p{k}", seed=k) for k in range(4)]
    model = Classifier(prepare, BiLSTM(8), standardize=Standardize())
    model.fit(people[:3], max_epochs=12, batch_size=12, learning_rate=0.05, device="cpu", progress=False)
    assert model.classes == ("left", "right")
    assert model.training is not None
    assert model.training.subjects == ("p0", "p1", "p2")
    scores = model.evaluate(people[3])
    assert scores.metrics["accuracy"].value > 0.9
    with pytest.raises(LeakageError, match="p0"):
        model.evaluate(people[0])
    with pytest.raises(DataError, match="epochs of whom"):
        model.evaluate(epochs_of("", seed=9))
    said = model.predict(epochs_of("", seed=3))
    np.testing.assert_array_equal(said.labels, model.predict(people[3]).labels)
    assert (said.subjects[0], said.durations_s[0]) == ("unknown", 2.0)
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig").predict(people[3])
    np.testing.assert_array_equal(again.log_probabilities, model.predict(people[3]).log_probabilities)


def test_a_model_of_epochs_reads_recordings_in_windows_of_their_length() -> None:
    prepare = Pipeline(filters=[Highpass(1)], windows=FixedLength(2))
    model = Classifier(prepare, SMALL).fit(epochs_of(), max_epochs=1, progress=False)
    values = np.random.default_rng(0).normal(0, 2e-5, (2, 700))
    raw = mne.io.RawArray(values, mne.create_info(["C3", "C4"], 100, "eeg"), verbose="error")
    said = model.predict(raw)
    assert said.times_s.tolist() == [0.0, 2.0, 4.0]
    np.testing.assert_array_equal(said.labels, model.predict(Recording.from_mne(raw)).labels)
    assert len(model.predict([raw])) == 3


def test_filters_and_events_are_applied_to_each_epoch_and_the_step_to_windows_is_left_out() -> None:
    prepare = Pipeline(filters=[Bandpass(2, 20), Resample(50)], windows=FixedLength(1))
    model = Classifier(prepare, SMALL).fit(epochs_of(), max_epochs=1, progress=False)
    assert (model.rate_hz, model.columns, model.unit) == (50.0, ("C3", "C4"), "uV")
    assert len(model.predict(epochs_of(n=5))) == 5
    stages = epochs_of()
    stages.event_id = {"Sleep stage W": 3, "Sleep stage 4": 7}
    night = Classifier(Pipeline(events=SleepStages(), windows=Epochs(30)), SMALL)
    night.fit(stages, max_epochs=1, progress=False)
    assert night.classes == ("W", "N1", "N2", "N3", "R")
    assert night.window_shape == (2, 200)
    assert night.evaluate(epochs_like(stages, "p2"), allow_seen=False).n_subjects == 1


def epochs_like(epochs: mne.EpochsArray, subject: str) -> mne.EpochsArray:
    """Return the same epochs of another person."""
    other = epochs.copy()
    other.info["subject_info"] = {"his_id": subject}
    return other


def test_event_names_in_another_order_or_unknown_ones_keep_their_meaning() -> None:
    model = Classifier(AS_THEY_ARE, SMALL).fit(epochs_of(), max_epochs=1, progress=False)
    other = epochs_like(epochs_of(seed=5), "p2")
    swapped = other.copy()
    swapped.events[:, 2] = np.where(other.events[:, 2] == 3, 9, 2)
    swapped.event_id = {"left": 9, "right": 2}
    assert model.evaluate(swapped).metrics["accuracy"] == model.evaluate(other).metrics["accuracy"]
    swapped.event_id = {"up": 9, "down": 2}
    with pytest.raises(DataError, match="nothing to score: no label"):
        model.evaluate(swapped)
    windows = Windows.from_mne(other, classes=["right", "left"])
    with pytest.raises(DataError, match=r"classes \('right', 'left'\), the model has \('left', 'right'\)"):
        model.evaluate(windows)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ParameterError, match="StepClassifier learns labels of steps, these windows label items"):
        StepClassifier(AS_THEY_ARE, BiLSTM(4, pooling=None)).fit(epochs_of(), max_epochs=1, progress=False)
    with pytest.raises(LeakageError, match="p1"):
        Classifier(AS_THEY_ARE, SMALL).fit(epochs_of(), epochs_of(seed=1), max_epochs=1, progress=False)
    model = Classifier(AS_THEY_ARE, SMALL).fit(epochs_of(), max_epochs=1, progress=False)
    with pytest.raises(DataError, match="windows of 1 columns, the model takes 2: lacking C4"):
        model.predict(epochs_of("p2").pick(["C3"]))
    with pytest.raises(DataError, match="windows of 50 Hz, the model was trained on 100 Hz"):
        model.predict(epochs_of("p2").decimate(2, verbose="error"))
    with pytest.raises(DataError, match="no recordings came to be prepared"):
        model.predict([])
