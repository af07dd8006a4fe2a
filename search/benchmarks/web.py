"""The real web process on loopback, and somebody who is logged in."""

from __future__ import annotations

import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command

from archive.bundled.processes import processes
from archive.bundled.supervisor import kept

PATIENCE = 60.0


class Browser:
    """One kept-alive connection with the cookie of a logged-in user."""

    def __init__(self, port: int, user: User) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={_log_in(user)}"}

    def get(self, path: str, **params: str) -> bytes:
        address = f"{path}?{urlencode(params)}"
        try:
            response = self._ask(address)
        except (http.client.RemoteDisconnected, ConnectionError):  # idle for too long: it hung up
            self.connection.close()
            response = self._ask(address)
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"GET {path} answered {response.status}: {body[:300]!r}")
        return body

    def _ask(self, address: str) -> http.client.HTTPResponse:
        self.connection.request("GET", address, headers=self.headers)
        return self.connection.getresponse()


@contextmanager
def web(user: User) -> Iterator[Browser]:
    """Gunicorn as `manage.py up` runs it."""
    port = _free_port()
    call_command("collectstatic", interactive=False, verbosity=0)
    table = {process.name: process for process in processes(host="127.0.0.1", port=port, data=settings.SIGHTLINE_DATA)}
    with subprocess.Popen(kept(table["web"].command)) as server:
        try:
            _wait_for(port, server)
            yield Browser(port, user)
        finally:
            server.terminate()


def _log_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return session.session_key or ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The web process did not come up; the lines above say why.")
