"""Where the bundled services are, for settings: read from a file, never found out by import."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from archive.bundled.secrets import write_private

FILE = Path("secrets") / "connections.json"


@dataclass(frozen=True)
class Connections:
    """URLs with their passwords. An empty URL: that service is not bundled, the environment names it."""

    database_url: str
    redis_url: str
    secret_key: str

    def __repr__(self) -> str:
        return "Connections(...)"  # passwords stay out of logs and tracebacks


def read_connections(data: Path) -> Connections | None:
    """What the launcher wrote at its last start on this folder; None before the first."""
    try:
        found = json.loads((data / FILE).read_text(encoding="utf-8"))
        return Connections(found["database_url"], found["redis_url"], found["secret_key"])
    except (FileNotFoundError, NotADirectoryError):
        return None


def write_connections(data: Path, connections: Connections) -> None:
    write_private(data / FILE, json.dumps(asdict(connections), indent=1) + "\n")
