"""What the sandbox and its child say to each other over one stream socket.

Each message is four bytes of length, that much JSON, then blobs whose lengths the JSON names under "blobs".
A job carries the open file along with the length: the child never opens anything.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from typing import Any

LENGTH = struct.Struct(">I")
MAX_HEADER = 1024 * 1024
MAX_BLOBS = 64 * 1024 * 1024


class Hangup(Exception):
    """The other side is gone."""


class Garbled(Exception):
    """The other side says what it never would if it were well."""


def send(sock: socket.socket, message: dict[str, Any], blobs: Sequence[bytes] = (), fd: int | None = None) -> None:
    header = json.dumps(message | {"blobs": [len(blob) for blob in blobs]}).encode()
    try:
        if fd is None:
            sock.sendall(LENGTH.pack(len(header)))
        else:
            socket.send_fds(sock, [LENGTH.pack(len(header))], [fd])
        for part in (header, *blobs):
            sock.sendall(part)
    except (BrokenPipeError, ConnectionResetError) as problem:
        raise Hangup from problem


def receive(sock: socket.socket, until: float | None = None) -> tuple[dict[str, Any], list[bytes]]:
    """One message. `until` is a moment of time.monotonic(); after it TimeoutError is raised."""
    (length,) = LENGTH.unpack(_exactly(sock, LENGTH.size, until))
    return _body(sock, length, until)


def receive_job(sock: socket.socket) -> tuple[dict[str, Any], int]:
    """A message with an open file descriptor, which is then the caller's to close."""
    try:
        start, fds, _, _ = socket.recv_fds(sock, LENGTH.size, 1)
    except ConnectionResetError as problem:
        raise Hangup from problem
    if not start:
        raise Hangup
    (length,) = LENGTH.unpack(start + _exactly(sock, LENGTH.size - len(start), None))
    message, _ = _body(sock, length, None)
    if len(fds) != 1:
        raise Garbled("a job without a file")
    return message, fds[0]


def _body(sock: socket.socket, length: int, until: float | None) -> tuple[dict[str, Any], list[bytes]]:
    if length > MAX_HEADER:
        raise Garbled("a header of that length")
    try:
        message = json.loads(_exactly(sock, length, until))
        sizes = [int(size) for size in message.pop("blobs")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Garbled("a header that is no message") from problem
    if any(size < 0 for size in sizes) or sum(sizes) > MAX_BLOBS:
        raise Garbled("blobs of that size")
    return message, [_exactly(sock, size, until) for size in sizes]


def _exactly(sock: socket.socket, size: int, until: float | None) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        if until is not None:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
        try:
            count = sock.recv_into(view)
        except ConnectionResetError as problem:
            raise Hangup from problem
        if count == 0:
            raise Hangup
        view = view[count:]
    return bytes(data)
