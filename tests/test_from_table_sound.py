"""Tables of sounds: labels and texts, what is chosen by default, what is refused, and the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spoken_tones import FS, QUICK, sound_of

import biosig_lstm as bl
from biosig_lstm.cli import main
from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.estimators import Classifier, Transcriber, load
from biosig_lstm.estimators._kinds import signal_kind
from biosig_lstm.estimators._sound import SOUND_MODEL, log_mel_at, speech_models
from biosig_lstm.filters import Channels, Mono, ResampleSound
from biosig_lstm.formats.audio import write_audio
from biosig_lstm.metrics.transcripts import transcript_scores
from biosig_lstm.models.spectrogram_bilstm import SpectrogramBiLSTM
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.tables import Facts, answer_column, read_table
from biosig_lstm.windows.utterance import Utterance

Captured = pytest.CaptureFixture[str]

SMALL = SpectrogramBiLSTM((4,), kernels=(5,), strides=(2,), width=16, hidden_size=8, dropout=0.0)
SMALL_SPEECH = SpeechBiLSTM((24,), kernels=(5,), strides=(4,), hidden_size=16, num_layers=1, dropout=0.0)


def sound(path: Path, values: np.ndarray, *, fs: float = FS) -> None:
    """Write a sound of one channel, (samples,), or of several, (channels, samples)."""
    rows = np.atleast_2d(values)
    names = {1: ["sound"], 2: ["left", "right"]}[len(rows)]
    write_audio(Recording(rows.astype(np.float32), fs, names, ["FS"] * len(rows)), path)


def steady(hz: float, *, seed: int, seconds: float = 0.5, fs: float = FS) -> np.ndarray:
    """Return a tone without beginning or end, at a loudness of its own, in noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * fs)) / fs
    return rng.uniform(0.02, 0.4) * (np.sin(2 * np.pi * hz * t) + 0.05 * rng.standard_normal(len(t)))


def write_table(path: Path, lines: Sequence[str], column: str = "text", more: str = "") -> Path:
    path.write_text("\n".join([f"path,{column},subject{more}", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of low and high steady tones of eight subjects."""
    folder = tmp_path_factory.mktemp("tones")
    lines = []
    for k in range(8):
        for label, hz in (("low", 400), ("high", 1500)):
            sound(folder / f"{label}{k}.wav", steady(hz * (1 + 0.01 * k), seed=2 * k + (hz > 1000)))
            lines.append(f"{label}{k}.wav,{label},s{k}")
    return write_table(folder / "tones.csv", lines, "label")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a table of tones that say words, ten by each of six subjects, its texts spaced oddly."""
    folder = tmp_path_factory.mktemp("told")
    lines = []
    for k in range(60):
        rng = np.random.default_rng([5, k])
        words = rng.choice(["do", "ti"], size=rng.integers(1, 5)).tolist()
        values, _ = sound_of(words, seed=k)
        sound(folder / f"u{k}.wav", values)
        lines.append(f"u{k}.wav, {'  '.join(words)} ,s{k % 6}")
    return write_table(folder / "told.csv", lines)


def quick_labels(path: Path, **given: Any) -> Classifier:
    usual = {"model": SMALL, "n_splits": 0, "max_epochs": 1, "progress": False, "device": "cpu"}
    return Classifier.from_table(path, **usual | given)


def quick_texts(path: Path, **given: Any) -> Transcriber:
    usual = {"model": SMALL_SPEECH, "unit": "words", "n_splits": 0, "max_epochs": 1, "progress": False, "device": "cpu"}
    return Transcriber.from_table(path, **usual | given)


# Labels


def test_tones_are_told_apart_however_loud(tones: Path) -> None:
    made = quick_labels(tones, n_splits=2, max_epochs=20, batch_size=4, learning_rate=0.01)
    assert made.validation is not None
    assert made.validation.scores["accuracy"].value > 0.9
    assert made.card["task"] == "recordings (sound) to the classes high low"
    tone = steady(1500, seed=90)[None]
    loud, quiet = (Recording(gain * tone, FS, ["sound"], ["FS"], id=f"x{gain}") for gain in (1.0, 0.05))
    assert made.predict([loud, quiet]).labels.tolist() == ["high", "high"]


def test_what_is_done_with_sound_by_default(tones: Path) -> None:
    made = Classifier.from_table(tones, n_splits=0, max_epochs=1, progress=False, device="cpu")
    assert made.model == SOUND_MODEL
    assert list(made.pipeline.filters) == [Mono(), ResampleSound(FS)]
    assert (len(made.columns), made.rate_hz) == (40, 100)


def test_rates_and_stereo_may_be_mixed(tones: Path) -> None:
    folder = tones.parent
    sound(folder / "fast.wav", steady(400, seed=50, fs=44100), fs=44100)
    sound(folder / "both.wav", np.stack([steady(1500, seed=51), steady(1500, seed=52)]))
    path = write_table(
        folder / "mixed.csv", ["low1.wav,low,a", "fast.wav,low,b", "both.wav,high,a", "high1.wav,high,c"], "label"
    )
    with pytest.warns(BiosigWarning, match=r"differ in rate: 8000 Hz \(3 of 4.*44100 Hz \(1 of 4.*brought to 8000 Hz"):
        made = quick_labels(path)
    assert list(made.pipeline.filters) == [Mono(), ResampleSound(8000)]
    assert len(made.predict(bl.open_recording(folder / "both.wav"))) == 1
    with pytest.raises(DataError, match=r"line 2.*'left'|line 2.*left"):
        quick_labels(path, channels=["left"])
    only = write_table(folder / "stereo.csv", ["both.wav,high,a"], "label")
    assert read_table(only).facts(channels=["left"]).channels == ("left",)


def test_the_rate_can_be_chosen(tones: Path) -> None:
    assert quick_labels(tones, rate_hz=4000).pipeline.filters[-1] == ResampleSound(4000)
    with pytest.raises(DataError, match="8000 Hz, below the 16000 Hz asked for"):
        quick_labels(tones, rate_hz=16000)


def test_rates_above_16_khz_are_brought_down(tmp_path: Path) -> None:
    for k, hz in enumerate((400, 1500)):
        sound(tmp_path / f"{k}.wav", steady(hz, seed=k, fs=22050), fs=22050)
    made = quick_labels(write_table(tmp_path / "t.csv", ["0.wav,a,1", "1.wav,b,2"], "label"), channels="sound")
    assert list(made.pipeline.filters) == [Channels(("sound",)), Mono(), ResampleSound(16000)]


def test_stretches_of_one_sound(tmp_path: Path) -> None:
    sound(tmp_path / "long.wav", np.concatenate([steady(hz, seed=k) for k, hz in enumerate((400, 1500, 400, 1500))]))
    rows = [f"long.wav,{label},s,{start},{start + 0.5}" for label, start in zip("abab", (0, 0.5, 1, 1.5), strict=True)]
    path = write_table(tmp_path / "t.csv", rows, "label", ",start_s,stop_s")
    made = quick_labels(path, max_epochs=20, learning_rate=0.01, batch_size=2)
    whole = bl.open_recording(tmp_path / "long.wav")
    said = [made.predict(whole.crop(start_s=at, stop_s=at + 0.5)).labels.tolist() for at in (0, 0.5, 1, 1.5)]
    assert said == [["a"], ["b"], ["a"], ["b"]]


@pytest.mark.parametrize(("rate_hz", "n_mels"), [(44100, 40), (8000, 40), (1000, 24), (500, 12)])
def test_low_rates_have_fewer_filters(rate_hz: float, n_mels: int) -> None:
    assert log_mel_at(rate_hz).n_mels == n_mels


def test_a_rate_that_is_no_sound() -> None:
    with pytest.raises(ParameterError, match="100 Hz are too few for sound"):
        log_mel_at(100)


@pytest.mark.parametrize(
    ("channels", "unit", "kind"),
    [
        (("sound",), "FS", "sound"),
        (("channel 1", "channel 2", "channel 3"), "FS", "sound"),
        (("left", "Right"), "", "sound"),
        (("II",), "mV", "ecg"),
        (("sound", "II"), "mV", "other"),
    ],
)
def test_what_is_taken_for_sound(channels: tuple[str, ...], unit: str, kind: str) -> None:
    assert signal_kind(Facts(8000, channels, (unit,) * len(channels), 1)) == kind


# Texts


@pytest.fixture(scope="module")
def model(told: Path) -> Transcriber:
    return Transcriber.from_table(told, unit="words", model=SMALL_SPEECH, n_splits=2, **QUICK | {"max_epochs": 15})


def test_texts_are_learned(model: Transcriber, told: Path) -> None:
    validation = model.validation
    assert validation is not None
    assert validation.scores["wer"].value < 0.25
    assert (validation.n_splits, validation.scores.n_subjects) == (2, 6)
    again = transcript_scores(
        validation.texts, validation.predictions.texts, [said.subject for said in validation.predictions]
    )
    assert again["wer"].value == validation.scores["wer"].value
    truth = {
        name: row.label
        for name, row in zip(read_table(told, column="text").ids, read_table(told, column="text").rows, strict=True)
    }
    assert {said.recording: text for said, text in zip(validation.predictions, validation.texts, strict=True)} == truth
    assert repr(validation).startswith("2 folds by subject, each recording written down by a model of other subjects\n")
    assert "wer" in validation._repr_html_()
    assert model.classes[1:] == ("do", "ti")


def test_a_saved_model_writes_the_same(model: Transcriber, told: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "m.biosig")
    again = load(tmp_path / "m.biosig")
    assert isinstance(again, Transcriber)
    recording = bl.open_recording(told.parent / "u3.wav")
    assert again.transcribe(recording).texts == model.transcribe(recording).texts
    assert again.card["data"] == "told.csv: 60 rows of 6 subjects"
    assert again.card["task"] == "sound to text, 2 words"
    assert model.validation is not None
    assert again.card["validation"]["metrics"]["wer"]["value"] == model.validation.scores["wer"].value


def test_what_is_done_with_speech_by_default(told: Path) -> None:
    made = Transcriber.from_table(told, n_splits=0, max_epochs=1, progress=False, device="cpu")
    assert made.symbol_unit == "characters"
    assert made.model == speech_models("characters")[0]
    assert list(made.pipeline.filters) == [Mono(), ResampleSound(FS)]
    assert made.pipeline.windows == Utterance()


def test_dense_texts_get_more_answers(tmp_path: Path) -> None:
    for k in range(2):
        sound(tmp_path / f"{k}.wav", steady(500, seed=k, seconds=1.0))
    texts = "abcdefghij" * 3, "jihgfedcba" * 3
    path = write_table(tmp_path / "t.csv", [f"{k}.wav,{text},{k}" for k, text in enumerate(texts)])
    made = Transcriber.from_table(path, n_splits=0, max_epochs=1, progress=False, device="cpu")
    assert made.model == speech_models("characters")[1]


def test_a_pipeline_of_ones_own(told: Path) -> None:
    own = bl.Pipeline(filters=[Mono()], windows=Utterance(), features=[bl.MFCC()])
    assert quick_texts(told, pipeline=own).pipeline == own
    with pytest.raises(ParameterError, match="hold no texts: let them be Utterance"):
        quick_texts(told, pipeline=bl.Pipeline(windows=bl.WholeRecording(), features=[bl.LogMel()]))
    with pytest.raises(ParameterError, match="shape the default pipeline"):
        quick_texts(told, pipeline=own, rate_hz=8000)


def test_a_symbol_of_one_fold_is_named_and_counts_as_an_error(told: Path) -> None:
    values, _ = sound_of(["do"], seed=900)
    sound(told.parent / "odd.wav", values)
    path = write_table(told.parent / "odd.csv", [*told.read_text().splitlines()[1:], "odd.wav,ré do,s0"])
    with pytest.warns(BiosigWarning, match="in one fold alone.*counts as an error: line 62: 'ré'"):
        made = quick_texts(path, n_splits=2)
    assert made.validation is not None
    assert "ré do" in made.validation.texts
    assert "ré" in made.classes


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gone.wav,do,s9", "line 62: .*gone.wav is not there"),
        ("u0.wav, ,s9", "line 62: text empty"),
        ("far.wav,do mi do mi do mi,s9", r"1 of 61 texts cannot be learned:\n.*line 62: far: 6 words need 6"),
        ("torn.wav,do,s9", "line 62: .*torn.wav"),
    ],
)
def test_bad_rows_are_named(line: str, message: str, told: Path) -> None:
    sound(told.parent / "far.wav", steady(300, seed=1, seconds=0.2))
    (told.parent / "torn.wav").write_bytes(b"RIFF\x00\x00")
    path = write_table(told.parent / "bad.csv", [*told.read_text().splitlines()[1:], line])
    with pytest.raises(DataError, match=message):
        quick_texts(path)


def test_missing_samples_are_named_by_row(told: Path) -> None:
    file = told.parent / "holed.wav"
    sound = Recording(steady(300, seed=2)[None], FS, ["sound"], ["FS"])
    whole = write_audio(sound, file, subtype="FLOAT").read_bytes()
    at = len(whole) - 4 * 1000
    file.write_bytes(whole[:at] + np.float32("nan").tobytes() + whole[at + 4 :])
    path = write_table(told.parent / "holed.csv", [*told.read_text().splitlines()[1:], "holed.wav,do,s9"])
    message = "line 62: holed.wav: .*'sound' is not finite"
    with pytest.warns(BiosigWarning, match="holds 1 NaN"), pytest.raises(DataError, match=message):
        quick_texts(path)


def test_one_speaker_says_what_it_would_take(told: Path) -> None:
    path = write_table(told.parent / "one.csv", [f"u{k}.wav,do mi,me" for k in range(4)])
    with pytest.raises(DataError, match=r"all 4 rows are of the subject 'me'.*--folds 0.*each recording a subject"):
        quick_texts(path, n_splits=5)
    assert quick_texts(path).validation is None


def test_transcripts_are_of_sound(tmp_path: Path) -> None:
    from biosig_lstm.formats.wfdb import write_wfdb

    for k in range(2):
        noise = np.random.default_rng(k).standard_normal((1, 400)).astype(np.float32)
        write_wfdb(Recording(noise, 100, ["II"], ["mV"], id=f"r{k}"), tmp_path, fmt="16", gain=1000.0)
    with pytest.raises(DataError, match="transcripts are of sound, these are recordings of II in mV"):
        quick_texts(write_table(tmp_path / "t.csv", ["r0,do,a", "r1,do,b"]))


def test_long_recordings_are_warned_of(tmp_path: Path) -> None:
    for k in range(2):
        sound(tmp_path / f"{k}.wav", steady(300, seed=k, seconds=61, fs=1000), fs=1000)
    with pytest.warns(BiosigWarning, match="the longest recording has 61 s"):
        quick_texts(write_table(tmp_path / "t.csv", ["0.wav,do,a", "1.wav,mi,b"]))


@pytest.mark.parametrize(
    ("given", "message"),
    [({"unit": "letters"}, "unit 'letters'"), ({"n_splits": 1}, "n_splits must be 2"), ({"max_epoch": 1}, "max_epoch")],
)
def test_wrong_parameters(given: dict[str, Any], message: str, told: Path) -> None:
    with pytest.raises(ParameterError, match=message):
        quick_texts(told, **given)


# Which column


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("path,label,text,subject", "a column 'label' and a column 'text': leave one out"),
        ("path,subject", "lacks a column 'label'.*wanted: path, label .of transcripts: text., subject"),
    ],
)
def test_both_columns_or_neither(header: str, message: str, tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "t.csv"
    path.write_text(header + "\na.wav,b,c,d\n")
    with pytest.raises(DataError, match=message):
        answer_column(path)
    assert main(["train", str(path), "--out", str(tmp_path / "m")]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_other_column_is_pointed_to(told: Path, tones: Path) -> None:
    with pytest.raises(DataError, match=r"lacks a column 'label', but has 'text': Transcriber\.from_table"):
        quick_labels(told)
    with pytest.raises(DataError, match=r"lacks a column 'text', but has 'label': Classifier\.from_table"):
        quick_texts(tones)
    with pytest.raises(ParameterError, match="column 'words'"):
        read_table(told, column="words")
    assert repr(read_table(told, column="text")).startswith("Table(told.csv: 60 rows, 6 subjects; ")


# The command line


def run_train(*arguments: str | Path) -> int:
    return main(["train", *map(str, arguments), "--device", "cpu", "--max-epochs", "1"])


def test_train_then_transcribe(told: Path, tmp_path: Path, capsys: Captured) -> None:
    out, report = tmp_path / "m.biosig", tmp_path / "report"
    few = write_table(told.parent / "few.csv", told.read_text().splitlines()[1:13])
    assert run_train(few, "--out", out, "--unit", "words", "--folds", "2", "--report", report) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 folds by subject, each recording written down by a model of other subjects\n")
    assert said.splitlines()[-1].startswith(f"{out}: Transcriber(SpeechBiLSTM(")
    names = ["predictions.csv", "scores.json", "scores.png", "scores.txt", "texts.csv"]
    assert sorted(path.name for path in report.iterdir()) == names
    scores = json.loads((report / "scores.json").read_text())
    assert scores["folds"] == 2
    with (report / "texts.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    again = transcript_scores(
        [row["text"] for row in rows], [row["transcript"] for row in rows], [row["subject"] for row in rows]
    )
    assert scores["metrics"]["wer"]["value"] == pytest.approx(again["wer"].value)
    assert main(["transcribe", str(out), str(told.parent / "u3.wav"), "--out", str(tmp_path / "told")]) == 0
    assert (tmp_path / "told" / "u3.txt").is_file()
    assert main(["classify", str(out), str(told.parent / "u3.wav"), "--out", str(tmp_path / "answers")]) == 0
    capsys.readouterr()
    assert main(["info", str(out), str(told.parent / "u3.wav")]) == 0
    shown = capsys.readouterr().out
    assert "writes       2 words\nwords        do ti\n" in shown
    assert "channels     sound (FS)\nfs_hz        8000.0\n" in shown


@pytest.mark.parametrize(
    ("table", "option", "message"),
    [
        ("told", ["--window-s", "3"], "--window-s goes with a table, not with a table of texts"),
        ("tones", ["--unit", "words"], "--unit goes with a table of texts, not with a table"),
    ],
)
def test_options_that_do_not_belong(
    table: str, option: list[str], message: str, tmp_path: Path, capsys: Captured, request: pytest.FixtureRequest
) -> None:
    assert run_train(request.getfixturevalue(table), "--out", tmp_path / "m", *option) == 2
    assert message in capsys.readouterr().err


def test_real_words(data_root: Callable[[str], Path], tmp_path: Path) -> None:
    root = data_root("fsdd")
    files = [path for path in sorted(root.rglob("*.wav")) if path.stem[0] in "03" and path.stem.endswith("_0")]
    lines = [f"{path},{path.stem[0]},{path.stem.split('_')[1]}" for path in files]
    made = quick_labels(write_table(tmp_path / "t.csv", lines, "label"), n_splits=2)
    assert made.validation is not None
    assert len(made.validation.predictions) == len(files) > 4


# Protocols with recipes


@pytest.mark.parametrize("protocol", ["timit", "librispeech-100"])
def test_recipes_walk_on_samples(protocol: str, tmp_path: Path, capsys: Captured) -> None:
    from importlib import import_module

    import_module(f"biosig_lstm.datasets.{protocol.partition('-')[0]}").write_sample(tmp_path / "data")
    out = tmp_path / "m.biosig"
    assert run_train(protocol, "--data", tmp_path / "data", "--out", out) == 0
    capsys.readouterr()
    assert main(["evaluate", str(out), "--data", str(tmp_path / "data"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["metrics"]) >= ({"per"} if protocol == "timit" else {"wer", "cer"})
