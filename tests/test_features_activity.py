"""Level and log sizes of windows, and columns against their recording: by plain formulas, and on what is broken."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm.features as features
from biosig_lstm.containers import Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features.against_recording import AgainstRecording
from biosig_lstm.features.hjorth import hjorth
from biosig_lstm.features.log_activity import COLUMNS, LogActivity, log_activity
from biosig_lstm.steps import Step
from biosig_lstm.windows import FixedLength

FS, FRAME = 100.0, 20
CUT = FixedLength(2.0, epoch_s=FRAME / FS)
STEPS: list[Step] = [LogActivity(), LogActivity(leads=3), LogActivity(floor=0.1), AgainstRecording()]


def recording(name: str, *, seed: int, channels: int = 2) -> Recording:
    rng = np.random.default_rng(seed)
    signals = np.cumsum(rng.standard_normal((channels, 1000)), axis=1) * np.arange(1, channels + 1)[:, None]
    leads = ["II", "V1", "V5"][:channels]
    return Recording(signals, FS, leads, ["mV"] * channels, id=name, subject=name)


WINDOWS: Windows = Windows.concatenate([CUT(recording("a", seed=1)), CUT(recording("b", seed=2))])


def frames(windows: Windows) -> np.ndarray:
    return windows.values[:, : 2 * FRAME].reshape(-1, 2, FRAME).astype(np.float64)


def test_each_column_is_what_it_is_called() -> None:
    made, x = LogActivity()(WINDOWS), frames(WINDOWS)
    slope = x[..., 1:] - x[..., :-1]
    bend = slope[..., 1:] - slope[..., :-1]
    expected = {
        "level": x.mean(axis=2),
        "log_activity": np.log(x.std(axis=2) + 1e-3),
        "log_slope": np.log(np.linalg.norm(slope, axis=2) / np.sqrt(19) + 1e-3),
        "log_bend": np.log(np.linalg.norm(bend, axis=2) / np.sqrt(18) + 1e-3),
    }
    assert tuple(expected) == COLUMNS
    assert list(made.columns[2 * FRAME :]) == [f"{lead}.{name}" for lead in ("II", "V1") for name in COLUMNS]
    for k, lead in enumerate(("II", "V1")):
        for name, values in expected.items():
            column = made.values[:, list(made.columns).index(f"{lead}.{name}")]
            np.testing.assert_allclose(column, values[:, k], rtol=1e-4, atol=1e-5, err_msg=name)


def test_activity_is_that_of_hjorth() -> None:
    x = frames(WINDOWS)
    found, reference = log_activity(x, floor=1e-12), hjorth(x, fs=FS)
    np.testing.assert_allclose(found[..., 1], np.log(reference[..., 0]) / 2, rtol=1e-4, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_gain_and_offset_move_the_columns_by_what_they_are(gain: float, offset: float) -> None:
    x = frames(WINDOWS)[:10]
    before, after = (log_activity(each, floor=1e-9) for each in (x, gain * x + offset))
    np.testing.assert_allclose(after[..., 0], gain * before[..., 0] + offset, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(after[..., 1:], before[..., 1:] + np.log(gain), rtol=1e-3, atol=1e-3)


def test_what_is_flat_short_or_lacking() -> None:
    flat = log_activity(np.full((1, 1, 9), 7.3))[0, 0]
    np.testing.assert_allclose(flat, [7.3, *[np.log(1e-3)] * 3], rtol=1e-6)
    np.testing.assert_allclose(log_activity([[[2.0]]])[0, 0], [2.0, *[np.log(1e-3)] * 3], rtol=1e-6)
    assert np.isnan(log_activity([[[1.0, np.nan, 2.0]]])).all()
    with pytest.raises(DataError, match="windows must be"):
        log_activity([[1.0, 2.0]])
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="floor must be positive and finite"):
            log_activity([[[1.0]]], floor=wrong)
        with pytest.raises(ParameterError, match="floor must be positive and finite"):
            LogActivity(floor=wrong)
    with pytest.raises(ParameterError, match="leads must be at least 1, got 0"):
        LogActivity(leads=0)
    with pytest.raises(DataError, match="need steps that are windows"):
        LogActivity()(FixedLength(2.0)(recording("a", seed=1)))
    with pytest.raises(DataError, match="is there already"):
        LogActivity()(LogActivity()(WINDOWS))


def test_leads_go_by_their_place_and_the_last_stands_for_those_that_lack() -> None:
    for channels in (1, 2, 3):
        made = LogActivity(leads=2)(CUT(recording("a", seed=1, channels=channels)))
        columns = made.columns[channels * FRAME :]
        assert list(columns) == [f"lead{k}.{name}" for k in range(2) for name in COLUMNS]
        first, second = np.split(made.values[:, channels * FRAME :], 2, axis=1)
        assert np.array_equal(first, second) == (channels == 1)


def test_the_median_of_each_recording_is_taken_and_no_other() -> None:
    made = AgainstRecording()(WINDOWS)
    of_step = np.repeat(WINDOWS.recordings, WINDOWS.lengths)
    for name in ("a", "b"):
        mine = of_step == name
        expected = WINDOWS.values[mine] - np.median(WINDOWS.values[mine].astype(np.float64), axis=0)
        np.testing.assert_allclose(made.values[mine], expected, atol=1e-4)
    alone = AgainstRecording()(CUT(recording("b", seed=2)))
    np.testing.assert_array_equal(made.values[of_step == "b"], alone.values)
    assert made.columns == WINDOWS.columns


@pytest.mark.parametrize("step", STEPS, ids=repr)
def test_what_all_features_keep_to(step: Step) -> None:
    before = WINDOWS.values.copy()
    got = step(WINDOWS)
    assert got == step(WINDOWS)
    np.testing.assert_array_equal(WINDOWS.values, before)
    assert got.values.dtype == np.float32
    assert np.isfinite(got.values).all()
    for name in ("offsets", "subjects", "recordings", "starts", "fs"):
        np.testing.assert_array_equal(getattr(got, name), getattr(WINDOWS, name))
    values = json.loads(json.dumps(step.to_dict()))
    assert features.steps()[values.pop("step")].from_fields(values) == step
    nothing = step(WINDOWS.select(np.zeros(0, dtype=np.int64)))
    assert len(nothing) == 0
    assert nothing.columns == got.columns
