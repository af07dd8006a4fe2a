"""What no other address of the API takes: a slash too many, or nothing at all. Even that is JSON."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from archive.access import Shows, public


class NowhereView(APIView):
    shows = Shows.PUBLIC
    authentication_classes = ()
    permission_classes = (AllowAny,)
    schema = None

    @extend_schema(exclude=True)
    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404


nowhere = NowhereView.as_view()


@public
@csrf_exempt
def unknown(request: HttpRequest, rest: str = "") -> HttpResponseBase:
    """Addresses have no slash at their end; with one they mean the same, without a redirect that loses a body."""
    found = _without_slash(request) if rest.endswith("/") else None
    if found is None or found.func is unknown:
        return nowhere(request)
    answer: HttpResponseBase = found.func(request, *found.args, **found.kwargs)
    return answer


def _without_slash(request: HttpRequest) -> ResolverMatch | None:
    try:
        return resolve(request.path_info.rstrip("/"))
    except Resolver404:
        return None
