"""Where webhooks may lead and how long a call may take: public addresses alone, and never without end."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from search import alerts_http
from search.alerts_http import CallFailed, RefusedAddress, Target, post, resolve
from tests.search.receiver import Receiver

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "url",
    [
        *("https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/", "https://192.168.0.1/", "https://172.16.0.1/"),
        *("https://169.254.169.254/latest/meta-data/", "https://100.64.0.1/", "https://0.0.0.0/", "https://0/"),
        *("https://[::1]/", "https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:127.0.0.1]/"),
        *("https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://2130706433/", "https://0x7f.1/"),
        *("https://224.0.0.1/", "https://255.255.255.255/", "https://[ff02::1]/", "https://[::]/"),
        *("http://93.184.216.34/", "ftp://93.184.216.34/", "https:///x", "https://u:p@93.184.216.34/", "//x", "x"),
        *("https://93.184.216.34:22/", "https://93.184.216.34:99999/", "https://a b/", "https://a\r\nX: y/", "https://ü.example/"),
        *("https://nowhere.invalid/", "https://" + "x" * 600, "", "https://[::1", "https://93.184.216.34:0/"),
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused_in_words(url: str) -> None:
    with pytest.raises(RefusedAddress, match=r"^[A-Za-z].*\.$"):
        resolve(url)


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(RefusedAddress, match="not public"):
        resolve("https://example.org/")


def test_a_deployment_may_allow_a_network_of_its_own() -> None:
    assert resolve("http://10.1.2.3/x", ["10.1.0.0/16"]).addresses == ("10.1.2.3",)
    assert resolve("https://10.1.2.3:8443/x", ["10.1.2.3"]).port == 8443
    with pytest.raises(RefusedAddress):
        resolve("http://10.2.0.1/x", ["10.1.0.0/16"])


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers otherwise the second time is not asked a second time."""
    answers = iter(["93.184.216.34", "127.0.0.1"])
    connected: list[Any] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    target = resolve("https://example.org/")
    with pytest.raises(CallFailed):
        post(target, b"{}", {})
    assert connected == [("93.184.216.34", 443)]


def test_an_answer_without_end_is_cut_off_in_length_and_in_time(receiver: Receiver) -> None:
    target = receiver.target
    receiver.size = 2000
    assert post(target, b"{}", {}) == 200
    receiver.size, receiver.pause = 50, 0.1
    began = time.monotonic()
    with pytest.raises(CallFailed, match="TimeoutError"):
        post(target, b"{}", {}, seconds=0.6)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("trickle", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n", b"\x16"])
def test_no_call_is_longer_than_its_time_whatever_trickles_in(scheme: str, trickle: bytes) -> None:
    """Each part comes long before a socket would time out, and there is no end to them."""
    over = threading.Event()

    def feed() -> None:
        there, _ = listening.accept()
        with there:
            try:
                for _ in range(1000):
                    there.sendall(trickle)
                    if over.wait(0.05):
                        return
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=feed)
        thread.start()
        began = time.monotonic()
        with pytest.raises(CallFailed):
            post(Target(scheme, "example.org", port, "/", ("127.0.0.1",)), b"{}", {}, seconds=0.4)
        assert time.monotonic() - began < 2
        over.set()
        thread.join()


def test_a_name_that_nobody_answers_for_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    monkeypatch.setattr(alerts_http, "LOOK_UP_SECONDS", 0.1)
    began = time.monotonic()
    with pytest.raises(RefusedAddress, match="nobody knows its name"):
        resolve("https://example.org/")
    over.set()
    assert time.monotonic() - began < 2


def test_a_certificate_has_to_be_of_the_name(receiver: Receiver) -> None:
    target = replace(receiver.target, scheme="https", host="example.org")
    with pytest.raises(CallFailed, match="SSL"):
        post(target, b"{}", {})
