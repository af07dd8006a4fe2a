"""The review of near-duplicates: who sees which, keep the best, dismiss, undo."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive import deciding, duplicates
from archive.components import components
from archive.deciding import GroupGone, NothingKept, NotYours
from archive.models import Asset, Collection, Decision, DuplicatePair, Likeness, PairState, Status
from archive.trash import restore, trash

pytestmark = pytest.mark.django_db
PAGE = "/duplicates/"


def put(collection: Collection, name: str, width: int = 600, size: int = 1000) -> Asset:
    return Asset.objects.create(
        collection=collection,
        sha256=f"{collection.slug} {name}",
        original="o",
        filename=name,
        size=size,
        width=width,
        height=400,
        status=Status.READY,
    )


def pair(one: Asset, other: Asset, kind: Likeness = Likeness.SAME, distance: int = 4) -> DuplicatePair:
    low, high = sorted((one, other), key=lambda asset: asset.pk)
    return DuplicatePair.objects.create(low=low, high=high, kind=kind, distance=distance)


def ids(*assets: Asset) -> list[uuid.UUID]:
    return [asset.uuid for asset in assets]


def names(group: duplicates.Group) -> list[str]:
    return [member.asset.filename for member in group.members]


def seen(user: User, kind: Likeness = Likeness.SAME) -> list[list[str]]:
    return [names(group) for group in duplicates.find_groups(user, kind).groups]


@pytest.fixture
def attic(alice: User) -> Collection:
    return Collection.objects.create(slug="attic", name="Attic", owner=alice)


@pytest.fixture
def three(harbour: Collection) -> list[Asset]:
    """Three sizes of one picture, of which only neighbours are paired."""
    assets = [put(harbour, name, width) for name, width in (("small", 300), ("large", 900), ("middle", 600))]
    pair(assets[0], assets[1])
    pair(assets[1], assets[2])
    return assets


def test_pairs_hang_together_as_groups() -> None:
    assert components([(1, 2), (5, 6), (2, 3), (6, 7)]) == [[1, 2, 3], [5, 6, 7]]
    assert components([]) == []
    assert components([(4, 5), (1, 2), (2, 4)]) == [[1, 2, 4, 5]]


def test_the_best_comes_first_and_says_why(three: list[Asset], carol: User, harbour: Collection) -> None:
    (group,) = duplicates.find_groups(carol, Likeness.SAME).groups
    assert names(group) == ["large", "middle", "small"]
    assert [member.why for member in group.members] == ["most pixels", "", ""]
    Asset.objects.update(width=600)
    Asset.objects.filter(filename="small").update(size=2000)
    (group,) = duplicates.find_groups(carol, Likeness.SAME).groups
    assert (names(group)[0], group.members[0].why) == ("small", "largest file")
    Asset.objects.update(size=7)
    (group,) = duplicates.find_groups(carol, Likeness.SAME).groups
    assert (names(group)[0], group.members[0].why) == ("small", "here longest")


def test_kinds_are_kept_apart(three: list[Asset], carol: User, harbour: Collection) -> None:
    pair(three[0], put(harbour, "shot"), Likeness.BURST)
    assert [len(group) for group in seen(carol)] == [3]
    assert seen(carol, Likeness.BURST) == [["shot", "small"]]
    assert duplicates.count_pairs(carol) == {"same": 2, "burst": 1, "similar": 0}


def test_nobody_learns_of_a_copy_that_they_may_not_see(
    three: list[Asset], harbour: Collection, attic: Collection, carol: User, alice: User, client: Client
) -> None:
    """Neither of the copy, nor that two of their pictures hang together only by it."""
    alone, other = put(harbour, "alone"), put(harbour, "other")
    secret = put(attic, "secret", 4000)
    for asset in (alone, other, three[0]):
        pair(asset, secret)
    client.force_login(carol)
    pages = [client.get(address).content.decode() for address in (PAGE, f"{PAGE}?asset={alone.uuid}")]
    pages += [client.get(alone.get_absolute_url()).content.decode()]
    assert not [word for page in pages for word in ("secret", "Attic", str(secret.uuid)) if word in page]
    assert seen(carol) == [["large", "middle", "small"]]
    assert duplicates.count_pairs(carol)["same"] == 2
    assert "near-duplicate<" not in pages[2]
    assert client.get(f"{PAGE}?asset={secret.uuid}").status_code == 404
    assert client.get(f"/api/v1/assets/{alone.uuid}/duplicates").json() == {"results": []}
    with pytest.raises(GroupGone):
        deciding.keep(carol, ids(alone, secret), ids(secret))
    assert [len(group) for group in seen(alice)] == [6]


def test_who_only_looks_sees_the_copies_of_a_picture_and_decides_nothing(
    three: list[Asset], bob: User, client: Client
) -> None:
    client.force_login(bob)
    assert "Nothing to decide" in client.get(PAGE).content.decode()
    page = client.get(f"{PAGE}?asset={three[1].uuid}").content.decode()
    assert "3 files of one picture" in page
    assert "Keep the best" not in page
    assert "2 near-duplicates" in client.get(three[1].get_absolute_url()).content.decode()
    answer = client.post(f"{PAGE}decide/", {"verb": "best", "member": ids(*three), "kind": "same"}, follow=True)
    assert "not open any more" in answer.content.decode()
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()


def test_keeping_the_best_trashes_the_others_and_can_be_undone(three: list[Asset], carol: User) -> None:
    made = deciding.keep_best(carol, ids(*three))
    assert [asset.filename for asset in Asset.objects.filter(trashed_at__isnull=True)] == ["large"]
    assert set(DuplicatePair.objects.values_list("state", flat=True)) == {PairState.RESOLVED}
    assert seen(carol) == []
    deciding.undo(carol, made.pk)
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()
    assert seen(carol) == [["large", "middle", "small"]]
    with pytest.raises(GroupGone):
        deciding.undo(carol, made.pk)


def test_undoing_leaves_in_the_trash_what_was_there_before(three: list[Asset], carol: User) -> None:
    trash(Asset.objects.filter(pk=three[0].pk))
    made = deciding.keep_best(carol, ids(*three))
    assert made.trashed == [three[2].pk]
    deciding.undo(carol, made.pk)
    assert [asset.filename for asset in Asset.objects.filter(trashed_at__isnull=False)] == ["small"]


def test_undoing_leaves_in_the_trash_what_somebody_put_there_again_since(
    three: list[Asset], carol: User, client: Client
) -> None:
    made = deciding.keep_best(carol, ids(*three))
    small = Asset.objects.filter(filename="small")
    restore(small)
    trash(small)
    client.force_login(carol)
    answer = client.post(f"{PAGE}{made.pk}/undo/", follow=True).content.decode()
    assert "1 picture came out of the trash, and the group is open again. 1 picture stayed there" in answer
    assert [asset.filename for asset in Asset.objects.filter(trashed_at__isnull=False)] == ["small"]


def test_keeping_the_chosen_ones(three: list[Asset], carol: User) -> None:
    with pytest.raises(NothingKept):
        deciding.keep(carol, ids(*three), [])
    with pytest.raises(NothingKept):
        deciding.keep(carol, ids(*three), [uuid.uuid4()])
    deciding.keep(carol, ids(*three), ids(three[0], three[2]))
    assert Asset.objects.get(trashed_at__isnull=False) == three[1]
    assert seen(carol) == []


def test_dismissing_trashes_nothing_and_can_be_undone(three: list[Asset], carol: User) -> None:
    made = deciding.dismiss(carol, ids(*three))
    assert set(DuplicatePair.objects.values_list("state", flat=True)) == {PairState.DISMISSED}
    assert seen(carol) == []
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()
    deciding.undo(carol, made.pk)
    assert len(seen(carol)) == 1


def test_a_decision_is_undone_only_by_who_made_it(three: list[Asset], carol: User, alice: User) -> None:
    made = deciding.keep_best(carol, ids(*three))
    with pytest.raises(GroupGone):
        deciding.undo(alice, made.pk)
    assert deciding.last_decision(alice) is None
    assert deciding.last_decision(carol) == made


def test_pictures_of_others_stay(three: list[Asset], carol: User, visitor: User) -> None:
    """A copy in a collection that she sees but does not curate: hers may go, theirs may not."""
    open_house = Collection.objects.create(slug="open", name="Open", owner=visitor, visibility="everyone")
    theirs = put(open_house, "theirs", 100)
    pair(three[0], theirs)
    (group,) = duplicates.find_groups(carol, Likeness.SAME).groups
    assert [member.curated for member in group.members] == [True, True, True, False]
    assert group.across
    assert not group.best_alone
    with pytest.raises(NotYours, match="Open"):
        deciding.keep_best(carol, ids(*three, theirs))
    assert not Asset.objects.filter(trashed_at__isnull=False).exists()
    deciding.keep(carol, ids(*three, theirs), ids(theirs))
    assert Asset.objects.get(trashed_at__isnull=True) == theirs


@pytest.mark.django_db(transaction=True)
def test_two_curators_at_once_never_trash_all_of_a_group(three: list[Asset], carol: User, alice: User) -> None:
    """Each wants to keep another one: the second is told that it was decided."""
    outcomes: list[str] = []

    def decide(user: User, kept: Asset) -> None:
        try:
            deciding.keep(user, ids(*three), ids(kept))
            outcomes.append("decided")
        except GroupGone:
            outcomes.append("gone")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide, args=one) for one in ((carol, three[0]), (alice, three[1]))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["decided", "gone"]
    assert Asset.objects.filter(trashed_at__isnull=True).count() == 1


def test_what_lies_in_the_trash_is_nobodys_duplicate(three: list[Asset], carol: User) -> None:
    trash(Asset.objects.filter(pk=three[1].pk))  # the one that connects the others
    assert seen(carol) == []
    trash(Asset.objects.filter(pk=three[0].pk))
    assert duplicates.count_pairs(carol)["same"] == 0


def test_a_large_group_is_shown_in_parts(harbour: Collection, carol: User) -> None:
    first, *rest = [put(harbour, f"n{n:02}", 1000 - n) for n in range(30)]
    for asset in rest:
        pair(first, asset)
    (group,) = duplicates.find_groups(carol, Likeness.SAME).groups
    assert (len(group.members), group.more) == (24, 6)
    deciding.keep_best(carol, [member.asset.uuid for member in group.members])
    (group,) = duplicates.find_groups(carol, Likeness.SAME).groups
    assert len(group.members) == 7


def fill(harbour: Collection, groups: int) -> None:
    for number in range(groups):
        pair(put(harbour, f"a{number}"), put(harbour, f"b{number}"))


def test_the_page_asks_as_often_for_one_group_as_for_eight(harbour: Collection, carol: User, client: Client) -> None:
    client.force_login(carol)
    fill(harbour, 1)
    with CaptureQueriesContext(connection) as for_one:
        client.get(PAGE)
    DuplicatePair.objects.all().delete()
    Asset.objects.all().delete()
    fill(harbour, 12)
    with CaptureQueriesContext(connection) as for_many:
        page = client.get(PAGE).content.decode()
    assert page.count('class="group"') == 8
    assert len(for_many) == len(for_one) <= 15  # four of them: in which collections one sees and curates


def test_pages_turn(harbour: Collection, carol: User, client: Client) -> None:
    fill(harbour, 10)
    client.force_login(carol)
    first, second = (client.get(f"{PAGE}?kind=same{more}").content.decode() for more in ("", "&from=8"))
    assert "kind=same&amp;from=8" in first
    assert ">b9<" in first
    assert ">b9<" not in second
    assert second.count('class="group"') == 2


def post(client: Client, verb: str, assets: list[Asset], **more: Any) -> Any:
    return client.post(f"{PAGE}decide/", {"verb": verb, "member": ids(*assets), "kind": "same", "from": "0"} | more)


def test_the_buttons_work_without_javascript(three: list[Asset], carol: User, client: Client) -> None:
    client.force_login(carol)
    answer = post(client, "best", three)
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?kind=same")
    page = client.get(PAGE).content.decode()
    assert "2 pictures moved to the trash" in page
    assert "Nothing to decide" in page
    made = Decision.objects.get()
    answer = client.post(f"{PAGE}{made.pk}/undo/", {"kind": "same", "from": "0"}, follow=True)
    assert "2 pictures came out of the trash" in answer.content.decode()
    assert post(client, "chosen", three, keep=ids(three[0]))["Location"] == f"{PAGE}?kind=same"
    assert Asset.objects.get(trashed_at__isnull=True) == three[0]


def test_with_htmx_the_decision_takes_the_place_of_the_group(three: list[Asset], carol: User, client: Client) -> None:
    client.force_login(carol)
    answer = client.post(
        f"{PAGE}decide/", {"verb": "dismiss", "member": ids(*three), "kind": "same"}, headers={"HX-Request": "true"}
    )
    words = answer.content.decode()
    assert "All of them stay" in words
    assert f"/duplicates/{Decision.objects.get().pk}/undo/" in words
    again = client.post(
        f"{PAGE}decide/", {"verb": "best", "member": ids(*three), "kind": "same"}, headers={"HX-Request": "true"}
    )
    assert "not open any more" in again.content.decode()


@pytest.mark.parametrize(
    "given",
    [
        {"verb": "explode"},
        {"verb": "best", "member": "x"},
        {"verb": "chosen", "keep": "x"},
        {"verb": "best", "kind": "?"},
        {"verb": "best", "from": "-1"},
    ],
)
def test_senseless_forms_are_no_errors_of_ours(
    three: list[Asset], carol: User, client: Client, given: dict[str, str]
) -> None:
    client.force_login(carol)
    form = {"member": [str(asset.uuid) for asset in three], "kind": "same", "from": "0"} | given
    assert client.post(f"{PAGE}decide/", form).status_code == 404
    assert given["verb"] == "best" or not Decision.objects.exists()


@pytest.mark.parametrize("address", ["?kind=x", "?from=x", "?from=99999999", "?asset=x", "?asset=%00"])
def test_senseless_addresses_are_no_errors_of_ours(carol: User, client: Client, address: str) -> None:
    client.force_login(carol)
    assert client.get(PAGE + address).status_code == 404


def test_the_api_lists_the_near_duplicates_of_an_asset(three: list[Asset], bob: User, client: Client) -> None:
    client.force_login(bob)
    answer = client.get(f"/api/v1/assets/{three[1].uuid}/duplicates")
    results = answer.json()["results"]
    assert [(one["asset"]["filename"], one["kind"], one["distance"]) for one in results] == [
        ("middle", "same", 4),
        ("small", "same", 4),
    ]
    assert client.get(f"/api/v1/assets/{uuid.uuid4()}/duplicates").status_code == 404
