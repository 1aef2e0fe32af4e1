from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.team.models import User

from .posts import Post


class Pillar(models.Model):
    """A theme that a brand keeps coming back to: what its ideas, and through them its posts, stand on."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    name = models.CharField(_("name"), max_length=40)
    about = models.CharField(_("what belongs to it"), max_length=300, blank=True, default="")
    hue = models.PositiveSmallIntegerField(_("colour"), default=30)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "name"], name="pillar_unique")]

    def __str__(self) -> str:
        return self.name


class Idea(models.Model):
    """Something that could become a post, with where it came from.

    Once it has a post, how far that has come is read from the post and stored nowhere. A post that was cancelled or
    deleted gives it back: it is again what `state` says.
    """

    class State(models.TextChoices):
        NEW = "new", pgettext_lazy("idea", "new")
        CHOSEN = "chosen", pgettext_lazy("idea", "being written")
        ASIDE = "aside", pgettext_lazy("idea", "set aside")

    class Source(models.TextChoices):
        HAND = "hand", pgettext_lazy("idea", "written by hand")
        LINK = "link", pgettext_lazy("idea", "a page")
        ARTICLE = "article", pgettext_lazy("idea", "the reading list")
        MESSAGE = "message", pgettext_lazy("idea", "a message")
        QUESTION = "question", pgettext_lazy("idea", "a question asked again and again")
        TOPIC = "topic", pgettext_lazy("idea", "a topic people write about")
        RULE = "rule", pgettext_lazy("idea", "a rule of the inbox")
        API = "api", pgettext_lazy("idea", "another program")

    class Format(models.TextChoices):
        TEXT = "text", _("text")
        PICTURE = "picture", _("picture")
        PICTURES = "pictures", _("several pictures")
        VIDEO = "video", _("video")
        STORY = "story", _("story")
        LIVE = "live", _("live")
        POLL = "poll", _("poll")
        ARTICLE = "article", _("article")
        NEWSLETTER = "newsletter", _("newsletter")
        OTHER = "other", _("something else")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    title = models.CharField(_("title"), max_length=200)
    brief = models.TextField(_("brief"), max_length=10_000, blank=True, default="")
    owner = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("who sees to it")
    )
    format = models.CharField(_("format"), max_length=10, choices=Format, blank=True, default="")
    pillar = models.ForeignKey(
        Pillar, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("pillar")
    )
    due_on = models.DateField(_("wanted by"), null=True, blank=True)
    state = models.CharField(max_length=6, choices=State, default=State.NEW)
    because = models.CharField(_("why it is set aside"), max_length=300, blank=True, default="")
    source = models.CharField(max_length=8, choices=Source, default=Source.HAND)
    url = models.CharField(_("link"), max_length=2000, blank=True, default="")
    """Where it can be read: a page of the web, or an address of the brand's own desk that begins with `/b/`."""
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    """The message or the article it came from. What that says is read there, and goes when it is erased."""
    post = models.OneToOneField(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    created_by_id = models.BigIntegerField(null=True)
    """Nobody, where a rule made it."""
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="aside") | ~models.Q(because=""), name="idea_aside_has_reason"
            ),
            models.UniqueConstraint(fields=["message"], name="idea_once_by_rule", condition=models.Q(source="rule")),
        ]
        indexes = [models.Index(fields=["brand", "state", "changed_at", "id"], name="idea_columns")]

    def __str__(self) -> str:
        return self.title
