"""The command line: what stands on stdout and what on stderr, exit codes, and how little --help loads."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.estimators import StepClassifier, load
from biosig_lstm.formats.wfdb import read_annotations

Captured = pytest.CaptureFixture[str]
SAMPLE = datasets.get("sample").root
HEAVY = ("torch", "lightning", "mne", "scipy", "numba", "numpy", "matplotlib", "rich", "wfdb", "safetensors")


def run(*arguments: str, code: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "biosig_lstm", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "200"})


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["train", "--help"], ["classify", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        "from biosig_lstm.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as end:\n"
        "    sys.stderr.write(f'code {end.code}\\n')\n"
        f"sys.stderr.write(' '.join(m for m in sys.modules if m.split('.')[0] in {HEAVY!r}))\n"
    )
    done = run(code=code)
    assert done.stderr.splitlines() == ["code 0"]
    assert "biosig-lstm" in done.stdout


def test_help_names_the_commands_and_exit_codes(capsys: Captured) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = " ".join(capsys.readouterr().out.split())
    for word in ("info", "train", "evaluate", "classify", "0 all well", "1 some inputs failed", "2 wrong usage"):
        assert word in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["guess"], "invalid choice: 'guess'"),
        (["info"], "the following arguments are required: PATH"),
        (["classify", "m.biosig", "r"], "the following arguments are required: --out"),
        (["evaluate"], "the following arguments are required: MODEL"),
        (["train", "sample-aami", "--data", "d", "--out", "o", "--max-epochs", "0"], "whole number of at least 1"),
        (["train", "sample-aami", "--data", "d", "--out", "o", "--max-epochs", "many"], "got 'many'"),
        (["train", "sample-aami", "--data", "d", "--out", "o", "--device", "tpu"], "invalid choice: 'tpu'"),
        (
            ["train", "sample-aami", "--data", "d", "--out", "o", "--seed", "x"],
            "argument --seed: must be a whole number",
        ),
        (["train", "sample-aami", "--data", "d", "--out", "o", "--seed", "-1"], "whole number of at least 0"),
    ],
)
def test_wrong_usage_is_2_and_says_what(arguments: list[str], message: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""


def test_a_process_ends_with_the_same_codes(tmp_path: Path) -> None:
    done = run("train", "sample-ami", "--data", str(SAMPLE), "--out", str(tmp_path / "m.biosig"))
    assert done.returncode == 2
    assert "'sample-ami'; did you mean 'sample-aami'?" in done.stderr
    assert done.stdout == ""
    done = run("info", str(SAMPLE / "s01"), str(tmp_path / "gone"))
    assert done.returncode == 1
    assert "MLII (mV), V1 (mV)" in done.stdout
    assert "gone: no such file or record" in done.stderr


@pytest.mark.parametrize(
    ("out", "message"),
    [
        ("gone/m.biosig", r"the folder .*gone does not exist; make it first"),
        (".", r"it is a folder; name a file, such as"),
        ("file/m.biosig", r"the folder .*file does not exist"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_training(
    out: str, message: str, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("biosig_lstm.recipes.train_protocol", lambda *_, **__: pytest.fail("trained"))
    (tmp_path / "file").write_text("")
    assert main(["train", "sample-aami", "--data", str(SAMPLE), "--out", str(tmp_path / out)]) == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_folder_that_takes_no_files_is_refused_before_training(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("needs a folder that nobody can write to")
    monkeypatch.setattr("biosig_lstm.recipes.train_protocol", lambda *_, **__: pytest.fail("trained"))
    assert main(["train", "sample-aami", "--data", str(SAMPLE), "--out", "/proc/m.biosig"]) == 2
    assert "cannot write /proc/m.biosig" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["classify", "evaluate"])
def test_an_out_folder_that_is_a_file_is_refused_before_work(
    command: str, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    taken = tmp_path / "taken"
    taken.write_text("precious")
    rest = [str(SAMPLE / "s06")] if command == "classify" else ["--data", str(SAMPLE)]
    assert main([command, str(model_file), *rest, "--out", str(taken)]) == 2
    assert f"cannot write results to {taken}: it is a file; name a folder" in capsys.readouterr().err
    assert taken.read_text() == "precious"


def test_train_writes_a_model_that_the_other_commands_take(tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "new.biosig"
    command = ["train", "sample-aami", "--data", str(SAMPLE), "--out", str(out), "--max-epochs", "1", "--device", "cpu"]
    assert main([*command, "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: StepClassifier(")
    assert "train_loss" in said.err
    model = load(out)
    assert model.training is not None
    assert (model.training.settings["seed"], model.training.settings["max_epochs"]) == (3, 1)
    assert model.card["protocol"] == "sample-aami"
    assert main(["info", str(out)]) == 0
    assert "trained on   5 subjects" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["new.biosig"]


def test_train_is_decided_by_the_seed(tmp_path: Path, capsys: Captured) -> None:
    files = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        files.append(tmp_path / f"{name}.biosig")
        rest = ["--data", str(SAMPLE), "--max-epochs", "1", "--device", "cpu", "--seed", seed]
        assert main(["train", "sample-aami", *rest, "--out", str(files[-1])]) == 0
    a, b, c = (path.read_bytes() for path in files)
    assert a == b
    assert a != c


def test_train_goes_on_with_its_log_but_not_under_another_seed(tmp_path: Path, capsys: Captured) -> None:
    rest = ["--data", str(SAMPLE), "--max-epochs", "2", "--device", "cpu", "--log", str(tmp_path / "log")]
    for name in ("a", "b"):
        assert main(["train", "sample-aami", *rest, "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "log" / "metrics.csv").is_file()
    capsys.readouterr()
    assert main(["train", "sample-aami", *rest, "--out", str(tmp_path / "c"), "--seed", "1"]) == 2
    assert "holds a run with another seed: it cannot be gone on with" in capsys.readouterr().err


def test_a_gpu_that_is_not_there_is_a_message(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    rest = ["--data", str(SAMPLE), "--out", str(tmp_path / "m"), "--device", "cuda"]
    assert main(["train", "sample-aami", *rest]) == 2
    assert "device cuda: torch finds no GPU here; device auto or cpu" in capsys.readouterr().err


def test_train_says_that_no_record_is_there(tmp_path: Path, capsys: Captured) -> None:
    out = str(tmp_path / "m.biosig")
    assert main(["train", "sample-aami", "--data", str(tmp_path), "--out", out]) == 1
    assert "none of its 5 training records is in" in capsys.readouterr().err
    assert main(["train", "sample-aami", "--data", str(tmp_path / "gone"), "--out", out]) == 1
    assert "is not in" in capsys.readouterr().err


def test_evaluate_json_is_one_object_and_its_numbers_are_right(
    beats_model: StepClassifier, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "scores"
    assert main(["evaluate", str(model_file), "--data", str(SAMPLE), "--json", "--out", str(out)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["model"] == "beats"
    assert said["protocol"] == "sample-aami"
    assert said["recordings"] == ["s06", "s07", "s08"]
    assert said["subjects"] == 3
    assert said["seen_in_training"] == said["absent"] == said["failed"] == []
    assert said["seconds"] > 0
    assert said["confusion"]["classes"] == ["N", "S", "V", "F", "Q"]
    with (out / "predictions.csv").open(newline="") as file:
        guess = [row["label"] for row in csv.DictReader(file)]
    windows = beats_model.pipeline.with_positions("annotated")(datasets.get("sample").recordings("test"))
    assert windows.y is not None
    truth = np.array(windows.classes)[windows.y].tolist()
    assert said["items"] == len(truth) == np.sum(said["confusion"]["counts"])
    for name, scorer in (("se", recall_score), ("pp", precision_score), ("f1", f1_score)):
        expected = scorer(truth, guess, labels=["N", "S", "V"], average=None, zero_division=np.nan)
        for label, value in zip("NSV", expected, strict=True):
            found = said["metrics"][f"{name}_{label}"]
            assert found["value"] == pytest.approx(value)
            assert found["low"] <= found["value"] <= found["high"]
    f1 = f1_score(truth, guess, labels=["N", "S", "V"], average="macro")
    assert said["metrics"]["mean_f1_nsv"]["value"] == pytest.approx(f1)
    assert said["metrics"]["accuracy"]["value"] == pytest.approx(np.mean(np.array(truth) == guess))
    assert said["metrics"]["se_F"]["value"] is None
    written = json.loads((out / "scores.json").read_text())
    assert {**written, "seconds": 0} == {**said, "seconds": 0}


def test_record_232_is_left_out_once_more(model_file: Path, tmp_path: Path, capsys: Captured) -> None:
    from biosig_lstm.datasets.mitdb import write_sample

    write_sample(tmp_path)
    arguments = ["--data", str(tmp_path), "--protocol", "mitdb-aami", "--json"]
    assert main(["evaluate", str(model_file), *arguments]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["recordings"] == ["202", "232"]
    assert len(said["absent"]) == 20
    plain = {name for name in said["metrics"] if not name.endswith("_without_232")}
    assert plain >= {f"{m}_{c}" for m in ("se", "pp", "f1") for c in "NSVFQ"} | {"mean_f1_nsv", "accuracy"}
    assert set(said["metrics"]) == plain | {f"{name}_without_232" for name in plain}
    held = said["per_subject"]["201+202"]
    assert said["metrics"]["se_N_without_232"]["value"] == pytest.approx(
        held["N"]["tp"] / (held["N"]["tp"] + held["N"]["fn"])
    )


def test_a_real_record_is_scored_beat_for_beat(
    model_file: Path, data_root: Callable[[str], Path], tmp_path: Path, capsys: Captured
) -> None:
    real = data_root("mitdb")
    for path in real.glob("101.*"):
        (tmp_path / path.name).symlink_to(path)
    assert main(["evaluate", str(model_file), "--data", str(tmp_path), "--protocol", "mitdb-aami", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["recordings"] == ["101"]
    assert said["seen_in_training"] == []
    assert np.sum(said["confusion"]["counts"], axis=1).tolist() == [1860, 3, 0, 0, 2]


def test_evaluate_json_in_a_process_leaves_stdout_to_the_object(model_file: Path) -> None:
    done = run("evaluate", str(model_file), "--data", str(SAMPLE), "--json")
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout)["recordings"] == ["s06", "s07", "s08"]


def test_evaluate_scores_the_records_that_are_there_and_lists_the_absent(
    model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    for path in SAMPLE.glob("s07.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main(["evaluate", str(model_file), "--data", str(tmp_path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["recordings"] == ["s07"]
    assert said["absent"] == ["s06", "s08"]
    assert main(["evaluate", str(model_file), "--data", str(tmp_path)]) == 0
    assert "absent (2): s06 s08" in capsys.readouterr().out


def test_a_score_on_training_records_is_marked(model_file: Path, tmp_path: Path, capsys: Captured) -> None:
    for path in SAMPLE.glob("s02.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main(["evaluate", str(model_file), "--data", str(tmp_path), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["seen_in_training"] == ["s02"]
    assert "no test: the model was trained on s02" in said.err
    assert main(["evaluate", str(model_file), "--data", str(tmp_path)]) == 0
    assert "NO TEST, seen in training (1): s02" in capsys.readouterr().out


def test_evaluate_by_a_protocol_that_is_not_known(model_file: Path, capsys: Captured) -> None:
    arguments = ["evaluate", str(model_file), "--data", str(SAMPLE), "--protocol", "mitdb-ami"]
    assert main(arguments) == 2
    assert "protocol 'mitdb-ami'; did you mean 'mitdb-aami'?" in capsys.readouterr().err


def test_evaluate_a_model_without_protocol_asks_for_one(
    beats_model: StepClassifier, tmp_path: Path, capsys: Captured
) -> None:
    from dataclasses import replace

    other = load_copy(beats_model, tmp_path)
    assert other.training is not None
    other.training = replace(other.training, protocol="")
    other.save(tmp_path / "m.biosig")
    assert main(["evaluate", str(tmp_path / "m.biosig"), "--data", str(SAMPLE)]) == 2
    assert re.search(r"name one to score it by; possible: .*mitdb-aami, .*sample-aami", capsys.readouterr().err)
    rest = ["--data", str(SAMPLE), "--protocol", "sample-aami"]
    assert main(["evaluate", str(tmp_path / "m.biosig"), *rest]) == 0


def load_copy(model: StepClassifier, folder: Path) -> StepClassifier:
    model.save(folder / "copy.biosig")
    return StepClassifier.load(folder / "copy.biosig")


def test_detected_beats_are_scored_against_the_annotated(model_file: Path, capsys: Captured) -> None:
    assert main(["evaluate", str(model_file), "--data", str(SAMPLE), "--json", "--detected"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["positions"] == "detected"
    assert said["confusion"]["classes"][-1] == "none"
    reference = json_of(model_file, capsys)
    true_beats = np.array(said["confusion"]["counts"])[:-1].sum()
    assert true_beats == reference["items"]


def json_of(model_file: Path, capsys: Captured) -> dict[str, object]:
    assert main(["evaluate", str(model_file), "--data", str(SAMPLE), "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_classify_writes_the_table_and_the_annotations(
    beats_model: StepClassifier, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "made" / "here"
    assert main(["classify", str(model_file), str(SAMPLE / "s06"), str(SAMPLE / "s07.dat"), "--out", str(out)]) == 0
    with (out / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["recording", "sample", "time_s", "label", "p_N", "p_S", "p_V", "p_F", "p_Q"]
    (recording,) = datasets.get("sample").recordings(["s06"])
    said = beats_model.predict(beats_model.pipeline.with_positions("detected")(recording))
    mine = [row for row in rows if row["recording"] == "s06"]
    assert [row["label"] for row in mine] == said.labels.tolist()
    assert [int(row["sample"]) for row in mine] == said.samples.tolist()
    assert [float(row["time_s"]) for row in mine] == pytest.approx((said.samples / 360).tolist(), abs=5e-5)
    got = np.array([[float(row[f"p_{name}"]) for name in "NSVFQ"] for row in mine])
    np.testing.assert_allclose(got, said.probabilities, atol=5.1e-5)
    marks = read_annotations(out / "s06", "beats")
    assert marks.sample.tolist() == said.samples.tolist()
    assert marks.symbol.tolist() == said.labels.tolist()
    assert sorted(path.name for path in out.iterdir()) == ["predictions.csv", "s06.beats", "s07.beats"]
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:2] == ["s06", str(len(mine))]


def test_the_wfdb_package_reads_the_annotations(model_file: Path, tmp_path: Path, capsys: Captured) -> None:
    wfdb = pytest.importorskip("wfdb")
    assert main(["classify", str(model_file), str(SAMPLE / "s06"), "--out", str(tmp_path)]) == 0
    marks = wfdb.rdann(str(tmp_path / "s06"), "beats")
    ours = read_annotations(tmp_path / "s06", "beats")
    assert marks.sample.tolist() == ours.sample.tolist()
    assert marks.symbol == ours.symbol.tolist()
    assert marks.fs == 360


def test_info_json_is_an_object_a_line(model_file: Path, capsys: Captured) -> None:
    assert main(["info", "--json", str(SAMPLE), str(model_file)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.get("recording") for line in lines[:8]] == [f"s0{k}" for k in range(1, 9)]
    assert lines[0]["fs_hz"] == 360.0
    assert lines[0]["length_s"] == 150.0
    assert lines[-1]["kind"] == "StepClassifier"
    assert lines[-1]["licence of the data"] == "MIT"


def test_info_on_a_folder_without_anything_says_so(tmp_path: Path, capsys: Captured) -> None:
    assert main(["info", str(tmp_path)]) == 1
    assert f"{tmp_path}: holds no recording of a known format and no model" in capsys.readouterr().err


def test_a_full_disk_is_a_message(
    model_file: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device", "scores.json")

    monkeypatch.setattr("biosig_lstm.report.write_evaluation", full)
    assert main(["evaluate", str(model_file), "--data", str(SAMPLE), "--out", str(tmp_path), "--json"]) == 1
    said = capsys.readouterr()
    assert "scores.json: No space left on device" in said.err
    assert json.loads(said.out)["subjects"] == 3


def test_a_record_s_name_is_no_markup() -> None:
    from biosig_lstm.cli._common import status

    with status("reading") as announce:
        announce("[/x]")


def test_an_interruption_is_a_message(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("biosig_lstm.recipes.train_protocol", stop)
    command = ["train", "sample-aami", "--data", str(SAMPLE), "--out", str(tmp_path / "m.biosig")]
    assert main(command) == 130
    assert "interrupted; nothing is kept, --log DIR would keep it" in capsys.readouterr().err
    assert main([*command, "--log", str(tmp_path / "log")]) == 130
    assert "interrupted; the same command goes on from here" in capsys.readouterr().err


def test_an_interrupted_training_from_a_table_promises_nothing(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("biosig_lstm.estimators.Classifier.from_table", stop)
    (tmp_path / "t.csv").write_text("path,label,subject\n", encoding="utf-8")
    assert main(["train", str(tmp_path / "t.csv"), "--out", str(tmp_path / "m.biosig")]) == 130
    assert capsys.readouterr().err == "biosig-lstm: interrupted; nothing is kept\n"


def test_a_reader_that_goes_away_is_no_error_message(model_file: Path) -> None:
    code = (
        "import os, sys\n"
        "from biosig_lstm.cli import main\n"
        "reader, writer = os.pipe()\n"
        "os.close(reader)\n"
        "os.dup2(writer, 1)\n"
        f"sys.exit(main(['info', {str(SAMPLE)!r}]))\n"
    )
    done = run(code=code)
    assert done.returncode == 1
    assert done.stderr == ""
