"""What each cell reaches with more and more patients to learn from, the same patients being tested every time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Classifier
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.metrics import bootstrap_by_subject, confusion_by_subject, f1_score
from biosig_lstm.metrics.intervals import Interval
from biosig_lstm.models import CELLS, BiLSTM
from biosig_lstm.splits import split_by_subject
from biosig_lstm.studies._equal_size import equal_models
from biosig_lstm.studies._rhythms import made_rhythms, read_rhythms
from biosig_lstm.studies._study import Claim, Findings, Study, StudyOptions, Verdict, judged
from biosig_lstm.studies._table import Cell, Row, Table
from biosig_lstm.training import FitSettings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDY", "TrainingSizeSettings", "learning_subjects", "mean_f1"]

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_SCORED = 3  # N, A and O: the noisy class does not count in the mean
_ALL = "all"
_AHEAD, _BEHIND, _LIKE = "ahead", "behind", "alike"
_MARGIN = 0.03  # of the mean F1: two cells whose difference is surely less are alike
_LIMITS = {"f1": ("low", "high"), "minus_lstm": ("minus_low", "minus_high")}


@dataclass(frozen=True, kw_only=True)
class TrainingSizeSettings:
    """Sizes of the study.

    Parameters
    ----------
    patients : tuple of int
        How many to learn from, ascending; a part of them chooses the epoch.
    draws : int
        How often they are drawn; the patients of a smaller number are among those of the next.
    tested : float
        Share of all patients that are tested, and teach nothing in any run.
    validating : float
        Share of the patients drawn that choose the epoch.
    units, layers : int
        Of the LSTM; the others have as many parameters.
    epochs, updates, batch_size : int
        Of each run, whatever the number of patients: after each of the epochs the validation loss is looked at, and
        there are so many steps of the optimiser in all.
    rates : tuple of float
        Learning rates that are tried for each cell.
    tuned_on : int
        Patients of the first draw on whom they are tried.
    made : int
        Recordings made by rule instead of those of the database, to see that the study works; 0: the database.
    """

    patients: tuple[int, ...] = (30, 100, 300, 1000, 3000)
    draws: int = 3
    tested: float = 0.2
    validating: float = 0.2
    units: int = 32
    layers: int = 1
    epochs: int = 10
    updates: int = 400
    batch_size: int = 32
    rates: tuple[float, ...] = (1e-3, 3e-3, 1e-2)
    tuned_on: int = 300
    made: int = 0


class _Ways(NamedTuple):
    """What is decided before the runs: a model and a learning rate for each cell."""

    models: dict[str, BiLSTM]
    rates: dict[str, float]


def mean_f1(counts: Float64) -> Float64:
    """Return the mean F1 of N, A and O from confusion matrices, (..., classes, classes) to (...).

    Examples
    --------
    >>> float(mean_f1(np.diag([5.0, 3.0, 2.0, 0.0])))
    1.0
    """
    found: Float64 = f1_score(counts)[..., :_SCORED].mean(axis=-1)
    return found


def learning_subjects(subjects: npt.NDArray[np.str_], sizes: tuple[int, ...], *, seed: int) -> list[list[str]]:
    """Return the subjects to learn from, for each size: drawn without looking at them, the smaller sets in the larger.

    Raises
    ------
    DataError
        When there are fewer subjects than a size needs.

    Examples
    --------
    >>> few, more = learning_subjects(np.array(["a", "b", "c", "d"]), (2, 3), seed=0)
    >>> len(more), set(few) <= set(more)
    (3, True)
    """
    known = np.unique(subjects)
    if len(known) < max(sizes):
        raise DataError(f"{max(sizes)} patients to learn from are needed beside those tested, there are {len(known)}")
    order = np.random.default_rng(seed).permutation(known).tolist()
    return [order[:size] for size in sizes]


def _measure(settings: TrainingSizeSettings, options: StudyOptions) -> Iterator[Row]:
    options.announce("the recordings are prepared")
    windows = _windows(settings, options)
    others, test = split_by_subject(windows, (1 - settings.tested, settings.tested), seed=options.seed)
    draws = [
        learning_subjects(others.subjects, settings.patients, seed=1_000 * options.seed + draw)
        for draw in range(settings.draws)
    ]
    models = equal_models(
        BiLSTM(settings.units, num_layers=settings.layers, pooling="mean"),
        n_features=len(windows.columns),
        n_outputs=len(windows.classes),
    )
    (few,) = learning_subjects(others.subjects, (settings.tuned_on,), seed=1_000 * options.seed)
    tuning = _chosen(others, few)
    ways = _Ways(models, {cell: _best_rate(settings, options, model, tuning) for cell, model in models.items()})
    for place, n_patients in enumerate(settings.patients):
        learning = [_chosen(others, draw[place]) for draw in draws]
        yield from _rows_of_size(settings, options, ways, learning, test, n_patients=n_patients)


def _windows(settings: TrainingSizeSettings, options: StudyOptions) -> Windows:
    if settings.made:
        return made_rhythms(settings.made, seed=options.seed)
    return read_rhythms(options.root("cinc2017"))


def _chosen(windows: Windows, subjects: list[str]) -> Windows:
    return windows.select(np.isin(windows.subjects, subjects))


def _rows_of_size(
    settings: TrainingSizeSettings,
    options: StudyOptions,
    ways: _Ways,
    learning: list[Windows],
    test: Windows,
    *,
    n_patients: int,
) -> Iterator[Row]:
    """Yield a row for each draw and cell, and one of all draws together for each cell."""
    whole: dict[str, list[Float64]] = {cell: [] for cell in ways.models}
    for draw, windows in enumerate(learning):
        for cell, model in ways.models.items():
            options.announce(f"{cell}, {n_patients} patients, draw {draw + 1} of {len(learning)}")
            begun = time.perf_counter()
            fitted = _trained(settings, options, model, windows, rate=ways.rates[cell], draw=draw)
            fitted.check_unseen(test)
            whole[cell].append(_confusions(fitted, test))
            yield _row(ways, whole, cell, [draw], of=(n_patients, str(draw)), seconds=time.perf_counter() - begun)
    for cell in ways.models:
        yield _row(ways, whole, cell, list(range(len(learning))), of=(n_patients, _ALL), seconds=None)


def _row(
    ways: _Ways,
    whole: dict[str, list[Float64]],
    cell: str,
    draws: list[int],
    *,
    of: tuple[int, str],
    seconds: float | None,
) -> Row:
    counts = np.sum([whole[cell][draw] for draw in draws], axis=0)
    beside = np.sum([whole["lstm"][draw] for draw in draws], axis=0)
    each = f1_score(counts.sum(axis=0))[:_SCORED].tolist()
    score, more = _score(counts), _difference(counts, beside)
    return (
        *of, cell, ways.models[cell].hidden_size, ways.rates[cell], score.value, score.low, score.high, *each,
        more.value, more.low, more.high, seconds,
    )  # fmt: skip


def _score(counts: Float64) -> Interval:
    return bootstrap_by_subject(counts, mean_f1)


def _difference(counts: Float64, beside: Float64) -> Interval:
    """Return how much higher the mean F1 of the first is, the same patients being drawn for both."""
    return bootstrap_by_subject(
        np.stack([counts, beside], axis=1), lambda both: mean_f1(both[:, 0]) - mean_f1(both[:, 1])
    )


def _confusions(model: Classifier, test: Windows) -> Float64:
    """Return the confusion matrix of each patient, (patients, classes, classes), in the order of their names."""
    said = model.predict(test)
    _, counts = confusion_by_subject(np.asarray(test.y), said.index, test.subjects, n_classes=len(test.classes))
    return np.asarray(counts, dtype=np.float64)


def _best_rate(settings: TrainingSizeSettings, options: StudyOptions, model: BiLSTM, windows: Windows) -> float:
    """Return the learning rate whose best epoch has the lowest validation loss."""
    losses: dict[float, float] = {}
    for rate in settings.rates:
        options.announce(f"{model.cell}, learning rate {rate:g}")
        fitted = _trained(settings, options, model, windows, rate=rate, draw=0)
        losses[rate] = min(row["val_loss"] for row in fitted.history[0].epochs if "val_loss" in row)
    return min(losses, key=lambda rate: losses[rate])


def _trained(
    settings: TrainingSizeSettings, options: StudyOptions, model: BiLSTM, windows: Windows, *, rate: float, draw: int
) -> Classifier:
    seed = 1_000 * options.seed + draw
    parts = (1 - settings.validating, settings.validating)
    train, val = split_by_subject(windows, parts, seed=seed)
    how = FitSettings(
        max_epochs=settings.epochs,
        batch_size=settings.batch_size,
        items_per_epoch=settings.batch_size * settings.updates // settings.epochs,
        learning_rate=rate,
        seed=seed,
        device="cuda" if options.device_name() == "cuda" else "cpu",
    )
    with torch.random.fork_rng(devices=[]):
        fresh = Classifier(model=model, standardize=Standardize(), task="rhythm")
        return fresh.fit(train, val, settings=how, progress=False)


def _conclude(settings: TrainingSizeSettings, measured: Table) -> Findings:
    pooled = measured.where(draw=_ALL)
    cells = [str(cell) for cell in pooled.values("cell")]
    scores = Table(
        ("patients", *cells),
        tuple((n, *(_text(pooled, "f1", cell=cell, patients=n) for cell in cells)) for n in pooled.values("patients")),
        title="Mean F1 of N, A and O on the patients held out, all draws together [95 % interval over those patients]",
    )
    rivals = [cell for cell in cells if cell != "lstm"]
    differences = Table(
        ("patients", *(f"{cell} - lstm" for cell in rivals)),
        tuple(
            (n, *(_text(pooled, "minus_lstm", cell=cell, patients=n) for cell in rivals))
            for n in pooled.values("patients")
        ),
        title="The same less the LSTM's, the same patients and draws [95 % interval over those patients]",
    )
    return Findings((scores, differences), _claims(settings, measured))


def _text(pooled: Table, name: str, **which: Cell) -> str:
    found = pooled.where(**which)
    return str(_interval(found, name)) if len(found) else "-"


def _interval(found: Table, name: str) -> Interval:
    columns = (name, *_LIMITS[name])
    return Interval(*(_number(found.column(column)[0]) for column in columns))


def _number(value: Cell) -> float:
    return float(value) if isinstance(value, int | float) else math.nan


def _claims(settings: TrainingSizeSettings, measured: Table) -> tuple[Claim, ...]:
    pooled = measured.where(draw=_ALL)
    sizes = [int(n) for n in sorted(set(pooled.numbers("patients"))) if len(pooled.where(patients=n)) == len(CELLS)]
    if len(sizes) < 2:
        return ()
    few, many = sizes[:2], sizes[-1]
    of_many = (
        _needs_more(measured, few[0], many),
        _ahead("With many patients a Transformer overtakes an LSTM", measured, "transformer", [many]),
    )
    return (
        _ahead("With few patients a GRU does better than an LSTM", measured, "gru", few),
        _ahead("With few patients a Transformer does worse than an LSTM", measured, "transformer", few, _BEHIND),
        *(of_many if many == max(settings.patients) else ()),
        _ahead("Plain recurrent units do worse than an LSTM", measured, "rnn", sizes, _BEHIND),
        _cell_or_patients(measured, sizes),
    )


def _standing(measured: Table, cell: str, n_patients: int) -> str:
    """Return whether the cell is ahead of the LSTM, behind it, or alike; nothing where that is not decided."""
    of = measured.where(cell=cell, patients=n_patients)
    whole = _interval(of.where(draw=_ALL), "minus_lstm")
    draws = [
        _number(more) for draw, more in zip(of.column("draw"), of.column("minus_lstm"), strict=True) if draw != _ALL
    ]
    if whole.low > 0 and min(draws) > 0:
        return _AHEAD
    if whole.high < 0 and max(draws) < 0:
        return _BEHIND
    return _LIKE if whole.low > -_MARGIN and whole.high < _MARGIN else ""


def _ahead(claimed: str, measured: Table, cell: str, sizes: list[int], wanted: str = _AHEAD) -> Claim:
    """Return the claim that the cell is ahead of the LSTM, or behind it, at each of these sizes."""
    found = [_standing(measured, cell, n) for n in sizes]
    pooled = measured.where(draw=_ALL, cell=cell)
    said = "; ".join(f"{n:,} patients: {_text(pooled, 'minus_lstm', patients=n)}" for n in sizes)
    verdict: Verdict = "holds" if set(found) == {wanted} else "holds in part"
    if wanted not in found:
        opposite = _BEHIND if wanted == _AHEAD else _AHEAD
        verdict = "does not hold" if all(found) or opposite in found else "not decided"
    return Claim(claimed, f"{cell} less lstm, {said}", verdict)


def _needs_more(measured: Table, few: int, many: int) -> Claim:
    """Return the claim that a Transformer is behind with few patients, and surely less so with many."""
    pooled = measured.where(draw=_ALL, cell="transformer")
    behind, left = (_interval(pooled.where(patients=n), "minus_lstm") for n in (few, many))
    standing = _standing(measured, "transformer", few)
    verdict: Verdict = "does not hold" if standing in (_AHEAD, _LIKE) else "not decided"
    if standing == _BEHIND and left.low > behind.high:
        verdict = "holds"
    return Claim(
        "A Transformer needs more data than an LSTM",
        f"transformer less lstm: {behind} with {few:,} patients, {left} with {many:,}",
        verdict,
    )


def _cell_or_patients(measured: Table, sizes: list[int]) -> Claim:
    """Return the claim that the choice of the cell matters more than the number of patients does."""
    pooled = measured.where(draw=_ALL)
    spreads = {n: np.ptp(pooled.where(patients=n).numbers("f1")) for n in sizes}
    gained = {
        n: pooled.where(patients=n, cell="lstm").numbers("f1")[0]
        - pooled.where(patients=m, cell="lstm").numbers("f1")[0]
        for m, n in pairwise(sizes)
    }
    larger = [spreads[n] > gained[n] for n in gained]
    said = "; ".join(f"at {n:,}: {spreads[n]:.3f} and {gained[n]:.3f}" for n in gained)
    return Claim(
        "The choice of the cell matters more than the number of patients",
        f"best cell less worst, and the LSTM's gain over the number of patients before it: {said}",
        judged(larger),
    )


def _draw(settings: TrainingSizeSettings, measured: Table, figure: Figure) -> None:  # noqa: ARG001
    axes, beside = figure.subplots(1, 2)
    pooled = measured.where(draw=_ALL)
    sizes = sorted({int(n) for n in pooled.numbers("patients")})
    for place, cell in enumerate(pooled.values("cell")):
        of = pooled.where(cell=cell)
        shift = 1.04 ** (place - 1.5)
        at = [shift * n for n in of.numbers("patients")]
        for into, name in ((axes, "f1"), (beside, "minus_lstm")):
            values, low, high = ([_number(value) for value in of.column(of_it)] for of_it in (name, *_LIMITS[name]))
            into.plot(at, values, "o-", color=f"C{place}", label=str(cell), markersize=4)
            into.vlines(at, low, high, color=f"C{place}", linewidth=1)
    for into, said in ((axes, "mean F1 of N, A and O"), (beside, "mean F1 less the LSTM's")):
        into.set(xscale="log", xlabel="patients to learn from", ylabel=said)
        into.set_xticks(sizes, [f"{n:,}" for n in sizes])
        into.minorticks_off()
    beside.axhline(0, color="black", linewidth=0.6)
    if len(pooled):
        axes.legend()


STUDY = Study(
    name="training-size",
    title="How many patients each cell needs",
    question="With few patients and with many, which cell names the rhythm of people it has not seen best?",
    about="""
Recordings of CinC 2017 (a single lead, 9 to 61 s, from a patient each as far as is known) as sequences of beats, at
most 40: the beat's wave, the intervals before and after it, its height, the noise. Answers are N, A (atrial
fibrillation), O (other) and ~ (too noisy); the score is that of the challenge, the mean F1 of the first three. The
same fifth of the patients is held out from every run. Patients to learn from are drawn at random, several times; a
fifth of them chooses the epoch. Every cell reads in both directions, its states are averaged over the recording, and
it has as many parameters as the LSTM; every run takes as many steps of AdamW. The learning rate of each cell is the
one of the lowest validation loss on the first 300 patients drawn. A cell counts as ahead where the interval of the
difference leaves out zero and every draw agrees, as alike where it lies within 0.03 of zero. Small networks: what very
large ones do with very many recordings is not asked here.
""",
    full=TrainingSizeSettings(),
    quick=TrainingSizeSettings(
        patients=(8, 20), draws=1, units=4, epochs=2, updates=4, batch_size=8, rates=(1e-2,), tuned_on=20, made=60
    ),
    columns=(
        "patients", "draw", "cell", "units", "learning_rate", "f1", "low", "high", "f1_N", "f1_A", "f1_O", "minus_lstm",
        "minus_low", "minus_high", "seconds",
    ),
    measure=_measure,
    conclude=_conclude,
    draw=_draw,
)  # fmt: skip
