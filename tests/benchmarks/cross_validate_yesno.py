"""Cross-validate the recipe `yesno` by file: each recording is written down by a model that was trained on others.

python tests/benchmarks/cross_validate_yesno.py --data YESNO --out cv.json [--folds 5] [--seeds 0 1 2]    minutes a seed

Nothing is chosen on the recordings left out. One man says all: this says nothing of other speakers.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from biosig_lstm import datasets
from biosig_lstm.estimators import Transcriber
from biosig_lstm.metrics import TranscriptScores, transcript_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import kfold_by_subject

PROTOCOL = "yesno"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of yesno")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    found = [one_seed(chosen.data, seed, n_splits=chosen.folds) for seed in chosen.seeds]
    chosen.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    report(found)


def one_seed(data: str, seed: int, *, n_splits: int) -> dict[str, Any]:
    recipe = recipe_for(PROTOCOL)
    windows = recipe.pipeline(datasets.get("yesno", data).recordings())
    started = time.perf_counter()
    rows: list[dict[str, str]] = []
    for train, test in kfold_by_subject(windows, n_splits=n_splits, seed=seed):
        own = replace(recipe, settings=replace(recipe.settings, seed=seed, device="cpu"))
        model = own.fit_windows(train, progress=False)
        assert isinstance(model, Transcriber)
        model.check_unseen(test)
        beam, greedy = model.transcribe(test), model.transcribe(test, beam_width=None)
        for k, text in enumerate(test.texts.tolist()):
            rows.append({"recording": beam[k].recording, "truth": text, "beam": beam[k].text, "greedy": greedy[k].text})
        wrong = [row["recording"] for row in rows if row["beam"] != row["truth"]]
        print(f"seed {seed}: {len(rows)} recordings, wrong {wrong}, {time.perf_counter() - started:.0f} s", flush=True)
    return {"seed": seed, "folds": n_splits, "seconds": time.perf_counter() - started, "rows": rows}


def scores_of(found: dict[str, Any], how: str = "beam") -> TranscriptScores:
    rows = found["rows"]
    return transcript_scores(
        [r["truth"] for r in rows], [r[how] for r in rows], [r["recording"] for r in rows], unit="words"
    )


def report(found: list[dict[str, Any]]) -> None:
    print("\n| seed | decoding | word error rate | wrong words | recordings without an error |\n|---|---|---|---|---|")
    for one in found:
        for how in ("beam", "greedy"):
            scores = scores_of(one, how)
            total = scores.total
            print(
                f"| {one['seed']} | {how} | {scores['wer']} | {total.errors} of {8 * len(one['rows'])} "
                f"| {round(scores['exact'].value * len(one['rows']))} of {len(one['rows'])} |"
            )


if __name__ == "__main__":
    main()
