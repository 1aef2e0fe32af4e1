"""What people may send to the publishing room."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils.translation import gettext_lazy as _


class TimeForm(forms.Form):
    """A day and a time on the wall, of the brand's own zone."""

    on = forms.DateField(label=_("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class MoveForm(forms.Form):
    """Another day, and another time where one is given."""

    on = forms.DateField()
    time = forms.TimeField(required=False)


class SlotForm(forms.Form):
    """A slot of the queue; nothing means the next one."""

    on = forms.DateField(required=False)
    time = forms.TimeField(required=False)

    @property
    def wall(self) -> datetime | None:
        on, at = self.cleaned_data["on"], self.cleaned_data["time"]
        return datetime.combine(on, at) if on and at else None


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


class RhythmForm(forms.Form):
    """What an account promises; without a number it promises nothing."""

    per_week = forms.IntegerField(
        label=_("Times a week"), required=False, min_value=1, max_value=50,
        help_text=_("Empty: nothing is promised."),
    )  # fmt: skip
    starts_on = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("It counts from the first Monday on or after this day."),
    )  # fmt: skip
