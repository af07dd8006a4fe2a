"""Addresses of the search pages; archive.urls includes them."""

from django.urls import path

from search import act_views, alert_views, saved_views, views

urlpatterns = [
    path("", views.search_page, name="search"),
    path("act/", act_views.act, name="act"),
    path("compare/", views.compare_page, name="compare"),
    path("search/facets/", views.facets, name="search_facets"),
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
