"""The inverse search says what the search would say, at once or by parts, and back-tests as it would have told."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as some

from archive.models import Asset, Collection, Concept, Frame, Kind, Space, Tag
from archive.vectors import Rows, read_vectors, store_vectors
from search import alerts_inverse
from search.alerts_asking import ask
from search.alerts_backtest import back_test
from search.alerts_inverse import find_matches
from search.candidates import find_candidates
from search.engine import Stopwatch, rank
from search.query import MAX_DEPTH, Mode, Query
from search.saved import save_search
from search.sight import sight_of
from tests.prepared import make_encoded, random_rows
from workers.client import Encoded, remember_text

pytestmark = pytest.mark.django_db

WORDS = ("red boat", "a quiet harbour", "dogs", "nothing like it")


@pytest.fixture
def shelf(harbour: Collection, fake_space: Space) -> list[Asset]:
    """Ninety assets of clustered vectors, a third of them videos of three frames, some with words and tags."""
    assets = make_encoded(harbour, fake_space, random_rows(90))
    for n, asset in enumerate(assets):
        asset.kind = Kind.VIDEO if n % 3 == 0 else Kind.PHOTO
        asset.width, asset.height = (300, 200) if n % 2 else (200, 300)
        asset.title = "A red boat" if n % 11 == 0 else ""
        asset.caption = "Dogs, and boats that redden" if n % 7 == 0 else ""
    Asset.objects.bulk_update(assets, ["kind", "width", "height", "title", "caption"])
    sea = Concept.objects.create(slug="sea", name="sea")
    Tag.objects.bulk_create(Tag(asset=asset, concept=sea) for asset in assets[::4])
    videos = assets[::3]
    frames = Frame.objects.bulk_create(Frame(asset=a, at=at, representative=at == 1) for a in videos for at in (1, 2))
    store_vectors(fake_space, [f.pk for f in frames], [f.asset_id for f in frames], random_rows(len(frames), seed=2))
    return assets


@pytest.fixture
def words_known(shelf: list[Asset], fake_space: Space) -> None:
    """Each text lies near one of the pictures, the last one near none."""
    rows = read_vectors(fake_space, [asset.pk for asset in shelf])
    for n, text in enumerate(WORDS):
        near = rows.vectors[n * 5] + random_rows(1, seed=50 + n)[0] * 0.6 if n < 3 else random_rows(1, seed=99)[0]
        vector = np.asarray(near / np.linalg.norm(near), dtype=np.float32)
        remember_text(fake_space, text, Encoded(vector))


QUERIES = some.fixed_dictionaries(
    {
        "q": some.sampled_from(["", *WORDS, '"red boat"', "boats", "row-00007.jpg", '"red boat" dogs']),
        "without": some.sampled_from(["", "dogs", "dogs, a quiet harbour", "dogs^3, a quiet harbour^0.5"]),
        "like": some.sampled_from(["", "3", "10"]),
        "unlike": some.sampled_from(["", "6"]),
        "unlikeweight": some.sampled_from(["", "4"]),
        "likeweight": some.sampled_from(["", "0.25"]),
        "kind": some.sampled_from(["", "photo", "video"]),
        "tag": some.sampled_from(["", "sea"]),
        "notags": some.sampled_from(["", "sea"]),
        "shape": some.sampled_from(["", "portrait"]),
        "from": some.sampled_from(["", "2001-01-01", date.max.replace(year=3000).isoformat()]),
        "balance": some.sampled_from(["", "0.3"]),
    }
)


LINES = some.sampled_from(
    [{}, {"balanced": 0.1, "strict": 0.4, "best": 0.2}, {"balanced": 0.0, "strict": 0.3, "best": 0.9}]
)


def forward(query: Query, user: User, space: Space) -> set[int]:
    """What the search page calls a good match; without terms all that it lists."""
    if not query.asks:
        return set(find_candidates(query, user).values_list("pk", flat=True))
    hits = rank(query, space, user, sight_of(user), MAX_DEPTH, Stopwatch()).hits
    return {hit.asset_id for hit in hits if hit.well}


@given(
    terms=QUERIES,
    mode=some.sampled_from([Mode.STRICT, Mode.BALANCED]),
    calibration=LINES,
    size=some.sampled_from([7, 90]),
)
@example({"q": "red boat"}, Mode.BALANCED, {"balanced": 0.0, "strict": 0.3, "best": 0.9}, 7)
@example({"q": "a quiet harbour", "without": "dogs"}, Mode.BALANCED, {}, 7)
@hypothesis(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_the_inverse_search_finds_what_the_search_finds(
    shelf: list[Asset], words_known: None, bob: User, fake_space: Space,
    queries_in_process: None, terms: dict[str, str], mode: Mode, calibration: dict[str, float], size: int,
) -> None:  # fmt: skip
    seeds = {name: str(shelf[int(terms[name])].uuid) for name in ("like", "unlike") if terms.get(name)}
    query = Query.from_params({**terms, **seeds}).but(mode=mode)
    if query.asks and not (query.text or query.like):
        return
    fake_space.calibration = calibration
    asked = ask(query, bob, mode, fake_space)
    found: set[int] = set()
    for start in range(0, len(shelf), size):  # in batches, as they come
        batch = [asset.pk for asset in shelf[start : start + size]]
        found |= {match.asset for match in find_matches([asked, asked], fake_space, batch)[1]}
    assert found == forward(query, bob, fake_space)


def test_many_questions_at_once_are_answered_as_one_by_one(
    shelf: list[Asset], words_known: None, bob: User, fake_space: Space, queries_in_process: None
) -> None:
    ids = [asset.pk for asset in shelf]
    texts = [Query(text=text, without=other) for text in WORDS for other in ("", "dogs")]
    queries = [*texts, Query(kind="video"), Query(like=shelf[4].uuid)]
    asked = [ask(query, bob, Mode.BALANCED, fake_space) for query in queries]
    together = find_matches(asked, fake_space, ids)
    alone = [find_matches([one], fake_space, ids)[0] for one in asked]
    assert [[m.asset for m in some_] for some_ in together] == [[m.asset for m in some_] for some_ in alone]
    assert len({len(matches) for matches in together}) > 3
    best = {match.asset: match.frame for match in together[0] if match.frame}
    frames = dict(Frame.objects.filter(pk__in=best.values()).values_list("pk", "asset"))
    assert best
    assert all(frames[frame] == asset for asset, frame in best.items())


def test_films_are_compared_by_parts_and_found_as_at_once(
    shelf: list[Asset], words_known: None, bob: User, fake_space: Space, queries_in_process: None,
    monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Every third asset has three frames: more than are read at once, in the end."""
    ids = [asset.pk for asset in shelf]
    queries = [Query(text=text, without=other) for text in WORDS for other in ("", "dogs")]
    asked = [ask(query, bob, Mode.BALANCED, fake_space) for query in queries]

    def places() -> list[list[tuple[int, int]]]:  # BLAS rounds otherwise for other sizes
        return [[(match.asset, match.frame) for match in found] for found in find_matches(asked, fake_space, ids)]

    at_once = places()
    assert any(at_once)
    multiplied: list[int] = []

    def multiply_and_count(questions: Any, rows: Rows) -> Any:
        multiplied.append(len(rows.assets))
        return products(questions, rows)

    products = alerts_inverse._products
    monkeypatch.setattr(alerts_inverse, "_products", multiply_and_count)
    for rows_at_once in (8, 2):
        multiplied.clear()
        monkeypatch.setattr(alerts_inverse, "ROWS", rows_at_once)
        assert places() == at_once
        assert len(multiplied) > 150 // (2 * rows_at_once)
        assert sum(multiplied) == 150


def test_a_back_test_counts_what_the_alert_would_have_found(
    shelf: list[Asset], words_known: None, bob: User, fake_space: Space, queries_in_process: None, client: Client
) -> None:
    Asset.objects.filter(pk__in=[asset.pk for asset in shelf[:40]]).update(added_at="2024-01-01T00:00Z")
    new = [asset.pk for asset in shelf[40:]]
    queries = [*(Query(text=text, without="dogs") for text in WORDS), Query(kind="video"), Query(like=shelf[4].uuid)]
    for query in queries:
        for mode in (Mode.STRICT, Mode.BALANCED):
            (found,) = find_matches([ask(query, bob, mode, fake_space)], fake_space, new)
            assert back_test(query, bob, mode).count == len(found), query
    saved = save_search(Query(kind="video"), "videos", bob)
    client.force_login(bob)
    page = client.get(f"{saved.get_absolute_url()}test/?mode=strict").content.decode()
    assert "The last 30 days would have given 16." in page
    assert "one of: strict, balanced" in client.get(f"{saved.get_absolute_url()}test/?mode=x").content.decode()
