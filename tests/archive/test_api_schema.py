"""The schema of the JSON API, and that it tells the truth."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from archive.models import Collection
from tests.api import client_of
from tests.cast import make_jpeg, upload

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_schema_is_openapi_and_names_every_address_and_no_vector(db: None) -> None:
    answer = APIClient().get("/api/v1/schema")
    assert answer.headers["Content-Type"].startswith("application/json")
    schema = answer.json()
    assert schema["openapi"].startswith("3.")
    assert {(path, method) for path, methods in schema["paths"].items() for method in methods} == {
        ("/api/v1/token", "post"),
        ("/api/v1/token", "delete"),
        ("/api/v1/assets", "get"),
        ("/api/v1/assets", "post"),
        ("/api/v1/assets/{asset}", "get"),
        ("/api/v1/assets/{asset}", "patch"),
        ("/api/v1/assets/{asset}", "delete"),
        ("/api/v1/assets/{asset}/duplicates", "get"),
        ("/api/v1/assets/{asset}/original", "get"),
        ("/api/v1/assets/{asset}/tags", "put"),
        ("/api/v1/assets/{asset}/tags/{name}", "put"),
        ("/api/v1/assets/{asset}/tags/{name}", "delete"),
        ("/api/v1/assets/{asset}/{spec}", "get"),
        ("/api/v1/batches", "get"),
        ("/api/v1/batches", "post"),
        ("/api/v1/batches/{batch}", "get"),
        ("/api/v1/batches/{batch}/undo", "post"),
        ("/api/v1/batches/{batch}/file", "get"),
        ("/api/v1/collections", "get"),
        ("/api/v1/collections", "post"),
        ("/api/v1/collections/{slug}", "get"),
        ("/api/v1/tags", "get"),
        ("/api/v1/search", "get"),
        ("/api/v1/search", "post"),
        ("/api/v1/assets/{asset}/moments", "get"),
        ("/api/v1/assets/{asset}/reuse", "get"),
        ("/api/v1/classify", "get"),
        ("/api/v1/review", "get"),
        ("/api/v1/review/{flag}", "get"),
        ("/api/v1/review/{flag}", "post"),
        ("/api/v1/saved-searches", "get"),
        ("/api/v1/saved-searches", "post"),
        ("/api/v1/saved-searches/matches", "get"),
        ("/api/v1/saved-searches/matches/read", "post"),
        ("/api/v1/saved-searches/{saved}", "delete"),
        ("/api/v1/saved-searches/{saved}", "get"),
        ("/api/v1/saved-searches/{saved}", "patch"),
        ("/api/v1/saved-searches/{saved}/alert", "delete"),
        ("/api/v1/saved-searches/{saved}/alert", "get"),
        ("/api/v1/saved-searches/{saved}/alert", "put"),
        ("/api/v1/saved-searches/{saved}/back-test", "get"),
        ("/api/v1/saved-searches/{saved}/results", "get"),
        ("/api/v1/saved-searches/{saved}/webhook", "delete"),
        ("/api/v1/saved-searches/{saved}/webhook", "get"),
        ("/api/v1/saved-searches/{saved}/webhook", "put"),
    }
    assert "vector" not in answer.content.decode().lower().replace("only its vector", "")
    listed = schema["paths"]["/api/v1/assets"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    page = schema["components"]["schemas"][listed["$ref"].rsplit("/", 1)[-1]]
    assert set(page["properties"]) == {"next", "previous", "results"}
    assert schema["paths"]["/api/v1/search"]["get"]["responses"]["default"]


def test_the_schema_shows_examples_that_fit_it(db: None) -> None:
    schema = APIClient().get("/api/v1/schema").json()
    shown = {
        path: operation["responses"]["200"]["content"]["application/json"]["examples"]
        for path, method in (("/api/v1/search", "get"), ("/api/v1/assets", "get"), ("/api/v1/assets/{asset}", "get"))
        for operation in [schema["paths"][path][method]]
    }
    (page,) = shown["/api/v1/assets"].values()
    (asset,) = shown["/api/v1/assets/{asset}"].values()
    (answer,) = shown["/api/v1/search"].values()
    assert page["value"]["results"] == [asset["value"]]
    for value, name in ((asset["value"], "Asset"), (answer["value"], "Answer"), (answer["value"]["hits"][0], "Hit")):
        assert set(value) == set(schema["components"]["schemas"][name]["properties"])


def test_what_is_sent_is_what_the_schema_promises(harbour: Collection, bob: User, tmp_path: Path) -> None:
    asset = upload(harbour, make_jpeg(tmp_path, "red.jpg", "red"), bob)
    promised = APIClient().get("/api/v1/schema").json()["components"]["schemas"]["Asset"]["properties"]
    assert set(client_of(bob).get(f"/api/v1/assets/{asset.uuid}").json()) == set(promised)
