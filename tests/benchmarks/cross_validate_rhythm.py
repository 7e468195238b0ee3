"""Cross-validate the recipe `cinc2017` over the recordings that are at hand.

python tests/benchmarks/cross_validate_rhythm.py --data CINC2017 --out rhythm.npz [--seeds 0 1]   train and report
python tests/benchmarks/cross_validate_rhythm.py --out rhythm.npz --report                        report what is there

The recordings are prepared once. Each fold trains one member of the recipe; folds are the same for all seeds, so that
members can be averaged as the recipe averages them. What is in the file already is not trained again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.metrics import Scores
from biosig_lstm.metrics.rhythm import cinc2017_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import kfold_by_subject
from biosig_lstm.training.trees import item_statistics

PROTOCOL, N_SPLITS = "cinc2017", 5
METRICS = ("f1_N", "f1_A", "f1_O", "f1_P", "f1_cinc")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of cinc2017")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--report", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.report:
        windows = recipe_for(PROTOCOL).pipeline(datasets.get(PROTOCOL, chosen.data).recordings())
        for seed in chosen.seeds:
            for fold, (train, test) in enumerate(kfold_by_subject(windows, n_splits=N_SPLITS, seed=0)):
                run_fold(train, test, seed=seed, fold=fold, out=chosen.out)
    report(chosen.out)


def run_fold(train: Windows, test: Windows, *, seed: int, fold: int, out: Path) -> None:
    found = dict(np.load(out)) if out.exists() else {}
    if f"{seed}/{fold}/joined" in found:
        return
    started, cpu = time.perf_counter(), time.process_time()
    recipe: Any = recipe_for(PROTOCOL)
    recipe = replace(recipe, members=1, settings=replace(recipe.settings, seed=seed, device="cpu"))
    model = recipe.fit_windows(train, progress=False)
    model.check_unseen(test)
    answers = {"joined": model.predict(test).probabilities, "trees": trees_alone(model, test)}
    model.networks[0].trees.grown.zero_()
    answers["network"] = model.predict(test).probabilities
    found |= {f"{seed}/{fold}/{name}": values for name, values in answers.items()}
    found |= {f"truth/{fold}": np.asarray(test.y), f"records/{fold}": test.recordings}
    found[f"{seed}/{fold}/seconds"] = np.array([time.perf_counter() - started, time.process_time() - cpu])
    np.savez_compressed(out, **found)
    print(f"seed {seed} fold {fold}: {found[f'{seed}/{fold}/seconds'].round()} s", flush=True)
    for name, scores in scored(found, seeds=[seed], folds=[fold]):
        print(name, {metric: round(scores[metric].value, 4) for metric in METRICS}, flush=True)


def trees_alone(model: Any, test: Windows) -> np.ndarray:
    network = model.networks[0]
    with torch.inference_mode():
        return network.trees(torch.from_numpy(item_statistics(network, test))).softmax(dim=1).numpy()


def scored(found: dict[str, np.ndarray], *, seeds: list[int], folds: list[int]) -> Iterator[tuple[str, Scores]]:
    truth, records = (np.concatenate([found[f"{what}/{fold}"] for fold in folds]) for what in ("truth", "records"))
    for name in ("network", "trees", "joined"):
        each = [np.concatenate([found[f"{seed}/{fold}/{name}"] for fold in folds]) for seed in seeds]
        yield name, cinc2017_scores(truth, np.mean(each, axis=0).argmax(axis=1), records)


def done(found: dict[str, np.ndarray]) -> list[int]:
    """Return the seeds of which every fold is there."""
    seeds = sorted({int(key.split("/")[0]) for key in found if key[0].isdigit()})
    return [seed for seed in seeds if all(f"{seed}/{fold}/joined" in found for fold in range(N_SPLITS))]


def report(path: Path) -> None:
    found = dict(np.load(path))
    seeds, folds = done(found), list(range(N_SPLITS))
    seconds = np.sum([found[f"{seed}/{fold}/seconds"] for seed in seeds for fold in folds], axis=0)
    print(f"\nseeds {seeds}, {N_SPLITS} folds: {seconds[0]:.0f} s, of which {seconds[1]:.0f} s of a processor\n")
    print(f"| members | answer | {' | '.join(METRICS)} |\n|---|---|{'---|' * len(METRICS)}")
    for chosen in [[seed] for seed in seeds] + ([seeds] if len(seeds) > 1 else []):
        for name, scores in scored(found, seeds=chosen, folds=folds):
            print(f"| {len(chosen)} | {name} | {' | '.join(str(scores[metric]) for metric in METRICS)} |")


if __name__ == "__main__":
    main()
