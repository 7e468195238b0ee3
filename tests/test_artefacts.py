"""Artefacts of EEG: what is rejected, why, where, and that nothing vanishes unsaid."""

from __future__ import annotations

import csv
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from biosig_lstm._artefacts import Limits, find_artefacts, is_bad, line_power_share
from biosig_lstm.containers import Annotations, Recording, Rejection, Rejections, Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import Classifier, StepClassifier
from biosig_lstm.features import steps as feature_steps
from biosig_lstm.features.band_power import BandPower
from biosig_lstm.features.reject_artefacts import RejectArtefacts
from biosig_lstm.features.scalars_only import ScalarsOnly
from biosig_lstm.filters import Channels, MarkArtefacts, Normalize, Resample
from biosig_lstm.formats import open_recording
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows import AroundEvents, Epochs, FixedLength, Pieces

FS = 200.0
LIMITS = {"peak_to_peak_uv": 200.0, "flat_uv": 1.0}


def eeg(n_seconds: int = 20, *, channels: tuple[str, ...] = ("Fz", "EEG Cz-LE", "ECG"), **more: Any) -> Recording:
    """Return noise of 10 uV; ECG waves are too large for an EEG."""
    rng = np.random.default_rng(3)
    signals = 10 * rng.standard_normal((len(channels), int(n_seconds * FS)))
    signals[[name == "ECG" for name in channels]] *= 100
    return Recording(signals, FS, channels, ["uV"] * len(channels), id="S01", subject="p", **more)


def spoiled(recording: Recording | None = None) -> Recording:
    """Return the recording with a jump in Fz at 3.2 s, a flat Cz from 7 to 9 s, and mains in Fz from 12 to 13 s."""
    made = recording or eeg()
    values = made.signals.copy()
    t = np.arange(int(FS)) / FS
    values[0, 640:650] += 900
    values[1, 1400:1800] = values[1, 1400]
    values[0, 2400:2600] += 60 * np.sin(2 * np.pi * 50 * t)
    return made.with_signals(values, note="spoiled")


def limits(**given: float) -> Limits:
    return Limits(**{**LIMITS, **given})


# ---- on arrays


def test_peak_to_peak_and_flat_are_those_of_mne() -> None:
    mne = pytest.importorskip("mne")
    made = spoiled()
    info = mne.create_info(["Fz", "Cz", "ECG"], FS, ["eeg", "eeg", "ecg"])
    raw = mne.io.RawArray(made.signals * 1e-6, info, verbose="error")
    for length_s, step_s in ((1.0, 1.0), (2.0, 0.5), (0.25, 0.1)):
        epochs = mne.make_fixed_length_epochs(raw, length_s, overlap=length_s - step_s, preload=True, verbose="error")
        epochs.drop_bad(reject={"eeg": 200e-6}, flat={"eeg": 1e-6}, verbose="error")
        cut = FixedLength(length_s, step_s=step_s)(made)
        kept = RejectArtefacts(**LIMITS)(cut)
        log = {round(k * step_s, 6): set(why) for k, why in enumerate(epochs.drop_log) if why}
        mine: dict[float, set[str]] = {}
        for row in kept.rejections.rows:
            mine.setdefault(round(row.start_s, 6), set()).add({"EEG Cz-LE": "Cz"}.get(row.channel, row.channel))
        assert mine == log
        assert len(log) > 2
        np.testing.assert_allclose(
            kept.values.reshape(len(kept), -1, 3).transpose(0, 2, 1), epochs.get_data() * 1e6, atol=1e-3
        )


def test_the_share_of_the_mains_is_that_of_scipys_periodogram() -> None:
    x = np.random.default_rng(0).standard_normal((3, 2, 400)) + 5
    x[1] += np.sin(2 * np.pi * 60 * np.arange(400) / FS)
    got = line_power_share(x, FS, line_hz=60)
    for window in range(3):
        for channel in range(2):
            hz, power = signal.periodogram(x[window, channel], FS, window="hann")
            expected = power[(hz >= 59) & (hz <= 61)].sum() / power[hz >= 1].sum()
            assert got[window, channel] == pytest.approx(expected, rel=1e-9)
    assert got[1].min() > 0.25 > 0.1 > got[[0, 2]].max()


@pytest.mark.parametrize("length", [100, 150, 200, 377, 1000])
@pytest.mark.parametrize("line_hz", [50.0, 60.0])
def test_a_sine_of_the_mains_has_all_its_power_there(length: int, line_hz: float) -> None:
    sine = np.sin(2 * np.pi * line_hz * np.arange(length) / FS)
    other = np.sin(2 * np.pi * 20 * np.arange(length) / FS)
    share = line_power_share([[sine, other, sine + other, 0 * sine]], FS, line_hz=line_hz)[0]
    np.testing.assert_allclose(share, [1, 0, 0.5, 0], atol=0.02)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(1, 500), st.floats(0.01, 0.9))
def test_every_window_is_judged_alone_and_by_each_limit(seed: int, largest: float, share: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((4, 3, 120)) * rng.choice([0.001, 1, 100], (4, 3, 1))
    x[rng.integers(4), rng.integers(3), rng.integers(120)] = np.nan
    held = Limits(largest, largest / 3, share)
    found = find_artefacts(x, FS, limits=held)
    alone = [a._replace(window=k) for k in range(4) for a in find_artefacts(x[k : k + 1], FS, limits=held)]
    assert [a[:3] for a in found] == [a[:3] for a in alone]
    size = x.max(axis=2) - x.min(axis=2)
    for window, channel, reason, value in found:
        if reason == "missing":
            assert np.isnan(x[window, channel]).any()
        elif reason == "line-noise":
            assert value > share
        else:
            assert value == pytest.approx(size[window, channel], rel=1e-5)
            assert value > largest if reason == "peak-to-peak" else value < largest / 3
    quiet = np.ones((4, 3), dtype=bool)
    for a in found:
        quiet[a.window, a.channel] = False
    assert (size[quiet] <= largest * (1 + 1e-5)).all()
    assert (size[quiet] >= largest / 3 * (1 - 1e-5)).all()


@pytest.mark.parametrize(
    ("given_limits", "message"),
    [
        ({}, "give one limit at least: peak_to_peak_uv, flat_uv or line_share"),
        ({"peak_to_peak_uv": -1.0}, "peak_to_peak_uv must be positive and finite, got -1"),
        ({"flat_uv": float("nan")}, "flat_uv must be positive and finite, got nan"),
        ({"line_share": 1.0}, r"line_share must lie between 0 and 1, got 1\.0"),
        ({"line_share": 0.5, "line_hz": 0.0}, "line_hz must be positive"),
        ({"peak_to_peak_uv": 5.0, "flat_uv": 5.0}, r"flat_uv must be below peak_to_peak_uv, got 5\.0 and 5\.0"),
    ],
)
def test_wrong_limits(given_limits: dict[str, float], message: str) -> None:
    for step in (MarkArtefacts, RejectArtefacts):
        with pytest.raises(ParameterError, match=message):
            step(**given_limits)  # type: ignore[arg-type]


def test_what_cannot_be_seen_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"line_hz = 50 Hz cannot be seen at 100 Hz: it must lie below 50 Hz"):
        RejectArtefacts(line_share=0.5)(FixedLength(2)(Resample(100)(eeg())))
    with pytest.raises(ParameterError, match=r"line_share needs windows of 0\.5 s or more, got 0\.2 s"):
        MarkArtefacts(line_share=0.5, window_s=0.2)(eeg())
    with pytest.raises(DataError, match=r"\(n_windows, channels, samples\), got shape \(5,\)"):
        find_artefacts(np.zeros(5), FS, limits=limits())
    with pytest.raises(ParameterError, match="window_s must be positive and finite, got 0"):
        MarkArtefacts(flat_uv=1, window_s=0)


def test_labels_that_say_bad() -> None:
    assert [is_bad(label) for label in ("BAD_flat", "bad", "Bad segment", "rest", "", "ba")] == [True] * 3 + [False] * 3


# ---- rejected from windows


def test_reasons_are_kept_by_recording_time_and_channel() -> None:
    kept = RejectArtefacts(**LIMITS, line_share=0.5)(FixedLength(1)(spoiled()))
    assert len(kept) == 16
    assert kept.starts.tolist() == [200 * k for k in range(20) if k not in {3, 7, 8, 12}]
    said = kept.rejections
    assert said.by_window() == {
        ("S01", 3.0, 4.0): ("peak-to-peak Fz",),
        ("S01", 7.0, 8.0): ("flat EEG Cz-LE",),
        ("S01", 8.0, 9.0): ("flat EEG Cz-LE",),
        ("S01", 12.0, 13.0): ("line-noise Fz",),
    }
    assert said.by_reason() == {"flat": 2, "peak-to-peak": 1, "line-noise": 1}
    assert said.by_channel() == {"Fz": 2, "EEG Cz-LE": 2}
    assert (len(said), said.n_windows, said.share) == (4, 20, 0.2)
    jump = said.rows[0]
    assert jump.value == pytest.approx(np.ptp(spoiled().signals[0, 600:800]))
    assert "Rejections(4 of 20 windows: flat 2, peak-to-peak 1, line-noise 1; Fz 2, EEG Cz-LE 2)" in repr(said)
    assert "; 4 rejected)" in repr(kept)


def test_the_report_is_a_table(tmp_path: Path) -> None:
    kept = RejectArtefacts(**LIMITS)(FixedLength(1)(spoiled()))
    kept.rejections.to_csv(tmp_path / "rejected.csv")
    with (tmp_path / "rejected.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["recording"], row["start_s"], row["reason"], row["channel"]) for row in rows] == [
        ("S01", "3.0", "peak-to-peak", "Fz"), ("S01", "7.0", "flat", "EEG Cz-LE"), ("S01", "8.0", "flat", "EEG Cz-LE"),
    ]  # fmt: skip
    assert repr(Rejections((), 0)) == "Rejections(0 of 0 windows)"
    assert Rejections((), 0).share == 0


def test_reasons_travel_with_windows() -> None:
    other = Recording(eeg().signals, FS, eeg().channels, eeg().units, id="S02", subject="q")
    cut = [RejectArtefacts(**LIMITS)(FixedLength(1)(made)) for made in (spoiled(), spoiled(other))]
    whole = Windows.concatenate(cut)
    assert len(whole.rejections) == 6
    part = whole.select(whole.subjects == "q")
    assert {row.recording for row in part.rejected} == {"S02"}
    assert part.rejections.n_windows == 20
    assert pickle.loads(pickle.dumps(part)) == part


def test_millivolts_are_held_against_microvolts() -> None:
    small = spoiled().to_unit("mV")
    kept = RejectArtefacts(**LIMITS)(FixedLength(1)(small))
    expected = RejectArtefacts(**LIMITS)(FixedLength(1)(spoiled()))
    assert kept.starts.tolist() == expected.starts.tolist()
    assert [row[:5] for row in kept.rejected] == [row[:5] for row in expected.rejected]


def test_windows_without_microvolts_are_refused() -> None:
    with pytest.raises(DataError, match=r"these are in no unit: put ToUnit.*MarkArtefacts before a filter that scales"):
        RejectArtefacts(flat_uv=1)(FixedLength(1)(Normalize()(eeg())))
    with pytest.raises(DataError, match="no channel is a voltage that is named as EEG"):
        RejectArtefacts(flat_uv=1)(FixedLength(1)(eeg(channels=("ECG", "E1"))))
    with pytest.raises(DataError, match="channel 'Pz'"):
        RejectArtefacts(flat_uv=1, channels=("Pz",))(FixedLength(1)(eeg()))


def test_channels_that_are_named_are_judged() -> None:
    cut = FixedLength(1)(spoiled())
    assert len(RejectArtefacts(**LIMITS, channels=("Cz",))(cut)) == 18
    assert len(RejectArtefacts(peak_to_peak_uv=1e6, channels="all")(cut)) == 20
    with pytest.warns(BiosigWarning, match="more than a third of the windows rejected: S01 Rejections"):
        assert len(RejectArtefacts(**LIMITS, channels="all")(cut)) == 0


def test_pieces_of_unequal_length_are_judged_each_by_itself() -> None:
    cut = Pieces(3.1)(spoiled())
    assert set(cut.lengths.tolist()) == {571, 572}
    kept = RejectArtefacts(peak_to_peak_uv=500)(cut)
    assert [row.start_s for row in kept.rejected] == [571 / FS]
    assert len(kept) == len(cut) - 1


def test_epochs_of_a_night_keep_their_place_and_lose_their_label() -> None:
    night = spoiled(eeg(annotations=Annotations([0, 2000], [2000, 4000], ["W", "N2"])))
    epochs = Epochs(1)(night)
    kept = RejectArtefacts(**LIMITS)(epochs)
    assert kept.lengths.tolist() == [20]
    np.testing.assert_array_equal(kept.values, epochs.values)
    assert kept.y is not None
    assert np.flatnonzero(kept.y < 0).tolist() == [3, 7, 8]
    assert [(row.start_s, row.stop_s) for row in kept.rejected] == [(3, 4), (7, 8), (8, 9)]
    assert (len(kept.rejections), kept.rejections.n_windows) == (3, 20)


def test_steps_read_back_and_leave_their_input() -> None:
    for step, known in (
        (RejectArtefacts(**LIMITS), feature_steps()),
        (RejectArtefacts(line_share=0.3, channels=("Fz",)), feature_steps()),
    ):
        values = json.loads(json.dumps(step.to_dict()))
        assert known[values.pop("step")].from_fields(values) == step
    cut = FixedLength(1)(spoiled())
    before = cut.values.copy()
    RejectArtefacts(**LIMITS)(cut)
    np.testing.assert_array_equal(cut.values, before)


# ---- marked in recordings


def test_stretches_are_marked_and_neighbours_joined() -> None:
    marked = MarkArtefacts(**LIMITS, line_share=0.5)(spoiled(eeg(annotations=Annotations([0], [4000], ["rest"]))))
    marks = marked.annotations
    rows = list(
        zip(marks.starts.tolist(), marks.stops.tolist(), marks.labels.tolist(), marks.notes.tolist(), strict=True)
    )
    assert rows == [
        (0, 4000, "rest", ""),
        (600, 800, "BAD_peak-to-peak", "Fz"),
        (1400, 1800, "BAD_flat", "EEG Cz-LE"),
        (2400, 2600, "BAD_line-noise", "Fz"),
    ]
    np.testing.assert_array_equal(marked.signals, spoiled().signals)
    assert "3 stretches of 2 channels" in marked.history[-1]


def test_the_last_stretch_ends_with_the_recording_and_gaps_are_missing() -> None:
    made = eeg(5).crop(stop_s=4.3)
    values = made.signals.copy()
    values[1, 850:] = np.nan
    values[0, :30] += 900
    marks = MarkArtefacts(**LIMITS)(made.with_signals(values, note="gap")).annotations
    assert marks.labels.tolist() == ["BAD_peak-to-peak", "BAD_missing"]
    assert (marks.starts.tolist(), marks.stops.tolist()) == ([0, 660], [200, 860])
    short = MarkArtefacts(flat_uv=1000, window_s=60)(made).annotations
    assert (short.starts.tolist(), short.stops.tolist()) == ([0, 0], [860, 860])


def test_marked_windows_are_left_out_with_the_reasons() -> None:
    made = spoiled(eeg(annotations=Annotations([0], [4000], ["rest"])))
    prepare = Pipeline(
        filters=[MarkArtefacts(**LIMITS), Normalize(), Resample(100)], windows=FixedLength(2, classes=("rest",))
    )
    kept = prepare(made)
    assert kept.starts.tolist() == [0, 400, 1000, 1200, 1400, 1600, 1800]
    assert kept.rejections.by_window() == {
        ("S01", 2.0, 4.0): ("peak-to-peak Fz",),
        ("S01", 6.0, 8.0): ("flat EEG Cz-LE",),
        ("S01", 8.0, 10.0): ("flat EEG Cz-LE",),
    }
    assert kept.class_counts() == {"rest": 7}
    everything = FixedLength(2, classes=("rest",), leave_out_bad=False)(prepare.filter(made))
    assert everything.class_counts() == {"rest": 10}
    assert everything.rejected == ()


def test_a_class_may_be_called_bad() -> None:
    made = eeg(annotations=Annotations([0, 2000], [2000, 4000], ["good", "bad"]))
    assert FixedLength(2, classes=("good", "bad"))(made).class_counts() == {"good": 5, "bad": 5}
    with pytest.warns(BiosigWarning, match="more than a third"):
        assert FixedLength(2, classes=("good",))(made).class_counts() == {"good": 5}


def test_bad_stretches_are_no_events_and_no_labels() -> None:
    beats = Annotations([300, 700, 1500, 1900, 690], [300, 700, 1500, 1900, 720], ["N", "N", "V", "N", "BAD_x"])
    cut = AroundEvents(0.2, 0.2)(eeg(annotations=beats))
    assert cut.y is not None
    assert cut.y.tolist() == [0, -1, 2, 0]
    assert [row.reason for row in cut.rejected] == ["x"]
    night = Annotations([0, 1000], [4000, 1300], ["W", "BAD_peak-to-peak"], ["", "Fz"])
    epochs = Epochs(1)(eeg(annotations=night))
    assert epochs.y is not None
    assert np.flatnonzero(epochs.y < 0).tolist() == [5, 6]
    assert {row.what for row in epochs.rejected} == {"peak-to-peak Fz"}
    assert Pieces(5, classes=("W",))(eeg(annotations=night)).class_counts() == {"W": 4}


# ---- overlap


@pytest.mark.parametrize(("length_s", "step_s"), [(1, 0.5), (2, 0.1), (0.75, 0.25), (3, 5)])
def test_overlapping_windows_are_those_of_mne(length_s: float, step_s: float) -> None:
    mne = pytest.importorskip("mne")
    made = eeg()
    raw = mne.io.RawArray(made.signals, mne.create_info(3, FS, "misc"), verbose="error")
    cut = FixedLength(length_s, step_s=step_s)(made)
    if step_s < length_s:
        theirs = mne.make_fixed_length_epochs(raw, length_s, overlap=length_s - step_s, preload=True, verbose="error")
        np.testing.assert_allclose(cut.values.reshape(len(cut), -1, 3), theirs.get_data().transpose(0, 2, 1), atol=1e-4)
    assert np.diff(cut.starts).tolist() == [step_s * FS] * (len(cut) - 1)


def test_items_of_epochs_overlap_and_take_features() -> None:
    made = spoiled(eeg(annotations=Annotations([0, 2000], [2000, 4000], ["a", "b"])))
    cut = FixedLength(4, step_s=2, classes=("a", "b"), epoch_s=0.75)(made)
    assert (cut.lengths.tolist(), cut.window_shape, cut.rate_hz) == ([5] * 9, (3, 150), pytest.approx(4 / 3))
    third = made.signals[:, 800 + 2 * 150 : 800 + 3 * 150]
    np.testing.assert_array_equal(cut.item(2)[2].reshape(3, 150), third)
    assert cut.class_counts() == {"a": 4, "b": 5}
    powers = ScalarsOnly()(BandPower(("alpha",))(cut))
    assert powers.item(8).shape == (5, 6)
    one = BandPower(("alpha",))(Epochs(0.75)(made.crop(start_s=4, stop_s=7.75)))
    np.testing.assert_allclose(powers.item(2), one.values[:, -6:], rtol=1e-5)
    kept = RejectArtefacts(peak_to_peak_uv=500)(cut)
    assert kept.rejections.by_window() == {
        ("S01", 0.0, 3.75): ("peak-to-peak Fz",),
        ("S01", 2.0, 5.75): ("peak-to-peak Fz",),
    }
    assert kept.starts.tolist() == [400 * k for k in range(2, 9)]


@pytest.mark.parametrize("fs", [173.61, 100.3, 99.9, 64.0])
def test_an_odd_rate_loses_no_epoch(fs: float) -> None:
    made = Recording(np.ones((1, 2000)), fs, ["Fz"], ["uV"], id="r")
    assert set(FixedLength(4, epoch_s=1)(made).lengths.tolist()) == {4}


def test_epochs_that_do_not_fit() -> None:
    with pytest.raises(ParameterError, match="an epoch of 5 s does not fit into a window of 4 s"):
        FixedLength(4, epoch_s=5)
    with pytest.raises(ParameterError, match="an epoch of 0 s does not fit into a window"):
        FixedLength(4, epoch_s=0)


# ---- real recordings


def test_real_eeg(data_root: Callable[[str], Path]) -> None:
    made = open_recording(data_root("eegmat") / "Subject01_1.edf", stop_s=60)
    kept = RejectArtefacts(peak_to_peak_uv=150, flat_uv=0.5, line_share=0.5)(FixedLength(2, step_s=1)(made))
    said = kept.rejections
    assert (said.n_windows, len(kept) + len(said)) == (59, 59)
    eeg_rows = [k for k, name in enumerate(made.channels) if name != "ECG ECG"]
    size = np.array([np.ptp(made.signals[eeg_rows, 500 * k : 500 * k + 1000], axis=1).max() for k in range(59)])
    assert kept.starts.tolist() == (500 * np.flatnonzero(size <= 150)).tolist()
    assert "ECG ECG" not in said.by_channel()
    assert Rejection("Subject01_1", 0, 2, "flat").what == "flat"


# ---- in predictions


def test_what_was_rejected_is_said_with_the_predictions(tmp_path: Path) -> None:
    prepare = Pipeline(
        filters=[Channels(("Fz", "Cz"))],
        windows=FixedLength(1, classes=("a", "b")),
        features=[RejectArtefacts(**LIMITS)],
    )
    made = [
        spoiled(eeg(annotations=Annotations([0], [4000], ["ab"[k % 2]]))).with_signals(
            spoiled().signals + np.float32(k), note="shifted"
        )
        for k in range(3)
    ]
    people = [replace(recording, id=f"r{k}", subject=f"s{k}") for k, recording in enumerate(made)]
    model = Classifier(prepare, BiLSTM(hidden_size=2)).fit(prepare(people[:2]), max_epochs=1, progress=False)
    said = model.predict(people)
    assert len(said) == 51
    assert repr(said).endswith("; 9 windows rejected)")
    assert (len(said.rejections), said.rejections.n_windows) == (9, 60)
    assert len(said.of("r2").rejected) == 3
    said.of("r2").to_csv(tmp_path / "said.csv")
    with (tmp_path / "said.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 20
    assert rows[-3:] == [
        {"recording": "r2", "sample": str(200 * at), "time_s": f"{at}.0000", "label": why, "p_a": "", "p_b": ""}
        for at, why in ((3, "rejected: peak-to-peak Fz"), (7, "rejected: flat Cz"), (8, "rejected: flat Cz"))
    ]  # fmt: skip
    both = type(said).concatenate([said.of("r0"), said.of("r1")])
    assert len(both.rejections) == 6


def test_a_recording_of_which_nothing_is_left_has_no_rows_and_says_so() -> None:
    prepare = Pipeline(
        filters=[Channels(("Fz",))], windows=FixedLength(1, classes=("a", "b")), features=[RejectArtefacts(flat_uv=1.0)]
    )
    made = [eeg(annotations=Annotations([0], [4000], [label])) for label in "ab"]
    people = [replace(recording, id=f"r{k}", subject=f"s{k}") for k, recording in enumerate(made)]
    model = Classifier(prepare, BiLSTM(hidden_size=2)).fit(prepare(people), max_epochs=1, progress=False)
    with pytest.warns(BiosigWarning, match="S01 Rejections\\(20 of 20 windows: flat 20; Fz 20\\)"):
        said = model.predict(eeg().with_signals(eeg().signals * 0, note="electrode off"))
    assert len(said) == 0
    assert len(said.rejections) == said.rejections.n_windows == 20
    assert said.csv_rows(header=False).count("rejected: flat Fz") == 20


def test_epochs_of_a_night_have_a_row_each_and_the_doubt_beside() -> None:
    night = spoiled(eeg(annotations=Annotations([0, 2000], [2000, 4000], ["W", "N2"])))
    prepare = Pipeline(
        filters=[Channels(("Fz", "Cz"))], windows=Epochs(1, classes=("W", "N2")), features=[RejectArtefacts(**LIMITS)]
    )
    model = StepClassifier(prepare, BiLSTM(hidden_size=2)).fit(prepare(night), max_epochs=1, progress=False)
    said = model.predict(night)
    assert (len(said), len(said.rejections), said.rejections.n_windows) == (20, 3, 20)
    assert "rejected" not in said.csv_rows()
