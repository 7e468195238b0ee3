"""The folder that files are fetched to: finished files, parts of unfinished ones, locks, and what has been verified."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from biosig_lstm.errors import DownloadError
from biosig_lstm.transfer._hash import sha256_of

__all__ = ["KEPT", "Part", "Store"]

KEPT = ".download"
"""Folder, below that of the files, for parts, locks and the list of what has been verified."""

_VERIFIED, _LABEL = "verified.txt", "label.txt"


@dataclass
class Part:
    """The bytes of a file that have come so far, and what they were the beginning of.

    Parameters
    ----------
    path : Path
        Where the bytes are; ``<path>.json`` holds the rest.
    """

    path: Path

    @property
    def n_bytes(self) -> int:
        """Bytes that have come."""
        return self.path.stat().st_size if self.path.is_file() else 0

    @property
    def note(self) -> dict[str, Any]:
        """What was known of the file when its first byte came: ``etag``, ``modified``, ``total``, ``digest``."""
        try:
            found = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def begin(self, note: dict[str, Any]) -> None:
        """Start over, with a new note."""
        self.discard()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._note.write_text(json.dumps(note), encoding="utf-8")
        self.path.touch()

    def discard(self) -> None:
        """Remove what has come."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.path.with_name(self.path.name + ".json")


class Store:
    """A folder of files that are verified by their sums.

    Parameters
    ----------
    root : Path
        The folder; made when something is fetched.

    Notes
    -----
    A file counts as verified when it has been hashed here before and its size and time of change are those of then,
    or when its hash is right now. Locks are the system's own (`filelock`): they end with the process that holds them.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified = _read_verified(root / KEPT / _VERIFIED)

    @property
    def label(self) -> str:
        """What the folder was last said to hold; empty where nothing was."""
        path = self.root / KEPT / _LABEL
        return path.read_text(encoding="utf-8").strip() if path.is_file() else ""

    @label.setter
    def label(self, text: str) -> None:
        (self.root / KEPT / _LABEL).write_text(f"{text}\n", encoding="utf-8")

    def path(self, name: str) -> Path:
        """Return where a file belongs."""
        return self.root / name

    def part(self, name: str) -> Part:
        """Return what has come of a file so far."""
        return Part(self.root / KEPT / f"{name}.part")

    def holds(self, name: str, digest: str) -> bool:
        """Return whether a file is there and verified."""
        path = self.path(name)
        if not path.is_file():
            return False
        if self._verified.get(name) == _mark(path, digest):
            return True
        if sha256_of(path) != digest:
            return False
        with contextlib.suppress(OSError):  # a folder that cannot be written to is hashed each time
            self._remember(name, digest)
        return True

    def finish(self, name: str, digest: str) -> None:
        """Move a part whose sum is right to its place, in one step."""
        part = self.part(name)
        target = self.path(name)
        target.parent.mkdir(parents=True, exist_ok=True)
        part.path.replace(target)
        part.discard()
        self._remember(name, digest)

    @contextlib.contextmanager
    def lock(self, name: str, *, timeout_s: float = 0.0) -> Iterator[None]:
        """Hold the lock of a file.

        Raises
        ------
        filelock.Timeout
            When another process, or thread, holds it.
        """
        path = self.root / KEPT / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path, timeout=timeout_s):
            yield
            if not self.part(name).path.exists():
                with contextlib.suppress(OSError):  # Windows keeps a file that is open
                    path.unlink()

    def write(self, name: str, text: str) -> None:
        """Write a small file in one step: whoever reads it sees the old one or the new one."""
        temporary = self.root / KEPT / f"{name}.{os.getpid()}.{threading.get_ident()}.new"
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")
        temporary.replace(self.path(name))

    def prepare(self) -> None:
        """Make the folder, and see that files can be written to it.

        Raises
        ------
        DownloadError
            When they cannot.
        """
        kept = self.root / KEPT
        try:
            kept.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=kept):
                pass
        except OSError as error:
            raise DownloadError(f"cannot write to {self.root}: {error.strerror or error}") from error

    def tidy(self) -> None:
        """Remove empty folders that held parts and locks."""
        for folder, _, _ in os.walk(self.root / KEPT, topdown=False):
            with contextlib.suppress(OSError):  # not empty
                Path(folder).rmdir()

    def _remember(self, name: str, digest: str) -> None:
        mark = _mark(self.path(name), digest)
        kept = self.root / KEPT
        kept.mkdir(parents=True, exist_ok=True)
        with (kept / _VERIFIED).open("ab", buffering=0) as file:  # one write: lines of two processes do not mix
            file.write(f"{mark} {name}\n".encode())
        self._verified[name] = mark


def _mark(path: Path, digest: str) -> str:
    state = path.stat()
    return f"{digest} {state.st_size} {state.st_mtime_ns}"


def _read_verified(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    fields = (line.split(" ", 3) for line in lines)
    return {field[3]: " ".join(field[:3]) for field in fields if len(field) == 4}
