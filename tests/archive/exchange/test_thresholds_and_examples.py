"""What a concept learned travels in the table of the vocabulary: its thresholds, and its examples."""

from __future__ import annotations

import csv
import io
import json
import uuid
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from archive.concepts.keeping import choose_words_line
from archive.concepts.vectors import examples_of, store_concepts
from archive.concepts.words import every_text
from archive.exchange.concept_import import import_vocabulary
from archive.exchange.concept_rows import VOCABULARY, concept_rows
from archive.models import Asset, Collection, Concept, ConceptExample, ConceptVector, Membership, OnMatch, Role, Space
from tests.archive.exchange.tables import out
from tests.archive.test_visibility import put
from tests.cast import make_user
from workers.encoders.fake import FakeEncoder

pytestmark = pytest.mark.django_db


@pytest.fixture
def lantern(boat: Asset, harbour: Collection, fake_space: Space) -> Concept:
    """With an example, a counter-example, and a threshold in each of two spaces, one of which read its words."""
    concept = Concept.objects.create(name="Lantern", slug="lantern", prompts=["a lantern"], on_match=OnMatch.PROPOSE)
    texts = every_text([concept])
    store_concepts(fake_space, [concept], dict(zip(texts, FakeEncoder().encode_texts(texts), strict=True)))
    other = Space.objects.create(slug="-other", model="fake", dimensions=768, fingerprint="0" * 64)
    choose_words_line(concept, fake_space.pk, -1.2345678901234567)
    choose_words_line(concept, other.pk, 2.5)
    ConceptExample.objects.create(concept=concept, asset=boat)
    ConceptExample.objects.create(concept=concept, asset=put(harbour, "lamp"), counter=True)
    return concept


def evidence() -> tuple[list[Any], list[Any]]:
    chosen = ConceptVector.objects.filter(chosen__isnull=False).order_by("space")
    examples = ConceptExample.objects.order_by("asset_id")
    return list(chosen.values_list("space__slug", "chosen")), list(examples.values_list("asset_id", "counter"))


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_thresholds_and_examples_travel_with_a_concept(lantern: Concept, alice: User, kind: str) -> None:
    before = evidence()
    file = out(concept_rows(alice), VOCABULARY, kind)
    assert (len(before[0]), len(before[1])) == (2, 2)
    if kind == "csv":
        cells = next(iter(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8-sig")))))
        assert cells["thresholds"].startswith("'-other: 2.5\n")
    assert import_vocabulary(file, alice).same == 1
    lantern.delete()
    assert import_vocabulary(file, alice).added == 1
    assert evidence() == before
    assert {entry.asset_id for entry in examples_of([Concept.objects.get()])[Concept.objects.get().pk]}


def test_what_this_archive_does_not_have_is_named_and_what_there_is_stays(
    lantern: Concept, boat: Asset, alice: User, fake_space: Space, tmp_path: Path
) -> None:
    lines, examples = evidence()
    strange = uuid.uuid4()
    table = [
        {"name": "lantern", "thresholds": [f"{fake_space.slug}: 1", "mars: 3"], "examples": [f"{strange} {'a' * 64}"]}
    ]
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table))
    said = StringIO()
    call_command("vocabulary", "import", str(path), "--json", stdout=said)
    told = json.loads(said.getvalue())
    assert told["changed"] == 1
    assert [one["problem"] for one in told["left_out"]] == [
        "There is no space “mars” here: its threshold was left out.",
        f"There is no picture “{strange}” here: it was left out as an example.",
    ]
    assert evidence() == ([(slug, 1.0 if slug == fake_space.slug else line) for slug, line in lines], examples)
    twin = import_vocabulary(BytesIO(f"name,counters\nlantern,{boat.sha256}\n".encode()), alice)
    assert twin.changed == 1
    assert evidence()[1] == [(boat.pk, True)]
    assert import_vocabulary(BytesIO(b"name,examples,counters\nlantern,,\n"), alice).changed == 1
    assert evidence()[1] == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("far,,", "written as “space: score”"),
        ("far: nan,,", "written as “space: score”"),
        ("far: 1e9,,", "written as “space: score”"),
        (",boat.jpg,", "not by “boat.jpg”"),
        (",BOAT,BOAT", "an example and as a counter-example"),
    ],
)
def test_wrong_thresholds_and_examples_are_refused(boat: Asset, alice: User, line: str, says: str) -> None:
    table = f"name,thresholds,examples,counters\nx,{line.replace('BOAT', str(boat.uuid))}\n"
    told = import_vocabulary(BytesIO(table.encode()), alice, dry_run=True)
    assert [says in one.sentence for one in told.problems] == [True], told.problems


def test_curators_bring_no_thresholds(harbour: Collection, alice: User, fake_space: Space) -> None:
    carol = make_user("carol")
    Membership.objects.create(collection=harbour, user=carol, role=Role.CURATOR)
    told = import_vocabulary(BytesIO(f"name,thresholds\nnew,{fake_space.slug}: 1\n".encode()), carol, dry_run=True)
    assert told.wrong == 1
