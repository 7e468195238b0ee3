"""Recipes for EEG of seizures, of mental arithmetic and of imagined movement: windows, kernel machine, and the walk."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel

from biosig_lstm import datasets
from biosig_lstm.augmentation.frames import FrameAugmentation
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.estimators import load
from biosig_lstm.models._kernel import KernelMachine
from biosig_lstm.models.kernel_bilstm import KernelBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.recipes import recipe_for, train_protocol
from biosig_lstm.scoring import evaluate_protocol
from biosig_lstm.training import FitSettings
from biosig_lstm.training.kernels import add_kernel, item_rows, kernel_logistic
from biosig_lstm.windows import FixedLength
from biosig_lstm.windows.frames import Frames
from biosig_lstm.windows.trials import Trials

FS = 100.0


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def ramp(n_samples: int, *, fs: float = FS, marks: Annotations | None = None) -> Recording:
    rows = np.stack([np.arange(n_samples), -np.arange(n_samples)]).astype(np.float32)
    return Recording(rows, fs, ["a", "b"], ["uV", "uV"], id="r", subject="s", annotations=marks or Annotations())


# ---- Frames


@settings(deadline=None)
@given(n=st.integers(100, 3000), fs=st.sampled_from([100.0, 128.0, 173.61]), longest_s=st.floats(0.9, 20))
def test_frames_lie_in_pieces_that_cover_the_recording(n: int, fs: float, longest_s: float) -> None:
    width, hop = round(0.4 * fs), round(0.25 * fs)
    windows = Frames(0.4, 0.25, longest_s)(ramp(n, fs=fs))
    firsts = windows.values[:, 0].astype(int)
    np.testing.assert_array_equal(windows.values[:, :width], firsts[:, None] + np.arange(width))
    np.testing.assert_array_equal(windows.values[:, width:], -windows.values[:, :width])
    edges = [*windows.starts.tolist(), n]
    for k in range(len(windows)):
        own = firsts[windows.offsets[k] : windows.offsets[k + 1]]
        assert own[0] == edges[k]
        assert set(np.diff(own).tolist()) <= {hop}
        assert own[-1] + width <= edges[k + 1] < own[-1] + width + hop
    assert np.diff(edges).max() <= longest_s * fs + 1


def test_exact_pieces_are_of_one_length_and_the_rest_is_left_out() -> None:
    windows = Frames(1.0, 0.5, 3.0, exact=True)(ramp(1000))
    assert windows.starts.tolist() == [0, 300, 600]
    assert windows.lengths.tolist() == [5, 5, 5]
    assert windows.window_shape == (2, 100)
    assert windows.rate_hz == 2.0
    with pytest.raises(DataError, match=r"r: 2\.5 s of 2 channels hold no piece of 3 s"):
        Frames(1.0, 0.5, 3.0, exact=True)(ramp(250))


def test_a_piece_has_the_label_over_its_middle() -> None:
    marks = Annotations([0, 400], [400, 500], ["x", "other"])
    windows = Frames(1.0, 1.0, 2.5, classes=("y", "x"))(ramp(500, marks=marks))
    assert windows.y is not None
    assert windows.y.tolist() == [1, 1]
    assert Frames(1.0, 1.0, 5.0)(ramp(500, marks=marks)).y is None


def test_one_channel_is_taken_whatever_its_name_and_more_are_refused() -> None:
    frames = Frames(1.0, 1.0, 5.0, one_channel=True)
    assert frames(ramp(300).pick(["b"])).columns[0] == "signal[0]"
    with pytest.raises(
        DataError, match=r"r: holds 2 channels \(a, b\), one alone is read: .*recording\.pick\(\['a'\]\)"
    ):
        frames(ramp(300))
    with pytest.raises(DataError, match=r"holds 0 channels"):
        frames(ramp(300).pick(()))


@pytest.mark.parametrize("lengths", [(0, 1, 2), (1, 0, 2), (3, 1, 2), (1, 1, float("inf"))])
def test_lengths_of_frames_that_are_none(lengths: tuple[float, float, float]) -> None:
    with pytest.raises(ParameterError, match="frames need positive lengths"):
        Frames(*lengths)


def test_a_recording_shorter_than_a_frame() -> None:
    with pytest.raises(DataError, match=r"r: 0\.5 s of 2 channels hold no frame of 1 s"):
        Frames(1.0, 1.0, 5.0)(ramp(50))


# ---- Trials


def test_a_trial_has_the_label_of_its_own_cue_and_none_over_a_bad_stretch() -> None:
    cues = Annotations([0, 40, 200, 300], [0, 45, 200, 300], ["l", "r", "l", "r"])
    windows = Trials(1.0, ("l", "r"))(ramp(400, marks=cues))
    assert windows.y is not None
    assert windows.y.tolist() == [0, 1, 0, 1]
    marks = Annotations([*cues.starts, 210], [*cues.stops, 220], [*cues.labels, "BAD_blink"])
    left = Trials(1.0, ("l", "r"))(ramp(400, marks=marks))
    assert left.starts.tolist() == [0, 40, 300]
    assert len(left.rejections) == 1


def test_trials_begin_at_the_cue_and_others_are_left_out() -> None:
    marks = Annotations([0, 100, 300, 600, 950], [100, 250, 600, 620, 1100], ["rest", "l", "r", "l", "r"])
    windows = Trials(1.0, ("l", "r"), start_s=0.2, least_s=1.5)(ramp(1000, marks=marks))
    assert windows.starts.tolist() == [120, 320]
    assert windows.y is not None
    assert windows.y.tolist() == [0, 1]
    np.testing.assert_array_equal(windows.item(1)[:, 0], np.arange(320, 420))


def test_without_trials_a_recording_is_cut_end_to_end() -> None:
    windows = Trials(1.0, ("l", "r"))(ramp(250))
    assert windows.starts.tolist() == [0, 100]
    assert windows.y is not None
    assert windows.y.tolist() == [-1, -1]
    with pytest.raises(DataError, match=r"r: 0\.5 s hold no trial of 1 s"):
        Trials(1.0, ("l", "r"))(ramp(50))


@pytest.mark.parametrize("given_", [{"length_s": 0}, {"classes": ()}, {"start_s": -1}, {"least_s": -1}])
def test_trials_that_are_none(given_: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match="trials need a positive length"):
        Trials(**{"length_s": 1.0, "classes": ("l",), **given_})  # type: ignore[arg-type]


def test_steps_read_back_from_their_dictionary() -> None:
    for step in (Frames(1.0, 0.5, 3.0, classes=("x",), one_channel=True), Trials(4.0, ("l", "r"), least_s=2.0)):
        pipeline = Pipeline(windows=step)
        assert Pipeline.from_dict(json.loads(json.dumps(pipeline.to_dict()))) == pipeline


# ---- The kernel machine


def clouds(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return rng.standard_normal((n, 4)) + 1.5 * np.eye(4)[y], y


def test_the_kernel_is_that_of_scikit_learn() -> None:
    rows, others = (torch.from_numpy(clouds(n, seed=n)[0]) for n in (7, 5))
    machine = KernelMachine(references=5, n_columns=4, n_outputs=3, width=0.5)
    np.testing.assert_allclose(machine.kernel(rows, others).numpy(), rbf_kernel(rows, others, gamma=0.5), rtol=1e-9)


def test_kernel_logistic_regression_agrees_with_that_of_scikit_learn_in_the_axes_of_the_kernel() -> None:
    x, y = clouds(60, seed=1)
    kernel, weights = rbf_kernel(x, gamma=0.3), np.random.default_rng(2).uniform(0.5, 2, 60)
    solved, offset = kernel_logistic(kernel, y, n_classes=3, weights=weights, penalty=0.2)
    values, axes = np.linalg.eigh(kernel)
    columns = axes * np.sqrt(np.maximum(values, 0))
    expected = LogisticRegression(C=5.0, tol=1e-8, max_iter=5000).fit(columns, y, sample_weight=weights)
    logits = kernel @ solved + offset
    likely = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(likely, expected.predict_proba(columns), atol=2e-3)


def items(n: int, *, seed: int) -> Windows:
    """Return items of rows whose mean tells the class."""
    rng = np.random.default_rng(seed)
    parts = []
    for k in range(n):
        name = "pq"[k % 2]
        rows = rng.standard_normal((2, 100)) + (2.0 if name == "q" else 0.0)
        mark = Annotations([0], [100], [name])
        of = Recording(rows, FS, ["a", "b"], ["uV"] * 2, id=f"r{seed}.{k}", subject=f"s{seed}.{k}", annotations=mark)
        parts.append(of)
    return Pipeline(windows=FixedLength(0.2, classes=("p", "q")))(parts)


@pytest.mark.parametrize("spread", [False, True])
def test_the_kernel_machine_answers_beside_the_network(spread: bool) -> None:
    windows = items(40, seed=1)
    spec = KernelBiLSTM(4, references=120, kernel_spread=spread, kernel_share=0.9)
    network = spec.build(n_features=2, n_outputs=2).eval()
    rows = item_rows(network, windows)
    assert rows.shape == (len(windows), 4 if spread else 2)
    np.testing.assert_allclose(rows[3, :2], windows.item(3).mean(axis=0), rtol=1e-5)
    if spread:
        np.testing.assert_allclose(rows[3, 2:], windows.item(3).std(axis=0), rtol=1e-5)
    x, lengths = torch.from_numpy(np.stack([items(10, seed=2).item(k) for k in range(50)])), torch.full((50,), 20)
    before = network(x, lengths)
    add_kernel(network, windows, settings=FitSettings(), seed=0)
    assert not torch.allclose(before, network(x, lengths))
    said = network(x, lengths).argmax(dim=1).numpy()
    assert np.mean(said == items(10, seed=2).y) > 0.9
    torch.testing.assert_close(network.train()(x, lengths).shape, before.shape)
    assert network.machine is not None
    assert len(network.machine.known) == 120


def test_a_network_without_a_kernel_machine_is_left_alone_and_items_need_labels() -> None:
    windows = items(4, seed=3)
    plain = KernelBiLSTM(4).build(n_features=2, n_outputs=2)
    add_kernel(plain, windows, settings=FitSettings(), seed=0)
    assert plain.machine is None
    network = KernelBiLSTM(4, references=8).build(n_features=2, n_outputs=2)
    with pytest.raises(DataError, match="no item has a label"):
        add_kernel(network, replace(windows, y=np.full(len(windows), -1)), settings=FitSettings(), seed=0)


@pytest.mark.parametrize("change", [{"kernel_width": 0.0}, {"kernel_penalty": -1.0}, {"kernel_share": 1.0}])
def test_kernel_machines_that_are_none(change: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=r"must be positive|must lie in \[0, 1\)"):
        KernelBiLSTM(4, **change)  # type: ignore[arg-type]


# ---- Augmentation


def test_rows_are_cut_turned_and_lost_and_the_label_stays() -> None:
    x, y = np.arange(60, dtype=np.float32).reshape(20, 3), np.array([2])
    change = FrameAugmentation(noise=0.0, turn=0.5, shortest=0.5)
    seen = [change(x, y, np.random.default_rng(seed)) for seed in range(40)]
    lengths = {len(rows) for rows, _ in seen}
    assert min(lengths) >= 10
    assert max(lengths) <= 20
    assert len(lengths) > 4
    assert {float(np.sign(rows[1, 0] - rows[0, 0])) for rows, _ in seen} == {1.0, -1.0}
    assert all(label is y for _, label in seen)
    lost = FrameAugmentation(noise=0.0, turn=0.0, shortest=1.0, lose=0.5)(x + 1, y, np.random.default_rng(0))[0]
    assert {float(v) for v in (lost / (x + 1)).ravel()} <= {0.0, 2.0}
    with pytest.raises(ParameterError, match="noise must be 0 or more"):
        FrameAugmentation(noise=-1)


# ---- The walk: bonn


@pytest.fixture(scope="module")
def bonn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("bonn")
    datasets.get("bonn", root)
    from biosig_lstm.datasets.bonn import write_sample

    write_sample(root)
    return root


@pytest.fixture(scope="module")
def half(bonn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the first segment of each set alone."""
    root = tmp_path_factory.mktemp("half")
    for path in bonn.rglob("*001.*"):
        (root / path.name).write_bytes(path.read_bytes())
    return root


@pytest.fixture(scope="module")
def seizure_file(half: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "seizure.biosig"
    arguments = ["train", "bonn", "--data", str(half), "--out", str(path), "--max-epochs", "1"]
    assert main(arguments) == 0
    return path


def test_unseen_segments_are_scored_in_five_three_and_two_classes(
    seizure_file: Path, bonn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(seizure_file), "--data", str(bonn), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["protocol"] == "bonn"
    assert len(found["recordings"]) == 5
    assert found["seen_in_training"] == []
    for name in ("accuracy", "macro_f1", "balanced_accuracy", "accuracy_2", "accuracy_3"):
        interval = found["metrics"][name]
        assert 0 <= interval["low"] <= interval["value"] <= interval["high"] <= 1
    segments = list(datasets.get("bonn", bonn).recordings(found["recordings"]))
    seizure = load(seizure_file).predict(segments).probabilities[:, -1] > 0.5  # against all others together
    right = np.mean([said == (segment.id[0] == "S") for said, segment in zip(seizure, segments, strict=True)])
    assert found["metrics"]["accuracy_2"]["value"] == pytest.approx(right)
    assert "no patient-wise figure" in found["notes"]


@pytest.mark.parametrize("grouping", ["3", "2"])
def test_fewer_classes_are_trained_by_their_own_protocol(grouping: str, half: Path, bonn: Path) -> None:
    model = train_protocol(f"bonn-{grouping}", root=half, max_epochs=1, device="cpu")
    found = evaluate_protocol(model, root=bonn)
    assert len(model.classes) == int(grouping)
    assert ("auc" in found.scores.metrics) == (grouping == "2")


def write_eeg(path: Path, *, fs: int, channels: int, seconds: int = 60) -> None:
    noise = np.random.default_rng(0).normal(0, 30, (channels, seconds * fs))
    write_edf(path, [EdfChannel(f"EEG {k}", row, fs) for k, row in enumerate(noise)])


def test_one_channel_of_any_rate_is_classified_and_what_cannot_be_is_refused_by_name(
    seizure_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "eeg", tmp_path / "out"
    folder.mkdir()
    write_eeg(folder / "one.edf", fs=256, channels=1)
    write_eeg(folder / "many.edf", fs=256, channels=21)
    write_eeg(folder / "slow.edf", fs=100, channels=1)
    assert main(["classify", str(seizure_file), str(folder), "--out", str(out)]) != 0
    said = " ".join(capsys.readouterr().err.split())
    assert "many: holds 21 channels (EEG 0, EEG 1" in said
    assert "slow" in said
    assert "half the rate, 50 Hz" in said
    rows = list(csv.DictReader((out / "predictions.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["recording"], float(row["time_s"])) for row in rows] == [("one", 0.0), ("one", 20.0), ("one", 40.0)]
    assert all(row["label"] in "ZONFS" for row in rows)


def test_answers_do_not_depend_on_the_unit(seizure_file: Path, bonn: Path) -> None:
    model = load(seizure_file)
    (segment,) = datasets.get("bonn", bonn).recordings(["S002"])
    np.testing.assert_allclose(
        model.predict(segment).probabilities, model.predict(segment.to_unit("mV")).probabilities, atol=1e-4
    )


def test_a_segment_is_one_item_whatever_becomes_of_its_end(bonn: Path) -> None:
    recipe = recipe_for("bonn")
    windows = recipe.pipeline(datasets.get("bonn", bonn).recordings())
    assert windows.lengths.tolist() == [15] * 10
    assert windows.classes == datasets.get_protocol("bonn").classes
    assert windows.columns[:2] == ("signal.log_level", "signal.1-2hz_log_shape")


# ---- The walk: eegmat and eegmmidb


@pytest.fixture(scope="module")
def sample_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    roots: dict[str, Path] = {}

    def find(name: str) -> Path:
        if name not in roots:
            roots[name] = tmp_path_factory.mktemp(name)
            module = __import__(f"biosig_lstm.datasets.{name}", fromlist=["write_sample"])
            module.write_sample(roots[name])
        return roots[name]

    return find


def test_rest_and_arithmetic_are_told_by_windows_of_one_length_and_scored_by_person(
    sample_of: Callable[[str], Path],
) -> None:
    root = sample_of("eegmat")
    recipe = recipe_for("eegmat")
    people = datasets.get("eegmat", root)
    windows = recipe.pipeline(people.recordings(["Subject00_1", "Subject00_2"]))
    assert windows.lengths.tolist() == [29, 29, 29]
    small = replace(recipe, members=1, settings=replace(recipe.settings, max_epochs=2, device="cpu"))
    train = ["Subject00_1", "Subject00_2", "Subject01_1", "Subject01_2"]
    model = small.fit(people.recordings(train), protocol="eegmat", progress=False)
    found = evaluate_protocol(model, root=root)
    assert found.recordings == ("Subject02_1", "Subject02_2")
    assert found.scores.n_subjects == 1
    assert {"auc", "balanced_accuracy"} <= set(found.scores.metrics)
    assert found.scores["auc"].value == 1.0


def test_imagined_fists_are_trained_scored_and_classified(
    sample_of: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, path = sample_of("eegmmidb"), tmp_path / "imagery.biosig"
    first = tmp_path / "first"
    (first / "S001").mkdir(parents=True)
    for file in (root / "S001").iterdir():
        (first / "S001" / file.name).write_bytes(file.read_bytes())
    assert main(["train", "eegmmidb", "--data", str(first), "--out", str(path), "--max-epochs", "1"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(path), "--data", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["recordings"] == ["S002R04"]
    assert found["items"] == 4
    assert "auc" in found["metrics"]
    assert main(["classify", str(path), str(root / "S002" / "S002R04.edf"), "--out", str(tmp_path / "out")]) == 0
    rows = (tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert "p_imagined left fist" in rows[0]
    assert len(rows) > 4


def test_people_of_128_hz_are_prepared_where_they_are_kept(sample_of: Callable[[str], Path]) -> None:
    people = datasets.get("eegmmidb", sample_of("eegmmidb"), runs="imagined fist", irregular="kept")
    windows = recipe_for("eegmmidb").pipeline(people.recordings())
    assert set(windows.subjects.tolist()) == {"S001", "S002", "S088"}
    assert windows.lengths.tolist() == [512] * len(windows)
    assert windows.rate_hz == 128.0


def test_the_real_runs_of_one_person_are_prepared(data_root: Callable[[str], Path]) -> None:
    people = datasets.get("eegmmidb", data_root("eegmmidb"), runs="imagined fist")
    windows = recipe_for("eegmmidb").pipeline(people.recordings())
    assert windows.lengths.tolist() == [512] * len(windows)
    assert sum(windows.class_counts().values()) == len(windows) == 45
    assert np.abs(windows.values).max() < 1000


def test_shipped_answers_for_seizures_are_near_what_their_card_says(data_root: Callable[[str], Path]) -> None:
    from biosig_lstm.shipped import pretrained

    model = pretrained("eeg-seizure")
    segments = list(datasets.get("bonn", data_root("bonn")).recordings())[::20]
    said = model.predict(segments).labels
    assert np.mean([label == segment.id[0] for label, segment in zip(said.tolist(), segments, strict=True)]) > 0.8
    assert "no patient-wise figure" in model.card["limits"]
