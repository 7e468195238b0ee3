"""Cross-validate the recipe `eegmat`, leaving one person out at a time, beside a model without memory.

python tests/benchmarks/cross_validate_eegmat.py --data EEGMAT --out eegmat.npz [--seeds 0 1 2]   train and report
python tests/benchmarks/cross_validate_eegmat.py --out eegmat.npz --report                      report what is there

The recordings are prepared once. Each fold trains one member of the recipe for each seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from _members import arguments, done, one_member, print_table

from biosig_lstm import datasets
from biosig_lstm.containers import Windows
from biosig_lstm.metrics import Scores, label_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import leave_one_subject_out

PROTOCOL = "eegmat"
METRICS = ("balanced_accuracy", "auc", "accuracy")
LAST = ("joined",)
ANSWERS = ("BiLSTM", "kernel machine", "joined")


def main() -> None:
    chosen = arguments(__doc__, data="eegmat", seeds=(0, 1, 2))
    if not chosen.report:
        windows = recipe_for(PROTOCOL).pipeline(datasets.get(PROTOCOL, chosen.data).recordings())
        for seed in chosen.seeds:
            run(windows, seed=seed, out=chosen.out)
    report(chosen.out)


def run(windows: Windows, *, seed: int, out: Path) -> None:
    found = dict(np.load(out)) if out.exists() else {}
    if f"{seed}/joined" in found:
        return
    recipe = one_member(PROTOCOL, seed=seed)
    answers: dict[str, list[np.ndarray]] = {name: [] for name in ANSWERS}
    tested = []
    for train, test in leave_one_subject_out(windows):
        model = recipe.fit_windows(train, progress=False)
        model.check_unseen(test)
        answers["joined"].append(model.predict(test).probabilities)
        for name, share in (("kernel machine", 1.0), ("BiLSTM", 0.0)):
            model.networks[0].share = share
            answers[name].append(model.predict(test).probabilities)
        tested.append(test)
        print(f"seed {seed}: without {test.subjects[0]}", flush=True)
    seen = Windows.concatenate(tested)
    found |= {f"{seed}/{name}": np.concatenate(parts) for name, parts in answers.items()}
    found |= {"truth": np.asarray(seen.y), "subjects": seen.subjects, "recordings": seen.recordings}
    np.savez_compressed(out, **found)


def scored(found: dict[str, np.ndarray], *, seeds: list[int]) -> Iterator[tuple[str, Scores]]:
    """Yield scores of windows of 30 s, then of whole recordings by the mean log-probability of their windows."""
    classes, names = datasets.get_protocol(PROTOCOL).classes, np.unique(found["recordings"])
    first = [int(np.argmax(found["recordings"] == name)) for name in names]
    for name in ANSWERS:
        likely = np.mean([found[f"{seed}/{name}"] for seed in seeds], axis=0)
        yield f"{name}, 30 s", label_scores(found["truth"], likely, found["subjects"], classes=classes)
        whole = np.stack([np.log(likely[found["recordings"] == name]).mean(axis=0) for name in names])
        whole = np.exp(whole) / np.exp(whole).sum(axis=1, keepdims=True)
        yield (
            f"{name}, recording",
            label_scores(found["truth"][first], whole, found["subjects"][first], classes=classes),
        )


def report(path: Path) -> None:
    found = dict(np.load(path))
    seeds = done(found, last=LAST)
    print(f"\nseeds {seeds}, leaving one person out\n")
    print_table(lambda some: scored(found, seeds=some), seeds=seeds, metrics=METRICS)


if __name__ == "__main__":
    main()
