"""What people may hand to a plan: a form for itself, one for each text, and one for each kind of line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tertulia.core import dates
from tertulia.core.choices import name_empty
from tertulia.core.html import tidy
from tertulia.publishing import queries as publishing
from tertulia.publishing.actions import YEARS
from tertulia.strategy import queries as strategy
from tertulia.strategy.models import Audience, Duty, Kpi, Objective, Plan, PlanChannel, PlannedAction
from tertulia.team.models import User

OUTSIDE = "outside"


def _date() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _rows(n: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": n, "dir": "auto"})


def _in_our_time(on: Any) -> None:
    if on.year not in YEARS:
        raise ValidationError(_("Choose a day of this century or the next."))


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Plan
        fields = ["name", "starts_on", "ends_on"]
        widgets = {"starts_on": _date(), "ends_on": _date()}
        help_texts = {"name": _("As in “Spring 2027”.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_on", "ends_on"):
            self.fields[name].validators.append(_in_our_time)

    def clean_name(self) -> str:
        if name := tidy(self.cleaned_data["name"]).strip():
            return name
        raise ValidationError(self.fields["name"].error_messages["required"], "required")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        first, last = data.get("starts_on"), data.get("ends_on")
        if first and last and last < first:
            self.add_error("ends_on", _("The last day comes before the first."))
        elif first and last and (last - first).days > 366:
            self.add_error("ends_on", _("A year at most."))
        return data


class TextForm(forms.Form):
    """The text of a step, under the name it has in the plan."""

    text = forms.CharField(max_length=100_000, required=False, widget=_rows(10))

    def __init__(self, *args: Any, label: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label


class LineForm(forms.ModelForm):  # type: ignore[type-arg]
    """A line of a plan; everything that it can name is its brand's."""

    plan: Plan

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        if not isinstance(self.instance, Kpi):
            self.instance.plan = plan
        fields: Mapping[str, Any] = self.fields
        team = User.objects.filter(memberships__brand=plan.brand, is_active=True).order_by("name", "pk")
        for name in ("owner", "user"):
            if name in fields:
                fields[name].queryset = team


class AudienceForm(LineForm):
    class Meta:
        model = Audience
        fields = ["name", "about"]
        widgets = {"about": _rows(3)}


class ObjectiveForm(LineForm):
    class Meta:
        model = Objective
        fields = ["title", "because"]
        widgets = {"because": _rows(2)}


class KpiForm(LineForm):
    class Meta:
        model = Kpi
        fields = ["name", "source", "baseline", "target", "due_on", "owner"]
        widgets = {
            "due_on": _date(),
            "baseline": forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
            "target": forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
        }
        help_texts = {
            "name": _("As in “followers of Instagram” or “orders in December”."),
            "source": _("Where somebody else would find the same number: a page, a report, a list."),
            "baseline": _("What it is today. If you don't know it, count it first."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["owner"].required = True
        name_empty(fields["owner"], _("choose somebody"))
        fields["due_on"].validators.append(_in_our_time)


class PlanChannelForm(LineForm):
    class Meta:
        model = PlanChannel
        fields = ["account", "name", "purpose", "per_week"]
        widgets = {"purpose": _rows(2)}
        help_texts = {"name": _("Empty: as the account is called.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        able = [account.kind for account in publishing.accounts(self.plan.brand)]
        kept = Q(kind__in=able) | Q(pk=self.instance.account_id)
        fields["account"].queryset = publishing.of_brand(self.plan.brand).filter(kept)
        name_empty(fields["account"], _("none that is connected"))
        fields["name"].required = False

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        account = data.get("account")
        data["name"] = data.get("name") or (account.name[:120] if account else "")
        if not data["name"] and not self.errors:
            self.add_error("name", _("Choose an account, or say what it is called."))
        others = self.plan.channels.exclude(pk=self.instance.pk)
        if account and others.filter(account=account).exists():
            self.add_error("account", _("This account stands in the plan already."))
        return data


class PlannedActionForm(LineForm):
    """Of one that is on the calendar already, day and place are no longer chosen here: it is moved there."""

    where = forms.ChoiceField(label=_("Where"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("On"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = PlannedAction
        fields = ["title", "text", "on", "time", "repeats", "weekdays", "campaign", "owner"]
        widgets = {
            "text": _rows(4), "on": _date(), "time": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        }  # fmt: skip
        help_texts = {
            "text": _("The draft begins with it."),
            "on": _("The first one, if it comes back."),
        }

    def __init__(self, *args: Any, is_laid_out: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one = self.instance
        fields: Any = self.fields
        able = publishing.accounts(self.plan.brand)
        if one.account and one.account not in able:
            able.append(one.account)
        self._accounts = {str(account.pk): account for account in able}
        fields["where"].choices = [
            *((pk, account.name) for pk, account in self._accounts.items()), (OUTSIDE, _("outside of the networks"))
        ]  # fmt: skip
        self.initial["where"] = OUTSIDE if one.is_outside or not one.account_id else str(one.account_id)
        if one.pk is None:
            self.initial["where"] = next(iter(self._accounts), OUTSIDE)
        fields["weekdays"].choices = [(number, whole) for number, (_short, whole) in enumerate(dates.weekdays())]
        fields["campaign"].queryset = strategy.open_to(self.plan.brand, one.campaign_id or 0)
        name_empty(fields["campaign"], _("none"))
        name_empty(fields["owner"], _("nobody yet"))
        for name in ("where", "on", "time", "repeats", "weekdays"):
            fields[name].disabled = is_laid_out

    def clean_on(self) -> Any:
        on = self.cleaned_data["on"]
        if not self.plan.starts_on <= on <= self.plan.ends_on:
            raise ValidationError(_("That day isn't in the plan's period."))
        return on

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        where = data.get("where", "")
        self.instance.is_outside = where == OUTSIDE
        self.instance.account = self._accounts.get(where)
        return data


class DutyForm(LineForm):
    class Meta:
        model = Duty
        fields = ["user", "name", "does"]
        widgets = {"does": _rows(2)}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        name_empty(fields["user"], _("somebody from outside"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("user") and not data.get("name", "").strip() and not self.errors:
            self.add_error("user", _("Choose somebody of the team, or write the name of who it is."))
        return data
