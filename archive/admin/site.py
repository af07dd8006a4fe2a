"""The admin site of curators: Django's own, in the archive's paper and ink."""

from django.contrib.admin import AdminSite


class CurationSite(AdminSite):
    site_header = site_title = "Sightline"
    index_title = "Curation"
