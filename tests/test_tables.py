"""Tables of recordings: what is read from them, and everything that is refused, all of it in one message."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig_lstm.containers import Recording
from biosig_lstm.errors import BiosigWarning, DataError, ParameterError
from biosig_lstm.formats.wfdb import write_wfdb
from biosig_lstm.tables import read_table

HEADER = "path,label,subject"
STRETCHES = "path,label,subject,start_s,stop_s"
Write = Callable[..., Path]


def record(
    folder: Path,
    name: str,
    *,
    seed: int = 0,
    fs: float = 100,
    channels: Sequence[str] = ("II",),
    unit: str = "mV",
    values: np.ndarray | None = None,
) -> None:
    """Write four seconds of noise, or the values given, as a WFDB record."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).standard_normal((len(channels), round(4 * fs))).astype(np.float32)
    rows = noise if values is None else values
    write_wfdb(Recording(rows, fs, channels, [unit] * len(channels), id=name), folder, fmt="16", gain=1000.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k, name in enumerate("abcd"):
        record(tmp_path, name, seed=k)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    def write_lines(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
        path = folder / "table.csv"
        path.write_text("\n".join([header, *lines]) + "\n", encoding=encoding)
        return path

    return write_lines


def test_what_a_table_says_of_itself(write: Write) -> None:
    table = read_table(write("a,N,s1", "b,AF,s1", "c,N,s2"))
    assert len(table) == 3
    assert table.classes == ("AF", "N")
    assert table.subjects == ("s1", "s2")
    assert table.subjects_of("N") == ("s1", "s2")
    assert table.ids == ("a", "b", "c")
    assert repr(table) == "Table(table.csv: 3 rows, 2 subjects; AF 1, N 2)"


@pytest.mark.parametrize("name", ["a", "a.hea", "a.dat", "./a.hea", "x/../a"])
def test_a_record_by_any_of_its_names(name: str, folder: Path, write: Write) -> None:
    (folder / "x").mkdir()
    (row,) = read_table(write(f"{name},N,1")).rows
    assert row.path.resolve() == (folder / "a.hea").resolve()


def test_absolute_paths(folder: Path, write: Write, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    record(elsewhere, "far")
    table = read_table(write(f"{elsewhere / 'far'},N,1", "a,N,2"))
    assert [row.path for row in table.rows] == [elsewhere / "far.hea", folder / "a.hea"]


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        ("path;label;subject", ["a;AF, new;1", "b;N;2"]),
        ("path\tlabel\tsubject", ["a\tAF, new\t1", "b\tN\t2"]),
        ("Path , LABEL,Subject ", ['a, "AF, new", 1 ', " b ,N,2"]),
        ("\ufeffpath,label,subject", ['"a","AF, new","1"', "b,N,2", "", ",,"]),
        ("age,subject,path,label", ['61,1,a,"AF, new"', "70,2,b,N"]),
        ("\npath,label,subject,,", ['a,"AF, new",1,,', "b,N,2,,"]),
    ],
    ids=["semicolons", "tabs", "spaces and case", "byte order mark and quotes", "other columns", "empty columns"],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_dialects(header: str, lines: list[str], newline: str, folder: Path) -> None:
    path = folder / "dialect.csv"
    path.write_bytes(newline.join([header, *lines]).encode())
    rows = read_table(path).rows
    assert [(row.path.stem, row.label, row.subject) for row in rows] == [("a", "AF, new", "1"), ("b", "N", "2")]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).filter(
            lambda text: text.strip()
        ),
        min_size=1,
        max_size=5,
    )
)
def test_labels_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, labels: list[str]) -> None:
    import csv
    import warnings

    folder = tmp_path_factory.mktemp("labels")
    for k in range(len(labels)):
        (folder / f"r{k}.bin").touch()
    with (folder / "t.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["path", "label", "subject"])
        out.writerows([f"r{k}.bin", label, k] for k, label in enumerate(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BiosigWarning)
        rows = read_table(folder / "t.csv").rows
    plain = [label.replace("\r\n", "\n").replace("\r", "\n").strip() for label in labels]
    assert [row.label for row in rows] == plain


def test_everything_wrong_stands_in_one_message(write: Write, folder: Path) -> None:
    table = write(
        "a,N,1,,",
        "gone,N,2,,",
        "b,,,,",
        "sub,N,3,,",
        "c,N,4,5,2",
        "c,N,4,x,",
        "d,N,5,0,inf",
        "d,N,5,-1,",
        "a,N,1,,",
        "b,N,6,,,what",
        header=STRETCHES,
    )
    (folder / "sub").mkdir()
    with pytest.raises(DataError, match=r"9 of 10 lines cannot be used \(paths are relative to the table\)") as error:
        read_table(table)
    said = str(error.value).splitlines()[1:]
    assert said == [
        f"  line 3: {folder / 'gone'} is not there",
        "  line 4: label and subject empty",
        f"  line 5: {folder / 'sub'} is a folder, a row means one recording",
        "  line 6: start_s 5 and stop_s 2 mean no stretch",
        "  line 7: start_s must be seconds from the beginning, such as 12.5, got 'x'",
        "  line 8: stop_s must be seconds from the beginning, such as 12.5, got 'inf'",
        "  line 9: start_s must be seconds from the beginning, such as 12.5, got '-1'",
        "  line 10: the same stretch of a.hea as line 2",
        "  line 11: 6 fields, the header has 5; a field with a comma stands in quotes",
    ]


def test_a_comma_too_many_is_no_other_subject(write: Write) -> None:
    with pytest.raises(DataError, match="line 2: 4 fields, the header has 3"):
        read_table(write("a,AF, new,1"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; wanted a header line with the columns path, label .*subject, start_s, stop_s"),
        (b"\n \n,,\n", "is empty"),
        (b"path,label,subject\n\n", "a header and no rows"),
        (b"file,label,subject\n", "lacks a column 'path'; possible: file, label, subject"),
        (b"path,label,subject,Label\n", "column 'label' stands 2 times"),
        (b"\x00\x01\x02path", "holds zero bytes"),
        (b"\x89PNG\r\n\x1a\n", r"no text in UTF-8 \(byte 0\): save the table as CSV UTF-8"),
        ("path,label,subject\na,µ,1\n".encode("latin-1"), r"no text in UTF-8 \(byte 21\)"),
        ("path,label,subject\n".encode("utf-16"), "no text in UTF-8"),
        (b'path,label,subject\na,"N,1\nb,N,2\n', "line 3 is no line of a CSV table: .*is a quote open"),
        (b'path,label,subject\na,"N"x,1\n', "line 2 is no line of a CSV table"),
    ],
)
def test_files_that_are_no_table(content: bytes, message: str, folder: Path) -> None:
    path = folder / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_table(path)


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv: cannot be read: No such file"):
        read_table(tmp_path / "gone.csv")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_table(tmp_path)


@pytest.mark.parametrize("other", ["a.hea", "./a", "x/../a.dat", "link.hea", "folder/a"])
def test_one_recording_of_two_subjects_under_any_name(other: str, folder: Path, write: Write) -> None:
    (folder / "x").mkdir()
    (folder / "link.hea").symlink_to(folder / "a.hea")
    (folder / "folder").symlink_to(folder)
    with pytest.raises(DataError, match=rf"line 4: {Path(other).stem}\.hea belongs to '2' here and to '1' in line 2"):
        read_table(write("a,N,1", "b,N,1", f"{other},AF,2"))


def test_a_copy_under_another_subject(folder: Path, write: Write) -> None:
    record(folder, "copy", seed=1)
    table = read_table(write("a,N,1", "b,N,2", "copy,AF,3"))
    with pytest.raises(DataError, match=r"line 4: copy\.hea of '3' holds the same samples as b\.hea of '2' in line 3"):
        table.facts()
    assert read_table(write("a,N,1", "b,N,2", "copy,AF,2")).facts().fs == 100


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["a,N,01", "b,N,1"], "subjects .* '01' and '1'"),
        (["a,N,p1", "b,N,P1"], "subjects .* 'P1' and 'p1'"),
        (["a,AF,1", "b,Af,2"], "labels .* 'AF' and 'Af'"),
        (["a,sinus  rhythm,1", "b,sinus rhythm,2"], "labels .* 'sinus  rhythm' and 'sinus rhythm'"),
    ],
)
def test_names_that_look_alike_are_warned_of(lines: list[str], named: str, write: Write) -> None:
    with pytest.warns(BiosigWarning, match=named):
        table = read_table(write(*lines))
    assert len(table.subjects) == 2


def test_names_that_only_hold_zeros_are_different(write: Write) -> None:
    assert read_table(write("a,N,10", "b,N,100", "c,N,0", "d,N,1")).subjects == ("0", "1", "10", "100")


def test_ids_tell_stretches_and_folders_apart(folder: Path, write: Write) -> None:
    for place in ("day1", "day2"):
        record(folder / place, "r")
    for extension in ("bin", "txt"):
        (folder / f"q.{extension}").touch()
    table = read_table(
        write("day1/r,N,1,,", "day2/r,N,1,,", "a,N,2,0,1", "a,N,2,0,2.5", "a,N,2,1,", "b,N,3,0,1", header=STRETCHES)
    )
    assert table.ids == ("day1/r", "day2/r", "a@0-1", "a@0-2.5", "a@1-end", "b")
    assert read_table(write("q.bin,N,1", "q.txt,N,1")).ids == ("q.bin", "q.txt")


def test_recordings_carry_label_subject_and_stretch(write: Write) -> None:
    heard: list[str] = []
    table = read_table(write("a,N,s1,,", "b,AF,s2,1,2.5", header=STRETCHES))
    whole, part = table.recordings(announce=heard.append)
    assert heard == ["a", "b"]
    assert (whole.n_samples, whole.subject, whole.annotations.labels.tolist()) == (400, "s1", ["N"])
    assert (part.n_samples, part.id, part.subject) == (150, "b", "s2")
    assert (part.annotations.starts.tolist(), part.annotations.stops.tolist()) == ([0], [150])


def test_stretches_beyond_the_end_are_named(write: Write) -> None:
    table = read_table(write("a,N,1,0,4", "b,N,2,0,4.5", "c,N,3,9,", "d,N,4,4,", header=STRETCHES))
    with pytest.raises(DataError, match="3 of 4 recordings cannot be used") as error:
        table.facts()
    second, third, fourth = str(error.value).splitlines()[1:]
    assert "line 3 (start_s 0, stop_s 4.5): b: cannot read samples 0 to 450, the record holds 0 to 400" in second
    assert "line 4 (start_s 9, stop_s end)" in third
    assert "line 5 (start_s 4, stop_s end)" in fourth


def test_what_recordings_have_in_common(folder: Path, write: Write) -> None:
    record(folder, "long", values=np.random.default_rng(9).standard_normal((1, 900)).astype(np.float32))
    facts = read_table(write("a,N,1", "long,N,2")).facts()
    assert facts == (100.0, ("II",), ("mV",), 9.0)


def test_mixed_channels_say_which_are_in_all(folder: Path, write: Write) -> None:
    record(folder, "two", seed=5, channels=("V5", "ii"))
    table = read_table(write("a,N,1", "b,N,2", "two,N,3"))
    message = (
        r"differ in channels: II \(2 of 3, such as b.hea\); V5 ii \(1 of 3, such as two.hea\)\. Say which .*have II$"
    )
    with pytest.raises(DataError, match=message):
        table.facts()
    assert table.facts(channels=["II"]).channels == ("II",)
    assert table.facts(alike=False).channels == ("II",)
    record(folder, "other", seed=6, channels=("Resp",))
    with pytest.raises(DataError, match="none is in all of them"):
        read_table(write("a,N,1", "other,N,2")).facts()


def test_channels_in_another_order_are_the_same(folder: Path, write: Write) -> None:
    record(folder, "x", seed=5, channels=("II", "V5"))
    record(folder, "y", seed=6, channels=("v5", "ii"))
    assert read_table(write("x,N,1", "y,N,2")).facts().channels == ("II", "V5")


def test_a_channel_that_is_not_there(write: Write) -> None:
    with pytest.raises(DataError, match=r"1 of 1 recordings .*\n.*line 2: a: channel 'V9'; possible: II"):
        read_table(write("a,N,1")).facts(channels=["V9"])


def test_mixed_rates_say_what_it_takes(folder: Path, write: Write) -> None:
    record(folder, "fast", seed=5, fs=250)
    record(folder, "slow", seed=6, fs=50)
    table = read_table(write("a,N,1", "fast,N,2"))
    with pytest.raises(DataError, match=r"differ in rate: 100 Hz .*250 Hz .*rate_hz=100 or --rate-hz 100 brings all"):
        table.facts()
    assert table.facts(rate_hz=80).fs == 80
    with pytest.raises(DataError, match=r"line 2: a\.hea: recorded at 100 Hz, below the 200 Hz asked for"):
        table.facts(rate_hz=200)
    with pytest.raises(DataError, match="rate_hz=50 or --rate-hz 50"):
        read_table(write("slow,N,1", "fast,N,2")).facts()
    for wrong in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ParameterError, match="rate_hz must be a positive rate"):
            table.facts(rate_hz=wrong)


def test_mixed_units(folder: Path, write: Write) -> None:
    record(folder, "micro", seed=5, unit="uV")
    record(folder, "other", seed=6, unit="NU")
    assert read_table(write("a,N,1", "micro,N,2")).facts().units == ("mV",)
    with pytest.raises(DataError, match=r"differ in units: V \(1 of 2.*NU .*other units cannot be"):
        read_table(write("a,N,1", "other,N,2")).facts()


def test_recordings_without_values(folder: Path, write: Write) -> None:
    nothing = np.full((2, 400), np.nan, dtype=np.float32)
    nothing[0] = 1.0
    record(folder, "void", values=nothing, channels=("II", "V5"))
    (folder / "torn.hea").write_text("torn 1 100 400\ntorn.dat 16 1000/mV 16 0 0 0 0 II\n")
    (folder / "text.txt").write_text("no recording")
    with pytest.raises(DataError, match="3 of 4 recordings cannot be used") as error:
        read_table(write("a,N,1", "void,N,2", "torn,N,3", "text.txt,N,4")).facts()
    void, torn, text = str(error.value).splitlines()[1:]
    assert "line 3: void.hea: no value in channel V5" in void
    assert "line 4" in torn
    assert "torn" in torn
    assert "line 5" in text
    assert "not a format that is known" in text


def test_flat_recordings_are_warned_of(folder: Path, write: Write) -> None:
    for name in ("flat", "line"):
        record(folder, name, values=np.full((1, 400), 0.5, dtype=np.float32))
    table = read_table(write("a,N,1", "flat,N,2", "line,N,3"))
    with pytest.warns(BiosigWarning, match=r"2 of 3 recordings are flat throughout, such as flat\.hea in line 3"):
        assert table.facts().fs == 100


def test_gaps_are_no_hindrance(folder: Path, write: Write) -> None:
    values = np.random.default_rng(0).standard_normal((1, 400)).astype(np.float32)
    values[0, 100:150] = np.nan
    record(folder, "gap", values=values)
    assert read_table(write("gap,N,1")).facts().longest_s == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_table_that_may_not_be_read(write: Write) -> None:
    path = write("a,N,1")
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        read_table(path)


def test_real_recordings_of_two_databases(data_root: Callable[[str], Path], tmp_path: Path) -> None:
    single, holter = data_root("cinc2017"), data_root("mitdb")
    path = tmp_path / "t.csv"
    path.write_text(f"{HEADER}\n{single / 'A00001'},N,1\n{holter / '101.dat'},N,2\n")
    table = read_table(path)
    with pytest.raises(DataError, match=r"differ in channels: ECG .*; MLII V1 .*none is in all of them"):
        table.facts()
    path.write_text(f"{STRETCHES}\n{holter / '101'},N,1,0,60\n{holter / '101.hea'},AF,1,60,90.5\n")
    assert [round(r.duration_s, 3) for r in read_table(path).recordings()] == [60, 30.5]
