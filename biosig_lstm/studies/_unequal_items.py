"""Items of unequal length: utterances of vowels made by rule, and spoken digits of speakers that are left out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from biosig_lstm import datasets
from biosig_lstm.datasets.fsdd import DIGITS
from biosig_lstm.features.mfcc import MFCC
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.studies._padding_ways import Float32, Int64, Items
from biosig_lstm.windows import WholeRecording

__all__ = ["Fold", "made_vowels", "scaled", "spoken_digit_folds"]

SPEAKERS, COEFFICIENTS = 9, 12
SHORTEST_STEPS, LONGEST_STEPS = 7, 29
_SPEAKER_SPREAD, _UTTERANCE_SPREAD, _NOISE, _NOISE_KEPT = 0.45, 0.25, 0.2, 0.7
_HOP_S = 0.02


class Fold(NamedTuple):
    """Items to learn from and items to test, of one kind of data."""

    name: str
    train: Items
    test: Items
    n_classes: int


def made_vowels(*, train_each: int, test_each: int, seed: int) -> Fold:
    """Return utterances like those of the Japanese Vowels, made by rule: which of nine speakers says /ae/.

    Parameters
    ----------
    train_each, test_each : int
        Utterances of each speaker.
    seed : int
        Of speakers and utterances.

    Returns
    -------
    Fold
        Items of 7 to 29 steps of 12 coefficients. A speaker is two sets of coefficients, of /a/ and of /e/; an
        utterance goes from the first to the second, off by an offset of its own and by noise that lingers. Length says
        nothing of the speaker.

    Notes
    -----
    The sizes of the Japanese Vowels (Kudo, Toyama and Shimbo, Pattern Recognition Letters 20, 1999): linear prediction
    cepstra of nine men, 30 utterances each to learn from and 24 to 88 to test. The same men are tested, as there.

    Examples
    --------
    >>> fold = made_vowels(train_each=2, test_each=1, seed=0)
    >>> len(fold.train.x), fold.train.x[0].shape[1], fold.test.y.tolist()
    (18, 12, [0, 1, 2, 3, 4, 5, 6, 7, 8])
    """
    rng = np.random.default_rng(seed)
    ends = rng.standard_normal((2, COEFFICIENTS)) + _SPEAKER_SPREAD * rng.standard_normal((SPEAKERS, 2, COEFFICIENTS))
    sides = []
    for each in (train_each, test_each):
        whose = np.repeat(np.arange(SPEAKERS), each)
        sides.append((tuple(_utterance(ends[who], rng) for who in whose.tolist()), whose))
    return _fold("made vowels", *sides, n_classes=SPEAKERS)


def _utterance(ends: Float32, rng: np.random.Generator) -> Float32:
    n = int(rng.integers(SHORTEST_STEPS, LONGEST_STEPS + 1))
    place = np.linspace(0, 1, n)[:, None]
    share = place * place * (3 - 2 * place)
    noise = _NOISE * rng.standard_normal((n, COEFFICIENTS))
    for step in range(1, n):
        noise[step] += _NOISE_KEPT * noise[step - 1]
    offset = _UTTERANCE_SPREAD * rng.standard_normal(COEFFICIENTS)
    return np.asarray((1 - share) * ends[0] + share * ends[1] + offset + noise, dtype=np.float32)


def spoken_digit_folds(root: str | Path | None, *, most: int | None = None) -> Iterator[Fold]:
    """Yield, for each speaker of the Free Spoken Digit Dataset, the others' words to learn from and theirs to test.

    Parameters
    ----------
    root : path or None
        Folder of the database; None: where databases are kept.
    most : int, optional
        Words of a digit and a speaker that are used; all by default.

    Raises
    ------
    DataError
        When the database is not there.
    """
    prepare = Pipeline(windows=WholeRecording(classes=DIGITS), features=[MFCC(hop_s=_HOP_S)])
    data = datasets.get("fsdd", root)
    windows = prepare(data.recordings())
    x = [windows.values[first:stop] for first, stop in pairwise(windows.offsets.tolist())]
    y = np.asarray(windows.y)
    used = _first_of_each([f"{who} {what}" for who, what in zip(windows.subjects, y, strict=True)], most)
    for speaker in np.unique(windows.subjects).tolist():
        mine = windows.subjects == speaker
        parts = [np.flatnonzero(used & side) for side in (~mine, mine)]
        sides = [(tuple(x[k] for k in part.tolist()), y[part]) for part in parts]
        yield _fold(speaker, *sides, n_classes=len(DIGITS))


def _first_of_each(groups: list[str], most: int | None) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if most is None:
        return np.ones(len(groups), dtype=bool)
    met: dict[str, int] = {}
    kept = np.zeros(len(groups), dtype=bool)
    for k, group in enumerate(groups):
        kept[k] = met.get(group, 0) < most
        met[group] = met.get(group, 0) + 1
    return kept


def _fold(
    name: str, train: tuple[tuple[Float32, ...], Int64], test: tuple[tuple[Float32, ...], Int64], *, n_classes: int
) -> Fold:
    longest = max(len(item) for item in (*train[0], *test[0]))
    return scaled(Fold(name, Items(*train, longest), Items(*test, longest), n_classes))


def scaled(fold: Fold) -> Fold:
    """Return the fold with features of mean 0 and spread 1 over the steps to learn from."""
    steps = np.concatenate(fold.train.x)
    mean, spread = steps.mean(axis=0), steps.std(axis=0) + 1e-6
    train, test = (part._replace(x=tuple((x - mean) / spread for x in part.x)) for part in (fold.train, fold.test))
    return fold._replace(train=train, test=test)
