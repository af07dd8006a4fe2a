"""What `up` writes to the terminal: one line a time, each with the coloured name of its process."""

import re

from rich.console import Console
from rich.text import Text

NAME_WIDTH = 8
# Colours of the process's own, and anything else that would move the cursor: file names end up in logs.
ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


class Lines:
    """A process's output as circus hands it over: in pieces, cut anywhere."""

    def __init__(self, console: Console, name: str, colour: str) -> None:
        self.console = console
        self.name = name
        self.colour = colour
        self.rest = b""

    def __call__(self, piece: dict[str, object]) -> None:
        data = piece["data"]
        assert isinstance(data, bytes)
        *whole, self.rest = (self.rest + data).split(b"\n")
        for line in whole:
            say(self.console, self.name, ESCAPES.sub(b"", line).decode(errors="replace").rstrip(), self.colour)

    def close(self) -> None:
        if self.rest:
            self({"data": b"\n"})


def say(console: Console, name: str, line: str, colour: str = "white", style: str = "") -> None:
    text = Text.assemble((f"{name:>{NAME_WIDTH}} ", f"bold {colour}"), ("│ ", "dim"), (line, style))
    console.print(text, soft_wrap=True, highlight=False)
