"""Addresses of the search API, under /api/v1/."""

from django.urls import path

from search.api import SearchView
from search.api_alerts import AlertView, BackTestView, MatchesView, ReadView, WebhookView
from search.api_batches import BatchesView
from search.api_saved import ResultsView, SavedSearchesView, SavedSearchView

urlpatterns = [
    path("batches", BatchesView.as_view(), name="api_batches"),
    path("saved-searches", SavedSearchesView.as_view(), name="api_saved_searches"),
    path("saved-searches/matches", MatchesView.as_view(), name="api_matches"),
    path("saved-searches/matches/read", ReadView.as_view(), name="api_read"),
    path("saved-searches/<uuid:saved>", SavedSearchView.as_view(), name="api_saved_search"),
    path("saved-searches/<uuid:saved>/results", ResultsView.as_view(), name="api_saved_results"),
    path("saved-searches/<uuid:saved>/alert", AlertView.as_view(), name="api_alert"),
    path("saved-searches/<uuid:saved>/back-test", BackTestView.as_view(), name="api_back_test"),
    path("saved-searches/<uuid:saved>/webhook", WebhookView.as_view(), name="api_webhook"),
    path("search", SearchView.as_view(), name="api_search"),
]
