"""Terms that count more or less: what that does to a ranking, and the chips that offer it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.base import File
from django.core.management import call_command
from django.test import Client

from archive.models import Asset, Collection, Space
from search.engine import search
from search.links import links_around
from search.pictures import keep_picture
from search.query import Query
from search.terms import encode_terms
from tests import pictures
from tests.prepared import make_encoded, random_rows
from workers import client as worker

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Mixtures:
    """Pictures that are a seed, what is between it and the words "green", and what shows red or blue."""

    seed: Asset
    space: Space


@pytest.fixture
def mixtures(harbour: Collection, fake_space: Space, queries_in_process: None) -> Mixtures:
    green, red, blue = (worker.encode_text(fake_space, word).vector for word in ("green", "red", "blue"))
    seed = random_rows(1, seed=3)[0]
    # Of the last two, each shows one thing somewhat more than the other shows the other one.
    mixed = [seed, seed * 0.9 + green * 0.3, seed * 0.3 + green * 0.9, green + red * 0.9, green + blue]
    rows = np.array([*mixed, *random_rows(12)], dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assets = make_encoded(harbour, fake_space, rows)
    return Mixtures(assets[0], fake_space)


def names(query: Query, user: User) -> list[str]:
    return [hit.asset.filename for hit in search(query, user).hits]


def test_a_picture_that_counts_more_draws_the_ranking_to_itself(mixtures: Mixtures, bob: User) -> None:
    query = Query(text="green", like=mixtures.seed.uuid)
    near_seed, near_words = "row-00001.jpg", "row-00002.jpg"
    heavy, light = (names(query.but(like_weight=weight), bob) for weight in (4.0, 0.25))
    assert heavy.index(near_seed) < heavy.index(near_words)
    assert light.index(near_words) < light.index(near_seed)


def test_what_is_left_out_costs_as_many_times_as_it_counts(mixtures: Mixtures, bob: User) -> None:
    with_red, with_blue = "row-00003.jpg", "row-00004.jpg"
    query = Query(text="green", without="red, blue")
    more_of_red = names(query.but(without="red^4, blue^0.25"), bob)
    more_of_blue = names(query.but(without="red^0.25, blue^4"), bob)
    assert more_of_red.index(with_blue) < more_of_red.index(with_red)
    assert more_of_blue.index(with_red) < more_of_blue.index(with_blue)


def test_a_picture_whose_like_is_left_out_is_pushed_further_down_the_more_it_counts(
    mixtures: Mixtures, bob: User
) -> None:
    query = Query(text="green", unlike=mixtures.seed.uuid)
    scores = [
        {hit.asset.filename: hit.score for hit in search(query.but(unlike_weight=weight), bob).hits}["row-00001.jpg"]
        for weight in (0.25, 1.0, 4.0)
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[1] > scores[2]


def test_words_a_picture_and_an_asset_are_one_mean_of_unit_length(mixtures: Mixtures, bob: User) -> None:
    key = keep_picture(File(BytesIO(pictures.png(pictures.distinct(1))), "asked.png"), bob)
    query = Query(text="green", like=mixtures.seed.uuid, picture=key)
    space = mixtures.space

    def wanted(query: Query) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return encode_terms(query, space, bob).wanted

    green, seed, picture = (
        wanted(one) for one in (Query(text="green"), Query(like=mixtures.seed.uuid), Query(picture=key))
    )
    expected = 0.5 * green + 0.5 * (2.0 * seed + 0.5 * picture) / 2
    expected /= np.linalg.norm(expected)
    assert np.allclose(wanted(query.but(like_weight=2.0, picture_weight=0.5)), expected, atol=1e-5)
    # Alone a term has nothing to be weighed against.
    assert np.allclose(wanted(Query(like=mixtures.seed.uuid, like_weight=4.0)), seed, atol=1e-6)


def test_chips_that_are_dropped_or_turned_take_their_weight_along(bob: User) -> None:
    liked = Asset(uuid="6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2c").uuid
    links = links_around(Query(text="boat", like=liked, like_weight=2.0, without="people^4, cars, people"), [])
    assert links.drop_like == "/?q=boat&without=people%5E4%2C+cars%2C+people"
    assert "unlikeweight=2" in links.turn_like
    assert "&likeweight" not in links.turn_like
    assert [one.weigh.sign for one in links.without] == ["×4", "×1", "×1"]
    assert "without=cars%2C+people" in links.without[0].drop
    assert "without=people%5E4%2C+people" in links.without[1].turn
    assert "q=boat+cars" in links.without[1].turn


def choices(page: str) -> dict[str, list[str]]:
    """The choices of the box by their label: the chosen one, then all values."""
    found = {}
    for label, options in re.findall(r'<select [^>]*aria-label="How much ([^"]+) counts">(.*?)</select>', page):
        chosen = re.search(r"<option [^>]* selected>([^<]+)<", options)
        found[label] = [chosen[1] if chosen else "", *re.findall(r'value="([^"]*)"', options)]
    return found


def test_a_chip_offers_weights_where_they_mean_something(mixtures: Mixtures, bob: User, client: Client) -> None:
    client.force_login(bob)
    liked, values = mixtures.seed.uuid, ["4", "2", "", "0.5", "0.25"]
    assert choices(client.get(f"/?like={liked}").content.decode()) == {}
    page = client.get(f"/?q=green&like={liked}&likeweight=2&without=red^0.5, blue").content.decode()
    assert choices(page) == {
        "the picture it is like": ["double", *values],
        "“without red”": ["half", *values],
        "“without blue”": ["as usual", *values],
    }
    assert 'name="likeweight"' in page
    assert 'type="hidden" name="likeweight"' not in page
    other = choices(client.get(f"/?q=green&unlike={liked}&unlikeweight=1.5").content.decode())
    assert other == {"the picture it is not like": ["1.5 times", "4", "2", "1.5", "", "0.5", "0.25"]}


def test_an_address_that_balances_words_and_pictures_keeps_doing_so(
    mixtures: Mixtures, bob: User, client: Client
) -> None:
    client.force_login(bob)
    page = client.get(f"/?q=green&like={mixtures.seed.uuid}&balance=0.9").content.decode()
    assert 'type="range" name="balance"' in page
    assert 'type="hidden" name="balance"' not in page
    assert 'name="balance"' not in client.get(f"/?q=green&like={mixtures.seed.uuid}").content.decode()
    kept = client.get("/?q=green&balance=0.9").content.decode()
    assert 'type="hidden" name="balance" value="0.9"' in kept


def test_programs_and_the_command_line_weigh_by_the_same_words(
    mixtures: Mixtures, bob: User, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    client.force_login(bob)
    asked = f"q=green&like={mixtures.seed.uuid}&likeweight="
    heavy = client.get(f"/api/v1/search?{asked}4").json()["hits"]
    light = client.get(f"/api/v1/search?{asked}0.25").json()["hits"]
    assert [hit["asset"] for hit in heavy] != [hit["asset"] for hit in light]
    refused = client.get(f"/api/v1/search?{asked}9")
    assert (refused.status_code, list(refused.json()["error"]["fields"])) == (400, ["likeweight"])
    call_command("search", "green", like=str(mixtures.seed.uuid), likeweight="4", user="bob", json=True, limit="60")
    told = json.loads(capsys.readouterr().out)["hits"]
    assert [hit["asset"] for hit in told] == [hit["asset"] for hit in heavy]
