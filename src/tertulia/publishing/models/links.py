from __future__ import annotations

import secrets
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.strategy.models import Campaign

from .posts import Post, Version

CODE_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""None that is taken for another when an address is read aloud or copied by hand."""
CODE_LENGTH = 7
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


def new_code() -> str:
    """One of 27,000 million: finding others by trying finds next to none."""
    return "".join(secrets.choice(CODE_SIGNS) for _ in range(CODE_LENGTH))


class LinkSettings(models.Model):
    """What a brand has decided about its links. One without a row has the defaults."""

    brand = models.OneToOneField(Brand, on_delete=models.CASCADE, primary_key=True, related_name="+")
    shortens = models.BooleanField(_("Shorten the links of posts"), default=False)
    shortens_answers = models.BooleanField(_("Shorten the links in answers too"), default=False)
    adds_utm = models.BooleanField(_("Add UTM to the links of posts"), default=False)
    click_days = models.PositiveSmallIntegerField(
        _("Days after a click in which it earns a conversion"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
    )
    currency = models.CharField(
        _("Currency"),
        max_length=3,
        default="EUR",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", _("Three capital letters, as in EUR."))],
    )
    pixel_key = models.CharField(max_length=22, blank=True, default="")
    """Names the brand in the address of its pixel; no secret, since it stands in a public page. "": no pixel."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pixel_key"], name="pixel_key_unique", condition=~models.Q(pixel_key=""))
        ]

    def __str__(self) -> str:
        return f"{self.brand_id}: {self.shortens}"


class Link(models.Model):
    """A short address of our own that leads elsewhere, and what it carries there.

    Made by hand, for one version of a post when this was scheduled, or in an answer to somebody: `reply_id`. Ended,
    it leads nowhere any more; its figures stay.
    """

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    code = models.CharField(max_length=12, unique=True, default=new_code)
    name = models.CharField(_("name"), max_length=120, blank=True, default="")
    target = models.CharField(_("address"), max_length=2000)
    source = models.CharField("utm_source", max_length=100, blank=True, default="")
    medium = models.CharField("utm_medium", max_length=100, blank=True, default="")
    utm_campaign = models.CharField("utm_campaign", max_length=100, blank=True, default="")
    content = models.CharField("utm_content", max_length=100, blank=True, default="")
    post = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    version = models.ForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="+")
    arm = models.CharField(max_length=1, blank=True, default="")
    """ "b" where only those read it who get the other wording of a newsletter."""
    reply_id = models.BigIntegerField(null=True)
    created_by_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "target", "arm"],
                name="link_of_version",
                condition=models.Q(version__isnull=False, ended_at__isnull=True),
            ),
            models.CheckConstraint(condition=models.Q(target__startswith="https://"), name="link_is_https"),
        ]
        indexes = [
            models.Index(fields=["brand", "created_at", "id"], name="link_newest"),
            models.Index(fields=["reply_id"], name="link_of_answer", condition=models.Q(reply_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or self.code


class DayKey(models.Model):
    """What visitors of a brand's links are told apart with for one day of its own. Gone when the day is over: then
    nobody, we included, can tell who a visitor was."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    on = models.DateField(db_index=True)
    key = models.BinaryField(max_length=32)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "on"], name="day_key_unique")]

    def __str__(self) -> str:
        return f"{self.brand_id} on {self.on}"


class Click(models.Model):
    """Somebody or something asked for a link. A visitor is told from others within one day only, and not by a cookie:
    see `clicks.visitor`. Robots have none."""

    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+", db_index=False)
    at = models.DateTimeField()
    on = models.DateField()
    """The day it was at the brand."""
    visitor = models.CharField(max_length=22, blank=True, default="")
    is_robot = models.BooleanField()
    referrer = models.CharField(max_length=100, blank=True, default="")
    """The host it came from, nothing else."""

    class Meta:
        indexes = [models.Index(fields=["link", "on", "is_robot", "visitor"], name="click_counted")]

    def __str__(self) -> str:
        return f"{self.link_id} at {self.at}"


class Coupon(models.Model):
    """A code that buyers name, and what it tells of an order: which link, post or campaign earned it."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    code = models.CharField(
        _("code"),
        max_length=40,
        validators=[RegexValidator(r"\A[A-Z0-9_-]+\Z", _("Letters, digits, hyphens and underscores only."))],
    )
    """In capitals."""
    link = models.ForeignKey(Link, on_delete=models.SET_NULL, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="+")
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["brand", "code"], name="coupon_unique")]

    def __str__(self) -> str:
        return self.code


class Conversion(models.Model):
    """What a visit became: an order, a booking. `model` says by what it was attributed; where nothing told, it is
    attributed to nothing and counted apart."""

    class Kind(models.TextChoices):
        PIXEL = "pixel", _("pixel")
        API = "api", _("API")
        COUPON = "coupon", _("noted by hand")
        CSV = "csv", _("imported")

    class Model(models.TextChoices):
        CLICK = "click", _("the click it came from")
        COUPON = "coupon", _("its coupon")
        UTM = "utm", _("its UTM")
        NONE = "", _("not attributed")

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+", db_index=False)
    reference = models.CharField(max_length=100)
    """The order's own number: told twice, it is one."""
    at = models.DateTimeField()
    cents = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=6, choices=Kind)
    model = models.CharField(max_length=6, choices=Model, blank=True, default=Model.NONE)
    link = models.ForeignKey(Link, on_delete=models.SET_NULL, null=True, related_name="+")
    coupon = models.ForeignKey(Coupon, on_delete=models.SET_NULL, null=True, related_name="+")
    post = models.ForeignKey(Post, on_delete=models.SET_NULL, null=True, related_name="+")
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, related_name="+")
    said = models.JSONField(default=dict)
    """What was told of where it came from, as it was told: coupon, utm."""
    recorded_by_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["brand", "reference"], name="conversion_once"),
            models.CheckConstraint(condition=models.Q(cents__gte=0), name="conversion_not_below_nothing"),
        ]
        indexes = [models.Index(fields=["brand", "at", "id"], name="conversion_newest")]

    def __str__(self) -> str:
        return self.reference

    @property
    def value(self) -> str:
        return money(self.cents, self.currency)


def money(cents: int, currency: str) -> str:
    """As the reader's language writes it."""
    return f"{number_format(Decimal(cents) / 100, 2, force_grouping=True)}\u00a0{_SIGNS.get(currency, currency)}"


class OrderFile(models.Model):
    """A list of orders that somebody has handed in and looks at before it is taken over. Then its text is gone."""

    brand = models.ForeignKey(Brand, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=200)
    text = models.TextField()
    created_by_id = models.BigIntegerField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class LinkChoice(models.Model):
    """An address of a post that is shortened, or isn't, whatever the brand does with others."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="link_choices", db_index=False)
    target = models.CharField(max_length=2000)
    is_short = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "target"], name="link_choice_unique")]

    def __str__(self) -> str:
        return f"{self.target}: {self.is_short}"
