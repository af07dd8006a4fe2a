"""What `manage.py up` prepares and checks first: static files, a log-in, the sample, and the database's parts."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import models

from archive import checks, static_files
from archive.models import Collection
from archive.models.collections import CONTRIBUTING
from archive.people import make_first_log_in
from archive.sample import Shown, get_sample_collection


def test_static_files_are_collected_again_only_when_one_has_changed(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/page.css").write_text("body { color: teal }")
    settings.STATICFILES_DIRS = [tmp_path / "source"]
    settings.STATIC_ROOT = tmp_path / "collected"
    assert static_files.collect_if_changed()
    assert not static_files.collect_if_changed()
    (tmp_path / "source/page.css").write_text("body { color: rebeccapurple }")
    os.utime(tmp_path / "source/page.css", (time.time() + 5, time.time() + 5))  # seconds are what Django compares
    assert static_files.collect_if_changed()
    assert "rebeccapurple" in (tmp_path / "collected/page.css").read_text()


@pytest.mark.django_db
def test_the_first_log_in_is_made_once_and_its_note_goes_when_the_password_changes() -> None:
    note = Path(settings.SIGHTLINE_DATA) / "secrets/log-in-alice"
    make_first_log_in()
    make_first_log_in()
    alice = User.objects.get()
    assert alice.is_superuser
    assert alice.check_password(note.read_text().strip())
    alice.set_password("another one, her own")
    alice.save()
    make_first_log_in()
    assert not note.exists()
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_nobody_is_let_into_an_archive_that_has_people() -> None:
    User.objects.create_user("carol")
    make_first_log_in()
    assert not User.objects.filter(is_superuser=True).exists()


@pytest.mark.django_db
def test_everybody_may_look_at_the_sample_and_bob_may_add_to_it() -> None:
    collection = get_sample_collection("city-nights", Shown.DRAWN)
    assert get_sample_collection("city-nights", Shown.DRAWN) == collection
    assert collection.name == "City nights (drawn)"
    may_add = [user.username for user in User.objects.order_by("username") if collection in open_to(user)]
    assert may_add == ["alice", "bob"]
    assert collection in Collection.objects.visible_to(User.objects.get(username="visitor"))


def open_to(user: User) -> models.QuerySet[Collection]:
    return Collection.objects.open_to(user, CONTRIBUTING)


@pytest.mark.django_db
def test_a_pgvector_that_can_corrupt_an_index_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert checks.pgvector_is_recent() == []
    monkeypatch.setattr(checks, "PGVECTOR_AT_LEAST", (99, 0))
    (refusal,) = checks.pgvector_is_recent()
    assert "too old" in refusal.msg
    assert "ALTER EXTENSION vector UPDATE" in str(refusal.hint)
