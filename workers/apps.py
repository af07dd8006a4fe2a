"""The workers as a Django app: for their management commands."""

from django.apps import AppConfig


class WorkersConfig(AppConfig):
    name = "workers"
