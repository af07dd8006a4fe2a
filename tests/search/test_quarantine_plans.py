"""Quarantine costs a search nothing: the same plans, and the same estimates, as without it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from archive.models import Asset, AssetQuerySet, Collection, Flag, Status
from search.candidates import find_candidates
from search.query import Query

pytestmark = pytest.mark.django_db
ROWS = 6_000
FILL = """
INSERT INTO archive_asset (uuid, collection_id, kind, status, error, sha256, original, filename, media_type, size,
    title, caption, camera, place, exif, notes, added_at)
SELECT gen_random_uuid(), %s, 'photo', 'ready', '', md5(n::text), '', n || '.jpg', 'image/jpeg', 1,
    '', '', '', '', '{}', '[]', now() - n * interval '1 minute' FROM generate_series(1, %s) n
"""


@pytest.fixture
def many(harbour: Collection) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, [harbour.pk, ROWS])
        cursor.execute("UPDATE archive_asset SET quarantined = true WHERE id % 1000 = 0")
        cursor.execute("ANALYZE archive_asset")


def asked(person: User) -> dict[str, Any]:
    """What searches and pages ask of assets."""
    everything = find_candidates(Query(), person).order_by().values("pk")
    return {
        "count": everything[:20_001],
        "all": everything,
        "newest": find_candidates(Query(), person).order_by("-added_at", "-id")[:61],
        "ids": everything.filter(pk__in=list(Asset.objects.values_list("pk", flat=True)[:50])),
    }


def nodes(plan: dict[str, Any]) -> list[str]:
    inner = [name for child in plan.get("Plans", ()) for name in nodes(child)]
    return [f"{plan['Node Type']} {plan.get('Index Name', '')}", *inner]


def explain(rows: Any) -> dict[str, Any]:
    (plan,) = json.loads(rows.explain(format="json"))
    found: dict[str, Any] = plan["Plan"]
    return found


def without_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AssetQuerySet, "shown", lambda self: self.filter(trashed_at__isnull=True))


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_the_plans_are_those_of_before(many: None, alice: User, bob: User, name: str) -> None:
    """alice is a superuser and sees everything, bob what is shared with him."""
    person = {"alice": alice, "bob": bob}[name]
    now = {key: explain(rows) for key, rows in asked(person).items()}
    with pytest.MonkeyPatch.context() as patch:
        without_quarantine(patch)
        before = {key: explain(rows) for key, rows in asked(person).items()}
    assert {key: nodes(plan) for key, plan in now.items()} == {key: nodes(plan) for key, plan in before.items()}
    for key, plan in now.items():
        assert plan["Plan Rows"] >= 0.9 * before[key]["Plan Rows"], key


def test_what_is_hidden_is_found_by_its_own_index(many: None) -> None:
    found = nodes(explain(Asset.objects.filter(quarantined=True).order_by().values("pk")))
    assert "asset_quarantined" in " ".join(found)


def test_the_planner_knows_the_new_column_in_an_archive_that_was_there_before(harbour: Collection) -> None:
    """The migration analyses it: without statistics half of all assets would count as hidden."""
    from importlib import import_module

    statements = [
        operation.sql
        for operation in import_module("archive.migrations.0014_moderation").Migration.operations
        if hasattr(operation, "sql")
    ]
    assert any("ANALYZE archive_asset (quarantined)" in str(sql) for sql in statements)
    with connection.cursor() as cursor:
        cursor.execute(FILL, [harbour.pk, 2_000])
        cursor.execute("ANALYZE archive_asset (quarantined)")
        cursor.execute("SELECT n_distinct FROM pg_stats WHERE tablename = 'archive_asset' AND attname = 'quarantined'")
        assert cursor.fetchone() == (1.0,)
    assert not Flag.objects.exists()
    assert Asset.objects.filter(status=Status.READY).count() == 2_000
