"""Filters beside scipy, MNE, NeuroKit2 and soxr, in the same run: `python tests/benchmarks/bench_filters.py`."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import signal

from biosig_lstm import filters

ROUNDS = 5


def ecg_like(n_channels: int, seconds: float, fs: int) -> Any:
    rng = np.random.default_rng(0)
    t = np.arange(int(seconds * fs)) / fs
    beats = np.exp(-(((t % 0.8 - 0.4) / 0.02) ** 2))
    drift = 0.3 * np.sin(2 * np.pi * 0.2 * t)
    return (beats + drift + 0.05 * rng.standard_normal((n_channels, len(t)))).astype(np.float32)


def medians_ms(peers: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Return each peer's median time; the peers take turns, so that all meet the same load."""
    times: dict[str, list[float]] = {name: [] for name in peers}
    for work in peers.values():
        work()
    for _ in range(ROUNDS):
        for name, work in peers.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) * 1e3 for name, values in times.items()}


def bandpass_peers(x: Any, fs: int) -> dict[str, Callable[[], Any]]:
    import mne
    import neurokit2

    sos = signal.butter(2, (0.5, 40), "bandpass", fs=fs, output="sos")
    wide = x.astype(np.float64)
    iir = {"method": "iir", "iir_params": {"order": 2, "ftype": "butter"}, "verbose": "error"}
    return {
        "biosig_lstm (float32)": lambda: filters.bandpass(x, fs, low_hz=0.5, high_hz=40),
        "scipy sosfiltfilt (float64)": lambda: signal.sosfiltfilt(sos, wide),
        "scipy sosfiltfilt (float32)": lambda: signal.sosfiltfilt(sos.astype(np.float32), x),
        "mne filter_data (IIR)": lambda: mne.filter.filter_data(wide, fs, 0.5, 40, **iir),
        "mne filter_data (FIR, its default)": lambda: mne.filter.filter_data(wide, fs, 0.5, 40, verbose="error"),
        "neurokit2 signal_filter": lambda: [
            neurokit2.signal_filter(row, sampling_rate=fs, lowcut=0.5, highcut=40, order=2) for row in wide
        ],
    }


def resample_peers(x: Any, fs: int, rate_hz: int) -> dict[str, Callable[[], Any]]:
    import soxr

    wide = x.astype(np.float64)
    return {
        "biosig_lstm (float32)": lambda: filters.resample(x, fs, rate_hz=rate_hz),
        "scipy resample_poly (float64)": lambda: signal.resample_poly(wide, rate_hz, fs, axis=1),
        "scipy resample_poly (float32)": lambda: signal.resample_poly(x, rate_hz, fs, axis=1),
        "soxr HQ (float32)": lambda: soxr.resample(x.T, fs, rate_hz, "HQ"),
    }


def table(title: str, peers: dict[str, Callable[[], Any]]) -> str:
    times = medians_ms(peers)
    own = next(iter(times.values()))
    rows = [f"| {name} | {ms:.2f} | {ms / own:.1f} |" for name, ms in times.items()]
    return "\n".join([f"\n{title}\n", "| | median ms | times ours |", "|---|---|---|", *rows])


def error_line(x: Any, fs: int) -> str:
    sos = signal.butter(2, (0.5, 40), "bandpass", fs=fs, output="sos")
    expected = signal.sosfiltfilt(sos, x.astype(np.float64))
    off = np.abs(filters.bandpass(x, fs, low_hz=0.5, high_hz=40) - expected).max() / np.abs(x).max()
    return f"\nLargest difference from scipy in float64: {off:.1e} of the signal's amplitude.\n"


def main() -> None:
    warnings.simplefilter("ignore")
    day, half_hour = ecg_like(1, 86400, 250), ecg_like(2, 1800, 360)
    ten_seconds = ecg_like(12, 10, 500)
    lines = [
        table("Band-pass 0.5-40 Hz, 24 h at 250 Hz, 1 lead", bandpass_peers(day, 250)),
        error_line(day, 250),
        table("Band-pass 0.5-40 Hz, 30 min at 360 Hz, 2 leads", bandpass_peers(half_hour, 360)),
        error_line(half_hour, 360),
        table("Band-pass 0.5-40 Hz, 10 s at 500 Hz, 12 leads", bandpass_peers(ten_seconds, 500)),
        table("Resample 360 to 100 Hz, 6 h, 1 lead", resample_peers(ecg_like(1, 6 * 3600, 360), 360, 100)),
        table("Resample 360 to 100 Hz, 30 min, 2 leads", resample_peers(half_hour, 360, 100)),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
