"""Renditions: pictures made from an original by a spec, named by its content."""

from collections.abc import Mapping

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from archive.decoder.decoded import Rendition as MadeRendition
from archive.decoder.specs import RECIPE_VERSION
from archive.models import Asset, Rendition


def rendition_key(sha256: str, spec: str) -> str:
    """The name tells content and recipe, so a file that exists under it need not be made again."""
    return f"renditions/{RECIPE_VERSION}/{sha256[:2]}/{sha256[2:4]}/{sha256}.{spec}"


def write_files(asset: Asset, made: Mapping[str, MadeRendition]) -> list[Rendition]:
    """Write the pictures; returns their rows, not yet saved: they belong into the caller's transaction."""
    rows = []
    for spec, picture in made.items():
        key = rendition_key(asset.sha256, spec)
        default_storage.save(key, ContentFile(picture.data))
        rows.append(
            Rendition(
                asset=asset,
                spec=spec,
                key=key,
                media_type=picture.media_type,
                width=picture.width,
                height=picture.height,
                size=len(picture.data),
            )
        )
    return rows


def keep_rows(rows: list[Rendition]) -> None:
    Rendition.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["asset", "spec"],
        update_fields=["key", "media_type", "width", "height", "size"],
    )
