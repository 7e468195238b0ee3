"""Filters of sound: mixing down, another rate, pre-emphasis, and silence cut off with times that are known."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm import filters
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.filters.mono import Mono, mono
from biosig_lstm.filters.pre_emphasis import PreEmphasis
from biosig_lstm.filters.resample import resample
from biosig_lstm.filters.resample_sound import ResampleSound, resample_sound
from biosig_lstm.filters.trim_silence import TrimSilence, voice_activity

Array = np.ndarray[Any, Any]
FS = 8000


def spoken(pieces: list[tuple[float, float]], *, seed: int = 0, fs: int = FS) -> Array:
    """Return noise of (1, samples), pieces of (seconds, loudness in dB of full scale)."""
    rng = np.random.default_rng(seed)
    parts = [rng.standard_normal(round(s * fs)) * 10 ** (db / 20) for s, db in pieces]
    return np.concatenate(parts)[None].astype(np.float32)


def recording(values: Array, *, fs: float = FS, **more: Any) -> Recording:
    names = ["sound"] if len(values) == 1 else ["left", "right", "centre"][: len(values)]
    return Recording(values, fs, names, ["FS"] * len(values), id="r", **more)


# Mixing down


def test_channels_are_mixed_down_as_librosa_does() -> None:
    stereo = recording(np.random.default_rng(0).standard_normal((2, 500)), annotations=Annotations([3], [9], ["a"]))
    got = Mono()(stereo)
    assert (got.channels, got.units, got.history) == (("sound",), ("FS",), ("Mono() of left, right",))
    np.testing.assert_allclose(got.signals[0], librosa.to_mono(stereo.signals), rtol=0, atol=1e-7)
    assert got.annotations == stereo.annotations
    assert Mono()(got) is got
    one = stereo.pick(["right"])
    np.testing.assert_array_equal(Mono()(one).signals, one.signals)
    assert Mono().sources(stereo) == {"sound": ("left", "right")}


def test_channels_that_cancel_each_other_are_told_of() -> None:
    left = np.random.default_rng(0).standard_normal(800)
    with pytest.warns(BiosigWarning, match=r"r: left, right cancel each other: .* \(Channels\)"):
        Mono()(recording(np.stack([left, -left])))
    for right in (0 * left, -0.9 * left, np.full(800, np.nan)):  # warnings are errors
        Mono()(recording(np.stack([left, right])))
    Mono()(recording(np.zeros((2, 800))))


def test_what_cannot_be_mixed_down_is_refused() -> None:
    with pytest.raises(DataError, match="r: channels in FS, mV cannot be mixed down to one"):
        Mono()(Recording(np.zeros((2, 9)), FS, ["a", "b"], ["FS", "mV"], id="r"))
    with pytest.raises(DataError, match="no channel to mix down"):
        mono(np.zeros((0, 9)), FS)
    missing = mono([[1.0, np.nan], [3.0, 4.0]], FS)
    np.testing.assert_array_equal(missing, [[2.0, np.nan]])


# Another rate


@pytest.mark.filterwarnings("ignore:r. recorded at 8000 Hz and brought to 16000 Hz")
@pytest.mark.parametrize(("fs", "rate_hz"), [(44100, 16000), (48000, 16000), (8000, 16000), (22050, 8000)])
def test_sound_at_another_rate_is_the_same_sound(fs: int, rate_hz: int) -> None:
    t, u = (np.arange(2 * rate) / rate for rate in (fs, rate_hz))
    tone = 0.5 * np.sin(2 * np.pi * 1000 * t)
    marked = recording(tone[None], fs=fs, annotations=Annotations([fs], [fs + fs // 2], ["a"]))
    got = ResampleSound(rate_hz)(marked)
    assert (got.fs, got.n_samples) == (rate_hz, 2 * rate_hz)
    middle = slice(rate_hz // 4, -rate_hz // 4)
    expected = 0.5 * np.sin(2 * np.pi * 1000 * u)
    np.testing.assert_allclose(got.signals[0, middle], expected[middle], rtol=0, atol=1e-4)
    assert (got.annotations.starts[0], got.annotations.stops[0]) == (rate_hz, rate_hz + rate_hz // 2)


def test_a_rate_that_is_raised_is_told() -> None:
    low = recording(np.zeros((1, 400)), fs=4000)
    with pytest.warns(BiosigWarning, match="r: recorded at 4000 Hz and brought to 8000 Hz: .* above 2000 Hz"):
        assert ResampleSound(8000)(low).fs == 8000
    ResampleSound(2000)(low)  # warnings are errors


def test_what_a_lower_rate_cannot_hold_is_gone() -> None:
    t = np.arange(44100) / 44100
    for hz, lowest_db in ((8100, -100), (12000, -100), (20000, -100)):
        folded = resample_sound(np.sin(2 * np.pi * hz * t)[None], 44100, rate_hz=16000)[0, 2000:-2000]
        assert 20 * np.log10(np.abs(folded).max()) < lowest_db
    slow = resample(np.sin(2 * np.pi * 8100 * t)[None], 44100, rate_hz=16000)[0, 2000:-2000]
    assert 20 * np.log10(np.abs(slow).max()) > -10  # why sound has a filter of its own


@pytest.mark.parametrize(("share", "down_db"), [(0.9, 0.7), (1.05, 12.2), (1.1, 22.6), (1.15, 43.4), (1.2, 55.0)])
@pytest.mark.parametrize(("fs", "rate_hz"), [(360, 100), (500, 250), (44100, 16000)])
def test_how_much_the_gentle_filter_lets_through(fs: int, rate_hz: int, share: float, down_db: float) -> None:
    tone = np.sin(np.pi * share * rate_hz / fs * np.arange(20_000) + 0.3)[None]
    gentle, sharp = (work(tone, fs, rate_hz=rate_hz)[0, 500:-500] for work in (resample, resample_sound))
    assert -20 * np.log10(np.sqrt(2) * gentle.std()) == pytest.approx(down_db, abs=1.5)
    assert (sharp.std() < 1e-5) == (share > 1)


def test_an_offset_is_a_step_at_the_ends_of_sound_alone() -> None:
    offset = np.ones((1, 3600))
    assert np.ptp(resample(offset, 360, rate_hz=100)) < 1e-6
    assert np.ptp(resample_sound(offset, 360, rate_hz=100)) > 0.1


@settings(deadline=None, max_examples=40)
@given(n=st.integers(0, 3000), rates=st.permutations([8000, 11025, 16000, 44100, 48000]))
def test_length_is_that_of_the_time(n: int, rates: list[int]) -> None:
    got = resample_sound(np.zeros((2, n)), rates[0], rate_hz=rates[1])
    assert got.shape == (2, -(-n * rates[1] // rates[0]))


def test_same_rate_and_none() -> None:
    original = recording(np.zeros((1, 80)))
    assert ResampleSound(FS)(original) is original
    with pytest.raises(ParameterError, match="rate_hz must be a positive number"):
        ResampleSound(0.0)


# Pre-emphasis


def test_pre_emphasis_is_librosas() -> None:
    x = spoken([(0.1, -20)])
    expected = librosa.effects.preemphasis(x, coef=0.9, zi=np.zeros((1, 1)))
    np.testing.assert_allclose(PreEmphasis(0.9)(recording(x)).signals, expected, rtol=0, atol=1e-6)
    with pytest.raises(ParameterError, match=r"coefficient must lie between 0 and 1, got 1\.1"):
        PreEmphasis(1.1)


# Silence cut off

WORD = [(0.7, -60.0), (0.5, -20.0), (0.8, -60.0)]


def test_a_word_is_found_to_ten_milliseconds() -> None:
    found = voice_activity(spoken(WORD), FS, before_s=0, after_s=0)
    assert found.shape == (1, 2)
    np.testing.assert_allclose(found[0] / FS, [0.7, 1.2], rtol=0, atol=0.025)
    around = voice_activity(spoken(WORD), FS, before_s=0.1, after_s=0.2)
    np.testing.assert_array_equal(around - found, [[-800, 1600]])


@settings(deadline=None, max_examples=30)
@given(
    floor_db=st.floats(-75, -40),
    above_db=st.floats(20, 35),
    before_s=st.floats(0.3, 3),
    word_s=st.floats(0.2, 1.0),
    after_s=st.floats(0.5, 3),
    fs=st.sampled_from([8000, 16000, 44100]),
)
def test_whatever_the_noise_and_the_rate(
    floor_db: float, above_db: float, before_s: float, word_s: float, after_s: float, fs: int
) -> None:
    sound = spoken([(before_s, floor_db), (word_s, floor_db + above_db), (after_s, floor_db)], fs=fs)
    found = voice_activity(sound, fs, before_s=0, after_s=0)
    assert len(found) == 1
    np.testing.assert_allclose(found[0] / fs, [before_s, before_s + word_s], rtol=0, atol=0.04)


def test_the_floor_follows_the_noise() -> None:
    pieces = [(4.0, -70.0), (0.5, -35.0), (4.0, -70.0), (6.0, -45.0), (0.5, -20.0), (6.0, -45.0)]
    found = voice_activity(spoken(pieces), FS, before_s=0, after_s=0) / FS
    assert any(abs(start - 4) < 0.03 and abs(stop - 4.5) < 0.03 for start, stop in found)
    assert any(abs(start - 14.5) < 0.03 and abs(stop - 15) < 0.03 for start, stop in found)
    assert found[-1, 1] < 15.1


def test_stretches_that_touch_are_one_and_clicks_are_none() -> None:
    two = [(1.0, -60.0), (0.4, -20.0), (0.25, -60.0), (0.4, -20.0), (1.0, -60.0)]
    assert len(voice_activity(spoken(two), FS, before_s=0.05, after_s=0.05)) == 2
    assert len(voice_activity(spoken(two), FS, before_s=0.1, after_s=0.2)) == 1
    click = spoken([(1.0, -70.0), (0.002, -45.0), (1.0, -70.0)])
    assert len(voice_activity(click, FS)) == 0


def test_offset_and_channels_do_not_matter() -> None:
    sound = spoken(WORD)
    np.testing.assert_array_equal(voice_activity(sound + 0.4, FS), voice_activity(sound, FS))
    quiet = spoken([(2.0, -60.0)], seed=1)
    both = voice_activity(np.concatenate([quiet, sound]), FS)
    np.testing.assert_allclose(both, voice_activity(sound, FS), rtol=0, atol=160)


def test_trimming_moves_annotations_and_says_what_was_kept() -> None:
    marks = Annotations([0, 6000, 6400, 15000], [16000, 7000, 6400, 15500], ["word", "vowel", "peak", "end"])
    original = recording(spoken(WORD), annotations=marks)
    first, stop = voice_activity(original.signals, FS)[0].tolist()
    got = TrimSilence()(original)
    np.testing.assert_array_equal(got.signals, original.signals[:, first:stop])
    assert got.annotations.labels.tolist() == ["word", "vowel", "peak"]
    assert got.annotations.starts.tolist() == [0, 6000 - first, 6400 - first]
    assert got.annotations.stops.tolist() == [stop - first, 7000 - first, 6400 - first]
    assert got.history == (f"{TrimSilence()!r}: kept {first / FS:g}-{stop / FS:g} s of 2 s",)


def test_pauses_between_words_stay() -> None:
    original = recording(spoken([*WORD, *WORD]))
    got = TrimSilence(before_s=0, after_s=0)(original)
    assert got.duration_s == pytest.approx(2.5, abs=0.05)


@pytest.mark.parametrize("values", [np.zeros((1, 8000)), spoken([(1.0, -70.0)]), np.full((1, 8000), 0.5)])
def test_silence_is_told_and_left(values: Array) -> None:
    with pytest.warns(BiosigWarning, match="r: silence: nothing rises 12 dB above the noise; not cut"):
        got = TrimSilence()(recording(values))
    np.testing.assert_array_equal(got.signals, values.astype(np.float32))
    assert got.history[0].endswith("not cut")


def test_sound_without_a_pause_is_left_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = TrimSilence()(recording(spoken([(1.0, -20.0)])))
    assert got.n_samples == 8000


def test_short_empty_and_missing() -> None:
    assert len(voice_activity(spoken([(0.01, -20)]), FS)) == 0
    with pytest.raises(DataError, match="no samples to find speech in"):
        voice_activity(np.zeros((1, 0)), FS)
    gap = spoken(WORD)
    gap[0, 4000] = np.nan
    with pytest.raises(DataError, match=r"r: channel 'sound' holds NaN or infinity, first at 0.5 s"):
        TrimSilence()(recording(gap))
    with pytest.raises(ParameterError, match="above_floor_db must be positive"):
        TrimSilence(above_floor_db=0)
    with pytest.raises(ParameterError, match="after_s must be 0 or more"):
        TrimSilence(after_s=-0.1)


@pytest.mark.parametrize("step", [Mono(), TrimSilence(above_floor_db=9.0), ResampleSound(6000), PreEmphasis()])
def test_input_is_unchanged_the_answer_repeats_and_steps_read_back(step: Any) -> None:
    original = recording(np.concatenate([spoken(WORD), spoken(WORD, seed=1)]))
    before = original.signals.copy()
    first, second = step(original), step(original)
    np.testing.assert_array_equal(original.signals, before)
    assert first == second
    values = json.loads(json.dumps(step.to_dict()))
    assert filters.steps()[values.pop("step")].from_fields(values) == step


def test_eight_words_of_real_recordings_are_kept(data_root: Callable[[str], Path]) -> None:
    for path in sorted(data_root("yesno").glob("*.wav"))[:10]:
        original = bl.read_audio(path)
        got = TrimSilence()(original)
        assert 3.5 < got.duration_s <= original.duration_s
        kept = float(np.sum(got.signals.astype(np.float64) ** 2))
        assert kept > 0.99 * float(np.sum(original.signals.astype(np.float64) ** 2))
