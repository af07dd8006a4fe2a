"""What is in quarantine is nowhere: every route, every search form, every role, by every method.

Bob is a member of alice's collection and would see all of it. Everything in it is in quarantine, and his answers are
those that he would get if it had never been uploaded. The reviewers' own pages are looked at apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.timezone import now

from archive.batches import still_shared
from archive.models import (
    Action,
    Asset,
    Batch,
    BatchItem,
    Collection,
    Concept,
    ConceptKind,
    DuplicatePair,
    Flag,
    FlagState,
    ItemState,
    Likeness,
    Membership,
    Role,
    Tag,
    Work,
)
from archive.moderation.quarantine import settle_quarantine
from tests.addresses import Address, every_address
from tests.test_inventory import ROLES, Cellar, ask, blurred, cellar
from tests.test_twin_corpus import Twins, differing, fill, twins

__all__ = ["cellar", "twins"]  # fixtures

pytestmark = pytest.mark.django_db
SECRETS = ("bottle", "a secret title", "a secret caption")
EVERYBODY = (*ROLES, "superuser", "stranger", "staff")


def quarantine(assets: list[Asset], *, state: FlagState = FlagState.OPEN) -> None:
    concept, _ = Concept.objects.get_or_create(slug="gore", defaults={"name": "gore", "kind": ConceptKind.PROHIBITED})
    Flag.objects.bulk_create(Flag(asset=asset, concept=concept, state=state, hides=True) for asset in assets)
    settle_quarantine([asset.pk for asset in assets])


@dataclass(frozen=True)
class Locked:
    cellar: Cellar
    asset: Asset

    def secrets(self) -> tuple[str, ...]:
        return (*SECRETS, str(self.asset.uuid), self.asset.uuid.hex, self.asset.sha256)


@pytest.fixture
def locked(cellar: Cellar) -> Locked:
    """The cellar's one picture, with words, a tag, a copy elsewhere, and a download that holds it: in quarantine."""
    asset = cellar.asset
    Asset.objects.filter(pk=asset.pk).update(
        filename="bottle.jpg",
        title="a secret title",
        caption="a secret caption",
        uploader=None,
        status="ready",
        error="",
    )
    sea = Concept.objects.create(slug="sea", name="sea")
    Tag.objects.create(asset=asset, concept=sea)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=User.objects.get(username="viewer"))
    copy = Asset.objects.create(
        collection=attic, sha256="1" * 64, original="o", filename="copy", size=1, status="ready"
    )
    DuplicatePair.objects.create(low=asset, high=copy, kind=Likeness.SAME, distance=0)
    Flag.objects.all().delete()
    quarantine([asset])
    asset.refresh_from_db()
    assert asset.quarantined
    return Locked(cellar, asset)


def beside_the_review() -> Iterator[Address]:
    for address in every_address():
        leaving = address.name in ("logout", "admin:logout")
        if (
            not address.by_permission
            and not leaving
            and not address.name.startswith(("review", "api_review", "api_flag", "admin:archive_flag_"))
        ):
            yield address


@pytest.mark.parametrize("person", EVERYBODY)
def test_no_address_answers_about_it_and_none_names_it(locked: Locked, person: str) -> None:
    """By its id as for an id that there is not; and everywhere else without a word of it."""
    client = locked.cellar.people[person]
    words = {**locked.cellar.words, "flag": Flag.objects.get().pk}
    missing = {**words, "asset": "00000000-0000-4000-8000-00000000dead"}
    asked = 0
    for address in beside_the_review():
        filled = {**words, "object_id": _row(address, locked.asset)}
        for method in ("get", "post", "put", "patch", "delete"):
            found = ask(client, method, address.fill(filled))
            asked += 1
            if "asset" in address.gaps:
                assert found[0] in (404, 405), (address.route, method, found[0])
                assert blurred(found) == blurred(ask(client, method, address.fill(missing))), (address.route, method)
            told = f"{found[1]} {found[2].decode(errors='replace')}"
            asked_for = told.replace(address.fill(filled), "")
            named = [secret for secret in locked.secrets() if secret in asked_for]
            assert not named or "asset" in address.gaps, (address.route, method, named)
    assert asked > 300


def _row(address: Address, asset: Asset) -> int:
    model = address.admin.model if address.admin else None
    if model is Asset:
        return asset.pk
    row = model.objects.filter(**({"asset": asset} if model in (Work, Flag) else {})).first() if model else None
    return row.pk if row and model is not Flag else 987_654


def test_the_walk_would_notice(locked: Locked) -> None:
    """Dismissed, the same asset is named on many pages."""
    Flag.objects.update(state=FlagState.DISMISSED)
    settle_quarantine([locked.asset.pk])
    client = locked.cellar.people["owner"]
    naming = {
        address.route
        for address in beside_the_review()
        if any(
            secret.encode() in ask(client, "get", address.fill({**locked.cellar.words, "object_id": 1}))[2]
            for secret in SECRETS
        )
    }
    assert {"", "collections/<slug:slug>/", "assets/<uuid:asset>/", "api/v1/assets"} <= naming


def test_quarantined_pictures_change_no_byte_of_any_answer_to_a_member(twins: Twins) -> None:
    """The twin corpus once more, with a collection that bob is a member of: every search form, count, facet, list,
    file, command and admin page is as if nothing had ever been put there."""
    cellar = Collection.objects.create(slug="cellar", name="Ah, the cellar", owner=twins.alice)
    Membership.objects.create(collection=cellar, user=twins.bob.person, role=Role.CURATOR)
    empty = twins.bob.ask_all()
    hidden = fill(cellar, twins.space, twins.near(), "hidden", timedelta(days=30))
    Asset.objects.filter(pk=hidden[0].pk).update(uuid=twins.bob.words["hidden"])
    quarantine(hidden[::2])
    quarantine(hidden[1::2], state=FlagState.UPHELD)
    Flag.objects.update(escalated_at=now())  # bob curates there: these wait for an owner and not for him
    unlike = {name: lines for name, lines in differing(empty, twins.bob.ask_all()).items() if not _of_review(name)}
    assert unlike == {}
    Flag.objects.update(state=FlagState.DISMISSED)
    settle_quarantine([asset.pk for asset in hidden])
    assert len(differing(empty, twins.bob.ask_all())) > 60  # the test would notice


def _of_review(name: str) -> bool:
    return name.startswith(("/review/", "/admin/archive/flag/"))


# ---- what was made before ---------------------------------------------------------------------------


def test_a_download_that_was_made_before_is_not_given_out_any_more(locked: Locked) -> None:
    viewer = User.objects.get(username="viewer")
    batch = Batch.objects.create(owner=viewer, action=Action.DOWNLOAD, what="all", state="done")
    BatchItem.objects.create(batch=batch, asset=locked.asset, state=ItemState.DONE)
    assert not still_shared(batch)
    Flag.objects.update(state=FlagState.DISMISSED)
    settle_quarantine([locked.asset.pk])
    assert still_shared(batch)


def test_counts_on_the_shelf_and_covers_are_without_it(locked: Locked) -> None:
    page = locked.cellar.people["viewer"].get("/collections/").content.decode()
    assert locked.asset.thumbnail_url not in page
    assert "0 pictures" in page or "Empty" in page or ">0<" in page


# ---- who uploaded it --------------------------------------------------------------------------------


def test_the_uploader_is_told_and_sees_nothing_of_it(locked: Locked) -> None:
    uploader = User.objects.get(username="contributor")
    Asset.objects.filter(pk=locked.asset.pk).update(uploader=uploader)
    client = locked.cellar.people["contributor"]
    page = client.get(locked.asset.get_absolute_url())
    assert page.status_code == 200
    assert "Under review" in page.content.decode()
    assert "bottle.jpg" in page.content.decode()
    for secret in ("gore", "a secret title", "thumbnail", "preview"):
        assert secret not in page.content.decode()
    assert "bottle.jpg" in client.get("/review/held/").content.decode()
    (state,) = client.get("/upload/status/", {"id": str(locked.asset.uuid)}).json()["assets"]
    assert state["status"] == "held"
    assert set(state) == {"asset", "url", "status", "error"}
    for address in (locked.asset.thumbnail_url, locked.asset.preview_url, locked.asset.original_url):
        assert client.get(address).status_code == 404
    for other in ("viewer", "owner", "stranger"):
        assert "bottle.jpg" not in locked.cellar.people[other].get("/review/held/").content.decode()
        assert locked.cellar.people[other].get("/upload/status/", {"id": str(locked.asset.uuid)}).json()["assets"] == []


def test_uploading_the_same_bytes_again_tells_no_more_than_that_they_are_reviewed(locked: Locked) -> None:
    data = default_storage.open(locked.asset.original).read()
    client = locked.cellar.people["contributor"]
    for address, field in (("/upload/", "files"), ("/api/v1/assets", "file")):
        sent = {field: SimpleUploadedFile("mine.jpg", data, "image/jpeg"), "collection": "cellar"}
        answer = client.post(address, sent, headers={"Accept": "application/json"})
        told = answer.content.decode()
        assert answer.status_code in (200, 409), told
        assert "under review" in told
        assert not [secret for secret in SECRETS if secret in told]
    assert Asset.objects.filter(sha256=locked.asset.sha256).count() == 1


# ---- reviewers --------------------------------------------------------------------------------------


def test_reviewers_see_it_blurred_and_clear_when_they_ask(locked: Locked) -> None:
    flag = Flag.objects.get()
    for person, status in {"owner": 200, "curator": 200, "superuser": 200, "contributor": 404, "stranger": 404}.items():
        client: Client = locked.cellar.people[person]
        blurry, clear = (ask(client, "get", f"/review/{flag.pk}/picture/{asked}") for asked in ("", "?clear=1"))
        assert (blurry[0], clear[0]) == (status, status), person
        if status == 200:
            assert blurry[2][8:12] == clear[2][8:12] == b"WEBP"
            assert blurry[2] != clear[2]
    page = locked.cellar.people["owner"].get(f"/review/{flag.pk}/").content.decode()
    assert f'src="/review/{flag.pk}/picture/"' in page
    assert (
        f'src="/review/{flag.pk}/picture/?clear=1"'
        in locked.cellar.people["owner"].get(f"/review/{flag.pk}/?clear=1").content.decode()
    )


def test_a_frame_that_the_flag_does_not_name_is_not_shown(locked: Locked) -> None:
    flag = Flag.objects.get()
    frame = locked.asset.frames.get()
    default_storage.save("stills/x.webp", ContentFile(b"x"))
    locked.asset.frames.update(still="stills/x.webp")
    owner = locked.cellar.people["owner"]
    assert owner.get(f"/review/{flag.pk}/picture/?clear=1&frame={frame.pk}").status_code == 404
    Flag.objects.update(moments=[{"frame": frame.pk, "at": 0, "start": 0, "end": 0, "score": 1}])
    assert owner.get(f"/review/{flag.pk}/picture/?clear=1&frame={frame.pk}").status_code == 200
