"""Training: every draw decided by the seed, a run that breaks goes on as if it had not, and it learns."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.models import BiLSTM
from biosig_lstm.training import Batch, FitSettings, collate, fit
from biosig_lstm.training.batch import Items, LengthBuckets, SubjectDraws
from biosig_lstm.training.module import class_weights, warm_cosine


def runs(*, n: int = 12, seed: int = 0, step_labels: bool = True) -> Windows:
    """Items whose steps are of class 1 where the first column is positive."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 12, n)
    values = rng.normal(size=(int(lengths.sum()), 2)).astype(np.float32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    truth = (values[:, 0] > 0).astype(np.int64)
    sums = np.array([values[a:b, 0].sum() > 0 for a, b in pairwise(offsets)], dtype=np.int64)
    return Windows(
        values=values,
        offsets=offsets,
        columns=["a", "b"],
        rate_hz=None,
        subjects=np.array([f"p{k % 4}" for k in range(n)]),
        recordings=np.array([f"r{k}" for k in range(n)]),
        starts=np.zeros(n),
        fs=np.full(n, 100.0),
        y=truth if step_labels else sums,
        classes=["no", "yes"],
        step_labels=step_labels,
    )


def network(seed: int = 0, *, per_step: bool = True) -> nn.Module:
    torch.manual_seed(seed)
    return BiLSTM(8, dropout=0.2).build(n_features=2, n_outputs=2, per_step=per_step)


def weights(model: nn.Module) -> list[np.ndarray]:
    return [p.detach().numpy().copy() for p in model.parameters()]


SEEDS = st.integers(0, 99)
QUICK = FitSettings(max_epochs=4, batch_size=4, learning_rate=1e-2, device="cpu")


def test_the_same_seed_gives_the_same_weights_and_another_one_others() -> None:
    first, second, other = network(), network(), network()
    fit(first, runs(), settings=QUICK, progress=False)
    fit(second, runs(), settings=QUICK, progress=False)
    fit(other, runs(), settings=FitSettings(max_epochs=4, batch_size=4, device="cpu", seed=1), progress=False)
    for a, b in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(weights(first), weights(other), strict=True))


class _KillAfter:
    """An augmentation that raises, as a kill would, once the epoch is reached."""

    def __init__(self, n_items: int) -> None:
        self.left = n_items

    def __call__(self, x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("killed")
        return x, y


def test_a_killed_run_resumes_to_the_weights_of_an_unbroken_one(tmp_path: Path) -> None:
    how = FitSettings(max_epochs=6, batch_size=4, learning_rate=1e-2, device="cpu", average_decay=0.9)
    whole, broken = network(), network()
    history = fit(whole, runs(), settings=how, directory=tmp_path / "whole", progress=False)
    with pytest.raises(RuntimeError, match="killed"):
        fit(broken, runs(), settings=how, augment=_KillAfter(3 * 12 + 5), directory=tmp_path / "b", progress=False)
    again = network(seed=5)
    resumed = fit(again, runs(), settings=how, directory=tmp_path / "b", resume=True, progress=False)
    for a, b in zip(weights(whole), weights(again), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    assert [row["epoch"] for row in history.epochs] == [0, 1, 2, 3, 4, 5]
    for one, other in zip(history.epochs, resumed.epochs, strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    assert all("train_loss" in row for row in history.epochs)


def test_the_epoch_with_the_lowest_validation_loss_is_kept() -> None:
    model = network()
    how = FitSettings(max_epochs=30, batch_size=4, learning_rate=0.05, patience=3, device="cpu")
    history = fit(model, runs(), runs(seed=9), settings=how, progress=False)
    losses = [row["val_loss"] for row in history.epochs]
    assert len(losses) < 30 or losses[-1] <= min(losses) + 1e-9
    other = runs(seed=9)
    batch = collate([(other.item(k), other.item_y(k)) for k in range(len(other))])  # type: ignore[misc]
    weight = class_weights(runs(), how)
    reached = nn.CrossEntropyLoss(weight=weight, ignore_index=-1)(
        model(batch.x, batch.lengths).flatten(0, 1), batch.y.flatten()
    )
    assert float(reached.detach()) < losses[0]


@pytest.mark.parametrize("step_labels", [True, False])
def test_it_learns_what_can_be_learned(step_labels: bool) -> None:
    train = runs(n=300, step_labels=step_labels)
    model = network(per_step=step_labels)
    fit(
        model,
        train,
        settings=FitSettings(max_epochs=25, batch_size=8, learning_rate=2e-2, device="cpu"),
        progress=False,
    )
    test = runs(n=40, seed=3, step_labels=step_labels)
    batch = collate([(test.item(k), test.item_y(k)) for k in range(len(test))])  # type: ignore[misc]
    said = model(batch.x, batch.lengths).argmax(-1)
    known = batch.y >= 0
    assert float((said[known] == batch.y[known]).float().mean()) > 0.88


def test_windows_made_anew_in_each_epoch_are_used() -> None:
    asked: list[float] = []

    def renew(rng: np.random.Generator) -> Windows:
        asked.append(float(rng.random()))
        return runs(n=11 + len(asked))

    fit(network(), runs(), settings=QUICK, renew=renew, progress=False)
    assert len(asked) == 4
    assert len(set(asked)) == 4
    asked.clear()
    every_other = FitSettings(max_epochs=4, batch_size=4, device="cpu", renew_every=2)
    fit(network(), runs(), settings=every_other, renew=renew, progress=False)
    assert len(asked) == 2


def test_progress_is_shown_on_stderr_alone(capsys: pytest.CaptureFixture[str]) -> None:
    fit(network(), runs(), settings=QUICK, progress=True)
    said = capsys.readouterr()
    assert said.out == ""
    assert "train_loss" in said.err


def test_what_cannot_be_trained_is_refused(tmp_path: Path) -> None:
    unlabelled = runs().with_values(runs().values)
    object.__setattr__(unlabelled, "y", None)
    with pytest.raises(DataError, match="no training item has a label"):
        fit(network(), unlabelled, settings=QUICK)
    with pytest.raises(DataError, match="no validation item has a label"):
        fit(network(), runs(), unlabelled, settings=QUICK)
    with pytest.raises(ParameterError, match="patience needs validation items"):
        fit(network(), runs(), settings=FitSettings(patience=2))
    with pytest.raises(ParameterError, match="resume needs the directory"):
        fit(network(), runs(), settings=QUICK, resume=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_epochs": 0}, "max_epochs must be positive, got 0"),
        ({"label_smoothing": 1.0}, r"label_smoothing must lie in \[0, 1\)"),
        ({"device": "tpu"}, "device must be auto, cpu or cuda, got 'tpu'"),
        ({"class_weights": "equal"}, "class_weights must be balanced, sqrt, None or numbers, got 'equal'"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        FitSettings(**changes)  # type: ignore[arg-type]


@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=60), batch_size=st.integers(1, 9), seed=st.integers(0, 99)
)
def test_buckets_hold_every_item_once(lengths: list[int], batch_size: int, seed: int) -> None:
    sampler = LengthBuckets(np.array(lengths), batch_size=batch_size, seed=seed)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(k for batch in batches for k in batch) == list(range(len(lengths)))
    assert max(len(batch) for batch in batches) <= batch_size


def test_buckets_waste_less_padding_than_plain_shuffling() -> None:
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(187), 0.8, 2000), 1, 3000).astype(np.int64)

    def waste(batches: list[list[int]]) -> float:
        padded = sum(len(b) * lengths[b].max() for b in batches)
        return float(1 - lengths.sum() / padded)

    shuffled = rng.permutation(2000)
    plain = [shuffled[k : k + 32].tolist() for k in range(0, 2000, 32)]
    assert waste(list(LengthBuckets(lengths, batch_size=32))) < waste(plain) - 0.1


def test_every_subject_is_drawn_as_often() -> None:
    subjects = np.array(["a"] * 90 + ["b"] * 9 + ["c"])
    sampler = SubjectDraws(subjects, n_draws=300, batch_size=32)
    draws = [pair for batch in sampler for pair in batch]
    drawn = subjects[[item for item, _ in draws]]
    assert [int((drawn == who).sum()) for who in "abc"] == [100, 100, 100]
    assert len({draw for _, draw in draws}) == 300


@settings(max_examples=25)
@given(crop=st.integers(1, 12), index=st.integers(0, 11), epoch=st.integers(0, 3))
def test_a_crop_is_a_stretch_of_the_item_and_the_same_each_time(crop: int, index: int, epoch: int) -> None:
    whole = runs()
    items = Items(whole, seed=1, crop_steps=crop)
    items.epoch = epoch
    x, y = items[index]
    again, _ = items[index]
    np.testing.assert_array_equal(x, again)
    full = whole.item(index)
    places = [k for k in range(len(full) - len(x) + 1) if np.array_equal(full[k : k + len(x)], x)]
    assert len(x) == min(crop, len(full))
    assert places
    np.testing.assert_array_equal(y, whole.item_y(index)[places[0] : places[0] + len(x)])  # type: ignore[index]


def test_collate_pads_with_zeros_and_no_label() -> None:
    batch = collate([(np.ones((2, 3), np.float32), np.array([1, 0])), (np.ones((4, 3), np.float32), np.array([1] * 4))])
    assert isinstance(batch, Batch)
    assert batch.x.shape == (2, 4, 3)
    assert batch.lengths.tolist() == [2, 4]
    assert batch.y.tolist() == [[1, 0, -1, -1], [1, 1, 1, 1]]
    assert float(batch.x[0, 2:].abs().sum()) == 0


def test_rare_classes_weigh_more_and_absent_ones_nothing() -> None:
    counted = runs()
    three = Windows(**{**vars(counted), "classes": ("no", "yes", "never")})
    balanced = class_weights(three, FitSettings(class_weights="balanced"))
    counts = np.array(list(three.class_counts().values()))
    assert balanced is not None
    shares = balanced.numpy()[:2] * counts[:2]
    np.testing.assert_allclose(shares, shares.mean(), rtol=1e-5)
    assert float(balanced[2]) == 0
    assert class_weights(three, FitSettings(class_weights=None)) is None


def test_the_learning_rate_rises_and_falls() -> None:
    shares = [warm_cosine(step, n_steps=200) for step in range(200)]
    assert np.argmax(shares) in (19, 20)
    assert shares[0] < 0.06
    assert shares[-1] < 0.001
    assert (np.diff(shares[:20]) > 0).all()
    assert (np.diff(shares[20:]) < 0).all()


def test_tensorboard_that_is_not_installed_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("tensorboard")

    monkeypatch.setattr(sys.modules["biosig_lstm.training.fit"], "TensorBoardLogger", absent)
    with pytest.raises(ParameterError, match=r"pip install 'biosig-lstm\[tensorboard\]'"):
        fit(network(), runs(), settings=QUICK, tensorboard=True, progress=False)


def unlabelled(windows: Windows, items: list[int]) -> Windows:
    assert windows.y is not None
    y = windows.y.copy()
    for k in items:
        y[windows.offsets[k] : windows.offsets[k + 1]] = -1
    return replace(windows, y=y)


def test_batches_without_labels_leave_loss_and_weights_as_numbers() -> None:
    model = network()
    how = FitSettings(max_epochs=3, batch_size=1, device="cpu")
    history = fit(model, unlabelled(runs(), [0, 5]), unlabelled(runs(seed=9), [1, 2]), settings=how, progress=False)
    assert all(np.isfinite(row["train_loss"]) and np.isfinite(row["val_loss"]) for row in history.epochs)
    assert all(np.isfinite(part).all() for part in weights(model))
    weightless = FitSettings(max_epochs=2, batch_size=1, device="cpu", class_weights=(1.0, 0.0))
    one_class = replace(runs(), y=np.ones(len(runs().values), dtype=np.int64))
    fit(model, Windows.concatenate([runs(), one_class]), settings=weightless, progress=False)
    assert all(np.isfinite(part).all() for part in weights(model))


def test_what_cannot_be_validated_or_weighed_is_refused() -> None:
    only_no = replace(runs(), y=np.zeros(len(runs().values), dtype=np.int64))
    only_yes = replace(runs(), y=np.ones(len(runs().values), dtype=np.int64))
    with pytest.raises(DataError, match="validation holds yes alone, which does not count in training"):
        fit(network(), only_no, only_yes, settings=QUICK, progress=False)
    with pytest.raises(ParameterError, match=r"class_weights must be one for each of no, yes, got \(1.0,\)"):
        fit(network(), runs(), settings=FitSettings(class_weights=(1.0,)), progress=False)
    with pytest.raises(ParameterError, match="renew cannot be combined with validation items"):
        fit(network(), runs(), runs(seed=9), settings=QUICK, renew=lambda _: runs(), progress=False)
    with pytest.raises(DataError, match="training diverged"):
        fit(
            network(),
            runs(),
            settings=FitSettings(max_epochs=3, learning_rate=1e30, weight_decay=1e10, device="cpu"),
            progress=False,
        )
