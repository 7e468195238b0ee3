"""R-peaks beside sleepecg, NeuroKit2 and wfdb's xqrs, in the same run: `python tests/benchmarks/bench_rpeaks.py`.

Needs the MIT-BIH Arrhythmia Database under $BIOSIG_LSTM_DATA/mitdb. All reference beats count, matched one to one
within 150 ms; ventricular flutter (``[`` to ``]``, record 207), where the database marks no beats, is left out, as in
ANSI/AAMI EC57. The peers get the first lead: they take no more than one.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from biosig_lstm.containers import DETECTED, Annotations
from biosig_lstm.events.beats import outside_flutter
from biosig_lstm.events.rpeaks import rpeaks
from biosig_lstm.formats.wfdb import read_wfdb
from biosig_lstm.metrics.events import match_events

BEATS = list("NLRBAaJSVrFejnE/fQ?")
XQRS_RECORDS = ("101", "208")
XQRS = "wfdb xqrs, two records"


def peers() -> dict[str, Callable[[Any, float], Any]]:
    import neurokit2
    import sleepecg
    import wfdb.processing

    def neurokit(x: Any, fs: float) -> Any:
        clean = neurokit2.ecg_clean(x[0], sampling_rate=int(fs))
        return neurokit2.ecg_peaks(clean, sampling_rate=int(fs))[1]["ECG_R_Peaks"]

    return {
        "biosig_lstm, all leads": rpeaks,
        "biosig_lstm, first lead": lambda x, fs: rpeaks(x[0], fs),
        "sleepecg": lambda x, fs: sleepecg.detect_heartbeats(x[0].astype(np.float64), fs),
        "neurokit2": neurokit,
        XQRS: lambda x, fs: wfdb.processing.xqrs_detect(x[0].astype(np.float64), fs, verbose=False),
    }


def errors(marks: Annotations, found: Any, fs: float) -> tuple[int, int, int]:
    """Return how many beats were found, missed, and found where there is none."""
    reference = marks.starts[np.isin(marks.labels, BEATS)]
    found, tolerance = np.asarray(found, dtype=np.int64), round(0.15 * fs)
    match = match_events(reference, found, tolerance_samples=tolerance)
    extra = Annotations(found[match.extra], labels=[DETECTED] * len(match.extra))
    extra = outside_flutter(extra, marks, margin_samples=tolerance)
    return len(match.pairs), len(match.missed), len(extra)


def row(name: str, counts: Any, seconds: list[float], unit: float) -> str:
    tp, fn, fp = np.sum(counts, axis=0)
    each = float(np.median(seconds))
    scores = f"{2 * tp / (2 * tp + fn + fp):.4f} | {tp / (tp + fn):.4f} | {tp / (tp + fp):.4f}"
    return f"| {name} | {scores} | {fn} | {fp} | {each * 1e3:.1f} | {each / unit:.1f} |"


def main() -> None:
    root = Path(os.environ.get("BIOSIG_LSTM_DATA") or Path.home() / ".cache" / "biosig_lstm") / "mitdb"
    records = sorted(path.stem for path in root.glob("*.hea"))
    if not records:
        sys.exit(f"no MIT-BIH records in {root}: set BIOSIG_LSTM_DATA")
    methods = peers()
    counts: dict[str, list[Any]] = {name: [] for name in methods}
    seconds: dict[str, list[float]] = {name: [] for name in methods}
    first = read_wfdb(root / records[0], annotator="atr", stop=20000)
    for work in methods.values():
        work(first.signals, first.fs)
    own = []
    for record in records:
        recording = read_wfdb(root / record, annotator="atr")
        for name, work in methods.items():
            if name == XQRS and record not in XQRS_RECORDS:
                continue
            start = time.perf_counter()
            found = work(recording.signals, recording.fs)
            seconds[name].append(time.perf_counter() - start)
            counts[name].append(errors(recording.annotations, found, recording.fs))
        own.append((record, *counts["biosig_lstm, all leads"][-1]))
    print(f"{len(records)} records; xqrs, which takes seconds, on {' and '.join(XQRS_RECORDS)} only\n")
    print(
        "| detector | F1 | Se | +P | missed | extra | ms a record (median) | ratio |\n|---|---|---|---|---|---|---|---|"
    )
    unit = float(np.median(seconds["biosig_lstm, all leads"]))
    for name in methods:
        print(row(name, counts[name], seconds[name], unit))
    print("\n| record | found | missed | extra |\n|---|---|---|---|")
    for values in own:
        print("| " + " | ".join(map(str, values)) + " |")


if __name__ == "__main__":
    main()
