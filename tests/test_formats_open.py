"""Opening any recording by what it is, and finding them in folders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from biosig_lstm.containers import Annotations, Recording
from biosig_lstm.errors import DataError
from biosig_lstm.formats import find_recordings, open_recording
from biosig_lstm.formats.wfdb import read_wfdb, write_annotations, write_wfdb


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return write_wfdb(Recording(np.arange(20.0)[None], 10, ["ECG"], ["mV"], id=name), folder, gain=100)


@pytest.mark.parametrize("given", ["r", "r.hea", "r.dat"])
def test_record_opens_by_any_of_its_names(tmp_path: Path, given: str) -> None:
    header = put(tmp_path, "r")
    assert open_recording(tmp_path / given) == read_wfdb(header)
    assert find_recordings(str(tmp_path / given)) == [header]


def test_seconds_and_channels(tmp_path: Path) -> None:
    put(tmp_path, "r")
    part = open_recording(tmp_path / "r", channels=["ECG"], start_s=0.5, stop_s=1.2)
    np.testing.assert_array_equal(part.signals, [np.arange(5.0, 12.0)])


def test_matlab_flavour_and_annotator(data_root: Callable[[str], Path]) -> None:
    root = data_root("cinc2017")
    assert open_recording(root / "A00001.mat") == read_wfdb(root / "A00001")
    ludb = data_root("ludb") / "data" / "1"
    assert len(open_recording(ludb, annotator="ii").annotations) > 0
    assert len(open_recording(ludb).annotations) == 0


def test_path_that_is_not_there_or_of_no_known_format(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing: no such file or record"):
        open_recording(tmp_path / "nothing")
    (tmp_path / "notes.xyz").write_text("hello")
    with pytest.raises(
        DataError, match=r"notes.xyz: not a format that is known.*; possible: .*WFDB \(.hea .dat .mat\)"
    ):
        open_recording(tmp_path / "notes.xyz")
    with pytest.raises(DataError, match="nothing: no such file or record"):
        find_recordings([tmp_path / "nothing"])
    with pytest.raises(DataError, match="is a folder"):
        open_recording(tmp_path)


def test_folders_are_searched_and_each_record_comes_once(tmp_path: Path) -> None:
    b, a, deep = put(tmp_path, "b"), put(tmp_path, "a"), put(tmp_path / "more" / "deep", "c")
    assert find_recordings(tmp_path) == [a, b, deep]
    assert find_recordings([tmp_path / "b.dat", tmp_path, deep]) == [b, a, deep]
    assert find_recordings([]) == []


def test_segments_are_part_of_their_record(tmp_path: Path) -> None:
    put(tmp_path, "s1")
    put(tmp_path, "s2")
    (tmp_path / "layout.hea").write_text("layout 1 10 0\n~ 0 100/mV 16 0 0 0 0 ECG\n")
    (tmp_path / "whole.hea").write_text("whole/4 1 10 50\nlayout 0\ns1 20\n~ 10\ns2 20\n")
    assert find_recordings(tmp_path) == [tmp_path / "whole.hea"]
    found = open_recording(tmp_path / "whole")
    np.testing.assert_array_equal(found.signals, [[*range(20), *[np.nan] * 10, *range(20)]])


def test_record_that_is_damaged_does_not_hide_the_others(tmp_path: Path) -> None:
    good = put(tmp_path, "good")
    (tmp_path / "bad.hea").write_text("bad/3 1 10 50\nonly one line\n")
    (tmp_path / "empty.hea").write_bytes(b"")
    assert find_recordings(tmp_path) == [tmp_path / "bad.hea", tmp_path / "empty.hea", good]
    with pytest.raises(DataError, match="promises 3 segments, the header has lines for 1"):
        open_recording(tmp_path / "bad.hea")


def test_real_multi_segment_records(data_root: Callable[[str], Path]) -> None:
    root = data_root("wfdb-samples") / "multi-segment"
    names = {path.name for path in find_recordings(root)}
    assert names == {
        "041s.hea", "v102s.hea", "p000878-2137-10-26-16-57.hea", "s00001-2896-10-09-01-56.hea",
        "s00001-2896-10-09-01-56n.hea", "s00001-2896-10-10-00-31.hea", "s00001-2896-10-10-00-31n.hea",
        "s25047-2704-05-04-10-44.hea", "s25047-2704-05-04-10-44n.hea",
    }  # fmt: skip


def test_reading_wfdb_loads_neither_torch_nor_mne_nor_wfdb(tmp_path: Path) -> None:
    put(tmp_path, "r")
    code = (
        "import sys; from biosig_lstm.formats.wfdb import read_wfdb; read_wfdb(sys.argv[1]); "
        "print(sorted({'torch', 'lightning', 'mne', 'wfdb', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "r")], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def without_signals(folder: Path, header: str = "n1 1 250 5000\nn1.dat 212 200 0 0 0 0 0 ECG\n") -> Path:
    (folder / "n1.hea").write_text(header)
    beats = Annotations([100, 350, 4900], labels=["N", "V", "N"])
    write_annotations(folder / "n1", "ecg", beats, fs=250.0)
    return folder / "n1"


@pytest.mark.parametrize(
    ("header", "n_samples"),
    [
        ("n1 1 250 5000\nn1.dat 212 200 0 0 0 0 0 ECG\n", 5000),
        ("n1 0 250 6000\n", 6000),
        ("n1 0 250\n", 4901),
        ("n1 0 250 4000\n", 4000),
    ],
)
def test_named_annotations_are_a_recording_though_the_signals_are_not_there(
    tmp_path: Path, header: str, n_samples: int
) -> None:
    path = without_signals(tmp_path, header)
    recording = open_recording(path, annotator="ecg")
    assert (recording.channels, recording.n_samples, recording.fs, recording.id) == ((), n_samples, 250.0, "n1")
    expected = [at for at in (100, 350, 4900) if at < n_samples]
    assert recording.annotations.starts.tolist() == expected
    part = open_recording(path, annotator="ecg", start_s=1.0, stop_s=4.0)
    assert (part.n_samples, part.annotations.starts.tolist()) == (750, [100])


@pytest.mark.parametrize("annotator", ["auto", None])
def test_signals_that_are_not_there_are_missed_otherwise(tmp_path: Path, annotator: str | None) -> None:
    with pytest.raises(DataError, match=r"n1\.dat: the signal file of record n1 is not there"):
        open_recording(without_signals(tmp_path), annotator=annotator)
    with pytest.raises(DataError, match=r"n1\.dat: the signal file of record n1 is not there"):
        open_recording(tmp_path / "n1", annotator="ecg", channels=["ECG"])


def test_annotations_that_are_not_there_either_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"n1\.qrs: no such annotation file; beside it are: ecg, hea"):
        open_recording(without_signals(tmp_path), annotator="qrs")
