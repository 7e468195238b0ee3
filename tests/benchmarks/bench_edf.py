"""How fast EDF nights are read, beside mne, edfio and pyedflib where they are installed; prints a Markdown table.

Run ``python tests/benchmarks/bench_edf.py [HOURS]`` (default 8). Nights of noise are written to a temporary folder: 7
channels at 256 Hz, and mixed rates, as recorders of sleep have them. All times are medians of the process's own time,
side by side in one run, on one thread: what others do on the machine at the same time matters little.
"""

from __future__ import annotations

import gc
import importlib.util
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import mne
import numpy as np

from biosig_lstm.errors import BiosigWarning
from biosig_lstm.formats.eeg import open_edf, read_eeg

EQUAL = [256] * 7
MIXED = [256, 256, 256, 128, 64, 10, 1]
N_WINDOWS, WINDOW_S = 1000, 30


def write_night(path: Path, rates: Sequence[int], *, hours: float) -> Path:
    """Write a night of noise, one second a data record."""
    n_records, n = round(hours * 3600), len(rates)
    columns = [
        [f"EEG {k}" for k in range(n)], [""] * n, ["uV"] * n, [-3276.8] * n, [3276.7] * n, [-32768] * n, [32767] * n,
        [""] * n, rates, [""] * n,
    ]  # fmt: skip
    fixed = ["0", "X", "X", "01.01.20", "22.00.00", 256 * (n + 1), "", n_records, 1, n]
    head = "".join(str(x).ljust(w) for x, w in zip(fixed, (8, 80, 80, 8, 8, 8, 44, 8, 8, 4), strict=True))
    for width, column in zip((16, 80, 8, 8, 8, 8, 8, 80, 8, 32), columns, strict=True):
        head += "".join(str(value).ljust(width) for value in column)
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(head.encode())
        for first in range(0, n_records, 600):
            size = min(600, n_records - first) * sum(rates)
            file.write(rng.normal(0, 300, size).astype("<i2").tobytes())
    return path


def median_ms(calls: dict[str, Callable[[], object]], *, rounds: int) -> dict[str, float]:
    """Return the median time of each call, taken in turns after a warm-up."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for k in range(rounds + 1):
        for name, call in calls.items():
            gc.collect()  # what the reader before has left behind is not this one's work
            begin = time.process_time()
            call()
            if k:
                times[name].append(1e3 * (time.process_time() - begin))
    return {name: statistics.median(taken) for name, taken in times.items()}


def each_rate(path: Path) -> None:
    """Read every channel, those of each rate together."""
    record = open_edf(path)
    for rate in set(record.rates_hz):
        record.read([name for name, hz in zip(record.channels, record.rates_hz, strict=True) if hz == rate])


def whole(path: Path) -> dict[str, Callable[[], object]]:
    calls: dict[str, Callable[[], object]] = {
        "biosig_lstm": lambda: each_rate(path),
        "biosig_lstm, read_eeg (the commonest rate)": lambda: read_eeg(path),
        "mne (float64, slow channels upsampled)": lambda: mne.io.read_raw_edf(path, preload=True, verbose="error"),
    }
    if importlib.util.find_spec("edfio"):
        calls["edfio"] = lambda: by_edfio(path)
    if importlib.util.find_spec("pyedflib"):
        calls["pyedflib"] = lambda: by_pyedflib(path)
    return calls | {"the bytes alone": path.read_bytes}


def by_edfio(path: Path) -> None:
    import edfio

    for signal in edfio.read_edf(path).signals:
        signal.data  # noqa: B018


def by_pyedflib(path: Path) -> None:
    import pyedflib

    with pyedflib.EdfReader(str(path)) as file:
        for k in range(file.signals_in_file):
            file.readSignal(k)


def windows(path: Path, *, hours: float) -> dict[str, Callable[[], object]]:
    """Return readers of the same random windows of the fastest channels, the file opened once."""
    starts = np.random.default_rng(1).integers(0, round(hours * 3600) - WINDOW_S, N_WINDOWS).tolist()
    record = open_edf(path)
    raw = mne.io.read_raw_edf(path, preload=False, verbose="error")
    fs = float(raw.info["sfreq"])
    names = list(record.default_channels())
    picks = [raw.ch_names.index(name) for name in names]

    def ours() -> None:
        for first in starts:
            record.read(names, start_s=first, stop_s=first + WINDOW_S)

    def mnes() -> None:
        for first in starts:
            raw.get_data(picks, start=round(first * fs), stop=round((first + WINDOW_S) * fs))

    return {"biosig_lstm": ours, "mne (float64, slow channels upsampled)": mnes}


def main() -> None:
    """Print the table."""
    hours = float(sys.argv[1]) if len(sys.argv) > 1 else 8.0
    warnings.simplefilter("ignore", BiosigWarning)
    print("| | reader | ms | times ours |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made:
        for name, rates in (("7 channels at 256 Hz", EQUAL), ("rates of 256, 128, 64, 10 and 1 Hz", MIXED)):
            path = write_night(Path(made) / "night.edf", rates, hours=hours)
            show(f"{name}, {hours:g} h whole", median_ms(whole(path), rounds=3))
            show(f"{name}, {N_WINDOWS} windows of {WINDOW_S} s", median_ms(windows(path, hours=hours), rounds=1))


def show(what: str, times: dict[str, float]) -> None:
    ours = times["biosig_lstm"]
    for reader, taken in times.items():
        print(f"| {what} | {reader} | {taken:.0f} | {taken / ours:.1f} |", flush=True)


if __name__ == "__main__":
    main()
