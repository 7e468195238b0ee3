"""Frames of sound changed at random: words keep their symbols in any order, masks and silence stay in their places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.augmentation.spoken import SpokenAugmentation, hissing, reordered, sounding, stretched
from biosig_lstm.errors import ParameterError

PAUSE, WORD, LEAD = 20, 15, 40


def item(words: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return frames in which word k is of level k, from 1, with pauses of 0 between, and its symbols."""
    parts = [np.zeros(LEAD)]
    for word in words:
        parts += [np.full(WORD, float(word) + 3), np.zeros(PAUSE)]
    return np.repeat(np.concatenate(parts)[:, None], 4, axis=1).astype(np.float32), np.array(words)


def words_in(x: np.ndarray) -> list[int]:
    """Return the level of every whole word of the frames."""
    level = x.mean(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], level > 0, [0]])))
    return [int(level[a]) - 3 for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a == WORD]


def test_stretches_of_sound_are_found() -> None:
    x, _ = item([1, 2, 3])
    first = LEAD + np.arange(3) * (WORD + PAUSE)
    np.testing.assert_array_equal(sounding(x), np.stack([first, first + WORD], axis=1))
    np.testing.assert_array_equal(sounding(0.1 * x - 7), sounding(x))
    assert len(sounding(x, pause=PAUSE + 1)) == 1
    assert len(sounding(x, least=WORD + 1)) == 0
    assert sounding(np.zeros((30, 2))).shape == (0, 2)


@settings(max_examples=60)
@given(words=st.lists(st.integers(1, 5), min_size=2, max_size=6), seed=st.integers(0, 999))
def test_symbols_are_those_of_the_words_that_are_left(words: list[int], seed: int) -> None:
    x, y = item(words)
    changed, symbols = reordered(x, y, np.random.default_rng(seed))
    assert words_in(changed) == symbols.tolist()
    assert 1 <= len(symbols) <= len(words)
    assert all(words.count(k) >= symbols.tolist().count(k) for k in symbols.tolist())


def test_words_are_left_alone_where_they_are_not_found() -> None:
    x, y = item([1, 2, 3])
    same, symbols = reordered(x, y[:2], np.random.default_rng(0))
    assert same is x
    assert symbols.tolist() == [1, 2]


def test_orders_differ_and_some_begin_with_the_end_of_a_word() -> None:
    x, y = item([1, 2, 3, 4])
    found = [reordered(x, y, np.random.default_rng(seed)) for seed in range(60)]
    assert len({tuple(symbols.tolist()) for _, symbols in found}) > 30
    cut_off = [changed for changed, _ in found if changed[0, 0] > 0]
    assert 3 < len(cut_off) < 30


def test_masks_are_no_longer_than_said_and_the_item_is_not_touched() -> None:
    x = np.ones((200, 40), dtype=np.float32)
    y = np.array([1])
    changed, symbols = SpokenAugmentation(masks=1, mask_steps=10, mask_columns=4)(x, y, np.random.default_rng(3))
    assert symbols is y
    assert (x == 1).all()
    assert changed.dtype == np.float32
    assert (changed == 0).all(axis=1).sum() <= 10
    assert (changed == 0).all(axis=0).sum() <= 4
    assert (changed == 0).any()
    plain, _ = SpokenAugmentation(masks=0)(x, y, np.random.default_rng(3))
    np.testing.assert_array_equal(plain, x)
    noisy, _ = SpokenAugmentation(masks=0, noise=0.5)(x, y, np.random.default_rng(0))
    assert np.std(noisy - x) == pytest.approx(0.5, rel=0.03)


def test_silence_comes_before_the_first_sound_and_after_the_last() -> None:
    x, y = item([1, 2])
    sounds = slice(LEAD, LEAD + 2 * WORD + PAUSE)
    low = []
    for seed in range(30):
        changed, _ = SpokenAugmentation(masks=0, mute=1.0)(x, y, np.random.default_rng(seed))
        np.testing.assert_array_equal(changed[sounds], x[sounds])
        assert np.isin(changed[:LEAD, 0], [0, changed[0, 0]]).all()
        low.append(changed[0, 0])
    assert min(low) < -4
    assert max(low) <= 0


def test_hiss_adds_power_and_fades() -> None:
    x = np.full((3000, 10), -2.0, dtype=np.float32)
    x[1000:1100] = 3.0
    louder = hissing(x, np.random.default_rng(0))
    assert louder.dtype == np.float32
    assert (louder >= x).all()
    assert louder[:50].mean() > -1.7
    np.testing.assert_allclose(louder[-100:], x[-100:], atol=0.05)
    np.testing.assert_allclose(louder[1000:1100], x[1000:1100], atol=0.2)
    changed, _ = SpokenAugmentation(masks=0, hiss=1.0)(x, np.array([1]), np.random.default_rng(0))
    assert (changed >= x).all()


def test_time_and_columns_are_drawn_out_as_said() -> None:
    x = np.arange(40, dtype=np.float32).reshape(20, 2)
    np.testing.assert_array_equal(stretched(x, 1.0), x)
    longer = stretched(x, 2.0)
    assert len(longer) == 40
    np.testing.assert_allclose(longer[:38:2], x[:19])
    np.testing.assert_allclose(longer[1:37:2], (x[:18] + x[1:19]) / 2)
    shorter = stretched(x, 0.5, length=20)
    np.testing.assert_allclose(shorter[:10], x[::2])
    np.testing.assert_allclose(shorter[10:], np.tile(x[-1], (10, 1)))
    lengths = set()
    for seed in range(20):
        made, _ = SpokenAugmentation(masks=0, stretch=0.2, warp=0.2)(x, np.array([1]), np.random.default_rng(seed))
        assert made.shape[1] == 2
        lengths.add(len(made))
    assert min(lengths) >= 16
    assert max(lengths) <= 24
    assert len(lengths) > 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reorder": 1.1}, "reorder, mute and hiss must lie in"),
        ({"mute": -0.1}, "reorder, mute and hiss must lie in"),
        ({"hiss": 2.0}, "reorder, mute and hiss must lie in"),
        ({"noise": -1.0}, "noise and masks must be 0 or more"),
        ({"warp": 1.0}, "warp and stretch must lie in"),
        ({"mask_steps": 0}, "mask_steps and mask_columns must be at least 1"),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        SpokenAugmentation(**values)
