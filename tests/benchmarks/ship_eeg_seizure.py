"""Make the weights that ship as `eeg-seizure`: train the recipe on all segments, put what was measured on its card.

python tests/benchmarks/ship_eeg_seizure.py --data BONN --cv bonn.npz
python tests/benchmarks/ship_eeg_seizure.py --card-only --cv bonn.npz        the card anew, the weights as they are
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _members import done
from _shipping import ship, tidy
from cross_validate_bonn import LAST, METRICS, N_SPLITS, PROTOCOL, scored

from biosig_lstm.estimators import Estimator


def main() -> None:
    ship("eeg-seizure", protocol=PROTOCOL, card=card, doc=__doc__, half=False)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "one channel of EEG in any unit of voltage, 172 Hz or more; longer ones in pieces of at most 24 s",
        "networks": f"{model.members} of the same kind from different seeds, each with a kernel machine, "
        "probabilities averaged",
        "figures": figures(measured),
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


def figures(path: Path) -> dict[str, object]:
    found = dict(np.load(path))
    seeds = done(found, last=LAST)
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


if __name__ == "__main__":
    main()
