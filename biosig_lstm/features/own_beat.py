"""Each beat against the patient's own usual beat: what is left of it, and how the two compare."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from biosig_lstm.containers import Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.steps import Step

__all__ = ["SCALARS", "AgainstOwnBeat", "own_beat_features", "usual_beat"]

Float32 = npt.NDArray[np.float32]

SCALARS = (
    "qrs_correlation", "p_correlation", "t_correlation", "qrs_energy", "p_energy", "qrs_residual",
    "qrs_correlation_before", "qrs_correlation_after", "p_correlation_before", "slope", "usual_slope",
    "steep_share", "usual_steep_share", "high_share", "usual_high_share", "height", "residual",
)  # fmt: skip

_QRS_S = (-0.10, 0.11)
_P_S = (-0.28, -0.07)
_T_S = (0.12, 0.45)
_WIDE_QRS_S = (-0.12, 0.16)
_BEAT_S = (-0.12, 0.40)
_VALUE_LIMIT, _SCALAR_LIMIT = 5.0, 4.0
_SMALL = 1e-3
_TIE = 1e-5


def usual_beat(beats: Float32, *, qrs: slice) -> Float32:
    """Return the patient's usual beat in each lead: the median, then the median of the half that is nearest to it.

    Parameters
    ----------
    beats : np.ndarray [shape=(n, leads, samples)]
        All beats of a recording, aligned.
    qrs : slice
        Samples by which the distance is measured (mean absolute difference).

    Returns
    -------
    np.ndarray [shape=(leads, samples), dtype=float32]
        In the unit of `beats`.
    """
    usual = np.median(beats, axis=0)
    for lead in range(beats.shape[1]):
        distance = np.abs(beats[:, lead, qrs] - usual[lead, qrs]).mean(axis=-1)
        near = distance <= np.median(distance) * (1 + _TIE)
        usual[lead] = np.median(beats[near, lead], axis=0)
    return np.asarray(usual, dtype=np.float32)


def own_beat_features(beats: Float32, *, rate_hz: float, before_s: float) -> tuple[Float32, Float32, Float32]:
    """Compare each beat with the patient's usual one.

    Parameters
    ----------
    beats : np.ndarray [shape=(n, leads, samples), dtype=float32]
        All beats of a recording, aligned on the R-peak, in mV (or a smaller unit: a QRS complex of 1e-3 counts as
        next to nothing); a lead of zeros is absent.
    rate_hz : float [unit=Hz]
        Samples a second inside a window.
    before_s : float [unit=s]
        Where the R-peak lies in the window.

    Returns
    -------
    values : np.ndarray [shape=(n, leads, samples), range=[-5, 5]]
        The beats in units of the height of the recording's usual QRS, so that gain does not matter.
    residuals : np.ndarray [shape=(n, leads, samples), range=[-5, 5]]
        Beat minus usual beat.
    scalars : np.ndarray [shape=(n, leads, 17), range=[-4, 4]]
        The columns `SCALARS`: correlation and log energy ratio with the usual beat over QRS, P and T; correlation
        with the beats before and after; steepness and width of the QRS (log ratio of slope to height, share of
        samples above a fifth of the largest slope, above two fifths of the largest height), of the beat against the
        usual one and of the usual one by itself; log height ratio; log size of the residual.

    Notes
    -----
    That morphology is judged against the patient's own median beat is what lets few patients stand for many; the
    idea is the local learning of Hu, Palreddy and Tompkins 1997 (doi:10.1109/10.623058) without labels.
    """

    def part(span_s: tuple[float, float]) -> slice:
        first, last = (round((edge + before_s) * rate_hz) for edge in span_s)
        return slice(max(first, 0), min(last, beats.shape[2]))

    qrs, p_wave, t_wave = part(_QRS_S), part(_P_S), part(_T_S)
    scaled = beats / (np.median(np.ptp(beats[..., qrs], axis=-1), axis=0) + _SMALL)[None, :, None]
    usual = usual_beat(scaled, qrs=qrs)[None]
    residual = scaled - usual
    earlier, later = np.concatenate([scaled[:1], scaled[:-1]]), np.concatenate([scaled[1:], scaled[-1:]])
    whole = part(_BEAT_S)
    scalars = (
        _correlation(scaled[..., qrs], usual[..., qrs]),
        _correlation(scaled[..., p_wave], usual[..., p_wave]),
        _correlation(scaled[..., t_wave], usual[..., t_wave]),
        _energy_ratio(scaled[..., qrs], usual[..., qrs]),
        _energy_ratio(scaled[..., p_wave], usual[..., p_wave]),
        0.3 * _energy_ratio(residual[..., qrs], usual[..., qrs]),
        _correlation(scaled[..., qrs], earlier[..., qrs]),
        _correlation(scaled[..., qrs], later[..., qrs]),
        _correlation(scaled[..., p_wave], earlier[..., p_wave]),
        *_widths(scaled[..., part(_WIDE_QRS_S)], usual[..., part(_WIDE_QRS_S)]),
        np.log(np.abs(residual[..., whole]).mean(-1) / (np.abs(usual[..., whole]).mean(-1) + 0.02) + 0.05),
    )
    joined = np.clip(np.stack(scalars, axis=-1), -_SCALAR_LIMIT, _SCALAR_LIMIT).astype(np.float32)
    present = np.ptp(beats, axis=(0, 2)) > 0
    values, residuals = (np.clip(x, -_VALUE_LIMIT, _VALUE_LIMIT).astype(np.float32) for x in (scaled, residual))
    return values, residuals, joined * present[None, :, None]


def _correlation(a: Float32, b: Float32) -> Float32:
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    shared = (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1) + _SMALL)
    return np.asarray(shared, dtype=np.float32)


def _energy_ratio(a: Float32, b: Float32) -> Float32:
    energy_a, energy_b = (np.square(x).mean(axis=-1) + _SMALL for x in (a, b))
    return np.asarray(np.log(energy_a / energy_b), dtype=np.float32)


def _widths(qrs: Float32, usual: Float32) -> tuple[Float32, ...]:
    every = np.ones(qrs.shape[:2], dtype=np.float32)
    slope, usual_slope = _slope(qrs), _slope(usual)
    steep, usual_steep = (_share_above(np.abs(np.diff(x, axis=-1)), 0.2) for x in (qrs, usual))
    high, usual_high = (_share_above(np.abs(x - np.median(x, axis=-1, keepdims=True)), 0.4) for x in (qrs, usual))
    height = np.log((np.ptp(qrs, axis=-1) + 0.02) / (np.ptp(usual, axis=-1) + 0.02))
    return (
        2 * (slope - usual_slope),
        2 * usual_slope * every,
        4 * (steep - usual_steep),
        4 * (usual_steep - 0.3) * every,
        4 * (high - usual_high),
        4 * (usual_high - 0.3) * every,
        np.asarray(height, dtype=np.float32),
    )


def _slope(x: Float32) -> Float32:
    about = np.square(x - np.median(x, axis=-1, keepdims=True)).mean(axis=-1) + _SMALL
    steep = np.square(np.diff(x, axis=-1)).mean(axis=-1) + 1e-4
    return np.asarray(0.5 * np.log(steep / about), dtype=np.float32)


def _share_above(x: Float32, share: float) -> Float32:
    return np.asarray((x > share * x.max(axis=-1, keepdims=True)).mean(axis=-1), dtype=np.float32)


@dataclass(frozen=True)
class AgainstOwnBeat(Step):
    """Put beside each beat's window what is left of it without the patient's usual beat, and how the two compare.

    Each lead's row of a window becomes: the beat, the beat minus the usual one, 17 scalars. Apply it to whole
    recordings, before they are cut into runs, and before scalars are added.

    Parameters
    ----------
    before_s : float [unit=s]
        Where the R-peak lies in the windows, as in `AroundEvents`.
    rate_hz : float [unit=Hz]
        Samples a second inside the windows, as in `AroundEvents`.
    """

    kind: ClassVar[str] = "feature"

    before_s: float
    rate_hz: float

    def __post_init__(self) -> None:
        if self.before_s <= -_P_S[1] or self.rate_hz < 50:
            raise ParameterError(f"the window must begin before the P wave ends and have 50 Hz or more, got {self!r}")

    def __call__(self, windows: Windows) -> Windows:
        """Return the windows, each lead's row prolonged.

        Raises
        ------
        DataError
            When the steps are not windows, end before the T wave begins, or scalars have been added already.
        """
        shape = windows.window_shape
        if shape is None or shape[0] * shape[1] != len(windows.columns):
            raise DataError("beats can be compared with the usual one where each step is a window and nothing else")
        self._check_reach(shape[1])
        rows = np.empty((len(windows.values), shape[0], 2 * shape[1] + len(SCALARS)), dtype=np.float32)
        for first, stop in pairwise(windows.offsets.tolist()):
            rows[first:stop] = self._rows(windows.values[first:stop].reshape(-1, *shape))
        return replace(
            windows,
            values=rows.reshape(len(rows), shape[0] * rows.shape[2]),
            columns=_column_names(*shape),
            window_shape=(shape[0], rows.shape[2]),
        )

    def _check_reach(self, samples: int) -> None:
        after_s = samples / self.rate_hz - self.before_s
        if round((_T_S[0] + self.before_s) * self.rate_hz) >= samples:
            raise DataError(
                f"windows end {after_s:.3g} s after the R-peak, before the T wave begins ({_T_S[0]:g} s): make after_s "
                "larger"
            )

    def _rows(self, beats: Float32) -> Float32:
        parts = own_beat_features(beats, rate_hz=self.rate_hz, before_s=self.before_s)
        return np.concatenate(parts, axis=2)


def _column_names(leads: int, samples: int) -> list[str]:
    def row(lead: int) -> list[str]:
        windows = [f"lead{lead}{kind}[{j}]" for kind in ("", ".residual") for j in range(samples)]
        return [*windows, *(f"lead{lead}.{name}" for name in SCALARS)]

    return [name for lead in range(leads) for name in row(lead)]
