"""Which stretch of time, channel and language is looked at."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.channels import queries as channels
from tertulia.core.choices import name_empty
from tertulia.understanding import words
from tertulia.understanding.reading import LANGUAGES

from .topics import Period

PERIODS: Final = (7, 30, 90)
LONGEST: Final = 366
"""Days."""


class PeriodForm(forms.Form):
    """The last days up to today, or those from one day to another, in the brand's zone."""

    days = forms.TypedChoiceField(choices=[(days, days) for days in PERIODS], coerce=int, required=False)
    first = forms.DateField(label=_("From"), required=False)
    last = forms.DateField(label=_("To"), required=False)
    channel = forms.TypedChoiceField(label=_("Channel"), coerce=int, required=False, empty_value=None)
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, data: Any = None, *, brand: Brand, today: date) -> None:
        super().__init__(data)
        self.brand, self.today = brand, today
        accounts = [(account.pk, account.name) for account in channels.accounts(brand)]
        self._choose("channel", accounts, _("Every channel"))
        named = [(code, words.spoken(code)) for code in LANGUAGES]
        self._choose("language", named, _("Every language"))
        for name in ("first", "last"):
            self.fields[name].widget = forms.DateInput(
                format="%Y-%m-%d", attrs={"type": "date", "max": today.isoformat()}
            )

    def _choose(self, name: str, choices: list[tuple[Any, str]], all_of_them: Any) -> None:
        field: Any = self.fields[name]
        field.choices = [("", ""), *choices]
        name_empty(field, all_of_them)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("first"), data.get("last")
        if (first is None) != (last is None) and not self.errors:
            self.add_error("first" if first is None else "last", _("Give both days, or none."))
        elif first and last and first > last:
            self.add_error("last", _("This day comes before the first."))
        elif first and last and (last - first).days >= LONGEST:
            self.add_error("last", _("A year at most."))
        return data

    @property
    def chosen(self) -> int:
        """The number of last days; 0 when days were given one by one."""
        data = self.cleaned_data if self.is_valid() else {}
        return 0 if data.get("first") else data.get("days") or PERIODS[1]

    @property
    def period(self) -> Period:
        data = self.cleaned_data if self.is_valid() else {}
        last = data.get("last") or self.today
        first = data.get("first") or last - timedelta(days=self.chosen - 1)
        return Period(first, last, self.brand.time_zone, data.get("channel"), data.get("language") or "")


class DismissalForm(forms.Form):
    text = forms.CharField(max_length=300)
    language = forms.CharField(max_length=12, required=False)
