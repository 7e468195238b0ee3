"""Make the weights that ship as `eeg-seizure`: train the recipe on all segments, put what was measured on its card.

python tests/benchmarks/ship_eeg_seizure.py --data BONN --cv bonn.npz
python tests/benchmarks/ship_eeg_seizure.py --card-only --cv bonn.npz        the card anew, the weights as they are
"""

from __future__ import annotations

import argparse
import math
from datetime import date
from pathlib import Path

import numpy as np
import torch
from cross_validate_bonn import METRICS, N_SPLITS, PROTOCOL, done, scored

from biosig_lstm import shipped
from biosig_lstm.estimators import Classifier
from biosig_lstm.metrics import Interval
from biosig_lstm.recipes import train_protocol

TARGET = Path(shipped.__file__).parent / "pretrained" / "eeg-seizure.biosig"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data")
    parser.add_argument("--cv", required=True, help="what cross_validate_bonn.py wrote")
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--card-only", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    trained = (
        Classifier.load(chosen.out) if chosen.card_only else train_protocol(PROTOCOL, root=chosen.data, device="cpu")
    )
    trained.card |= {
        "name": "eeg-seizure",
        "made": trained.card.get("made", date.today().isoformat()),
        "input": "one channel of EEG in any unit of voltage, 172 Hz or more; longer ones in pieces of at most 24 s",
        "networks": f"{trained.members} of the same kind from different seeds, each with a kernel machine, "
        "probabilities averaged",
        "figures": figures(chosen.cv),
        "limits": (
            "Research use; not a medical device, and no detector of seizures in a long recording. Trained on chosen "
            "segments of one laboratory, five healthy people and five patients: which segment is of whom was not "
            "published, segments of one patient cannot be told apart and are on both sides of any split, so this is "
            "no patient-wise figure. Healthy segments are of the scalp, all others from inside the skull: a scalp EEG "
            "of a patient is like neither, and its spectrum above 40 Hz depends on the recorder. The classes are "
            "Z healthy, eyes open; O healthy, eyes closed; N between seizures, opposite side; F between seizures, "
            "epileptogenic zone; S seizure."
        ),
    }
    trained.save(chosen.out)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def figures(path: str) -> dict[str, object]:
    found = dict(np.load(path))
    seeds = done(found)
    table = {}
    for count in sorted({1, len(seeds)}):
        for name, scores in scored(found, seeds=seeds[:count]):
            table[f"{count} {name}"] = {metric: tidy(scores[metric]) for metric in METRICS}
    return {
        "what": f"{N_SPLITS}-fold cross-validation by segment over the segments it was trained on; by how many "
        "networks are averaged: the network alone, its kernel machine alone, both joined, which is what this model "
        "does; value and 95 % interval over segments",
        **table,
    }


def tidy(interval: Interval) -> list[float | None]:
    values = (interval.value, interval.low, interval.high)
    return [None if math.isnan(v) else round(v, 4) for v in values]


if __name__ == "__main__":
    main()
