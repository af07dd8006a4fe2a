"""A row is chosen by typing a part of its name: of a thousand of them no page has a list."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect

DIGITS = 18


class Chooser(AutocompleteSelect):
    """Django's own, which breaks over what was sent instead of a number when it shows the form again."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        numbers = [one for one in map(str, value) if one.isascii() and one.isdigit() and len(one) <= DIGITS]
        return super().optgroups(name, numbers or [""], attr)
