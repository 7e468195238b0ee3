"""The Transcriber: it learns, says when, decodes long sound as short, takes a language model, refuses what is wrong."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spoken_tones import FS, QUICK, TONES_HZ, sound_of, spoken, trained, untrained, utterances

from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.decoding import Alphabet, beam_search
from biosig_lstm.errors import DataError, LeakageError, ParameterError
from biosig_lstm.estimators import LanguageModel, StepClassifier, Transcriber, Transcript, Word, load
from biosig_lstm.estimators import transcriber as module
from biosig_lstm.estimators._stretches import stretches
from biosig_lstm.formats.audio import open_audio, write_audio
from biosig_lstm.models import BiLSTM
from biosig_lstm.models.causal_lstm import CausalLSTM
from biosig_lstm.models.speech_bilstm import SpeechBiLSTM
from biosig_lstm.pipeline import Pipeline
from biosig_lstm.training import FitSettings
from biosig_lstm.training.transcripts import Targets, TranscriptModule, collate_transcripts
from biosig_lstm.windows import FixedLength
from biosig_lstm.windows.utterance import Utterance

TEST = utterances(20, first=1000)


@pytest.fixture(scope="module")
def long_sound() -> tuple[Recording, str]:
    """Return a minute and a half of words, and what is said."""
    rng = np.random.default_rng(5)
    words = rng.choice(list(TONES_HZ), size=300).tolist()
    values, _ = sound_of(words, seed=99)
    return Recording(values[None], FS, ["sound"], ["FS"], id="long"), " ".join(words)


def test_words_never_heard_in_that_order_are_written_down() -> None:
    scores = trained().evaluate(TEST)
    assert scores["wer"].value < 0.03
    assert scores.n_subjects == 4


def test_characters_are_learned_too() -> None:
    assert trained("characters").classes[:3] == ("<blank>", " ", "d")
    assert trained("characters").evaluate(TEST)["cer"].value < 0.1


def test_words_have_their_times() -> None:
    words = ["do", "ti", "ti", "so"]
    values, places = sound_of(words, seed=4321)
    (said,) = trained().transcribe(Recording(values[None], FS, ["sound"], ["FS"], id="a"))
    assert said.text == "do ti ti so"
    for word, (begin, end) in zip(said.words, places, strict=True):
        assert begin - 0.06 < (word.start_s + word.stop_s) / 2 < end + 0.1
        assert 0.5 < word.confidence <= 1
    for one, other in pairwise(said.words):
        assert one.stop_s <= other.start_s
    assert said.confidence is not None
    assert said.duration_s == pytest.approx(len(values) / FS)


def test_silence_says_nothing(tmp_path: Path) -> None:
    quiet = Recording(np.random.default_rng(0).normal(0, 0.002, (1, FS)), FS, ["sound"], ["FS"], id="quiet")
    (said,) = trained().transcribe(quiet)
    assert (said.text, said.words, said.confidence) == ("", (), None)
    assert trained().transcribe([]).texts == ()
    assert 'text = ""' in said.to_textgrid()


@pytest.mark.filterwarnings("ignore:short. 0.01 s of sound are less than one frame:biosig_lstm.errors.BiosigWarning")
@pytest.mark.parametrize("seconds", [0.01, 0.05, 0.2])
def test_a_very_short_sound_is_no_error(seconds: float) -> None:
    short = Recording(np.full((1, round(seconds * FS)), 0.01), FS, ["sound"], ["FS"], id="short")
    (said,) = trained().transcribe(short)
    assert said.duration_s == pytest.approx(seconds)
    assert all(0 <= word.start_s <= word.stop_s <= seconds for word in said.words)


def test_long_sound_in_stretches_is_said_as_at_once(
    long_sound: tuple[Recording, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, text = long_sound
    seen: list[int] = []
    original = Transcriber._log_probabilities

    def watched(self: Transcriber, windows: Windows) -> list[Any]:
        seen.extend(windows.lengths.tolist())
        return original(self, windows)

    monkeypatch.setattr(Transcriber, "_log_probabilities", watched)
    in_stretches, several = trained().answers(recording), len(seen)
    monkeypatch.setattr(module, "_CORE_S", 1e6)
    at_once = trained().answers(recording)
    assert several > 3
    assert max(seen[:several]) <= 50 * (1.5 * 20 + 4) + 2
    assert len(seen) == several + 1
    assert in_stretches.shape == at_once.shape
    assert np.abs(np.exp(in_stretches) - np.exp(at_once)).max() < 0.02
    monkeypatch.undo()
    (said,) = trained().transcribe(recording)
    wrong = sum(a != b for a, b in zip(said.text.split(), text.split(), strict=True))
    assert wrong <= 3
    monkeypatch.setattr(module, "_CORE_S", 1e6)
    monkeypatch.setattr(module, "_PIECE_S", 1e6)
    (whole,) = trained().transcribe(recording)
    assert said.text == whole.text
    np.testing.assert_allclose([w.start_s for w in said.words], [w.start_s for w in whole.words], atol=0.05)


def test_a_sound_file_is_read_in_stretches(
    long_sound: tuple[Recording, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, _ = long_sound
    write_audio(recording, tmp_path / "long.wav")
    (said,) = trained().transcribe(recording)
    file = open_audio(tmp_path / "long.wav")
    read = type(file).read
    lengths: list[float] = []

    def watched(self: Any, channels: Any = None, *, start_s: float, stop_s: float) -> Recording:
        lengths.append(stop_s - start_s)
        return read(self, channels, start_s=start_s, stop_s=stop_s)

    monkeypatch.setattr(type(file), "read", watched)
    (from_file,) = trained().transcribe(file)
    assert from_file.text == said.text
    assert from_file.recording == "long"
    assert len(lengths) > 3
    assert max(lengths) <= 1.5 * 20 + 4


@given(
    n_samples=st.integers(1, 5000), core=st.floats(0.5, 5), beside=st.floats(0, 2), answer=st.sampled_from([0.04, 0.03])
)
def test_stretches_hold_every_answer_once(n_samples: int, core: float, beside: float, answer: float) -> None:
    kept: list[int] = []
    step = answer * 100
    parts = list(stretches(n_samples, fs=100, answer_s=answer, core_s=core, beside_s=beside))
    for part in parts:
        first = round(part.begin / step)
        assert abs(part.begin - first * step) <= 0.5
        n_answers = int((part.end - part.begin) // step) + 1
        kept += list(range(first, first + n_answers))[part.first : part.stop]
    assert kept == list(range(len(kept)))
    assert (parts[0].begin, parts[-1].end, parts[-1].stop) == (0, n_samples, None)


def test_a_saved_model_says_the_same(tmp_path: Path) -> None:
    trained().save(tmp_path / "t.biosig")
    again = load(tmp_path / "t.biosig")
    assert isinstance(again, Transcriber)
    assert again.transcribe(TEST).each == trained().transcribe(TEST).each
    assert (again.alphabet, again.decoding, again.symbol_unit) == (trained().alphabet, trained().decoding, "words")
    assert again.predict(TEST[0]).texts == trained().transcribe(TEST[0]).texts


def test_recordings_and_their_windows_are_said_alike() -> None:
    model = trained()
    from_windows, from_recordings = model.transcribe(model.pipeline(TEST)), model.transcribe(TEST)
    assert from_windows.texts == from_recordings.texts
    assert [s.subject for s in from_windows] == [r.subject for r in TEST]


def test_seen_speakers_are_no_test_and_texts_are_needed() -> None:
    model = trained()
    with pytest.raises(LeakageError, match="has been trained on 4 of these subjects"):
        model.evaluate(utterances(4))
    assert model.evaluate(utterances(4), allow_seen=True).n_items == 4
    bare = [replace(r, annotations=Annotations()) for r in TEST[:2]]
    with pytest.raises(DataError, match="nothing to score: no transcript of u1000, u1001"):
        model.evaluate(bare)
    with pytest.raises(DataError, match=r"recordings \['u1001'\] have no transcript, \['u1000'\] have one"):
        model.evaluate([TEST[0], bare[1]])


def test_a_text_longer_than_its_item_can_say_is_named() -> None:
    model = untrained()
    crowded = replace(TEST[0], annotations=Annotations([0], [FS // 8], ["transcript"], ["do do do mi " * 20]))
    with pytest.raises(DataError, match=r"u1000: 80 words need 120 answers .* its \d+ steps give \d+"):
        model.fit(model.pipeline([TEST[1], crowded]), **QUICK)


def test_a_text_that_augmentation_makes_too_long_is_named() -> None:
    model = untrained()

    def halve(x: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return x[:3], np.tile(y, 4)

    with pytest.raises(DataError, match=r"u\d+: .* its 3 steps after augmentation give 2"):
        model.fit(model.pipeline(TEST), augment=halve, **QUICK)


def test_a_symbol_outside_the_alphabet_is_named() -> None:
    model = untrained(alphabet=("do", "mi"))
    with pytest.raises(DataError, match=r"u\d+: the text .* holds '(so|ti)'"):
        model.fit(model.pipeline(TEST), **QUICK)


def test_windows_without_texts_and_settings_for_classes_are_refused() -> None:
    model = untrained()
    windows = model.pipeline(TEST)
    with pytest.raises(ParameterError, match="learns texts, these windows have none; Utterance reads them"):
        model.fit(replace(windows, texts=None), **QUICK)
    with pytest.raises(ParameterError, match=r"crop_steps must be None and label_smoothing 0, got 5 and 0"):
        model.fit(windows, crop_steps=5, **QUICK)
    with pytest.raises(DataError, match="there is no item"):
        model.fit(windows, windows.select([]), **QUICK)
    with pytest.raises(ParameterError, match="not trained yet"):
        model.transcribe(TEST)
    with pytest.raises(ParameterError, match="unit 'letters'"):
        untrained("letters")


def test_a_network_that_answers_fewer_steps_learns_no_labels_of_steps() -> None:
    rows = Windows(
        values=np.zeros((8, 2)), offsets=[0, 8], columns=["a", "b"], rate_hz=10.0, subjects=["s"], recordings=["r"],
        starts=[0], fs=[10.0], y=[0, 1] * 4, classes=["n", "y"], step_labels=True,
    )  # fmt: skip
    with pytest.raises(ParameterError, match="answers fewer steps than it reads: it learns texts"):
        StepClassifier(Pipeline(windows=Utterance()), SpeechBiLSTM((4,), kernels=(3,), strides=(2,))).fit(rows, **QUICK)


def test_decoding_is_chosen_by_name() -> None:
    model = trained()
    greedy = model.transcribe(TEST, beam_width=None)
    assert greedy.texts == model.transcribe(TEST, beam_width=1).texts
    with pytest.raises(ParameterError, match="decoding has no setting 'beam_widht'; did you mean 'beam_width'"):
        model.transcribe(TEST, beam_widht=3)
    with pytest.raises(ParameterError, match="beam_width must be at least 1, or None for the best path, got 0"):
        model.transcribe(TEST, beam_width=0)


def test_a_recording_that_does_not_fit_is_named() -> None:
    two = Recording(np.zeros((2, FS)), FS, ["left", "right"], ["FS", "FS"], id="stereo")
    with pytest.raises(DataError, match=r"stereo: .*left, right"):
        trained().transcribe(two)
    with pytest.raises(DataError, match=r"fast: .*the model was trained on"):
        trained().transcribe(Recording(np.zeros((1, FS)), 11025, ["sound"], ["FS"], id="fast"))


def test_the_loss_is_that_of_torch_for_each_symbol() -> None:
    alphabet, network = Alphabet(("a", "b")), BiLSTM(4, pooling=None).build(n_features=3, n_outputs=3, per_step=True)
    rng = np.random.default_rng(0)
    items = [
        (rng.normal(size=(n, 3)).astype(np.float32), alphabet.encode(t)) for n, t in ((9, "abba"), (5, ""), (7, "b"))
    ]
    batch = collate_transcripts(items)
    assert batch.y.tolist() == [[1, 2, 2, 1], [-1] * 4, [2, -1, -1, -1]]
    loss, counts = TranscriptModule(network, settings=FitSettings())._loss(batch)
    each = []
    for x, y in items:
        logs = torch.log_softmax(network(torch.from_numpy(x)[None], torch.tensor([len(x)])), -1)[0]
        found = beam_search(logs.detach().numpy(), beam_width=5000, n_best=5000)
        log_p = next(h.log_probability for h in found if h.symbols.tolist() == y.tolist())
        each.append(-log_p / max(len(y), 1))
    assert counts
    assert float(loss.detach()) == pytest.approx(np.mean(each), rel=1e-4)
    targets = Targets(alphabet, network)
    targets.check(alphabet.encode("abba"), 5, name="u")
    with pytest.raises(DataError, match="u: 4 characters need 5 answers"):
        targets.check(alphabet.encode("abba"), 4, name="u")


def test_texts_travel_with_their_items() -> None:
    windows = Pipeline(windows=Utterance())(TEST[:4])
    assert windows.texts is not None
    turned = windows.select([3, 1])
    assert turned.texts is not None
    assert turned.texts.tolist() == [windows.texts[3], windows.texts[1]]
    assert not turned.texts.flags.writeable
    joined = Windows.concatenate([turned, windows])
    assert joined.texts is not None
    assert joined.texts.tolist() == [*turned.texts, *windows.texts]
    assert joined.select(np.arange(2)) == turned
    assert joined.select(np.arange(2)) != replace(turned, texts=["x", "y"])
    assert "transcripts" in repr(windows)
    with pytest.raises(DataError, match=r"texts must be one for each of 2 items, got shape \(1,\)"):
        replace(turned, texts=["x"])
    with pytest.raises(ParameterError, match="runs need"):
        windows.into_runs(100)


def test_a_transcript_is_a_note_or_the_labels_of_stretches() -> None:
    marks = Annotations([4, 0, 2], [6, 2, 3], ["transcript", "transcript", "noise"], ["no", "yes", "door"])
    recording = Recording(np.zeros((1, 9)), FS, ["sound"], ["FS"], id="a", annotations=marks)
    assert Utterance()(recording).texts.tolist() == ["yes no"]  # type: ignore[union-attr]
    phones = recording.with_annotations(Annotations([0, 4], [4, 9], ["sil", "aa"]))
    assert Utterance(label="")(phones).texts.tolist() == ["sil aa"]  # type: ignore[union-attr]
    assert Utterance()(phones).texts is None
    with pytest.raises(DataError, match="a: the recording holds no samples"):
        Utterance()(Recording(np.zeros((1, 0)), FS, ["sound"], ["FS"], id="a"))
    with pytest.raises(DataError, match="nothing to score: no transcript of a"):
        trained().evaluate(Pipeline(windows=FixedLength(0.001))(recording))


TEXTS = ["do mi so do", "mi so", "so ti ti do", "do mi so", "ti"] * 12


@pytest.fixture(scope="module")
def language() -> LanguageModel:
    model = LanguageModel(CausalLSTM(16, dropout=0.0, embedding_size=8), unit="words")
    return model.fit(TEXTS, max_epochs=8, batch_size=8, learning_rate=0.02, device="cpu", progress=False)


def test_a_language_model_learns_which_texts_are_likely(language: LanguageModel) -> None:
    assert 1 < language.perplexity(TEXTS) < 2.5
    assert language.perplexity(["ti mi ti mi"]) > 10
    likely, unlikely = language.score(["do mi so", "so mi do"])
    assert likely > unlikely
    assert language.perplexity(["do mi"]) == pytest.approx(np.exp(-language.score(["do mi"])[0] / 3))
    total = np.exp(language.score(["", "do", "mi", "so", "ti"])).sum()
    assert total < 1


def test_the_scorer_says_symbol_by_symbol_what_the_model_says_of_texts(language: LanguageModel) -> None:
    alphabet = Alphabet(("ti", "so", "mi", "do"), unit="words")
    scorer = language.scorer(alphabet, weight=0.7, bonus=0.2)
    state, total = scorer.start(), 0.0
    for symbol in alphabet.encode("so ti do").tolist():
        total += scorer.scores([state])[0, symbol - 1]
        (state,) = scorer.advance([state], [symbol])
    total += scorer.final([state])[0]
    assert total == pytest.approx(0.7 * language.score(["so ti do"])[0] + 3 * 0.2, abs=1e-5)
    together = scorer.advance([scorer.start(), state], [1, 2])
    alone = scorer.advance([state], [2])
    np.testing.assert_allclose(scorer.scores(together)[1], scorer.scores(alone)[0], atol=1e-6)


def test_beam_search_with_the_model_is_as_scoring_every_text(language: LanguageModel) -> None:
    alphabet = Alphabet(("do", "mi", "so", "ti"), unit="words")
    logits = np.random.default_rng(1).normal(size=(4, 5))
    logs = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)
    scorer = language.scorer(alphabet, weight=0.6, bonus=0.4)
    plain = beam_search(logs, beam_width=3000, n_best=3000)
    wanted = {
        tuple(h.symbols.tolist()): h.log_probability
        + 0.6 * language.score([alphabet.decode(h.symbols)])[0]
        + 0.4 * len(h.symbols)
        for h in plain
    }
    best = beam_search(logs, beam_width=3000, scorer=scorer)[0]
    assert best.score == pytest.approx(max(wanted.values()), abs=1e-4)
    assert wanted[tuple(best.symbols.tolist())] == pytest.approx(best.score, abs=1e-4)


def test_what_is_likely_wins_where_the_sound_is_in_doubt(language: LanguageModel) -> None:
    alphabet = Alphabet(("do", "mi", "so", "ti"), unit="words")
    p = np.full((6, 5), 0.01)
    for frame, (first, second) in enumerate([(1, 1), (0, 0), (2, 4), (0, 0), (3, 3), (0, 0)]):
        p[frame, first] += 0.46
        p[frame, second] += 0.49
    logs = np.log(p / p.sum(axis=1, keepdims=True))
    heard = beam_search(logs)[0].symbols
    helped = beam_search(logs, scorer=language.scorer(alphabet, weight=1.0))[0].symbols
    assert (alphabet.decode(heard), alphabet.decode(helped)) == ("do ti so", "do mi so")


def test_a_transcriber_takes_a_language_model(language: LanguageModel, long_sound: tuple[Recording, str]) -> None:
    texts = trained().transcribe(TEST, language_model=language, language_weight=0.0).texts
    assert texts == trained().transcribe(TEST).texts
    assert trained().evaluate(TEST, language_model=language, language_weight=0.1)["wer"].value < 0.1
    (said,) = trained().transcribe(long_sound[0], language_model=language, language_weight=0.05)
    assert len(said.text.split()) > 290
    with pytest.raises(ParameterError, match="the best path uses no language model: give a beam_width"):
        trained().transcribe(TEST, language_model=language, beam_width=None)
    with pytest.raises(ParameterError, match="a language model of words cannot help a transcriber of characters"):
        trained("characters").transcribe(TEST, language_model=language)
    small = LanguageModel(CausalLSTM(4), unit="words", alphabet=("do",)).fit(
        ["do"], max_epochs=1, device="cpu", progress=False
    )
    with pytest.raises(ParameterError, match="has never seen 'mi', 'so', 'ti': train it on texts"):
        trained().transcribe(TEST, language_model=small)


def test_a_saved_language_model_scores_the_same(language: LanguageModel, tmp_path: Path) -> None:
    language.save(tmp_path / "l.biosig")
    again = LanguageModel.load(tmp_path / "l.biosig")
    np.testing.assert_array_equal(again.score(TEXTS[:5]), language.score(TEXTS[:5]))
    assert "4 words; trained" in repr(again)
    with pytest.raises(DataError, match="kind of model 'LanguageModel'"):
        load(tmp_path / "l.biosig")
    trained().save(tmp_path / "t.biosig")
    with pytest.raises(DataError, match="holds a Transcriber, not a LanguageModel"):
        LanguageModel.load(tmp_path / "t.biosig")


def test_a_language_model_refuses_what_it_cannot_learn_or_score(language: LanguageModel) -> None:
    fresh = LanguageModel(CausalLSTM(4), unit="words")
    with pytest.raises(ParameterError, match="LanguageModel is not trained yet"):
        fresh.score(["do"])
    with pytest.raises(DataError, match="the texts hold no words"):
        fresh.fit([])
    with pytest.raises(ParameterError, match="fit has no setting 'epochs'"):
        fresh.fit(["do"], epochs=3)
    with pytest.raises(DataError, match="text 1: the text 'la' holds 'la'"):
        language.score(["do", "la"])
    with pytest.raises(DataError, match="perplexity of no text"):
        language.perplexity([])


def test_a_textgrid_tiles_the_recording() -> None:
    words = (Word('sa"y', 0.5, 0.9, 0.8), Word("it", 0.85, 1.4, 0.9), Word("now", 1.4, 1.4, 0.5))
    said = Transcript("r", "s", 'sa"y it now', words, 2.0, -3.0)
    lines = said.to_textgrid().splitlines()
    marks = [line.split("=", 1)[1].strip() for line in lines if line.startswith("            ")]
    intervals = [(float(a), float(b), c.strip('"')) for a, b, c in zip(*[iter(marks)] * 3, strict=True)]
    assert intervals == [(0, 0.5, ""), (0.5, 0.85, 'sa""y'), (0.85, 1.4, "it"), (1.4, 2, "")]
    assert f"        intervals: size = {len(intervals)}" in lines
    assert said.to_dict()["confidence"] == pytest.approx(0.733)


def test_transcripts_are_a_table_of_words() -> None:
    said = trained().transcribe(TEST[:3])
    rows = said.csv_rows().splitlines()
    assert rows[0] == "recording,start_s,stop_s,label,confidence"
    assert [row.split(",")[3] for row in rows[1:]] == " ".join(said.texts).split() == said.labels.tolist()
    assert said.json_lines().count("\n") == 3
    assert "u1000" in repr(said)
    assert "u1000" in said._repr_html_()
    assert [s.text for s in said] == list(said.texts)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 999))
def test_any_noise_is_written_down_without_an_error(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 10 ** rng.uniform(-4, 0), (1, int(rng.integers(1, 2 * FS))))
    (said,) = trained().transcribe(Recording(values, FS, ["sound"], ["FS"], id="noise"))
    assert set(said.text.split()) <= set(TONES_HZ)
    assert len(said.words) == len(said.text.split())


def test_a_spoken_recording_has_its_text() -> None:
    assert spoken(["do", "mi"], seed=1).annotations.notes.tolist() == ["do mi"]
