"""Alerts: the inverse search says what the search would say, and nothing that arrives is lost or told twice."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as some

from archive.alerts import something_waits
from archive.models import (
    Alert,
    AlertMode,
    Answer,
    Arrival,
    Asset,
    Collection,
    Concept,
    ConceptKind,
    Delivery,
    Flag,
    Frame,
    Kind,
    Match,
    Membership,
    SavedSearch,
    Space,
    Status,
    Tag,
    Webhook,
)
from archive.moderation.flagging import Doubt, raise_flags
from archive.moderation.reviewing import answer
from archive.noticing import notice
from archive.spaces import activate
from archive.vectors import Rows, read_vectors, store_vectors
from search import alerts_asking, alerts_inverse, alerts_matching
from search.alerts import count_unread, find_groups, mark_read, switch_off, switch_on
from search.alerts_asking import ask
from search.alerts_backtest import back_test
from search.alerts_inverse import find_matches
from search.alerts_matching import forget_owed, match_new
from search.candidates import find_candidates
from search.engine import Stopwatch, rank
from search.failures import EncoderUnavailable
from search.query import MAX_DEPTH, Mode, Query
from search.saved import save_search
from search.sight import sight_of
from tests.pictures import distinct
from tests.prepared import make_encoded, make_prepared, random_rows
from workers.client import Encoded, remember_text
from workers.encode import drain_encode
from workers.spaces import make_space

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
        "without": some.sampled_from(["", "dogs", "dogs, a quiet harbour"]),
        "like": some.sampled_from(["", "3", "10"]),
        "unlike": some.sampled_from(["", "6"]),
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


# ---- from arrival to match ---------------------------------------------------------------------


def arrive(collection: Collection, space: Space, count: int = 3, seed: int = 7) -> list[Asset]:
    """As the encode worker stores them: vectors and what watches in one go, READY afterwards."""
    assets = make_encoded(collection, space, random_rows(count, seed=seed), prefix=f"new-{seed}")
    ids = [asset.pk for asset in assets]
    Asset.objects.filter(pk__in=ids).update(status=Status.PENDING)
    notice(space, read_vectors(space, ids))
    Asset.objects.filter(pk__in=ids).update(status=Status.READY)
    return assets


def told(alert: Alert) -> list[int]:
    return sorted(Match.objects.filter(alert=alert).values_list("asset", flat=True))


@pytest.fixture
def photos(harbour: Collection, bob: User) -> Alert:
    """Bob wants to know of every photo in the harbour."""
    return switch_on(save_search(Query(kind="photo", collection="harbour"), "photos", bob), bob)


def test_without_an_alert_nothing_is_written(harbour: Collection, fake_space: Space, bob: User) -> None:
    arrive(harbour, fake_space)
    assert not Arrival.objects.exists()
    saved = save_search(Query(kind="photo"), "photos", bob)
    switch_on(saved, bob)
    switch_off(saved, bob)
    arrive(harbour, fake_space, seed=8)
    assert not Arrival.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_comes_through_the_pipeline_is_found(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    asset = make_prepared(harbour, distinct(1), fake_space)
    drain_encode()
    assert list(Arrival.objects.values_list("asset", flat=True)) == [asset.pk]
    assert something_waits()
    assert match_new().matches == 1
    assert told(photos) == [asset.pk]
    assert not something_waits()


def test_an_asset_is_found_once_however_often_it_comes(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    assets = arrive(harbour, fake_space)
    match_new()
    ids = [asset.pk for asset in assets]
    assert told(photos) == ids
    Asset.objects.filter(pk__in=ids).update(status=Status.FAILED)
    notice(fake_space, read_vectors(fake_space, ids))  # somebody retried
    Asset.objects.filter(pk__in=ids).update(status=Status.READY)
    assert match_new().assets == 3
    assert told(photos) == ids


def test_another_model_makes_nothing_new(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    old = make_encoded(harbour, fake_space, random_rows(4))
    other = make_space("other", "fake")
    rows = read_vectors(fake_space, [asset.pk for asset in old])
    store_vectors(other, rows.frames, rows.assets, rows.vectors)
    notice(other, Rows(rows.frames, rows.assets, rows.vectors))
    assert not Arrival.objects.exists()


def test_what_came_before_a_switch_of_models_is_compared_in_the_new_one(
    harbour: Collection, fake_space: Space, photos: Alert
) -> None:
    """It waits until the searched space holds it."""
    (new,) = arrive(harbour, fake_space, count=1)
    other = make_space("other", "fake")
    activate(other, even_if_partial=True)
    assert match_new().assets == 0
    assert Arrival.objects.count() == 1
    rows = read_vectors(fake_space, [new.pk])
    store_vectors(other, rows.frames, rows.assets, rows.vectors)
    assert match_new().matches == 1
    assert told(photos) == [new.pk]


def test_only_what_the_owner_may_see_is_found(
    harbour: Collection, fake_space: Space, alice: User, bob: User, visitor: User
) -> None:
    saved = save_search(Query(kind="photo"), "photos", bob, harbour)
    hers, his = switch_on(saved, alice), switch_on(saved, bob)
    cellar = Collection.objects.create(slug="cellar", name="Cellar", owner=alice)
    (hidden,) = arrive(cellar, fake_space, count=1)
    (shared,) = arrive(harbour, fake_space, count=1, seed=8)
    match_new()
    assert (told(hers), told(his)) == ([hidden.pk, shared.pk], [shared.pk])


def test_permission_taken_back_means_no_alert_and_nothing_left_to_see(
    harbour: Collection, fake_space: Space, alice: User, bob: User, visitor: User
) -> None:
    saved = save_search(Query(kind="photo"), "photos", alice, harbour)
    member = Membership.objects.create(collection=harbour, user=visitor)
    alert = switch_on(saved, visitor)
    arrive(harbour, fake_space)
    match_new()
    assert count_unread(visitor) == 3
    member.delete()
    assert count_unread(visitor) == 0
    assert find_groups(visitor, unread_only=False) == []
    arrive(harbour, fake_space, seed=8)
    match_new()
    assert len(told(alert)) == 3
    assert not Arrival.objects.exists()


def test_what_lies_in_the_trash_vanishes_and_waits(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User
) -> None:
    first, second = arrive(harbour, fake_space, count=2)
    Asset.objects.filter(pk=second.pk).update(trashed_at="2024-01-01T00:00Z")
    match_new()
    assert told(photos) == [first.pk]
    Asset.objects.filter(pk=second.pk).update(trashed_at=None)
    match_new()
    assert told(photos) == [first.pk, second.pk]
    Asset.objects.filter(pk=first.pk).update(trashed_at="2024-01-01T00:00Z")
    assert count_unread(bob) == 1
    second.delete()
    assert count_unread(bob) == 0


def test_what_comes_out_of_quarantine_is_told_then(
    harbour: Collection, fake_space: Space, photos: Alert, alice: User
) -> None:
    (held, _) = arrive(harbour, fake_space, count=2)
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    raise_flags(fake_space, [Doubt(held.pk, weapon.pk, 4.2, hides=True)])
    match_new()
    assert held.pk not in told(photos)
    assert list(Arrival.objects.values_list("asset", flat=True)) == [held.pk]
    assert not something_waits()
    answer(alice, Flag.objects.get().pk, Answer.DISMISS, 1)
    assert held.pk not in told(photos)
    match_new()
    assert held.pk in told(photos)


def test_an_old_asset_that_waited_in_quarantine_is_told_all_the_same(
    harbour: Collection, fake_space: Space, photos: Alert
) -> None:
    """Nobody notes it again: it has waited since it came."""
    (held,) = arrive(harbour, fake_space, count=1)
    Asset.objects.filter(pk=held.pk).update(quarantined=True, added_at="2024-01-01T00:00Z")
    assert match_new().assets == 0
    Asset.objects.filter(pk=held.pk).update(quarantined=False)
    assert match_new().matches == 1
    assert told(photos) == [held.pk]


def test_what_was_found_before_quarantine_is_unread_afterwards(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User
) -> None:
    held, _ = arrive(harbour, fake_space, count=2)
    match_new()
    Asset.objects.filter(pk=held.pk).update(quarantined=True)
    assert mark_read(bob) == 1
    assert count_unread(bob) == 0
    Asset.objects.filter(pk=held.pk).update(quarantined=False)
    assert count_unread(bob) == 1


def test_a_deleted_alert_or_person_leaves_nothing(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User
) -> None:
    arrive(harbour, fake_space)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    match_new()
    assert told(photos) == []
    User.objects.filter(pk=bob.pk).update(is_active=True)
    arrive(harbour, fake_space, seed=8)
    match_new()
    photos.search.delete()
    assert not Match.objects.exists()


def test_what_cannot_be_read_now_is_owed_and_keeps_nobody_waiting(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = switch_on(save_search(Query(text="red boat"), "boats", bob), bob)
    with monkeypatch.context() as away:

        def no_answer(*_: Any) -> None:
            raise EncoderUnavailable("nobody there")

        away.setattr(alerts_asking, "encode_terms", no_answer)
        assets = arrive(harbour, fake_space)
        match_new()
    assert told(photos) == [asset.pk for asset in assets]
    assert told(words) == []
    assert set(Arrival.objects.values_list("alert", flat=True)) == {words.pk}
    words.refresh_from_db()
    assert "search worker does not answer" in words.trouble
    remember_text(fake_space, "red boat", Encoded(random_rows(1)[0]))
    assert match_new().assets == 0  # not at once
    Alert.objects.update(try_after=None)
    match_new()
    assert told(words) == [asset.pk for asset in assets]  # an archive so small has no line
    words.refresh_from_db()
    assert (words.trouble, Arrival.objects.count()) == ("", 0)


def test_an_alert_whose_seed_is_gone_says_so(harbour: Collection, fake_space: Space, bob: User) -> None:
    seed, *_ = make_encoded(harbour, fake_space, random_rows(30))
    alert = switch_on(save_search(Query(like=seed.uuid), "like it", bob), bob)
    Asset.objects.filter(pk=seed.pk).delete()
    arrive(harbour, fake_space)
    match_new()
    alert.refresh_from_db()
    assert "starts from is gone" in alert.trouble
    assert told(alert) == []
    assert not Arrival.objects.exists()


@pytest.mark.parametrize("away", [{"trashed_at": "2024-01-01T00:00Z"}, {"quarantined": True}])
def test_an_alert_whose_seed_is_hidden_looks_when_it_is_back(
    harbour: Collection, fake_space: Space, bob: User, away: dict[str, Any]
) -> None:
    seed, *_ = make_encoded(harbour, fake_space, random_rows(3))
    alert = switch_on(save_search(Query(like=seed.uuid), "like it", bob), bob)
    Asset.objects.filter(pk=seed.pk).update(**away)
    assets = arrive(harbour, fake_space)
    match_new()
    alert.refresh_from_db()
    assert "starts from is gone" in alert.trouble
    assert told(alert) == []
    assert Arrival.objects.filter(alert=alert).count() == 3
    assert not something_waits()  # not at once
    Asset.objects.filter(pk=seed.pk).update(trashed_at=None, quarantined=False)
    Alert.objects.update(try_after=None)
    match_new()
    assert told(alert) == [asset.pk for asset in assets]  # an archive so small has no line
    alert.refresh_from_db()
    assert (alert.trouble, Arrival.objects.count()) == ("", 0)


def test_what_is_owed_for_the_sake_of_a_hidden_seed_is_forgotten_one_day(
    harbour: Collection, fake_space: Space, bob: User
) -> None:
    seed, *_ = make_encoded(harbour, fake_space, random_rows(3))
    switch_on(save_search(Query(like=seed.uuid), "like it", bob), bob)
    Asset.objects.filter(pk=seed.pk).update(quarantined=True)
    old, *others = arrive(harbour, fake_space)
    match_new()
    Arrival.objects.filter(asset=old).update(arrived_at="2024-01-01T00:00Z")
    forget_owed()
    assert set(Arrival.objects.values_list("asset", flat=True)) == {asset.pk for asset in others}


def test_a_failure_in_the_middle_leaves_all_or_nothing(
    harbour: Collection, fake_space: Space, photos: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    Webhook.objects.create(alert=photos, url="https://example.org/")
    assets = arrive(harbour, fake_space)
    with monkeypatch.context() as broken:
        broken.setattr(alerts_matching, "_end", lambda arrivals: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            match_new()
    assert (Match.objects.count(), Delivery.objects.count(), Arrival.objects.count()) == (0, 0, 3)
    match_new()
    assert told(photos) == [asset.pk for asset in assets]
    assert [delivery.assets for delivery in Delivery.objects.all()] == [[asset.pk for asset in assets]]


KILLED = """
import os, signal, django
django.setup()
from search import alerts_matching
alerts_matching._end = lambda arrivals: os.kill(os.getpid(), signal.SIGKILL)
alerts_matching.match_new()
"""


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_leaves_its_arrivals(harbour: Collection, fake_space: Space, photos: Alert) -> None:
    assets = arrive(harbour, fake_space)
    address = urlsplit(os.environ["DATABASE_URL"])
    database = urlunsplit(address._replace(path=f"/{connection.settings_dict['NAME']}"))
    run = subprocess.run([sys.executable, "-c", KILLED], env={**os.environ, "DATABASE_URL": database}, check=False)
    assert run.returncode == -9
    assert (Match.objects.count(), Arrival.objects.count()) == (0, 3)
    match_new()
    assert told(photos) == [asset.pk for asset in assets]


def test_read_is_what_was_shown_and_not_what_came_since(
    harbour: Collection, fake_space: Space, photos: Alert, bob: User, alice: User, client: Client
) -> None:
    arrive(harbour, fake_space)
    match_new()
    client.force_login(bob)
    page = client.get("/alerts/")
    assert client.get("/alerts/unread/").json() == {"unread": 3, "more": False}
    assert "<span data-count>3</span>" in page.content.decode()
    arrive(harbour, fake_space, seed=8)
    match_new()
    client.post("/alerts/read/", {"until": page.context["last"]})
    assert count_unread(bob) == 3
    client.post("/alerts/read/", {"alert": str(photos.uuid)})
    assert count_unread(bob) == 0
    assert len(find_groups(bob, unread_only=False)[0].matches) == 6
    assert "3 found" not in client.get("/alerts/").content.decode()
    assert "6 found" in client.get("/alerts/?all").content.decode()
    client.force_login(alice)
    assert client.post("/alerts/read/", {"alert": str(photos.uuid)}).status_code == 404
    assert mark_read(alice) == 0


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_what_came_and_tell_nothing_twice(
    harbour: Collection, fake_space: Space, photos: Alert, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches of two, so that both find some."""
    monkeypatch.setattr(alerts_matching, "BATCH", 2)
    assets = arrive(harbour, fake_space, count=12)

    def work() -> int:
        try:
            return match_new().assets
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        done = [job.result() for job in [pool.submit(work) for _ in range(3)]]
    assert sum(done) == 12
    assert told(photos) == [asset.pk for asset in assets]


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


def test_switching_on_again_changes_the_one_alert(harbour: Collection, bob: User, client: Client) -> None:
    saved = save_search(Query(kind="photo"), "photos", bob)
    client.force_login(bob)
    address = f"{saved.get_absolute_url()}alert/"
    client.post(address, {"do": "on", "mode": "strict", "mail": "1"})
    client.post(address, {"do": "on", "mode": "balanced"})
    alert = Alert.objects.get()
    assert (alert.mode, alert.by_mail, alert.active) == (AlertMode.BALANCED, False, True)
    client.post(address, {"do": "on", "mode": "loose"})
    client.post(address, {"do": "off"})
    alert.refresh_from_db()
    assert (alert.mode, alert.active) == (AlertMode.BALANCED, False)
    assert SavedSearch.objects.count() == 1
