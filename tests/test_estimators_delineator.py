"""A model of waves from end to end: trained on a written copy of LUDB, scored, saved, used on one lead and on hours."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import wfdb

from biosig_lstm import datasets
from biosig_lstm.containers import Recording, Waves
from biosig_lstm.datasets.ludb import LEADS, write_sample
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import Delineator, delineator, load
from biosig_lstm.filters import Resample
from biosig_lstm.metrics import boundary_errors
from biosig_lstm.models.lstm_unet import LstmUNet
from biosig_lstm.recipes import recipe_for
from biosig_lstm.scoring import classify_files, evaluate_protocol
from biosig_lstm.scoring.tasks.waves import _extensions


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ludb")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def model(root: Path) -> Delineator:
    recipe = recipe_for("ludb")
    settings = replace(recipe.settings, max_epochs=3, items_per_epoch=640, batch_size=16, learning_rate=1e-2)
    small = replace(
        recipe,
        model=LstmUNet((8, 12, 16, 16), kernels=(9, 7, 5, 5), hidden_size=16, num_layers=1, dropout=0.0),
        settings=replace(settings, device="cpu", average_decay=0.9),
        augment=replace(recipe.augment, steps=600, fibrillation=0.0),  # type: ignore[type-var]
    )
    trained = small.fit(datasets.get("ludb", root).recordings(["1", "2", "4"]), protocol="ludb", progress=False)
    assert isinstance(trained, Delineator)
    return trained


@pytest.fixture(scope="module")
def recording(root: Path) -> Recording:
    (found,) = datasets.get("ludb", root).recordings(["2"])
    return found


def truth(recording: Recording, lead: str) -> Waves:
    return Waves.from_annotations(recording.annotations, note=lead)


def worst_ms(found: Waves, expert: Waves, fs: float) -> float:
    """Return how far the boundaries of QRS and T are off, at most; infinite when one is missed."""
    rows = {k: v for k, v in boundary_errors(expert, found, fs=fs).items() if not k.startswith("p")}
    missed = any(lost or false for _, lost, false in rows.values())
    return float("inf") if missed else max(float(np.abs(errors).max()) for errors, *_ in rows.values())


def test_an_evaluation_scores_subjects_that_were_not_seen(model: Delineator, root: Path) -> None:
    said = evaluate_protocol(model, root=root, name="small")
    assert (said.recordings, said.seen_in_training) == (("3",), ())
    assert said.scores["se_qrs_on"].value > 0.95
    assert said.scores["pp_qrs_off"].value > 0.95
    assert "sd_ms_t_off" in said.to_dict()["metrics"]
    assert "p_on" in repr(said)


def test_waves_of_every_lead_are_found(model: Delineator, recording: Recording) -> None:
    found = model.waves(recording)
    assert tuple(found) == LEADS
    assert max(worst_ms(found[lead], truth(recording, lead), 500) for lead in LEADS) < 60


def test_one_lead_is_enough(model: Delineator, recording: Recording) -> None:
    (waves,) = model.waves(recording.pick(["v5"])).values()
    assert worst_ms(waves, truth(recording, "v5"), 500) < 60


@pytest.mark.parametrize("rate_hz", [200.0, 360.0, 1000.0])
def test_other_rates_give_the_same_waves_in_their_own_samples(
    model: Delineator, recording: Recording, rate_hz: float
) -> None:
    other = Resample(rate_hz)(recording.pick(["ii"]))
    waves = model.waves(other)["ii"].rescale(500 / rate_hz)
    reference = model.waves(recording.pick(["ii"]))["ii"]
    assert waves.labels.tolist() == reference.labels.tolist()
    assert np.nanmax(np.abs(waves.onsets - reference.onsets)) < 12


def test_neither_gain_nor_unit_matters(model: Delineator, recording: Recording) -> None:
    volts = recording.to_unit("uV")
    np.testing.assert_allclose(model.waves(volts)["ii"].onsets, model.waves(recording)["ii"].onsets, atol=0.05)


def test_a_low_rate_is_said(model: Delineator, recording: Recording) -> None:
    with pytest.warns(BiosigWarning, match="2: 125 Hz is low for the boundaries of waves"):
        model.waves(Resample(125.0)(recording.pick(["ii"])))


def test_a_channel_that_is_no_lead_is_left_out(model: Delineator, recording: Recording) -> None:
    flat = np.concatenate([recording.signals[:2], np.zeros((1, recording.n_samples), dtype=np.float32)])
    three = Recording(flat, 500.0, ["i", "ii", "v1"], ["mV"] * 3, id="r")
    assert tuple(model.waves(three)) == ("i", "ii")
    with pytest.raises(DataError, match="no usable ECG lead: v1 is flat"):
        model.waves(three.pick(["v1"]))


def test_a_long_recording_read_in_stretches_gives_what_reading_at_once_gives(
    model: Delineator, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = np.tile(recording.signals[[1, 7]], (1, 5))
    hour = Recording(rows, 500.0, ["ii", "v2"], ["mV"] * 2, id="long")
    parts = model.waves(hour)
    monkeypatch.setattr(delineator, "_CHUNK_S", 1000.0)
    whole = model.waves(hour)
    for lead in ("ii", "v2"):
        assert parts[lead].labels.tolist() == whole[lead].labels.tolist()
        np.testing.assert_allclose(parts[lead].onsets, whole[lead].onsets, atol=0.5)
        np.testing.assert_allclose(parts[lead].offsets, whole[lead].offsets, atol=0.5)


@pytest.mark.parametrize("n_samples", [3, 40, 300])
def test_a_short_recording_is_read(model: Delineator, recording: Recording, n_samples: int) -> None:
    short = recording.pick(["i", "ii"]).crop(stop_s=n_samples / 500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BiosigWarning)
        assert tuple(model.waves(short)) == ("i", "ii")


def test_a_saved_model_says_the_same(model: Delineator, recording: Recording, tmp_path: Path) -> None:
    model.save(tmp_path / "waves.biosig")
    again = load(tmp_path / "waves.biosig")
    assert isinstance(again, Delineator)
    assert again.task == "waves"
    assert again.waves(recording) == model.waves(recording)


def test_annotations_carry_the_lead_as_their_note(model: Delineator, recording: Recording) -> None:
    annotated = model.annotate(recording)
    assert set(annotated.annotations.labels.tolist()) <= {"(", "p", "N", "t", ")"}
    assert set(annotated.annotations.notes.tolist()) == set(LEADS)
    assert len(truth(annotated, "v3").of("QRS")) == len(model.waves(recording)["v3"].of("QRS"))


def test_files_that_are_classified(model: Delineator, root: Path, tmp_path: Path) -> None:
    report = classify_files(model, [root / "data" / "4"], out=tmp_path)
    assert report.failed == ()
    assert report.counted == "waves"
    with (tmp_path / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["recording", "lead", "wave", "onset_s", "peak_s", "offset_s"]
    assert sum(report.counts["4"].values()) == len(rows)
    (recording,) = datasets.get("ludb", root).recordings(["4"])
    for lead, waves in model.waves(recording).items():
        written = wfdb.rdann(str(tmp_path / "4"), lead)
        assert written.fs == 500
        assert list(written.symbol).count("N") == len(waves.of("QRS"))
        peaks = np.array(written.sample)[np.array(written.symbol) == "N"]
        np.testing.assert_array_equal(peaks, np.rint(waves.of("QRS").peaks))


def test_leads_of_any_name_get_files_of_their_own() -> None:
    names = ["MLII", "ECG lead V1", "ecg-lead-v1", "-", "dat", "aVR"]
    assert _extensions(names) == ["mlii", "ecgleadv1", "lead2", "lead3", "lead4", "avr"]


def test_an_untrained_model_says_so(recording: Recording) -> None:
    with pytest.raises(ParameterError, match="Delineator is not trained yet"):
        recipe_for("ludb").new().waves(recording)  # type: ignore[attr-defined]
