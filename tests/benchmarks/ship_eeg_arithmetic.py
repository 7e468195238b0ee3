"""Make the weights that ship as `eeg-arithmetic`: train the recipe on all people, put what was measured on its card.

python tests/benchmarks/ship_eeg_arithmetic.py --data EEGMAT --cv eegmat.npz
python tests/benchmarks/ship_eeg_arithmetic.py --card-only --cv eegmat.npz      the card anew, the weights as they are
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _members import done
from _shipping import ship, tidy
from cross_validate_eegmat import LAST, METRICS, PROTOCOL, scored

from biosig_lstm.estimators import Estimator


def main() -> None:
    ship("eeg-arithmetic", protocol=PROTOCOL, card=card, doc=__doc__, half=False)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "19 channels of the 10-20 system in any unit of voltage, 92 Hz or more; pieces of 30 s",
        "networks": f"{model.members} of the same kind from different seeds, each with a kernel machine, "
        "probabilities averaged",
        "figures": figures(measured),
        "limits": (
            "Research use; not a medical device. Trained on 12 students of one laboratory, references at the ears, "
            "cleaned by its own analysis of components. Rest always came first: what drifts with time is on the side "
            "of the label, and nothing here tells that from arithmetic. It knows rest and serial subtraction alone: "
            "what it says of other tasks, of open eyes and of sleep is not known."
        ),
    }


def figures(path: Path) -> dict[str, object]:
    found = dict(np.load(path))
    seeds = done(found, last=LAST)
    table = {name: {metric: tidy(scores[metric]) for metric in METRICS} for name, scores in scored(found, seeds=seeds)}
    return {
        "what": f"leaving one of the 12 people out, {len(seeds)} networks averaged: the network alone, its kernel "
        "machine alone, both joined, which is what this model does, by windows of 30 s and by recording; value and "
        "95 % interval over people; the recipe was chosen on the same people",
        **table,
    }


if __name__ == "__main__":
    main()
