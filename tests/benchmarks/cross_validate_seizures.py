"""Find seizures of CHB-MIT in people, or in later files, that the model has not seen.

python tests/benchmarks/cross_validate_seizures.py --data CHBMIT --out cv.json [--folds 6]    across patients, in folds
python tests/benchmarks/cross_validate_seizures.py --data CHBMIT --out cv.json --patient      a model for each case

Recordings are read one after the other, so the whole database fits. What is done is in --out, and is not done again.
The rule that makes events of probabilities is that of `find_seizures`, without a setting: nothing is chosen on whom is
tested. Every file of a tested patient counts, those without seizures too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from biosig_lstm import datasets
from biosig_lstm.containers import Recording
from biosig_lstm.errors import DataError
from biosig_lstm.metrics import SeizureScores, seizure_scores
from biosig_lstm.recipes import recipe_for
from biosig_lstm.scoring.tasks import task
from biosig_lstm.splits import split_subjects

NAMES = ("event_se", "event_pp", "event_f1", "false_alarms_per_day", "delay_s_mean", "delay_s_median", "sample_f1")
Found = dict[str, dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of chbmit")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--patient", action="store_true", help="patient by patient instead of across patients")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--max-epochs", type=int)
    parser.add_argument("--device", default="auto")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    data = datasets.get("chbmit", chosen.data)
    found: Found = json.loads(chosen.out.read_text()) if chosen.out.exists() else {}
    for train, test in patients(data) if chosen.patient else folds(data, chosen.folds):
        if test[0] in found:
            continue
        started = time.perf_counter()
        found |= one_fold(data, train, test, chosen)
        chosen.out.write_text(json.dumps(found))
        print(f"{len(train)} records, tested on {len(test)}: {time.perf_counter() - started:.0f} s", flush=True)
    report(scores_of(found))


def folds(data: datasets.Dataset, n: int) -> Iterable[tuple[list[str], list[str]]]:
    """Return records of training and test, subjects dealt by their seizures, hours and files."""
    subjects = sorted(set(data.subjects.values()))
    records = {who: [r for r in data.record_names if data.subjects[r] == who] for who in subjects}
    counts = [[sum(len(data.seizures(r)) for r in records[who]), len(records[who])] for who in subjects]
    for tested in split_subjects(subjects, counts, [1 / n] * n):
        yield (
            [r for who in subjects if who not in tested for r in records[who]],
            [r for w in tested for r in records[w]],
        )


def patients(data: datasets.Dataset) -> Iterable[tuple[list[str], list[str]]]:
    """Return earlier and later records of each case."""
    plan = data.resolve(datasets.get_protocol("chbmit-patient"))
    sides = data.records_of(plan, "train"), data.records_of(plan, "test")
    for case in sorted({record[:5] for record in sides[1]}):
        train, test = ([record for record in side if record[:5] == case] for side in sides)
        if any(data.seizures(record) for record in train):
            yield train, test


def one_fold(data: datasets.Dataset, train: Sequence[str], test: Sequence[str], chosen: argparse.Namespace) -> Found:
    recipe = recipe_for("chbmit")
    changes: dict[str, Any] = {"device": chosen.device}
    changes |= {"max_epochs": chosen.max_epochs} if chosen.max_epochs else {}
    recipe = replace(recipe, members=chosen.members, settings=replace(recipe.settings, **changes))
    model = recipe.fit(readable(data, train), progress=False)
    assert model.training is not None
    assert not set(model.training.recordings) & set(test)
    found: Found = {}
    for recording in readable(data, test):
        part = task("seizures").score_one(model, recording)
        found[recording.id] = {
            "truth": part.truth.tolist(),
            "said": part.said.spans_s.tolist(),
            "subject": recording.subject,
            "duration_s": recording.duration_s,
        }
    return found


def readable(data: datasets.Dataset, records: Sequence[str]) -> Iterator[Recording]:
    """Yield the records that can be read, and say which cannot."""
    for record in records:
        try:
            (recording,) = data.recordings([record])
        except DataError as error:
            print(f"left out: {error}", flush=True)
            continue
        yield recording


def scores_of(found: Found) -> SeizureScores:
    columns = {key: [found[name][key] for name in sorted(found)] for key in ("truth", "said", "subject", "duration_s")}
    return seizure_scores(columns["truth"], columns["said"], columns["subject"], duration_s=columns["duration_s"])


def report(scores: SeizureScores) -> None:
    print("\n| metric | all recordings | mean of subjects |\n|---|---|---|")
    for name in NAMES:
        print(f"| {name} | {scores[name]} | {scores[f'{name}_mean_of_subjects']} |")
    print("\n| subject | hours | seizures | found | false alarms a day | median delay, s |\n|---|---|---|---|---|---|")
    for name, row in scores.by_subject.items():
        cells = f"{24 * row['days']:.1f} | {row['seizures']:.0f} | {row['found']:.0f}"
        print(f"| {name} | {cells} | {row['false_alarms_per_day']:.1f} | {row['delay_s_median']:.1f} |")


if __name__ == "__main__":
    main()
