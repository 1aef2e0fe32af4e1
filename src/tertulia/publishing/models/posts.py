from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.models import Account, RemotePost
from tertulia.connectors.contract import lasts
from tertulia.core import films
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from .sharing import Share


def seed() -> str:
    """128 random bits: what makes the keys of one version like nobody else's, on whatever installation."""
    return secrets.token_urlsafe(16)


class Post(models.Model):
    """Something a brand says to everybody: one text, or one for each account, at one time.

    Its time is what clocks on the wall show in `zone`; `publish_at` is the moment this means, and follows when a law
    changes it. Nothing leaves before it is scheduled: then each version has its deliveries, and how far it has come
    is read from these (`queries.states`). `revision` grows with every change of what is said: what was approved,
    scheduled or sent names the one it was.
    """

    class State(models.TextChoices):
        """How far it has come; never stored."""

        DRAFT = "draft", _("draft")
        APPROVAL = "approval", _("waits for approval")
        CHANGES = "changes", _("changes wanted")
        APPROVED = "approved", _("approved, not scheduled")
        SCHEDULED = "scheduled", _("scheduled")
        PUBLISHING = "publishing", _("being published")
        PUBLISHED = "published", _("published")
        PARTLY = "partly", _("published in part")
        BY_HAND = "by_hand", _("to be done by hand")
        MISSED = "missed", _("missed its time")
        FAILED = "failed", _("not published")
        UNKNOWN = "unknown", _("not known whether it was published")
        CANCELLED = "cancelled", _("cancelled")
        DELETED = "deleted", _("deleted again")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    title = models.CharField(_("title"), max_length=200)
    """What the team calls it. Nobody else sees it."""
    on = models.DateField(_("day"), null=True, blank=True)
    time = models.TimeField(_("time"), null=True, blank=True)
    zone = models.CharField(_("time zone"), max_length=64)
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="+")
    share = models.ForeignKey(Share, on_delete=models.RESTRICT, null=True, related_name="posts")
    """What it passes on of somebody else. It goes along to copies, and never changes."""
    publish_at = models.DateTimeField(null=True)
    revision = models.PositiveIntegerField(default=1)
    created_by_id = models.BigIntegerField()
    scheduled_by_id = models.BigIntegerField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(on__isnull=True, time__isnull=True, publish_at__isnull=True)
                | models.Q(on__isnull=False, time__isnull=False, publish_at__isnull=False),
                name="post_has_whole_time",
            ),
        ]
        indexes = [
            models.Index(fields=["brand", "publish_at", "id"], name="post_planned"),
            models.Index(fields=["brand", "changed_at", "id"], name="post_changed"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def wall(self) -> datetime | None:
        """What the clock on the wall shows when it is to leave: naive, in `zone`."""
        return datetime.combine(self.on, self.time) if self.on and self.time else None

    def plan(self, wall: datetime | None, zone: str) -> None:
        """Set its time, and the moment this means. Saves nothing."""
        self.on, self.time, self.zone = wall and wall.date(), wall and wall.time(), zone
        self.publish_at = zones.moment(wall, ZoneInfo(zone)) if wall else None


class Version(models.Model):
    """A post as one account publishes it: with the common parts, or with its own where it has any.

    `hints` are what only some networks ask for: `title`, `warning`, `language`, `visibility`.
    """

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="versions", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    hints = models.JSONField(default=dict)
    seed = models.CharField(max_length=22, default=seed)
    restored_at = models.DateTimeField(null=True)
    """That of the deliveries which were taken back last: what is laid out in their place has it too."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "account"], name="post_version_unique")]

    def __str__(self) -> str:
        return f"{self.post_id} on {self.account_id}"

    def key(self, number: int, revision: int) -> str:
        """What the network knows a part by: the same on every try, another one once anything of it was changed."""
        digest = sha256(f"{self.seed}:{number}:{revision}".encode()).digest()
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


class Part(models.Model):
    """One text of a post: the first (number 0), what goes on below it, or the first comment under it.

    Common to all accounts, or of one `version`: a version that has parts of its own takes none of the common ones.
    """

    class Kind(models.TextChoices):
        POST = "post", _("post")
        PART = "part", _("further part")
        COMMENT = "comment", _("first comment")

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="parts")
    version = models.ForeignKey(Version, on_delete=models.CASCADE, null=True, related_name="own_parts")
    number = models.PositiveSmallIntegerField(default=0)
    kind = models.CharField(max_length=7, choices=Kind, default=Kind.POST)
    text = models.TextField(blank=True, default="")
    poll = models.JSONField(null=True)
    """A `contract.Poll` as plain data, under the first text alone."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["post", "number"], name="part_common", condition=models.Q(version__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["version", "number"], name="part_own", condition=models.Q(version__isnull=False)
            ),
            models.CheckConstraint(
                condition=models.Q(number=0, kind="post") | (~models.Q(number=0) & ~models.Q(kind="post")),
                name="part_first_is_post",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} of {self.post_id}"


class Media(models.Model):
    """A picture or a film of a brand's library, kept as it will be sent: its type told by its bytes, without the traces
    a camera leaves in it. The bytes are in the data folder, under their digest."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    """SHA-256 of what was handed in: the same file twice is one."""
    name = models.CharField(_("file name"), max_length=200)
    type = models.CharField(max_length=40)
    size = models.PositiveIntegerField()
    """Bytes."""
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    seconds = models.FloatField(default=0)
    """How long a film is; 0 where it doesn't say."""
    codecs = models.CharField(max_length=80, blank=True, default="")
    """How a film is coded, as its file names it, the picture first: "avc1 mp4a"."""
    alt = models.TextField(_("what it shows, for those who can't see it"), blank=True, default="")
    credit = models.CharField(_("whose it is"), max_length=200, blank=True, default="")
    rights_until = models.DateField(_("may be used until"), null=True, blank=True)
    """The last day, in the brand's time zone."""
    is_customers = models.BooleanField(_("it is a customer's"), default=False)
    permission = models.TextField(_("how they allowed it"), blank=True, default="")
    """Who said yes, when and where, of what has no `share`. Without it nothing of a customer's is published."""
    share = models.ForeignKey(Share, on_delete=models.RESTRICT, null=True, related_name="media")
    """Whose it is and whether they allowed it, of what was taken from somebody's message."""
    made_from = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    """The picture that this one was cut or turned from."""
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "digest"], name="media_unique")]
        indexes = [models.Index(fields=["brand", "created_at", "id"], name="media_newest")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_film(self) -> bool:
        return self.type in films.TYPES

    @property
    def is_allowed(self) -> bool:
        """It is the brand's own, or it is recorded that whoever made it allowed it."""
        if self.share:
            return self.share.is_allowed
        return not self.is_customers or bool(self.permission.strip())

    @property
    def lasts(self) -> str:
        return lasts(self.seconds)


class Attachment(models.Model):
    """A picture at its place under a part. `alt` where it says something else here than in the library."""

    part = models.ForeignKey(Part, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    media = models.ForeignKey(Media, on_delete=models.RESTRICT, related_name="uses")
    position = models.PositiveSmallIntegerField()
    alt = models.TextField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["part", "position"], name="attachment_place")]

    def __str__(self) -> str:
        return f"{self.media_id} at {self.position}"


class Sending(models.Model):
    """A part of a version on its way: what it becomes on the network, and of which revision. The delivery that makes
    it is `remote`'s own."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="sendings", db_index=False)
    number = models.PositiveSmallIntegerField()
    revision = models.PositiveIntegerField()
    remote = models.OneToOneField(RemotePost, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "number"], name="sending_unique")]

    def __str__(self) -> str:
        return f"{self.number} of {self.version_id}"


class Stop(models.Model):
    """Somebody has stopped all that a brand publishes. While the row stands nothing of it leaves."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, primary_key=True, related_name="+")
    by_id = models.BigIntegerField(null=True)
    """Empty when a backup was restored."""
    at = models.DateTimeField()
    because = models.CharField(max_length=300, blank=True, default="")
    holds_answers = models.BooleanField(default=False)
    """Answers to people are held as well."""

    def __str__(self) -> str:
        return f"{self.brand_id} since {self.at}"


class Settings(models.Model):
    """What a brand has decided about publishing. One without a row has the defaults."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, primary_key=True, related_name="+")
    grace_minutes = models.PositiveSmallIntegerField(
        _("minutes after which a late post asks before it leaves"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(24 * 60)],
    )

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.grace_minutes} min"


class Draft(models.Model):
    """What somebody has on the composer's page and has not handed in: of a `post`, or of one still to begin."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.CASCADE, null=True, related_name="+")
    written = models.JSONField()
    """`writing.Writing` as plain data."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand", "user"], name="post_draft_new", condition=models.Q(post__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["post", "user"], name="post_draft_of", condition=models.Q(post__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.post_id or 'a new post'}"
