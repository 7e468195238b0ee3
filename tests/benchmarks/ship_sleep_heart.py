"""Make the weights that ship as `sleep-heart`: train the recipe on every record that is there, with its figures.

python tests/benchmarks/ship_sleep_heart.py --data SLPDB --cv cv.npz
python tests/benchmarks/ship_sleep_heart.py --cv cv.npz --card-only             the figures alone, the weights stay
"""

from __future__ import annotations

import argparse
import math
from datetime import date
from pathlib import Path

import numpy as np
import torch
from cross_validate_sleep import NAMES, PER_EPOCH, scores_of, seeds_in, subject_kappa

from biosig_lstm import shipped
from biosig_lstm.estimators import load
from biosig_lstm.metrics import STAGE_CLASSES, Interval, Scores
from biosig_lstm.recipes import train_protocol


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of slpdb")
    parser.add_argument("--cv", required=True, help="what cross_validate_sleep.py wrote")
    parser.add_argument("--out", type=Path, default=Path(shipped.__file__).parent / "pretrained" / "sleep-heart.biosig")
    parser.add_argument("--card-only", action="store_true", help="keep the weights that are there")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.card_only:
        model = load(chosen.out)
    else:
        model = train_protocol("slpdb", root=chosen.data, device="cpu", announce=print)
    model.card |= {
        "name": "sleep-heart",
        "made": model.card.get("made", date.today().isoformat()),
        "input": "heart beats of a night, annotated or found in an ECG of any unit of voltage; half an hour at least",
        "networks": f"{model.members} of the same kind from different seeds, probabilities averaged",
        "figures": figures(chosen.cv, model.members),
        "limits": (
            "Research use; not a medical device. 13 men of 32 to 56 with sleep apnea, from one laboratory in 1989-90, "
            "staged by the rules of 1968: healthy sleepers, women, other ages and atrial fibrillation were never seen. "
            "Heart beats tell wake from sleep fairly, N1 and REM poorly; agreement with an expert is far below that "
            "of staging by EEG. The whole night must be there: each epoch is seen against the rest of it."
        ),
    }
    model.save(chosen.out, half=True)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def figures(path: str, members: int) -> dict[str, object]:
    found = dict(np.load(path))
    seeds = seeds_in(found)[:members]
    shown = {"sleep-heart": scores_of(found, seeds)} | {what: scores_of(found, [what]) for what in PER_EPOCH}
    return {
        "what": f"leaving one of the 13 subjects out, beats as annotated, {len(seeds)} networks averaged; value and "
        "95 % interval over subjects; below it models of single epochs on the same features",
        **{what: table(scores) for what, scores in shown.items()},
        "f1 of each stage": {stage: tidy(shown["sleep-heart"][f"f1_{stage}"]) for stage in STAGE_CLASSES},
    }


def table(scores: Scores) -> dict[str, object]:
    return {name: tidy(scores[name]) for name in NAMES} | {"median kappa of a subject": round(subject_kappa(scores), 4)}


def tidy(interval: Interval) -> list[float | None]:
    values = (interval.value, interval.low, interval.high)
    return [None if math.isnan(v) else round(v, 4) for v in values]


if __name__ == "__main__":
    main()
