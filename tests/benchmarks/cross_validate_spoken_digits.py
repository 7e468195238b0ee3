"""Leave each speaker of fsdd out in turn: the recipe `fsdd`, and what it is without the parts that stand for voices.

python tests/benchmarks/cross_validate_spoken_digits.py --data FSDD --out cv.npz                    the recipe, once
python tests/benchmarks/cross_validate_spoken_digits.py --data FSDD --out cv.npz --without voices   without one part
python tests/benchmarks/cross_validate_spoken_digits.py --out cv.npz --report                       what is there

Nothing is chosen on the speaker left out. Folds that are in the file already are not trained again.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from biosig_lstm import datasets
from biosig_lstm.datasets.fsdd import DIGITS
from biosig_lstm.metrics import Scores, class_scores
from biosig_lstm.recipes import recipe_for

PARTS = {"voices": "voices made by rule", "sounds": "changed sound", "augment": "changed spectrograms"}
Found = dict[str, np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of fsdd")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--without", nargs="*", choices=PARTS, default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--max-epochs", type=int)
    parser.add_argument("--report", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if not chosen.report:
        run(chosen)
    report(chosen.out)


def run(chosen: argparse.Namespace) -> None:
    recipe = recipe_for("fsdd")
    epochs = chosen.max_epochs or recipe.settings.max_epochs
    settings = replace(recipe.settings, seed=chosen.seed, device="cpu", max_epochs=epochs)
    recipe = replace(recipe, settings=settings, members=chosen.members, **dict.fromkeys(chosen.without))
    name = f"without {' '.join(sorted(chosen.without))}" if chosen.without else "recipe"
    recordings = list(datasets.get("fsdd", chosen.data).recordings())
    for speaker in sorted({recording.subject for recording in recordings}):
        key = f"{name}/{chosen.seed}/{speaker}"
        found = dict(np.load(chosen.out)) if chosen.out.is_file() else {}
        if f"{key}/said" in found:
            continue
        started = time.perf_counter()
        model = recipe.fit([r for r in recordings if r.subject != speaker], progress=False)
        test = recipe.pipeline(r for r in recordings if r.subject == speaker)
        found[f"{key}/said"] = model.predict(test).log_probabilities
        found[f"{key}/truth"] = test.y
        np.savez_compressed(chosen.out, **found)
        accuracy = np.mean(found[f"{key}/said"].argmax(axis=1) == test.y)
        print(f"{key}: {accuracy:.3f}, {time.perf_counter() - started:.0f} s", flush=True)


def scores_of(found: Found, run_name: str) -> Scores:
    """Return the scores over all speakers that a run (``recipe/0``) left out."""
    keys = sorted(
        key.removesuffix("/said") for key in found if key.startswith(f"{run_name}/") and key.endswith("/said")
    )
    truth = np.concatenate([found[f"{key}/truth"] for key in keys])
    said = np.concatenate([found[f"{key}/said"] for key in keys]).argmax(axis=1)
    subjects = np.concatenate([np.full(len(found[f"{key}/truth"]), key.split("/")[2]) for key in keys])
    return class_scores(truth, said, subjects, classes=DIGITS)


def by_speaker(found: Found, run_name: str) -> dict[str, float]:
    """Return the accuracy on each speaker that a run left out."""
    keys = [key for key in found if key.startswith(f"{run_name}/") and key.endswith("/said")]
    return {
        key.split("/")[2]: float(np.mean(found[key].argmax(axis=1) == found[key.removesuffix("said") + "truth"]))
        for key in sorted(keys)
    }


def runs_in(found: Found) -> list[str]:
    return sorted({"/".join(key.split("/")[:2]) for key in found})


def report(path: Path) -> None:
    found = dict(np.load(path))
    speakers = sorted({key.split("/")[2] for key in found})
    print(f"\n| | {' | '.join(speakers)} | all | 95 % interval over speakers |")
    print("|---" * (len(speakers) + 3) + "|")
    for name in runs_in(found):
        each, accuracy = by_speaker(found, name), scores_of(found, name)["accuracy"]
        cells = [f"{each[speaker]:.3f}" if speaker in each else "" for speaker in speakers]
        print(f"| {name} | {' | '.join(cells)} | {accuracy.value:.3f} | {accuracy.low:.3f} to {accuracy.high:.3f} |")
    for name in runs_in(found):
        print(f"\n{name}\n{scores_of(found, name)!r}")


if __name__ == "__main__":
    main()
