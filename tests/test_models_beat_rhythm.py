"""The network of sequences of beats: its trees, its parts, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.models.beat_rhythm import BeatRhythm, BeatRhythmNetwork
from biosig_lstm.training import FitSettings
from biosig_lstm.training.trees import add_trees, item_statistics

SHAPE, N_FEATURES = (1, 40), 40 + 5 + 2
SPEC = BeatRhythm((4, 6), hidden_size=8, embedding=8, views=2, item_columns=2, tree_rounds=6, tree_depth=2)


def build(spec: BeatRhythm = SPEC) -> BeatRhythmNetwork:
    torch.manual_seed(0)
    return spec.build(n_features=N_FEATURES, n_outputs=3, window_shape=SHAPE).eval()


def items(n: int = 60, seed: int = 0) -> Windows:
    """Return items whose class is written in the middle of one scalar and in the item's last column."""
    rng = np.random.default_rng(seed)
    lengths, y = rng.integers(1, 20, n), rng.integers(0, 3, n)
    values = rng.normal(size=(lengths.sum(), N_FEATURES)).astype(np.float32)
    each = np.repeat(y, lengths)
    values[:, 41] += 3 * (each == 1)
    values[:, -2:] = (each == 2)[:, None]
    names = np.array([f"r{k}" for k in range(n)])
    return Windows(
        values=values, offsets=np.cumsum([0, *lengths]), columns=[f"c{k}" for k in range(N_FEATURES)], rate_hz=None,
        subjects=names, recordings=names, starts=np.zeros(n), fs=np.ones(n), y=y, classes=("N", "A", "O"),
        window_shape=SHAPE,
    )  # fmt: skip


def padded(windows: Windows) -> tuple[torch.Tensor, torch.Tensor]:
    x = torch.zeros(len(windows), int(windows.lengths.max()), N_FEATURES)
    for k in range(len(windows)):
        x[k, : windows.lengths[k]] = torch.from_numpy(windows.item(k).copy())
    return x, torch.from_numpy(windows.lengths.copy())


def test_before_trees_are_grown_the_network_answers_alone() -> None:
    network, bare = build(), build(BeatRhythm((4, 6), hidden_size=8, embedding=8, views=2, item_columns=2))
    x, lengths = padded(items())
    assert torch.equal(network(x, lengths), bare(x, lengths))
    assert bare.trees is None


def test_grown_trees_are_half_of_the_answer_and_none_of_it_in_training() -> None:
    network, windows = build(SPEC), items()
    x, lengths = padded(windows)
    alone = network(x, lengths)
    add_trees(network, windows, settings=FitSettings(), seed=0)
    assert network.trees is not None
    trees = network.trees(network.statistics(x, lengths))
    expected = (alone.log_softmax(dim=1) + trees.log_softmax(dim=1)) / 2
    torch.testing.assert_close(network(x, lengths), expected)
    dropless = build(BeatRhythm((4, 6), hidden_size=8, embedding=8, views=2, item_columns=2, dropout=0, tree_rounds=6, tree_depth=2))  # fmt: skip # noqa: E501
    before = dropless.train()(x, lengths)
    add_trees(dropless, windows, settings=FitSettings(), seed=0)
    torch.testing.assert_close(dropless(x, lengths), before)


def test_trees_learn_what_stands_in_the_scalars_and_in_the_item() -> None:
    network = build(BeatRhythm((4, 6), hidden_size=8, views=2, item_columns=2, tree_rounds=60))
    add_trees(network, items(300), settings=FitSettings(), seed=0)
    assert network.trees is not None
    fresh = items(200, seed=1)
    said = network.trees(torch.from_numpy(item_statistics(network, fresh))).argmax(dim=1).numpy()
    assert (said == fresh.y).mean() > 0.9


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), extra=st.integers(0, 6))
def test_with_trees_too_an_item_is_answered_alike_alone_and_in_any_batch(seed: int, extra: int) -> None:
    network, some = build(), items(6, seed=seed)
    add_trees(network, items(), settings=FitSettings(), seed=0)
    x, lengths = padded(some)
    with torch.no_grad():
        together = network(torch.nn.functional.pad(x, (0, 0, 0, extra), value=9.0), lengths)
        alone = [network(x[k : k + 1, :n], lengths[k : k + 1])[0] for k, n in enumerate(lengths.tolist())]
    torch.testing.assert_close(together, torch.stack(alone), atol=1e-5, rtol=0)


def test_trees_come_back_with_the_weights() -> None:
    network, other = build(), build()
    add_trees(network, items(), settings=FitSettings(), seed=0)
    x, lengths = padded(items(8, seed=2))
    other.load_state_dict(network.state_dict())
    assert torch.equal(network(x, lengths), other(x, lengths))
    assert not torch.equal(network(x, lengths), build()(x, lengths))


def test_the_columns_of_the_item_are_for_the_trees_alone() -> None:
    network = build()
    x, lengths = padded(items(5))
    changed = x.clone()
    changed[..., -2:] += 7
    assert torch.equal(network(x, lengths), network(changed, lengths))
    assert not torch.equal(network.statistics(x, lengths), network.statistics(changed, lengths))


def test_trees_without_a_label_to_grow_on_are_refused() -> None:
    windows = items(5)
    unlabelled = windows.with_values(windows.values)
    object.__setattr__(unlabelled, "y", np.full(5, -1))
    with pytest.raises(DataError, match="nothing to grow on: no item has a label"):
        add_trees(build(), unlabelled, settings=FitSettings(), seed=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"channels": (8,)}, r"channels must be of 2 convolutions, got \(8,\)"),
        ({"channels": (8, 0)}, "channels must be a whole number of at least 1, got 0"),
        ({"heads": 0}, "heads must be a whole number of at least 1"),
        ({"item_columns": -1}, "item_columns must be a whole number of at least 0"),
        ({"tree_rounds": -1}, "tree_rounds must be a whole number of at least 0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\)"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BeatRhythm(**change)  # type: ignore[arg-type]


def test_features_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ParameterError, match="BeatRhythm needs window_shape"):
        SPEC.build(n_features=47, n_outputs=3)
    with pytest.raises(ParameterError, match=r"2 views in windows \(1, 41\) and 2 columns .* do not fit into 47"):
        SPEC.build(n_features=47, n_outputs=3, window_shape=(1, 41))
    with pytest.raises(ParameterError, match=r"windows \(1, 46\) and 2 columns of the item do not fit into 47"):
        SPEC.build(n_features=47, n_outputs=3, window_shape=(1, 46))
