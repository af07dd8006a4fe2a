"""The last of the API's addresses: takes whatever is left under /api/v1/."""

from django.urls import path, register_converter
from django.urls.converters import PathConverter

from archive.api.unknown import unknown


class Anything(PathConverter):
    """Line ends as well, which `path` leaves out: they would be answered by a page and not by JSON."""

    regex = "(?s:.+)"


register_converter(Anything, "anything")
urlpatterns = [path("", unknown), path("<anything:rest>", unknown)]
