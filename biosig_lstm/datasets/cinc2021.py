"""PhysioNet/CinC Challenge 2021: 88,253 twelve-lead recordings from eight collections, labelled in SNOMED CT."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from biosig_lstm.containers import Recording
from biosig_lstm.datasets._card import Card, card_folder, read_card
from biosig_lstm.datasets._challenge import (
    LargeDataset,
    find_file,
    names_below,
    read_challenge,
    whole_recording,
    write_challenge,
)
from biosig_lstm.datasets._snomed import ABBREVIATIONS, EQUIVALENT
from biosig_lstm.datasets._written import TWELVE_LEADS, generated_recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options

__all__ = ["COHORTS", "DATASET", "Challenge2021", "write_sample"]

COHORTS = (
    "chapman_shaoxing",
    "cpsc_2018",
    "cpsc_2018_extra",
    "georgia",
    "ningbo",
    "ptb",
    "ptb-xl",
    "st_petersburg_incart",
)
"""The collections, as their folders are called."""

_CHOICES = ("merged", "separate")
_SAMPLE = (
    ("cpsc_2018", "A0001", 500.0, ("59118001",)),
    ("cpsc_2018_extra", "Q0001", 500.0, ("59118001", "713427006")),
    ("cpsc_2018_extra", "Q0002", 500.0, ("63593006", "17338001", "164865005")),
    ("georgia", "E00001", 500.0, ("426783006",)),
    ("ningbo", "S23074", 500.0, ("426177001", "251146004")),
    ("ptb", "S0001", 1000.0, ("164865005",)),
    ("st_petersburg_incart", "I0001", 257.0, ("164909002", "733534002")),
    ("st_petersburg_incart", "I0002", 257.0, ("164884008",)),
)


@dataclass(frozen=True, repr=False)
class Challenge2021(LargeDataset):
    """The training set of the Challenge 2021 as PhysioNet gives it: ``training/georgia/g1/E00001.hea`` and so on.

    The root may also be ``training`` itself, one collection, or a folder that holds all records.

    Parameters
    ----------
    card, root
        As of every `Dataset`.
    cohort : str
        One of `COHORTS` to read that collection alone; all by default.
    equivalents : {"merged", "separate"}
        ``"merged"`` gives the four pairs of diagnoses that the challenge scores as one under one label: LBBB for
        CLBBB, RBBB for CRBBB, PAC for SVPB, PVC for VPB. ``"separate"`` leaves them as they are.

    Raises
    ------
    ParameterError
        When `cohort` or `equivalents` is none of these.

    Notes
    -----
    Each diagnosis is an annotation over the whole recording: its label is the challenge's abbreviation, its note the
    SNOMED CT code. A recording has one or several, the 26 scored classes and others. No patient is named, so each
    record counts as a subject of its own, but those of the St Petersburg collection have the subjects of incartdb.
    """

    cohort: str = ""
    equivalents: Literal["merged", "separate"] = "merged"

    def __post_init__(self) -> None:
        if self.cohort and self.cohort not in COHORTS:
            raise ParameterError(f"cohort {options(self.cohort, COHORTS)}")
        if self.equivalents not in _CHOICES:
            raise ParameterError(f"equivalents {options(self.equivalents, _CHOICES)}")

    @property
    def folder(self) -> Path:
        """Folder that the records lie in or below: that of the cohort, else the root.

        Raises
        ------
        DataError
            When there is no folder of the cohort's name.
        """
        if not self.cohort or self.root.name == self.cohort:
            return self.root
        found = find_file(self.root, self.cohort)
        if found is None or not found.is_dir():
            raise DataError(f"{self.name}: no folder {self.cohort} in {self.root} or below it")
        return found

    def find_records(self) -> set[str]:
        """Return the names of the records below the folder."""
        return names_below(self.folder, ".hea")

    def read(self, record: str) -> Recording:
        """Return one record with its diagnoses as annotations of the whole."""
        header = find_file(self.folder, f"{record}.hea")
        if header is None:
            raise DataError(f"no {record}.hea in {self.folder} or below it")
        recording, codes = read_challenge(header)
        return recording.with_annotations(whole_recording(self._labelled(record, codes), recording.n_samples))

    def _labelled(self, record: str, codes: Iterable[str]) -> Iterable[tuple[str, str]]:
        for code in codes:
            if code not in ABBREVIATIONS:
                warnings.warn(f"{record}: {code!r} is no code of the challenge", BiosigWarning, stacklevel=2)
            label = ABBREVIATIONS.get(code, code)
            yield (EQUIVALENT.get(label, label) if self.equivalents == "merged" else label), code

    def subject_of(self, record: str) -> str:
        """Return the patient's name in incartdb for the records that come from there, else the record."""
        if record.startswith("I") and record[1:].isdigit():
            return self._incart.subject_of(f"I{int(record[1:]):02d}")
        return self.card.subject_of(record)

    @cached_property
    def _incart(self) -> Card:
        return read_card(card_folder("incartdb"))


DATASET = Challenge2021


def write_sample(root: str | Path) -> None:
    """Write eight generated records of 10 s in the layout of the database, from six of its collections.

    Among them are diagnoses that count as one, the misnamed S23074 of Ningbo, and two records of one patient.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    for seed, (cohort, record, fs, codes) in enumerate(_SAMPLE):
        made = generated_recording(record, fs=fs, channels=TWELVE_LEADS, seed=seed, duration_s=10.0)
        write_challenge(Path(root) / "training" / cohort / "g1", record, made.signals, fs=fs, diagnoses=codes)
