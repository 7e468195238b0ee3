"""biosig-lstm forecast: a row for each step that comes, a bad file reported, the others done."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import biosig_lstm as bl
from biosig_lstm import cli, datasets
from biosig_lstm.errors import ParameterError
from biosig_lstm.formats import open_recording
from biosig_lstm.scoring import forecast_files

QUICK: dict[str, Any] = {"max_epochs": 1, "device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def model() -> bl.Forecaster:
    prepare = bl.Pipeline(events=bl.Beats(), windows=bl.BeatIntervals())
    made = bl.Forecaster(prepare, bl.LSTM(4), horizon_steps=5, targets=("rr",), observed="normal", context_steps=16)
    return made.fit(list(datasets.get("sample").recordings())[:3], **QUICK)


@pytest.fixture(scope="module")
def model_file(model: bl.Forecaster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "rr.biosig"
    model.save(path)
    return path


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "forecasts.csv").read_text(encoding="utf-8"))))


def test_a_bad_file_is_reported_and_the_others_are_done(
    model: bl.Forecaster, model_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Path(datasets.get("sample").root)
    bad = tmp_path / "bad.hea"
    bad.write_text("bad 1 360 100\nbad.dat 212 200 11 1024 0 0 0 MLII\n")
    code = cli.main(
        ["forecast", str(model_file), str(root / "s04"), str(bad), str(root / "s05"), "--out", str(tmp_path / "out"),
         "--annotator", "atr"]
    )  # fmt: skip
    said, complaints = capsys.readouterr()
    assert code == 1
    assert [line.split()[0] for line in said.splitlines()] == ["s04", "s05"]
    assert "rr  next 0." in said
    assert "failed:" in complaints
    assert "1 failed, 2 done" in complaints
    rows = rows_of(tmp_path / "out")
    assert [row["recording"] for row in rows] == ["s04"] * 5 + ["s05"] * 5
    direct = model.predict(open_recording(root / "s05", annotator="atr"))
    np.testing.assert_allclose([float(row["q0.5"]) for row in rows[5:]], direct.median[0, :, 0], rtol=1e-4)


def test_beats_are_found_where_none_are_given(model: bl.Forecaster, tmp_path: Path) -> None:
    root = Path(datasets.get("sample").root)
    report = forecast_files(model, [root / "s04"], out=tmp_path)
    assert not report.failed
    told = forecast_files(model, [root / "s04"], out=tmp_path, annotator="atr")
    np.testing.assert_allclose(report.said["s04"].median, told.said["s04"].median, atol=0.1)


def test_a_model_that_foresees_nothing_is_refused(tmp_path: Path, model: bl.Forecaster) -> None:
    with pytest.raises(ParameterError, match="is foreseen by a Forecaster with a pipeline, got Classifier"):
        forecast_files(bl.Classifier(), [], out=tmp_path)
    with pytest.raises(ParameterError, match="is foreseen by a Forecaster with a pipeline"):
        forecast_files(bl.Forecaster(), [], out=tmp_path)
    told = bl.Forecaster(model.pipeline, targets=("rr",), known_ahead=("normal",))
    with pytest.raises(ParameterError, match="the model must be told normal of what comes, which no file holds"):
        forecast_files(told, [], out=tmp_path)
    (tmp_path / "forecasts.csv").write_text("of an earlier run", encoding="utf-8")
    assert forecast_files(model, [tmp_path / "gone"], out=tmp_path).failed
    assert not (tmp_path / "forecasts.csv").exists()


def test_info_says_what_is_foreseen(model_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", str(model_file)]) == 0
    said = capsys.readouterr().out
    assert "foresees     5 steps of rr" in said
    assert "classes" not in said
