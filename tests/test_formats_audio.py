"""Sound files: what the tests write with the standard library and soundfile comes back, and what is wrong is told."""

from __future__ import annotations

import pickle
import struct
import warnings
import wave
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.formats import find_recordings, list_channels, open_recording
from biosig_lstm.formats.audio import AudioFile, open_audio, read_audio, write_audio

Array = np.ndarray[Any, Any]


def sound(seconds: float = 1.0, *, fs: int = 8000, channels: int = 1, seed: int = 0) -> Array:
    """Return noise of (samples, channels) below full scale."""
    rng = np.random.default_rng(seed)
    return 0.9 * rng.uniform(-1, 1, (round(seconds * fs), channels))


def put(path: Path, values: Array, *, fs: int = 8000, **how: Any) -> Path:
    soundfile.write(path, values, fs, **how)
    return path


def put_by_wave(path: Path, numbers: Array, *, width: int, fs: int = 8000) -> Path:
    """Write whole numbers with the standard library, which knows nothing of libsndfile."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(fs)
        file.writeframes(b"".join(int(n).to_bytes(width, "little", signed=width > 1) for n in numbers))
    return path


@pytest.mark.parametrize("bits", [8, 16, 24, 32])
def test_whole_numbers_are_parts_of_full_scale(tmp_path: Path, bits: int) -> None:
    full = 1 << (bits - 1)
    numbers = np.array([0, 1, -1, full // 2, -full // 3, full - 1, -full])
    path = put_by_wave(tmp_path / "a.wav", numbers + (128 if bits == 8 else 0), width=bits // 8)
    got = read_audio(path)
    assert (got.fs, got.channels, got.units, got.id) == (8000.0, ("sound",), ("FS",), "a")
    assert got.signals.dtype == np.float32
    np.testing.assert_allclose(got.signals[0], numbers / full, rtol=2**-24, atol=0)


@pytest.mark.parametrize(("subtype", "dtype"), [("FLOAT", np.float32), ("DOUBLE", np.float64)])
def test_floating_point_comes_as_it_is(tmp_path: Path, subtype: str, dtype: Any) -> None:
    values = np.array([0.0, 1.5, -1.25, 1e-9, 0.3], dtype=dtype)
    got = read_audio(put(tmp_path / "a.wav", values, subtype=subtype))
    np.testing.assert_array_equal(got.signals[0], values.astype(np.float32))


KINDS = [
    ("a.wav", {}, 1 / 32768),
    ("a.flac", {"subtype": "PCM_24"}, 2**-23),
    ("a.flac", {"subtype": "PCM_16"}, 1 / 32768),
    ("a.aiff", {}, 1 / 32768),
    ("a.au", {}, 1 / 32768),
    ("a.w64", {}, 1 / 32768),
    ("a.sph", {"format": "NIST", "subtype": "PCM_16"}, 1 / 32768),
    ("a.wav", {"subtype": "ULAW"}, 0.02),
    ("a.wav", {"subtype": "ALAW"}, 0.02),
]


@pytest.mark.parametrize(("name", "how", "step"), KINDS, ids=str)
def test_formats_without_loss_come_back_to_a_step(tmp_path: Path, name: str, how: dict[str, Any], step: float) -> None:
    values = sound()
    got = open_recording(put(tmp_path / name, values, **how))
    np.testing.assert_allclose(got.signals, values.T, rtol=0, atol=step)


@pytest.mark.parametrize(
    ("name", "how"),
    [("a.ogg", {"subtype": "VORBIS"}), ("a.opus", {"format": "OGG", "subtype": "OPUS"}), ("a.mp3", {"format": "MP3"})],
)
def test_formats_with_loss_keep_rate_length_and_tone(tmp_path: Path, name: str, how: dict[str, Any]) -> None:
    fs = 16000
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * fs) / fs)
    got = open_recording(put(tmp_path / name, tone, fs=fs, **how))
    assert (got.fs, got.n_samples) == (fs, 2 * fs)
    middle = got.signals[0, fs // 2 : -fs // 2]
    assert np.corrcoef(middle, tone[fs // 2 : -fs // 2])[0, 1] > 0.999


@pytest.mark.parametrize("fs", [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000])
def test_rates(tmp_path: Path, fs: int) -> None:
    got = read_audio(put(tmp_path / "a.wav", sound(0.05, fs=fs), fs=fs))
    assert (got.fs, got.duration_s) == (fs, pytest.approx(0.05, abs=1 / fs))


def test_channels_have_names(tmp_path: Path) -> None:
    values = sound(channels=2)
    path = put(tmp_path / "a.wav", values)
    both = read_audio(path)
    assert (both.channels, both.units) == (("left", "right"), ("FS", "FS"))
    np.testing.assert_allclose(both.signals, values.T, rtol=0, atol=1 / 32768)
    np.testing.assert_array_equal(read_audio(path, ["right"]).signals, both.signals[1:])
    np.testing.assert_array_equal(read_audio(path, ["right", "left"]).signals, both.signals[::-1])
    assert [channel.name for channel in list_channels(path)] == ["left", "right"]
    assert {(channel.unit, channel.rate_hz) for channel in list_channels(path)} == {("FS", 8000.0)}
    many = read_audio(put(tmp_path / "b.wav", sound(channels=5)))
    assert many.channels == tuple(f"channel {k}" for k in (1, 2, 3, 4, 5))
    with pytest.raises(DataError, match=r"a.wav: channel 'lef'; did you mean 'left'\? possible: left, right"):
        read_audio(path, ["lef"])


def test_stretches_are_those_of_the_whole(tmp_path: Path) -> None:
    path = put(tmp_path / "a.flac", sound(3, channels=2))
    whole, part = read_audio(path), read_audio(path, start_s=0.5, stop_s=2.25)
    np.testing.assert_array_equal(part.signals, whole.signals[:, 4000:18000])
    assert part.history == ("read 0.5-2.25 s",)
    assert whole.history == ()
    for start_s, stop_s in ((2.0, 1.0), (-1.0, 1.0), (0.0, 3.1), (1.0, 1.0)):
        with pytest.raises(DataError, match=r"no stretch from .* it holds 0 to 3 s"):
            read_audio(path, start_s=start_s, stop_s=stop_s)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3"])
def test_stretches_of_every_codec_are_those_of_the_whole(tmp_path: Path, name: str) -> None:
    fs = 16000
    tone = 0.5 * np.sin(2 * np.pi * 300 * np.arange(8 * fs) / fs)
    file = open_audio(put(tmp_path / name, tone, fs=fs))
    whole = file.read().signals
    for start_s, stop_s in ((0.0, 1.0), (0.4, 2.0), (5.0001, 7.5)):
        part = file.read(start_s=start_s, stop_s=stop_s).signals
        expected = whole[:, round(start_s * fs) : round(stop_s * fs)]
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-6)


def test_blocks_of_mp3_have_no_seams(tmp_path: Path) -> None:
    fs = 16000
    file = open_audio(put(tmp_path / "a.mp3", sound(8, fs=fs)[:, 0], fs=fs))
    parts = [block.signals for block in file.blocks(block_s=0.7)]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), file.read().signals)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    n_samples=st.integers(1, 700),
    block=st.integers(5, 900),
    again=st.integers(0, 899),
    channels=st.integers(1, 2),
)
def test_blocks_cover_the_whole(tmp_path: Path, n_samples: int, block: int, again: int, channels: int) -> None:
    again = min(again, block - 5)
    path = put(tmp_path / "a.wav", sound(n_samples / 8000, channels=channels))
    file = AudioFile(path)
    parts = list(file.blocks(block_s=block / 8000, overlap_s=again / 8000))
    assert all(part.n_samples <= block for part in parts)
    fresh = [part.signals[:, again if k else 0 :] for k, part in enumerate(parts)]
    np.testing.assert_array_equal(np.concatenate(fresh, axis=1), file.read().signals)
    for before, after in pairwise(parts):
        np.testing.assert_array_equal(after.signals[:, :again], before.signals[:, before.n_samples - again :])


def test_blocks_of_no_length_are_refused(tmp_path: Path) -> None:
    file = AudioFile(put(tmp_path / "a.wav", sound()))
    for block_s, overlap_s in ((0.0, 0.0), (1.0, 1.0), (1.0, -0.1), (np.inf, 0.0)):
        with pytest.raises(ParameterError, match="0 <= overlap_s < block_s"):
            file.blocks(block_s=block_s, overlap_s=overlap_s)


def test_an_hour_is_read_in_the_memory_of_a_block(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "hour.wav"
    minute = (sound(60, fs=8000) * 32767).astype(np.int16)
    with soundfile.SoundFile(path, "w", 8000, 1) as file:
        for _ in range(60):
            file.write(minute)
    tracemalloc.start()
    read = sum(block.n_samples for block in open_audio(path).blocks(block_s=10))
    last = read_audio(path, start_s=3599.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert read == 3600 * 8000
    np.testing.assert_array_equal(last.signals[0] * 32768, minute[-4000:, 0])
    assert peak < 20e6


def test_opened_file_tells_what_it_holds_and_travels(tmp_path: Path) -> None:
    file = open_audio(put(tmp_path / "a.flac", sound(0.5, channels=2), subtype="PCM_24"))
    assert repr(file) == "AudioFile('a.flac': FLAC PCM_24, left, right; 0.5 s at 8000 Hz)"
    assert pickle.loads(pickle.dumps(file)).read() == file.read()


def test_folders_are_searched(tmp_path: Path) -> None:
    paths = [put(tmp_path / name, sound()) for name in ("b.flac", "A.WAV", "c.ogg")]
    (tmp_path / "deep").mkdir()
    paths.append(put(tmp_path / "deep" / "d.mp3", sound()))
    (tmp_path / "notes.txt").write_text("hello")
    assert set(find_recordings(tmp_path)) == set(paths)
    put(tmp_path / "r.wav", sound())
    (tmp_path / "r.hea").write_text("r 1 8000 8000\nr.dat 16 32768/FS 16 0 0 0 0 sound\n")
    assert tmp_path / "r.wav" not in find_recordings(tmp_path)
    assert tmp_path / "r.hea" in find_recordings(tmp_path)


# What is wrong, and what is suspicious


def test_silence_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", np.zeros(800))
    with pytest.warns(BiosigWarning, match="a.wav: channel 'sound' is silent: every sample is 0"):
        assert not read_audio(path).signals.any()
    with pytest.warns(BiosigWarning, match="channel 'right' is silent"):
        read_audio(put(tmp_path / "b.wav", np.concatenate([sound(), np.zeros((8000, 1))], axis=1)))


def test_clipping_is_told(tmp_path: Path) -> None:
    tone = np.sin(2 * np.pi * 100 * np.arange(8000) / 8000)
    with pytest.warns(BiosigWarning, match=r"a.wav: channel 'sound' is clipped: 68 % of its samples"):
        read_audio(put(tmp_path / "a.wav", np.clip(2 * tone, -1, 1)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_audio(put(tmp_path / "b.wav", tone))


def test_floating_point_in_another_unit_is_told(tmp_path: Path) -> None:
    with pytest.warns(BiosigWarning, match=r"reaches 20000 times full scale: .* another unit\?"):
        read_audio(put(tmp_path / "a.wav", np.array([0.0, 20000.0, -3.0]), subtype="FLOAT"))


def test_nan_is_told_and_kept_and_infinity_refused(tmp_path: Path) -> None:
    values = sound()[:, 0]
    values[400:410] = np.nan
    path = put(tmp_path / "a.wav", values, subtype="FLOAT")
    with pytest.warns(BiosigWarning, match=r"channel 'sound' holds 10 NaN, first at 0.05 s"):
        got = read_audio(path)
    assert np.isnan(got.signals[0, 400:410]).all()
    values[500] = np.inf
    with pytest.raises(DataError, match=r"b.wav: holds infinite values, first at 0.0625 s"):
        read_audio(put(tmp_path / "b.wav", values, subtype="FLOAT"))


def test_ten_milliseconds(tmp_path: Path) -> None:
    got = read_audio(put(tmp_path / "a.wav", sound(0.01)))
    assert got.n_samples == 80


def test_empty_files(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(DataError, match=r"a.wav: the file is empty"):
        open_recording(tmp_path / "a.wav")
    with pytest.raises(DataError, match=r"b.wav: holds no samples \(WAV PCM_16\)"):
        open_recording(put(tmp_path / "b.wav", np.zeros(0)))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.mp3", "a.aiff"])
@pytest.mark.parametrize("kept", [3, 11, 20])
def test_truncated_headers_are_refused(tmp_path: Path, name: str, kept: int) -> None:
    path = put(tmp_path / name, sound())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DataError, match=rf"{name}: (not sound that can be read|holds no samples)"):
        open_recording(path)


def test_unknown_codec_and_other_content(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", sound())
    raw = path.read_bytes()
    for tag, codec in ((0x0161, r"0x0161 \(Windows Media Audio\)"), (0x4321, "0x4321")):
        path.write_bytes(raw[:20] + struct.pack("<H", tag) + raw[22:])
        with pytest.raises(DataError, match=rf"a.wav: not sound that can be read: its codec, {codec}, is not known"):
            open_recording(path)
    (tmp_path / "b.mp3").write_text("this is a text, not a sound" * 50)
    with pytest.raises(DataError, match=r"b.mp3: not sound that can be read"):
        open_recording(tmp_path / "b.mp3")
    with pytest.raises(DataError, match=r"no.wav: no such file"):
        open_audio(tmp_path / "no.wav")


def test_samples_that_were_cut_off_are_told(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", sound(2))
    whole = read_audio(path).signals
    path.write_bytes(path.read_bytes()[:-16000])
    with pytest.warns(BiosigWarning, match=r"a.wav: ends early, 1 s before its header says"):
        part = open_recording(path)
    np.testing.assert_array_equal(part.signals, whole[:, :8000])


def test_wav_of_unknown_length_is_no_damage(tmp_path: Path) -> None:
    path = put(tmp_path / "a.wav", sound())
    raw = bytearray(path.read_bytes())
    raw[40:44] = b"\xff\xff\xff\xff"  # as written by what streams
    path.write_bytes(bytes(raw))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_recording(path).n_samples == 8000


def test_flac_that_was_cut_off_is_damaged(tmp_path: Path) -> None:
    path = put(tmp_path / "a.flac", sound(4))
    path.write_bytes(path.read_bytes()[:-20000])
    with pytest.raises(DataError, match=r"a.flac: (damaged: \d+ of 32000 samples cannot be decoded|not sound)"):
        open_recording(path)


# Writing


@pytest.mark.parametrize(("name", "subtype", "step"), [("a.wav", None, 1 / 32768), ("a.flac", "PCM_24", 2**-23)])
def test_written_sound_comes_back(tmp_path: Path, name: str, subtype: str | None, step: float) -> None:
    original = Recording(sound(channels=2).T, 8000, ["left", "right"], ["FS", "FS"], id="a")
    back = read_audio(write_audio(original, tmp_path / name, subtype=subtype))
    assert (back.channels, back.fs) == (original.channels, original.fs)
    np.testing.assert_allclose(back.signals, original.signals, rtol=0, atol=step)


def test_written_as_opus_ogg_and_mp3(tmp_path: Path) -> None:
    original = Recording(sound().T, 8000, ["sound"], ["FS"], id="a")
    codecs = {AudioFile(write_audio(original, tmp_path / name)).codec for name in ("a.ogg", "a.opus", "a.mp3")}
    assert codecs == {"OGG VORBIS", "OGG OPUS", "MP3 MPEG_LAYER_III"}


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    original = Recording(sound().T, 8000, ["sound"], ["FS"], id="a")
    with pytest.raises(ParameterError, match=r"a.wma: extension '.wma'; .*possible: .*\.wav"):
        write_audio(original, tmp_path / "a.wma")
    with pytest.raises(ParameterError, match=r"FLAC has no subtype 'FLOAT';.* possible: PCM_16, PCM_24, PCM_S8"):
        write_audio(original, tmp_path / "a.flac", subtype="FLOAT")
    with pytest.raises(DataError, match="finite values in FS at a whole number of Hz"):
        write_audio(Recording(sound().T, 8000, ["I"], ["mV"]), tmp_path / "a.wav")
    with pytest.raises(DataError, match=r"cannot be written as OGG OPUS"):
        write_audio(Recording(sound().T, 11025, ["sound"], ["FS"]), tmp_path / "a.opus")


def test_real_files(data_root: Callable[[str], Path]) -> None:
    for name, count in (("fsdd", 100), ("yesno", 20)):
        paths = find_recordings(data_root(name))
        assert len(paths) > count
        for path in paths[:: len(paths) // 10]:
            values, fs = soundfile.read(path)
            got = open_recording(path)
            assert (got.fs, got.channels) == (fs, ("sound",))
            np.testing.assert_allclose(got.signals[0], values, rtol=0, atol=1e-7)


def test_minutes_of_vorbis_are_written(tmp_path: Path) -> None:
    long = Recording(sound(64.0, fs=48_000, channels=2).T, 48_000, ["left", "right"], ["FS"] * 2)
    assert open_audio(write_audio(long, tmp_path / "long.ogg")).n_samples == long.n_samples
