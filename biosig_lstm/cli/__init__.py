"""The command line: results on stdout, progress and complaints on stderr, nothing heavy imported for --help.

A command is one module in this folder with a function ``add(commands)``; it is found by its name. It sets ``run``, and
``kept`` where an interruption leaves more or less than what has been written.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from biosig_lstm import __version__
from biosig_lstm.cli._common import INTERRUPTED, SOME_FAILED, WRONG_USAGE, complain
from biosig_lstm.errors import BiosigError, ParameterError
from biosig_lstm.steps import modules_in

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 all well, 1 some inputs failed, 2 wrong usage.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands after the command's name; those of the process by default.
    """
    chosen = _parser().parse_args(arguments)
    try:
        with _warnings_on_stderr():
            code: int = chosen.run(chosen)
            sys.stdout.flush()
    except ParameterError as error:
        complain(str(error))
        return WRONG_USAGE
    except BiosigError as error:
        complain(str(error))
        return SOME_FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read the results has gone
        return SOME_FAILED
    except OSError as error:
        complain(f"{error.filename or 'system'}: {error.strerror or error}")
        return SOME_FAILED
    except KeyboardInterrupt:
        complain(f"interrupted; {chosen.kept(chosen)}")
        return INTERRUPTED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="biosig-lstm",
        description="Biosignals from raw recording to trustworthy answer with bidirectional LSTMs.",
        epilog="exit codes: 0 all well, 1 some inputs failed (listed on stderr), 2 wrong usage. Not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"biosig-lstm {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in modules_in(__name__):
        command.add(commands)
    for added in commands.choices.values():
        if added.get_default("kept") is None:
            added.set_defaults(kept=lambda _: "what has been written is kept")
    return parser


@contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    from biosig_lstm.errors import BiosigWarning

    said: set[str] = set()  # a long recording is read in stretches, each of which may bring the same warning

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, BiosigWarning) and str(message) not in said:
            said.add(str(message))
            complain(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", BiosigWarning)
        warnings.showwarning = show
        yield
