"""What reading the zeros behind short items costs, beside reading each item within its own length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from statistics import mean, median
from typing import TYPE_CHECKING

import numpy as np
import torch

from biosig_lstm.studies._clock import clock_of, taken
from biosig_lstm.studies._padding_ways import WAYS, Float32, WayNetwork, predict, train_epoch
from biosig_lstm.studies._study import Claim, Findings, Study, StudyOptions, judged
from biosig_lstm.studies._table import Row, Table
from biosig_lstm.studies._unequal_items import Fold, made_vowels, spoken_digit_folds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDY", "PaddingSettings", "measure_fold"]

MADE, WORDS = "made vowels", "spoken digits"
_SAME = 1e-4  # probabilities nearer than this are the same but for rounding
_ALIKE = 0.01  # accuracies nearer than this are counted as alike


@dataclass(frozen=True, kw_only=True)
class PaddingSettings:
    """Sizes of the study.

    Parameters
    ----------
    cells, word_cells : tuple of str
        Of "lstm" and "gru": those that read vowels, and those that read words.
    units : int
        Of each direction of the one layer.
    batch_size : int
        Items of a batch, drawn without regard to their lengths, in training and in testing.
    learning_rate : float
        Of Adam.
    made : int
        Sets of vowels made by rule; none where 0.
    train_each, test_each : int
        Utterances of each of their nine speakers.
    made_epochs, word_epochs : int
        Of training, on vowels and on words.
    words_each : int
        Words of each digit and speaker of the Free Spoken Digit Dataset, each speaker being left out once; none
        where 0.
    """

    cells: tuple[str, ...] = ("lstm", "gru")
    word_cells: tuple[str, ...] = ("lstm",)
    units: int = 32
    batch_size: int = 16
    learning_rate: float = 3e-3
    made: int = 2
    train_each: int = 30
    test_each: int = 40
    made_epochs: int = 15
    word_epochs: int = 8
    words_each: int = 20


def _measure(settings: PaddingSettings, options: StudyOptions) -> Iterator[Row]:
    for draw in range(settings.made):
        fold = made_vowels(
            train_each=settings.train_each, test_each=settings.test_each, seed=1_000 * options.seed + draw
        )
        for cell in settings.cells:
            yield from measure_fold(settings, options, fold, cell, of=(MADE, draw), epochs=settings.made_epochs)
    if settings.words_each:
        options.announce("spoken digits are prepared")
        for place, fold in enumerate(spoken_digit_folds(options.root("fsdd"), most=settings.words_each)):
            for cell in settings.word_cells:
                yield from measure_fold(settings, options, fold, cell, of=(WORDS, place), epochs=settings.word_epochs)


def measure_fold(
    settings: PaddingSettings, options: StudyOptions, fold: Fold, cell: str, *, of: tuple[str, int], epochs: int
) -> Iterator[Row]:
    """Yield a row for each way: what the study measures of a cell on one kind of items.

    Parameters
    ----------
    settings, options
        Of the study.
    fold : Fold
        Items to learn from and to test.
    cell : {"lstm", "gru"}
        Which.
    of : (str, int)
        What the items are called, and which fold of them this is: it decides the weights to start from.
    epochs : int
        Of training.
    """
    sizes = {"n_features": fold.train.x[0].shape[1], "units": settings.units, "n_classes": fold.n_classes}
    for way in WAYS:
        options.announce(f"{fold.name}, {cell}, {way}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1_000 * options.seed + of[1])
            network = WayNetwork(way, cell, **sizes)
        rng = np.random.default_rng([options.seed, of[1]])
        network.to(options.device_name())
        epoch_s = _train(settings, network, fold, epochs=epochs, rng=rng)
        yield (*of, cell, way, *_tested(settings, network, fold, rng), epoch_s)


def _train(
    settings: PaddingSettings, network: WayNetwork, fold: Fold, *, epochs: int, rng: np.random.Generator
) -> float:
    """Train, and return the median time of an epoch in seconds."""
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    epoch = partial(train_epoch, network, fold.train, optimiser, batch_size=settings.batch_size, rng=rng)
    clock = clock_of(network.head.weight.device.type)
    return median(taken(epoch, clock) for _ in range(epochs))


def _tested(
    settings: PaddingSettings, network: WayNetwork, fold: Fold, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Return the accuracy in batches and alone, the share of other answers, and how far probabilities are apart."""
    together = predict(network, fold.test, batch_size=settings.batch_size, rng=rng)
    alone = predict(network, fold.test, batch_size=1, rng=rng)
    said, said_alone = together.argmax(axis=1), alone.argmax(axis=1)
    return (
        float((said == fold.test.y).mean()),
        float((said_alone == fold.test.y).mean()),
        float((said != said_alone).mean()),
        _furthest(together, alone),
    )


def _furthest(one: Float32, other: Float32) -> float:
    return float(np.abs(one - other).max())


def _conclude(settings: PaddingSettings, measured: Table) -> Findings:  # noqa: ARG001
    rows = [
        (data, cell, way, *_summary(measured.where(data=data, cell=cell, way=way), measured))
        for data in measured.values("data")
        for cell in measured.values("cell")
        for way in measured.where(data=data, cell=cell).values("way")
    ]
    columns = (
        "data", "cell", "way", "accuracy", "alone", "answers that differ", "largest difference", "time of an epoch",
    )  # fmt: skip
    title = (
        "Accuracy (smallest to largest of the folds) in batches and of each item alone; share of items with another "
        "answer alone than in a batch, largest difference of a probability; time in units of the masked way's"
    )
    return Findings((Table(columns, tuple(rows), title=title),), _claims(measured))


def _summary(found: Table, measured: Table) -> Row:
    accuracy = found.numbers("accuracy")
    cell, data = found.rows[0][2], found.rows[0][0]
    masked = measured.where(data=data, cell=cell, way="masked").numbers("epoch_s")
    ratio = f"{median(found.numbers('epoch_s')) / median(masked):.2f}" if masked else "-"
    return (
        f"{mean(accuracy):.3f} ({min(accuracy):.3f} to {max(accuracy):.3f})",
        f"{mean(found.numbers('alone')):.3f}",
        f"{100 * mean(found.numbers('changed')):.1f} %",
        f"{max(found.numbers('furthest')):.1g}",
        ratio,
    )


def _claims(measured: Table) -> tuple[Claim, ...]:
    if not _kinds(measured):
        return ()
    return (
        _cost("Padding with zeros costs accuracy", measured, "padded to the longest of all"),
        _cost("Padding each batch to its own longest item costs accuracy too", measured, "padded"),
        _own_answer("An item's answer is its own, whatever stands beside it in a padded batch", measured, "padded"),
        _own_answer("It is enough to take the last true step of a bidirectional layer", measured, "last true step"),
        _own_answer("With lengths known to the layer, an item's answer is its own", measured, "masked"),
        _packing(measured),
    )


def _kinds(measured: Table) -> list[tuple[str, Table]]:
    """Return each kind of data and cell that every way has read, with its rows."""
    found = [
        (f"{data}, {cell}", measured.where(data=data, cell=cell))
        for data in measured.values("data")
        for cell in measured.where(data=data).values("cell")
    ]
    return [(name, rows) for name, rows in found if len(rows.values("way")) == len(WAYS)]


def _cost(claimed: str, measured: Table, way: str) -> Claim:
    """Return the claim that the masked way is better than this one."""
    said, worse = [], []
    for name, rows in _kinds(measured):
        masked, other = (rows.where(way=which).numbers("accuracy") for which in ("masked", way))
        lost = [m - o for m, o in zip(masked, other, strict=False)]
        said.append(f"{name}: {mean(lost):+.3f} ({min(lost):+.3f} to {max(lost):+.3f})")
        worse.append(mean(lost) > _ALIKE)
    return Claim(claimed, f"accuracy masked less {way}, mean (range of folds): {'; '.join(said)}", judged(worse))


def _own_answer(claimed: str, measured: Table, way: str) -> Claim:
    said, same = [], []
    for name, rows in _kinds(measured):
        found = rows.where(way=way)
        furthest = max(found.numbers("furthest"))
        said.append(f"{name}: {100 * mean(found.numbers('changed')):.1f} %, {furthest:.1g}")
        same.append(furthest < _SAME)
    measured_as = "share of items with another answer alone than in a batch, largest difference of a probability"
    return Claim(claimed, f"{measured_as}: {'; '.join(said)}", judged(same))


def _packing(measured: Table) -> Claim:
    said, faster = [], []
    for name, rows in _kinds(measured):
        packed, masked, padded = (
            median(rows.where(way=way).numbers("epoch_s")) for way in ("packed", "masked", "padded")
        )
        said.append(f"{name}: {packed / padded:.1f} and {packed / masked:.1f}")
        faster.append(packed < padded)
    return Claim(
        "Packing saves the time that padding wastes",
        f"time of an epoch packed, in units of padded and of masked: {'; '.join(said)}",
        judged(faster),
    )


def _draw(settings: PaddingSettings, measured: Table, figure: Figure) -> None:  # noqa: ARG001
    left, right = figure.subplots(1, 2, sharey=True)
    kinds = _kinds(measured)
    names = list(WAYS)
    for place, (name, rows) in enumerate(kinds):
        shift = 0.12 * (place - (len(kinds) - 1) / 2)
        for height, way in enumerate(names):
            found = rows.where(way=way)
            if not len(found):
                continue
            at, accuracy = height + shift, found.numbers("accuracy")
            label = name if height == 0 else None
            left.plot([min(accuracy), max(accuracy)], [at, at], color=f"C{place}", linewidth=1)
            left.plot(mean(accuracy), at, "o", color=f"C{place}", markersize=5, label=label)
            right.plot(100 * mean(found.numbers("changed")), at, "o", color=f"C{place}", markersize=5)
    left.set(yticks=range(len(names)), yticklabels=names, xlabel="accuracy: mean and range of the folds")
    left.invert_yaxis()
    right.set(xlabel="answers that are others alone (%)")
    if kinds:
        figure.legend(loc="outside lower center", ncols=2, fontsize="small")


STUDY = Study(
    name="padding",
    title="What padding costs",
    question="What does it cost to read the zeros behind short items: how much accuracy, and whose answers change?",
    about="""
One layer in both directions reads sequences of unequal length in batches of random neighbours, and its last states are
classified. Five ways, of the same weights, batches and training: "padded to the longest of all" and "padded" read the
zeros and take what is there at the end; "last true step" reads them too and takes the forward state where the item
ends, so that only the backward direction has come through zeros; "masked" lets each direction read the item's own
steps, which is what this package does; "packed" is torch's packing. Data: utterances of vowels made by rule in the
sizes of the Japanese Vowels (9 speakers to tell apart, 7 to 29 steps of 12 coefficients), and the digits of the Free
Spoken Digit Dataset (20 of each digit and speaker, MFCC every 20 ms), each speaker left out once. Nothing is chosen on
the items that are tested.
""",
    full=PaddingSettings(),
    quick=PaddingSettings(
        cells=("lstm",), units=8, made=1, train_each=6, test_each=3, made_epochs=2, word_epochs=1, words_each=0
    ),
    columns=("data", "fold", "cell", "way", "accuracy", "alone", "changed", "furthest", "epoch_s"),
    measure=_measure,
    conclude=_conclude,
    draw=_draw,
)
