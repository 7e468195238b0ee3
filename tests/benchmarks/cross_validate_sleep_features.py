"""Leave each subject of sleep-edf-features out in turn: the recipe's BiLSTM beside models of single epochs.

python tests/benchmarks/cross_validate_sleep_features.py --data DIR --out cv.npz [--members 3] [--wake "30 min"]
python tests/benchmarks/cross_validate_sleep_features.py --out cv.npz --report                   tables of what is there
python tests/benchmarks/cross_validate_sleep_features.py --data DIR --out cv.npz --report --draw SC4042E0 night.png

Every model of a fold sees the same epochs of the other subjects and the same columns, those of the recipe, and weighs
stages by the inverse root of how often they come; trees also see the columns of the file alone. The per-epoch network
is that of the recipe, with each epoch a night of its own. Nothing is chosen on the subject left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from biosig_lstm import datasets, plot
from biosig_lstm.containers import Windows
from biosig_lstm.datasets import Dataset
from biosig_lstm.estimators import Predictions
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.metrics import (
    STAGE_CLASSES,
    Scores,
    accuracy,
    bootstrap_by_subject,
    cohen_kappa,
    macro_f1,
    stage_scores,
)
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import leave_one_subject_out

RECIPE = recipe_for("sleep-edf-features")
NAMES = {"accuracy": accuracy, "macro_f1": macro_f1, "kappa": cohen_kappa}
OURS, SINGLE = "BiLSTM over the night", "the same network, each epoch alone"
TREES, FILE_TREES = "gradient-boosted trees", "gradient-boosted trees, columns of the file"
OTHERS = (TREES, FILE_TREES, SINGLE)
N_COLUMNS = 72
Found = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of the recordings")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--members", type=int, default=RECIPE.members)
    parser.add_argument("--epochs", type=int, default=RECIPE.settings.max_epochs)
    parser.add_argument("--wake", default="30 min", choices=["30 min", "whole"])
    parser.add_argument("--night-only", action="store_true", help="leave out the models of single epochs")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--draw", nargs=2, metavar=("RECORD", "FILE"), help="draw a night as told by unseen models")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.report:
        data = datasets.get("sleep_edf_features", chosen.data, wake=chosen.wake)
        windows = RECIPE.pipeline(data.recordings())
        for train, test in leave_one_subject_out(windows):
            how = {"members": chosen.members, "epochs": chosen.epochs, "night_only": chosen.night_only}
            fold(train, test, out=chosen.out, **how)
    report(chosen.out)
    if chosen.draw:
        draw(datasets.get("sleep_edf_features", chosen.data, wake=chosen.wake), chosen.out, *chosen.draw)


def draw(data: Dataset, path: Path, record: str, picture: str) -> None:
    (night,) = data.recordings([record])
    said = np.load(path)[f"said/{OURS}/{record}"]
    predictions = Predictions(
        recordings=np.repeat(record, len(said)),
        subjects=np.repeat(night.subject, len(said)),
        samples=np.arange(len(said)),
        fs=np.full(len(said), night.fs),
        log_probabilities=np.log(np.maximum(said, 1e-9)),
        classes=STAGE_CLASSES,
    )
    plot.hypnogram(predictions, night).savefig(picture, dpi=80, metadata={"Software": None})


def fold(train: Windows, test: Windows, *, out: Path, members: int, epochs: int, night_only: bool) -> None:
    found: Found = dict(np.load(out)) if out.exists() else {}
    names = test.recordings.tolist()
    if all(f"said/{OURS}/{name}" in found for name in names):
        return
    assert not set(train.subjects.tolist()) & set(test.subjects.tolist())
    recipe = replace(RECIPE, members=members, settings=replace(RECIPE.settings, device="cpu", max_epochs=epochs))
    started = time.perf_counter()
    model = recipe.fit_windows(train, progress=False)
    model.check_unseen(test)
    said = model.predict(test)
    found |= {f"said/{OURS}/{name}": said.of(name).probabilities for name in names}
    print(f"without {test.subjects[0]}: {time.perf_counter() - started:.0f} s", flush=True)
    if not night_only:
        found |= alone(train, test, members) | trees(train, test, TREES)
        found |= trees(of_file(train), of_file(test), FILE_TREES)
    for k, name in enumerate(names):
        found |= {f"truth/{name}": np.asarray(test.item_y(k)), f"subject/{name}": test.subjects[k : k + 1]}
    np.savez_compressed(out, **found)


def of_file(windows: Windows) -> Windows:
    return windows.with_values(windows.values[:, :N_COLUMNS], columns=windows.columns[:N_COLUMNS])


def alone(train: Windows, test: Windows, members: int) -> Found:
    """Return what networks of the recipe's kind say that are given every epoch as a night of its own."""
    scaling = Standardize().fit(train)
    names = test.recordings.tolist()
    nights = [torch.tensor(scaling(test).item(k)).unsqueeze(1) for k in range(len(test))]
    x, y = torch.tensor(scaling(train).values), torch.tensor(np.asarray(train.y))
    said: list[np.ndarray | float] = [0.0] * len(nights)
    for seed in range(members):
        network = single_epochs(x, y, weights_of(train), seed)
        with torch.inference_mode():
            for k, night in enumerate(nights):
                logits = network(night, torch.ones(len(night), dtype=torch.int64))[:, 0]
                said[k] = said[k] + torch.softmax(logits, dim=1).numpy() / members
    return {f"said/{SINGLE}/{name}": np.asarray(told) for name, told in zip(names, said, strict=True)}


def single_epochs(x: torch.Tensor, y: torch.Tensor, weights: np.ndarray, seed: int) -> torch.nn.Module:
    """Return a network trained on epochs one by one: 200 steps of 512, noise and dropout as in the recipe."""
    torch.manual_seed(seed)
    network = RECIPE.model.build(n_features=x.shape[1], n_outputs=len(STAGE_CLASSES), per_step=True)
    how, steps = RECIPE.settings, 200
    optimiser = torch.optim.AdamW(network.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, how.learning_rate, total_steps=steps, pct_start=0.1)
    loss = torch.nn.CrossEntropyLoss(torch.from_numpy(weights).float(), ignore_index=-1)
    for _ in range(steps):
        rows = torch.randint(len(x), (512,))
        noisy = x[rows] + 0.3 * torch.randn(512, x.shape[1])
        optimiser.zero_grad()
        loss(network(noisy.unsqueeze(1), torch.ones(512, dtype=torch.int64))[:, 0], y[rows]).backward()
        optimiser.step()
        schedule.step()
    return network.eval()


def weights_of(train: Windows) -> np.ndarray:
    y = np.asarray(train.y)
    weights = np.sqrt(1 / np.bincount(y[y >= 0], minlength=len(STAGE_CLASSES)))
    return np.asarray(weights / weights.mean())


def trees(train: Windows, test: Windows, what: str) -> Found:
    y = np.asarray(train.y)
    known = y >= 0
    model = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.08, max_leaf_nodes=15, l2_regularization=5.0, random_state=0
    )
    model.fit(train.values[known], y[known], sample_weight=weights_of(train)[y[known]])
    names = test.recordings.tolist()
    return {f"said/{what}/{name}": model.predict_proba(test.item(k)) for k, name in enumerate(names)}


def scores_of(found: Found, what: str) -> Scores:
    names = sorted(key.split("/")[1] for key in found if key.startswith("truth/"))
    said = [found[f"said/{what}/{name}"].argmax(axis=1) for name in names]
    truth = [found[f"truth/{name}"] for name in names]
    subjects = [np.repeat(found[f"subject/{name}"], len(y)) for name, y in zip(names, truth, strict=True)]
    return stage_scores(np.concatenate(truth), np.concatenate(said), np.concatenate(subjects))


def report(path: Path) -> None:
    found = dict(np.load(path))
    others = [what for what in OTHERS if any(key.startswith(f"said/{what}/") for key in found)]
    scores = {what: scores_of(found, what) for what in (OURS, *others)}
    print(f"\n{scores[OURS].n_items} epochs of {len(scores[OURS].per_subject)} subjects\n")
    table("model", {what: [cell(scores[what], name) for name in NAMES] for what in scores})
    if others:
        print()
        table("BiLSTM less", {what: [paired(scores[OURS], scores[what], name) for name in NAMES] for what in others})
    print(f"\n| stage | epochs | Se | +P | F1{''.join(f' | F1, {what}' for what in others)} |")
    print("|---" * (5 + len(others)) + "|")
    for k, stage in enumerate(STAGE_CLASSES):
        values = [scores[OURS][f"{name}_{stage}"].value for name in ("se", "pp", "f1")]
        values += [scores[what][f"f1_{stage}"].value for what in others]
        print(f"| {stage} | {int(scores[OURS].counts[k].sum())} | {' | '.join(f'{v:.3f}' for v in values)} |")


def table(head: str, rows: dict[str, Sequence[str]]) -> None:
    print(f"| {head} | accuracy | macro F1 | kappa |\n|---|---|---|---|")
    for what, cells in rows.items():
        print(f"| {what} | {' | '.join(cells)} |")


def cell(scores: Scores, name: str) -> str:
    return f"{scores[name].value:.3f} [{scores[name].low:.3f}, {scores[name].high:.3f}]"


def paired(ours: Scores, other: Scores, name: str) -> str:
    value_of = NAMES[name]
    counts = np.array([[ours.per_subject[who], other.per_subject[who]] for who in ours.per_subject])
    gain = bootstrap_by_subject(counts, lambda n: value_of(n[:, 0]) - value_of(n[:, 1]))
    better = sum(value_of(mine) > value_of(theirs) for mine, theirs in counts)
    return f"{gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}], in {better} of {len(counts)}"


if __name__ == "__main__":
    main()
