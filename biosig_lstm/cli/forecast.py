"""Foresee what comes after the end of recordings."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from biosig_lstm.cli._common import OK, SOME_FAILED, list_failures, open_model, say, status

if TYPE_CHECKING:
    from biosig_lstm.estimators import Forecasts

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    forecast = commands.add_parser("forecast", help="foresee what comes after the end of recordings, with quantiles")
    forecast.add_argument("model", metavar="MODEL", help="a model file of a Forecaster")
    forecast.add_argument("paths", nargs="+", metavar="PATH", help="records, files or folders")
    forecast.add_argument("--out", required=True, metavar="DIR", help="forecasts.csv goes here")
    forecast.add_argument("--annotator", metavar="EXT", help="take beat positions from these annotations, e.g. atr")
    forecast.set_defaults(run=_forecast)


def _forecast(chosen: argparse.Namespace) -> int:
    from biosig_lstm.scoring import forecast_files, output_folder

    output_folder(chosen.out)
    model = open_model(chosen.model)
    with status("foreseeing after") as announce:
        report = forecast_files(model, chosen.paths, out=chosen.out, annotator=chosen.annotator, announce=announce)
    for name, said in report.said.items():
        say(f"{name:12} {_last(said)}")
    list_failures(report.failed, n_done=len(report.said))
    return SOME_FAILED if report.failed else OK


def _last(said: Forecasts) -> str:
    """Return the median and the widest interval of each target, of the first step that comes and the last."""
    parts = []
    for k, name in enumerate(said.targets):
        middle, ends = said.median[0, :, k], said.quantiles[0, :, [0, -1], k].T
        first, last = (f"{middle[at]:.4g} ({ends[at, 0]:.4g} to {ends[at, 1]:.4g})" for at in (0, -1))
        parts.append(f"{name}  next {first}  step {said.horizon_steps} {last}")
    return "  ".join(parts)
