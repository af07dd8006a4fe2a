"""Fixtures that several modules of tests share: what a person has asked to be told."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Alert, Collection
from search.alerts import switch_on
from search.query import Query
from search.saved import save_search


@pytest.fixture
def photos(harbour: Collection, bob: User) -> Alert:
    """Bob wants to know of every photo in the harbour."""
    return switch_on(save_search(Query(kind="photo", collection="harbour"), "photos", bob), bob)
