"""Write down what is said in files, one after the other: what fails is reported and skipped, the rest is on disk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from biosig_lstm.containers import Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Estimator, LanguageModel, Transcriber, Transcript
from biosig_lstm.formats import open_recording
from biosig_lstm.formats.audio import AudioFile
from biosig_lstm.scoring._output import Announce, Failure, output_folder
from biosig_lstm.scoring._paths import find_all, one_by_one
from biosig_lstm.scoring._sound import long_sound

__all__ = ["TranscriptionReport", "transcribe_files"]

_TABLE = "transcripts.jsonl"


@dataclass(frozen=True)
class TranscriptionReport:
    """What became of the files.

    Parameters
    ----------
    texts : dict of str to str
        What is said, by recording.
    failed : tuple of Failure
        Files that were skipped.
    out : Path
        Folder of ``transcripts.jsonl`` and of the texts.
    """

    texts: dict[str, str]
    failed: tuple[Failure, ...]
    out: Path


def transcribe_files(
    model: Estimator,
    paths: Iterable[str | Path],
    *,
    out: str | Path,
    textgrid: bool = False,
    language_model: LanguageModel | None = None,
    announce: Announce | None = None,
    **decoding: Any,
) -> TranscriptionReport:
    """Write down what is said in every recording under `paths`.

    Parameters
    ----------
    model : Transcriber
        A trained model.
    paths : iterable of path
        Sound files, other recordings, or folders that are searched for them. Long sound is read in stretches.
    out : path
        Folder for the results, made where it is not there: ``transcripts.jsonl``, a line for each recording with its
        text, its words and their times; and ``<recording>.txt``.
    textgrid : bool
        Also write ``<recording>.TextGrid`` for Praat.
    language_model, **decoding
        As of `Transcriber.transcribe`.
    announce : callable, optional
        Called with the name of each recording before it is read.

    Returns
    -------
    TranscriptionReport
        The texts, and what failed: paths that are not there or hold nothing, files that cannot be read. Results are
        written as soon as a recording is done. Recordings of one name in two folders are told apart by their folders.

    Raises
    ------
    ParameterError
        When the model writes no transcripts, a setting or the language model does not fit, or nothing can be written
        to `out`.
    """
    if not isinstance(model, Transcriber):
        raise ParameterError(
            f"transcripts need a Transcriber, got a {type(model).__name__}: its answers come by classify_files "
            "(biosig-lstm classify)"
        )
    how = {"language_model": language_model, **decoding}
    model.transcribe([], **how)  # settings that do not fit are no fault of a file
    folder = output_folder(out)
    found, failed = find_all(paths)
    (folder / _TABLE).write_text("", encoding="utf-8")

    def write_down(path: Path, name: str) -> str:
        said = replace(model.transcribe(_opened(path), **how)[0], recording=name)
        _write(said, folder, textgrid=textgrid)
        return said.text

    texts = dict(one_by_one(found, write_down, failed, announce=announce))
    return TranscriptionReport(texts, tuple(failed), folder)


def _opened(path: Path) -> Recording | AudioFile:
    """Return a recording, which is looked at for silence and clipping, or a long sound file to be read in stretches."""
    return long_sound(path) or open_recording(path, annotator=None)


def _write(said: Transcript, folder: Path, *, textgrid: bool) -> None:
    target = folder / said.recording
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_name(target.name + ".txt").write_text(said.text + "\n", encoding="utf-8")
    if textgrid:
        target.with_name(target.name + ".TextGrid").write_text(said.to_textgrid(), encoding="utf-8")
    with (folder / _TABLE).open("a", encoding="utf-8") as file:
        file.write(said.json_line())
