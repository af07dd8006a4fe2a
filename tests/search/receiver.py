"""A program that is called by webhook: a real server on this machine."""

from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from search.alerts_http import Target


class Receiver(HTTPServer):
    """Notes what it gets, and answers what it is told to."""

    answer = 200
    pause = 0.0
    size = 0

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), Answering)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook?a=1"

    @property
    def target(self) -> Target:
        return Target("http", "127.0.0.1", self.server_port, "/", ("127.0.0.1",))


class Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(({**self.headers, "path": self.path}, body))
        self.send_response(self.server.answer)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        for _ in range(self.server.size):
            self.wfile.write(b"x" * 1024)
            time.sleep(self.server.pause)

    def log_message(self, *_: Any) -> None:
        pass
