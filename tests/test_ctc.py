"""Connectionist temporal classification: loss, decoders and alignment against brute force and torch."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.decoding import BLANK, Alphabet, align, beam_search, collapse, greedy
from biosig_lstm.decoding.alphabet import frames_needed
from biosig_lstm.decoding.pieces import cut_at_silence
from biosig_lstm.errors import DataError, ParameterError


def random_logs(n_frames: int, n_outputs: int, seed: int, *, sharpness: float = 1.0) -> np.ndarray:
    logits = sharpness * np.random.default_rng(seed).normal(size=(n_frames, n_outputs))
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def by_brute_force(logs: np.ndarray) -> dict[tuple[int, ...], float]:
    """Return the log-probability of every text, as the sum over all paths."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(logs.shape[1]), repeat=len(logs)):
        text = tuple(collapse(np.array(path)).tolist())
        value = float(logs[np.arange(len(path)), path].astype(np.float64).sum())
        found[text] = float(np.logaddexp(found.get(text, -np.inf), value))
    return found


class Bigrams:
    """A language model of pairs of symbols; a state is the symbol before, 0 at the beginning."""

    def __init__(self, n_symbols: int, seed: int) -> None:
        logits = np.random.default_rng(seed).normal(size=(n_symbols + 1, n_symbols + 1))
        self.logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        self.bonus = 0.3

    def start(self) -> Any:
        return 0

    def advance(self, states: Sequence[Any], symbols: Sequence[int]) -> list[Any]:
        return list(symbols)

    def scores(self, states: Sequence[Any]) -> np.ndarray:
        return self.logs[list(states)][:, 1:] + self.bonus

    def final(self, states: Sequence[Any]) -> np.ndarray:
        return self.logs[list(states), 0]

    def of(self, text: tuple[int, ...]) -> float:
        pairs = zip((0, *text), (*text, 0), strict=True)
        return sum(float(self.logs[a, b]) for a, b in pairs) + self.bonus * len(text)


CASES = {"n_frames": st.integers(1, 5), "n_outputs": st.integers(2, 4), "seed": st.integers(0, 10_000)}


@settings(max_examples=60, deadline=None)
@given(**CASES)
def test_a_wide_beam_finds_every_text_with_its_probability(n_frames: int, n_outputs: int, seed: int) -> None:
    logs = random_logs(n_frames, n_outputs, seed)
    truth = by_brute_force(logs)
    found = beam_search(logs, beam_width=2000, n_best=2000)
    assert {tuple(h.symbols.tolist()) for h in found} == set(truth)
    for hypothesis in found:
        assert hypothesis.log_probability == pytest.approx(truth[tuple(hypothesis.symbols.tolist())], abs=1e-6)
    scores = [h.score for h in found]
    assert scores == sorted(scores, reverse=True)


@settings(max_examples=60, deadline=None)
@given(**CASES)
def test_with_a_language_model_the_best_is_that_of_brute_force(n_frames: int, n_outputs: int, seed: int) -> None:
    logs, model = random_logs(n_frames, n_outputs, seed), Bigrams(n_outputs - 1, seed + 1)
    truth = {text: value + model.of(text) for text, value in by_brute_force(logs).items()}
    found = beam_search(logs, beam_width=2000, scorer=model, n_best=2000)
    for hypothesis in found:
        assert hypothesis.score == pytest.approx(truth[tuple(hypothesis.symbols.tolist())], abs=1e-6)
    assert found[0].score == pytest.approx(max(truth.values()), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(**CASES, width=st.integers(1, 6))
def test_a_narrow_beam_never_says_more_than_is_true(n_frames: int, n_outputs: int, seed: int, width: int) -> None:
    logs = random_logs(n_frames, n_outputs, seed)
    truth = by_brute_force(logs)
    found = beam_search(logs, beam_width=width, n_best=width)
    assert len(found) <= width
    for hypothesis in found:
        assert hypothesis.log_probability <= truth[tuple(hypothesis.symbols.tolist())] + 1e-6


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_probabilities_are_those_of_torchs_loss(seed: int) -> None:
    logs = random_logs(7, 3, seed)
    for hypothesis in beam_search(logs, beam_width=300, n_best=300):
        n_symbols = len(hypothesis.symbols)
        targets, sizes = torch.from_numpy(hypothesis.symbols)[None], (torch.tensor([7]), torch.tensor([n_symbols]))
        loss = torch.nn.functional.ctc_loss(torch.from_numpy(logs)[:, None], targets, *sizes, reduction="sum")
        assert hypothesis.log_probability == pytest.approx(-float(loss), abs=1e-4)


def test_a_wide_beam_beats_the_best_path() -> None:
    logs = np.log(np.array([[0.6, 0.4], [0.6, 0.4]]))
    assert greedy(logs).tolist() == []
    assert beam_search(logs)[0].symbols.tolist() == [1]


def test_a_text_that_left_the_beam_and_came_back_is_the_same_text() -> None:
    logs = random_logs(40, 4, 3, sharpness=0.3)
    found = beam_search(logs, beam_width=6, n_best=6)
    texts = [tuple(h.symbols.tolist()) for h in found]
    assert len(set(texts)) == len(texts)


@given(path=st.lists(st.integers(0, 3), max_size=12))
def test_collapse_takes_repeats_and_blanks_out(path: list[int]) -> None:
    assert collapse(np.array(path, dtype=np.int64)).tolist() == [k for k, _ in itertools.groupby(path) if k]


@settings(max_examples=60, deadline=None)
@given(n_frames=st.integers(1, 6), seed=st.integers(0, 10_000), text=st.lists(st.integers(1, 2), max_size=4))
def test_alignment_is_the_best_path_of_brute_force(n_frames: int, seed: int, text: list[int]) -> None:
    logs = random_logs(n_frames, 3, seed)
    paths = [p for p in itertools.product(range(3), repeat=n_frames) if collapse(np.array(p)).tolist() == text]
    if not paths:
        assert frames_needed(np.array(text)) > n_frames
        with pytest.raises(DataError, match=f"{len(text)} symbols need"):
            align(logs, text)
        return
    assert frames_needed(np.array(text, dtype=np.int64)) <= n_frames
    best = max(paths, key=lambda path: float(logs[np.arange(n_frames), path].astype(np.float64).sum()))
    runs = [(k, len(list(group))) for k, group in itertools.groupby(best)]
    ends = np.cumsum([n for _, n in runs])
    wanted = [[int(end - n), int(end)] for (k, n), end in zip(runs, ends, strict=True) if k]
    assert align(logs, text).tolist() == wanted


def test_what_cannot_be_aligned_is_refused() -> None:
    logs = random_logs(4, 3, 0)
    assert align(logs, []).shape == (0, 2)
    with pytest.raises(DataError, match="symbols must lie in 1 to 2, got 0 to 3"):
        align(logs, [0, 3])
    with pytest.raises(DataError, match="no path of a probability above zero"):
        align(np.full((2, 3), -np.inf, dtype=np.float32), [1])


@pytest.mark.parametrize("decode", [greedy, beam_search, lambda x: align(x, [1])])
def test_what_are_no_log_probabilities_is_refused(decode: Any) -> None:
    with pytest.raises(DataError, match=r"must be \(frames, blank and symbols\), got shape \(4,\)"):
        decode(np.zeros(4))
    with pytest.raises(DataError, match="NaN or plus infinity"):
        decode(np.full((3, 2), np.nan))


def test_no_frames_say_nothing() -> None:
    nothing = np.zeros((0, 3), dtype=np.float32)
    assert greedy(nothing).tolist() == []
    assert beam_search(nothing)[0].symbols.tolist() == []
    with pytest.raises(ParameterError, match="beam_width and n_best must be at least 1, got 0 and 1"):
        beam_search(nothing, beam_width=0)


@given(seed=st.integers(0, 999), n_frames=st.integers(0, 60), longest=st.integers(2, 20))
def test_pieces_are_short_and_hold_every_frame_once(seed: int, n_frames: int, longest: int) -> None:
    pieces = cut_at_silence(random_logs(n_frames, 3, seed, sharpness=3), longest=longest)
    assert [k for begin, end in pieces for k in range(begin, end)] == list(range(n_frames))
    assert all(0 < end - begin <= longest for begin, end in pieces)


def test_pieces_are_cut_in_the_middle_of_the_longest_silence() -> None:
    said = np.log(np.full((20, 2), 0.5, dtype=np.float32))
    said[11:16] = np.log(np.array([0.999, 0.001], dtype=np.float32))
    said[18] = said[11]
    assert cut_at_silence(said, longest=19) == [(0, 14), (14, 20)]


@given(seed=st.integers(0, 999))
def test_the_best_path_of_the_pieces_is_that_of_the_whole_where_silence_is_sure(seed: int) -> None:
    parts = [random_logs(6, 3, seed + k, sharpness=2) for k in range(3)]
    pause = np.log(np.array([[0.998, 0.001, 0.001]] * 3, dtype=np.float32))
    logs = np.concatenate([parts[0], pause, parts[1], pause, parts[2]])
    pieces = cut_at_silence(logs, longest=14)
    assert len(pieces) > 1
    assert np.concatenate([greedy(logs[a:b]) for a, b in pieces]).tolist() == greedy(logs).tolist()


def test_an_alphabet_of_characters_words_or_phones() -> None:
    letters = Alphabet.of(["ja nein", "ja"])
    assert letters.classes == (BLANK, " ", "a", "e", "i", "j", "n")
    assert letters.decode(letters.encode("nein ja")) == "nein ja"
    words = Alphabet.of(["yes no", " no "], unit="words")
    assert words.symbols == ("no", "yes")
    assert words.decode(np.array([2, 0, 1])) == "yes no"
    assert Alphabet(**words.to_dict()) == words


def test_a_text_of_other_symbols_is_refused_by_character_and_name() -> None:
    with pytest.raises(DataError, match=r"u7: the text 'naïve' holds 'ï', which the alphabet of characters lacks; 'ï'"):
        Alphabet.of(["naive"]).encode("naïve", name="u7")
    with pytest.raises(DataError, match=r"holds 'yess', .* words lacks; 'yess'; did you mean 'yes'"):
        Alphabet(("no", "yes"), unit="words").encode("no yess")


@pytest.mark.parametrize(
    ("symbols", "unit", "message"),
    [
        ((), "words", "an alphabet needs a symbol"),
        (("a", "a"), "characters", "must differ"),
        (("ab",), "characters", "'ab' is no symbol of characters"),
        (("a b",), "words", "'a b' is no symbol of words"),
        (("a",), "letters", "unit 'letters'; possible: characters, phones, words"),
        ((BLANK,), "words", "'<blank>' is no symbol"),
    ],
)
def test_an_alphabet_that_is_none_is_refused(symbols: tuple[str, ...], unit: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Alphabet(symbols, unit=unit)
    with pytest.raises(DataError, match="the texts hold no words"):
        Alphabet.of([" ", ""], unit="words")
