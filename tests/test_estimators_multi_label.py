"""Several labels for an item: windows, batches, the loss against torch, stretches, thresholds, predictions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.utils.class_weight import compute_class_weight

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import Classifier, MultiLabelClassifier, MultiLabelPredictions, Predictions, load
from biosig_lstm.estimators.multi_label_classifier import stretches
from biosig_lstm.models import BiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.scoring.tasks import task
from biosig_lstm.splits import split_by_subject
from biosig_lstm.training import FitSettings, collate
from biosig_lstm.training.batch import Items
from biosig_lstm.training.module import SeveralLabelsLoss, class_weights
from biosig_lstm.windows import FixedLength, WholeRecording

FS = 20.0
CLASSES = ("high", "fast", "wide")
QUICK: dict[str, Any] = {"max_epochs": 2, "batch_size": 8, "device": "cpu", "progress": False}


def recording(number: int, *, labels: tuple[str, ...] | None = None, seconds: float = 6.0) -> Recording:
    """A sine that is high, fast, or both, as its annotations say; "wide" is in no signal."""
    rng = np.random.default_rng(number)
    chosen = tuple(name for name in CLASSES if rng.random() < 0.4) if labels is None else labels
    t = np.arange(round(seconds * FS)) / FS
    wave = (2.0 if "high" in chosen else 0.5) * np.sin(2 * np.pi * (4.0 if "fast" in chosen else 1.0) * t)
    held = (*chosen, "other")
    marks = Annotations([0] * len(held), [len(t)] * len(held), held)
    signals = wave + 0.05 * rng.standard_normal((1, len(t)))
    return Recording(signals, FS, ("II",), ("mV",), id=f"r{number}", subject=f"s{number}", annotations=marks)


def prepare() -> Pipeline:
    return Pipeline(windows=WholeRecording(classes=CLASSES, multi_label=True))


def windows(numbers: range) -> Windows:
    return prepare()([recording(number) for number in numbers])


@pytest.fixture(scope="module")
def trained() -> MultiLabelClassifier:
    model = MultiLabelClassifier(prepare(), BiLSTM(12, pooling="mean"))
    how = {"max_epochs": 25, "learning_rate": 0.02, "class_weights": None, "crop_steps": 40}
    return model.fit(windows(range(60)), windows(range(60, 90)), **(QUICK | how))


# ---- Windows


def test_every_annotation_is_a_label_and_what_is_not_annotated_is_not_borne():
    found = prepare()([recording(1, labels=("wide", "high")), recording(2, labels=())])
    assert found.multi_label
    assert found.y is not None
    assert found.y.tolist() == [[1, 0, 1], [0, 0, 0]]
    assert found.class_counts() == {"high": 1, "fast": 0, "wide": 1}
    assert "high 1, fast 0, wide 1" in repr(found)


def test_without_any_annotation_nothing_is_known():
    bare = recording(3).with_annotations(Annotations())
    assert prepare()(bare).y.tolist() == [[-1, -1, -1]]  # type: ignore[union-attr]


def test_windows_of_a_recording_have_the_labels_over_their_middle():
    half = Annotations([0, 0], [60, 120], ["high", "fast"])
    cut = FixedLength(1.0, classes=CLASSES, multi_label=True)(recording(1).with_annotations(half))
    assert cut.y is not None
    assert cut.y.tolist() == [[1, 1, 0]] * 3 + [[0, 1, 0]] * 3


def test_items_keep_their_labels_when_chosen_split_and_put_together():
    found = windows(range(12))
    assert found.y is not None
    again = Windows.concatenate([found.select(np.arange(12) < 5), found.select(np.arange(5, 12))])
    assert again == found
    assert found.item_y(3).tolist() == [found.y[3].tolist()]  # type: ignore[union-attr]
    parts = split_by_subject(found, (0.5, 0.5))
    assert sorted(np.concatenate([part.y for part in parts]).tolist()) == sorted(found.y.tolist())
    with pytest.raises(ParameterError, match="runs need at least one step and labels of steps"):
        found.into_runs(5)


def test_a_split_spreads_every_label():
    numbers = range(80)
    train, test = split_by_subject(windows(numbers), (0.5, 0.5))
    for name, n in train.class_counts().items():
        assert abs(n - test.class_counts()[name]) <= 2


@pytest.mark.parametrize(
    ("y", "step_labels", "message"),
    [
        ([[1, 0]], False, r"a column for each of 3 classes, got y of shape \(1, 2\) for items"),
        ([[1, 0, 0]] * 120, True, r"got y of shape \(120, 3\) for steps"),
        ([[2, 0, 0]], False, "y must be 1, 0 or -1, got 0 to 2"),
        ([[1, 0, 0]] * 2, False, "y must be one for each of 1 items, got 2"),
    ],
)
def test_labels_that_do_not_fit_are_refused(y, step_labels, message):
    from dataclasses import replace

    with pytest.raises(DataError, match=message):
        replace(windows(range(1)), y=np.array(y), step_labels=step_labels)


# ---- Batches and the loss


def test_a_batch_has_a_column_for_each_class():
    items = Items(windows(range(4)), crop_steps=30)
    batch = collate([items[k] for k in range(4)])
    assert batch.x.shape == (4, 30, 1)
    assert batch.y.tolist() == items.windows.y.tolist()


def test_the_loss_is_that_of_torch_on_what_is_known():
    generator = torch.Generator().manual_seed(0)
    logits, y = torch.randn(5, 3, generator=generator), torch.randint(0, 2, (5, 3), generator=generator)
    weights = torch.tensor([1.0, 2.0, 5.0])
    expected = torch.nn.BCEWithLogitsLoss(pos_weight=weights)(logits, y.float())
    assert SeveralLabelsLoss(weights)(logits, y).item() == pytest.approx(expected.item(), rel=1e-6)
    y[:, 1] = -1
    expected = torch.nn.BCEWithLogitsLoss()(logits[:, [0, 2]], y[:, [0, 2]].float())
    assert SeveralLabelsLoss(None)(logits, y).item() == pytest.approx(expected.item(), rel=1e-6)
    smooth = torch.nn.BCEWithLogitsLoss()(logits[:, [0, 2]], y[:, [0, 2]] * 0.8 + 0.1)
    assert SeveralLabelsLoss(None, label_smoothing=0.2)(logits, y).item() == pytest.approx(smooth.item(), rel=1e-6)


def test_nothing_known_is_no_loss_and_no_nan():
    logits = torch.randn(2, 3, requires_grad=True)
    loss = SeveralLabelsLoss(None)(logits, torch.full((2, 3), -1))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert not logits.grad.any()


def test_positives_are_weighed_against_negatives_as_scikit_learn_balances_two_classes():
    found = windows(range(40))
    assert found.y is not None
    balanced = class_weights(found, FitSettings(class_weights="balanced"))
    root = class_weights(found, FitSettings(class_weights="sqrt"))
    assert balanced is not None
    assert root is not None
    for k in range(3):
        negative, positive = compute_class_weight("balanced", classes=np.array([0, 1]), y=found.y[:, k])
        assert balanced[k].item() == pytest.approx(positive / negative, rel=1e-6)
    np.testing.assert_allclose(root**2, balanced, rtol=1e-5)
    assert class_weights(found, FitSettings(class_weights=None)) is None


def test_a_class_without_positives_weighs_one():
    found = prepare()([recording(k, labels=("high",) if k % 2 else ()) for k in range(6)])
    assert class_weights(found, FitSettings()).tolist() == [1.0, 1.0, 1.0]  # type: ignore[union-attr]


# ---- Stretches


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 20))
def test_stretches_cover_every_step_and_overlap_by_half(lengths, n_steps):
    total = sum(lengths)
    items = Windows(
        values=np.arange(total, dtype=np.float32)[:, None],
        offsets=np.cumsum([0, *lengths]),
        columns=("x",),
        rate_hz=1.0,
        subjects=np.array([f"s{k}" for k in range(len(lengths))]),
        recordings=np.array([f"r{k}" for k in range(len(lengths))]),
        starts=np.zeros(len(lengths)),
        fs=np.ones(len(lengths)),
    )
    cut, item = stretches(items, n_steps)
    assert cut.lengths.tolist() == [min(lengths[k], n_steps) for k in item]
    assert np.unique(cut.values).tolist() == list(range(total))
    for k in range(len(lengths)):
        begins = cut.values[cut.offsets[:-1]][item == k, 0]
        assert (np.diff(begins) <= max(n_steps // 2, 1)).all()
        assert cut.recordings[item == k].tolist() == [f"r{k}"] * len(begins)
    assert stretches(items, 40)[0] == items


def test_ten_seconds_are_seven_stretches_of_two_and_a_half():
    whole = prepare()(recording(0, seconds=50.0))
    assert len(stretches(whole, 250)[0]) == 7


def test_validation_is_watched_on_the_middle_stretch(monkeypatch):
    seen = []
    monkeypatch.setattr("biosig_lstm.estimators._base.fit", lambda *given, **_: seen.append(given[2]))
    val = windows(range(8, 11))
    model = MultiLabelClassifier(prepare(), BiLSTM(4, pooling="mean"))
    model.fit(windows(range(8)), val, crop_steps=40, **QUICK)
    assert seen[0].lengths.tolist() == [40] * 3
    np.testing.assert_array_equal(seen[0].values[:40], val.item(0)[40:80])
    assert seen[0].y.tolist() == val.y.tolist()


def test_the_probability_is_the_mean_over_the_stretches(trained):
    items = windows(range(100, 104))
    cut, item = stretches(items, 40)
    by_hand = trained.networks[0].eval()
    with torch.inference_mode():
        logits = by_hand(torch.from_numpy(cut.values.reshape(len(cut), 40, 1).copy()), torch.full((len(cut),), 40))
    each = torch.sigmoid(logits).numpy()
    expected = np.stack([each[item == k].mean(axis=0) for k in range(4)])
    np.testing.assert_allclose(trained.predict(items).probabilities, expected, atol=1e-6)


# ---- The estimator


def test_it_learns_what_the_signal_shows_and_not_what_it_does_not(trained):
    test = windows(range(200, 260))
    scores = trained.evaluate(test)
    assert scores["auc_high"].value > 0.95
    assert scores["auc_fast"].value > 0.95
    assert 0.3 < scores["auc_wide"].value < 0.7
    said = trained.predict(test)
    assert scores["auc_high"].value == pytest.approx(roc_auc_score(test.y[:, 0], said.probabilities[:, 0]))  # type: ignore[index]
    assert scores["f1_high"].value == pytest.approx(f1_score(test.y[:, 0], said.named[:, 0]))  # type: ignore[index]
    assert scores.thresholds == trained.thresholds
    assert (said.probabilities.sum(axis=1) > 1.2).any()


def test_thresholds_are_learned_on_validation_and_saved(trained, tmp_path: Path):
    val = windows(range(60, 90))
    probabilities = trained.predict(val).probabilities
    assert trained.thresholds != (0.5, 0.5, 0.5)
    for k in range(3):
        best = max(f1_score(val.y[:, k], probabilities[:, k] >= t) for t in np.linspace(0.02, 0.98, 49))  # type: ignore[index]
        assert f1_score(val.y[:, k], probabilities[:, k] >= trained.thresholds[k]) >= best - 1e-9  # type: ignore[index]
    trained.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert isinstance(again, MultiLabelClassifier)
    assert again.thresholds == trained.thresholds
    assert again.predict(val).labels.tolist() == trained.predict(val).labels.tolist()


def test_without_validation_thresholds_are_one_half():
    model = MultiLabelClassifier(prepare(), BiLSTM(4, pooling="mean")).fit(windows(range(8)), **QUICK)
    assert model.thresholds == (0.5, 0.5, 0.5)


def test_damaged_thresholds_are_refused(trained, tmp_path: Path):
    held = trained.thresholds
    trained.thresholds = (0.5,)
    trained.save(tmp_path / "m.biosig")
    trained.thresholds = held
    with pytest.raises(DataError, match="1 thresholds for 3 classes; it may be damaged"):
        load(tmp_path / "m.biosig")


def test_one_label_each_is_refused_here_and_several_elsewhere():
    one = Pipeline(windows=WholeRecording(classes=CLASSES))([recording(k) for k in range(4)])
    with pytest.raises(ParameterError, match="learns several labels for each item, these windows have one"):
        MultiLabelClassifier(prepare(), BiLSTM(4)).fit(one, **QUICK)
    with pytest.raises(ParameterError, match="learns one label for each item, these windows have several"):
        Classifier(prepare(), BiLSTM(4)).fit(windows(range(4)), **QUICK)
    with pytest.raises(ParameterError, match="is validated on items of several labels"):
        MultiLabelClassifier(prepare(), BiLSTM(4)).fit(windows(range(5, 9)), one, **QUICK)


def test_what_cannot_be_scored_says_so(trained):
    bare = [recording(k).with_annotations(Annotations()) for k in range(300, 303)]
    with pytest.raises(DataError, match="nothing to score: no label in r300, r301, r302"):
        trained.evaluate(bare)
    with pytest.raises(ParameterError, match=r"leave no subjects out, got leave_out=\{'x'"):
        trained.evaluate(windows(range(300, 303)), leave_out={"x": ("s300",)})


# ---- Predictions


def said() -> MultiLabelPredictions:
    probabilities = np.array([[0.9, 0.1, 0.6], [0.2, 0.1, 0.1], [0.2, 0.9, 0.1]], dtype=np.float32)
    names = np.array(["a", "a", "b"])
    return MultiLabelPredictions(
        names,
        names,
        np.array([0, 50, 0]),
        np.full(3, 100.0),
        np.log(probabilities),
        CLASSES,
        thresholds=(0.5, 0.5, 0.55),
    )


def test_predictions_name_every_label_over_its_threshold():
    assert said().labels.tolist() == ["high+wide", "none", "fast"]
    assert said().named.tolist() == [[True, False, True], [False] * 3, [False, True, False]]
    assert repr(said()) == "Predictions(3 in 2 recordings: high+wide 1, none 1, fast 1)"
    assert "<td>a</td><td>1</td><td>0</td><td>1</td>" in said()._repr_html_()
    rows = said().csv_rows().splitlines()
    assert rows[0] == "recording,sample,time_s,label,p_high,p_fast,p_wide"
    assert rows[1] == "a,0,0.0000,high+wide,0.9000,0.1000,0.6000"


def test_what_a_command_counts_are_the_labels_however_they_come_together():
    bears = said()
    counts = task("multilabel").counts(bears)
    assert counts == {name: int(bears.named[:, k].sum()) for k, name in enumerate(CLASSES)}
    assert counts.total() == bears.named.sum() > 0


def test_a_protocol_of_other_classes_is_refused(trained):
    task("multilabel").check_classes(trained, ("wide", "high", "fast"))
    with pytest.raises(ParameterError, match="2 classes is needed, this one lacks slow and adds fast w"):
        task("multilabel").check_classes(trained, ("high", "slow"))


def test_parts_stay_what_they_are():
    one = said().of("b")
    assert type(one) is MultiLabelPredictions
    assert one.labels.tolist() == ["fast"]
    both = Predictions.concatenate([said(), one])
    assert both.labels.tolist() == [*said().labels, "fast"]
    assert said().annotations("a") == Annotations([0, 0], [0, 0], ["high", "wide"])


def test_thresholds_must_be_one_for_each_class():
    one = said()
    with pytest.raises(DataError, match="one threshold for each of 3 classes, got 2"):
        MultiLabelPredictions(
            one.recordings, one.subjects, one.samples, one.fs, one.log_probabilities, CLASSES, thresholds=(0.5, 0.5)
        )
