"""The recipe of connected digits: sequences by made voices, and a transcriber that trains on them and on people."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.augmentation.digit_words import DigitVoices
from biosig_lstm.datasets import connected_digits
from biosig_lstm.datasets.connected_digits import join_words
from biosig_lstm.errors import ParameterError
from biosig_lstm.estimators import Transcriber
from biosig_lstm.recipes import recipe_for
from biosig_lstm.recipes._transcripts import WordSequenceRecipe
from biosig_lstm.recipes.connected_digits import DigitSequences


def test_sequences_say_their_digits_in_the_voice_of_one() -> None:
    sequences = list(DigitSequences(voices=3, per_voice=4)(seed=1))
    assert [s.id for s in sequences[:5]] == ["voice0-0", "voice0-1", "voice0-2", "voice0-3", "voice1-0"]
    assert {s.subject for s in sequences} == {"synthetic-0", "synthetic-1", "synthetic-2"}
    words = {word.id: word.n_samples for word in DigitVoices(voices=3, snr_db=(60.0, 60.0))(seed=1)}
    for sequence in sequences:
        (text,) = sequence.annotations.notes.tolist()
        assert re.fullmatch(r"\d( \d){0,6}", text)
        assert sequence.annotations.stops.tolist() == [sequence.n_samples]
        spoken = sum(words[f"{digit}_{sequence.id.partition('-')[0]}"] for digit in text.split())
        pauses_s = (sequence.n_samples - spoken) / 8000
        assert 0.2 + 0.05 * text.count(" ") - 1e-3 <= pauses_s <= 1.0 + 0.5 * text.count(" ") + 1e-3
        assert np.abs(sequence.signals).max() <= 1
    counts = [len(str(sequence.annotations.notes[0]).split()) for sequence in sequences[::4]]
    assert counts != [int(np.random.default_rng([1, k]).integers(1, 8)) for k in range(3)]  # what draws the voice


def test_sequences_repeat_by_their_seed() -> None:
    one, again, other = (next(iter(DigitSequences(voices=1)(seed))) for seed in (0, 0, 1))
    assert one == again
    assert one != other


def test_words_lie_between_noise_as_quiet_as_their_quietest_frames() -> None:
    loud = np.concatenate([np.full(800, 0.5), np.full(800, 0.01)]).astype(np.float32)
    joined = join_words([loud, loud], 8000.0, np.random.default_rng(0))
    at = np.flatnonzero(np.convolve(joined == 0.5, np.ones(800), "valid") == 800)
    assert len(at) == 2
    before = joined[: at[0]]
    assert 0.1 <= len(before) / 8000 <= 0.5
    assert np.std(before) == pytest.approx(0.01, rel=0.1)


@pytest.mark.parametrize(
    "bad", [{"voices": -1}, {"per_voice": 0}, {"per_voice": 1.5}, {"fs": 0.0}, {"snr_db": (40.0, 10.0)}]
)
def test_sequences_that_cannot_be(bad: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=r"voices must be a whole|be whole numbers from 1|fs must be positive"):
        DigitSequences(**bad)  # type: ignore[arg-type]


def test_it_trains_on_people_and_made_voices_and_remembers_people(tmp_path: Path) -> None:
    connected_digits.write_sample(tmp_path)
    recipe = recipe_for("connected-digits")
    assert isinstance(recipe, WordSequenceRecipe)
    settings = replace(recipe.settings, max_epochs=1, device="cpu")
    small = replace(recipe, settings=settings, voices=DigitSequences(voices=2, per_voice=1))
    recordings = list(datasets.get("connected_digits", tmp_path).recordings())
    model = small.fit(recordings, progress=False)
    assert isinstance(model, Transcriber)
    assert model.training is not None
    assert model.training.subjects == ("fsdd-ada", "fsdd-ben")
    assert len(model.training.recordings) == len(recordings) == 6
    assert model.classes[1:] == tuple("0123456789")
    assert set("".join(model.transcribe(recordings).texts)) <= set("0123456789 ")
    with pytest.raises(ParameterError, match="connected-digits trains for a fixed number of epochs"):
        small.fit(recordings, val=recordings)
