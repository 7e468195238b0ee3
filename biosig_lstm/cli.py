"""The command line: results on stdout, progress and complaints on stderr, nothing heavy imported for --help."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm import __version__
from biosig_lstm.errors import BiosigError, ParameterError
from biosig_lstm.shipped import SUFFIX, find, names

if TYPE_CHECKING:
    from biosig_lstm.estimators import StepClassifier
    from biosig_lstm.scoring import Failure

__all__ = ["main"]


OK, SOME_FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


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
        _complain(str(error))
        return WRONG_USAGE
    except BiosigError as error:
        _complain(str(error))
        return SOME_FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read the results has gone
        return SOME_FAILED
    except OSError as error:
        _complain(f"{error.filename or 'system'}: {error.strerror or error}")
        return SOME_FAILED
    except KeyboardInterrupt:
        _complain(f"interrupted; {_what_is_kept(chosen)}")
        return INTERRUPTED
    return code


def _what_is_kept(chosen: argparse.Namespace) -> str:
    if chosen.command != "train":
        return "what has been written is kept"
    return "the same command goes on from here" if chosen.log else "nothing is kept, --log DIR would keep it"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="biosig-lstm",
        description="Biosignals from raw recording to trustworthy answer with bidirectional LSTMs.",
        epilog="exit codes: 0 all well, 1 some inputs failed (listed on stderr), 2 wrong usage. Not a medical device.",
    )
    parser.add_argument("--version", action="version", version=f"biosig-lstm {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_info(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _add_classify(commands)
    return parser


def _add_info(commands: Any) -> None:
    info = commands.add_parser("info", help="what recordings, or a model file, hold")
    info.add_argument("paths", nargs="+", metavar="PATH", help="a record, a file, a folder, or a model")
    info.add_argument("--json", action="store_true", help="one JSON object a line")
    info.set_defaults(run=_info)


def _add_train(commands: Any) -> None:
    train = commands.add_parser("train", help="train a model by a protocol and save it in one file")
    train.add_argument("protocol", metavar="PROTOCOL", help="such as mitdb-aami or sample-aami")
    train.add_argument("--data", metavar="DIR", help="folder of the database; by default where databases are kept")
    train.add_argument("--out", required=True, metavar="FILE", help="the model file to write")
    train.add_argument("--seed", type=_natural, default=0, metavar="N", help="decides weights, order, augmentation")
    train.add_argument("--max-epochs", type=_positive, metavar="N", help="the recipe's own number by default")
    train.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    train.add_argument("--log", metavar="DIR", help="keep metrics.csv and checkpoints here; resumes a broken run")
    train.set_defaults(run=_train)


def _add_evaluate(commands: Any) -> None:
    evaluate = commands.add_parser("evaluate", help="score a model by a protocol on records it has not seen")
    evaluate.add_argument("model", metavar="MODEL", help="a model file, or the name of a pretrained model")
    evaluate.add_argument("--data", metavar="DIR", help="folder of the database; by default where databases are kept")
    evaluate.add_argument("--protocol", default="", metavar="NAME", help="the model's own by default")
    evaluate.add_argument("--detected", action="store_true", help="find the beats too, matched within 150 ms")
    evaluate.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else")
    evaluate.add_argument("--out", metavar="DIR", help="write scores.json, predictions.csv and scores.png here")
    evaluate.set_defaults(run=_evaluate)


def _add_classify(commands: Any) -> None:
    classify = commands.add_parser("classify", help="name every beat of every recording")
    classify.add_argument("model", metavar="MODEL", help="a model file, or the name of a pretrained model")
    classify.add_argument("paths", nargs="+", metavar="PATH", help="records, files or folders")
    classify.add_argument("--out", required=True, metavar="DIR", help="predictions.csv and annotation files go here")
    classify.add_argument("--annotator", metavar="EXT", help="take beat positions from these annotations, e.g. atr")
    classify.set_defaults(run=_classify)


def _info(chosen: argparse.Namespace) -> int:
    failed = 0
    for path in chosen.paths:
        try:
            sources = _sources(path)
        except (BiosigError, OSError) as error:
            failed += 1
            _complain(str(error))
            continue
        failed += sum(not _info_one(source, as_json=chosen.json) for source in sources)
    return SOME_FAILED if failed else OK


def _sources(path: str) -> list[Path]:
    from biosig_lstm.errors import DataError
    from biosig_lstm.formats import find_recordings

    if path.endswith(SUFFIX):
        return [Path(path)]
    if not Path(path).exists() and path in names():
        return [find(path)]
    found = find_recordings([path])
    models = sorted(Path(path).rglob("*" + SUFFIX)) if Path(path).is_dir() else []
    if not found and not models:
        raise DataError(f"{path}: holds no recording of a known format and no model, nor does any folder below it")
    return [*found, *models]


def _info_one(source: Path, *, as_json: bool) -> bool:
    try:
        facts = _facts(source)
    except (BiosigError, OSError) as error:
        _complain(f"{source}: {error}")
        return False
    _say(json.dumps(facts) if as_json else "\n".join(_lines(facts)) + "\n")
    return True


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    for key, value in facts.items():
        if isinstance(value, dict):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(value))
        else:
            yield f"{key:12} {value}"


def _facts(source: Path) -> dict[str, Any]:
    if source.suffix == SUFFIX:
        from biosig_lstm.estimators import load

        model = load(source)
        seen = model.training
        return {
            "model": str(source), "kind": type(model).__name__, "classes": " ".join(model.classes),
            "protocol": seen.protocol if seen else "", "trained on": f"{len(seen.subjects) if seen else 0} subjects",
            **model.card,
        }  # fmt: skip
    from biosig_lstm.formats import open_recording

    recording = open_recording(source)
    leads = [f"{name} ({unit})" for name, unit in zip(recording.channels, recording.units, strict=True)]
    return {
        "recording": recording.id, "path": str(source), "channels": ", ".join(leads), "fs_hz": recording.fs,
        "length_s": round(recording.duration_s, 3), "annotations": repr(recording.annotations)[12:-1],
    }  # fmt: skip


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
    _say(f"{chosen.out}: {model!r}")
    return OK


def _evaluate(chosen: argparse.Namespace) -> int:
    from biosig_lstm.scoring import evaluate_protocol, output_folder

    if chosen.out:
        output_folder(chosen.out)
    model = _model(chosen.model)
    with _status("scoring") as announce:
        found = evaluate_protocol(
            model,
            root=chosen.data,
            protocol=chosen.protocol,
            name=Path(chosen.model).stem,
            detected=chosen.detected,
            announce=announce,
        )
    if found.seen_in_training:
        _complain(f"no test: the model was trained on {', '.join(found.seen_in_training)}")
    _list_failures(found.failed, n_done=len(found.recordings))
    _say(json.dumps(found.to_dict(), allow_nan=False) if chosen.json else repr(found))
    if chosen.out:
        from biosig_lstm.report import write_evaluation

        write_evaluation(found, chosen.out)
    return SOME_FAILED if found.failed else OK


def _classify(chosen: argparse.Namespace) -> int:
    from biosig_lstm.scoring import classify_files, output_folder

    output_folder(chosen.out)
    model = _model(chosen.model)
    with _status("classifying") as announce:
        report = classify_files(model, chosen.paths, out=chosen.out, annotator=chosen.annotator, announce=announce)
    for name, counts in report.counts.items():
        beats = "  ".join(f"{label} {counts.get(label, 0)}" for label in model.classes)
        _say(f"{name:12} {sum(counts.values()):7} beats   {beats}")
    _list_failures(report.failed, n_done=len(report.counts))
    return SOME_FAILED if report.failed else OK


def _model(name: str) -> StepClassifier:
    from biosig_lstm.errors import DataError, options
    from biosig_lstm.estimators import StepClassifier, load

    if name not in names() and not Path(name).exists():
        raise DataError(f"no such file, and no pretrained model {options(name, names())}")
    model = load(find(name) if name in names() else name)
    if not isinstance(model, StepClassifier):
        raise DataError(f"{name}: holds a {type(model).__name__}; this command takes a StepClassifier")
    return model


def _natural(text: str, *, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, got {text!r}")
    return int(text)


def _positive(text: str) -> int:
    return _natural(text, least=1)


@contextmanager
def _status(what: str) -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status(escape(what)) as status:
        yield lambda name: status.update(escape(f"{what} {name}"))


def _overwrite(name: str) -> None:
    """Show on one line what is read; a spinner would disturb the bar of the training that follows."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[Kreading {name}\r")
        sys.stderr.flush()


@contextmanager
def _warnings_on_stderr() -> Iterator[None]:
    from biosig_lstm.errors import BiosigWarning

    def show(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
        if issubclass(category, BiosigWarning):
            _complain(f"warning: {message}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", BiosigWarning)
        warnings.showwarning = show
        yield


def _list_failures(failed: Sequence[Failure], *, n_done: int) -> None:
    for path, reason in failed:
        _complain(f"failed: {reason if reason.startswith(path) else f'{path}: {reason}'}")
    if failed:
        _complain(f"{len(failed)} failed, {n_done} done")


def _complain(text: str) -> None:
    sys.stderr.write(f"biosig-lstm: {text}\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
