"""The recordings of a BIDS tree as the rows of a table, so that a classifier is trained on them as on any table."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets import BidsDataset, open_bids
from biosig_lstm.errors import BiosigError, BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators._from_table import classifier_from_rows
from biosig_lstm.tables import Row, Table

if TYPE_CHECKING:
    from biosig_lstm.estimators.classifier import Classifier

__all__ = ["BidsTable", "classifier_from_bids", "labelled_items"]

Stretch = tuple[float, float]

_TOLERANCE_S = 1e-3


@dataclass(frozen=True, repr=False)
class BidsTable(Table):
    """Rows that are read through the tree: with its units, and without the channels that it calls bad."""

    data: BidsDataset

    def _open(self, row: Row, name: str, channels: Sequence[str]) -> Recording:
        return self.read(row, name, channels)

    def read(self, row: Row, name: str, channels: Sequence[str] = ()) -> Recording:
        """Return the recording or stretch that a row means, with its label over all of it."""
        record = _record(row.path)
        is_part = row.start_s is not None
        try:
            with warnings.catch_warnings():
                if is_part:  # what is odd about the recording was said when its length was asked for
                    warnings.simplefilter("ignore", BiosigWarning)
                recording = self.data.read(record, channels=channels or None, start_s=row.start_s, stop_s=row.stop_s)
        except (BiosigError, OSError) as error:
            raise DataError(f"{self.path.name} line {row.line}: {error}") from error
        whole = Annotations([0], [recording.n_samples], [row.label])
        return replace(recording, id=name, annotations=whole)


def classifier_from_bids(
    kind: type[Classifier],
    root: str | Path,
    *,
    label: str,
    classes: Sequence[str],
    types: Sequence[str],
    stretch_s: Stretch | None,
    **settings: Any,
) -> Classifier:
    """Return a trained `Classifier`; see `Classifier.from_bids`."""
    table = labelled_items(open_bids(root, label, types=types), classes=classes, stretch_s=stretch_s)
    return classifier_from_rows(kind, table, **settings)


def labelled_items(data: BidsDataset, *, classes: Sequence[str] = (), stretch_s: Stretch | None = None) -> BidsTable:
    """Return the labelled recordings of a tree, or their labelled stretches where labels are events, as a table.

    Raises
    ------
    ParameterError
        When a class does not occur, or events are instants and no stretch is given.
    DataError
        When nothing has a label.
    """
    lacking = [name for name in classes if name not in data.classes]
    if lacking:
        known = ", ".join(data.classes) or "none"
        raise ParameterError(f"{data.root}: no recording has the {data.label} {', '.join(lacking)}; there is: {known}")
    if data.source == "events":
        rows = _event_rows(data, classes or data.classes, stretch_s)
    elif stretch_s is not None:
        raise ParameterError(f"stretch_s is a stretch of events; {data.label!r} labels whole recordings")
    else:
        rows = _whole_rows(data, classes or data.classes)
    if not rows:
        raise DataError(f"{data.root}: nothing has a label of the kind {data.label!r}")
    name = {"events": "events.tsv", "participants": "participants.tsv", "names": "names"}[data.source]
    return BidsTable(data.root / name, tuple(rows), data)


def _whole_rows(data: BidsDataset, classes: Sequence[str]) -> list[Row]:
    said = {record: data.label_of(record) for record in data.record_names}
    return [
        Row(data.line_of(record), data.file_of(record), label, data.subject_of(record), None, None)
        for record, label in said.items()
        if label in classes
    ]


def _event_rows(data: BidsDataset, classes: Sequence[str], stretch_s: Stretch | None) -> list[Row]:
    chosen = [event for event in data.events() if event.label in classes]
    if stretch_s is not None and not stretch_s[0] < stretch_s[1]:
        raise ParameterError(f"stretch_s must be a start and a later stop, got {stretch_s}")
    if chosen and stretch_s is None and all(event.duration_s == 0 for event in chosen):
        raise ParameterError(
            f"{data.root}: all {len(chosen)} events are instants: say which stretch around them is meant, in seconds "
            "from the onset, as in stretch_s=(0, 1) or --stretch-s 0 1"
        )
    rows: list[Row] = []
    for event in chosen:
        first, last = stretch_s or (0.0, event.duration_s)
        rows.append(
            Row(event.line, data.file_of(event.record), event.label, data.subject_of(event.record),
                event.onset_s + first, event.onset_s + last)
        )  # fmt: skip
    inside = _inside(data, rows)
    if len(inside) < len(rows):
        warnings.warn(
            f"{data.root}: {len(rows) - len(inside)} of {len(rows)} events left out: their stretch is empty, leaves "
            "the recording, or is that of another event",
            BiosigWarning,
            stacklevel=2,
        )
    return inside


def _inside(data: BidsDataset, rows: Sequence[Row]) -> list[Row]:
    lengths_s = {path: data.read(_record(path)).duration_s for path in dict.fromkeys(row.path for row in rows)}
    found: dict[tuple[Path, float, float], Row] = {}
    for row in rows:
        start_s, stop_s, end_s = row.start_s or 0.0, row.stop_s or 0.0, lengths_s[row.path]
        if 0 <= start_s < stop_s <= end_s + _TOLERANCE_S:
            kept = row._replace(stop_s=min(stop_s, end_s))
            found.setdefault((row.path, start_s, stop_s), kept)
    return list(found.values())


def _record(path: Path) -> str:
    return path.name.partition("_eeg.")[0]
