"""A real web server on loopback that can be told to misbehave, file by file and request by request."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote

Fault = Callable[["Handler", bytes], None]


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]


class Loopback(ThreadingHTTPServer):
    """Serves `files` with ETag and ranges; `faults[path]` are used up one a GET, `always[path]` never."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = defaultdict(list)
        self.always: dict[str, Fault] = {}
        self.requests: list[Request] = []
        self.released = threading.Event()
        self.before_get: Callable[[str], None] = lambda path: None

    def __enter__(self) -> Loopback:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent where a client has gone."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def sums(self, below: str = "") -> dict[str, str]:
        return {
            path.removeprefix(below): hashlib.sha256(body).hexdigest()
            for path, body in self.files.items()
            if path.startswith(below) and not path.endswith("SHA256SUMS.txt")
        }

    def publish_sums(self, path: str = "SHA256SUMS.txt") -> None:
        below = path.removesuffix("SHA256SUMS.txt")
        lines = [f"{digest} {name}\n" for name, digest in sorted(self.sums(below).items())]
        self.files[path] = "".join(lines).encode()

    def gets(self, path: str | None = None) -> list[Request]:
        return [r for r in self.requests if r.method == "GET" and path in (None, r.path)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Loopback

    def log_message(self, *_: object) -> None:
        """Write nothing."""

    def do_HEAD(self) -> None:
        self.answer("HEAD")

    def do_GET(self) -> None:
        self.answer("GET")

    def answer(self, method: str) -> None:
        path = unquote(self.path).lstrip("/")
        self.server.requests.append(Request(method, path, dict(self.headers.items())))
        if method == "GET":
            self.server.before_get(path)
        body = self.server.files.get(path)
        if method == "GET" and self.server.faults[path]:
            self.server.faults[path].pop(0)(self, body or b"")
        elif path in self.server.always:
            self.server.always[path](self, body or b"")
        elif body is None:
            self.send(404, b"nothing here")
        else:
            self.give(body)

    def give(self, body: bytes) -> None:
        """Answer as a good server does."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or self.headers.get("If-Range", etag(body)) != etag(body):
            self.send(200, body, ETag=etag(body))
            return
        first = int(asked[1])
        if first >= len(body):
            self.send(416, b"", Content_Range=f"bytes */{len(body)}")
            return
        self.send(206, body[first:], ETag=etag(body), Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")

    def send(self, status: int, body: bytes, *, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        given = {"Content_Type": "application/octet-stream", **headers}
        for name, value in given.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


def etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:12]}"'


def drop(after: int) -> Fault:
    """Promise the rest, send so many bytes of it, hang up."""

    def fault(handler: Handler, body: bytes) -> None:
        first = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
        rest = body[first:]
        if first:
            ranged = {"Content_Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
            handler.send(206, rest[:after], length=len(rest), ETag=etag(body), **ranged)
        else:
            handler.send(200, rest[:after], length=len(rest), ETag=etag(body))
        handler.wfile.flush()
        handler.close_connection = True

    return fault


def stall(after: int) -> Fault:
    """Send so many bytes, then nothing until the server is released."""

    def fault(handler: Handler, body: bytes) -> None:
        handler.send(200, body[:after], length=len(body), ETag=etag(body))
        handler.wfile.flush()
        handler.server.released.wait(20)
        handler.close_connection = True

    return fault


def whole(handler: Handler, body: bytes) -> None:
    """Ignore ranges."""
    handler.send(200, body, ETag=etag(body))


def instead(other: bytes, **headers: str) -> Fault:
    """Send other bytes."""
    return lambda handler, body: handler.send(200, other, **headers)


def status(code: int, **headers: str) -> Fault:
    """Refuse."""
    return lambda handler, body: handler.send(code, b"refused", **headers)
