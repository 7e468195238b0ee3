"""Steps on log-mel frames of single words: where the word lies, a floor that goes with its level, a tilt."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from biosig_lstm import features
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.features.level_floor import LevelFloor, level_floor
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.spoken_part import SpokenPart, frame_power, spoken_part
from biosig_lstm.features.tilt import Tilt, tilt
from biosig_lstm.steps import Step
from biosig_lstm.windows import WholeRecording

FS = 8000
each_step = pytest.mark.parametrize("step", [SpokenPart(), LevelFloor(), Tilt(-7.9)], ids=lambda s: type(s).__name__)


def word(
    name: str = "a", *, before_s: float = 0.4, after_s: float = 0.6, gain: float = 1.0, seed: int = 0
) -> Recording:
    """Return noise of half a second between pauses of soft noise."""
    rng = np.random.default_rng(seed)
    loud = np.repeat([0.001, 0.2, 0.001], [int(before_s * FS), FS // 2, int(after_s * FS)])
    signal = gain * loud * rng.standard_normal(len(loud))
    marks = Annotations([0], [len(loud)], ["yes"])
    return Recording(signal[None], FS, ["sound"], ["FS"], id=name, subject=name, annotations=marks)


def frames_of(*recordings: Recording) -> Windows:
    return LogMel()(Windows.concatenate([WholeRecording(classes=("no", "yes"))(r) for r in recordings]))


def test_power_of_a_frame_is_that_of_scipy() -> None:
    frames = np.random.default_rng(0).normal(-8, 4, (30, 40))
    np.testing.assert_allclose(frame_power(frames), logsumexp(frames, axis=1) - np.log(40), rtol=1e-12)


def test_the_spoken_part_is_the_word_and_its_margins() -> None:
    made = SpokenPart(margin_s=0.05)(frames_of(word()))
    first, stop = spoken_part(frames_of(word()).values, margin=5)
    assert first == pytest.approx(40 - 2 - 5, abs=1)
    assert stop == pytest.approx(90 + 5, abs=1)
    np.testing.assert_array_equal(made.values, frames_of(word()).values[first:stop])
    assert made.y is not None
    assert made.y.tolist() == [1]


def test_silence_stays_whole() -> None:
    silent = Recording(np.zeros((1, FS)), FS, ["sound"], ["FS"], id="silent")
    windows = LogMel()(WholeRecording()(silent))
    assert SpokenPart()(windows) == windows


def test_more_than_a_minute_is_told_to_be_no_word() -> None:
    rows = np.random.default_rng(0).normal(0, 0.1, (2, 61 * 100))
    minute, more = (
        LogMel(n_mels=20)(WholeRecording()(Recording(row[None, :n], 1000, ["sound"], ["FS"], id=name)))
        for row, n, name in zip(rows, (6000, 61 * 100), ("short", "long"), strict=True)
    )
    assert SpokenPart()(replace(minute, rate_hz=10.0)) == replace(minute, rate_hz=10.0)
    with pytest.warns(BiosigWarning, match=r"long: 60\.8 s .* taken as one word"):
        SpokenPart()(replace(more, rate_hz=10.0))


@settings(deadline=None, max_examples=30)
@given(gain=st.floats(0.05, 4.0))
def test_the_floor_does_not_know_the_gain(gain: float) -> None:
    frames = np.random.default_rng(1).normal(-4, 3, (50, 40))
    louder = frames + 2 * np.log(gain)
    np.testing.assert_allclose(level_floor(louder), level_floor(frames), atol=1e-5)


def test_the_floor_is_its_formula() -> None:
    frames = np.random.default_rng(2).normal(-4, 3, (50, 40))
    level = np.percentile(np.exp(frames).mean(axis=1), 90, method="linear")
    expected = np.log(np.exp(frames) / level + 10**-1.8)
    np.testing.assert_allclose(level_floor(frames, depth_db=18), expected, atol=0.02)
    assert level_floor(frames, depth_db=18).min() >= np.log(10**-1.8) - 1e-6


def test_compression_takes_back_its_share_of_the_difference_in_level() -> None:
    frames = np.repeat(-np.array([0.0] * 10 + [2.0, 4.0, 40.0])[:, None], 3, axis=1)
    made = level_floor(frames, depth_db=300, compression=0.25)
    np.testing.assert_allclose(made[9:12, 0], [0.0, -1.5, -3.0], atol=1e-5)
    assert made[12, 0] == pytest.approx(-40 + 0.25 * 2.6 * np.log(10), abs=1e-4)
    np.testing.assert_array_equal(level_floor(frames, compression=0.0), level_floor(frames))


def test_tilt_is_a_line() -> None:
    np.testing.assert_allclose(tilt(np.zeros((2, 11)), last_db=10.0)[1], np.log(10) * np.arange(11) / 10, rtol=1e-6)


def test_white_noise_is_level_after_the_tilt_that_the_docstring_names() -> None:
    noise = Recording(0.1 * np.random.default_rng(3).standard_normal((1, 40 * FS)), FS, ["sound"], ["FS"], id="n")
    windows = LogMel(like="kaldi", n_mels=40, low_hz=60)(WholeRecording()(noise))
    emphasis = np.log(np.abs(1 - 0.97 * np.exp(-2j * np.pi * centres_hz() / FS)) ** 2)
    mean = np.log(np.exp(Tilt(-7.9)(windows).values.astype(float)).mean(axis=0)) - emphasis
    assert abs(np.polyfit(np.linspace(0, 1, 40)[10:], mean[10:], 1)[0]) < 0.25


def centres_hz() -> Any:
    low, high = (2595 * np.log10(1 + f / 700) for f in (60, 4000))
    return 700 * (10 ** ((low + (high - low) * np.arange(1, 41) / 41) / 2595) - 1)


@each_step
def test_input_is_unchanged_and_recordings_do_not_know_each_other(step: Step) -> None:
    one, other = frames_of(word("a", seed=1)), frames_of(word("b", before_s=0.1, seed=2))
    before = one.values.copy()
    together = step(Windows.concatenate([one, other]))
    np.testing.assert_array_equal(one.values, before)
    assert together == Windows.concatenate([step(one), step(other)])
    assert together.values.dtype == np.float32
    assert np.isfinite(together.values).all()
    assert together.subjects.tolist() == ["a", "b"]


@each_step
def test_no_items_give_no_items(step: Step) -> None:
    nothing = frames_of(word()).select(np.zeros(0, dtype=np.int64))
    assert len(step(nothing)) == 0
    assert step(nothing).columns == frames_of(word()).columns


@each_step
def test_reads_back_from_its_dictionary(step: Step) -> None:
    values = json.loads(json.dumps(step.to_dict()))
    assert features.steps()[values.pop("step")].from_fields(values) == step


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: SpokenPart(range_db=0), "range_db must be positive"),
        (lambda: SpokenPart(margin_s=-1), "margin_s 0 or more"),
        (lambda: LevelFloor(float("nan")), "depth_db must be finite"),
        (lambda: LevelFloor(compression=1.1), r"compression must lie in \[0, 1\], got 1.1"),
        (lambda: Tilt(float("inf")), "last_db must be finite"),
        (lambda: tilt([1.0], last_db=1), r"tilt takes \(frames, columns\)"),
    ],
)
def test_parameters_out_of_range_are_refused(make: Any, match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        make()


def test_windows_without_a_rate_are_refused() -> None:
    with pytest.raises(DataError, match="SpokenPart takes frames at a rate"):
        SpokenPart()(replace(frames_of(word()), rate_hz=None))
