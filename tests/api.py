"""How tests talk to the JSON API: clients with tokens, uploads, bodies as they are, and the one shape of errors."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient


def client_of(user: User) -> APIClient:
    client = APIClient()
    token, _ = Token.objects.get_or_create(user=user)
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client


def send(client: APIClient, data: bytes, collection: str = "harbour", **fields: Any) -> Any:
    file = SimpleUploadedFile(fields.pop("name", "boat.jpg"), data)
    return client.post("/api/v1/assets", {"file": file, "collection": collection, **fields}, format="multipart")


def post_raw(client: APIClient, address: str, body: bytes, content_type: str) -> Any:
    return client.generic("POST", f"/api/v1/{address}", body, content_type=content_type)  # type: ignore[arg-type]


def error_of(response: Any) -> dict[str, Any]:
    body = response.json()
    assert set(body) == {"error"}
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["message"]
    found: dict[str, Any] = body["error"]
    return found
