"""Make the weights that ship as `spoken-digits`: train the recipe on every speaker that is there, with its figures.

python tests/benchmarks/ship_spoken_digits.py --data FSDD --cv cv.npz
python tests/benchmarks/ship_spoken_digits.py --cv cv.npz --card-only             the figures alone, the weights stay
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import numpy as np
import torch
from cross_validate_spoken_digits import by_speaker, runs_in, scores_of

from biosig_lstm import shipped
from biosig_lstm.estimators import load
from biosig_lstm.recipes import train_protocol


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of fsdd")
    parser.add_argument("--cv", type=Path, help="what cross_validate_spoken_digits.py wrote")
    name = "spoken-digits.biosig"
    parser.add_argument("--out", type=Path, default=Path(shipped.__file__).parent / "pretrained" / name)
    parser.add_argument("--directory", help="folder to go on from where a training was interrupted")
    parser.add_argument("--card-only", action="store_true", help="keep the weights that are there")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.card_only:
        model = load(chosen.out)
    else:
        model = train_protocol("fsdd", root=chosen.data, device="cpu", directory=chosen.directory)
    model.card |= {
        "name": "spoken-digits",
        "made": model.card.get("made", date.today().isoformat()),
        "input": "one digit in English in each sound file, of any rate from 8 kHz and any number of channels",
        "networks": f"{model.members} of the same kind from different seeds, probabilities averaged",
        "training": (
            "beside the words of people, 3,000 of 300 voices made by rule (a formant synthesiser of this package), "
            "others every five epochs, whose phones and levels were chosen with the people of the training set in view"
        ),
        "figures": figures(chosen.cv),
        "limits": (
            "Research use. Trained on four men with accents of English of their own, 50 times each digit, from close "
            "microphones at 8 kHz: women's and children's voices were seen as made by rule alone. It names a digit "
            "whatever it hears, another word or silence too."
        ),
    }
    model.save(chosen.out, half=True)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def figures(path: Path | None) -> dict[str, object]:
    found = dict(np.load(path)) if path and path.is_file() else {}
    if not found:
        return {"what": "not measured"}
    each: dict[str, object] = {"what": "accuracy leaving one of the four speakers out, one network of each kind"}
    for name in runs_in(found):
        accuracy = scores_of(found, name)["accuracy"]
        each[name] = {
            "by speaker": {speaker: round(value, 4) for speaker, value in by_speaker(found, name).items()},
            "all": [round(value, 4) for value in (accuracy.value, accuracy.low, accuracy.high)],
        }
    return each


if __name__ == "__main__":
    main()
