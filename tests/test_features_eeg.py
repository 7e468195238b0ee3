"""Every column of the features of EEG against SciPy, MNE or a plain formula, and the contract of features."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

import biosig_lstm.features as features
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features.band_power import BANDS_HZ, BandPower, band_power, power_density
from biosig_lstm.steps import Step
from biosig_lstm.windows import AroundEvents, Epochs, FixedLength

Array = np.ndarray[Any, Any]
FS, WIDTH = 100.0, 1000
CHANNELS = ("C3", "EEG Fpz-Cz", "O2")
SHARED = {"delta": (0.5, 4), "mu": (9, 11.5)}


def recording(name: str, *, seed: int, epochs: int = 4, fs: float = FS) -> Recording:
    """Return noise with waves that come and go, in three channels that share some of it."""
    rng = np.random.default_rng(seed)
    n = round(epochs * WIDTH * fs / FS)
    t = np.arange(n) / fs
    common = np.cumsum(rng.standard_normal(n)) * 0.5 + 12 * np.sin(2 * np.pi * 10 * t) * np.sin(t / 7)
    own = rng.standard_normal((3, n)) * np.array([[8.0], [15.0], [3.0]]) + 4 * np.sin(2 * np.pi * 20.3 * t)
    return Recording(common + own + 6.0, fs, CHANNELS, ["uV"] * 3, id=name, subject=name)


def epochs(of: Recording) -> Windows:
    return Epochs(10.0)(of)


LONG = epochs(recording("a", seed=1))


def cut(windows: Windows) -> Array:
    """Return the windows (n, channels, samples) as float64."""
    shape = windows.window_shape or (0, 0)
    return windows.values[:, : shape[0] * shape[1]].astype(np.float64).reshape(-1, *shape)


def each_channel(x: Array, formulas: dict[str, Callable[[Array], float]]) -> dict[str, Array]:
    """Return the columns that formulas of one channel of one window give."""
    return {
        f"{channel}.{name}": np.array([formula(window[k]) for window in x])
        for k, channel in enumerate(CHANNELS)
        for name, formula in formulas.items()
    }


def welch(x: Array) -> tuple[Array, Array]:
    return signal.welch(x, FS, nperseg=400)


def multitaper(x: Array) -> tuple[Array, Array]:
    import mne

    p, f = mne.time_frequency.psd_array_multitaper(x, FS, bandwidth=2.0, normalization="full", verbose=False)
    return f, p


def power(x: Array, estimate: Callable[[Array], tuple[Array, Array]], band: tuple[float, float]) -> float:
    f, p = estimate(x)
    return sum(v * f[1] for at, v in zip(f, p, strict=True) if band[0] - 1e-6 <= at < band[1] - 1e-6)


def band_power_reference(x: Array) -> dict[str, Array]:
    formulas: dict[str, Callable[[Array], float]] = {}
    for name, band in BANDS_HZ.items():
        formulas[f"{name}_uv2"] = lambda c, band=band: power(c, welch, band)
    for name, band in BANDS_HZ.items():
        formulas[f"{name}_relative"] = lambda c, band=band: power(c, welch, band) / power(c, welch, (0.5, 45))
    return each_channel(x, formulas)


def multitaper_power_reference(x: Array) -> dict[str, Array]:
    formulas: dict[str, Callable[[Array], float]] = {}
    for name, band in SHARED.items():
        formulas[f"{name}_log10_uv2"] = lambda c, band=band: np.log10(power(c, multitaper, band))
    for name, band in SHARED.items():
        formulas[f"{name}_relative"] = lambda c, band=band: (
            power(c, multitaper, band) / power(c, multitaper, (0.5, 11.5))
        )
    return each_channel(x, formulas)


# Every step needs an example here, with the reference that gives the columns it adds, by name.
REFERENCES: list[tuple[Step, Callable[[Array], dict[str, Array]]]] = [
    (BandPower(), band_power_reference),
    (BandPower(("delta", "mu=9-11.5"), method="multitaper", bandwidth_hz=2.0, log10=True), multitaper_power_reference),
]
IDS = [f"{type(step).__name__}{k}" for k, (step, _) in enumerate(REFERENCES)]
each_feature = pytest.mark.parametrize(("step", "reference"), REFERENCES, ids=IDS)
each_step = pytest.mark.parametrize("step", [step for step, _ in REFERENCES], ids=IDS)


@each_feature
def test_every_column_agrees_with_its_reference_by_name(
    step: Step, reference: Callable[[Array], dict[str, Array]]
) -> None:
    made, expected = step(LONG), reference(cut(LONG))
    assert made.columns[: len(LONG.columns)] == LONG.columns
    np.testing.assert_array_equal(made.values[:, : len(LONG.columns)], LONG.values)
    assert list(made.columns[len(LONG.columns) :]) == list(expected)
    for k, (name, values) in enumerate(expected.items(), start=len(LONG.columns)):
        np.testing.assert_allclose(made.values[:, k], values, rtol=2e-5, atol=1e-6, err_msg=name)
        assert np.ptp(values) > 1e-6, name


@each_step
def test_input_is_unchanged_and_what_is_not_a_value_stays(step: Step) -> None:
    before = LONG.values.copy()
    got = step(LONG)
    assert got == step(LONG)
    np.testing.assert_array_equal(LONG.values, before)
    assert got.values.dtype == np.float32
    assert got.window_shape == LONG.window_shape
    for name in ("offsets", "y", "positions", "subjects", "recordings", "starts", "fs"):
        np.testing.assert_array_equal(getattr(got, name), getattr(LONG, name))


@each_step
def test_recordings_do_not_know_each_other(step: Step) -> None:
    other = epochs(recording("b", seed=2, epochs=1))
    together = step(Windows.concatenate([LONG, other]))
    apart = Windows.concatenate([step(LONG), step(other)])
    assert together.columns == apart.columns
    np.testing.assert_allclose(together.values, apart.values, rtol=1e-6, atol=1e-6)


@each_step
@pytest.mark.parametrize("width", [1, 2, 3, 5, 30, 90])
def test_short_and_flat_windows_give_finite_values(step: Step, width: int) -> None:
    rng = np.random.default_rng(width)
    lively = Recording(rng.standard_normal((3, 4 * width)), FS, CHANNELS, ["uV"] * 3, id="short")
    flat = lively.with_signals(np.full((3, 4 * width), 7.3), note="flat")
    for of in (lively, flat):
        made = step(Epochs(width / FS)(of))
        assert np.isfinite(made.values).all()
    assert np.abs(made.values[:, 3 * width :]).max() == 0


@each_step
def test_no_items_give_no_items(step: Step) -> None:
    made = step(LONG.select(np.zeros(0, dtype=np.int64)))
    assert len(made) == 0
    assert made.columns == step(LONG).columns


@each_step
def test_reads_back_from_its_dictionary(step: Step) -> None:
    values = json.loads(json.dumps(step.to_dict()))
    assert features.steps()[values.pop("step")].from_fields(values) == step


@each_step
def test_the_same_feature_twice_is_refused(step: Step) -> None:
    with pytest.raises(DataError, match="is there already"):
        step(step(LONG))


@each_step
def test_steps_that_are_no_windows_are_refused(step: Step) -> None:
    of = recording("a", seed=1)
    events = of.with_annotations(Annotations([500, 900], labels=["N", "N"]))
    for windows in (FixedLength(5.0)(of), AroundEvents(0.2, 0.2, leads=3)(events)):
        with pytest.raises(DataError, match="need steps that are windows"):
            step(windows)


def test_many_windows_are_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [step(LONG) for step, _ in REFERENCES]
    monkeypatch.setattr("biosig_lstm.features._eeg._BLOCK", 3 * WIDTH * 3 - 1)
    for (step, _), expected in zip(REFERENCES, whole, strict=True):
        np.testing.assert_allclose(step(LONG).values, expected.values, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("units", [["mV"] * 3, ["uV", "uV", "mV"], [""] * 3])
def test_columns_name_the_unit(units: list[str]) -> None:
    of = recording("a", seed=1)
    made = BandPower()(epochs(Recording(of.signals, FS, CHANNELS, units, id="a")))
    assert f"C3.delta_{ {'mV': 'mv', '': 'units'}[units[0]] if len(set(units)) == 1 else 'units' }2" in made.columns


@pytest.mark.parametrize("width", [400, 401, 37, 2])
def test_densities_agree_with_scipy_and_mne_at_any_length(width: int) -> None:
    import mne

    x = np.random.default_rng(0).standard_normal((3, 2, width)) + 4
    f, p = signal.welch(x, FS, nperseg=min(width, 200))
    got = power_density(x, fs=FS, segment_s=2.0)
    np.testing.assert_allclose(got.frequencies_hz, f)
    np.testing.assert_allclose(got.power, p, rtol=1e-10, atol=1e-12)
    if width < 30:
        return
    p, f = mne.time_frequency.psd_array_multitaper(x, FS, bandwidth=8.0, normalization="full", verbose=False)
    got = power_density(x, fs=FS, method="multitaper", bandwidth_hz=8.0)
    np.testing.assert_allclose(got.frequencies_hz, f)
    np.testing.assert_allclose(got.power, p, rtol=1e-10)


@pytest.mark.parametrize("method", ["welch", "multitaper"])
def test_a_window_with_a_sample_that_is_not_finite_is_nan_in_that_channel_alone(method: Any) -> None:
    x = cut(LONG)
    clean = band_power(x, fs=FS, method=method)
    x[1, 2, 17], x[0, 0, 3] = np.nan, np.inf
    for got, before in zip(band_power(x, fs=FS, method=method), clean, strict=True):
        hurt = np.isnan(got).all(axis=-1)
        assert np.argwhere(hurt).tolist() == [[0, 0], [1, 2]]
        np.testing.assert_array_equal(got[~hurt], before[~hurt])


def test_a_band_without_a_frequency_is_not_defined() -> None:
    got = band_power(np.random.default_rng(0).standard_normal((1, 1, 50)), fs=FS, bands={"slow": (0.5, 1.5)})
    assert np.isnan(got.absolute).all()
    assert band_power(np.zeros((1, 1, 500)), fs=FS).absolute.max() == 0
    assert np.isnan(band_power(np.zeros((1, 1, 500)), fs=FS).relative).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), width=st.integers(64, 700))
def test_power_grows_with_the_square_and_bands_side_by_side_share_it(seed: int, scale: float, width: int) -> None:
    x = np.random.default_rng(seed).standard_normal((2, 1, width))
    bands = {"slow": (0.0, 8.0), "fast": (8.0, 50.0)}
    for method in ("welch", "multitaper"):
        one, scaled = (band_power(values, fs=FS, bands=bands, method=method) for values in (x, x * scale + 3))
        np.testing.assert_allclose(scaled.absolute, one.absolute * scale**2, rtol=1e-4)
        np.testing.assert_allclose(one.relative.sum(axis=-1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: BandPower(("alfa",)), "did you mean 'alpha'"),
        (lambda: BandPower(("mu=9-x",)), "name=low-high"),
        (lambda: BandPower(()), "one or more, each once, got none"),
        (lambda: BandPower(("alpha", "alpha")), "each once, got alpha, alpha"),
        (lambda: BandPower(method="welsh"), "did you mean 'welch'"),  # type: ignore[arg-type]
        (lambda: BandPower(segment_s=0), "must be positive, got 0"),
        (lambda: BandPower(("high=30-60",))(LONG), "half the rate, 50 Hz"),
        (lambda: BandPower(("bad=9-8",))(LONG), "must ascend"),
        (lambda: band_power(np.zeros((1, 1, 9)), fs=0), "fs must be positive|half the rate, 0 Hz"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Callable[[], object], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        make()


@pytest.mark.parametrize("shape", [(5,), (2, 5), (1, 1, 0)])
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="windows must be"):
        band_power(np.zeros(shape), fs=FS)
