"""Scores of transcripts: word, character and phone error rates, with intervals over speakers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.containers import freeze
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.metrics.intervals import intervals_by_subject
from biosig_lstm.metrics.result import Scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "EditCounts",
    "TranscriptScores",
    "character_error_rate",
    "edit_counts",
    "transcript_scores",
    "word_error_rate",
]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_RATES: Mapping[str, tuple[str, ...]] = {"characters": ("wer", "cer"), "words": ("wer", "cer"), "phones": ("per",)}


class EditCounts(NamedTuple):
    """How a text differs from a reference: what is right, another, missing, too much."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions: the edit distance."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """Errors for each symbol of the reference; NaN where that is empty."""
        n = self.hits + self.substitutions + self.deletions
        return self.errors / n if n else float("nan")


@njit(cache=True)
def _count(reference, said):  # type: ignore[no-untyped-def]
    """Return hits, substitutions, deletions and insertions of the best alignment, row by row of the table."""
    n, m = len(reference), len(said)
    cost, hits = np.arange(m + 1), np.zeros(m + 1, dtype=np.int64)
    for i in range(1, n + 1):
        corner_cost, corner_hits = cost[0], hits[0]
        cost[0], hits[0] = i, 0
        for j in range(1, m + 1):
            same = reference[i - 1] == said[j - 1]
            best, right = corner_cost + (0 if same else 1), corner_hits + (1 if same else 0)
            corner_cost, corner_hits = cost[j], hits[j]
            for other, had in ((cost[j] + 1, hits[j]), (cost[j - 1] + 1, hits[j - 1])):
                if other < best or (other == best and had > right):
                    best, right = other, had
            cost[j], hits[j] = best, right
    # errors = S + D + I, n = H + S + D, m = H + S + I
    substitutions = n + m - 2 * hits[m] - cost[m]
    return hits[m], substitutions, n - hits[m] - substitutions, m - hits[m] - substitutions


def edit_counts(reference: Sequence[Hashable], said: Sequence[Hashable]) -> EditCounts:
    """Return how a sequence differs from a reference in the alignment of fewest errors.

    Parameters
    ----------
    reference, said : sequence
        Symbols: a list of words, the characters of a text.

    Returns
    -------
    EditCounts
        Of several alignments with as few errors, one with the most hits.

    Notes
    -----
    Levenshtein (Soviet Physics Doklady 10:707-710, 1966); every error costs one.

    Examples
    --------
    >>> edit_counts("yes no yes".split(), "yes yes yes no".split())
    EditCounts(hits=2, substitutions=1, deletions=0, insertions=1)
    """
    places: dict[Hashable, int] = {}
    first, second = (
        np.array([places.setdefault(symbol, len(places)) for symbol in text], dtype=np.int64)
        for text in (reference, said)
    )
    return EditCounts(*(int(count) for count in _count(first, second)))


def word_error_rate(references: str | Sequence[str], said: str | Sequence[str]) -> float:
    """Return the errors for each word of the references, all texts together.

    Parameters
    ----------
    references, said : str or sequence of str [shape=(n,)]
        Texts; words are separated by white space. Case and punctuation count.

    Returns
    -------
    float
        Above 1 where more is wrong than was said; NaN where no word was.

    Raises
    ------
    DataError
        When there are more of one than of the other.

    Examples
    --------
    >>> word_error_rate(["yes no", "no"], ["yes", "no no"])
    0.6666666666666666
    """
    return _rate(references, said, characters=False)


def character_error_rate(references: str | Sequence[str], said: str | Sequence[str]) -> float:
    """Return the errors for each character of the references, all texts together.

    Parameters
    ----------
    references, said : str or sequence of str [shape=(n,)]
        Texts; spaces around them are left out, those within are characters.

    Returns
    -------
    float
        As `word_error_rate`.

    Raises
    ------
    DataError
        When there are more of one than of the other.

    Examples
    --------
    >>> character_error_rate("ja nein", "ja neim")
    0.14285714285714285
    """
    return _rate(references, said, characters=True)


def _rate(references: str | Sequence[str], said: str | Sequence[str], *, characters: bool) -> float:
    pairs = _pairs(*([text] if isinstance(text, str) else list(text) for text in (references, said)))
    counts = [EditCounts(0, 0, 0, 0), *(_counts(a, b, characters=characters) for a, b in pairs)]
    return EditCounts(*np.sum(counts, axis=0).tolist()).rate


def _counts(reference: str, said: str, *, characters: bool) -> EditCounts:
    split = str.strip if characters else str.split
    return edit_counts(split(reference), split(said))


def _pairs(references: Sequence[str], said: Sequence[str]) -> list[tuple[str, str]]:
    if len(references) != len(said):
        raise DataError(f"a text is needed for each reference, got {len(said)} for {len(references)}")
    return list(zip(references, said, strict=True))


@dataclass(frozen=True, eq=False, repr=False)
class TranscriptScores(Scores):
    """Error rates of transcripts with intervals; `per_subject` stays empty.

    Parameters
    ----------
    metrics, classes, per_subject, confidence, variants
        As of `Scores`: ``wer`` and ``cer``, of phones ``per``; then ``substitutions``, ``deletions`` and
        ``insertions``, of words or phones, for each one of the references; ``exact``, the share of texts without an
        error.
    edits : mapping of str to array_like of int [shape=(units, 4)]
        Of each subject hits, substitutions, deletions and insertions, by word or phone, then by character.
    n_texts : int
        Texts that were scored.
    """

    edits: Mapping[str, Int64] = field(default_factory=dict, kw_only=True)
    n_texts: int = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        frozen = {name: freeze(np.array(n, dtype=np.int64)) for name, n in self.edits.items()}
        object.__setattr__(self, "edits", frozen)

    @property
    def n_subjects(self) -> int:
        """How many subjects were scored."""
        return len(self.edits)

    @property
    def n_items(self) -> int:
        """How many texts were scored, over all subjects."""
        return self.n_texts

    @property
    def total(self) -> EditCounts:
        """Errors of words, or of phones, over all subjects."""
        return EditCounts(*np.sum([n[0] for n in self.edits.values()], axis=0).tolist())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        plain = super().to_dict()
        del plain["confusion"]
        return plain | {
            "per_subject": {who: EditCounts(*n[0].tolist())._asdict() for who, n in self.edits.items()},
            "total": self.total._asdict(),
        }

    def plot(self) -> Figure:
        """Return a figure of the error rate of each subject, a bar for all."""
        from biosig_lstm.metrics._figure import transcript_figure

        return transcript_figure(self)


def transcript_scores(
    references: Sequence[str],
    said: Sequence[str],
    subjects: npt.ArrayLike,
    *,
    unit: str = "words",
    seed: int = 0,
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> TranscriptScores:
    """Score transcripts.

    Parameters
    ----------
    references, said : sequence of str [shape=(n,)]
        What was said, and what was written down.
    subjects : array_like of str [shape=(n,)]
        Who said it: the unit of the bootstrap.
    unit : {"characters", "words", "phones"}
        Of phones, separated by white space, there is one rate, ``per``; else there are ``wer`` and ``cer``.
    seed, n_resamples, confidence
        Of the intervals; see `bootstrap_by_subject`.

    Returns
    -------
    TranscriptScores
        Errors for each word, character or phone of the references of all subjects together.

    Raises
    ------
    DataError
        When the lengths differ, there is no text, or the references hold nothing.
    ParameterError
        When the unit is not known.

    Examples
    --------
    >>> scores = transcript_scores(["yes no", "no no"], ["yes no", "no"], ["anna", "bela"])
    >>> scores["wer"].value, scores["deletions"].value, scores["exact"].value
    (0.25, 0.25, 0.5)
    """
    if unit not in _RATES:
        raise ParameterError(f"unit {options(unit, _RATES)}")
    pairs, who = _pairs(references, said), np.asarray(subjects, dtype=np.str_).reshape(-1)
    if len(who) != len(pairs) or not pairs:
        raise DataError(f"texts need a subject each, and one text or more: got {len(who)} for {len(pairs)}")
    names, code = np.unique(who, return_inverse=True)
    counts = np.zeros((len(names), 3, 4))
    for place, (reference, text) in zip(code.tolist(), pairs, strict=True):
        counts[place, 0] += _counts(reference, text, characters=False)
        counts[place, 1] += _counts(reference, text, characters=True)
        counts[place, 2, :2] += (1, reference.split() == text.split())
    if not counts[:, 0, :3].sum():
        raise DataError("the references hold nothing that could be right or wrong")
    metrics = intervals_by_subject(
        counts,
        lambda n: _statistics(n, _RATES[unit]),
        n_resamples=n_resamples,
        confidence=confidence,
        seed=seed,
    )
    edits = {str(name): n[:2].astype(np.int64) for name, n in zip(names, counts, strict=True)}
    return TranscriptScores(metrics, (), {}, confidence, edits=edits, n_texts=len(pairs))


def _statistics(counts: Float64, names: Sequence[str]) -> dict[str, Float64]:
    """Return the rates of summed counts (r, words and characters and texts, 4)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        errors, n_said = counts[:, :2, 1:].sum(axis=2), counts[:, :2, :3].sum(axis=2)
        rates = {name: errors[:, k] / n_said[:, k] for k, name in enumerate(names)}
        kinds = ("substitutions", "deletions", "insertions")
        rates |= {name: counts[:, 0, k] / n_said[:, 0] for k, name in enumerate(kinds, 1)}
        return rates | {"exact": counts[:, 2, 1] / counts[:, 2, 0]}
