"""Write down what is said in sound files."""

from __future__ import annotations

import argparse
from typing import Any

from biosig_lstm.cli._common import OK, SOME_FAILED, list_failures, natural, open_model, say, status
from biosig_lstm.errors import ParameterError

__all__ = ["add"]

_SHOWN = 2000


def add(commands: Any) -> None:
    """Add the command to the parser."""
    transcribe = commands.add_parser("transcribe", help="write down what is said in sound files")
    transcribe.add_argument("model", metavar="MODEL", help="a model file, or the name of a pretrained model")
    transcribe.add_argument("paths", nargs="+", metavar="PATH", help="sound files or folders")
    transcribe.add_argument("--out", required=True, metavar="DIR", help="transcripts.jsonl and <recording>.txt go here")
    transcribe.add_argument("--textgrid", action="store_true", help="also <recording>.TextGrid, for Praat")
    transcribe.add_argument("--beam", type=natural, metavar="N", help="width of the beam search; 0: the best path")
    transcribe.add_argument("--language-model", metavar="FILE", help="a LanguageModel of the same symbols")
    transcribe.add_argument("--language-weight", type=float, metavar="W", help="of the language model (0.5)")
    transcribe.set_defaults(run=_transcribe)


def _transcribe(chosen: argparse.Namespace) -> int:
    from biosig_lstm.estimators import LanguageModel
    from biosig_lstm.scoring import output_folder
    from biosig_lstm.scoring.transcription import transcribe_files

    if chosen.language_weight is not None and not chosen.language_model:
        raise ParameterError("--language-weight is that of a --language-model, which is not given")
    output_folder(chosen.out)
    decoding: dict[str, Any] = {} if chosen.beam is None else {"beam_width": chosen.beam or None}
    decoding |= {} if chosen.language_weight is None else {"language_weight": chosen.language_weight}
    model = open_model(chosen.model)
    language = LanguageModel.load(chosen.language_model) if chosen.language_model else None
    with status("transcribing") as announce:
        report = transcribe_files(
            model,
            chosen.paths,
            out=chosen.out,
            textgrid=chosen.textgrid,
            language_model=language,
            announce=announce,
            **decoding,
        )
    for name, text in report.texts.items():
        say(f"{name}: {_shown(text, name)}")
    list_failures(report.failed, n_done=len(report.texts))
    return SOME_FAILED if report.failed else OK


def _shown(text: str, name: str) -> str:
    """Return a text, or the beginning of a long one and where all of it is."""
    if len(text) <= _SHOWN:
        return text
    return f"{text[:_SHOWN].rpartition(' ')[0] or text[:_SHOWN]} ... ({len(text.split())} words, see {name}.txt)"
