"""Make the weights that ship as `eeg-arithmetic`: train the recipe on all people, put what was measured on its card.

python tests/benchmarks/ship_eeg_arithmetic.py --data EEGMAT --cv eegmat.npz
python tests/benchmarks/ship_eeg_arithmetic.py --card-only --cv eegmat.npz      the card anew, the weights as they are
"""

from __future__ import annotations

import argparse
import math
from datetime import date
from pathlib import Path

import numpy as np
import torch
from cross_validate_eegmat import METRICS, PROTOCOL, done, scored

from biosig_lstm import shipped
from biosig_lstm.estimators import Classifier
from biosig_lstm.metrics import Interval
from biosig_lstm.recipes import train_protocol

TARGET = Path(shipped.__file__).parent / "pretrained" / "eeg-arithmetic.biosig"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--cv", required=True, help="what cross_validate_eegmat.py wrote")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--card-only", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    trained = (
        Classifier.load(chosen.out) if chosen.card_only else train_protocol(PROTOCOL, root=chosen.data, device="cpu")
    )
    trained.card |= {
        "name": "eeg-arithmetic",
        "made": trained.card.get("made", date.today().isoformat()),
        "input": "19 channels of the 10-20 system in any unit of voltage, 92 Hz or more; pieces of 30 s",
        "networks": f"{trained.members} of the same kind from different seeds, each with a kernel machine, "
        "probabilities averaged",
        "figures": figures(chosen.cv),
        "limits": (
            "Research use; not a medical device. Trained on 12 students of one laboratory, references at the ears, "
            "cleaned by its own analysis of components. Rest always came first: what drifts with time is on the side "
            "of the label, and nothing here tells that from arithmetic. It knows rest and serial subtraction alone: "
            "what it says of other tasks, of open eyes and of sleep is not known."
        ),
    }
    trained.save(chosen.out)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def figures(path: str) -> dict[str, object]:
    found = dict(np.load(path))
    seeds = done(found)
    table = {name: {metric: tidy(scores[metric]) for metric in METRICS} for name, scores in scored(found, seeds=seeds)}
    return {
        "what": f"leaving one of the 12 people out, {len(seeds)} networks averaged: the network alone, its kernel "
        "machine alone, both joined, which is what this model does, by windows of 30 s and by recording; value and "
        "95 % interval over people; the recipe was chosen on the same people",
        **table,
    }


def tidy(interval: Interval) -> list[float | None]:
    values = (interval.value, interval.low, interval.high)
    return [None if math.isnan(v) else round(v, 4) for v in values]


if __name__ == "__main__":
    main()
