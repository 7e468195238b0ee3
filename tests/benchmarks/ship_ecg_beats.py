"""Make the weights that ship as `ecg-beats`: train the recipe on all of DS1, and put what was measured on its card.

python tests/benchmarks/ship_ecg_beats.py --data MITDB --cv cv.npz
"""

from __future__ import annotations

import argparse
import math
from datetime import date
from pathlib import Path

import numpy as np
import torch
from cross_validate_beats import LEADS, N_SPLITS, scores_of

from biosig_lstm import shipped
from biosig_lstm.recipes import train_protocol

METRICS = ("se_N", "pp_N", "f1_N", "se_S", "pp_S", "f1_S", "se_V", "pp_V", "f1_V", "f1_F", "mean_f1_nsv", "accuracy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cv", required=True, help="what cross_validate_beats.py wrote")
    parser.add_argument("--out", type=Path, default=Path(shipped.__file__).parent / "pretrained" / "ecg-beats.biosig")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = train_protocol("mitdb-aami", root=chosen.data, device="cpu", announce=print)
    model.card |= {
        "name": "ecg-beats",
        "made": date.today().isoformat(),
        "input": "one lead or two of an ECG in any unit of voltage, 100 Hz or more; beats are found or given",
        "networks": f"{model.members} of the same kind from different seeds, probabilities averaged",
        "figures": figures(chosen.cv, model.members),
        "limits": (
            "Research use; not a medical device. 22 patients of one hospital, two-lead ambulatory recordings from the "
            "1970s; paced patients were left out, so paced beats (Q) are not recognised; fusion beats (F) came from "
            "nearly one patient alone and are not recognised in others. In atrial fibrillation S is not reliable."
        ),
    }
    model.save(chosen.out, half=True)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def figures(path: str, members: int) -> dict[str, object]:
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


def tidy(interval: object) -> list[float | None]:
    values = (interval.value, interval.low, interval.high)  # type: ignore[attr-defined]
    return [None if math.isnan(v) else round(v, 4) for v in values]


if __name__ == "__main__":
    main()
