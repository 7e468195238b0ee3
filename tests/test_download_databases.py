"""Databases by name: which files are fetched, what the command says, and that nothing is asked when all is there."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from loopback import Loopback, drop, status

import biosig_lstm as bl
from biosig_lstm import datasets
from biosig_lstm.cli import main
from biosig_lstm.datasets import Dataset, mitdb, ptbxl, read_card
from biosig_lstm.datasets._download import download_files
from biosig_lstm.errors import DataError, DownloadError, ParameterError

Captured = pytest.CaptureFixture[str]
EXTRA = {
    "RECORDS": b"101\n102\n",
    "ANNOTATORS": b"atr\treference\n",
    "table.csv": b"record,age\n101,75\n",
    "LICENSE.txt": b"free",
    "101.xws": b"a file that the record's header does not name",
    "mitdbdir/intro.html": b"<html>a page that belongs to the database</html>",
    "big.zip": b"all in one",
}


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    source = tmp_path_factory.mktemp("published")
    mitdb.write_sample(source)
    return {path.name: path.read_bytes() for path in source.iterdir()} | EXTRA


@pytest.fixture
def server(published: dict[str, bytes]) -> Iterator[Loopback]:
    with Loopback() as running:
        running.files |= published
        running.publish_sums()
        yield running


@pytest.fixture
def card(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> datasets.Card:
    """Return mitdb's card, which says that the database is on the loopback server and has no sums of its own."""
    real = read_card

    def elsewhere(folder: Path) -> datasets.Card:
        found = real(folder)
        return replace(found, checksums="", files=server.address) if found.name == "mitdb" else found

    monkeypatch.setattr(datasets, "read_card", elsewhere)
    return datasets.card("mitdb")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "to"


def held(root: Path) -> set[str]:
    files = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return {name for name in files if not name.startswith(".download")}


def test_a_database_is_fetched_and_can_be_opened(server, card, root):
    report = datasets.download("mitdb", root, progress=False)
    assert held(root) == {*server.files}
    assert set(report.fetched) == set(server.sums())
    data = datasets.get("mitdb", root)
    assert [recording.id for recording in data.recordings()] == ["101", "102", "114", "201", "202", "232"]
    assert (root / "SHA256SUMS.txt").read_bytes() == server.files["SHA256SUMS.txt"]


def test_nothing_is_asked_when_all_is_there(server, card, root):
    datasets.download("mitdb", root, progress=False)
    n = len(server.requests)
    for records in (None, "101", ["101", "202"]):
        report = datasets.download("mitdb", root, records=records, progress=False)
        assert (report.fetched, report.failed) == ((), ())
        assert report.kept
    (root / ".download" / "verified.txt").unlink()
    assert len(datasets.download("mitdb", root, progress=False).kept) == len(server.sums())
    assert len(server.requests) == n


def test_a_folder_holds_one_database(server, card, root):
    datasets.download("mitdb", root, progress=False)
    other = replace(card, name="ltafdb")  # which has records 101 and 102 too, of other people
    with pytest.raises(ParameterError, match=r"to holds mitdb: ltafdb needs a folder of its own, such as .*ltafdb;"):
        download_files(other, root, progress=False)
    assert download_files(other, root / "ltafdb", progress=False).fetched == tuple(sorted(server.sums()))


def test_another_version_asks_for_its_own_list(server, card, root):
    datasets.download("mitdb", root, progress=False)
    server.files["101.dat"] = b"better"
    server.publish_sums()
    assert datasets.download("mitdb", root, progress=False).fetched == ()
    assert download_files(replace(card, version="1.1.0"), root, progress=False).fetched == ("101.dat",)
    n = len(server.requests)
    assert download_files(replace(card, version="1.1.0"), root, progress=False).fetched == ()
    assert len(server.requests) == n


def test_the_default_folder_is_the_one_that_get_looks_in(server, card, tmp_path, monkeypatch):
    monkeypatch.setenv("BIOSIG_LSTM_DATA", str(tmp_path / "all"))
    report = bl.datasets.download("mitdb", records="101", progress=False)
    assert report.root == tmp_path / "all" / "mitdb" == datasets.get("mitdb").root
    assert datasets.download("mitdb", tmp_path / "all", records="101", progress=False).root == report.root


def test_records_bring_their_files_and_what_all_records_share(server, card, root):
    datasets.download("mitdb", root, records=["101", "232"], progress=False)
    records = {f"{record}.{ext}" for record in ("101", "232") for ext in ("hea", "dat", "atr")}
    shared = {"RECORDS", "ANNOTATORS", "table.csv", "LICENSE.txt", "SHA256SUMS.txt"}
    assert held(root) == {*records, *shared, "101.xws"}
    assert [r.id for r in datasets.get("mitdb", root).recordings()] == ["101", "232"]


def test_a_split_is_a_name_for_its_records(server, card, root):
    with pytest.raises(ParameterError, match=r"mitdb: no file of a record '104' is published; did you mean .*114"):
        datasets.download("mitdb", root, records="paced", progress=False)
    server.files |= {f"{record}.hea": b"%s 0 360 0\n" % record.encode() for record in ("104", "107", "217")}
    server.publish_sums()
    datasets.download("mitdb", root, records="paced", progress=False)
    assert {name for name in held(root) if name.endswith(".hea")} == {"102.hea", "104.hea", "107.hea", "217.hea"}


def test_files_that_only_the_header_names_come_too(server, card, root):
    server.files = {
        "a/1.hea": b"1/3 1 100 20\n1_layout 0\npart 10\n~ 10\n",
        "a/1_layout.hea": b"1_layout 1 100 0\n~ 0 200 0 0 0 0 0 X\n",
        "a/part.hea": b"part 1 100 10\nsignals.dat 16\n",
        "a/signals.dat": bytes(20),
        "a/other.hea": b"other 1 100 10\nother.dat 16\n",
        "a/other.dat": bytes(20),
    }
    server.publish_sums()
    report = datasets.download("mitdb", root, records=["1"], progress=False)
    assert held(root) == {"a/1.hea", "a/1_layout.hea", "a/part.hea", "a/signals.dat", "SHA256SUMS.txt"}
    assert len(report.fetched) == 4
    n = len(server.requests)
    assert datasets.download("mitdb", root, records=["1"], progress=False).fetched == ()
    assert len(server.requests) == n
    (root / "a" / "signals.dat").unlink()
    assert datasets.download("mitdb", root, records=["1"], progress=False).fetched == ("a/signals.dat",)


def test_a_header_that_cannot_be_read_is_left_to_the_reader(server, card, root):
    server.files["101.hea"] = b"\0 no header"
    server.publish_sums()
    assert "101.dat" in datasets.download("mitdb", root, records="101", progress=False).fetched
    with pytest.raises(DataError, match=r"record 101 cannot be read: .* not a WFDB header"):
        next(datasets.get("mitdb", root).recordings("101"))


def test_a_header_that_failed_at_first_and_came_later_has_not_failed(server, card, root):
    server.faults["101.hea"] = [status(403)]  # once: it is asked for again with all else
    report = datasets.download("mitdb", root, records=["101"], progress=False)
    assert report.failed == ()
    assert "101.hea" in report.fetched


def test_records_are_found_in_folders_and_folders_are_records(server, card, root):
    server.files = {"S001/S001R01.edf": b"1", "S001/S001R01.edf.event": b"2", "S002/S002R01.edf": b"3"}
    server.publish_sums()
    for name in ("S001R01", "S001/S001R01", "S001"):
        report = datasets.download("mitdb", root / name, records=name, progress=False)
        assert report.fetched == ("S001/S001R01.edf", "S001/S001R01.edf.event")


def test_a_database_may_name_its_files_otherwise(server, root, tmp_path):
    @dataclass(frozen=True, repr=False)
    class Padded(Dataset):
        @classmethod
        def stems_of(cls, record):
            return (f"{record}_lr", f"{record}_hr")

    server.files = {f"{name}.dat": name.encode() for name in ("1_lr", "1_hr", "2_lr", "11_lr")}
    server.publish_sums()
    data = Padded(clinic_card(tmp_path, f'files = "{server.address}"'), root)
    with pytest.raises(ParameterError, match="no file of a record '2_hr'"):
        data.download("2", progress=False)
    assert data.download(["1"], progress=False).fetched == ("1_hr.dat", "1_lr.dat")


def test_a_record_of_ptbxl_is_fetched_at_both_rates(server, root, tmp_path):
    ptbxl.write_sample(tmp_path / "ptbxl")
    written = sorted(path for path in (tmp_path / "ptbxl").rglob("*") if path.is_file())
    server.files = {path.relative_to(tmp_path / "ptbxl").as_posix(): path.read_bytes() for path in written}
    server.publish_sums()
    record = datasets.get("ptbxl", tmp_path / "ptbxl").record_names[0]
    report = datasets.download("ptbxl", root, records=record, mirror=server.address, progress=False)
    assert {Path(name).stem for name in report.fetched if name.startswith("records")} == {
        f"{record}_lr",
        f"{record}_hr",
    }
    assert datasets.get("ptbxl", root).record_names == (record,)
    datasets.download("ptbxl", root, mirror=server.address, progress=False)
    assert datasets.get("ptbxl", root, rate_hz=500).record_names == datasets.get("ptbxl", root).record_names
    assert len(datasets.get("ptbxl", root)) > 1


@pytest.mark.parametrize("name", ["cinc2021", "cpsc2018"])
def test_a_collection_of_the_challenge_is_fetched_without_the_rest(server, root, tmp_path, name):
    importlib.import_module(f"biosig_lstm.datasets.{name}").write_sample(tmp_path / "copy")
    written = sorted(path for path in (tmp_path / "copy").rglob("*") if path.is_file())
    data = {path.relative_to(tmp_path / "copy").as_posix(): path.read_bytes() for path in written}
    server.files = {**data, "sources/entry.zip": b"code", "LICENSE.txt": b"free"}
    server.publish_sums()
    report = datasets.download(name, root, mirror=server.address, progress=False)
    assert set(report.fetched) == {*data, "LICENSE.txt"}
    assert datasets.get(name, root).record_names == datasets.get(name, tmp_path / "copy").record_names


def clinic_card(tmp_path: Path, more: str = "", address: str = "https://example.org/clinic") -> datasets.Card:
    folder = tmp_path / "clinic"
    folder.mkdir(exist_ok=True)
    text = f'title = "C"\nlicence = "L"\ncitation = "P"\naddress = "{address}"\nversion = "1"\n{more}\n'
    (folder / "card.toml").write_text(text, encoding="utf-8")
    return read_card(folder)


@pytest.mark.parametrize(
    ("address", "files"),
    [
        ("https://physionet.org/content/ludb/1.0.1/", "https://physionet.org/files/ludb/1.0.1/"),
        ("https://physionet.org/content/ptb-xl/1.0.3", "https://physionet.org/files/ptb-xl/1.0.3/"),
        ("https://example.org/content/x/1/", ""),
        ("https://physionet.org/content/x/", ""),
    ],
)
def test_the_folder_of_files_follows_from_a_page_of_physionet(tmp_path, address, files):
    assert clinic_card(tmp_path, address=address).files == files
    assert clinic_card(tmp_path, 'files = "https://elsewhere.org/"', address).files == "https://elsewhere.org/"


@pytest.mark.parametrize("name", datasets.names())
def test_every_database_can_be_fetched_or_is_here_or_says_how_to_get_it(name):
    card = datasets.card(name)
    by_hand = "fetched by hand" in card.notes
    assert card.files.startswith("https://") or by_hand or (card.folder / f"{card.records[0]}.hea").is_file()
    assert not card.files or card.files.endswith("/")


def test_what_came_with_the_download_is_verified(server, card, root):
    data = mitdb.MitBihArrhythmia(card, root)
    data.download(progress=False)
    assert set(data.verify()) == set(server.sums())
    (root / "101.dat").write_bytes(b"damaged")
    with pytest.raises(DataError, match=r"mitdb: differs from version 1\.0\.0 as published: 101\.dat$"):
        data.verify()


def test_a_list_without_a_file_of_the_folder_is_an_error(server, root, tmp_path):
    server.files |= {"SHA256SUMS.txt": b"%s other/1.hea\n" % (b"0" * 64), "db/1.hea": b"1"}
    with pytest.raises(DownloadError, match="no file of clinic is in the published list of sums"):
        Dataset(clinic_card(tmp_path, f'files = "{server.address}db/"'), root).download(progress=False)
    assert held(root) == set()


def test_a_card_may_say_which_files_belong_to_the_database(server, root, tmp_path):
    include = 'include = ["training/*", "*.csv"]'
    server.files = {"training/1.hea": b"1", "validation/1.hea": b"2", "table.csv": b"3", "code.zip": b"4"}
    server.publish_sums()
    data = Dataset(clinic_card(tmp_path, f'files = "{server.address}"\n{include}'), root)
    assert data.download(progress=False).fetched == ("table.csv", "training/1.hea")


def test_sums_of_the_card_go_before_those_of_the_server(server, root, tmp_path):
    card = clinic_card(tmp_path, f'files = "{server.address}"\nchecksums = "SHA256SUMS.txt"')
    (tmp_path / "clinic" / "SHA256SUMS.txt").write_text(f"{'0' * 64}  101.dat\n")
    with pytest.raises(
        DownloadError, match=r"101\.dat: other bytes came than were published, 3 times: .* published 000"
    ):
        Dataset(card, root).download("101", progress=False)
    assert not (root / "101.dat").exists()
    assert (root / "101.hea").exists()


def test_sums_of_the_card_do_where_the_server_has_none(server, root, tmp_path):
    sums = server.files.pop("SHA256SUMS.txt")
    with pytest.raises(DownloadError, match=r"SHA256SUMS\.txt is not there: nothing could be verified"):
        Dataset(clinic_card(tmp_path, f'files = "{server.address}"'), root).download(progress=False)
    card = clinic_card(tmp_path, f'files = "{server.address}"\nchecksums = "SHA256SUMS.txt"')
    (tmp_path / "clinic" / "SHA256SUMS.txt").write_bytes(sums)
    assert len(Dataset(card, root).download(progress=False).fetched) == len(server.sums())
    n = len(server.requests)
    assert Dataset(card, root).download(progress=False).fetched == ()
    assert len(server.requests) == n


def test_a_list_that_leads_out_of_the_folder_is_refused(server, card, root):
    server.files["SHA256SUMS.txt"] += b"%s ../../escaped\n" % (b"0" * 64)
    with pytest.raises(DownloadError, match=r"line \d+ names a file outside of the folder, refused: '\.\./\.\./escap"):
        datasets.download("mitdb", root, progress=False)
    assert held(root) == set()


def test_the_list_that_lies_there_is_replaced_when_it_is_damaged(server, card, root):
    datasets.download("mitdb", root, progress=False)
    (root / "SHA256SUMS.txt").write_text("<html>")
    assert datasets.download("mitdb", root, progress=False).fetched == ()
    assert (root / "SHA256SUMS.txt").read_bytes() == server.files["SHA256SUMS.txt"]


def test_what_failed_is_listed_by_reason(server, card, root):
    server.always |= {name: status(403) for name in server.files if name.startswith(("10", "20"))}
    server.always["table.csv"] = status(404)
    with pytest.raises(DownloadError, match="mitdb: 14 files could not be fetched, 11 are in") as caught:
        datasets.download("mitdb", root, progress=False)
    lines = str(caught.value).splitlines()[1:]
    assert len(lines) == 2
    assert "  101.atr, 101.dat, 101.hea and 10 more: HTTP 403 Forbidden" in lines[0]
    assert lines[1] == "  table.csv: HTTP 404 Not Found: the server does not have it"


def test_what_needs_no_download_says_so(capsys):
    with pytest.raises(ParameterError, match="sample: nothing to download, it is with the package: datasets/sample"):
        datasets.download("sample")
    assert main(["download", "sample"]) == 2
    assert "nothing to download" in capsys.readouterr().err


def test_an_absent_database_names_the_command(tmp_path, monkeypatch):
    monkeypatch.setenv("BIOSIG_LSTM_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"to that folder \(`biosig-lstm download mitdb` does that\), or say where"):
        datasets.get("mitdb")
    with pytest.raises(DataError, match=r"`biosig-lstm download mitdb --to \S*elsewhere` does that"):
        datasets.get("mitdb", tmp_path / "elsewhere")


def test_command(server, card, root, capsys: Captured):
    server.faults["101.dat"] = [drop(3000), status(503)]
    assert main(["download", "mitdb", "--records", "101", "--to", str(root)]) == 0
    said = capsys.readouterr()
    size = sum(len(server.files[name]) for name in server.sums() if name in held(root) and name != "101.hea")
    assert said.err.startswith(f"mitdb 1.0.0: 7 files, {size / 1000:.1f} kB, from {server.address} to {root}\n")
    assert re.fullmatch(rf"mitdb: {root}: 8 files verified, 8 fetched \(\S+ kB\), 0 kept\n", said.out)
    assert main(["download", "mitdb", "--to", str(root), "--mirror", server.address, "--connections", "2"]) == 0
    assert "25 files verified" in capsys.readouterr().out
    assert main(["download", "mitdb", "--to", str(root)]) == 0
    again = capsys.readouterr()
    assert (again.err, again.out) == ("", f"mitdb: {root}: 25 files verified, 25 kept\n")


def test_the_size_of_many_files_is_estimated_from_some(server, card, root, capsys: Captured):
    server.files |= {f"{k:03}.bin": bytes(1000) for k in range(60)} | {"x.txt": b"12345"}
    server.publish_sums()
    assert main(["download", "mitdb", "--to", str(root)]) == 0
    assert re.match(r"mitdb 1.0.0: 86 files, about \S+ kB, from ", capsys.readouterr().err)
    assert len([r for r in server.requests if r.method == "HEAD"]) <= 40


def test_a_server_that_does_not_tell_sizes_is_not_asked_on(server, card, root, capsys: Captured):
    def no_head(handler, body):
        if handler.command == "HEAD":
            handler.send(405, b"")
        else:
            handler.give(body)

    server.always |= dict.fromkeys(server.files, no_head)
    assert main(["download", "mitdb", "--to", str(root)]) == 0
    assert "25 files, of unknown size, from" in capsys.readouterr().err
    assert len([r for r in server.requests if r.method == "HEAD"]) <= 4


def test_command_ends_with_1_when_files_failed_and_2_when_names_are_wrong(server, card, root, capsys: Captured):
    server.always["232.dat"] = status(404)
    assert main(["download", "mitdb", "--to", str(root)]) == 1
    said = capsys.readouterr()
    assert "mitdb: 1 files could not be fetched, 24 are in" in said.err
    assert "232.dat: HTTP 404 Not Found" in said.err
    assert said.out == ""
    assert main(["download", "mitdbb", "--to", str(root)]) == 2
    assert "did you mean 'mitdb'" in capsys.readouterr().err
    assert main(["download", "mitdb", "--to", str(root), "--records", "999"]) == 2
    assert "no file of a record '999' is published" in capsys.readouterr().err
    assert main(["download", "mitdb", "--to", str(root), "--connections", "99"]) == 2
    assert "connections must be from 1 to 32, got 99" in capsys.readouterr().err
    assert main(["download", "mitdb", "--to", str(root), "--mirror", "mitdb"]) == 2
    assert "begins with http:// or https://" in capsys.readouterr().err


@pytest.mark.parametrize(
    "code", ["from biosig_lstm.cli import main; main(['download', '--help'])", "import biosig_lstm.datasets"]
)
def test_the_transport_is_loaded_when_it_is_needed(code):
    heavy = {"requests", "urllib3", "filelock", "rich", "torch"}
    listing = f"sys.stderr.write(' '.join(name for name in sys.modules if name in {heavy}))"
    whole = f"import sys\ntry:\n    {code}\nfinally:\n    {listing}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    assert done.stderr == ""
