"""Features of an hour of sound beside librosa, kaldi-native-fbank, python_speech_features and torch, in the same run.

`OMP_NUM_THREADS=1 python tests/benchmarks/bench_speech_features.py [--data FSDD] [--minutes 60] [--rounds 3]`, every
peer on one core; times are those of the processor, so that what else runs on the machine counts less.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("OMP_NUM_THREADS", "1")

import kaldi_native_fbank
import librosa
import python_speech_features
import torch
from scipy import fft

import biosig_lstm as bl
from biosig_lstm.features._mel import cosines, mel_filters
from biosig_lstm.features._speech_settings import settings

FS = 16_000
Peers = dict[str, Callable[[], Any]]


def sound(data: Path | None, minutes: float) -> Any:
    """Return spoken digits one after the other, at 16 kHz, again and again; noise where there are none."""
    n_samples = round(minutes * 60 * FS)
    if data is None:
        return (0.1 * np.random.default_rng(0).standard_normal(n_samples)).astype(np.float32)
    words = [bl.ResampleSound(FS)(bl.read_audio(path)).signals[0] for path in sorted(data.glob("*.wav"))[::4]]
    return np.resize(np.concatenate(words), n_samples)


def times_ms(peers: Peers, rounds: int) -> dict[str, tuple[float, float]]:
    """Return each peer's median and least time; the peers take turns, so that all meet the same load."""
    times: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(rounds):
        for name, work in peers.items():
            start = time.process_time()
            work()
            times[name].append(1e3 * (time.process_time() - start))
    return {name: (float(np.median(taken)), min(taken)) for name, taken in times.items()}


def by_kaldi(x: Any, *, cepstra: bool, n_mels: int, piece: int | None = None, fs: float = FS) -> Any:
    wanted = kaldi_native_fbank.MfccOptions() if cepstra else kaldi_native_fbank.FbankOptions()
    wanted.frame_opts.dither, wanted.frame_opts.samp_freq, wanted.mel_opts.num_bins = 0, fs, n_mels
    online = (kaldi_native_fbank.OnlineMfcc if cepstra else kaldi_native_fbank.OnlineFbank)(wanted)
    scaled = x * np.float32(32768)
    for first in range(0, len(x), piece or len(x)):
        online.accept_waveform(fs, scaled[first : first + (piece or len(x))])
    online.input_finished()
    return np.stack([online.get_frame(k) for k in range(online.num_frames_ready)])


def by_torch(x: Any) -> Any:
    """Return the default MFCC by torch.stft and products of matrices."""
    made = settings(FS)
    window = torch.hann_window(made.width)
    spectrum = torch.stft(torch.from_numpy(x), 512, 160, made.width, window, center=False, return_complex=True)
    power = spectrum.abs() ** 2
    mels = torch.from_numpy(mel_filters(made).astype(np.float32)) @ power
    logs = torch.log(torch.clamp(mels, min=1e-8))
    return logs.T @ torch.from_numpy(cosines(40, 13, 22.0, 0).astype(np.float32))


def by_psf(x: Any) -> Any:
    return python_speech_features.mfcc(x, FS, nfft=512, nfilt=40, numcep=13, appendEnergy=False)


def by_librosa(x: Any) -> Any:
    return librosa.feature.mfcc(y=x, sr=FS, n_mfcc=13, n_fft=512, win_length=400, hop_length=160, n_mels=40)


def in_steps(x: Any, fs: float, dtype: Any) -> Any:
    """Return Kaldi's coefficients but the first, step by step with scipy.fft, computed in `dtype`."""
    made = settings(fs, like="kaldi")
    k = np.arange(made.width)
    taper = ((0.5 - 0.5 * np.cos(2 * np.pi * k / (made.width - 1))) ** 0.85).astype(dtype)
    frames = np.lib.stride_tricks.sliding_window_view(x.astype(dtype) * dtype(32768), made.width)[:: made.hop]
    frames = frames - frames.mean(axis=1, keepdims=True, dtype=dtype)
    frames = (frames - dtype(0.97) * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)) * taper
    powers = np.abs(fft.rfft(frames, made.n_fft, axis=1)) ** 2
    logs = np.log(np.maximum(powers @ mel_filters(made).T.astype(dtype), dtype(made.floor)))
    return (logs @ cosines(made.n_mels, 13, made.lifter, 0).astype(dtype))[:, 1:]


def beside_kaldi(data: Path) -> dict[str, Any]:
    """Return how far coefficients of words lie from those of kaldi-native-fbank, and those of it from exact ones."""
    apart: dict[str, list[Any]] = {}
    for path in sorted(data.glob("*.wav"))[::20]:
        recording = bl.read_audio(path)
        x, fs = recording.signals[0], recording.fs
        kaldi = by_kaldi(x, cepstra=True, n_mels=23, fs=fs)[:, 1:]
        exact, single = (in_steps(x, fs, dtype) for dtype in (np.float64, np.float32))
        own = bl.mfcc(x, fs, like="kaldi")[:, 1:]
        pairs = {
            'biosig_lstm, like="kaldi", from kaldi-native-fbank': own - kaldi,
            "scipy.fft and NumPy in float32 from kaldi-native-fbank": single - kaldi,
            "kaldi-native-fbank from scipy.fft and NumPy in float64": kaldi - exact,
            'biosig_lstm, like="kaldi", from scipy.fft and NumPy in float64': own - exact,
        }
        for name, values in pairs.items():
            apart.setdefault(name, []).append(np.abs(values).ravel())
    return {name: np.concatenate(parts) for name, parts in apart.items()}


def in_pieces(x: Any, piece: int) -> Any:
    stream = bl.MFCC().stream(FS)
    return np.concatenate([stream.push(x[first : first + piece]) for first in range(0, len(x), piece)])


def transforms_alone(x: Any, n_fft: int, hop: int) -> None:
    views = np.lib.stride_tricks.sliding_window_view(x, n_fft)[::hop]
    for first in range(0, len(views), 512):
        fft.rfft(np.ascontiguousarray(views[first : first + 512]), axis=1)


def tables(x: Any) -> dict[str, Peers]:
    minute = x[: 60 * FS]
    return {
        "13 MFCC, frames of 25 ms every 10 ms, 40 filters": {
            "biosig_lstm": lambda: bl.mfcc(x, FS),
            "scipy.fft, the transforms alone (float32)": lambda: transforms_alone(x, 512, 160),
            "librosa": lambda: by_librosa(x),
            "kaldi-native-fbank": lambda: by_kaldi(x, cepstra=True, n_mels=40),
            "python_speech_features": lambda: by_psf(x),
            "torch (stft and products)": lambda: by_torch(x),
        },
        "librosa's numbers: 128 log-mel (2048 samples every 512)": {
            'biosig_lstm, like="librosa"': lambda: bl.log_mel(x, FS, like="librosa"),
            "librosa": lambda: librosa.power_to_db(librosa.feature.melspectrogram(y=x, sr=FS)),
        },
        "librosa's numbers: 20 MFCC": {
            'biosig_lstm, like="librosa"': lambda: bl.mfcc(x, FS, like="librosa"),
            "librosa": lambda: librosa.feature.mfcc(y=x, sr=FS),
        },
        "Kaldi's numbers: 23 log-mel": {
            'biosig_lstm, like="kaldi"': lambda: bl.log_mel(x, FS, like="kaldi"),
            "kaldi-native-fbank": lambda: by_kaldi(x, cepstra=False, n_mels=23),
        },
        "Kaldi's numbers: 13 MFCC": {
            'biosig_lstm, like="kaldi"': lambda: bl.mfcc(x, FS, like="kaldi"),
            "kaldi-native-fbank": lambda: by_kaldi(x, cepstra=True, n_mels=23),
        },
        "13 MFCC of a minute that comes in pieces of 10 ms": {
            "biosig_lstm": lambda: in_pieces(minute, 160),
            "kaldi-native-fbank": lambda: by_kaldi(minute, cepstra=True, n_mels=40, piece=160),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the Free Spoken Digit Dataset")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    short = sound(given.data, 0.2)
    for peers in tables(short).values():
        for work in peers.values():
            work()  # compiles, and loads what is loaded late
    for title, peers in tables(sound(given.data, given.minutes)).items():
        times = times_ms(peers, given.rounds)
        own = next(iter(times.values()))[0]
        print(f"\n{title}\n\n| | median ms | least ms | times ours |\n|---|---|---|---|", flush=True)
        for name, (median, least) in times.items():
            print(f"| {name} | {median:.0f} | {least:.0f} | {median / own:.1f} |", flush=True)
    if given.data:
        print("\nCoefficients 1 to 12 of Kaldi\n\n| | largest | 99.9 % | within 1e-4 |\n|---|---|---|---|")
        for name, apart in beside_kaldi(given.data).items():
            most, nearly, share = apart.max(), np.percentile(apart, 99.9), 100 * np.mean(apart <= 1e-4)
            print(f"| {name} | {most:.1e} | {nearly:.1e} | {share:.2f} % |")


if __name__ == "__main__":
    main()
