"""Mel filters beside gammatone filters and perceptual linear prediction: digits of speakers never heard.

`OMP_NUM_THREADS=1 python tests/benchmarks/compare_filters_of_speech.py --data FSDD [--linear]`

Each word is cut at its first and last loud frame and into eight parts of equal length; the means of the parts, those of
the word taken away, go into a support vector machine (RBF kernel, scaled columns, C = 10), or with `--linear` into a
linear discriminant analysis (shrinkage 0.3). One speaker after the other is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import fft
from scipy.linalg import solve_toeplitz
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import biosig_lstm as bl
from biosig_lstm.features._mel import mel_filters
from biosig_lstm.features._speech_settings import settings
from biosig_lstm.features.spoken_part import spoken_part

FS, N_FFT, WIDTH, HOP = 8000.0, 256, 200, 80
N_BANDS, N_CEPSTRA, N_PARTS, ORDER = 40, 13, 8, 12
HZ = np.fft.rfftfreq(N_FFT, 1 / FS)
Array = np.ndarray[Any, Any]


def spectra(x: Array) -> Array:
    """Return the power of frames of 25 ms every 10 ms, with pre-emphasis."""
    padded = np.pad(x, (0, max(WIDTH - len(x), 0))).astype(np.float64)
    shaped = np.append(padded[:1], padded[1:] - 0.97 * padded[:-1])
    frames = np.lib.stride_tricks.sliding_window_view(shaped, WIDTH)[::HOP] * np.hamming(WIDTH)
    return np.abs(np.fft.rfft(frames, N_FFT)) ** 2


def gammatone_filters() -> Array:
    """Return the power of fourth-order gammatone filters, evenly spaced on the scale of Glasberg and Moore (1990)."""
    low, high = (21.4 * np.log10(1 + 0.00437 * hz) for hz in (60.0, FS / 2 * 0.95))
    centres = (10 ** (np.linspace(low, high, N_BANDS) / 21.4) - 1) / 0.00437
    widths = 1.019 * 24.7 * (1 + 0.00437 * centres)
    return (1 + ((HZ - centres[:, None]) / widths[:, None]) ** 2) ** -4.0


def bark_filters() -> Array:
    """Return critical bands of Hermansky (1990, doi:10.1121/1.399423), weighted by equal loudness."""

    def bark(hz: Array) -> Array:
        return 6 * np.arcsinh(hz / 600)

    centres = np.linspace(1, bark(np.array(FS / 2)) - 1, 19)
    away = bark(HZ) - centres[:, None]
    bands = np.where(away < -0.5, 10 ** (2.5 * (away + 0.5)), np.where(away > 0.5, 10 ** -(away - 0.5), 1.0))
    squared = (600 * np.sinh(centres / 6)) ** 2
    loudness = squared**2 * (squared + 1.44e6) / ((squared + 1.6e5) ** 2 * (squared + 9.61e6))
    return bands * loudness[:, None]


MEL, GAMMATONE, BARK = mel_filters(settings(FS, n_mels=N_BANDS, low_hz=60.0)), gammatone_filters(), bark_filters()


def logs(power: Array, filters: Array) -> Array:
    return np.log(np.maximum(power @ filters.T, 1e-8))


def cepstra(values: Array) -> Array:
    return fft.dct(values, norm="ortho")[:, :N_CEPSTRA]


def linear_prediction(power: Array) -> Array:
    """Return the cepstra of an all-pole model of the cube root of loudness."""
    bands = np.maximum(power @ BARK.T, 1e-10) ** (1 / 3)
    correlations = np.fft.irfft(np.concatenate([bands[:, :1], bands, bands[:, -1:]], axis=1), axis=1)[:, : ORDER + 1]
    return np.array([_all_pole(row) for row in correlations])


def _all_pole(correlation: Array) -> Array:
    a = solve_toeplitz(correlation[:-1] * np.append(1 + 1e-6, np.ones(ORDER - 1)), -correlation[1:])
    found = np.zeros(ORDER + 1)
    found[0] = np.log(max(correlation[0] + a @ correlation[1:], 1e-10))
    for n in range(1, ORDER + 1):
        found[n] = -a[n - 1] - sum(k * found[k] * a[n - k - 1] for k in range(1, n)) / n
    return found


FEATURES: dict[str, Callable[[Array], Array]] = {
    "log of mel filters": lambda power: logs(power, MEL),
    "log of gammatone filters": lambda power: logs(power, GAMMATONE),
    "cepstra of mel filters": lambda power: cepstra(logs(power, MEL)),
    "cepstra of gammatone filters": lambda power: cepstra(logs(power, GAMMATONE)),
    "perceptual linear prediction": linear_prediction,
}


def of_word(frames: Array) -> Array:
    parts = np.array_split(frames, N_PARTS) if len(frames) >= N_PARTS else [frames] * N_PARTS
    means = np.stack([part.mean(axis=0) for part in parts])
    return (means - means.mean(axis=0)).ravel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, type=Path, help="folder of the Free Spoken Digit Dataset")
    parser.add_argument("--linear", action="store_true", help="by a linear discriminant analysis")
    given = parser.parse_args()
    paths = sorted(given.data.glob("*.wav"))
    digits = np.array([path.stem.split("_")[0] for path in paths])
    speakers = np.array([path.stem.split("_")[1] for path in paths])
    powers = []
    for path in paths:
        power = spectra(bl.read_audio(path).signals[0])
        first, stop = spoken_part(logs(power, MEL))
        powers.append(power[first:stop])
    names = sorted(set(speakers.tolist()))
    print(f"| | {' | '.join(names)} | all |\n|{'---|' * (len(names) + 2)}")
    for name, work in FEATURES.items():
        x = np.stack([of_word(work(power)) for power in powers])
        right = np.zeros(len(x), dtype=bool)
        for speaker in names:
            out = speakers == speaker
            kind = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3) if given.linear else SVC(C=10.0)
            machine = make_pipeline(StandardScaler(), kind).fit(x[~out], digits[~out])
            right[out] = machine.predict(x[out]) == digits[out]
        each = [right[speakers == speaker].mean() for speaker in names]
        print(f"| {name} | {' | '.join(f'{share:.3f}' for share in [*each, right.mean()])} |", flush=True)


if __name__ == "__main__":
    main()
