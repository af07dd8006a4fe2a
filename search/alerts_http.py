"""Calling an address that a person typed in, without reaching what only this machine can reach.

The name is resolved once; if any of its addresses is not public the call is refused, and the connection goes to
the very address that was looked at, so that a second answer of the name server changes nothing. No redirect is
followed. Python's own http.client does it: urllib3 and requests resolve the name by themselves.

A timeout of a socket counts anew with every byte. So a timer shuts the socket at the end, whatever trickles in.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECONDS = 10.0  # for all of a call
LOOK_UP_SECONDS = 5.0  # for the name before it
MOST_READ = 64 * 1024
LONGEST_URL = 500
MOST_ADDRESSES = 2  # are tried: one of each kind
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# One sentence for both: else names of the network inside could be tried out.
UNREACHABLE = "That machine may not be called from here: nobody knows its name, or its network is not public."
PORTS = {"http": 80, "https": 443}


class RefusedAddress(Exception):
    """It may not be called; says why, for the person who typed it."""


class CallFailed(Exception):
    """Nothing, or nothing that could be read, came back."""


@dataclass(frozen=True)
class Target:
    """Where a call goes: `addresses` are what `host` was resolved to, tried in their order."""

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


def read_url(url: str) -> SplitResult:
    """A web address that makes sense, whatever it leads to. Raises `RefusedAddress`."""
    if len(url) > LONGEST_URL or any(not 32 < ord(letter) < 127 for letter in url):
        raise RefusedAddress(f"An address of at most {LONGEST_URL} plain characters without spaces, please.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedAddress("That is not a web address.") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise RefusedAddress("The address has to begin with https:// and the name of a machine.")
    if parts.username or parts.password:
        raise RefusedAddress("Leave the name and password out of the address: calls are signed instead.")
    if port is not None and port not in PORTS.values() and port < 1024:
        raise RefusedAddress("The port has to be 443, 80, or 1024 and above.")
    return parts


def resolve(url: str, allowed: Sequence[str] = ()) -> Target:
    """Look the name up, once. `allowed`: networks that are not public and may be called. Raises `RefusedAddress`."""
    parts = read_url(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    found = _look_up(host, port)
    networks = [ipaddress.ip_network(network, strict=False) for network in allowed]
    addresses = [ipaddress.ip_address(str(info[4][0]).partition("%")[0]) for info in found]
    inside = [any(address in network for network in networks) for address in addresses]
    for address, permitted in zip(addresses, inside, strict=True):
        if not permitted and not _is_public(address):
            raise RefusedAddress(UNREACHABLE)
    if parts.scheme == "http" and not all(inside):
        raise RefusedAddress("The address has to begin with https://, so that nobody on the way reads along.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, tuple(dict.fromkeys(str(address) for address in addresses)))


def post(target: Target, body: bytes, headers: Mapping[str, str], seconds: float = SECONDS) -> int:
    """The status that came back; of the answer no more than 64 kB is read, and thrown away. Raises `CallFailed`."""
    connection = (_Pinned if target.scheme == "http" else _PinnedTLS)(target, seconds)
    timer = threading.Timer(seconds, connection.cut)
    timer.daemon = True
    timer.start()
    try:
        connection.request("POST", target.path, body, {**headers, "Host": _host(target), "Connection": "close"})
        answer = connection.getresponse()
        read = 0
        while read < MOST_READ and (part := answer.read1(min(16_384, MOST_READ - read))):
            read += len(part)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CallFailed(f"No answer ({'TimeoutError' if connection.late else type(error).__name__}).") from error
    finally:
        timer.cancel()
        connection.close()
    if connection.late:  # a socket that was shut looks like one that has ended
        raise CallFailed("No answer (TimeoutError).")
    return answer.status


def _look_up(host: str, port: int) -> list[tuple[Any, ...]]:
    """As `getaddrinfo`, which nothing can end: after a while nobody waits for it any more."""
    answers: queue.SimpleQueue[list[tuple[Any, ...]] | None] = queue.SimpleQueue()

    def look() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError):
            answers.put(None)

    threading.Thread(target=look, daemon=True).start()
    try:
        found = answers.get(timeout=LOOK_UP_SECONDS)
    except queue.Empty:
        found = None
    if found is None:
        raise RefusedAddress(UNREACHABLE)
    return found


def _is_public(address: Address) -> bool:
    """Also of what an address of IPv6 stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo or ()
        inner = [address.ipv4_mapped, address.sixtofour, *teredo]
        if address in NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(one is not None and not _is_public(one) for one in inner):
            return False
        if address.ipv4_mapped is not None:
            return True
    return address.is_global and not address.is_multicast and not address.is_reserved


class _Pinned(http.client.HTTPConnection):
    """Goes to the addresses that were looked at, whatever the name leads to by now."""

    def __init__(self, target: Target, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self.target = target
        self.seconds = seconds
        self.late = False
        self.open: socket.socket | None = None  # `sock` is gone while the answer is read

    def cut(self) -> None:
        """End it, from another thread: whoever reads or writes is woken. TLS is not asked, for its own shutdown takes
        away what the reader is using."""
        self.late = True
        if self.open is not None:
            with suppress(OSError):  # ended already
                socket.socket.shutdown(self.open, socket.SHUT_RDWR)

    def hold(self, sock: socket.socket) -> None:
        sock.settimeout(self.seconds)
        self.sock = self.open = sock
        if self.late:  # the timer found nothing to end
            raise TimeoutError

    def connect(self) -> None:
        addresses = self.target.addresses[:MOST_ADDRESSES]
        failed = OSError("no address")
        for address in addresses:
            try:
                found = socket.create_connection((address, self.target.port), self.seconds / len(addresses))
            except OSError as error:
                failed = error
            else:
                self.hold(found)
                return
        raise failed


class _PinnedTLS(_Pinned):
    """The certificate has to be of the name."""

    def connect(self) -> None:
        super().connect()
        context = ssl.create_default_context()
        wrapped = context.wrap_socket(self.sock, server_hostname=self.target.host, do_handshake_on_connect=False)
        self.hold(wrapped)  # before the handshake, so that the timer reaches it
        wrapped.do_handshake()


def _host(target: Target) -> str:
    name = f"[{target.host}]" if ":" in target.host else target.host
    return name if target.port == PORTS[target.scheme] else f"{name}:{target.port}"
