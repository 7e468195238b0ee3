"""Which files of a database are to be fetched, and that they are; how is the business of `biosig_lstm.transfer`."""

from __future__ import annotations

import contextlib
import difflib
import re
import warnings
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from biosig_lstm.datasets._card import Card
from biosig_lstm.errors import BiosigWarning, DataError, DownloadError, ParameterError
from biosig_lstm.formats.wfdb import read_header
from biosig_lstm.transfer import (
    SUMS,
    Meter,
    Report,
    Server,
    Store,
    TransferSettings,
    fetch,
    fetch_sums,
    format_sums,
    parse_sums,
    progress_bar,
)

__all__ = ["download_files", "download_records", "known_sums"]

Sums = Mapping[str, str]

_SHARED = re.compile(r"(?:RECORDS.*|ANNOTATORS|README.*|LICENSE.*|.*\.(?:csv|tsv|txt|json|xlsx?|md))$", re.IGNORECASE)
_MOST_ROUNDS = 4
_MOST_REASONS = 20


def download_records(
    card: Card,
    root: Path,
    *,
    records: str | Iterable[str] | None,
    stems_of: Callable[[str], Iterable[str]],
    mirror: str,
    connections: int,
    progress: bool,
) -> Report:
    """Fetch the records of a split, or those named, or everything: `download_files` by the names of records.

    Parameters
    ----------
    card, root, mirror, progress
        As of `download_files`.
    records : str or iterable of str or None
        Name of a frozen split, or of a record, or several; None for everything.
    stems_of : callable
        What the files of a record begin with.
    connections : int [1 to 32]
        Files that are fetched at the same time.
    """
    names = (records,) if isinstance(records, str) else records
    stems = None
    if names is not None:
        each = [record for name in names for record in card.splits.get(name, (name,))]
        stems = list(dict.fromkeys(stem for record in each for stem in stems_of(record)))
    settings = TransferSettings(connections=connections)
    return download_files(card, root, stems=stems, mirror=mirror, settings=settings, progress=progress)


def download_files(
    card: Card,
    root: Path,
    *,
    stems: Collection[str] | None = None,
    mirror: str = "",
    settings: TransferSettings | None = None,
    progress: bool = True,
) -> Report:
    """Fetch the files of a database that are missing or differ, and verify them all.

    Parameters
    ----------
    card : Card
        Its `files` say where the database is published.
    root : Path
        Folder for the files; made if need be.
    stems : collection of str, optional
        What the files of the wanted records begin with; every file by default.
    mirror : str
        Address of another folder that holds the same files.
    settings : TransferSettings, optional
    progress : bool
        Whether the size, and then a bar, are shown on stderr.

    Returns
    -------
    Report

    Raises
    ------
    ParameterError
        When the database is not published in this way, no file of it begins so, or another one was fetched to `root`.
    DownloadError
        When the list of sums cannot be fetched, the folder cannot be written to, or a file cannot be fetched or
        verified. The message names each; all others are in their places.
    """
    if not (mirror or card.files):
        raise ParameterError(f"{card.name}: nothing to download, it is {card.address}")
    server = Server(mirror or card.files, settings)
    store = Store(root)
    held = _held(card, store, stems) if _is_of(card, store) else None
    if held is not None:
        return held
    store.prepare()
    store.label = f"{card.name} {card.version}"
    sums = _published(card, server, store)
    report = Report(store.root)
    wanted = _wanted(sums, stems, card)
    if stems is not None:
        report, wanted = _with_headers(sums, wanted, server=server, store=store)
    with progress_bar(f"{card.name} {card.version}") if progress else contextlib.nullcontext(Meter()) as meter:
        report += fetch({name: sums[name] for name in sorted(wanted)}, server=server, store=store, meter=meter)
    _check(card, report)
    return report


def _is_of(card: Card, store: Store) -> bool:
    """Return whether what was fetched to the folder before, if anything, is this version of the database."""
    name, _, version = store.label.partition(" ")
    if name and name != card.name:
        raise ParameterError(
            f"{store.root} holds {name}: {card.name} needs a folder of its own, such as {store.root / card.name}; "
            "files of the same names would take each other's place"
        )
    return version in ("", card.version)


def _held(card: Card, store: Store, stems: Collection[str] | None) -> Report | None:
    """Return the report of a download that has nothing left to do, without asking the server; else None."""
    if not store.path(SUMS).is_file():
        return None
    try:
        sums = known_sums(card, store.root)
        wanted = _wanted(sums, stems, card)
    except (OSError, ValueError):
        return None
    while wanted and all(store.holds(name, sums[name]) for name in wanted):
        more = _named_by_headers(store, sums, wanted) - wanted if stems is not None else frozenset()
        if not more:
            return Report(store.root, kept=tuple(sorted(wanted)))
        wanted |= more
    return None


def _published(card: Card, server: Server, store: Store) -> dict[str, str]:
    """Fetch the list of sums, write it beside the files, and return it with the card's own sums over it."""
    published = fetch_sums(server)
    if published is None and not card.checksums:
        raise DownloadError(f"{server.address}{SUMS} is not there: nothing could be verified, so nothing is fetched")
    listed = card.sha256() if published is None else published
    merged = _merged(card, listed)
    if not merged:
        raise DownloadError(f"{server.address}: no file of {card.name} is in the published list of sums")
    store.write(SUMS, format_sums(listed))
    return merged


def known_sums(card: Card, root: Path) -> dict[str, str]:
    """Return the sums of the list that lies beside the files, the card's own over them.

    Raises
    ------
    DownloadError
        When that list is damaged.
    """
    path = root / SUMS
    listed = parse_sums(path.read_text(encoding="utf-8"), source=str(path)) if path.is_file() else {}
    return _merged(card, listed)


def _merged(card: Card, published: Sums) -> dict[str, str]:
    merged = {**published, **card.sha256()}
    merged.pop(SUMS, None)
    if not card.include:
        return merged
    return {name: digest for name, digest in merged.items() if any(PurePosixPath(name).match(p) for p in card.include)}


def _wanted(sums: Sums, stems: Collection[str] | None, card: Card) -> set[str]:
    if stems is None:
        return set(sums)
    files = _files_by_stem(sums)
    records = {PurePosixPath(name).stem for name in sums if name.endswith(".hea")} | set(card.records)
    unknown = [stem for stem in stems if stem not in files]
    if unknown:
        close = difflib.get_close_matches(unknown[0], sorted(records), n=5)
        guess = f"; did you mean {', '.join(close)}?" if close else ""
        raise ParameterError(f"{card.name}: no file of a record {unknown[0]!r} is published{guess}")
    return {name for stem in stems for name in files[stem]} | set(_shared(sums, records))


def _files_by_stem(sums: Iterable[str]) -> dict[str, set[str]]:
    """Return the files by all that a record of theirs may be called: ``a/100.hea`` is of 100, of a/100 and of a."""
    found: dict[str, set[str]] = defaultdict(set)
    for name in sums:
        path = PurePosixPath(name)
        dots = [match.start() for match in re.finditer(r"\.", path.name)]
        for stem in (path.name, *(path.name[:dot] for dot in dots)):
            found[stem].add(name)
            found[str(path.parent / stem)].add(name)
        for folder in path.parents:
            found[folder.name].add(name)
            found[str(folder)].add(name)
    return found


def _shared(sums: Iterable[str], records: Collection[str]) -> Iterator[str]:
    for name in sums:
        path = PurePosixPath(name)
        if _SHARED.match(path.name) and path.name.split(".")[0] not in records:
            yield name


def _with_headers(sums: Sums, wanted: set[str], *, server: Server, store: Store) -> tuple[Report, set[str]]:
    """Fetch the headers first, and return what else they name, segments and signals of other names among it."""
    report = Report(store.root)
    for _ in range(_MOST_ROUNDS):
        headers = {name: sums[name] for name in sorted(wanted) if name.endswith(".hea")}
        report += fetch(headers, server=server, store=store)
        more = _named_by_headers(store, sums, wanted) - wanted
        if not more:
            break
        wanted = wanted | more
    return report, wanted


def _named_by_headers(store: Store, sums: Sums, wanted: Iterable[str]) -> frozenset[str]:
    named = {
        str(PurePosixPath(name).parent / other)
        for name in wanted
        if name.endswith(".hea") and store.path(name).is_file()
        for other in _named(store.path(name))
    }
    return frozenset(name for name in named if name in sums)


def _named(header: Path) -> list[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BiosigWarning)
            found = read_header(header)
    except (DataError, OSError):
        return []  # reading the record will say what is wrong with it
    segments = [f"{segment.name}.hea" for segment in found.segments]
    return [*segments, *(signal.file for signal in found.signals)]


def _check(card: Card, report: Report) -> None:
    if not report.failed:
        return
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, reason in report.failed:
        reasons[reason].append(name)
    lines = [f"  {_some(names)}: {reason}" for reason, names in reasons.items()]
    rest = [f"  and {len(lines) - _MOST_REASONS} more"] if len(lines) > _MOST_REASONS else []
    n_there = len(report.fetched) + len(report.kept)
    raise DownloadError(
        "\n".join(
            [
                f"{card.name}: {len(report.failed)} files could not be fetched, {n_there} are in {report.root}; "
                "the same download fetches only what is missing",
                *lines[:_MOST_REASONS],
                *rest,
            ]
        )
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
