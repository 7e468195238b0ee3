"""Bad recordings through the command line: each says what, where and what to do; the good ones are done."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.filters import Resample
from biosig_lstm.formats.wfdb import read_annotations, write_annotations, write_wfdb

Make = Callable[[Path], object]
Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def good() -> Recording:
    (recording,) = datasets.get("sample").recordings(["s06"])
    return recording.crop(start_s=0, stop_s=30)


def write(folder: Path, recording: Recording, *, name: str = "bad", **how: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write_wfdb(recording, folder, name=name, **how)  # type: ignore[arg-type]


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "predictions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def header(folder: Path, text: str, *, data: bytes | None = bytes(6000)) -> None:
    (folder / "bad.hea").write_text(text)
    if data is not None:
        (folder / "bad.dat").write_bytes(data)


def no_dat(folder: Path, good: Recording) -> None:
    write(folder, good)
    (folder / "bad.dat").unlink()


def cut_dat(folder: Path, good: Recording) -> None:
    write(folder, good)
    (folder / "bad.dat").write_bytes((folder / "bad.dat").read_bytes()[:4000])


def one_lead_less(folder: Path, good: Recording) -> None:
    write(folder, good)
    text = (folder / "bad.hea").read_text()
    (folder / "bad.hea").write_text("\n".join(text.splitlines()[:-1]) + "\n")


def unknown_format(folder: Path, good: Recording) -> None:
    header(folder, "bad 1 360 1000\nbad.dat 17 200/mV 12 0 0 0 0 MLII\n")


def zero_length(folder: Path, good: Recording) -> None:
    header(folder, "bad 1 360 0\nbad.dat 16 200/mV 12 0 0 0 0 MLII\n", data=b"")


def no_header_text(folder: Path, good: Recording) -> None:
    header(folder, "")


def binary_header(folder: Path, good: Recording) -> None:
    (folder / "bad.hea").write_bytes(bytes(range(256)))


def no_signals(folder: Path, good: Recording) -> None:
    header(folder, "bad 0 360 0\n", data=None)


def flat(folder: Path, good: Recording) -> None:
    write(folder, replace(good, signals=np.full_like(good.signals, 0.25)))


def all_missing(folder: Path, good: Recording) -> None:
    write(folder, replace(good, signals=np.full_like(good.signals, np.nan)))


def slow(folder: Path, good: Recording) -> None:
    write(folder, Resample(50.0)(good))


def no_voltage(folder: Path, good: Recording) -> None:
    write(folder, replace(good, units=("mmHg", "degC")))


def no_unit(folder: Path, good: Recording) -> None:
    write(folder, replace(good, units=("", "")))


def no_ecg_lead(folder: Path, good: Recording) -> None:
    write(folder, replace(good, channels=("SpO2", "Resp"), units=("%", "Ohm")))


def no_beats(folder: Path, good: Recording) -> None:
    write(folder, replace(good.crop(stop_s=0.2), annotations=Annotations()))


BAD = [
    (no_dat, r"bad\.dat: the signal file of record bad is not there; fetch it"),
    (cut_dat, r"bad\.dat: cut short: .* promises 10800 samples a signal, the file holds 1000; fetch it again"),
    (one_lead_less, r"bad\.hea: the record line promises 2 signals, the header has lines for 1"),
    (unknown_format, r"bad\.hea: unknown signal format 17 of bad\.dat; possible: .*212"),
    (zero_length, r"bad\.hea: the record holds no samples: its length is zero"),
    (no_header_text, r"bad\.hea: the header file is empty; fetch it again"),
    (binary_header, r"bad\.hea: not a WFDB header: it holds binary data"),
    (no_signals, r"bad\.hea: the record holds no signals"),
    (flat, r"bad\.hea: bad: no usable ECG lead: MLII is flat; V1 is flat"),
    (all_missing, r"bad\.hea: bad: no usable ECG lead: MLII holds no sample; V1 holds no sample"),
    (slow, r"bad\.hea: bad: recorded at 50 Hz, which does not fit Bandpass\(.*between 0 and 25 Hz"),
    (no_voltage, r"bad\.hea: bad: no usable ECG lead: MLII is no voltage but mmHg; V1 is no voltage but degC"),
    (no_unit, r"bad\.hea: bad: no usable ECG lead: MLII is no voltage but NU"),
    (no_ecg_lead, r"bad\.hea: bad: no usable ECG lead: SpO2 is no voltage but %"),
    (no_beats, r"bad\.hea: bad: no beats"),
]


@pytest.mark.parametrize(("make", "message"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_a_bad_record_is_named_with_its_reason_and_the_good_ones_are_done(
    make: Callable[[Path, Recording], None],
    message: str,
    good: Recording,
    model_file: Path,
    tmp_path: Path,
    capsys: Captured,
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    for name in ("a", "z"):
        write(folder, good, name=name)
    make(folder, good)
    assert main(["classify", str(model_file), str(folder), "--out", str(out)]) == 1
    said = capsys.readouterr()
    (line,) = [line for line in said.err.splitlines() if line.startswith("biosig-lstm: failed:")]
    assert str(folder / "bad") in line
    assert line.count("bad.hea") <= 1, "said twice"
    assert re.search(message, line), line
    assert "1 failed, 2 done" in said.err
    assert "Traceback" not in said.err
    assert {row["recording"] for row in rows(out)} == {"a", "z"}
    assert len(read_annotations(out / "z", "beats")) == sum(row["recording"] == "z" for row in rows(out)) > 20
    assert not (out / "bad.beats").exists()
    assert [line.split()[0] for line in said.out.splitlines()] == ["a", "z"]


def classified(model_file: Path, folder: Path, out: Path) -> list[dict[str, str]]:
    assert main(["classify", str(model_file), str(folder), "--out", str(out)]) == 0
    return rows(out)


def test_gaps_and_a_flat_stretch_cost_only_the_beats_within(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    signals = good.signals.copy()
    signals[:, 3600:5400] = np.nan
    signals[0, 7200:7210] = np.nan
    write(tmp_path / "gaps", replace(good, signals=signals))
    write(tmp_path / "whole", good)
    gaps = classified(model_file, tmp_path / "gaps", tmp_path / "o1")
    whole = classified(model_file, tmp_path / "whole", tmp_path / "o2")
    assert not [row for row in gaps if 10.3 < float(row["time_s"]) < 14.7]

    def outside(found: list[dict[str, str]]) -> set[int]:
        return {int(row["sample"]) for row in found if not 9.5 < float(row["time_s"]) < 15.5}

    assert len(outside(gaps) & outside(whole)) >= 0.9 * len(outside(whole))


@pytest.mark.parametrize("lead", [0, 1])
def test_one_lead_is_enough_and_so_is_one_that_is_left(
    lead: int, good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    kept = good.channels[lead]
    write(tmp_path / "one", good.pick([kept]))
    signals = good.signals.copy()
    signals[1 - lead] = 0.0
    write(tmp_path / "flat", replace(good, signals=signals))
    one = classified(model_file, tmp_path / "one", tmp_path / "o1")
    assert len(one) >= 0.9 * (len(good.annotations) - 1)
    assert one == classified(model_file, tmp_path / "flat", tmp_path / "o2")


@pytest.mark.parametrize(("seconds", "n_beats"), [(1.0, 1), (1.5, 2), (3.0, 3)])
def test_few_beats_are_named_all_the_same(
    seconds: float, n_beats: int, good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "in", good.crop(stop_s=seconds))
    found = classified(model_file, tmp_path / "in", tmp_path / "out")
    assert len(found) == n_beats
    for row in found:
        assert sum(float(value) for name, value in row.items() if name.startswith("p_")) == pytest.approx(1, abs=3e-4)


@pytest.mark.parametrize(("unit", "gain"), [("V", 200_000.0), ("uV", 0.2)])
def test_the_unit_a_file_is_in_does_not_matter(
    unit: str, gain: float, good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "mV", good, gain=200.0)
    write(tmp_path / unit, good.to_unit(unit), gain=gain)
    first, other = (classified(model_file, tmp_path / name, tmp_path / f"out{name}") for name in ("mV", unit))
    assert [row["sample"] for row in first] == [row["sample"] for row in other]
    assert [row["label"] for row in first] == [row["label"] for row in other]
    for a, b in zip(first, other, strict=True):
        assert float(a["p_N"]) == pytest.approx(float(b["p_N"]), abs=2e-3)


@pytest.mark.parametrize("fs", [100.0, 1000.0])
def test_other_rates_give_the_same_beats(
    fs: float, good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "own", good)
    write(tmp_path / "other", Resample(fs)(good))
    own, other = (classified(model_file, tmp_path / name, tmp_path / f"o{name}") for name in ("own", "other"))
    assert len(own) == len(other)
    times = [[float(row["time_s"]) for row in found] for found in (own, other)]
    np.testing.assert_allclose(times[0], times[1], atol=0.1)
    assert np.median(np.abs(np.subtract(*times))) < 0.01
    same = [a["label"] == b["label"] for a, b in zip(own, other, strict=True)]
    assert np.mean(same) >= 0.9
    assert [int(row["sample"]) for row in other] == [round(float(row["time_s"]) * fs) for row in other]


def test_records_of_one_name_are_told_apart_by_their_folders(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    for folder, start in (("ann", 0), ("bob", 10)):
        write(tmp_path / "in" / folder, good.crop(start_s=start, stop_s=start + 20), name="100")
    found = classified(model_file, tmp_path / "in", tmp_path / "out")
    assert {row["recording"] for row in found} == {"ann/100", "bob/100"}
    for name in ("ann/100", "bob/100"):
        marks = read_annotations(tmp_path / "out" / name, "beats")
        mine = [row for row in found if row["recording"] == name]
        assert marks.sample.tolist() == [int(row["sample"]) for row in mine]
        assert marks.symbol.tolist() == [row["label"] for row in mine]
        assert marks.fs == 360.0


def test_a_record_that_is_named_twice_is_done_once(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "in", good, name="r")
    paths = [str(tmp_path / "in"), str(tmp_path / "in" / "r"), str(tmp_path / "in" / "r.dat")]
    assert main(["classify", str(model_file), *paths, "--out", str(tmp_path / "out")]) == 0
    found = rows(tmp_path / "out")
    assert len({row["sample"] for row in found}) == len(found)
    assert {row["recording"] for row in found} == {"r"}


def test_paths_that_are_not_there_or_hold_nothing_are_named(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "in", good, name="r")
    (tmp_path / "void").mkdir()
    (tmp_path / "notes.txt").write_text("no record")
    given = [tmp_path / name for name in ("gone", "void", "notes.txt", "in")]
    assert main(["classify", str(model_file), *map(str, given), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert f"failed: {tmp_path / 'gone'}: no such file or record" in said
    assert f"failed: {tmp_path / 'void'}: holds no recording of a known format" in said
    assert f"failed: {tmp_path / 'notes.txt'}: not a format that is known" in said
    assert "3 failed, 1 done" in said
    assert {row["recording"] for row in rows(tmp_path / "out")} == {"r"}


def test_where_nothing_is_found_earlier_results_are_kept(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "in", good, name="r")
    before = classified(model_file, tmp_path / "in", tmp_path / "out")
    assert main(["classify", str(model_file), str(tmp_path / "gone"), "--out", str(tmp_path / "out")]) == 1
    assert rows(tmp_path / "out") == before


def test_what_nobody_foresaw_costs_one_record_only(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    from biosig_lstm.scoring import _paths

    def open_or_fail(path: Path, **how: object) -> Recording:
        if path.stem == "b":
            raise ZeroDivisionError("surprise")
        return good

    monkeypatch.setattr(_paths, "open_recording", open_or_fail)
    for name in ("a", "b", "c"):
        write(tmp_path / "in", good, name=name)
    assert main(["classify", str(model_file), str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 1
    assert "b.hea: unforeseen ZeroDivisionError: surprise" in capsys.readouterr().err
    assert {row["recording"] for row in rows(tmp_path / "out")} == {"a", "c"}


def test_positions_can_be_taken_from_annotations(
    good: Recording, model_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    write(tmp_path / "in", good, name="r")
    write(tmp_path / "in", replace(good, annotations=Annotations()), name="without")
    out = tmp_path / "out"
    assert main(["classify", str(model_file), str(tmp_path / "in"), "--out", str(out), "--annotator", "atr"]) == 1
    assert "without.atr: no such annotation file" in capsys.readouterr().err
    beats = good.annotations[good.annotations.labels != "+"]
    assert [int(row["sample"]) for row in rows(out)] == beats.starts.tolist()


@pytest.fixture
def database(good: Recording, tmp_path: Path) -> Path:
    """The sample's test records of 30 s, s07 without annotations."""
    folder = tmp_path / "database"
    for name in ("s06", "s07", "s08"):
        (recording,) = datasets.get("sample").recordings([name])
        cut = recording.crop(stop_s=30)
        write(folder, cut if name != "s07" else replace(cut, annotations=Annotations()), name=name)
    return folder


def test_evaluate_names_records_that_cannot_be_scored_and_scores_the_others(
    database: Path, model_file: Path, capsys: Captured
) -> None:
    assert main(["evaluate", str(model_file), "--data", str(database)]) == 1
    said = capsys.readouterr()
    assert re.search(r"failed: s07: .*s07\.atr: no such annotation file; beside it are: dat, hea", said.err)
    assert "1 failed, 2 done" in said.err
    assert "2 records" in said.out
    write_annotations(database / "s07", "atr", Annotations([1], labels=["+"]))
    assert main(["evaluate", str(model_file), "--data", str(database)]) == 1
    message = "failed: s07: no beat annotations, which an evaluation needs: is s07.atr beside it?"
    assert message in capsys.readouterr().err
    (database / "s08.dat").write_bytes(b"\0" * 300)
    (database / "s06.dat").unlink()
    assert main(["evaluate", str(model_file), "--data", str(database)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search("none of 3 records could be scored: s06: .*not there.*; s07: .*; s08: .*cut short", said.err)


def test_an_annotation_beyond_the_end_is_left_out_with_a_warning(
    database: Path, model_file: Path, good: Recording, capsys: Captured
) -> None:
    marks = Annotations([500, 10_799, 20_000], labels=["N", "N", "V"])
    write_annotations(database / "s07", "atr", marks)
    assert main(["evaluate", str(model_file), "--data", str(database)]) == 0
    assert "warning: s07: 1 annotations of s07.atr beyond the end left out" in capsys.readouterr().err


def test_evaluate_says_that_the_database_is_not_there(model_file: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["evaluate", str(model_file), "--data", str(tmp_path / "gone")]) == 1
    assert f"is not in {tmp_path / 'gone'}; download" in capsys.readouterr().err
    assert main(["evaluate", str(model_file), "--data", str(tmp_path)]) == 1
    assert "none of its 3 test records is in" in capsys.readouterr().err


def test_info_goes_on_after_a_bad_record(good: Recording, tmp_path: Path, capsys: Captured) -> None:
    write(tmp_path, good, name="r")
    cut_dat(tmp_path, good)
    assert main(["info", str(tmp_path), str(tmp_path / "gone")]) == 1
    said = capsys.readouterr()
    assert "recording    r" in said.out
    assert "MLII (mV), V1 (mV)" in said.out
    assert "bad.dat: cut short" in said.err
    assert "gone: no such file or record" in said.err
