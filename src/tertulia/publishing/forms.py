"""What people may send to the publishing room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core.choices import name_empty
from tertulia.strategy.actions import FIELDS
from tertulia.strategy.models import Campaign
from tertulia.team.models import User


class TimeForm(forms.Form):
    """A day and a time on the wall, of the brand's own zone."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class MoveForm(forms.Form):
    """Another day, and another time where one is given."""

    on = forms.DateField()
    time = forms.TimeField(required=False)


class StopForm(forms.Form):
    because = forms.CharField(label=_("Why"), max_length=300, required=False)
    holds_answers = forms.BooleanField(label=_("Hold answers to people as well"), required=False)


class DecisionForm(forms.Form):
    was_sent = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class CompletionForm(forms.Form):
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class MediaForm(forms.Form):
    file = forms.FileField(label=_("Picture"))
    alt = forms.CharField(label=_("What it shows, for those who can't see it"), max_length=1500, required=False)


class CampaignForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Campaign
        fields = FIELDS
        widgets = {
            "goal": forms.Textarea(attrs={"rows": 2}),
            "audience": forms.Textarea(attrs={"rows": 2}),
            "messages": forms.Textarea(attrs={"rows": 4}),
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "currency": forms.TextInput(attrs={"size": 4, "maxlength": 3, "autocapitalize": "characters"}),
        }
        help_texts = {
            "goal": _("What should be so at its end that isn't so now."),
            "messages": _("A line each: what people should keep in mind."),
        }

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner: Any = self.fields["owner"]
        owner.queryset = User.objects.filter(memberships__brand=brand).order_by("name", "pk")
        name_empty(owner, _("Nobody yet"))

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if len(currency) != 3 or not currency.isascii() or not currency.isalpha():
            raise forms.ValidationError(_("Three letters: EUR, MXN, USD…"))
        return currency

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day comes before the first."))
        return data


class LearnedForm(forms.Form):
    learned = forms.CharField(
        label=_("What was learned"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say first what was learned: the next campaign begins there.")},
    )  # fmt: skip
