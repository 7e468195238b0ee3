"""Stage every night of Sleep-EDF by models that never saw its sleeper: the recipe of a protocol, by folds of subjects.

python tests/benchmarks/cross_validate_sleep_edf.py --data DIR --protocol sleep-edf-20 --folds 20 --out cv20
python tests/benchmarks/cross_validate_sleep_edf.py --data DIR --protocol sleep-edf-78 --folds 10 --out cv78
python tests/benchmarks/cross_validate_sleep_edf.py --data DIR --protocol sleep-edf-20 --out cv20 --report

As many folds as subjects leave one out at a time. Wake is cropped as the protocol says, to 30 minutes. A fold that is
done is on disk, ``fold<k>.npz``, and is not done again. Then: a table on stdout, and in the folder ``scores.json``,
``predictions.csv`` and a picture of every night below its expert's stages. All windows are kept in memory, twice while
they are put together: 0.5 GB for the 39 nights of one channel, 2 GB for the 153.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from biosig_lstm import datasets, plot
from biosig_lstm.containers import Windows
from biosig_lstm.datasets import Dataset
from biosig_lstm.estimators import Predictions
from biosig_lstm.metrics import STAGE_CLASSES, Scores, stage_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import kfold_by_subject, leave_one_subject_out

FIELDS = ("recordings", "subjects", "samples", "fs", "log_probabilities")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of the database")
    parser.add_argument("--protocol", default="sleep-edf-20")
    parser.add_argument("--folds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--max-epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--report", action="store_true", help="only show what is there")
    chosen = parser.parse_args()
    plan = datasets.get_protocol(chosen.protocol)
    data = datasets.get(plan.dataset, chosen.data, **plan.settings)
    chosen.out.mkdir(parents=True, exist_ok=True)
    if not chosen.report:
        train_folds(data, chosen)
    report(data, chosen.out, name=chosen.protocol)


def train_folds(data: Dataset, chosen: argparse.Namespace) -> None:
    recipe = recipe_for(chosen.protocol)
    changes = {"seed": chosen.seed, "device": chosen.device}
    changes |= {} if chosen.max_epochs is None else {"max_epochs": chosen.max_epochs}
    recipe = replace(recipe, settings=replace(recipe.settings, **changes))
    windows = recipe.pipeline(data.recordings())
    for k, (train, test) in enumerate(folds(windows, n_folds=chosen.folds, seed=chosen.seed)):
        path = chosen.out / f"fold{k}.npz"
        if path.exists():
            continue
        started = time.perf_counter()
        model = recipe.fit_windows(train, protocol=chosen.protocol, progress=False)
        model.check_unseen(test)
        said = model.predict(test)
        np.savez_compressed(path, truth=np.asarray(test.y), **{name: getattr(said, name) for name in FIELDS})
        who = " ".join(sorted(set(test.subjects.tolist())))
        print(f"fold {k}, without {who}: {time.perf_counter() - started:.0f} s", flush=True)


def folds(windows: Windows, *, n_folds: int, seed: int) -> Iterator[tuple[Windows, Windows]]:
    alone = n_folds == len(set(windows.subjects.tolist()))
    return leave_one_subject_out(windows) if alone else kfold_by_subject(windows, n_splits=n_folds, seed=seed)


def report(data: Dataset, out: Path, *, name: str) -> None:
    parts = [dict(np.load(path)) for path in sorted(out.glob("fold*.npz"))]
    truth = np.concatenate([part["truth"] for part in parts])
    joined = {field: np.concatenate([part[field] for part in parts]) for field in FIELDS}
    said = Predictions(**joined, classes=STAGE_CLASSES)
    scores = stage_scores(truth, said.index, said.subjects)
    (out / "scores.json").write_text(scores.to_json(indent=1) + "\n", encoding="utf-8")
    said.to_csv(out / "predictions.csv")
    table(scores, name=name, n_nights=len(set(said.recordings.tolist())), n_folds=len(parts))
    pictures = out / "hypnograms"
    pictures.mkdir(exist_ok=True)
    for night in data.recordings(sorted(set(said.recordings.tolist()))):
        figure = plot.hypnogram(said.of(night.id), night)
        figure.savefig(pictures / f"{night.id}.png", dpi=80, metadata={"Software": None})


def table(scores: Scores, *, name: str, n_nights: int, n_folds: int) -> None:
    print(f"\n{name}: {n_nights} nights of {scores.n_subjects} subjects, {scores.n_items} epochs, {n_folds} folds\n")
    print("| accuracy | macro F1 | kappa |\n|---|---|---|")
    cells = (scores[metric] for metric in ("accuracy", "macro_f1", "kappa"))
    print("| " + " | ".join(f"{c.value:.3f} [{c.low:.3f}, {c.high:.3f}]" for c in cells) + " |")
    print("\n| stage | epochs | Se | +P | F1 |\n|---|---|---|---|---|")
    for k, stage in enumerate(STAGE_CLASSES):
        values = (scores[f"{metric}_{stage}"].value for metric in ("se", "pp", "f1"))
        print(f"| {stage} | {int(scores.counts[k].sum())} | {' | '.join(f'{v:.3f}' for v in values)} |")


if __name__ == "__main__":
    main()
