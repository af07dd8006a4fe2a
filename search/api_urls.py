"""Addresses of the search API, under /api/v1/."""

from django.urls import path

from search.api import SearchView
from search.api_batches import BatchesView

urlpatterns = [
    path("batches", BatchesView.as_view(), name="api_batches"),
    path("search", SearchView.as_view(), name="api_search"),
]
