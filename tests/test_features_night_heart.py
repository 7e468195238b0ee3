"""Every column of a night's epochs against a plain formula, and what the contract of features asks."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import signal

import biosig_lstm.features as features
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError
from biosig_lstm.events.rr_series import RRSeries
from biosig_lstm.features.night_heart import COLUMNS, WITHIN, NightHeart, night_heart
from biosig_lstm.windows.epochs import Epochs

Array = np.ndarray
EPOCH, RATE_HZ = 120, 4.0


def night(*, seed: int, minutes: float, gap_s: tuple[float, float] = (0, 0)) -> Recording:
    """Return a night of beats that breathe and cycle, without channels; no beats in the gap."""
    rng = np.random.default_rng(seed)
    times = [0.4]
    while times[-1] < 60 * minutes:
        t = times[-1]
        breath = 0.04 * np.sin(2 * np.pi * (0.2 + 0.05 * np.sin(t / 500)) * t)
        cycle = 0.06 * np.sin(2 * np.pi * 0.02 * t) * (np.sin(t / 300) > 0)
        times.append(t + 0.9 + 0.05 * np.sin(t / 700) + breath + cycle + 0.01 * rng.standard_normal())
    beats = np.array(times[:-1])
    kept = np.rint(250 * beats[(beats < gap_s[0]) | (beats >= gap_s[1])]).astype(np.int64)
    length = round(250 * 60 * minutes)
    marks = Annotations(kept, labels=["N"] * len(kept))
    return Recording(np.zeros((0, length)), 250.0, (), (), id=f"n{seed}", annotations=marks)


def epochs(recording: Recording) -> Windows:
    return Epochs()(RRSeries()(recording))


LONG = epochs(night(seed=1, minutes=32.2))
GAPPED = epochs(night(seed=2, minutes=20, gap_s=(300, 480)))
SHORT = {minutes: epochs(night(seed=3, minutes=minutes)) for minutes in (0.5, 1, 1.5, 3)}


@dataclass(frozen=True)
class Reference:
    """Columns of a night by plain loops: series of the whole night at 4 Hz."""

    rr: Array
    known: Array
    change: Array

    @property
    def log_rr(self) -> Array:
        return np.log(self.rr.astype(np.float64))

    @property
    def n(self) -> int:
        return len(self.rr) // EPOCH

    def around(self, values: Array, width_s: float) -> list[Array]:
        half = round(2 * width_s)
        middles = [EPOCH * k + EPOCH // 2 for k in range(self.n)]
        return [values[max(m - half, 0) : m + half] for m in middles]

    def of_known(self, values: Array, width_s: float) -> list[Array]:
        """Return what is known around each epoch; where too little is, nothing."""
        parts = zip(self.around(values, width_s), self.around(self.known, width_s), strict=True)
        return [v[k > 0] if np.mean(k) >= 0.2 else v[:0] for v, k in parts]

    def mean(self, values: Array, width_s: float) -> Array:
        found = np.array([np.mean(part) if len(part) else np.nan for part in self.of_known(values, width_s)])
        there = np.flatnonzero(np.isfinite(found))
        return np.interp(np.arange(self.n), there, found[there])

    def density(self, width_s: int) -> tuple[Array, Array]:
        width = 4 * width_s
        mirrored = np.pad(self.log_rr, width // 2, mode="symmetric")
        parts = [mirrored[EPOCH * k + EPOCH // 2 :][:width] for k in range(self.n)]
        return signal.periodogram(parts, fs=RATE_HZ, window="hann", detrend="constant")

    def power(self, name: str) -> Array:
        band, width = name.removeprefix("power_").split("Hz_")
        low, high = (float(x) for x in band.split("-"))
        frequencies, density = self.density(int(width[:-1]))
        inside = (np.round(frequencies, 9) >= low) & (np.round(frequencies, 9) < high)
        return np.log(np.sqrt(density[:, inside].sum(axis=1) * frequencies[1] + 1e-7))

    def peaks(self, width_s: int, low: float, high: float, near: float) -> tuple[Array, Array]:
        frequencies, density = self.density(width_s)
        inside = (np.round(frequencies, 9) >= low) & (np.round(frequencies, 9) < high)
        at, rows = frequencies[inside], density[:, inside] + 1e-12
        peak = np.array([at[np.argmax(row)] for row in rows])
        share = [row[abs(at - p) <= near + 1e-9].sum() / row.sum() for row, p in zip(rows, peak, strict=True)]
        return peak, np.array(share)

    def swing(self, sign: int) -> Array:
        def smooth(width: int) -> Array:
            padded = np.pad(self.log_rr, (width // 2, width - 1 - width // 2), mode="edge")
            return np.convolve(padded, np.ones(width) / width, mode="valid")

        away = smooth(20) - smooth(600)
        return np.array([(sign * away[EPOCH * k : EPOCH * (k + 1)]).max() for k in range(self.n)])


def five(values: Array, statistic: Callable[[Array], float]) -> Array:
    padded = np.concatenate([values[:1], values[:1], values, values[-1:], values[-1:]])
    return np.array([statistic(padded[k : k + 5]) for k in range(len(values))])


def percentile(share: int, width: int) -> Callable[[Reference], Array]:
    return lambda r: (
        np.array([np.percentile(part, share) for part in r.around(r.log_rr, width)]) - r.mean(r.log_rr, width)
    )


def mean_log(width: int) -> Callable[[Reference], Array]:
    return lambda r: r.mean(r.log_rr, width)


def log_sd(width: int) -> Callable[[Reference], Array]:
    return lambda r: np.log(np.sqrt(r.mean(r.log_rr**2, width) - r.mean(r.log_rr, width) ** 2 + 1e-6))


def log_rmssd(width: int) -> Callable[[Reference], Array]:
    return lambda r: np.log(np.sqrt(r.mean(r.change.astype(np.float64) ** 2, width) + 1e-6))


# Every column needs a formula here.
FORMULAS: dict[str, Callable[[Reference], Array]] = {
    **{f"rr_{width}s": mean_log(width) for width in (30, 150, 600)},
    **{f"sd_{width}s": log_sd(width) for width in (30, 150, 600)},
    **{f"rmssd_{width}s": log_rmssd(width) for width in (30, 150, 600)},
    **{f"rr_p{share}_{width}s": percentile(share, width) for width in (150, 600) for share in (5, 95)},
    **{
        name: lambda r, name=name: r.power(name)
        for name in (
            "power_0.005-0.01Hz_300s", "power_0.01-0.02Hz_300s", "power_0.02-0.04Hz_300s", "power_0.04-0.08Hz_300s",
            "power_0.08-0.15Hz_300s", "power_0.15-0.25Hz_300s", "power_0.25-0.4Hz_300s", "power_0.04-0.08Hz_60s",
            "power_0.08-0.15Hz_60s", "power_0.15-0.25Hz_60s", "power_0.25-0.4Hz_60s",
        )
    },
    "breath_hz": lambda r: five(r.peaks(60, 0.12, 0.42, 0.025)[0], np.mean),
    "breath_hz_sd": lambda r: five(r.peaks(60, 0.12, 0.42, 0.025)[0], np.std),
    "breath_share": lambda r: five(r.peaks(60, 0.12, 0.42, 0.025)[1], np.mean),
    "cycle_hz": lambda r: r.peaks(300, 0.01, 0.06, 0.004)[0],
    "cycle_share": lambda r: r.peaks(300, 0.01, 0.06, 0.004)[1],
    "surge": lambda r: r.swing(-1),
    "dip": lambda r: r.swing(1),
    "slope": lambda r: np.gradient(r.mean(r.log_rr, 90)) if r.n > 1 else np.zeros(1),
}  # fmt: skip


def expected(windows: Windows) -> dict[str, Array]:
    series = windows.values.reshape(-1, 3, EPOCH)
    reference = Reference(*(series[:, row].reshape(-1) for row in range(3)))
    found = {name: formula(reference) for name, formula in FORMULAS.items()}
    for name in list(found):
        values = found[name]
        iqr = np.subtract(*np.percentile(values, [75, 25]))
        found[f"{name}/night"] = np.clip((values - np.median(values)) / (iqr / 1.349 + 1e-6), -4, 4)
    found["known"] = reference.known.reshape(-1, EPOCH).mean(axis=1)
    found["hours"] = (np.arange(reference.n) + 0.5) / 120
    return found


def test_every_column_has_a_formula_by_name() -> None:
    assert tuple(FORMULAS) == WITHIN
    assert (*WITHIN, *(f"{name}/night" for name in WITHIN), "known", "hours") == COLUMNS


@pytest.mark.parametrize("windows", [LONG, GAPPED, *SHORT.values()], ids=["long", "gapped", *map(str, SHORT)])
def test_every_column_agrees_with_its_formula(windows: Windows) -> None:
    made = NightHeart()(windows)
    assert made.columns == COLUMNS
    for name, values in expected(windows).items():
        tolerance = 5e-3 if name.endswith("/night") else 2e-4
        got = made.values[:, COLUMNS.index(name)]
        np.testing.assert_allclose(got, values, rtol=0, atol=tolerance, err_msg=name)


def test_the_gap_is_said_to_be_unknown_and_its_level_comes_from_beside_it() -> None:
    made = NightHeart()(GAPPED).values
    known, level = made[:, COLUMNS.index("known")], made[:, COLUMNS.index("rr_30s")]
    np.testing.assert_array_equal(known[11:15], 0)
    assert (np.delete(known, np.arange(9, 17)) > 0.9).all()
    inside = level[10:16]
    np.testing.assert_allclose(np.diff(inside, 2), 0, atol=1e-6)


def test_breathing_and_cycles_are_found_where_they_are() -> None:
    at = np.arange(4 * 1800) / 4
    rr = 0.9 * np.exp(0.05 * np.sin(2 * np.pi * 0.25 * at) + 0.08 * np.sin(2 * np.pi * 0.02 * at))
    made = night_heart(rr, np.ones(len(rr)), np.zeros(len(rr)), rate_hz=4.0, epoch_samples=120)
    inner = made[10:-10]
    np.testing.assert_allclose(inner[:, COLUMNS.index("breath_hz")], 0.25, atol=1e-3)
    np.testing.assert_allclose(inner[:, COLUMNS.index("cycle_hz")], 0.02, atol=1e-3)
    assert (inner[:, COLUMNS.index("breath_share")] > 0.95).all()
    power = np.exp(inner[:, COLUMNS.index("power_0.25-0.4Hz_60s")])
    np.testing.assert_allclose(power, 0.05 / np.sqrt(2), rtol=0.1)


def test_no_column_is_the_same_for_all_epochs() -> None:
    made = NightHeart()(LONG)
    varying = [name for name in COLUMNS if np.ptp(made.values[:, COLUMNS.index(name)]) > 1e-3]
    assert set(COLUMNS) - set(varying) <= {"known"}


def test_the_time_of_a_night_counts_but_not_where_its_rate_began() -> None:
    """The heart rate of two people differs, what their night does does not."""
    rr, known, change = LONG.values.reshape(-1, 3, EPOCH).transpose(1, 0, 2).reshape(3, -1)
    first = night_heart(rr, known, change, rate_hz=4.0, epoch_samples=EPOCH)
    other = night_heart(1.3 * rr, known, change, rate_hz=4.0, epoch_samples=EPOCH)
    own = [k for k, name in enumerate(COLUMNS) if name.endswith("/night")]
    np.testing.assert_allclose(first[:, own], other[:, own], atol=5e-3)
    level = COLUMNS.index("rr_600s")
    np.testing.assert_allclose(other[:, level] - first[:, level], np.log(1.3), atol=1e-5)


def test_input_is_unchanged_and_the_answer_repeats() -> None:
    before = LONG.values.copy()
    assert NightHeart()(LONG) == NightHeart()(LONG)
    np.testing.assert_array_equal(LONG.values, before)


def test_what_is_not_a_value_stays() -> None:
    made = NightHeart()(LONG)
    assert made.values.dtype == np.float32
    for name in ("offsets", "y", "subjects", "recordings", "starts", "fs"):
        np.testing.assert_array_equal(getattr(made, name), getattr(LONG, name))
    assert (made.classes, made.rate_hz, made.window_shape) == (LONG.classes, LONG.rate_hz, None)


def test_nights_do_not_know_each_other() -> None:
    together = NightHeart()(Windows.concatenate([LONG, GAPPED, SHORT[0.5]]))
    assert together == Windows.concatenate([NightHeart()(part) for part in (LONG, GAPPED, SHORT[0.5])])


def test_a_heart_that_never_varies_stays_finite() -> None:
    values = LONG.values.copy().reshape(-1, 3, EPOCH)
    values[:, 0], values[:, 2] = 0.8, 0.0
    made = NightHeart()(LONG.with_values(values.reshape(len(values), -1)))
    assert np.isfinite(made.values).all()
    unknown = values.copy()
    unknown[:, 1] = 0
    assert np.isfinite(NightHeart()(LONG.with_values(unknown.reshape(len(values), -1))).values).all()


def test_no_items_give_no_items() -> None:
    made = NightHeart()(LONG.select(np.zeros(0, dtype=np.int64)))
    assert len(made) == 0
    assert made.columns == COLUMNS


def test_reads_back_from_its_dictionary() -> None:
    values = json.loads(json.dumps(NightHeart().to_dict()))
    assert features.steps()[values.pop("step")].from_fields(values) == NightHeart()


def test_other_windows_are_refused() -> None:
    signals = np.ones((1, 500))
    other = Epochs(1.0)(Recording(signals, 100.0, ["ECG"], ["mV"], id="r"))
    with pytest.raises(DataError, match="needs epochs of rr, known and change, got ECG"):
        NightHeart()(other)
    with pytest.raises(DataError, match="needs epochs of rr, known and change, got"):
        NightHeart()(replace(LONG, rate_hz=None))
