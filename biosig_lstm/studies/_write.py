"""What a study leaves on disk: its numbers, a page, a picture, and what it was run with."""

from __future__ import annotations

import io
import json
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from biosig_lstm import __version__
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.scoring import output_folder

if TYPE_CHECKING:
    from biosig_lstm.studies._study import StudyResult
    from biosig_lstm.studies._table import Cell, Row

__all__ = ["as_json", "as_markdown", "claims_of", "write_result"]

_DOTS_PER_INCH = 100
_PACKAGES = ("torch", "numpy")


def write_result(result: StudyResult, out: str | Path) -> list[Path]:
    """Write the four files of a study; see `StudyResult.write`."""
    folder, name = output_folder(out), result.study.name
    contents = {
        f"{name}.csv": result.measured.to_csv().encode(),
        f"{name}.md": (as_markdown(result, picture=f"{name}.png") + "\n").encode(),
        f"{name}.png": _picture(result),
        f"{name}.json": (json.dumps(as_json(result), indent=1, allow_nan=False) + "\n").encode(),
    }
    for file, content in contents.items():
        _replace(folder / file, content)
    return [folder / file for file in contents]


def as_markdown(result: StudyResult, *, picture: str = "") -> str:
    """Return the page of a study."""
    study = result.study
    tables = [table for table in (*result.findings.tables, result.claim_table) if len(table)]
    parts = [f"# {study.title}", study.question, study.about.strip()]
    parts += [] if result.complete else ["**Broken off: what had been measured until then.**"]
    parts += ["A quick run: it shows that the study works, its numbers say little."] if result.options.quick else []
    parts += [f"![{study.title}]({picture})"] if picture else []
    parts += ["\n\n".join([*([f"**{table.title}**"] if table.title else []), table.to_markdown()]) for table in tables]
    parts.append(_run_with(result))
    return "\n\n".join(part for part in parts if part)


def as_json(result: StudyResult) -> dict[str, Any]:
    """Return everything but the picture, as plain JSON values; what is not a finite number is null."""
    return {
        "study": result.study.name,
        "title": result.study.title,
        "seed": result.options.seed,
        "quick": result.options.quick,
        "complete": result.complete,
        "device": result.options.device_name(),
        "seconds": round(result.seconds, 1),
        "versions": _versions(),
        "machine": _machine(result.options.device_name()),
        "settings": result.settings_dict(),
        "columns": list(result.measured.columns),
        "rows": [[_plain(value) for value in row] for row in result.measured.rows],
        "claims": [
            {"claimed": claim.claimed, "measured": claim.measured, "verdict": claim.verdict} for claim in result.claims
        ],
    }


def claims_of(path: Path) -> list[Row]:
    """Return study, claimed, measured and verdict of each claim of a NAME.json; a DataError says why it cannot."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        noted = "".join(f" ({said})" for said, so in _run_notes(facts).items() if so)
        name = f"{facts['study']}{noted}"
        return [(name, str(c["claimed"]), str(c["measured"]), str(c["verdict"])) for c in facts["claims"]]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: is not what a study writes ({type(error).__name__}: {error})") from error


def _run_notes(facts: dict[str, Any]) -> dict[str, bool]:
    return {"quick": facts.get("quick", False), "broken off": not facts.get("complete", True)}


def _run_with(result: StudyResult) -> str:
    sizes = ", ".join(f"{name} {_short(value)}" for name, value in result.settings_dict().items())
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    return (
        f"Seed {result.options.seed}, {result.options.device_name()}, {result.seconds:.0f} s; {sizes}; {versions}. "
        f"Made by `biosig-lstm study {result.study.name} --out DIR --seed {result.options.seed}"
        f"{' --quick' if result.options.quick else ''}{' --data DATA' if result.options.data is not None else ''}"
        f"{f' --device {result.options.device}' if result.options.device != 'cpu' else ''}`."
    )


def _short(value: object) -> str:
    return " ".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)


def _versions() -> dict[str, str]:
    found = {"biosig-lstm": __version__, "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not known"
    return found


def _machine(device: str) -> dict[str, Any]:
    import torch

    facts: dict[str, Any] = {"processor": platform.machine(), "threads": torch.get_num_threads()}
    return facts | ({"gpu": torch.cuda.get_device_name()} if device == "cuda" else {})


def _plain(value: Cell) -> Cell:
    return None if isinstance(value, float) and not isfinite(value) else value


def _picture(result: StudyResult) -> bytes:
    content = io.BytesIO()
    result.plot().savefig(content, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    return content.getvalue()


def _replace(path: Path, content: bytes) -> None:
    """Put a file in its place once it is whole."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ParameterError(f"cannot write {path}: {error.strerror or error}") from error
