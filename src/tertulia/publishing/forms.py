"""What people may send to the publishing room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core import dates
from tertulia.core.choices import name_empty
from tertulia.core.html import tidy
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import actions
from .models import LAST_DAY, Evergreen, Initiative, Series
from .series import MOST_TEXTS, Rule

YEARS = range(2000, 2200)


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


def _day_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=required, widget=widget, help_text=help_text, validators=[_in_our_time]
    )  # fmt: skip


def _in_our_time(on: Any) -> None:
    if on.year not in YEARS:
        raise ValidationError(_("Choose a day of this century or the next."))


class SeriesForm(forms.Form):
    """The rule of a series; `rule` of a valid one."""

    every = forms.IntegerField(label=_("Every"), min_value=1, max_value=99, initial=1)
    unit = forms.ChoiceField(label=_("Days, weeks or months"), choices=Series.Unit, initial=Series.Unit.WEEK)
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    month_day = forms.TypedChoiceField(label=_("Day of the month"), coerce=int, initial=1)
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    zone = forms.ChoiceField(label=_("Time zone"))
    starts_on = _day_field(_("First day"))
    ends_on = _day_field(_("Last day"), required=False)
    most = forms.IntegerField(label=_("Times at most"), min_value=1, max_value=1000, required=False)
    ahead_days = forms.IntegerField(
        label=_("Days ahead on the calendar"), min_value=1, max_value=90, initial=30,
        help_text=_("So early its posts are made, for everybody to see."),
    )  # fmt: skip
    then = forms.ChoiceField(
        label=_("Each time it is"), choices=Series.Then, widget=forms.RadioSelect, initial=Series.Then.DRAFT
    )
    texts = forms.CharField(
        label=_("Other wordings"), required=False, widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
        max_length=actions.LONGEST_PART,
        help_text=_("Taken in turn, after the post's own text. A line of three dashes begins the next one."),
    )  # fmt: skip

    def __init__(self, *args: Any, has_model: bool, may_publish: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["weekdays"].choices = [(number, whole) for number, (_short, whole) in enumerate(dates.weekdays())]
        last = [(LAST_DAY, _("the last day"))]
        fields["month_day"].choices = [(number, str(number)) for number in range(1, LAST_DAY)] + last
        fields["zone"].choices = [(zone, zone) for zone in sorted(actions.zones_known())]
        if not has_model:
            del fields["texts"]
        if not may_publish:
            fields["then"].choices = [(Series.Then.DRAFT.value, Series.Then.DRAFT.label)]

    def clean_texts(self) -> list[str]:
        texts = [tidy(text).strip() for text in self.cleaned_data["texts"].replace("\r\n", "\n").split("\n---")]
        texts = [text.lstrip("-").strip() for text in texts]
        texts = [text for text in texts if text]
        if len(texts) > MOST_TEXTS:
            raise ValidationError(_("%(limit)s other wordings at most."), params={"limit": MOST_TEXTS})
        return texts

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("starts_on") and data.get("ends_on") and data["ends_on"] < data["starts_on"]:
            self.add_error("ends_on", _("It ends before it begins."))
        return data

    @property
    def rule(self) -> Rule:
        return Rule(**self.cleaned_data)


class EvergreenForm(forms.ModelForm):  # type: ignore[type-arg]
    """How often a text may be repeated."""

    class Meta:
        model = Evergreen
        fields = ["rest_days", "most", "ends_on"]
        widgets = {"ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")}

    def clean_ends_on(self) -> Any:
        if on := self.cleaned_data["ends_on"]:
            _in_our_time(on)
        return on


class RepetitionForm(forms.Form):
    on = _day_field(_("Day"))
    time = forms.TimeField(label=_("Time"), widget=forms.TimeInput(attrs={"type": "time"}))


class SkipForm(forms.Form):
    on = forms.DateField()


class InitiativeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Initiative
        fields = ["title", "kind", "starts_on", "ends_on", "place", "cost", "owner", "campaign", "notes"]
        widgets = {
            "starts_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "ends_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "cost": forms.NumberInput(attrs={"min": "0", "step": "0.01"}),
            "notes": forms.Textarea(attrs={"rows": 4}),
        }
        help_texts = {"ends_on": _("The same day when it lasts one day.")}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["owner"].queryset = User.objects.filter(memberships__brand=brand, is_active=True).order_by("name", "pk")
        fields["campaign"].queryset = Campaign.objects.filter(brand=brand).order_by("name", "pk")
        fields["ends_on"].required = False
        name_empty(fields["owner"], _("nobody yet"))
        name_empty(fields["campaign"], _("none"))
        for name in ("starts_on", "ends_on"):
            fields[name].validators.append(_in_our_time)
        fields["notes"].validators.append(MaxLengthValidator(5000))

    def clean_title(self) -> str:
        return tidy(self.cleaned_data["title"])

    def clean_place(self) -> str:
        return tidy(self.cleaned_data["place"])

    def clean_notes(self) -> str:
        return tidy(self.cleaned_data["notes"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        begins = data.get("starts_on")
        data["ends_on"] = data.get("ends_on") or begins
        if begins and data["ends_on"] < begins:
            self.add_error("ends_on", _("It ends before it begins."))
        elif begins and (data["ends_on"] - begins).days > 366:
            self.add_error("ends_on", _("A year at most."))
        return data


class ResultForm(forms.Form):
    result = forms.CharField(
        label=_("What came of it"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class ExportForm(forms.Form):
    since = _day_field(_("From"))
    until = _day_field(_("To"))


class ImportForm(forms.Form):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}))
    schedules = forms.BooleanField(
        label=_("Schedule its posts"), required=False, help_text=_("Otherwise they become drafts with a day.")
    )
