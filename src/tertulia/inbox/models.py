from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Message
from tertulia.community.models import Member
from tertulia.team.models import User
from tertulia.team.skills import languages

PREVIEW_LENGTH = 200
URGENT, NOW = 50, 84
"""Per cents from which on something is urgent, and urgent now rather than today."""
HEAD_STARTS = ((NOW, timedelta(hours=24)), (URGENT, timedelta(hours=4)))
"""What urgency is worth in the lists: who waits stands there as if they had waited, or written, so much more. It wears
off by itself: nothing stays on top for ever."""


class Conversation(models.Model):
    """The thread with one person on one account: the unit of work.

    What the list shows stands on the row itself, so that a page of it is one index walk.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        SNOOZED = "snoozed", _("snoozed")
        CLOSED = "closed", _("closed")

    class Reason(models.TextChoices):
        """Why a conversation was closed; every one is a legal end."""

        ANSWERED = "answered", _("answered")
        NO_ANSWER_NEEDED = "no_answer", _("needs no answer")
        HANDED_ON = "handed_on", _("handed on outside")
        SPAM = "spam", _("spam")
        DUPLICATE = "duplicate", _("said twice")
        MODERATED = "moderated", _("moderated under a rule")

    # No index of its own for what a composite one begins with: each costs every intake and misleads SQLite's planner.
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    thread_id = models.CharField(max_length=255)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.CharField(max_length=40)
    member_name = models.CharField(max_length=200, blank=True, default="")
    subject = models.CharField(max_length=300, blank=True, default="")
    preview = models.CharField(max_length=PREVIEW_LENGTH, blank=True, default="")
    language = models.CharField(max_length=12, blank=True, default="")

    state = models.CharField(max_length=7, choices=State, default=State.OPEN)
    close_reason = models.CharField(max_length=9, choices=Reason, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    settled_to = models.BigIntegerField(null=True)
    """The person's newest message when it was last closed, unless that was undone by hand: up to it nobody waits."""
    snoozed_until = models.DateTimeField(null=True)
    snoozed_by_id = models.BigIntegerField(null=True)

    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    because = models.JSONField(default=dict)
    """Why this owner: the facts `routing.sentence` puts into one line."""

    last_activity_at = models.DateTimeField()
    last_inbound_at = models.DateTimeField(null=True)
    last_outbound_at = models.DateTimeField(null=True)
    waiting_since = models.DateTimeField(null=True)
    """Since when the person waits for us; empty when the last word is ours or none is needed."""
    first_response_due_at = models.DateTimeField(null=True)
    first_responded_at = models.DateTimeField(null=True)
    resolution_due_at = models.DateTimeField(null=True)
    ranked_at = models.DateTimeField(null=True)
    """Where it stands among those who wait, the longest first; empty when nobody waits (`rank`)."""
    listed_at = models.DateTimeField()
    """Where it stands in the lists that begin with the newest (`rank`)."""
    promise_due_at = models.DateTimeField(null=True)
    """The next promise that is still open: the earlier of the two above, empty when kept or none was made."""
    warned_at = models.DateTimeField(null=True)
    broken_at = models.DateTimeField(null=True)

    kind = models.CharField(max_length=10, blank=True, default="")
    """What the person's newest message is, with the three below; empty while nothing has been read (`understood`)."""
    sentiment = models.CharField(max_length=8, blank=True, default="")
    urgency = models.PositiveSmallIntegerField(default=0)
    is_offensive = models.BooleanField(default=False)

    labels = models.JSONField(default=list)
    """Ids of its labels, for the list; `ConversationLabel` is the truth."""
    has_trouble = models.BooleanField(default=False)
    """An outgoing message was refused, or nobody knows whether it was sent."""
    turn = models.PositiveIntegerField(default=0)
    """Raised with every message in or out."""
    answered_turn = models.PositiveIntegerField(default=0)
    """The turn of our last message: a reply names the turn its writer had read, so that two people can't answer one."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "thread_id"], name="conversation_unique")]
        indexes = [
            models.Index(fields=["brand", "state", "-listed_at", "-id"], name="conversation_state"),
            models.Index(fields=["brand", "owner", "state", "-listed_at", "-id"], name="conversation_owner"),
            models.Index(fields=["account", "state", "-listed_at", "-id"], name="conversation_account"),
            models.Index(
                fields=["brand", "ranked_at", "id"],
                name="conversation_waiting",
                condition=models.Q(ranked_at__isnull=False),
            ),
            models.Index(
                fields=["promise_due_at", "id"],
                name="conversation_promise",
                condition=models.Q(promise_due_at__isnull=False, broken_at__isnull=True),
            ),
            models.Index(
                fields=["snoozed_until", "id"],
                name="conversation_snoozed",
                condition=models.Q(state="snoozed"),
            ),
            models.Index(
                fields=["brand", "-last_activity_at", "-id"],
                name="conversation_trouble",
                condition=models.Q(has_trouble=True),
            ),
            models.Index(
                fields=["created_at", "id"],
                name="conversation_ownerless",
                condition=models.Q(state="open", owner__isnull=True),
            ),
            models.Index(fields=["member", "-last_activity_at", "-id"], name="conversation_member"),
            # Of what was read; `queries._WALKED` and `queries._SPOKEN` say the same, to the letter.
            models.Index(
                fields=["brand", "kind", "state", "-listed_at", "-id"],
                name="conversation_kind",
                condition=~models.Q(kind=""),
            ),
            models.Index(
                fields=["brand", "sentiment", "state", "-listed_at", "-id"],
                name="conversation_sentiment",
                condition=~models.Q(sentiment=""),
            ),
            models.Index(
                fields=["brand", "state", "-listed_at", "-id"],
                name="conversation_urgent",
                condition=models.Q(urgency__gte=50),
            ),
            models.Index(
                fields=["brand", "state", "-listed_at", "-id"],
                name="conversation_offensive",
                condition=models.Q(is_offensive=True),
            ),
            models.Index(
                "brand",
                models.Func("language", template="SUBSTR(%(expressions)s, 1, 2)", output_field=models.TextField()),
                "state",
                models.F("listed_at").desc(),
                models.F("id").desc(),
                name="conversation_language",
                condition=~models.Q(language=""),
            ),  # fmt: skip
        ]

    def __str__(self) -> str:
        return self.subject or self.preview[:60] or self.thread_id

    @property
    def head_start(self) -> timedelta:
        """What its urgency is worth while somebody waits."""
        if self.state != self.State.OPEN or self.waiting_since is None:
            return timedelta()
        return next((worth for level, worth in HEAD_STARTS if self.urgency >= level), timedelta())

    def rank(self) -> None:
        """Set where it stands in the lists, from its state, last activity, wait and urgency. Saves nothing."""
        is_waiting = self.state == self.State.OPEN and self.waiting_since is not None
        self.ranked_at = self.waiting_since - self.head_start if is_waiting and self.waiting_since else None
        self.listed_at = self.last_activity_at + self.head_start


class Assignment(models.Model):
    """Who was given a conversation, by whom (nobody: the routing) and why."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="assignments")
    to = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    by_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    because = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.conversation_id} → {self.to_id}"


class Label(models.Model):
    """A topic or any other mark. Its words put it on by themselves when a message contains one."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=40)
    hue = models.PositiveSmallIntegerField(_("colour"), default=30)
    words = models.JSONField(_("words that put it on"), default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="label_unique")]

    def __str__(self) -> str:
        return self.name


class ConversationLabel(models.Model):
    """State and last activity stand here too, so that a page of one label is one index walk."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=7)
    last_activity_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "label"], name="conversation_label_unique")]
        indexes = [
            models.Index(
                fields=["label", "state", "-last_activity_at", "-conversation"],
                name="conversation_label_list",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.label_id}"


class Note(models.Model):
    """For the team's eyes only. It is no message and has no way out of the house."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes")
    by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField()
    mentions = models.JSONField(default=list)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.text[:60]


class Mention(models.Model):
    """That somebody is called in the notes of a conversation: the newest call, and whether it was opened since."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    is_unread = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="mention_unique")]
        indexes = [
            models.Index(fields=["user", "brand", "-at", "-conversation"], name="mention_list"),
            models.Index(fields=["user", "brand"], name="mention_unread", condition=models.Q(is_unread=True)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.conversation_id}"


class SavedReply(models.Model):
    """A text to start from. Variables stand in braces: {nombre} {name} {agente} {agent} {marca} {brand}."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    title = models.CharField(_("title"), max_length=80)
    text = models.TextField(_("text"))
    language = models.CharField(_("language"), max_length=2, choices=languages, blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "title"], name="saved_reply_unique")]

    def __str__(self) -> str:
        return self.title


class AutomaticReply(models.Model):
    """What a channel answers by itself, so that who writes knows at once when somebody will read it."""

    class When(models.TextChoices):
        CLOSED = "closed", _("outside opening hours")
        ALWAYS = "always", _("at any time")

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="+")
    is_on = models.BooleanField(default=False)
    when = models.CharField(_("when"), max_length=6, choices=When, default=When.CLOSED)
    texts = models.JSONField(default=dict)
    """By language; who writes another gets the brand's own."""
    since = models.DateTimeField()
    """What was written before is not answered."""

    def __str__(self) -> str:
        return f"{self.account_id}: {self.when if self.is_on else '–'}"


class AutomaticAnswer(models.Model):
    """When an address last got one from a channel."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    address = models.CharField(max_length=255)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "address"], name="automatic_answer_unique")]
        indexes = [models.Index(fields=["account", "at"], name="automatic_answer_at")]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.address}"


class SavedView(models.Model):
    """A filter of the list kept under a name: for oneself, or for the whole team when `user` is empty."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")
    name = models.CharField(_("name"), max_length=60)
    filters = models.JSONField(default=dict)
    """The keys of `queries.Filters`."""

    def __str__(self) -> str:
        return self.name


class Promise(models.Model):
    """What we promise: minutes to the first response and to the resolution. The most specific one holds:
    label before channel before the brand's own."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    label = models.ForeignKey(Label, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    first_response_minutes = models.PositiveIntegerField(_("first response, minutes"), null=True, blank=True)
    resolution_minutes = models.PositiveIntegerField(_("resolution, minutes"), null=True, blank=True)
    in_business_hours = models.BooleanField(_("counts only opening hours"), default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "brand",
                Coalesce("account", Value(0, output_field=models.BigIntegerField())),
                Coalesce("label", Value(0, output_field=models.BigIntegerField())),
                name="promise_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_response_minutes}/{self.resolution_minutes} min"


class PromiseOutcome(models.Model):
    """How one promise to one person ended, for the figures: kept when we answered, or closed, by its moment."""

    class Which(models.TextChoices):
        FIRST_RESPONSE = "first_response", _("first response")
        RESOLUTION = "resolution", _("resolution")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    which = models.CharField(max_length=14, choices=Which)
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    """When we answered or closed; of a broken one, when that was told."""
    is_kept = models.BooleanField()
    message_id = models.BigIntegerField(null=True)
    """The answer that kept it, as long as that isn't taken back."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "which", "due_at"], name="promise_outcome_unique")
        ]
        indexes = [models.Index(fields=["brand", "ended_at", "id"], name="promise_outcome_list")]

    def __str__(self) -> str:
        return f"{self.conversation_id} {self.which}: {'kept' if self.is_kept else 'broken'}"


class Rule(models.Model):
    """«If … then …» for what comes in, once it has been read. It never answers, and acts once on a message."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=80)
    position = models.PositiveIntegerField()
    conditions = models.JSONField(default=dict)
    """All of them must hold; the keys of `rules.CONDITIONS`."""
    acts = models.JSONField(default=dict)
    """The keys of `rules.ACTS`."""
    stops = models.BooleanField(default=False)
    """Where it holds, those after it are not asked."""
    on_at = models.DateTimeField(null=True)
    """Since when it acts, on what arrives from then on; empty while it is switched off."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="rule_unique")]
        indexes = [models.Index(fields=["brand", "position", "id"], name="rule_order")]

    def __str__(self) -> str:
        return self.name


class RuleAct(models.Model):
    """That a rule has acted on a message, and what it did: never again on that one, however often it is read."""

    rule = models.ForeignKey(Rule, on_delete=models.CASCADE, related_name="+", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+")
    did = models.JSONField(default=list)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "message"], name="rule_act_unique")]
        indexes = [models.Index(fields=["rule", "at"], name="rule_act_count")]

    def __str__(self) -> str:
        return f"{self.rule_id} on {self.message_id}"


class Rereading(models.Model):
    """How far what was there before has been read by a model: open conversations, then all messages, newest first."""

    model = models.CharField(max_length=40, unique=True)
    conversations_below = models.BigIntegerField()
    """Ids from here on have been seen to; 0 when all have. So it is with the next."""
    messages_below = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.model}: {self.conversations_below}, {self.messages_below}"


class Draft(models.Model):
    """What somebody was writing, so that a closed tab loses nothing: an answer, a note, or one of each."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    is_note = models.BooleanField(default=False)
    """Begun for the team's eyes: it must never come back as an answer."""
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user", "is_note"], name="draft_unique")]

    def __str__(self) -> str:
        return self.text[:60]


class Presence(models.Model):
    """Who is looking at a conversation, and since when they type; stale after `PRESENCE_SECONDS`."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    typing_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="presence_unique")]
        indexes = [models.Index(fields=["seen_at"], name="presence_seen")]

    def __str__(self) -> str:
        return f"{self.user_id} @ {self.conversation_id}"


class Read(models.Model):
    """Up to which turn a teammate has read a conversation."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    turn = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="read_unique")]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.conversation_id} to {self.turn}"
