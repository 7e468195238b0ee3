"""Cross-validate forecasters on real recordings, by subject, beside naive, seasonal naive and autoregressive ones.

python tests/benchmarks/cross_validate_forecast.py --task rr --database mitdb --data MITDB    the next 20 RR intervals
python tests/benchmarks/cross_validate_forecast.py --task rr --database slpdb --data SLPDB    the same of nights
python tests/benchmarks/cross_validate_forecast.py --task ecg --database mitdb --data MITDB   the next second of ECG

All methods are fitted on the same training subjects, read the same past and are scored on the same values of subjects
who take no part in any fitting; networks keep the epoch that is best on validation subjects.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

import biosig_lstm as bl
from biosig_lstm.containers import Windows
from biosig_lstm.estimators import Compared

PACED = ("102", "104", "107", "217")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
NAMES = {"": "{model}", "_ar": "autoregressive", "_seasonal": "seasonal naive", "_naive": "naive"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=("rr", "ecg"), required=True)
    parser.add_argument("--database", default="mitdb")
    parser.add_argument("--data", required=True, help="folder of the database")
    parser.add_argument("--folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--members", type=int, default=3)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--hidden", type=int, default=32)
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--horizon", type=int, default=0, help="steps; by default 20 RR intervals, 1 s of ECG")
    parser.add_argument("--seconds", type=float, default=240, help="of each ECG, from its beginning")
    parser.add_argument("--context", type=int, default=128)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    pipeline, windows, how = task(chosen)
    ids = np.random.default_rng(0).permutation(sorted(set(windows.subjects.tolist())))
    print(f"{windows!r}; {how['horizon_steps']} steps ahead", flush=True)
    said: list[Compared] = []
    for fold in range(chosen.folds):
        test = ids[fold :: chosen.folds].tolist()
        rest = [who for who in ids.tolist() if who not in test]
        n_val = max(len(rest) // 5, 1)
        sides = [windows.select(np.isin(windows.subjects, who)) for who in (rest[n_val:], rest[:n_val], test)]
        said.append(run_fold(pipeline, sides, chosen, how))
    report(said, chosen)


def task(chosen: argparse.Namespace) -> tuple[bl.Pipeline, Windows, dict[str, Any]]:
    """Return the preparation, the series, and what the forecaster is told."""
    recordings = [r for r in bl.datasets.get(chosen.database, chosen.data).recordings() if r.id not in PACED]
    if chosen.task == "rr":
        pipeline = bl.Pipeline(events=bl.Beats(positions="annotated"), windows=bl.BeatIntervals())
        how: dict[str, Any] = {"targets": ("rr",), "observed": "normal", "horizon_steps": chosen.horizon or 20}
        return pipeline, pipeline(recordings), how
    filters = [bl.EcgLeads(1), bl.FillGaps(), bl.OneWay(15, low_hz=0.5, rate_hz=recordings[0].fs / 8)]
    pipeline = bl.Pipeline(filters=filters, windows=bl.WholeRecording())
    horizon = chosen.horizon or round(recordings[0].fs / 8)
    parts = [r.crop(start_s=0, stop_s=chosen.seconds) for r in recordings]
    return pipeline, pipeline(parts), {"horizon_steps": horizon, "season_steps": "auto"}


def run_fold(pipeline: bl.Pipeline, sides: list[Windows], chosen: argparse.Namespace, how: dict[str, Any]) -> Compared:
    train, val, test = sides
    reader = bl.LSTM(chosen.hidden, dropout=chosen.dropout)
    model = bl.Forecaster(
        pipeline, reader, cell=chosen.cell, members=chosen.members, context_steps=chosen.context, **how
    )
    started = time.perf_counter()
    model.fit(train, val, max_epochs=chosen.epochs, progress=False, device="cpu")
    seconds = time.perf_counter() - started
    told = model.compare(test)
    order = len(np.asarray(model.baselines["ar"][0].coefficients))
    who = [len(set(side.subjects.tolist())) for side in sides]
    print(f"{who} subjects, {seconds:.0f} s, order {order}\n{model.evaluate(test)}", flush=True)
    return told


def report(folds: list[Compared], chosen: argparse.Namespace) -> None:
    """Print all folds together as a Markdown table."""
    scores = Compared.together(folds).scores(LEVELS)
    milli = 1000
    print(f"\n{scores.n_items} forecasts of {scores.n_subjects} subjects, {len(folds)} folds\n")
    print(
        "| | MASE | pinball (1/1000) | in the 90 % interval | in the 50 % | its width (1/1000) | model's MASE / this |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, title in NAMES.items():
        label = title.format(model=f"{chosen.cell.upper()} of {chosen.hidden}, {chosen.members} averaged")
        pinball, width = (scores[f"{what}{name}"].value * milli for what in ("pinball", "width_90"))
        cells = [label, str(scores[f"mase{name}"]), f"{pinball:.2f}"]
        cells += [str(scores[f"coverage_{share}{name}"]) for share in (90, 50)]
        cells += [f"{width:.0f}", str(scores[f"mase_ratio{name}"]) if name else ""]
        print(f"| {' | '.join(cells)} |")
    print("\npinball of the model / this:", {n[1:]: str(scores[f"pinball_ratio{n}"]) for n in NAMES if n})
    horizon = folds[0].truth.shape[1]
    shown = sorted({min(k, horizon) for k in (1, 2, 5, 10, 20, 30, horizon)})
    print(f"\n| MASE by steps ahead | {' | '.join(map(str, shown))} |\n|{'---|' * (len(shown) + 1)}")
    for name, title in NAMES.items():
        row = [f"{scores.by_horizon[name][k - 1]:.3f}" for k in shown]
        print(f"| {title.format(model=chosen.cell.upper())} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
