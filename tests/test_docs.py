"""What README and docs say is there: every link leads somewhere, every file and every command that they name exists."""

import re
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import get_commands, load_command_class

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
HELP = ROOT / "templates/archive/models_help.html"
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:archive|search|workers|templates|tests|docs)/[\w/.-]+)`")
COMMAND = re.compile(r"manage\.py ([a-z_]+)([^`<\n#]*)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


class Written(NamedTuple):
    """`manage.py VERB REST`, as a page has it."""

    page: str
    verb: str
    rest: str


def anchors(page: Path) -> set[str]:
    """The headings of a page, as GitHub addresses them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands() -> Iterator[Written]:
    for page in (*PAGES, HELP):
        text = re.sub(r"\n +(?=\[--)", " ", page.read_text().replace("\\|", "|"))
        for verb, rest in COMMAND.findall(text):
            yield Written(page.name, verb, rest)


def parser_of(verb: str) -> ArgumentParser:
    app = get_commands()[verb]
    command = load_command_class(app, verb) if isinstance(app, str) else app
    return command.create_parser("manage.py", verb)


def choices(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """The words that may stand behind a verb, each with what reads the rest."""
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            return dict(action.choices)
        if not action.option_strings and action.choices:
            return dict.fromkeys(map(str, action.choices), parser)
    return {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_to_a_heading_of_it(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    missing = [name for name in FILE.findall(page.read_text()) if not (ROOT / name).exists()]
    assert missing == []


def test_every_command_that_is_named_exists_with_its_options() -> None:
    written = list(commands())
    assert {"README.md", "commands.md", HELP.name} <= {one.page for one in written}
    for one in written:
        assert one.verb in get_commands(), one
        parser = parser_of(one.verb)
        known = choices(parser)
        if known:
            words = re.match(r" ([a-z]+(?:\|[a-z]+)*)", one.rest)
            chosen = words[1].split("|") if words else []
            assert set(chosen) <= set(known), one
            parsers = [known[word] for word in chosen] or [parser]
        else:
            parsers = [parser]
        understood = {option for each in parsers for option in each._option_string_actions}
        assert set(OPTION.findall(one.rest)) <= understood, one
