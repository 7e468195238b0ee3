"""Sleep-EDF Expanded: whole nights of EEG and EOG at home and in hospital, staged by experts."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import numpy as np

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.datasets._challenge import LargeDataset, find_file, names_below
from biosig_lstm.datasets._written_edf import EdfChannel, write_edf
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError, options
from biosig_lstm.formats._edf_header import parse_edf_header
from biosig_lstm.formats.eeg import EdfRecord, open_edf, read_edf_annotations

__all__ = ["COHORTS", "DATASET", "EPOCH_S", "SCORERS", "SleepEdf", "write_sample"]

EPOCH_S = 30.0
"""Length of what one stage is said of."""

COHORTS: Mapping[str, str] = MappingProxyType(
    {"all": "S", "sleep-edf-20": "SC4[01]", "cassette": "SC4", "telemetry": "ST7"}
)
"""What the names of a cohort's records begin with, as a pattern: the first 20 people, all at home, in hospital."""

SCORERS: Mapping[str, str] = MappingProxyType(
    {
        "A": (
            "SC4242E0 SC4291G0 SC4341F0 SC4342F0 SC4351F0 SC4371F0 SC4421E0 SC4422E0 SC4461F0 SC4471F0 "
            "SC4472F0 SC4541F0 SC4612E0 SC4632E0 SC4702E0 SC4712E0 SC4741E0 ST7051J0 ST7052J0 ST7071J0 "
            "ST7072J0 ST7151J0 ST7152J0 ST7171J0 ST7172J0 ST7221J0 ST7222J0"
        ),
        "C": (
            "SC4001E0 SC4002E0 SC4012E0 SC4031E0 SC4041E0 SC4042E0 SC4051E0 SC4052E0 SC4061E0 SC4062E0 "
            "SC4071E0 SC4081E0 SC4091E0 SC4092E0 SC4101E0 SC4102E0 SC4111E0 SC4112E0 SC4121E0 SC4131E0 "
            "SC4151E0 SC4152E0 SC4161E0 SC4162E0 SC4172E0 SC4181E0 SC4182E0 SC4201E0 SC4202E0 SC4211E0 "
            "SC4212E0 SC4222E0 SC4241E0 SC4262F0 SC4271F0 SC4281G0 SC4282G0 SC4292G0 SC4301E0 SC4311E0 "
            "SC4321E0 SC4322E0 SC4332F0 SC4362F0 SC4372F0 SC4381F0 SC4401E0 SC4441E0 SC4551F0 SC4572F0 "
            "SC4601E0 SC4701E0 SC4711E0 SC4721E0 SC4742E0 SC4751E0 SC4771G0 SC4772G0 SC4801G0 SC4821G0 "
            "SC4822G0"
        ),
        "E": "ST7091J0 ST7092J0 ST7101J0 ST7102J0 ST7111J0 ST7112J0 ST7121J0 ST7122J0 ST7141J0 ST7142J0",
        "G": "SC4611E0 SC4652E0 SC4762E0 SC4811G0",
        "H": "SC4011E0 SC4021E0 SC4072E0",
        "J": (
            "SC4022E0 SC4221E0 SC4231E0 SC4411E0 SC4462F0 SC4482F0 SC4491G0 SC4492G0 SC4511E0 SC4561F0 "
            "SC4562F0 SC4602E0 SC4622E0 SC4661E0 SC4662E0 SC4671G0 SC4732E0 ST7211J0 ST7212J0"
        ),
        "M": (
            "SC4261F0 SC4272F0 SC4312E0 SC4412E0 SC4431E0 SC4432E0 SC4502E0 SC4522E0 SC4531E0 SC4581G0 "
            "SC4631E0 SC4722E0 SC4731E0 SC4752E0 ST7021J0 ST7022J0 ST7161J0 ST7162J0"
        ),
        "O": "ST7041J0 ST7042J0 ST7201J0 ST7202J0 ST7241J0 ST7242J0",
        "P": ("SC4032E0 SC4082E0 SC4191E0 SC4251E0 SC4582G0 SC4641E0 SC4642E0 SC4651E0 SC4761E0 ST7011J0 ST7012J0"),
        "R": "ST7061J0 ST7062J0 ST7131J0 ST7132J0 ST7181J0 ST7182J0 ST7191J0 ST7192J0",
        "U": "SC4141E0 SC4142E0 SC4171E0 SC4252E0",
        "V": (
            "SC4122E0 SC4192E0 SC4232E0 SC4302E0 SC4331F0 SC4352F0 SC4442E0 SC4481F0 SC4532E0 SC4571F0 "
            "SC4621E0 SC4672G0 SC4802G0 SC4812G0"
        ),
        "W": "SC4382F0 SC4402E0 SC4452F0 SC4501E0 SC4512E0 SC4542F0 SC4552F0 ST7081J0 ST7082J0",
        "Y": "SC4451F0 SC4591G0 SC4592G0",
    }
)
"""Records by the letter that the name of their hypnogram ends with, which stands for who staged them."""

_RECORD = re.compile(r"(SC4|ST7)\d{3}[A-Z]0")
_WAKE = ("30 min", "whole")
_WAKE_S = 1800.0
_SLEEP = ("Sleep stage 1", "Sleep stage 2", "Sleep stage 3", "Sleep stage 4", "Sleep stage R")
_STAGES = (*_SLEEP, "Sleep stage W", "Sleep stage ?", "Movement time")
_LETTER = {record: letter for letter, records in SCORERS.items() for record in records.split()}

Stage = tuple[float, float, str]


@dataclass(frozen=True, repr=False)
class SleepEdf(LargeDataset):
    """The database as PhysioNet gives it: ``sleep-cassette/SC4001E0-PSG.edf``, beside it ``SC4001EC-Hypnogram.edf``.

    Files may also lie at the root itself.

    Parameters
    ----------
    cohort : str
        Which records are there, one of `COHORTS`; all by default.
    wake : str
        ``"30 min"`` keeps so much before the first and after the last epoch of sleep, as papers do; ``"whole"`` keeps
        the recording, most of a day of those at home, on which wake is found with ease.

    Raises
    ------
    ParameterError
        When a setting is none of these.

    Notes
    -----
    Each staged 30 s is an annotation of that length in the words of EDF+, ``Sleep stage 2``; `SleepStages` makes five
    stages of them. Channels are those of the rate that EEG has, 100 Hz; the others are not read, and nothing outside of
    what `wake` keeps is.
    """

    cohort: str = "all"
    wake: str = "30 min"

    def __post_init__(self) -> None:
        for key, known in (("cohort", COHORTS), ("wake", _WAKE)):
            if getattr(self, key) not in known:
                raise ParameterError(f"{self.card.name}: {key} {options(getattr(self, key), known)}")

    @property
    def absent(self) -> tuple[str, ...]:
        """Records of the cohort that are not at the root, sorted."""
        return tuple(filter(re.compile(COHORTS[self.cohort]).match, super().absent))

    def find_records(self) -> set[str]:
        """Return the names of the cohort's records at the root and in the folders below it."""
        found = names_below(self.root, "-PSG.edf")
        return {name for name in found if _RECORD.fullmatch(name) and re.match(COHORTS[self.cohort], name)}

    def subject_of(self, record: str) -> str:
        """Return whom a record shows, both nights of one person alike: ``SC400`` of ``SC4001E0``."""
        return record[:5]

    @classmethod
    def stems_of(cls, record: str) -> tuple[str, ...]:
        """Return what the files of a record begin with: those of the night and of its hypnogram."""
        night = f"{record}-PSG" if _RECORD.fullmatch(record) else record
        return (night, f"{record[:7]}{_LETTER[record]}-Hypnogram") if record in _LETTER else (night,)

    def read(self, record: str) -> Recording:
        """Return one night with its stages.

        Raises
        ------
        DataError
            When the night or its hypnogram is not there or damaged, there are several, or nothing is staged.
        """
        night = open_edf(self._file(f"{record}-PSG.edf"))
        stages = _stages(self._file(f"{record[:7]}?-Hypnogram.edf"), night)
        first_s, last_s = 0.0, night.duration_s
        if self.wake != "whole":
            first_s, last_s = _around_sleep(stages, night.duration_s, record)
        read = night.read(night.default_channels(), start_s=first_s, stop_s=last_s, annotations=False)
        return replace(read, annotations=_epochs(stages, read.fs, first_s=first_s, n_samples=read.n_samples))

    def _file(self, name: str) -> Path:
        first = find_file(self.root, name)
        if first is None:
            raise DataError(f"no file {name} in {self.root} or the folders below it")
        several = sorted(path.name for path in first.parent.glob(name))
        if len(several) > 1:
            raise DataError(f"{len(several)} hypnograms of one night: {', '.join(several)}")
        return first


DATASET = SleepEdf


def _stages(path: Path, night: EdfRecord) -> list[Stage]:
    """Return onset, duration and text of what is staged inside the night, in seconds from its beginning."""
    shift_s = _seconds_between(night.header.start, parse_edf_header(path).start)
    if shift_s:
        warnings.warn(f"{path.name}: begins {shift_s:g} s after its night, moved so far", BiosigWarning, stacklevel=4)
    said = [(onset_s + shift_s, length_s, text) for onset_s, length_s, text in read_edf_annotations(path)]
    foreign = sorted({text for _, _, text in said} - set(_STAGES))
    if foreign:
        what = f"{path.name}: annotations that are no stage left out: {', '.join(foreign)}"
        warnings.warn(what, BiosigWarning, stacklevel=4)
    inside = [one for one in said if one[2] in _STAGES and one[0] + one[1] > 0 and one[0] < night.duration_s]
    if not inside:
        raise DataError(f"{path.name}: stages nothing of the night's {night.duration_s:g} s")
    return inside


def _seconds_between(first: str, second: str) -> float:
    try:
        begin, then = (datetime.strptime(text.replace(" ", ""), "%d.%m.%y%H.%M.%S") for text in (first, second))
    except ValueError:
        return 0.0
    return (then - begin).total_seconds()


def _around_sleep(stages: list[Stage], duration_s: float, record: str) -> tuple[float, float]:
    sleep = [(onset_s, onset_s + length_s) for onset_s, length_s, text in stages if text in _SLEEP]
    if not sleep:
        warnings.warn(f"{record}: nobody slept, kept whole", BiosigWarning, stacklevel=4)
        return 0.0, duration_s
    before_s, after_s = sleep[0][0] - _WAKE_S, max(end_s for _, end_s in sleep) + _WAKE_S
    return max(0.0, before_s), min(duration_s, after_s)


def _epochs(stages: list[Stage], fs: float, *, first_s: float, n_samples: int) -> Annotations:
    """Return an annotation for each 30 s of what was staged, cut to the samples that were read."""
    starts: list[float] = []
    stops: list[float] = []
    texts: list[str] = []
    for onset_s, length_s, text in stages:
        begin_s = onset_s - first_s + EPOCH_S * np.arange(math.ceil(length_s / EPOCH_S))
        starts += begin_s.tolist()
        stops += np.minimum(begin_s + EPOCH_S, onset_s - first_s + length_s).tolist()
        texts += [text] * len(begin_s)
    edges = [np.clip(np.rint(np.array(edge) * fs), 0, n_samples).astype(np.int64) for edge in (starts, stops)]
    held = edges[0] < edges[1]
    return Annotations(edges[0][held], edges[1][held], np.array(texts)[held])


_SAMPLE_S = {"W": 60, "1": 60, "2": 120, "3": 60, "4": 60, "R": 120}
_SAMPLE_HZ = {"W": 20.0, "1": 6.0, "2": 12.5, "3": 2.0, "4": 1.0, "R": 4.0}
_SAMPLE_NIGHTS = {"SC4001E0": 1980, "SC4002E0": 120, "SC4011E0": 120, "ST7011J0": 120}


def write_sample(root: str | Path) -> None:
    """Write four generated nights of minutes in the layout of the database, two of them of one person.

    SC4001E0 has more than half an hour of wake before and after sleep. Hypnograms go on, unscored, after their nights.

    Parameters
    ----------
    root : str or Path
        Folder to write to; made if need be.
    """
    for seed, (record, wake_s) in enumerate(_SAMPLE_NIGHTS.items()):
        home = record.startswith("SC")
        folder = Path(root) / ("sleep-cassette" if home else "sleep-telemetry")
        folder.mkdir(parents=True, exist_ok=True)
        said = [("W", wake_s), *_SAMPLE_S.items(), ("2", 90), ("W", wake_s)]
        ends = np.cumsum([length for _, length in said]).tolist()
        notes = [
            (float(end - length), float(length), f"Sleep stage {s}")
            for end, (s, length) in zip(ends, said, strict=True)
        ]
        stages = "".join(stage * length for stage, length in said)
        write_edf(folder / f"{record}-PSG.edf", _channels(stages, seed, at_home=home))
        hypnogram = folder / f"{record[:7]}{_LETTER[record]}-Hypnogram.edf"
        write_edf(hypnogram, [], [*notes, (float(ends[-1]), 600.0, "Sleep stage ?")])


def _channels(stages: str, seed: int, *, at_home: bool) -> list[EdfChannel]:
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.cumsum(np.repeat([_SAMPLE_HZ[stage] for stage in stages], 100)) / 100
    size = np.repeat([60.0 if stage in "34" else 20.0 for stage in stages], 100)
    names = ["EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", *([] if at_home else ["EMG submental"])]
    noise = rng.normal(0, 6, (len(names), len(phase)))
    fast = [
        EdfChannel(name, size * np.sin(phase + k) + row, 100)
        for k, (name, row) in enumerate(zip(names, noise, strict=True))
    ]
    if not at_home:
        return [*fast, EdfChannel("Marker", np.zeros(10 * len(stages)), 10, unit="ST + HB")]
    slow = (("EMG submental", "uV"), ("Temp rectal", "DegC"))
    return [*fast, *(EdfChannel(name, np.full(len(stages), 30.0), 1, unit=unit) for name, unit in slow)]
