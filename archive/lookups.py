"""What Django has no word for."""

from __future__ import annotations

from typing import Any

from django.db.models.lookups import Contains


class ILike(Contains):
    """`contains`, whatever the case, as Postgres' own ILIKE: `icontains` compares UPPER() of both sides, which
    no trigram index on the column serves."""

    lookup_name = "ilike"

    def get_rhs_op(self, connection: Any, rhs: str) -> str:
        return f"ILIKE {rhs}"
