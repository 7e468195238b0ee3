"""What the rows of the study of long lags come to: tables, and the claims that they decide."""

from __future__ import annotations

from itertools import product
from statistics import median

from biosig_lstm.studies._long_lag_training import LongLagSettings
from biosig_lstm.studies._study import Claim, Findings, judged
from biosig_lstm.studies._table import Cell, Table

__all__ = ["conclude", "of_kind", "shown_lengths"]

_CLEARLY_MORE = 1.25  # times: tests are some updates apart, and networks differ


def conclude(settings: LongLagSettings, measured: Table) -> Findings:
    """Return a table of each task, and what the rows decide; see `Study`."""
    tables = tuple(_table_of(settings, measured, task) for task in measured.values("task"))
    return Findings(tables, _claims(settings, measured))


def _table_of(settings: LongLagSettings, measured: Table, task: Cell) -> Table:
    lengths = [steps for steps in shown_lengths(settings) if steps in measured.column("steps")]
    rows: dict[tuple[Cell, ...], list[Cell]] = {}
    for cell, start, parameters in zip(*map(measured.column, ("cell", "start", "parameters")), strict=True):
        runs = measured.where(task=task, cell=cell, start=start, parameters=parameters)
        if len(runs):
            rows[cell, start, parameters] = [_said(settings, runs.where(steps=steps)) for steps in lengths]
    columns = ("cell", "start", "parameters", *(f"{steps:,} steps" for steps in lengths))
    title = f"{str(task).capitalize()}: sequences until it is learned"
    return Table(columns, tuple((*who, *said) for who, said in rows.items()), title=title)


def shown_lengths(settings: LongLagSettings) -> list[int]:
    """Return the lengths of the study, ascending."""
    return sorted({*settings.lengths, *([] if settings.far_steps is None else [settings.far_steps])})


def of_kind(measured: Table, cell: str, start: str) -> Table:
    """Return the runs of a cell with a start."""
    return measured.where(cell=cell, start=start)


def _said(settings: LongLagSettings, runs: Table) -> str:
    """Return what came of the runs of one kind at one length: sequences, or that the budget did not do."""
    if not len(runs):
        return "-"
    tried = runs.where(tried=True)
    found = [f"{int(count):,}" for count in sorted(tried.numbers("sequences_to_learn"))]
    failed = len(tried) - len(found)
    parts = found + [f"not within {settings.budget:,}"] * failed + ["not tried"] * (len(runs) - len(tried))
    return "; ".join(parts)


def _longest(measured: Table, task: Cell, cell: str, start: str) -> int | None:
    """Return the longest sequences that every network of a kind has learned, 0 where there are none, None untried."""
    runs = measured.where(task=task, cell=cell, start=start)
    at = {steps: runs.where(steps=steps).column("sequences_to_learn") for steps in runs.values("steps")}
    learned = [int(str(steps)) for steps, counts in at.items() if None not in counts]
    return max(learned, default=0) if at else None


def _claims(settings: LongLagSettings, measured: Table) -> tuple[Claim, ...]:
    place = measured.columns.index("steps")
    compared = Table(measured.columns, tuple(row for row in measured.rows if row[place] in settings.lengths))
    return (
        _forgets(settings, compared),
        _bridges(settings, compared),
        _starts_better(settings, compared),
        _gru_as_far(compared),
        _transformer_needs_more(settings, compared),
        *([] if settings.far_steps is None else [_reaches(settings, measured, settings.far_steps)]),
    )


def _by_task(measured: Table, *kinds: tuple[str, str]) -> dict[str, list[int]]:
    """Return, for each task that all kinds were put to, the longest length that each has learned."""
    found = {str(task): [_longest(measured, task, *kind) for kind in kinds] for task in measured.values("task")}
    return {task: [n for n in longest if n is not None] for task, longest in found.items() if None not in longest}


def _forgets(settings: LongLagSettings, measured: Table) -> Claim:
    found = _by_task(measured, ("rnn", "default"))
    said = "; ".join(f"{task}: {_up_to(longest)}" for task, (longest,) in found.items())
    verdict = judged(longest < settings.lengths[-1] for (longest,) in found.values())
    return Claim(f"A plain RNN forgets: it does not learn lags of {settings.lengths[-1]:,} steps", said, verdict)


def _bridges(settings: LongLagSettings, measured: Table) -> Claim:
    found = _by_task(measured, ("rnn", "default"), ("lstm", "default"))
    said = "; ".join(f"{task}: RNN {_up_to(rnn)}, LSTM {_up_to(lstm)}" for task, (rnn, lstm) in found.items())
    return Claim(
        "An LSTM (forget bias 1) learns longer lags than a plain RNN",
        f"{said}; within {settings.budget:,} sequences",
        judged(lstm > rnn for rnn, lstm in found.values()),
    )


def _starts_better(settings: LongLagSettings, measured: Table) -> Claim:
    found = _by_task(measured, ("lstm", "default"), ("lstm", "chrono"))
    said = "; ".join(
        f"{task}: forget bias 1 {_up_to(before)}, chrono {_up_to(after)}" for task, (before, after) in found.items()
    )
    return Claim(
        "How far an LSTM learns is a matter of how it starts: chrono initialisation takes it further",
        f"{said}; within {settings.budget:,} sequences",
        judged(after > before for before, after in found.values()),
    )


def _gru_as_far(measured: Table) -> Claim:
    kinds = (("gru", "default"), ("gru", "chrono"), ("lstm", "default"), ("lstm", "chrono"))
    found = {task: (max(n[:2]), max(n[2:])) for task, n in _by_task(measured, *kinds).items()}
    said = "; ".join(f"{task}: GRU {_up_to(gru)}, LSTM {_up_to(lstm)}" for task, (gru, lstm) in found.items())
    return Claim(
        "A GRU learns lags as long as an LSTM, with fewer gates",
        f"{said}; each with its better start",
        judged(gru >= lstm for gru, lstm in found.values() if gru or lstm),
    )


def _transformer_needs_more(settings: LongLagSettings, measured: Table) -> Claim:
    """Compare the Transformer with the better LSTM wherever that has learned; its budget is a bound where it failed."""
    times: dict[str, float] = {}
    for task, steps in product(measured.values("task"), measured.values("steps")):
        here = measured.where(task=task, steps=steps)
        rival = of_kind(here, "transformer", "default").where(tried=True)
        lstm = [_typical(of_kind(here, "lstm", start)) for start in ("default", "chrono")]
        ours = min((count for count in lstm if count), default=None)
        if ours and len(rival):
            bound = "" if _typical(rival) else "at least "
            times[f"{task}, {steps:,} steps: {bound}"] = (_typical(rival) or settings.budget) / ours
    said = "; ".join(f"{where}{ratio:.1f} times" for where, ratio in times.items())
    return Claim(
        "A Transformer needs more data than an LSTM",
        f"sequences, to those of the LSTM with its better start: {said}" if times else "no LSTM has learned",
        judged(ratio >= _CLEARLY_MORE for ratio in times.values()),
    )


def _typical(runs: Table) -> float | None:
    """Return the median of sequences to learn, where every network has learned."""
    counts = runs.numbers("sequences_to_learn")
    return median(counts) if counts and len(counts) == len(runs) else None


def _reaches(settings: LongLagSettings, measured: Table, steps: int) -> Claim:
    runs = {str(task): measured.where(task=task, steps=steps) for task in measured.where(steps=steps).values("task")}
    said = "; ".join(f"{task}: {_said(settings, found)}" for task, found in runs.items())
    verdict = judged(None not in found.column("sequences_to_learn") for found in runs.values())
    return Claim(f"An LSTM bridges lags of about {steps:,} steps", f"with chrono initialisation, {said}", verdict)


def _up_to(steps: int) -> str:
    return f"up to {steps:,} steps" if steps else "at no length"
