"""References, derivations and filters of EEG, held against MNE, SciPy and scikit-learn."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import signal
from sklearn.preprocessing import RobustScaler

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.filters import Bandpass, Bipolar, Normalize, Notch, Rereference, Resample, rereference
from biosig_lstm.filters.bipolar import MONTAGES
from biosig_lstm.formats import open_recording
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import FixedLength

mne = pytest.importorskip("mne")

FS = 500.0
TEN_TWENTY = ["Fp1", "Fp2", "F3", "F4", "F7", "F8", "T3", "T4", "C3", "C4", "T5", "T6", "P3", "P4", "O1", "O2", "Fz",
              "Cz", "Pz"]  # fmt: skip
DOUBLE_BANANA = (
    "Fp1-F7 F7-T7 T7-P7 P7-O1 Fp1-F3 F3-C3 C3-P3 P3-O1 Fz-Cz Cz-Pz Fp2-F4 F4-C4 C4-P4 P4-O2 Fp2-F8 F8-T8 T8-P8 P8-O2"
)


def recording(channels: list[str], *, n_samples: int = 1000, units: list[str] | None = None) -> Recording:
    rng = np.random.default_rng(1)
    t = np.arange(n_samples) / FS
    signals = 20 * rng.standard_normal((len(channels), n_samples)) + 30 * np.sin(2 * np.pi * 10 * t) + 15
    beats = Annotations([10, 900], labels=["a", "b"])
    return Recording(signals, FS, channels, units or ["uV"] * len(channels), id="r", subject="s", annotations=beats)


def head(
    prefix: str = "EEG ", suffix: str = "-Ref", others: tuple[str, ...] = ("ECG ECG", "EOG left", "C3-M2")
) -> Recording:
    return recording([*(f"{prefix}{name}{suffix}" for name in TEN_TWENTY), *others])


def as_raw(made: Recording) -> Any:
    kinds = [{"ECG": "ecg", "EOG": "eog", "C3-": "misc"}.get(name[:3], "eeg") for name in made.channels]
    return mne.io.RawArray(made.signals * 1e-6, mne.create_info(list(made.channels), made.fs, kinds), verbose="error")


def uv(raw: Any) -> np.ndarray[Any, Any]:
    return np.asarray(raw.get_data() * 1e6)


# ---- Rereference


@pytest.mark.parametrize("reference", ["average", ("P3", "EEG P4-Ref"), "Cz"])
def test_values_are_those_of_mne(reference: str | tuple[str, ...]) -> None:
    made = head()
    theirs = {"average": "average", "Cz": ["EEG Cz-Ref"]}.get(str(reference), ["EEG P3-Ref", "EEG P4-Ref"])
    expected, _ = mne.set_eeg_reference(as_raw(made), theirs, projection=False, verbose="error")
    got = Rereference(reference)(made)
    np.testing.assert_allclose(got.signals, uv(expected), rtol=0, atol=2e-5)
    assert got.channels == made.channels
    np.testing.assert_array_equal(got.signals[-3:], made.signals[-3:])
    assert "19 channels against" in got.history[-1]


def test_ears_are_linked_under_any_name() -> None:
    made = recording(["Fz", "EEG A1-Ref", "EEG A2-Ref", "ECG"])
    got = Rereference(("A1", "A2"))(made)
    np.testing.assert_allclose(got.signals[0], made.signals[0] - made.signals[1:3].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(got.signals[1], -got.signals[2], atol=1e-5)
    np.testing.assert_array_equal(got.signals[3], made.signals[3])


def test_channels_can_be_named() -> None:
    made = recording(["E1", "E2", "E3", "Fz"])
    got = Rereference("average", channels=("E1", "E3"))(made)
    np.testing.assert_allclose(got.signals[[0, 2]].sum(axis=0), 0, atol=1e-4)
    np.testing.assert_array_equal(got.signals[[1, 3]], made.signals[[1, 3]])
    whole = Rereference("average", channels="all")(made)
    np.testing.assert_allclose(whole.signals.mean(axis=0), 0, atol=1e-4)


def test_an_average_again_changes_nothing() -> None:
    once = Rereference()(head())
    np.testing.assert_allclose(Rereference()(once).signals, once.signals, atol=1e-5)


@pytest.mark.parametrize(
    ("channels", "units", "step", "message"),
    [
        (["E1", "E2"], None, Rereference(), "r: no channel is a voltage that is named as EEG"),
        (["Fz", "ECG"], None, Rereference(), "r: 1 channels against a common reference, an average needs two"),
        (["C3-M2", "C4-M1"], None, Rereference(), "r: 0 channels against a common reference"),
        (["Fz", "Cz"], None, Rereference("A1"), "r: channel 'A1'"),
        (["Fz", "Cz"], ["uV", "mV"], Rereference(), r"several units: Fz \(uV\), Cz \(mV\); bring them to one"),
        (["Fz", "A1-LE", "A1-AR"], None, Rereference("A1"), "'A1' may be any of A1-LE, A1-AR"),
    ],
)
def test_what_cannot_be_referenced_is_said(
    channels: list[str], units: list[str] | None, step: Rereference, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        step(recording(channels, units=units))


@pytest.mark.parametrize("reference", [(), ("A1", "A1"), ""])
def test_a_reference_is_named_once(reference: Any) -> None:
    with pytest.raises(ParameterError, match="'average' or names of electrodes, each once"):
        Rereference(reference)
    with pytest.raises(ParameterError, match="reference must be one row or more"):
        rereference(np.ones((2, 3)), 100, reference=[])


# ---- Bipolar


def test_named_montages() -> None:
    assert " ".join("-".join(pair) for pair in MONTAGES["double banana"]) == DOUBLE_BANANA
    assert len(MONTAGES["transverse"]) == 16
    assert {name for pairs in MONTAGES.values() for pair in pairs for name in pair} == {
        {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}.get(name, name) for name in TEN_TWENTY
    }


@pytest.mark.parametrize("montage", sorted(MONTAGES))
def test_derivations_are_those_of_mne(montage: str) -> None:
    made = head()
    old = {"T7": "T3", "T8": "T4", "P7": "T5", "P8": "T6"}
    pairs = [[f"EEG {old.get(name, name)}-Ref" for name in pair] for pair in MONTAGES[montage]]
    names = ["-".join(pair) for pair in MONTAGES[montage]]
    expected = mne.set_bipolar_reference(
        as_raw(made), [a for a, _ in pairs], [c for _, c in pairs], names, drop_refs=True, verbose="error"
    )
    got = Bipolar(montage)(made)
    assert sorted(got.channels) == sorted(expected.ch_names)
    np.testing.assert_allclose(got.signals, uv(expected.copy().reorder_channels(list(got.channels))), rtol=0, atol=2e-5)
    assert got.channels[: len(names)] == tuple(names)
    assert Bipolar(montage, keep_others=False)(made).channels == tuple(names)
    assert (got.id, got.subject, len(got.annotations)) == ("r", "s", 2)


def test_derivations_that_are_there_are_taken_as_they_are() -> None:
    made = recording(["FP1-F7", "F7-T7", "T7-P7", "P7-O1", "ECG"])
    got = Bipolar((("Fp1", "F7"), "T7-P7"))(made)
    assert got.channels == ("Fp1-F7", "T7-P7", "F7-T7", "P7-O1", "ECG")
    np.testing.assert_array_equal(got.signals[:2], made.signals[[0, 2]])


def test_pairs_read_back_from_json() -> None:
    step = Bipolar((("Fp1", "F7"), "F7-T3"), keep_others=False)
    prepare = Pipeline(filters=[step, Bipolar("transverse"), Rereference(("A1", "A2"))], windows=FixedLength(1))
    again = Pipeline.from_dict(json.loads(json.dumps(prepare.to_dict())))
    assert again == prepare
    assert again.digest() == prepare.digest()
    assert step.derivations == (("Fp1", "F7"), ("F7", "T3"))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ("double bananas", "montage 'double bananas'; did you mean 'double banana'"),
        ((), "pairs must be one or more"),
        ((("Fz", "Cz"), "Fz-Cz"), "each once, got Fz-Cz, Fz-Cz"),
        ((("Fz", "Fz"),), "two different electrodes"),
        (("Fz",), "two different electrodes.*got 'Fz'"),
    ],
)
def test_wrong_pairs(pairs: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Bipolar(pairs)


def test_what_is_missing_for_a_montage_is_said() -> None:
    with pytest.raises(DataError, match=r"r: no derivation Fz-Cz, Cz-Pz can be made: channel 'Cz'"):
        Bipolar(("Fz-Cz", "Cz-Pz", "Fz-Pz"))(recording(["Fz", "Pz", "ECG"]))
    with pytest.raises(DataError, match=r"r: Fz-Cz of channels of two units: Fz \(uV\), Cz \(mV\)"):
        Bipolar(("Fz-Cz",))(recording(["Fz", "Cz"], units=["uV", "mV"]))
    gap = recording(["Fz", "Cz"])
    values = gap.signals.copy()
    values[1, 50] = np.nan
    with pytest.raises(DataError, match=r"channel 'Cz' holds NaN or infinity, first at 0\.1 s"):
        Bipolar(("Fz-Cz",))(gap.with_signals(values, note="gap"))


# ---- filters that exist, on EEG of 500 Hz in microvolts


@pytest.fixture(scope="module")
def rest(data_root: Callable[[str], Path]) -> Recording:
    """Return a minute of EEG at rest, 21 channels at 500 Hz."""
    return open_recording(data_root("eegmat") / "Subject01_1.edf", stop_s=60)


def test_band_pass_and_notch_of_real_eeg_are_those_of_scipy(rest: Recording) -> None:
    x = rest.signals.astype(np.float64)
    for step, sos in (
        (Bandpass(0.5, 45), signal.butter(2, (0.5, 45), "bandpass", fs=500, output="sos")),
        (Notch(50), signal.tf2sos(*signal.iirnotch(50, 30, 500))),
    ):
        got = step(rest)
        assert set(got.units) == {"uV"}
        np.testing.assert_allclose(got.signals, signal.sosfiltfilt(sos, x), rtol=0, atol=1e-6 * np.abs(x).max())


def test_real_eeg_at_another_rate_is_that_of_mne(rest: Recording) -> None:
    smooth = Bandpass(1, 30)(rest)
    slower = Resample(100)(smooth)
    theirs = mne.filter.resample(smooth.signals.astype(np.float64), down=5, method="polyphase", verbose="error")
    inside = slice(100, -100)
    error = np.abs(slower.signals - theirs)[:, inside].max()
    assert slower.signals.shape == theirs.shape == (21, 6000)
    assert error < 0.01 * np.abs(theirs).max()


def test_robust_scaling_of_a_recording(rest: Recording) -> None:
    kept = rest.signals[:, ::7]
    part = rest.with_signals(kept, note="fewer")
    spread = RobustScaler(quantile_range=(5, 95)).fit_transform(kept.T.astype(np.float64)).T
    np.testing.assert_allclose(Normalize("percentile")(part).signals, spread, atol=1e-4)
    scaled = Normalize("robust")(part)
    loud = kept.copy()
    loud[:, : kept.shape[1] // 50] += 5000
    beside = Normalize("robust")(rest.with_signals(loud, note="an electrode moved"))
    quiet = slice(kept.shape[1] // 50, None)
    np.testing.assert_allclose(beside.signals[:, quiet], scaled.signals[:, quiet], rtol=0.06, atol=0.1)
    assert scaled.units == ("",) * 21


def test_the_montage_of_real_eeg(rest: Recording) -> None:
    got = Bipolar("double banana", keep_others=False)(rest)
    assert got.signals.shape == (18, 30000)
    chain = got.signals[:4].sum(axis=0)
    np.testing.assert_allclose(chain, got.signals[4:8].sum(axis=0), atol=1e-3)
    average = Rereference()(rest)
    np.testing.assert_array_equal(average.signals[-2:], rest.signals[-2:])
    np.testing.assert_allclose(average.signals[:19].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(Bipolar("double banana", keep_others=False)(average).signals, got.signals, atol=1e-3)
