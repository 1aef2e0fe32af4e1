from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core.crypto import SecretsField

from .learning import TOPIC

BRAINED = 0.7
"""How sure what a brain read is taken to be: fairly. It doesn't tell, and what the shipped model thought of its own
reading says nothing of it."""


class MessageReading(models.Model):
    """What was understood of a message, or, of the fields in `corrected`, what people said it means."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="reading")
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    language = models.CharField(max_length=12)
    sentiment = models.CharField(max_length=8)
    kind = models.CharField(max_length=10)
    urgency = models.PositiveSmallIntegerField()
    """Per cent: 0 can wait, 33 within the day, 67 today, 100 now."""
    offensive = models.BooleanField()
    spam = models.BooleanField()
    needs_answer = models.BooleanField()
    topics = models.JSONField(default=list)
    questions = models.JSONField(default=list)
    confidence = models.JSONField(default=dict)
    why = models.JSONField(default=dict)
    by = models.CharField(max_length=40)
    """The name of the model that read it."""
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    """As it stood in the message that was read: a later one there asks for another reading."""
    corrected = models.JSONField(default=list)
    brained = models.JSONField(default=dict)
    """Fields that a brain read, and its name."""

    def __str__(self) -> str:
        return f"{self.message_id}: {self.kind}"

    def sure_of(self, field: str) -> float:
        """How sure a field is, or a topic, as `topic:price`: 1 when somebody said so."""
        if field in self.corrected:
            return 1.0
        whole = "topics" if field.startswith(TOPIC) else field
        if whole in self.brained:
            return BRAINED
        return float(self.confidence.get(field, self.confidence.get(whole, 0)))


class Translation(models.Model):
    """A message in another language, as another model put it: masked, and of no use once the message changes."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="+", db_index=False)
    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    language = models.CharField(max_length=2)
    """It is put into."""
    text = models.TextField(blank=True, default="")
    """Empty while it is awaited."""
    model = models.CharField(max_length=300, blank=True, default="")
    by_id = models.BigIntegerField()
    at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    """As it stood in the message that was translated."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "language"], name="translation_unique")]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.language}"


class Correction(models.Model):
    """What somebody said a message means, against what was read; of each field the last that was not undone holds."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="corrections", db_index=False)
    field = models.CharField(max_length=70)
    """Of the reading; or `topic:` and the topic that the value, true or false, puts on or takes off."""
    was = models.JSONField()
    """What the model had read."""
    value = models.JSONField()
    beside = models.JSONField(default=dict)
    """The reading as somebody looked at it then: what they left as it was, they found right."""
    by_id = models.BigIntegerField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    is_lesson = models.BooleanField(default=True)
    """Something is learnt from it. Not any more once all was forgotten: the message still means what was said."""

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["message", "field"], name="correction_live", condition=models.Q(undone_at__isnull=True)
            ),
        ]
        indexes = [models.Index(fields=["message", "field"], name="correction_message")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.field}: {self.was} → {self.value}"


class Topic(models.Model):
    """What only this brand's messages are about. Its slug stands in readings, its name on pages."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    slug = models.SlugField(max_length=60, db_index=False)
    name = models.CharField(max_length=60)
    by_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    """Since when it has been there, without a break."""
    removed_at = models.DateTimeField(null=True)
    """Since when nothing is read, shown or learnt of it; what was said of it was undone in that moment."""
    read_since = models.DateTimeField(null=True)
    """What was written from then on was read by a layer that knows it; how much was about it before, nobody can say."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "slug"], name="topic_unique")]

    def __str__(self) -> str:
        return self.name


class Import(models.Model):
    """Examples that came in one file, and go together when it is undone."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    size = models.PositiveIntegerField()
    by_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Example(models.Model):
    """What a text that is no message of ours means, as a file said."""

    source = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="examples")
    text = models.TextField()
    field = models.CharField(max_length=70)
    value = models.JSONField()
    at = models.DateTimeField(null=True)
    """When it was said first, if the file knew."""

    def __str__(self) -> str:
        return f"{self.field}: {self.value}"


class BrandLayer(models.Model):
    """What a brand's corrections add to the shipped model, a row a training."""

    class State(models.TextChoices):
        LIVE = "live"
        OFF = "off"  # somebody switched it off
        HELD = "held"  # only the fields that got worse, until a person decides
        LEFT = "left"  # a person decided against it
        PAST = "past"  # replaced: its figures stay

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=4, choices=State)
    model = models.CharField(max_length=40)
    """The shipped model that it belongs on top of, and the shape it is packed in (`layers.belongs_to`)."""
    content = models.BinaryField()
    """Of `learning.packed`; empty once it is past."""
    lessons = models.PositiveIntegerField()
    """How many corrections and examples it was learnt from or judged by."""
    figures = models.JSONField(default=dict)
    """By field, of its set-aside messages: `judging.Figure`."""
    accepted = models.JSONField(default=list)
    """Fields that a person put to use although they were worse."""
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["brand"], name="layer_in_use", condition=models.Q(state__in=["live", "off"])
            ),
            models.UniqueConstraint(fields=["brand"], name="layer_held", condition=models.Q(state="held")),
        ]

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.state} {self.at:%Y-%m-%d %H:%M}"


class Brain(models.Model):
    """Another model that reads some fields instead of the shipped one: behind an address, or on this machine."""

    class Kind(models.TextChoices):
        ENDPOINT = "endpoint", _("Behind an address (OpenAI-compatible: Ollama, llama.cpp, vLLM, OpenAI, Mistral…)")
        HUGGING_FACE = "hugging_face", _("On this machine (a Hugging Face classifier)")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.ENDPOINT)
    address = models.CharField(max_length=500, blank=True, default="")
    model = models.CharField(max_length=300)
    """Its name there; of one on this machine, the name in the local cache or its folder."""
    secrets = SecretsField(default=dict)
    fields = models.JSONField(default=list)
    labels = models.JSONField(default=dict)
    """What a classifier says → the field's value."""
    seconds = models.PositiveSmallIntegerField(default=20)
    monthly_tokens = models.PositiveBigIntegerField(default=1_000_000)
    is_on = models.BooleanField(default=False)
    failures = models.PositiveSmallIntegerField(default=0)
    """In a row."""
    paused_until = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.model


class BrainMonth(models.Model):
    """What a brain has used in a month of UTC, with what calls under way may still use."""

    brain = models.ForeignKey(Brain, on_delete=models.CASCADE, related_name="months", db_index=False)
    month = models.DateField()
    tokens = models.PositiveBigIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    told_at = models.DateTimeField(null=True)
    """That the budget is used up."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brain", "month"], name="brain_month_unique")]

    def __str__(self) -> str:
        return f"{self.brain_id} {self.month:%Y-%m}: {self.tokens}"


class BrainCall(models.Model):
    """What left for a brain, masked as it was, and what came of it. Kept for 30 days."""

    brain = models.ForeignKey(Brain, on_delete=models.CASCADE, related_name="calls", db_index=False)
    at = models.DateTimeField()
    messages = models.JSONField(default=list)
    """The ids of those it was asked about."""
    sent = models.TextField()
    got = models.TextField(blank=True, default="")
    outcome = models.CharField(max_length=300, blank=True, default="")
    """Why it was of no use; empty when it was."""
    tokens = models.PositiveIntegerField(default=0)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["brain", "-at", "-id"], name="brain_call_list"),
            models.Index(fields=["at"], name="brain_call_age"),
        ]

    def __str__(self) -> str:
        return f"{self.brain_id} {self.at:%Y-%m-%d %H:%M}"
