"""How much an alert found that nobody looked at yet: for the bell in the header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

from search.alerts import MOST_COUNTED, count_unread

if TYPE_CHECKING:
    from archive.models.collections import Person

register = template.Library()


@register.inclusion_tag("search/_bell.html")
def bell(user: Person, here: str = "") -> dict[str, object]:
    count = count_unread(user)
    return {"count": count, "shown": f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count), "here": here}
