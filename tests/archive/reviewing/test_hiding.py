"""Flags hide and show assets: what takes one out of sight, and what brings it back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User

from archive.models import Answer, Asset, Concept, ConceptKind, Flag, FlagState, Space
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import answer
from tests.archive.reviewing.afterwards import hidden

pytestmark = pytest.mark.django_db
UPHOLD, DISMISS = Answer.UPHOLD, Answer.DISMISS


def test_a_flag_that_hides_takes_its_asset_out_of_everybodys_sight(flag: Flag, asset: Asset, alice: User) -> None:
    assert hidden(asset)
    for person in (alice, User.objects.get(username="bob"), AnonymousUser()):
        assert not Asset.objects.visible_to(person).exists()
        assert not Asset.objects.curated_by(person).exists()


def test_a_doubt_hides_nothing_until_it_is_upheld(
    asset: Asset, weapon: Concept, fake_space: Space, carol: User
) -> None:
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.0, hides=False)])
    assert not hidden(asset)
    answer(carol, Flag.objects.get().pk, UPHOLD, 1)
    assert hidden(asset)


def test_what_is_dismissed_is_shown_again_unless_something_else_hides_it(
    flag: Flag, asset: Asset, carol: User, fake_space: Space
) -> None:
    other = Concept.objects.create(slug="gore", name="gore", kind=ConceptKind.PROHIBITED)
    raise_flags(fake_space, [Doubt(asset.pk, other.pk, 9.0, hides=True)])
    answer(carol, flag.pk, DISMISS, 1)
    assert hidden(asset)
    answer(carol, Flag.objects.get(concept=other).pk, DISMISS, 1)
    assert not hidden(asset)


def test_a_dismissed_flag_does_not_come_back_whatever_a_model_finds(
    flag: Flag, asset: Asset, weapon: Concept, carol: User, fake_space: Space
) -> None:
    answer(carol, flag.pk, DISMISS, 1)
    later = Space.objects.create(slug="later", model="fake", dimensions=768, fingerprint="0" * 64)
    for space in (fake_space, later):
        assert raise_flags(space, [Doubt(asset.pk, weapon.pk, 99.0, hides=True)]) == 0
    found = Flag.objects.get()
    assert (found.state, found.score, found.space) == (FlagState.DISMISSED, 4.2, fake_space)
    assert not hidden(asset)
    assert not Flag.objects.waiting_for(carol).exists()


def test_a_model_hides_what_another_only_doubted_and_never_shows_what_another_hid(
    asset: Asset, weapon: Concept, fake_space: Space
) -> None:
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.0, hides=False)])
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 5.0, hides=True)])
    assert hidden(asset)
    raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 2.1, hides=False)])
    assert hidden(asset)
    assert Flag.objects.get().version == 2


def test_moments_of_a_video_that_comes_in_parts_are_all_kept(asset: Asset, weapon: Concept, fake_space: Space) -> None:
    first = {"frame": 1, "at": 3.0, "start": 2.0, "end": 4.0, "score": 3.0}
    second = {"frame": 2, "at": 63.0, "start": 61.0, "end": 64.0, "score": 3.5}
    for moments in ([first], [second], [second]):
        raise_flags(fake_space, [Doubt(asset.pk, weapon.pk, 3.5, hides=False, moments=moments)])
    assert Flag.objects.get().moments == [first, second]
