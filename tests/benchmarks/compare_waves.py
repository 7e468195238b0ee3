"""Waves of an ECG beside NeuroKit2's: time, and scores by the protocol ludb; and long recordings read in stretches.

python tests/benchmarks/compare_waves.py --data LUDB --models FOLDER [--long MITDB]

FOLDER holds the models that cross_validate_waves.py left: every record is read by one that has not seen its subject.
Timed is process time of one thread, median of five.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import neurokit2 as nk
import numpy as np
import torch
from cross_validate_waves import folds

from biosig_lstm import datasets
from biosig_lstm.containers import Recording, Waves
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Delineator, delineator
from biosig_lstm.metrics import match_events
from biosig_lstm.metrics.waves import BOUNDARIES, wave_scores
from biosig_lstm.shipped import pretrained

MARKS = {"P": ("ECG_P_Onsets", "ECG_P_Peaks", "ECG_P_Offsets"), "QRS": ("ECG_R_Onsets", "", "ECG_R_Offsets"),
         "T": ("ECG_T_Onsets", "ECG_T_Peaks", "ECG_T_Offsets")}  # fmt: skip
LONG = ("101", "108", "119")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--long", help="folder of mitdb")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    recordings = list(datasets.get("ludb", chosen.data).recordings())
    print(times(recordings[0]))
    if chosen.long:
        print(f"\n{stretches(chosen.long)}")
    print(f"\n{scores(recordings, chosen.models)}")


def times(recording: Recording) -> str:
    model = pretrained("ecg-waves")
    ours = median_s(lambda: model.waves(recording))  # type: ignore[attr-defined]
    one = median_s(lambda: model.waves(recording.pick(["ii"])))  # type: ignore[attr-defined]
    peer = median_s(lambda: by_neurokit(recording, "ii"))
    lines = ["| 10 s at 500 Hz | s | a lead, s | times ours |", "|---|---|---|---|"]
    lines.append(f"| biosig_lstm, 12 leads | {ours:.3f} | {ours / 12:.4f} | 1.0 |")
    lines.append(f"| biosig_lstm, 1 lead | {one:.3f} | {one:.4f} | {12 * one / ours:.1f} |")
    lines.append(f"| neurokit2 {nk.__version__} dwt, 1 lead | {peer:.3f} | {peer:.4f} | {12 * peer / ours:.1f} |")
    return "\n".join(lines)


def median_s(work: Callable[[], object]) -> float:
    work()
    taken = []
    for _ in range(5):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def by_neurokit(recording: Recording, lead: str) -> Waves:
    signal = nk.ecg_clean(recording.pick([lead]).signals[0].astype(float), sampling_rate=int(recording.fs))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, peaks = nk.ecg_peaks(signal, sampling_rate=int(recording.fs))
        r = np.asarray(peaks["ECG_R_Peaks"], dtype=float)
        _, marks = nk.ecg_delineate(signal, peaks, sampling_rate=int(recording.fs), method="dwt")
    parts = []
    for label, (on, at, off) in MARKS.items():
        onsets, offsets = (np.asarray(marks[name], dtype=float) for name in (on, off))
        centres = np.asarray(marks[at], dtype=float) if at else r
        parts.append(tidy(label, onsets, centres, offsets))
    return Waves(*(np.concatenate([getattr(part, name) for part in parts]) for name in PLACES))


PLACES = ("labels", "onsets", "peaks", "offsets")


def tidy(label: str, onsets: np.ndarray, peaks: np.ndarray, offsets: np.ndarray) -> Waves:
    """Return waves with what NeuroKit gives, boundaries on the wrong side of the peak as if not given."""
    known = ~np.isnan(peaks)
    onsets, peaks, offsets = onsets[known], peaks[known], offsets[known]
    return Waves(
        [label] * len(peaks),
        np.where(onsets <= peaks, onsets, np.nan),
        peaks,
        np.where(offsets >= peaks, offsets, np.nan),
    )


def scores(recordings: list[Recording], models: Path) -> str:
    truth, ours, peers, subjects = [], [], [], []
    failed = 0
    for fold, held_out in enumerate(folds(recordings)):
        model = Delineator.load(models / f"fold{fold}.biosig")
        for recording in (one for one in recordings if one.id in held_out):
            for lead in recording.channels:
                alone = recording.pick([lead])
                truth.append(Waves.from_annotations(recording.annotations, note=lead))
                ours.append(model.waves(alone).get(lead, Waves()))
                subjects.append(recording.subject)
                try:
                    peers.append(by_neurokit(recording, lead))
                except (ValueError, IndexError, KeyError, ZeroDivisionError, DataError, TypeError):
                    failed += 1
                    peers.append(Waves())
    lines = ["| each lead alone | boundary | Se | +P | mean, ms | sd, ms |", "|" + "---|" * 6]
    for name, found in (("biosig_lstm", ours), (f"neurokit2 {nk.__version__} dwt", peers)):
        said = wave_scores(truth, found, subjects, fs=500.0, n_resamples=200)
        for boundary in BOUNDARIES:
            values = [said[f"{kind}_{boundary}"].value for kind in ("se", "pp", "mean_ms", "sd_ms")]
            lines.append(
                f"| {name} | {boundary} | {values[0]:.4f} | {values[1]:.4f} | {values[2]:.1f} | {values[3]:.1f} |"
            )
    return "\n".join([*lines, f"\nneurokit2 raised on {failed} of {len(truth)} leads, which count as missed."])


def stretches(root: str) -> str:
    model = pretrained("ecg-waves")
    lines = [
        "| 300 s of | wave | both | stretches only | at once only | onsets apart, mean ms | 99 % |",
        "|" + "---|" * 7,
    ]
    usual = delineator._CHUNK_S
    for recording in (one.crop(stop_s=300) for one in datasets.get("mitdb", root).recordings(LONG)):
        parts = model.waves(recording)  # type: ignore[attr-defined]
        delineator._CHUNK_S = 1000.0
        whole = model.waves(recording)  # type: ignore[attr-defined]
        delineator._CHUNK_S = usual
        lines.extend(difference(recording, parts, whole, label) for label in ("P", "QRS", "T"))
    recording = next(iter(datasets.get("mitdb", root).recordings([LONG[0]])))
    seconds = median_s(lambda: model.waves(recording))  # type: ignore[attr-defined]
    return "\n".join([*lines, f"\n30 min of 2 leads at 360 Hz: {seconds:.1f} s"])


def difference(recording: Recording, parts: dict[str, Waves], whole: dict[str, Waves], label: str) -> str:
    both = only = other = 0
    apart: list[float] = []
    for lead, waves in parts.items():
        a, b = waves.of(label), whole[lead].of(label)
        match = match_events(a.peaks, b.peaks, tolerance_samples=round(0.1 * recording.fs))
        both, only, other = both + len(match.pairs), only + len(match.missed), other + len(match.extra)
        apart.extend(np.abs(a.onsets[match.pairs[:, 0]] - b.onsets[match.pairs[:, 1]]) / recording.fs * 1000)
    mean, worst = (np.nanmean(apart), np.nanpercentile(apart, 99)) if apart else (np.nan, np.nan)
    return f"| {recording.id} | {label} | {both} | {only} | {other} | {mean:.1f} | {worst:.1f} |"


if __name__ == "__main__":
    main()
