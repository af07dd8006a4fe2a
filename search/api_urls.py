"""Addresses of the search API, under /api/v1/."""

from django.urls import path

from search.api import SearchView
from search.api_alerts import AlertView, BackTestView, MatchesView, ReadView, WebhookView
from search.api_batches import BatchesView
from search.api_classify import ClassifyView
from search.api_moments import MomentsView
from search.api_reuse import ReuseView
from search.api_saved import ResultsView, SavedSearchesView, SavedSearchView

urlpatterns = [
    path("batches", BatchesView.as_view(), name="api_batches"),
    path("classify", ClassifyView.as_view(), name="api_classify"),
    path("assets/<uuid:asset>/moments", MomentsView.as_view(), name="api_moments"),
    path("assets/<uuid:asset>/reuse", ReuseView.as_view(), name="api_reuse"),
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
