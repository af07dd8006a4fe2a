"""Addresses of the search API, under /api/v1/."""

from django.urls import path

from search.api import SearchView
from search.api_batches import BatchesView
from search.api_classify import ClassifyView

urlpatterns = [
    path("batches", BatchesView.as_view(), name="api_batches"),
    path("classify", ClassifyView.as_view(), name="api_classify"),
    path("search", SearchView.as_view(), name="api_search"),
]
