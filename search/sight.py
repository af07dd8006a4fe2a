"""What a person sees, as a short name: whatever is remembered for them is forgotten when it changes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from archive.models import Collection

if TYPE_CHECKING:
    from archive.models.collections import Person

EVERYTHING = "everything"


def sight_of(user: Person) -> str:
    """Equal as long as the same collections are open to `user`: the version of their permissions."""
    if user.is_authenticated and user.is_superuser:
        return EVERYTHING
    ids = Collection.objects.visible_to(user).order_by("pk").values_list("pk", flat=True)
    return hashlib.sha256(repr((user.pk, list(ids))).encode()).hexdigest()[:24]
