"""Features of Sleep-EDF nights: what a file holds, wake cropped, the walk from training to scores, bad files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets, recipes
from biosig_lstm.cli import main
from biosig_lstm.datasets.sleep_edf_features import N_COLUMNS, write_sample
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import StepClassifier
from biosig_lstm.models import NightBiLSTM
from biosig_lstm.recipes.sleep_features import RECIPE
from biosig_lstm.scoring import evaluate_protocol

SMALL = replace(
    RECIPE,
    model=NightBiLSTM("features", embedding=16, hidden_size=8, dropout=0.2),
    members=2,
    settings=replace(RECIPE.settings, max_epochs=8, items_per_epoch=12, batch_size=4, crop_steps=60, device="cpu"),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("features")
    write_sample(root)
    return root


@pytest.fixture(scope="module")
def model(written: Path) -> StepClassifier:
    data = datasets.get("sleep_edf_features", written)
    recordings = data.recordings(["SC4001E0", "SC4002E0", "SC4011E0"])
    trained = SMALL.fit(recordings, protocol="sleep-edf-features", progress=False)
    assert isinstance(trained, StepClassifier)
    return trained


def test_a_row_is_a_sample_of_each_channel(written: Path) -> None:
    (night,) = datasets.get("sleep_edf_features", written, wake="whole").recordings("SC4011E0")
    with np.load(written / "SC4011E0.npz") as file:
        np.testing.assert_array_equal(night.signals, file["X"].T.astype(np.float32))
        stages = np.array([f"Sleep stage {stage}" for stage in ("W", "N1", "N2", "N3", "R")])[file["y"]]
    assert night.annotations.labels.tolist() == stages.tolist()
    assert night.annotations.starts.tolist() == list(range(night.n_samples))
    assert night.duration_s == pytest.approx(30 * night.n_samples)
    assert (len(night.channels), night.channels[71], set(night.units)) == (N_COLUMNS, "feature 71", {"n/a"})
    assert night.subject == "SC401"


def test_wake_is_cropped_to_sixty_epochs_around_sleep(written: Path) -> None:
    whole, night = (
        next(datasets.get("sleep_edf_features", written, wake=wake).recordings("SC4001E0"))
        for wake in ("whole", "30 min")
    )
    asleep = np.flatnonzero(whole.annotations.labels != "Sleep stage W")
    assert night.n_samples == asleep[-1] + 1 - asleep[0] + 120
    np.testing.assert_array_equal(night.signals, whole.signals[:, asleep[0] - 60 : asleep[-1] + 61])
    assert night.annotations.labels.tolist()[60:-60] == whole.annotations.labels.tolist()[asleep[0] : asleep[-1] + 1]


def test_nobody_asleep_keeps_the_recording_and_no_stage_has_no_label(tmp_path: Path) -> None:
    y = np.array([0] * 50 + [-1, 5] + [0] * 50)
    np.savez(tmp_path / "SC4001E0.npz", X=np.zeros((len(y), N_COLUMNS)), y=np.minimum(y, 0))
    np.savez(tmp_path / "SC4002E0.npz", X=np.zeros((len(y), N_COLUMNS)), y=y)
    data = datasets.get("sleep_edf_features", tmp_path, wake="whole")
    awake, odd = data.recordings()
    assert (awake.n_samples, len(awake.annotations)) == (102, 101)
    assert np.setdiff1d(np.arange(102), odd.annotations.starts).tolist() == [50, 51]
    (cropped,) = datasets.get("sleep_edf_features", tmp_path).recordings("SC4001E0")
    assert cropped.n_samples == 102


def test_the_folder_is_found_under_either_name(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(written, tmp_path / "sleep-edf-features")
    monkeypatch.setenv("BIOSIG_LSTM_DATA", str(tmp_path))
    assert len(datasets.get("sleep_edf_features")) == 4
    assert len(datasets.get("sleep_edf_features", tmp_path)) == 4
    assert len(datasets.get("sleep_edf_features", tmp_path / "sleep-edf-features")) == 4


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.zeros((3, N_COLUMNS))}, r"SC4001E0\.npz: needs the arrays X and y, holds X"),
        ({"X": np.zeros((3, 71)), "y": np.zeros(3)}, r"X must be \(epochs, 72\) and y \(epochs,\), got \(3, 71\)"),
        ({"X": np.zeros((3, N_COLUMNS)), "y": np.zeros(2)}, r"got \(3, 72\) and \(2,\)"),
        ({"X": np.zeros((0, N_COLUMNS)), "y": np.zeros(0)}, r"got \(0, 72\) and \(0,\)"),
        ({"X": np.array([{}]), "y": np.zeros(1)}, "no readable file of arrays: Object arrays cannot be loaded"),
    ],
)
def test_other_arrays_are_refused_by_name(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "SC4001E0.npz", **arrays)
    with pytest.raises(DataError, match=message):
        next(datasets.get("sleep_edf_features", tmp_path).recordings())


def test_a_damaged_file_and_a_wrong_setting_are_refused(written: Path, tmp_path: Path) -> None:
    whole = (written / "SC4001E0.npz").read_bytes()
    (tmp_path / "SC4001E0.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"record SC4001E0 cannot be read: SC4001E0\.npz: no readable file of arrays"):
        next(datasets.get("sleep_edf_features", tmp_path).recordings())
    with pytest.raises(ParameterError, match="wake 'none'"):
        datasets.get("sleep_edf_features", written, wake="none")


def test_protocols_have_a_recipe_and_crop_wake_by_name() -> None:
    for name, wake in (("sleep-edf-features", "30 min"), ("sleep-edf-features-whole", "whole")):
        plan = datasets.get_protocol(name)
        assert (plan.open, plan.task, plan.settings) == (True, "stages", {"wake": wake})
        assert recipes.recipe_for(name) is RECIPE


def test_who_was_not_seen_is_scored_and_drawn(
    model: StepClassifier, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.save(tmp_path / "features.biosig")
    arguments = ["evaluate", str(tmp_path / "features.biosig"), "--data", str(written), "--out", str(tmp_path / "out")]
    assert main([*arguments, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["recordings"] == ["SC4021E0"]
    assert said["metrics"]["accuracy"]["value"] > 0.9
    assert (tmp_path / "out" / "hypnograms" / "SC4021E0.png").is_file()
    whole = evaluate_protocol(model, root=written, protocol="sleep-edf-features-whole")
    assert whole.scores.n_items == said["items"] + 2 * 20


def test_an_epoch_without_values_is_refused_by_name(model: StepClassifier, written: Path) -> None:
    (night,) = datasets.get("sleep_edf_features", written).recordings("SC4021E0")
    values = night.signals.copy()
    values[:, 7] = np.nan
    with pytest.raises(DataError, match=r"recording 'SC4021E0': column 'feature 0\[0\]' is not finite"):
        model.predict(replace(night, signals=values))


def test_real_recordings(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("sleep_edf_features", data_root("sleep-edf-features"))
    assert len(data) == 14
    assert len(set(data.subjects.values())) == 7
    (night,) = data.recordings("SC4001E0")
    assert (night.n_samples, len(night.annotations)) == (721 + 120, 721 + 120)
    assert np.isfinite(night.signals).all()
