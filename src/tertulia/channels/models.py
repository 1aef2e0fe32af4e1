from __future__ import annotations

import secrets
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.connectors import registry
from tertulia.connectors.contract import Capabilities, Connector
from tertulia.core.crypto import SecretsField
from tertulia.core.http import http, open_http


def public_key() -> str:
    """A name for the account in addresses that strangers see: 128 random bits."""
    return secrets.token_urlsafe(16)


class Account(models.Model):
    """A connected profile. `kind` names its connector and is checked against the registry, never a list of choices."""

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        ATTENTION = "attention", _("needs attention")
        PAUSED = "paused", _("paused")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=40)
    name = models.CharField(_("name"), max_length=100)
    public_key = models.CharField(max_length=32, unique=True, default=public_key)
    settings = models.JSONField(default=dict)
    secrets = SecretsField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.ACTIVE)
    trouble = models.CharField(max_length=300, blank=True, default="")
    cursor = models.TextField(blank=True, default="")
    next_poll_at = models.DateTimeField(null=True)
    poll_lease_until = models.DateTimeField(null=True)
    poll_fence = models.BigIntegerField(default=0)
    hinted_at = models.DateTimeField(null=True)
    """When somebody last said that there is news; empty once a reading has begun since."""
    next_send_at = models.DateTimeField(null=True)
    next_late_at = models.DateTimeField(null=True)
    """From when on one more of its posts may leave that are late: they don't leave in a burst."""
    last_success_at = models.DateTimeField(null=True)
    health = models.JSONField(default=dict)
    """What the network last said of the connection: `says`, `scopes`, `quota_left`, `quota_resets_at`, `who`, `at`."""
    expires_at = models.DateTimeField(null=True)
    """When its credentials end, where they do and the network tells."""
    warned_for = models.DateTimeField(null=True)
    """The moment before the end that people were last warned for."""
    renew_lease_until = models.DateTimeField(null=True)
    listen_lease_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["next_poll_at"], name="account_poll", condition=models.Q(next_poll_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def connector(self) -> Connector:
        kind = registry.get(self.kind)
        return kind(open_http if kind.reads_open else http)

    @property
    def capabilities(self) -> Capabilities:
        return registry.get(self.kind).capabilities


class Admission(models.Model):
    """Somebody is at a network's page to let us in, and will come back with a code, or won't. It is good once.

    For an account that is there, or for one still to be made. What was typed waits here too, the secrets encrypted.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    settings = models.JSONField(default=dict)
    secrets = SecretsField(default=dict)
    kept = SecretsField(default=dict)
    """What the connector needs again to finish."""
    by_id = models.BigIntegerField()
    ticket_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


class Identity(models.Model):
    """A person as one account knows them."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=255)
    name = models.CharField(max_length=200, blank=True, default="")
    handle = models.CharField(max_length=200, blank=True, default="")
    email = models.CharField(max_length=254, blank=True, default="")
    phone = models.CharField(max_length=32, blank=True, default="")
    language = models.CharField(max_length=12, blank=True, default="")
    is_new = False
    """Set by the intake that makes it: nobody can know it yet."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="identity_unique")]
        indexes = [models.Index(fields=["email"], name="identity_email", condition=~models.Q(email=""))]

    def __str__(self) -> str:
        return self.name or self.handle or self.remote_id


class Restriction(models.Model):
    """What somebody wrote is kept and answered by people, and used for nothing else (GDPR, Art. 18): no model reads it,
    nothing is learnt from it, no report counts it, no machine answers."""

    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, primary_key=True, related_name="restriction")
    because = models.CharField(_("why"), max_length=300, blank=True, default="")
    by_id = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.identity_id} since {self.at}"


class ErasureKey(models.Model):
    """What digests of the erased are made with; one for the installation, made with the first (`erasures`)."""

    name = models.CharField(max_length=8, unique=True, default="digests")
    secrets = SecretsField(default=dict)

    def __str__(self) -> str:
        return self.name


class Erased(models.Model):
    """A person, or a message, that was erased and that no later reading of its channel may bring back.

    Known by a digest only. Of a person, what they write after `at` is new and comes in.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    digest = models.CharField(max_length=64)
    is_person = models.BooleanField()
    at = models.DateTimeField()
    kept_out = models.PositiveIntegerField(default=0)
    """How often something of it came again and was not taken in."""
    kept_out_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "digest"], name="erased_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class Retention(models.Model):
    """How long the conversations of a channel are kept after their last word; without a row, for ever."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="retention")
    months = models.PositiveSmallIntegerField(_("months"))
    by_id = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.account_id}: {self.months}"


class Message(models.Model):
    """One item in or out, in the state the network last told us; unique by (account, remote id)."""

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=255)
    thread_id = models.CharField(max_length=255)
    identity = models.ForeignKey(Identity, on_delete=models.CASCADE, null=True, related_name="+")
    author_id = models.BigIntegerField(null=True)
    """The teammate who wrote it, for what goes out from here."""
    author_name = models.CharField(max_length=200, blank=True, default="")
    """The name its writer had then."""
    direction = models.CharField(max_length=3, choices=Direction)
    kind = models.CharField(max_length=10)
    subject = models.CharField(max_length=300, blank=True, default="")
    text = models.TextField(blank=True, default="")
    html = models.TextField(blank=True, default="")
    in_reply_to = models.CharField(max_length=255, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    sent_at = models.DateTimeField()
    received_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)
    attachments = models.JSONField(default=list)
    quoted = models.TextField(blank=True, default="")
    hints = models.JSONField(default=dict)
    about = models.JSONField(default=dict)
    cannot = models.JSONField(default=dict)
    is_automatic = models.BooleanField(default=False)
    raw = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="message_unique")]
        indexes = [
            models.Index(fields=["account", "thread_id", "sent_at", "id"], name="message_thread"),
            models.Index(
                fields=["account", "sent_at", "id"], name="message_article", condition=models.Q(kind="article")
            ),
            models.Index(fields=["account", "sent_at"], name="message_comment", condition=models.Q(kind="comment")),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.remote_id}"


class Original(models.Model):
    """A message as it arrived, where that was no JSON: compressed, to download and to open its attachments from."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="original")
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    """Bytes before compression."""
    looked_at = models.DateTimeField(null=True)
    """When it was last looked at for malware."""
    malware = models.CharField(max_length=200, null=True)  # noqa: DJ001 — so that no table of mails is written anew
    """What was found then; empty when nothing was. With something in it nobody gets it."""

    class Meta:
        indexes = [
            models.Index(fields=["message"], name="original_not_looked_at", condition=models.Q(looked_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.size} bytes of {self.message_id}"


class MessageVersion(models.Model):
    """An earlier text of a message that was edited upstream, and since when it stood."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="versions")
    text = models.TextField()
    html = models.TextField(blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "at"], name="version_once")]

    def __str__(self) -> str:
        return f"{self.message_id} at {self.at}"


class Quarantine(models.Model):
    """A delivery that could not be read: kept whole, counted, shown; never retried for ever, never dropped."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    why = models.CharField(max_length=300)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    digest = models.CharField(max_length=64)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "digest"], name="quarantine_once")]
        indexes = [
            models.Index(fields=["account"], name="quarantine_open", condition=models.Q(settled_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return self.why

    @property
    def is_delivery(self) -> bool:
        """A request as it came, which its connector can read again; else one message that was set aside."""
        return bool(self.headers)


class RemotePost(models.Model):
    """A post of ours on one account, a further part of one or the first comment below it: as it shall stand there, and
    as it does once it has a `remote_id`."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    remote_id = models.CharField(max_length=255, blank=True, default="")
    url = models.CharField(max_length=500, blank=True, default="")
    draft = models.JSONField(default=dict)
    """What it says: the fields of `Draft`, its media by their numbers here."""
    uploads = models.JSONField(default=dict)
    """Of media that are there already: what the network calls them, and since when."""
    hints = models.JSONField(default=dict)
    """What the connector wants to know again to write below it or to delete it."""
    above = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+")
    """The part that it stands below."""
    published_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "remote_id"], name="remote_post_unique", condition=~models.Q(remote_id="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["account", "published_at"],
                name="remote_post_published",
                condition=models.Q(published_at__isnull=False),
            ),
            models.Index(fields=["id"], name="remote_post_gone", condition=models.Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.remote_id or f"post {self.pk}, not there yet"

    @property
    def target(self) -> dict[str, Any]:
        """What a connector is told of it: the fields of `Target`."""
        return {
            "thread_id": self.remote_id, "remote_id": self.remote_id, "hints": self.hints, "kind": "post",
            "url": self.url, "is_ours": True,
        }  # fmt: skip


POSTING = frozenset({"post", "part", "comment"})
"""Acts that say something to everybody: each has the `RemotePost` it makes."""


LETTER = "letter"
"""The act that carries a post of a list to one of its subscribers, or asks somebody whether they want to be one, or
shows it to one of the team as a test; its `account` is the mailbox that sends it."""


class Delivery(models.Model):
    """One act that leaves the house, written in the transaction of its cause.

    queued → sending → sent, or refused, or unknown (a person decides), or back to queued with a later due time;
    by hand until a person says that they did it, where the network lets no program; cancelled when it was taken back in
    time. A part of a thread is waiting until the one before it is sent; what could not leave in its time is missed and
    asks a person. `key` is the same on every try. A reply has the `message` it sends, what is published the `post` it
    makes; a letter has the `post` it carries; any other act is done `on` a message, or on a post.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        UNKNOWN = "unknown", _("not known whether it was sent")
        CANCELLED = "cancelled", _("taken back")
        BY_HAND = "by_hand", _("to be done by hand")
        WAITING = "waiting", _("waits for the one before it")
        MISSED = "missed", _("missed its time")

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    thread_id = models.CharField(max_length=255)
    message = models.OneToOneField(Message, on_delete=models.CASCADE, null=True, related_name="delivery")
    on = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="acts")
    post = models.ForeignKey(RemotePost, on_delete=models.CASCADE, null=True, related_name="deliveries", db_index=False)
    after = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    """It leaves only once this one is sent."""
    act = models.CharField(max_length=20, default="reply")
    is_undo = models.BooleanField(default=False)
    because = models.CharField(max_length=300, blank=True, default="")
    """The reason somebody gave for an act, or the rule it was done under."""
    task = models.JSONField(default=dict)
    """For what is done by hand: the `text` to copy and the `url` to open."""
    to = models.JSONField(default=dict)
    read_to = models.BigIntegerField(null=True)
    """The person's newest message that the writer of an answer had before them; what came later it does not answer."""
    key = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    due_at = models.DateTimeField()
    planned_at = models.DateTimeField(null=True)
    """Of a post: when it was to leave, however often it was put off since."""
    late_at = models.DateTimeField(null=True)
    """The last moment at which it may begin; afterwards it is missed. Empty: whenever it can."""
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    in_doubt_since = models.DateTimeField(null=True)
    """When the first try began of which something may have come without our knowing."""
    restored_at = models.DateTimeField(null=True)
    """When a backup was put back that has it unfinished: what came of it since that was made, nobody here knows."""
    looks = models.PositiveSmallIntegerField(default=0)
    reminders = models.PositiveSmallIntegerField(default=0)
    """How often people were reminded that it waits to be done by hand."""
    absences = models.PositiveSmallIntegerField(default=0)
    """How many of the looks found that it isn't there; the others could not be made."""
    why = models.CharField(max_length=300, blank=True, default="")
    created_by_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(message__isnull=False) | models.Q(on__isnull=False) | models.Q(post__isnull=False),
                name="delivery_has_subject",
            ),
            models.UniqueConstraint(
                fields=["post"], name="delivery_posts_once", condition=models.Q(act__in=["post", "part", "comment"])
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="delivery_due", condition=models.Q(state="queued")),
            models.Index(fields=["lease_until"], name="delivery_lease", condition=models.Q(state="sending")),
            models.Index(
                fields=["account", "thread_id"],
                name="delivery_under_way",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["account", "state"],
                name="delivery_trouble",
                condition=models.Q(state__in=["unknown", "refused", "missed"]),
            ),
            models.Index(
                fields=["account", "created_at"], name="delivery_by_hand", condition=models.Q(state="by_hand")
            ),
            models.Index(fields=["post"], name="delivery_post", condition=models.Q(post__isnull=False)),
            models.Index(
                fields=["account", "state"], name="delivery_post_state", condition=models.Q(post__isnull=False)
            ),
            models.Index(fields=["after"], name="delivery_after", condition=models.Q(state="waiting")),
            models.Index(
                fields=["finished_at"],
                name="delivery_posted",
                condition=models.Q(state="sent", act__in=["post", "part", "comment"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.key} {self.state}"

    @property
    def subject(self) -> Message:
        """The message it sends, or the one it is done on; what concerns a post has none."""
        message = self.message or self.on
        assert message is not None  # noqa: S101 — held by the database
        return message


class Reconciliation(models.Model):
    """A day of an account, counted at the source and here; what was missing has been fetched again."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    """In the brand's time zone."""
    at_source = models.PositiveIntegerField()
    stored = models.PositiveIntegerField()
    """How many of them were here before anything was fetched again."""
    found_again = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    """Stored, no longer at the source: deleted there without a word."""
    checked_at = models.DateTimeField()
    trouble = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="reconciliation_unique")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.day}: {self.stored} of {self.at_source}"


class Metric(models.Model):
    """A figure of a profile on one day: `value` of `name`. A day nobody measured has no row: missing is never zero."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(max_length=40)
    value = models.BigIntegerField()
    on = models.DateField()
    """In the brand's time zone."""
    by_id = models.BigIntegerField(null=True)
    """Who typed it in; empty when the network told it."""
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "name", "on"], name="metric_unique")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.name} {self.on}: {self.value}"


class PostMetric(models.Model):
    """A figure under a post of ours as it was at one moment: `value` of `name`. What nobody told has no row: missing is
    never zero."""

    class How(models.TextChoices):
        NETWORK = "network", _("from the network")
        HAND = "hand", _("written down")
        FILE = "csv", _("from a file")

    post = models.ForeignKey(RemotePost, on_delete=models.CASCADE, related_name="metrics", db_index=False)
    name = models.CharField(max_length=40)
    value = models.BigIntegerField()
    at = models.DateTimeField()
    how = models.CharField(max_length=7, choices=How)
    by_id = models.BigIntegerField(null=True)
    """Who wrote it down or brought the file."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "name", "at"], name="post_metric_unique")]

    def __str__(self) -> str:
        return f"{self.post_id} {self.name} {self.at:%Y-%m-%d %H:%M}: {self.value}"


class PostWatch(models.Model):
    """When the figures of a post are asked for next; never again once `due_at` is empty."""

    post = models.OneToOneField(RemotePost, on_delete=models.CASCADE, primary_key=True, related_name="watch")
    due_at = models.DateTimeField(null=True)
    absent_at = models.DateTimeField(null=True)
    """Since when the network doesn't show it any more."""

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="watch_due", condition=models.Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"{self.post_id}, next {self.due_at}"


class AccountWatch(models.Model):
    """How the asking for figures goes on one account: by one reader at a time, and later again after trouble."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    lease_until = models.DateTimeField(null=True)
    not_before = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True, default="")
    """Why the figures could not be read the last time; empty when they could."""
    counted_on = models.DateField(null=True)
    """The day, in the brand's time zone, of which the account's own figures are there."""

    def __str__(self) -> str:
        return f"{self.account_id}: {self.trouble or 'fine'}"
