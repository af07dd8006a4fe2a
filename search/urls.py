"""Addresses of the search pages; archive.urls includes them."""

from django.urls import path

from search import act_views, moment_views, reuse_views, views

urlpatterns = [
    path("", views.search_page, name="search"),
    path("act/", act_views.act, name="act"),
    path("compare/", views.compare_page, name="compare"),
    path("search/facets/", views.facets, name="search_facets"),
    path("moments/<uuid:asset>/", moment_views.moments, name="moments"),
    path("reuse/<uuid:asset>/", reuse_views.reuse, name="reuse"),
    path("similar/<uuid:asset>/", views.similar, name="similar"),
    path("search/picture/", views.search_picture, name="search_picture"),
    path("search/picture/<str:key>/", views.search_picture_shown, name="search_picture_shown"),
]
