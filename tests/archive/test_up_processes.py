"""`manage.py up` before it starts: which processes it is to have, and the address they answer at."""

import os
import socket
from pathlib import Path

import pytest

from archive.bundled import gpus
from archive.bundled import processes as processes_module
from archive.bundled.errors import BundledError
from archive.bundled.port import AddressUnusable, check_address
from archive.bundled.processes import processes


def test_each_queue_has_a_worker_and_queries_wait_behind_nothing_else(tmp_path: Path) -> None:
    table = {process.name: process for process in processes(host="127.0.0.1", port=8000, data=tmp_path)}
    assert set(table) == {"web", "media", "encode", "queries", "beat"}
    for queue in ("media", "encode", "queries"):
        command = table[queue].command
        assert command[command.index("-Q") + 1] == queue
    assert table["encode"].environment["OMP_NUM_THREADS"] == "1"


def test_the_number_of_encoding_processes_can_be_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_ENCODE_PROCESSES", "3")
    table = {process.name: process for process in processes(host="127.0.0.1", port=8000, data=tmp_path)}
    command = table["encode"].command
    assert command[command.index("-c") + 1] == "3"


@pytest.mark.parametrize(
    ("devices", "environment", "count"),
    [
        (["nvidia0", "nvidia1", "nvidia2", "nvidiactl", "nvidia-uvm"], {}, 3),
        (["nvidia0", "nvidia1"], {"SIGHTLINE_DEVICE": "cuda"}, 2),
        (["nvidia0", "nvidia1"], {"SIGHTLINE_DEVICE": "cuda:1"}, 1),
        (["nvidia0", "nvidia1"], {"SIGHTLINE_DEVICE": "cpu"}, 0),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": "1"}, 1),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": "0,-1,1"}, 1),
        (["nvidia0", "nvidia1"], {"CUDA_VISIBLE_DEVICES": ""}, 0),
        ([], {"CUDA_VISIBLE_DEVICES": "0"}, 0),
        (["nvidiactl"], {}, 0),
    ],
)
def test_gpus_are_counted_without_torch(
    devices: list[str], environment: dict[str, str], count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in devices:
        (tmp_path / name).touch()
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    assert gpus.count_gpus(environment) == count


def test_a_torch_without_cuda_has_no_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nvidia0").touch()
    monkeypatch.setattr(gpus, "DEVICES", tmp_path)
    monkeypatch.setattr(gpus, "version", lambda package: "2.14.1+cpu")
    assert gpus.count_gpus({}) == 0


@pytest.mark.parametrize(("found", "said", "children"), [(2, None, 2), (2, "5", 5), (0, None, None)])
def test_as_many_processes_encode_as_there_are_gpus(
    found: int, said: str | None, children: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes_module, "count_gpus", lambda: found)
    monkeypatch.delenv("SIGHTLINE_ENCODE_PROCESSES", raising=False)
    if said is not None:
        monkeypatch.setenv("SIGHTLINE_ENCODE_PROCESSES", said)
    table = {process.name: process for process in processes(host="127.0.0.1", port=8000, data=tmp_path)}
    command = table["encode"].command
    assert command[command.index("-c") + 1] == str(children or min(os.cpu_count() or 1, 4))


def test_a_taken_port_is_refused_with_advice() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressUnusable, match=f"127.0.0.1:{port}: another program.*--port"):
            check_address("127.0.0.1", port)
    check_address("127.0.0.1", port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(AddressUnusable, match="--host"):
        check_address("192.0.2.1", 8000)


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_a_port_that_does_not_exist_is_refused(port: int) -> None:
    with pytest.raises(AddressUnusable, match=r"no such port.*from 1 to 65535"):
        check_address("127.0.0.1", port)


def test_a_number_of_processes_that_is_none_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGHTLINE_MEDIA_PROCESSES", "many")
    with pytest.raises(BundledError, match="SIGHTLINE_MEDIA_PROCESSES is 'many'"):
        processes(host="127.0.0.1", port=8000, data=tmp_path)
