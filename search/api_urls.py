"""Addresses of the search API, under /api/v1/."""

from django.urls import path

from search.api import SearchView

urlpatterns = [
    path("search", SearchView.as_view(), name="api_search"),
]
