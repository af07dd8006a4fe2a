"""An answer as plain data: what the API sends and `manage.py search --json` prints."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import reverse

from search.hits import Answer, Hit

ANY = str(uuid.UUID(int=0))
# What is told of an asset, and what tells whether it has moments.
TOLD = ("uuid", "filename", "width", "kind")


def as_dict(answer: Answer) -> dict[str, Any]:
    # Addresses differ in the id alone; asking the router for each would take longer than the search.
    page = reverse("asset", args=[ANY])
    thumbnail = reverse("api_rendition", args=[ANY, "thumbnail"])
    return {
        "hits": [_hit(hit, page, thumbnail) for hit in answer.hits],
        "plan": answer.plan,
        "space": answer.space,
        "asked": answer.asked,
        "got": answer.got,
        "took": answer.took,
        "more": answer.more,
        "well": answer.well,
        "cut": answer.cut,
        "note": answer.note,
        "cursor": answer.cursor if answer.more else "",
    }


def _hit(hit: Hit, page: str, thumbnail: str) -> dict[str, Any]:
    asset = str(hit.asset.uuid)
    return {
        "asset": asset,
        "filename": hit.asset.filename,
        "score": hit.score,
        "share": hit.share,
        "rank": hit.rank,
        "well": hit.well,
        "said": hit.said,
        "moments": [{"start": m.start, "end": m.end, "at": m.at, "score": m.score} for m in hit.moments],
        "url": page.replace(ANY, asset) + (f"?t={hit.at:.2f}" if hit.at else ""),
        "thumbnail": thumbnail.replace(ANY, asset) if hit.asset.width else None,
    }
