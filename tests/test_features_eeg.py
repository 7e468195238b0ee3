"""Every column of the features of EEG against SciPy, MNE or a plain formula, and the contract of features."""

from __future__ import annotations

import json
import math
import statistics
import warnings
from collections import Counter
from collections.abc import Callable
from itertools import combinations, combinations_with_replacement, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import linalg, signal, stats

import biosig_lstm.features as features
from biosig_lstm.containers import Annotations, Recording, Windows
from biosig_lstm.errors import DataError, ParameterError
from biosig_lstm.features.band_envelope import BandEnvelope, band_envelope, envelopes
from biosig_lstm.features.band_power import BANDS_HZ, BandPower, band_power, power_density
from biosig_lstm.features.coherence import Coherence, coherence
from biosig_lstm.features.complexity import Complexity, permutation_entropy, sample_entropy
from biosig_lstm.features.delay_covariance import DelayCovariance, delay_covariance
from biosig_lstm.features.hjorth import Hjorth, hjorth
from biosig_lstm.features.line_length import LineLength, line_length
from biosig_lstm.features.log_spectrum import LogSpectrum, log_spectrum
from biosig_lstm.features.scalars_only import ScalarsOnly
from biosig_lstm.features.spectral_shape import SpectralShape, spectral_shape
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
    common = np.cumsum(rng.standard_normal(n)) * 0.5 + 12 * np.sin(2 * np.pi * 10 * t) * (1 + np.sin(t)) * (t % 20 > 10)
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


def spectral_shape_reference(x: Array) -> dict[str, Array]:
    def counted(c: Array) -> tuple[Array, Array]:
        f, p = welch(c)
        inside = (f >= 0.5) & (f < 45)
        return f[inside], p[inside]

    def edge(c: Array, share: float) -> float:
        f, p = counted(c)
        return next(at for k, at in enumerate(f) if p[: k + 1].sum() >= share * p.sum())

    def entropy(c: Array) -> float:
        p = counted(c)[1]
        return float(stats.entropy(p, base=len(p)))

    formulas = {
        "edge50_hz": lambda c: edge(c, 0.5),
        "edge95_hz": lambda c: edge(c, 0.95),
        "spectral_entropy": entropy,
    }
    return each_channel(x, formulas)


def hjorth_reference(x: Array) -> dict[str, Array]:
    def mobility(c: Array) -> float:
        return statistics.pstdev(b - a for a, b in pairwise(c.tolist())) * FS / statistics.pstdev(c.tolist())

    return each_channel(
        x,
        {
            "activity_uv2": lambda c: statistics.pvariance(c.tolist()),
            "mobility_per_s": mobility,
            "complexity": lambda c: mobility(np.diff(c)) / mobility(c),
        },
    )


def line_length_reference(x: Array) -> dict[str, Array]:
    def crossings(c: Array) -> float:
        signs = [s for s in np.sign(c - c.mean()) if s]
        return sum(a != b for a, b in pairwise(signs)) * FS / (WIDTH - 1)

    return each_channel(
        x,
        {
            "line_length_uv_per_s": lambda c: sum(abs(b - a) for a, b in pairwise(c)) * FS / (WIDTH - 1),
            "zero_crossings_per_s": crossings,
        },
    )


def permutation_reference(c: Array, order: int, delay: int) -> float:
    patterns = Counter(
        tuple(np.argsort(c[k : k + (order - 1) * delay + 1 : delay], kind="stable").tolist())
        for k in range(len(c) - (order - 1) * delay)
    )
    return float(stats.entropy(list(patterns.values()))) / math.log(math.factorial(order))


def complexity_reference(x: Array) -> dict[str, Array]:
    import neurokit2 as nk

    def sample(c: Array) -> float:
        return float(nk.entropy_sample(c, dimension=2, tolerance=0.25 * c.std(ddof=1))[0])

    formulas = {"permutation_entropy": lambda c: permutation_reference(c, 4, 2), "sample_entropy": sample}
    return each_channel(x, formulas)


def envelope_reference(x: Array) -> dict[str, Array]:
    def envelope(c: Array, band: tuple[float, float]) -> Array:
        transform, f = np.fft.fft(signal.detrend(c)), abs(np.fft.fftfreq(WIDTH, 1 / FS))
        kept = np.where((f >= band[0] - 1e-6) & (f < band[1] - 1e-6), transform, 0)
        return np.asarray(abs(signal.hilbert(np.fft.ifft(kept).real)))

    formulas: dict[str, Callable[[Array], float]] = {}
    for name, band in BANDS_HZ.items():
        formulas[f"{name}_envelope_mean_uv"] = lambda c, band=band: envelope(c, band).mean()
        formulas[f"{name}_envelope_sd_uv"] = lambda c, band=band: envelope(c, band).std()
    return each_channel(x, formulas)


def coherence_reference(x: Array) -> dict[str, Array]:
    found: dict[str, Array] = {}
    for (a, first), (b, second) in combinations(enumerate(CHANNELS), 2):
        f, c = signal.coherence(x[:, a], x[:, b], FS, nperseg=200)
        for name, (low, high) in BANDS_HZ.items():
            found[f"{first}~{second}.{name}_coherence"] = c[:, (f >= low - 1e-6) & (f < high - 1e-6)].mean(axis=1)
    return found


# Every step needs an example here, with the reference that gives the columns it adds, by name.
EDGES_HZ = (1.0, 4.0, 8.0, 13.0, 30.0)


def log_spectrum_reference(x: Array) -> dict[str, Array]:
    def logs(c: Array) -> Array:
        f, p = welch(c)
        return np.array([np.log10(p[(f >= low) & (f < high)].mean()) for low, high in pairwise(EDGES_HZ)])

    formulas: dict[str, Callable[[Array], float]] = {"log_level": lambda c: float(logs(c).mean())}
    for k, (low, high) in enumerate(pairwise(EDGES_HZ)):
        formulas[f"{low:g}-{high:g}hz_log_shape"] = lambda c, k=k: float(logs(c)[k] - logs(c).mean())
    return each_channel(x, formulas)


def region_reference(x: Array) -> dict[str, Array]:
    each = log_spectrum_reference(x)
    names = [name.removeprefix("C3.") for name in each if name.startswith("C3.")]
    outer = {f"outer.{name}": (each[f"C3.{name}"] + each[f"O2.{name}"]) / 2 for name in names}
    return outer | {f"middle.{name}": each[f"EEG Fpz-Cz.{name}"] for name in names}


def delay_covariance_reference(x: Array) -> dict[str, Array]:
    def logs(c: Array) -> Array:
        step, level = round(0.02 * FS), c - c.mean()
        copies = np.array([level[k * step : len(c) - (2 - k) * step] for k in range(3)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # logm is content with no error above 2e-13
            return np.asarray(linalg.logm(4 * copies @ copies.T / copies.shape[1] + np.eye(3)))

    formulas: dict[str, Callable[[Array], float]] = {}
    for a, b in combinations_with_replacement(range(3), 2):
        formulas[f"log_covariance_{a}_{b}"] = lambda c, a=a, b=b: float(logs(c)[a, b])
    return each_channel(x, formulas)


REFERENCES: list[tuple[Step, Callable[[Array], dict[str, Array]]]] = [
    (BandPower(), band_power_reference),
    (BandPower(("delta", "mu=9-11.5"), method="multitaper", bandwidth_hz=2.0, log10=True), multitaper_power_reference),
    (SpectralShape(), spectral_shape_reference),
    (Hjorth(), hjorth_reference),
    (LineLength(), line_length_reference),
    (Complexity(order=4, delay_samples=2, tolerance=0.25), complexity_reference),
    (BandEnvelope(), envelope_reference),
    (Coherence(), coherence_reference),
    (DelayCovariance(3, step_s=0.02, noise=0.5), delay_covariance_reference),
    (LogSpectrum(EDGES_HZ), log_spectrum_reference),
    (LogSpectrum(EDGES_HZ, regions=("outer=C3,O2", "middle=EEG Fpz-Cz")), region_reference),
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


def test_every_step_for_eeg_has_a_reference() -> None:
    assert {type(step) for step, _ in REFERENCES} == {
        BandEnvelope, BandPower, Coherence, Complexity, DelayCovariance, Hjorth, LineLength, LogSpectrum,
        SpectralShape,
    }  # fmt: skip


def test_steps_follow_each_other_and_scalars_can_be_kept_alone() -> None:
    alone = [step(LONG).values[:, len(LONG.columns) :] for step in (Hjorth(), LineLength(), Complexity())]
    made = ScalarsOnly()(Complexity()(LineLength()(Hjorth()(LONG))))
    np.testing.assert_array_equal(made.values, np.concatenate(alone, axis=1))
    assert made.window_shape is None
    assert made.columns[:4] == ("C3.activity_uv2", "C3.mobility_per_s", "C3.complexity", "EEG Fpz-Cz.activity_uv2")
    for windows in (LONG, made):
        with pytest.raises(DataError, match="features must come before"):
            ScalarsOnly()(windows)


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


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "hjorth": lambda x: hjorth(x, fs=FS),
    "delay_covariance": lambda x: delay_covariance(x, fs=FS),
    "line_length": lambda x: line_length(x, fs=FS),
    "spectral_shape": lambda x: spectral_shape(x, fs=FS),
    "spectral_shape, multitaper": lambda x: spectral_shape(x, fs=FS, method="multitaper"),
    "permutation_entropy": lambda x: permutation_entropy(x, fs=FS)[..., None],
    "sample_entropy": lambda x: sample_entropy(x, fs=FS)[..., None],
    "band_envelope": lambda x: band_envelope(x, fs=FS).reshape(*x.shape[:2], -1),
    "envelopes": lambda x: envelopes(x, fs=FS)["alpha"],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_give_nan_where_a_sample_is_not_finite_and_float32(name: str) -> None:
    x = cut(LONG)[:, :, :300]
    clean = FUNCTIONS[name](x)
    assert clean.dtype == np.float32
    assert np.isfinite(clean).all()
    x[1, 2, 17], x[0, 0, 3] = np.nan, -np.inf
    got = FUNCTIONS[name](x)
    hurt = np.isnan(got).all(axis=-1)
    assert np.argwhere(hurt).tolist() == [[0, 0], [1, 2]]
    np.testing.assert_array_equal(got[~hurt], clean[~hurt])


def test_coherence_is_nan_for_the_pairs_of_a_hurt_or_flat_channel() -> None:
    x = cut(LONG)
    x[0, 1, 5], x[1, 0] = np.nan, 4.2
    hurt = np.isnan(coherence(x, fs=FS)).all(axis=-1)
    assert np.argwhere(hurt).tolist() == [[0, 0], [0, 2], [1, 0], [1, 1]]
    assert np.isnan(coherence(x[2:, :, :250], fs=FS)).all(), "one segment alone has a coherence of 1 with anything"
    with pytest.raises(DataError, match="two channels or more, got 1"):
        coherence(x[:, :1], fs=FS)
    with pytest.raises(DataError, match="two channels or more, got C3"):
        Coherence()(Epochs(10.0)(recording("a", seed=1).pick(["C3"])))


def test_what_is_defined_of_a_flat_channel() -> None:
    flat = np.full((1, 1, 400), -3.7)
    np.testing.assert_array_equal(hjorth(flat, fs=FS)[0, 0], [0, np.nan, np.nan])
    np.testing.assert_array_equal(line_length(flat, fs=FS)[0, 0], [0, 0])
    assert permutation_entropy(flat, fs=FS) == 0
    assert np.isnan(sample_entropy(flat, fs=FS)).all()
    assert np.isnan(spectral_shape(flat, fs=FS)).all()
    assert band_envelope(flat, fs=FS).max() == 0
    assert not delay_covariance(flat, fs=FS, noise=3.0).any()
    assert np.isnan(delay_covariance(flat[..., :9], fs=FS, delays=6)).all()


def test_a_stretch_at_zero_crosses_once() -> None:
    x = np.array([[[1, 0, 0, -1, 0, -1, 1, 0, 1, -1]]])
    assert x.sum() == 0
    assert line_length(x, fs=9.0)[0, 0, 1] == 3


@pytest.mark.parametrize(("order", "delay"), [(2, 1), (3, 3), (5, 1), (7, 1)])
def test_permutation_entropy_agrees_with_sorting_every_pattern(order: int, delay: int) -> None:
    c = np.random.default_rng(order).integers(0, 6, 400).astype(float)
    got = permutation_entropy(c[None, None], fs=FS, order=order, delay_samples=delay)
    np.testing.assert_allclose(got, permutation_reference(c, order, delay), rtol=1e-6)


def test_an_envelope_is_the_amplitude_of_a_wave() -> None:
    t = np.arange(1000) / FS
    size = 10 + 5 * np.sin(2 * np.pi * 0.5 * t)
    got = envelopes((size * np.sin(2 * np.pi * 10 * t))[None, None], fs=FS)
    np.testing.assert_allclose(got["alpha"][0, 0], size, atol=0.2)
    assert got["beta"].max() < 0.2


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
        (lambda: band_power(np.zeros((1, 1, 9)), fs=0), "half the rate, 0 Hz"),
        (lambda: hjorth(np.zeros((1, 1, 9)), fs=-1), "fs must be positive and finite, got -1"),
        (lambda: DelayCovariance(1), "delays must be 2 or more"),
        (lambda: DelayCovariance(noise=0.0), r"positive, got 8, 0\.0173 and 0\.0"),
        (lambda: SpectralShape(shares=(0.5, 1.0)), "between 0 and 1, each once"),
        (lambda: SpectralShape(high_hz=60)(LONG), "half the rate, 50 Hz"),
        (lambda: Complexity(order=8), "order must be 2 to 7"),
        (lambda: Complexity(tolerance=0), "tolerance must be positive"),
        (lambda: Coherence(segment_s=-1), "segment_s must be positive"),
        (lambda: BandEnvelope(("x",)), "names or 'name=low-high'"),
    ],
)
def test_settings_that_cannot_be_are_refused(make: Callable[[], object], match: str) -> None:
    with pytest.raises(ParameterError, match=match):
        make()


@pytest.mark.parametrize("shape", [(5,), (2, 5), (1, 1, 0)])
def test_arrays_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="windows must be"):
        band_power(np.zeros(shape), fs=FS)


def test_a_gain_moves_the_level_of_the_spectrum_alone() -> None:
    x = np.random.default_rng(4).standard_normal((2, 3, 500))
    once, louder = (log_spectrum(gain * x, fs=FS, edges_hz=EDGES_HZ) for gain in (1.0, 20.0))
    np.testing.assert_allclose(louder[..., 0] - once[..., 0], 2 * np.log10(20), atol=1e-5)
    np.testing.assert_allclose(louder[..., 1:], once[..., 1:], atol=1e-5)
    np.testing.assert_allclose(once[..., 1:].sum(axis=-1), 0, atol=1e-5)


@pytest.mark.parametrize("edges", [(1.0,), (4.0, 1.0), (1.0, 4.0, 4.0)])
def test_edges_that_do_not_ascend_are_refused(edges: tuple[float, ...]) -> None:
    with pytest.raises(ParameterError, match="ascending frequencies"):
        LogSpectrum(edges)


def test_regions_that_are_none_are_refused() -> None:
    for text in ("frontal", "=C3", "frontal="):
        with pytest.raises(ParameterError, match="a region is a name and its channels"):
            LogSpectrum(regions=(text,))
    with pytest.raises(ParameterError, match="each region there once"):
        LogSpectrum(regions=("a=C3", "a=O2"))
    with pytest.raises(DataError, match=r"channel of a region 'C4'; "):
        LogSpectrum(regions=("a=C3,C4",))(LONG)


def test_a_band_beyond_half_the_rate_is_refused_by_name() -> None:
    with pytest.raises(ParameterError, match=r"30 to 60 Hz must ascend and lie between 0 and half the rate, 50 Hz"):
        LogSpectrum((1.0, 30.0, 60.0))(LONG)
