"""Tags as tables: out and in again without a loss, and only by those who curate."""

from __future__ import annotations

import csv
import io
import uuid
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User

from archive.exchange.concept_rows import concept_rows
from archive.exchange.tag_import import import_tags
from archive.exchange.tag_rows import TAGS, tag_rows
from archive.exchange.tally import NotImported
from archive.models import Asset, Collection, Concept, ConceptKind, OnMatch, Tag, TagSource, TagState
from archive.tags import add_tags, judge_tag
from tests.archive.exchange.tables import ODD, carried, out
from tests.archive.test_visibility import put

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_tags_go_out_and_come_back_exactly(boat: Asset, alice: User, kind: str) -> None:
    add_tags(Asset.objects.all(), ODD, alice)
    before = carried(boat)
    file = out(tag_rows(alice), TAGS, kind)
    Tag.objects.all().delete()
    Concept.objects.all().delete()
    told = import_tags(file, alice)
    assert (told.added, told.wrong, len(told.new_names)) == (len(ODD), 0, len(ODD))
    assert carried(boat) == before == set(ODD)
    again = import_tags(file, alice)
    assert (again.added, again.changed, again.same) == (0, 0, len(ODD))


def test_no_cell_of_a_table_is_a_formula(boat: Asset, alice: User) -> None:
    Asset.objects.filter(pk=boat.pk).update(filename='=HYPERLINK("http://x")')
    add_tags(Asset.objects.all(), ODD, alice)
    rows = list(csv.reader(io.StringIO(out(tag_rows(alice), TAGS, "csv").getvalue().decode("utf-8-sig"))))
    assert len(rows) == len(ODD) + 1
    assert not [cell for row in rows for cell in row if cell[:1] in tuple("=+-@\t\r")]


def test_a_rejection_travels_and_a_proposal_is_passed_over(boat: Asset, alice: User) -> None:
    for name, state in (("sea", TagState.REJECTED), ("sky", TagState.PROPOSED), ("sun", TagState.ACCEPTED)):
        concept = Concept.objects.create(name=name, slug=name)
        Tag.objects.create(asset=boat, concept=concept, state=state, source=TagSource.MODEL)
    file = out(tag_rows(alice, TagState.values), TAGS, "csv")
    Tag.objects.all().delete()
    import_tags(file, alice)
    states = dict(Tag.objects.values_list("concept__name", "state"))
    assert states == {"sea": TagState.REJECTED, "sun": TagState.ACCEPTED}
    assert not Tag.objects.filter(decided=False).exists()


def test_a_dry_run_and_a_wrong_line_change_nothing(boat: Asset, alice: User) -> None:
    data = f'asset,tag,state\n{boat.uuid},sea,\n{boat.uuid},"a,b",\n{uuid.uuid4()},sky,\nx,y,\n{boat.uuid},z,maybe\n'
    told = import_tags(BytesIO(data.encode()), alice, dry_run=True)
    assert (told.lines, told.added, told.wrong) == (5, 1, 4)
    assert sorted(one.line for one in told.problems) == [3, 4, 5, 6]
    with pytest.raises(NotImported, match="4 of 5 lines are wrong"):
        import_tags(BytesIO(data.encode()), alice)
    assert not Tag.objects.exists()
    assert not Concept.objects.exists()
    import_tags(BytesIO(data.encode()), alice, leave_out_wrong=True)
    assert carried(boat) == {"sea"}


def test_a_file_of_another_archive_is_known_by_its_content(boat: Asset, alice: User) -> None:
    data = f"asset,sha256,tag\n{uuid.uuid4()},{boat.sha256},sea\n"
    assert import_tags(BytesIO(data.encode()), alice).added == 1
    assert carried(boat) == {"sea"}


def test_nobody_tags_what_they_do_not_curate_or_reads_what_they_do_not_see(
    boat: Asset, alice: User, bob: User, visitor: User
) -> None:
    data = f"asset,sha256,tag\n{boat.uuid},{boat.sha256},sea\n".encode()
    for person in (bob, visitor):
        told = import_tags(BytesIO(data), person, dry_run=True)
        assert [one.sentence for one in told.problems] == ["There is no such asset that you curate."]
    import_tags(BytesIO(data), alice)
    assert [row["tag"] for row in tag_rows(bob)] == ["sea"]
    assert list(tag_rows(visitor)) == []
    assert list(concept_rows(visitor)) == []


def test_many_tags_are_taken_in_with_few_statements(
    harbour: Collection, alice: User, django_assert_max_num_queries: Any
) -> None:
    assets = [put(harbour, f"boat {n}") for n in range(20)]
    lines = [f"{asset.uuid},tag {n}" for asset in assets for n in range(50)]
    import_tags(BytesIO("\n".join(["asset,tag", *lines[:50]]).encode()), alice)  # makes the names
    with django_assert_max_num_queries(20):
        told = import_tags(BytesIO("\n".join(["asset,tag", *lines]).encode()), alice)
    assert (told.added, told.same) == (950, 50)


def test_what_a_model_put_on_and_a_table_says_as_well_is_decided_from_then_on(boat: Asset, alice: User) -> None:
    concept = Concept.objects.create(name="sea", slug="sea", on_match=OnMatch.ACCEPT)
    Tag.objects.create(asset=boat, concept=concept, source=TagSource.MODEL, score=3.0)
    table = f"asset,tag,state\n{boat.uuid},sea,accepted\n".encode()
    assert import_tags(BytesIO(table), alice, dry_run=True).changed == 1
    assert import_tags(BytesIO(table), alice).changed == 1
    tag = Tag.objects.get()
    assert (tag.state, tag.decided, tag.by) == (TagState.ACCEPTED, True, alice)
    assert import_tags(BytesIO(table), alice).same == 1


def test_a_prohibited_concept_comes_and_goes_in_no_table_of_tags(boat: Asset, alice: User) -> None:
    weapon = Concept.objects.create(slug="weapon", name="Weapon", kind=ConceptKind.PROHIBITED)
    judge_tag(Asset.objects.filter(pk=boat.pk), weapon, TagState.ACCEPTED, alice)
    assert list(tag_rows(alice, TagState.values)) == []
    file = BytesIO(f"asset,tag\n{boat.uuid},weapon\n{boat.uuid},boat\n".encode())
    with pytest.raises(NotImported) as refused:
        import_tags(file, alice)
    assert [told.sentence for told in refused.value.tally.problems] == [
        "“weapon” is a prohibited concept: pictures are flagged, not tagged."
    ]
    assert carried(boat) == set()
