"""TIMIT: 630 people, ten sentences each, every phone marked."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.datasets._challenge import LargeDataset
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.formats.audio import read_audio, write_audio
from biosig_lstm.windows.utterance import TRANSCRIPT

__all__ = ["CORE_TEST", "DATASET", "DEVELOPMENT", "PHONES_39", "Timit", "write_sample"]

CORE_TEST = frozenset({
    "MDAB0", "MWBT0", "FELC0", "MTAS1", "MWEW0", "FPAS0", "MJMP0", "MLNT0", "FPKT0", "MLLL0", "MTLS0", "FJLM0",
    "MBPM0", "MKLT0", "FNLP0", "MCMJ0", "MJDH0", "FMGD0", "MGRT0", "MNJM0", "FDHC0", "MJLN0", "MPAM0", "FMLD0",
})  # fmt: skip
"""The 24 speakers of the core test set, two men and a woman of each region."""

DEVELOPMENT = frozenset({
    "FAKS0", "FDAC1", "FJEM0", "MGWT0", "MJAR0", "MMDB1", "MMDM2", "MPDF0", "FCMH0", "FKMS0", "MBDG0", "MBWM0",
    "MCSH0", "FADG0", "FDMS0", "FEDW0", "MGJF0", "MGLB0", "MRTK0", "MTAA0", "MTDT0", "MTHC0", "MWJG0", "FNMR0",
    "FREW0", "FSEM0", "MBNS0", "MMJR0", "MDLS0", "MDLF0", "MDVC0", "MERS0", "FMAH0", "FDRW0", "MRCS0", "MRJM4",
    "FCAL1", "MMWH0", "FJSJ0", "MAJC0", "MJSW0", "MREB0", "FGJD0", "FJMG0", "MROA0", "MTEB0", "MJFC0", "MRJR0",
    "FMML0", "MRWS1",
})  # fmt: skip
"""The 50 other speakers of the test set that choose the epoch (Halberstadt 1998), as most papers have them."""

_FOLDED = {
    "ao": "aa", "ax": "ah", "ax-h": "ah", "axr": "er", "hv": "hh", "ix": "ih", "el": "l", "em": "m", "en": "n",
    "nx": "n", "eng": "ng", "zh": "sh", "ux": "uw",
    "pcl": "sil", "tcl": "sil", "kcl": "sil", "bcl": "sil", "dcl": "sil", "gcl": "sil", "h#": "sil", "pau": "sil",
    "epi": "sil",
}  # fmt: skip
_KEPT = (
    "aa", "ae", "ah", "aw", "ay", "b", "ch", "d", "dh", "dx", "eh", "er", "ey", "f", "g", "hh", "ih", "iy", "jh", "k",
    "l", "m", "n", "ng", "ow", "oy", "p", "r", "s", "sh", "t", "th", "uh", "uw", "v", "w", "y", "z",
)  # fmt: skip

PHONES_39: Mapping[str, str] = MappingProxyType({**{phone: phone for phone in _KEPT}, **_FOLDED})
"""What each of the 61 phones is scored as (Lee and Hon 1989, as Kaldi has it); ``q``, the glottal stop, is left out."""

_FILE = re.compile(r"(S[AIX]\d+)\.WAV(\.WAV)?", re.IGNORECASE)
_SPEAKER = re.compile(r"[FM][A-Z]{3}\d", re.IGNORECASE)
_EXTENSIONS = {"phones39": ".PHN", "phones61": ".PHN", "words": ".WRD", "text": ".TXT"}
_DIALECT_SENTENCES = "SA"


@dataclass(frozen=True, repr=False)
class Timit(LargeDataset):
    """The corpus as its disc has it: ``TRAIN/DR1/FCJF0/SA1.WAV`` with ``SA1.PHN``, ``SA1.WRD`` and ``SA1.TXT``.

    Letters may be of either case; where ``SA1.WAV.wav`` lies beside ``SA1.WAV``, as in copies turned into RIFF, it is
    read instead.

    Parameters
    ----------
    labels : str
        What is annotated: ``"phones39"``, the phones folded to 39 without ``q``; ``"phones61"``, as marked;
        ``"words"``, an annotation ``transcript`` over each word, which is its note; ``"text"``, one over the sentence.

    Raises
    ------
    ParameterError
        When there is no such kind of label.

    Notes
    -----
    A record is a sentence, ``FCJF0/SX37``, its subject the speaker. The sentences SA1 and SA2, which everybody reads,
    are in no protocol.
    """

    labels: str = "phones39"

    def __post_init__(self) -> None:
        if self.labels not in _EXTENSIONS:
            raise ParameterError(f"{self.card.name}: labels {options(self.labels, _EXTENSIONS)}")

    def find_records(self) -> set[str]:
        """Return the names of the sentences at the root and in the folders below it."""
        return set(self.paths)

    @cached_property
    def paths(self) -> dict[str, Path]:
        """The sound file of each sentence that was there when they were first asked for."""
        found: dict[str, Path] = {}
        for folder, _, names in os.walk(self.root):
            speaker = Path(folder).name.upper()
            if _SPEAKER.fullmatch(speaker):
                for match in filter(None, map(_FILE.fullmatch, sorted(names, key=len))):
                    found[f"{speaker}/{match[1].upper()}"] = Path(folder) / match[0]
        return found

    def subject_of(self, record: str) -> str:
        """Return a name of the speaker that no other database has for a person: ``timit-FCJF0``."""
        return f"{self.name}-{record.partition('/')[0]}"

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides: ``train``, ``development``, ``core test``, ``test``."""
        sides = {
            side: tuple(sorted(record for record in self.paths if self._fold(record) & set(folds)))
            for side, folds in protocol.folds.items()
        }
        return replace(protocol, **sides)  # type: ignore[arg-type]

    def _fold(self, record: str) -> set[str]:
        speaker, _, sentence = record.partition("/")
        if sentence.startswith(_DIALECT_SENTENCES):
            return set()
        if "TRAIN" in (part.upper() for part in self.paths[record].relative_to(self.root).parts):
            return {"train"}
        parts = {"core test": speaker in CORE_TEST, "development": speaker in DEVELOPMENT}
        return {"test"} | {name for name, holds in parts.items() if holds}

    def read(self, record: str) -> Recording:
        """Return one sentence with its labels.

        Raises
        ------
        DataError
            When its file or its labels are not there, or a phone is none of the 61.
        """
        if record not in self.paths:
            raise DataError(f"no file of {record} in {self.root} or the folders below it")
        path = self.paths[record]
        recording = read_audio(path)
        said = _beside(path, _EXTENSIONS[self.labels])
        marks = _segments(said, n_samples=recording.n_samples)
        if self.labels == "text":
            marks = [(0, recording.n_samples, text) for _, _, text in marks[:1]]
        if self.labels == "phones39":
            marks = _folded(marks, said)
        return recording.with_annotations(_annotations(marks, phones=self.labels.startswith("phones")))


DATASET = Timit

_Segment = tuple[int, int, str]


def _beside(path: Path, extension: str) -> Path:
    wanted = path.name.upper().partition(".")[0] + extension
    for other in path.parent.iterdir():
        if other.name.upper() == wanted:
            return other
    raise DataError(f"{path}: no {wanted} beside it")


def _segments(path: Path, *, n_samples: int) -> list[_Segment]:
    segments = []
    for line in path.read_text(encoding="latin-1").splitlines():
        words = line.split(maxsplit=2)
        if len(words) < 3 or not (words[0].isdigit() and words[1].isdigit()):
            raise DataError(f"{path}: a line must be start, stop and a label, got {line!r}")
        start, stop = (min(int(word), n_samples) for word in words[:2])
        segments.append((start, stop, words[2].strip()))
    return segments


def _folded(marks: list[_Segment], path: Path) -> list[_Segment]:
    for _, _, phone in marks:
        if phone != "q" and phone not in PHONES_39:
            raise DataError(f"{path}: phone {options(phone, (*PHONES_39, 'q'))}")
    return [(start, stop, PHONES_39[phone]) for start, stop, phone in marks if phone != "q"]


def _annotations(marks: list[_Segment], *, phones: bool) -> Annotations:
    starts, stops, texts = [[mark[k] for mark in marks] for k in range(3)]
    return Annotations(starts, stops, texts) if phones else Annotations(starts, stops, [TRANSCRIPT] * len(marks), texts)


_FS_HZ = 16_000.0
_SAMPLE = (
    ("TRAIN/DR1/FCJF0", "SX37", (("h#", 2000), ("sh", 1400), ("iy", 1600), ("q", 300), ("h#", 1500)), "She."),
    ("TRAIN/DR1/FCJF0", "SA1", (("h#", 2000), ("sh", 1400), ("ix", 1600), ("h#", 1500)), "She."),
    ("TRAIN/DR2/MARC0", "SI558", (("h#", 1800), ("hv", 900), ("iy", 1700), ("h#", 1600)), "He."),
    ("TEST/DR1/FAKS0", "SX43", (("h#", 1800), ("w", 900), ("iy", 1900), ("pau", 1600)), "We."),
    ("TEST/DR1/MDAB0", "SX49", (("h#", 2000), ("tcl", 700), ("t", 400), ("ux", 1900), ("h#", 1500)), "Two."),
)


def write_sample(root: str | Path) -> None:
    """Write five sentences of one word, noise under real labels, in the layout of the corpus, in NIST SPHERE files.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    for seed, (place, sentence, phones, text) in enumerate(_SAMPLE):
        folder = Path(root) / place
        folder.mkdir(parents=True, exist_ok=True)
        ends = np.cumsum([0, *(length for _, length in phones)])
        noise = np.random.default_rng(seed).normal(0, 0.05, int(ends[-1])).astype(np.float32)
        sphere = write_audio(Recording(noise[None], _FS_HZ, ["sound"], ["FS"]), folder / f"{sentence}.sph")
        sphere.rename(sphere.with_suffix(".WAV"))
        marks = [f"{a} {b} {phone}" for (phone, _), a, b in zip(phones, ends[:-1], ends[1:], strict=True)]
        word = f"{ends[1]} {ends[-2]} {text.lower().rstrip('.')}"
        for extension, lines in {"PHN": marks, "WRD": [word], "TXT": [f"0 {ends[-1]} {text}"]}.items():
            (folder / f"{sentence}.{extension}").write_text("\n".join(lines) + "\n", encoding="ascii")
