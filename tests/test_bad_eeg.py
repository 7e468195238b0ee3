"""EEG that is not as it should be, as a user meets it: opened with a word about it, or refused with the reason."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest
from edf_files import EdfFile, Signal, eeg

from biosig_lstm import Annotations, Recording, cli
from biosig_lstm.errors import BiosigWarning, DataError
from biosig_lstm.formats import open_recording

NO_SIGNAL = "holds annotations alone, no signal; read_edf_annotations reads them"
REAL: dict[str, tuple[int, float, float] | str] = {
    "BDF/multiple_annotation_chans.bdf": (18, 125.0, 247.0),
    "BDF/test_bdf_stim_channel.bdf": (3, 500.0, 10.0),
    "Brainvision/Analyzer_nV_Export.eeg": (32, 500.0, 0.004),
    "Brainvision/Analyzer_nV_Export.vhdr": (32, 500.0, 0.004),
    "Brainvision/Analyzer_nV_Export.vmrk": (32, 500.0, 0.004),
    "CNT/scan41_short.cnt": "Could not automatically compute number of bytes",
    "EDF/SC4001EC-Hypnogram.edf": NO_SIGNAL,
    "EEGLAB/test_epochs_onefile.set": "The number of trials is 4. It must be 1 for raw files",
    "EEGLAB/test_raw.set": "test_raw.fdt not found",
    "SC4001EC-Hypnogram.edf": NO_SIGNAL,
    "subject1.edf": (31, 200.0, 120.0),
}


def test_every_real_file_is_read_or_refused_with_the_reason(data_root: Callable[[str], Path]) -> None:
    root = data_root("eeg-samples")
    files = sorted(path for path in root.rglob("*") if path.is_file())
    assert {path.relative_to(root).as_posix() for path in files} >= set(REAL)
    for path in files:
        said = outcome(path)
        wanted = REAL.get(path.relative_to(root).as_posix(), ())
        if isinstance(wanted, str) or isinstance(said, str):
            assert isinstance(said, str), f"{path.name} was read"
            assert str(wanted) in said
            assert path.name in said
        else:
            assert said[: len(wanted)] == wanted
            assert said[0] >= 1
            assert said[1] > 0


def outcome(path: Path) -> tuple[int, float, float] | str:
    """Return channels, rate and length of a recording, or the reason why there is none."""
    with warnings.catch_warnings(action="ignore", category=BiosigWarning):
        try:
            got = open_recording(path)
        except DataError as error:
            return str(error)
    assert np.isfinite(got.signals).all()
    return len(got.channels), got.fs, got.duration_s


BAD: dict[str, tuple[EdfFile, int, str, tuple[int, int]]] = {
    "truncated": (EdfFile([eeg()]), 5, "4 data records announced, the file holds 3", (1, 24)),
    "more announced": (EdfFile([eeg()], n_records=9), 0, "9 data records announced, the file holds 4", (1, 32)),
    "fewer announced": (EdfFile([eeg()], n_records=2), 0, "2 data records announced, the file holds 4", (1, 32)),
    "-1 announced": (EdfFile([eeg()], n_records=-1), 0, r"not written \(-1\): the file holds 4", (1, 32)),
    "equal limits": (EdfFile([eeg(), eeg("x", physical=(1, 1))]), 0, "left out x: no range of values", (1, 32)),
    "digital overflow": (EdfFile([eeg(limits=(-100, 100))]), 0, "outside of their digital range", (1, 32)),
    "annotations outside": (
        EdfFile([eeg()], kind="EDF+C", tals={0: [(-9.0, 1.0, "before"), (99.0, 1.0, "after"), (-1.0, 2.0, "cut")]}),
        0, "2 annotations before the beginning or beyond the end left out", (1, 32),
    ),
}  # fmt: skip


@pytest.mark.parametrize("bdf", [False, True])
@pytest.mark.parametrize("what", BAD)
def test_what_is_wrong_is_said_and_the_rest_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, bdf: bool
) -> None:
    file, n_bytes, said, shape = BAD[what]
    kind = file.kind.replace("EDF", "BDF") if bdf else file.kind
    path = EdfFile(file.signals, kind=kind, tals=file.tals, n_records=file.n_records, bdf=bdf).write(tmp_path / "a.edf")
    path.write_bytes(path.read_bytes()[: path.stat().st_size - n_bytes])
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        got = open_recording(path)
    assert any(issubclass(one.category, BiosigWarning) and re.search(said, str(one.message)) for one in heard)
    assert got.signals.shape == shape
    assert any(re.search(said, line) for line in got.history)
    assert cli.main(["info", str(path)]) == 0
    assert re.search(said, capsys.readouterr().err)


def test_annotations_with_a_negative_onset_or_over_the_end_are_cut_to_the_recording(tmp_path: Path) -> None:
    told = [(-2.0, 3.0, "begins before"), (-1.0, None, "before"), (3.5, 60.0, "ends after"), (4.0, 1.0, "at the end")]
    path = EdfFile([eeg()], kind="EDF+C", tals={0: told}).write(tmp_path / "a.edf")
    with pytest.warns(BiosigWarning, match="1 annotations before the beginning or beyond the end left out"):
        marks = open_recording(path).annotations
    assert marks == Annotations([0, 28], [8, 32], ["begins before", "ends after"])


def test_a_file_of_no_channels_and_one_of_duplicate_labels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no signal: the header announces 0"):
        open_recording(EdfFile().write(tmp_path / "none.edf"))
    assert cli.main(["info", str(tmp_path / "none.edf")]) == 1
    path = EdfFile([eeg("C3", seed=1), eeg("C3", seed=2)]).write(tmp_path / "twice.edf")
    got = open_recording(path)
    assert got.channels == ("C3", "C3 (2)")
    assert not np.array_equal(got.signals[0], got.signals[1])


@pytest.mark.parametrize(("name", "part"), [("a.fif", "a.fif"), ("a.vhdr", "a.eeg"), ("a.set", "a.set")])
def test_files_for_mne_that_are_empty_or_cut_short(tmp_path: Path, name: str, part: str) -> None:
    values = np.random.default_rng(0).normal(0, 1e-5, (2, 500))
    raw = mne.io.RawArray(values, mne.create_info(["Fz", "Cz"], 100, "eeg"), verbose="error")
    path = tmp_path / name
    with warnings.catch_warnings(action="ignore"):
        raw.save(path, verbose="error") if name == "a.fif" else mne.export.export_raw(path, raw, verbose="error")
    whole = (tmp_path / part).read_bytes()
    np.testing.assert_allclose(quietly(path).signals, values * 1e6, atol=0.1)
    (tmp_path / part).write_bytes(b"")
    with pytest.raises(DataError, match=re.escape(name)):
        quietly(path)
    (tmp_path / part).write_bytes(whole[:80])
    if name == "a.vhdr":  # a BrainVision header does not say how many samples there are
        assert quietly(path).n_samples == 10
    else:
        with pytest.raises(DataError, match=re.escape(name)):
            quietly(path)


def quietly(path: Path) -> Recording:
    """Open a recording; what is warned of is no matter here."""
    with warnings.catch_warnings(action="ignore", category=BiosigWarning):
        return open_recording(path)


def test_a_channel_of_nothing_but_one_value_is_read(tmp_path: Path) -> None:
    flat = Signal("flat", np.zeros(32), 8)
    got = open_recording(EdfFile([eeg(), flat]).write(tmp_path / "a.edf"))
    assert np.ptp(got.signals[1]) == 0
