"""Windows are cut where they say, at the rate they say, from the sample they say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import resample

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.windows import AroundEvents, FixedLength, WholeRecording, sample_around
from biosig_lstm.windows.each_lead import EachLead
from biosig_lstm.windows.epochs import Epochs


def band_limited(*, n_samples: int, fs: float, highest_hz: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    times = np.arange(n_samples) / fs
    rates = rng.uniform(0.5, highest_hz, 12)
    return np.sum(
        [np.sin(2 * np.pi * f * times + p) for f, p in zip(rates, rng.uniform(0, 6, 12), strict=True)], axis=0
    )


def beats(fs: float = 360.0) -> Recording:
    signals = np.stack([band_limited(n_samples=3600, fs=fs, highest_hz=35, seed=k) for k in range(2)])
    marks = Annotations([400, 900, 1500, 2800], labels=["N", "V", "N", "QRS"])
    return Recording(signals, fs, ["MLII", "V1"], ["mV", "mV"], id="r", subject="p", annotations=marks)


def test_at_its_own_rate_a_window_is_the_samples_themselves() -> None:
    whole = beats()
    cut = sample_around(whole.signals, np.array([400, 900]), fs=360, before_s=0.25, after_s=0.5, rate_hz=360)
    assert cut.shape == (2, 2, 270)
    np.testing.assert_array_equal(cut[1], whole.signals[:, 900 - 90 : 900 + 180])


@pytest.mark.parametrize("fs", [250.0, 360.0, 500.0, 1000.0])
def test_at_another_rate_a_window_agrees_with_scipy_resample(fs: float) -> None:
    n_samples = int(20 * fs)
    times = np.arange(n_samples) / fs
    periodic = sum(np.sin(2 * np.pi * f * times + f) for f in (1.0, 4.5, 11.0, 23.5, 32.0))
    reference = resample(periodic, 20 * 100)
    position = int(10 * fs)
    cut = sample_around(
        periodic[None].astype(np.float32), np.array([position]), fs=fs, before_s=0.3, after_s=0.5, rate_hz=100
    )
    np.testing.assert_allclose(cut[0, 0], reference[1000 - 30 : 1000 + 50], atol=0.06)


@given(position=st.integers(0, 3599))
def test_beyond_the_ends_the_edge_is_repeated(position: int) -> None:
    flat = np.full((1, 3600), 2.5, dtype=np.float32)
    cut = sample_around(flat, np.array([position]), fs=360, before_s=1, after_s=1, rate_hz=100)
    np.testing.assert_allclose(cut, 2.5, rtol=1e-6)


def test_a_run_has_a_step_for_each_event() -> None:
    run = AroundEvents(0.25, 0.45, rate_hz=100)(beats())
    assert len(run) == 1
    assert run.lengths.tolist() == [4]
    assert run.window_shape == (2, 70)
    assert run.positions is not None
    assert run.positions.tolist() == [400, 900, 1500, 2800]
    assert run.y is not None
    assert run.y.tolist() == [0, 2, 0, -1]
    assert run.step_labels


def test_a_missing_lead_is_zeros_and_further_leads_are_left_out() -> None:
    single = AroundEvents(0.1, 0.1)(beats().pick(["V1"]))
    width = single.window_shape[1] if single.window_shape else 0
    assert (single.values[:, width:] == 0).all()
    np.testing.assert_array_equal(
        single.values[:, :width], AroundEvents(0.1, 0.1, leads=1)(beats().pick(["V1"])).values
    )


def test_events_need_a_rate_and_events() -> None:
    with pytest.raises(DataError, match="r: recorded at 90 Hz, these windows need at least 100 Hz"):
        AroundEvents(0.2, 0.2, rate_hz=100)(beats(fs=90.0))
    with pytest.raises(DataError, match="r: no beats or other events"):
        AroundEvents(0.2, 0.2)(beats().with_annotations(Annotations()))
    with pytest.raises(ParameterError, match="a window needs a positive, finite length"):
        AroundEvents(0.0, 0.0)


@given(length_s=st.floats(0.05, 9.9), step_s=st.floats(0.05, 3))
def test_fixed_windows_lie_inside_and_follow_each_other(length_s: float, step_s: float) -> None:
    whole = beats()
    cut = FixedLength(length_s, step_s)(whole)
    width = round(length_s * 360)
    assert (cut.lengths == max(width, 1)).all()
    assert cut.starts[-1] + width <= whole.n_samples
    assert set(np.diff(cut.starts).tolist()) <= {max(round(step_s * 360), 1)}
    np.testing.assert_array_equal(cut.item(len(cut) - 1), whole.signals[:, cut.starts[-1] :][:, : max(width, 1)].T)


def test_a_window_is_labelled_by_what_covers_its_middle() -> None:
    stages = Annotations([0, 1800], [1800, 3600], ["W", "N2"])
    cut = FixedLength(2.5, classes=("W", "N2"))(beats().with_annotations(stages))
    assert cut.y is not None
    assert cut.y.tolist() == [0, 0, 1, 1]
    whole = WholeRecording(classes=("W", "N2"))(beats().with_annotations(Annotations([0], [3600], ["N2"])))
    assert whole.y is not None
    assert whole.y.tolist() == [1]


def test_what_is_too_short_is_refused() -> None:
    with pytest.raises(DataError, match="10 s are too short for a 11-s window"):
        FixedLength(11)(beats())
    with pytest.raises(DataError, match="holds no samples"):
        WholeRecording()(Recording(np.zeros((1, 0)), 100, ["a"], ["mV"]))
    with pytest.raises(ParameterError, match="window length and step must be positive"):
        FixedLength(0)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -1.0])
def test_lengths_and_rates_that_are_none_are_refused_when_they_are_said(wrong: float) -> None:
    with pytest.raises(ParameterError, match="window length and step must be positive and finite"):
        FixedLength(wrong)
    with pytest.raises(ParameterError, match="window length and step must be positive and finite"):
        FixedLength(1, step_s=wrong)
    with pytest.raises(ParameterError, match="a window needs a positive, finite length"):
        AroundEvents(wrong, 0.4)
    with pytest.raises(ParameterError, match="rate_hz must be positive and finite"):
        AroundEvents(0.2, 0.4, rate_hz=wrong)
    with pytest.raises(ParameterError, match="length_s must be positive and finite"):
        Epochs(wrong)
    with pytest.raises(ParameterError, match="block_s must be positive, got"):
        EachLead(wrong)
