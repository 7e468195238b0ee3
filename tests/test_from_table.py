"""A classifier from a table, from Python and from the command line: defaults, validation, what is written."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import biosig_lstm as bl
from biosig_lstm.cli import main
from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import Classifier, Estimator, Validation, load
from biosig_lstm.estimators._kinds import default_pipeline, signal_kind
from biosig_lstm.filters import Bandpass, Channels, FillGaps, Lowpass, Normalize, Resample, ToUnit
from biosig_lstm.formats.wfdb import write_wfdb
from biosig_lstm.metrics import class_scores
from biosig_lstm.models import ConvBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.tables import Facts
from biosig_lstm.windows import FixedLength, Pieces

Captured = pytest.CaptureFixture[str]

SMALL = ConvBiLSTM((8,), kernels=(7,), strides=(4,), hidden_size=8, dropout=0)
FS = 100


def record(folder: Path, name: str, *, hz: float, seed: int, seconds: float = 4, fs: float = FS, **how: Any) -> None:
    """Write a sine of `hz` in noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fs)) / fs
    wave = np.sin(2 * np.pi * (hz * t + rng.random())) + 0.3 * rng.standard_normal(len(t))
    names = how.get("channels", ("II",))
    rows = np.tile(wave, (len(names), 1)).astype(np.float32)
    units = [how.get("unit", "mV")] * len(names)
    write_wfdb(Recording(rows, fs, names, units, id=name), folder, fmt="16", gain=1000.0)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve subjects, each with a slow and a fast recording."""
    folder = tmp_path_factory.mktemp("table")
    lines = ["path,label,subject"]
    for k in range(12):
        for label, hz in (("slow", 3), ("fast", 11)):
            record(folder, f"{label}{k}", hz=hz, seed=2 * k + (hz > 5))
            lines.append(f"{label}{k},{label},s{k}")
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def model(table: Path) -> Classifier:
    return bl.Classifier.from_table(
        table, model=SMALL, n_splits=3, max_epochs=12, batch_size=4, learning_rate=0.01, progress=False, device="cpu"
    )


def quick(path: Path, **given: Any) -> Classifier:
    return Classifier.from_table(
        path, **{"model": SMALL, "n_splits": 0, "max_epochs": 1, "progress": False, "device": "cpu"} | given
    )


def test_an_easy_question_is_learned(model: Classifier) -> None:
    validation = model.validation
    assert validation is not None
    assert validation.n_splits == 3
    assert validation.scores["accuracy"].value > 0.9
    assert validation.scores.n_subjects == 12
    assert repr(validation).startswith("3 folds by subject, each recording named by a model of other subjects\n")
    assert "3 folds by subject" in validation._repr_html_()


def test_the_scores_are_those_of_the_predictions(model: Classifier) -> None:
    validation = model.validation
    assert validation is not None
    said = validation.predictions
    assert sorted(said.recordings.tolist()) == sorted(f"{label}{k}" for label in ("slow", "fast") for k in range(12))
    truth = [name.rstrip("0123456789") for name in said.recordings.tolist()]
    again = class_scores(truth, said.labels.tolist(), said.subjects, classes=model.classes)
    assert again.to_dict() == validation.scores.to_dict()
    np.testing.assert_allclose(np.exp(said.log_probabilities).sum(axis=1), 1, atol=1e-5)


def test_what_the_model_says_of_itself(model: Classifier, table: Path, tmp_path: Path) -> None:
    assert model.training is not None
    assert model.training.subjects == tuple(sorted(f"s{k}" for k in range(12)))
    assert model.task == "labels"
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert again.card["data"] == "table.csv: 24 rows of 12 subjects"
    assert again.card["validation"]["folds"] == 3
    assert again.card["validation"]["metrics"]["accuracy"]["value"] == pytest.approx(
        model.validation.scores["accuracy"].value if model.validation else None
    )
    assert isinstance(again, Classifier)
    assert again.validation is None
    recording = bl.open_recording(table.parent / "slow0")
    np.testing.assert_array_equal(
        again.predict(recording).log_probabilities, model.predict(recording).log_probabilities
    )


def test_folds_share_no_subject_and_scaling_is_learned_in_each(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[Estimator] = []
    tested: list[set[str]] = []
    predict = Classifier.predict

    def watched(self: Classifier, data: Any) -> Any:
        trained.append(self)
        tested.append(set(data.subjects.tolist()))
        return predict(self, data)

    monkeypatch.setattr(Classifier, "predict", watched)
    whole = quick(table, n_splits=4)
    assert [len(fold) for fold in tested] == [3, 3, 3, 3]
    assert set.union(*tested) == {f"s{k}" for k in range(12)}
    for made, fold in zip(trained, tested, strict=True):
        assert made.training is not None
        assert made.scaling is not None
        assert set(made.training.subjects) == set(made.scaling.fitted_subjects)
        assert not set(made.scaling.fitted_subjects) & fold
    assert whole.scaling is not None
    assert len(whole.scaling.fitted_subjects) == 12
    assert len({made.scaling.mean for made in [*trained, whole] if made.scaling}) == 5


def test_the_seed_decides(table: Path) -> None:
    first, again, other = (quick(table, n_splits=2, seed=seed) for seed in (1, 1, 2))
    logs = [made.validation.predictions.log_probabilities for made in (first, again, other) if made.validation]
    np.testing.assert_array_equal(logs[0], logs[1])
    assert np.abs(logs[0] - logs[2]).max() > 1e-4
    weights = [made.networks.state_dict() for made in (first, again)]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


def test_long_recordings_are_named_as_one(table: Path, tmp_path: Path) -> None:
    made = quick(table, n_splits=2, window_s=1.5)
    assert made.validation is not None
    assert len(made.validation.predictions) == 24
    pieces = made.predict(bl.open_recording(table.parent / "slow0"))
    assert pieces.samples.tolist() == [0, 133, 266]
    assert made.validation.predictions.samples.tolist() == [0] * 24


def test_no_validation(table: Path) -> None:
    made = quick(table)
    assert made.validation is None
    assert "validation" not in made.card


def test_fewer_folds_where_a_class_has_fewer_subjects(table: Path) -> None:
    rows = table.read_text().splitlines()
    kept = [line for line in rows if not line.startswith("fast") or line.startswith(("fast1,", "fast2,"))]
    few = table.parent / "few.csv"
    few.write_text("\n".join(kept))
    made = quick(few, n_splits=5)
    assert made.validation is not None
    assert made.validation.n_splits == 2


@pytest.mark.parametrize(
    ("lines", "given", "message"),
    [
        (["slow0,a,1", "slow1,a,2"], {}, "the only label is 'a'"),
        (["slow0,a,1", "slow1,a,2", "fast0,b,1", "fast1,b,1"], {"n_splits": 5}, "'b' in '1' alone. Add recordings"),
        (["slow0,a,1", "fast0,b,2", "gone,b,1"], {}, "line 4: .*gone is not there"),
    ],
)
def test_tables_that_cannot_be_learned(lines: list[str], given: dict[str, Any], message: str, table: Path) -> None:
    path = table.parent / "bad.csv"
    path.write_text("\n".join(["path,label,subject", *lines]))
    with pytest.raises(DataError, match=message):
        quick(path, **given)


def test_a_class_of_one_subject_is_trained_without_validation(table: Path) -> None:
    path = table.parent / "one.csv"
    path.write_text("path,label,subject\nslow0,a,1\nslow1,a,2\nfast0,b,1\n")
    assert quick(path).classes == ("a", "b")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_splits": 1}, "n_splits must be 2 or more, or 0"),
        ({"n_splits": -1}, "n_splits must be 2 or more, or 0"),
        ({"window_s": 0}, "must last a positive number of seconds"),
        ({"window_s": float("inf")}, "must last a positive number of seconds"),
        ({"rate_hz": 0}, "rate_hz must be a positive rate"),
        ({"channels": ["II", "ii"]}, "no two alike"),
        ({"pipeline": Pipeline(windows=Pieces(9)), "rate_hz": 50}, "shape the default pipeline"),
        ({"pipeline": Pipeline(windows=Pieces(9)), "channels": ["II"]}, "shape the default pipeline"),
        ({"pipeline": Pipeline(windows=Pieces(9, classes=("a", "b")))}, r"give its windows classes=\('fast', 'slow'\)"),
        ({"max_epoch": 3}, "max_epoch"),
    ],
)
def test_wrong_parameters(given: dict[str, Any], message: str, table: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        quick(table, **given)


def test_a_pipeline_of_ones_own(table: Path) -> None:
    own = Pipeline(filters=[Channels(("II",)), Resample(50)], windows=FixedLength(2, classes=("fast", "slow")))
    record(table.parent, "other", hz=3, seed=99, fs=250, channels=("V1", "II"))
    path = table.parent / "own.csv"
    path.write_text(table.read_text() + "other,slow,s0\n")
    made = quick(path, pipeline=own, n_splits=2)
    assert made.pipeline == own
    assert made.rate_hz == 50
    assert made.validation is not None
    assert len(made.validation.predictions) == 25


def test_recordings_that_cannot_be_prepared_are_all_named(table: Path) -> None:
    for seed, name in enumerate(("short1", "short2")):
        record(table.parent, name, hz=3, seed=70 + seed, seconds=0.02)
    path = table.parent / "short.csv"
    path.write_text(table.read_text() + "short1,slow,s0\nshort2,slow,s1\n")
    with pytest.raises(DataError, match="2 of 26 recordings cannot be prepared") as error:
        quick(path)
    assert re.findall(r"short\.csv line \d+: \w+\.hea", str(error.value)) == [
        "short.csv line 26: short1.hea",
        "short.csv line 27: short2.hea",
    ]


def test_gaps_are_filled_and_flat_recordings_stand(table: Path) -> None:
    holed = np.random.default_rng(3).standard_normal((1, 400)).astype(np.float32)
    holed[0, :90] = np.nan
    for name, values in (("holed", holed), ("flat", np.zeros((1, 400), dtype=np.float32))):
        write_wfdb(Recording(values, FS, ["II"], ["mV"], id=name), table.parent, fmt="16", gain=1000.0)
    path = table.parent / "odd.csv"
    path.write_text(table.read_text() + "holed,slow,s0\nflat,slow,s1\n")
    with pytest.warns(BiosigWarning, match="1 of 26 recordings are flat"):
        made = quick(path)
    assert all(np.isfinite(w.numpy()).all() for w in made.networks.state_dict().values())


def test_announced_as_they_are_read(table: Path) -> None:
    heard: list[str] = []
    quick(table, announce=heard.append)
    assert heard[:3] == ["slow0", "fast0", "slow1"]
    assert set(heard) == {f"{label}{k}" for label in ("slow", "fast") for k in range(12)}


@pytest.mark.parametrize(
    ("facts", "kind", "filters"),
    [
        (
            Facts(360, ("MLII", "V1"), ("mV", "mV"), 9),
            "ecg",
            [Channels(("MLII", "V1")), ToUnit("mV"), FillGaps(), Bandpass(0.5, 40), Resample(100)],
        ),
        (
            Facts(64, ("ECG",), ("NU",), 9),
            "ecg",
            [Channels(("ECG",)), FillGaps(), Bandpass(0.5, 25.6), Normalize(), Resample(64)],
        ),
        (
            Facts(256, ("EEG Fp1", "Cz-A1"), ("uV", "mV"), 9),
            "eeg",
            [Channels(("EEG Fp1", "Cz-A1")), ToUnit("uV"), FillGaps(), Bandpass(0.5, 40), Normalize(), Resample(100)],
        ),
        (
            Facts(2000, ("EMG chin",), ("uV",), 9),
            "emg",
            [Channels(("EMG chin",)), ToUnit("uV"), FillGaps(), Bandpass(20, 200), Normalize(), Resample(500)],
        ),
        (
            Facts(25, ("Resp",), ("NU",), 9),
            "other",
            [Channels(("Resp",)), FillGaps(), Lowpass(10), Normalize(), Resample(25)],
        ),
        (
            Facts(200, ("P1",), ("mmHg",), 9),
            "other",
            [Channels(("P1",)), FillGaps(), Lowpass(40), Normalize(), Resample(100)],
        ),
    ],
    ids=["ecg", "ecg in no unit", "eeg", "emg", "breath", "pressure"],
)
def test_defaults_by_kind_of_signal(facts: Facts, kind: str, filters: list[Any]) -> None:
    assert signal_kind(facts) == kind
    made = default_pipeline(facts, windows=Pieces(30))
    assert list(made.filters) == filters


def test_a_slow_breath_survives_the_defaults() -> None:
    t = np.arange(60 * 25) / 25
    rows = np.sin(2 * np.pi * 0.25 * t)[None].astype(np.float32)
    made = default_pipeline(Facts(25, ("Resp",), ("NU",), 60), windows=Pieces(60))
    kept = made(Recording(rows, 25, ["Resp"], ["NU"], id="r")).values[:, 0]
    assert np.corrcoef(kept, rows[0])[0, 1] > 0.999


# The command line


def run_train(*arguments: str | Path) -> int:
    return main(["train", *map(str, arguments), "--device", "cpu", "--max-epochs", "1"])


def test_train_then_classify(table: Path, tmp_path: Path, capsys: Captured) -> None:
    out, report = tmp_path / "m.biosig", tmp_path / "report"
    assert run_train(table, "--out", out, "--folds", "2", "--report", report, "--seed", "3") == 0
    said = capsys.readouterr()
    assert said.out.startswith("2 folds by subject, each recording named by a model of other subjects\n")
    assert said.out.splitlines()[-1].startswith(f"{out}: Classifier(ConvBiLSTM(")
    assert "accuracy" in said.out
    assert "biosig-lstm:" not in said.err
    assert "\033" not in said.out + said.err
    assert sorted(path.name for path in report.iterdir()) == [
        "predictions.csv",
        "scores.json",
        "scores.png",
        "scores.txt",
    ]
    scores = json.loads((report / "scores.json").read_text())
    assert (scores["folds"], scores["subjects"], scores["items"]) == (2, 12, 24)
    assert (report / "scores.txt").read_text() in said.out
    with (report / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["recording"] for row in rows) == sorted(
        f"{name}{k}" for name in ("slow", "fast") for k in range(12)
    )
    right = sum(row["recording"].startswith(row["label"]) for row in rows)
    assert right / 24 == pytest.approx(scores["metrics"]["accuracy"]["value"])

    answers = tmp_path / "answers"
    assert main(["classify", str(out), str(table.parent / "slow3"), "--out", str(answers)]) == 0
    shown = re.fullmatch(r"slow3 +1 item    (fast|slow)\n", capsys.readouterr().out)
    with (answers / "predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert shown
    assert (row["recording"], row["label"]) == ("slow3", shown[1])
    assert float(row["p_fast"]) + float(row["p_slow"]) == pytest.approx(1, abs=1e-3)
    assert main(["info", str(out)]) == 0
    assert "24 rows of 12 subjects" in capsys.readouterr().out


def test_rate_channels_and_pieces(table: Path, tmp_path: Path, capsys: Captured) -> None:
    record(table.parent, "two", hz=3, seed=98, fs=250, channels=("V1", "ii"))
    path = table.parent / "mixed.csv"
    path.write_text(table.read_text() + "two,slow,s0\n")
    base = (path, "--out", tmp_path / "m", "--folds", "0")
    assert run_train(*base) == 1
    assert re.search(r"differ in channels: .* --channels; all have II$", capsys.readouterr().err.strip())
    assert run_train(*base, "--channels", "II") == 1
    assert "--rate-hz 100 brings all to one" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
    assert run_train(*base, "--channels", "II", "--rate-hz", "80", "--window-s", "2") == 0
    made = load(tmp_path / "m")
    assert (made.columns, made.rate_hz, made.unit) == (("II",), 80, "mV")
    assert made.pipeline.windows == Pieces(2, classes=("fast", "slow"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["TABLE", "--data", "x"], "--data goes with a protocol, not with a table"),
        (["TABLE", "--log", "x"], "--log goes with a protocol, not with a table"),
        (["sample-aami", "--folds", "3"], "--folds goes with a table, not with a protocol"),
        (["sample-aami", "--rate-hz", "3"], "--rate-hz goes with a table, not with a protocol"),
        (["sample-aami", "--channels", "II"], "--channels goes with a table, not with a protocol"),
        (["TABLE", "--folds", "1"], "n_splits must be 2 or more"),
        (["TABLE", "--folds", "0", "--report", "x"], "--folds 0 leaves out"),
        (["TABLE", "--rate-hz", "-5"], "rate_hz must be a positive rate"),
        (["TABLE", "--rate-hz", "nan"], "rate_hz must be a positive rate"),
        (["TABLE", "--window-s", "0"], "positive number of seconds"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, table: Path, tmp_path: Path, capsys: Captured) -> None:
    given = [str(table) if word == "TABLE" else word for word in arguments]
    assert run_train(*given, "--out", tmp_path / "m") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert len(said.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_tables_that_cannot_be_used(table: Path, tmp_path: Path, capsys: Captured) -> None:
    for name, content, message in (
        ("gone.csv", None, "gone.csv: cannot be read: No such file or directory"),
        ("empty.csv", "", "empty.csv: is empty"),
        ("plain.txt", "path,label\n", "plain.txt: the table lacks a column 'subject'"),
    ):
        if content is not None:
            (tmp_path / name).write_text(content)
        assert run_train(tmp_path / name, "--out", tmp_path / "m") == 1
        said = capsys.readouterr()
        assert (said.out, len(said.err.splitlines())) == ("", 1)
        assert message in said.err
    missing = table.parent / "missing.csv"
    missing.write_text("path,label,subject\n" + "".join(f"no{k},a,{k}\n" for k in range(30)))
    assert run_train(missing, "--out", tmp_path / "m") == 1
    assert len(re.findall(r"line \d+: \S+/no\d+ is not there", capsys.readouterr().err)) == 30


def test_an_output_that_cannot_be_written(table: Path, tmp_path: Path, capsys: Captured) -> None:
    (tmp_path / "file").touch()
    assert run_train(table, "--out", tmp_path / "no" / "such" / "m", "--folds", "0") == 2
    assert run_train(table, "--out", tmp_path / "m", "--report", tmp_path / "file") == 2
    assert "it is a file; name a folder" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_real_recordings(data_root: Callable[[str], Path], tmp_path: Path) -> None:
    root = data_root("cinc2017")
    with (root / "REFERENCE.csv").open() as file:
        known = [row for row in csv.reader(file) if row[1] in "AN"]
    chosen = [row for label in "AN" for row in [row for row in known if row[1] == label][:3]]
    path = tmp_path / "t.csv"
    path.write_text("path,label,subject\n" + "".join(f"{root / name}.mat,{label},{name}\n" for name, label in chosen))
    made = quick(path, n_splits=2)
    assert isinstance(made.validation, Validation)
    assert len(made.validation.predictions) == 6
    assert (made.columns, made.rate_hz, made.unit) == (("ECG",), 100, "mV")
