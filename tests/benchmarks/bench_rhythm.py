"""What `ecg-rhythm` finds along half-hour recordings that it was not trained for, and how long it takes.

python tests/benchmarks/bench_rhythm.py --data MITDB [--model FILE]
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
import torch

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning
from biosig_lstm.metrics.episodes import episode_counts
from biosig_lstm.scoring.tasks import Part, task

HOLTER_H = 24


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of mitdb")
    parser.add_argument("--model", help="a model file instead of the one that ships")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", BiosigWarning)
    model = bl.load(chosen.model) if chosen.model else bl.pretrained("ecg-rhythm")
    asked, parts = task("episodes"), []
    print("| record | rhythms | AF by the experts | AF found | both |\n|---|---|---|---|---|")
    for recording in datasets.get("mitdb", chosen.data).recordings():
        part = asked.score_one(model, recording)
        parts.append(part)
        print(row(asked, model, part), flush=True)
    scores = asked.scores(model, parts)
    print("\n| " + " | ".join(scores.metrics) + " |\n|" + "---|" * len(scores.metrics))
    print("| " + " | ".join(str(interval) for interval in scores.metrics.values()) + " |\n")
    time_it(model, parts[0].recording)


def row(asked: object, model: object, part: Part) -> str:
    from biosig_lstm.scoring.episodes import episodes_of

    recording = part.recording
    found = episodes_of(part.said, n_samples=recording.n_samples, fs=recording.fs)
    counts = episode_counts(part.truth, found.episodes, n_samples=recording.n_samples, fs=recording.fs)
    rhythms = " ".join(sorted({note for note in recording.annotations.notes.tolist() if note.startswith("(")}))
    expert, model_says = counts["both"] + counts["missed"], counts["both"] + counts["extra"]
    return (
        f"| {recording.id} | {rhythms} | {expert:.0f} s in {len(part.truth)} | {model_says:.0f} s in "
        f"{len(found)} | {counts['both']:.0f} s |"
    )


def time_it(model: object, recording: Recording) -> None:
    from biosig_lstm.scoring.episodes import find_episodes

    half_hours = round(HOLTER_H * 3600 / recording.duration_s) + 1
    long = np.tile(recording.signals, half_hours)[:, : round(HOLTER_H * 3600 * recording.fs)]
    holter = Recording(long, recording.fs, recording.channels, recording.units, id="holter")
    started, cpu = time.perf_counter(), time.process_time()
    found = find_episodes(model, holter)
    print(
        f"{HOLTER_H} h, {len(found.windows)} windows: {time.perf_counter() - started:.0f} s, "
        f"{time.process_time() - cpu:.0f} s of a processor"
    )


if __name__ == "__main__":
    main()
