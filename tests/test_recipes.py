"""Recipes: found by their file, trained by protocol, cross-validated over subjects, the same from the same seed."""

from __future__ import annotations

import importlib
import json
import pkgutil
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from biosig_lstm import datasets, recipes
from biosig_lstm.augmentation import BeatAugmentation
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.decoding import Alphabet
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.estimators import Predictions, StepClassifier
from biosig_lstm.models import answer_lengths, spec_from_dict
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes import (
    BeatRecipe,
    Recipe,
    _train,
    cross_validate,
    recipe_for,
    recipe_names,
    train_protocol,
    train_recipe,
)
from biosig_lstm.recipes._anomalies import AnomalyRecipe
from biosig_lstm.recipes._transcripts import TranscriptRecipe

PROTOCOL = "sample-aami"
FILES = sorted(m.name for m in pkgutil.iter_modules(recipes.__path__) if not m.name.startswith("_"))
MODULES = [importlib.import_module(f"{recipes.__name__}.{name}") for name in FILES]
RECIPES: list[Recipe] = [r for module in MODULES for r in getattr(module, "RECIPES", None) or (module.RECIPE,)]
each_recipe = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Train on one thread: these networks are small, and other threads wait for cores that others use."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def root() -> Path:
    return datasets.get("sample").root


@pytest.fixture(scope="module")
def sample() -> list[Recording]:
    return list(datasets.get("sample").recordings())


@pytest.fixture(scope="module")
def trained(root: Path) -> StepClassifier:
    return train_protocol(PROTOCOL, root=root, max_epochs=2, device="cpu")


def quick(*, max_epochs: int = 1, seed: int = 0) -> Recipe:
    recipe = recipe_for(PROTOCOL)
    return replace(recipe, settings=replace(recipe.settings, max_epochs=max_epochs, device="cpu", seed=seed))


def weights(model: StepClassifier) -> list[np.ndarray]:
    return [value.detach().numpy().copy() for value in model.networks.state_dict().values()]


def same_weights(one: StepClassifier, other: StepClassifier) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


def copy_records(root: Path, target: Path, names: Sequence[str]) -> Path:
    for name in names:
        for suffix in (".hea", ".dat", ".atr"):
            shutil.copy(root / f"{name}{suffix}", target)
    return target


# ---- Every recipe


def test_every_file_has_a_recipe_for_protocols_that_exist() -> None:
    assert FILES
    for recipe in RECIPES:
        assert recipe.protocols
        for protocol in recipe.protocols:
            assert protocol in datasets.protocol_names()
            assert recipe_for(protocol) == recipe


def test_no_protocol_has_two_recipes_and_no_name_is_given_twice() -> None:
    served = [protocol for recipe in RECIPES for protocol in recipe.protocols]
    assert sorted(served) == sorted(set(served)) == recipe_names()
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)


@each_recipe
def test_the_preparation_and_the_model_read_back_from_json(recipe: Recipe) -> None:
    assert Pipeline.from_dict(json.loads(json.dumps(recipe.pipeline.to_dict()))) == recipe.pipeline
    assert spec_from_dict(json.loads(json.dumps(recipe.model.to_dict()))) == recipe.model
    json.dumps(recipe.settings.to_dict())


def prepared(recipe: Recipe, recording: Recording) -> Windows:
    windows = recipe.pipeline(recording)
    return windows.into_runs(recipe.run) if isinstance(recipe, BeatRecipe) else windows


@each_recipe
def test_the_network_takes_what_the_preparation_makes(recipe: Recipe, first_of: Callable[[str], Recording]) -> None:
    windows = prepared(recipe, first_of(recipe.protocols[0]))
    rewritten = isinstance(recipe, AnomalyRecipe)
    per_step = recipe.estimator.per_step or rewritten
    n_outputs = 1 + len(recipe.alphabet) if isinstance(recipe, TranscriptRecipe) else len(windows.classes)
    n_outputs = len(windows.columns) if rewritten else n_outputs
    network = recipe.model.build(
        n_features=len(windows.columns),
        n_outputs=n_outputs,
        window_shape=windows.window_shape,
        per_step=per_step,
    ).eval()
    x = torch.from_numpy(windows.item(0).copy())[None]
    with torch.inference_mode():
        logits = network(x, torch.tensor([x.shape[1]]))
    n_answers = int(answer_lengths(network, torch.tensor([x.shape[1]]))[0])
    assert logits.shape == ((1, n_answers, n_outputs) if per_step else (1, n_outputs))
    assert torch.isfinite(logits).all()


@each_recipe
def test_the_parts_of_a_recipe_fit_together(recipe: Recipe, first_of: Callable[[str], Recording]) -> None:
    recording = first_of(recipe.protocols[0])
    windows = prepared(recipe, recording)
    weighted = recipe.settings.class_weights
    assert not isinstance(weighted, tuple) or len(weighted) == len(windows.classes)
    assert windows.multi_label == recipe.estimator.multi_label
    if isinstance(recipe, TranscriptRecipe):
        assert windows.texts is not None
        assert len(Alphabet(recipe.alphabet, recipe.unit).encode(windows.texts[0]))
    else:
        assert windows.step_labels == recipe.estimator.per_step
    for protocol in recipe.protocols:
        plan = datasets.get_protocol(protocol)
        assert plan.task == recipe.task
        assert set(plan.classes) <= set(recipe.alphabet if isinstance(recipe, TranscriptRecipe) else windows.classes)
    if isinstance(recipe, BeatRecipe):
        layout = recipe.runs
        assert layout is None or windows.window_shape == (layout.leads, layout.views * layout.samples + layout.scalars)
        assert recipe.training_rate_hz is None or recipe.training_rate_hz <= recording.fs


def test_an_unknown_protocol_is_refused_with_a_guess(root: Path) -> None:
    message = r"protocol to train 'mitdb-ami'; did you mean 'mitdb-aami'\? possible: .*mitdb-aami, .*sample-aami"
    with pytest.raises(ParameterError, match=message):
        recipe_for("mitdb-ami")
    with pytest.raises(ParameterError, match=r"protocol to train 'no such'; possible: .*mitdb-aami, "):
        train_protocol("no such", root=root)


# ---- Training by protocol


def test_training_sees_the_training_records_and_says_so(trained: StepClassifier) -> None:
    plan = datasets.get_protocol(PROTOCOL)
    assert trained.training is not None
    assert trained.training.recordings == tuple(sorted(plan.train))
    assert trained.training.protocol == PROTOCOL
    assert trained.training.settings["max_epochs"] == 2
    assert [row["epoch"] for row in trained.history[0].epochs] == [0, 1]
    assert trained.card["protocol"] == PROTOCOL
    assert "5 of the 5 training records" in trained.card["data"]
    assert trained.card["licence of the data"] == datasets.card("sample").licence
    assert trained.pipeline == recipe_for(PROTOCOL).pipeline


def test_test_records_can_be_scored_and_training_records_cannot(trained: StepClassifier) -> None:
    data, plan = datasets.get("sample"), datasets.get_protocol(PROTOCOL)
    scores = trained.evaluate(data.recordings(plan.test))
    assert scores is not None
    with pytest.raises(LeakageError, match=f"trained on 1 of these subjects \\({plan.train[0]}\\)"):
        trained.evaluate(data.recordings([plan.train[0]]))


def test_the_recipe_learns(root: Path) -> None:
    model = train_protocol(PROTOCOL, root=root, max_epochs=10, device="cpu")
    assert model.history[0].epochs[-1]["train_loss"] < 0.5 * model.history[0].epochs[0]["train_loss"]
    windows = model.pipeline(datasets.get("sample").recordings(datasets.get_protocol(PROTOCOL).test))
    said = model.predict(windows)
    ventricular = windows.y == windows.classes.index("V")
    assert (said.labels[ventricular] == "V").mean() > 0.8
    assert (said.labels[windows.y == 0] == "N").mean() > 0.9


def test_the_same_seed_gives_the_same_weights_to_the_bit(trained: StepClassifier, root: Path) -> None:
    again = train_protocol(PROTOCOL, root=root, max_epochs=2, device="cpu")
    other = train_protocol(PROTOCOL, root=root, max_epochs=2, device="cpu", seed=1)
    assert same_weights(trained, again)
    assert not same_weights(trained, other)


def test_each_record_is_announced_before_it_is_read(root: Path, tmp_path: Path) -> None:
    announced: list[str] = []
    few = copy_records(root, tmp_path, ["s01", "s03"])
    (few / "s03.dat").write_bytes(b"")
    with pytest.raises(DataError, match=r"s03"):
        train_protocol(PROTOCOL, root=few, max_epochs=1, announce=announced.append)
    assert announced == [name for name in datasets.get_protocol(PROTOCOL).train if name in ("s01", "s03")]


def test_the_card_says_how_many_training_records_were_there(root: Path, tmp_path: Path) -> None:
    plan = datasets.get_protocol(PROTOCOL)
    few = copy_records(root, tmp_path, [*plan.train[:2], plan.test[0]])
    model = train_protocol(PROTOCOL, root=few, max_epochs=1, device="cpu")
    assert "2 of the 5 training records" in model.card["data"]
    assert model.training is not None
    assert model.training.recordings == tuple(sorted(plan.train[:2]))


@pytest.mark.parametrize("protocol", recipe_names())
def test_no_training_record_at_the_root_is_an_error(protocol: str, tmp_path: Path) -> None:
    n_train = len(datasets.get_protocol(protocol).train)
    wanted = f"{n_train} training records" if n_train else "records"
    with pytest.raises(DataError, match=rf"{protocol}: none of its {wanted} is in |: no \S+\.csv in "):
        train_protocol(protocol, root=tmp_path)


def test_test_records_alone_are_not_trained_on(root: Path, tmp_path: Path) -> None:
    copy_records(root, tmp_path, datasets.get_protocol(PROTOCOL).test)
    with pytest.raises(DataError, match="none of its 5 training records is in "):
        train_protocol(PROTOCOL, root=tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is not in .*nowhere"):
        train_protocol(PROTOCOL, root=tmp_path / "nowhere")


@pytest.mark.parametrize("max_epochs", [0, -1])
def test_at_least_one_epoch_is_wanted(max_epochs: int, root: Path) -> None:
    with pytest.raises(ParameterError, match=f"max_epochs must be positive, got {max_epochs}"):
        train_protocol(PROTOCOL, root=root, max_epochs=max_epochs)


def test_a_finished_training_is_taken_from_its_folder(sample: list[Recording], tmp_path: Path) -> None:
    first = train_recipe(quick(max_epochs=2), sample[:3], directory=tmp_path, progress=False)
    again = train_recipe(quick(max_epochs=2), sample[:3], directory=tmp_path, progress=False)
    assert (tmp_path / "last.ckpt").is_file()
    assert len((tmp_path / "metrics.csv").read_text().splitlines()) == 3
    assert same_weights(first, again)


# ---- Training on recordings


def test_training_needs_annotated_beats(sample: list[Recording]) -> None:
    bare = sample[1].with_annotations(Annotations())
    with pytest.raises(DataError, match="s02: no annotated beats; labels found: none"):
        train_recipe(quick(), [sample[0], bare], progress=False)


def test_members_are_networks_of_other_seeds(sample: list[Recording]) -> None:
    both = train_recipe(replace(quick(), members=2), sample[:2], progress=False)
    one = train_recipe(quick(), sample[:2], progress=False)
    states = [network.state_dict() for network in both.networks]
    assert len(states) == 2
    assert all(torch.equal(states[0][name], value) for name, value in one.networks[0].state_dict().items())
    assert any(not torch.equal(states[0][name], states[1][name]) for name in states[0])


@dataclass
class Watched:
    """An augmentation that changes nothing and writes down what it gets."""

    rates: list[float] = field(default_factory=list)
    draws: list[float] = field(default_factory=list)
    banked: list[str] = field(default_factory=list)

    def bank(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        self.banked += [recording.id for recording in recordings]
        return [np.zeros((1, 2, 100))]

    def __call__(self, recording: Recording, rng: np.random.Generator, *, bank: list[np.ndarray]) -> Recording:
        assert len(bank) == 1
        assert set(recording.annotations.labels.tolist()) <= {"N", "S", "V", "F", "Q"}
        self.rates.append(recording.fs)
        self.draws.append(float(rng.random()))
        return recording


def test_recordings_are_changed_anew_as_often_as_the_settings_say(sample: list[Recording]) -> None:
    watched = Watched()
    recipe = quick(max_epochs=4)
    recipe = replace(recipe, recordings=watched, settings=replace(recipe.settings, renew_every=2))
    train_recipe(recipe, sample[:3], progress=False)
    assert watched.banked == ["s01", "s02", "s03"]
    assert watched.rates == [100.0] * 2 * 3
    assert len(set(watched.draws)) == 6
    native = Watched()
    train_recipe(replace(recipe, recordings=native, training_rate_hz=None), sample[:3], progress=False)
    assert native.rates == [360.0] * 2 * 3


def test_augmented_training_is_decided_by_the_seed_too(sample: list[Recording]) -> None:
    def train(seed: int) -> StepClassifier:
        recipe = quick(max_epochs=2, seed=seed)
        return train_recipe(replace(recipe, recordings=BeatAugmentation()), sample[:3], progress=False)

    first, again, other = train(0), train(0), train(1)
    assert same_weights(first, again)
    assert not same_weights(first, other)
    assert not same_weights(first, train_recipe(quick(max_epochs=2), sample[:3], progress=False))


# ---- Cross-validation


@dataclass
class Folds:
    """What `cross_validate` trained and predicted, fold by fold."""

    trained_on: list[set[str]] = field(default_factory=list)
    models: list[StepClassifier] = field(default_factory=list)


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> Folds:
    watched = Folds()
    original = _train.train_recipe

    def train(recipe: Recipe, recordings: Sequence[Recording], *, progress: bool) -> StepClassifier:
        watched.trained_on.append({recording.subject for recording in recordings})
        assert len({recording.id for recording in recordings}) == len(recordings)
        model = original(recipe, recordings, progress=progress)
        watched.models.append(model)
        return model

    monkeypatch.setattr(_train, "train_recipe", train)
    return watched


def check_rows(said: Predictions, windows: Windows) -> None:
    item = np.repeat(np.arange(len(windows)), windows.lengths)
    np.testing.assert_array_equal(said.recordings, windows.recordings[item])
    np.testing.assert_array_equal(said.samples, windows.positions)
    assert np.isfinite(said.log_probabilities).all()
    np.testing.assert_allclose(said.probabilities.sum(axis=1), 1.0, rtol=1e-5)


def test_every_recording_is_predicted_by_a_model_that_has_not_seen_its_subject(
    sample: list[Recording], folds: Folds
) -> None:
    pairs = [replace(recording, subject=f"person{k // 2}") for k, recording in enumerate(sample)]
    said, windows = cross_validate(quick(), pairs, n_splits=2)
    check_rows(said, windows)
    assert sorted(windows.recordings.tolist()) == sorted(recording.id for recording in sample)
    assert len(folds.models) == 2
    everyone = {recording.subject for recording in pairs}
    assert folds.trained_on[0] | folds.trained_on[1] == everyone
    assert not folds.trained_on[0] & folds.trained_on[1]
    for recording in pairs:
        (unseen,) = [m for m, seen in zip(folds.models, folds.trained_on, strict=True) if recording.subject not in seen]
        expected = unseen.predict(quick().pipeline(recording))
        np.testing.assert_allclose(
            said.of(recording.id).log_probabilities, expected.log_probabilities, rtol=1e-4, atol=1e-5
        )


def test_the_truth_stands_beside_the_predictions(sample: list[Recording]) -> None:
    _, windows = cross_validate(quick(), sample[:4], n_splits=2)
    for k, name in enumerate(windows.recordings.tolist()):
        (recording,) = [r for r in sample if r.id == name]
        assert windows.select([k]) == quick().pipeline(recording)


def test_cross_validation_is_decided_by_its_seed(sample: list[Recording]) -> None:
    first, again, other = (cross_validate(quick(), sample[:4], n_splits=2, seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.log_probabilities, again.log_probabilities)
    by_name = [[p.of(r.id).log_probabilities for r in sample[:4]] for p in (first, other)]
    assert any((a != b).any() for a, b in zip(*by_name, strict=True))


def test_a_preparation_that_cuts_runs_trains_on_each_recording_once(sample: list[Recording], folds: Folds) -> None:
    recipe = quick()
    cut = replace(recipe.pipeline.windows, run=50)
    pipeline = Pipeline(
        filters=recipe.pipeline.filters, events=recipe.pipeline.events, windows=cut, features=recipe.pipeline.features
    )
    said, windows = cross_validate(replace(recipe, pipeline=pipeline), sample[:4], n_splits=2)
    check_rows(said, windows)
    assert windows.lengths.max() == 50
    assert sorted(len(seen) for seen in folds.trained_on) == [2, 2]


def test_recordings_of_one_name_are_refused(sample: list[Recording]) -> None:
    twin = replace(sample[1], id="s01", subject="another")
    with pytest.raises(DataError, match="2 recordings have 1 ids between them"):
        cross_validate(quick(), [sample[0], twin], n_splits=2)


def test_folds_need_as_many_persons(sample: list[Recording]) -> None:
    with pytest.raises(ParameterError, match="3 parts need at least 3 persons, got 2"):
        cross_validate(quick(), sample[:2], n_splits=3)
