"""Time the walk of a 30-minute record from file to named beats, stage by stage, on one thread.

python tests/benchmarks/bench_walk.py [RECORD] [--model ecg-beats]      a recording of the sample by default

Beside it, in the same run, what is composed today: wfdb, scipy, the xqrs detector, and the same networks.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import wfdb
import wfdb.processing
from scipy.signal import butter, sosfiltfilt

from biosig_lstm import datasets
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.estimators import StepClassifier, load
from biosig_lstm.formats import open_recording
from biosig_lstm.shipped import find, names

REPEATS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("record", nargs="?", default=str(datasets.get("sample").root / "s06"))
    parser.add_argument("--model", default="ecg-beats")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = load(find(chosen.model) if chosen.model in names() else chosen.model)
    assert isinstance(model, StepClassifier)
    ours, theirs = walk(model, chosen.record), composed(model, chosen.record)
    print(f"{chosen.record}, {model.members} networks, torch {torch.__version__}, one thread, median of {REPEATS}\n")
    print("| stage | here, ms | composed, ms | composed / here |\n|---|---|---|---|")
    for stage in ours:
        a, b = ours[stage] * 1e3, theirs.get(stage, float("nan")) * 1e3
        print(f"| {stage} | {a:.1f} | {b:.1f} | {b / a:.1f} |")
    print(f"| all | {sum(ours.values()) * 1e3:.0f} | {sum(theirs.values()) * 1e3:.0f} | "
          f"{sum(theirs.values()) / sum(ours.values()):.1f} |")  # fmt: skip


def walk(model: StepClassifier, record: str) -> dict[str, float]:
    pipeline = model.pipeline.with_positions("detected")
    recording = open_recording(record, annotator=None)
    filtered = pipeline.filter(recording)
    found = pipeline.find(filtered)
    windows = pipeline.cut(found)
    return {
        "read": timed(lambda: open_recording(record, annotator=None)),
        "filter": timed(lambda: pipeline.filter(recording)),
        "find beats": timed(lambda: pipeline.find(filtered)),
        "windows and features": timed(lambda: pipeline.cut(found)),
        "networks": timed(lambda: model.predict(windows)),
    }


def composed(model: StepClassifier, record: str) -> dict[str, float]:
    path = str(Path(record).with_suffix(""))
    read = wfdb.rdrecord(path)
    sos = butter(2, [0.5, 40], "bandpass", fs=read.fs, output="sos")
    started = time.perf_counter()
    peaks = wfdb.processing.xqrs_detect(read.p_signal[:, 0], read.fs, verbose=False)
    detecting = time.perf_counter() - started
    filtered = sosfiltfilt(sos, read.p_signal, axis=0)
    marks = Annotations(peaks, labels=["QRS"] * len(peaks))
    recording = Recording(
        np.ascontiguousarray(filtered.T), read.fs, read.sig_name, read.units, id="composed", annotations=marks
    )
    windows = model.pipeline.cut(recording)
    return {
        "read": timed(lambda: wfdb.rdrecord(path)),
        "filter": timed(lambda: sosfiltfilt(sos, read.p_signal, axis=0)),
        "find beats": detecting,
        "windows and features": timed(lambda: model.pipeline.cut(recording)),
        "networks": timed(lambda: model.predict(windows)),
    }


def timed(work: Callable[[], object]) -> float:
    work()
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
