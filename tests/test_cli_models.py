"""Model files through the command line: what is not one of ours is refused with a reason, and nothing in it is run."""

from __future__ import annotations

import json
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import StepClassifier, load

Captured = pytest.CaptureFixture[str]
Damage = Callable[[bytes], bytes]


def with_header(raw: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the same weights under another header."""
    size = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(json.loads(raw[8 : 8 + size])["__metadata__"]["biosig_lstm"])
    change(header)
    return save_tensors(load_tensors(raw), metadata={"biosig_lstm": json.dumps(header)})


def changed(**values: Any) -> Damage:
    return lambda raw: with_header(raw, lambda header: header.update(values))


def renamed_step(raw: bytes) -> bytes:
    return with_header(raw, lambda header: header["pipeline"]["filters"][0].update(step="Telepathy"))


def renamed_model(raw: bytes) -> bytes:
    return with_header(raw, lambda header: header["model"].update(model="BiLSTMM"))


def wrong_step_value(raw: bytes) -> bytes:
    return with_header(raw, lambda header: header["pipeline"]["filters"][0].update(most=0))


def wider_model(raw: bytes) -> bytes:
    return with_header(raw, lambda header: header["model"].update(hidden_size=17))


def lacking(name: str) -> Damage:
    return lambda raw: with_header(raw, lambda header: header.pop(name))


def foreign_weights(raw: bytes) -> bytes:
    return save_tensors({"w": torch.zeros(3)})


def header_is_a_list(raw: bytes) -> bytes:
    return save_tensors({"w": torch.zeros(3)}, metadata={"biosig_lstm": "[1, 2]"})


def header_is_no_json(raw: bytes) -> bytes:
    return save_tensors({"w": torch.zeros(3)}, metadata={"biosig_lstm": "{"})


BAD: list[tuple[str, Damage, str]] = [
    ("cut short", lambda raw: raw[: len(raw) // 2], "cut short, damaged or not a model file"),
    ("cut in the header", lambda raw: raw[:100], "cut short, damaged or not a model file"),
    ("empty", lambda raw: b"", "cut short, damaged or not a model file"),
    ("text", lambda raw: b"just some notes\n" * 9, "cut short, damaged or not a model file"),
    ("pickle", lambda raw: pickle.dumps({"weights": [1.0]}), "cut short, damaged or not a model file"),
    ("foreign weights", foreign_weights, "was not written by this package"),
    ("header is a list", header_is_a_list, "damaged header"),
    ("header is no JSON", header_is_no_json, "damaged header"),
    ("no format", lacking("format"), "damaged header (it names no format)"),
    ("later format", changed(format=2), "format 2, this version reads 1; update biosig-lstm"),
    ("unknown kind", changed(estimator="Oracle"), "kind of model 'Oracle'; possible: AnomalyDetector, Classifier"),
    ("unknown step", renamed_step, "this version has no step 'Telepathy'"),
    ("unknown model", renamed_model, "model is not known: 'BiLSTMM'; did you mean 'BiLSTM'?"),
    ("wrong value of a step", wrong_step_value, "most must be at least 1, got 0"),
    ("wider model", wider_model, "header and weights do not fit together"),
    ("fewer classes", changed(classes=["N", "V"]), "header and weights do not fit together"),
    ("more members", changed(members=2), "header and weights do not fit together"),
    ("members are text", changed(members="many"), "header and weights do not fit together"),
    ("training is a list", changed(training=[1]), "header and weights do not fit together"),
    ("no training", lacking("training"), "header and weights do not fit together"),
    ("no pipeline", lacking("pipeline"), "header and weights do not fit together"),
    ("pipeline of another kind", changed(pipeline={"filters": 3}), "not the description of a pipeline"),
]


@pytest.mark.parametrize(("damage", "message"), [(d, m) for _, d, m in BAD], ids=[name for name, _, _ in BAD])
def test_a_file_that_is_no_model_is_refused(
    damage: Damage, message: str, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    bad = tmp_path / "bad.biosig"
    bad.write_bytes(damage(model_file.read_bytes()))
    sample = datasets.get("sample").root
    for command in (
        ["classify", str(bad), str(sample / "s06"), "--out", str(tmp_path / "out")],
        ["evaluate", str(bad), "--data", str(sample), "--json"],
        ["info", str(bad)],
    ):
        assert main(command) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert message in said.err
        assert str(bad) in said.err
        assert len(said.err.splitlines()) == 1


def test_a_model_that_is_not_there(tmp_path: Path, capsys: Captured) -> None:
    gone = str(tmp_path / "gone.biosig")
    assert main(["classify", gone, "x", "--out", str(tmp_path)]) == 1
    assert f"no such file, and no pretrained model '{gone}'" in capsys.readouterr().err
    assert main(["info", gone]) == 1
    assert f"no model file at {gone}" in capsys.readouterr().err


class _Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.mkdir, (self.path,))


@pytest.mark.parametrize("by_torch", [False, True])
def test_nothing_in_a_file_is_run(by_torch: bool, tmp_path: Path) -> None:
    trap, bad = tmp_path / "sprung", tmp_path / "trap.biosig"
    if by_torch:
        torch.save(_Trap(trap), bad)
    else:
        bad.write_bytes(pickle.dumps(_Trap(trap)))
    for reader in (load, StepClassifier.load):
        with pytest.raises(DataError, match="cut short, damaged or not a model file"):
            reader(bad)
    assert not trap.exists()
    pickle.loads(pickle.dumps(_Trap(trap)))
    assert trap.exists(), "the trap works"


def test_a_classifier_of_items_is_refused_where_beats_are_named(tmp_path: Path, capsys: Captured) -> None:
    import numpy as np

    from biosig_lstm.containers import Recording
    from biosig_lstm.estimators import Classifier
    from biosig_lstm.models import BiLSTM
    from biosig_lstm.pipeline import Pipeline
    from biosig_lstm.windows import FixedLength

    prepare = Pipeline(windows=FixedLength(1, classes=("a",)))
    windows = prepare(Recording(np.ones((1, 30)), 10, ["x"], ["mV"], id="r"))
    object.__setattr__(windows, "y", np.zeros(3, dtype=np.int64))
    model = Classifier(prepare, BiLSTM(2)).fit(windows, max_epochs=1, device="cpu", progress=False)
    model.save(tmp_path / "c.biosig")
    sample = datasets.get("sample").root
    assert main(["evaluate", str(tmp_path / "c.biosig"), "--protocol", "sample-aami", "--data", str(sample)]) == 2
    assert "beats need a StepClassifier, got a Classifier" in capsys.readouterr().err


def test_a_classifier_of_items_names_items(tmp_path: Path, capsys: Captured) -> None:
    import numpy as np

    from biosig_lstm.containers import Annotations, Recording
    from biosig_lstm.estimators import Classifier
    from biosig_lstm.formats.wfdb import write_wfdb
    from biosig_lstm.models import BiLSTM
    from biosig_lstm.pipeline import Pipeline
    from biosig_lstm.windows import FixedLength

    rows = np.random.default_rng(0).standard_normal((1, 350)).astype(np.float32)
    labels = Annotations([0, 200], [200, 350], ["a", "b"])
    recording = Recording(rows, 100, ["x"], ["mV"], id="r", annotations=labels)
    prepare = Pipeline(windows=FixedLength(1, classes=("a", "b")))
    model = Classifier(prepare, BiLSTM(2)).fit(prepare(recording), max_epochs=1, device="cpu", progress=False)
    model.save(tmp_path / "c.biosig")
    write_wfdb(recording.with_annotations(Annotations()), tmp_path, fmt="16", gain=1000.0)
    assert main(["classify", str(tmp_path / "c.biosig"), str(tmp_path / "r"), "--out", str(tmp_path / "out")]) == 0
    assert re.match(r"r +3 items   a \d  b \d", capsys.readouterr().out)
    rows_written = (tmp_path / "out" / "predictions.csv").read_text().splitlines()
    assert [line.split(",")[:3] for line in rows_written[1:]] == [
        ["r", k, f"{s}.0000"] for k, s in (("0", 0), ("100", 1), ("200", 2))
    ]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["predictions.csv"]
