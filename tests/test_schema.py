"""The API keeps what its schema promises, whoever asks whatever: schemathesis makes up the requests.

It reads the schema, sends what fits it and what does not, and compares the answers with it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.conf import settings
from django.contrib.auth.models import User
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from drf_spectacular.settings import patched_settings
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis
from rest_framework.authtoken.models import Token
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from archive.api.schema import SchemaView
from archive.models import (
    Alert,
    Asset,
    Collection,
    Concept,
    ConceptKind,
    Flag,
    Match,
    Membership,
    Role,
    SavedSearch,
    Space,
)
from tests.cast import make_user
from tests.prepared import add_renditions, make_encoded, random_rows

pytestmark = pytest.mark.django_db


def schema() -> Any:
    generator: Any = SchemaView.generator_class
    with patched_settings(SchemaView.custom_settings):
        return generator().get_schema(request=None, public=True)


SCHEMA = schemathesis.openapi.from_dict(schema())
REAL: dict[str, Any] = {
    "asset": "6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2c",
    "slug": "harbour",
    "collection": "harbour",
    "spec": "preview",
    "saved": "6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2d",
    "saved_search": "6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2d",
    "flag": 1,
}


def closing(application: Any) -> Any:
    """As servers do: read the answer, then close it, whereupon Django closes the files that came along."""

    def respond(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with contextlib.closing(application(environ, start_response)) as answer:
            return list(answer)

    return respond


SCHEMA.app = closing(get_wsgi_application())


@pytest.fixture
def tokens(harbour: Collection, fake_space: Space, queries_in_process: None) -> Iterator[dict[str, str]]:
    """The headers of one person after the other, over and over."""
    curator, stranger = make_user("curator"), make_user("stranger")
    Membership.objects.create(collection=harbour, user=curator, role=Role.CURATOR)
    people = [*User.objects.filter(username__in=("alice", "bob")), curator, stranger]
    assets = make_encoded(harbour, fake_space, random_rows(5))
    Asset.objects.filter(pk=assets[0].pk).update(uuid=REAL["asset"], width=320, height=240)
    add_renditions(assets[0])
    saved = SavedSearch.objects.create(
        uuid=REAL["saved"], owner=curator, name="Boats", params={"kind": "photo"}, collection=harbour
    )
    Match.objects.create(alert=Alert.objects.create(search=saved, person=curator), asset=assets[0])
    weapon = Concept.objects.create(slug="weapon", name="weapon", kind=ConceptKind.PROHIBITED)
    Flag.objects.create(pk=REAL["flag"], asset=assets[0], concept=weapon)
    found = [{"Authorization": f"Token {Token.objects.create(user=user).key}"} for user in people]
    return cycle([*found, {}])


# These refuse what they do not know, and take what fits their schema but for what no schema says: that leaving out,
# and what comes then, need another term, which order two limits have, in which age a day is, that a box lies inside
# the picture, which spaces there are.
SEARCHES = {"GET /api/v1/search", "GET /api/v1/classify", "GET /api/v1/assets/{asset}/moments"}
BEYOND_SCHEMAS = {
    *("q", "without", "unlike", "then", "also", "labels"),
    *("from", "to", "larger", "longer", "box", "space", "within"),
}


def left_out(case: schemathesis.Case[Any]) -> list[Any]:
    """What the API does not promise. Elsewhere unknown words are ignored, so that what does not fit may be taken; in a
    search so is a word without a value, as forms send it. JSON may give numbers as text, and text as a number."""
    searched = case.operation.label in SEARCHES and "" not in dict(case.query or {}).values()
    return [positive_data_acceptance] if searched else [positive_data_acceptance, negative_data_rejection]


def refused(case: schemathesis.Case[Any], answer: schemathesis.Response) -> set[str]:
    """The parts of a search that fit the schema and were refused. (Which labels one asset has is no search.)"""
    searched = case.operation.label in SEARCHES and "asset" not in dict(case.query or {})
    fits = searched and case.meta and case.meta.generation.mode.is_positive
    return set(answer.json()["error"]["fields"]) if fits and answer.status_code == 400 else set()


@pytest.fixture(autouse=True)
def _open_connection() -> Iterator[None]:
    """A request of a real server begins and ends with a look at its connection: here it is the test's."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@SCHEMA.parametrize()
@hypothesis(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_every_operation_answers_as_its_schema_says(
    case: schemathesis.Case[Any], tokens: Iterator[dict[str, str]]
) -> None:
    """Ten requests by chance and one for each limit that the schema names, each asked by the next person."""
    point_at_what_is_there(case)
    with transaction.atomic():
        answer = case.call_and_validate(headers=next(tokens), excluded_checks=left_out(case))
        assert refused(case, answer) <= BEYOND_SCHEMAS, answer.json()
        transaction.set_rollback(True)
    assert not list(Path(settings.MEDIA_ROOT).glob("incoming/*.part"))


def point_at_what_is_there(case: schemathesis.Case[Any]) -> None:
    """Ids and slugs made up fit nothing; where they are well formed, the ones that exist take their place."""
    for given in (case.path_parameters, case.body):
        if isinstance(given, dict):
            for name, real in REAL.items():
                if re.fullmatch(r"[\w-]+", str(given.get(name, ""))):
                    given[name] = real
