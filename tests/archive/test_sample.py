"""The sample of a demo: real photographs that say whose they are, in collections of their own, beside drawn scenes."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from PIL import Image
from PIL.ExifTags import Base

from archive.models import Asset, Collection, Space
from archive.sample import PHOTOGRAPHS, Shown, get_sample_collection, photograph_folders
from tests.workers.test_prepare import take_in
from workers.prepare import drain_prepare

LICENCES = (
    "CC0 1.0",
    "CC BY 1.0",
    "CC BY 2.0",
    "CC BY 4.0",
    "CC BY-SA 3.0",
    "CC BY-SA 4.0",
    "LGPL-3.0",
    "GPL-2.0-or-later",
    "public domain",
)
FILES = sorted(PHOTOGRAPHS.glob("*/*.jpg"))


def test_the_photographs_are_many_small_and_known_to_the_attribution() -> None:
    assert len(FILES) == 58
    assert sum(path.stat().st_size for path in FILES) < 6_000_000
    assert sorted(row[0] for row in attribution()) == [str(path.relative_to(PHOTOGRAPHS)) for path in FILES]
    assert {path.name for path in (PHOTOGRAPHS / "licences").iterdir()} == {
        "GPL-2.0.txt",
        "GPL-3.0.txt",
        "LGPL-3.0.txt",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_photograph_names_its_author_and_a_free_licence(path: Path) -> None:
    (row,) = [line for line in attribution() if line[0] == f"{path.parent.name}/{path.name}"]
    _, _, author, licence, _ = row
    with Image.open(path) as picture:
        assert max(picture.size) <= 1280
        exif, xmp = picture.getexif(), picture.info["xmp"].decode()
    assert licence in LICENCES
    assert exif[Base.Artist] == plain(author)
    assert exif[Base.Copyright] == f"{plain(author)}, {licence}"
    assert "<dc:title>" in xmp
    assert f"Photograph: {author}. {licence[0].upper()}{licence[1:]}. From " in xmp


def plain(name: str) -> str:
    """As EXIF can hold it, which knows ASCII only; XMP has the name as it is."""
    return unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()


def attribution() -> list[list[str]]:
    lines = (PHOTOGRAPHS / "ATTRIBUTION.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if ".jpg |" in line]


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_photograph_shows_whose_it_is(
    harbour: Collection, fake_space: Space, alice: User, client: Client
) -> None:
    asset = take_in(harbour, (PHOTOGRAPHS / "things/cup-of-coffee.jpg").read_bytes(), "cup-of-coffee.jpg")
    drain_prepare()
    asset.refresh_from_db()
    assert asset.title == "Espresso"
    client.force_login(alice)
    page = client.get(asset.get_absolute_url()).content.decode()
    assert "A cup of coffee on a red saucer with a spoon, on a wooden table." in page
    assert "Photograph: Rachel Michetti. CC0 1.0. From scikit-image." in page


@pytest.mark.django_db(transaction=True)
def test_a_demo_brings_photographs_and_drawn_scenes_once(
    fake_space: Space, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SIGHTLINE_DATA = tmp_path
    monkeypatch.setattr("archive.management.commands.demo.wait_until_searchable", lambda at_most: True)
    call_command("demo", count=4)
    photographs = {folder.name for folder in photograph_folders()}
    assert photographs == {"animals", "flowers", "landscapes", "old-photographs", "things"}
    drawn = {"harbour", "city-nights", "meadows", "winter"}
    assert set(Collection.objects.values_list("slug", flat=True)) == photographs | drawn | {"films"}
    assert Collection.objects.get(slug="winter").name == "Winter (drawn)"
    assert Asset.objects.filter(collection__slug__in=photographs).count() == len(FILES)
    assert Asset.objects.filter(collection__slug__in=drawn).count() == 4
    films = Asset.objects.filter(collection__slug="films")
    assert sorted(films.values_list("filename", flat=True)) == ["drawn-scenes.webm", "photographs.mp4"]
    assert not (tmp_path / "sample").exists()
    call_command("demo", count=8)
    assert Asset.objects.count() == len(FILES) + 4 + 2


@pytest.mark.django_db
def test_a_collection_of_the_sample_says_what_is_in_it() -> None:
    assert get_sample_collection("animals", Shown.PHOTOGRAPHS).description.startswith("Photographs under free licences")
    assert get_sample_collection("winter", Shown.DRAWN).description.startswith("Scenes drawn by Sightline itself")
