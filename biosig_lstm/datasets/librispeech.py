"""LibriSpeech: a thousand hours of audio books read in English, in subsets by speaker."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._card import Protocol
from biosig_lstm.datasets._challenge import LargeDataset
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats.audio import read_audio, write_audio
from biosig_lstm.windows.utterance import TRANSCRIPT

__all__ = ["DATASET", "LibriSpeech", "write_sample"]

_FILE = re.compile(r"((\d+)-(\d+)-\d+)\.flac")


class _Utterance(NamedTuple):
    path: Path
    subset: str


@dataclass(frozen=True, repr=False)
class LibriSpeech(LargeDataset):
    """The corpus as its archives unpack: ``test-clean/1089/134686/1089-134686-0000.flac`` and ``...trans.txt``.

    Files are known by their names, in whatever folders they lie; the subset is the folder above speaker and chapter.

    Notes
    -----
    A record is an utterance, its subject the reader. The transcript, in capitals as published, is the note of one
    annotation ``transcript`` over the whole recording.
    """

    def find_records(self) -> set[str]:
        """Return the names of the utterances at the root and in the folders below it."""
        return set(self.utterances)

    @cached_property
    def utterances(self) -> dict[str, _Utterance]:
        """File and subset of each utterance that was there when they were first asked for."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for match in filter(None, map(_FILE.fullmatch, names)):
                place = Path(folder)
                found[match[1]] = _Utterance(place / match[0], place.parent.parent.name)
        return found

    def subject_of(self, record: str) -> str:
        """Return a name of the reader that no other database has for a person: ``librispeech-1089``."""
        return f"{self.name}-{record.partition('-')[0]}"

    def resolve(self, protocol: Protocol) -> Protocol:
        """Return the protocol with the records of its sides, by the subsets at the root.

        Warns
        -----
        BiosigWarning
            When some subsets of a side are there and others are not: a model of those is none of the protocol.
        """
        held = {spoken.subset for spoken in self.utterances.values()}
        sides = {}
        for side, subsets in protocol.folds.items():
            missing = [str(subset) for subset in subsets if subset not in held]
            if 0 < len(missing) < len(subsets):
                _warn_of_missing(protocol, side, missing)
            sides[side] = tuple(sorted(name for name, spoken in self.utterances.items() if spoken.subset in subsets))
        return replace(protocol, **sides)  # type: ignore[arg-type]

    def read(self, record: str) -> Recording:
        """Return one utterance with its transcript.

        Raises
        ------
        DataError
            When its file or its transcript is not there.
        """
        if record not in self.utterances:
            raise DataError(f"no file {record}.flac in {self.root} or the folders below it")
        path = self.utterances[record].path
        recording = read_audio(path)
        text = _transcript(path.parent / f"{record.rpartition('-')[0]}.trans.txt", record)
        return recording.with_annotations(Annotations([0], [recording.n_samples], [TRANSCRIPT], [text]))


DATASET = LibriSpeech


def _warn_of_missing(protocol: Protocol, side: str, missing: Sequence[str]) -> None:
    warnings.warn(
        f"{protocol.name}: {' and '.join(missing)} of its {side} side {'are' if len(missing) > 1 else 'is'} not there: "
        "what is trained or scored without is not comparable with others' figures",
        BiosigWarning,
        stacklevel=3,
    )


def _transcript(path: Path, record: str) -> str:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"the transcripts {path.name} are not in {path.parent}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: transcripts must be UTF-8, byte {error.start} is not") from error
    texts = dict(line.strip().partition(" ")[::2] for line in lines if line.strip())
    if not texts.get(record):
        raise DataError(f"{path}: no transcript of {record} among {len(texts)}")
    return texts[record].strip()


_FS_HZ = 16_000.0
_SAMPLE = {
    "train-clean-100": ("103-1240-0000", "CHAPTER ONE"),
    "train-clean-360": ("14-208-0000", "CHAPTER TEN"),
    "train-other-500": ("20-205-0000", "THAT NIGHT"),
    "dev-clean": ("84-121123-0000", "GO DO YOU HEAR"),
    "test-clean": ("1089-134686-0000", "HE HOPED THERE WOULD BE STEW"),
    "test-other": ("367-130732-0000", "LOBSTERS AND LOBSTERS"),
}


def write_sample(root: str | Path) -> None:
    """Write an utterance of noise and its transcript into six of the subsets, in the layout of the corpus.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    for seed, (subset, (record, text)) in enumerate(_SAMPLE.items()):
        speaker, chapter, _ = record.split("-")
        folder = Path(root) / subset / speaker / chapter
        folder.mkdir(parents=True, exist_ok=True)
        n_samples = round((0.1 * len(text) + 0.5) * _FS_HZ)
        noise = np.random.default_rng(seed).normal(0, 0.05, n_samples).astype(np.float32)
        write_audio(Recording(noise[None], _FS_HZ, ["sound"], ["FS"]), folder / f"{record}.flac")
        (folder / f"{speaker}-{chapter}.trans.txt").write_text(f"{record} {text}\n", encoding="utf-8")
