"""A preview of a concept: the best, the border and how many, out of what one sees, and it writes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from archive.concepts.passes import walk_on
from archive.concepts.vectors import find_concept_vectors
from archive.models import Collection, Concept, ConceptVector, Frame, Membership, Role, Space, Tag, TagState
from archive.vectors import Rows, read_some, store_vectors
from search.concepts import preview as previewing
from search.concepts.preview import score_seen
from tests.cast import make_user
from tests.prepared import make_encoded
from tests.search.house import NEW, House, first_of, number_in
from tests.search.scenes import shown
from workers.concepts import read_concepts

pytestmark = pytest.mark.django_db


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
