"""The study of padding: which ways give an item an answer of its own, on what items, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm import studies
from biosig_lstm.datasets import fsdd
from biosig_lstm.errors import DataError
from biosig_lstm.models import sequence_reader
from biosig_lstm.studies import StudyOptions, Table
from biosig_lstm.studies._padding_ways import WAYS, Items, WayNetwork, as_torch_layer, predict, train_epoch
from biosig_lstm.studies._unequal_items import made_vowels, scaled, spoken_digit_folds
from biosig_lstm.studies.padding import STUDY, PaddingSettings, measure_fold

OWN = ("padded to the longest of all", "masked", "packed")  # ways by which neighbours do not matter
CELLS = ("lstm", "gru")

both_cells = pytest.mark.parametrize("cell", CELLS)


def network(way: str, cell: str, *, seed: int = 0) -> WayNetwork:
    """Return a network whose biases are not zero, as they are at its start: zeros would leave a state of zero alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = WayNetwork(way, cell, n_features=3, units=5, n_classes=4)
    for name, weight in made.layer.named_parameters():
        if name.rpartition(".")[2].startswith("bias_ih"):
            torch.nn.init.constant_(weight, 0.5)
    return made


def items(lengths: list[int], *, seed: int = 0) -> Items:
    rng = np.random.default_rng(seed)
    x = tuple(rng.standard_normal((length, 3)).astype(np.float32) for length in lengths)
    return Items(x, np.arange(len(x)) % 4, max(lengths) + 3)


@both_cells
@pytest.mark.parametrize("way", OWN)
@given(lengths=st.lists(st.integers(1, 12), min_size=2, max_size=6), seed=st.integers(0, 99))
@settings(max_examples=15, deadline=None)
def test_an_item_has_the_same_answer_alone_and_in_any_batch(way: str, cell: str, lengths: list[int], seed: int) -> None:
    some, net = items(lengths, seed=seed), network(way, cell, seed=seed)
    rng = np.random.default_rng(seed)
    together = predict(net, some, batch_size=len(lengths), rng=rng)
    np.testing.assert_allclose(together, predict(net, some, batch_size=1, rng=rng), atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-6)


@both_cells
@pytest.mark.parametrize("way", sorted(set(WAYS) - set(OWN)))
def test_reading_zeros_makes_the_answer_hang_on_the_longest_neighbour(way: str, cell: str) -> None:
    some, net = items([3, 9, 30]), network(way, cell)
    rng = np.random.default_rng(0)
    together, alone = (predict(net, some, batch_size=size, rng=rng) for size in (3, 1))
    apart = np.abs(together - alone).max(axis=1)
    assert apart[:2].min() > 1e-3
    assert apart[2] < 1e-6  # the longest has nothing behind it


@both_cells
def test_masked_is_what_torch_packs(cell: str) -> None:
    some = items([1, 4, 9, 17])
    masked, packed = (
        predict(network(way, cell), some, batch_size=4, rng=np.random.default_rng(0)) for way in ("masked", "packed")
    )
    np.testing.assert_allclose(masked, packed, atol=1e-6)


@both_cells
def test_masked_and_packed_learn_alike(cell: str) -> None:
    some = items([1, 4, 9, 17, 2, 8])
    heads = []
    for way in ("masked", "packed"):
        net = network(way, cell)
        optimiser = torch.optim.Adam(net.parameters(), lr=1e-2)
        for epoch in range(3):
            train_epoch(net, some, optimiser, batch_size=4, rng=np.random.default_rng(epoch))
        heads.append(net.head.weight.detach().numpy())
    np.testing.assert_allclose(heads[0], heads[1], atol=1e-4)
    assert np.abs(heads[0] - network("masked", cell).head.weight.detach().numpy()).max() > 1e-2


@both_cells
def test_torchs_layer_with_the_weights_of_ours_gives_our_states(cell: str) -> None:
    torch.manual_seed(0)
    ours = sequence_reader(cell, 3, 5)
    x = torch.randn(2, 7, 3)
    torch.testing.assert_close(as_torch_layer(ours, cell)(x)[0], ours(x, torch.tensor([7, 7])), atol=1e-6, rtol=0)


def test_items_without_padding_are_read_alike_by_every_way() -> None:
    some = items([6, 6, 6])._replace(longest=6)
    said = [predict(network(way, "lstm"), some, batch_size=2, rng=np.random.default_rng(0)) for way in WAYS]
    for other in said[1:]:
        np.testing.assert_allclose(said[0], other, atol=1e-6)


def test_vowels_made_by_rule_have_the_sizes_of_the_japanese_vowels() -> None:
    fold = made_vowels(train_each=30, test_each=40, seed=0)
    lengths = np.array([len(x) for x in fold.train.x])
    assert (len(fold.train.x), len(fold.test.x), fold.n_classes) == (270, 360, 9)
    assert (lengths.min(), lengths.max(), fold.train.longest) == (7, 29, 29)
    assert fold.train.x[0].shape[1] == 12
    steps = np.concatenate(fold.train.x)
    np.testing.assert_allclose([steps.mean(axis=0), steps.std(axis=0)], [[0.0] * 12, [1.0] * 12], atol=1e-4)
    means = [lengths[fold.train.y == k].mean() for k in range(9)]
    assert np.ptp(means) < 8  # a speaker's mean of 30 lengths spreads by 1.2
    again, other = (made_vowels(train_each=1, test_each=1, seed=seed) for seed in (0, 1))
    assert not np.array_equal(again.train.x[0][:7], other.train.x[0][:7])


def test_scaling_is_learned_from_what_teaches() -> None:
    fold = made_vowels(train_each=3, test_each=3, seed=0)
    moved = fold._replace(test=fold.test._replace(x=tuple(x + 100 for x in fold.test.x)))
    for one, other in zip(scaled(fold).train.x, scaled(moved).train.x, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.concatenate(scaled(moved).test.x).mean() > 50


def test_each_speaker_is_left_out_once(tmp_path: Path) -> None:
    fsdd.write_sample(tmp_path)
    folds = list(spoken_digit_folds(tmp_path))
    assert [fold.name for fold in folds] == ["fsdd-ada", "fsdd-ben"]
    first, second = folds
    assert len(first.train.x) == len(second.test.x)
    assert [len(x) for x in first.train.x] == [len(x) for x in second.test.x]
    assert first.n_classes == 10
    (fewer, _) = spoken_digit_folds(tmp_path, most=1)
    assert sorted(fewer.train.y.tolist()) == sorted(set(first.train.y.tolist()))


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    words_alone = PaddingSettings(made=0)
    with pytest.raises(DataError, match="fsdd"):
        STUDY.run(StudyOptions(data=tmp_path), settings=words_alone)


def test_the_study_says_the_same_for_a_seed_and_times_aside() -> None:
    rows = [studies.run("padding", quick=True, seed=seed).measured.rows for seed in (1, 1, 2)]
    without_times = [[row[:-1] for row in of] for of in rows]
    assert without_times[0] == without_times[1] != without_times[2]


def test_ways_start_from_the_same_weights_and_masked_and_packed_end_alike() -> None:
    fold = made_vowels(train_each=4, test_each=4, seed=0)
    sizes = PaddingSettings(units=6)
    rows = list(measure_fold(sizes, StudyOptions(), fold, "lstm", of=("vowels", 0), epochs=2))
    by_way = {row[3]: row for row in rows}
    assert list(by_way) == list(WAYS)
    assert by_way["masked"][4:7] == pytest.approx(by_way["packed"][4:7])
    assert by_way["masked"][7] < 1e-5 < by_way["padded"][7]


def rows_of(accuracy: dict[str, float], *, furthest: dict[str, float] | None = None) -> Table:
    apart = furthest or {}
    rows = [
        ("made vowels", fold, "lstm", way, accuracy.get(way, 0.9), 0.9, 0.0, apart.get(way, 1e-7), 1.0)
        for fold in (0, 1)
        for way in WAYS
    ]
    return Table(STUDY.columns, tuple(rows))


def verdicts(measured: Table) -> list[str]:
    return [claim.verdict for claim in STUDY.conclude(PaddingSettings(), measured).claims]


def test_verdicts_follow_from_the_figures() -> None:
    costs = {"padded to the longest of all": 0.8, "padded": 0.895}
    own = ["holds", "holds", "holds", "does not hold"]
    assert verdicts(rows_of({})) == ["does not hold", "does not hold", *own]
    assert verdicts(rows_of(costs)) == ["holds", "does not hold", *own]
    assert verdicts(rows_of({}, furthest={"padded": 0.3}))[2:4] == ["does not hold", "holds"]
