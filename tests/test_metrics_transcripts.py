"""Scores of transcripts: rates against jiwer, alignments against a plain table, intervals over speakers."""

from __future__ import annotations

import math

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.metrics import (
    EditCounts,
    bootstrap_by_subject,
    character_error_rate,
    edit_counts,
    transcript_scores,
    word_error_rate,
)

WORDS = st.sampled_from(["yes", "no", "maybe", "né", "ja"])
TEXTS = st.lists(WORDS, max_size=9).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS.filter(bool), TEXTS), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(pairs=PAIRS)
def test_rates_are_those_of_jiwer(pairs: list[tuple[str, str]]) -> None:
    references, said = (list(side) for side in zip(*pairs, strict=True))
    assert word_error_rate(references, said) == pytest.approx(jiwer.wer(references, said))
    assert character_error_rate(references, said) == pytest.approx(jiwer.cer(references, said))
    counts = [edit_counts(a.split(), b.split()) for a, b in pairs]
    theirs = jiwer.process_words(references, said)
    total = EditCounts(*np.sum(counts, axis=0).tolist())
    assert total.errors == theirs.substitutions + theirs.deletions + theirs.insertions
    assert total.deletions - total.insertions == theirs.deletions - theirs.insertions
    assert total.hits >= theirs.hits


def by_table(reference: list[str], said: list[str]) -> tuple[int, int]:
    """Return the fewest errors, and the most hits of alignments with so few."""
    best = {(0, 0): (0, 0)}
    for i in range(len(reference) + 1):
        for j in range(len(said) + 1):
            ways = []
            if i and j:
                cost, hits = best[i - 1, j - 1]
                same = reference[i - 1] == said[j - 1]
                ways.append((cost + (not same), hits - same))
            ways += [(best[i - 1, j][0] + 1, best[i - 1, j][1])] if i else []
            ways += [(best[i, j - 1][0] + 1, best[i, j - 1][1])] if j else []
            best[i, j] = min(ways) if ways else (0, 0)
    cost, hits = best[len(reference), len(said)]
    return cost, -hits


@settings(max_examples=150, deadline=None)
@given(reference=st.lists(st.sampled_from("abc"), max_size=9), said=st.lists(st.sampled_from("abc"), max_size=9))
def test_counts_are_those_of_a_plain_table(reference: list[str], said: list[str]) -> None:
    counts = edit_counts(reference, said)
    assert (counts.errors, counts.hits) == by_table(reference, said)
    assert counts.hits + counts.substitutions + counts.deletions == len(reference)
    assert counts.hits + counts.substitutions + counts.insertions == len(said)
    assert min(counts) >= 0


def test_white_space_separates_words_and_does_not_count_around_a_text() -> None:
    assert word_error_rate("yes  no\n", " yes no") == 0
    assert character_error_rate(" ja nein ", "ja nein") == jiwer.cer("ja nein", "ja nein")
    assert math.isnan(word_error_rate("", "yes"))
    assert word_error_rate(["", "no"], ["yes", "no"]) == 1


def test_scores_are_of_all_texts_with_intervals_over_speakers() -> None:
    references = ["yes no yes", "no no", "yes", "no yes"]
    said = ["yes yes", "no no", "no", "no yes yes"]
    who = ["a", "a", "b", "c"]
    scores = transcript_scores(references, said, who, seed=3)
    assert scores["wer"].value == pytest.approx(jiwer.wer(references, said))
    assert scores["cer"].value == pytest.approx(jiwer.cer(references, said))
    assert [scores[k].value for k in ("substitutions", "deletions", "insertions")] == [1 / 8, 1 / 8, 1 / 8]
    assert scores["exact"].value == 0.25
    assert scores.total == EditCounts(6, 1, 1, 1)
    per_subject = np.array([[1, 5], [1, 1], [1, 2]])
    wanted = bootstrap_by_subject(per_subject, lambda n: n[:, 0] / n[:, 1], seed=3)
    assert (scores["wer"].low, scores["wer"].high) == (wanted.low, wanted.high)
    assert (scores.n_subjects, scores.n_items) == (3, 4)
    plain = scores.to_dict()
    assert plain["per_subject"]["b"] == {"hits": 0, "substitutions": 1, "deletions": 0, "insertions": 0}
    assert "confusion" not in plain
    assert "wer" in repr(scores)
    assert "wer" in scores._repr_html_()


def test_phones_have_one_rate() -> None:
    scores = transcript_scores(["sil aa b sil"], ["sil aa sil"], ["x"], unit="phones")
    assert list(scores.metrics) == ["per", "substitutions", "deletions", "insertions", "exact"]
    assert scores["per"].value == 0.25
    assert math.isnan(scores["per"].low)


def test_the_figure_shows_every_subject() -> None:
    figure = transcript_scores(["yes", "no no"], ["no", "no"], ["a", "b"]).plot()
    (axes,) = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["a", "b"]
    assert sorted(bar.get_height() for bar in axes.patches) == [0, 0, 0, 0, 0.5, 1]


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(DataError, match="a text is needed for each reference, got 1 for 2"):
        word_error_rate(["a", "b"], ["a"])
    with pytest.raises(DataError, match="texts need a subject each, and one text or more: got 1 for 2"):
        transcript_scores(["a", "b"], ["a", "b"], ["x"])
    with pytest.raises(DataError, match="got 0 for 0"):
        transcript_scores([], [], [])
    with pytest.raises(DataError, match="nothing that could be right or wrong"):
        transcript_scores([""], ["a"], ["x"])
    with pytest.raises(ParameterError, match="unit 'letters'; "):
        transcript_scores(["a"], ["a"], ["x"], unit="letters")
