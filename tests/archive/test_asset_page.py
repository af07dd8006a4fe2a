"""The page of one asset."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.forms import AssetForm
from archive.models import (
    Asset,
    Collection,
    Concept,
    Kind,
    Rendition,
    Status,
    Step,
    Work,
    WorkState,
)
from archive.tags import add_tags, tags_of
from tests.cast import make_jpeg, upload


@pytest.fixture
def boat(harbour: Collection, bob: User, tmp_path: Path) -> Asset:
    asset = upload(harbour, make_jpeg(tmp_path, "boat.jpg", "red"), bob)
    Asset.objects.filter(pk=asset.pk).update(status=Status.READY, width=320, height=240, camera="Paper One")
    asset.refresh_from_db()
    return asset


def test_it_tells_what_is_known(boat: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    page = client.get(boat.get_absolute_url()).content.decode()
    for fact in ("boat.jpg", "Paper One", "320 × 240", "Harbour", "by bob", "JPEG"):
        assert fact in page
    assert "Move to the trash" not in page
    assert "Edit title" not in page


def test_hostile_words_stay_words(boat: Asset, bob: User, client: Client) -> None:
    evil = "<script>alert(1)</script>\" onerror='x'"
    Asset.objects.filter(pk=boat.pk).update(title=evil, caption=evil, camera=evil, place=evil, notes=[evil])
    client.force_login(bob)
    page = client.get(boat.get_absolute_url()).content.decode()
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 5


def test_a_curator_edits_title_and_caption(boat: Asset, carol: User, client: Client) -> None:
    client.force_login(carol)
    answer = client.post(boat.get_absolute_url(), {"title": "The red boat", "caption": "At noon", "status": "failed"})
    assert answer.status_code == 302
    boat.refresh_from_db()
    assert (boat.title, boat.caption, boat.status) == ("The red boat", "At noon", Status.READY)


def test_a_contributor_edits_nothing(boat: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    assert client.post(boat.get_absolute_url(), {"title": "Mine"}).status_code == 404
    assert client.post(f"{boat.get_absolute_url()}trash/").status_code == 404
    boat.refresh_from_db()
    assert (boat.title, boat.trashed_at) == ("", None)


def test_a_curator_trashes_and_puts_back(boat: Asset, carol: User, client: Client) -> None:
    client.force_login(carol)
    page = client.post(f"{boat.get_absolute_url()}trash/", follow=True).content.decode()
    assert "Put it back" in page
    assert not Asset.objects.visible_to(carol).exists()
    assert "boat.jpg" in client.get("/trash/").content.decode()
    client.post(f"{boat.get_absolute_url()}restore/", {"back": "trash"})
    assert Asset.objects.visible_to(carol).get() == boat
    assert "The trash is empty" in client.get("/trash/").content.decode()


def test_the_trash_of_others_is_empty_for_me(boat: Asset, carol: User, bob: User, client: Client) -> None:
    client.force_login(carol)
    client.post(f"{boat.get_absolute_url()}trash/")
    client.force_login(bob)
    assert "boat.jpg" not in client.get("/trash/").content.decode()
    assert client.post(f"{boat.get_absolute_url()}restore/").status_code == 404


def test_a_failed_asset_says_why_and_may_be_tried_again(boat: Asset, bob: User, client: Client) -> None:
    Asset.objects.filter(pk=boat.pk).update(status=Status.FAILED, error="This JPEG ends too early.")
    Work.objects.filter(asset=boat).update(state=WorkState.QUARANTINED)
    client.force_login(bob)
    page = client.get(boat.get_absolute_url()).content.decode()
    assert "This JPEG ends too early." in page
    assert "Try again" in page
    client.post(f"{boat.get_absolute_url()}retry/")
    boat.refresh_from_db()
    assert boat.status == Status.PENDING
    assert Work.objects.get(asset=boat).state == WorkState.READY


def test_nobody_tries_again_what_did_not_fail(boat: Asset, bob: User, client: Client) -> None:
    client.force_login(bob)
    assert client.post(f"{boat.get_absolute_url()}retry/").status_code == 404


def test_a_video_that_could_not_be_made_playable_says_so(boat: Asset, bob: User, client: Client) -> None:
    Asset.objects.filter(pk=boat.pk).update(kind=Kind.VIDEO, media_type="video/x-msvideo", duration=8.0)
    Rendition.objects.create(asset=boat, spec="preview", key="x", media_type="image/webp", width=32, height=24, size=1)
    play = Work.objects.create(asset=boat, step=Step.PLAY)
    client.force_login(bob)

    def page() -> str:
        return client.get(boat.get_absolute_url()).content.decode()

    assert "is being made. It plays here in a moment." in page()
    assert "Try again" not in page()
    Work.objects.filter(pk=play.pk).update(state=WorkState.QUARANTINED)
    assert "in a moment" not in page()
    assert f'could not be made. <a href="{boat.original_url}" download>Fetch the original</a>' in page()
    assert "Try again" in page()
    assert client.post(f"{boat.get_absolute_url()}retry/").status_code == 302
    play.refresh_from_db()
    assert play.state == WorkState.READY
    assert "in a moment" in page()


def test_asking_by_get_changes_nothing(boat: Asset, alice: User, client: Client) -> None:
    client.force_login(alice)
    for verb in ("trash", "restore", "retry"):
        assert client.get(f"{boat.get_absolute_url()}{verb}/").status_code == 405


def test_saving_words_leaves_what_a_worker_wrote_meanwhile(boat: Asset) -> None:
    Asset.objects.update(status=Status.PENDING)
    form = AssetForm({"title": "Boat", "caption": ""}, instance=Asset.objects.get())
    Asset.objects.update(status=Status.READY, width=640)
    assert form.is_valid()
    form.save()
    assert Asset.objects.values_list("title", "status", "width").get() == ("Boat", Status.READY, 640)


def test_a_curator_puts_tags_on_and_takes_them_off(boat: Asset, carol: User, client: Client) -> None:
    client.force_login(carol)
    tags = f"{boat.get_absolute_url()}tags/"
    page = client.post(tags, {"add": "Boat, <b>red</b> "}, follow=True).content.decode()
    assert "&lt;b&gt;red&lt;/b&gt;" in page
    assert "Take off “Boat”" in page
    client.post(tags, {"remove": "boat"})
    assert [tag.name for tag in tags_of(boat)] == ["<b>red</b>"]


def test_others_see_tags_and_change_none(boat: Asset, bob: User, carol: User, visitor: User, client: Client) -> None:
    add_tags(Asset.objects.all(), ["boat"], carol)
    tags = f"{boat.get_absolute_url()}tags/"
    for person, sees in ((bob, True), (visitor, False)):
        client.force_login(person)
        assert client.post(tags, {"remove": "boat", "add": "mine"}).status_code == 404
        page = client.get(boat.get_absolute_url()).content.decode()
        assert ("?tag=boat" in page) is sees
        assert "Take off" not in page
    assert [tag.name for tag in tags_of(boat)] == ["boat"]


@pytest.mark.parametrize("bad", ["x" * 10_000, "a\0b", ",".join(str(n) for n in range(10_000))])
def test_what_cannot_be_a_tag_is_said_on_the_page(boat: Asset, carol: User, client: Client, bad: str) -> None:
    client.force_login(carol)
    answer = client.post(f"{boat.get_absolute_url()}tags/", {"add": bad}, follow=True)
    assert "At most 50 tags" in answer.content.decode() or "A tag " in answer.content.decode()
    assert not Concept.objects.exists()


def test_tags_of_hidden_collections_are_not_offered(
    boat: Asset, carol: User, alice: User, client: Client, tmp_path: Path
) -> None:
    hidden = Collection.objects.create(slug="hidden", name="Hidden", owner=alice)
    secret = upload(hidden, make_jpeg(tmp_path, "secret.jpg", "blue"))
    add_tags(Asset.objects.filter(pk=secret.pk), ["project x"], alice)
    client.force_login(carol)
    assert "project x" not in client.get(boat.get_absolute_url()).content.decode()
