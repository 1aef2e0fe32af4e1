from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand, OpeningHours
from tertulia.core.kept import Kept, Slot, columns, record

from .permissions import Role, allows


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get(self, *args: Any, **wanted: Any) -> User:
        """By its key alone, as every request asks who is signed in, with a question that is kept."""
        if args or wanted.keys() != {"pk"} or not isinstance(wanted["pk"], int):
            return super().get(*args, **wanted)
        for row in _person().ask(pk=wanted["pk"]):
            return record(User, row)
        raise User.DoesNotExist

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody of the company, or outside adviser, who signs in. What they may do hangs on their memberships."""

    email = models.EmailField(_("e-mail"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    language = models.CharField(_("language"), max_length=2, choices=Brand.Language, blank=True, default="")
    theme = models.CharField(max_length=5, blank=True, default="", choices=[("light", "light"), ("dark", "dark")])
    notifies_by_mail = models.BooleanField(_("also notify me by e-mail"), default=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return self.name

    @property
    def initials(self) -> str:
        words = (self.name or self.email).split()
        return (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()


@cache
def _person() -> Kept:
    return Kept(User.objects.filter(pk=Slot("pk")), *columns(User))


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, brand: Brand) -> Self:
        return self.filter(brand=brand)

    def with_unread(self) -> Self:
        """Adds `unread`: how many notifications of the brand the person has not read."""
        unread = Notification.objects.filter(user=OuterRef("user"), brand=OuterRef("brand"), read_at=None)
        counted = unread.order_by().values("brand").annotate(count=Count("pk")).values("count")
        return self.annotate(unread=Coalesce(Subquery(counted), 0))


class Membership(models.Model):
    """A person's place in one brand: the role they have there and how much they can carry."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.EXPERT)
    capacity = models.PositiveSmallIntegerField(_("conversations at once"), default=25)
    is_fallback = models.BooleanField(_("takes what nobody else can"), default=False)
    created_at = models.DateTimeField()

    objects = MembershipQuerySet.as_manager()
    unread: int
    """Of `with_unread`."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "brand"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} · {self.brand}"

    def may(self, permission: str) -> bool:
        """Whether the role allows it; see `permissions.PERMISSIONS`."""
        return self.user.is_active and allows(self.role, permission)


class Skill(models.Model):
    """Something a member knows, as declared: a topic (a label), a language or a channel."""

    class Kind(models.TextChoices):
        TOPIC = "topic", _("topic")
        LANGUAGE = "language", _("language")
        CHANNEL = "channel", _("channel")

    class Level(models.IntegerChoices):
        SOME = 1, _("some")
        GOOD = 2, _("good")
        EXPERT = 3, _("expert")

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="skills")
    kind = models.CharField(max_length=8, choices=Kind)
    value = models.CharField(max_length=60)
    level = models.PositiveSmallIntegerField(choices=Level, default=Level.GOOD)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["membership", "kind", "value"], name="skill_unique")]

    def __str__(self) -> str:
        return f"{self.kind}: {self.value}"


class Shift(models.Model):
    """A weekly stretch in which a member answers, in the brand's time zone. No shift at all: the opening hours."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="shifts")
    weekday = models.PositiveSmallIntegerField(choices=OpeningHours.Weekday)
    starts = models.TimeField()
    ends = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(starts__lt=models.F("ends")), name="shift_starts_before_end"),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.starts}–{self.ends}"


class Absence(models.Model):
    """Days a member is away: nothing is routed to them, and what they hold is handed on."""

    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="absences")
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("to"))
    reason = models.CharField(_("reason"), max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(starts_on__lte=models.F("ends_on")), name="absence_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on}–{self.ends_on}"


class Invitation(models.Model):
    """A one-time link into a brand; only its hash is kept."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.email

    def is_open(self, at: datetime) -> bool:
        return self.used_at is None and at < self.expires_at


class NotificationQuerySet(models.QuerySet["Notification"]):
    def of(self, membership: Membership) -> Self:
        return self.filter(user=membership.user_id, brand=membership.brand_id)

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notification(models.Model):
    """A line of the activity feed that concerns one person."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    activity_id = models.BigIntegerField()
    reason = models.CharField(max_length=20)
    url = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "activity_id"], name="notification_once")]
        indexes = [
            models.Index(fields=["user", "brand", "-id"], name="notification_newest"),
            models.Index(fields=["user", "brand"], name="notification_unread", condition=models.Q(read_at=None)),
            models.Index(
                fields=["created_at"],
                name="notification_to_mail",
                condition=models.Q(mailed_at=None, read_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason} → {self.user_id}"
