"""Heart rate variability beside NeuroKit2, in the same run: `python tests/benchmarks/bench_hrv.py`.

The beats are generated (slow drift, waves of 0.1 and 0.25 Hz, noise). NeuroKit2's `hrv_nonlinear` computes more than
is compared here, and needs memory that grows with the square of the beats; so its entropies and fluctuations are
called one by one, on series where they take less than minutes.
"""

from __future__ import annotations

import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from biosig_lstm.features.hrv import (
    dfa_alpha,
    entropies,
    frequency_domain,
    hrv,
    lipponen_artefacts,
    nn_intervals,
    nonlinear,
    time_domain,
)

DAY, HOUR, MINUTES = 100_000, 4_500, 375
SHORT, LONG = (4, 16), (16, 64)


def heart(n_beats: int) -> Any:
    """Return NN intervals in ms."""
    rng = np.random.default_rng(0)
    t = np.arange(n_beats) * 0.8
    slow = 60 * np.sin(2 * np.pi * t / 9000) + 30 * np.sin(2 * np.pi * t / 700)
    return 800 + slow + 30 * np.sin(0.2 * np.pi * t) + 20 * np.sin(0.5 * np.pi * t) + 12 * rng.standard_normal(n_beats)


def best_of(work: Callable[[], Any], *, least_s: float = 0.5) -> float:
    work()
    seconds: list[float] = []
    while not seconds or (sum(seconds) < least_s and len(seconds) < 50):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def once(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pairs(nn: Any) -> dict[str, tuple[Callable[[], Any], Callable[[], Any]]]:
    """Return what is compared, by name: the package's, NeuroKit2's."""
    import neurokit2 as nk

    ends = np.cumsum(nn) / 1000
    given, tolerance = {"RRI": nn, "RRI_Time": ends}, 0.2 * nn.std(ddof=1)
    return {
        "time domain, 22 columns": (lambda: time_domain(nn, times_s=ends), lambda: nk.hrv_time(given)),
        "frequency domain, Welch": (
            lambda: frequency_domain(nn, times_s=ends),
            lambda: nk.hrv_frequency(given, normalize=False, interpolation_rate=4),
        ),
        "sample and approximate entropy": (
            lambda: entropies(nn, tolerance=tolerance),
            lambda: (nk.entropy_sample(nn, tolerance=tolerance), nk.entropy_approximate(nn, tolerance=tolerance)),
        ),
        "DFA alpha1 and alpha2": (
            lambda: [dfa_alpha(nn, scales=scales) for scales in (SHORT, LONG)],
            lambda: [nk.fractal_dfa(nn, scale=np.arange(a, b + 1), overlap=False) for a, b in (SHORT, LONG)],
        ),
        "artefacts (Lipponen and Tarvainen)": (
            lambda: lipponen_artefacts(nn),
            lambda: nk.signal_fixpeaks(ends, sampling_rate=1, method="kubios", iterative=False),
        ),
    }


def name_of(n_beats: int) -> str:
    return {DAY: "24 h", HOUR: "1 h", MINUTES: "5 min"}[n_beats]


def main() -> None:
    warnings.simplefilter("ignore")
    print("| work | beats | biosig_lstm, ms | NeuroKit2, ms | ratio |\n|---|---|---|---|---|")
    for n_beats in (MINUTES, HOUR, DAY):
        for name, (own, peer) in pairs(heart(n_beats)).items():
            mine = best_of(own)
            theirs = once(peer) if n_beats == DAY else best_of(peer)
            print(f"| {name} | {name_of(n_beats)} | {mine * 1e3:.2f} | {theirs * 1e3:.0f} | {theirs / mine:.0f} |")
    day = heart(DAY)
    times = np.concatenate([[0.0], np.cumsum(day) / 1000])
    print("\n| the package alone, 24 h | ms |\n|---|---|")
    whole = {
        "NN intervals from beats": lambda: nn_intervals(times),
        "frequency domain, Lomb-Scargle": lambda: frequency_domain(day, method="lomb_scargle"),
        "nonlinear, all columns": lambda: nonlinear(day),
        "hrv, all columns, one window": lambda: hrv(times),
        "hrv, all columns, a window each 5 minutes": lambda: hrv(times, window_s=300),
    }
    for name, work in whole.items():
        print(f"| {name} | {best_of(work) * 1e3:.0f} |")
    tracemalloc.start()
    entropies(day, tolerance=0.2 * day.std(ddof=1))
    print(f"\nMemory of the entropies over 24 h at its highest: {tracemalloc.get_traced_memory()[1] / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
