"""A model hub in this process: the two requests that fetching makes, over real HTTP, with its troubles on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LARGE = 10_000  # bytes from which a file is listed with its sha256, as LFS does
REVISION = "5e6be3a658059f3036008b17ae50b80005861670"


class Hub(ThreadingHTTPServer):
    """Serves repositories, a folder each. `cut` bytes of every answer go out before the line drops."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.repositories: dict[str, Path] = {}
        self.cut: int | None = None
        self.damaged: set[str] = set()  # files of which a byte changes on the way
        self.honours_ranges = True
        self.asked: list[tuple[str, str]] = []  # file, Range

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            self._list(path.removeprefix("/api/models/"))
        else:
            repository, _, rest = path.lstrip("/").partition("/resolve/")
            self._file(repository, rest.removeprefix(f"{REVISION}/"))

    def _list(self, repository: str) -> None:
        folder = self.server.repositories.get(repository)
        if folder is None:
            self.send_error(404, "Not Found")
            return
        files = []
        for path in sorted(folder.iterdir()):
            data = path.read_bytes()
            entry: dict[str, object] = {"rfilename": path.name, "size": len(data)}
            entry["blobId"] = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
            if len(data) >= LARGE:
                entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            files.append(entry)
        body = json.dumps({"id": repository, "sha": REVISION, "siblings": files}).encode()
        self._send(200, body, {})

    def _file(self, repository: str, name: str) -> None:
        data = (self.server.repositories[repository] / name).read_bytes()
        wanted = self.headers.get("Range", "")
        self.server.asked.append((name, wanted))
        if name in self.server.damaged:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if wanted and self.server.honours_ranges:
            begin = int(wanted.removeprefix("bytes=").rstrip("-"))
            span = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"}
            self._send(206, data[begin:], span, cut=len(data) >= LARGE)
        else:
            self._send(200, data, {}, cut=len(data) >= LARGE)

    def _send(self, status: int, body: bytes, headers: dict[str, str], *, cut: bool = False) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body[: self.server.cut] if cut else body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def a_hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
