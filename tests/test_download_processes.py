"""Processes that fetch to one folder at once, are killed, or interrupted."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import Handler, Loopback, etag

from biosig_lstm.transfer import Server, Store, TransferSettings, fetch

BODY = random.Random(1).randbytes(300_000)
CODE = """
import json, sys
from pathlib import Path
from biosig_lstm.transfer import Server, Store, TransferSettings, fetch, fetch_sums
address, root, connections = sys.argv[1:]
server = Server(address, TransferSettings(connections=int(connections), timeout_s=20.0))
report = fetch(fetch_sums(server), server=server, store=Store(Path(root)))
sys.stdout.write(json.dumps([report.fetched, report.kept, report.failed]))
"""
COMMAND = """
import signal, sys
from dataclasses import replace
from biosig_lstm import datasets
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
read = datasets.read_card
datasets.read_card = lambda folder: replace(read(folder), checksums="")
from biosig_lstm.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def server() -> Iterator[Loopback]:
    with Loopback() as running:
        running.files |= {f"{k}.dat": b"%d" % k for k in range(12)}
        running.publish_sums()
        yield running


def start(*arguments: object, code: str = CODE) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def slow(handler: Handler, body: bytes) -> None:
    """Send half of the file, then wait for the rest until the server is released."""
    handler.send(200, body[: len(body) // 2], length=len(body), ETag=etag(body))
    handler.wfile.flush()
    handler.server.released.wait(20)
    handler.wfile.write(body[len(body) // 2 :])


def wait_for(what: str, happened: threading.Event | Path) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if happened.is_set() if isinstance(happened, threading.Event) else happened.exists():
            return
        time.sleep(0.01)
    pytest.fail(f"never came: {what}")


def test_two_processes_share_the_work(server: Loopback, tmp_path: Path) -> None:
    both = threading.Event()

    def before(path: str) -> None:
        if path.endswith(".txt") and len(server.gets("SHA256SUMS.txt")) == 2:
            both.set()
        if path.endswith(".dat"):
            both.wait(20)  # neither is done before the other has begun
            time.sleep(0.02)

    server.before_get = before
    processes = [start(server.address, tmp_path, 2) for _ in range(2)]
    ends = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ends
    reports = [json.loads(out) for out, _ in ends]
    assert sorted(reports[0][0] + reports[1][0]) == sorted(server.sums())
    assert [len(fetched) + len(kept) for fetched, kept, _ in reports] == [12, 12]
    assert sorted(r.path for r in server.gets() if r.path.endswith(".dat")) == sorted(server.sums())
    assert all((tmp_path / name).read_bytes() == server.files[name] for name in server.sums())


def test_one_waits_for_the_file_that_the_other_is_fetching(server: Loopback, tmp_path: Path) -> None:
    server.files = {"0.dat": BODY}
    server.publish_sums()
    server.always["0.dat"] = slow
    first = start(server.address, tmp_path, 1)
    wait_for("the first half", tmp_path / ".download" / "0.dat.part")
    threading.Timer(0.6, server.released.set).start()
    report = fetch(server.sums(), server=Server(server.address), store=Store(tmp_path))
    out, err = first.communicate(timeout=60)
    assert (first.returncode, json.loads(out)) == (0, [["0.dat"], [], []]), err
    assert (report.fetched, report.kept, len(server.gets("0.dat"))) == ((), ("0.dat",), 1)


def test_what_a_killed_process_left_is_gone_on_with(server: Loopback, tmp_path: Path) -> None:
    server.files["0.dat"] = BODY
    server.publish_sums()
    server.faults["0.dat"] = [slow]
    process = start(server.address, tmp_path, 1)
    part = tmp_path / ".download" / "0.dat.part"
    wait_for("the first half", part)
    while part.stat().st_size < len(BODY) // 2:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)
    assert part.with_name("0.dat.lock").exists()
    report = fetch(server.sums(), server=Server(server.address, TransferSettings(attempts=1)), store=Store(tmp_path))
    assert (report.failed, len(report.fetched)) == ((), 12)
    assert server.gets("0.dat")[-1].headers["Range"] == f"bytes={len(BODY) // 2}-"
    assert (tmp_path / "0.dat").read_bytes() == BODY
    assert [path.name for path in (tmp_path / ".download").rglob("*")] == ["verified.txt"]


@pytest.mark.skipif(os.name == "nt", reason="signals of other systems")
def test_an_interrupted_command_says_so_and_keeps_what_has_come(server: Loopback, tmp_path: Path) -> None:
    server.files["0.dat"] = BODY
    server.publish_sums()
    server.faults["0.dat"] = [slow]
    arguments = ["download", "mitdb", "--to", tmp_path, "--mirror", server.address]
    process = start(*arguments, code=COMMAND)
    part = tmp_path / ".download" / "0.dat.part"
    wait_for("the first half", part)
    while part.stat().st_size < len(BODY) // 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert "interrupted; the same command goes on from here" in err
    assert part.stat().st_size == len(BODY) // 2
    again = start(*arguments, code=COMMAND)
    out, err = again.communicate(timeout=60)
    assert again.returncode == 0, err
    assert "mitdb: " in out
    assert "12 files verified" in out
    assert server.gets("0.dat")[-1].headers["Range"] == f"bytes={len(BODY) // 2}-"
