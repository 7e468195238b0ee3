"""What recordings, or a model file, hold."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm.cli._common import OK, SOME_FAILED, complain, say
from biosig_lstm.errors import BiosigError
from biosig_lstm.shipped import SUFFIX, find, names

if TYPE_CHECKING:
    from biosig_lstm.estimators import Estimator
    from biosig_lstm.formats import Channel

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the command to the parser."""
    info = commands.add_parser("info", help="what recordings, or a model file, hold")
    info.add_argument("paths", nargs="+", metavar="PATH", help="a record, a file, a folder, or a model")
    info.add_argument("--json", action="store_true", help="one JSON object a line")
    info.set_defaults(run=_info)


def _info(chosen: argparse.Namespace) -> int:
    failed = 0
    for path in chosen.paths:
        try:
            sources = _sources(path)
        except (BiosigError, OSError) as error:
            failed += 1
            complain(str(error))
            continue
        failed += sum(not _info_one(source, as_json=chosen.json) for source in sources)
    return SOME_FAILED if failed else OK


def _sources(path: str) -> list[Path]:
    from biosig_lstm.errors import DataError
    from biosig_lstm.formats import find_recordings

    if path.endswith(SUFFIX):
        return [Path(path)]
    if not Path(path).exists() and path in names():
        return [find(path)]
    found = find_recordings([path])
    models = sorted(Path(path).rglob("*" + SUFFIX)) if Path(path).is_dir() else []
    if not found and not models:
        raise DataError(f"{path}: holds no recording of a known format and no model, nor does any folder below it")
    return [*found, *models]


def _info_one(source: Path, *, as_json: bool) -> bool:
    try:
        facts = _facts(source)
    except (BiosigError, OSError) as error:
        complain(f"{source}: {error}")
        return False
    say(json.dumps(facts) if as_json else "\n".join(_lines(facts)) + "\n")
    return True


def _lines(facts: Mapping[str, Any]) -> Iterator[str]:
    for key, value in facts.items():
        if isinstance(value, dict):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(value))
        else:
            yield f"{key:12} {value}"


def _facts(source: Path) -> dict[str, Any]:
    if source.suffix == SUFFIX:
        from biosig_lstm.estimators import load

        model = load(source)
        seen = model.training
        return {
            "model": str(source), "kind": type(model).__name__, **_answers(model),
            "protocol": seen.protocol if seen else "", "trained on": f"{len(seen.subjects) if seen else 0} subjects",
            **model.card,
        }  # fmt: skip
    from biosig_lstm.formats import list_channels, open_recording

    recording = open_recording(source)
    others = [channel for channel in list_channels(source) if channel.name not in recording.channels]
    leads = [f"{name} ({unit})" for name, unit in zip(recording.channels, recording.units, strict=True)]
    return {
        "recording": recording.id, "path": str(source), "channels": ", ".join(leads), **_other_channels(others),
        "fs_hz": recording.fs, "length_s": round(recording.duration_s, 3),
        "annotations": repr(recording.annotations)[12:-1],
    }  # fmt: skip


def _answers(model: Estimator) -> dict[str, Any]:
    """Return what a model can say: its classes, what it writes texts with, or when it alarms."""
    alphabet, scored = getattr(model, "alphabet", None), getattr(model, "scored", "")
    if scored:
        return _alarms(model)
    if model.forecasting is not None:
        return {"foresees": f"{model.forecasting.horizon} steps of {' '.join(getattr(model, 'targets', ()))}"}
    if alphabet is None:
        return {"classes": " ".join(model.classes)}
    symbols = [repr(symbol) if symbol.isspace() else symbol for symbol in alphabet.symbols]
    return {"writes": f"{len(symbols)} {alphabet.unit}", alphabet.unit: " ".join(symbols)}


def _alarms(model: Any) -> dict[str, Any]:
    """Return what a detector of anomalies scores, against what, and above which score it alarms."""
    limit = model.threshold
    facts = {"scores": f"each {model.scored}", "against": model.against, "threshold": limit and round(limit, 4)}
    return facts | ({"normal": " ".join(model.normal)} if model.normal else {})


def _other_channels(others: Iterable[Channel]) -> dict[str, str]:
    """Return what there is besides the channels that a recording is read with by default, by rate."""
    listed: dict[float, list[str]] = {}
    for channel in others:
        listed.setdefault(channel.rate_hz, []).append(f"{channel.name} ({channel.unit or 'no unit'})")
    return {f"at {rate:g} Hz": ", ".join(names) for rate, names in sorted(listed.items())}
