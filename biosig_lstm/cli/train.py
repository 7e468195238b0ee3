"""Train a model and save it in one file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm.cli._common import OK, natural, positive, say
from biosig_lstm.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["add"]

_FOR_TABLES = ("channels", "rate_hz", "window_s", "folds", "report")
_FOR_TREES = ("label", "classes", "types", "stretch_s")
_FOR_PROTOCOLS = ("data", "log", "cell")
_GOES_WITH = {
    "protocol": _FOR_PROTOCOLS,
    "table": _FOR_TABLES,
    "table of texts": ("channels", "rate_hz", "folds", "report", "unit"),
    "BIDS tree": (*_FOR_TREES, *_FOR_TABLES),
}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    train = commands.add_parser("train", help="train a model by a protocol, or on your recordings")
    train.add_argument(
        "source",
        metavar="PROTOCOL|TABLE.csv|BIDSROOT",
        help="a protocol such as mitdb-aami, a CSV file with columns path,label,subject[,start_s,stop_s], of sounds "
        "also path,text,subject, or the root of a BIDS tree of EEG",
    )
    train.add_argument("--out", required=True, metavar="FILE", help="the model file to write")
    train.add_argument("--seed", type=natural, default=0, metavar="N", help="decides weights, order, augmentation")
    train.add_argument("--max-epochs", type=positive, metavar="N", help="the recipe's own number by default")
    train.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    protocol = train.add_argument_group("with a protocol")
    protocol.add_argument("--data", metavar="DIR", help="folder of the database; by default where databases are kept")
    protocol.add_argument("--log", metavar="DIR", help="keep metrics.csv and checkpoints here; resumes a broken run")
    protocol.add_argument(
        "--cell",
        choices=("lstm", "gru", "rnn", "transformer"),
        help="what reads the sequences; the recipe's own by default",
    )
    table = train.add_argument_group("with a table or a BIDS tree")
    table.add_argument("--channels", nargs="+", metavar="NAME", help="channels to use; all by default")
    table.add_argument(
        "--rate-hz", type=float, metavar="HZ", help="bring all recordings to this rate; theirs may differ"
    )
    table.add_argument("--window-s", type=float, metavar="S", help="longest piece looked at as one; 30 by default")
    table.add_argument("--folds", type=natural, metavar="N", help="of the validation by subject; 5 by default, 0: none")
    table.add_argument("--report", metavar="DIR", help="write the validation's scores and predictions here")
    table.add_argument(
        "--unit", choices=("characters", "words", "phones"), help="symbols of texts; characters by default"
    )
    tree = train.add_argument_group("with a BIDS tree")
    tree.add_argument(
        "--label",
        metavar="COLUMN",
        help="column of events.tsv or participants.tsv, or an entity such as task; trial_type by default",
    )
    tree.add_argument("--classes", nargs="+", metavar="LABEL", help="labels to tell apart; all by default")
    tree.add_argument("--types", nargs="+", metavar="TYPE", help="types of channels to use, such as EEG")
    tree.add_argument(
        "--stretch-s", nargs=2, type=float, metavar=("START", "STOP"), help="of each event, from its onset"
    )
    train.set_defaults(run=_train, kept=_kept)


def _kind(source: str) -> str:
    if source.lower().endswith((".csv", ".tsv")) or Path(source).is_file():
        return "table"
    from biosig_lstm.recipes import recipe_names

    return "BIDS tree" if Path(source).is_dir() and source not in recipe_names() else "protocol"


def _kept(chosen: argparse.Namespace) -> str:
    if _kind(chosen.source) != "protocol":
        return "nothing is kept"
    return "the same command goes on from here" if chosen.log else "nothing is kept, --log DIR would keep it"


def _train(chosen: argparse.Namespace) -> int:
    from biosig_lstm.estimators import check_writable
    from biosig_lstm.tables import answer_column

    kind = _kind(chosen.source)
    if kind == "table" and answer_column(chosen.source) == "text":
        kind = "table of texts"
    every = dict.fromkeys(name for names in _GOES_WITH.values() for name in names)
    misplaced = [name for name in every if name not in _GOES_WITH[kind] and getattr(chosen, name) is not None]
    if misplaced:
        other = next(with_ for with_, names in _GOES_WITH.items() if misplaced[0] in names)
        option = misplaced[0].replace("_", "-")
        raise ParameterError(f"--{option} goes with a {other}, not with a {kind}; got {chosen.source}")
    if chosen.report and chosen.folds == 0:
        raise ParameterError("--report is of the validation, which --folds 0 leaves out")
    check_writable(chosen.out)
    return _train_by_protocol(chosen) if kind == "protocol" else _train_on_recordings(chosen, kind)


def _train_by_protocol(chosen: argparse.Namespace) -> int:
    from biosig_lstm.recipes import train_protocol

    model = train_protocol(
        chosen.source,
        root=chosen.data,
        seed=chosen.seed,
        max_epochs=chosen.max_epochs,
        device=chosen.device,
        cell=chosen.cell,
        directory=chosen.log,
        announce=_overwrite,
    )
    model.save(chosen.out)
    say(f"{chosen.out}: {model!r}")
    return OK


def _train_on_recordings(chosen: argparse.Namespace, kind: str) -> int:
    from biosig_lstm.estimators import Classifier, Transcriber
    from biosig_lstm.scoring import output_folder

    if chosen.report:
        output_folder(chosen.report)
    wanted = {
        "n_splits": chosen.folds,
        "window_s": chosen.window_s,
        "max_epochs": chosen.max_epochs,
        "unit": chosen.unit,
        **{name: getattr(chosen, name) for name in _FOR_TREES},
    }
    makers: dict[str, Callable[..., Classifier | Transcriber]] = {
        "table": Classifier.from_table,
        "table of texts": Transcriber.from_table,
        "BIDS tree": Classifier.from_bids,
    }
    model = makers[kind](
        chosen.source,
        channels=chosen.channels,
        rate_hz=chosen.rate_hz,
        seed=chosen.seed,
        device=chosen.device,
        announce=_overwrite,
        **{name: value for name, value in wanted.items() if value is not None},
    )
    model.save(chosen.out)
    if model.validation is not None:
        say(repr(model.validation))
        if chosen.report:
            from biosig_lstm.report import write_validation

            write_validation(model.validation, Path(chosen.report))
    say(f"{chosen.out}: {model!r}")
    return OK


def _overwrite(name: str) -> None:
    """Show on one line what is read; a spinner would disturb the bar of the training that follows."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[Kreading {name}\r")
        sys.stderr.flush()
