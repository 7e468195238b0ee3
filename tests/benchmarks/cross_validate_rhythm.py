"""Cross-validate the recipe `cinc2017` over the recordings that are at hand.

python tests/benchmarks/cross_validate_rhythm.py --data CINC2017 --out rhythm.npz [--seeds 0 1]   train and report
python tests/benchmarks/cross_validate_rhythm.py --out rhythm.npz --report                        report what is there

The recordings are prepared once. Each fold trains one member of the recipe; folds are the same for all seeds, so that
members can be averaged as the recipe averages them. What is in the file already is not trained again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _members import arguments, done, one_member, print_table, time_taken

from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.metrics import Scores
from biosig_lstm.metrics.rhythm import cinc2017_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import kfold_by_subject
from biosig_lstm.training.trees import item_statistics

PROTOCOL, N_SPLITS = "cinc2017", 5
METRICS = ("f1_N", "f1_A", "f1_O", "f1_P", "f1_cinc")
LAST = [f"{fold}/joined" for fold in range(N_SPLITS)]


def main() -> None:
    chosen = arguments(__doc__, data="cinc2017", seeds=(0, 1))
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
    model = one_member(PROTOCOL, seed=seed).fit_windows(train, progress=False)
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


def report(path: Path) -> None:
    found = dict(np.load(path))
    seeds, folds = done(found, last=LAST), list(range(N_SPLITS))
    print(f"\nseeds {seeds}, {time_taken(found, seeds=seeds, folds=folds)}\n")
    print_table(lambda some: scored(found, seeds=some, folds=folds), seeds=seeds, metrics=METRICS)


if __name__ == "__main__":
    main()
