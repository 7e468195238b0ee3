"""A transcriber from a table of sounds and texts: checked, validated across subjects, then trained on all of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from biosig_lstm.augmentation.spoken import SpokenAugmentation
from biosig_lstm.containers import Windows
from biosig_lstm.decoding import Alphabet
from biosig_lstm.decoding.alphabet import UNITS, split
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.estimators._from_table import check_folds, prepared, table_card
from biosig_lstm.estimators._sound import speech_augmentation, speech_models, speech_pipeline, speech_settings
from biosig_lstm.estimators.transcripts import Transcripts
from biosig_lstm.metrics.transcripts import TranscriptScores, transcript_scores
from biosig_lstm.models import ModelSpec
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.splits import kfold_by_subject
from biosig_lstm.tables import Facts, Table, read_table
from biosig_lstm.training import FitSettings
from biosig_lstm.training.transcripts import Targets

if TYPE_CHECKING:
    from biosig_lstm.estimators.transcriber import Transcriber

__all__ = ["TranscriptValidation", "transcriber_from_table"]

_LONG_S = 60.0
_STRETCH = 0.2
_SHOWN = 8


@dataclass(frozen=True, repr=False)
class TranscriptValidation:
    """How models of the same kind did on subjects that they had not heard.

    Parameters
    ----------
    scores : TranscriptScores
        Of every recording, written down by the model of the fold that it was no part of.
    predictions : Transcripts
        What was written down.
    texts : tuple of str
        What was said, in the same order.
    n_splits : int
        Folds, by subject.
    """

    scores: TranscriptScores
    predictions: Transcripts
    texts: tuple[str, ...]
    n_splits: int

    def __repr__(self) -> str:
        how = f"{self.n_splits} folds by subject, each recording written down by a model of other subjects"
        return f"{how}\n{self.scores!r}"

    def _repr_html_(self) -> str:
        return f"<p>{self.n_splits} folds by subject</p>{self.scores._repr_html_()}"


def transcriber_from_table(
    kind: type[Transcriber],
    path: str | Path,
    *,
    unit: str = "characters",
    channels: Sequence[str] | None = None,
    rate_hz: float | None = None,
    pipeline: Pipeline | None = None,
    model: ModelSpec | None = None,
    settings: FitSettings | None = None,
    n_splits: int = 5,
    progress: bool = True,
    announce: Callable[[str], None] | None = None,
    **changes: Any,
) -> Transcriber:
    """Return a trained `Transcriber`; see `Transcriber.from_table`."""
    if unit not in UNITS:
        raise ParameterError(f"unit {options(unit, UNITS)}")
    table = read_table(path, column="text")
    folds = check_folds(table, n_splits)
    names = [channels] if isinstance(channels, str) else channels
    if pipeline is not None and (names or rate_hz):
        raise ParameterError("channels and rate_hz shape the default pipeline; put Channels and Resample into yours")
    facts = table.facts(channels=names, rate_hz=rate_hz, alike=pipeline is None, announce=announce)
    _check_sound(table, facts, own=pipeline is not None)
    prepare = pipeline or speech_pipeline(facts.fs, channels=names)
    windows = prepared(table, prepare, announce)
    network, augment = _fitting(table, windows, unit=unit, model=model, own=pipeline is not None)

    def train(part: Windows) -> Transcriber:
        fresh = kind(prepare, network, unit=unit)
        how = settings or speech_settings(len(table))
        return fresh.fit(part, settings=how, augment=augment, progress=progress, **changes)

    validation = None
    if folds:
        pairs = list(kfold_by_subject(windows, n_splits=folds))
        _warn_of_unheard(table, pairs, unit)
        parts = [(train(heard).transcribe(test), test) for heard, test in pairs]
        validation = _validated(parts, unit=unit, n_splits=folds)
    made = train(windows)
    made.validation = validation
    task = f"sound to text, {len(made.classes) - 1} {made.symbol_unit}"
    made.card = table_card(table, task, scores=validation.scores if validation else None, n_splits=folds)
    return made


def _check_sound(table: Table, facts: Facts, *, own: bool) -> None:
    if not own and not facts.is_sound:
        raise DataError(
            f"{table.path}: transcripts are of sound, these are recordings of {', '.join(facts.channels[:8])} in "
            f"{', '.join(sorted(set(facts.units)))}; of other signals give a pipeline of your own"
        )
    if facts.longest_s > _LONG_S:
        warnings.warn(
            f"{table.path.name}: the longest recording has {facts.longest_s:g} s: texts are learned best from "
            "sentences; start_s and stop_s cut a recording into several rows",
            BiosigWarning,
            stacklevel=4,
        )


def _fitting(
    table: Table, windows: Windows, *, unit: str, model: ModelSpec | None, own: bool
) -> tuple[ModelSpec, SpokenAugmentation | None]:
    """Return the network with the fewest answers that can say all texts, and how items are changed in training.

    Raises
    ------
    DataError
        When a text is longer than any network, or the one given, can say: every such row is in the message.
    """
    if windows.texts is None:
        raise ParameterError("the windows of the pipeline hold no texts: let them be Utterance()")
    alphabet = Alphabet.of(windows.texts.tolist(), unit=unit)
    specs = speech_models(unit) if model is None else (model,)
    for stretch in (_STRETCH, 0.0):
        for spec in specs:
            problems = list(_too_long(table, windows, alphabet, spec, share=1 - stretch))
            if not problems:
                return spec, None if own else speech_augmentation(unit, stretch=stretch)
    listed = "\n  ".join(problems)
    raise DataError(f"{table.path}: {len(problems)} of {len(table)} texts cannot be learned:\n  {listed}")


def _too_long(table: Table, windows: Windows, alphabet: Alphabet, spec: ModelSpec, *, share: float) -> Iterator[str]:
    """Yield what is wrong with each text that this share of its frames, less one, cannot say."""
    network = spec.build(n_features=len(windows.columns), n_outputs=len(alphabet.classes), per_step=True)
    targets = Targets(alphabet, network)
    for item, row in enumerate(table.rows):
        n_steps = int(windows.lengths[item])
        usable = n_steps if share == 1 else max(int(share * n_steps) - 1, 1)
        try:
            targets.check(targets.of(windows, item), usable, name=str(windows.recordings[item]))
        except DataError as error:
            yield f"{table.path.name} line {row.line}: {error}"


def _warn_of_unheard(table: Table, pairs: Sequence[tuple[Windows, Windows]], unit: str) -> None:
    """Say which rows hold symbols that no text of the other folds holds."""
    lines = dict(zip(table.ids, (row.line for row in table.rows), strict=True))
    found: list[str] = []
    for heard, test in pairs:
        known = {symbol for text in _texts(heard) for symbol in split(text, unit)}
        for name, text in zip(test.recordings.tolist(), _texts(test), strict=True):
            unheard = sorted(set(split(text, unit)) - known)
            if unheard:
                found.append(f"line {lines[name]}: {', '.join(map(repr, unheard[:_SHOWN]))}")
    if found:
        more = f"; and {len(found) - _SHOWN} more lines" if len(found) > _SHOWN else ""
        warnings.warn(
            f"{table.path.name}: {unit} that are said in one fold alone; the model validated on it cannot write "
            f"them, each counts as an error: {'; '.join(found[:_SHOWN])}{more}",
            BiosigWarning,
            stacklevel=4,
        )


def _texts(windows: Windows) -> list[str]:
    return [] if windows.texts is None else [str(text) for text in windows.texts.tolist()]


def _validated(parts: Sequence[tuple[Transcripts, Windows]], *, unit: str, n_splits: int) -> TranscriptValidation:
    said = Transcripts.concatenate([part for part, _ in parts])
    texts = tuple(text for _, test in parts for text in _texts(test))
    subjects = np.concatenate([test.subjects for _, test in parts])
    return TranscriptValidation(transcript_scores(texts, said.texts, subjects, unit=unit), said, texts, n_splits)
