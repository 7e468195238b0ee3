"""What all tests share: where the real recordings are, and the seed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_root() -> Callable[[str], Path]:
    """Return the folder of a real data set, or skip the test that needs it, saying why."""
    base = Path(os.environ.get("BIOSIG_LSTM_DATA") or Path.home() / ".cache" / "biosig_lstm")

    def find(name: str) -> Path:
        root = base / name
        if not root.is_dir():
            pytest.skip(f"real recordings {name!r} are not in {base} (set BIOSIG_LSTM_DATA)")
        return root

    return find
