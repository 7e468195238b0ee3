"""What is said in each recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.estimators import Estimator, Transcriber, Transcripts
from biosig_lstm.metrics.transcripts import TranscriptScores, transcript_scores
from biosig_lstm.scoring.tasks._task import Part, Task
from biosig_lstm.windows.utterance import transcript_of

__all__ = ["TASK"]


class _Transcripts(Task):
    """Every recording gets a text, its words their times."""

    counted = "words"
    estimator = Transcriber

    def check_classes(self, model: Estimator, classes: Sequence[str]) -> None:
        """Accept any: words that a model does not know count as errors."""

    def score_one(self, model: Transcriber, recording: Recording, *, detected: bool = False) -> Part:  # noqa: ARG002
        """Return what was said in a recording, and the transcript."""
        label = getattr(model.pipeline.windows, "label", "")
        text = transcript_of(recording, label=label)
        if text is None:
            raise DataError(f"{recording.id}: no transcript, which an evaluation needs")
        return Part(recording, text, model.transcribe(recording))

    def scores(self, model: Transcriber, parts: Sequence[Part], *, detected: bool = False) -> TranscriptScores:  # noqa: ARG002
        """Return word and character error rates, or the phone error rate."""
        said = [part.said[0].text for part in parts]
        subjects = np.array([part.recording.subject for part in parts])
        return transcript_scores([part.truth for part in parts], said, subjects, unit=model.symbol_unit)

    def join(self, parts: Sequence[Part]) -> Transcripts:
        """Return the transcripts of all recordings."""
        return Transcripts.concatenate([part.said for part in parts])

    def labels(self, model: Transcriber) -> tuple[str, ...]:
        """Return the words that can be said, where there are few; of characters none."""
        return () if model.symbol_unit == "characters" else model.classes[1:]

    def nothing(self, model: Transcriber) -> Transcripts:  # noqa: ARG002
        """Return no transcript."""
        return Transcripts()

    def answer(self, model: Transcriber, recording: Recording, *, annotated: bool) -> Transcripts:  # noqa: ARG002
        """Return the transcript of a recording."""
        return model.transcribe(recording)

    def annotations(self, recording: Recording, said: Transcripts) -> Mapping[str, Annotations]:  # noqa: ARG002
        """Return nothing: a transcript is no annotation file of WFDB."""
        return {}


TASK = _Transcripts()
