"""Scoring of seizures beside timescoring, and what long recordings cost: python tests/benchmarks/bench_seizures.py."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from timescoring.annotations import Annotation
from timescoring.scoring import EventScoring, SampleScoring

from biosig_lstm.containers import Recording
from biosig_lstm.datasets.chbmit import CHANNELS
from biosig_lstm.metrics import seizure_counts, seizure_scores
from biosig_lstm.recipes.eeg_chbmit import RECIPE

REPEATS = 3
Events = list[tuple[float, float]]


def median_s(work: Callable[[], object]) -> float:
    """Return the median time of a call, after one that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return float(np.median(times))


def generated(n: int, *, hours: int) -> list[tuple[Events, Events]]:
    """Return an expert's and a detector's events of n recordings: a seizure in a fifth of them, alarms everywhere."""
    rng = np.random.default_rng(0)
    made = []
    for k in range(n):
        onset = float(rng.integers(100, 3600 * hours - 200))
        expert = [(onset, onset + float(rng.integers(20, 120)))] if k % 5 == 0 else []
        alarms = np.sort(rng.choice(3600 * hours // 60, 5, replace=False)) * 60.0
        made.append((expert, [(float(at), float(at) + 12.0) for at in alarms]))
    return made


def by_timescoring(events: list[tuple[Events, Events]], *, hours: int) -> list[tuple[int, ...]]:
    found = []
    for expert, model in events:
        ref, hyp = (Annotation(list(one), 1, 3600 * hours) for one in (expert, model))
        event, sample = EventScoring(ref, hyp), SampleScoring(ref, hyp)
        found.append((event.refTrue, event.tp, event.fp, int(sample.tp), int(sample.fp)))
    return found


def ours(events: list[tuple[Events, Events]], *, hours: int) -> list[tuple[int, ...]]:
    found = []
    for expert, model in events:
        n = seizure_counts(expert, model, duration_s=3600.0 * hours)
        found.append((n.seizures, n.found, n.false_alarms, int(n.seconds[0, 0]), int(n.seconds[1, 0])))
    return found


def bench_scoring(n: int, *, hours: int) -> str:
    events = generated(n, hours=hours)
    assert ours(events, hours=hours) == by_timescoring(events, hours=hours)
    mine, theirs = (median_s(lambda f=f: f(events, hours=hours)) for f in (ours, by_timescoring))
    return f"| counts of {n} recordings of {hours} h | {mine * 1e3:.0f} | {theirs * 1e3:.0f} | {theirs / mine:.1f} |"


def bench_intervals(n: int, *, hours: int) -> str:
    events = generated(n, hours=hours)
    who = [f"p{k % 23}" for k in range(n)]
    lists = [expert for expert, _ in events], [model for _, model in events]
    mine = median_s(lambda: seizure_scores(*lists, who, duration_s=[3600.0 * hours] * n))
    return f"| the same with 18 metrics and 2,000 resamples of 23 subjects | {mine * 1e3:.0f} | - | - |"


def prepare(hours: float) -> None:
    """Print seconds and the growth of the peak of memory in MB, of preparing a generated recording."""
    rng = np.random.default_rng(0)
    n = round(3600 * hours * 256)
    signals = np.empty((len(CHANNELS), n), dtype=np.float32)
    for row in signals:
        row[:] = 20 * rng.standard_normal(n, dtype=np.float32)
    recording = Recording(signals, 256.0, CHANNELS, ["uV"] * len(CHANNELS), id="generated")
    RECIPE.pipeline(recording.crop(stop_s=60))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    RECIPE.pipeline(recording)
    seconds = time.perf_counter() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"| {hours:g} h, {signals.nbytes / 2**20:.0f} MB of samples | {seconds:.1f} | {grown:.0f} |")


def main() -> None:
    """Print the tables."""
    if len(sys.argv) > 1:
        prepare(float(sys.argv[1]))
        return
    print("| scoring | biosig_lstm, ms | timescoring, ms | ratio |\n|---|---|---|---|")
    print(bench_scoring(686, hours=1))
    print(bench_intervals(686, hours=1))
    print(bench_scoring(100, hours=4), flush=True)
    print("\n| preparing 18 channels | s | MB beside the samples |\n|---|---|---|", flush=True)
    for hours in ("1", "4"):
        subprocess.run([sys.executable, __file__, hours], check=True)


if __name__ == "__main__":
    main()
