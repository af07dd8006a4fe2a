"""Vocabulary and tags as tables: out and in again without a loss, and nothing that a spreadsheet would run."""

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
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from archive.concepts.keeping import choose_words_line
from archive.concepts.vectors import examples_of, store_concepts
from archive.concepts.words import every_text
from archive.exchange.cells import bare, guard
from archive.exchange.concept_import import import_vocabulary
from archive.exchange.concept_rows import VOCABULARY, concept_rows
from archive.exchange.lines import BadFile, Problem, Record
from archive.exchange.reading import read_records
from archive.exchange.tag_import import import_tags
from archive.exchange.tag_rows import TAGS, tag_rows
from archive.exchange.tally import NotImported
from archive.exchange.writing import write
from archive.models import (
    Asset,
    Collection,
    Concept,
    ConceptExample,
    ConceptHead,
    ConceptKind,
    ConceptVector,
    Membership,
    OnMatch,
    Role,
    Space,
    Tag,
    TagSource,
    TagState,
)
from archive.tags import add_tags, judge_tag, tags_of
from tests.archive.test_visibility import put
from tests.cast import make_user
from workers.encoders.fake import FakeEncoder

pytestmark = pytest.mark.django_db
ODD = ["=1+1", "+49", "-1", "@home", "'=x", "''@y", "'tis", 'a"b', "c;d", "Été", "100 %", "＝wide", "{}", "[x"]


@pytest.fixture
def boat(harbour: Collection) -> Asset:
    return put(harbour, "boat")


def out(rows: Any, columns: Any, kind: str) -> BytesIO:
    return BytesIO(b"".join(write(rows, columns.known, kind)))


def carried(asset: Asset) -> set[str]:
    return {tag.name for tag in tags_of(asset)}


# ---- cells -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [*ODD, "", "'", "''", "\tx", "\r=x", "\n=x", "plain", "'plain", "'''-"])
def test_a_cell_is_no_formula_and_gives_back_what_went_in(text: str) -> None:
    cell = guard(text)
    assert bare(cell) == text
    assert not cell or cell[0] not in "=+-@\t\r\n＝＋－＠"


# ---- reading -----------------------------------------------------------------------------------


def read(data: bytes) -> list[Record | Problem]:
    return list(read_records(BytesIO(data), TAGS))


@pytest.mark.parametrize(
    "data",
    [
        b"asset,tag\r\n1,sea\r\n\r\n2,b\r\n",
        b"\xef\xbb\xbfasset,tag\r\n1,sea\r\n\r\n2,b\r\n",
        b"asset;tag\r\n1;sea\r\n\r\n2;b\r\n",
        b"sep=;\r\nasset;tag\r\n1;sea\r\n\r\n2;b\r\n",
        "asset\ttag\r\n1\tsea\r\n\r\n2\tb\r\n".encode("utf-16"),
        b" Asset , TAG \n1,sea\n,\n2,b\n",
    ],
)
def test_whatever_a_spreadsheet_saves_is_read(data: bytes) -> None:
    found = read(data)
    values = [one.values for one in found if isinstance(one, Record)]
    assert values == [{"asset": "1", "tag": "sea"}, {"asset": "2", "tag": "b"}]
    assert [one.line for one in found] == ([3, 5] if data.startswith(b"sep") else [2, 4])


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (b"", 1, "empty"),
        (b"asset,name\n", 1, "“name” is no column"),
        (b"asset\n", 1, "“tag” is missing"),
        (b"tag,tag\n", 1, "same name"),
        (b"asset,tag\n1,a\n2,\xff\xfe\n", 3, "not UTF-8"),
        (b'asset,tag\n1,a\n2,"b\n3,c\n', 3, "not CSV"),
        (b'[{"tag": "a"},\n{"tag": }]', 2, "not JSON"),
        (b'[{"tag": "a"},\n{"tag": "b"}\n', 3, "ends too early"),
        (b'[{"tag": "a"}]\n[', 2, "behind the end"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line(data: bytes, line: int, says: str) -> None:
    with pytest.raises(BadFile, match=says) as told:
        read(data)
    assert told.value.line == line


def test_one_wrong_line_does_not_hide_the_others() -> None:
    found = read(b"asset,tag\n1,a\n2,b,c\n3,d\n")
    assert [(type(one), one.line) for one in found] == [(Record, 2), (Problem, 3), (Record, 4)]
    found = read(b'[{"tag": "a"},\n 7,\n {"tagg": "x"},\n {"tag": "b"}]')
    assert [(type(one), one.line) for one in found] == [(Record, 1), (Problem, 2), (Problem, 3), (Record, 4)]


def test_a_long_json_file_is_read_a_piece_at_a_time() -> None:
    data = b"".join(write(({"tag": f"tag {n}\n{n}"} for n in range(20_000)), TAGS.known, "json"))
    found = list(read_records(BytesIO(data), TAGS))
    assert [one.line for one in found] == list(range(2, 20_002))
    deep = read_records(BytesIO(b"[" + b'{"tag":' * 100_000), TAGS)
    with pytest.raises(BadFile):
        list(deep)


# ---- tags --------------------------------------------------------------------------------------


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


# ---- vocabulary --------------------------------------------------------------------------------


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


# ---- faces -------------------------------------------------------------------------------------


def test_the_commands_write_and_read_files(boat: Asset, alice: User, tmp_path: Path) -> None:
    add_tags(Asset.objects.all(), ODD, alice)
    for command, ending in (("tags", "csv"), ("vocabulary", "json")):
        path = tmp_path / f"{command}.{ending}"
        call_command(command, "export", str(path))
        said = StringIO()
        call_command(command, "import", str(path), "--dry-run", "--json", stdout=said)
        assert json.loads(said.getvalue())["same"] == len(ODD)
    (tmp_path / "bad.csv").write_text(f"asset,tag\n{boat.uuid},ok\nx,y\n")
    complaints = StringIO()
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("tags", "import", str(tmp_path / "bad.csv"), stderr=complaints, stdout=StringIO())
    assert "Line 3: “x” is not the id of an asset." in complaints.getvalue()


def test_a_page_gives_and_takes_tables(boat: Asset, alice: User, bob: User, client: Client) -> None:
    add_tags(Asset.objects.all(), ["=sea"], alice)
    client.force_login(bob)
    sent: Any = client.get("/tables/file/", {"table": "tags", "format": "csv"})
    data = b"".join(sent.streaming_content)
    assert b"'=sea" in data
    assert "attachment" in sent["Content-Disposition"]
    assert client.get("/tables/file/", {"table": "users", "format": "csv"}).status_code == 404
    assert client.post("/tables/", {"table": "tags"}).status_code == 404  # he curates nothing
    Tag.objects.all().delete()
    client.force_login(alice)
    checked = client.post("/tables/", {"table": "tags", "check": "1", "file": SimpleUploadedFile("t.csv", data)})
    assert "1 would be added" in checked.content.decode()
    assert not Tag.objects.exists()
    client.post("/tables/", {"table": "tags", "import": "1", "file": SimpleUploadedFile("t.csv", data)})
    assert carried(boat) == {"=sea"}
    bad = client.post("/tables/", {"table": "tags", "file": SimpleUploadedFile("t.csv", b"asset,tag\nx,y\n")})
    assert bad.status_code == 400
    assert "Line 2" in bad.content.decode()


def test_what_a_model_put_on_and_a_table_says_as_well_is_decided_from_then_on(boat: Asset, alice: User) -> None:
    concept = Concept.objects.create(name="sea", slug="sea", on_match=OnMatch.ACCEPT)
    Tag.objects.create(asset=boat, concept=concept, source=TagSource.MODEL, score=3.0)
    table = f"asset,tag,state\n{boat.uuid},sea,accepted\n".encode()
    assert import_tags(BytesIO(table), alice, dry_run=True).changed == 1
    assert import_tags(BytesIO(table), alice).changed == 1
    tag = Tag.objects.get()
    assert (tag.state, tag.decided, tag.by) == (TagState.ACCEPTED, True, alice)
    assert import_tags(BytesIO(table), alice).same == 1


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
