"""Migrations that build an index while the archive is used: what a failed one left does not stop the next."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.state import ProjectState

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
def test_the_models_are_what_the_migrations_make() -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
