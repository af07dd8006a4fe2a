"""Is the address free? Asked before anything starts, so that the answer is one sentence."""

import errno
import socket

from archive.bundled.errors import BundledError

LAST_PORT = 65535


class AddressUnusable(BundledError):
    def __init__(self, host: str, port: int, reason: str, advice: str) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: {reason}. {advice}")
        self.host = host
        self.port = port
        self.reason = reason


def check_address(host: str, port: int) -> None:
    """Raise AddressUnusable unless a server could listen there now."""
    if not 1 <= port <= LAST_PORT:  # the resolver would take it modulo 65536
        raise AddressUnusable(host, port, "there is no such port", f"Choose one from 1 to {LAST_PORT} with --port.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(1)
    except socket.gaierror as error:
        advice = "Give --host an address of this machine, such as 127.0.0.1."
        raise AddressUnusable(host, port, f"the name is unknown ({error.strerror})", advice) from error
    except OSError as error:
        reasons = {
            errno.EADDRINUSE: (
                "another program already uses that port",
                "Stop it, or choose another with --port.",
            ),
            errno.EACCES: ("this user may not use that port", "Choose one from 1024 up with --port."),
            errno.EADDRNOTAVAIL: (
                "this machine does not have that address",
                "Give --host an address of this machine.",
            ),
        }
        fallback = (error.strerror or str(error), "Choose another with --host and --port.")
        raise AddressUnusable(host, port, *reasons.get(error.errno or 0, fallback)) from error
