"""Where assets live, and who may see them there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    Person = User | AnonymousUser


class Visibility(models.TextChoices):
    MEMBERS = "members", "Members only"
    EVERYONE = "everyone", "Everyone who can log in"


class Role(models.TextChoices):
    """What a member may do; each role may also do all that stands above it."""

    VIEWER = "viewer", "Viewer: look and search"
    CONTRIBUTOR = "contributor", "Contributor: upload"
    CURATOR = "curator", "Curator: edit, move, trash"
    OWNER = "owner", "Owner: members and settings"


CONTRIBUTING = (Role.CONTRIBUTOR, Role.CURATOR, Role.OWNER)
CURATING = (Role.CURATOR, Role.OWNER)


# More than so many are not named one by one.
MOST_NAMED = 1000


class CollectionQuerySet(models.QuerySet["Collection"]):
    def visible_to(self, user: Person) -> CollectionQuerySet:
        """The collections whose assets `user` may see. Superusers see all, strangers none."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(
            Q(visibility=Visibility.EVERYONE) | Q(owner=user) | Q(pk__in=_member_of(user)),
        )

    def open_to(self, user: Person, roles: tuple[Role, ...]) -> CollectionQuerySet:
        """The collections in which `user` holds one of `roles`."""
        if not user.is_authenticated:
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(Q(owner=user) | Q(pk__in=_member_of(user).filter(role__in=roles)))

    def keys(self, *, named: bool = False) -> list[int] | models.QuerySet[Collection, Any]:
        """For "lies in one of these". `named`: read at once and put into the statement one by one.

        Of a rule Postgres has to guess how much of an archive it lets through, and of a million assets it then reads
        all or sorts all; of numbers it knows. Long lists are asked so.
        """
        keys = self.order_by().values_list("pk", flat=True)
        if named:
            found = list(keys[: MOST_NAMED + 1])
            if len(found) <= MOST_NAMED:
                return found
        return keys


def _member_of(user: Person) -> models.QuerySet[Membership, dict[str, int]]:
    groups = Group.objects.filter(user=user.pk)
    mine = Membership.objects.filter(Q(user=user.pk) | Q(group__in=groups))
    return mine.values("collection")  # type: ignore[return-value]


class Collection(models.Model):
    """A place for assets. Every asset lives in exactly one."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="owned_collections")
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.MEMBERS)
    frames_per_second = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(30)],
        help_text="Of new videos: how many frames of a second are looked at. Empty: as everywhere.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CollectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("collection", args=[self.slug])


class Membership(models.Model):
    """A person, or a group of people, in a collection with a role."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="membership_is_of_a_user_or_a_group",
                condition=Q(user__isnull=False, group__isnull=True) | Q(user__isnull=True, group__isnull=False),
            ),
            models.UniqueConstraint(name="one_membership_a_user", fields=["collection", "user"]),
            models.UniqueConstraint(name="one_membership_a_group", fields=["collection", "group"]),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.get_role_display()}"
