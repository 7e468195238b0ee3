"""How much of the gradient of the last state reaches back k steps, by cell and by how its weights start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from biosig_lstm.models._recurrent import initialise_layer
from biosig_lstm.studies._study import Claim, Findings, Study, StudyOptions, judged
from biosig_lstm.studies._table import Row, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STARTS", "STUDY", "GradientSettings", "relative_gradients"]


@dataclass(frozen=True, kw_only=True)
class GradientSettings:
    """Sizes of the study.

    Parameters
    ----------
    features, hidden_size : int
        Of a step, and units of the one layer.
    sequences : int
        Over which gradients are averaged.
    repeats : int
        Networks drawn of each kind.
    longest_steps : int
        How far back is looked.
    shown_steps : tuple of int
        Distances of the table.
    drawn_points : int
        Distances of the picture, evenly spread on a logarithmic axis.
    vanished, exploded : float
        Relative gradient below which claims count it as gone, and above which as exploded.
    """

    features: int = 8
    hidden_size: int = 64
    sequences: int = 16
    repeats: int = 9
    longest_steps: int = 1000
    shown_steps: tuple[int, ...] = (10, 30, 100, 300, 1000)
    drawn_points: int = 30
    vanished: float = 1e-3
    exploded: float = 1e2


Start = Callable[[nn.RNNBase, int], None]


def _as_torch(_layer: nn.RNNBase, _longest: int) -> None:
    """Leave the weights as torch draws them."""


def _orthogonal(layer: nn.RNNBase, _longest: int) -> None:
    initialise_layer(layer)


def _chrono(layer: nn.RNNBase, longest: int) -> None:
    initialise_layer(layer, memory_steps=longest)


def _more_forget_bias(before: Start, added: float) -> Start:
    @torch.no_grad()
    def start(layer: nn.RNNBase, longest: int) -> None:
        before(layer, longest)
        bias: Tensor = layer.get_parameter("bias_ih_l0")
        bias.chunk(4)[1].add_(added)

    return start


_CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}

STARTS: dict[tuple[str, str], Start] = {
    ("rnn", "torch's own"): _as_torch,
    ("rnn", "orthogonal"): _orthogonal,
    ("gru", "torch's own"): _as_torch,
    ("gru", "orthogonal, update bias 1"): _orthogonal,
    ("gru", "orthogonal, chrono"): _chrono,
    ("lstm", "torch's own, forget bias 0"): _as_torch,
    ("lstm", "torch's own, forget bias 1"): _more_forget_bias(_as_torch, 1.0),
    ("lstm", "torch's own, forget bias 3"): _more_forget_bias(_as_torch, 3.0),
    ("lstm", "orthogonal, forget bias 0"): _more_forget_bias(_orthogonal, -1.0),
    ("lstm", "orthogonal, forget bias 1"): _orthogonal,
    ("lstm", "orthogonal, forget bias 3"): _more_forget_bias(_orthogonal, 2.0),
    ("lstm", "orthogonal, chrono"): _chrono,
}
"""Cell and start to what sets the weights of a layer; "orthogonal" is how this package starts its layers."""


def relative_gradients(layer: nn.RNNBase, x: Tensor, directions: Tensor) -> Tensor:
    """Return how large the last state's gradient is at the input of each step before it.

    Parameters
    ----------
    layer : torch.nn.RNN, torch.nn.GRU or torch.nn.LSTM
        One layer, one direction, batch first.
    x : Tensor [shape=(sequences, steps, features)]
        Inputs.
    directions : Tensor [shape=(sequences, hidden_size)]
        Drawn from a standard normal distribution: the norm of a random projection of the Jacobian is, in the mean of
        squares, the Jacobian's Frobenius norm.

    Returns
    -------
    Tensor [shape=(steps,)]
        Root mean square over the sequences of ``|v . d h_T / d x_(T-k)|`` for k = 0, 1, ..., divided by that at 0.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> relative_gradients(nn.LSTM(1, 4, batch_first=True), torch.randn(2, 3, 1), torch.randn(2, 4))[0].item()
    1.0
    """
    read = x.detach().clone().requires_grad_()
    last = layer(read)[0][:, -1]
    (slope,) = torch.autograd.grad((last * directions).sum(), read)
    largest = slope.abs().amax(dim=(0, 2))
    scaled = slope / largest.clamp(min=torch.finfo(slope.dtype).tiny).unsqueeze(1)  # squares would underflow
    size = (largest * scaled.square().sum(dim=2).mean(dim=0).sqrt()).flip(0)
    return size / size[0]


def _distances(settings: GradientSettings) -> list[int]:
    """Return the distances of the picture and of the table, ascending."""
    exponents = torch.linspace(0.0, 1.0, settings.drawn_points, dtype=torch.float64)
    drawn = {round(settings.longest_steps**exponent) for exponent in exponents.tolist()}
    return sorted({0} | drawn | {k for k in settings.shown_steps if k <= settings.longest_steps})


def _measure(settings: GradientSettings, options: StudyOptions) -> Iterator[Row]:
    distances, device = _distances(settings), options.device_name()
    for repeat in range(settings.repeats):
        for place, ((cell, start), draw) in enumerate(STARTS.items()):
            options.announce(f"{cell}, {start}; network {repeat + 1} of {settings.repeats}")
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(1_000_003 * options.seed + 1_009 * repeat + place)
                found = _one_network(settings, cell, draw, device=device)
            yield from ((cell, start, repeat, k, found[k]) for k in distances)


def _one_network(settings: GradientSettings, cell: str, start: Start, *, device: str) -> list[float]:
    layer: nn.RNNBase = _CELLS[cell](settings.features, settings.hidden_size, batch_first=True)
    start(layer, settings.longest_steps)
    x = torch.randn(settings.sequences, settings.longest_steps + 1, settings.features, dtype=torch.float64)
    directions = torch.randn(settings.sequences, settings.hidden_size, dtype=torch.float64)
    found: list[float] = relative_gradients(layer.double().to(device), x.to(device), directions.to(device)).tolist()
    return found


def _conclude(settings: GradientSettings, measured: Table) -> Findings:
    shown = [k for k in settings.shown_steps if k in measured.column("steps_back")]
    rows = []
    for cell, start in STARTS:
        kind = measured.where(cell=cell, start=start)
        if len(kind):
            rows.append((cell, start, *(_median_and_range(kind.where(steps_back=k)) for k in shown)))
    title = "Gradient that reaches back k steps, relative to k = 0: median of the networks (smallest to largest)"
    table = Table(("cell", "start", *(f"k = {k:,}" for k in shown)), tuple(rows), title=title)
    return Findings((table,), _claims(settings, measured))


def _median_and_range(at: Table) -> str:
    found = at.numbers("relative_gradient")
    return f"{median(found):.2g} ({min(found):.1g} to {max(found):.1g})" if found else "-"


def _claims(settings: GradientSettings, measured: Table) -> tuple[Claim, ...]:
    far, farthest = min(settings.shown_steps, key=lambda k: abs(k - 100)), settings.longest_steps

    def left(cell: str, steps: int, claimed: str) -> Claim:
        at = _medians(measured, cell, steps)
        return Claim(claimed, _by_start(at, steps), judged(value >= settings.vanished for value in at.values()))

    plain, lstm = _medians(measured, "rnn", far), _medians(measured, "lstm", farthest)
    return (
        Claim(
            f"A plain RNN's gradient vanishes within {far:,} steps",
            _by_start(plain, far),
            judged(value < settings.vanished for value in plain.values()),
        ),
        left("lstm", far, f"An LSTM's gradient does not vanish within {far:,} steps"),
        left("gru", far, f"A GRU's gradient does not vanish within {far:,} steps"),
        left("lstm", farthest, f"An LSTM's gradient reaches back {farthest:,} steps"),
        Claim(
            "An LSTM's gradient does not explode",
            _by_start(lstm, farthest),
            judged(value <= settings.exploded for value in lstm.values()),
        ),
    )


def _medians(measured: Table, cell: str, steps: int) -> dict[str, float]:
    at = measured.where(cell=cell, steps_back=steps)
    return {str(start): median(at.where(start=start).numbers("relative_gradient")) for start in at.values("start")}


def _by_start(found: dict[str, float], steps: int) -> str:
    return f"at {steps:,} steps, by start: " + "; ".join(f"{start}: {value:.1g}" for start, value in found.items())


_COLOURS = {
    "rnn": "#cc3311",
    "gru: torch's own": "#88aa33",
    "gru": "#228833",
    "lstm: orthogonal, chrono": "#aa3377",
    "forget bias 0": "#223355",
    "forget bias 1": "#4477aa",
    "forget bias 3": "#33bbee",
}
_LINES = {"chrono": "--", "torch's own": ":", "orthogonal": "-"}
_LOWEST, _HIGHEST = 1e-12, 1e3


def _draw(settings: GradientSettings, measured: Table, figure: Figure) -> None:
    axes = figure.subplots()
    for cell, start in STARTS:
        _draw_start(axes, measured.where(cell=cell, start=start), label=f"{cell}: {start}")
    axes.axhline(settings.vanished, color="black", linewidth=0.6, linestyle=":")
    axes.set(xscale="log", yscale="log", xlabel="steps back", ylabel="gradient relative to the last step's")
    axes.set(ylim=(_LOWEST, _HIGHEST), xlim=(1, settings.longest_steps))
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize="small")


def _draw_start(axes: Axes, kind: Table, *, label: str) -> None:
    found = {k: kind.where(steps_back=k).numbers("relative_gradient") for k in kind.values("steps_back") if k != 0}
    if not found:
        return
    steps = [float(str(k)) for k in found]
    colour = next(colour for words, colour in _COLOURS.items() if words in label)
    line = next(line for words, line in _LINES.items() if words in label)
    axes.plot(steps, [median(values) for values in found.values()], line, color=colour, label=label)
    lowest, highest = [min(v) for v in found.values()], [max(v) for v in found.values()]
    axes.fill_between(steps, lowest, highest, color=colour, alpha=0.12)


STUDY = Study(
    name="gradient",
    title="How far back the gradient reaches",
    question="How much of the gradient of the last state arrives k steps before it, when training starts?",
    about="""
One layer reads standard normal noise forwards. The figure at k is the gradient of a random projection v of the last
state h_T with respect to the input k steps before, |v . d h_T / d x_(T-k)|, as the root mean square over the
sequences, divided by that at k = 0; in double precision. So it is the Frobenius norm of the Jacobian, in the mean of
squares. "torch's own" are the weights that torch draws; "orthogonal" those of this package: Xavier-uniform input
weights, orthogonal recurrent ones, biases zero but for the gate that keeps. "chrono" draws that gate's bias for
dependencies of up to the longest distance shown (Tallec and Ollivier, ICLR 2018), as `memory_steps` does. Claims call
a gradient gone below 0.001 and exploded above 100, in the median of the networks. The vanishing gradient: Hochreiter
1991; Bengio, Simard and Frasconi 1994. Forget bias 1: Jozefowicz et al., ICML 2015.
""",
    full=GradientSettings(),
    quick=GradientSettings(
        hidden_size=16, sequences=4, repeats=2, longest_steps=100, shown_steps=(10, 30, 100), drawn_points=12
    ),
    columns=("cell", "start", "network", "steps_back", "relative_gradient"),
    measure=_measure,
    conclude=_conclude,
    draw=_draw,
)
