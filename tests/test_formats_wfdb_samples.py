"""Real WFDB records of every kind, sample for sample against the wfdb package."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import wfdb

from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats.wfdb import open_wfdb, read_annotations, read_header, read_wfdb, write_annotations

Root = Callable[[str], Path]

RECORDS = [
    "100_3chan", "100", "100-no-len", "100skew", "3000003_0003", "310derive", "310derive_2", "310derive_3", "311derive",
    "311derive_2", "311derive_3", "311derive_4", "a103l", "a103l-no-len", "flacformats", "s0010_re", "test01_00s",
    "test01_00s_skew", "v102s", "multi-segment/fixed1/v102s", "multi-segment/fixed1/v102s_2",
    "multi-segment/p000878/3269321_0002", "multi-segment/s00001/3975656_0012",
    "multi-segment/s00001/s00001-2896-10-10-00-31n", "multi-segment/s25047/3234460_0018",
]  # fmt: skip
SEVERAL_A_FRAME = [
    "03700181", "mixedsignals", "test01_00s_frame", "test01_00s_skewframe", "test_generator_2",
    "multi-segment/041s/041s01",
]  # fmt: skip
ANNOTATIONS = [
    ("100", "atr"), ("100", "qrs"), ("1003", "atr"), ("huge", "qrs"), ("12726", "anI"), ("12726", "wqrs"),
    ("03700181", "sqrs"), ("03700181", "gqrsl"), ("03700181", "gqrsh"),
]  # fmt: skip


def physical(name: str, **options: object) -> np.ndarray:
    return np.asarray(wfdb.rdrecord(name, **options).p_signal.T, dtype=np.float32)


def assert_same_description(name: str) -> None:
    ours, theirs = open_wfdb(name), wfdb.rdrecord(name)
    assert list(ours.channels) == theirs.sig_name
    assert list(ours.units) == theirs.units
    assert ours.fs == pytest.approx(theirs.fs, rel=1e-12)
    assert list(ours.header.comments) == theirs.comments


@pytest.mark.parametrize("record", RECORDS)
def test_record_equals_wfdb(data_root: Root, record: str) -> None:
    name = str(data_root("wfdb-samples") / record)
    ours = open_wfdb(name)
    np.testing.assert_array_equal(ours.read_digital(), wfdb.rdrecord(name, physical=False).d_signal.T)
    np.testing.assert_array_equal(read_wfdb(name, annotator=None).signals, physical(name))
    assert_same_description(name)


@pytest.mark.parametrize("record", SEVERAL_A_FRAME)
def test_several_samples_a_frame_equal_wfdb_averaged_and_expanded(data_root: Root, record: str) -> None:
    name = str(data_root("wfdb-samples") / record)
    ours = open_wfdb(name)
    np.testing.assert_array_equal(ours.read_digital(), wfdb.rdrecord(name, physical=False).d_signal.T)
    expanded = wfdb.rdrecord(name, physical=False, smooth_frames=False).e_d_signal
    for k, samples in enumerate(expanded):
        np.testing.assert_array_equal(ours.read_digital(channels=[k], frames="highest")[0], samples)
    with pytest.warns(BiosigWarning, match="averaged to the frame rate"):
        recording = ours.read()
    np.testing.assert_array_equal(recording.signals, physical(name))


@pytest.mark.parametrize(("set_name", "record"), [("mitdb", "102"), ("cinc2017", "A00001"), ("ludb", "data/1")])
def test_database_record_equals_wfdb(data_root: Root, set_name: str, record: str) -> None:
    name = str(data_root(set_name) / record)
    np.testing.assert_array_equal(open_wfdb(name).read_digital(), wfdb.rdrecord(name, physical=False).d_signal.T)
    np.testing.assert_array_equal(read_wfdb(name).signals, physical(name))
    assert_same_description(name)


@pytest.mark.parametrize("record", ["100", "100skew", "310derive", "311derive", "a103l", "flacformats", "s0010_re"])
@pytest.mark.parametrize(("start", "stop"), [(0, 1), (1, 2), (7, 250), (101, 102), (333, 498)])
def test_stretch_equals_wfdb(data_root: Root, record: str, start: int, stop: int) -> None:
    name = str(data_root("wfdb-samples") / record)
    theirs = wfdb.rdrecord(name, physical=False, sampfrom=start, sampto=stop).d_signal.T
    np.testing.assert_array_equal(open_wfdb(name).read_digital(start=start, stop=stop), theirs)


def test_last_samples_of_a_skewed_record_are_missing_as_in_wfdb(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "100skew")
    ours = read_wfdb(name, annotator=None, start=649_990).signals
    assert np.isnan(ours[1, -3:]).all()
    np.testing.assert_array_equal(ours, physical(name, sampfrom=649_990))


def test_channels_come_in_the_order_asked(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "s0010_re")
    ours = read_wfdb(name, channels=["vy", "i", 11], stop=500)
    assert ours.channels == ("vy", "i", "v6")
    np.testing.assert_array_equal(ours.signals, physical(name, channels=[13, 0, 11], sampto=500))


def test_all_plain_formats_in_one_record(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "binformats")
    np.testing.assert_array_equal(read_wfdb(name).signals, physical(name))
    with pytest.raises(ValueError, match="invalid literal"):  # wfdb fails on the big-endian type of format 61
        wfdb.rdrecord(name, physical=False, smooth_frames=False)


def test_format_61_is_big_endian(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "p10143")
    np.testing.assert_array_equal(read_wfdb(name).signals, physical(name))


def test_stretch_of_format_8_has_the_values_it_has_in_the_whole_record(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "binformats")
    record = open_wfdb(name)
    whole = record.read_digital(channels=[0])
    np.testing.assert_array_equal(record.read_digital(channels=[0], start=200, stop=300), whole[:, 200:300])
    theirs = physical(name, channels=[0], sampfrom=200, sampto=300)  # wfdb starts again from the initial value
    assert not np.array_equal(record.read_signals(channels=[0], start=200, stop=300), theirs)


def test_constant_flac(data_root: Root) -> None:
    name = data_root("wfdb-samples") / "flac_3_constant"
    part = open_wfdb(name).read_digital(start=5_000_000, stop=5_000_100)
    np.testing.assert_array_equal(part, np.repeat([[25], [50], [75]], 100, axis=1))


def test_missing_samples_do_not_enter_the_mean_of_a_frame(data_root: Root) -> None:
    name = data_root("wfdb-samples") / "multi-segment" / "041s" / "041s02"
    record = open_wfdb(name)
    every = record.read_signals(channels=["I"], frames="highest").reshape(-1, 4)
    some = np.isnan(every).any(axis=1) & ~np.isnan(every).all(axis=1)
    assert some.any()
    ours, step = record.read_signals(channels=["I"])[0], 1 / 2000
    np.testing.assert_allclose(ours[some], np.nanmean(every[some], axis=1), atol=step)
    theirs = physical(str(name), channels=[1])[0]  # wfdb averages the mark -2048 as if it were a sample
    assert np.abs(theirs[some] - ours[some]).max() > 10 * step


def test_slower_signals_are_held_at_the_highest_rate(data_root: Root) -> None:
    record = open_wfdb(data_root("wfdb-samples") / "03700181")
    both = record.read(channels=["MCL1", "ABP"], frames="highest")
    assert both.fs == 500
    np.testing.assert_array_equal(both.signals[1], np.repeat(record.read_signals(channels=["ABP"])[0], 4))
    part = record.read_signals(channels=["MCL1", "ABP"], frames="highest", start=1001, stop=1999)
    np.testing.assert_array_equal(part, both.signals[:, 1001:1999])


def test_variable_layout_equals_wfdb(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "multi-segment/s25047/s25047-2704-05-04-10-44")
    ours = read_wfdb(name)
    np.testing.assert_array_equal(ours.signals, physical(name))
    assert ours.channels == ("II", "V", "ABP")
    assert np.isnan(ours.signals[:, :25740]).all()
    part = read_wfdb(name, start=50_000, stop=60_000, channels=["ABP", "II"])
    np.testing.assert_array_equal(part.signals, ours.signals[[2, 0], 50_000:60_000])


def test_record_that_is_one_gap(data_root: Root) -> None:
    name = data_root("wfdb-samples") / "multi-segment/s00001/s00001-2896-10-09-01-56"
    ours = read_wfdb(name)
    assert ours.signals.shape == (4, 7500)
    assert np.isnan(ours.signals).all()


def test_fixed_layout_with_several_samples_a_frame(data_root: Root) -> None:
    name = str(data_root("wfdb-samples") / "multi-segment/041s/041s")
    np.testing.assert_array_equal(open_wfdb(name).read_digital(), wfdb.rdrecord(name, physical=False).d_signal.T)


def test_segments_that_are_not_there_are_missed_only_where_they_are_needed(data_root: Root) -> None:
    name = data_root("wfdb-samples") / "multi-segment/p000878/p000878-2137-10-26-16-57"
    part = read_wfdb(name, start=3000, stop=7500)
    assert np.isnan(part.signals[:, :750]).all()
    assert not np.isnan(part.signals[0, 750:]).all()
    with pytest.raises(DataError, match=r"3269321_0003.hea: the header of a segment .* is not there"):
        read_wfdb(name, start=3000, stop=7501)


def test_header_of_wfdb_wave_and_edf_origin(data_root: Root) -> None:
    root = data_root("wfdb-samples")
    header = read_header(root / "12726")
    assert (header.fs, header.counter_hz) == (250, 24000)
    temperature = read_header(root / "wave_4").signals[6]
    assert (temperature.gain, temperature.baseline, temperature.unit) == (-19.3447902992, 3064, "degC")
    assert read_header(root / "test_generator_2").signals[8].unit == "°"  # wfdb drops the sign and takes mV
    assert wfdb.rdheader(str(root / "test_generator_2")).units[8] == "mV"


@pytest.mark.parametrize(("record", "extension"), ANNOTATIONS)
def test_annotations_equal_wfdb(data_root: Root, record: str, extension: str, tmp_path: Path) -> None:
    assert_annotations_equal(data_root("wfdb-samples") / record, extension, tmp_path)


@pytest.mark.parametrize(
    ("set_name", "record", "extension"),
    [("mitdb", "207", "atr"), ("slpdb", "slp01a", "st"), ("slpdb", "slp01a", "ecg"), ("ludb", "data/1", "ii")],
)
def test_database_annotations_equal_wfdb(
    data_root: Root, set_name: str, record: str, extension: str, tmp_path: Path
) -> None:
    assert_annotations_equal(data_root(set_name) / record, extension, tmp_path)


def assert_annotations_equal(name: Path, extension: str, folder: Path) -> None:
    ours, theirs = read_annotations(name, extension), wfdb.rdann(str(name), extension)
    for field in ("sample", "subtype", "chan", "num"):
        np.testing.assert_array_equal(getattr(ours, field), getattr(theirs, field), err_msg=field)
    assert ours.symbol.tolist() == theirs.symbol
    assert list(ours.aux_note) == theirs.aux_note
    if ours.fs is not None:
        assert ours.fs == theirs.fs
    defined = theirs.custom_labels
    expected = (
        {} if defined is None else {row.label_store: (row.symbol, row.description) for row in defined.itertuples()}
    )
    assert dict(ours.custom_labels) == expected
    write_annotations(folder / name.name, extension, ours)
    assert read_annotations(folder / name.name, extension) == ours


def test_comments_on_the_file_are_kept_apart(data_root: Root, tmp_path: Path) -> None:
    root = data_root("wfdb-samples")
    found = read_annotations(root / "100", "qrs")
    assert found.comments == ("gqrs -r 100\0",)
    assert '"' not in found.symbol
    written = write_annotations(tmp_path / "100", "qrs", found)
    assert written.read_bytes() == (root / "100.qrs").read_bytes()


def test_code_without_symbol_is_told_by_its_number(data_root: Root) -> None:
    name = data_root("wfdb-samples") / "12726"
    symbols = read_annotations(name, "wabp").symbol
    theirs = wfdb.rdann(str(name), "wabp").symbol  # wfdb has a NaN among its strings there
    other = symbols != "[42]"
    assert 0 < np.count_nonzero(~other) == sum(symbol != symbol for symbol in theirs)
    assert symbols[other].tolist() == [symbol for symbol in theirs if symbol == symbol]


def test_annotator_with_a_clock_of_its_own(data_root: Root) -> None:
    root = data_root("wfdb-samples")
    found = read_annotations(root / "03700181", "gqrsh")
    assert found.fs == 500
    low = read_wfdb(root / "03700181", channels=["ABP"], annotator="gqrsh")
    np.testing.assert_array_equal(low.annotations.starts, np.rint(found.sample / 4))
    high = read_wfdb(root / "03700181", channels=["MCL1"], annotator="gqrsh", frames="highest")
    np.testing.assert_array_equal(high.annotations.starts, found.sample)
    sqrs = read_wfdb(root / "03700181", channels=["MCL1"], annotator="sqrs", frames="highest")
    np.testing.assert_array_equal(sqrs.annotations.starts, 2 * read_annotations(root / "03700181", "sqrs").sample)


def test_annotations_come_along_and_follow_the_stretch(data_root: Root) -> None:
    name = data_root("mitdb") / "101"
    whole = read_wfdb(name)
    theirs = wfdb.rdann(str(name), "atr")
    np.testing.assert_array_equal(whole.annotations.starts, theirs.sample)
    assert whole.annotations.labels.tolist() == theirs.symbol
    assert whole.annotations.notes.tolist() == [note.rstrip("\0") for note in theirs.aux_note]
    part = read_wfdb(name, start=3600, stop=7200)
    np.testing.assert_array_equal(part.signals, whole.signals[:, 3600:7200])
    assert part.annotations == whole.annotations.crop(start=3600, stop=7200)
    assert len(read_wfdb(name, annotator=None).annotations) == 0


@pytest.mark.parametrize("set_name", ["cinc2017", "ludb"])
def test_databases_read_without_a_warning(data_root: Root, set_name: str) -> None:
    headers = sorted(data_root(set_name).rglob("*.hea"))[:60]
    assert headers
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(np.isfinite(read_wfdb(header).signals).any() for header in headers)
