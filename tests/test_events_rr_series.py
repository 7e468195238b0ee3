"""The intervals between beats as signals, and the stages of a night."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm import events
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._synthetic_ecg import synthetic_ecg
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.events.rpeaks import RPeaks
from biosig_lstm.events.rr_series import RRSeries, rr_series
from biosig_lstm.events.sleep_stages import SleepStages
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.windows.epochs import Epochs


def regular(rr_s: float = 0.8, n: int = 40) -> np.ndarray:
    return 1.0 + rr_s * np.arange(n)


def test_equal_beats_give_a_level_line() -> None:
    rr, known, change = rr_series(regular(), duration_s=40.0)
    assert rr.shape == (160,)
    np.testing.assert_allclose(rr, 0.8, atol=1e-6)
    np.testing.assert_allclose(change, 0, atol=1e-6)
    middle = (np.arange(160) + 0.5) / 4
    np.testing.assert_array_equal(known, (middle >= 1.0) & (middle < 1.0 + 0.8 * 39))


def test_values_between_beats_by_hand() -> None:
    rr, known, change = rr_series([0.0, 1.0, 2.2, 3.2], duration_s=4.0, rate_hz=2.0)
    np.testing.assert_allclose(rr, [1.0, 1.0, 1.0 + 0.2 * 0.25 / 1.2, 1.0 + 0.2 * 0.75 / 1.2,
                                    1.2 - 0.2 * 0.05, 1.2 - 0.2 * 0.55, 1.0, 1.0], atol=1e-6)  # fmt: skip
    np.testing.assert_array_equal(known, [1, 1, 1, 1, 1, 1, 0, 0])
    np.testing.assert_allclose(change, [0, 0, np.log(1.2), np.log(1.2), -np.log(1.2), -np.log(1.2), 0, 0], atol=1e-6)


def test_premature_and_missed_beats_are_bridged() -> None:
    times = regular()
    disturbed = np.delete(times, 20)
    disturbed[30] -= 0.35
    rr, known, change = rr_series(disturbed, duration_s=40.0)
    np.testing.assert_allclose(rr, 0.8, atol=1e-6)
    np.testing.assert_allclose(change, 0, atol=1e-6)
    gone = (np.arange(160) + 0.5) / 4
    for first, last in ((times[19], times[21]), (times[30], times[32])):
        assert not known[(gone > first) & (gone < last)].any()
    assert known.sum() == pytest.approx(4 * (0.8 * 39 - 3.2), abs=3)


def test_a_long_gap_is_not_known() -> None:
    rr, known, _ = rr_series([*regular(), *(100 + regular())], duration_s=140.0)
    at = (np.arange(560) + 0.5) / 4
    assert not known[(at > 33) & (at < 100)].any()
    np.testing.assert_allclose(rr, 0.8, atol=1e-6)


@given(st.lists(st.floats(0.05, 4.0), max_size=5), st.floats(0.5, 8.0))
def test_whatever_the_beats_values_are_finite_and_plausible(intervals: list[float], rate_hz: float) -> None:
    times = np.cumsum([0.0, 0.9, 0.9, 0.9, *intervals, 0.9, 0.9, 0.9])
    rr, known, change = rr_series(times, duration_s=float(times[-1]) + 1, rate_hz=rate_hz)
    assert ((rr >= 0.3 - 1e-6) & (rr <= 2.4 + 1e-6)).all()
    assert set(known.tolist()) <= {0.0, 1.0}
    assert (np.abs(change) < np.log(2.4 / 0.3) + 1e-6).all()
    assert not change[known == 0].any()


@pytest.mark.parametrize("times", [[], [1.0], [1.0, 2.0], [0.0, 10.0, 20.0], [0.0, 0.1, 0.2]])
def test_too_few_beats_are_refused(times: list[float]) -> None:
    with pytest.raises(DataError, match="fewer than 2 intervals"):
        rr_series(times, duration_s=30.0)


def test_beats_out_of_order_are_refused() -> None:
    with pytest.raises(DataError, match="in order of time"):
        rr_series([0.0, 2.0, 1.0], duration_s=30.0)


def ecg(*, channels: int = 1) -> Recording:
    signals, peaks, _ = synthetic_ecg(fs=250.0, duration_s=180.0, seed=3)
    starts = 7500 * np.arange(6)
    marks = Annotations(
        [*starts, *peaks],
        [*(starts + 7500), *peaks],
        ["Sleep stage W", "Sleep stage 1", "Sleep stage 4", "Movement time", "Sleep stage R", "Sleep stage ?"]
        + ["N"] * len(peaks),
    )
    return Recording(
        signals[:channels] if channels else np.zeros((0, 45000)),
        250.0, ["ECG"] * channels, ["mV"] * channels, id="r1", subject="s1", annotations=marks,
    )  # fmt: skip


def test_a_recording_becomes_its_series_and_keeps_its_stages() -> None:
    made = RRSeries()(ecg())
    assert (made.channels, made.units) == (("rr", "known", "change"), ("s", "1", "1"))
    assert (made.fs, made.n_samples, made.id, made.subject) == (4.0, 720, "r1", "s1")
    assert made.annotations.starts.tolist() == [0, 120, 240, 360, 480, 600]
    assert set((made.annotations.stops - made.annotations.starts).tolist()) == {120}
    assert "RR intervals of" in made.history[-1]


def test_without_channels_annotated_beats_give_the_same() -> None:
    np.testing.assert_array_equal(RRSeries()(ecg(channels=0)).signals, RRSeries()(ecg()).signals)


def test_found_beats_give_what_the_finder_s_annotations_give() -> None:
    found = RRSeries(positions="detected")(ecg())
    peaks = RPeaks()(ecg())
    np.testing.assert_array_equal(found.signals, RRSeries()(peaks).signals)
    near = np.abs(found.signals[0] - RRSeries()(ecg()).signals[0])
    assert np.median(near) < 0.004


def test_a_pipeline_chooses_where_beats_come_from() -> None:
    prepare = Pipeline(events=[RRSeries(), SleepStages()], windows=Epochs())
    assert prepare.with_positions("detected").events[0] == RRSeries(positions="detected")
    assert Pipeline.from_dict(json.loads(json.dumps(prepare.to_dict()))) == prepare
    windows = prepare(ecg())
    assert windows.y is not None
    assert windows.y.tolist() == [0, 1, 3, -1, 4, -1]
    assert prepare.with_positions("detected")(ecg()).y.tolist() == [0, 1, 3, -1, 4, -1]


def test_no_beats_are_a_message_with_the_recording_s_name() -> None:
    quiet = ecg(channels=0).with_annotations(Annotations([10, 20], labels=["N", "N"]))
    with pytest.raises(DataError, match="r1: 2 beats in 180 s give fewer than 2 intervals"):
        RRSeries()(quiet)
    with pytest.raises(DataError, match="r1: no annotated beats"):
        RRSeries(positions="annotated")(ecg().with_annotations(Annotations()))


def test_a_rate_must_be_positive_and_positions_known() -> None:
    with pytest.raises(ParameterError, match="rate_hz must be positive, got 0"):
        RRSeries(rate_hz=0)
    with pytest.raises(ParameterError, match="positions 'guessed'"):
        RRSeries(positions="guessed")


def test_stages_are_the_five_of_the_aasm_and_all_else_goes() -> None:
    staged = SleepStages()(ecg())
    assert staged.annotations.labels.tolist() == ["W", "N1", "N3", "R"]
    assert {"RRSeries", "SleepStages"} <= set(events.steps())
