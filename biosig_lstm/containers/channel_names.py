"""Names of EEG channels: one spelling for the many that recorders have, and which channel of a file is meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from biosig_lstm.errors import DataError, ParameterError, options

__all__ = [
    "EegName",
    "canonical_channel",
    "channels_meant",
    "eeg_channels",
    "is_derivation",
    "is_eeg_channel",
    "parse_eeg_name",
    "the_channel_meant",
]

_REGIONS = (
    "Fp AFp AF AFF F FFT FFC FC FT FTT FCC C T TTP CCP CP TP TPP CPP P PPO PO POO O OI I N"  # of the 10-05 system
)
_SPELLED = {region.upper(): region for region in _REGIONS.split()}
_OLD = {"T3": "T7", "T4": "T8", "T5": "P7", "T6": "P8"}
_ELECTRODE = re.compile(rf"({'|'.join(sorted(_SPELLED, key=len, reverse=True))})(Z|10|[1-9])(H?)")
_ON_THE_EAR = re.compile(r"[AM][12]")
_JOINED = re.compile(r"(.+?)([AM][12])")
_WORD = re.compile(r"EEG(?![A-Z0-9])[\s_:.-]*|EEG(?=[A-Z])", re.IGNORECASE)
_SAYS_EEG = re.compile(r"\s*EEG(?![A-Z])", re.IGNORECASE)
_OF_ANOTHER_KIND = re.compile(
    r"EKG|ECG|[HV]?EOG|EMG|SPO2|PHOTIC|PULSE|RESP|(LOC|ROC|DC)(?![A-Z])|(LEFT|RIGHT) EYE\b", re.IGNORECASE
)
_COUNTED = re.compile(r" \(\d+\)$")
_SEPARATOR = re.compile(r"\s*[-/_:]\s*")
_COMMON_WORDS = (
    "REF REFERENCE LE LER CLE LM LINKED AR AVG AVE AV CAR A12 A1A2 A2A1 A1+A2 A2+A1 A1-A2 A2-A1 "
    "M12 M1M2 M2M1 M1+M2 M2+M1 M1-M2 M2-M1"
)
_COMMON = frozenset(_COMMON_WORDS.split())
_NUMBERED = re.compile(r"[A-H]\d{1,2}")
_FEW = 4
_VOLTS = ("V", "mV", "uV", "nV")


class EegName(NamedTuple):
    """What the name of an EEG channel says.

    Attributes
    ----------
    electrode : str
        In the spelling of the 10-10 system: ``Fp1``, ``T7``, ``Cz``.
    against : str
        The other electrode of a derivation, as ``Cz`` of ``Fpz-Cz``; empty where the reference is common to many.
    """

    electrode: str
    against: str = ""

    def __str__(self) -> str:
        return f"{self.electrode}-{self.against}" if self.against else self.electrode


def parse_eeg_name(channel: str) -> EegName | None:
    """Return what a channel's name says, None where it names no electrode of the 10-20, 10-10 or 10-05 system.

    Parameters
    ----------
    channel : str
        As a file has it: ``EEG Fp1-Ref``, ``FP1``, ``Fc5.``, ``T3``, ``EEG Fpz-Cz``, ``C3M2``.

    Notes
    -----
    Case, the word EEG, dots and spaces around and a common reference (REF, LE, AR, AVG, A1+A2 ...) say nothing. T3, T4,
    T5 and T6 of the old 10-20 system are T7, T8, P7 and P8 (American Clinical Neurophysiology Society, Guideline 2).
    Ears A1, A2 and mastoids M1, M2 are different places and stay apart. Labels of caps that number their electrodes
    otherwise (``A1`` to ``H32`` of BioSemi) cannot be told from names of this system where they are spelled alike.

    Examples
    --------
    >>> parse_eeg_name("EEG T3-LE"), parse_eeg_name("EEG FPZ-CZ"), parse_eeg_name("EOG left")
    (EegName(electrode='T7', against=''), EegName(electrode='Fpz', against='Cz'), None)
    """
    text = _WORD.sub("", channel.strip(" .").upper(), count=1).strip(" .")
    first, *rest = _SEPARATOR.split(text, maxsplit=1)
    if rest and rest[0].replace(" ", "") in _COMMON:
        rest = []
    glued = _JOINED.fullmatch(first)
    if glued and not rest and not _electrode(first):
        first, rest = glued[1], [glued[2]]
    named = [_electrode(part) for part in (first, *rest)]
    return EegName(*named) if all(named) else None  # type: ignore[arg-type]


def _electrode(text: str) -> str | None:
    if text in _OLD:
        return _OLD[text]
    if _ON_THE_EAR.fullmatch(text):
        return text
    found = _ELECTRODE.fullmatch(text)
    return _SPELLED[found[1]] + found[2].lower() + found[3].lower() if found else None


def canonical_channel(channel: str) -> str:
    """Return the one spelling of an EEG channel's name; any other name is kept as it came, less outer spaces.

    Examples
    --------
    >>> [canonical_channel(name) for name in ("FP1", "Fc5.", "EEG T5-LE", "EEG Fpz-Cz", "C3-A2", "ECG ECG", "EEG 1")]
    ['Fp1', 'FC5', 'P7', 'Fpz-Cz', 'C3-A2', 'ECG ECG', 'EEG 1']
    """
    found = parse_eeg_name(channel)
    return str(found) if found else channel.strip()


def is_eeg_channel(channel: str) -> bool:
    """Return whether a name is that of an EEG channel: an electrode against anything, or the word EEG in front.

    Some recorders put the word EEG in front of everything; ``EEG EKG1-REF`` is no EEG all the same.

    Examples
    --------
    >>> [is_eeg_channel(name) for name in ("Fz", "C4-nose", "EEG 012", "EOG left", "ECG", "Resp", "EEG EKG1-REF")]
    [True, True, True, False, False, False, False]
    """
    first = _SEPARATOR.split(_COUNTED.sub("", channel), maxsplit=1)[0]
    if any(map(parse_eeg_name, (channel, first))):
        return True
    return _SAYS_EEG.match(channel) is not None and not _OF_ANOTHER_KIND.match(_WORD.sub("", channel.strip(), count=1))


def is_derivation(channel: str) -> bool:
    """Return whether a name is that of the difference of two electrodes, as ``Fpz-Cz``, or ``T8-P8 (2)``.

    Examples
    --------
    >>> [is_derivation(name) for name in ("EEG Fpz-Cz", "EEG Fpz-Ref", "T8-P8 (2)")]
    [True, False, True]
    """
    found = parse_eeg_name(_COUNTED.sub("", channel))
    return found is not None and found.against != ""


def channels_meant(name: str, channels: Sequence[str], units: Sequence[str] | None = None) -> list[str]:
    """Return which channels a name means: one where it is clear, none, or several where they cannot be told apart.

    Parameters
    ----------
    name : str
        The name wanted.
    channels : sequence of str
        The names that are there.
    units : sequence of str, optional
        Their units: what is known to be no voltage is no EEG.

    Returns
    -------
    list of str
        The channel of that name, without regard to case and surrounding spaces. Where there is none, those that
        `canonical_channel` gives the same name.

    Examples
    --------
    >>> channels_meant("T7", ["EEG T3-LE", "EEG Fz-LE", "ECG"])
    ['EEG T3-LE']
    """
    alike = [held for held in channels if _folded(held) == _folded(name)]
    wanted = parse_eeg_name(name)
    if alike or wanted is None:
        return alike[:1]
    kinds = ["uV"] * len(channels) if units is None else units
    return [
        held
        for held, unit in zip(channels, kinds, strict=True)
        if (not unit or unit in _VOLTS) and parse_eeg_name(held) == wanted
    ]


def the_channel_meant(name: str, channels: Sequence[str], units: Sequence[str] | None = None) -> str:
    """Return the one channel that a name means; see `channels_meant`.

    Raises
    ------
    DataError
        When there is none, or several: the message says which.
    """
    found = channels_meant(name, channels, units)
    if not found:
        raise DataError(f"channel {options(name, channels)}")
    if len(found) > 1:
        raise DataError(f"channel {name!r} may be any of {', '.join(found)}: name the one that is meant")
    return found[0]


def eeg_channels(
    which: str | Sequence[str], channels: Sequence[str], units: Sequence[str], *, typed: Sequence[str] = ()
) -> list[str]:
    """Return the channels that a step for EEG works on.

    Parameters
    ----------
    which : {'eeg', 'all'} or sequence of str
        ``eeg``: the voltages that are named as EEG, which those of caps that number electrodes A1 to H32 are not;
        ``all``: every voltage; or names, as `channels_meant` takes them.
    channels, units : sequence of str
        Of the recording.
    typed : sequence of str, optional
        Channels whose type is known to be EEG: taken for ``eeg`` where no name says so.

    Raises
    ------
    DataError
        When there is none, or a name is not there.
    ParameterError
        When `which` is another word.
    """
    if not isinstance(which, str):
        return [the_channel_meant(name, channels, units) for name in which]
    if which not in {"eeg", "all"}:
        raise ParameterError(f"channels are 'eeg', 'all' or a tuple of names, got {which!r}")
    volts = [name for name, unit in zip(channels, units, strict=True) if unit in _VOLTS]
    tell = not _numbered_cap(volts)
    found = [name for name in volts if which == "all" or (tell and is_eeg_channel(name))] or list(typed)
    if not found:
        held = ", ".join(f"{name} ({unit or 'no unit'})" for name, unit in zip(channels, units, strict=True))
        what = "voltage" if which == "all" else "voltage that is named as EEG; name the channels in channels=(...)"
        raise DataError(f"no channel is a {what}: {held or 'there are none'}")
    return found


def _numbered_cap(channels: Sequence[str]) -> bool:
    """Return whether electrodes are called A1 to H32, as on BioSemi caps: those say nothing about a place."""
    return sum(_NUMBERED.fullmatch(name) is not None and not parse_eeg_name(name) for name in channels) > _FEW


def _folded(name: str) -> str:
    return name.strip().casefold()
