"""Cross-validate the recipe `ecg-waves` over the subjects of LUDB that are at hand: a Markdown table on stdout.

python tests/benchmarks/cross_validate_waves.py --data LUDB --models FOLDER

A fold's model is kept in FOLDER, and not trained again where it is there.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from biosig_lstm import datasets
from biosig_lstm.containers import Recording
from biosig_lstm.estimators import Delineator
from biosig_lstm.metrics import Scores
from biosig_lstm.metrics.waves import BOUNDARIES, CSE_TWO_SD_MS
from biosig_lstm.recipes.ecg_waves import RECIPE
from biosig_lstm.scoring.tasks import Part
from biosig_lstm.scoring.tasks.waves import TASK, WaveTable

N_SPLITS, SEED = 5, 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--models", type=Path, required=True, help="folder for the models of the folds")
    parser.add_argument("--json", type=Path, help="write the scores to this file too")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    chosen.models.mkdir(parents=True, exist_ok=True)
    data = datasets.get("ludb", chosen.data)
    recordings = list(data.recordings())
    parts: dict[str, list[Part]] = {"all leads together": [], "each lead alone": []}
    for fold, held_out in enumerate(folds(recordings)):
        model = fold_model(recordings, held_out, fold=fold, path=chosen.models / f"fold{fold}.biosig")
        for recording in recordings:
            if recording.id in held_out:
                parts["all leads together"].append(TASK.score_one(model, recording))
                parts["each lead alone"].append(alone(model, recording))
    scores = {name: TASK.scores(None, found) for name, found in parts.items()}
    print(f"{len(recordings)} subjects, {N_SPLITS} folds over subjects\n\n{table(scores)}")
    print(f"\n{by_rhythm(parts['all leads together'], data.facts())}")
    if chosen.json:
        chosen.json.write_text(json.dumps({name: found.to_dict()["metrics"] for name, found in scores.items()}))


def folds(recordings: list[Recording]) -> list[set[str]]:
    """Return the records of each fold: every record is of another subject."""
    order = np.random.default_rng(SEED).permutation(sorted(recording.id for recording in recordings))
    return [set(order[k::N_SPLITS].tolist()) for k in range(N_SPLITS)]


def fold_model(recordings: list[Recording], held_out: set[str], *, fold: int, path: Path) -> Delineator:
    if not path.is_file():
        started = time.perf_counter()
        recipe = replace(RECIPE, settings=replace(RECIPE.settings, seed=fold, device="cpu"))
        seen = [recording for recording in recordings if recording.id not in held_out]
        recipe.fit(seen, protocol="ludb", progress=False).save(path)
        print(f"fold {fold}: trained in {time.perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
    model = Delineator.load(path)
    both = held_out & set(model.training.recordings if model.training else ())
    if both:
        raise SystemExit(f"{path}: trained on records that it is to be tested on: {sorted(both)}")
    return model


def alone(model: Delineator, recording: Recording) -> Part:
    """Return a part in which each lead was read as if it were the only one."""
    each = [TASK.score_one(model, recording.pick([lead])) for lead in recording.channels]
    truth = {lead: waves for part in each for lead, waves in part.truth.items()}
    return Part(recording, truth, WaveTable(tuple(lead for part in each for lead in part.said.leads)))


def table(scores: dict[str, Scores]) -> str:
    lines = ["| | boundary | Se | +P | mean, ms | sd, ms | 2 sd, ms | CSE 2 sd, ms |", "|" + "---|" * 8]
    for name, found in scores.items():
        for boundary in BOUNDARIES:
            values = [found[f"{kind}_{boundary}"] for kind in ("se", "pp")]
            mean, sd = (found[f"{kind}_{boundary}"] for kind in ("mean_ms", "sd_ms"))
            limit = CSE_TWO_SD_MS.get(boundary, "")
            cells = [f"{v.value:.4f} [{v.low:.4f}, {v.high:.4f}]" for v in values]
            cells += [f"{v.value:.1f} [{v.low:.1f}, {v.high:.1f}]" for v in (mean, sd)]
            lines.append(f"| {name} | {boundary} | {' | '.join(cells)} | {2 * sd.value:.1f} | {limit} |")
    return "\n".join(lines)


def by_rhythm(parts: list[Part], facts: dict[str, dict[str, str]]) -> str:
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(facts[part.recording.id]["Rhythms"].split(";")[0] or "not given", []).append(part)
    lines = [
        "| rhythm | records | p_on Se | p_on +P | false p_on | qrs_on Se | t_off Se | t_off +P |",
        "|" + "---|" * 8,
    ]
    for rhythm, held in sorted(groups.items(), key=lambda item: -len(item[1])):
        found = TASK.scores(None, held)
        names = ("se_p_on", "pp_p_on", "se_qrs_on", "se_t_off", "pp_t_off")
        se_p, pp_p, se_qrs, se_t, pp_t = (f"{found[name].value:.4f}" for name in names)
        false = int(found.counts[-1, 0])
        lines.append(f"| {rhythm} | {len(held)} | {se_p} | {pp_p} | {false} | {se_qrs} | {se_t} | {pp_t} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
