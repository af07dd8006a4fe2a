"""Addresses of the search pages; archive.urls includes them."""

from django.urls import path

from search import act_views, views
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
    path("similar/<uuid:asset>/", views.similar, name="similar"),
    path("search/picture/", views.search_picture, name="search_picture"),
    path("search/picture/<str:key>/", views.search_picture_shown, name="search_picture_shown"),
]
