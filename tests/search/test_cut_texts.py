"""A text longer than the model reads: whoever asks is told, on the page, in the API and on the command line."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from archive.models import Collection, Space
from tests.cast import make_jpeg, upload
from workers.encode import drain_encode
from workers.encoders.load import encoder_of
from workers.prepare import drain_prepare

pytestmark = pytest.mark.django_db(transaction=True)
SENTENCE = "These are more words than the model reads: it overlooked all from word {0} on, “{0}”."


@pytest.fixture
def texts(harbour: Collection, bob: User, drawn_space: Space, tmp_path: Path) -> dict[bool, str]:
    """The longest that the model reads, and one word more; by whether it is cut."""
    upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    drain_prepare()
    drain_encode()
    encoder = encoder_of(drawn_space)
    context = encoder.identity.context_length
    numbers = [" ".join(map(str, range(1, n))) for n in range(2, context)]
    fits = max(n for n, text in enumerate(numbers) if encoder.count_tokens(text) <= context)
    return {False: numbers[fits], True: numbers[fits + 1]}


@pytest.mark.parametrize("cut", [False, True])
def test_the_page_the_api_and_the_command_tell_of_a_text_that_was_cut(
    cut: bool, texts: dict[bool, str], bob: User, client: Client, queries_in_process: None
) -> None:
    client.force_login(bob)
    sentence = SENTENCE.format(texts[True].split()[-1])
    for _ in range(2):  # from the worker, and remembered
        page = client.get("/", {"q": texts[cut]}).content.decode()
        assert (sentence in page) is cut
        answer = client.get("/api/v1/search", {"q": texts[cut]}).json()
        assert (answer["got"], answer["cut"]) == (1, cut)
        for as_json in (False, True):
            out = StringIO()
            call_command("search", texts[cut], "--user", "bob", *(["--json"] if as_json else []), stdout=out)
            told = json.loads(out.getvalue())["cut"] if as_json else sentence in " ".join(out.getvalue().split())
            assert told is cut
