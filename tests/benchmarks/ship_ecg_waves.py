"""Make the weights that ship as `ecg-waves`: train the recipe on all of LUDB, what was measured is on its card.

python tests/benchmarks/ship_ecg_waves.py --data LUDB --cv scores.json
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path

import torch

from biosig_lstm import shipped
from biosig_lstm.metrics.waves import BOUNDARIES
from biosig_lstm.recipes import train_protocol

KINDS = ("se", "pp", "mean_ms", "sd_ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cv", required=True, type=Path, help="what cross_validate_waves.py --json wrote")
    parser.add_argument("--out", type=Path, default=Path(shipped.__file__).parent / "pretrained" / "ecg-waves.biosig")
    parser.add_argument("--trained", type=Path, help="write the card of this trained model anew instead of training")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    if chosen.trained:
        from biosig_lstm.estimators import load

        model = load(chosen.trained)
    else:
        model = train_protocol("ludb", root=chosen.data, device="cpu", announce=print)
    model.card |= {
        "name": "ecg-waves",
        "made": date.today().isoformat(),
        "input": "one lead or more of an ECG in any unit of voltage, 200 Hz or more, any length",
        "figures": figures(json.loads(chosen.cv.read_text(encoding="utf-8"))),
        "limits": (
            "Research use; not a medical device. 10-s resting ECGs of one hospital, few in atrial fibrillation, "
            "paced or in AV block; the experts marked no P waves in third-degree AV block, nor does the model look for "
            "more than one between two QRS complexes. Not tested on ambulatory recordings."
        ),
    }
    model.save(chosen.out, half=True)
    print(f"{chosen.out}: {chosen.out.stat().st_size} bytes")


def figures(scores: dict[str, dict[str, dict[str, float]]]) -> dict[str, object]:
    names = [f"{kind}_{boundary}" for boundary in BOUNDARIES for kind in KINDS]
    table = {
        leads: {name: [tidy(metrics[name][key]) for key in ("value", "low", "high")] for name in names}
        for leads, metrics in scores.items()
    }
    what = (
        "5-fold cross-validation over the subjects that trained it, matched within 150 ms on all leads inside "
        "the marked stretch; value and 95 % interval over subjects; mean and standard deviation of detected minus "
        "reference, in ms. The weight of the other leads and the limits that P waves must keep were chosen on the same "
        "cross-validation: what they gain is seen somewhat too well"
    )
    return {"what": what, **table}


def tidy(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


if __name__ == "__main__":
    main()
