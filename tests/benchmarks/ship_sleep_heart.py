"""Make the weights that ship as `sleep-heart`: train the recipe on every record that is there, with its figures.

python tests/benchmarks/ship_sleep_heart.py --data SLPDB --cv cv.npz
python tests/benchmarks/ship_sleep_heart.py --cv cv.npz --card-only             the figures alone, the weights stay
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _shipping import ship, tidy
from cross_validate_sleep import NAMES, PER_EPOCH, scores_of, seeds_in, subject_kappa

from biosig_lstm.estimators import Estimator
from biosig_lstm.metrics import STAGE_CLASSES, Scores


def main() -> None:
    ship("sleep-heart", protocol="slpdb", card=card, doc=__doc__)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "heart beats of a night, annotated or found in an ECG of any unit of voltage; half an hour at least",
        "networks": f"{model.members} of the same kind from different seeds, probabilities averaged",
        "figures": figures(measured, model.members),
        "limits": (
            "Research use; not a medical device. 13 men of 32 to 56 with sleep apnea, from one laboratory in 1989-90, "
            "staged by the rules of 1968: healthy sleepers, women, other ages and atrial fibrillation were never seen. "
            "Heart beats tell wake from sleep fairly, N1 and REM poorly; agreement with an expert is far below that "
            "of staging by EEG. The whole night must be there: each epoch is seen against the rest of it."
        ),
    }


def figures(path: Path, members: int) -> dict[str, object]:
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


if __name__ == "__main__":
    main()
