"""A token for a name and a password, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from archive.api.errors import Refused
from archive.api.shapes import LogIn, TokenShape

WRONG = "The name or the password is wrong."
LOCKED = "Too many wrong passwords for this name from this address. Wait a quarter of an hour, then try again."


class TokenView(APIView):
    shows = Shows.SELF
    throttle_scope = "log_in"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Who logs in anew may still send a token that ended long ago."""
        return super().get_authenticators() if self._logs_out() else []

    def get_permissions(self) -> Sequence[Any]:
        return super().get_permissions() if self._logs_out() else [AllowAny()]

    def _logs_out(self) -> bool:
        return getattr(self.request, "method", "") == "DELETE"

    @extend_schema(operation_id="log_in", request=LogIn, responses=TokenShape)
    def post(self, request: Request) -> Response:
        """The same token each time, until it is ended."""
        fields = LogIn(data=request.data)
        fields.is_valid(raise_exception=True)
        # Axes counts failures and marks the request that it is given. Django's own it would answer with a page.
        user = authenticate(request, **fields.validated_data)
        if request.__dict__.get("axes_locked_out"):
            raise Refused("locked", LOCKED, 429, settings.AXES_COOLOFF_TIME * 3600)
        if not isinstance(user, User):
            raise Refused("wrong_log_in", WRONG, 401)
        token, _ = Token.objects.get_or_create(user=user)
        return Response({"token": token.key})

    @extend_schema(operation_id="log_out", responses={204: None})
    def delete(self, request: Request) -> Response:
        """End the token, wherever it is used."""
        Token.objects.filter(user=person(request)).delete()
        return Response(status=204)
