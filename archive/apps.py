"""The archive as a Django app, and the admin site that curators use."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ArchiveConfig(AppConfig):
    name = "archive"
    verbose_name = "Archive"

    def ready(self) -> None:
        from archive import checks  # noqa: F401, PLC0415  (registers the system checks)


class CurationSite(AdminConfig):
    default_site = "archive.admin.site.CurationSite"
