"""The vocabulary as a table: out and in again without a loss, and in effect as if it was written by hand."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User

from archive.exchange.concept_import import import_vocabulary
from archive.exchange.concept_rows import VOCABULARY, concept_rows
from archive.models import (
    Asset,
    Collection,
    Concept,
    ConceptHead,
    ConceptVector,
    Membership,
    OnMatch,
    Role,
    Space,
    Tag,
    TagSource,
)
from tests.archive.exchange.tables import ODD, out
from tests.cast import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def vocabulary(alice: User, harbour: Collection) -> None:
    place = Concept.objects.create(name="Place", slug="place")
    for name in ODD:
        concept = Concept.objects.create(
            name=name,
            slug=f"n{Concept.objects.count()}",
            parent=place,
            prompts=[name, 'a "quoted" one', "+ and"],
            templates=["{} at sea"],
            negatives=["=1"],
            on_match=OnMatch.PROPOSE,
            note=f"{name}\nsecond line, and\u2028a third\r\n",
        )
        concept.scope.add(harbour)


def told_of() -> list[Any]:
    fields = ("name", "kind", "on_match", "prompts", "templates", "negatives", "note", "parent__name", "scope__slug")
    return list(Concept.objects.order_by("folded").values_list(*fields))


@pytest.mark.parametrize("kind", ["csv", "json"])
@pytest.mark.usefixtures("vocabulary")
def test_the_vocabulary_goes_out_and_comes_back_exactly(alice: User, kind: str) -> None:
    before = told_of()
    file = out(concept_rows(alice), VOCABULARY, kind)
    assert import_vocabulary(file, alice).same == len(ODD) + 1
    Concept.objects.all().delete()
    assert import_vocabulary(file, alice, dry_run=True).added == len(ODD) + 1
    assert not Concept.objects.exists()
    assert import_vocabulary(file, alice).added == len(ODD) + 1
    assert told_of() == before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("a,b", "separate tags"),
        (";;;;x", "needs a name"),
        ("x;;wild", "“kind” is one of"),
        ("x;nobody", "neither in the vocabulary"),
        ("x;;;no place for it", "needs {} once"),
        ("x;;;;nowhere", "no collection"),
        ("y", "names “y” already"),
        ("z;v\nv;z", "own ancestor"),
    ],
)
def test_a_wrong_concept_is_named_with_its_line(alice: User, line: str, says: str) -> None:
    told = import_vocabulary(BytesIO(f"name;parent;kind;templates;scope\ny\n{line}\n".encode()), alice, dry_run=True)
    assert any(says in one.sentence and one.line > 2 for one in told.problems), told.problems
    assert not Concept.objects.exists()


def test_columns_that_a_file_lacks_leave_what_there_is(alice: User, vocabulary: None) -> None:
    before = told_of()
    assert import_vocabulary(BytesIO(b"name\n'=1+1\n@home\nnew\n"), alice).added == 1
    assert [one for one in told_of() if one[0] != "new"] == before


def test_curators_add_names_and_change_none(harbour: Collection, alice: User, vocabulary: None) -> None:
    carol = make_user("carol")
    Membership.objects.create(collection=harbour, user=carol, role=Role.CURATOR)
    told = import_vocabulary(BytesIO(b"name,note\nplace,mine now\nnew,\n"), carol, dry_run=True)
    assert (told.added, [one.line for one in told.problems]) == (1, [2])
    told = import_vocabulary(BytesIO(b"name,on_match\nnew,accept\n"), carol, dry_run=True)
    assert told.wrong == 1


def test_a_changed_vocabulary_takes_effect_as_if_it_had_been_saved_by_hand(
    boat: Asset, harbour: Collection, fake_space: Space, alice: User
) -> None:
    def make(name: str) -> Concept:
        concept = Concept.objects.create(name=name, slug=name, on_match=OnMatch.ACCEPT, prompts=[name])
        Tag.objects.create(asset=boat, concept=concept, source=TagSource.MODEL, score=3.0)
        told: dict[str, Any] = {"vector": bytes(4 * 768), "mean": 0.0, "spread": 1.0, "line": 1.0}
        ConceptVector.objects.create(concept=concept, space=fake_space, mark="x", due=False, **told)
        ConceptHead.objects.create(
            concept=concept, space=fake_space, version=1, in_use=True, accepted=4, rejected=4, **told
        )
        return concept

    left, asked, same = make("left"), make("asked"), make("same")
    table = b"name,on_match,prompts\nleft,nothing,left\nasked,propose,a question\nsame,accept,same\n"
    import_vocabulary(BytesIO(table), alice)
    due = dict(ConceptVector.objects.values_list("concept", "due"))
    assert due == {left.pk: True, asked.pk: True, same.pk: False}
    assert set(Tag.objects.values_list("concept", flat=True)) == {asked.pk, same.pk}
    assert set(ConceptHead.objects.filter(in_use=True).values_list("concept", flat=True)) == {left.pk, same.pk}
