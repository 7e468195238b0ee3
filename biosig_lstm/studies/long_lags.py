"""Who learns to use what came long before: the adding problem and the temporal order problem, at growing lengths."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Generator, Tensor, nn

from biosig_lstm.models import BiLSTM
from biosig_lstm.models.causal_lstm import CausalLSTM
from biosig_lstm.studies._long_lag_tasks import TASKS, Sequences, Task
from biosig_lstm.studies._study import Claim, Findings, Study, StudyOptions, Verdict
from biosig_lstm.studies._table import Cell, Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KINDS", "STUDY", "LongLagSettings", "Outcome", "learn"]

KINDS = (
    ("rnn", "default"),
    ("gru", "default"),
    ("gru", "chrono"),
    ("lstm", "default"),
    ("lstm", "chrono"),
    ("transformer", "default"),
)
"""Cell and start of those that are compared."""

_CHUNK = 256
_PROMISING = 0.9  # share of a batch that is right before the criterion is worth a test


@dataclass(frozen=True, kw_only=True)
class LongLagSettings:
    """Sizes of the study.

    Parameters
    ----------
    lengths : tuple of int
        Steps of the sequences, ascending; each is up to a tenth longer.
    far_steps : int or None
        Length that the LSTM with chrono initialisation alone is put to besides.
    repeats : int
        Networks of each kind.
    units : dict of str to int
        `hidden_size` of each cell, for about as many parameters.
    batch, budget : int
        Sequences of an update, and of a whole run.
    check_every : int
        Updates between tests.
    tested, allowed : int
        New sequences of a test, and how many of them may be wrong.
    learning_rate, gradient_clip : float
        Of Adam; largest norm of the gradient.
    average_decay : float
        What the running average of the weights, which is tested, keeps at each update.
    """

    lengths: tuple[int, ...] = (50, 100, 200, 400)
    far_steps: int | None = 1000
    repeats: int = 2
    units: tuple[tuple[str, int], ...] = (("rnn", 34), ("gru", 19), ("lstm", 16), ("transformer", 12))
    batch: int = 64
    budget: int = 150_000
    check_every: int = 25
    tested: int = 2_560
    allowed: int = 1
    learning_rate: float = 0.01
    gradient_clip: float = 1.0
    average_decay: float = 0.98


class Outcome(NamedTuple):
    """How a run ended: sequences seen when the criterion was met, or None; wrong answers in the last test."""

    sequences: int | None
    wrong: int | None


class _Reader(nn.Module):
    """A network of this package and its answer at the end of each sequence."""

    def __init__(self, cell: str, units: int, *, task: Task, memory_steps: int | None) -> None:
        super().__init__()
        self.per_step = cell != "transformer"
        spec = (
            CausalLSTM(units, dropout=0.0, memory_steps=memory_steps, cell=cell)
            if self.per_step
            else BiLSTM(units, cell=cell)
        )
        self.network = spec.build(n_features=task.n_features, n_outputs=task.n_outputs, per_step=self.per_step)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        answers: Tensor = self.network(x, lengths)
        return answers[torch.arange(len(lengths), device=x.device), lengths - 1] if self.per_step else answers


def learn(
    task: Task,
    *,
    cell: str,
    steps: int,
    memory_steps: int | None = None,
    seed: int = 0,
    settings: LongLagSettings | None = None,
    device: str = "cpu",
) -> Outcome:
    """Train one network on new sequences until it meets the criterion, or its budget is spent.

    Parameters
    ----------
    task : Task
        What to learn.
    cell : {"lstm", "gru", "rnn", "transformer"}
        What reads.
    steps : int [>= 30]
        Length of the sequences.
    memory_steps : int, optional
        For chrono initialisation.
    seed : int
        Decides weights and sequences.
    settings : LongLagSettings, optional
        Of which sizes, budget, criterion and optimiser are taken.
    device : str
        Where to compute.

    Returns
    -------
    Outcome
        The same for the same seed.
    """
    sizes = settings or LongLagSettings()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _Reader(cell, dict(sizes.units)[cell], task=task, memory_steps=memory_steps).to(device)
    drawn, fresh = Generator().manual_seed(2 * seed), Generator().manual_seed(2 * seed + 1)
    average = copy.deepcopy(network)
    optimizer = torch.optim.Adam(network.parameters(), lr=sizes.learning_rate)
    for update in range(1, sizes.budget // sizes.batch + 1):
        new = _moved(task.draw(steps, sizes.batch, drawn), device)
        answers = network(new.x, new.lengths)
        optimizer.zero_grad()
        torch.autograd.backward(task.loss(answers, new.targets))
        nn.utils.clip_grad_norm_(network.parameters(), sizes.gradient_clip)
        optimizer.step()
        _follow(average, network, keep=sizes.average_decay)
        promising = float(task.right(answers, new.targets).float().mean()) >= _PROMISING
        if promising and update % sizes.check_every == 0:
            wrong = _count_wrong(average, task, steps=steps, generator=fresh, most=sizes.allowed, sizes=sizes)
            if wrong <= sizes.allowed:
                return Outcome(update * sizes.batch, wrong)
    return Outcome(None, _count_wrong(average, task, steps=steps, generator=fresh, most=sizes.tested, sizes=sizes))


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, *, keep: float) -> None:
    """Bring the weights of an average nearer to those of the network."""
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - keep)


def _moved(new: Sequences, device: str) -> Sequences:
    return Sequences(*(part.to(device) for part in new))


@torch.no_grad()
def _count_wrong(
    network: nn.Module, task: Task, *, steps: int, generator: Generator, most: int, sizes: LongLagSettings
) -> int:
    """Return how many of the new sequences are answered wrongly; counting ends above `most`."""
    device = next(network.parameters()).device.type
    wrong = 0
    for start in range(0, sizes.tested, _CHUNK):
        new = _moved(task.draw(steps, min(_CHUNK, sizes.tested - start), generator), device)
        wrong += int((~task.right(network(new.x, new.lengths), new.targets)).sum())
        if wrong > most:
            break
    return wrong


class _Case(NamedTuple):
    """One run: a task, who is to learn it, how long its sequences are, and which of the repeats it is."""

    task: str
    cell: str
    start: str
    steps: int
    network: int


_COLUMNS = (*_Case._fields, "parameters", "tried", "sequences_to_learn", "wrong_of_tested", "seconds")


def _measure(settings: LongLagSettings, options: StudyOptions) -> Iterator[Row]:
    device = options.device_name()
    given_up: set[tuple[str, str, str, int]] = set()
    for case in _cases(settings):
        who = (case.task, case.cell, case.start, case.network)
        options.announce(f"{case.task}, {case.steps} steps: {case.cell}, {case.start}, network {case.network + 1}")
        tried = who not in given_up
        begun = time.perf_counter()
        outcome = _run(settings, case, seed=options.seed, device=device) if tried else Outcome(None, None)
        if outcome.sequences is None:
            given_up.add(who)
        seconds = round(time.perf_counter() - begun, 1) if tried else None
        yield (*case, _parameters(settings, case), tried, outcome.sequences, outcome.wrong, seconds)


def _cases(settings: LongLagSettings) -> Iterator[_Case]:
    for network, task, steps in product(range(settings.repeats), TASKS, settings.lengths):
        yield from (_Case(task, cell, start, steps, network) for cell, start in KINDS)
    if settings.far_steps is not None:
        yield from (_Case(task, "lstm", "chrono", settings.far_steps, 0) for task in TASKS)


def _run(settings: LongLagSettings, case: _Case, *, seed: int, device: str) -> Outcome:
    place = list(TASKS).index(case.task) * len(KINDS) + KINDS.index((case.cell, case.start))
    return learn(
        TASKS[case.task],
        cell=case.cell,
        steps=case.steps,
        memory_steps=case.steps if case.start == "chrono" else None,
        seed=((seed * 101 + case.network) * 101 + place) * 10_007 + case.steps,
        settings=settings,
        device=device,
    )


def _parameters(settings: LongLagSettings, case: _Case) -> int:
    with torch.random.fork_rng(devices=[]):
        network = _Reader(case.cell, dict(settings.units)[case.cell], task=TASKS[case.task], memory_steps=None)
    return sum(weight.numel() for weight in network.parameters())


def _conclude(settings: LongLagSettings, measured: Table) -> Findings:
    lengths = [steps for steps in _lengths(settings) if steps in measured.column("steps")]
    tables = []
    for task in measured.values("task"):
        of_task = measured.where(task=task)
        rows = [
            (cell, start, *_of(of_task, cell, start).values("parameters"),
             *(_said(settings, _of(of_task, cell, start).where(steps=steps)) for steps in lengths))
            for cell, start in KINDS if len(_of(of_task, cell, start))
        ]  # fmt: skip
        columns = ("cell", "start", "parameters", *(f"{steps:,} steps" for steps in lengths))
        tables.append(Table(columns, tuple(rows), title=f"{str(task).capitalize()}: sequences until it is learned"))
    return Findings(tuple(tables), _claims(settings, measured))


def _lengths(settings: LongLagSettings) -> list[int]:
    return sorted({*settings.lengths, *({settings.far_steps} - {None})})  # type: ignore[arg-type]


def _of(measured: Table, cell: str, start: str) -> Table:
    return measured.where(cell=cell, start=start)


def _said(settings: LongLagSettings, runs: Table) -> str:
    """Return what came of the runs of one kind at one length: sequences, or that the budget did not do."""
    if not len(runs):
        return "-"
    tried = runs.where(tried=True)
    found = [f"{int(count):,}" for count in sorted(tried.numbers("sequences_to_learn"))]
    failed = len(tried) - len(found)
    parts = found + ([f"{failed} x not within {settings.budget:,}"] if failed else [])
    return "; ".join(parts + ([f"{len(runs) - len(tried)} x not tried"] if len(runs) > len(tried) else []))


def _longest(measured: Table, task: Cell, cell: str, start: str) -> int | None:
    """Return the longest sequences that every network of a kind has learned, 0 where there are none, None untried."""
    runs = measured.where(task=task, cell=cell, start=start)
    at = {steps: runs.where(steps=steps).column("sequences_to_learn") for steps in runs.values("steps")}
    learned = [int(str(steps)) for steps, counts in at.items() if None not in counts]
    return max(learned, default=0) if at else None


def _claims(settings: LongLagSettings, measured: Table) -> tuple[Claim, ...]:
    return (
        _forgets(settings, measured),
        _bridges(settings, measured),
        _starts_better(settings, measured),
        _gru_as_far(measured),
        _transformer_needs_more(measured),
        *([] if settings.far_steps is None else [_reaches(settings, measured, settings.far_steps)]),
    )


def _by_task(measured: Table, *kinds: tuple[str, str]) -> dict[str, list[int]]:
    """Return, for each task that all kinds were put to, the longest length that each has learned."""
    found = {str(task): [_longest(measured, task, *kind) for kind in kinds] for task in measured.values("task")}
    return {task: [n for n in longest if n is not None] for task, longest in found.items() if None not in longest}


def _judged(each: Iterable[bool]) -> Verdict:
    """Return the verdict on a claim that holds in each of these cases, or in some, or in none."""
    cases = list(each)
    if not cases:
        return "not decided"
    return "holds" if all(cases) else "holds in part" if any(cases) else "does not hold"


def _forgets(settings: LongLagSettings, measured: Table) -> Claim:
    found = _by_task(measured, ("rnn", "default"))
    said = "; ".join(f"{task}: {_up_to(longest)}" for task, (longest,) in found.items())
    verdict = _judged(longest < settings.lengths[-1] for (longest,) in found.values())
    return Claim(f"A plain RNN forgets: it does not learn lags of {settings.lengths[-1]:,} steps", said, verdict)


def _bridges(settings: LongLagSettings, measured: Table) -> Claim:
    found = _by_task(measured, ("rnn", "default"), ("lstm", "default"))
    said = "; ".join(f"{task}: RNN {_up_to(rnn)}, LSTM {_up_to(lstm)}" for task, (rnn, lstm) in found.items())
    return Claim(
        "An LSTM (forget bias 1) learns longer lags than a plain RNN",
        f"{said}; within {settings.budget:,} sequences",
        _judged(lstm > rnn for rnn, lstm in found.values()),
    )


def _starts_better(settings: LongLagSettings, measured: Table) -> Claim:
    found = _by_task(measured, ("lstm", "default"), ("lstm", "chrono"))
    said = "; ".join(
        f"{task}: forget bias 1 {_up_to(before)}, chrono {_up_to(after)}" for task, (before, after) in found.items()
    )
    return Claim(
        "How far an LSTM learns is a matter of how it starts: chrono initialisation takes it further",
        f"{said}; within {settings.budget:,} sequences",
        _judged(after > before for before, after in found.values()),
    )


def _gru_as_far(measured: Table) -> Claim:
    kinds = (("gru", "default"), ("gru", "chrono"), ("lstm", "default"), ("lstm", "chrono"))
    found = {task: (max(n[:2]), max(n[2:])) for task, n in _by_task(measured, *kinds).items()}
    said = "; ".join(f"{task}: GRU {_up_to(gru)}, LSTM {_up_to(lstm)}" for task, (gru, lstm) in found.items())
    return Claim(
        "A GRU learns lags as long as an LSTM, with fewer gates",
        f"{said}; each with its better start",
        _judged(gru >= lstm for gru, lstm in found.values()),
    )


def _transformer_needs_more(measured: Table) -> Claim:
    """Compare the Transformer with the better LSTM wherever both have learned."""
    cases: dict[str, tuple[float, float]] = {}
    for task, steps in product(measured.values("task"), measured.values("steps")):
        here = measured.where(task=task, steps=steps)
        lstm = [_typical(_of(here, "lstm", start)) for start in ("default", "chrono")]
        ours, rival = min((n for n in lstm if n), default=None), _typical(_of(here, "transformer", "default"))
        if ours and rival:
            cases[f"{task}, {steps:,} steps"] = (rival, ours)
    said = "; ".join(f"{where}: {rival / ours:.1f} times" for where, (rival, ours) in cases.items())
    return Claim(
        "A Transformer needs more data than an LSTM",
        f"sequences, Transformer to LSTM with its better start: {said}" if cases else "both learned nowhere",
        _judged(rival > ours for rival, ours in cases.values()),
    )


def _typical(runs: Table) -> float | None:
    """Return the median of sequences to learn, where every network has learned."""
    counts = runs.numbers("sequences_to_learn")
    return median(counts) if counts and len(counts) == len(runs) else None


def _reaches(settings: LongLagSettings, measured: Table, steps: int) -> Claim:
    runs = {str(task): measured.where(task=task, steps=steps) for task in measured.where(steps=steps).values("task")}
    said = "; ".join(f"{task}: {_said(settings, found)}" for task, found in runs.items())
    verdict = _judged(None not in found.column("sequences_to_learn") for found in runs.values())
    return Claim(f"An LSTM bridges lags of about {steps:,} steps", f"with chrono initialisation, {said}", verdict)


def _up_to(steps: int) -> str:
    return f"up to {steps:,} steps" if steps else "at no length"


_LOOKS = {
    ("rnn", "default"): ("#cc3311", "o", "-"),
    ("gru", "default"): ("#228833", "s", "--"),
    ("gru", "chrono"): ("#228833", "s", "-"),
    ("lstm", "default"): ("#4477aa", "^", "--"),
    ("lstm", "chrono"): ("#4477aa", "^", "-"),
    ("transformer", "default"): ("#aa3377", "D", "-"),
}


def _draw(settings: LongLagSettings, measured: Table, figure: Figure) -> None:
    for axes, task in zip(figure.subplots(1, len(TASKS), sharey=True), TASKS, strict=True):
        for kind, (colour, mark, line) in _LOOKS.items():
            _draw_kind(axes, settings, _of(measured.where(task=task), *kind), colour=colour, mark=mark, line=line)
        axes.axhline(settings.budget, color="black", linewidth=0.6, linestyle=":")
        axes.set(title=task, xlabel="steps", xscale="log", yscale="log")
        axes.set_xticks(_lengths(settings), [str(steps) for steps in _lengths(settings)], minor=False)
        axes.minorticks_off()
    figure.axes[0].set_ylabel("sequences until learned (crosses: not within the budget)")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right center", fontsize="small")


def _draw_kind(axes: Axes, settings: LongLagSettings, runs: Table, *, colour: str, mark: str, line: str) -> None:
    lengths = [int(str(steps)) for steps in runs.values("steps")]
    found = [runs.where(steps=steps).numbers("sequences_to_learn") for steps in lengths]
    for steps, counts in zip(lengths, found, strict=True):
        axes.plot([steps] * len(counts), counts, marker=mark, linestyle="none", color=colour, markersize=4)
    learned = [(steps, median(counts)) for steps, counts in zip(lengths, found, strict=True) if counts]
    if not lengths:
        return
    label = " ".join(map(str, (*runs.values("cell"), *runs.values("start"))))
    axes.plot([n for n, _ in learned], [m for _, m in learned], color=colour, linestyle=line, marker=mark, label=label)
    failed = [steps for steps in lengths if None in runs.where(steps=steps, tried=True).column("sequences_to_learn")]
    axes.plot(failed, [settings.budget * 1.1] * len(failed), marker="x", linestyle="none", color=colour)


STUDY = Study(
    name="long-lags",
    title="Who learns what came long before",
    question="Which cells learn the adding problem and temporal order at growing lengths, and in how many sequences?",
    about="""
Two tasks of Hochreiter and Schmidhuber ("Long short-term memory", Neural Computation 9, 1997): the adding problem
(experiment 4) and temporal order (experiment 6a). Sequences are 1 to 1.1 times as long as stated and always new. The
first of the two steps that count lies within the first ten (adding) or the second tenth (temporal order), the second
before the middle or just after it; at the end both must be known. Learned: of 2,560 new sequences at most one is wrong.
Wrong is an error of 0.04 or more in adding, and of 0.3 or more in the probability of any class in temporal order.
Tested is a running average of the weights, every few updates once a batch looks promising; the sequences of the
updates until then are counted.

Deviations from the paper: places of the two symbols grow with the length (the paper has one length, 100 to 110, and
symbols at 10 to 20 and 50 to 60); the four classes are a softmax; batches and Adam in the place of single sequences and
plain gradient descent; LSTMs with forget gates and full gradients, of one layer of some dozen units.

Recurrent cells read forwards alone (`CausalLSTM(cell=...)`), so that the lag is real; the Transformer (`BiLSTM(cell=
"transformer")`) sees all steps at once and learns positions from none longer than the sequences. Units are chosen for
about as many parameters. One learning rate serves all. "default" is the start of this package: orthogonal, forget or
update bias 1; "chrono" is `memory_steps` set to the length (Tallec and Ollivier, ICLR 2018). Who has not learned a
length within the budget is not tried at longer ones; the network is then the same repeat with the same task.
""",
    full=LongLagSettings(),
    quick=LongLagSettings(lengths=(30,), far_steps=None, repeats=1, budget=1_600, check_every=5, tested=256),
    columns=_COLUMNS,
    measure=_measure,
    conclude=_conclude,
    draw=_draw,
)
