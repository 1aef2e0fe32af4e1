"""What people may send about links, coupons and orders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tertulia.brand.models import Brand
from tertulia.core.choices import name_empty
from tertulia.strategy.models import Campaign

from . import figures, queries
from .models import Link, Post

OFFERED = 200
"""So many of the newest posts and links are offered."""


class LinkForm(forms.Form):
    target = forms.CharField(
        label=_("Where it leads"),
        max_length=2000,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    name = forms.CharField(label=pgettext_lazy("link", "What the team calls it"), max_length=120, required=False)
    campaign = forms.ModelChoiceField(Campaign.objects.none(), label=_("Campaign"), required=False)
    post = forms.ModelChoiceField(Post.objects.none(), label=_("Post"), required=False)
    source = forms.CharField(label="utm_source", max_length=100, required=False)
    medium = forms.CharField(label="utm_medium", max_length=100, required=False)
    utm_campaign = forms.CharField(label="utm_campaign", max_length=100, required=False)
    content = forms.CharField(label="utm_content", max_length=100, required=False)
    reply = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, brand: Brand, **more: Any) -> None:
        super().__init__(data, **more)
        _offer(self, "campaign", Campaign.objects.filter(brand=brand).order_by("name"))
        _offer(self, "post", queries.posts(brand))


class CouponForm(forms.Form):
    code = forms.CharField(label=_("Code"), max_length=40)
    campaign = forms.ModelChoiceField(Campaign.objects.none(), label=_("Campaign"), required=False)
    post = forms.ModelChoiceField(Post.objects.none(), label=_("Post"), required=False)
    link = forms.ModelChoiceField(Link.objects.none(), label=_("Link"), required=False)

    def __init__(self, data: Any = None, *, brand: Brand, **more: Any) -> None:
        super().__init__(data, **more)
        _offer(self, "campaign", Campaign.objects.filter(brand=brand).order_by("name"))
        _offer(self, "post", queries.posts(brand))
        _offer(self, "link", figures.links(brand).filter(ended_at__isnull=True))


def _offer(form: forms.Form, name: str, rows: Any) -> None:
    field: Any = form.fields[name]
    field.queryset = rows
    field.choices = [("", ""), *((row.pk, str(row)) for row in rows[:OFFERED])]
    name_empty(field, _("Not chosen"))


class OrderForm(forms.Form):
    reference = forms.CharField(label=_("Order number"), max_length=100)
    value = forms.CharField(label=_("Amount"), max_length=30, widget=forms.TextInput(attrs={"inputmode": "decimal"}))
    on = forms.DateField(
        label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    coupon = forms.CharField(label=_("Coupon"), max_length=40, required=False)


class OrderFileForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"})
    )


class LinkSettingsForm(forms.Form):
    shortens = forms.BooleanField(label=_("Shorten the links of posts"), required=False)
    shortens_answers = forms.BooleanField(label=_("Shorten the links in answers too"), required=False)
    adds_utm = forms.BooleanField(label=_("Add UTM to the links of posts"), required=False)
    click_days = forms.IntegerField(
        label=_("Days after a click in which it earns a conversion"), min_value=1, max_value=365
    )
    currency = forms.CharField(label=_("Currency"), max_length=3)
    has_pixel = forms.BooleanField(label=_("Let a pixel report orders"), required=False)
