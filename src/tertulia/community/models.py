from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Identity, Message
from tertulia.team.skills import languages


class Member(models.Model):
    """A person, whatever the channel they write from."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    email = models.EmailField(_("e-mail"), blank=True, default="")
    phone = models.CharField(_("phone"), max_length=32, blank=True, default="")
    language = models.CharField(_("language"), max_length=12, blank=True, default="")
    about = models.TextField(_("what we know"), blank=True, default="")
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["brand", "-last_seen_at", "-id"], name="member_recent"),
            models.Index(fields=["brand", "email"], name="member_email", condition=~models.Q(email="")),
            models.Index(fields=["brand", "phone"], name="member_phone", condition=~models.Q(phone="")),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.phone or str(_("Somebody"))


class Consent(models.Model):
    """That a person agreed to something: when, in which words, and where. Until it is withdrawn."""

    class Source(models.TextChoices):
        SPOKEN = "spoken", _("said to one of us")
        WRITTEN = "written", _("in a message")
        FORM = "form", _("a form of the site")
        PAPER = "paper", _("on paper")

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("what for"), max_length=120)
    wording = models.TextField(_("in which words"), max_length=5_000)
    source = models.CharField(_("where"), max_length=7, choices=Source)
    given_at = models.DateTimeField(_("when"))
    by_id = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by_id = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return self.purpose


class Export(models.Model):
    """A copy of all that is held of a person, made for them. Its file goes when its time is over."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="exports")
    content = models.BinaryField(null=True)
    """A ZIP; empty while it is being made."""
    trouble = models.CharField(max_length=300, blank=True, default="")
    by_id = models.BigIntegerField()
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="export_age")]

    def __str__(self) -> str:
        return f"{self.member_id} at {self.at}"


class Erasure(models.Model):
    """That a person was erased, on whose word, and what a second look has to see to. Who it was is not in it."""

    member = models.OneToOneField(Member, on_delete=models.CASCADE, primary_key=True, related_name="erasure")
    why = models.CharField(max_length=300, blank=True, default="")
    by_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    left = models.JSONField(default=dict)
    """What of them could not be erased here: how many of what (`flows.personal.LEFT`)."""

    def __str__(self) -> str:
        return f"{self.member_id} at {self.at}"


class DataRequest(models.Model):
    """Something the law sets a term for: what somebody asked about their data, or a breach of data."""

    class Kind(models.TextChoices):
        ACCESS = "access", _("to know what is held, or a copy of it (Art. 15, 20)")
        CORRECTION = "correction", _("to correct it (Art. 16)")
        ERASURE = "erasure", _("to erase it (Art. 17)")
        RESTRICTION = "restriction", _("to restrict its use (Art. 18)")
        OBJECTION = "objection", _("to object to its use (Art. 21)")
        BREACH = "breach", _("a breach: data lost, leaked or changed (Art. 33)")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="requests")
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    about = models.TextField(_("who, and what exactly"), max_length=2_000)
    known_at = models.DateTimeField(_("since when it is known"))
    due_at = models.DateTimeField()
    warned_at = models.DateTimeField(null=True)
    outcome = models.TextField(_("what was done"), max_length=2_000, blank=True, default="")
    done_at = models.DateTimeField(null=True)
    by_id = models.BigIntegerField()
    done_by_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["brand", "due_at"], name="data_request_of"),
            models.Index(fields=["due_at"], name="data_request_open", condition=models.Q(done_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.due_at}"


class MemberIdentity(models.Model):
    """Which member an identity is. `is_verified` when more than their own word says so."""

    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="links")
    is_verified = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.identity_id} → {self.member_id}"


class Testimonial(models.Model):
    """Something that speaks for the brand, in the words to quote: who said it, where, and whether it may be used.

    What was agreed stands here and not in a `Consent`: whoever said it need not be a `Member`, it is for these words
    alone, and it can be given for a time. `testimonials.forbids` reads it.
    """

    class Kind(models.TextChoices):
        TESTIMONIAL = "testimonial", _("testimonial")
        REVIEW = "review", _("review")
        CASE = "case", _("case")
        FIGURE = "figure", _("figure of our own")

    class State(models.TextChoices):
        """How the consent to quote it stands."""

        UNASKED = "unasked", _("not asked for yet")
        ASKED = "asked", _("asked, no answer yet")
        GIVEN = "given", _("given")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        UNNEEDED = "unneeded", _("not needed")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(_("what it is"), max_length=11, choices=Kind, default=Kind.TESTIMONIAL)
    text = models.CharField(_("in which words"), max_length=1_000)
    """One paragraph, to the letter as it is quoted."""
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, blank=True, related_name="testimonials")
    said_by = models.CharField(_("how they are named"), max_length=120, blank=True, default="")
    stars = models.PositiveSmallIntegerField(_("stars"), null=True, blank=True)
    source = models.CharField(_("where it can be read"), max_length=500, blank=True, default="")
    message = models.ForeignKey(Message, on_delete=models.SET_NULL, null=True, related_name="+")
    """The one it was taken from."""
    said_on = models.DateField(_("when"))
    language = models.CharField(_("language"), max_length=2, choices=languages, blank=True, default="")
    consent = models.CharField(_("consent"), max_length=9, choices=State, default=State.UNASKED)
    consent_on = models.DateField(_("since when"), null=True, blank=True)
    consent_wording = models.TextField(
        _("in which words, or why none is needed"), max_length=2_000, blank=True, default=""
    )
    consent_until = models.DateField(_("until"), null=True, blank=True)
    """The last day, in the brand's time zone."""
    ended_at = models.DateTimeField(null=True)
    """When it was told that it is in use and may not be any more."""
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(stars__isnull=True) | models.Q(kind="review", stars__gte=1, stars__lte=5),
                name="testimonial_stars",
            ),
            models.CheckConstraint(
                condition=~models.Q(consent="given")
                | (models.Q(consent_on__isnull=False) & ~models.Q(consent_wording="")),
                name="testimonial_consent_proved",
            ),
            models.CheckConstraint(
                condition=~models.Q(consent="unneeded")
                | (~models.Q(consent_wording="") & (models.Q(kind="figure") | ~models.Q(source=""))),
                name="testimonial_consent_unneeded",
            ),
        ]
        indexes = [models.Index(fields=["brand", "-said_on", "-id"], name="testimonial_list")]

    def __str__(self) -> str:
        return f"{self.said_by or self.get_kind_display()}: {self.text}"[:80]


class TestimonialUse(models.Model):
    """That a post, as it stood in one revision, or an answer carries a testimonial: with the source and the consent of
    that moment, whatever becomes of them later."""

    testimonial = models.ForeignKey(Testimonial, on_delete=models.CASCADE, related_name="uses", db_index=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, related_name="+")
    """The answer."""
    post_id = models.BigIntegerField(null=True)
    """The post, which a higher room keeps."""
    revision = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=200, blank=True, default="")
    """What the post was called."""
    source = models.CharField(max_length=500, blank=True, default="")
    consent = models.JSONField(default=dict)
    """`state`, `on`, `wording` and `until` as they were."""
    by_id = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["testimonial", "message"],
                name="testimonial_in_answer",
                condition=models.Q(post_id__isnull=True),
            ),
            models.UniqueConstraint(
                fields=["testimonial", "post_id", "revision"],
                name="testimonial_in_post",
                condition=models.Q(message__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(message__isnull=True, post_id__isnull=False)
                | models.Q(message__isnull=False, post_id__isnull=True),
                name="testimonial_use_is_one",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.testimonial_id} in {self.post_id or self.message_id}"


class Joining(models.Model):
    """Two members found to be one person: what moved, so that it can be undone."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    kept = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="+")
    merged = models.JSONField()
    """The other member as it was, with the ids of its identities, conversations and testimonials."""
    why = models.CharField(max_length=200)
    by_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.kept_id} ← {self.merged.get('id')}"
