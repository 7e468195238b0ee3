"""Make the weights that ship as `ecg-rhythm`: train the recipe on all recordings, put what was measured on its card.

python tests/benchmarks/ship_ecg_rhythm.py --data CINC2017 --cv rhythm.npz
python tests/benchmarks/ship_ecg_rhythm.py --card-only --cv rhythm.npz        the card anew, the weights as they are
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _members import done
from _shipping import ship, tidy
from cross_validate_rhythm import LAST, METRICS, N_SPLITS, PROTOCOL, scored

from biosig_lstm.estimators import Estimator


def main() -> None:
    ship("ecg-rhythm", protocol=PROTOCOL, card=card, doc=__doc__, half=False)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "one lead of an ECG in any unit of voltage, 100 Hz or more, either way up; beats are found",
        "networks": f"{model.members} of the same kind from different seeds, each with trees, probabilities averaged",
        "figures": figures(measured),
        "limits": (
            "Research use; not a medical device. Trained on recordings of a hand-held device, mostly of 30 s, of "
            "people who are not named: whether some of them come twice is not known. The labels were given by few "
            "experts and are known to be uncertain, those of other rhythms and of noise most of all. Other rhythm (O) "
            "is everything from a premature beat to flutter: it says that something is there, not what. Along long "
            "recordings episodes begin and end to within about ten seconds, and shorter ones than half a minute are "
            "left out."
        ),
    }


def figures(path: Path) -> dict[str, object]:
    found = dict(np.load(path))
    seeds, folds = done(found, last=LAST), list(range(N_SPLITS))
    table = {}
    for count in sorted({1, len(seeds)}):
        for name, scores in scored(found, seeds=seeds[:count], folds=folds):
            table[f"{count} {name}"] = {metric: tidy(scores[metric]) for metric in METRICS}
    return {
        "what": f"{N_SPLITS}-fold cross-validation over the recordings it was trained on; by how many networks are "
        "averaged: the network alone, its trees alone, both joined, which is what this model does; value and 95 % "
        "interval over recordings",
        **table,
    }


if __name__ == "__main__":
    main()
