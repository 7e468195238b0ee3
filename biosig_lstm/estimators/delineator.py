"""The waves of an ECG, lead by lead: where each P wave, QRS complex and T wave begins, peaks and ends."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import torch

from biosig_lstm.containers import Annotations, Recording, Waves, Windows
from biosig_lstm.errors import BiosigWarning
from biosig_lstm.estimators.step_classifier import StepClassifier
from biosig_lstm.events.waves import find_waves

__all__ = ["Delineator"]

_CHUNK_S, _OVERLAP_S = 30.0, 6.0
_LOWEST_RATE_HZ = 200.0


class Delineator(StepClassifier):
    """A model that labels every sample of every lead, and reads waves from that; see `Estimator` for its parameters.

    Its pipeline ends in `EachLead`. Recordings may have one lead or several, any length and any rate that their
    filters accept; leads of one recording help each other.

    Notes
    -----
    Long recordings are read in stretches of 30 s, with 6 s more on either side that no answer is taken from: memory
    does not grow with length. Whether P waves stand at a steady distance to the QRS is asked of each stretch. The
    network remembers further than 6 s, a little, so that reading in stretches and reading at once differ by about a
    millisecond, and in waves that are in doubt; docs/benchmarks.md says how much.

    Examples
    --------
    >>> import biosig_lstm as bl
    >>> model = bl.pretrained("ecg-waves")  # doctest: +SKIP
    >>> model.waves(bl.open_recording("ludb/data/1"))["ii"]  # doctest: +SKIP
    Waves(25: P 8, QRS 9, T 8)
    """

    def waves(self, recording: Recording) -> dict[str, Waves]:
        """Return the waves of each lead that can be used.

        Parameters
        ----------
        recording : Recording
            An ECG.

        Returns
        -------
        dict of str to Waves
            By lead, in the recording's own samples, and between them.

        Raises
        ------
        DataError
            When no channel is a usable lead of an ECG.
        """
        if recording.fs < _LOWEST_RATE_HZ:
            warnings.warn(
                f"{recording.id}: {recording.fs:g} Hz is low for the boundaries of waves, which the model learned "
                f"at {_LOWEST_RATE_HZ:g} Hz or more: they are less exact",
                BiosigWarning,
                stacklevel=2,
            )
        filtered = self.pipeline.find(self.pipeline.filter(recording))
        windows = self.prepare(self.pipeline.cut(filtered))
        parts = list(self._by_chunks(windows))
        found = (_joined([part[lead] for part in parts]) for lead in range(len(windows)))
        factor = recording.fs / filtered.fs
        last = recording.n_samples - 1
        return {
            name: _within(waves.rescale(factor), last) for name, waves in zip(filtered.channels, found, strict=True)
        }

    def annotate(self, recording: Recording) -> Recording:
        """Return the recording with the waves of all leads as its annotations.

        Instants ``(``, ``p`` or ``N`` or ``t``, and ``)`` as in WFDB, the note of each being the name of its lead.
        """
        parts = [waves.annotations(note=lead) for lead, waves in self.waves(recording).items()]
        columns = ((part.starts, part.labels, part.notes) for part in parts)
        starts, labels, notes = (np.concatenate(column) for column in zip(*columns, strict=True))
        return recording.with_annotations(Annotations(starts, labels=labels, notes=notes))

    def _by_chunks(self, windows: Windows) -> Iterator[list[Waves]]:
        rate = float(windows.rate_hz or 1.0)
        n_leads, n_steps = len(windows), int(windows.lengths[0])
        leads = windows.values.reshape(n_leads, n_steps, -1)
        core, beside = round(_CHUNK_S * rate), round(_OVERLAP_S * rate)
        for start in range(0, n_steps, core):
            first, stop = max(start - beside, 0), min(start + core + beside, n_steps)
            found = self._read(leads[:, first:stop], rate_hz=rate)
            yield [_taken(waves, first=start - first, stop=start - first + core, shift=first) for waves in found]

    def _read(self, leads: np.ndarray, *, rate_hz: float) -> list[Waves]:
        x = torch.from_numpy(np.array(leads, dtype=np.float32))
        self.networks.eval()
        with torch.inference_mode():
            logs = self._ensemble(x, torch.full((len(x),), x.shape[1]))
        return find_waves(logs.exp().numpy(), leads[:, :, 0], rate_hz=rate_hz)


def _taken(waves: Waves, *, first: int, stop: int, shift: int) -> Waves:
    kept = waves[(waves.peaks >= first) & (waves.peaks < stop)]
    return Waves(kept.labels, kept.onsets + shift, kept.peaks + shift, kept.offsets + shift)


def _joined(parts: list[Waves]) -> Waves:
    columns = ((part.labels, part.onsets, part.peaks, part.offsets) for part in parts)
    return Waves(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _within(waves: Waves, last: int) -> Waves:
    return Waves(waves.labels, *(np.clip(at, 0, last) for at in (waves.onsets, waves.peaks, waves.offsets)))
