"""Advice: what is looked at, that what is advised can be trained, that each rule stands on a study that exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import biosig_lstm as bl
from biosig_lstm import studies
from biosig_lstm.advice import Choice, facts_of
from biosig_lstm.advice._rules import choices
from biosig_lstm.containers import Windows
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.models import BiLSTM

DOCS = Path(__file__).parents[1] / "docs"
QUICK: dict[str, Any] = {"max_epochs": 1, "batch_size": 4, "device": "cpu", "progress": False, "items_per_epoch": None}


def sequences(lengths: list[int], labels: list[str], *, subjects: list[str] | None = None, **how: Any) -> Windows:
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((length, 3)) for length in lengths]
    return Windows.from_arrays(items, labels, subjects=subjects, **how)


def many(n: int = 60, *, steps: int = 20) -> Windows:
    return sequences([steps] * n, ["a", "b"] * (n // 2), subjects=[f"p{k % 15}" for k in range(n)])


def line(advice: bl.Advice, name: str) -> Choice:
    (found,) = (choice for choice in advice.lines if choice.name == name)
    return found


def test_what_is_looked_at_by_hand() -> None:
    facts = facts_of(sequences([3, 5, 40, 4], ["a", "b", "a", "a"], subjects=["p", "p", "q", "r"]))
    assert (facts.n_items, facts.n_subjects, facts.median_steps, facts.longest_steps, facts.n_features) == (
        4,
        3,
        4,
        40,
        3,
    )
    assert facts.class_counts == {"a": 3, "b": 1}
    assert facts.subjects_of_class == {"a": 3, "b": 1}
    assert facts.imbalance == 3.0
    assert facts.largest_subject == 40 / 52
    assert facts.named_subjects
    assert str(facts) == (
        "4 sequences, 3 subjects, 4 steps in the median, 40 at most, 3 features; 2 classes, a label for each sequence"
    )


def test_labels_of_steps_and_several_labels_are_counted() -> None:
    rng = np.random.default_rng(0)
    items = [rng.standard_normal((4, 2)) for _ in range(3)]
    labels = [["a", "b", None, "a"], ["a"] * 4, ["a"] * 4]
    steps = Windows.from_arrays(items, labels, subjects=["p", "q", "q"], step_labels=True)
    facts = facts_of(steps)
    assert (facts.per_step, facts.class_counts, facts.subjects_of_class) == (True, {"a": 10, "b": 1}, {"a": 2, "b": 1})
    several = Windows.from_arrays(items, [[1, 0], [1, 1], [0, 0]], subjects=["p", "q", "q"], multi_label=True)
    facts = facts_of(several)
    assert (facts.multi_label, facts.class_counts) == (True, {"class0": 2, "class1": 1})
    assert facts.subjects_of_class == {"class0": 2, "class1": 1}


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        (sequences([5] * 4, ["a", "b"] * 2), "no subjects told: .* give subjects="),
        (sequences([5] * 8, ["a", "b"] * 4, subjects=[*"ppqqrrss"]), "4 subjects: a score on so few"),
        (
            sequences([5] * 24, ["a", "b"] * 11 + ["a", "c"], subjects=[f"p{k // 2}" for k in range(24)]),
            "class c occurs in 1 subject: it cannot be learned",
        ),
        (
            sequences([5] * 24, ["a", "b"] * 12, subjects=[f"p{k // 2}" for k in range(24)], classes=("a", "b", "z")),
            "class z occurs nowhere",
        ),
        (
            sequences([5] * 24, ["a"] * 24, subjects=[f"p{k // 2}" for k in range(24)]),
            "class a is the only one: there is nothing to tell apart",
        ),
        (
            sequences([99] + [2] * 23, ["a", "b"] * 12, subjects=[f"p{k // 2}" for k in range(24)]),
            "one subject has 70% of all steps.*; the longest sequence has 99 steps, half have 2 or fewer",
        ),
    ],
    ids=["subjects", "few", "class", "absent", "alone", "unequal"],
)
def test_what_ruins_a_result_is_told(windows: Windows, said: str) -> None:
    with pytest.warns(BiosigWarning, match=said):
        advice = bl.advise(windows)
    assert re.search(said, "; ".join(advice.warnings))
    assert all(text.split(":")[0] in repr(advice).replace("\n ", "") for text in advice.warnings)


def test_nothing_is_warned_of_where_nothing_is_wrong() -> None:
    advice = bl.advise(many())
    assert advice.warnings == ()
    assert "!" not in repr(advice)


def test_advice_is_what_an_estimator_takes() -> None:
    windows = many()
    advice = bl.advise(windows)
    assert isinstance(advice.model, BiLSTM)
    assert advice.model.memory_steps is None
    model = bl.Classifier(model=advice.model).fit(windows, settings=advice.settings, **QUICK)
    assert model.model == advice.model
    assert model.training is not None
    assert model.training.settings["class_weights"] == advice.settings.class_weights


def test_even_classes_need_no_weights() -> None:
    advice = bl.advise(many())
    assert advice.settings.class_weights is None
    rare = bl.advise(sequences([5] * 60, ["a"] * 40 + ["b"] * 20, subjects=[f"p{k % 15}" for k in range(60)]))
    assert rare.settings.class_weights == "sqrt"
    assert line(rare, "class_weights").why == "b has 20 labels, 2 times fewer than the largest class"


def beats(per_step: bool, samples: int) -> Windows:
    rng = np.random.default_rng(0)
    n, steps = 24, 4
    names = [f"p{k // 2}" for k in range(n)]
    return Windows(
        values=rng.standard_normal((n * steps, samples + 2)),
        offsets=np.arange(n + 1) * steps,
        columns=[f"w{k}" for k in range(samples)] + ["r", "s"],
        rate_hz=None,
        subjects=names,
        recordings=names,
        starts=np.zeros(n, dtype=np.int64),
        fs=np.ones(n),
        y=np.arange(n * steps if per_step else n) % 2,
        classes=("a", "b"),
        window_shape=(1, samples),
        step_labels=per_step,
        positions=np.tile(np.arange(steps), n),
    )


@pytest.mark.parametrize(
    ("windows", "kind"),
    [
        (many(), "BiLSTM"),
        (beats(per_step=True, samples=40), "BeatRuns"),
        (beats(per_step=False, samples=1200), "NightBiLSTM"),
        (beats(per_step=True, samples=1), "BiLSTM"),
        (sequences([1200] * 24, ["a", "b"] * 12, subjects=[f"p{k // 2}" for k in range(24)]), "ConvBiLSTM"),
    ],
    ids=["rows", "beats", "epochs", "one sample", "long"],
)
def test_the_kind_of_network_follows_the_shape_and_can_be_trained(windows: Windows, kind: str) -> None:
    advice = bl.advise(windows)
    assert type(advice.model).__name__ == kind
    assert line(advice, "model").what == f"{kind}(...)"
    estimator = bl.StepClassifier if windows.step_labels else bl.Classifier
    few = windows.select(np.arange(len(windows)) < 4)
    model = estimator(bl.Pipeline.of_arrays(), advice.model).fit(few, settings=advice.settings, **QUICK)
    assert len(model.predict(few))


def test_long_sequences_with_labels_of_steps_are_trained_on_in_stretches() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 1500, 1))
    advice = bl.advise(x, (x[:, :, 0] > 0).astype(int), subjects=np.arange(12), step_labels=True)
    assert (advice.settings.crop_steps, advice.settings.items_per_epoch) == (300, 60)
    assert advice.settings.max_epochs == 60


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 3000), min_size=2, max_size=12),
    people=st.integers(1, 12),
    steps=st.booleans(),
)
def test_any_labelled_sequences_are_advised_on(lengths: list[int], people: int, steps: bool) -> None:
    labels: Any = [["a", "b", "a"] * length for length in lengths] if steps else ["a", "b"] * len(lengths)
    labels = [row[: len(row) // 3] for row in labels] if steps else labels[: len(lengths)]
    windows = sequences(lengths, labels, subjects=[f"p{k % people}" for k in range(len(lengths))], step_labels=steps)
    chosen = choices(facts_of(windows))
    advice = bl.Advice(facts_of(windows), chosen)
    network = advice.model
    assert advice.settings.max_epochs >= 10
    assert True in network.answers_per_step if steps else False in network.answers_per_step
    assert max(map(len, repr(advice).splitlines())) <= 118
    names = [choice.name for choice in chosen]
    assert len(set(names)) == len(names)


def test_every_rule_names_a_study_or_a_benchmark_that_exists() -> None:
    rng = np.random.default_rng(0)
    long = rng.standard_normal((12, 1500, 1))
    kinds = [
        bl.advise(many()),
        bl.advise(sequences([1200] * 24, ["a", "b", "a"] * 8, subjects=[f"p{k // 2}" for k in range(24)])),
        bl.advise(long, (long[:, :, 0] > 0).astype(int), subjects=np.arange(12), step_labels=True),
        bl.advise(beats(per_step=True, samples=40)),
    ]
    sections = re.findall(r"^## (.+)$", (DOCS / "benchmarks.md").read_text(), re.MULTILINE)
    for source in {choice.source for advice in kinds for choice in advice.lines} - {"the data", "not measured"}:
        for part in source.split("; "):
            kind, _, names = part.partition(" ")
            if kind == "benchmarks,":
                assert names in sections
            else:
                assert kind in ("study", "studies")
                assert set(names.split(", ")) <= set(studies.names())


def test_a_notebook_shows_a_table() -> None:
    with pytest.warns(BiosigWarning, match="class <b> occurs in 1 subject"):
        advice = bl.advise(sequences([5] * 24, ["a"] * 23 + ["<b>"], subjects=[f"p{k // 2}" for k in range(24)]))
    shown = advice._repr_html_()
    assert shown.count("<tr>") == 1 + len(advice.lines)
    assert "class &lt;b&gt; occurs in 1 subject" in shown
    assert "<b>" not in shown.replace("<b>What ruins results</b>", "")


def test_what_no_advice_can_be_given_on_is_refused() -> None:
    x = np.zeros((4, 5, 1))
    with pytest.raises(DataError, match="advice is given on labelled sequences, got 4 items with no labels"):
        bl.advise(x)
    with pytest.raises(DataError, match="advice is given on labelled sequences, got 4 items with no labels"):
        bl.advise(x, [None] * 4)
    for beside in ({"y": ["a"] * 60}, {"subjects": ["p"] * 60}, {"step_labels": True}, {"multi_label": True}):
        with pytest.raises(ParameterError, match="labels, their kind and subjects go with arrays: windows carry"):
            bl.advise(many(), **beside)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="advice is given on windows of a pipeline or a list of arrays, got a str"):
        bl.advise("mitdb")
    with pytest.raises(ParameterError, match="or a list of arrays, got an empty one"):
        bl.advise([])


def test_the_reason_for_the_cell_is_what_the_study_of_time_measured() -> None:
    short, long = (
        line(bl.advise(sequences([n] * 24, ["a", "b"] * 12, subjects=[f"p{k // 2}" for k in range(24)])), "cell")
        for n in (20, 1000)
    )
    assert short.value == long.value == "lstm"
    assert "Transformer" not in short.why
    assert long.why == f"{short.why}; from 1,000 steps on a Transformer takes 1.9 to 14 times"
    page = (DOCS / "benchmarks.md").read_text()
    rows = re.findall(
        r"^\| \d+ \| ([\d,]+) \| (?:training step|inference) \| [\d.,]+ ms \| (.+) \|$", page, re.MULTILINE
    )
    times = [(int(steps.replace(",", "")), cells.split(" | ")) for steps, cells in rows]
    gru = [float(cells[0]) for _, cells in times]
    transformer = [float(cells[2]) for steps, cells in times if steps >= 1000 and "not" not in cells[2]]
    assert f"{min(gru):.0f} to {max(gru):.0f} times" in short.why
    assert f"{min(transformer):.1f} to {max(transformer):.0f} times" in long.why
    assert "| 3,000 | 0.024 [0.004, 0.042] | 0.047 [0.022, 0.072] |" in page, "figures of the reason"
    assert "not surely better, with 3,000 by 0.02;" in short.why


@pytest.mark.parametrize(("people", "steps", "named"), [(1000, 40, True), (999, 40, False), (1000, 41, False)])
def test_plain_units_are_named_where_there_are_many_people_with_short_sequences(
    people: int, steps: int, named: bool
) -> None:
    windows = sequences(
        [steps] * people, ["a", "b"] * (people // 2) + ["a"] * (people % 2), subjects=[*map(str, range(people))]
    )
    assert ("try 'rnn' too" in line(bl.advise(windows), "cell").why) == named
