"""Addresses of the search pages; archive.urls includes them."""

from django.urls import path

from search import act_views, alert_views, moment_views, reuse_views, saved_views, views
from search.concepts import views as concept_views

urlpatterns = [
    path("", views.search_page, name="search"),
    path("act/", act_views.act, name="act"),
    path("compare/", views.compare_page, name="compare"),
    path("concepts/", concept_views.concepts, name="concepts"),
    path("concepts/new/", concept_views.new_concept, name="new_concept"),
    path("concepts/<int:concept>/", concept_views.concept, name="concept"),
    path("concepts/<int:concept>/progress/", concept_views.progress, name="concept_progress"),
    path("concepts/<int:concept>/judge/", concept_views.judging, name="judge_concept"),
    path("concepts/<int:concept>/learn/", concept_views.learn, name="learn_concept"),
    path("concepts/<int:concept>/version/", concept_views.choose_version, name="choose_concept_version"),
    path("which/<uuid:asset>/", views.which, name="which"),
    path("search/facets/", views.facets, name="search_facets"),
    path("moments/<uuid:asset>/", moment_views.moments, name="moments"),
    path("reuse/<uuid:asset>/", reuse_views.reuse, name="reuse"),
    path("similar/<uuid:asset>/", views.similar, name="similar"),
    path("search/picture/", views.search_picture, name="search_picture"),
    path("search/picture/<str:key>/", views.search_picture_shown, name="search_picture_shown"),
    path("saved/", saved_views.saved_searches, name="saved_searches"),
    path("saved/<uuid:saved>/", views.saved_search, name="saved_search"),
    path("saved/<uuid:saved>/edit/", saved_views.edit_saved, name="edit_saved"),
    path("saved/<uuid:saved>/delete/", saved_views.delete_saved, name="delete_saved"),
    path("saved/<uuid:saved>/alert/", saved_views.set_alert, name="set_alert"),
    path("saved/<uuid:saved>/test/", saved_views.test_alert, name="test_alert"),
    path("saved/<uuid:saved>/webhook/", saved_views.set_webhook, name="set_webhook"),
    path("alerts/", alert_views.alerts, name="alerts"),
    path("alerts/unread/", alert_views.unread, name="unread_alerts"),
    path("alerts/read/", alert_views.read, name="read_alerts"),
    path("alerts/mail/", alert_views.choose_mail, name="choose_mail"),
    path("alerts/stop/<str:token>/", alert_views.stop_digest, name="stop_digest"),
]
