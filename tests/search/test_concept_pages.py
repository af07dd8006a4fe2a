"""The pages of concepts: what is saved and what is refused, what changes with it, and the list of them all."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now

from archive.concepts.passes import walk_on
from archive.models import Asset, Concept, ConceptPass, ConceptVector, Tag, TagState
from tests.search.house import NEW, House
from workers.client import EncoderUnavailable
from workers.concepts import read_concepts

pytestmark = pytest.mark.django_db


def test_an_untouched_slider_leaves_the_line_to_the_calibration(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save", line="1.23", calibrated="1.23")
    read_concepts()
    assert ConceptVector.objects.get().chosen is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "a, b"}, "no commas"),
        ({"name": "x" * 90}, "at most 80"),
        ({"prompts": "\n".join(f"p{n}" for n in range(30))}, "At most 20"),
        ({"templates": "a photo"}, "the place where the prompt goes"),
        ({"examples": "nonsense"}, "no address of a picture"),
        ({"examples": "/assets/6f1e0d9c-0000-4000-8000-00000000cafe/"}, "no address of a picture"),
        ({"kind": "strange"}, "not one of the available"),
        ({"line": "nan"}, ""),
    ],
)
def test_what_does_not_hold_together_says_why(house: House, changed: dict[str, str], said: str) -> None:
    answer = house.post("/concepts/new/", **{**NEW, **changed}, verb="save")
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Concept.objects.exists()


def test_a_tree_has_no_circle(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    top = Concept.objects.get()
    house.post("/concepts/new/", **{**NEW, "name": "White ones"}, parent=top.pk, verb="save")
    low = Concept.objects.get(name="White ones")
    assert low.parent == top
    answer = house.post(f"/concepts/{top.pk}/", **NEW, parent=low.pk, verb="save")
    assert (answer.status_code, "below itself" in answer.content.decode()) == (400, True)
    page = house.client.get("/concepts/").content.decode()
    assert page.index("Lighthouses") < page.index("depth-1")


def test_changed_words_are_looked_for_again_and_judgements_stay(house: House, alice: User) -> None:
    house.post("/concepts/new/", **NEW, verb="save", line="1.5")
    concept = Concept.objects.get()
    read_concepts()
    walk_on()
    before = set(Tag.objects.filter(concept=concept).values_list("asset_id", flat=True))
    kept = Asset.objects.get(pk=min(before))
    house.post(f"/concepts/{concept.pk}/judge/", asset=kept.uuid, says="yes")
    house.post(f"/concepts/{concept.pk}/", **{**NEW, "prompts": "a mushroom"}, verb="save", line="1.5")
    assert read_concepts() == 1
    walk_on()
    after = set(Tag.objects.filter(concept=concept).values_list("asset_id", flat=True))
    assert len(after & house.showing("mushroom")) > len(after) / 2
    assert kept.pk in after
    assert Tag.objects.get(concept=concept, asset=kept).state == TagState.ACCEPTED


def test_what_is_looked_for_no_more_takes_its_proposals_back(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    concept = Concept.objects.get()
    read_concepts()
    walk_on()
    one = Tag.objects.filter(concept=concept).first()
    assert one
    house.post(f"/concepts/{concept.pk}/judge/", asset=one.asset.uuid, says="yes")
    house.post(f"/concepts/{concept.pk}/", **{**NEW, "on_match": "nothing"}, verb="save")
    assert list(Tag.objects.filter(concept=concept)) == [one]


def test_progress_is_shown_until_the_archive_was_looked_through(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    read_concepts()
    concept = Concept.objects.get()
    assert "every 2s" in house.client.get(f"/concepts/{concept.pk}/progress/").content.decode()
    walk_on()
    page = house.client.get(f"/concepts/{concept.pk}/progress/").content.decode()
    assert "every 2s" not in page
    assert "240 pictures" in page
    assert ConceptPass.objects.get().done == 240


def test_the_shelf_asks_as_often_for_many_as_for_one(house: House, django_assert_max_num_queries: Any) -> None:
    def count() -> int:
        with django_assert_max_num_queries(20) as seen:
            house.client.get("/concepts/")
        return len(seen)

    house.post("/concepts/new/", **NEW, verb="save")
    one = count()
    for n in range(12):
        house.post("/concepts/new/", **{**NEW, "name": f"c{n}"}, verb="save")
    assert count() == one


def test_a_chosen_line_outlives_an_hour_without_an_encoder(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.post("/concepts/new/", **NEW, verb="save", line="2.5", calibrated="1.0")
    concept = Concept.objects.get()
    read_concepts()

    def away(*asked: Any) -> None:
        raise EncoderUnavailable("Nobody reads words now.")

    monkeypatch.setattr("workers.client.encode_texts", away)
    page = house.client.get(f"/concepts/{concept.pk}/").content.decode()
    assert "says error" in page
    told = dict(re.findall(r'<input type="hidden" name="(line|calibrated)" value="([^"]+)"', page))
    house.post(f"/concepts/{concept.pk}/", **{**NEW, "note": "white"}, **told, verb="save")
    concept.refresh_from_db()
    assert (concept.note, ConceptVector.objects.get().chosen) == ("white", 2.5)


def test_examples_that_went_out_of_sight_are_neither_shown_nor_lost(house: House) -> None:
    trashed, held, kept = house.assets[:3]
    lines = "\n".join(f"/assets/{asset.uuid}/" for asset in (trashed, kept))
    house.post("/concepts/new/", **NEW, examples=lines, counters=str(held.uuid), verb="save")
    concept = Concept.objects.get()
    Asset.objects.filter(pk=trashed.pk).update(trashed_at=now())
    Asset.objects.filter(pk=held.pk).update(quarantined=True)
    page = house.client.get(f"/concepts/{concept.pk}/").content.decode()
    assert [str(asset.uuid) in page for asset in (trashed, held, kept)] == [False, False, True]
    before = {(trashed.pk, False), (held.pk, True), (kept.pk, False)}
    for written in (f"/assets/{kept.uuid}/", lines):
        answer = house.post(f"/concepts/{concept.pk}/", **{**NEW, "note": "x"}, examples=written, verb="save")
        assert answer.status_code == 302
        assert set(concept.examples.values_list("asset", "counter")) == before
    house.post(f"/concepts/{concept.pk}/", **NEW, verb="save")
    assert set(concept.examples.values_list("asset", "counter")) == before - {(kept.pk, False)}
