"""A download beside its peers, from a server that answers late: python tests/benchmarks/bench_download.py."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import multiprocessing
import random
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import wfdb
from wfdb.io import download as wfdb_download

from biosig_lstm.transfer import Server, Store, TransferSettings, fetch, fetch_sums

LATENCY_S = 0.05
N_RECORDS, DAT_BYTES = 40, 60_000
REPEATS = 3


class Late(SimpleHTTPRequestHandler):
    """Serves a folder, each answer `LATENCY_S` late; counts requests in `counter`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as web servers do
    counter: object = None

    def parse_request(self) -> bool:
        time.sleep(LATENCY_S)
        with self.counter.get_lock():  # type: ignore[attr-defined]
            self.counter.value += 1  # type: ignore[attr-defined]
        return super().parse_request()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def serve(folder: str, ports: multiprocessing.Queue[int], counter: object) -> None:
    """Serve a folder until the process is ended."""
    Late.counter = counter
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Late, directory=folder))
    ports.put(server.server_port)
    server.serve_forever()


def publish(top: Path) -> list[str]:
    """Write a database of small records as PhysioNet lays it out, and return the names of its files."""
    folder = top / "files" / "bench" / "1.0.0"
    page = top / "content" / "bench"
    (page / "1.0.0").mkdir(parents=True)
    folder.mkdir(parents=True)
    for at in (page, page / "1.0.0"):
        (at / "index.html").write_text("<b>Version: 1.0.0</b>\n")
    records = [f"r{k:03}" for k in range(N_RECORDS)]
    for record in records:
        header = f"{record} 2 360 {DAT_BYTES // 4}\n" + f"{record}.dat 16 200 11 1024 0 0 0 MLII\n" * 2
        (folder / f"{record}.hea").write_text(header)
        (folder / f"{record}.dat").write_bytes(random.Random(record).randbytes(DAT_BYTES))
        (folder / f"{record}.atr").write_bytes(random.Random(record).randbytes(2_000))
    (folder / "RECORDS").write_text("".join(f"{record}\n" for record in records))
    (folder / "ANNOTATORS").write_text("atr\treference\n")
    names = sorted(path.name for path in folder.iterdir())
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()} {name}\n" for name in names]
    (folder / "SHA256SUMS.txt").write_text("".join(sums))
    return names


def ours(address: str, root: Path, *, connections: int) -> None:
    """Fetch and verify as `download` does."""
    server = Server(address, TransferSettings(connections=connections))
    listed = root / "sums"
    if listed.exists():  # what datasets.download does when it has been here before
        sums = dict(line.split()[::-1] for line in listed.read_text().splitlines())
    else:
        root.mkdir(parents=True, exist_ok=True)
        sums = fetch_sums(server) or {}
        listed.write_text("".join(f"{digest} {name}\n" for name, digest in sums.items()))
    report = fetch(sums, server=server, store=Store(root))
    if report.failed:
        raise RuntimeError(str(report.failed))


def theirs(host: str, root: Path) -> None:
    """Fetch with wfdb.dl_database, its addresses turned to this server."""
    wfdb_download.PN_CONTENT_URL = f"{host}content/"
    wfdb_download.set_db_index_url(f"{host}files/")
    with contextlib.redirect_stdout(io.StringIO()):
        wfdb.dl_database("bench", str(root))


def one_by_one(address: str, root: Path, names: list[str]) -> None:
    """Fetch with the standard library, one file after the other; nothing is verified."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        urllib.request.urlretrieve(address + name, root / name)


def measured(work: Callable[[Path], None], counter: object, *, again: bool) -> tuple[float, int]:
    """Return the median seconds and the requests of a download to an empty folder, or to one that is complete."""
    times, requests = [], 0
    for _ in range(REPEATS):
        root = Path(tempfile.mkdtemp()) / "to"
        if again:
            work(root)
        before, begin = counter.value, time.perf_counter()  # type: ignore[attr-defined]
        work(root)
        times.append(time.perf_counter() - begin)
        requests = counter.value - before  # type: ignore[attr-defined]
        shutil.rmtree(root.parent)
    return float(np.median(times)), requests


def main() -> None:
    """Print the table."""
    top = Path(tempfile.mkdtemp())
    names = publish(top)
    ports: multiprocessing.Queue[int] = multiprocessing.Queue()
    counter = multiprocessing.Value("i", 0)
    process = multiprocessing.Process(target=serve, args=(str(top), ports, counter), daemon=True)
    process.start()
    host = f"http://127.0.0.1:{ports.get()}/"
    address = f"{host}files/bench/1.0.0/"
    works: dict[str, Callable[[Path], None]] = {
        f"biosig_lstm, {n} connections": functools.partial(ours, address, connections=n) for n in (4, 1, 16)
    }
    works["wfdb.dl_database (2 connections, nothing verified)"] = functools.partial(theirs, host)
    works["urllib, one by one (nothing verified)"] = functools.partial(one_by_one, address, names=names)
    print(f"{len(names)} files, {N_RECORDS * (DAT_BYTES + 2000) / 1e6:.1f} MB, {LATENCY_S * 1e3:.0f} ms an answer\n")
    print("| | s | requests | times ours | again, all there: s | requests |\n|---|---|---|---|---|---|")
    base = 0.0
    for title, work in works.items():
        first, n_first = measured(work, counter, again=False)
        second, n_second = measured(work, counter, again=True)
        base = base or first
        print(f"| {title} | {first:.2f} | {n_first} | {first / base:.1f} | {second:.3f} | {n_second} |")
    process.terminate()
    shutil.rmtree(top)


if __name__ == "__main__":
    main()
