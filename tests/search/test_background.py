"""The sample that a query is measured against: from the space's own table, which may go under a search."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from archive.models import Asset, Collection, Space, SpaceState, Status
from archive.spaces import clear_away
from search.background import find_background, forget
from search.failures import SpaceGone
from search.neighbours import stored_vector
from tests.prepared import make_encoded, random_rows


@pytest.mark.django_db(transaction=True)
def test_of_a_space_that_is_gone_there_is_no_empty_background_but_a_word(
    harbour: Collection, fake_space: Space, bob: User
) -> None:
    rows = random_rows(25)
    one, *_ = make_encoded(harbour, fake_space, rows)
    Asset.objects.update(status=Status.READY)
    forget()
    assert len(find_background(fake_space, bob, "all", rows[0]).sorted) == 25
    forget()
    Space.objects.update(state=SpaceState.RETIRED)
    fake_space.refresh_from_db()
    assert clear_away(fake_space)
    with pytest.raises(SpaceGone):
        find_background(fake_space, bob, "all", rows[0])
    with pytest.raises(SpaceGone):
        stored_vector(fake_space, one)
