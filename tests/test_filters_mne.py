"""Every filter takes an mne.Raw and gives another: values as on a recording, and what MNE knows beside them is kept."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
import test_filters_contract

from biosig_lstm.containers import Recording
from biosig_lstm.containers.raw import as_recording, is_raw
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Classifier
from biosig_lstm.filters import (
    Bandpass,
    Bipolar,
    ChannelNames,
    Channels,
    FillGaps,
    MarkArtefacts,
    Normalize,
    Notch,
    Rereference,
    Resample,
    ToUnit,
)
from biosig_lstm.filters._base import Filter
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import FixedLength

mne = pytest.importorskip("mne")

FS = 200.0
NAMES = ["EEG FP1-REF", "STI 014", "F7", "Fz", "Cz", "HEOG", "ECG", "resp"]
KINDS = ["eeg", "stim", "eeg", "eeg", "eeg", "eog", "ecg", "resp"]
DATES = [None, datetime.datetime(2021, 5, 4, 3, 2, 1, tzinfo=datetime.UTC)]


def make(date: datetime.datetime | None = None, *, seconds: int = 10) -> Any:
    """Return a raw object of every kind of channel, begun 300 samples ago, with a bad channel and annotations."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((len(NAMES), int(seconds * FS))) * 2e-5
    values[1] = 0
    values[1, 100:1900:137] = np.arange(1, 15)
    raw = mne.io.RawArray(values, mne.create_info(NAMES, FS, KINDS), first_samp=300, verbose="error")
    raw.set_meas_date(date)
    raw.info["bads"] = ["F7"]
    raw.info["description"] = "kept"
    raw.set_annotations(mne.Annotations([1.0, 5.0], [0.5, 0.0], ["rest", "cue"], ch_names=[["EEG FP1-REF", "Cz"], []]))
    return raw


def marks(raw: Any) -> list[tuple[float, float, str, tuple[str, ...]]]:
    """Return annotations in seconds since the first sample."""
    first = raw.first_samp / raw.info["sfreq"]
    return [
        (round(float(a["onset"]) - first, 6), float(a["duration"]), str(a["description"]), tuple(a["ch_names"]))
        for a in raw.annotations
    ]


each_date = pytest.mark.parametrize("date", DATES, ids=["no date", "dated"])


def test_a_raw_object_is_known_without_importing_mne() -> None:
    assert is_raw(make())
    assert not is_raw(Recording([[1.0]], 100, ["Fz"], ["uV"]))
    assert not is_raw([1])


@pytest.mark.parametrize(
    "step", [step for step, _, _ in test_filters_contract.REFERENCES], ids=test_filters_contract.IDS
)
def test_every_filter_takes_a_raw_object(step: Filter) -> None:
    made = test_filters_contract.recording()
    kinds = ["ecg", "ecg", "ecg"]
    raw = mne.io.RawArray(made.signals * 1e-3, mne.create_info(list(made.channels), made.fs, kinds), verbose="error")
    before = raw.get_data().copy()
    got = step(raw)
    expected = step(made)
    factor = {"mV": 1e-3, "uV": 1e-6, "": 1.0}[expected.units[0]]
    assert got.ch_names == list(expected.channels)
    assert got.info["sfreq"] == expected.fs
    values = expected.signals * factor
    np.testing.assert_allclose(got.get_data(), values, rtol=0, atol=2e-6 * abs(values).max())
    np.testing.assert_array_equal(raw.get_data(), before)
    assert got is not raw


@each_date
@pytest.mark.parametrize(
    "step", [Bandpass(0.5, 40), Notch(50), Rereference(), ChannelNames(), FillGaps(), ToUnit("uV")]
)
def test_what_mne_knows_is_kept(step: Filter, date: datetime.datetime | None) -> None:
    raw = make(date)
    got = step(raw)
    assert got.get_channel_types() == raw.get_channel_types()
    assert got.info["bads"] == ["F7"]
    assert got.info["description"] == "kept"
    assert got.info["meas_date"] == raw.info["meas_date"]
    assert (got.first_samp, got.n_times) == (300, raw.n_times)
    assert marks(raw) == [(1.0, 0.5, "rest", ("EEG FP1-REF", "Cz")), (5.0, 0.0, "cue", ())]
    of = ("Fp1", "Cz") if isinstance(step, ChannelNames) else ("EEG FP1-REF", "Cz")
    assert marks(got) == [(1.0, 0.5, "rest", of), (5.0, 0.0, "cue", ())]
    np.testing.assert_array_equal(got.get_data([1, 7]), raw.get_data([1, 7]))


@each_date
def test_another_rate_moves_all_along(date: datetime.datetime | None) -> None:
    raw = make(date)
    got, theirs = Resample(50)(raw), raw.copy().resample(50, verbose="error")
    assert got.ch_names == raw.ch_names
    assert (got.info["sfreq"], got.n_times, got.first_samp) == (50, 500, theirs.first_samp)
    assert got.info["lowpass"] == theirs.info["lowpass"] == 25
    assert marks(got) == marks(raw)
    np.testing.assert_array_equal(mne.find_events(got, "STI 014", verbose="error"),
                                  mne.find_events(theirs, "STI 014", verbose="error"))  # fmt: skip
    inner = slice(50, -50)
    np.testing.assert_allclose(
        got.get_data(["Cz"])[:, inner],
        Resample(50)(as_recording(raw)).pick(["Cz"]).signals[:, inner] * 1e-6,
        atol=1e-11,
    )


def test_references_are_those_of_mne_also_beside_bad_channels() -> None:
    raw = make()
    expected, _ = mne.set_eeg_reference(raw.copy(), "average", projection=False, verbose="error")
    np.testing.assert_allclose(Rereference()(raw).get_data(), expected.get_data(), rtol=0, atol=1e-11)
    linked, _ = mne.set_eeg_reference(raw.copy(), ["Fz", "Cz"], verbose="error")
    np.testing.assert_allclose(Rereference(("Fz", "Cz"))(raw).get_data(), linked.get_data(), rtol=0, atol=1e-11)


def test_the_type_says_what_is_eeg_where_names_do_not() -> None:
    raw = mne.io.RawArray(
        np.random.default_rng(0).standard_normal((4, 200)) * 1e-5,
        mne.create_info(["E1", "E2", "E3", "EOG"], FS, ["eeg", "eeg", "eeg", "eog"]),
        verbose="error",
    )
    expected, _ = mne.set_eeg_reference(raw.copy(), "average", verbose="error")
    np.testing.assert_allclose(Rereference()(raw).get_data(), expected.get_data(), rtol=0, atol=1e-11)
    assert [tuple(a["ch_names"]) for a in MarkArtefacts(flat_uv=1000)(raw).annotations] == [("E1",), ("E2",), ("E3",)]


@each_date
def test_derivations_are_those_of_mne(date: datetime.datetime | None) -> None:
    raw = make(date)
    got = Bipolar((("Fp1", "F7"), ("Fz", "Cz")))(raw)
    theirs = mne.set_bipolar_reference(
        raw, ["EEG FP1-REF", "Fz"], ["F7", "Cz"], ["Fp1-F7", "Fz-Cz"], verbose="error", on_bad="ignore"
    )
    assert got.ch_names == theirs.ch_names
    assert got.get_channel_types() == theirs.get_channel_types()
    assert got.info["bads"] == theirs.info["bads"] == ["Fp1-F7"]
    np.testing.assert_allclose(got.get_data(), theirs.get_data(), rtol=0, atol=1e-11)
    assert marks(got) == [(1.0, 0.5, "rest", ("Fp1-F7", "Fz-Cz")), (5.0, 0.0, "cue", ())]


def test_nothing_but_derivations_is_left() -> None:
    raw = make().pick(["Fz", "Cz"])
    got = Bipolar(("Fz-Cz",), keep_others=False)(raw)
    assert got.ch_names == ["Fz-Cz"]
    assert got.info["description"] == "kept"
    np.testing.assert_allclose(got.get_data()[0], np.diff(raw.get_data()[::-1], axis=0)[0], rtol=0, atol=1e-11)


def test_channels_of_every_kind_are_chosen() -> None:
    raw = make()
    got = Channels(("Cz", "STI 014", "Fp1", "F7"))(raw)
    assert got.ch_names == ["Cz", "STI 014", "Fp1", "F7"]
    assert got.get_channel_types() == ["eeg", "stim", "eeg", "eeg"]
    assert got.info["bads"] == ["F7"]
    np.testing.assert_array_equal(got.get_data(), raw.get_data([4, 1, 0, 2]))


@each_date
def test_artefacts_become_annotations_of_mne(date: datetime.datetime | None) -> None:
    raw = make(date)
    values = raw.get_data()
    values[4, 820:830] = 1e-3
    loud = mne.io.RawArray(values, raw.info, first_samp=300, verbose="error")
    loud.set_annotations(mne.Annotations([1.0], [0.5], ["rest"]))
    got = MarkArtefacts(peak_to_peak_uv=300)(loud)
    assert marks(got) == [(1.0, 0.5, "rest", ()), (4.0, 1.0, "BAD_peak-to-peak", ("Cz",))]
    epochs = mne.make_fixed_length_epochs(got, 1, reject_by_annotation=True, preload=True, verbose="error")
    assert [k for k, why in enumerate(epochs.drop_log) if why] == [4]


def test_a_pipeline_filters_and_prepares_a_raw_object() -> None:
    raw = make()
    prepare = Pipeline(
        filters=[Bandpass(1, 40), Channels(("Fz", "Cz")), Normalize(), Resample(100)], windows=FixedLength(2)
    )
    filtered = prepare.filter(raw)
    assert (filtered.ch_names, filtered.info["sfreq"]) == (["Fz", "Cz"], 100)
    np.testing.assert_allclose(filtered.get_data(), prepare.filter(as_recording(raw)).signals, atol=1e-4)
    assert len(prepare(raw)) == 5
    assert prepare([raw]) == prepare(as_recording(raw))
    with pytest.raises(DataError, match="recorded at 200 Hz, which does not fit Bandpass"):
        Pipeline(filters=[Bandpass(1, 150)], windows=FixedLength(2)).filter(raw)


def test_a_model_answers_for_a_raw_object(tmp_path: Any) -> None:
    names, items = ["a", "b"], []
    prepare = Pipeline(filters=[Channels(("Fz", "Cz")), Resample(50)], windows=FixedLength(1, classes=tuple(names)))
    for seed in range(4):
        raw = make()
        raw.set_annotations(mne.Annotations([0], [10], [names[seed % 2]]))
        items.append(Recording(**{**vars(as_recording(raw)), "id": f"r{seed}", "subject": f"s{seed}"}))
    model = Classifier(prepare, BiLSTM(hidden_size=2)).fit(prepare(items), max_epochs=1, progress=False, device="cpu")
    path = tmp_path / "night_raw.fif"
    make().save(path, verbose="error")
    said = model.predict(mne.io.read_raw_fif(path, verbose="error"))
    assert len(said) == 10
    assert set(said.recordings.tolist()) == {"night_raw"}
