"""Digital silence is brought up to the noise of the room, and nothing else is changed but what is quieter still."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.errors import ParameterError
from biosig_lstm.features.log_mel import LogMel
from biosig_lstm.features.quiet_floor import QuietFloor, quiet_floor
from biosig_lstm.windows.utterance import Utterance

FS = 8000


def test_silence_gets_the_floor_of_what_is_heard() -> None:
    rng = np.random.default_rng(0)
    heard = rng.normal(-8, 1, (200, 5)).astype(np.float32)
    frames = np.concatenate([np.full((40, 5), -17.0, dtype=np.float32), heard])
    floor = np.percentile(heard, 10, axis=0)
    made = quiet_floor(frames)
    np.testing.assert_allclose(made[:40], np.tile(floor, (40, 1)), rtol=1e-6)
    np.testing.assert_allclose(made[40:], np.maximum(heard, floor), rtol=1e-6)


def test_cut_sound_looks_like_sound_in_a_room() -> None:
    rng = np.random.default_rng(1)
    sound = rng.normal(0, 0.001, 2 * FS)
    sound[FS : FS + 2000] += 0.2 * np.sin(2 * np.pi * 500 * np.arange(2000) / FS)
    muted = sound.copy()
    muted[: FS // 2] = 0
    made = [QuietFloor()(LogMel()(windows)) for windows in map(windows_of, (sound, muted))]
    plain = [LogMel()(windows) for windows in map(windows_of, (sound, muted))]
    apart = [float(np.abs(one.values[:45] - other.values[:45]).mean()) for one, other in (plain, made)]
    assert apart[0] > 5
    assert apart[1] < 1.5
    np.testing.assert_array_less(np.abs(made[0].values[55:] - made[1].values[55:]), 1.5)


def windows_of(sound: np.ndarray) -> Any:
    return Utterance()(Recording(sound[None], FS, ["sound"], ["FS"], id="a"))


@given(seed=st.integers(0, 999), n=st.integers(1, 50), percent=st.floats(0, 50))
def test_values_never_fall_and_doing_it_without_a_percentile_twice_changes_nothing(
    seed: int, n: int, percent: float
) -> None:
    frames = np.random.default_rng(seed).normal(-8, 5, (n, 3)).astype(np.float32)
    made = quiet_floor(frames, percent=percent)
    assert (made >= frames).all()
    assert made.shape == frames.shape
    once = quiet_floor(frames, percent=0, below=1e6)
    np.testing.assert_array_equal(once, frames)


@pytest.mark.parametrize("values", [{"percent": 51.0}, {"percent": -1.0}, {"below": 0.0}])
def test_values_out_of_range_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match="percent must lie in 0 to 50 and below be positive"):
        QuietFloor(**values)
