"""The walk from raw nights to stages: trained, saved, scored by the protocol, put to files, drawn; and bad nights."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from biosig_lstm import datasets, recipes
from biosig_lstm.augmentation.nights import NightAugmentation
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import StepClassifier, load
from biosig_lstm.events.sleep_stages import STAGES
from biosig_lstm.filters import Channels
from biosig_lstm.metrics import stage_scores
from biosig_lstm.models import NightBiLSTM
from biosig_lstm.recipes._recipe import Recipe
from biosig_lstm.scoring import evaluate_protocol
from biosig_lstm.scoring.tasks import task

START = slice(168, 184)
"""Where the header of an EDF file has the date and the time of its beginning."""
HZ = {"W": 20.0, "1": 6.0, "2": 12.5, "3": 2.0, "4": 1.0, "R": 4.0}
FS = 100
SMALL = NightBiLSTM(channels=(8, 8), first_kernel_samples=25, embedding=16, hidden_size=8, dropout=0.1)


def small(protocol: str, *, max_epochs: int = 10) -> Recipe:
    recipe = recipes.recipe_for(protocol)
    how = replace(
        recipe.settings, max_epochs=max_epochs, items_per_epoch=12, batch_size=4, crop_steps=30, learning_rate=1e-2,
        average_decay=0.9, device="cpu",
    )  # fmt: skip
    return replace(recipe, model=SMALL, settings=how)


def write_night(root: Path, hypnogram: Path, *, seed: int) -> None:
    """Write a night for a real hypnogram, in the layout of the database: rhythms and noise that depend on the stage."""
    marks = mne.read_annotations(hypnogram)
    length_s = int(marks.onset[-1])  # what is not staged follows the night
    seconds = np.full(length_s, HZ["W"])
    deep = np.zeros(length_s)
    for onset, text in zip(marks.onset, marks.description, strict=True):
        stage = str(text).removeprefix("Sleep stage ")
        seconds[int(onset) :] = HZ.get(stage, HZ["W"])
        deep[int(onset) :] = stage in "34"
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 12, 2**18 + length_s * FS % 2**18)
    wave = np.sin(2 * np.pi * np.cumsum(np.repeat(seconds, FS)) / FS) * (20 + 40 * np.repeat(deep, FS))
    wave += np.resize(noise, len(wave))
    channels = [EdfChannel(name, wave * gain, FS) for name, gain in (("EEG Fpz-Cz", 1.0), ("EOG horizontal", -0.5))]
    folder = root / "sleep-cassette"
    folder.mkdir(exist_ok=True)
    path = folder / f"{hypnogram.name[:7]}0-PSG.edf"
    write_edf(path, [*channels, EdfChannel("Temp rectal", np.full(length_s, 30.0), 1, unit="DegC")])
    raw = bytearray(path.read_bytes())
    raw[START] = hypnogram.read_bytes()[START]
    path.write_bytes(raw)
    shutil.copy(hypnogram, folder)


@pytest.fixture(scope="module")
def real_nights(data_root: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sleep_edf")
    for seed, name in enumerate(("SC4001EC", "SC4031EC", "SC4061EC")):
        write_night(root, data_root("sleep-edf-hypnograms") / f"{name}-Hypnogram.edf", seed=seed)
    return root


@pytest.fixture(scope="module")
def saved(real_nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = datasets.get("sleep_edf", real_nights, **datasets.get_protocol("sleep-edf-20").settings)
    model = recipes.train_recipe(
        small("sleep-edf-20"),
        data.recordings(["SC4001E0", "SC4031E0"]),
        protocol="sleep-edf-20",
        progress=False,
    )
    path = tmp_path_factory.mktemp("model") / "night.biosig"
    model.save(path)
    return path


def test_every_protocol_of_the_database_has_its_recipe() -> None:
    for protocol in datasets.card("sleep_edf").protocols:
        recipe = recipes.recipe_for(protocol)
        wanted = ("EEG Fpz-Cz", "EOG horizontal") if protocol.endswith("eog") else ("EEG Fpz-Cz",)
        assert recipe.pipeline.channel_names == wanted
        shape = (len(wanted), 3000)
        network = recipe.model.build(n_features=3000 * len(wanted), n_outputs=5, window_shape=shape, per_step=True)
        assert sum(p.numel() for p in network.parameters()) < 500_000
        assert recipe.new().task == datasets.get_protocol(protocol).task == "stages"


def test_nights_are_learned_scored_and_drawn(
    saved: Path, real_nights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(saved), "--data", str(real_nights), "--json", "--out", str(tmp_path)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["protocol"], said["recordings"], said["seen_in_training"]) == ("sleep-edf-20", ["SC4061E0"], [])
    assert {"accuracy", "macro_f1", "kappa", "f1_N1", "f1_N3", "se_R"} <= set(said["metrics"])
    assert said["metrics"]["accuracy"]["value"] > 0.8
    assert 700 < said["items"] < 1000  # cropped to half an hour around sleep, of 2,830 epochs
    picture = tmp_path / "hypnograms" / "SC4061E0.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_files_of_nights_are_staged_and_what_cannot_be_is_skipped(
    saved: Path, real_nights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    night = tmp_path / "mine.edf"
    values = np.random.default_rng(0).normal(0, 20, 600 * FS)
    write_edf(night, [EdfChannel("EEG Fpz-Cz", values, FS), EdfChannel("Temp rectal", np.full(600, 30.0), 1)])
    other = tmp_path / "other.edf"
    write_edf(other, [EdfChannel("EEG Pz-Oz", values, FS)])
    assert main(["classify", str(saved), str(night), str(other), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "20 epochs" in told.out
    assert "'EEG Fpz-Cz'" in told.err
    assert "EEG Pz-Oz" in told.err
    rows = list(csv.DictReader((tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()))
    assert [float(row["time_s"]) for row in rows] == [30.0 * k for k in range(20)]


@pytest.mark.long
def test_all_twenty_real_hypnograms_are_cross_validated_by_person(
    data_root: Callable[[str], Path], tmp_path: Path
) -> None:
    asleep = dict.fromkeys(("N1", "N2", "N3", "R"), 0)
    for seed, path in enumerate(sorted(data_root("sleep-edf-hypnograms").glob("*-Hypnogram.edf"))):
        write_night(tmp_path, path, seed=seed)
        marks = mne.read_annotations(path)
        for length_s, text in zip(marks.duration, marks.description, strict=True):
            if str(text) in STAGES and STAGES[str(text)] in asleep:
                asleep[STAGES[str(text)]] += round(length_s / 30)
    data = datasets.get("sleep_edf", tmp_path, cohort="sleep-edf-20")
    assert (len(data), len(set(data.subjects.values()))) == (20, 10)
    said, windows = recipes.cross_validate(small("sleep-edf-20"), list(data.recordings()), n_splits=2)
    counts = windows.class_counts()
    assert 20 * 60 < counts.pop("W") < 20 * 240
    assert counts == asleep
    scores = stage_scores(windows.y, said.index, said.subjects)
    assert scores["kappa"].value > 0.8
    assert scores.n_subjects == 10


def test_a_night_in_chunks_is_nearly_a_night_in_one_pass(saved: Path, real_nights: Path) -> None:
    model = load(saved)
    assert isinstance(model, StepClassifier)
    (night,) = datasets.get("sleep_edf", real_nights).recordings("SC4061E0")
    whole = model.predict(night)
    parts = model.predict(night, chunk_steps=300, overlap_steps=120, margin_steps=60)
    np.testing.assert_allclose(parts.log_probabilities, whole.log_probabilities, atol=1e-3)
    assert (parts.index == whole.index).mean() > 0.999


def test_the_eog_is_read_beside_the_eeg(real_nights: Path) -> None:
    data = datasets.get("sleep_edf", real_nights)
    recipe = small("sleep-edf-20-eog", max_epochs=1)
    (night,) = data.recordings("SC4031E0")
    model = recipe.fit([night], protocol="sleep-edf-20-eog", progress=False)
    assert model.window_shape == (2, 3000)
    assert evaluate_protocol(model, root=real_nights).recordings == ("SC4001E0", "SC4061E0")
    with pytest.raises(DataError, match=r"SC4031E0: channel 'EOG horizontal'; possible: EEG Fpz-Cz"):
        model.predict(night.pick(["EEG Fpz-Cz"]))


def plain(n_epochs: int = 40, *, stages: str = "W12R", seed: int = 0, name: str = "plain") -> Recording:
    """Return a night of stages in turn, ten epochs each."""
    rng = np.random.default_rng(seed)
    each = [stages[k // 10 % len(stages)] for k in range(n_epochs)]
    phase = np.cumsum(np.repeat([HZ[stage] for stage in each], 30 * FS)) / FS
    signal = 20 * np.sin(2 * np.pi * phase) + rng.normal(0, 6, len(phase))
    starts = 30 * FS * np.arange(n_epochs)
    marks = Annotations(starts, starts + 30 * FS, [f"Sleep stage {stage}" for stage in each])
    return Recording(signal[None], FS, ["EEG Fpz-Cz"], ["uV"], id=name, annotations=marks)


@pytest.fixture(scope="module")
def without_n3() -> StepClassifier:
    model = small("sleep-edf-20", max_epochs=3).fit([plain(name="a"), plain(name="b", seed=1)], progress=False)
    assert isinstance(model, StepClassifier)
    return model


def test_a_night_without_n3_is_learned_and_scored(without_n3: StepClassifier) -> None:
    scores = without_n3.evaluate([plain(seed=2)])
    assert np.isfinite(scores["accuracy"].value)
    part = task("stages").score_one(without_n3, plain(seed=2))
    found = task("stages").scores(without_n3, [part])
    assert np.isfinite([found[name].value for name in ("accuracy", "macro_f1", "kappa")]).all()
    assert np.isnan(found["se_N3"].value)


def with_gap(first: int, stop: int) -> Recording:
    night = plain(seed=3, name="gap")
    values = night.signals.copy()
    values[0, 3000 * first : 3000 * stop] = np.nan
    return replace(night, signals=values)


@pytest.mark.parametrize("annotated", [False, True])
def test_epochs_without_a_value_get_a_stage_and_are_named(without_n3: StepClassifier, annotated: bool) -> None:
    asked = task("stages")
    with pytest.warns(BiosigWarning, match=r"gap: EEG Fpz-Cz holds no value in 2 of 40 epochs, at 360, 390 s: their"):
        said = asked.answer(without_n3, with_gap(12, 14), annotated=annotated)
    assert len(said) == 40
    assert np.isfinite(said.log_probabilities).all()
    with pytest.warns(BiosigWarning, match="2 of 40 epochs"):
        part = asked.score_one(without_n3, with_gap(12, 14))
    np.testing.assert_array_equal(part.said.log_probabilities, said.log_probabilities)


def test_many_lost_epochs_are_counted_and_some_named(without_n3: StepClassifier) -> None:
    with pytest.warns(BiosigWarning, match=r"in 15 of 40 epochs, at 300, 330, 360, 390, 420, 450, \.\.\. s"):
        task("stages").answer(without_n3, with_gap(10, 25), annotated=False)


def test_a_channel_without_any_value_is_refused_by_name(without_n3: StepClassifier) -> None:
    with pytest.raises(DataError, match="gap: channel 'EEG Fpz-Cz' holds no value at all"):
        task("stages").answer(without_n3, with_gap(0, 40), annotated=False)


def test_a_hypnogram_longer_than_its_night_is_cut_to_it(without_n3: StepClassifier, tmp_path: Path) -> None:
    values = plain(20, seed=4).signals[0].astype(np.float64)
    write_edf(tmp_path / "SC4011E0-PSG.edf", [EdfChannel("EEG Fpz-Cz", values, FS)])
    notes = [(0.0, 300.0, "Sleep stage W"), (300.0, 3000.0, "Sleep stage 1"), (3300.0, 900.0, "Sleep stage R")]
    write_edf(tmp_path / "SC4011EH-Hypnogram.edf", [], notes)
    found = evaluate_protocol(without_n3, root=tmp_path, protocol="sleep-edf-20")
    assert found.scores.n_items == 20
    assert found.annotated[0].annotations.labels.tolist() == ["Sleep stage W"] * 10 + ["Sleep stage 1"] * 10


def test_signals_of_another_rate_or_unit_are_brought_into_line(without_n3: StepClassifier) -> None:
    night = plain(seed=5)
    volts = replace(night, signals=night.signals * np.float32(1e-6), units=("V",))
    np.testing.assert_array_equal(without_n3.predict(night).index, without_n3.predict(volts).index)
    fast = replace(night, signals=np.repeat(night.signals, 2, axis=1), fs=2 * FS, annotations=night.annotations[:0])
    assert len(without_n3.predict(fast)) == 40
    named = replace(night, channels=("eeg fpz-cz ",))
    np.testing.assert_array_equal(
        without_n3.predict(night).log_probabilities, without_n3.predict(named).log_probabilities
    )
    assert isinstance(without_n3.pipeline.filters[0], Channels)


def test_nights_of_too_low_a_rate_are_refused_before_anything_is_made_up() -> None:
    slow = Recording(np.random.default_rng(0).normal(0, 20, (1, 3000)), 50, ["FPZ-CZ"], ["uV"], id="slow")
    with pytest.raises(DataError, match=r"slow: recorded at 50 Hz, which does not fit Bandpass"):
        recipes.recipe_for("sleep-edf-20").pipeline(slow)


def test_a_run_of_epochs_is_changed_channel_by_channel() -> None:
    x = np.random.default_rng(0).normal(0, 1, (6, 200)).astype(np.float32)
    y = np.arange(6)
    still = NightAugmentation(2, shift=0, scale=0, noise=0, flip=False)
    same, labels = still(x, y, np.random.default_rng(0))
    np.testing.assert_array_equal(same, x)
    assert labels is y
    moved, _ = replace(still, shift=0.1)(x, y, np.random.default_rng(2))
    lanes, then = (rows.reshape(6, 2, 100).transpose(1, 0, 2).reshape(2, -1) for rows in (x, moved))
    shift = next(k for k in range(-10, 11) if np.array_equal(np.roll(lanes, k, axis=1), then))
    assert shift != 0
    scaled, _ = replace(still, scale=0.5, flip=True)(x, y, np.random.default_rng(0))
    ratio = (scaled / x).reshape(6, 2, 100)
    assert np.ptp(ratio, axis=(0, 2)).max() < 1e-4
    assert not np.isclose(ratio[0, 0, 0], ratio[0, 1, 0])
    noisy, _ = replace(still, noise=0.5)(x, y, np.random.default_rng(0))
    assert 0.45 < (noisy - x).std() < 0.55


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"shift": 0.6}, {"scale": -1.0}, {"noise": -0.1}])
def test_augmentation_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=r"channels must be at least 1, shift lie in \[0, 0\.5\]"):
        NightAugmentation(**wrong)
    with pytest.raises(ParameterError, match="epochs of 7 samples are not those of 2 channels"):
        NightAugmentation(2)(np.zeros((1, 7), np.float32), np.zeros(1, np.int64), np.random.default_rng(0))
