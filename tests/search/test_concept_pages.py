"""The pages of concepts: who keeps which, a preview that writes nothing, saving, judging, learning and taking back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from archive.concepts.heads import find_judged
from archive.concepts.keeping import kept_by
from archive.concepts.passes import walk_on
from archive.concepts.vectors import find_concept_vectors
from archive.models import (
    Asset,
    Collection,
    Concept,
    ConceptHead,
    ConceptPass,
    ConceptVector,
    Event,
    Frame,
    LogEntry,
    Membership,
    OnMatch,
    Policy,
    Role,
    Space,
    Tag,
    TagState,
)
from archive.tags import add_tags
from archive.vectors import Rows, read_some, store_vectors
from search.concepts import preview as previewing
from search.concepts.preview import score_seen
from tests.cast import make_user
from tests.prepared import make_encoded
from tests.search.scenes import shown
from workers.client import EncoderUnavailable
from workers.concepts import read_concepts

pytestmark = pytest.mark.django_db
NEW = {"name": "Lighthouses", "on_match": "propose", "kind": "tag", "prompts": "a lighthouse"}


@dataclass(frozen=True)
class House:
    assets: list[Asset]
    client: Client
    space: Space

    def showing(self, thing: str) -> set[int]:
        pairs = zip(self.assets, shown().scenes, strict=True)
        return {asset.pk for asset, scene in pairs if thing in [group.thing for group in scene.groups]}

    def under(self, sky: str) -> set[int]:
        return {asset.pk for asset, scene in zip(self.assets, shown().scenes, strict=True) if scene.sky == sky}

    def post(self, address: str, **fields: Any) -> Any:
        return self.client.post(address, fields)


@pytest.fixture
def house(drawn_space: Space, harbour: Collection, alice: User, client: Client, queries_in_process: None) -> House:
    client.force_login(alice)
    return House(make_encoded(harbour, drawn_space, shown().rows), client, drawn_space)


def first_of(page: str, heading: str) -> list[str]:
    """The pictures of a list in the preview."""
    part = page[page.index(heading) :]
    return re.findall(r'/assets/([0-9a-f-]{36})/"><img', part[: part.index("</ul>")])


def number_in(page: str) -> int:
    found = re.search(r'<output id="would-be"[^>]*>(?:about )?(\d+)</output>', page)
    assert found
    return int(found[1])


def test_a_preview_shows_the_best_the_border_and_how_many_and_writes_nothing(house: House) -> None:
    answer = house.post("/concepts/new/", **NEW, verb="preview")
    page = answer.content.decode()
    assert answer.status_code == 200
    best = first_of(page, "<h2>Best</h2>")
    right = {str(a.uuid) for a in house.assets if a.pk in house.showing("lighthouse")}
    assert len(best) == previewing.SHOWN
    assert len(right & set(best)) >= 9
    assert 0 < number_in(page) < len(house.assets)
    assert page.count("<title>") - 1 == previewing.BINS
    assert first_of(page, "Just inside")
    assert first_of(page, "Just outside")
    assert not Concept.objects.exists()
    assert not ConceptVector.objects.exists()


def test_the_line_says_how_many_and_saving_does_that_very_number(house: House) -> None:
    pages = [house.post("/concepts/new/", **NEW, verb="preview", line=line).content.decode() for line in (0.5, 2.0)]
    many, few = (number_in(page) for page in pages)
    assert many > few > 0
    house.post("/concepts/new/", **NEW, verb="save", line="2.0", calibrated="1.0")
    concept = Concept.objects.get()
    read_concepts()
    assert ConceptVector.objects.get().chosen == 2.0
    walk_on()
    assert Tag.objects.filter(concept=concept, state=TagState.PROPOSED).count() == few
    assert f"{few}" in house.client.get("/concepts/").content.decode()


def test_an_untouched_slider_leaves_the_line_to_the_calibration(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save", line="1.23", calibrated="1.23")
    read_concepts()
    assert ConceptVector.objects.get().chosen is None


def test_a_part_for_htmx_and_a_page_without_it(house: House) -> None:
    part = house.client.post("/concepts/new/", {**NEW, "verb": "preview"}, headers={"HX-Request": "true"})
    assert part.content.decode().strip().startswith('<section id="preview"')
    assert "<html" in house.post("/concepts/new/", **NEW, verb="preview").content.decode()


def test_a_large_archive_is_told_from_a_sample(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = number_in(house.post("/concepts/new/", **NEW, verb="preview").content.decode())
    monkeypatch.setattr(previewing, "MOST", 120)
    page = house.post("/concepts/new/", **NEW, verb="preview").content.decode()
    assert "told from a sample of 120" in page
    assert abs(number_in(page) - whole) < 0.6 * whole + 4


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


def test_a_curator_keeps_concepts_for_their_own_collections_only(house: House, harbour: Collection, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=make_user("carol"))
    other = Concept.objects.create(name="theirs", slug="theirs", on_match=OnMatch.PROPOSE)
    client = Client()
    client.force_login(bob)
    refused = client.post("/concepts/new/", {**NEW, "verb": "save"})
    assert (refused.status_code, "required" in refused.content.decode()) == (400, True)
    assert client.post("/concepts/new/", {**NEW, "scope": attic.pk, "verb": "save"}).status_code == 400
    assert client.post("/concepts/new/", {**NEW, "scope": harbour.pk, "verb": "save"}).status_code == 302
    mine = Concept.objects.get(name="Lighthouses")
    assert list(kept_by(bob)) == [mine]
    page = client.get("/concepts/").content.decode()
    assert ("Lighthouses" in page, "theirs" in page) == (True, False)
    for address in ("", "judge/", "progress/"):
        assert client.get(f"/concepts/{other.pk}/{address}").status_code == 404
    mine.scope.add(attic)  # and no longer his alone
    assert client.get(f"/concepts/{mine.pk}/").status_code == 404


def test_who_curates_nothing_finds_no_such_pages(house: House, visitor: User) -> None:
    client = Client()
    client.force_login(visitor)
    assert {client.get(f"/concepts/{page}").status_code for page in ("", "new/", "1/", "1/judge/")} == {404}
    assert {client.post(f"/concepts/{page}").status_code for page in ("new/", "1/learn/", "1/version/")} == {404}


def test_a_preview_counts_what_one_sees_alone(house: House, harbour: Collection, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=make_user("carol"))
    client = Client()
    client.force_login(bob)

    def look() -> str:
        page = client.post("/concepts/new/", {**NEW, "scope": harbour.pk, "verb": "preview"}).content.decode()
        return re.sub(r'"csrfmiddlewaretoken" value="\w+"', "", page)

    before = look()
    make_encoded(attic, house.space, np.repeat(shown().rows[:60], 3, axis=0), prefix="hidden")
    assert look() == before


def judge_by_truth(house: House, concept: Concept, right: set[int], count: int) -> int:
    """Answers the tray as somebody would who knows; returns how many were judged."""
    done = 0
    while done < count:
        page = house.client.get(f"/concepts/{concept.pk}/judge/").content.decode()
        doubtful, likely = (re.findall(r'id="tile-([0-9a-f-]{36})"', part) for part in page.split('id="likely"'))
        for one in [*doubtful[:3], *likely[:3]][: count - done]:
            asset = Asset.objects.get(uuid=one)
            house.post(f"/concepts/{concept.pk}/judge/", asset=one, says="yes" if asset.pk in right else "no")
            done += 1
    return done


def test_thumbs_teach_and_are_undone(house: House) -> None:
    house.post("/concepts/new/", **{**NEW, "name": "Nocturnes", "prompts": "nocturne"}, verb="save")
    concept = Concept.objects.get()
    assert "has not read" in house.client.get(f"/concepts/{concept.pk}/judge/").content.decode()
    read_concepts()
    walk_on()
    answer = house.client.post(f"/concepts/{concept.pk}/learn/", follow=True)
    assert "It learns from 4 pictures" in answer.content.decode()
    judge_by_truth(house, concept, house.under("night"), 30)
    answer = house.client.post(f"/concepts/{concept.pk}/learn/", follow=True)
    assert "Version 1 is in use" in answer.content.decode()
    first = ConceptHead.objects.get()
    assert first.accepted + first.rejected == 30
    assert first.measured["precision"] >= first.measured["words_precision"]
    house.client.post(f"/concepts/{concept.pk}/learn/")
    assert list(ConceptHead.objects.order_by("version").values_list("version", "in_use")) == [(1, False), (2, True)]
    house.post(f"/concepts/{concept.pk}/version/", version="1")
    assert ConceptHead.objects.get(in_use=True).version == 1
    house.post(f"/concepts/{concept.pk}/version/", version="")
    assert not ConceptHead.objects.filter(in_use=True).exists()
    assert house.post(f"/concepts/{concept.pk}/version/", version="9").status_code == 404
    assert Tag.objects.decided().filter(concept=concept).count() == 30


def test_a_judgement_is_taken_back(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    concept = Concept.objects.get()
    address, one = f"/concepts/{concept.pk}/judge/", house.assets[0]
    for says, states in (("no", ["rejected"]), ("yes", ["accepted"]), ("forget", [])):
        tile = house.client.post(address, {"asset": one.uuid, "says": says}, headers={"HX-Request": "true"})
        assert f"tile-{one.uuid}" in tile.content.decode()
        assert list(Tag.objects.filter(asset=one).values_list("state", flat=True)) == states
    for bad in ({"asset": "x", "says": "yes"}, {"asset": one.uuid, "says": "perhaps"}, {}):
        assert house.client.post(address, bad).status_code == 404


def test_a_proposal_is_judged_on_the_page_of_its_picture(house: House) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    read_concepts()
    walk_on()
    tag = Tag.objects.order_by("-score").first()
    assert tag
    page = house.client.get(f"/assets/{tag.asset.uuid}/").content.decode()
    assert "The model thinks" in page
    house.post(f"/assets/{tag.asset.uuid}/tags/", remove="Lighthouses")
    tag.refresh_from_db()
    assert (tag.state, tag.decided) == (TagState.REJECTED, True)
    assert "The model thinks" not in house.client.get(f"/assets/{tag.asset.uuid}/").content.decode()


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


def test_it_learns_from_the_newest_judgements_so_that_nobody_waits_long(house: House, alice: User) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    concept = Concept.objects.get()
    old, new = house.assets[:10], house.assets[10:220]
    for some in (old, new):
        add_tags(Asset.objects.filter(pk__in=[asset.pk for asset in some]), [concept.name], alice)
    judged = find_judged(concept, house.space)
    assert len(judged.assets) == 200
    assert not {asset.pk for asset in old} & set(judged.assets)


def test_what_was_learnt_is_previewed_has_its_own_line_and_gives_way_to_other_words(house: House) -> None:
    told = {**NEW, "name": "Nocturnes", "prompts": "nocturne"}
    house.post("/concepts/new/", **told, verb="save")
    concept = Concept.objects.get()
    read_concepts()
    judge_by_truth(house, concept, house.under("night"), 30)
    house.post(f"/concepts/{concept.pk}/learn/")
    address, learnt = f"/concepts/{concept.pk}/", ConceptHead.objects.get().line
    page = house.client.get(address).content.decode()
    assert "Version 1 of what it learnt decides, and this is what it finds" in page
    night = {str(asset.uuid) for asset in house.assets if asset.pk in house.under("night")}
    assert len(night & set(first_of(page, "<h2>Best</h2>"))) >= 11
    page = house.post(address, **told, verb="preview", line=learnt + 1, calibrated=learnt).content.decode()
    few = number_in(page)
    assert first_of(page, "Just outside")
    house.post(address, **told, verb="save", line=learnt + 1, calibrated=learnt)
    assert ConceptVector.objects.get().chosen is None
    assert f'value="{learnt + 1:.2f}"' in house.client.get(address).content.decode()
    walk_on()
    assert Tag.objects.filter(concept=concept, state=TagState.PROPOSED, decided=False).count() <= few
    house.post(address, **told, verb="save", line=learnt, calibrated=learnt)
    assert ConceptHead.objects.get().line == pytest.approx(learnt)
    other = {**told, "prompts": "a lighthouse"}
    assert "its words and examples decide again" in house.post(address, **other, verb="preview").content.decode()
    house.post(address, **other, verb="save")
    assert not ConceptHead.objects.get().in_use


def test_films_are_scored_part_by_part_and_only_their_best_seconds_kept(
    house: House, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.post("/concepts/new/", **NEW, verb="save")
    read_concepts()
    made = find_concept_vectors(house.space, Concept.objects.all())
    before = score_seen(house.space, made, [], alice)
    at = dict(zip(before.assets, before.scores.tolist(), strict=True))
    order = sorted(house.assets, key=lambda asset: at[asset.pk])
    rows = {asset.pk: row for asset, row in zip(house.assets, shown().rows, strict=True)}
    film, seconds = order[0], [order[n] for n in (5, 9, 200, 30, 2, 7, 8)]
    frames = Frame.objects.bulk_create(Frame(asset=film, at=n + 1) for n in range(len(seconds)))
    vectors = np.stack([rows[asset.pk] for asset in seconds])
    store_vectors(house.space, [f.pk for f in frames], [film.pk] * len(frames), vectors)
    parts: list[Rows] = []

    def in_small_parts(space: Space, assets: Sequence[int]) -> Iterator[Rows]:
        for part in read_some(space, assets, 3):
            parts.append(part)
            yield part

    monkeypatch.setattr(previewing, "read_some", in_small_parts)
    scored = score_seen(house.space, made, [], alice)
    assert max(len(part.assets) for part in parts) <= 4
    assert sum(len(part.assets) for part in parts) == len(house.assets) + len(frames)
    wanted = {**at, film.pk: at[seconds[2].pk]}
    assert dict(zip(scored.assets, scored.scores.tolist(), strict=True)) == pytest.approx(wanted, abs=1e-3)
    monkeypatch.setattr(previewing, "MOST_ROWS", 60)
    few = score_seen(house.space, made, [], alice)
    assert (few.whole, few.total) == (False, len(house.assets))
    assert 60 <= len(few.assets) < len(house.assets)


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


def test_a_curator_who_names_a_tag_is_told_whom_to_ask(house: House, harbour: Collection, bob: User) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    add_tags(Asset.objects.filter(pk=house.assets[0].pk), ["Lighthouses"], bob)
    client = Client()
    client.force_login(bob)
    told = {**NEW, "scope": harbour.pk, "verb": "save"}
    assert "ask whoever runs the archive" in client.post("/concepts/new/", told).content.decode()
    client.post("/concepts/new/", {**told, "name": "Piers"})
    assert "Change that one" in client.post("/concepts/new/", {**told, "name": "piers"}).content.decode()


@pytest.fixture
def shared(house: House, harbour: Collection, bob: User) -> tuple[Client, Concept, Asset]:
    """Bob keeps a concept for the harbour; a picture in somebody else's attic carries it as well."""
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    attic = Collection.objects.create(slug="attic", name="Attic", owner=make_user("carol"))
    (asset,) = make_encoded(attic, house.space, shown().rows[:1], prefix="hidden")
    client = Client()
    client.force_login(bob)
    client.post("/concepts/new/", {**NEW, "scope": harbour.pk, "verb": "save"})
    concept = Concept.objects.get()
    add_tags(Asset.objects.filter(pk=asset.pk), [concept.name], attic.owner)
    return client, concept, asset


@pytest.mark.parametrize("changed", [{"name": "Towers"}, {"kind": "prohibited"}])
def test_what_others_use_as_well_keeps_its_name_and_kind(
    shared: tuple[Client, Concept, Asset], harbour: Collection, house: House, changed: dict[str, str]
) -> None:
    client, concept, _ = shared
    told = {**NEW, "scope": harbour.pk, "verb": "save"}
    answer = client.post(f"/concepts/{concept.pk}/", {**told, **changed})
    assert (answer.status_code, "Other collections use" in answer.content.decode()) == (400, True)
    concept.refresh_from_db()
    assert (concept.name, concept.kind) == ("Lighthouses", "tag")
    assert client.post(f"/concepts/{concept.pk}/", {**told, "prompts": "a tower"}).status_code == 302
    assert house.post(f"/concepts/{concept.pk}/", **{**told, **changed}).status_code == 302  # who runs the archive


def test_what_was_said_elsewhere_or_is_hidden_is_neither_counted_nor_learnt(
    shared: tuple[Client, Concept, Asset], house: House, alice: User
) -> None:
    client, concept, _ = shared
    read_concepts()
    kept, trashed, held = house.assets[:3]
    add_tags(Asset.objects.filter(pk__in=[kept.pk, trashed.pk, held.pk]), [concept.name], alice)
    Asset.objects.filter(pk=trashed.pk).update(trashed_at=now())
    Asset.objects.filter(pk=held.pk).update(quarantined=True)
    assert "1 said to show it" in client.get(f"/concepts/{concept.pk}/judge/").content.decode()
    assert find_judged(concept, house.space).assets == [kept.pk]


def test_what_a_policy_looks_for_is_changed_by_those_who_may_and_the_log_tells(
    house: House, harbour: Collection, alice: User, bob: User
) -> None:
    Membership.objects.filter(user=bob).update(role=Role.CURATOR)
    told = {**NEW, "kind": "prohibited", "scope": harbour.pk, "verb": "save"}
    house.post("/concepts/new/", **told)
    concept = Concept.objects.get()
    read_concepts()
    Policy.objects.create(concept=concept)
    client = Client()
    client.force_login(bob)
    for changed in ({"kind": "tag"}, {"prompts": "nothing at all"}, {"line": "90"}):
        answer = client.post(f"/concepts/{concept.pk}/", {**told, **changed})
        assert (answer.status_code, "A policy looks for" in answer.content.decode()) == (400, True)
    for address in ("learn", "version"):
        answer = client.post(f"/concepts/{concept.pk}/{address}/", follow=True)
        assert "A policy looks for" in answer.content.decode()
    concept.refresh_from_db()
    assert (concept.kind, concept.prompts, ConceptVector.objects.get().chosen) == ("prohibited", ["a lighthouse"], None)
    assert not LogEntry.objects.exists()
    assert house.post(f"/concepts/{concept.pk}/", **{**told, "kind": "tag", "line": "2.5"}).status_code == 302
    (entry,) = LogEntry.objects.all()
    assert (entry.event, entry.person, entry.concept) == (Event.CHANGED, "alice", "Lighthouses")
    assert "kind: tag instead of prohibited; line: 2.50 instead of calibrated" in entry.reason
    house.post(f"/concepts/{concept.pk}/version/", version="")
    assert "judged by its words alone" in LogEntry.objects.order_by("-id")[0].reason
