"""The last of the API's addresses: takes whatever is left under /api/v1/."""

from django.urls import path

from archive.api.unknown import unknown

urlpatterns = [path("", unknown), path("<path:rest>", unknown)]
