"""Every model that ships: small, described, loadable, and of use on one lead or two, at other rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets import yesno
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.datasets.eegmat import CHANNELS as EEG_CHANNELS
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import AnomalyDetector, Estimator, StepClassifier, read_header
from biosig_lstm.filters import Resample
from biosig_lstm.formats.wfdb import write_wfdb
from biosig_lstm.scoring.tasks import task, task_of
from biosig_lstm.shipped import find, names, pretrained

SHIPPED = names()
LARGEST_BYTES = 2_000_000
ON_THE_CARD = ("task", "data", "licence of the data", "protocol", "limits", "figures")

every_model = pytest.mark.parametrize("name", SHIPPED or ["(none ships)"])


@pytest.fixture(scope="module")
def recording() -> Recording:
    (found,) = datasets.get("sample").recordings(["s06"])
    return found


def test_the_model_of_beats_ships() -> None:
    assert "ecg-beats" in SHIPPED


@every_model
def test_it_is_small_and_has_a_card(name: str) -> None:
    assert find(name).stat().st_size < LARGEST_BYTES
    header = read_header(find(name))
    for field in ON_THE_CARD:
        assert header["card"].get(field), f"the card of {name} lacks {field!r}"
    assert header["card"]["protocol"] == header["training"]["protocol"]
    assert header["training"]["subjects"]
    json.dumps(header["card"])


@every_model
def test_it_was_trained_on_no_test_record_of_its_protocol(name: str) -> None:
    seen = read_header(find(name))["training"]
    plan = datasets.get_protocol(seen["protocol"])
    assert not set(seen["recordings"]) & set(plan.test)
    assert plan.open or set(seen["recordings"]) <= set(plan.train)


@every_model
def test_it_loads_and_tells_what_it_knows(name: str) -> None:
    model = pretrained(name)
    assert model.training is not None
    assert len(model.classes) > 1 or isinstance(model, AnomalyDetector)
    assert not any(network.training for network in model.networks)
    assert all(np.isfinite(p.detach().numpy()).all() for p in model.networks.parameters())


@pytest.fixture(scope="module", params=SHIPPED or ["(none ships)"])
def beats(request: pytest.FixtureRequest) -> Estimator:
    model = pretrained(request.param)
    if not isinstance(model, StepClassifier) or task_of(model) is not task("beats"):
        pytest.skip(f"{request.param} names no beats")
    return model


def shares(model: Estimator, recording: Recording) -> tuple[float, float]:
    """Return the share of normal and of ventricular beats that the model names so."""
    windows = model.pipeline.with_positions("annotated")(recording)
    assert windows.y is not None
    truth = np.array(windows.classes)[windows.y]
    said = model.predict(windows)
    np.testing.assert_allclose(said.probabilities.sum(axis=1), 1, atol=1e-4)
    return float(np.mean(said.labels[truth == "N"] == "N")), float(np.mean(said.labels[truth == "V"] == "V"))


@pytest.mark.parametrize("leads", [("MLII", "V1"), ("MLII",), ("V1",)], ids=" ".join)
def test_generated_beats_are_named_from_two_leads_or_either(
    beats: Estimator, leads: tuple[str, ...], recording: Recording
) -> None:
    normal, ventricular = shares(beats, recording.pick(leads))
    assert normal > 0.7
    assert ventricular > 0.5


@pytest.mark.parametrize("fs", [100.0, 128.0, 500.0])
def test_the_rate_does_not_matter(beats: Estimator, fs: float, recording: Recording) -> None:
    own, other = (beats.predict(r) for r in (recording, Resample(fs)(recording)))
    assert len(own) == len(other)
    assert np.mean(own.labels == other.labels) > 0.9


def test_the_unit_does_not_matter(beats: Estimator, recording: Recording) -> None:
    own, other = (beats.predict(r).log_probabilities for r in (recording, recording.to_unit("uV")))
    np.testing.assert_allclose(np.exp(own), np.exp(other), atol=1e-3)


def write_eeg(path: Path, *, channels: int) -> Path:
    """Write a minute of generated EEG at 200 Hz."""
    noise = np.random.default_rng(0).normal(0, 20, (channels, 60 * 200))
    write_edf(path, [EdfChannel(name, row, 200) for name, row in zip(EEG_CHANNELS, noise, strict=False)])
    return path


def write_failing(folder: Path) -> Path:
    """Write a generated record both leads of which fall off for half a minute."""
    (working,) = datasets.get("sample").recordings(["s06"])
    broken = np.array(working.signals)
    broken[:, round(40 * working.fs) : round(70 * working.fs)] = 0.0
    folder.mkdir()
    write_wfdb(working.with_signals(broken, note="off").with_annotations(Annotations()), folder, fmt="16", gain=200.0)
    return folder / "s06"


@every_model
def test_the_command_line_knows_it_by_name(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = datasets.get("sample").root / "s06"
    if name.startswith("eeg-"):
        record = write_eeg(tmp_path / "s06.edf", channels=1 if name.startswith("eeg-seizure") else 19)
    if read_header(find(name))["estimator"] == AnomalyDetector.__name__:
        record = write_failing(tmp_path / "failing")
    if read_header(find(name))["unit"] == "FS":
        yesno.write_sample(tmp_path)
        record = tmp_path / "waves_yesno" / "0_1_0_0_1_1_0_1.wav"
    assert main(["classify", name, str(record), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "predictions.csv").read_text(encoding="utf-8").count("\n") > 1
    assert (tmp_path / "s06.beats").is_file() or task_of(pretrained(name)) is not task("beats")
    assert main(["info", name]) == 0
    assert "limits" in capsys.readouterr().out


def test_a_name_that_is_not_known_is_answered_with_those_that_are() -> None:
    with pytest.raises(ParameterError, match=r"pretrained model 'ecg-beat'; (did you mean|possible)"):
        pretrained("ecg-beat")
