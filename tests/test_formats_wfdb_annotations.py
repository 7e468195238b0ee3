"""WFDB annotation files: every code, exact round trips, and files that are damaged."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wfdb.io.annotation import ann_labels

from biosig_lstm.containers import Annotations
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats.wfdb import WfdbAnnotations, read_annotations, read_wfdb, write_annotations

STANDARD = [label.symbol for label in ann_labels if label.label_store]
fixture_ok = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def made(sample: object, symbol: object, **fields: object) -> WfdbAnnotations:
    n = len(np.asarray(sample))
    defaults = {"subtype": np.zeros(n), "chan": np.zeros(n), "num": np.zeros(n), "aux_note": [""] * n}
    return WfdbAnnotations(sample, symbol, **{**defaults, **fields})  # type: ignore[arg-type]


def assert_wfdb_reads_the_same(name: Path, extension: str, ours: WfdbAnnotations) -> None:
    theirs = wfdb.rdann(str(name), extension)
    for field in ("sample", "subtype", "chan", "num"):
        np.testing.assert_array_equal(getattr(theirs, field), getattr(ours, field), err_msg=field)
    assert theirs.symbol == ours.symbol.tolist()
    assert theirs.aux_note == list(ours.aux_note)


@st.composite
def annotations(draw: st.DrawFn) -> WfdbAnnotations:
    n = draw(st.integers(1, 20))

    def some(values: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(values, min_size=n, max_size=n))

    gaps = some(st.integers(1, 1023) | st.integers(1, 2**33))
    notes = some(st.just("") | st.text(st.characters(max_codepoint=255), max_size=255))
    small = st.integers(-128, 127)
    return made(
        np.cumsum(gaps), some(st.sampled_from(STANDARD)), subtype=some(small), chan=some(st.integers(0, 255)),
        num=some(small), aux_note=notes, fs=draw(st.none() | st.sampled_from([250.0, 62.5, 1e-3])),
    )  # fmt: skip


@given(annotations())
@fixture_ok
def test_what_is_written_reads_back_here_and_in_wfdb(tmp_path: Path, given_annotations: WfdbAnnotations) -> None:
    write_annotations(tmp_path / "r", "atr", given_annotations)
    assert read_annotations(tmp_path / "r", "atr") == given_annotations
    assert_wfdb_reads_the_same(tmp_path / "r", "atr", given_annotations)


def test_every_standard_code(tmp_path: Path) -> None:
    every = made(10 * np.arange(1, len(STANDARD) + 1), STANDARD)
    write_annotations(tmp_path / "r", "atr", every)
    assert_wfdb_reads_the_same(tmp_path / "r", "atr", every)
    codes = np.frombuffer((tmp_path / "r.atr").read_bytes(), dtype="<u2")[:-1] >> 10
    assert codes.tolist() == [label.label_store for label in ann_labels if label.label_store]


def test_bytes_are_those_that_wfdb_writes(tmp_path: Path) -> None:
    fields = {
        "subtype": [0, 1, -1, 0],
        "chan": [0, 3, 3, 0],
        "num": [5, 5, 2, 0],
        "aux_note": ["", "(AFIB", "even", ""],
    }
    sample, symbol = np.array([0, 1023, 4_000, 5_000_000_000]), ["N", "+", '"', "V"]
    wfdb.wrann("theirs", "atr", sample, symbol, **{k: v if k == "aux_note" else np.array(v) for k, v in fields.items()},
               write_dir=str(tmp_path))  # fmt: skip
    ours = write_annotations(tmp_path / "ours", "atr", made(sample, symbol, **fields))
    assert ours.read_bytes() == (tmp_path / "theirs.atr").read_bytes()


def test_times_that_go_back(tmp_path: Path) -> None:
    back = made([500, 20, 20_000_000, 3], ["N", "V", "A", "N"])
    write_annotations(tmp_path / "r", "atr", back)
    assert read_annotations(tmp_path / "r", "atr") == back
    assert_wfdb_reads_the_same(tmp_path / "r", "atr", back)


def test_definitions_clock_and_comments_of_a_file(tmp_path: Path) -> None:
    custom = {42: ("W", "wake"), 43: ("N2", "light sleep")}
    scored = made([0, 30], ["W", "N2"], fs=1.0, custom_labels=custom, comments=("scored by hand",))
    file = write_annotations(tmp_path / "r", "st", scored)
    assert read_annotations(tmp_path / "r", "st") == scored
    text = file.read_bytes()
    assert (
        text.index(b"## time resolution: 1") < text.index(b"## annotation type definitions") < text.index(b"42 W wake")
    )
    without = made([0, 30], ["W", "N2"], fs=1.0, custom_labels=custom)
    write_annotations(tmp_path / "r", "st", without)
    theirs = wfdb.rdann(str(tmp_path / "r"), "st")
    assert (theirs.symbol, theirs.fs) == (["W", "N2"], 1)
    assert theirs.custom_labels["description"].tolist() == ["wake", "light sleep"]


def test_labels_of_a_recording_that_are_no_symbols_get_codes(tmp_path: Path) -> None:
    stages = Annotations([0, 30, 60], None, ["N2", "REM", "N"], ["", "sure", ""])
    write_annotations(tmp_path / "r", "st", stages, fs=1)
    found = read_annotations(tmp_path / "r", "st")
    assert found.symbol.tolist() == ["N2", "REM", "N"]
    assert dict(found.custom_labels) == {42: ("N2", "N2"), 43: ("REM", "REM")}
    assert (found.fs, found.aux_note) == (1, ("", "sure", ""))


def test_ends_of_stretches_are_told_to_be_lost(tmp_path: Path) -> None:
    with pytest.warns(BiosigWarning, match="WFDB annotations are instants: the stretches' ends are not written"):
        write_annotations(tmp_path / "r", "st", Annotations([0], [30], ["N"]))


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        (made([1] * 11, [f"x{k}" for k in range(11)]), "11 labels are no WFDB symbols, there is room for 10: x0, x1"),
        (made([1], ["a b"]), r"a WFDB symbol is not empty and has no spaces, got \['a b'\]; relabel first"),
        (made([1], [" "]), "cannot store annotation ' ' with chan 0"),
        (made([1], ["N"], chan=[256]), "cannot store annotation 'N' with chan 256"),
        (made([1], ["N"], subtype=[128]), "with chan 0, subtype 128"),
        (made([1], ["N"], aux_note=["x" * 256]), "a note holds up to 255 characters, got 256: 'xxxx"),
        (made([1], ["N"], aux_note=["λ"]), "the note 'λ' holds characters beyond Latin-1"),
    ],
)
def test_what_cannot_be_stored_is_refused(tmp_path: Path, annotations: WfdbAnnotations, message: str) -> None:
    with pytest.raises(DataError, match=message):
        write_annotations(tmp_path / "r", "atr", annotations)


def test_fields_of_different_lengths_are_refused() -> None:
    with pytest.raises(DataError, match=r"annotations need one of each field, got .*'symbol': 1"):
        made([1, 2], ["N"])


def word(code: int, value: int) -> bytes:
    return bytes([value & 255, (value >> 8) | (code << 2)])


BEAT = word(1, 100)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "damaged annotation file: it is empty; fetch it again"),
        (BEAT + b"\0", r"it holds an odd number of bytes \(3\)"),
        (BEAT + word(59, 0) + b"\1\0", "a time skip that runs past the end of the file at byte 2, after 1 annotations"),
        (BEAT + word(63, 9) + b"(AFIB\0", "a note that runs past the end of the file at byte 2, after 1 annotations"),
        (word(61, 1) + BEAT, "a modifier before the first annotation at byte 0"),
        (word(59, 0) + b"\xff\xff\0\0" + BEAT + b"\0\0", "annotation at sample -65436, before the record"),
    ],
)
def test_damaged_annotation_file(tmp_path: Path, raw: bytes, message: str) -> None:
    (tmp_path / "r.atr").write_bytes(raw)
    with pytest.raises(DataError, match=rf"r\.atr: damaged annotation file: .*{message}|r\.atr: .*{message}"):
        read_annotations(tmp_path / "r", "atr")


@pytest.mark.parametrize(
    ("raw", "message", "n"),
    [
        (BEAT + BEAT, "has no end mark, it may be cut short; 2 annotations read", 2),
        (BEAT + b"\0\0" + BEAT, "bytes after the end mark of the annotations, at byte 2, are left out", 1),
    ],
)
def test_annotation_file_with_an_odd_end_is_read_with_a_warning(
    tmp_path: Path, raw: bytes, message: str, n: int
) -> None:
    (tmp_path / "r.atr").write_bytes(raw)
    with pytest.warns(BiosigWarning, match=message):
        assert len(read_annotations(tmp_path / "r", "atr")) == n


def test_annotation_file_that_holds_none_or_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "r.atr").write_bytes(b"\0\0")
    assert len(read_annotations(tmp_path / "r.atr", "atr")) == 0
    with pytest.raises(DataError, match=r"r.qrs: no such annotation file; beside it are: atr"):
        read_annotations(tmp_path / "r", "qrs")


@given(st.binary(max_size=60))
@fixture_ok
def test_any_bytes_are_read_or_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "r.atr").write_bytes(raw)
    with warnings.catch_warnings(), contextlib.suppress(DataError):
        warnings.simplefilter("ignore", BiosigWarning)
        assert (read_annotations(tmp_path / "r", "atr").sample >= 0).all()


def test_annotations_beyond_the_end_of_a_record_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes(bytes(16))
    (tmp_path / "r.hea").write_text("r 1 100 8\nr.dat 16 1\n")
    write_annotations(tmp_path / "r", "atr", made([0, 7, 8, 900], list("NVNN")))
    message = "2 annotations of r.atr beyond the end left out"
    with pytest.warns(BiosigWarning, match=f"r: {message}"):
        found = read_wfdb(tmp_path / "r")
    assert found.annotations == Annotations([0, 7], None, ["N", "V"])
    assert found.history == (message,)
    with pytest.raises(DataError, match=r"r.qrs: no such annotation file; beside it are: atr, dat, hea"):
        read_wfdb(tmp_path / "r", annotator="qrs")


def test_annotations_without_a_clock_count_frames(tmp_path: Path) -> None:
    (tmp_path / "r.dat").write_bytes(bytes(32))
    (tmp_path / "r.hea").write_text("r 1 100 8\nr.dat 16x2 1\n")
    write_annotations(tmp_path / "r", "atr", made([0, 3, 7], list("NVN")))
    assert read_wfdb(tmp_path / "r", frames="highest").annotations.starts.tolist() == [0, 6, 14]
    assert read_wfdb(tmp_path / "r", frames="highest", start=5).annotations.starts.tolist() == [1, 9]
