"""Run a study of the sequence models."""

from __future__ import annotations

import argparse
from typing import Any

from biosig_lstm.cli._common import OK, natural, say, status
from biosig_lstm.errors import ParameterError

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    study = commands.add_parser("study", help="measure what is claimed of LSTM, GRU, RNN and Transformer")
    study.add_argument("name", nargs="?", metavar="NAME", help="which study; without it they are listed")
    study.add_argument("--list", action="store_true", help="list the studies")
    study.add_argument("--out", metavar="DIR", help="NAME.csv, NAME.md, NAME.png and NAME.json go here")
    study.add_argument("--seed", type=natural, default=0, metavar="N", help="decides all that is drawn; 0 by default")
    study.add_argument("--quick", action="store_true", help="seconds, to see that it works; the numbers say little")
    study.add_argument("--data", metavar="DIR", help="folder with a folder for each database")
    study.add_argument("--device", choices=("auto", "cpu", "cuda"), default="cpu")
    study.set_defaults(run=_study, kept=_kept)


def _kept(chosen: argparse.Namespace) -> str:
    return f"what had been measured until then is in {chosen.out}, if anything had been"


def _study(chosen: argparse.Namespace) -> int:
    if chosen.list or chosen.name is None:
        return _list(chosen)
    from biosig_lstm import studies

    study = studies.get(chosen.name)
    if chosen.out is None:
        raise ParameterError(f"study {study.name}: --out DIR says where its table and picture go")
    with status(f"study {study.name}:") as announce:
        result = studies.run(
            study.name,
            out=chosen.out,
            seed=chosen.seed,
            quick=chosen.quick,
            data=chosen.data,
            device=chosen.device,
            announce=announce,
        )
    for table in (*result.findings.tables, result.claim_table):
        if len(table):
            say(f"{table.title}\n{table.to_markdown()}\n".lstrip())
    say(f"{chosen.out}: {chosen.name}.csv, {chosen.name}.md, {chosen.name}.png, {chosen.name}.json")
    return OK


def _list(chosen: argparse.Namespace) -> int:
    if chosen.out is not None:
        raise ParameterError("--out DIR goes with the NAME of a study")
    from biosig_lstm import studies

    for name in studies.names():
        say(f"{name:16} {studies.get(name).title}")
    return OK
