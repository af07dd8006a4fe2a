"""Request bodies: whole, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Application = Callable[..., Iterable[bytes]]


def whole_bodies(application: Application) -> Application:
    """A WSGI application that never takes half a body for a whole one."""

    def respond(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdigit():
            environ["wsgi.input"] = WholeBody(environ["wsgi.input"], int(length))
        return application(environ, start_response)

    return respond


class WholeBody:
    """A stream that fails where the client goes away before it sent what it had promised.

    Servers answer such a read with nothing, as at the end of a body; the multipart parser believes
    that, and the half of a picture that came would be kept as a picture.
    """

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int = -1) -> bytes:
        return self._count(self._stream.read(size), size)

    def readline(self, size: int = -1) -> bytes:
        return self._count(self._stream.readline(size), size)

    def _count(self, data: bytes, size: int) -> bytes:
        self._left -= len(data)
        if not data and size != 0 and self._left > 0:
            raise ConnectionResetError(f"The client went away {self._left} bytes before the end.")
        return data
