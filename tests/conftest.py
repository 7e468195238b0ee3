"""What all tests share: where the real recordings are, and the seed."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from biosig_lstm.containers import Recording
    from biosig_lstm.estimators import StepClassifier


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


@pytest.fixture(scope="session")
def beats_model() -> StepClassifier:
    """Return a small model trained on the sample's training subjects: seconds, once for all tests."""
    from biosig_lstm import datasets
    from biosig_lstm.recipes import train_protocol

    return train_protocol("sample-aami", root=datasets.get("sample").root, max_epochs=8, device="cpu")


@pytest.fixture(scope="session")
def model_file(beats_model: StepClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of that model."""
    path = tmp_path_factory.mktemp("model") / "beats.biosig"
    beats_model.save(path)
    return path


@pytest.fixture(scope="session")
def first_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Recording]:
    """Return the first recording of a protocol that its database's own written sample holds."""
    from biosig_lstm import datasets

    roots: dict[str, Path] = {}

    def find(protocol: str) -> Recording:
        plan = datasets.get_protocol(protocol)
        if plan.dataset not in roots:
            roots[plan.dataset] = tmp_path_factory.mktemp(plan.dataset)
            importlib.import_module(f"biosig_lstm.datasets.{plan.dataset}").write_sample(roots[plan.dataset])
        data = datasets.get(plan.dataset, roots[plan.dataset], **plan.settings)
        return next(data.recordings((data.records_of(plan, "train") or data.record_names)[:1]))

    return find
