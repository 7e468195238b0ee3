"""Frames of sound: every number beside librosa, kaldi-native-fbank and formulas written out; what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import kaldi_native_fbank
import librosa
import numpy as np
import pytest
from scipy import fft
from vowels import windows_of, words

import biosig_lstm as bl
from biosig_lstm import features
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.features._mel_kernels import transform, turns
from biosig_lstm.features.deltas import Deltas, deltas
from biosig_lstm.features.log_mel import LogMel, log_mel
from biosig_lstm.features.mfcc import MFCC, mfcc
from biosig_lstm.features.normalize_utterance import NormalizeUtterance, normalize_speaker
from biosig_lstm.features.quiet_floor import QuietFloor
from biosig_lstm.windows import FixedLength, WholeRecording
from biosig_lstm.windows.epochs import Epochs

Array = np.ndarray[Any, Any]


def by_kaldi(x: Array, fs: int, *, cepstra: bool = False, energy: bool = False, n_mels: int = 23) -> Array:
    """Return what kaldi-native-fbank gives for a 16-bit file."""
    wanted = kaldi_native_fbank.MfccOptions() if cepstra else kaldi_native_fbank.FbankOptions()
    wanted.frame_opts.dither, wanted.frame_opts.samp_freq = 0, fs
    wanted.mel_opts.num_bins, wanted.use_energy = n_mels, energy
    online = (kaldi_native_fbank.OnlineMfcc if cepstra else kaldi_native_fbank.OnlineFbank)(wanted)
    online.accept_waveform(fs, (x * 32768).tolist())
    online.input_finished()
    return np.array([online.get_frame(k) for k in range(online.num_frames_ready)])


def by_formula(x: Array, fs: float, *, n_mels: int = 40) -> Array:
    """Return the default log-mel in float64, step by step, as its docstring says."""
    width, hop = int(0.025 * fs), int(0.010 * fs)
    n_fft = 1 << (width - 1).bit_length()
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / (width - 1))) ** 0.85
    mels = np.linspace(1127 * np.log1p(20 / 700), 1127 * np.log1p(fs / 2 / 700), n_mels + 2)
    bins = 1127 * np.log1p(np.arange(n_fft // 2) * fs / n_fft / 700)
    rows = []
    for first in range(0, len(x) - width + 1, hop):
        frame = x[first : first + width].astype(np.float64)
        frame = frame - frame.mean()
        frame = frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])
        power = np.abs(np.fft.rfft(frame * window, n_fft)[: n_fft // 2]) ** 2
        rows.append([np.interp(bins, mels[m : m + 3], [0, 1, 0]) @ power for m in range(n_mels)])
    return np.log(np.maximum(rows, 1e-8))


RATES = [8000, 16000, 22050, 44100]
each_rate = pytest.mark.parametrize("fs", RATES)


@each_rate
def test_default_log_mel_is_its_formula(fs: int) -> None:
    x = words(1.3, fs)
    np.testing.assert_allclose(log_mel(x, fs), by_formula(x, fs), rtol=0, atol=1e-4)


@each_rate
def test_default_mfcc_is_the_cosine_transform_of_log_mel(fs: int) -> None:
    x = words(0.7, fs)
    logs = by_formula(x, fs)
    lifter = 1 + 11 * np.sin(np.pi * np.arange(13) / 22)
    expected = fft.dct(logs, norm="ortho")[:, :13] * lifter
    np.testing.assert_allclose(mfcc(x, fs), expected, rtol=1e-4, atol=1e-3)


@each_rate
@pytest.mark.parametrize("seconds", [0.01, 0.5, 2.0])
@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large:UserWarning", "ignore:Empty filters detected:UserWarning")
def test_librosa_defaults(fs: int, seconds: float) -> None:
    x = words(seconds, fs)
    mels = librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=fs)).T
    np.testing.assert_allclose(log_mel(x, fs, like="librosa"), mels, rtol=0, atol=1e-4)
    cepstra = librosa.feature.mfcc(y=x, sr=fs).T
    np.testing.assert_allclose(mfcc(x, fs, like="librosa"), cepstra, rtol=1e-6, atol=1e-4)


def test_librosa_where_float32_would_not_do() -> None:
    t = np.arange(16000) / 16000
    for quiet in (1e-3, 1e-5, 0.0):
        x = (0.5 * np.sin(2 * np.pi * 440 * t) + quiet * words(1, 16000)).astype(np.float32)
        expected = librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=16000)).T
        np.testing.assert_allclose(log_mel(x, 16000, like="librosa"), expected, rtol=0, atol=1e-4)


def test_librosa_with_other_numbers() -> None:
    x, fs = words(1, 16000), 16000
    expected = librosa.feature.mfcc(
        y=x, sr=fs, n_mfcc=15, n_fft=512, win_length=400, hop_length=160, n_mels=30, fmin=100, fmax=7000, lifter=20
    )
    got = mfcc(
        x, fs, like="librosa", n_mfcc=15, n_mels=30, window_s=0.025, hop_s=0.010, low_hz=100, high_hz=7000, lifter=20
    )
    np.testing.assert_allclose(got, expected.T, rtol=1e-6, atol=5e-4)


def test_a_filter_without_a_frequency_is_told_in_librosas_set_and_refused_elsewhere() -> None:
    x = words(0.5, 8000)
    with pytest.warns(BiosigWarning, match=r"2000 mel filters .* filter \d+ holds no frequency"):
        got = log_mel(x, 8000, like="librosa", n_mels=2000)
    with pytest.warns(UserWarning, match="Empty filters"):
        expected = librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=8000, n_mels=2000)).T
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4)
    with pytest.raises(ParameterError, match=r"200 mel filters .* too many for transforms of 256 samples at 8000 Hz"):
        log_mel(x, 8000, n_mels=200)


@pytest.mark.parametrize("fs", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("energy", [False, True])
def test_kaldi(fs: int, energy: bool) -> None:
    x = words(1.2, fs)
    np.testing.assert_allclose(
        log_mel(x, fs, like="kaldi", energy=energy), by_kaldi(x, fs, energy=energy), rtol=0, atol=1e-4
    )
    np.testing.assert_allclose(
        log_mel(x, fs, like="kaldi", energy=energy, n_mels=40),
        by_kaldi(x, fs, energy=energy, n_mels=40),
        rtol=0,
        atol=1e-4,
    )
    got = mfcc(x, fs, like="kaldi", energy=energy)
    np.testing.assert_allclose(got, by_kaldi(x, fs, cepstra=True, energy=energy), rtol=0, atol=1e-4)


@pytest.mark.parametrize(("noise_db", "error"), [(-40, 1e-4), (-60, 1e-4), (-90, 5e-3)])
def test_kaldi_beside_loud_tones_is_as_exact_as_its_float32(noise_db: float, error: float) -> None:
    t, noise = np.arange(32000) / 16000, np.random.default_rng(0).standard_normal(32000)
    x = (0.5 * np.sin(2 * np.pi * 440 * t) + 0.5 * 10 ** (noise_db / 20) * noise).astype(np.float32)
    np.testing.assert_allclose(log_mel(x, 16000, like="kaldi"), by_kaldi(x, 16000), rtol=0, atol=error)


def test_kaldi_of_real_speech(data_root: Callable[[str], Path]) -> None:
    apart = []
    for path in sorted(data_root("fsdd").glob("*.wav"))[::200] + sorted(data_root("yesno").glob("*.wav"))[:3]:
        recording = bl.read_audio(path)
        x, fs = recording.signals[0], int(recording.fs)
        np.testing.assert_allclose(log_mel(x, fs, like="kaldi"), by_kaldi(x, fs), rtol=0, atol=1e-4)
        apart.append(np.abs(mfcc(x, fs, like="kaldi") - by_kaldi(x, fs, cepstra=True, energy=True)))
        mels = librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=fs)).T
        np.testing.assert_allclose(log_mel(x, fs, like="librosa"), mels, rtol=0, atol=1e-4)
        np.testing.assert_allclose(log_mel(x, fs), by_formula(x, fs), rtol=0, atol=5e-4)  # in float32
    cepstra = np.concatenate(apart)
    assert (cepstra <= 1e-4).mean() > 0.999
    assert cepstra.max() < 2e-4  # what Kaldi rounds to float32 in quiet bands, times a lifter of up to 12


@pytest.mark.parametrize("n_fft", [8, 16, 32, 128, 512, 2048])
@pytest.mark.parametrize(
    ("dtype", "lanes", "error"), [(np.float32, 16, 1e-6), (np.float32, 4, 1e-6), (np.float64, 8, 1e-14)]
)
def test_transforms_side_by_side_are_scipys(n_fft: int, dtype: Any, lanes: int, error: float) -> None:
    rng = np.random.default_rng(n_fft)
    half = n_fft // 2
    z = rng.standard_normal((half, lanes)) + 1j * rng.standard_normal((half, lanes))
    room = np.zeros((4, half * lanes), dtype=dtype)
    room[0], room[1] = z.real.ravel(), z.imag.ravel()
    at = transform(room[0], room[1], room[2], room[3], turns(n_fft, dtype)[0], half, (0,) * lanes)
    got = (room[at] + 1j * room[at + 1]).reshape(half, lanes)
    np.testing.assert_allclose(got, fft.fft(z, axis=0), rtol=0, atol=error * half)


# The rules of frames


@pytest.mark.parametrize("n_samples", [1, 80, 199, 200, 279, 280, 1000])
def test_how_many_frames(n_samples: int) -> None:
    x = words(1, 8000)[:n_samples]
    complete = max(1 + (n_samples - 200) // 80, 0)
    assert len(log_mel(x, 8000)) == max(complete, 1)
    assert len(log_mel(x, 8000, like="kaldi")) == complete
    assert len(log_mel(x, 8000, like="librosa")) == 1 + n_samples // 512


def test_ten_milliseconds_are_padded_or_refused() -> None:
    x = words(1, 16000)[:160]
    np.testing.assert_array_equal(log_mel(x, 16000), log_mel(np.pad(x, (0, 240)), 16000))
    with pytest.warns(BiosigWarning, match=r"r: 0.01 s of sound are less than one frame of 0.025 s, and padded"):
        assert len(LogMel()(windows_of(x, 16000)).values) == 1
    with pytest.raises(DataError, match=r"r: 0.01 s of sound are shorter than one frame of 0.025 s.*like='speech'"):
        LogMel("kaldi")(windows_of(x, 16000))


def test_silence_has_a_floor() -> None:
    x = np.zeros(8000)
    np.testing.assert_array_equal(log_mel(x, 8000), np.full((98, 40), np.log(1e-8), np.float32))
    np.testing.assert_array_equal(log_mel(x, 8000, like="librosa"), np.full((16, 128), -100, np.float32))
    np.testing.assert_array_equal(log_mel(x, 8000, like="kaldi", energy=True), by_kaldi(x, 8000, energy=True))
    assert np.isfinite(mfcc(x, 8000)).all()
    for step in (LogMel(), LogMel("kaldi"), LogMel("librosa"), MFCC(), MFCC("librosa")):
        made = NormalizeUtterance()(Deltas()(step(windows_of(x, 8000))))
        np.testing.assert_array_equal(made.values, 0)


def test_loud_low_frequencies_and_offsets_do_no_harm() -> None:
    x = words(1, 16000)
    np.testing.assert_allclose(log_mel(x + np.float32(0.5), 16000), log_mel(x, 16000), rtol=0, atol=0.05)
    assert np.isfinite(log_mel(np.sign(x), 16000)).all()


@each_rate
def test_energy_is_that_of_the_frame(fs: int) -> None:
    x = words(0.5, fs)
    width, hop = int(0.025 * fs), int(0.010 * fs)
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), width)[::hop]
    expected = np.log(np.maximum(frames.var(axis=1) * width, 1e-8))
    with_energy = log_mel(x, fs, energy=True)
    np.testing.assert_allclose(with_energy[:, 0], expected, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(with_energy[:, 1:], log_mel(x, fs))
    cepstra = mfcc(x, fs, energy=True)
    np.testing.assert_array_equal(cepstra[:, 0], with_energy[:, 0])
    np.testing.assert_array_equal(cepstra[:, 1:], mfcc(x, fs)[:, 1:])


BAD_ARGUMENTS: list[tuple[dict[str, Any], str]] = [
    ({"like": "libroso"}, r"no such set of settings: 'libroso'; did you mean 'librosa'\?"),
    ({"n_mels": 0}, "n_mels must be at least 1, got 0"),
    ({"window_s": 0.0}, "window_s must be positive"),
    ({"hop_s": -0.01}, "hop_s must be positive"),
    ({"window_s": 1e-7}, "too short"),
    ({"low_hz": 5000.0, "high_hz": 4000.0}, "low_hz and high_hz must ascend"),
    ({"like": "librosa", "energy": True}, "librosa's set has no energy of frames"),
]


@pytest.mark.parametrize(("arguments", "message"), BAD_ARGUMENTS)
def test_bad_arguments_are_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    for make in (LogMel, MFCC, lambda **given: log_mel(np.ones(100), 16000, **given)):
        with pytest.raises(ParameterError, match=message):
            make(**arguments)


def test_bad_cepstra_and_rates_are_refused() -> None:
    with pytest.raises(ParameterError, match="n_mfcc must lie between 1 and n_mels, 40, got 41"):
        MFCC(n_mfcc=41)
    with pytest.raises(ParameterError, match="lifter must be 0 or more"):
        MFCC(lifter=-1.0)
    with pytest.raises(ParameterError, match=r"half the rate, 4000 Hz, got 20 and 5000"):
        log_mel(np.ones(1000), 8000, high_hz=5000)
    with pytest.raises(ParameterError, match="fs must be a positive number"):
        log_mel(np.ones(1000), 0)


def test_bad_sound_is_refused() -> None:
    for make in (log_mel, mfcc):
        with pytest.raises(DataError, match=r"sound must be \(samples,\), one at least, got shape \(2, 100\)"):
            make(np.ones((2, 100)), 8000)
        with pytest.raises(DataError, match=r"got shape \(0,\)"):
            make(np.ones(0), 8000)
        with pytest.raises(DataError, match="sound holds NaN or infinity, first at sample 7"):
            make(np.where(np.arange(100) == 7, np.nan, 0.0), 8000)


def test_an_hour_needs_little_more_than_its_frames() -> None:
    import tracemalloc

    x = np.tile(words(60, 8000), 60)
    log_mel(x[:8000], 8000)
    tracemalloc.start()
    frames = log_mel(x, 8000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert frames.shape == (359998, 40)
    assert peak < frames.nbytes + 2 * x.nbytes + 8e6
    np.testing.assert_array_equal(frames[:100], log_mel(x[:8200], 8000)[:100])


# Steps

STEPS = [
    LogMel(),
    LogMel(energy=True),
    LogMel("kaldi"),
    LogMel("librosa", n_mels=40),
    MFCC(),
    MFCC("kaldi"),
    MFCC("librosa"),
    Deltas(),
    Deltas(order=1, like="librosa"),
    NormalizeUtterance(),
    NormalizeUtterance(variance=False),
    QuietFloor(),
]
each_step = pytest.mark.parametrize("step", STEPS, ids=repr)
SAMPLES = (LogMel, MFCC)


def items(step: Any, *, fs: int = 8000) -> Windows:
    """Return items of several lengths that the step reads: of sound, or of frames."""
    sounds = [windows_of(words(s, fs, seed=k), fs, name=f"r{k}") for k, s in enumerate((0.9, 1.6, 0.7))]
    together = Windows.concatenate(sounds)
    return together if isinstance(step, SAMPLES) else LogMel()(together)


def test_speech_steps_are_all_here() -> None:
    spoken = {type(step).__name__ for step in STEPS}
    assert spoken <= set(features.steps())
    assert spoken == {"LogMel", "MFCC", "Deltas", "NormalizeUtterance", "QuietFloor"}


@each_step
def test_input_is_unchanged_and_the_answer_repeats(step: Any) -> None:
    given_windows = items(step)
    before = given_windows.values.copy()
    first, second = step(given_windows), step(given_windows)
    np.testing.assert_array_equal(given_windows.values, before)
    assert first == second
    assert first.values.dtype == np.float32
    assert len(set(first.columns)) == len(first.columns) == first.values.shape[1]


@each_step
def test_items_do_not_know_each_other(step: Any) -> None:
    together = items(step)
    apart = Windows.concatenate([step(together.select([k])) for k in range(len(together))])
    np.testing.assert_allclose(step(together).values, apart.values, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(step(together).offsets, apart.offsets)


@each_step
def test_what_is_not_a_value_stays_and_none_gives_none(step: Any) -> None:
    given_windows = items(step)
    made = step(given_windows)
    for name in ("subjects", "recordings", "starts", "fs"):
        np.testing.assert_array_equal(getattr(made, name), getattr(given_windows, name))
    nothing = step(given_windows.select(np.zeros(0, dtype=np.int64)))
    assert (len(nothing), nothing.columns) == (0, made.columns)


@each_step
def test_reads_back_from_its_dictionary(step: Any) -> None:
    values = json.loads(json.dumps(step.to_dict()))
    kind = features.steps()[values.pop("step")]
    assert kind.from_fields(values) == step
    assert step.kind == "feature"


def test_frames_have_a_rate_names_and_the_functions_values() -> None:
    given_windows = items(LogMel(), fs=16000)
    made = LogMel(energy=True)(given_windows)
    assert made.rate_hz == 100
    assert made.columns == ("log_energy", *(f"mel_{k}" for k in range(40)))
    np.testing.assert_array_equal(made.item(1), log_mel(given_windows.item(1)[:, 0], 16000, energy=True))
    assert MFCC("kaldi")(given_windows).columns == ("log_energy", *(f"mfcc_{k}" for k in range(1, 13)))
    np.testing.assert_array_equal(MFCC()(given_windows).item(0), mfcc(given_windows.item(0)[:, 0], 16000))
    assert LogMel("librosa")(given_windows).rate_hz == 31.25


def test_labels_of_items_stay_and_those_of_steps_are_of_the_middle() -> None:
    marks = Annotations([0, 4000], [4000, 8000], ["a", "b"])
    sound = Recording(words(1, 8000)[None], 8000, ["sound"], ["FS"], id="r", annotations=marks)
    cut = FixedLength(0.5, classes=("a", "b"))(sound)
    np.testing.assert_array_equal(LogMel()(cut).y, [0, 1])
    each = replace(windows_of(sound.signals, 8000), y=np.arange(8000) // 4000, classes=("a", "b"), step_labels=True)
    made = LogMel()(each)
    middles = 100 + 80 * np.arange(98)
    np.testing.assert_array_equal(made.y, middles // 4000)
    np.testing.assert_array_equal(made.step_samples(), 80 * np.arange(98))


def test_steps_need_samples_of_one_channel() -> None:
    stereo = Recording(np.zeros((2, 8000)), 8000, ["left", "right"], ["FS"] * 2, id="r")
    with pytest.raises(DataError, match=r"one channel, got left, right; mix them down \(Mono\)"):
        LogMel()(WholeRecording()(stereo))
    assert LogMel()(WholeRecording()(bl.Mono()(stereo))).values.shape == (98, 40)
    with pytest.raises(DataError, match="items whose steps are samples"):
        MFCC()(Epochs(0.5)(bl.Mono()(stereo)))


# Slopes and normalisation


def by_kaldi_deltas(x: Array, order: int) -> Array:
    """Return slopes as Kaldi's DeltaFeatures makes them (feature-functions.cc), frame by frame."""
    scales = np.ones(1)
    for _ in range(order):
        wider = np.zeros(len(scales) + 4)
        for j in range(-2, 3):
            wider[j + 2 : j + 2 + len(scales)] += j * scales
        scales = wider / 10
    half = len(scales) // 2
    return np.array(
        [sum(scale * x[min(max(t + k - half, 0), len(x) - 1)] for k, scale in enumerate(scales)) for t in range(len(x))]
    )


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("n_frames", [1, 2, 5, 40])
def test_slopes_are_kaldis(order: int, n_frames: int) -> None:
    x = np.random.default_rng(n_frames).standard_normal((n_frames, 3)).astype(np.float32)
    np.testing.assert_allclose(deltas(x, order=order), by_kaldi_deltas(x, order), rtol=0, atol=1e-6)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("width", [5, 9, 11])
def test_slopes_are_librosas(order: int, width: int) -> None:
    x = np.random.default_rng(0).standard_normal((30, 3)).astype(np.float32)
    expected = librosa.feature.delta(x.T, width=width, order=order).T
    np.testing.assert_allclose(deltas(x, order=order, width=width, like="librosa"), expected, rtol=0, atol=1e-6)


def test_slopes_of_too_little_are_refused() -> None:
    with pytest.raises(DataError, match="8 frames are fewer than the 9"):
        deltas(np.zeros((8, 2)), like="librosa")
    with pytest.raises(DataError, match=r"\(frames, columns\), got shape \(8,\)"):
        deltas(np.zeros(8))
    for bad in ({"width": 4}, {"width": 1}, {"order": 0}, {"order": 5}):
        with pytest.raises(ParameterError, match="slopes need an odd width"):
            Deltas(**bad)
    with pytest.raises(ParameterError, match="no such way of slopes: 'htk'"):
        Deltas(like="htk")  # type: ignore[arg-type]


def test_utterances_have_mean_zero_and_deviation_one() -> None:
    made = NormalizeUtterance()(items(NormalizeUtterance()))
    for k in range(len(made)):
        np.testing.assert_allclose(made.item(k).mean(axis=0), 0, rtol=0, atol=1e-5)
        np.testing.assert_allclose(made.item(k).std(axis=0), 1, rtol=0, atol=1e-4)
    means = NormalizeUtterance(variance=False)(items(NormalizeUtterance()))
    original = items(NormalizeUtterance()).item(1)
    np.testing.assert_allclose(means.item(1), original - original.mean(axis=0), rtol=0, atol=1e-5)


def test_speakers_have_mean_zero_and_deviation_one() -> None:
    parts = [windows_of(words(0.8, 8000, seed=k), 8000, name=f"r{k}", subject=f"s{k % 2}") for k in range(5)]
    made = normalize_speaker(LogMel()(Windows.concatenate(parts)))
    for subject in ("s0", "s1"):
        frames = made.select(np.flatnonzero(made.subjects == subject)).values
        np.testing.assert_allclose(frames.mean(axis=0), 0, rtol=0, atol=1e-5)
        np.testing.assert_allclose(frames.std(axis=0), 1, rtol=0, atol=1e-4)
    assert np.abs(made.item(0).mean(axis=0)).max() > 1e-3
