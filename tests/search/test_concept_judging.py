"""Judging what a concept finds: thumbs teach, are undone, and what was learnt has versions and a line of its own."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.contrib.postgres.search import SearchQuery

from archive.concepts.heads import find_judged
from archive.concepts.passes import walk_on
from archive.concepts.scoring import score
from archive.concepts.vectors import find_concept_vectors, head_vectors
from archive.models import (
    Asset,
    AssetWords,
    Check,
    CheckState,
    Concept,
    ConceptHead,
    ConceptKind,
    ConceptVector,
    Flag,
    FlagState,
    Policy,
    PolicyLine,
    Tag,
    TagState,
)
from archive.models import LogEntry as ModerationEntry
from archive.moderation.checking import outlook, work_on_next_check
from archive.tag_names import BadTag
from archive.tags import add_tags, remove_tags, seen_tags, tags_of
from archive.vectors import read_vectors
from search.concepts.judging import judge
from tests.search.house import NEW, House, first_of, number_in
from workers.concepts import read_concepts

pytestmark = pytest.mark.django_db


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


def test_what_shows_a_prohibited_concept_is_learnt_from_and_reviewed_and_is_no_tag(house: House, alice: User) -> None:
    house.post("/concepts/new/", **{**NEW, "kind": "prohibited"}, verb="save")
    concept = Concept.objects.get()
    unread, one, other = house.assets[0], house.assets[1], house.assets[2]
    address = f"/concepts/{concept.pk}/judge/"
    house.post(address, asset=unread.uuid, says="yes")
    read_concepts()
    house.post(address, asset=one.uuid, says="yes")
    house.post(address, asset=one.uuid, says="yes")
    house.post(address, asset=other.uuid, says="no")
    judged = find_judged(concept, house.space)
    assert dict(zip(judged.assets, judged.good.tolist(), strict=True)) == {
        unread.pk: True,
        one.pk: True,
        other.pk: False,
    }
    for asset in (unread, one):
        assert not tags_of(asset)
    assert not seen_tags(alice).exists()
    assert not AssetWords.objects.filter(said=SearchQuery("lighthouses", config="simple")).exists()
    flags = {flag.asset_id: flag for flag in Flag.objects.all()}
    assert flags.keys() == {unread.pk, one.pk}
    assert [(flag.state, flag.hides) for flag in flags.values()] == [(FlagState.OPEN, False)] * 2
    assert (flags[unread.pk].score, len(flags[one.pk].moments)) == (None, 1)
    assert flags[one.pk].score == pytest.approx(flags[one.pk].moments[0]["score"], abs=0.001)
    told = ModerationEntry.objects.filter(flag_id=flags[one.pk].pk)
    assert [entry.person for entry in told if "teaches" in entry.reason] == ["alice"]


def test_a_picture_that_is_confirmed_is_hidden_only_where_the_policy_would(house: House, alice: User) -> None:
    house.post("/concepts/new/", **{**NEW, "kind": "prohibited"}, verb="save")
    concept = Concept.objects.get()
    read_concepts()
    policy = Policy.objects.create(concept=concept, is_on=True)
    PolicyLine.objects.create(policy=policy, space=house.space, review_at=-100, quarantine_at=-99)
    judge(concept, house.assets[0], "yes", alice)
    PolicyLine.objects.update(review_at=100, quarantine_at=101)
    judge(concept, house.assets[1], "yes", alice)
    assert [flag.hides for flag in Flag.objects.order_by("asset_id")] == [True, False]
    assert list(Asset.objects.filter(quarantined=True)) == [house.assets[0]]


def test_a_tag_that_becomes_prohibited_is_one_no_more(house: House, alice: User) -> None:
    add_tags(Asset.objects.filter(pk=house.assets[0].pk), ["Sailors"], alice)
    concept = Concept.objects.get()
    found = AssetWords.objects.filter(said=SearchQuery("sailors", config="simple"))
    assert found.exists()
    assert tags_of(house.assets[0]) == [concept]
    concept.kind = ConceptKind.PROHIBITED
    concept.save()
    assert not found.exists()
    assert not tags_of(house.assets[0])
    with pytest.raises(BadTag, match="“Sailors” is a prohibited concept"):
        add_tags(Asset.objects.all(), ["sailors", "boats"], alice)
    assert not Concept.objects.filter(name="boats").exists()
    remove_tags(Asset.objects.all(), ["sailors"], alice)
    assert Tag.objects.get().state == TagState.ACCEPTED


def test_a_policy_that_is_on_keeps_what_it_was_set_for_until_another_version_was_tried(house: House) -> None:
    told = {**NEW, "name": "Nocturnes", "prompts": "nocturne", "kind": "prohibited"}
    house.post("/concepts/new/", **told, verb="save")
    concept = Concept.objects.get()
    read_concepts()
    policy = Policy.objects.create(concept=concept, is_on=True)
    PolicyLine.objects.create(policy=policy, space=house.space, review_at=90, quarantine_at=91)
    walk_on()
    judge_by_truth(house, concept, house.under("night"), 30)
    before = find_concept_vectors(house.space, [concept])
    answer = house.client.post(f"/concepts/{concept.pk}/learn/", follow=True)
    assert "Version 1 is learnt, and not in use" in answer.content.decode()
    assert not ConceptHead.objects.get().in_use
    use = f"/concepts/{concept.pk}/version/"
    for _ in range(2):  # the second one finds the trial under way
        answer = house.client.post(use, {"version": "1"}, follow=True)
        assert "What version 1 would find is counted first" in answer.content.decode()
    assert (find_concept_vectors(house.space, [concept]).vectors == before.vectors).all()
    trial = Check.objects.get(dry=True)
    while work_on_next_check():
        pass
    head = ConceptHead.objects.get()
    scores = score(read_vectors(house.space, [one.pk for one in house.assets]).vectors, head_vectors(head))[:, 0]
    assert outlook(trial := Check.objects.get(pk=trial.pk), 2.0).reached == (scores >= 2.0).sum()
    assert (trial.state, trial.head) == (CheckState.DONE, head)
    house.post(use, version="1")
    assert ConceptHead.objects.get().in_use
    answer = house.client.post(use, {"version": ""}, follow=True)
    assert "What its words would find is counted first" in answer.content.decode()
    assert ConceptHead.objects.get().in_use
    while work_on_next_check():
        pass
    house.post(use, version="")
    assert not ConceptHead.objects.get().in_use
