"""PTB-XL: layout and labels against wfdb and the benchmark's own code, folds, bad rows, and a model end to end."""

from __future__ import annotations

import ast
import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import wfdb
from sklearn.metrics import roc_auc_score

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.datasets import ptbxl
from biosig_lstm.datasets.ptbxl import LEADS, STATEMENTS, TASKS, PtbXl, task_classes, task_labels
from biosig_lstm.errors import BiosigWarning, DataError, LeakageError, ParameterError
from biosig_lstm.estimators import MultiLabelClassifier
from biosig_lstm.models import ConvBiLSTM
from biosig_lstm.recipes import recipe_for, train_recipe
from biosig_lstm.scoring import evaluate_protocol

COUNTS = dict(zip(TASKS, (71, 44, 23, 5, 19, 12), strict=True))
Row = dict[str, str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ptbxl")
    ptbxl.write_sample(folder)
    return folder


def table(root: Path) -> list[Row]:
    with (root / "ptbxl_database.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def changed(root: Path, tmp_path: Path) -> Callable[..., PtbXl]:
    """Return the database with some cells of its table changed, by row, its records linked."""

    def change(cells: dict[int, Row], **settings: object) -> PtbXl:
        rows = table(root)
        for number, new in cells.items():
            rows[number].update(new)
        for name in ("records100", "records500"):
            (tmp_path / name).symlink_to(root / name)
        shutil.copy(root / "scp_statements.csv", tmp_path)
        with (tmp_path / "ptbxl_database.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        found = datasets.get("ptbxl", tmp_path, **settings)
        assert isinstance(found, PtbXl)
        return found

    return change


def opened(root: Path, **settings: object) -> PtbXl:
    found = datasets.get("ptbxl", root, **settings)
    assert isinstance(found, PtbXl)
    return found


# ---- Statements and tasks


def test_tasks_have_as_many_labels_as_the_benchmark():
    assert {task: len(task_classes(task)) for task in TASKS} == COUNTS
    assert set(task_classes("all")) == set(STATEMENTS)
    kinds = [set(task_classes(task)) for task in ("diagnostic", "form", "rhythm")]
    assert set.union(*kinds) == set(STATEMENTS)
    assert kinds[0] & kinds[1] == {"NDT", "NST_", "DIG", "LNGQT"}
    assert not kinds[2] & (kinds[0] | kinds[1])


def test_the_card_says_the_same_as_the_table_of_statements():
    card = datasets.card("ptbxl")
    assert list(card.protocols) == [f"ptbxl-{task}" for task in TASKS]
    for task in TASKS:
        plan = card.protocols[f"ptbxl-{task}"]
        assert plan.classes == task_classes(task)
        assert (plan.task, plan.settings) == ("multilabel", {"task": task})
        assert plan.folds == {"train": (1, 2, 3, 4, 5, 6, 7, 8), "val": (9,), "test": (10,)}
    assert {code: card.symbols[code] for code in STATEMENTS} == {k: v.description for k, v in STATEMENTS.items()}
    assert set(card.classes) == set(card.symbols) == set().union(*map(task_classes, TASKS))


def benchmark_labels(codes: list[str], task: str, statements: list[Row]) -> set[str]:
    """Return what `compute_label_aggregations` of helme/ecg_ptbxl_benchmarking gives, in its own terms."""
    held = {row[""]: row for row in statements}
    if task == "all":
        return set(codes)
    if task in ("form", "rhythm"):
        return {code for code in codes if held[code][task] == "1.0"}
    diagnostic = [held[code] for code in codes if held[code]["diagnostic"] == "1.0"]
    column = {"diagnostic": "", "subdiagnostic": "diagnostic_subclass", "superdiagnostic": "diagnostic_class"}[task]
    return {row[column] for row in diagnostic if row[column]}


@pytest.mark.parametrize("task", TASKS)
def test_labels_are_those_of_the_benchmark(root: Path, task: str):
    with (root / "scp_statements.csv").open(encoding="utf-8", newline="") as file:
        statements = list(csv.DictReader(file))
    rng = np.random.default_rng(0)
    for _ in range(50):
        codes = rng.choice(list(STATEMENTS), size=rng.integers(0, 9), replace=False).tolist()
        assert set(task_labels(codes, task)) == benchmark_labels(codes, task, statements)
    expected = {f"{int(row['ecg_id']):05d}": list(ast.literal_eval(row["scp_codes"])) for row in table(root)}
    labels = {record: benchmark_labels(codes, task, statements) for record, codes in expected.items()}
    data = opened(root, task=task)
    found = {recording.id: set(recording.annotations.labels.tolist()) for recording in data.recordings()}
    assert found == {record: held for record, held in labels.items() if held}
    assert data.classes == task_classes(task)


def test_several_codes_of_one_class_are_one_label():
    assert task_labels(["ASMI", "IMI", "LVH", "SR"], "superdiagnostic") == ["MI", "HYP"]
    assert task_labels(["SR", "no code"], "all") == ["SR"]


# ---- Records


@pytest.mark.parametrize(("rate_hz", "end"), [(100, "lr"), (500, "hr")])
def test_records_are_those_that_wfdb_reads(root: Path, rate_hz: int, end: str):
    data = opened(root, rate_hz=rate_hz)
    recording = next(data.recordings("01001"))
    signals, fields = wfdb.rdsamp(str(root / f"records{rate_hz}" / "01000" / f"01001_{end}"))
    np.testing.assert_array_equal(recording.signals, signals.T.astype(np.float32))
    assert (recording.fs, recording.channels, recording.n_samples) == (rate_hz, LEADS, rate_hz * 10)
    assert fields["sig_name"] == list(LEADS)
    assert set(recording.units) == {"mV"}


def test_both_rates_show_the_same_recording(root: Path):
    slow, fast = (next(opened(root, rate_hz=rate).recordings("00002")) for rate in (100, 500))
    agreement = [np.corrcoef(a, b[::5])[0, 1] for a, b in zip(slow.signals, fast.signals, strict=True)]
    assert min(agreement) > 0.95
    assert slow.annotations.labels.tolist() == fast.annotations.labels.tolist()


def test_every_label_is_an_annotation_of_the_whole_that_names_its_statements(root: Path):
    recording = next(opened(root, task="superdiagnostic").recordings("00005"))
    marks = recording.annotations
    assert marks.labels.tolist() == ["MI", "STTC"]
    assert (marks.starts.tolist(), marks.stops.tolist()) == ([0, 0], [1000, 1000])
    assert marks.notes.tolist() == ["ASMI=15", "NDT=100"]


def test_subjects_are_patients_and_facts_are_the_rows(root: Path):
    data, rows = opened(root), table(root)
    assert data.subjects["00009"] == data.subjects["00010"] == "15709"
    assert len(set(data.subjects.values())) == 39
    assert data.facts()["00003"] == rows[2]


def test_folds_hold_every_record_once_and_patients_whole(root: Path):
    data = opened(root)
    folds = [set(data.fold(number)) for number in range(1, 11)]
    assert set.union(*folds) == set(data.record_names)
    assert sum(map(len, folds)) == len(data) == 40
    assert data.fold(3, 10) == tuple(sorted(folds[2] | folds[9]))
    people = [{data.subjects[record] for record in fold} for fold in folds]
    assert sum(map(len, people)) == len(set.union(*people))
    with pytest.raises(ParameterError, match="folds are 1 to 10, got 11"):
        data.fold(11)


@pytest.mark.parametrize("task", TASKS)
def test_a_protocol_trains_on_eight_folds_and_tests_on_the_tenth(root: Path, task: str):
    data, plan = opened(root, task=task), datasets.get_protocol(f"ptbxl-{task}")
    assert not plan.open
    assert "train folds 1 2 3 4 5 6 7 8, val fold 9, test fold 10" in repr(plan)
    found = data.resolve(plan)
    assert (found.train, found.val, found.test) == (data.fold(*range(1, 9)), data.fold(9), data.fold(10))
    assert all((found.train, found.val, found.test))
    assert data.records_of(plan, "test") == found.test
    assert f"train {len(found.train)} records, val {len(found.val)}, test {len(found.test)}" in repr(found)


def test_files_to_fetch_are_those_of_both_rates():
    assert PtbXl.stems_of("21837") == ("records100/21000/21837_lr", "records500/21000/21837_hr")
    assert PtbXl.stems_of("records100") == ("records100",)


# ---- What is wrong with it


def test_settings_that_do_not_exist_are_refused(root: Path):
    with pytest.raises(ParameterError, match=r"task 'super'; .*possible: all, diagnostic, form, rhythm, subdiagnostic"):
        opened(root, task="super")
    with pytest.raises(ParameterError, match="rate_hz must be 100 or 500, got 250"):
        opened(root, rate_hz=250)
    with pytest.raises(ParameterError, match="ptbxl: setting 'rate'; did you mean 'rate_hz'"):
        opened(root, rate=100)


def test_a_folder_without_the_table_is_named(tmp_path: Path):
    with pytest.raises(
        DataError, match=rf"ptbxl: no ptbxl_database\.csv in {tmp_path}; it comes from https://physionet"
    ):
        opened(tmp_path).recordings()


def test_a_folder_without_the_statements_is_named(root: Path, tmp_path: Path):
    shutil.copy(root / "ptbxl_database.csv", tmp_path)
    with pytest.raises(DataError, match=r"scp_statements\.csv: no readable table of statements"):
        opened(tmp_path).recordings()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("ptbxl_database.csv", "ecg_id,age\n1,50\n", "lacks the columns patient_id, scp_codes, .*; it has ecg_id, age"),
        ("ptbxl_database.csv", "", "lacks the columns ecg_id, .*; it has none"),
        ("ptbxl_database.csv", "\udcff", "no readable table"),
        ("scp_statements.csv", "code,description\n", "lacks the columns diagnostic, .*; it has code, description"),
    ],
)
def test_a_table_of_other_columns_is_named(changed: Callable[..., PtbXl], name: str, text: str, message: str):
    data = changed({})
    (data.root / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=f"{name}: {message}"):
        len(data)


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"scp_codes": "{'NORM': 100.0"}, r"scp_codes must be a dictionary of codes and likelihoods, got \"{'NORM'"),
        ({"scp_codes": "['NORM']"}, "scp_codes must be a dictionary"),
        ({"scp_codes": "{1: 2}"}, "scp_codes must be a dictionary"),
        ({"scp_codes": "{'NORM': 'yes'}"}, "likelihoods in scp_codes must be numbers"),
        ({"scp_codes": "__import__('os').mkdir('harm')"}, "scp_codes must be a dictionary"),
        ({"scp_codes": "(" * 4000}, "scp_codes must be a dictionary"),
        ({"patient_id": ""}, "patient_id must be a number, got ''"),
        ({"patient_id": "1.5"}, r"patient_id must be a whole number, got '1\.5'"),
        ({"ecg_id": "nan"}, "ecg_id must be a whole number, got 'nan'"),
        ({"ecg_id": "1"}, "a second row of ecg_id 1"),
        ({"strat_fold": "11"}, "strat_fold must be 1 to 10, got 11"),
        ({"filename_lr": "../../etc/passwd"}, "filename_lr must be a path below the root"),
        ({"filename_hr": "/etc/passwd"}, "filename_hr must be a path below the root"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_left_out(
    changed: Callable[..., PtbXl], monkeypatch: pytest.MonkeyPatch, cells: Row, message: str
):
    data = changed({6: cells})
    monkeypatch.chdir(data.root)
    with pytest.warns(BiosigWarning, match=rf"ptbxl_database\.csv: line 8: {message}.*left out"):
        names = data.record_names
    assert len(names) == 39
    assert "00007" not in names
    assert not (data.root / "harm").exists()
    assert len(list(data.recordings())) == 39


def test_many_bad_rows_are_one_warning(changed: Callable[..., PtbXl]):
    data = changed({number: {"scp_codes": "?"} for number in range(9)})
    with pytest.warns(BiosigWarning, match=r"line 2: .*; line 6: .* and 4 more, left out") as caught:
        assert len(data) == 31
    assert len(caught) == 1


def test_a_code_that_no_statement_explains_is_named_and_left_out(changed: Callable[..., PtbXl]):
    data = changed({0: {"scp_codes": "{'NORM': 100.0, 'XYZ': 0.0}"}, 1: {"scp_codes": "{'XYZ': 50.0}"}})
    message = r"codes that scp_statements\.csv does not explain, left out: XYZ \(2 records\)"
    with pytest.warns(BiosigWarning, match=message):
        assert "00002" not in data.record_names
    assert next(data.recordings("00001")).annotations.labels.tolist() == ["NORM"]


def test_statements_that_were_changed_are_named_and_not_believed(changed: Callable[..., PtbXl]):
    data = changed({}, task="diagnostic")
    path = data.root / "scp_statements.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("SR,sinus rhythm,,,1.0,,", "SR,sinus rhythm,1,,1,ARR,SR"), encoding="utf-8")
    with pytest.warns(BiosigWarning, match=r"scp_statements\.csv differs from version 1\.0\.3 in SR: the published"):
        labels = {label for one in data.recordings() for label in one.annotations.labels.tolist()}
    assert "SR" not in labels


def test_a_record_whose_files_are_absent_is_reported_and_skipped(root: Path, tmp_path: Path):
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("records100/00000/00003_lr.*"):
        path.unlink()
    data = opened(tmp_path)
    assert data.absent == ("00003",)
    assert "39 records, 1 absent" in repr(data)
    assert "00003" not in {recording.id for recording in data.recordings()}
    assert "00003" in opened(tmp_path, rate_hz=500).record_names
    with pytest.raises(ParameterError, match="ptbxl: record '00003'"):
        data.recordings(["00003"])


# ---- A model, end to end


@pytest.fixture(scope="module")
def trained(root: Path) -> MultiLabelClassifier:
    """Return a small network of the recipe's kind, trained on folds 1 to 8 and validated on fold 9."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    recipe = recipe_for("ptbxl-superdiagnostic")
    small = replace(
        recipe,
        members=1,
        model=ConvBiLSTM(channels=(8, 16), kernels=(7, 5), strides=(2, 2), hidden_size=12, dropout=0.1),
        settings=replace(
            recipe.settings, max_epochs=30, batch_size=8, learning_rate=1e-2, average_decay=0.9, device="cpu"
        ),
    )
    data = opened(root, task="superdiagnostic")
    model = train_recipe(
        small,
        data.recordings(data.fold(*range(1, 9))),
        val=data.recordings(data.fold(9)),
        protocol="ptbxl-superdiagnostic",
        progress=False,
    )
    torch.set_num_threads(threads)
    assert isinstance(model, MultiLabelClassifier)
    return model


def test_the_recipe_learns_what_the_signals_show(root: Path, trained: MultiLabelClassifier):
    data = opened(root, task="superdiagnostic")
    seen = trained.predict(data.recordings(data.fold(*range(1, 9))))
    windows = trained.pipeline(data.recordings(data.fold(*range(1, 9))))
    held = [k for k, name in enumerate(trained.classes) if name in ("HYP", "MI", "NORM", "STTC")]
    assert windows.y is not None
    assert roc_auc_score(windows.y[:, held], seen.probabilities[:, held]) > 0.9
    assert trained.training is not None
    assert set(data.fold(9)) < set(trained.training.recordings)
    assert not set(data.fold(10)) & set(trained.training.recordings)
    with pytest.raises(LeakageError, match="trained on"):
        trained.evaluate(data.recordings(data.fold(9)))


def test_the_protocol_scores_the_tenth_fold(root: Path, trained: MultiLabelClassifier):
    found = evaluate_protocol(trained, root=root)
    data = opened(root, task="superdiagnostic")
    assert found.recordings == data.fold(10)
    assert found.seen_in_training == found.absent == ()
    truth = trained.pipeline(data.recordings(data.fold(10))).y
    said = trained.predict(data.recordings(data.fold(10)))
    assert truth is not None
    held = truth.any(axis=0) & ~truth.all(axis=0)
    expected = roc_auc_score(truth[:, held], said.probabilities[:, held])
    assert found.scores["macro_auc"].value == pytest.approx(expected)
    np.testing.assert_allclose(found.predictions.probabilities, said.probabilities, atol=1e-5)
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["thresholds"] == dict(zip(trained.classes, trained.thresholds, strict=True))


def test_other_rates_and_names_of_leads_are_brought_into_line(root: Path, trained: MultiLabelClassifier):
    (slow,) = opened(root).recordings("00003")
    (fast,) = opened(root, rate_hz=500).recordings("00003")
    renamed = replace(fast, channels=[name.replace("AV", "aV") for name in fast.channels])
    one, other = (trained.predict(each).probabilities for each in (slow, renamed))
    np.testing.assert_allclose(one, other, atol=0.1)


def test_absent_and_damaged_test_records_are_reported(root: Path, tmp_path: Path, trained: MultiLabelClassifier):
    shutil.copytree(root, tmp_path, dirs_exist_ok=True)
    names = opened(root, task="superdiagnostic").fold(10)
    files = {name: next(tmp_path.glob(f"records100/*/{name}_lr.hea")) for name in names}
    files[names[0]].unlink()
    files[names[1]].with_suffix(".dat").write_bytes(b"")
    found = evaluate_protocol(trained, root=tmp_path)
    assert found.absent == (names[0],)
    assert [failure.path for failure in found.failed] == [names[1]]
    assert found.recordings == names[2:]


def test_the_commands_train_score_and_classify(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], trained: MultiLabelClassifier
):
    file = tmp_path / "m.biosig"
    assert main(["train", "ptbxl-rhythm", "--data", str(root), "--out", str(file), "--max-epochs", "1"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(file), "--data", str(root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["protocol"], said["recordings"]) == ("ptbxl-rhythm", list(opened(root).fold(10)))
    assert 0 <= said["metrics"]["macro_auc"]["value"] <= 1
    assert said["metrics"]["auc_AFIB"]["value"] is None
    trained.save(file)
    wanted = str(root / "records500" / "00000" / "00003_hr")
    assert main(["classify", str(file), wanted, "--out", str(tmp_path / "out")]) == 0
    with (tmp_path / "out" / "predictions.csv").open(encoding="utf-8", newline="") as csv_file:
        (row,) = csv.DictReader(csv_file)
    assert row["recording"] == "00003_hr"
    assert set(row) >= {"label", "p_MI", "p_NORM"}
