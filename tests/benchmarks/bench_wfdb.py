"""How fast WFDB records are read, beside the wfdb package in the same run; prints a Markdown table.

Run ``python tests/benchmarks/bench_wfdb.py [FOLDER]``; FOLDER holds mitdb (default: BIOSIG_LSTM_DATA or
~/.cache/biosig_lstm). Without mitdb a record of the same size and format is made. All times are medians.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import wfdb

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.formats.wfdb import open_wfdb, read_annotations, read_wfdb, write_annotations, write_wfdb


def median_ms(call: Callable[[], object], *, rounds: int) -> float:
    """Return the median time of a call, after a warm-up."""
    times = []
    for k in range(rounds + 1):
        begin = time.perf_counter()
        call()
        if k:
            times.append(1e3 * (time.perf_counter() - begin))
    return statistics.median(times)


def each(places: list[int], call: Callable[[int], object]) -> None:
    for at in places:
        call(at)


def noise(folder: Path, name: str, *, minutes: int) -> Path:
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(2, 60 * 360 * minutes)).astype(np.float32)
    write_wfdb(Recording(signals, 360, ["MLII", "V5"], ["mV", "mV"], id=name), folder, fmt=212, gain=200)
    return folder / name


def beats(folder: Path, *, n: int) -> Path:
    starts = np.cumsum(np.random.default_rng(0).integers(200, 400, n))
    write_annotations(folder / f"beats{n}", "atr", Annotations(starts, None, np.array(["N", "V"])[starts % 2]))
    return folder / f"beats{n}"


def main() -> None:
    """Print the table."""
    base = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("BIOSIG_LSTM_DATA", "~/.cache/biosig_lstm"))
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        real = base.expanduser() / "mitdb" / "101"
        short = real if real.with_suffix(".hea").is_file() else noise(folder, "short", minutes=30)
        day = noise(folder, "day", minutes=24 * 60)
        opened = open_wfdb(day)
        places = np.random.default_rng(1).integers(0, opened.n_samples - 3600, 1000).tolist()
        few, many = beats(folder, n=2500), beats(folder, n=100_000)

        def window(at: int) -> object:
            return wfdb.rdrecord(str(day), sampfrom=at, sampto=at + 3600)

        rows: list[tuple[str, Callable[[], object], Callable[[], object], int]] = [
            ("30-min two-lead record, format 212, whole, without annotations",
             lambda: read_wfdb(short, annotator=None), lambda: wfdb.rdrecord(str(short)), 31),
            ("the same with its annotations",
             lambda: read_wfdb(short, annotator="auto"),
             lambda: (wfdb.rdrecord(str(short)), real == short and wfdb.rdann(str(short), "atr")), 11),
            ("10-s window of a 24-h record, as an array, record open",
             lambda: opened.read_signals(start=9_000_000, stop=9_003_600), lambda: window(9_000_000), 101),
            ("the same as a Recording, record open",
             lambda: opened.read(start=9_000_000, stop=9_003_600), lambda: window(9_000_000), 101),
            ("the same, record opened anew",
             lambda: read_wfdb(day, start=9_000_000, stop=9_003_600, annotator=None), lambda: window(9_000_000), 101),
            ("1,000 random 10-s windows of a 24-h record",
             lambda: each(places, lambda at: opened.read_signals(start=at, stop=at + 3600)),
             lambda: each(places, window), 3),
            ("2,500 annotations",
             lambda: read_annotations(few, "atr"), lambda: wfdb.rdann(str(few), "atr"), 31),
            ("100,000 annotations",
             lambda: read_annotations(many, "atr"), lambda: wfdb.rdann(str(many), "atr"), 5),
        ]  # fmt: skip
        lines = ["| work | here (ms) | wfdb (ms) | ratio |", "|---|---|---|---|"]
        for name, ours, theirs, rounds in rows:
            mine, other = median_ms(ours, rounds=rounds), median_ms(theirs, rounds=rounds)
            lines.append(f"| {name} | {mine:.3f} | {other:.2f} | {other / mine:.0f} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
