"""From upload to search, in one process: the path that everything stands on."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from archive.models import Collection, Embedding, Space, Status
from search.engine import search
from search.query import Query
from tests.cast import make_jpeg, upload
from workers.encode import drain_encode
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_uploaded_picture_becomes_ready_and_is_found_by_words(
    harbour: Collection, bob: User, fake_space: Space, queries_in_process: None, tmp_path: Path
) -> None:
    red = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    blue = upload(harbour, make_jpeg(tmp_path, "blue.jpg", "blue"), bob)
    assert drain_prepare() is False
    assert drain_encode() is False
    for asset in (red, blue):
        asset.refresh_from_db()
        assert (asset.status, asset.error) == (Status.READY, "")
    assert Embedding.objects.filter(space=fake_space).count() == 2
    answer = search(Query(text="something red"), bob)
    assert [hit.asset.filename for hit in answer.hits] == ["red.jpg", "blue.jpg"]
    assert (answer.plan, answer.space, answer.got) == ("exact", "fake", 2)
    assert answer.hits[0].score > 0.99


def test_a_stranger_finds_nothing_of_it(
    harbour: Collection, bob: User, visitor: User, fake_space: Space, queries_in_process: None, tmp_path: Path
) -> None:
    upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    drain_prepare()
    drain_encode()
    assert search(Query(text="red"), visitor).got == 0
    assert search(Query(), visitor).got == 0
