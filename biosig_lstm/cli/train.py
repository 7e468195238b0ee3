"""Train a model and save it in one file."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from biosig_lstm.cli._common import OK, natural, positive, say

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    train = commands.add_parser("train", help="train a model by a protocol and save it in one file")
    train.add_argument("protocol", metavar="PROTOCOL", help="such as mitdb-aami or sample-aami")
    train.add_argument("--data", metavar="DIR", help="folder of the database; by default where databases are kept")
    train.add_argument("--out", required=True, metavar="FILE", help="the model file to write")
    train.add_argument("--seed", type=natural, default=0, metavar="N", help="decides weights, order, augmentation")
    train.add_argument("--max-epochs", type=positive, metavar="N", help="the recipe's own number by default")
    train.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    train.add_argument("--log", metavar="DIR", help="keep metrics.csv and checkpoints here; resumes a broken run")
    train.set_defaults(run=_train)


def _train(chosen: argparse.Namespace) -> int:
    from biosig_lstm.estimators import check_writable
    from biosig_lstm.recipes import train_protocol

    check_writable(chosen.out)
    model = train_protocol(
        chosen.protocol,
        root=chosen.data,
        seed=chosen.seed,
        max_epochs=chosen.max_epochs,
        device=chosen.device,
        directory=chosen.log,
        announce=_overwrite,
    )
    model.save(chosen.out)
    say(f"{chosen.out}: {model!r}")
    return OK


def _overwrite(name: str) -> None:
    """Show on one line what is read; a spinner would disturb the bar of the training that follows."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[Kreading {name}\r")
        sys.stderr.flush()
