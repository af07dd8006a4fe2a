"""A Postgres and a Valkey for one test session, gone with it even when pytest is killed with -9."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.bundled.connections import Connections
from archive.bundled.services import bundled_services


@contextmanager
def session_services() -> Iterator[Connections]:
    """Start them on a folder of their own and name them in the environment; enter before settings load.

    A DATABASE_URL or REDIS_URL that is already set is used instead of the bundled server.
    """
    data = Path(tempfile.mkdtemp(prefix="sightline-tests-"))
    data.chmod(0o711)  # as root, the servers run as another user, who must get through
    before = {name: os.environ.get(name) for name in ("DATABASE_URL", "REDIS_URL", "SIGHTLINE_DATA")}
    try:
        with bundled_services(data, durable=False) as connections:
            os.environ["DATABASE_URL"] = connections.database_url
            os.environ["REDIS_URL"] = connections.redis_url
            os.environ["SIGHTLINE_DATA"] = str(data)
            yield connections
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(data, ignore_errors=True)
