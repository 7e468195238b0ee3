"""Make the weights that ship as `ecg-beats`: train the recipe on all of DS1, and put what was measured on its card.

python tests/benchmarks/ship_ecg_beats.py --data MITDB --cv cv.npz
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _shipping import ship, tidy
from cross_validate_beats import LEADS, N_SPLITS, scores_of

from biosig_lstm.estimators import Estimator

METRICS = ("se_N", "pp_N", "f1_N", "se_S", "pp_S", "f1_S", "se_V", "pp_V", "f1_V", "f1_F", "mean_f1_nsv", "accuracy")


def main() -> None:
    ship("ecg-beats", protocol="mitdb-aami", card=card, doc=__doc__)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "one lead or two of an ECG in any unit of voltage, 100 Hz or more; beats are found or given",
        "networks": f"{model.members} of the same kind from different seeds, probabilities averaged",
        "figures": figures(measured, model.members),
        "limits": (
            "Research use; not a medical device. 22 patients of one hospital, two-lead ambulatory recordings from the "
            "1970s; paced patients were left out, so paced beats (Q) are not recognised; fusion beats (F) came from "
            "nearly one patient alone and are not recognised in others. In atrial fibrillation S is not reliable."
        ),
    }


def figures(path: Path, members: int) -> dict[str, object]:
    found = dict(np.load(path))
    seeds = sorted({int(key.split("/")[0]) for key in found if key[0].isdigit()})[:members]
    table = {}
    for leads in LEADS:
        scores = scores_of(found, seeds, leads)
        table[leads] = {name: tidy(scores[name]) for name in METRICS}
    return {
        "what": f"{N_SPLITS}-fold cross-validation over the 22 patients of DS1, positions of beats as annotated, "
        f"{len(seeds)} networks averaged; value and 95 % interval over patients; leads that were given",
        **table,
    }


if __name__ == "__main__":
    main()
