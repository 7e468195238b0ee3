"""What was said: text, words with their times, and how sure the model was."""

from __future__ import annotations

import csv
import html
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Transcript", "Transcripts", "Word"]

_HEADER = ("recording", "start_s", "stop_s", "label", "confidence")
_SHOWN = 20


@dataclass(frozen=True)
class Word:
    """A word or phone, and where it was said.

    Parameters
    ----------
    text : str
        The word.
    start_s, stop_s : float [unit=s]
        From its first symbol to its last, from the beginning of the recording; see `biosig_lstm.decoding.align` for
        what these times are.
    confidence : float [0 to 1]
        Of its symbols the least, each being as sure as in its surest frame.
    """

    text: str
    start_s: float
    stop_s: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was said in one recording.

    Parameters
    ----------
    recording, subject : str
        Which, and whose.
    text : str
        What was said.
    words : tuple of Word
        Its words in order; of a model of phones its phones.
    duration_s : float [unit=s]
        Length of the recording.
    log_probability : float
        Of the text by the network, the sum over the stretches that were decoded one by one.
    """

    recording: str
    subject: str
    text: str
    words: tuple[Word, ...]
    duration_s: float
    log_probability: float

    def __repr__(self) -> str:
        text = self.text if len(self.text) < 70 else self.text[:67] + "..."
        return f"Transcript({self.recording!r}: {text!r}; {len(self.words)} words in {self.duration_s:g} s)"

    @property
    def confidence(self) -> float | None:
        """Mean confidence of the words; None where nothing was said."""
        return float(np.mean([word.confidence for word in self.words])) if self.words else None

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values, times to the millisecond."""
        words = [
            {name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(word).items()}
            for word in self.words
        ]
        sure = self.confidence
        return {
            "recording": self.recording,
            "text": self.text,
            "confidence": None if sure is None else round(sure, 3),
            "duration_s": round(self.duration_s, 3),
            "words": words,
        }

    def json_line(self) -> str:
        """Return `to_dict` as a line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False) + "\n"

    def to_textgrid(self) -> str:
        """Return the words as a TextGrid of Praat: one tier of intervals, ``words``, what lies between them empty.

        Notes
        -----
        The long text format as Praat (Boersma and Weenink) writes it; times are those of the words, cut where the
        next one begins.
        """
        intervals = list(self._intervals())
        lines = [
            'File type = "ooTextFile"',
            'Object class = "TextGrid"',
            "",
            "xmin = 0",
            f"xmax = {self.duration_s:.6g}",
            "tiers? <exists>",
            "size = 1",
            "item []:",
            "    item [1]:",
            '        class = "IntervalTier"',
            '        name = "words"',
            "        xmin = 0",
            f"        xmax = {self.duration_s:.6g}",
            f"        intervals: size = {len(intervals)}",
        ]
        for k, (start_s, stop_s, text) in enumerate(intervals, 1):
            quoted = text.replace('"', '""')
            lines += [
                f"        intervals [{k}]:",
                f"            xmin = {start_s:.6g}",
                f"            xmax = {stop_s:.6g}",
                f'            text = "{quoted}"',
            ]
        return "\n".join(lines) + "\n"

    def _intervals(self) -> Iterator[tuple[float, float, str]]:
        """Yield (start_s, stop_s, text) without a gap from the beginning to the end."""
        at = 0.0
        ends = (*(word.start_s for word in self.words[1:]), self.duration_s)
        for word, end_s in zip(self.words, ends, strict=False):
            start_s, stop_s = max(word.start_s, at), min(word.stop_s, max(end_s, at), self.duration_s)
            if stop_s <= start_s:
                continue
            if start_s > at:
                yield at, start_s, ""
            yield start_s, stop_s, word.text
            at = stop_s
        if at < self.duration_s or not at:
            yield at, self.duration_s, ""


@dataclass(frozen=True, repr=False)
class Transcripts:
    """What was said in several recordings; a row of its table is a word.

    Parameters
    ----------
    each : tuple of Transcript
        One for each recording, in order.
    """

    each: tuple[Transcript, ...] = ()

    def __len__(self) -> int:
        return len(self.each)

    def __iter__(self) -> Iterator[Transcript]:
        return iter(self.each)

    def __getitem__(self, index: int) -> Transcript:
        return self.each[index]

    def __repr__(self) -> str:
        lines = [f"  {said.recording}: {said.text}" for said in self.each[:_SHOWN]]
        more = [f"  and {len(self) - _SHOWN} more"] if len(self) > _SHOWN else []
        return "\n".join([f"Transcripts({len(self)} of {len(self.labels)} words)", *lines, *more])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(said.recording)}</td><td>{html.escape(said.text)}</td></tr>"
            for said in self.each[:_SHOWN]
        )
        more = f"<p>and {len(self) - _SHOWN} more</p>" if len(self) > _SHOWN else ""
        return f"<table><tr><th>recording</th><th>text</th></tr>{rows}</table>{more}"

    @property
    def texts(self) -> tuple[str, ...]:
        """What was said in each recording."""
        return tuple(said.text for said in self.each)

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """Every word, shape (words,)."""
        return np.array([word.text for said in self.each for word in said.words], dtype=np.str_)

    def csv_rows(self, *, header: bool = True) -> str:
        """Return a row for each word as CSV text: recording, start_s, stop_s, label, confidence."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if header:
            writer.writerow(_HEADER)
        for said in self.each:
            for word in said.words:
                times = f"{word.start_s:.3f}", f"{word.stop_s:.3f}"
                writer.writerow([said.recording, *times, word.text, f"{word.confidence:.4f}"])
        return text.getvalue()

    def to_csv(self, path: str | Path) -> None:
        """Write `csv_rows` to a file."""
        Path(path).write_text(self.csv_rows(), encoding="utf-8", newline="")

    def json_lines(self) -> str:
        """Return a JSON object for each recording, a line each."""
        return "".join(said.json_line() for said in self.each)

    @classmethod
    def concatenate(cls, parts: Sequence[Transcripts]) -> Transcripts:
        """Return the transcripts of several sets one after the other."""
        return cls(tuple(said for part in parts for said in part.each))
