"""Recipes of single words, from sound files to a label, and the model of spoken digits that ships."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from biosig_lstm import datasets
from biosig_lstm.augmentation.digit_words import DigitVoices
from biosig_lstm.cli import main
from biosig_lstm.containers import Recording
from biosig_lstm.datasets import fsdd, speech_commands
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Classifier, Estimator
from biosig_lstm.filters.resample_sound import resample_sound
from biosig_lstm.formats.audio import read_audio, write_audio
from biosig_lstm.recipes import recipe_for, train_protocol
from biosig_lstm.recipes._words import WordRecipe
from biosig_lstm.shipped import names, pretrained

SHIPPED = "spoken-digits"
needs_model = pytest.mark.skipif(SHIPPED not in names(), reason=f"{SHIPPED} does not ship yet")


@pytest.fixture(scope="module")
def digits_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("fsdd")
    fsdd.write_sample(root)
    return root


def small(*, voices: int = 2, seed: int = 0) -> WordRecipe:
    recipe = recipe_for("fsdd")
    assert isinstance(recipe, WordRecipe)
    settings = replace(recipe.settings, max_epochs=1, seed=seed, device="cpu")
    return replace(recipe, settings=settings, members=1, voices=DigitVoices(voices=voices))


def trained(root: Path, recipe: WordRecipe) -> Estimator:
    return recipe.fit(datasets.get("fsdd", root).recordings(), progress=False)


def test_training_is_repeatable_and_remembers_people_alone(digits_root: Path) -> None:
    one, again, other = (trained(digits_root, small(seed=seed)) for seed in (0, 0, 1))
    for a, b in zip(one.networks.parameters(), again.networks.parameters(), strict=True):
        assert torch.equal(a, b)
    assert any(
        not torch.equal(a, b) for a, b in zip(one.networks.parameters(), other.networks.parameters(), strict=True)
    )
    assert one.training is not None
    assert one.training.subjects == ("fsdd-ada", "fsdd-ben")
    assert len(one.training.recordings) == 40
    assert not any("voice" in name for name in one.training.recordings)


def test_voices_are_others_each_time_that_sounds_are_changed(digits_root: Path) -> None:
    asked: list[int] = []

    def voices(seed: int) -> Iterator[Recording]:
        asked.append(seed)
        return DigitVoices(voices=1)(seed)

    recipe = small()
    trained(digits_root, replace(recipe, voices=voices, settings=replace(recipe.settings, max_epochs=3, renew_every=1)))
    assert len(asked) == len(set(asked)) == 4


def test_a_recipe_without_voices_or_changes_trains_too(digits_root: Path) -> None:
    model = trained(digits_root, replace(small(), voices=None, sounds=None, augment=None))
    assert model.classes == fsdd.DIGITS


def test_validation_recordings_are_refused(digits_root: Path) -> None:
    recordings = list(datasets.get("fsdd", digits_root).recordings())
    with pytest.raises(ParameterError, match="spoken-digits trains for a fixed number of epochs"):
        small().fit(recordings, val=recordings)


@pytest.mark.parametrize(
    "protocol", ["speech-commands-v2-12", "speech-commands-v1-12", "speech-commands-v2-35", "speech-commands-v1-30"]
)
def test_a_recipe_has_the_classes_of_its_protocol(protocol: str) -> None:
    assert recipe_for(protocol).pipeline.windows.classes == datasets.get_protocol(protocol).classes  # type: ignore[attr-defined]


def test_speech_commands_train_and_are_scored_by_the_official_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speech_commands.write_sample(tmp_path)
    model = train_protocol("speech-commands-v2-35", root=tmp_path, max_epochs=1, device="cpu")
    assert model.training is not None
    assert set(model.training.subjects) == {f"speech_commands-{who}" for who in ("00a1b2c3", "22a7b8c9", "33d0e1f2")}
    model.save(tmp_path / "words.biosig")
    capsys.readouterr()
    main(["evaluate", str(tmp_path / "words.biosig"), "--data", str(tmp_path), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert len(said["recordings"]) == 5
    assert not said["seen_in_training"]
    assert 0 <= said["metrics"]["accuracy"]["value"] <= 1


@pytest.fixture(scope="module")
def model() -> Classifier:
    loaded = pretrained(SHIPPED)
    assert isinstance(loaded, Classifier)
    return loaded


def as_other_file(word: Recording, fs: int, channels: int) -> Recording:
    sound = np.repeat(resample_sound(word.signals, word.fs, rate_hz=fs), channels, axis=0)
    names_ = [f"channel {k}" for k in range(channels)]
    return Recording(np.clip(sound, -1, 1), fs, names_, ["FS"] * channels, id=word.id)


@needs_model
@pytest.mark.parametrize(
    ("fs", "channels", "subtype"),
    [(8000, 2, "PCM_16"), (16000, 1, "FLOAT"), (44100, 2, "PCM_24"), (48000, 1, "PCM_16")],
)
def test_a_file_of_any_rate_and_kind_gets_the_same_answer(
    model: Classifier, data_root: Callable[[str], Path], tmp_path: Path, fs: int, channels: int, subtype: str
) -> None:
    data = datasets.get("fsdd", data_root("fsdd"))
    words = list(data.recordings(data.record_names[::173]))
    expected = model.predict(words)
    files = [write_audio(as_other_file(w, fs, channels), tmp_path / f"{w.id}.wav", subtype=subtype) for w in words]
    found = model.predict(read_audio(file) for file in files)
    assert np.mean(found.labels == expected.labels) >= 0.9


@needs_model
def test_the_gain_of_a_recording_says_nothing(model: Classifier, data_root: Callable[[str], Path]) -> None:
    data = datasets.get("fsdd", data_root("fsdd"))
    word = next(data.recordings(data.record_names[:1]))
    softer = replace(word, signals=0.25 * word.signals, id="softer")
    one, other = model.log_probabilities([word]), model.log_probabilities([softer])
    np.testing.assert_allclose(other[0], one[0], atol=0.05)


@needs_model
@pytest.mark.filterwarnings("ignore::biosig_lstm.errors.BiosigWarning")
@pytest.mark.parametrize("samples", [80, 8000])
def test_silence_and_ten_milliseconds_get_an_answer_and_no_nan(model: Classifier, samples: int) -> None:
    for values in (np.zeros(samples), np.random.default_rng(0).uniform(-1, 1, samples)):
        said = model.predict(Recording(values[None], 8000, ["sound"], ["FS"], id="odd"))
        assert np.isfinite(said.log_probabilities).all()
        assert len(said) == 1


@needs_model
def test_the_command_names_the_words_of_a_folder(digits_root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for name in ("1_ada_0.wav", "2_ben_7.wav"):
        (folder / name).write_bytes((digits_root / "recordings" / name).read_bytes())
    main(["classify", SHIPPED, str(folder), "--out", str(tmp_path / "out")])
    tables = list((tmp_path / "out").rglob("*.csv"))
    text = "".join(path.read_text() for path in tables)
    assert tables
    assert "1_ada_0" in text
    assert "2_ben_7" in text


@needs_model
def test_it_is_scored_on_speakers_that_it_has_not_heard(digits_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["evaluate", SHIPPED, "--data", str(digits_root), "--json"])
    said = json.loads(capsys.readouterr().out)
    assert said["protocol"] == "fsdd"
    assert len(said["recordings"]) == 40
    assert not said["seen_in_training"]
    assert "accuracy" in said["metrics"]


@needs_model
def test_it_knows_the_speakers_that_it_was_trained_on(model: Classifier, data_root: Callable[[str], Path]) -> None:
    data = datasets.get("fsdd", data_root("fsdd"))
    assert model.training is not None
    heard = [name for name in data.record_names if data.subject_of(name) in model.training.subjects][::20]
    if not heard:
        pytest.skip("none of the training speakers is here")
    said = model.predict(data.recordings(heard))
    assert np.mean(said.labels == np.array([name[0] for name in heard])) > 0.95
