"""Bipolar derivations of the EEG: differences of two electrodes, singly or as a montage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from biosig_lstm.containers import Recording
from biosig_lstm.containers.channel_names import channels_meant, the_channel_meant
from biosig_lstm.errors import DataError, ParameterError, options
from biosig_lstm.filters._base import Filter, as_rows, channels_named

__all__ = ["MONTAGES", "Bipolar"]

Pair = tuple[str, str]


def _chain(text: str) -> tuple[Pair, ...]:
    lines = [line.split("-") for line in text.split()]
    return tuple((anode, cathode) for line in lines for anode, cathode in pairwise(line))


MONTAGES: dict[str, tuple[Pair, ...]] = {
    "double banana": _chain("Fp1-F7-T7-P7-O1 Fp1-F3-C3-P3-O1 Fz-Cz-Pz Fp2-F4-C4-P4-O2 Fp2-F8-T8-P8-O2"),
    "transverse": _chain("F7-Fp1-Fp2-F8 F7-F3-Fz-F4-F8 T7-C3-Cz-C4-T8 P7-P3-Pz-P4-P8 O1-O2"),
}
"""Named montages: the longitudinal chains from left to right, the transverse ones from front to back, no ears."""


@dataclass(frozen=True)
class Bipolar(Filter):
    """Put differences of two electrodes in the place of the electrodes they are made of.

    Parameters
    ----------
    pairs : str or tuple of (str, str)
        ``double banana`` (longitudinal, 18 derivations) or ``transverse`` (16) of the 10-20 system, or pairs of
        electrodes: the second is subtracted from the first. ``"Fp1-F7"`` is the pair ``("Fp1", "F7")``. Electrodes are
        found under their other names too (``EEG Fp1-Ref``, ``T3`` for ``T7``).
    keep_others : bool
        Whether channels of no pair stay, after the derivations.

    Raises
    ------
    ParameterError
        When the montage is not known, or the pairs are none, alike, or of one electrode.

    Notes
    -----
    A derivation that the recording holds already, as the files of CHB-MIT do, is taken as it is. Each bears the names
    given here: ``Fp1-F7``. The values are those of `mne.set_bipolar_reference`.

    Examples
    --------
    >>> eeg = Recording([[1.0], [5.0], [7.0]], 250, ["EEG FP1-REF", "EEG F7-REF", "ECG"], ["uV"] * 3)
    >>> Bipolar((("Fp1", "F7"),))(eeg)
    Recording('': Fp1-F7 (uV), ECG (uV); 0.004 s at 250 Hz; Annotations(0))
    """

    pairs: str | tuple[str | Pair, ...]
    keep_others: bool = True

    mixes_channels: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.pairs, str) and self.pairs not in MONTAGES:
            raise ParameterError(f"montage {options(self.pairs, MONTAGES)}; or pairs such as (('Fp1', 'F7'),)")
        if not isinstance(self.pairs, str):
            object.__setattr__(self, "pairs", tuple(map(_pair, self.pairs)))
        names = [f"{anode}-{cathode}" for anode, cathode in self.derivations]
        if not names or len(set(names)) < len(names):
            raise ParameterError(f"pairs must be one or more, each once, got {', '.join(names) or 'none'}")

    @property
    def derivations(self) -> tuple[Pair, ...]:
        """The pairs of electrodes, also of a named montage."""
        return MONTAGES[self.pairs] if isinstance(self.pairs, str) else self.pairs  # type: ignore[return-value]

    def on_recording(self, recording: Recording) -> Recording:
        """Return the recording with derivations.

        Raises
        ------
        DataError
            When electrodes are not there (all of them are named), two of a pair differ in unit, or one holds NaN: its
            name, and where, in seconds.
        """
        made = self.sources(recording)
        used = {name for parts in made.values() for name in parts}
        others = [name for name in recording.channels if self.keep_others and name not in used]
        part = recording.pick(dict.fromkeys(name for parts in made.values() for name in parts))
        with channels_named(part):
            held = dict(zip(part.channels, as_rows(part.signals, part.fs), strict=True))
        units = dict(zip(recording.channels, recording.units, strict=True))
        _check_units(recording.id, made, units)
        rows = [held[parts[0]] - held[parts[1]] if len(parts) == 2 else held[parts[0]] for parts in made.values()]
        rest = recording.pick(others)
        return Recording(
            np.concatenate([np.stack(rows), rest.signals]),
            recording.fs,
            [*made, *others],
            [*(units[parts[0]] for parts in made.values()), *rest.units],
            id=recording.id,
            subject=recording.subject,
            annotations=recording.annotations,
            history=(*recording.history, f"{self!r}: {len(made)} derivations of {len(used)} channels"),
        )

    def sources(self, recording: Recording) -> dict[str, tuple[str, ...]]:
        """Return the electrodes of each derivation, or the one channel that is it already."""
        channels, units = recording.channels, recording.units
        made: dict[str, tuple[str, ...]] = {}
        missing: dict[str, DataError] = {}
        for anode, cathode in self.derivations:
            name = f"{anode}-{cathode}"
            held = channels_meant(name, channels, units)
            try:
                made[name] = (
                    (held[0],)
                    if len(held) == 1
                    else tuple(the_channel_meant(each, channels, units) for each in (anode, cathode))
                )
            except DataError as error:
                missing[name] = error
        if missing:
            why = next(iter(missing.values()))
            raise DataError(f"{recording.id}: no derivation {', '.join(missing)} can be made: {why}")
        return made


def _pair(given: str | Sequence[str]) -> Pair:
    parts = given.split("-") if isinstance(given, str) else list(given)
    if len(parts) != 2 or not all(parts) or parts[0] == parts[1]:
        raise ParameterError(f"a pair is two different electrodes, as ('Fp1', 'F7') or 'Fp1-F7', got {given!r}")
    return parts[0], parts[1]


def _check_units(where: str, made: dict[str, tuple[str, ...]], units: dict[str, str]) -> None:
    for name, parts in made.items():
        if len({units[part] for part in parts}) > 1:
            said = ", ".join(f"{part} ({units[part]})" for part in parts)
            raise DataError(f"{where}: {name} of channels of two units: {said}; bring them to one (ToUnit)")
