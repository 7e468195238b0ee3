"""The most probable text: prefix beam search, with a language model where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from biosig_lstm.decoding.greedy import log_probabilities_of
from biosig_lstm.errors import ParameterError

__all__ = ["Hypothesis", "Scorer", "beam_search"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

_ROOT, _NONE = 0, -1


class Scorer(Protocol):
    """What a language model says of the next symbol, as a beam search asks for it.

    A state stands for a text; it may be anything.
    """

    def start(self) -> Any:
        """Return the state of the empty text, or of what was said before."""
        ...

    def advance(self, states: Sequence[Any], symbols: Sequence[int]) -> list[Any]:
        """Return the states of texts that are each one symbol (1, 2, ...) longer."""
        ...

    def scores(self, states: Sequence[Any]) -> Float64:
        """Return what is added for each next symbol, shape (states, symbols)."""
        ...

    def final(self, states: Sequence[Any]) -> Float64:
        """Return what is added where a text ends, shape (states,)."""
        ...


class Hypothesis(NamedTuple):
    """A text that may have been said.

    Attributes
    ----------
    symbols : np.ndarray of int64 [shape=(symbols,)]
        Outputs, from 1.
    score : float
        `log_probability`, and what the scorer adds.
    log_probability : float
        Of the text, by the network alone: over those of its paths that the beam held.
    """

    symbols: Int64
    score: float
    log_probability: float


@dataclass
class _Beam:
    """The texts that are still possible: nodes of a tree, each a text and one symbol more than its parent."""

    nodes: Int64  # (beam,) which are in the beam
    blank: Float64  # (beam,) log-probability of the paths that end in a blank
    symbol: Float64  # (beam,) ... in the last symbol
    parent: Int64  # (nodes,) here and below of all nodes, with room for more
    last: Int64
    child: Int64  # first child
    sibling: Int64  # next child of the same parent
    added: Float64  # what the scorer has added so far
    n_nodes: int


def beam_search(
    log_probabilities: npt.ArrayLike,
    *,
    beam_width: int = 32,
    scorer: Scorer | None = None,
    n_best: int = 1,
) -> list[Hypothesis]:
    """Return the most probable texts, the best first.

    Parameters
    ----------
    log_probabilities : array_like [shape=(frames, outputs)]
        Natural logarithms; output 0 is the blank.
    beam_width : int [>= 1]
        Texts that are followed from frame to frame. Where there are fewer texts than that, the result is exact.
    scorer : Scorer, optional
        Adds to the logarithm of a text's probability as it grows (shallow fusion), such as the weighted
        log-probability by a language model and a bonus for each symbol.
    n_best : int [>= 1]
        Hypotheses wanted; fewer where there are not so many.

    Returns
    -------
    list of Hypothesis
        By descending score; at least one.

    Raises
    ------
    DataError
        When the shape of the log-probabilities is another, or a value is not a number.
    ParameterError
        When `beam_width` or `n_best` is below 1.

    Notes
    -----
    Hannun, Maas, Jurafsky and Ng, "First-pass large vocabulary continuous speech recognition using bi-directional
    recurrent DNNs" (arXiv 1408.2873, algorithm 1): a text's probability is the sum over its paths, kept apart by
    whether they end in a blank. Deviations: the scorer is asked at every symbol, and counts towards which texts stay
    in the beam; probabilities are logarithms in float64.

    Examples
    --------
    >>> logs = np.log([[0.6, 0.4], [0.6, 0.4]])
    >>> best = beam_search(logs)[0]  # the best path says nothing, but "1" has three paths
    >>> best.symbols.tolist(), round(float(np.exp(best.log_probability)), 2)
    ([1], 0.64)
    """
    logs = log_probabilities_of(log_probabilities).astype(np.float64)
    if beam_width < 1 or n_best < 1:
        raise ParameterError(f"beam_width and n_best must be at least 1, got {beam_width} and {n_best}")
    n_symbols = logs.shape[1] - 1
    beam = _first_beam()
    states: dict[int, Any] = {} if scorer is None else {_ROOT: scorer.start()}
    bonus: dict[int, Float64] = {}
    for frame in logs:
        extra = np.zeros((len(beam.nodes), n_symbols))
        if scorer is not None:
            _ask(scorer, beam, states, bonus)
            extra = np.stack([bonus[node] for node in beam.nodes.tolist()])
        _advance(beam, frame, extra, beam_width)
    total, plain = _totals(beam, scorer, states, bonus)
    order = np.argsort(-total, kind="stable")[:n_best]
    return [Hypothesis(_symbols(beam, int(beam.nodes[k])), float(total[k]), float(plain[k])) for k in order]


def _first_beam() -> _Beam:
    none = np.full(1, _NONE)
    zero = np.zeros(1)
    return _Beam(np.zeros(1, np.int64), zero, np.full(1, -np.inf), none, none * 0, none, none, zero, 1)


def _ask(scorer: Scorer, beam: _Beam, states: dict[int, Any], bonus: dict[int, Float64]) -> None:
    """Have the scorer read the texts that have come to the beam, and forget those that have left it."""
    lacking = [node for node in beam.nodes.tolist() if node not in bonus]
    stateless = [node for node in lacking if node not in states]
    while stateless:
        ready = [node for node in stateless if int(beam.parent[node]) in states]
        parents = [states[int(beam.parent[node])] for node in ready]
        states.update(zip(ready, scorer.advance(parents, beam.last[ready].tolist()), strict=True))
        stateless = [node for node in stateless if node not in states]
    if lacking:
        bonus.update(zip(lacking, scorer.scores([states[node] for node in lacking]), strict=True))
    for node in set(bonus) - set(beam.nodes.tolist()):
        del bonus[node]


def _advance(beam: _Beam, frame: Float64, extra: Float64, width: int) -> None:
    """Take one frame: every text stays as it is or grows by a symbol, and the best stay."""
    room = beam.n_nodes + len(beam.nodes) * (len(frame) - 1)
    for name in ("parent", "last", "child", "sibling", "added"):
        array = getattr(beam, name)
        if len(array) < room:
            grown = np.full(2 * room, _NONE, dtype=array.dtype)
            grown[: len(array)] = array
            setattr(beam, name, grown)
    tree = (beam.parent, beam.last, beam.child, beam.sibling, beam.added, beam.n_nodes)
    held = (beam.nodes, beam.blank, beam.symbol)
    beam.nodes, beam.blank, beam.symbol, beam.n_nodes = _step(frame, extra, held, tree, width)


def _totals(
    beam: _Beam, scorer: Scorer | None, states: dict[int, Any], bonus: dict[int, Float64]
) -> tuple[Float64, Float64]:
    plain = np.logaddexp(beam.blank, beam.symbol)
    if scorer is None:
        return plain, plain
    _ask(scorer, beam, states, bonus)
    return plain + beam.added[beam.nodes] + scorer.final([states[node] for node in beam.nodes.tolist()]), plain


def _symbols(beam: _Beam, node: int) -> Int64:
    found = []
    while node != _ROOT:
        found.append(int(beam.last[node]))
        node = int(beam.parent[node])
    return np.array(found[::-1], dtype=np.int64)


@njit(cache=True)
def _add(a, b):  # type: ignore[no-untyped-def]
    if a == -np.inf:
        return b
    if b == -np.inf:
        return a
    top = max(a, b)
    return top + np.log1p(np.exp(min(a, b) - top))


@njit(cache=True)
def _step(frame, extra, beam, tree, width):  # type: ignore[no-untyped-def]
    """Return the next beam and the number of nodes; those that are new and stay are written into the tree."""
    parent, last, child, sibling, added, n_nodes = tree
    node, mother, letter, ends_blank, ends_symbol, gained = _candidates(frame, extra, beam, tree)
    score = np.empty(len(node))
    for k in range(len(node)):
        score[k] = _add(ends_blank[k], ends_symbol[k]) + gained[k]
    order = np.argsort(-score, kind="mergesort")[: min(width, len(node))]
    for k in order:
        if node[k] == -1:
            node[k] = n_nodes
            parent[n_nodes], last[n_nodes] = mother[k], letter[k]
            child[n_nodes], sibling[n_nodes] = -1, child[mother[k]]
            child[mother[k]] = n_nodes
            added[n_nodes] = gained[k]
            n_nodes += 1
    return node[order], ends_blank[order], ends_symbol[order], n_nodes


@njit(cache=True)
def _candidates(frame, extra, beam, tree):  # type: ignore[no-untyped-def]
    """Return the texts of the beam, then those one symbol longer: node (-1 where it is new), parent, symbol, sums."""
    nodes, blank, symbol = beam
    _, last, _, _, added, n_nodes = tree
    n, n_symbols = len(nodes), len(frame) - 1
    slot = np.full(n_nodes, -1, dtype=np.int64)
    most = n * (n_symbols + 1)
    ends_blank, ends_symbol, gained = np.full(most, -np.inf), np.full(most, -np.inf), np.zeros(most)
    node, mother, letter = np.full(most, -1, np.int64), np.full(most, -1, np.int64), np.zeros(most, np.int64)
    for k in range(n):
        slot[nodes[k]] = k
        node[k], gained[k] = nodes[k], added[nodes[k]]
        ends_blank[k] = _add(blank[k], symbol[k]) + frame[0]
        if nodes[k] != 0:
            ends_symbol[k] = symbol[k] + frame[last[nodes[k]]]
    count = n
    known = np.full(n_symbols + 1, -1, dtype=np.int64)
    for k in range(n):
        _mark_children(nodes[k], tree, known)
        both = _add(blank[k], symbol[k])
        for c in range(1, n_symbols + 1):
            value = (blank[k] if nodes[k] != 0 and c == last[nodes[k]] else both) + frame[c]
            if known[c] != -1 and slot[known[c]] != -1:
                place = slot[known[c]]
                ends_symbol[place] = _add(ends_symbol[place], value)
            elif value != -np.inf:
                node[count], mother[count], letter[count] = known[c], nodes[k], c
                ends_symbol[count], gained[count] = value, added[nodes[k]] + extra[k, c - 1]
                count += 1
    return node[:count], mother[:count], letter[:count], ends_blank[:count], ends_symbol[:count], gained[:count]


@njit(cache=True)
def _mark_children(node, tree, known):  # type: ignore[no-untyped-def]
    """Write the child of a node by each symbol, -1 where there is none."""
    _, last, child, sibling, _, _ = tree
    known[:] = -1
    below = child[node]
    while below != -1:
        known[last[below]] = below
        below = sibling[below]
