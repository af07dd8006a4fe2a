"""Keywords in files become tags, once; and tags go out beside the files again."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils.timezone import now
from PIL import Image

from archive import exports
from archive.batches import make_batch, read_order
from archive.decoder.sandbox import Sandbox
from archive.exchange.concept_rows import concepts_open_to
from archive.incoming import receive
from archive.ingest import ingest_file
from archive.models import Asset, Batch, BatchState, Collection, Concept, ConceptKind, Space, Status, Tag, TagState
from archive.sidecars import paths_of, sidecar
from archive.tags import add_tags, remove_tags, tags_of
from tests import pictures
from workers.batches import drain_batches
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)
WINDOWS_KEYWORDS = 0x9C9E
DC = "{http://purl.org/dc/elements/1.1/}"
LR = "{http://ns.adobe.com/lightroom/1.0/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
ODD = ["sea & <sand>", 'a "quoted" one', "Été", "=1+1", "a|b"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def take_in(collection: Collection, data: bytes, name: str = "picture.jpg") -> Asset:
    asset = ingest_file(receive([data]), collection=collection, uploader=None, filename=name).asset
    drain_prepare()
    asset.refresh_from_db()
    return asset


def tagged(*words: str) -> bytes:
    return pictures.jpeg(xmp=pictures.keywords_xmp(list(words)).encode())


def names(asset: Asset) -> list[str]:
    return [concept.name for concept in tags_of(asset)]


def xp(*words: str) -> Image.Exif:
    exif = Image.Exif()
    exif[WINDOWS_KEYWORDS] = ";".join(words).encode("utf-16-le") + b"\0\0"
    return exif


# ---- reading -----------------------------------------------------------------------------------


def test_keywords_are_read_wherever_people_wrote_them(sandbox: Sandbox) -> None:
    packet = pictures.keywords_xmp(["sea", "sand"], ["Places|Europe|Volendam", "sea"])
    assert sandbox.decode(pictures.jpeg(xmp=packet.encode()), specs=[]).keywords == ("sea", "sand", "Volendam")
    assert sandbox.decode(pictures.png_with_xmp(packet), specs=[]).keywords == ("sea", "sand", "Volendam")
    assert sandbox.decode(pictures.jpeg_with_iptc("T", "C", b"K\xe4se", b"boat"), specs=[]).keywords == ("Käse", "boat")
    assert sandbox.decode(pictures.jpeg(exif=xp("Wolke", "été")), specs=[]).keywords == ("Wolke", "été")
    assert sandbox.decode(pictures.jpeg(), specs=[]).keywords == ()


def test_a_keyword_counts_once_and_one_that_iptc_cut_off_not_at_all(sandbox: Sandbox) -> None:
    long = "a keyword that says very much indeed of what is to be seen in this picture"
    packet = pictures.keywords_xmp([long, "Sea"]).encode()
    data = pictures.jpeg_with_iptc("T", "C", long.encode()[:64], b"sea", b"gull, wave", xmp=packet)
    assert sandbox.decode(data, specs=[]).keywords == (long, "Sea", "gull", "wave")


def test_a_file_full_of_keywords_gives_some_of_them(sandbox: Sandbox) -> None:
    words = pictures.keywords_xmp([f"{n} {'x' * 500}" for n in range(500)])
    found = sandbox.decode(pictures.png_with_xmp(words), specs=[]).keywords
    assert len(found) == 100
    assert max(map(len, found)) <= 300


# ---- tags --------------------------------------------------------------------------------------


def test_keywords_become_accepted_tags_of_the_file(harbour: Collection, fake_space: Space) -> None:
    Concept.objects.create(name="gore", slug="gore", kind=ConceptKind.PROHIBITED)
    asset = take_in(harbour, tagged("Sea", "x" * 200, "gore", "sea"))
    assert names(asset) == ["Sea"]
    tag = Tag.objects.get(asset=asset)
    assert (tag.state, tag.source, tag.decided, tag.by) == (TagState.ACCEPTED, "file", True, None)
    assert asset.keywords == ["Sea", "x" * 200, "gore"]


def test_what_a_person_took_off_does_not_come_back(harbour: Collection, fake_space: Space, alice: User) -> None:
    asset = take_in(harbour, tagged("sea", "sand", "sky"))
    this = Asset.objects.filter(pk=asset.pk)
    remove_tags(this, ["sea"], alice)
    Tag.objects.filter(concept__name="sand").delete()  # however it went
    this.update(status=Status.READY)
    asset.work.filter(step="prepare").update(state="ready")
    drain_prepare()
    assert names(asset) == ["sky"]
    assert Tag.objects.get(asset=asset, concept__name="sea").state == TagState.REJECTED


def test_files_of_before_are_read_by_a_command(harbour: Collection, fake_space: Space, alice: User) -> None:
    asset = take_in(harbour, tagged("sea", "sand"))
    add_tags(Asset.objects.all(), ["sand"], alice)
    Tag.objects.filter(concept__name="sea").delete()
    Asset.objects.update(keywords=None, status=Status.READY)
    said = StringIO()
    call_command("tags", "read", stdout=said, stderr=StringIO())
    assert said.getvalue().strip() == "1 files read, 1 tags put on, 0 could not be read"
    assert names(asset) == ["sand", "sea"]
    remove_tags(Asset.objects.all(), ["sea"], alice)
    call_command("tags", "read", stdout=said, stderr=StringIO())
    assert names(asset) == ["sand"]


# ---- out again ---------------------------------------------------------------------------------


def bag(root: Any, tag: str) -> list[str | None]:
    return [item.text for item in root.iterfind(f".//{tag}/{RDF}Bag/{RDF}li")]


def test_a_sidecar_is_read_back_by_xml_and_by_the_decoder(
    harbour: Collection, fake_space: Space, alice: User, sandbox: Sandbox
) -> None:
    asset = take_in(harbour, pictures.jpeg())
    asset.title, asset.caption, asset.taken_at = "T & <b>", "two\nlines \x0b\ufffe]]>", now()
    asset.save()
    add_tags(Asset.objects.all(), ODD, alice)
    places, town = (Concept.objects.create(name=name, slug=name) for name in ("Places", "a town"))
    Concept.objects.filter(name="Été").update(parent=town)
    Concept.objects.filter(pk=town.pk).update(parent=places)
    data = sidecar(asset, tags_of(asset), paths_of(tags_of(asset), Concept.objects.all()))
    root = ElementTree.fromstring(data)
    assert root.tag == "{adobe:ns:meta/}xmpmeta"
    assert sorted(bag(root, f"{DC}subject"), key=str) == sorted(ODD)
    assert bag(root, f"{LR}hierarchicalSubject") == ["Places|a town|Été"]
    seen = concepts_open_to(User.objects.get(username="bob"))  # of nothing that he sees is “a town” a tag
    assert paths_of(tags_of(asset), seen) == {}
    Tag.objects.create(asset=asset, concept=town)
    assert list(paths_of(tags_of(asset), seen).values()) == [["a town", "Été"]]
    decoded = sandbox.decode(pictures.jpeg(xmp=data), specs=[])
    assert set(decoded.keywords) == set(ODD)
    assert (decoded.title, decoded.caption) == ("T & <b>", "two\nlines ]]>")


def download(user: User, **arguments: Any) -> Batch:
    order = read_order("download", arguments, user, "Everything", {})
    batch = make_batch(order, user, Asset.objects.visible_to(user))
    drain_batches()
    batch.refresh_from_db()
    assert batch.state == BatchState.DONE
    return batch


def test_a_download_has_a_sidecar_beside_each_file_when_asked(
    harbour: Collection, fake_space: Space, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.deeds.deed.Deed.chunk", 1)
    for number, name in enumerate(("a.jpg", "A.JPG", "a.jpg.xmp", "b.png")):
        take_in(harbour, pictures.jpeg(Image.new("RGB", (64, 48), (number * 40, 0, 0))), name)
    add_tags(Asset.objects.filter(filename="b.png"), ["sea"], alice)
    with zipfile.ZipFile(exports.finished(download(alice, sidecars=True))) as file:
        assert file.testzip() is None
        found = file.namelist()
        assert len({name.casefold() for name in found}) == len(found) == 8
        pictured = [name for name in found if file.read(name)[:2] == b"\xff\xd8"]
        assert {f"{name}.xmp" for name in pictured} == set(found) - set(pictured)
        assert bag(ElementTree.fromstring(file.read("b.png.xmp")), f"{DC}subject") == ["sea"]
        assert Image.open(BytesIO(file.read("b.png"))).size == (64, 48)
    with zipfile.ZipFile(exports.finished(download(alice))) as file:
        assert len(file.namelist()) == 4


def test_no_path_of_the_store_stands_in_a_sidecar(harbour: Collection, fake_space: Space, media_root: Path) -> None:
    asset = take_in(harbour, pictures.jpeg())
    assert str(media_root) not in sidecar(asset, [], {}).decode()
