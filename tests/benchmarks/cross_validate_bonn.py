"""Cross-validate the recipe `bonn` over the segments that are at hand.

python tests/benchmarks/cross_validate_bonn.py --data BONN --out bonn.npz [--seeds 0 1 2]   train and report
python tests/benchmarks/cross_validate_bonn.py --out bonn.npz --report                      report what is there

The segments are prepared once. Each fold trains one member of the recipe; folds are the same for all seeds, so that
members can be averaged as the recipe averages them. What is in the file already is not trained again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _members import arguments, done, one_member, print_table, time_taken

from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.metrics import Scores, label_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import kfold_by_subject

PROTOCOL, N_SPLITS = "bonn", 10
METRICS = ("accuracy", "macro_f1", "accuracy_2", "accuracy_3")
LAST = [f"{fold}/joined" for fold in range(N_SPLITS)]


def main() -> None:
    chosen = arguments(__doc__, data="bonn", seeds=(0, 1, 2))
    if not chosen.report:
        windows = recipe_for(PROTOCOL).pipeline(datasets.get("bonn", chosen.data).recordings())
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
    answers = {"joined": model.predict(test).probabilities}
    for name, share in (("kernel machine", 1.0), ("BiLSTM", 0.0)):
        model.networks[0].share = share
        answers[name] = model.predict(test).probabilities
    found |= {f"{seed}/{fold}/{name}": values for name, values in answers.items()}
    found |= {f"truth/{fold}": np.asarray(test.y), f"segments/{fold}": test.recordings}
    found[f"{seed}/{fold}/seconds"] = np.array([time.perf_counter() - started, time.process_time() - cpu])
    np.savez_compressed(out, **found)
    print(f"seed {seed} fold {fold}: {found[f'{seed}/{fold}/seconds'].round()} s", flush=True)


def scored(found: dict[str, np.ndarray], *, seeds: list[int]) -> Iterator[tuple[str, Scores]]:
    folds, plan = range(N_SPLITS), datasets.get_protocol(PROTOCOL)
    truth, segments = (np.concatenate([found[f"{what}/{fold}"] for fold in folds]) for what in ("truth", "segments"))
    for name in ("BiLSTM", "kernel machine", "joined"):
        each = [np.concatenate([found[f"{seed}/{fold}/{name}"] for fold in folds]) for seed in seeds]
        yield name, label_scores(truth, np.mean(each, axis=0), segments, classes=plan.classes, merged=plan.merged)


def report(path: Path) -> None:
    found = dict(np.load(path))
    seeds = done(found, last=LAST)
    print(f"\nseeds {seeds}, {time_taken(found, seeds=seeds, folds=range(N_SPLITS))}\n")
    print_table(lambda some: scored(found, seeds=some), seeds=seeds, metrics=METRICS)
    print(f"\n{[scores for _, scores in scored(found, seeds=seeds)][-1]!r}")


if __name__ == "__main__":
    main()
