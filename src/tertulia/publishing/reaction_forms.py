"""What people may send about reactions: figures they saw, a file of them, and which posts they want to look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from tertulia.brand import zones
from tertulia.channels import reactions as facts
from tertulia.channels.models import Account, RemotePost

PERIODS = {"7": _("7 days"), "30": _("30 days"), "90": _("90 days"), "365": _("A year")}


class FiguresForm(forms.Form):
    """What a platform shows under a post; what is left empty is not known, and changes nothing."""

    at = forms.DateTimeField(
        label=_("As it was on"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, remote: RemotePost, zone: str, now: datetime) -> None:
        self.remote, self.zone, self.now = remote, ZoneInfo(zone), now
        super().__init__(data, initial={"at": now.astimezone(self.zone).replace(tzinfo=None)}, prefix=f"r{remote.pk}")
        for name in facts.NAMES:
            self.fields[name] = forms.IntegerField(
                label=facts.called(name), min_value=0, max_value=facts.MOST - 1, required=False
            )

    def clean_at(self) -> datetime:
        said = self.cleaned_data["at"].replace(tzinfo=None)
        at = zones.moment(said, self.zone)
        if at > self.now:
            raise forms.ValidationError(_("That moment is still to come."))
        if self.remote.published_at and at < self.remote.published_at.replace(second=0, microsecond=0):
            raise forms.ValidationError(_("The post wasn't out then."))
        return at

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and not self.values:
            raise forms.ValidationError(_("Write at least one figure."))
        return said

    @property
    def values(self) -> dict[str, int]:
        found = {name: self.cleaned_data.get(name) for name in facts.NAMES}
        return {name: value for name, value in found.items() if value is not None}


class LookForm(forms.Form):
    """Which posts the overview shows."""

    days = forms.ChoiceField(label=_("Period"), choices=list(PERIODS.items()), required=False)
    account = forms.ModelChoiceField(
        label=_("Account"), queryset=Account.objects.none(), required=False, empty_label=_("All accounts")
    )

    def __init__(self, data: Mapping[str, Any], *, accounts: Any) -> None:
        super().__init__({"days": data.get("days") or "30", "account": data.get("account", "")})
        field: Any = self.fields["account"]
        field.queryset = accounts

    def clean_days(self) -> int:
        return int(self.cleaned_data["days"])


class FileForm(forms.Form):
    file = forms.FileField(label=_("CSV file"), widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}))


class BringForm(forms.Form):
    """The text of a file that somebody has seen through, and wants to keep."""

    text = forms.CharField(max_length=1_500_000, strip=False)
