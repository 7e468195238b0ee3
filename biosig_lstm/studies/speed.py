"""Time of a training step and of inference against length and batch, by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import log
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from biosig_lstm.models import CELLS, BiLSTM, sequence_reader
from biosig_lstm.studies._clock import OUT_OF_MEMORY, Work, clock_of, free_bytes, interleaved
from biosig_lstm.studies._equal_size import equal_models
from biosig_lstm.studies._study import Claim, Findings, Study, StudyOptions, judged
from biosig_lstm.studies._table import Row, Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STUDY", "SpeedSettings", "infer", "training_step"]

_FASTER = 0.95  # ratio below which a cell counts as faster
_LINEAR = (0.8, 1.25)  # exponents of length that count as growing with it
_SQUARE = 1.5  # and from which growth is nearer to its square
_STORED_VALUES = 64  # kept of a step for its gradient, in units of the layer's width: more than any cell keeps
_TOO_LONG = "time"
UNITS, PARAMETERS = "units", "parameters"
TRAINING, INFERENCE = "training step", "inference"


@dataclass(frozen=True, kw_only=True)
class SpeedSettings:
    """Sizes of the study.

    Parameters
    ----------
    features, units : int
        Of a step, and of each direction of the one layer; at equal parameters, of the LSTM.
    steps, batches : tuple of int
        Lengths and numbers of items, each with each.
    parameter_steps : int
        Longest items for which networks of equal parameters are measured as well.
    budget_s : float [unit=s]
        After which one cell's kind of work is not repeated.
    rounds : int
        Repetitions at most.
    limit_s : float [unit=s]
        What would take longer, by what smaller batches took, is not measured.
    """

    features: int = 12
    units: int = 64
    steps: tuple[int, ...] = (100, 1000, 5000)
    batches: tuple[int, ...] = (1, 16, 64)
    parameter_steps: int = 1000
    budget_s: float = 0.2
    rounds: int = 25
    limit_s: float = 3.5


def infer(reader: nn.Module, x: Tensor, lengths: Tensor) -> None:
    """Compute the states."""
    with torch.inference_mode():
        reader(x, lengths)


def training_step(reader: nn.Module, x: Tensor, lengths: Tensor) -> None:
    """Compute the states and the gradient of every weight."""
    reader.zero_grad(set_to_none=True)
    loss = reader(x, lengths).square().mean()
    loss.backward()


_WORK = {TRAINING: training_step, INFERENCE: infer}


def _units(settings: SpeedSettings, equal: str) -> dict[str, int]:
    if equal == UNITS:
        return dict.fromkeys(CELLS, settings.units)
    models = equal_models(BiLSTM(settings.units), n_features=settings.features, n_outputs=1)
    return {cell: model.hidden_size for cell, model in models.items()}


def _measure(settings: SpeedSettings, options: StudyOptions) -> Iterator[Row]:
    for device in dict.fromkeys(["cpu", options.device_name()]):
        for equal in (UNITS, PARAMETERS):
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(options.seed)
                readers = {
                    cell: sequence_reader(cell, settings.features, units).to(device)
                    for cell, units in _units(settings, equal).items()
                }
            yield from _measure_readers(settings, options, readers, of=(device, equal))


def _measure_readers(
    settings: SpeedSettings, options: StudyOptions, readers: dict[str, nn.Module], *, of: tuple[str, str]
) -> Iterator[Row]:
    device, equal = of
    counts = {cell: sum(weight.numel() for weight in reader.parameters()) for cell, reader in readers.items()}
    longest = settings.parameter_steps if equal == PARAMETERS else max(settings.steps)
    shapes = [(batch, steps) for batch in settings.batches for steps in settings.steps if steps <= longest]
    before: dict[tuple[str, str], tuple[int, int, float]] = {}
    _warm_up(readers, _drawn(settings, options, (1, min(settings.steps)), device))
    for batch, steps in sorted(shapes, key=lambda shape: (shape[0] * shape[1], shape)):
        options.announce(f"{device}, equal {equal}, {batch} items of {steps:,} steps")
        given = _drawn(settings, options, (batch, steps), device)
        for name, work in _WORK.items():
            reasons = {cell: _why_not(settings, device, before.get((cell, name)), (batch, steps)) for cell in readers}
            works: dict[str, Work] = {
                cell: partial(work, reader, *given) for cell, reader in readers.items() if not reasons[cell]
            }
            times = interleaved(works, clock_of(device), budget_s=settings.budget_s, rounds=settings.rounds)
            for cell in readers:
                seconds, runs, why_not = _result(times.get(cell, reasons[cell]))
                if seconds is not None:
                    before[cell, name] = batch, steps, seconds
                yield (*of, cell, counts[cell], name, batch, steps, seconds, runs, why_not)


def _drawn(
    settings: SpeedSettings, options: StudyOptions, shape: tuple[int, int], device: str
) -> tuple[Tensor, Tensor]:
    x = torch.randn(*shape, settings.features, generator=torch.Generator().manual_seed(options.seed))
    return x.to(device), torch.full((shape[0],), shape[1], device=device)


def _warm_up(readers: dict[str, nn.Module], given: tuple[Tensor, Tensor]) -> None:
    """Let libraries load what they load at their first call."""
    for reader in readers.values():
        for work in _WORK.values():
            work(reader, *given)


def _why_not(
    settings: SpeedSettings, device: str, before: tuple[int, int, float] | None, shape: tuple[int, int]
) -> str:
    """Return why these items are not to be measured; nothing where they are."""
    batch, steps = shape
    free = free_bytes(device)
    if free is not None and 4 * _STORED_VALUES * settings.units * batch * steps > free:
        return OUT_OF_MEMORY
    if before is None:
        return ""
    more_items = 1.0 if device == "cuda" else batch / before[0]
    expected_s = before[2] * more_items * steps / before[1]
    return _TOO_LONG if expected_s > settings.limit_s else ""


def _result(times: list[float] | str) -> tuple[float | None, int, str]:
    return (None, 0, times) if isinstance(times, str) else (median(times), len(times), "")


def _conclude(settings: SpeedSettings, measured: Table) -> Findings:  # noqa: ARG001
    tables = tuple(
        _ratios(measured.where(device=device, equal=equal), title=f"{device}, equal {equal}")
        for device in measured.values("device")
        for equal in measured.where(device=device).values("equal")
    )
    claims = tuple(claim for device in measured.values("device") for claim in _claims(measured, str(device)))
    return Findings(tables, claims)


def _ratios(found: Table, *, title: str) -> Table:
    cells = [str(cell) for cell in found.values("cell")]
    rivals = [cell for cell in cells if cell != "lstm"]
    counts = ", ".join(f"{cell} {int(found.where(cell=cell).numbers('parameters')[0]):,}" for cell in cells)
    rows = [
        (batch, steps, work, _milliseconds(of), *(_ratio_text(of, cell) for cell in rivals))
        for work in found.values("work")
        for batch in sorted({int(n) for n in found.numbers("batch")})
        for steps in found.values("steps")
        if len(of := found.where(work=work, batch=batch, steps=steps))
    ]
    columns = ("batch", "steps", "work", "lstm", *(f"{cell} / lstm" for cell in rivals))
    return Table(columns, tuple(rows), title=f"{title}; parameters: {counts}")


def _milliseconds(of: Table) -> str:
    found = of.where(cell="lstm")
    return _time(found) or _not_measured(found)


def _time(found: Table) -> str:
    seconds = found.numbers("seconds")
    return f"{1000 * seconds[0]:,.1f} ms" if seconds else ""


def _not_measured(found: Table) -> str:
    return f"not measured: {found.column('why_not')[0]}" if len(found) else "-"


def _ratio(of: Table, cell: str) -> float | None:
    ours, theirs = (of.where(cell=name).numbers("seconds") for name in ("lstm", cell))
    return theirs[0] / ours[0] if ours and theirs else None


def _ratio_text(of: Table, cell: str) -> str:
    """Return the ratio; the time alone where that of the LSTM was not measured, or else why there is none."""
    ratio, found = _ratio(of, cell), of.where(cell=cell)
    return f"{ratio:.2f}" if ratio is not None else _time(found) or _not_measured(found)


def _claims(measured: Table, device: str) -> tuple[Claim, ...]:
    here = measured.where(device=device)
    units, parameters = (here.where(equal=equal) for equal in (UNITS, PARAMETERS))
    return (
        _faster(f"A GRU is faster than an LSTM of as many units, having fewer gates ({device})", units, "gru"),
        _faster(f"A GRU is faster than an LSTM of as many parameters ({device})", parameters, "gru"),
        _faster(f"Plain units are faster than an LSTM of as many units, having no gates ({device})", units, "rnn"),
        _faster(f"A Transformer trains faster, reading all steps at once ({device})", units, "transformer", TRAINING),
        _faster(f"A Transformer answers faster, reading all steps at once ({device})", units, "transformer", INFERENCE),
        _growth(units, device),
    )


def _faster(claimed: str, found: Table, cell: str, *works: str) -> Claim:
    """Return the claim that a cell takes less time than the LSTM."""
    said, faster = [], []
    for work in works or (TRAINING, INFERENCE):
        for steps in found.values("steps"):
            at = found.where(work=work, steps=steps)
            ratios = [r for batch in at.values("batch") if (r := _ratio(at.where(batch=batch), cell)) is not None]
            faster += [ratio < _FASTER for ratio in ratios]
            said += [f"{work}, {steps:,} steps: {min(ratios):.2g} to {max(ratios):.2g}"] if ratios else []
    return Claim(claimed, f"{cell} / lstm over the batches: {'; '.join(said) or 'not measured'}", judged(faster))


def _growth(found: Table, device: str) -> Claim:
    claimed = f"An LSTM's time grows with the length, a Transformer's with its square ({device})"
    grown = _exponents(found.where(work=TRAINING), ("lstm", "transformer"))
    if grown is None:
        return Claim(claimed, "not measured at two lengths of one batch", "not decided")
    (lstm, transformer), where = grown
    held = [_LINEAR[0] <= lstm <= _LINEAR[1], transformer >= _SQUARE]
    said = f"lstm: {lstm:.2f}; transformer: {transformer:.2f} ({where})"
    return Claim(claimed, f"exponent of the length in the time of a training step: {said}", judged(held))


def _exponents(found: Table, cells: tuple[str, ...]) -> tuple[list[float], str] | None:
    """Return how each cell's time grows between the two greatest lengths that all were measured at in one batch.

    What grows with the square shows where items are long: the greatest lengths come first, then the largest batch.
    """
    known: dict[tuple[int, int, int], list[float]] = {}
    for batch in sorted({int(n) for n in found.numbers("batch")}):
        times = [_time_by_steps(found.where(batch=batch, cell=cell)) for cell in cells]
        both = sorted(set.intersection(*map(set, times)))[-2:]
        if len(both) == 2:
            short, long = both
            known[long, short, batch] = [log(of[long] / of[short]) / log(long / short) for of in times]
    if not known:
        return None
    long, short, batch = max(known)
    return known[long, short, batch], f"{batch} items, {short:,} to {long:,} steps"


def _time_by_steps(found: Table) -> dict[int, float]:
    rows = zip(found.column("steps"), found.column("seconds"), strict=True)
    return {
        int(steps): seconds for steps, seconds in rows if isinstance(steps, int) and isinstance(seconds, int | float)
    }


def _draw(settings: SpeedSettings, measured: Table, figure: Figure) -> None:
    grid = figure.subplots(2, len(settings.batches), sharex=True, sharey="row", squeeze=False)
    found = measured.where(equal=UNITS)
    for row, work in zip(grid, _WORK, strict=True):
        for axes, batch in zip(row, settings.batches, strict=True):
            for device, style in (("cpu", "o-"), ("cuda", "s--")):
                for place, cell in enumerate(CELLS):
                    of = found.where(work=work, batch=batch, device=device, cell=cell)
                    points = [
                        (steps, s) for steps, s in zip(of.column("steps"), of.column("seconds"), strict=True) if s
                    ]
                    if points:
                        label = cell if device == "cpu" else f"{cell}, GPU"
                        axes.plot(*zip(*points, strict=True), style, color=f"C{place}", label=label, markersize=4)
            axes.set(xscale="log", yscale="log")
            axes.set_title(f"{work}, {batch} at once", fontsize="small")
        row[0].set_ylabel("seconds")
    for axes in grid[-1]:
        axes.set_xlabel("steps")
    if len(found):
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")


STUDY = Study(
    name="speed",
    title="How long each cell takes",
    question="What do a training step and inference take, against the length of items and their number?",
    about="""
One layer in both directions reads items of equal length with 12 features. A training step is the forward pass and the
gradients of all weights, without the optimiser. Cells take turns in rounds after a call that warms up; figures are
medians. At "equal units" each direction has as many units, and a Transformer that width and the parameters of the LSTM;
at "equal parameters" GRU and plain units are widened to the LSTM's count. On one thread of a CPU times are the
processor's own, so that what else runs hardly matters; with more threads, and on a GPU, which is waited for, they are
those of the clock on the wall. Where a GPU is asked for and there, both are measured. Times that would be over the
limit, and items that would not fit into the memory, are left out by name.
""",
    full=SpeedSettings(),
    quick=SpeedSettings(
        features=3, units=8, steps=(10, 20), batches=(1, 2), parameter_steps=20, budget_s=0.02, rounds=3
    ),
    columns=(
        "device", "equal", "cell", "parameters", "work", "batch", "steps", "seconds", "runs", "why_not",
    ),
    measure=_measure,
    conclude=_conclude,
    draw=_draw,
)  # fmt: skip
