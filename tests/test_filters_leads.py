"""The usable leads of an ECG: which are kept, in what order and unit, and why others are not."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm import datasets
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.filters.channels import Channels
from biosig_lstm.filters.leads import EcgLeads, is_ecg_lead

FS = 250.0
Array = np.ndarray[Any, Any]


def recording(channels: Sequence[str], *, units: Sequence[str] | str = "mV", n_samples: int = 2500) -> Recording:
    """Return noise of about 1 mV in every channel, each its own."""
    names = [units] * len(channels) if isinstance(units, str) else list(units)
    scale = {"V": 1e-3, "uV": 1e3, "nV": 1e6}
    rows = [
        scale.get(unit, 1.0) * 0.3 * np.random.default_rng(k).standard_normal(n_samples)
        for k, unit in enumerate(names)
    ]  # fmt: skip
    signals = np.array(rows).reshape(len(names), n_samples)
    beats = Annotations([10, 300], labels=["N", "V"]) if n_samples > 300 else Annotations()
    return Recording(signals, FS, channels, names, id="r1", subject="s1", annotations=beats)


def changed(original: Recording, channel: str, values: Array | float) -> Recording:
    signals = original.signals.copy()
    signals[list(original.channels).index(channel)] = values
    return original.with_signals(signals, note="changed")


@pytest.mark.parametrize(
    "name",
    [
        "MLI", "MLII", "MLIII", "I", "II", "III", "aVR", "avl", "AVF", "V", "V1", "v6", "V3R", "MLV1",
        "ECG", "ECG1", "EKG 2", "ECG I", "ECG lead II", "lead II", "Lead aVR", " V5 ", "EKG", "DII", "CM5", "CC5",
        "ECG 1", "EKG1-EKG2",
    ],
)  # fmt: skip
def test_names_of_leads(name: str) -> None:
    assert is_ecg_lead(name)


@pytest.mark.parametrize(
    "name",
    ["Resp", "EEG C4-A1", "EOG", "EMG chin", "ABP", "PLETH", "SpO2", "C3", "Fp1", "O2", "VEOG", "IV", "X", "", "ART"],
)
def test_names_of_other_channels(name: str) -> None:
    assert not is_ecg_lead(name)


def test_leads_of_every_record_of_the_sample_are_known() -> None:
    for original in datasets.get("sample").recordings():
        assert all(is_ecg_lead(name) for name in original.channels)
        assert EcgLeads()(original) == original


def test_usable_leads_in_millivolts_are_left_as_they_are() -> None:
    original = recording(["MLII", "V1"])
    assert EcgLeads(2)(original) is original


def test_of_more_than_wanted_the_usual_ones_are_kept_in_their_order() -> None:
    twelve = recording(["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"])
    assert EcgLeads(1)(twelve).channels == ("II",)
    assert EcgLeads(2)(twelve).channels == ("II", "V1")
    assert EcgLeads(3)(twelve).channels == ("II", "V1", "V5")
    assert EcgLeads(12)(twelve) is twelve
    swapped = EcgLeads(2)(recording(["V5", "MLII", "V1"]))
    assert swapped.channels == ("MLII", "V1")
    np.testing.assert_array_equal(swapped.signals, recording(["V5", "MLII", "V1"]).signals[1:])
    assert EcgLeads(2)(recording(["V1", "MLII"])).channels == ("V1", "MLII")


def test_what_is_left_out_stands_in_the_history_with_the_reason() -> None:
    original = recording(["EEG C4-A1", "II", "Resp", "V1", "V5", "III"], units=["uV", "mV", "ohm", "mV", "mV", "mV"])
    original = changed(changed(original, "III", 0.25), "V5", np.nan)
    got = EcgLeads(1)(original)
    assert got.channels == ("II",)
    assert got.history[-1] == (
        "left out EEG C4-A1 (is not named as an ECG lead), Resp (is no voltage but ohm), V1 (not needed), "
        "V5 (holds no sample), III (is flat)"
    )
    assert got.annotations == original.annotations
    assert (got.id, got.subject, got.fs) == ("r1", "s1", FS)


def test_eeg_beside_an_ecg_is_left_out_and_alone_is_taken() -> None:
    both = recording(["EEG Fpz-Cz", "ECG"], units="uV")
    assert EcgLeads(2)(both).channels == ("ECG",)
    unnamed = recording(["chan 1", "chan 2", "chan 3"])
    assert EcgLeads(2)(unnamed).channels == ("chan 1", "chan 2")


@pytest.mark.parametrize(("unit", "factor"), [("V", 1e3), ("mV", 1.0), ("uV", 1e-3), ("nV", 1e-6), ("µV", 1e-3)])
def test_every_voltage_becomes_millivolts(unit: str, factor: float) -> None:
    original = recording(["II", "V1"], units="uV" if unit == "µV" else unit)
    got = EcgLeads()(original)
    assert got.units == ("mV", "mV")
    np.testing.assert_allclose(got.signals, original.signals.astype(np.float64) * factor, rtol=1e-6)


def test_leads_of_different_units_are_brought_to_one() -> None:
    got = EcgLeads()(recording(["II", "V1"], units=["V", "uV"]))
    assert got.units == ("mV", "mV")
    assert np.std(got.signals, axis=1) == pytest.approx([0.3, 0.3], rel=0.1)


@pytest.mark.parametrize("unit", ["", "mmHg", "NU", "a.u."])
def test_a_lead_without_a_voltage_is_refused(unit: str) -> None:
    reason = f"is no voltage but {unit or 'without a unit'}"
    with pytest.raises(DataError, match=f"^r1: no usable ECG lead: II {reason}; V1 {reason}$"):
        EcgLeads()(recording(["II", "V1"], units=unit))


@pytest.mark.parametrize(
    ("values", "reason"), [(0.0, "is flat"), (1.5, "is flat"), (np.nan, "holds no sample")], ids=["zero", "flat", "nan"]
)
def test_a_lead_that_holds_nothing_is_refused(values: float, reason: str) -> None:
    both = changed(changed(recording(["II", "V1"]), "II", values), "V1", values)
    with pytest.raises(DataError, match=f"r1: no usable ECG lead: II {reason}; V1 {reason}"):
        EcgLeads()(both)
    one = changed(recording(["II", "V1"]), "II", values)
    assert EcgLeads()(one).channels == ("V1",)
    assert EcgLeads()(one).history[-1] == f"left out II ({reason})"


def test_a_lead_that_is_flat_between_gaps_is_flat() -> None:
    values = np.full(2500, 0.4)
    values[100:900] = np.nan
    with pytest.raises(DataError, match="II is flat"):
        EcgLeads()(changed(recording(["II"]), "II", values))


def test_no_samples_and_no_channels_are_refused() -> None:
    with pytest.raises(DataError, match="II holds no sample"):
        EcgLeads()(recording(["II"], n_samples=0))
    with pytest.raises(DataError, match="r1: no usable ECG lead: the recording has no channels"):
        EcgLeads()(recording([]))


def test_no_channels_may_be_allowed_but_never_a_dead_lead() -> None:
    nothing = recording([])
    assert EcgLeads(required=False)(nothing) is nothing
    with pytest.raises(DataError, match="II is flat"):
        EcgLeads(required=False)(changed(recording(["II"]), "II", 0.0))


def test_an_eeg_named_recording_that_has_a_dead_ecg_is_refused_whole() -> None:
    dead = changed(recording(["EEG C3", "ECG"]), "ECG", 0.0)
    with pytest.raises(DataError, match="EEG C3 is not named as an ECG lead; ECG is flat"):
        EcgLeads()(dead)


@pytest.mark.parametrize(("factor", "text"), [(1e-3, r"0\.0015\d"), (1e3, r"1\.5\de\+03")])
def test_an_implausible_amplitude_is_a_warning_that_asks_for_the_unit(factor: float, text: str) -> None:
    original = recording(["II", "V1"])
    wrong = changed(original, "V1", original.signals[1] * factor)
    message = rf"r1: lead V1 spans {text} mV, an ECG spans 0.02 to 30 mV: is its unit or gain right\?"
    with pytest.warns(BiosigWarning, match=message) as caught:
        got = EcgLeads()(wrong)
    assert len(caught) == 1
    assert got.channels == ("II", "V1")


def test_the_warning_weighs_a_lead_by_what_is_there() -> None:
    values = np.full(50_000, np.nan)
    values[1::2] = 0.3 * np.random.default_rng(0).standard_normal(25_000)
    gapped = changed(recording(["II"], n_samples=50_000), "II", values)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = EcgLeads()(gapped)
    np.testing.assert_array_equal(got.signals, gapped.signals)


def test_an_artefact_is_no_reason_to_warn() -> None:
    original = recording(["II"])
    values = original.signals[0].copy()
    values[100:103] = 500.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EcgLeads()(changed(original, "II", values))


@pytest.mark.parametrize("most", [0, -1])
def test_at_least_one_lead_is_wanted(most: int) -> None:
    with pytest.raises(ParameterError, match=f"most must be at least 1, got {most}"):
        EcgLeads(most)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["MLII", "V1", "V5", "Resp", "EEG C4", "aVF", "II", "x"]), min_size=1, unique=True),
    st.integers(1, 4),
)
def test_what_is_kept_is_a_part_in_its_order(channels: list[str], most: int) -> None:
    original = recording(channels)
    got = EcgLeads(most)(original)
    places = [channels.index(name) for name in got.channels]
    assert 1 <= len(places) <= most
    assert places == sorted(places)
    np.testing.assert_array_equal(got.signals, original.signals[places])
    named = [name for name in channels if is_ecg_lead(name)]
    assert len(places) == min(most, len(named) or len(channels))
    assert EcgLeads(most)(got) is got


# ---- Channels by name


def three() -> Recording:
    rows = np.arange(12, dtype=np.float32).reshape(3, 4)
    return Recording(rows, 250.0, ["I", "ii ", "EEG Fpz-Cz"], ["mV", "mV", "uV"], id="r", subject="s")


def test_channels_come_in_the_order_wanted_under_the_names_wanted() -> None:
    got = Channels(("eeg fpz-cz", "II"))(three())
    assert tuple(got.channels) == ("eeg fpz-cz", "II")
    assert tuple(got.units) == ("uV", "mV")
    np.testing.assert_array_equal(got.signals, three().signals[[2, 1]])
    assert (got.id, got.subject) == ("r", "s")
    assert got.history[-1] == "kept eeg fpz-cz, II of I, ii , EEG Fpz-Cz"


def test_a_missing_channel_is_named_with_a_guess() -> None:
    with pytest.raises(DataError, match=r"r: channel 'EEG Fpz-Oz'; did you mean 'EEG Fpz-Cz'"):
        Channels(("I", "EEG Fpz-Oz"))(three())


@pytest.mark.parametrize("names", [(), ("I", "i ")])
def test_channels_need_names_no_two_alike(names: tuple[str, ...]) -> None:
    with pytest.raises(ParameterError, match="one or more channels, no two alike"):
        Channels(names)
