"""Cross-validate the recipe `mitdb-aami` over the 22 patients of DS1; nothing of DS2 is read.

python tests/benchmarks/cross_validate_beats.py --data MITDB --out cv.npz [--seeds 0 1 2 3 4]   minutes a seed
python tests/benchmarks/cross_validate_beats.py --data MITDB --out hard.npz --seeds 0 --hard    other rates, found beats
python tests/benchmarks/cross_validate_beats.py --out cv.npz --report                           tables of what is there

Folds are the same for all seeds, so that networks of several seeds can be averaged as the shipped model averages them.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from biosig_lstm import datasets
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.events.beats import outside_flutter
from biosig_lstm.filters import Resample
from biosig_lstm.metrics import AAMI, Scores, beat_scores, detected_beat_scores
from biosig_lstm.recipes import recipe_for, train_recipe
from biosig_lstm.splits import kfold_by_subject

PROTOCOL, N_SPLITS = "mitdb-aami", 5
LEADS = {"both": (0, 1), "first": (0,), "second": (1,)}
CLASSES = ("N", "S", "V", "F", "Q")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of mitdb")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--hard", action="store_true", help="predict under other conditions too")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.report:
        recordings = list(datasets.get("mitdb", chosen.data).recordings("DS1"))
        for seed in chosen.seeds:
            run_seed(recordings, seed=seed, out=chosen.out, hard=chosen.hard)
    report(chosen.out)


def run_seed(recordings: Sequence[Recording], *, seed: int, out: Path, hard: bool) -> None:
    recipe = recipe_for(PROTOCOL)
    recipe = replace(recipe, members=1, settings=replace(recipe.settings, seed=seed, device="cpu"))
    by_id = {recording.id: recording for recording in recordings}
    whole = recipe.pipeline.with_positions("annotated")(recordings)
    found = dict(np.load(out)) if out.exists() else {}
    for fold, (train, test) in enumerate(kfold_by_subject(whole, n_splits=N_SPLITS, seed=0)):
        started = time.perf_counter()
        model = train_recipe(recipe, [by_id[name] for name in train.recordings.tolist()], progress=False)
        model.check_unseen(test)
        tested = [by_id[name] for name in test.recordings.tolist()]
        found |= predict_fold(model, tested, seed=seed)
        found |= predict_hard(model, tested, seed=seed) if hard else {}
        found[f"{seed}/{fold}/seconds"] = np.array(time.perf_counter() - started)
        np.savez_compressed(out, **found)
        print(f"seed {seed} fold {fold}: {found[f'{seed}/{fold}/seconds']:.0f} s", flush=True)


def predict_fold(model: StepClassifier, recordings: Sequence[Recording], *, seed: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    pipeline = model.pipeline.with_positions("annotated")
    for recording in recordings:
        for name, rows in LEADS.items():
            windows = pipeline(recording.pick([recording.channels[row] for row in rows]))
            found[f"{seed}/{recording.id}/{name}"] = model.predict(windows).probabilities
            found[f"truth/{recording.id}"] = np.asarray(windows.y)
    return found


RATES_HZ = (100.0, 128.0, 250.0)


def predict_hard(model: StepClassifier, recordings: Sequence[Recording], *, seed: int) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    annotated, detected = (model.pipeline.with_positions(p) for p in ("annotated", "detected"))
    for recording in recordings:
        for rate_hz in RATES_HZ:
            windows = annotated(Resample(rate_hz)(recording))
            found[f"{seed}/{recording.id}/at {rate_hz:g} Hz"] = model.predict(windows).probabilities
        turned = recording.with_signals(-recording.signals, note="turned over")
        found[f"{seed}/{recording.id}/turned over"] = model.predict(annotated(turned)).probabilities
        said = model.predict(detected(recording))
        expert = recording.annotations.relabel(AAMI)
        kept = outside_flutter(said.annotations(recording.id), recording.annotations, margin_samples=54)
        found[f"found/{recording.id}"] = np.array([kept.starts, [CLASSES.index(c) for c in kept.labels]])
        found[f"expert/{recording.id}"] = np.array([expert.starts, [CLASSES.index(c) for c in expert.labels]])
    return found


def report_hard(found: dict[str, np.ndarray], seed: int) -> None:
    names = ("both", *(f"at {rate_hz:g} Hz" for rate_hz in RATES_HZ), "turned over")
    print("\n| condition | " + " | ".join(NAMES) + " |\n|---" + "|---" * len(NAMES) + "|")
    for name in names:
        scores = scores_of(found, [seed], name)
        print(f"| {name} | " + " | ".join(f"{scores[n].value:.3f}" for n in NAMES) + " |")
    ids = sorted(key.split("/")[1] for key in found if key.startswith("found/"))
    pairs = [[as_annotations(found[f"{kind}/{name}"]) for name in ids] for kind in ("expert", "found")]
    scores = detected_beat_scores(*pairs, ids, tolerance_samples=54)
    print("| beats found by the detector | " + " | ".join(f"{scores[n].value:.3f}" for n in NAMES) + " |")


def as_annotations(rows: np.ndarray) -> Annotations:
    return Annotations(rows[0], labels=[CLASSES[k] for k in rows[1]])


def report(path: Path) -> None:
    found = dict(np.load(path))
    seeds = sorted({int(key.split("/")[0]) for key in found if key[0].isdigit()})
    seconds = [float(v) for k, v in found.items() if k.endswith("seconds")]
    print(f"\n{len(seeds)} seeds, {np.mean(seconds):.0f} s to train and predict a fold\n")
    print("| leads | networks | S Se | S +P | S F1 | V Se | V +P | V F1 | N F1 | F F1 | mean F1 of N,S,V |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for leads in LEADS:
        rows = [scores_of(found, [seed], leads) for seed in seeds]
        print(
            f"| {leads} | one, mean ± sd of {len(seeds)} seeds | " + " | ".join(spread(rows, n) for n in NAMES) + " |"
        )
        if len(seeds) > 1:
            averaged = scores_of(found, seeds, leads)
            print(
                f"| {leads} | {len(seeds)} averaged [95 %] | " + " | ".join(interval(averaged, n) for n in NAMES) + " |"
            )
    per_patient(found, seeds)
    if any(key.startswith("found/") for key in found):
        report_hard(found, seeds[0])


NAMES = ("se_S", "pp_S", "f1_S", "se_V", "pp_V", "f1_V", "f1_N", "f1_F", "mean_f1_nsv")


def scores_of(found: dict[str, np.ndarray], seeds: Sequence[int], leads: str) -> Scores:
    ids = sorted(key.split("/")[1] for key in found if key.startswith("truth/"))
    ids = [name for name in ids if f"{seeds[0]}/{name}/{leads}" in found]
    said = [np.mean([found[f"{seed}/{name}/{leads}"] for seed in seeds], axis=0).argmax(1) for name in ids]
    truth = [found[f"truth/{name}"] for name in ids]
    whose = np.repeat(ids, [len(y) for y in truth])
    return beat_scores(np.concatenate(truth), np.concatenate(said), whose, classes=CLASSES)


def spread(rows: Sequence[Scores], name: str) -> str:
    values = [row[name].value for row in rows]
    return f"{np.nanmean(values):.3f} ± {np.nanstd(values):.3f}"


def interval(scores: Scores, name: str) -> str:
    found = scores[name]
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def per_patient(found: dict[str, np.ndarray], seeds: Sequence[int]) -> None:
    averaged = scores_of(found, seeds, "both")
    print("\n| record | " + " | ".join(f"{c}: true, found, false" for c in "NSVF") + " |\n|---|---|---|---|---|")
    for name, counts in averaged.per_subject.items():
        hits, true, said = np.diag(counts), counts.sum(1), counts.sum(0)
        print(f"| {name} | " + " | ".join(f"{true[k]}, {hits[k]}, {said[k] - hits[k]}" for k in range(4)) + " |")


if __name__ == "__main__":
    main()
