"""Who learns to use what came long before: the adding problem and the temporal order problem, at growing lengths."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from biosig_lstm.studies._long_lag_claims import conclude, of_kind, shown_lengths
from biosig_lstm.studies._long_lag_tasks import TASKS
from biosig_lstm.studies._long_lag_training import LongLagSettings, Outcome, learn, parameter_count
from biosig_lstm.studies._study import Study, StudyOptions
from biosig_lstm.studies._table import Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["KINDS", "STUDY"]

KINDS = (
    ("rnn", "default"),
    ("gru", "default"),
    ("gru", "chrono"),
    ("lstm", "default"),
    ("lstm", "chrono"),
    ("transformer", "default"),
)
"""Cell and start of those that are compared."""


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
        parameters = parameter_count(case.cell, task=TASKS[case.task], settings=settings)
        yield (*case, parameters, tried, outcome.sequences, outcome.wrong, seconds)


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


_LOOKS = {
    ("rnn", "default"): ("#cc3311", "o", "-"),
    ("gru", "default"): ("#88aa33", "s", "--"),
    ("gru", "chrono"): ("#117733", "s", "-"),
    ("lstm", "default"): ("#66bbee", "^", "--"),
    ("lstm", "chrono"): ("#223399", "^", "-"),
    ("transformer", "default"): ("#aa3377", "D", "-"),
}


def _draw(settings: LongLagSettings, measured: Table, figure: Figure) -> None:
    lengths = shown_lengths(settings)
    for axes, task in zip(figure.subplots(1, len(TASKS), sharey=True), TASKS, strict=True):
        for place, kind in enumerate(_LOOKS):
            missed = settings.budget * (1.15 + 0.12 * place)
            _draw_kind(axes, of_kind(measured.where(task=task), *kind), kind, missed=missed)
        axes.axhline(settings.budget, color="black", linewidth=0.6, linestyle=":")
        axes.set(title=task, xlabel="steps", xscale="log", yscale="log")
        axes.set_xticks(lengths, [str(steps) for steps in lengths], minor=False)
        axes.minorticks_off()
    figure.axes[0].set_ylabel("sequences until learned\n(above the dotted line: not within the budget)")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside right center", fontsize="small")


def _draw_kind(axes: Axes, runs: Table, kind: tuple[str, str], *, missed: float) -> None:
    colour, mark, line = _LOOKS[kind]
    tried = runs.where(tried=True)
    found = {int(str(n)): tried.where(steps=n).column("sequences_to_learn") for n in tried.values("steps")}
    learned = {steps: tried.where(steps=steps).numbers("sequences_to_learn") for steps in found}
    middle = {steps: median(counts) for steps, counts in learned.items() if counts}
    if found:
        axes.plot([*middle], [*middle.values()], color=colour, linestyle=line, marker=mark, label=" ".join(kind))
    for steps, counts in learned.items():
        axes.plot([steps] * len(counts), counts, marker=mark, linestyle="none", color=colour, markersize=3)
    failed = [steps for steps, counts in found.items() if None in counts]
    axes.plot(failed, [missed] * len(failed), marker="x", linestyle="none", color=colour)


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
length within the budget is not tried at longer ones. A Transformer needs more sequences where it takes at least a
quarter more than the LSTM with its better start, or fails where that has learned.
""",
    full=LongLagSettings(),
    quick=LongLagSettings(lengths=(30,), far_steps=None, repeats=1, batch=16, budget=96, check_every=2, tested=32),
    columns=_COLUMNS,
    measure=_measure,
    conclude=conclude,
    draw=_draw,
)
