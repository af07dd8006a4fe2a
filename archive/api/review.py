"""The review of flags."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from archive.access import Shows, person
from archive.api.errors import Refused
from archive.api.review_shapes import AnswerFields, FlagShape, FlagsShape, QueueFilters
from archive.models import Answer, Flag
from archive.models.moderation import FlagQuerySet
from archive.moderation import reviewing
from archive.moderation.reviewing import AnsweredMeanwhile, NotReviewed

USUAL = 60


class QueueView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="list_waiting_flags", parameters=[QueueFilters], responses=FlagsShape)
    def get(self, request: Request) -> Response:
        """The flags that wait for your answer: those that hide something first, then the oldest."""
        filters = QueueFilters(data=request.query_params)
        filters.is_valid(raise_exception=True)
        waiting = _with_names(Flag.objects.waiting_for(person(request)))
        if concept := filters.validated_data.get("concept"):
            waiting = waiting.filter(concept__slug=concept)
        return Response(FlagsShape({"results": waiting[: filters.validated_data.get("limit", USUAL)]}).data)


class FlagView(APIView):
    shows = Shows.VISIBLE

    @extend_schema(operation_id="show_flag", responses=FlagShape)
    def get(self, request: Request, flag: int) -> Response:
        """One that you may review, in whatever state."""
        return Response(FlagShape(_find(request, flag)).data)

    @extend_schema(operation_id="answer_flag", request=AnswerFields, responses=FlagShape)
    def post(self, request: Request, flag: int) -> Response:
        """Uphold, dismiss or escalate what you saw in `version`. 409 where somebody was first: nothing is changed."""
        _find(request, flag)
        fields = AnswerFields(data=request.data)
        fields.is_valid(raise_exception=True)
        given = fields.validated_data
        try:
            if given["answer"] == "escalate":
                reviewing.escalate(person(request), flag, given["version"], given["reason"])
            else:
                reviewing.answer(person(request), flag, Answer(given["answer"]), given["version"], given["reason"])
        except AnsweredMeanwhile as error:
            raise Refused("answered_meanwhile", str(error), 409) from error
        except NotReviewed as error:
            raise Refused("not_reviewed", str(error), 400) from error
        return Response(FlagShape(_find(request, flag)).data)


def _find(request: Request, flag: int) -> Flag:
    found = _with_names(Flag.objects.reviewed_by(person(request)).filter(pk=flag)).first()
    if found is None:
        raise NotFound
    return found


def _with_names(flags: FlagQuerySet) -> FlagQuerySet:
    return flags.select_related("asset__collection", "concept", "space").defer("asset__exif", "asset__notes")
