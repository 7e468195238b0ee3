"""How much there is to fetch, asked of the server before it starts."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from biosig_lstm.transfer._progress import Plan
from biosig_lstm.transfer._server import Server
from biosig_lstm.transfer._store import Store

__all__ = ["plan"]

_MOST_ASKED = 32


def plan(names: Sequence[str], *, server: Server, store: Store) -> Plan:
    """Return how much is to be fetched.

    Parameters
    ----------
    names : sequence of str
        Files that are missing or unfinished.
    server, store : Server, Store
        Where they are from, where they go.

    Returns
    -------
    Plan
        Exact for up to 32 files; of more, 32 are asked for, some of each kind, and the others counted as their mean.
    """
    groups = defaultdict(list)
    for name in names:
        groups[PurePosixPath(name).suffix].append(name)
    asked = list(names) if len(names) <= _MOST_ASKED else list(_some(groups.values()))
    known = _sizes(asked, server)
    means = {suffix: _mean(known[name] for name in group if name in known) for suffix, group in groups.items()}
    fallback = _mean(known.values())
    expected = {
        name: float(known.get(name, means[suffix] or fallback)) for suffix, group in groups.items() for name in group
    }
    held = sum(store.part(name).n_bytes for name in names)
    return Plan(
        n_files=len(names),
        n_bytes=max(0, round(sum(expected.values())) - held) if known else None,
        exact=len(known) == len(names),
        expected=expected,
        source=server.address,
        target=str(store.root),
    )


def _some(groups: Iterable[list[str]]) -> Iterable[str]:
    """Yield names of each group, spread evenly over it."""
    listed = list(groups)
    share = max(2, _MOST_ASKED // len(listed))
    for group in listed[:_MOST_ASKED]:
        yield from group[:: -(-len(group) // share)]


def _sizes(names: Sequence[str], server: Server) -> dict[str, int]:
    silent = threading.Event()

    def size(name: str) -> int | None:
        found = None if silent.is_set() else server.size(name)
        if found is None:
            silent.set()  # a server that does not say is not asked on
        return found

    with ThreadPoolExecutor(server.settings.connections) as pool:
        sizes = list(pool.map(size, names))
    return {name: found for name, found in zip(names, sizes, strict=True) if found is not None}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
