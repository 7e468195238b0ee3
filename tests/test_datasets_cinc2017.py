"""The challenge of 2017: layout, labels, what the real files say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import wfdb

from biosig_lstm import datasets
from biosig_lstm.datasets import cinc2017
from biosig_lstm.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    cinc2017.write_sample(tmp_path)
    return tmp_path


def test_a_recording_bears_its_label_over_its_whole_length(root: Path) -> None:
    found = {recording.id: recording for recording in datasets.get("cinc2017", root).recordings()}
    assert {name: r.annotations.labels.tolist() for name, r in found.items()} == {
        "A00001": ["N"], "A00002": ["N"], "A00004": ["A"], "A00008": ["O"], "A00022": ["~"],
    }  # fmt: skip
    for recording in found.values():
        assert (recording.fs, recording.channels, recording.units) == (300.0, ("ECG",), ("mV",))
        assert recording.annotations.stops.tolist() == [recording.n_samples]
    assert {r.n_samples for r in found.values()} == {2700, 9000}


def test_signals_are_those_that_wfdb_and_scipy_read(root: Path) -> None:
    (recording,) = datasets.get("cinc2017", root).recordings(["A00004"])
    expected = wfdb.rdrecord(str(root / "A00004")).p_signal[:, 0]
    np.testing.assert_allclose(recording.signals[0], expected, atol=1e-6)
    stored = scipy.io.loadmat(root / "A00004.mat")["val"]
    assert stored.dtype == np.int16
    np.testing.assert_allclose(recording.signals[0], stored[0] / 1000, atol=1e-6)


def test_the_header_is_laid_out_as_that_of_the_challenge(root: Path, data_root: Callable[[str], Path]) -> None:
    real = (data_root("cinc2017") / "A00001.hea").read_text().split()
    written = (root / "A00001.hea").read_text().split()
    changing = {5, 11, 12}  # time of day, first value, checksum
    kept = [k for k in range(len(real)) if k not in changing and k < len(written)]
    assert [written[k] for k in kept if k != 4] == [real[k] for k in kept if k != 4]
    assert (root / "A00001.mat").read_bytes()[:24] == (data_root("cinc2017") / "A00001.mat").read_bytes()[:24]


def test_version_3_of_the_labels_goes_before(root: Path) -> None:
    (root / "REFERENCE-v3.csv").write_text("A00001,O\nA00002,N\n", encoding="utf-8")
    data = datasets.get("cinc2017", root)
    (recording,) = data.recordings(["A00001"])
    assert recording.annotations.labels.tolist() == ["O"]
    with pytest.raises(DataError, match=r"A00004 has no label in REFERENCE-v3.csv"):
        list(data.recordings(["A00004"]))


def test_the_table_may_lie_in_the_folder_above(root: Path) -> None:
    below = root / "training"
    below.mkdir()
    for path in root.glob("A0*"):
        path.rename(below / path.name)
    assert datasets.get("cinc2017", below).labels["A00022"] == "~"


def test_a_table_that_is_damaged_or_absent_is_named(root: Path) -> None:
    (root / "REFERENCE.csv").write_text("A00001,N\nA00002,AFIB\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a line must be a record and one of N A O ~, got \['A00002', 'AFIB'\]"):
        list(datasets.get("cinc2017", root).recordings())
    (root / "REFERENCE.csv").unlink()
    with pytest.raises(DataError, match=r"no REFERENCE-v3.csv or REFERENCE.csv in .*physionet.org"):
        list(datasets.get("cinc2017", root).recordings())


def test_the_protocol_splits_nobody() -> None:
    plan = datasets.get_protocol("cinc2017")
    assert plan.open
    assert (plan.task, plan.classes) == ("rhythm", ("N", "A", "O", "~"))


def test_the_real_recordings_are_read(data_root: Callable[[str], Path]) -> None:
    data = datasets.get("cinc2017", data_root("cinc2017"))
    counts = Counter(data.labels[name] for name in data.record_names)
    assert set(counts) == {"N", "A", "O", "~"}
    first = next(data.recordings())
    expected = wfdb.rdrecord(str(data.root / first.id)).p_signal[:, 0]
    np.testing.assert_allclose(first.signals[0], expected, atol=1e-6)


def test_records_and_labels_lie_where_physionet_has_them(tmp_path: Path) -> None:
    flat, nested = tmp_path / "flat", tmp_path / "nested"
    flat.mkdir()
    cinc2017.write_sample(flat)
    (nested / "training" / "A00").mkdir(parents=True)
    for path in flat.iterdir():
        if path.suffix in (".hea", ".mat"):
            path.rename(nested / "training" / "A00" / path.name)
    (flat / "REFERENCE.csv").rename(nested / "REFERENCE-v3.csv")
    data = datasets.get("cinc2017", nested)
    assert data.record_names == ("A00001", "A00002", "A00004", "A00008", "A00022")
    assert [str(r.annotations.labels[0]) for r in data.recordings()] == ["N", "N", "A", "O", "~"]
    (nested / "REFERENCE-v3.csv").rename(nested / "training" / "REFERENCE.csv")
    assert datasets.get("cinc2017", nested).table == nested / "training" / "REFERENCE.csv"  # type: ignore[attr-defined]
