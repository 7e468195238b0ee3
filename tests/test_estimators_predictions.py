"""Predictions: rows that are probabilities, and what becomes of them as tables and annotations."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Predictions


def predictions(names: list[str], *, seed: int = 0, classes: tuple[str, ...] = ("N", "S", "V")) -> Predictions:
    rng = np.random.default_rng(seed)
    n = len(names)
    return Predictions(
        recordings=np.array(names, dtype=np.str_),
        subjects=np.array([f"of {name}" for name in names], dtype=np.str_),
        samples=np.sort(rng.integers(0, 10_000, n)),
        fs=np.full(n, 250.0),
        log_probabilities=log_softmax(rng.normal(size=(n, len(classes))), axis=1).astype(np.float32),
        classes=classes,
    )


NAMES = st.lists(st.sampled_from(["a", "b", "a/100", 'quo"te', "co,mma"]), max_size=12)


@given(names=NAMES, seed=st.integers(0, 50))
def test_probabilities_sum_to_one_and_the_label_is_the_most_probable(names: list[str], seed: int) -> None:
    said = predictions(names, seed=seed)
    np.testing.assert_allclose(said.probabilities.sum(axis=1), np.ones(len(names)), atol=1e-5)
    assert said.index.tolist() == said.probabilities.argmax(axis=1).tolist()
    assert said.labels.tolist() == [said.classes[k] for k in said.index]
    np.testing.assert_allclose(said.times_s * 250, said.samples)


@given(names=NAMES, seed=st.integers(0, 50))
def test_the_table_holds_every_row(names: list[str], seed: int) -> None:
    said = predictions(names, seed=seed)
    rows = list(csv.DictReader(io.StringIO(said.csv_rows())))
    assert [row["recording"] for row in rows] == names
    assert [int(row["sample"]) for row in rows] == said.samples.tolist()
    assert [row["label"] for row in rows] == said.labels.tolist()
    for row, time_s, probabilities in zip(rows, said.times_s, said.probabilities, strict=True):
        assert float(row["time_s"]) == pytest.approx(time_s, abs=5e-5)
        assert [float(row[f"p_{name}"]) for name in said.classes] == pytest.approx(probabilities.tolist(), abs=5.1e-5)
    assert said.csv_rows() == said.csv_rows().splitlines(keepends=True)[0] + said.csv_rows(header=False)


def test_the_file_is_the_table(tmp_path: Path) -> None:
    said = predictions(["ä", "b"])
    said.to_csv(tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_bytes().decode("utf-8") == said.csv_rows()


@given(names=NAMES)
def test_rows_of_one_recording_and_back(names: list[str]) -> None:
    said = predictions(names)
    for name in set(names):
        part, marks = said.of(name), said.annotations(name)
        assert set(part.recordings.tolist()) == {name}
        assert len(part) == len(marks) == names.count(name)
        assert marks.starts.tolist() == marks.stops.tolist() == part.samples.tolist()
        assert marks.labels.tolist() == part.labels.tolist()
    if names:
        order = sorted(set(names), key=names.index)
        joined = Predictions.concatenate([said.of(name) for name in order])
        assert len(joined) == len(said)
        assert joined.csv_rows() == "".join(said.of(n).csv_rows(header=k == 0) for k, n in enumerate(order))


def test_an_unknown_recording_has_no_rows() -> None:
    assert len(predictions(["a"]).of("b")) == len(predictions(["a"]).annotations("b")) == 0


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(DataError, match=r"predictions of classes \('N', 'S', 'V'\) and \('N', 'V', 'S'\)"):
        Predictions.concatenate([predictions(["a"]), predictions(["b"], classes=("N", "V", "S"))])
    with pytest.raises(DataError, match="no predictions to put together"):
        Predictions.concatenate([])
    whole = vars(predictions(["a", "b"]))
    with pytest.raises(DataError, match=r"log_probabilities must be \(2, 3\), got \(2, 2\)"):
        Predictions(**{**whole, "log_probabilities": np.zeros((2, 2))})
    with pytest.raises(DataError, match=r"one of each for every row, got .*'subjects': 1"):
        Predictions(**{**whole, "subjects": np.array(["x"])})


def test_rows_are_read_only() -> None:
    said = predictions(["a"])
    with pytest.raises(ValueError, match="read-only"):
        said.log_probabilities[0, 0] = 0.0


def test_shown_as_counts() -> None:
    said = predictions(["a", "a", "<b>"])
    assert repr(said).startswith("Predictions(3 in 2 recordings: ")
    html = said._repr_html_()
    assert "<th>recording</th><th>N</th><th>S</th><th>V</th>" in html
    assert "&lt;b&gt;" in html
    assert "<td><b></td>" not in html
    assert "and 5 more" in predictions([f"r{k:02d}" for k in range(25)])._repr_html_()
