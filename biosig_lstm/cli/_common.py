"""What the commands share: exit codes, where text goes, which model is meant."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from biosig_lstm.shipped import find, names

if TYPE_CHECKING:
    from biosig_lstm.estimators import Estimator
    from biosig_lstm.scoring import Failure

OK, SOME_FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


def open_model(name: str) -> Estimator:
    from biosig_lstm.errors import DataError, options
    from biosig_lstm.estimators import load

    if name not in names() and not Path(name).exists():
        raise DataError(f"no such file, and no pretrained model {options(name, names())}")
    return load(find(name) if name in names() else name)


def natural(text: str, *, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got {text!r}")
    return int(text)


def positive(text: str) -> int:
    return natural(text, least=1)


@contextmanager
def status(what: str) -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(what)) as status:
        yield lambda name: status.update(escape(f"{what} {name}"))


def list_failures(failed: Sequence[Failure], *, n_done: int) -> None:
    for path, reason in failed:
        complain(f"failed: {reason if reason.startswith(path) else f'{path}: {reason}'}")
    if failed:
        complain(f"{len(failed)} failed, {n_done} done")


def complain(text: str) -> None:
    sys.stderr.write(f"biosig-lstm: {text}\n")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
