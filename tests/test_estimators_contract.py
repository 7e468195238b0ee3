"""What every estimator must do: save and load, refuse what does not fit, resume, keep test subjects unseen."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import multilabel_confusion_matrix

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.estimators import Classifier, Estimator, MultiLabelClassifier, StepClassifier, load, read_header
from biosig_lstm.features import rr
from biosig_lstm.features.standardize import Standardize
from biosig_lstm.filters import Highpass, Resample, ToUnit
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings
from biosig_lstm.windows import AroundEvents, FixedLength

FS, SECONDS = 50.0, 24
QUICK: dict[str, Any] = {"max_epochs": 2, "batch_size": 4, "device": "cpu", "progress": False, "learning_rate": 0.02}
Kind = type[Estimator]
KINDS = [Classifier, StepClassifier, MultiLabelClassifier]


def recording(subject: str, *, seed: int, fs: float = FS, unit: str = "mV", channels: tuple[str, ...] = ("II", "V1")):
    """Seconds of a pulse that is up ("V") or down ("N"), each second annotated as a stretch."""
    rng = np.random.default_rng(seed)
    up = rng.random(SECONDS) < 0.5
    pulse = np.exp(-0.5 * ((np.arange(int(fs)) / fs - 0.5) / 0.05) ** 2)
    row = np.concatenate([pulse if is_up else -pulse for is_up in up])
    signals = row + 0.05 * rng.standard_normal((len(channels), len(row)))
    starts = (np.arange(SECONDS) * fs).astype(int)
    marks = Annotations(starts, starts + int(fs), np.where(up, "V", "N"))
    scale = {"mV": 1.0, "uV": 1000.0}[unit]
    return Recording(
        signals * scale, fs, channels, [unit] * len(channels), id=f"r{seed}", subject=subject, annotations=marks
    )


def recordings(subjects: str, **how: Any) -> list[Recording]:
    return [recording(who, seed=ord(who), **how) for who in subjects]


def prepare(kind: Kind, *filters: Any) -> Pipeline:
    if kind is not StepClassifier:
        several = kind is MultiLabelClassifier
        return Pipeline(filters=filters, windows=FixedLength(1.0, classes=("N", "V"), multi_label=several))
    windows = AroundEvents(0, 1.0, rate_hz=25, run=8, classes=("N", "V"))
    return Pipeline(filters=filters, windows=windows, features=[rr.RRIntervals()])


def untrained(kind: Kind, *filters: Any, **how: Any) -> Estimator:
    return kind(prepare(kind, *filters), BiLSTM(6, pooling="mean"), **how)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.__name__)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def trained(kind: Kind) -> Estimator:
    model = untrained(kind, standardize=Standardize(scalars_only=True))
    return model.fit(model.pipeline(recordings("abcd")), **QUICK)


@pytest.fixture(scope="module")
def test_windows(trained: Estimator) -> Windows:
    return trained.pipeline(recordings("xyz"))


def same_answers(a: Estimator, b: Estimator, data: Any, *, atol: float = 0.0) -> None:
    np.testing.assert_allclose(a.predict(data).log_probabilities, b.predict(data).log_probabilities, rtol=0, atol=atol)


def test_a_loaded_model_answers_as_the_saved_one(trained: Estimator, test_windows: Windows, tmp_path: Path) -> None:
    trained.card = {"task": "pulses"}
    trained.save(tmp_path / "m.biosig")
    again = type(trained).load(tmp_path / "m.biosig")
    same_answers(trained, again, test_windows)
    same_answers(trained, again, recordings("q"))
    for name in ("pipeline", "model", "members", "classes", "columns", "standardize", "scaling", "card", "unit"):
        assert getattr(again, name) == getattr(trained, name), name
    assert vars(again.training) == {**vars(trained.training), "settings": again.training.settings}  # type: ignore[union-attr]
    assert type(load(tmp_path / "m.biosig")) is type(trained)
    assert again.fit(test_windows, **QUICK).training.subjects == ("x", "y", "z")  # type: ignore[union-attr]


def test_half_the_size_is_almost_the_same(trained: Estimator, test_windows: Windows, tmp_path: Path) -> None:
    trained.save(tmp_path / "half.biosig", half=True)
    again = type(trained).load(tmp_path / "half.biosig")
    same_answers(trained, again, test_windows, atol=0.02)
    assert (again.predict(test_windows).log_probabilities != trained.predict(test_windows).log_probabilities).any()


def test_a_model_is_one_file_that_others_may_read(trained: Estimator, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        trained.save(tmp_path / "m.biosig")
    finally:
        os.umask(before)
    (file,) = tmp_path.iterdir()
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o644
    header = read_header(file)
    assert header["versions"]["torch"]
    assert header["training"]["subjects"] == ["a", "b", "c", "d"]
    assert len(header["training"]["split_digest"]) == 16


def test_saving_over_a_model_replaces_it_and_a_failure_leaves_it(
    trained: Estimator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "m.biosig"
    trained.save(file)
    whole = file.read_bytes()
    trained.save(file)
    assert file.read_bytes() == whole
    monkeypatch.setattr(Path, "write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space left"):
        trained.save(file)
    assert file.read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["m.biosig"]


def test_a_place_without_folder_is_refused(trained: Estimator, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="gone does not exist; make it first"):
        trained.save(tmp_path / "gone" / "m.biosig")
    with pytest.raises(ParameterError, match="it is a folder; name a file"):
        trained.save(tmp_path)


def test_the_other_kind_does_not_load_it(trained: Estimator, tmp_path: Path) -> None:
    trained.save(tmp_path / "m.biosig")
    for other in KINDS:
        if other is not type(trained):
            with pytest.raises(DataError, match=f"holds a {type(trained).__name__}, not a {other.__name__}"):
                other.load(tmp_path / "m.biosig")


def test_wrong_columns_are_refused_by_name(trained: Estimator, test_windows: Windows) -> None:
    names = [f"other{k}" for k in range(len(test_windows.columns))]
    with pytest.raises(DataError, match=r"lacking .*, foreign other0, other1.*prepare recordings with the model's own"):
        trained.predict(test_windows.with_values(test_windows.values, columns=names))
    fewer = test_windows.with_values(test_windows.values[:, 1:], columns=test_windows.columns[1:])
    with pytest.raises(DataError, match=f"lacking {trained.columns[0]}".replace("[", r"\[").replace("]", r"\]")):
        trained.predict(fewer)
    turned = test_windows.with_values(test_windows.values, columns=[*test_windows.columns[1:], test_windows.columns[0]])
    with pytest.raises(DataError, match="in another order"):
        trained.evaluate(turned)


def test_a_wrong_unit_is_refused_by_name(trained: Estimator) -> None:
    with pytest.raises(DataError, match="windows in uV, the model was trained on mV; add ToUnit"):
        trained.predict(recordings("x", unit="uV"))


def test_a_unit_that_the_pipeline_brings_into_line_is_taken(kind: Kind) -> None:
    model = untrained(kind, ToUnit("mV"))
    model.fit(model.pipeline(recordings("ab")), **QUICK)
    same_answers(model, model, recordings("x"))
    one, other = (model.predict(recordings("x", unit=unit)).log_probabilities for unit in ("mV", "uV"))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_too_low_a_rate_is_refused_by_name(trained: Estimator, test_windows: Windows) -> None:
    with pytest.raises(DataError, match=r"(recorded at 20 Hz, .* need at least 25 Hz|windows of 20 Hz, .* on 50 Hz)"):
        trained.predict(recordings("x", fs=20.0))


def test_a_rate_that_the_pipeline_brings_into_line_is_taken(kind: Kind) -> None:
    model = untrained(kind, Resample(50.0))
    model.fit(model.pipeline(recordings("abcd")), **(QUICK | {"max_epochs": 12}))
    said = model.predict(recordings("x", fs=200.0))
    assert (said.labels == model.predict(recordings("x")).labels).mean() > 0.9


def test_a_filter_that_a_rate_does_not_allow_names_the_recording(kind: Kind) -> None:
    model = untrained(kind, Highpass(12.0))
    model.fit(model.pipeline(recordings("ab")), **QUICK)
    with pytest.raises(DataError, match=r"r120: recorded at 20 Hz, which does not fit Highpass\("):
        model.predict(recordings("x", fs=20.0))


def test_wrong_leads_are_refused_by_name() -> None:
    model = untrained(Classifier)
    model.fit(model.pipeline(recordings("ab")), **QUICK)
    with pytest.raises(DataError, match="lacking V1, foreign Resp"):
        model.predict(recordings("x", channels=("II", "Resp")))
    with pytest.raises(DataError, match="windows of 1 columns, the model takes 2: lacking V1"):
        model.predict(recordings("x", channels=("II",)))


def test_a_model_of_a_version_that_prepared_otherwise_says_so(
    trained: Estimator, test_windows: Windows, tmp_path: Path
) -> None:
    trained.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    again.columns = ("older", *again.columns)
    with pytest.raises(DataError, match=r"lacking older; .* made by another version of biosig-lstm"):
        again.predict(recordings("x"))
    with pytest.raises(DataError, match="lacking older; prepare recordings with the model's own pipeline"):
        again.predict(test_windows)


@pytest.mark.parametrize("ask", ["predict", "prepare", "evaluate", "log_probabilities"])
def test_an_untrained_model_says_so(kind: Kind, ask: str) -> None:
    with pytest.raises(ParameterError, match=f"{kind.__name__} is not trained yet: call fit, or load"):
        getattr(untrained(kind), ask)(recordings("x"))


def test_an_untrained_model_is_not_saved(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="not trained yet: nothing to save"):
        untrained(kind).save(tmp_path / "m.biosig")
    assert not list(tmp_path.iterdir())


def test_the_repr_says_what_it_is(kind: Kind, trained: Estimator) -> None:
    assert repr(untrained(kind)).startswith(f"{kind.__name__}(BiLSTM(hidden_size=6")
    assert "not trained" in repr(untrained(kind))
    assert "trained on 4 subjects; classes N V" in repr(trained)


def test_training_subjects_are_not_scored(trained: Estimator) -> None:
    with pytest.raises(LeakageError, match=r"trained on 2 of these subjects \(a, c\)"):
        trained.evaluate(recordings("xac"))
    assert trained.evaluate(recordings("xac"), allow_seen=True).n_subjects == 3


def test_validation_subjects_count_as_seen(kind: Kind) -> None:
    model = untrained(kind)
    model.fit(model.pipeline(recordings("ab")), model.pipeline(recordings("v")), **QUICK)
    assert model.training is not None
    assert model.training.subjects == ("a", "b", "v")
    with pytest.raises(LeakageError, match="trained on 1 of these subjects"):
        model.evaluate(recordings("v"))


def test_validation_on_a_training_subject_is_refused(kind: Kind) -> None:
    model = untrained(kind)
    with pytest.raises(LeakageError, match="b"):
        model.fit(model.pipeline(recordings("ab")), model.pipeline(recordings("bv")), **QUICK)
    assert model.training is None


def test_scores_are_of_the_answers(trained: Estimator, test_windows: Windows) -> None:
    scores, said = trained.evaluate(test_windows), trained.predict(test_windows)
    assert scores.n_items == len(said) == len(test_windows.y)  # type: ignore[arg-type]
    if test_windows.multi_label:
        assert scores.counts.tolist() == multilabel_confusion_matrix(test_windows.y, said.named).tolist()  # type: ignore[attr-defined]
    else:
        assert scores["accuracy"].value == pytest.approx(np.mean(said.index == test_windows.y))
    assert list(scores.to_dict()["per_subject"]) == ["x", "y", "z"]


def test_what_has_no_label_is_not_scored(trained: Estimator) -> None:
    bare = [one.with_annotations(one.annotations.with_labels(["N"] * len(one.annotations))) for one in recordings("x")]
    none = trained.pipeline(bare)
    object.__setattr__(none, "y", np.full_like(none.y, -1))  # type: ignore[arg-type]
    with pytest.raises(DataError, match="nothing to score: no label in r120"):
        trained.evaluate(none)


def test_no_items_give_no_answers(trained: Estimator, test_windows: Windows) -> None:
    said = trained.predict(test_windows.select([]))
    assert len(said) == 0
    assert said.log_probabilities.shape == (0, 2)


def test_items_are_answered_alone_as_they_are_together(trained: Estimator, test_windows: Windows) -> None:
    together = trained.predict(test_windows).log_probabilities
    alone = [trained.predict(test_windows.select([k])).log_probabilities for k in range(len(test_windows))]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)


def test_answers_stand_where_their_steps_are(kind: Kind, trained: Estimator) -> None:
    said = trained.predict(recordings("xy"))
    expected = np.tile(np.arange(SECONDS) * int(FS), 2)
    assert said.samples.tolist() == expected.tolist()
    assert said.recordings.tolist() == ["r120"] * SECONDS + ["r121"] * SECONDS
    assert said.subjects.tolist() == ["x"] * SECONDS + ["y"] * SECONDS
    np.testing.assert_allclose(said.times_s, expected / FS)


def test_members_are_averaged_in_probability(kind: Kind, test_windows: Windows) -> None:
    model = untrained(kind, members=2)
    model.fit(model.pipeline(recordings("abcd")), **QUICK)
    assert len(model.networks) == len(model.history) == 2
    both = model.predict(test_windows).probabilities
    each = []
    whole = model.networks
    for network in whole:
        model.networks = type(whole)([network])
        each.append(model.predict(test_windows).probabilities)
    assert (np.abs(each[0] - each[1]) > 1e-4).any()
    np.testing.assert_allclose(both, (each[0] + each[1]) / 2, atol=1e-6)


def test_no_member_is_no_model(kind: Kind) -> None:
    with pytest.raises(ParameterError, match="members must be at least 1, got 0"):
        untrained(kind, members=0)


def test_scaling_is_learned_from_training_items_and_used(kind: Kind, tmp_path: Path) -> None:
    model = untrained(kind, standardize=Standardize())
    windows = model.pipeline(recordings("abcd"))
    model.fit(windows, **QUICK)
    scaled = model.prepare(windows).values
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-4)
    spread = windows.values.std(axis=0) > 1e-6
    np.testing.assert_allclose(scaled.std(axis=0)[spread], 1, atol=1e-3)
    assert model.scaling is not None
    assert model.scaling.fitted_subjects == ("a", "b", "c", "d")
    model.save(tmp_path / "m.biosig")
    assert type(model).load(tmp_path / "m.biosig").scaling == model.scaling


class _KillAfter:
    """An augmentation that raises, as a kill would, once so many items are drawn."""

    def __init__(self, left: int, error: type[BaseException] = RuntimeError) -> None:
        self.left, self.error = left, error

    def __call__(self, x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        self.left -= 1
        if self.left < 0:
            raise self.error("killed")
        return x, y


def unchanged(x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
    return x, y


def test_an_interrupted_fit_resumes_to_the_same_model(kind: Kind, test_windows: Windows, tmp_path: Path) -> None:
    whole, broken, resumed = (untrained(kind, members=2, standardize=Standardize()) for _ in range(3))
    train, how = whole.pipeline(recordings("abcd")), QUICK | {"max_epochs": 3}
    whole.fit(train, augment=unchanged, **how)
    with pytest.raises(RuntimeError, match="killed"):
        broken.fit(train, augment=_KillAfter(len(train) * 4 + 2), directory=tmp_path, **how)
    resumed.fit(train, augment=unchanged, directory=tmp_path, resume=True, **how)
    same_answers(whole, resumed, test_windows, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda model: {"seed": 1}, "seed"),
        (lambda model: {"learning_rate": 0.5}, "learning_rate"),
        (lambda model: {"train": model.pipeline(recordings("ab"))}, "training recordings"),
    ],
)
def test_a_run_is_not_gone_on_with_under_other_terms(
    kind: Kind, change: Callable[[Estimator], dict[str, Any]], named: str, tmp_path: Path
) -> None:
    model = untrained(kind)
    train = model.pipeline(recordings("abcd"))
    model.fit(train, directory=tmp_path, **QUICK)
    terms = {"train": train, **QUICK, **change(model)}
    with pytest.raises(ParameterError, match=f"holds a run with another {named}.*: it cannot be gone on with"):
        untrained(kind).fit(directory=tmp_path, resume=True, **terms)
    untrained(kind).fit(directory=tmp_path / "other", resume=True, **terms)


def test_an_interruption_is_no_exit_of_the_program(kind: Kind) -> None:
    import signal

    before = signal.getsignal(signal.SIGINT)
    model = untrained(kind)
    with pytest.raises(KeyboardInterrupt, match="training was interrupted"):
        model.fit(model.pipeline(recordings("ab")), augment=_KillAfter(3, KeyboardInterrupt), **QUICK)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_fit_that_breaks_leaves_no_half_trained_model(kind: Kind) -> None:
    model = untrained(kind)
    train = model.pipeline(recordings("ab"))
    model.fit(train, **QUICK)
    with pytest.raises(RuntimeError, match="killed"):
        model.fit(train, augment=_KillAfter(3), **QUICK)
    with pytest.raises(ParameterError, match="is not trained yet"):
        model.predict(recordings("x"))


def test_a_misspelt_setting_is_named(kind: Kind) -> None:
    model = untrained(kind)
    with pytest.raises(ParameterError, match="fit has no setting 'max_epoch'; did you mean 'max_epochs'"):
        model.fit(model.pipeline(recordings("ab")), max_epoch=3)


def test_the_settings_are_kept_for_the_record(kind: Kind, tmp_path: Path) -> None:
    model = untrained(kind)
    how = FitSettings(max_epochs=1, device="cpu", seed=4, class_weights=(1.0, 2.0))
    model.fit(model.pipeline(recordings("ab")), settings=how, progress=False, protocol="pulses")
    model.save(tmp_path / "m.biosig")
    seen = read_header(tmp_path / "m.biosig")["training"]
    assert (seen["protocol"], seen["settings"]["seed"], seen["settings"]["class_weights"]) == ("pulses", 4, [1.0, 2.0])
    assert seen["recordings"] == ["r97", "r98"]


def test_labels_of_the_other_kind_are_refused(kind: Kind) -> None:
    message = r"learns labels of (steps|items), these windows label|learns (one label|several labels) for each item"
    for other in KINDS:
        if other is not kind:
            with pytest.raises(ParameterError, match=message):
                untrained(kind).fit(prepare(other)(recordings("ab")), **QUICK)


def test_windows_of_two_units_are_not_put_together(kind: Kind) -> None:
    with pytest.raises(DataError, match="windows differ in unit: 'mV' and 'uV'"):
        prepare(kind)([*recordings("a"), *recordings("b", unit="uV")])
