"""Addresses of the search API, under /api/v1/."""

from django.urls import path

from search.api import SearchView
from search.api_batches import BatchesView
from search.api_classify import ClassifyView
from search.api_moments import MomentsView
from search.api_reuse import ReuseView

urlpatterns = [
    path("batches", BatchesView.as_view(), name="api_batches"),
    path("classify", ClassifyView.as_view(), name="api_classify"),
    path("assets/<uuid:asset>/moments", MomentsView.as_view(), name="api_moments"),
    path("assets/<uuid:asset>/reuse", ReuseView.as_view(), name="api_reuse"),
    path("search", SearchView.as_view(), name="api_search"),
]
