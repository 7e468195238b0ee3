"""The command transcribe, and scoring by protocol: texts, JSON lines, TextGrids; bad files reported and skipped."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from spoken_tones import FS, sound_of, trained, utterances

from biosig_lstm import datasets
from biosig_lstm.cli import _warnings_on_stderr, main
from biosig_lstm.cli.transcribe import _shown
from biosig_lstm.containers import Recording
from biosig_lstm.datasets import yesno
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import LanguageModel, Transcriber, load
from biosig_lstm.formats.audio import write_audio
from biosig_lstm.metrics.transcripts import TranscriptScores
from biosig_lstm.models.causal_lstm import CausalLSTM
from biosig_lstm.recipes import recipe_for
from biosig_lstm.scoring import evaluate_protocol
from biosig_lstm.scoring.tasks import task, task_of
from biosig_lstm.scoring.transcription import transcribe_files

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tones.biosig"
    trained().save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two sounds below it and a file that is none."""
    for name, words in (("one", ["do", "mi"]), ("deep/two", ["ti", "so", "do"])):
        values, _ = sound_of(words, seed=len(name) + 500)
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        write_audio(Recording(values[None], FS, ["sound"], ["FS"]), tmp_path / "in" / f"{name}.wav")
    return tmp_path / "in"


def lines_of(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (out / "transcripts.jsonl").read_text(encoding="utf-8").splitlines()]


def test_texts_json_lines_and_textgrids_are_written(
    model_file: Path, folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    assert main(["transcribe", str(model_file), str(folder), "--out", str(out), "--textgrid"]) == 0
    assert capsys.readouterr().out.splitlines() == ["two: ti so do", "one: do mi"]
    found = {str(line["recording"]): line for line in lines_of(out)}
    assert found["two"]["text"] == "ti so do"
    words = found["one"]["words"]
    assert isinstance(words, list)
    assert [word["text"] for word in words] == ["do", "mi"]
    assert set(words[0]) == {"text", "start_s", "stop_s", "confidence"}
    assert (out / "one.txt").read_text(encoding="utf-8") == "do mi\n"
    assert 'Object class = "TextGrid"' in (out / "two.TextGrid").read_text(encoding="utf-8")


def test_a_bad_file_is_reported_and_skipped(model_file: Path, folder: Path, tmp_path: Path, capsys: Captured) -> None:
    (folder / "broken.wav").write_bytes(b"RIFF....nothing")
    write_audio(Recording(np.zeros((2, 4000)), FS, ["left", "right"], ["FS"] * 2), folder / "stereo.wav")
    out, gone = tmp_path / "out", str(folder / "gone.wav")
    assert main(["transcribe", str(model_file), str(folder), gone, "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == ["two: ti so do", "one: do mi"]
    assert "broken.wav: not sound that can be read" in said.err
    assert "stereo" in said.err
    assert "gone.wav: no such file" in said.err
    assert "3 failed, 2 done" in said.err
    assert {line["recording"] for line in lines_of(out)} == {"one", "two"}
    assert not list(out.glob("*.TextGrid"))


def test_silence_is_said_and_a_long_sound_is_read_in_stretches(
    model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "in").mkdir()
    write_audio(Recording(np.zeros((1, FS)), FS, ["sound"], ["FS"]), tmp_path / "in" / "silent.wav")
    values, _ = sound_of(["do", "mi"] * 120, seed=8)
    write_audio(Recording(values[None], FS, ["sound"], ["FS"]), tmp_path / "in" / "long.wav")
    assert main(["transcribe", str(model_file), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr()
    assert "silent.wav: channel 'sound' is silent" in said.err
    assert "silent: \n" in said.out
    found = {str(line["recording"]): line for line in lines_of(tmp_path / "out")}
    assert found["silent"]["confidence"] is None
    assert float(str(found["long"]["duration_s"])) > 60
    assert abs(len(str(found["long"]["text"]).split()) - 240) <= 3


def test_a_very_long_text_is_shown_in_part() -> None:
    assert _shown("do " * 5, "a") == "do " * 5
    shown = _shown("mi " * 1000, "a")
    assert len(shown) < 2100
    assert shown.endswith("mi mi ... (1000 words, see a.txt)")


def test_sound_in_other_formats_is_read_too(model_file: Path, tmp_path: Path) -> None:
    values, _ = sound_of(["mi", "mi"], seed=3)
    recording = Recording(values[None], FS, ["sound"], ["FS"])
    for extension in ("flac", "ogg"):
        write_audio(recording, tmp_path / f"a.{extension}")
    report = transcribe_files(load(model_file), [tmp_path], out=tmp_path / "out")
    assert report.texts == {"a.flac": "mi mi", "a.ogg": "mi mi"}
    assert (tmp_path / "out" / "a.flac.txt").is_file()


def test_decoding_and_a_language_model_can_be_chosen(model_file: Path, folder: Path, tmp_path: Path) -> None:
    language = LanguageModel(CausalLSTM(8), unit="words").fit(
        ["do mi so ti"] * 4, max_epochs=1, device="cpu", progress=False
    )
    language.save(tmp_path / "l.biosig")
    how = ["--language-model", str(tmp_path / "l.biosig"), "--language-weight", "0.1", "--beam", "8"]
    assert main(["transcribe", str(model_file), str(folder), "--out", str(tmp_path / "a"), *how]) == 0
    assert main(["transcribe", str(model_file), str(folder), "--out", str(tmp_path / "b"), "--beam", "0"]) == 0
    assert [line["text"] for line in lines_of(tmp_path / "b")] == ["ti so do", "do mi"]
    assert (
        main(["transcribe", str(model_file), str(folder), "--out", str(tmp_path / "c"), *how[:4], "--beam", "0"]) == 2
    )


def test_wrong_usage_is_told_from_failure(model_file: Path, folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["transcribe", "ecg-beats", str(folder), "--out", str(tmp_path / "out")]) == 2
    assert "got a StepClassifier: its answers come by classify_files (biosig-lstm classify)" in capsys.readouterr().err
    weight = ["--out", str(tmp_path / "out"), "--language-weight", "0.3"]
    assert main(["transcribe", str(model_file), str(folder), *weight]) == 2
    assert "--language-weight is that of a --language-model, which is not given" in capsys.readouterr().err
    assert main(["transcribe", "nowhere.biosig", str(folder), "--out", str(tmp_path / "out")]) == 1
    with pytest.raises(ParameterError, match="decoding has no setting 'width'"):
        transcribe_files(trained(), [folder], out=tmp_path / "out", width=3)


@pytest.fixture(scope="module")
def sample_model(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Transcriber]:
    """Return the generated yesno, and a model trained on half of it: the recipe in few epochs."""
    root = tmp_path_factory.mktemp("yesno")
    yesno.write_sample(root)
    recipe = recipe_for("yesno")
    quick = replace(recipe.settings, max_epochs=3, device="cpu")
    held = list(datasets.get("yesno", root).recordings())[:2]
    model = replace(recipe, settings=quick).fit(held, protocol="yesno", progress=False)
    assert isinstance(model, Transcriber)
    return root, model


def test_a_protocol_scores_recordings_that_were_not_trained_on(
    sample_model: tuple[Path, Transcriber], tmp_path: Path, capsys: Captured
) -> None:
    root, model = sample_model
    found = evaluate_protocol(model, root=root)
    assert isinstance(found.scores, TranscriptScores)
    assert len(found.recordings) == 2
    assert found.seen_in_training == ()
    assert set(found.left_out) == set(model.training.recordings if model.training else ())
    assert not set(found.recordings) & set(found.left_out)
    assert f"left out, of people in training (2): {' '.join(found.left_out)}" in repr(found)
    assert found.to_dict()["left_out"] == list(found.left_out)
    model.save(tmp_path / "y.biosig")
    out = tmp_path / "out"
    assert main(["evaluate", str(tmp_path / "y.biosig"), "--data", str(root), "--json", "--out", str(out)]) == 0
    plain = json.loads(capsys.readouterr().out)
    assert plain["protocol"] == "yesno"
    assert {"wer", "cer"} <= set(plain["metrics"])
    assert plain["items"] == 2
    assert (out / "predictions.csv").read_text(encoding="utf-8").startswith("recording,start_s,stop_s,label,confidence")
    assert (out / "scores.png").is_file()


def test_the_task_is_known_by_its_name(sample_model: tuple[Path, Transcriber]) -> None:
    _, model = sample_model
    asked = task_of(model)
    assert asked is task("transcripts")
    assert asked.labels(model) == ("no", "yes")
    assert asked.labels(trained("characters")) == ()
    assert len(asked.nothing(model)) == 0
    (bare,) = (r.with_annotations(r.annotations[:0]) for r in utterances(1))
    with pytest.raises(DataError, match="u0: no transcript, which an evaluation needs"):
        asked.score_one(trained(), bare)


def test_classify_writes_a_row_for_each_word(model_file: Path, folder: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["classify", str(model_file), str(folder), "--out", str(tmp_path / "out")]) == 0
    rows = (tmp_path / "out" / "predictions.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[3] for row in rows[1:]] == ["ti", "so", "do", "do", "mi"]
    assert "do 1" in capsys.readouterr().out


def test_yesno_is_read_by_its_names(tmp_path: Path) -> None:
    yesno.write_sample(tmp_path)
    data = datasets.get("yesno", tmp_path)
    first = next(data.recordings(["0_1_0_0_1_1_0_1"]))
    assert first.annotations.notes.tolist() == ["no yes no no yes yes no yes"]
    assert first.subject == "yesno-0_1_0_0_1_1_0_1"
    (tmp_path / "waves_yesno" / "0_1.wav").write_bytes(b"")
    assert len(datasets.get("yesno", tmp_path)) == 4
    gone = datasets.get("yesno", tmp_path)
    assert "0_0_1_1_1_0_1_0" in gone.record_names
    with pytest.raises(DataError, match=r"no file of 1_1_1_1_1_1_1_1 in"):
        gone.read("1_1_1_1_1_1_1_1")


def test_what_is_warned_of_at_every_stretch_is_said_once(capsys: Captured) -> None:
    with _warnings_on_stderr():
        for stretch in range(6):
            warnings.warn(f"low: recorded at {4000 + stretch // 3} Hz", BiosigWarning, stacklevel=1)
    said = capsys.readouterr().err.splitlines()
    assert said == [f"biosig-lstm: warning: low: recorded at {fs} Hz" for fs in (4000, 4001)]
