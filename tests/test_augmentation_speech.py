"""Changed sound and changed spectrograms: every change is measured in what comes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from biosig_lstm.augmentation.digit_words import PRONUNCIATIONS, DigitVoices, pronounce
from biosig_lstm.augmentation.formant_voice import FS_HZ, FormantVoice, speak
from biosig_lstm.augmentation.sound import (
    SoundAugmentation,
    add_noise,
    change_dynamics,
    change_speed,
    change_tempo,
    equalize,
    reverberate,
    shift_pitch,
)
from biosig_lstm.augmentation.spectrogram import SpectrogramAugmentation, bend, mask, stretch, warp_vocal_tract
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features.log_mel import log_mel

FS = 8000
Array = np.ndarray[Any, Any]


def tone(hz: float, seconds: float = 1.0) -> Array:
    return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * FS)) / FS)[None]


def peak_hz(rows: Array, fs: float = FS) -> float:
    hz, power = signal.periodogram(rows[0], fs, window="hann", nfft=1 << 17)
    return float(hz[np.argmax(power)])


@settings(deadline=None, max_examples=25)
@given(snr_db=st.floats(-10, 50), slope=st.floats(-2, 2), seed=st.integers(0, 99))
def test_noise_has_the_power_that_was_asked_for(snr_db: float, slope: float, seed: int) -> None:
    clean = tone(440)
    noise = add_noise(clean, np.random.default_rng(seed), snr_db=snr_db, slope=slope) - clean
    assert 10 * np.log10(np.mean(clean**2) / np.mean(noise**2)) == pytest.approx(snr_db, abs=0.01)


@pytest.mark.parametrize("slope", [-1.0, 0.0, 1.0])
def test_noise_has_the_slope_that_was_asked_for(slope: float) -> None:
    clean = tone(440, 20)
    noise = add_noise(clean, np.random.default_rng(0), snr_db=0, slope=slope) - clean
    hz, power = signal.welch(noise[0], FS, nperseg=1024)
    inside = (hz > 100) & (hz < 3500)
    assert np.polyfit(np.log(hz[inside]), np.log(power[inside]), 1)[0] == pytest.approx(slope, abs=0.06)


def test_silence_stays_silent() -> None:
    assert not add_noise(np.zeros((1, 100)), np.random.default_rng(0), snr_db=10).any()


@pytest.mark.parametrize("factor", [0.8, 0.93, 1.0, 1.25])
def test_speed_changes_length_and_pitch(factor: float) -> None:
    faster = change_speed(tone(500), FS, factor=factor)
    assert faster.shape == (1, int(np.ceil(FS / factor - 1e-9)))
    assert peak_hz(faster) == pytest.approx(500 * factor, rel=0.002)


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.1, 1.4])
def test_tempo_changes_length_and_leaves_pitch(factor: float) -> None:
    faster = change_tempo(tone(200), FS, factor=factor)
    assert faster.shape == (1, round(FS / factor))
    assert peak_hz(faster) == pytest.approx(200, rel=0.01)
    assert np.std(faster[0, 400:-800]) == pytest.approx(np.std(tone(200)), rel=0.05)


@pytest.mark.parametrize("semitones", [-5.0, 0.0, 3.0])
def test_pitch_moves_and_length_stays(semitones: float) -> None:
    moved = shift_pitch(tone(300), FS, semitones=semitones)
    assert moved.shape == (1, FS)
    assert peak_hz(moved) == pytest.approx(300 * 2 ** (semitones / 12), rel=0.01)


@pytest.mark.parametrize("rt60_s", [0.2, 0.6])
def test_echoes_die_away_in_the_time_that_was_asked_for(rt60_s: float) -> None:
    click = np.zeros((1, FS))
    click[0, 0] = 1.0
    heard = reverberate(click, FS, np.random.default_rng(0), rt60_s=rt60_s, direct_db=3.0)
    assert heard.shape == click.shape
    assert 10 * np.log10(1 / np.sum(heard[0, 1:] ** 2)) == pytest.approx(3.0, abs=0.1)
    left_db = 10 * np.log10(np.cumsum(heard[0, :0:-1] ** 2)[::-1])  # Schroeder's backward integration
    span = slice(0, round(0.5 * rt60_s * FS))
    decay_db_s = np.polyfit(np.arange(FS - 1)[span] / FS, left_db[span], 1)[0]
    assert -60 / decay_db_s == pytest.approx(rt60_s, rel=0.15)


def test_a_microphone_is_louder_where_it_was_said() -> None:
    both = tone(300) + tone(2000)
    changed = equalize(both, FS, (0.0, 6.0, 0.0, -12.0, 0.0))
    hz, before = signal.periodogram(both[0], FS)
    after = signal.periodogram(changed[0], FS)[1]
    for at, gain_db in ((300, 6.0), (2000, -12.0)):
        k = int(np.argmin(abs(hz - at)))
        assert 10 * np.log10(after[k] / before[k]) == pytest.approx(gain_db, abs=0.01)


@pytest.mark.parametrize("compression", [-0.5, 0.0, 0.25, 1.0])
def test_differences_of_level_shrink_by_the_share_that_was_asked_for(compression: float) -> None:
    steps_db = np.array([0.0, 0.0, -12.0, -60.0])
    loud = tone(500, 4.0)
    word = loud * np.repeat(10 ** (steps_db / 20), loud.shape[1] // 4)
    changed = change_dynamics(word, FS, compression=compression)
    middles = [slice(k * FS + FS // 4, k * FS + 3 * FS // 4) for k in range(4)]
    gained = [20 * np.log10(np.std(changed[0, part]) / np.std(word[0, part])) for part in middles]
    np.testing.assert_allclose(gained, compression * np.array([0, 0, 12, 26]), atol=0.3)


def test_silence_has_no_dynamics() -> None:
    np.testing.assert_array_equal(change_dynamics(np.zeros((2, 50)), FS, compression=0.5), np.zeros((2, 50)))


def test_what_is_no_sound_or_out_of_range_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match=r"sound is \(channels, samples\)"):
        change_tempo(np.zeros(5), FS, factor=1.1)
    with pytest.raises(DataError, match="NaN or infinite"):
        add_noise([[np.nan]], rng, snr_db=3)
    for wrong in (0.0, -1.0, np.inf):
        with pytest.raises(ParameterError, match="factor must be positive and finite"):
            change_speed(tone(100), FS, factor=wrong)
    with pytest.raises(ParameterError, match="rt60_s and fs must be positive"):
        reverberate(tone(100), FS, rng, rt60_s=0)
    with pytest.raises(ParameterError, match="snr_db and slope must be finite"):
        add_noise(tone(100), rng, snr_db=np.nan)
    with pytest.raises(ParameterError, match="a finite gain for each of 5 knots"):
        equalize(tone(100), FS, (1.0, 2.0))
    with pytest.raises(ParameterError, match=r"compression must be finite and at most 1, fs positive, got 1\.5"):
        change_dynamics(tone(100), FS, compression=1.5)
    with pytest.raises(ParameterError, match=r"speed, tempo and dynamics lie in \[0, 1\)"):
        SoundAugmentation(dynamics=1)
    with pytest.raises(ParameterError, match="noise and reverberation lie in"):
        SoundAugmentation(noise=2)
    with pytest.raises(ParameterError, match="a least and a greatest value"):
        SoundAugmentation(snr_db=(30, 10))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_a_changed_recording_keeps_its_label_over_all_of_it(seed: int) -> None:
    word = Recording(tone(500, 0.3), FS, ["sound"], ["FS"], id="w", annotations=Annotations([0], [2400], ["7"]))
    change = SoundAugmentation(speed=0.3, tempo=0.2)
    made, again = (change(word, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(made.signals, again.signals)
    assert made.annotations.labels.tolist() == ["7"]
    assert made.annotations.stops.tolist() == [made.n_samples]
    assert 2400 * np.exp(-0.51) < made.n_samples < 2400 * np.exp(0.51)
    assert np.isfinite(made.signals).all()


def test_labels_of_stretches_cannot_change_in_length() -> None:
    marks = Annotations([0, 100], [100, 200], ["a", "b"])
    recording = Recording(tone(500, 0.1), FS, ["sound"], ["FS"], id="r", annotations=marks)
    with pytest.raises(DataError, match="r: annotations of stretches do not follow"):
        SoundAugmentation(speed=0.5)(recording, np.random.default_rng(1))
    quiet = SoundAugmentation(speed=0, noise=0, reverberation=0, gain_db=0)(recording, np.random.default_rng(1))
    np.testing.assert_array_equal(quiet.signals, recording.signals)


@pytest.mark.parametrize("factor", [0.85, 1.0, 1.15])
def test_a_warped_spectrogram_is_that_of_a_warped_tone(factor: float) -> None:
    frames = log_mel(tone(1000)[0], FS, low_hz=60)
    expected = log_mel(tone(1000 * factor)[0], FS, low_hz=60)
    warped = warp_vocal_tract(frames, factor=factor, low_hz=60)
    assert abs(int(warped[50].argmax()) - int(expected[50].argmax())) <= 1


def test_warping_and_taking_the_mean_away_can_change_places() -> None:
    frames = np.random.default_rng(0).normal(size=(30, 40))
    one = warp_vocal_tract(frames - frames.mean(axis=0), factor=1.1)
    other = warp_vocal_tract(frames, factor=1.1)
    np.testing.assert_allclose(one, other - other.mean(axis=0), atol=1e-5)


def test_bending_by_whole_columns_is_a_shift() -> None:
    frames = np.random.default_rng(0).normal(size=(3, 10)).astype(np.float32)
    np.testing.assert_allclose(bend(frames, (2.0, 2.0))[:, :8], frames[:, 2:], rtol=1e-6)
    np.testing.assert_array_equal(bend(frames, (0.0, 0.0, 0.0)), frames)


@pytest.mark.parametrize("n_frames", [1, 5, 9, 33])
def test_stretching_is_linear_interpolation(n_frames: int) -> None:
    frames = np.random.default_rng(0).normal(size=(9, 4))
    places = np.linspace(0, 8, n_frames)
    expected = np.stack([np.interp(places, np.arange(9), column) for column in frames.T], axis=1)
    np.testing.assert_allclose(stretch(frames, n_frames), expected, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_a_mask_is_one_stretch_of_each_kind_at_most_so_long(seed: int) -> None:
    masked = mask(np.ones((50, 40)), np.random.default_rng(seed), steps=10, columns=6) == 0
    rows, columns = masked.all(axis=1), masked.all(axis=0)
    assert rows.sum() <= 10
    assert columns.sum() <= 6
    np.testing.assert_array_equal(masked, rows[:, None] | columns)
    for stretch_of in (rows, columns):
        assert np.count_nonzero(np.diff(np.concatenate([[0], stretch_of, [0]]))) in (0, 2)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 80))
def test_an_item_of_any_length_comes_out_finite(seed: int, n: int) -> None:
    x = np.random.default_rng(seed).normal(size=(n, 40)).astype(np.float32)
    made, y = SpectrogramAugmentation()(x, np.array([3]), np.random.default_rng(seed))
    assert made.dtype == np.float32
    assert made.shape[1] == 40
    assert len(made) >= 1
    assert np.isfinite(made).all()
    assert y.tolist() == [3]


@pytest.mark.parametrize(
    ("settings_", "match"),
    [({"warp": 1}, "warp and stretch"), ({"cut": -1}, "cut and masks"), ({"low_hz": 5000}, "low_hz")],
)
def test_an_augmentation_out_of_range_is_refused(settings_: dict[str, Any], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        SpectrogramAugmentation(**settings_)


def formant_hz(sound: Array, low: float, high: float) -> float:
    hz, power = signal.welch(sound, FS_HZ, nperseg=4096)
    smooth = signal.savgol_filter(10 * np.log10(power), 101, 2)
    inside = (hz > low) & (hz < high)
    return float(hz[inside][np.argmax(smooth[inside])])


def test_a_voice_has_its_pitch_and_its_formants() -> None:
    voice = FormantVoice(pitch_hz=100.0, slowness=6.0, undershoot=0.0)
    vowel = speak(("i",), voice, np.random.default_rng(0))
    assert np.sqrt(np.mean(vowel**2)) == pytest.approx(0.1, rel=1e-5)
    middle = vowel[len(vowel) // 4 : len(vowel) // 2].astype(float)
    period = np.correlate(middle, middle, "full")[len(middle) - 1 :]
    lag = 100 + int(np.argmax(period[100:240]))
    assert FS_HZ / lag == pytest.approx(100, rel=0.25)
    assert formant_hz(vowel, 1500, 2600) == pytest.approx(2270, rel=0.06)
    longer = speak(("i",), FormantVoice(slowness=6.0, undershoot=0.0, tract=0.85), np.random.default_rng(0))
    assert formant_hz(longer, 1300, 2400) == pytest.approx(0.85 * 2270, rel=0.06)


def test_friction_is_higher_than_a_vowel() -> None:
    voice, rng = FormantVoice(), np.random.default_rng(0)
    centre = [
        float(np.sum(power * hz) / np.sum(power))
        for hz, power in (signal.welch(speak((name,), voice, rng), FS_HZ, nperseg=512) for name in ("s", "u"))
    ]
    assert centre[0] > 4000 > 1500 > centre[1]


def high_share(voice: FormantVoice, *phones: str) -> float:
    hz, power = signal.welch(speak(phones, voice, np.random.default_rng(0)), FS_HZ, nperseg=512)
    return float(10 * np.log10(power[hz > 4500].sum() / power[hz < 4500].sum()))


def test_sibilants_are_as_much_softer_as_was_asked_for() -> None:
    word = ("s", "E", "v", "@", "n")
    softer = high_share(FormantVoice(), *word) - high_share(FormantVoice(sibilant_db=-11.0), *word)
    assert softer == pytest.approx(11.0, abs=1.0)
    assert high_share(FormantVoice(), "n", "a") == high_share(FormantVoice(sibilant_db=-11.0), "n", "a")


def test_voices_are_drawn_as_recordings_of_digits_ask_for() -> None:
    drawn = [FormantVoice.draw(np.random.default_rng(k), glide_s=(0.1, 0.2), sibilant_db=-3.0) for k in range(20)]
    assert all(0.1 <= voice.glide_s <= 0.2 and voice.sibilant_db == -3.0 for voice in drawn)
    usual, other = (next(DigitVoices(voices=1, glide_s=glide_s)(0)) for glide_s in ((0.025, 0.08), (0.1, 0.2)))
    assert not np.array_equal(usual.signals, other.signals)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"glide_s": (0.2, 0.1)}, "glide_s must be positive, finite and ascending"),
        ({"glide_s": (0.1, float("inf"))}, "glide_s must be positive, finite and ascending"),
        ({"sibilant_db": float("nan")}, "sibilant_db must be finite, got nan"),
        ({"voices": -1}, "voices must be a whole number, 0 or more, got -1"),
        ({"voices": 1.5}, "voices must be a whole number, 0 or more, got 1.5"),
        ({"groups": 0}, "must be whole numbers from 1, got 0"),
        ({"snr_db": (float("nan"), 3.0)}, "snr_db finite and ascending"),
        ({"fs": 0.0}, "fs must be positive"),
    ],
)
def test_voices_that_cannot_be_are_refused(bad: dict[str, object], said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        DigitVoices(**bad)  # type: ignore[arg-type]


def test_phones_that_are_none_are_refused() -> None:
    with pytest.raises(ParameterError, match="phone 'q'; "):
        speak(("q",), FormantVoice(), np.random.default_rng(0))
    with pytest.raises(ParameterError, match="phone ''"):
        speak((), FormantVoice(), np.random.default_rng(0))


@pytest.mark.parametrize("digit", list(PRONUNCIATIONS))
def test_every_way_to_say_a_digit_can_be_spoken(digit: str) -> None:
    rng = np.random.default_rng(int(digit))
    ways = {pronounce(digit, rng) for _ in range(200)}
    assert len(ways) > 1 or digit == "9"
    for way in sorted(ways):
        sound = speak(way, FormantVoice.draw(rng), rng)
        assert np.isfinite(sound).all()
        assert 0.05 < len(sound) / FS_HZ < 3


def test_made_words_are_the_same_for_the_same_seed_and_say_whose_they_are() -> None:
    made, again, other = (list(DigitVoices(voices=2, groups=2)(seed)) for seed in (1, 1, 2))
    assert [r.id for r in made][:2] == ["0_voice0", "1_voice0"]
    assert {r.subject for r in made} == {"synthetic-0", "synthetic-1"}
    assert [r.annotations.labels.tolist() for r in made] == [[digit] for digit in PRONUNCIATIONS] * 2
    for one, same, different in zip(made, again, other, strict=True):
        np.testing.assert_array_equal(one.signals, same.signals)
        assert not np.array_equal(one.signals, different.signals)
        assert one.fs == FS
