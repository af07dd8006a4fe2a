"""What somebody did in the admin to many rows at once stands in its log as one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def log_many(user: User, model: type[Model], sentence: str, *, about: Model | None = None) -> None:
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(model),
        object_id=str(about.pk) if about else None,
        object_repr=str(about)[:200] if about else str(model._meta.verbose_name_plural),
        action_flag=CHANGE,
        change_message=sentence,
    )
