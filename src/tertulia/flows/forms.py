"""What people may hand to a journey."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.community.models import Member


class NoteCallForm(forms.Form):
    """A call or a talk in the shop. Times are in the brand's zone, like everything on the desk."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=_("How"), choices=[("call", _("By phone")), ("visit", _("In the shop"))], widget=forms.RadioSelect
    )
    direction = forms.ChoiceField(
        label=_("Who began"), choices=[("in", _("They did")), ("out", _("We did"))], widget=forms.RadioSelect
    )
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput(attrs={"type": "tel"})
    )
    email = forms.EmailField(label=_("E-mail"), required=False)
    happened_at = forms.DateTimeField(
        label=_("When"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    text = forms.CharField(
        label=_("What was said"), max_length=10_000, widget=forms.Textarea(attrs={"rows": 6, "autofocus": True})
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(brand.time_zone)
        self.fields["member"] = forms.ModelChoiceField(
            Member.objects.filter(brand=brand), required=False, widget=forms.HiddenInput
        )

    def clean_happened_at(self) -> datetime:
        wall: datetime = self.cleaned_data["happened_at"].replace(tzinfo=None)
        try:
            return zones.moment(wall, self.zone)
        except OverflowError:
            raise forms.ValidationError(self.fields["happened_at"].error_messages["invalid"]) from None
