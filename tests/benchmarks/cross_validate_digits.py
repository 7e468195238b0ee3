"""Leave each speaker out of the recipe `connected-digits`: sequences by a voice that the model has never heard.

python tests/benchmarks/cross_validate_digits.py --data FSDD --out cv.json [--per-speaker 100] [--seed 0]

The sequences are composed of the single words in FSDD, below a temporary folder. Nothing is chosen on the speaker left
out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import torch

from biosig_lstm import datasets
from biosig_lstm.datasets.connected_digits import compose
from biosig_lstm.estimators import Transcriber
from biosig_lstm.metrics import transcript_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.splits import leave_one_subject_out

PROTOCOL = "connected-digits"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of fsdd")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--per-speaker", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    recipe = recipe_for(PROTOCOL)
    recipe = replace(recipe, settings=replace(recipe.settings, seed=chosen.seed, device="cpu"))
    with tempfile.TemporaryDirectory() as folder:
        compose(chosen.data, folder, per_speaker=chosen.per_speaker)
        windows = recipe.pipeline(datasets.get("connected_digits", folder).recordings())
    rows = []
    for train, test in leave_one_subject_out(windows):
        started = time.perf_counter()
        model = recipe.fit_windows(train, progress=False)
        assert isinstance(model, Transcriber)
        model.check_unseen(test)
        said = model.transcribe(test)
        rows += [
            {"recording": s.recording, "subject": s.subject, "truth": text, "said": s.text}
            for s, text in zip(said, test.texts.tolist(), strict=True)
        ]
        chosen.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        print(f"without {test.subjects[0]}: {time.perf_counter() - started:.0f} s", flush=True)
    report(rows)


def report(rows: list[dict[str, str]]) -> None:
    print("\n| speaker left out | word error rate | substitutions | deletions | insertions | whole sequences right |")
    print("|---|---|---|---|---|---|")
    for who in (*sorted({row["subject"] for row in rows}), ""):
        chosen = [row for row in rows if not who or row["subject"] == who]
        columns = ([row[name] for row in chosen] for name in ("truth", "said", "subject"))
        scores = transcript_scores(*columns)
        cells = (scores[name].value for name in ("substitutions", "deletions", "insertions", "exact"))
        rate = f"{scores['wer'].value:.3f}" if who else str(scores["wer"])
        print(f"| {who or 'all'} | {rate} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")


if __name__ == "__main__":
    main()
