"""Migrations that build an index while the archive is used: what a failed one left does not stop the next."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.operations import AddIndex
from django.db.migrations.state import ProjectState

from archive import migrations
from archive.models import Asset, Collection, Kind, Rendition
from archive.models.words import AssetWords

INDEX = "SELECT indexrelid, indisvalid FROM pg_index WHERE indexrelid = %s::regclass"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("migration", "index"), [("0003_space_life", "work_by_target"), ("0010_taken_in_order", "asset_taken")]
)
def test_a_migration_that_failed_half_way_can_be_run_again(migration: str, index: str) -> None:
    operations = import_module(f"archive.migrations.{migration}").Migration.operations
    with connection.cursor() as cursor:
        cursor.execute(INDEX, [index])
        before, _ = cursor.fetchone() or (None, None)
    state = ProjectState()
    with connection.schema_editor(atomic=False) as editor:
        for operation in operations:  # all that it makes is there already
            operation.database_forwards("archive", editor, state, state)
    with connection.cursor() as cursor:
        cursor.execute(INDEX, [index])
        after, valid = cursor.fetchone() or (None, None)
    assert valid
    assert before
    assert after != before  # made anew: the one that it found may have been of a build that failed


@pytest.mark.django_db
def test_words_that_kept_their_accents_beside_digits_are_written_anew(
    harbour: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("Zürich2024.jpg", "7ème.jpg", "It's Zürich 2024.jpg", "zurich2024.jpg", "Берлин9.jpg")
    assets = [Asset.objects.create(collection=harbour, sha256=name, size=1, filename=name) for name in names]
    migration = import_module("archive.migrations.0020_accents_beside_digits")
    monkeypatch.setattr(migration, "BATCH", 2)
    words = AssetWords.objects.order_by("pk")
    with connection.cursor() as cursor:
        cursor.execute(migration.MAPPING.format("simple"))
        cursor.execute("SELECT archive_write_words(%s)", [[asset.pk for asset in assets]])
        before = list(words.values_list("said", flat=True))
        assert "zürich2024" in before[0]
        cursor.execute(migration.MAPPING.format("unaccent, simple"))
    with connection.schema_editor() as editor:
        migration.write_anew(None, editor)
    after = list(words.values_list("said", flat=True))
    assert "'zurich2024'" in after[0]
    assert "'7eme'" in after[1]
    assert after[2:] == before[2:]


@pytest.mark.django_db
def test_a_video_that_browsers_play_may_be_larger_than_two_gigabytes(harbour: Collection) -> None:
    film = Asset.objects.create(
        collection=harbour, kind=Kind.VIDEO, sha256="0" * 64, original="film", media_type="video/mp4", size=1
    )
    made = {"key": "playable", "media_type": "video/mp4", "width": 2, "height": 2}
    Rendition.objects.create(asset=film, spec="playable", size=3 * 2**30, **made)
    assert Rendition.objects.get().size == 3 * 2**30


def test_no_index_of_the_large_tables_is_built_while_they_are_locked() -> None:
    """From 0011 on; what was there before was made when there was little in them."""
    for path in sorted(Path(migrations.__path__[0]).glob("0*.py")):
        found = import_module(f"archive.migrations.{path.stem}").Migration
        plain = [one for one in found.operations if type(one) is AddIndex]
        held = {one.model_name for one in plain} & {"asset", "frame", "work", "rendition"}
        assert path.stem < "0011" or not held, path.stem


@pytest.mark.django_db
def test_the_models_are_what_the_migrations_make() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
