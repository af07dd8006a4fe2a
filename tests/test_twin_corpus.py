"""Bob's answers are the same, byte by byte, whether or not there is what only alice may see.

Alice's pictures are made to be in the way: nearer to every question than bob's own, with the same names,
words, places and days, newer, in every state, of the same bytes. Whatever leaves permission to a later step
than the statement itself loses a hit, counts one too many, or shifts a rank, and shows up here.

A new address, filter, count or facet is one more line in `ASKED`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import unified_diff
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client

from archive.models import (
    Alert,
    Asset,
    Collection,
    Concept,
    Frame,
    Kind,
    Match,
    Membership,
    SavedSearch,
    Space,
    Status,
    Step,
    StillFingerprint,
    Tag,
    Work,
    WorkState,
)
from archive.vectors import Vector
from search import background
from search.pictures import encode_part, find_picture
from tests import pictures
from tests.prepared import Rows, Shot, add_film_files, add_renditions, make_encoded, make_video, random_rows
from workers import client as worker

pytestmark = pytest.mark.django_db

# A page counts its own bytes, and "10 ms" is one more than "9 ms".
OF_ITS_TIME = {"Expires", "Content-Length", "Set-Cookie"}
WORDS = ("red boat", "a quiet harbour at night", "dogs")
REFERENCE = pictures.jpeg(pictures.distinct(7))
DAY = datetime(2024, 5, 1, 12, tzinfo=UTC)
MINE = 130
FILM = [Shot(row, 3) for row in random_rows(5, seed=9)]


@dataclass(frozen=True)
class Ask:
    """`{first}`, `{picture}` and so on are filled in. `walk` follows the pages to the end.

    `steady`: even shared, alice's pictures would change nothing here.
    """

    address: str
    data: dict[str, str] | None = None
    part: bool = False  # as htmx asks
    walk: str = ""  # what finds the next address in a page
    steady: bool = False


HTML_NEXT = r'data-more|id="more"[^>]*>\s*<a class="button" href="([^"]+)"'
JSON_NEXT = r'"next":"([^"]+)"'
SEARCHES = (
    *("q=red+boat", "q=a+quiet+harbour+at+night&limit=7", "q=dogs&limit=200", "q=red+boat&without=dogs"),
    "q=red+boat&without=dogs^4,+a+quiet+harbour^0.5",
    *("q=boat-007.jpg", "q=%22red+boat%22", "q=bo", "q=red+boat&exact=1"),
    *("like={first}", "like={first}&limit=5", "like={first}&q=dogs", "picture={picture}", "picture={picture}&q=dogs"),
    *("", "limit=5", "offset=100&limit=20", "q=red+boat&offset=60", "q=red+boat&offset=120&limit=20"),
    *("q=red+boat&collection=harbour", "collection=harbour", "collection=cellar", "q=dogs&collection=cellar"),
    *("q=red+boat&kind=photo", "q=red+boat&kind=video", "kind=video", "q=dogs&from=2024-05-02&to=2024-05-03"),
    *("q=red+boat&mode=strict", "q=red+boat&mode=everything", "q=dogs&order=taken", "order=taken&limit=7"),
    *(
        "q=red+boat&tag=sea",
        "tag=sea",
        "notags=sea",
        "name=boat-0",
        "picture={picture}&box=0.1,0.1,0.5,0.5",
        "q=a+boat+-dogs",
    ),
    *("q=red+boat&then=dogs", "q=red+boat&also=dogs&seconds=0", "order=longest&limit=7"),
    *("like={video}&at=3", "like={video}&at=2&q=dogs", "q=dogs&kind=video&order=shortest"),
    *("from=2024-05-02", "to=2024-05-02", "q=dogs&kind=video&collection=harbour&from=2024-05-01"),
)
ASKED = [
    *(Ask(f"/?limit=20&{terms}") for terms in SEARCHES),
    *(Ask(f"/?{terms}", part=True) for terms in ("q=red+boat&offset=60", "limit=20&offset=20")),
    *(Ask(f"/api/v1/search?{terms}") for terms in SEARCHES),
    Ask("/?q=dogs&limit=50", walk=HTML_NEXT),
    # Inside one of bob's videos. What is usual among all that he may see is the floor of the strip.
    *(
        Ask(f"/moments/{{video}}/?{terms}", part=part)
        for terms in ("q=red+boat", "like={first}")
        for part in (False, True)
    ),
    Ask("/moments/{video}/?q=red+boat&then=dogs", steady=True),
    Ask("/api/v1/assets/{video}/moments?q=dogs"),
    Ask("/api/v1/search?q=red+boat&within={video}", steady=True),
    *(Ask("/reuse/{video}/", part=part) for part in (False, True)),
    Ask("/api/v1/assets/{video}/reuse"),
    *(Ask(f"/assets/{{video}}/{page}", steady=True) for page in ("", "?q=red+boat&t=3", "play/", "previews.vtt")),
    *(Ask(address) for address in ("/moments/{hidden}/?q=dogs", "/api/v1/assets/{hidden}/moments?q=dogs")),
    Ask("/api/v1/search?q=dogs&within={hidden}"),
    Ask("/api/v1/search", {"q": "red boat", "limit": "9"}),
    *(Ask(f"/search/facets/?{terms}", part=True) for terms in ("", "q=red+boat", "q=dogs&mode=everything")),
    *(Ask(f"/act/?{terms}") for terms in ("q=red+boat", "kind=video")),
    Ask("/api/v1/tags"),
    Ask("/which/{first}/?labels=a+boat,a+dog", part=True, steady=True),
    Ask("/api/v1/classify?labels=a+boat,a+dog&asset={first}", steady=True),
    Ask("/api/v1/classify?labels=a+boat,a+dog&q=red+boat&limit=9"),
    *(Ask(f"/api/v1/classify?labels=a+boat,a+dog&{terms}") for terms in ("asset={hidden}", "like={hidden}")),
    *(Ask(f"/concepts/{page}", steady=True) for page in ("", "new/", "1/", "1/judge/")),  # bob curates nothing
    # Alice's search, which she shares with the harbour, and what bob's alert on it found.
    *(Ask(f"/saved/{{saved}}/{part}") for part in ("", "?offset=60&limit=20", "test/", "test/?mode=strict")),
    *(Ask(f"/saved/{{saved}}/{part}", steady=True) for part in ("edit/",)),
    Ask("/saved/", steady=True),
    *(Ask(f"/alerts/{part}") for part in ("", "?all", "unread/")),
    *(Ask(f"/api/v1/saved-searches/{part}") for part in ("{saved}/results", "{saved}/results?limit=5", "matches")),
    Ask("/api/v1/saved-searches/matches?unread=true&limit=5"),
    *(
        Ask(f"/api/v1/saved-searches{part}", steady=True)
        for part in ("", "/{saved}", "/{saved}/alert", "/{saved}/back-test")
    ),
    Ask("/api/v1/assets/{first}/duplicates", steady=True),
    Ask("/duplicates/", steady=True),
    Ask("/assets/{first}/", steady=True),
    Ask("/similar/{first}/", part=True),
    Ask("/assets/{first}/thumbnail/", steady=True),
    Ask("/assets/{first}/original/", steady=True),
    Ask("/api/v1/assets/{first}", steady=True),
    Ask("/api/v1/assets/{first}/preview", steady=True),
    Ask("/upload/status/?id={first}&id={hidden}"),
    Ask("/upload/", steady=True),
    Ask("/collections/"),
    Ask("/collections/harbour/", steady=True),
    Ask("/collections/harbour/", walk=HTML_NEXT, steady=True),
    Ask("/collections/cellar/"),
    Ask("/api/v1/review", steady=True),
    *(Ask(f"/review/{page}", steady=True) for page in ("", "held/", "log/", "figures/")),
    Ask("/tables/file/?table=tags&format=json"),
    Ask("/tables/file/?table=vocabulary&format=json", steady=True),
    Ask("/trash/", steady=True),  # alice would share, not let bob curate
    Ask("/api/v1/assets?limit=50", walk=JSON_NEXT),
    *(Ask(f"/api/v1/assets?{filters}") for filters in ("kind=video", "status=failed", "status=pending")),
    Ask("/api/v1/assets?collection=harbour", steady=True),
    Ask("/api/v1/assets?collection=cellar"),
    Ask("/api/v1/collections"),
    # What is not there is answered as what is not bob's: the ids of alice's pictures and of none.
    *(Ask(address.replace("ID", "{hidden}")) for address in ("/?like=ID", "/assets/ID/", "/assets/ID/thumbnail/")),
    *(Ask(f"/api/v1/{address}") for address in ("search?like={hidden}", "assets/{hidden}", "collections/cellar")),
    # Bob is on the staff as well.
    Ask("/admin/"),
    *(Ask(f"/admin/archive/asset/?{terms}") for terms in ("", "q=red+boat", "q=boat-007.jpg", "q=like:{first}", "p=2")),
    *(Ask(f"/admin/archive/asset/?{terms}") for terms in ("status__exact=failed", "kind__exact=video")),
    *(Ask(f"/admin/archive/asset/?{terms}", steady=True) for terms in ("collection=harbour", "trash=only")),
    *(Ask(f"/admin/archive/{model}/", steady=True) for model in ("work", "space", "flag")),
    Ask("/admin/archive/collection/"),
    *(Ask(f"/admin/archive/asset/?{terms}") for terms in ("tag=sea", "before=end")),
    Ask("/admin/history/", steady=True),  # what bob did himself
    Ask("/admin/archive/asset/names/?q=", steady=True),
    Ask("/admin/archive/asset/names/?of=collection"),
    # The command line, on bob's behalf.
    *(Ask(f"search {terms} --user bob --json") for terms in ("red boat", "--like={first}", "dogs --not=boat")),
]


@dataclass(frozen=True)
class Seen:
    """What came back, without what differs between two equal askings: times, the form's token, a picture's key."""

    status: int
    headers: dict[str, str]
    body: str


def blurred(text: str, picture: str) -> str:
    text = text.replace(picture, "PICTURE")
    text = re.sub(r'"took":\s*\{[^}]*\}', '"took": {}', text)
    text = re.sub(r"\b[\d.]+ ms\b", "… ms", text)
    return re.sub(r'"csrfmiddlewaretoken" value="\w+"', "", text)


# Autovacuum sees none of what a test has not committed, and would tell the planner that tables are empty: questions
# then took seconds, and were stopped. Analysed here, they are known, and locked against it until the test ends.
KNOWN = "ANALYZE"


class Asker:
    """Asks all of `ASKED` as one person, each time with nothing remembered of the time before."""

    def __init__(self, person: User, words: dict[str, str]) -> None:
        self.person, self.words = person, words
        self.client = Client()
        self.client.force_login(person)

    def ask_all(self) -> dict[str, list[Seen]]:
        cache.clear()
        background.forget()
        with connection.cursor() as cursor:
            cursor.execute(KNOWN)
        self.words["picture"] = self.bring(REFERENCE)
        return {f"{ask.address} {ask.part or ''}{ask.walk and 'walk'}": list(self.ask(ask)) for ask in ASKED}

    def bring(self, picture: bytes) -> str:
        sent = self.client.post("/search/picture/", {"picture": SimpleUploadedFile("r.jpg", picture)})
        return str(sent["Location"].split("picture=")[1])

    def ask(self, ask: Ask) -> Iterator[Seen]:
        address: str | None = ask.address.format(**self.words)
        while address:
            by_command = address.startswith("search ")
            seen = self.command(address) if by_command else self.request(replace(ask, address=address))
            yield seen
            following = re.search(ask.walk, seen.body) if ask.walk else None
            address = following[1].replace("&amp;", "&") if following and following[1] else None
            if address and address.startswith("?"):
                address = ask.address + address

    def request(self, ask: Ask) -> Seen:
        headers = {"HX-Request": "true"} if ask.part else {}
        if ask.data is None:
            answer: Any = self.client.get(ask.address, headers=headers)
        else:
            answer = self.client.post(ask.address, ask.data, headers=headers)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        kept = {name: value for name, value in answer.headers.items() if name not in OF_ITS_TIME}
        text = blurred(body.decode(errors="backslashreplace"), self.words["picture"])
        if "picture=" in ask.address:  # its key goes into the name of the list that is kept
            text = re.sub(r'(cursor(?:=|":"))[0-9a-f]{32}', r"\1LIST", text)
        return Seen(answer.status_code, {n: blurred(v, self.words["picture"]) for n, v in kept.items()}, text)

    def command(self, line: str) -> Seen:
        out = StringIO()
        head, *options = line.split(" --")
        words = head.removeprefix("search").strip()
        call_command("search", *([words] if words else []), *(f"--{option}" for option in options[:-2]),
                     "--user", self.person.username, "--json", stdout=out)  # fmt: skip
        return Seen(0, {}, blurred(out.getvalue(), self.words["picture"]))


def fill(collection: Collection, space: Space, rows: Rows, prefix: str, since: timedelta) -> list[Asset]:
    """READY pictures with words, days and files of their own; a few videos, and a few in every other state."""
    assets = make_encoded(collection, space, rows, prefix=prefix)
    for n, asset in enumerate(assets):
        asset.filename = f"boat-{n:03}.jpg"
        asset.title, asset.caption = f"A red boat {n}", "Dogs on a quiet harbour at night"
        asset.place, asset.camera = "Lisbon", "Leica M6"
        asset.kind = Kind.VIDEO if n % 10 == 3 else Kind.PHOTO
        asset.taken_at = DAY + timedelta(days=n % 4) if n % 3 else None
        asset.added_at = DAY + since + timedelta(minutes=n)
        asset.width, asset.height = 320, 240
        asset.status = {11: Status.PENDING, 12: Status.FAILED}.get(n, Status.READY)
        asset.trashed_at = DAY + since if n == 13 else None
        asset.sha256 = hashlib.sha256(b"the same bytes %d" % n).hexdigest()
    fields = ("filename", "title", "caption", "place", "camera", "kind", "taken_at", "added_at", "width", "height")
    Asset.objects.bulk_update(assets, [*fields, "status", "trashed_at", "sha256"])
    sea, _ = Concept.objects.get_or_create(slug="sea", defaults={"name": "sea"})
    Tag.objects.bulk_create(Tag(asset=asset, concept=sea) for asset in assets[::7])
    for asset in assets[:2]:
        add_renditions(asset)
    states = (WorkState.READY, WorkState.QUARANTINED, WorkState.DONE)
    Work.objects.bulk_create(Work(asset=a, step=Step.PREPARE, state=s) for a, s in zip(assets, states, strict=False))
    return assets


def print_shots(film: Asset) -> None:
    """The stills of its shots look like those of every other film that is made here, one after the other."""
    digits = np.random.default_rng(5).choice(["0", "1"], (len(FILM), 256))
    for frame, bits in zip(Frame.objects.filter(asset=film, representative=True).order_by("at"), digits, strict=True):
        StillFingerprint.objects.create(frame=frame, pdq="".join(bits), quality=100, spread=40.0)


@dataclass(frozen=True)
class Twins:
    bob: Asker
    alice: User
    space: Space
    hidden: list[Asset]  # what alice keeps to herself; empty until `hide`

    def asked(self) -> list[Vector]:
        """(768,) of each question in words."""
        return [worker.encode_text(self.space, words).vector for words in WORDS]

    def near(self) -> Rows:
        """Nearer to each question than anything of bob's: the very vectors of the questions."""
        reference = find_picture(self.bob.words["picture"], self.bob.person)
        assert reference
        near = np.repeat(np.stack([*self.asked(), encode_part(self.space, reference.rendition)]), 80, axis=0)
        return np.concatenate([random_rows(MINE, seed=1), near]).astype(np.float32)

    def hide(self) -> Collection:
        """Alice's cellar, that only she sees."""
        cellar = Collection.objects.create(slug="cellar", name="Ah, the cellar", owner=self.alice)
        asked = self.asked()
        make_video(cellar, self.space, [Shot(one, 3) for one in (asked[0], asked[2], asked[1])], "theirs.mp4")
        print_shots(make_video(cellar, self.space, FILM, "copy.mp4"))
        self.hidden.extend(fill(cellar, self.space, self.near(), "hidden", timedelta(days=30)))
        Asset.objects.filter(pk=self.hidden[0].pk).update(uuid=self.bob.words["hidden"])
        # As if they had been shared when they came.
        alert = Alert.objects.get(person=self.bob.person)
        Match.objects.bulk_create(Match(alert=alert, asset=asset) for asset in self.hidden[::5])
        return cellar


@pytest.fixture
def twins(harbour: Collection, alice: User, bob: User, fake_space: Space, queries_in_process: None) -> Twins:
    bob.is_staff = True
    bob.save()
    mine = fill(harbour, fake_space, random_rows(MINE, seed=1), "mine", timedelta())
    default_storage.save(mine[0].original, ContentFile(REFERENCE))
    film = make_video(harbour, fake_space, FILM)
    add_film_files(film)
    print_shots(film)
    words = {
        "first": str(mine[0].uuid),
        "video": str(film.uuid),
        "hidden": "6f1e0d9c-0000-4000-8000-00000000cafe",
        "picture": "",
    }
    saved = SavedSearch.objects.create(owner=alice, name="Boats", params={"q": "red boat"}, collection=harbour)
    alert = Alert.objects.create(search=saved, person=bob)
    Match.objects.bulk_create(Match(alert=alert, asset=asset) for asset in mine[:30:3])
    words["saved"] = str(saved.uuid)
    return Twins(Asker(bob, words), alice, fake_space, [])


def differing(before: dict[str, list[Seen]], after: dict[str, list[Seen]]) -> dict[str, str]:
    """What differs, with the lines that do."""
    return {name: told(before[name], after[name]) for name in before if before[name] != after[name]}


def told(before: list[Seen], after: list[Seen]) -> str:
    one, other = ([line for seen in answers for line in repr(seen).split("\\n")] for answers in (before, after))
    return "\n".join(list(unified_diff(one, other, n=0, lineterm=""))[3:9])


def test_what_only_alice_may_see_changes_no_byte_of_any_answer_to_bob(twins: Twins) -> None:
    before = twins.bob.ask_all()
    assert {answer.status for answers in before.values() for answer in answers} == {0, 200, 404}
    assert {len(answers) for name, answers in before.items() if name.endswith("walk")} == {3}
    cellar = twins.hide()
    after = twins.bob.ask_all()
    assert differing(before, after) == {}
    # The test would notice: once alice shares, every one of these answers is another.
    Membership.objects.create(collection=cellar, user=twins.bob.person)
    shared = differing(after, twins.bob.ask_all())
    assert [name for name in before if name not in shared and not steady(name)] == []


def steady(name: str) -> bool:
    here = "collection=harbour" in name  # what is elsewhere changes nothing
    return here or any(ask.steady for ask in ASKED if name.startswith(f"{ask.address} "))
