"""The table of docs/models.md, made from models.toml. `python -m workers.models_page` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

from archive.catalogue import Model, default_model, models

PAGE = Path(__file__).parent.parent / "docs/models.md"
BEGIN, END = "<!-- from workers/models.toml: begin -->", "<!-- end -->"
HEAD = "| Name | Numbers | Pixels | Tokens | Parameters | ImageNet | Languages | Choose it for |"


def table() -> str:
    """Every model, grouped by family, between two marks."""
    lines = [BEGIN]
    for family in dict.fromkeys(model.family for model in models().values()):
        members = [model for model in models().values() if model.family == family]
        about = f"Licence: {_licences(members)}."
        if members[0].source:
            about += f" Figures: [{members[0].source.split('/')[3]}]({members[0].source})."
        lines += ["", f"### {family}", "", about, "", HEAD, "|---|" + "--:|" * 5 + "---|---|"]
        lines += [_row(model) for model in members]
    return "\n".join([*lines, "", END])


def _licences(members: list[Model]) -> str:
    """The family's; where its models differ, each by name."""
    if len({model.licence for model in members}) == 1:
        return members[0].licence
    return "; ".join(f"`{model.name}` {model.licence}" for model in members)


def _row(model: Model) -> str:
    name = f"**`{model.name}`** (default)" if model == default_model() else f"`{model.name}`"
    accuracy = f"{model.imagenet:.1f} %" if model.imagenet is not None else "not published"
    figures = f"{model.numbers} | {model.size} | {model.context} | {model.parameters:.1f} M | {accuracy}"
    return f"| {name} | {figures} | {model.languages} | {model.choose} |"


def write() -> None:
    page = PAGE.read_text(encoding="utf-8")
    between = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    PAGE.write_text(between.sub(lambda _: table(), page), encoding="utf-8")


if __name__ == "__main__":
    write()
