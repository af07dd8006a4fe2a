"""What templates of the admin ask of an asset."""

from django import template

from archive.models import Asset, Concept
from archive.tags import tags_of

register = template.Library()


@register.filter
def tags_shown(asset: Asset) -> list[Concept]:
    return tags_of(asset)
