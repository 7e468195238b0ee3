"""Files over a connection that breaks, stalls, lies and refuses: what is in its place is whole, the rest is said."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import re
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Handler, Loopback, drop, etag, instead, stall, status, whole

from biosig_lstm import transfer
from biosig_lstm.errors import DownloadError, ParameterError
from biosig_lstm.transfer import (
    Meter,
    Report,
    Server,
    Store,
    TransferSettings,
    fetch,
    fetch_sums,
    format_sums,
    parse_sums,
)
from biosig_lstm.transfer._server import BrokenError
from biosig_lstm.transfer._wait import wait_s

QUICK = TransferSettings(connections=3, timeout_s=5.0, attempts=3, first_wait_s=0.005, longest_wait_s=0.05)
ONCE = TransferSettings(connections=1, timeout_s=5.0, attempts=1, refetches=0)
IMPATIENT = TransferSettings(connections=1, timeout_s=5.0, attempts=2, refetches=1, first_wait_s=0.0)
BIG = random.Random(0).randbytes(400_000)
PAGE = b"<!DOCTYPE html>\n<html><head><title>PhysioNet: Log in</title></head><body>please</body></html>"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        running.files |= {"100.hea": b"100 1 360 3\n100.dat 16\n", "100.dat": BIG, "sub/dir/1 é.atr": b"\0\4\0\0"}
        yield running


def run(server: Loopback, root: Path, names: list[str] | None = None, *, settings: TransferSettings = QUICK) -> Report:
    sums = {name: digest for name, digest in server.sums().items() if names is None or name in names}
    return fetch(sums, server=Server(server.address, settings), store=Store(root))


def parts(root: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in (root / ".download").rglob("*.part")}


def assert_whole(server: Loopback, root: Path) -> None:
    for name, body in server.files.items():
        assert (root / name).read_bytes() == body
    assert parts(root) == {}
    kept = {path.name for path in (root / ".download").rglob("*")}
    assert kept == {"verified.txt"}


def test_files_are_fetched_verified_and_put_in_their_places(server, tmp_path):
    report = run(server, tmp_path)
    assert report.fetched == tuple(sorted(server.files))
    assert (report.kept, report.failed, report.n_bytes) == ((), (), sum(map(len, server.files.values())))
    assert_whole(server, tmp_path)


def test_an_empty_file_is_a_file(server, tmp_path):
    server.files["empty.txt"] = b""
    assert run(server, tmp_path).failed == ()
    assert_whole(server, tmp_path)


def test_several_files_are_fetched_at_the_same_time(server, tmp_path):
    together = threading.Barrier(3, timeout=10)
    server.before_get = lambda path: together.wait() and None
    assert len(run(server, tmp_path).fetched) == 3
    assert not together.broken


def test_a_connection_serves_many_files(server, tmp_path):
    server.files |= {f"{k}.txt": b"%d" % k for k in range(20)}
    opened = []
    server.process_request = lambda *args: (opened.append(1), Loopback.process_request(server, *args))[1]
    run(server, tmp_path, settings=TransferSettings(connections=2))
    assert len(server.gets()) == 23
    assert len(opened) <= 4


def test_a_broken_connection_is_gone_on_with_at_the_byte(server, tmp_path):
    server.faults["100.dat"] = [drop(100_000), drop(50_000), drop(1)]
    report = run(server, tmp_path, ["100.dat"])
    assert (report.failed, report.n_bytes) == ((), len(BIG))
    asked = [(r.headers.get("Range"), r.headers.get("If-Range")) for r in server.gets("100.dat")]
    assert asked == [(None, None), *((f"bytes={n}-", etag(BIG)) for n in (100_000, 150_000, 150_001))]
    assert (tmp_path / "100.dat").read_bytes() == BIG


def test_a_download_is_gone_on_with_in_a_later_run(server, tmp_path):
    server.faults["100.dat"] = [drop(100_000)]
    first = run(server, tmp_path, settings=ONCE)
    assert [name for name, _ in first.failed] == ["100.dat"]
    assert "the connection broke off; 1 attempts in a row brought nothing new" in first.failed[0][1]
    assert parts(tmp_path) == {"100.dat.part": 100_000}
    assert not (tmp_path / "100.dat").exists()
    second = run(server, tmp_path)
    assert (second.fetched, second.n_bytes, len(second.kept)) == (("100.dat",), len(BIG) - 100_000, 2)
    assert_whole(server, tmp_path)


def test_attempts_that_bring_nothing_new_are_counted_and_end(server, tmp_path):
    server.faults["100.dat"] = [drop(1000), *[drop(0)] * 9]
    report = run(server, tmp_path, ["100.dat"])
    assert "3 attempts in a row brought nothing new" in report.failed[0][1]
    assert len(server.gets("100.dat")) == 3
    server.faults["100.dat"] = [drop(3000)] * 8
    assert run(server, tmp_path, ["100.dat"]).failed == ()


def test_a_server_that_ignores_ranges_is_never_appended_from(server, tmp_path):
    server.faults["100.dat"] = [drop(100_000), whole]
    report = run(server, tmp_path, ["100.dat"])
    assert report.n_bytes == 100_000 + len(BIG)
    assert (tmp_path / "100.dat").read_bytes() == BIG


def test_a_server_that_ignores_ranges_and_breaks_off_does_not_go_on_for_ever(server, tmp_path):
    server.always["100.dat"] = lambda handler, body: (
        handler.send(200, body[:5000], length=len(body)),
        setattr(handler, "close_connection", True),
    )
    assert "brought nothing new" in run(server, tmp_path, ["100.dat"]).failed[0][1]
    assert len(server.gets("100.dat")) == 3


def test_a_file_that_changed_between_runs_is_not_spliced(server, tmp_path):
    changed = BIG[::-1]
    server.faults["100.dat"] = [drop(100_000)]
    run(server, tmp_path, ["100.dat"], settings=ONCE)
    server.files["100.dat"] = changed
    report = run(server, tmp_path, ["100.dat"])
    assert (report.failed, report.n_bytes) == ((), len(changed))
    assert "Range" not in server.gets("100.dat")[-1].headers
    assert (tmp_path / "100.dat").read_bytes() == changed


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_is_put_right_between_runs_is_not_spliced(server, tmp_path, heeds_if_range):
    wrong = bytes(200_000)
    server.faults["100.dat"] = [lambda handler, body: drop(100_000)(handler, wrong)]
    run(server, tmp_path, ["100.dat"], settings=ONCE)

    def lies(handler: Handler, body: bytes) -> None:
        handler.send(206, body[100_000:], ETag=etag(body), Content_Range=f"bytes 100000-{len(body) - 1}/{len(body)}")

    if not heeds_if_range:
        server.faults["100.dat"] = [lies]
    report = run(server, tmp_path, ["100.dat"], settings=ONCE)
    assert (report.failed, report.n_bytes) == ((), len(BIG))
    assert server.gets("100.dat")[1].headers["If-Range"] == etag(wrong)
    assert (tmp_path / "100.dat").read_bytes() == BIG


@pytest.mark.parametrize("said", ["bytes 7-399999/400000", "bytes 100000-399999/500000", "nonsense"])
def test_a_partial_answer_that_is_another_part_is_not_appended(server, tmp_path, said):
    server.faults["100.dat"] = [
        drop(100_000),
        lambda handler, body: handler.send(206, body[7:], ETag=etag(body), Content_Range=said),
    ]
    assert run(server, tmp_path, ["100.dat"]).failed == ()
    assert (tmp_path / "100.dat").read_bytes() == BIG


def test_a_partial_answer_to_a_request_for_the_whole_is_not_taken(server, tmp_path):
    server.faults["100.dat"] = [lambda handler, body: handler.send(206, body[7:], Content_Range="bytes 7-9/10")]
    assert run(server, tmp_path, ["100.dat"]).failed == ()


@pytest.mark.parametrize("surplus", [0, 9])
def test_a_part_that_is_whole_or_too_long(server, tmp_path, surplus):
    part = Store(tmp_path).part("100.dat")
    part.begin({"digest": hashlib.sha256(BIG).hexdigest(), "etag": etag(BIG)})
    part.path.write_bytes(BIG + bytes(surplus))
    report = run(server, tmp_path, ["100.dat"])
    assert (report.failed, report.n_bytes) == ((), len(BIG) if surplus else 0)
    assert (tmp_path / "100.dat").read_bytes() == BIG


def test_a_part_with_a_damaged_note_is_begun_anew(server, tmp_path):
    part = Store(tmp_path).part("100.dat")
    part.begin({})
    part.path.write_bytes(b"x" * 1000)
    Path(f"{part.path}.json").write_text("[broken")
    assert run(server, tmp_path, ["100.dat"]).n_bytes == len(BIG)


def test_a_stalled_connection_is_left(server, tmp_path):
    server.faults["100.dat"] = [stall(100_000)]
    patient = TransferSettings(connections=1, timeout_s=0.2, attempts=3, first_wait_s=0.0)
    report = run(server, tmp_path, ["100.dat"], settings=patient)
    assert report.failed == ()
    assert server.gets("100.dat")[1].headers["Range"] == "bytes=100000-"
    server.always["100.hea"] = stall(0)
    report = run(server, tmp_path, ["100.hea"], settings=patient)
    assert "the server said nothing for 0.2 s; 3 attempts" in report.failed[0][1]


@pytest.mark.parametrize("whole", [True, False])
def test_a_body_of_untold_length(server, tmp_path, whole):
    def chunked(handler: Handler, body: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
        if whole:
            handler.wfile.write(b"0\r\n\r\n")
        handler.close_connection = True

    server.always["100.dat"] = chunked
    failed = run(server, tmp_path, ["100.dat"], settings=ONCE).failed
    assert (tmp_path / "100.dat").exists() == whole == (failed == ())
    del server.always["100.dat"]
    assert run(server, tmp_path, ["100.dat"]).failed == ()


def test_wrong_bytes_are_fetched_again_past_caches(server, tmp_path):
    server.faults["100.dat"] = [instead(b"x" + BIG[1:]), instead(b"short")]
    assert run(server, tmp_path).failed == ()
    assert [r.headers.get("Cache-Control") for r in server.gets("100.dat")] == [None, "no-cache", "no-cache"]
    assert_whole(server, tmp_path)


def test_bytes_that_stay_wrong_are_an_error_and_leave_no_file(server, tmp_path):
    sums = server.sums()
    server.files["100.dat"] = b"x" + BIG[1:]
    report = fetch(sums, server=Server(server.address, QUICK), store=Store(tmp_path))
    assert len(server.gets("100.dat")) == 3
    ((name, reason),) = report.failed
    assert name == "100.dat"
    assert f"other bytes came than were published, 3 times: SHA-256 {server.sums()['100.dat']}, published" in reason
    assert not (tmp_path / "100.dat").exists()
    assert parts(tmp_path) == {}
    assert len(report.fetched) == 2


def test_a_file_that_differs_is_replaced_only_by_one_that_is_right(server, tmp_path):
    (tmp_path / "100.dat").write_bytes(b"damaged")
    server.faults["100.dat"] = [status(404)]
    assert len(run(server, tmp_path).failed) == 1
    assert (tmp_path / "100.dat").read_bytes() == b"damaged"
    assert run(server, tmp_path).fetched == ("100.dat",)
    assert_whole(server, tmp_path)


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_page_is_never_taken_for_a_record(server, tmp_path, kind):
    server.always["100.dat"] = instead(PAGE, Content_Type=kind)
    report = run(server, tmp_path)
    ((name, reason),) = report.failed
    assert name == "100.dat"
    assert "a web page 'PhysioNet: Log in' came instead of the file" in reason
    assert "data use agreement" in reason
    assert "~/.netrc ('machine 127.0.0.1 login NAME password WORD')" in reason
    assert len(server.gets("100.dat")) == 1
    assert not (tmp_path / "100.dat").exists()


def test_a_page_does_not_destroy_what_has_come(server, tmp_path):
    server.faults["100.dat"] = [drop(100_000), instead(PAGE, Content_Type="text/html"), instead(PAGE)]
    for _ in range(2):
        run(server, tmp_path, ["100.dat"])
        assert parts(tmp_path) == {"100.dat.part": 100_000}
    assert run(server, tmp_path, ["100.dat"]).n_bytes == len(BIG) - 100_000


def test_a_published_page_is_a_file(server, tmp_path):
    server.files["doc/intro.html"] = PAGE
    server.always["doc/intro.html"] = instead(PAGE, Content_Type="text/html")
    assert run(server, tmp_path).failed == ()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (401, "HTTP 401 Unauthorized: the server does not give it out"),
        (403, "HTTP 403 Forbidden: the server does not give it out .*data use agreement.* ~/.netrc"),
        (404, "HTTP 404 Not Found: the server does not have it"),
        (418, "HTTP 418"),
    ],
)
def test_a_refusal_is_reported_and_the_others_go_on(server, tmp_path, code, words):
    server.always["100.dat"] = status(code)
    report = run(server, tmp_path)
    assert len(report.fetched) == 2
    assert len(server.gets("100.dat")) == 1
    assert re.match(words, report.failed[0][1])


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.faults["100.dat"] = [status(503, Retry_After="3600"), status(429)]
    assert run(server, tmp_path).failed == ()
    server.always["100.dat"] = status(503)
    (tmp_path / "100.dat").unlink()
    ((_, reason),) = run(server, tmp_path).failed
    assert reason == "HTTP 503 Service Unavailable; 3 attempts in a row brought nothing new"


def test_a_redirection_to_a_page_says_where_it_led(server, tmp_path):
    server.files["login/"] = PAGE
    server.always |= {
        "100.dat": status(302, Location="/login/?next=100.dat"),
        "login/?next=100.dat": instead(PAGE, Content_Type="text/html"),
    }
    ((_, reason),) = run(server, tmp_path, ["100.dat"]).failed
    assert f"'PhysioNet: Log in' came instead of the file from {server.address}login/ (" in reason


def test_a_redirection_is_followed(server, tmp_path):
    server.files["moved/100.dat"] = BIG
    server.faults["100.dat"] = [status(302, Location="/moved/100.dat")]
    assert run(server, tmp_path, ["100.dat"]).failed == ()


@given(st.one_of(st.none(), st.floats(0, 1e9)), st.integers(1, 40), st.floats(0, 10), st.floats(0, 100))
def test_no_wait_is_longer_than_allowed(asked, attempt, first, longest):
    settings = TransferSettings(first_wait_s=first, longest_wait_s=longest)
    waited = wait_s(BrokenError("busy", wait_s=asked), attempt, settings)
    assert 0 <= waited <= longest
    wish = first * 2 ** (attempt - 1) if asked is None else asked
    assert waited == longest or wish <= waited <= 1.25 * wish


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("7", 7, 7),
        (timedelta(seconds=5000), 4000, 5000),
        (timedelta(seconds=-500), 0, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(server, header, least, most):
    if isinstance(header, timedelta):
        header = format_datetime(datetime.now(UTC) + header, usegmt=True)
    server.always["100.dat"] = status(503, Retry_After=header)
    with pytest.raises(BrokenError, match="HTTP 503") as caught:
        Server(server.address).get("100.dat")
    assert least <= caught.value.wait_s <= most
    server.always["100.dat"] = status(503, Retry_After="soon")
    with pytest.raises(BrokenError, match="HTTP 503") as caught:
        Server(server.address).get("100.dat")
    assert caught.value.wait_s is None


FAULTS = st.one_of(
    st.integers(0, 400_001).map(drop),
    st.sampled_from([status(503), status(404), status(416), status(206), whole, instead(PAGE), instead(BIG[::-1])]),
    st.integers(1, 399_999).map(
        lambda first: (
            lambda handler, body: handler.send(
                206, body[first:], ETag=etag(body), Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}"
            )
        )
    ),
    st.integers(0, 399_999).map(lambda n: instead(BIG[:n])),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(FAULTS, max_size=8), st.integers(0, 400_000), st.booleans())
def test_whatever_the_server_does_a_file_in_its_place_is_whole(faults, held, same):
    with Loopback() as server, tempfile.TemporaryDirectory() as folder:
        server.files["100.dat"] = BIG
        server.faults["100.dat"] = list(faults)
        part = Store(Path(folder)).part("100.dat")
        part.begin({"digest": server.sums()["100.dat"], "etag": etag(BIG) if same else '"other"', "total": len(BIG)})
        part.path.write_bytes(BIG[:held] if same else BIG[::-1][:held])
        target = Path(folder) / "100.dat"
        for _ in range(len(faults) + 1):
            report = run(server, Path(folder), settings=IMPATIENT)
            assert target.exists() == (not report.failed)
            if not report.failed:
                break
        assert target.read_bytes() == BIG
        assert parts(Path(folder)) == {}


def test_no_server_there(server, tmp_path):
    sums = server.sums()
    with Loopback() as gone:
        address = gone.address
    report = fetch(sums, server=Server(address, ONCE), store=Store(tmp_path))
    assert len(report.failed) == 3
    assert "no connection: " in report.failed[0][1]
    with pytest.raises(DownloadError, match=r"SHA256SUMS\.txt: no connection: .*refused"):
        fetch_sums(Server(address, ONCE))


def test_loopback_is_not_asked_through_a_proxy(server, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    monkeypatch.delenv("no_proxy", raising=False)
    assert run(server, tmp_path, settings=ONCE).failed == ()


def test_other_servers_are_asked_through_the_proxy_and_with_the_password_of_the_user(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("machine files.example login somebody password secret\n")
    server.files["http://files.example/x/100.txt"] = b"through the proxy"
    with Server("http://files.example/x/", ONCE).get("100.txt") as response:
        assert response.content == b"through the proxy"
    assert server.gets()[0].headers["Authorization"] == "Basic " + b64encode(b"somebody:secret").decode()


def test_what_is_there_and_right_is_not_asked_for(server, tmp_path):
    run(server, tmp_path)
    n = len(server.requests)
    again = run(server, tmp_path)
    assert (len(again.kept), again.fetched) == (3, ())
    assert len(server.requests) == n


def test_a_file_is_hashed_again_only_when_size_or_time_have_changed(server, tmp_path, monkeypatch):
    run(server, tmp_path)
    hashed: list[str] = []
    real = transfer._store.sha256_of
    monkeypatch.setattr(transfer._store, "sha256_of", lambda path: hashed.append(path.name) or real(path))
    assert len(run(server, tmp_path).kept) == 3
    assert hashed == []
    os.utime(tmp_path / "100.dat", ns=(1, 1))
    assert len(run(server, tmp_path).kept) == 3
    assert hashed == ["100.dat"]
    assert len(run(server, tmp_path).kept) == 3
    assert hashed == ["100.dat"]
    (tmp_path / "100.dat").write_bytes(bytes(len(BIG)))
    assert run(server, tmp_path).fetched == ("100.dat",)


def test_a_damaged_list_of_what_was_verified_costs_hashing_only(server, tmp_path):
    run(server, tmp_path)
    (tmp_path / ".download" / "verified.txt").write_bytes(b"\xff\xfe nonsense\n\n1 2 3\n")
    assert len(run(server, tmp_path).kept) == 3


def test_two_stores_in_one_process_share_the_work(server, tmp_path):
    server.files |= {f"{k}.txt": b"%d" % k for k in range(30)}
    server.before_get = lambda path: time.sleep(0.005)
    reports: list[Report] = []
    threads = [threading.Thread(target=lambda: reports.append(run(server, tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.gets()) == 33
    assert sorted((*reports[0].fetched, *reports[1].fetched)) == sorted(server.files)
    assert [len(report.fetched) + len(report.kept) for report in reports] == [33, 33]
    assert_whole(server, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_is_asked(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match=r"cannot write to .*file.*: Not a directory"):
        run(server, tmp_path / "file" / "mitdb")
    assert server.requests == []


def test_a_place_that_is_taken_is_reported_and_the_others_go_on(server, tmp_path):
    (tmp_path / "100.dat" / "inside").mkdir(parents=True)
    report = run(server, tmp_path)
    assert [name for name, _ in report.failed] == ["100.dat"]
    assert "cannot be written: Is a directory" in report.failed[0][1]
    assert len(report.fetched) == 2


def test_a_full_disk_ends_it_and_keeps_what_has_come(server, tmp_path, monkeypatch):
    real = transfer._file._opened

    class Full:
        def __init__(self, file):
            self.file = file
            self.tell, self.close = file.tell, file.close

        def write(self, chunk):
            if self.file.tell() > 100_000:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return self.file.write(chunk)

    monkeypatch.setattr(transfer._file, "_opened", lambda part, note: Full(real(part, note)))
    with pytest.raises(DownloadError, match="No space left on device; what has come is kept, and the same download"):
        run(server, tmp_path, ["100.dat"])
    monkeypatch.undo()
    held = parts(tmp_path)["100.dat.part"]
    assert held > 100_000
    assert run(server, tmp_path, ["100.dat"]).n_bytes == len(BIG) - held


def test_too_little_room_is_said_before_it_starts(server, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer._many.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(DownloadError, match=r"no room, 400\.0 kB are to come and 1\.0 kB are free"):
        fetch(server.sums(), server=Server(server.address), store=Store(tmp_path), meter=Meter())
    assert server.gets() == []


def test_sums_are_found_in_a_folder_above(server):
    server.files |= {"db/1.0/training/a/1.hea": b"1", "db/1.0/training/2.hea": b"2", "db/1.0/other.csv": b"3"}
    server.publish_sums("db/1.0/SHA256SUMS.txt")
    found = fetch_sums(Server(server.address + "db/1.0/training/", ONCE))
    assert found == server.sums("db/1.0/training/")
    assert set(found) == {"a/1.hea", "2.hea"}
    assert fetch_sums(Server(server.address + "db/", ONCE)) is None


def test_sums_that_are_refused_or_a_page_are_an_error(server):
    server.always["SHA256SUMS.txt"] = status(403)
    with pytest.raises(DownloadError, match=r"SHA256SUMS\.txt: HTTP 403 Forbidden: .*data use agreement"):
        fetch_sums(Server(server.address, ONCE))
    server.always["SHA256SUMS.txt"] = instead(PAGE, Content_Type="text/html")
    with pytest.raises(DownloadError, match="a web page 'PhysioNet: Log in' came instead of the file"):
        fetch_sums(Server(server.address, ONCE))
    server.always["SHA256SUMS.txt"] = instead(b"moved, sorry\n")
    with pytest.raises(DownloadError, match="line 1 is no SHA-256 sum and file name: 'moved, sorry'"):
        fetch_sums(Server(server.address, ONCE))


def test_sums_are_asked_for_again_when_the_connection_breaks(server):
    server.publish_sums()
    server.faults["SHA256SUMS.txt"] = [drop(40), status(503)]
    assert fetch_sums(Server(server.address, QUICK)) == server.sums()


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/passwd",
        "C:/x",
        "C:x",
        "..\\x",
        "a\\b",
        "//host/x",
        ".download/verified.txt",
        "a\x07b",
    ],
)
def test_a_list_that_names_a_file_outside_is_refused(name):
    with pytest.raises(DownloadError, match=r"list: line 2 names a file outside of the folder, refused: "):
        parse_sums(f"{'0' * 64} 100.dat\n{'0' * 64} {name}\n", source="list")


NAMES = st.text("abz019._- é/", min_size=1).filter(
    lambda name: name.strip() == name and not name.startswith(("/", "./")) and ".." not in name and name != "."
)


@given(st.dictionaries(NAMES, st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}")))
def test_sums_survive_writing_and_reading(sums):
    assert parse_sums(format_sums(sums), source="list") == sums


def test_sums_as_written_by_sha256sum():
    digest = "AB" * 32
    assert parse_sums(f"{digest} *a b.dat\n\n{digest}  ./c/d.hea\r\n", source="list") == {
        "a b.dat": digest.lower(), "c/d.hea": digest.lower(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"connections": 0}, "connections must be from 1 to 32, got 0"),
        ({"connections": 33}, "connections must be from 1 to 32, got 33"),
        ({"attempts": 0}, "attempts >= 1"),
        ({"timeout_s": 0.0}, "a timeout must be positive"),
        ({"longest_wait_s": -1.0}, "a wait not negative"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        TransferSettings(**settings)


@pytest.mark.parametrize("address", ["ftp://host/x", "mitdb", "/files", "http://", "file:///x"])
def test_an_address_of_another_kind_is_refused(address):
    with pytest.raises(ParameterError, match=r"begins with http:// or https:// and a host, got "):
        Server(address)
