"""Scores of several labels beside scikit-learn, a step of training: python tests/benchmarks/bench_multilabel.py."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from biosig_lstm.metrics import multilabel_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.training.module import SeveralLabelsLoss

N_RECORDS, N_CLASSES, N_PATIENTS, N_DRAWS = 2200, 71, 1900, 1000
SCIKIT_DRAWS = 20
BATCH, CROP_STEPS, LEADS = 128, 250, 12


def median_s(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the median processor time of a call, after one that is not counted: other programs do not matter."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return float(np.median(times))


def generated_fold() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return labels as rare as those of PTB-XL, probabilities that know something of them, and patients."""
    rng = np.random.default_rng(0)
    shares = np.geomspace(0.45, 0.001, N_CLASSES)
    truth = (rng.random((N_RECORDS, N_CLASSES)) < shares).astype(int)
    truth[0], truth[1] = 1, 0
    probability = rng.random(truth.shape) + 0.4 * truth
    return truth, probability, np.array([f"p{k}" for k in rng.integers(0, N_PATIENTS, N_RECORDS)])


def scikit_loop(truth: np.ndarray, probability: np.ndarray, subjects: np.ndarray, score: Callable[..., float]) -> None:
    """Score some draws of patients, class by class, as roc_auc_score does."""
    rng = np.random.default_rng(0)
    _, code = np.unique(subjects, return_inverse=True)
    n_patients = code.max() + 1
    for _ in range(SCIKIT_DRAWS):
        times = np.bincount(rng.integers(0, n_patients, n_patients), minlength=n_patients)[code]
        drawn = np.repeat(np.arange(len(truth)), times)
        present = truth[drawn].any(axis=0)
        score(truth[drawn][:, present], probability[drawn][:, present], average="macro")


def bench_scores() -> list[tuple[str, float, float]]:
    """Time AUC, average precision and F1 of all classes with intervals, and scikit-learn's parts of it."""
    truth, probability, subjects = generated_fold()
    names = [f"C{k}" for k in range(N_CLASSES)]
    ours = median_s(lambda: multilabel_scores(truth, probability, subjects, classes=names, n_resamples=N_DRAWS))
    scale = N_DRAWS / SCIKIT_DRAWS
    peers = {"roc_auc_score": roc_auc_score, "average_precision_score": average_precision_score}
    return [
        (name, median_s(lambda score=score: scikit_loop(truth, probability, subjects, score), 1) * scale, ours)
        for name, score in peers.items()
    ]


def bench_step() -> float:
    """Return the seconds of a training step of the recipe on one thread of a processor."""
    torch.set_num_threads(1)
    recipe = recipe_for("ptbxl-all")
    network = recipe.model.build(n_features=LEADS, n_outputs=N_CLASSES).train()
    optimiser = torch.optim.AdamW(network.parameters())
    x, lengths = torch.randn(BATCH, CROP_STEPS, LEADS), torch.full((BATCH,), CROP_STEPS)
    y = torch.randint(0, 2, (BATCH, N_CLASSES))

    def step() -> None:
        optimiser.zero_grad()
        SeveralLabelsLoss(None)(network(x, lengths), y).backward()
        optimiser.step()

    return median_s(step)


def main() -> None:
    """Print the tables."""
    print("| peer, macro over 71 classes, 1,000 draws of patients | peer s | ours s | peer / ours |\n|---|---|---|---|")
    for peer, theirs, ours in bench_scores():
        print(f"| loop over {peer} | {theirs:.0f} | {ours:.2f} | {theirs / ours:.0f} |")
    print(f"\nA training step of the recipe, {BATCH} crops, one thread: {bench_step():.2f} s")


if __name__ == "__main__":
    main()
