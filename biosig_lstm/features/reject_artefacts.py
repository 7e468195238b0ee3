"""Windows of EEG that are too large, too flat or mostly mains are left out, and the reasons kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm._artefacts import Limits, find_artefacts
from biosig_lstm.containers import Rejection, Windows
from biosig_lstm.containers.channel_names import eeg_channels
from biosig_lstm.containers.rejections import warn_of_losses
from biosig_lstm.errors import DataError
from biosig_lstm.steps import Step

__all__ = ["RejectArtefacts"]

Seconds = npt.NDArray[np.float64]
Block = tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]

_TO_UV = {"V": 1e6, "mV": 1e3, "uV": 1.0, "nV": 1e-3}


@dataclass(frozen=True)
class RejectArtefacts(Step):
    """Leave out windows in which an EEG channel breaks a limit; `Windows.rejections` says which, where and why.

    An item that is labelled as a whole is left out. Of a night, whose epochs are the steps of one item, an epoch stays
    where it is and loses its label: nothing is learned from it or scored on it, and the others keep their place.

    Parameters
    ----------
    peak_to_peak_uv, flat_uv : float [unit=uV, > 0], optional
        Largest and smallest difference between the highest and the lowest value of a window.
    line_share : float [0 to 1], optional
        Largest share of a window's power above 1 Hz that lies within 1 Hz of `line_hz`.
    line_hz : float [unit=Hz]
        50, or 60 as in America.
    channels : {'eeg', 'all'} or tuple of str
        What is judged. ``eeg``: the channels that are named as EEG.

    Raises
    ------
    ParameterError
        When no limit is given, or one is out of range.

    Notes
    -----
    Peak-to-peak and flat are ``reject`` and ``flat`` of `mne.Epochs.drop_bad`. Values must be voltages still: after
    `Normalize` nothing can be held against a limit in microvolts. `MarkArtefacts` looks before that.

    Where a recording loses more than a third of its windows there is a `BiosigWarning`. The predictions of a model
    whose pipeline holds this step name what was left out (`Predictions.rejected`).

    Examples
    --------
    >>> from biosig_lstm.containers import Recording
    >>> from biosig_lstm.windows import FixedLength
    >>> eeg = Recording([[0.0, 5.0] * 150 + [0.0, 400.0] * 50], 100, ["Fz"], ["uV"], id="S01")
    >>> kept = RejectArtefacts(peak_to_peak_uv=200)(FixedLength(1)(eeg))
    >>> kept.rejections
    Rejections(1 of 4 windows: peak-to-peak 1; Fz 1)
    >>> kept.rejections.rows[0]
    Rejection(recording='S01', start_s=3.0, stop_s=4.0, reason='peak-to-peak', channel='Fz', value=400.0)
    """

    kind: ClassVar[str] = "feature"

    peak_to_peak_uv: float | None = None
    flat_uv: float | None = None
    line_share: float | None = None
    line_hz: float = 50.0
    channels: str | tuple[str, ...] = "eeg"

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", self.channels if isinstance(self.channels, str) else tuple(self.channels))
        self.limits.check()

    @property
    def limits(self) -> Limits:
        """The limits that windows are held against."""
        return Limits(self.peak_to_peak_uv, self.flat_uv, self.line_share, self.line_hz)

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows that keep to the limits.

        Raises
        ------
        DataError
            When the windows are of no voltage or of several units, or no column is an EEG channel.
        ParameterError
            When the mains cannot be seen at this rate or in so short a window.
        """
        if windows.unit not in _TO_UV:
            raise DataError(
                f"limits in uV need windows of one unit of voltage, these are in {windows.unit or 'no unit'}: put "
                "ToUnit('uV') among the filters, and MarkArtefacts before a filter that scales"
            )
        rejected: list[Rejection] = []
        bad = np.zeros(len(windows.values) if windows.window_shape else len(windows), dtype=bool)
        held = _channel_names(windows)
        chosen = eeg_channels(self.channels, held, [windows.unit] * len(held))
        rows = [held.index(name) for name in chosen]
        fs = _fs(windows, limits=self.limits)
        names, starts_s, stops_s = _spans(windows)
        for places, block in _blocks(windows, rows):
            found = find_artefacts(block * _TO_UV[windows.unit], fs, limits=self.limits)
            for which, channel, reason, value in found:
                k = int(places[which])
                bad[k] = True
                span = str(names[k]), float(starts_s[k]), float(stops_s[k])
                rejected.append(Rejection(*span, reason, chosen[channel], value))
        return _without(windows, bad, tuple(rejected))


def _channel_names(windows: Windows) -> list[str]:
    if windows.window_shape is None:
        return list(windows.columns)
    n_channels, width = windows.window_shape
    return [column.rpartition("[")[0] for column in windows.columns[: n_channels * width : width]]


def _blocks(windows: Windows, rows: list[int]) -> Iterator[Block]:
    """Yield windows of one length as (n, channels, samples), with the place of each: of its step, or of its item."""
    if windows.window_shape is not None:
        n_channels, width = windows.window_shape
        cut = windows.values[:, : n_channels * width].reshape(-1, n_channels, width)
        yield np.arange(len(cut)), cut[:, rows]
        return
    for length in np.unique(windows.lengths):
        items = np.flatnonzero(windows.lengths == length)
        steps = windows.offsets[items][:, None] + np.arange(length)
        yield items, windows.values[:, rows][steps].transpose(0, 2, 1)


def _fs(windows: Windows, *, limits: Limits) -> float:
    if windows.window_shape is None and windows.rate_hz is not None:
        return windows.rate_hz
    if windows.rate_hz is None and limits.line_share is not None:
        raise DataError(
            "line_share needs windows whose rate is known; those around events can be marked before they "
            "are cut (MarkArtefacts)"
        )
    return float(windows.fs[0]) if len(windows) else 1.0


def _spans(windows: Windows) -> tuple[npt.NDArray[np.str_], Seconds, Seconds]:
    """Return recording, begin and end of what each place of `_blocks` belongs to; of events, where they lie."""
    item = np.repeat(np.arange(len(windows)), windows.lengths)
    first = last = np.arange(len(windows.values))
    if windows.window_shape is None:
        item = np.arange(len(windows))
    if windows.window_shape is None or not windows.step_labels:
        first, last = windows.offsets[item], windows.offsets[item + 1] - 1
    width = 0 if windows.rate_hz is None else windows.window_shape[1] if windows.window_shape else 1
    at, fs = windows.step_samples(), windows.fs[item]
    return windows.recordings[item], at[first] / fs, (at[last] + width) / fs


def _without(windows: Windows, bad: npt.NDArray[np.bool_], rejected: tuple[Rejection, ...]) -> Windows:
    if windows.step_labels and windows.window_shape is not None:
        n_windows = Counter(np.repeat(windows.recordings, windows.lengths).tolist())
        y = None if windows.y is None else np.where(bad, -1, windows.y)
        left = replace(windows, y=y, rejected=(*windows.rejected, *rejected))
    else:
        n_windows = Counter(windows.recordings.tolist())
        if windows.window_shape is not None:
            bad = np.logical_or.reduceat(bad, windows.offsets[:-1]) if len(windows) else bad
        left = replace(windows.select(~bad), rejected=(*windows.rejected, *rejected))
    warn_of_losses(rejected, n_windows)
    return left
