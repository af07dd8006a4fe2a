"""Postgres settings for a laptop or a small server that holds vectors."""

import os

MEGABYTE = 1 << 20
# Parallel index builds take shared memory from here; containers often have 64 MB of it.
ENOUGH_SHARED_MEMORY = 1 << 30


def tuned_settings(*, durable: bool) -> dict[str, str]:
    """`durable=False` is for databases of tests: it still survives a killed server, but no power cut."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "port": "5432",
        "max_connections": "60",
        "shared_buffers": _between(128, memory // 32, 1024),
        "effective_cache_size": _between(256, memory // 2, 65536),
        # An HNSW build is four times slower once its graph (2 to 3.5 kB a row) does not fit in this.
        "maintenance_work_mem": _between(64, memory // 16, 2048),
        "dynamic_shared_memory_type": "posix" if _shared_memory() >= ENOUGH_SHARED_MEMORY else "mmap",
        "jit": "off",  # compiling costs more than these queries take
        "random_page_cost": "1.1",
        "max_wal_size": "2GB",
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "fsync": "on" if durable else "off",
        "synchronous_commit": "on",
    }


def index_memory() -> int:
    """Megabytes for building one HNSW index where Postgres runs on this machine beside models and workers."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(64, min(memory // 8 // MEGABYTE, 8192))


def _between(lowest: int, wanted: int, highest: int) -> str:
    return f"{max(lowest, min(wanted // MEGABYTE, highest))}MB"


def _shared_memory() -> int:
    try:
        found = os.statvfs("/dev/shm")  # noqa: S108  only its size is read
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize
