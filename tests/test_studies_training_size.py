"""The study of how many patients each cell needs: equal sizes, nobody tested who teaches, verdicts from figures."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from biosig_lstm import datasets, studies
from biosig_lstm.containers import Windows
from biosig_lstm.datasets import cinc2017
from biosig_lstm.errors import DataError
from biosig_lstm.models import CELLS, BiLSTM
from biosig_lstm.recipes import recipe_for
from biosig_lstm.studies import StudyOptions, Table, training_size
from biosig_lstm.studies._equal_size import equal_models, parameter_count
from biosig_lstm.studies._rhythms import COLUMNS, MOST_BEATS, first_steps, made_rhythms, read_rhythms
from biosig_lstm.studies.training_size import STUDY, TrainingSizeSettings, learning_subjects, mean_f1

SMALL = TrainingSizeSettings(patients=(5, 20), draws=2, tuned_on=20, made=60, rates=(1e-2, 1e-3))


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("units", [32, 64])
def test_cells_have_the_parameters_of_the_lstm_within_three_in_a_hundred(units: int, layers: int) -> None:
    sizes = {"n_features": 26, "n_outputs": 4}
    models = equal_models(BiLSTM(units, num_layers=layers, pooling="mean"), **sizes)
    counts = {cell: parameter_count(model, **sizes) for cell, model in models.items()}
    assert tuple(models) == CELLS
    assert models["lstm"].hidden_size == units
    assert {cell: count / counts["lstm"] for cell, count in counts.items()} == pytest.approx(
        dict.fromkeys(CELLS, 1.0), abs=0.03
    )


def test_the_mean_f1_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, said = rng.integers(0, 4, (2, 200))
    counts = np.zeros((4, 4))
    np.add.at(counts, (truth, said), 1)
    assert mean_f1(counts) == pytest.approx(f1_score(truth, said, labels=[0, 1, 2], average="macro"))


def test_fewer_patients_are_among_more() -> None:
    subjects = np.array([f"p{k}" for k in range(40)] * 2)
    few, more, most = learning_subjects(subjects, (3, 10, 40), seed=1)
    assert set(few) < set(more) < set(most) == set(subjects.tolist())
    assert few != learning_subjects(subjects, (3,), seed=2)[0]
    with pytest.raises(DataError, match="41 patients to learn from are needed beside those tested, there are 40"):
        learning_subjects(subjects, (3, 41), seed=1)


class _Recorded:
    """Stands in for a trained model: answers by chance, and says whom it was shown."""

    history = (SimpleNamespace(epochs=({"epoch": 0, "val_loss": 1.0},)),)

    def __init__(self, windows: Windows, tested: list[set[str]]) -> None:
        self.seen = set(windows.subjects.tolist())
        self.tested = tested

    def check_unseen(self, test: Windows) -> None:
        assert not self.seen & set(test.subjects.tolist())

    def predict(self, test: Windows) -> SimpleNamespace:
        self.tested.append(set(test.subjects.tolist()))
        return SimpleNamespace(index=np.random.default_rng(0).integers(0, 3, len(test)))


def test_the_same_patients_are_tested_in_every_run_and_teach_in_none(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[int, float]] = []
    tested: list[set[str]] = []

    def recorded(*given: Any, rate: float, draw: int) -> _Recorded:
        shown.append((len(given[3]), rate))
        return _Recorded(given[3], tested)

    monkeypatch.setattr(training_size, "_trained", recorded)
    result = STUDY.run(StudyOptions(), settings=SMALL)
    assert shown[:8] == [(20, 1e-2), (20, 1e-3)] * 4  # what rates are chosen by
    assert [n for n, _ in shown[8:]] == [5] * 8 + [20] * 8
    assert len(tested) == 16
    assert all(each == tested[0] for each in tested)
    assert len(tested[0]) == 12
    assert set(result.measured.numbers("minus_lstm")) == {0.0}  # all answer alike
    assert {claim.verdict for claim in result.claims} <= {"not decided", "does not hold"}


def rows_of(differences: dict[tuple[str, int], tuple[float, float]]) -> Table:
    """Return rows in which each cell is so far from the LSTM in two draws, with narrow intervals."""
    rows = []
    for n in (30, 100, 3000):
        for cell in CELLS:
            each = differences.get((cell, n), (0.0, 0.0))
            for draw, more in (("0", each[0]), ("1", each[1]), ("all", sum(each) / 2)):
                score = 0.5 + more
                f1 = (score, score - 0.01, score + 0.01)
                rows.append((n, draw, cell, 8, 1e-3, *f1, *[score] * 3, more, more - 0.01, more + 0.01, 1.0))
    return Table(STUDY.columns, tuple(rows))


def verdicts(measured: Table) -> dict[str, str]:
    return {claim.claimed: claim.verdict for claim in STUDY.conclude(TrainingSizeSettings(), measured).claims}


def test_verdicts_follow_from_the_figures() -> None:
    gru, needs = "With few patients a GRU does better than an LSTM", "A Transformer needs more data than an LSTM"
    ahead = {("gru", 30): (0.1, 0.05), ("gru", 100): (0.1, 0.05)}
    assert verdicts(rows_of(ahead))[gru] == "holds"
    assert verdicts(rows_of(ahead | {("gru", 100): (0.0, 0.0)}))[gru] == "holds in part"
    assert verdicts(rows_of({("gru", 30): (0.1, -0.01), ("gru", 100): (0.1, -0.01)}))[gru] == "not decided"
    assert verdicts(rows_of({("gru", 30): (-0.1, -0.05)}))[gru] == "does not hold"
    assert verdicts(rows_of({}))[gru] == "does not hold"  # surely within the margin
    assert verdicts(rows_of({("gru", 30): (0.025, -0.001)}))[gru] == "does not hold"
    plain = "Plain recurrent units do worse than an LSTM"
    assert verdicts(rows_of({("rnn", 30): (-0.1, 0.02), ("rnn", 3000): (0.1, 0.05)}))[plain] == "does not hold"
    assert verdicts(rows_of({("rnn", 30): (-0.1, -0.05), ("rnn", 3000): (0.1, 0.05)}))[plain] == "holds in part"
    assert verdicts(rows_of({("transformer", 30): (-0.2, -0.1)}))[needs] == "holds"
    assert verdicts(rows_of({("transformer", 3000): (-0.2, -0.1)}))[needs] == "does not hold"
    assert verdicts(rows_of({("transformer", 30): (-0.1, -0.1), ("transformer", 3000): (-0.085, -0.085)}))[needs] == (
        "not decided"  # less behind, but the intervals overlap
    )
    assert verdicts(rows_of({("transformer", 30): (-0.1, 0.02)}))[needs] == "not decided"  # draws disagree
    assert (
        verdicts(rows_of({("transformer", 3000): (0.2, 0.1)}))["With many patients a Transformer overtakes an LSTM"]
        == "holds"
    )


def test_a_quick_run_says_the_same_for_a_seed() -> None:
    smallest = TrainingSizeSettings(
        patients=(8, 16), draws=1, units=4, epochs=1, updates=2, batch_size=8, rates=(1e-2,), tuned_on=16, made=40
    )
    first, again = (STUDY.run(StudyOptions(seed=3), settings=smallest).measured for _ in range(2))
    assert [row[:-1] for row in first.rows] == [row[:-1] for row in again.rows]
    assert first.values("cell") == list(CELLS)


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cinc2017"):
        studies.run("training-size", data=tmp_path)


def test_recordings_are_sequences_of_waves_and_intervals(tmp_path: Path) -> None:
    cinc2017.write_sample(tmp_path)
    windows = read_rhythms(tmp_path)
    whole = recipe_for("cinc2017").pipeline(datasets.get("cinc2017", tmp_path).recordings())
    assert tuple(windows.columns) == COLUMNS
    assert windows.lengths.max() <= MOST_BEATS
    assert windows.lengths.tolist() == np.minimum(whole.lengths, MOST_BEATS).tolist()
    np.testing.assert_array_equal(windows.y, whole.y)
    first = list(whole.columns).index("beat[105]")
    np.testing.assert_allclose(windows.item(1)[:, 21], whole.item(1)[:MOST_BEATS, first : first + 5].mean(1), rtol=1e-5)
    rr = list(whole.columns).index("rr_after")
    np.testing.assert_array_equal(windows.item(0)[:, COLUMNS.index("rr_after")], whole.item(0)[:MOST_BEATS, rr])


def test_items_are_cut_from_their_start() -> None:
    windows = made_rhythms(9, seed=0)
    cut = first_steps(windows, 25)
    assert cut.lengths.tolist() == np.minimum(windows.lengths, 25).tolist()
    for k in range(9):
        np.testing.assert_array_equal(cut.item(k), windows.item(k)[:25])


def test_rhythms_made_by_rule_differ_as_their_names_say() -> None:
    windows = made_rhythms(60, seed=0)
    assert windows == made_rhythms(60, seed=0)
    assert windows != made_rhythms(60, seed=1)
    assert windows.class_counts() == {"N": 20, "A": 20, "O": 20, "~": 0}
    spread = np.array([windows.item(k)[:, COLUMNS.index("rr_before")].std() for k in range(60)]).reshape(20, 3)
    assert spread[:, 0].max() < spread[:, 1].min()
