"""Leave each speaker out of the recipe `connected-digits`: sequences by a voice that the model has never heard.

python tests/benchmarks/cross_validate_digits.py --data FSDD --out cv.json [--per-speaker 100] [--seed 0]

The sequences are composed of the single words in FSDD, below a temporary folder. Nothing is chosen on the speaker left
out. Speakers that are in the file already are not left out again.
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
from biosig_lstm.containers import Windows
from biosig_lstm.datasets.connected_digits import compose
from biosig_lstm.estimators import Transcriber
from biosig_lstm.metrics import transcript_scores
from biosig_lstm.recipes import recipe_for

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
        recordings = list(datasets.get("connected_digits", folder).recordings())
    rows = json.loads(chosen.out.read_text(encoding="utf-8")) if chosen.out.is_file() else []
    done = {row["subject"] for row in rows}
    for speaker in sorted({recording.subject for recording in recordings} - done):
        started = time.process_time()
        model = recipe.fit([r for r in recordings if r.subject != speaker], progress=False)
        assert isinstance(model, Transcriber)
        test = recipe.pipeline(r for r in recordings if r.subject == speaker)
        model.check_unseen(test)
        rows += rows_of(model, test)
        chosen.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        print(f"without {speaker}: {time.process_time() - started:.0f} s of a core", flush=True)
    report(rows)


def rows_of(model: Transcriber, test: Windows) -> list[dict[str, str]]:
    """Return what is said in each recording, and what the model writes down."""
    assert test.texts is not None
    return [
        {"recording": said.recording, "subject": said.subject, "truth": text, "said": said.text}
        for said, text in zip(model.transcribe(test), test.texts.tolist(), strict=True)
    ]


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
