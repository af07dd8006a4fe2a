"""Keeping the index of the searched space: made once the space is large enough."""

from archive.models import Space
from archive.spaces import build_index


def index_active_space() -> None:
    space = Space.objects.active()
    if space is not None:
        build_index(space)
