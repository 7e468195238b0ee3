"""Make the weights that ship as `yesno`: train the recipe on every recording that is there, with its figures.

python tests/benchmarks/ship_yesno.py --data YESNO --cv cv.json
python tests/benchmarks/ship_yesno.py --cv cv.json --card-only                  the figures alone, the weights stay
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from _shipping import ship
from cross_validate_yesno import scores_of

from biosig_lstm.estimators import Estimator


def main() -> None:
    ship("yesno", protocol="yesno", card=card, doc=__doc__)


def card(_: Estimator, measured: Path) -> dict[str, Any]:
    return {
        "input": "sound of one or more channels at 8 kHz or more",
        "figures": figures(json.loads(measured.read_text(encoding="utf-8"))),
        "limits": (
            "A demonstration. One man, one microphone, two words of Hebrew (ken, lo) with pauses between: nothing is "
            "known of other speakers, and whatever else is said comes out as yes or no, or as nothing."
        ),
    }


def figures(found: list[dict[str, Any]]) -> dict[str, object]:
    rows = {}
    for one in found:
        scores = scores_of(one)
        wrong = [f"{r['recording']} was heard as {r['beam']}" for r in one["rows"] if r["beam"] != r["truth"]]
        rows[f"seed {one['seed']}"] = {
            "wer": [round(value, 4) for value in (scores["wer"].value, scores["wer"].low, scores["wer"].high)],
            "wrong words": f"{scores.total.errors} of {8 * len(one['rows'])}",
            "recordings with an error": wrong,
        }
    return {
        "what": f"word error rate by file, {found[0]['folds']} folds: each recording by a model trained on others; "
        "value and 95 % interval over recordings of one speaker",
        **rows,
    }


if __name__ == "__main__":
    main()
