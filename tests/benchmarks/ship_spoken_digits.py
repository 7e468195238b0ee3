"""Make the weights that ship as `spoken-digits`: train the recipe on every speaker that is there, with its figures.

python tests/benchmarks/ship_spoken_digits.py --data FSDD --cv cv.npz
python tests/benchmarks/ship_spoken_digits.py --cv cv.npz --card-only             the figures alone, the weights stay
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from _shipping import ship, tidy
from cross_validate_spoken_digits import by_speaker, runs_in, scores_of

from biosig_lstm.estimators import Estimator


def main() -> None:
    ship("spoken-digits", protocol="fsdd", card=card, doc=__doc__)


def card(model: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "one digit in English in each sound file, of any rate from 8 kHz and any number of channels",
        "networks": f"{model.members} of the same kind from different seeds, probabilities averaged",
        "training": (
            "beside the words of people, 3,000 of 300 voices made by rule (a formant synthesiser of this package), "
            "others every five epochs, whose phones and levels were chosen with the people of the training set in view"
        ),
        "figures": figures(measured),
        "limits": (
            "Research use. Trained on four men with accents of English of their own, 50 times each digit, from close "
            "microphones at 8 kHz: women's and children's voices were seen as made by rule alone. It names a digit "
            "whatever it hears, another word or silence too."
        ),
    }


def figures(path: Path) -> dict[str, object]:
    found = dict(np.load(path))
    each: dict[str, object] = {"what": "accuracy leaving one of the four speakers out, one network of each seed"}
    for name in runs_in(found):
        each[name.replace("recipe/", "seed ")] = {
            "by speaker": {speaker: round(value, 4) for speaker, value in by_speaker(found, name).items()},
            "all": tidy(scores_of(found, name)["accuracy"]),
        }
    return each


if __name__ == "__main__":
    main()
