"""From arrival to match: what arrives is found once, by those who may see it, in or out of trash and quarantine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now

from archive.alerts import something_waits
from archive.models import (
    Alert,
    Answer,
    Arrival,
    Asset,
    Collection,
    Concept,
    ConceptKind,
    Embedding,
    Flag,
    Match,
    Membership,
    SavedSearch,
    Space,
    Status,
)
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import answer
from archive.noticing import notice
from archive.spaces import activate
from archive.vectors import Rows, read_vectors, store_vectors
from archive.work import encode_again
from search.alerts import count_unread, find_groups, switch_off, switch_on
from search.alerts_matching import match_new
from search.query import Query
from search.saved import save_search
from tests.pictures import distinct
from tests.prepared import Shot, make_encoded, make_prepared, make_video, random_rows
from tests.search.alerting import arrive, told
from workers.encode import drain_encode
from workers.spaces import make_space

pytestmark = pytest.mark.django_db


def test_without_an_alert_nothing_is_written(harbour: Collection, fake_space: Space, bob: User) -> None:
    arrive(harbour, fake_space)
    assert not Arrival.objects.exists()
    saved = save_search(Query(kind="photo"), "photos", bob)
    switch_on(saved, bob)
    switch_off(saved, bob)
    arrive(harbour, fake_space, seed=8)
    assert not Arrival.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_comes_through_the_pipeline_is_found(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    asset = make_prepared(harbour, distinct(1), fake_space)
    drain_encode()
    assert list(Arrival.objects.values_list("asset", flat=True)) == [asset.pk]
    assert something_waits()
    assert match_new().matches == 1
    assert told(photos) == [asset.pk]
    assert not something_waits()


def test_an_asset_is_found_once_however_often_it_comes(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    assets = arrive(harbour, fake_space)
    match_new()
    ids = [asset.pk for asset in assets]
    assert told(photos) == ids
    Asset.objects.filter(pk__in=ids).update(status=Status.FAILED)
    notice(fake_space, read_vectors(fake_space, ids))  # somebody retried
    Asset.objects.filter(pk__in=ids).update(status=Status.READY)
    assert match_new().assets == 3
    assert told(photos) == ids


def test_another_model_makes_nothing_new(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    old = make_encoded(harbour, fake_space, random_rows(4))
    other = make_space("other", "fake")
    rows = read_vectors(fake_space, [asset.pk for asset in old])
    store_vectors(other, rows.frames, rows.assets, rows.vectors)
    notice(other, Rows(rows.frames, rows.assets, rows.vectors))
    assert not Arrival.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("lost", [False, True])
def test_what_is_encoded_again_is_not_new(harbour: Collection, fake_space: Space, bob: User, lost: bool) -> None:
    old = make_prepared(harbour, distinct(1), fake_space)
    drain_encode()
    photos = switch_on(save_search(Query(kind="photo"), "photos", bob), bob)
    if lost:  # as the doctor finds it
        Embedding.objects.filter(asset=old).delete()
    assert encode_again(Asset.objects.all()) == 1
    new = make_prepared(harbour, distinct(2), fake_space)
    drain_encode()
    assert list(Arrival.objects.values_list("asset", flat=True)) == [new.pk]
    match_new()
    assert told(photos) == [new.pk]


def test_what_came_before_a_switch_of_models_is_compared_in_the_new_one(
    harbour: Collection, fake_space: Space, photos: Alert
) -> None:
    """It waits until the searched space holds it."""
    (new,) = arrive(harbour, fake_space, count=1)
    other = make_space("other", "fake")
    activate(other, even_if_partial=True)
    assert match_new().assets == 0
    assert Arrival.objects.count() == 1
    rows = read_vectors(fake_space, [new.pk])
    store_vectors(other, rows.frames, rows.assets, rows.vectors)
    assert match_new().matches == 1
    assert told(photos) == [new.pk]


def test_only_what_the_owner_may_see_is_found(
    harbour: Collection, fake_space: Space, alice: User, bob: User, visitor: User
) -> None:
    saved = save_search(Query(kind="photo"), "photos", bob, harbour)
    hers, his = switch_on(saved, alice), switch_on(saved, bob)
    cellar = Collection.objects.create(slug="cellar", name="Cellar", owner=alice)
    (hidden,) = arrive(cellar, fake_space, count=1)
    (shared,) = arrive(harbour, fake_space, count=1, seed=8)
    match_new()
    assert (told(hers), told(his)) == ([hidden.pk, shared.pk], [shared.pk])


def test_permission_taken_back_means_no_alert_and_nothing_left_to_see(
    harbour: Collection, fake_space: Space, alice: User, bob: User, visitor: User
) -> None:
    saved = save_search(Query(kind="photo"), "photos", alice, harbour)
    member = Membership.objects.create(collection=harbour, user=visitor)
    alert = switch_on(saved, visitor)
    arrive(harbour, fake_space)
    match_new()
    assert count_unread(visitor) == 3
    member.delete()
    assert count_unread(visitor) == 0
    assert find_groups(visitor, unread_only=False) == []
    arrive(harbour, fake_space, seed=8)
    match_new()
    assert len(told(alert)) == 3
    assert not Arrival.objects.exists()


def test_what_lies_in_the_trash_vanishes_and_waits(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User
) -> None:
    first, second = arrive(harbour, fake_space, count=2)
    Asset.objects.filter(pk=second.pk).update(trashed_at="2024-01-01T00:00Z")
    match_new()
    assert told(photos) == [first.pk]
    Asset.objects.filter(pk=second.pk).update(trashed_at=None)
    match_new()
    assert told(photos) == [first.pk, second.pk]
    Asset.objects.filter(pk=first.pk).update(trashed_at="2024-01-01T00:00Z")
    assert count_unread(bob) == 1
    second.delete()
    assert count_unread(bob) == 0


def test_what_comes_out_of_quarantine_is_told_then(
    harbour: Collection, fake_space: Space, photos: Alert, alice: User
) -> None:
    (held, _) = arrive(harbour, fake_space, count=2)
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    raise_flags(fake_space, [Doubt(held.pk, weapon.pk, 4.2, hides=True)])
    match_new()
    assert held.pk not in told(photos)
    assert list(Arrival.objects.values_list("asset", flat=True)) == [held.pk]
    assert not something_waits()
    answer(alice, Flag.objects.get().pk, Answer.DISMISS, 1)
    assert held.pk not in told(photos)
    match_new()
    assert held.pk in told(photos)


def test_an_old_asset_that_waited_in_quarantine_is_told_all_the_same(
    harbour: Collection, fake_space: Space, photos: Alert
) -> None:
    """Nobody notes it again: it has waited since it came."""
    (held,) = arrive(harbour, fake_space, count=1)
    Asset.objects.filter(pk=held.pk).update(quarantined=True, added_at="2024-01-01T00:00Z")
    assert match_new().assets == 0
    Asset.objects.filter(pk=held.pk).update(quarantined=False)
    assert match_new().matches == 1
    assert told(photos) == [held.pk]


def test_a_deleted_alert_or_person_leaves_nothing(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User
) -> None:
    arrive(harbour, fake_space)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    match_new()
    assert told(photos) == []
    User.objects.filter(pk=bob.pk).update(is_active=True)
    arrive(harbour, fake_space, seed=8)
    match_new()
    photos.search.delete()
    assert not Match.objects.exists()


@pytest.fixture
def film(harbour: Collection, fake_space: Space, photos: Alert) -> Asset:
    """Of which the first half is stored, and looked at as the encode worker does it."""
    SavedSearch.objects.update(params=Query(kind="video").params())
    asset = make_video(harbour, fake_space, [Shot(random_rows(1)[0], 6)])
    Asset.objects.filter(pk=asset.pk).update(status=Status.PENDING)
    come_in(fake_space, asset, 0, 3)
    return asset


def come_in(space: Space, film: Asset, first: int, last: int) -> None:
    rows = read_vectors(space, [film.pk])
    notice(space, Rows(rows.frames[first:last], rows.assets[first:last], rows.vectors[first:last]))


def test_a_film_is_told_of_once_when_its_first_part_is_searched(film: Asset, fake_space: Space, photos: Alert) -> None:
    assert match_new().matches == 0  # other parts may follow at once
    Arrival.objects.update(arrived_at=now() - timedelta(minutes=2))
    assert something_waits()
    assert match_new().matches == 1
    assert told(photos) == [film.pk]
    come_in(fake_space, film, 3, 6)
    Asset.objects.update(status=Status.READY)
    done = match_new()
    assert (done.assets, done.matches, told(photos)) == (1, 0, [film.pk])
    assert not something_waits()


def test_a_film_that_fails_half_way_is_told_of_as_far_as_it_is_searched(film: Asset, photos: Alert) -> None:
    Asset.objects.update(status=Status.FAILED, error="It ends too early.")
    assert match_new().matches == 1
    assert told(photos) == [film.pk]
    Arrival.objects.create(asset=film)
    Asset.objects.update(duration=None)  # not even looked at: no search finds it
    assert match_new().assets == 0
