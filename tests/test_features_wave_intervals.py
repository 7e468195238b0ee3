"""PR, QRS, QT and corrected QT, each against a value computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import Waves
from biosig_lstm.errors import ParameterError
from biosig_lstm.features.wave_intervals import CORRECTIONS, corrected_qt, median_intervals, wave_intervals

NAN = float("nan")
FS = 500.0
LABELS = ["P", "QRS", "T"] * 3
ONSETS = [100, 180, 300, 500, 580, 700, 1000, 1085, 1200]
PEAKS = [120, 200, 340, 520, 600, 740, 1020, 1105, 1240]
OFFSETS = [150, 230, 380, 550, 625, 790, 1050, 1135, 1290]


@pytest.fixture
def waves() -> Waves:
    return Waves(LABELS, ONSETS, PEAKS, OFFSETS)


def test_intervals_by_hand(waves: Waves) -> None:
    found = wave_intervals(waves, FS)
    np.testing.assert_allclose(found["r_s"], [0.4, 1.2, 2.21])
    np.testing.assert_allclose(found["rr_ms"], [NAN, 800, 1010])
    np.testing.assert_allclose(found["p_ms"], [100, 100, 100])
    np.testing.assert_allclose(found["pr_ms"], [160, 160, 170])
    np.testing.assert_allclose(found["qrs_ms"], [100, 90, 100])
    np.testing.assert_allclose(found["qt_ms"], [400, 420, 410])
    np.testing.assert_allclose(found["qtc_bazett_ms"][1:], [420 / 0.8**0.5, 410 / 1.01**0.5])


@pytest.mark.parametrize(
    ("formula", "expected_ms"),
    [("bazett", 500.0), ("fridericia", 464.158883), ("framingham", 455.44), ("hodges", 459.0625)],
)
def test_corrections_by_hand_for_400_ms_at_94_beats_a_minute(formula: str, expected_ms: float) -> None:
    assert corrected_qt(400, 640, formula=formula) == pytest.approx(expected_ms)


@given(st.floats(200, 700), st.sampled_from(sorted(CORRECTIONS)))
def test_at_60_beats_a_minute_nothing_is_corrected(qt_ms: float, formula: str) -> None:
    assert corrected_qt(qt_ms, 1000, formula=formula) == pytest.approx(qt_ms)


@given(st.floats(0.1, 4.0))
def test_intervals_do_not_depend_on_the_rate(factor: float) -> None:
    waves = Waves(LABELS, ONSETS, PEAKS, OFFSETS)
    one, other = wave_intervals(waves, FS), wave_intervals(waves.rescale(factor), FS * factor)
    for name in one:
        np.testing.assert_allclose(one[name], other[name])


def test_medians(waves: Waves) -> None:
    found = median_intervals(waves, FS)
    assert found["n_beats"] == 3
    assert (found["pr_ms"], found["qrs_ms"], found["qt_ms"], found["rr_ms"]) == (160, 100, 410, 905)
    assert found["qtc_framingham_ms"] == pytest.approx(np.mean([420 + 154 * 0.2, 410 - 154 * 0.01]))


def test_what_is_not_there_is_nan() -> None:
    lonely = Waves(["QRS", "T", "QRS"], [100, 150, 500], [110, 180, 510], [120, NAN, 520])
    found = wave_intervals(lonely, FS)
    assert np.isnan(found["pr_ms"]).all()
    assert np.isnan(found["qt_ms"]).all()
    assert np.isnan(median_intervals(lonely, FS)["qtc_bazett_ms"])
    assert median_intervals(Waves(), FS)["n_beats"] == 0


def test_a_wave_belongs_to_the_beat_beside_it() -> None:
    two_p = Waves(["QRS", "P", "P", "QRS"], [80, 200, 300, 400], [100, 220, 320, 420], [120, 240, 340, 440])
    np.testing.assert_allclose(wave_intervals(two_p, FS)["pr_ms"], [NAN, 200])
    far = Waves(["P", "QRS", "T"], [100, 600, 700], [110, 620, 720], [130, 640, 1100])
    found = wave_intervals(far, FS)
    assert np.isnan([found["pr_ms"][0], found["qt_ms"][0]]).all()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ParameterError, match="formula 'bazet'; did you mean 'bazett'"):
        corrected_qt(400, 800, formula="bazet")
    with pytest.raises(ParameterError, match="fs must be a positive number of Hz, got 0"):
        wave_intervals(Waves(), 0)
    assert np.isnan(corrected_qt([400, 400], [0, -5])).all()
