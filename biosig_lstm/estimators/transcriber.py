"""What is said: a transcript of sound, learned by connectionist temporal classification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from biosig_lstm.containers import Recording, Windows
from biosig_lstm.decoding import Alphabet, align, beam_search, greedy
from biosig_lstm.decoding.alphabet import UNITS
from biosig_lstm.decoding.pieces import cut_at_silence
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.estimators._base import Estimator
from biosig_lstm.estimators._from_text_table import TranscriptValidation, transcriber_from_table
from biosig_lstm.estimators._stretches import Source, source_of, stretches
from biosig_lstm.estimators.language_model import LanguageModel, LanguageScorer
from biosig_lstm.estimators.transcripts import Transcript, Transcripts, Word
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.formats.audio import AudioFile
from biosig_lstm.metrics.transcripts import TranscriptScores, transcript_scores
from biosig_lstm.models import ModelSpec, answer_lengths
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings

__all__ = ["Decoding", "Transcriber"]

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]
Sound = Recording | AudioFile

_CORE_S, _BESIDE_S = 20.0, 4.0
_PIECE_S = 30.0
_MANY_STEPS = 1_000_000


@dataclass(frozen=True)
class Decoding:
    """How text is made of the network's answers.

    Parameters
    ----------
    beam_width : int [>= 1] or None
        Texts that the beam search follows; None: the best path alone (greedy), which uses no language model.
    language_weight : float
        Of the language model's log-probabilities, where there is a language model.
    symbol_bonus : float
        Added for each symbol there: without it models of language make texts short.
    """

    beam_width: int | None = 16
    language_weight: float = 0.5
    symbol_bonus: float = 0.0

    def __post_init__(self) -> None:
        if self.beam_width is not None and self.beam_width < 1:
            raise ParameterError(f"beam_width must be at least 1, or None for the best path, got {self.beam_width}")


class Transcriber(Estimator):
    """A model that writes down what is said; see `Estimator` for its parameters that are not here.

    Its pipeline begins its windows with `Utterance` and makes frames of them; its model answers steps, best fewer than
    there are frames, as `SpeechBiLSTM` does.

    Parameters
    ----------
    unit : {"characters", "words", "phones"}
        What the network tells apart. Words take as many outputs as there are words: for small vocabularies.
    alphabet : sequence of str, optional
        The symbols; by default those of the texts it is trained on.
    decoding : Decoding
        How text is made of the network's answers, unless asked otherwise.

    Notes
    -----
    Connectionist temporal classification (Graves, Fernandez, Gomez and Schmidhuber, ICML 2006). Long sound is read in
    stretches of 20 s, with 4 s more on either side that no answer is taken from, and decoded in pieces of at most
    30 s that are cut where nothing is said: memory does not grow with length but by the answers themselves. Where
    features are normalised over an utterance, each stretch is one.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> prepare = bl.Pipeline(windows=bl.Utterance(), features=[bl.LogMel()])
    >>> model = bl.Transcriber(prepare, bl.SpeechBiLSTM(hidden_size=32), unit="words")
    """

    per_step: ClassVar[bool] = True

    validation: TranscriptValidation | None = None
    """How models of this kind did across subjects, where `from_table` made it in this session."""

    def __init__(
        self,
        pipeline: Pipeline,
        model: ModelSpec,
        *,
        unit: str = "characters",
        alphabet: Sequence[str] | None = None,
        decoding: Decoding | None = None,
        members: int = 1,
        standardize: Standardize | None = None,
        task: str = "transcripts",
    ) -> None:
        super().__init__(pipeline, model, members=members, standardize=standardize, task=task)
        if unit not in UNITS:
            raise ParameterError(f"unit {options(unit, UNITS)}")
        self.symbol_unit = unit
        self.given = None if alphabet is None else Alphabet(tuple(alphabet), unit)
        self.alphabet = self.given
        self.decoding = decoding or Decoding()

    @classmethod
    def from_table(
        cls,
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
    ) -> Self:
        """Return a transcriber trained on the sounds of a table, with its scores on subjects it had not heard.

        Parameters
        ----------
        path : path
            A CSV file with columns ``path,text,subject`` and optionally ``start_s,stop_s``; paths are relative to it.
            Texts are taken as written, white space collapsed.
        unit : {"characters", "words", "phones"}
            What the network tells apart; symbols are those of the texts.
        channels : sequence of str, optional
            Channels that are mixed down to one; by default all.
        rate_hz : float [unit=Hz, > 0], optional
            Rate that all sounds are brought to; by default the lowest of theirs, at most 16 kHz.
        pipeline, model, settings : optional
            Instead of the defaults; single settings can be given by name, as in `fit`. The windows of a pipeline of
            your own are `Utterance`; it is trained without augmentation.
        n_splits : int [0, or >= 2]
            Folds of the validation by subject, fewer where there are fewer subjects; 0 leaves it out.
        progress : bool
            Show progress on stderr.
        announce : callable, optional
            Called with the id of each recording before it is read.

        Returns
        -------
        Transcriber
            Trained on every recording; `validation` holds the scores of the folds, the card repeats them.

        Raises
        ------
        DataError
            When the table cannot be used, as in `Classifier.from_table`; recordings are no sound; a text is longer
            than its sound can say; or there is one subject, and a validation is asked for.
        ParameterError
            When a parameter is out of range, or channels or a rate are given beside a pipeline.

        Warns
        -----
        BiosigWarning
            When sounds differ in rate, a recording is longer than a minute, or a symbol occurs in one fold alone: the
            model that is validated on it cannot write it, and it counts as an error.

        Notes
        -----
        By default ``LogMel``, ``QuietFloor`` and ``NormalizeUtterance``, and a `SpeechBiLSTM` that answers every 40 ms,
        or as often as the densest text needs.
        """
        made = transcriber_from_table(
            cls,
            path,
            unit=unit,
            channels=channels,
            rate_hz=rate_hz,
            pipeline=pipeline,
            model=model,
            settings=settings,
            n_splits=n_splits,
            progress=progress,
            announce=announce,
            **changes,
        )
        return cast("Self", made)

    def transcribe(
        self,
        data: Sound | Windows | Iterable[Sound],
        *,
        language_model: LanguageModel | None = None,
        **changes: Any,
    ) -> Transcripts:
        """Return what is said in recordings, in order.

        Parameters
        ----------
        data : Recording, AudioFile, Windows or several of the first two
            Recordings go through the model's own preparation. Of an open sound file no more than a stretch is in
            memory at a time.
        language_model : LanguageModel, optional
            Of the same unit; it says which texts are likely, whatever is heard.
        **changes
            Single fields of `Decoding`: ``beam_width``, ``language_weight``, ``symbol_bonus``.

        Raises
        ------
        DataError
            When a recording cannot be prepared.
        ParameterError
            When the model is not trained, or a language model does not fit.
        """
        return Transcripts(tuple(self.each_transcript(data, language_model=language_model, **changes)))

    def each_transcript(
        self,
        data: Sound | Windows | Iterable[Sound],
        *,
        language_model: LanguageModel | None = None,
        **changes: Any,
    ) -> Iterator[Transcript]:
        """Yield the transcripts that `transcribe` returns, each when it is made."""
        how = _changed(self.decoding, changes)
        alphabet = self._trained_alphabet()
        _scorer(language_model, alphabet, how)
        if isinstance(data, Windows):
            windows = self._windows(data)
            logs = self.log_probabilities(windows)
            for k in range(len(windows)):
                length_s = float(windows.lengths[k]) / float(windows.rate_hz or 1.0)
                source = Source(str(windows.recordings[k]), str(windows.subjects[k]), 1.0, 0, _unreadable)
                yield self._decoded(source, logs[k], length_s, how, _scorer(language_model, alphabet, how))
            return
        for one in [data] if isinstance(data, Recording | AudioFile) else data:
            source = source_of(one)
            found = self.answers(one)
            yield self._decoded(
                source, found, source.n_samples / source.fs, how, _scorer(language_model, alphabet, how)
            )

    def predict(self, data: Sound | Windows | Iterable[Sound]) -> Transcripts:  # type: ignore[override]
        """Return what is said in recordings, in order; the same as `transcribe`."""
        return self.transcribe(data)

    def answers(self, data: Sound) -> Float32:
        """Return the log-probability of the blank and of each symbol at every answer of the network.

        Parameters
        ----------
        data : Recording or AudioFile
            Read in stretches where it is long.

        Returns
        -------
        np.ndarray of float32 [shape=(answers, 1 + symbols)]
            Answers are `answer_s` apart.
        """
        self._trained_alphabet()
        source = source_of(data)
        parts = []
        shape = {"fs": source.fs, "answer_s": self.answer_s, "core_s": _CORE_S, "beside_s": _BESIDE_S}
        try:
            for part in stretches(source.n_samples, **shape):
                recording = replace(source.read(part.begin, part.end), id=source.id, subject=source.subject)
                (logs,) = self.log_probabilities(recording)
                parts.append(logs[part.first : part.stop])
        except DataError as error:
            named = source.id and source.id in str(error)
            raise error if named or not source.id else DataError(f"{source.id}: {error}") from error
        return np.concatenate(parts)

    @property
    def answer_s(self) -> float:
        """Seconds from one answer of the network to the next."""
        self._trained_alphabet()
        answered = int(answer_lengths(self.networks[0], torch.tensor([_MANY_STEPS]))[0])
        return round(_MANY_STEPS / answered) / float(self.rate_hz or 1.0)

    def _trained_alphabet(self) -> Alphabet:
        if not self.training or self.alphabet is None:
            raise ParameterError(f"{type(self).__name__} is not trained yet: call fit, or load a trained one")
        return self.alphabet

    def _decoded(
        self, source: Source, logs: Float32, duration_s: float, how: Decoding, scorer: LanguageScorer | None
    ) -> Transcript:
        alphabet = self._trained_alphabet()
        symbols, places, total = [np.zeros(0, np.int64)], [np.zeros((0, 2), np.int64)], 0.0
        for begin, end in cut_at_silence(logs, longest=max(round(_PIECE_S / self.answer_s), 2)):
            found, log_probability = _search(logs[begin:end], how, scorer, last=end == len(logs))
            symbols.append(found)
            places.append(align(logs[begin:end], found) + begin)
            total += log_probability
        said, where = np.concatenate(symbols), np.concatenate(places)
        sure = np.array([logs[a:b, k].max() for k, (a, b) in zip(said, where, strict=True)], dtype=np.float64)
        words = tuple(
            _words(
                alphabet, said, np.asarray((where - 0.5) * self.answer_s, dtype=np.float64), np.exp(sure), duration_s
            )
        )
        text = " ".join(alphabet.decode(said).split())
        return Transcript(source.id, source.subject, text, words, duration_s, total)

    def evaluate(  # type: ignore[override]
        self,
        test: Windows | Iterable[Recording],
        *,
        allow_seen: bool = False,
        seed: int = 0,
        language_model: LanguageModel | None = None,
        **changes: Any,
    ) -> TranscriptScores:
        """Return word and character error rates on recordings of subjects the model has not seen.

        Parameters
        ----------
        test : Windows or recordings
            With transcripts.
        allow_seen : bool
            Score subjects of the training set too, when that is what is asked.
        seed : int
            Of the bootstrap over subjects.
        language_model, **changes
            As of `transcribe`.

        Raises
        ------
        LeakageError
            When a subject has been trained on.
        DataError
            When there is no recording, or one has no transcript.
        """
        windows = test if isinstance(test, Windows) else self.pipeline(test)
        if windows.texts is None or not len(windows):
            names = ", ".join(sorted(set(windows.recordings.tolist()))[:8])
            raise DataError(f"nothing to score: no transcript of {names}; they are needed to evaluate")
        if not allow_seen:
            self.check_unseen(windows)
        said = self.transcribe(windows, language_model=language_model, **changes)
        return transcript_scores(windows.texts.tolist(), said.texts, windows.subjects, unit=self.symbol_unit, seed=seed)

    def _take_layout(self, train: Windows) -> None:
        if train.texts is None:
            raise ParameterError(f"{type(self).__name__} learns texts, these windows have none; Utterance reads them")
        self.alphabet = self.given or Alphabet.of(train.texts.tolist(), unit=self.symbol_unit)
        self.classes, self.columns = self.alphabet.classes, tuple(train.columns)
        self.window_shape, self.unit, self.rate_hz = train.window_shape, train.unit, train.rate_hz

    def _run(self, train: Windows, val: Windows | None, *, settings: FitSettings) -> dict[str, Any]:
        texts = [[] if side is None or side.texts is None else side.texts.tolist() for side in (train, val)]
        return super()._run(train, val, settings=settings) | {"symbols": self.symbol_unit, "texts": texts}

    def _header(self) -> dict[str, Any]:
        return super()._header() | {"alphabet": self._trained_alphabet().to_dict(), "decoding": asdict(self.decoding)}

    @classmethod
    def _from_header(cls, header: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Self:
        made = super()._from_header(header, weights)
        made.alphabet = made.given = Alphabet(tuple(header["alphabet"]["symbols"]), header["alphabet"]["unit"])
        made.symbol_unit = made.alphabet.unit
        made.decoding = Decoding(**header["decoding"])
        if made.classes != made.alphabet.classes:
            raise DataError(f"{len(made.classes)} outputs for an alphabet of {len(made.alphabet)} symbols")
        return made


def _changed(decoding: Decoding, changes: Mapping[str, Any]) -> Decoding:
    known = asdict(decoding)
    for name in changes:
        if name not in known:
            raise ParameterError(f"decoding has no setting {options(name, known)}")
    return replace(decoding, **changes)


def _scorer(model: LanguageModel | None, alphabet: Alphabet, how: Decoding) -> LanguageScorer | None:
    if model is None:
        return None
    if how.beam_width is None:
        raise ParameterError("the best path uses no language model: give a beam_width")
    return model.scorer(alphabet, weight=how.language_weight, bonus=how.symbol_bonus)


def _search(logs: Float32, how: Decoding, scorer: LanguageScorer | None, *, last: bool) -> tuple[Int64, float]:
    if how.beam_width is None:
        return greedy(logs), float(logs.max(axis=1).sum(dtype=np.float64))
    if scorer is None:
        (best,) = beam_search(logs, beam_width=how.beam_width)
        return best.symbols, best.log_probability
    scorer.ends = last
    (best,) = beam_search(logs, beam_width=how.beam_width, scorer=scorer)
    scorer.go_on(best.symbols.tolist())
    return best.symbols, best.log_probability


def _words(
    alphabet: Alphabet, said: Int64, times_s: npt.NDArray[np.float64], sure: npt.NDArray[np.float64], end_s: float
) -> Iterator[Word]:
    symbols = [alphabet.symbols[k - 1] for k in said.tolist()]
    first = 0
    spaced = alphabet.unit == "characters"
    for k in range(len(symbols) + 1):
        if spaced and k < len(symbols) and symbols[k] != " ":
            continue
        last = k if spaced else k + 1
        if first < last <= len(symbols):
            start_s, stop_s = (float(np.clip(at, 0.0, end_s)) for at in (times_s[first, 0], times_s[last - 1, 1]))
            yield Word("".join(symbols[first:last]), start_s, stop_s, float(sure[first:last].min()))
        first = k + 1


def _unreadable(begin: int, end: int) -> Recording:
    raise DataError(f"items cannot be read in part, from {begin} to {end}")
