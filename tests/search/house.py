"""Drawn scenes behind the pages of concepts, opened by whoever runs the archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from archive.models import Asset, Space
from tests.search.scenes import shown

NEW = {"name": "Lighthouses", "on_match": "propose", "kind": "tag", "prompts": "a lighthouse"}


@dataclass(frozen=True)
class House:
    assets: list[Asset]
    client: Client
    space: Space

    def showing(self, thing: str) -> set[int]:
        pairs = zip(self.assets, shown().scenes, strict=True)
        return {asset.pk for asset, scene in pairs if thing in [group.thing for group in scene.groups]}

    def under(self, sky: str) -> set[int]:
        return {asset.pk for asset, scene in zip(self.assets, shown().scenes, strict=True) if scene.sky == sky}

    def post(self, address: str, **fields: Any) -> Any:
        return self.client.post(address, fields)


def first_of(page: str, heading: str) -> list[str]:
    """The pictures of a list in the preview."""
    part = page[page.index(heading) :]
    return re.findall(r'/assets/([0-9a-f-]{36})/"><img', part[: part.index("</ul>")])


def number_in(page: str) -> int:
    found = re.search(r'<output id="would-be"[^>]*>(?:about )?(\d+)</output>', page)
    assert found
    return int(found[1])
