"""Leave each subject of slpdb out in turn: the recipe `slpdb`, and per-epoch models on the same features.

python tests/benchmarks/cross_validate_sleep.py --data SLPDB --out cv.npz [--seeds 0 1 2 3 4]    minutes a seed
python tests/benchmarks/cross_validate_sleep.py --out cv.npz --report                            tables of what is there
python tests/benchmarks/cross_validate_sleep.py --data SLPDB --out cv.npz --report --draw slp45 night.png      a night

Every model of a fold sees the same epochs of the other subjects, and weighs stages by the inverse root of how often
they come. Nothing is chosen on the subject left out. `--seeds` without a number runs the per-epoch models alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from biosig_lstm import datasets, plot
from biosig_lstm.containers import Windows
from biosig_lstm.estimators import Predictions
from biosig_lstm.metrics import STAGE_CLASSES, Scores, bootstrap_by_subject, cohen_kappa, stage_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import leave_one_subject_out

PROTOCOL = "slpdb"
NAMES = ("accuracy", "macro_f1", "kappa", "accuracy_wnr", "kappa_wnr")
Found = dict[str, np.ndarray]


def boosting() -> Any:
    return HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.06, max_leaf_nodes=8, min_samples_leaf=40, l2_regularization=5.0, random_state=0
    )


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))


PER_EPOCH: dict[str, Callable[[], Any]] = {"logistic regression": logistic, "gradient-boosted trees": boosting}

WEIGHTS = {"logistic regression": "logisticregression__sample_weight", "gradient-boosted trees": "sample_weight"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of slpdb")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--draw", nargs=2, metavar=("RECORD", "FILE"), help="draw a night as told by unseen models")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.report:
        recipe = recipe_for(PROTOCOL)
        windows = recipe.pipeline.with_positions("annotated")(datasets.get("slpdb", chosen.data).recordings())
        run(windows, "per epoch", out=chosen.out, fold=per_epoch)
        for seed in chosen.seeds:
            run(windows, f"seed {seed}", out=chosen.out, fold=lambda train, test, seed=seed: network(train, test, seed))
    report(chosen.out)
    if chosen.draw:
        draw(chosen.data, chosen.out, *chosen.draw)


def draw(data: str, path: Path, record: str, picture: str) -> None:
    found = dict(np.load(path))
    (night,) = datasets.get("slpdb", data).recordings([record])
    said = np.mean([found[f"said/{seed}/{record}"] for seed in seeds_in(found)], axis=0)
    n_epochs = len(said)
    predictions = Predictions(
        recordings=np.repeat(record, n_epochs),
        subjects=np.repeat(night.subject, n_epochs),
        samples=30 * np.arange(n_epochs),
        fs=np.ones(n_epochs),
        log_probabilities=np.log(said),
        classes=STAGE_CLASSES,
    )
    plot.hypnogram(predictions, night).savefig(picture, dpi=80, metadata={"Software": None})


def run(windows: Windows, what: str, *, out: Path, fold: Callable[[Windows, Windows], Found]) -> None:
    found = dict(np.load(out)) if out.exists() else {}
    for train, test in leave_one_subject_out(windows):
        started = time.perf_counter()
        assert not set(train.subjects.tolist()) & set(test.subjects.tolist())
        found |= fold(train, test)
        for k, name in enumerate(test.recordings.tolist()):
            found |= {f"truth/{name}": np.asarray(test.item_y(k)), f"subject/{name}": test.subjects[k : k + 1]}
        found[f"seconds/{what}/{test.subjects[0]}"] = np.array(time.perf_counter() - started)
        np.savez_compressed(out, **found)
        print(f"{what}, without {test.subjects[0]}: {time.perf_counter() - started:.0f} s", flush=True)


def network(train: Windows, test: Windows, seed: int) -> Found:
    recipe = recipe_for(PROTOCOL)
    settings = replace(recipe.settings, seed=1000 * seed, device="cpu")
    model = replace(recipe, members=1).new().fit(train, settings=settings, augment=recipe.augment, progress=False)
    model.check_unseen(test)
    said = model.predict(test)
    return {f"said/seed {seed}/{name}": said.of(name).probabilities for name in test.recordings.tolist()}


def per_epoch(train: Windows, test: Windows) -> Found:
    known = np.asarray(train.y) >= 0
    x, y = train.values[known], np.asarray(train.y)[known]
    usual = np.bincount(y, minlength=len(STAGE_CLASSES)) / len(y)
    found: Found = {}
    for k, name in enumerate(test.recordings.tolist()):
        found[f"said/most frequent stage/{name}"] = np.tile(usual, (len(test.item(k)), 1))
    weights = np.sqrt(1 / (len(STAGE_CLASSES) * usual))[y]
    for what, make in PER_EPOCH.items():
        fitted = make()
        fitted.fit(x, y, **{WEIGHTS[what]: weights})
        for k, name in enumerate(test.recordings.tolist()):
            found[f"said/{what}/{name}"] = fitted.predict_proba(test.item(k))
    return found


def scores_of(found: Found, models: Sequence[str]) -> Scores:
    names = sorted(key.split("/")[1] for key in found if key.startswith("truth/"))
    said = [np.mean([found[f"said/{model}/{name}"] for model in models], axis=0).argmax(axis=1) for name in names]
    truth = [found[f"truth/{name}"] for name in names]
    subjects = [np.repeat(found[f"subject/{name}"], len(y)) for name, y in zip(names, truth, strict=True)]
    return stage_scores(np.concatenate(truth), np.concatenate(said), np.concatenate(subjects))


def seeds_in(found: Found) -> list[str]:
    """Return the seeds that every record was told by."""
    seeds = sorted({key.split("/")[1] for key in found if key.startswith("said/seed ")})
    records = [key.split("/")[1] for key in found if key.startswith("truth/")]
    return [seed for seed in seeds if all(f"said/{seed}/{name}" in found for name in records)]


def report(path: Path) -> None:
    found = dict(np.load(path))
    complete = seeds_in(found)
    seconds = [float(v) for k, v in found.items() if k.startswith("seconds/seed")]
    print(f"\n{len(complete)} seeds, {np.mean(seconds or [0]):.0f} s to train and predict a fold\n")
    print("| model | accuracy | macro F1 | kappa | accuracy W/N/R | kappa W/N/R | median kappa of a subject |")
    print("|---|---|---|---|---|---|---|")
    for what in ("most frequent stage", *PER_EPOCH):
        row(what, scores_of(found, [what]))
    if complete:
        each = [scores_of(found, [seed]) for seed in complete]
        cells = [f"{np.mean(v):.3f} ± {np.std(v):.3f}" for v in ([s[n].value for s in each] for n in NAMES)]
        middle = [subject_kappa(s) for s in each]
        print(f"| BiLSTM, one network | {' | '.join(cells)} | {np.mean(middle):.3f} ± {np.std(middle):.3f} |")
        averaged = scores_of(found, complete)
        row(f"BiLSTM, {len(complete)} averaged", averaged)
        for what in PER_EPOCH:
            paired(what, averaged, scores_of(found, [what]))
        per_stage(averaged)


def row(what: str, scores: Scores) -> None:
    cells = (f"{scores[n].value:.3f} [{scores[n].low:.3f}, {scores[n].high:.3f}]" for n in NAMES)
    print(f"| {what} | {' | '.join(cells)} | {subject_kappa(scores):.3f} |")


def paired(what: str, ours: Scores, other: Scores) -> None:
    counts = np.array([[ours.per_subject[who], other.per_subject[who]] for who in ours.per_subject])
    gain = bootstrap_by_subject(counts, lambda n: cohen_kappa(n[:, 0]) - cohen_kappa(n[:, 1]))
    better = sum(kappa(mine) > kappa(theirs) for mine, theirs in counts)
    print(f"\nkappa of the BiLSTMs less that of {what}: {gain}; higher in {better} of {len(counts)} subjects")


def subject_kappa(scores: Scores) -> float:
    return float(np.nanmedian([kappa(counts) for counts in scores.per_subject.values()]))


def kappa(counts: np.ndarray) -> float:
    return float(cohen_kappa(counts))


def per_stage(scores: Scores) -> None:
    print("\n| stage | epochs | Se | +P | F1 |\n|---|---|---|---|---|")
    for k, stage in enumerate(STAGE_CLASSES):
        cells = " | ".join(f"{scores[f'{name}_{stage}'].value:.3f}" for name in ("se", "pp", "f1"))
        print(f"| {stage} | {int(scores.counts[k].sum())} | {cells} |")
    print("\n| subject | epochs | accuracy | kappa |\n|---|---|---|---|")
    for name, counts in scores.per_subject.items():
        print(f"| {name} | {int(counts.sum())} | {np.trace(counts) / counts.sum():.3f} | {kappa(counts):.3f} |")


if __name__ == "__main__":
    main()
