"""Features of the EEG beside MNE, SciPy and NeuroKit2 in one run: `python tests/benchmarks/bench_eeg_features.py`.

A generated night: 8 hours of two channels at 100 Hz, in epochs of 30 s. NeuroKit2 is timed on 20 epochs and scaled up.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import mne
import numpy as np
from scipy import signal

from biosig_lstm.features.band_envelope import band_envelope
from biosig_lstm.features.band_power import BANDS_HZ, band_power
from biosig_lstm.features.coherence import coherence
from biosig_lstm.features.complexity import permutation_entropy, sample_entropy
from biosig_lstm.features.hjorth import hjorth
from biosig_lstm.features.line_length import line_length
from biosig_lstm.features.spectral_shape import spectral_shape

FS, EPOCHS, SOME = 100.0, 960, 20
RANGE = (0.5, 45.0)


def night() -> Any:
    """Return 8 hours of epochs (n, 2, 3000) in uV: brown and white noise."""
    rng = np.random.default_rng(0)
    steps = rng.standard_normal((EPOCHS, 2, 3000))
    brown = signal.lfilter([1.0], [1.0, -0.98], steps, axis=-1)
    return (5 * brown + 5 * rng.standard_normal(steps.shape)).astype(np.float32)


def in_bands(density: tuple[Any, Any]) -> Any:
    """Return absolute power in bands and shares, as one writes it by hand."""
    f, p = density
    absolute = [p[..., (f >= low) & (f < high)].sum(axis=-1) * f[1] for low, high in BANDS_HZ.values()]
    total = p[..., (f >= RANGE[0]) & (f < RANGE[1])].sum(axis=-1) * f[1]
    return np.stack(absolute, axis=-1), np.stack(absolute, axis=-1) / total[..., None]


def mne_welch(x: Any) -> Any:
    settings = {"n_fft": 400, "n_per_seg": 400, "n_overlap": 200, "window": "hann", "verbose": False}
    p, f = mne.time_frequency.psd_array_welch(x.astype(np.float64), FS, **settings)
    return in_bands((f, p))


def mne_multitaper(x: Any) -> Any:
    settings = {"bandwidth": 1.0, "normalization": "full", "verbose": False}
    p, f = mne.time_frequency.psd_array_multitaper(x.astype(np.float64), FS, **settings)
    return in_bands((f, p))


def scipy_welch(x: Any) -> Any:
    return in_bands(signal.welch(x.astype(np.float64), FS, nperseg=400))


def seconds(work: Callable[[], Any], *, times: int = 9) -> float:
    """Return the least time of several calls."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def each(x: Any, work: Callable[[Any], Any]) -> float:
    """Return the time for all windows, by that for some of them."""
    rows = x[:SOME].reshape(-1, x.shape[-1]).astype(np.float64)
    return seconds(lambda: [work(row) for row in rows], times=1) * len(x) / SOME


def compared(x: Any) -> None:
    import neurokit2 as nk

    rows = {
        "band power, Welch": (
            lambda: band_power(x, fs=FS),
            {"MNE": lambda: seconds(lambda: mne_welch(x)), "SciPy": lambda: seconds(lambda: scipy_welch(x))},
        ),
        "band power, multitaper of 1 Hz": (
            lambda: band_power(x, fs=FS, method="multitaper", bandwidth_hz=1.0),
            {"MNE": lambda: seconds(lambda: mne_multitaper(x), times=3)},
        ),
        "permutation entropy": (
            lambda: permutation_entropy(x, fs=FS),
            {"NeuroKit2": lambda: each(x, lambda c: nk.entropy_permutation(c, dimension=3, delay=1))},
        ),
        "sample entropy": (
            lambda: sample_entropy(x, fs=FS),
            {"NeuroKit2": lambda: each(x, lambda c: nk.entropy_sample(c, tolerance=0.2 * c.std(ddof=1)))},
        ),
    }
    print("| a night of 960 epochs, two channels | biosig_lstm, s | beside | s | ratio |\n|---|---|---|---|---|")
    for name, (work, peers) in rows.items():
        work()
        own = seconds(work, times=9 if "sample" not in name else 1)
        for peer, theirs in ((peer, clock()) for peer, clock in peers.items()):
            print(f"| {name} | {own:.2f} | {peer} | {theirs:.2f} | {theirs / own:.1f} |")


def alone(x: Any) -> None:
    works = {
        "spectral shape": lambda: spectral_shape(x, fs=FS),
        "Hjorth": lambda: hjorth(x, fs=FS),
        "line length": lambda: line_length(x, fs=FS),
        "envelopes of six bands": lambda: band_envelope(x, fs=FS),
        "coherence": lambda: coherence(x, fs=FS),
    }
    print("\n| the package alone | s |\n|---|---|")
    for name, work in works.items():
        work()
        print(f"| {name} | {seconds(work):.2f} |")


def differences(x: Any) -> None:
    welch = np.abs(band_power(x, fs=FS).absolute / mne_welch(x)[0] - 1).max()
    own = band_power(x, fs=FS, method="multitaper", bandwidth_hz=1.0)
    multitaper = np.abs(own.absolute / mne_multitaper(x)[0] - 1).max()
    print(f"\nLargest relative difference from MNE: {welch:.0e} (Welch), {multitaper:.0e} (multitaper)")


if __name__ == "__main__":
    epochs = night()
    compared(epochs)
    alone(epochs)
    differences(epochs)
