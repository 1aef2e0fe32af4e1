"""What people may send to the publishing room."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core.choices import name_empty
from tertulia.strategy import queries as strategy
from tertulia.strategy.actions import FIELDS
from tertulia.strategy.models import Campaign
from tertulia.team.models import User
from tertulia.team.permissions import Role

from . import queries
from .models import ApprovalRule, ApprovalStep


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


class DecidingForm(forms.Form):
    verdict = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    comment = forms.CharField(
        label=_("A word about it"), required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3})
    )


class GuestForm(DecidingForm):
    name = forms.CharField(label=_("Your name"), max_length=120)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule of approval with up to three steps."""

    STEPS = 3

    class Meta:
        model = ApprovalRule
        fields = ("account", "campaign", "author", "words", "allows_own")
        widgets = {"words": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"words": _("A word or a phrase a line; any of them is enough. Empty: whatever it says.")}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(memberships__brand=brand, is_active=True).order_by("name", "pk")
        fields: Any = self.fields
        fields["account"].queryset = queries.of_brand(brand).filter(
            kind__in=[one.kind for one in queries.accounts(brand)]
        )
        fields["campaign"].queryset = strategy.open_to(brand, self.instance.campaign_id or 0)
        fields["author"].queryset = people
        name_empty(fields["account"], _("Every channel"))
        name_empty(fields["campaign"], _("With and without a campaign"))
        name_empty(fields["author"], _("Whoever writes it"))
        there = list(self.instance.steps.order_by("number")) if self.instance.pk else []
        for n in range(self.STEPS):
            step = there[n] if n < len(there) else None
            self._add_step(n, people, step)

    def _add_step(self, n: int, people: Any, step: ApprovalStep | None) -> None:
        self.fields[f"users{n}"] = forms.ModelMultipleChoiceField(
            people, label=_("People"), required=False, widget=forms.CheckboxSelectMultiple,
            initial=[user.pk for user in step.users.all()] if step else [],
        )  # fmt: skip
        roles = [("", _("No role")), *Role.choices]
        self.fields[f"role{n}"] = forms.ChoiceField(
            choices=roles, label=_("Everybody of a role"), required=False, initial=step.role if step else ""
        )
        self.fields[f"outside{n}"] = forms.CharField(
            label=_("People without an account"), required=False, max_length=2_000,
            widget=forms.Textarea(attrs={"rows": 2}), help_text=_("An e-mail address a line. They get a link."),
            initial="\n".join(step.outside) if step else "",
        )  # fmt: skip
        self.fields[f"all{n}"] = forms.ChoiceField(
            label=_("How many"), choices=[("", _("One of them is enough")), ("1", _("All of them"))], required=False,
            initial="1" if step and step.needs_all else "",
        )  # fmt: skip

    @property
    def step_fields(self) -> list[tuple[int, list[forms.BoundField]]]:
        names = ("users", "role", "outside", "all")
        return [(n + 1, [self[f"{name}{n}"] for name in names]) for n in range(self.STEPS)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for n in range(self.STEPS):
            addresses = [line.strip().lower() for line in data.get(f"outside{n}", "").splitlines() if line.strip()]
            for address in addresses:
                try:
                    validate_email(address)
                except forms.ValidationError:
                    says = _("“%(address)s” is no e-mail address.")
                    self.add_error(f"outside{n}", forms.ValidationError(says, params={"address": address[:80]}))
            data[f"outside{n}"] = list(dict.fromkeys(addresses))
        return data

    def steps(self) -> list[dict[str, Any]]:
        """Those that name anybody, as `actions.save_rule` takes them."""
        said = self.cleaned_data
        return [
            {"users": said[f"users{n}"], "role": said[f"role{n}"], "outside": said[f"outside{n}"],
             "needs_all": said[f"all{n}"] == "1"}
            for n in range(self.STEPS)
            if said[f"users{n}"] or said[f"role{n}"] or said[f"outside{n}"]
        ]  # fmt: skip


class LearnedForm(forms.Form):
    learned = forms.CharField(
        label=_("What was learned"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say first what was learned: the next campaign begins there.")},
    )  # fmt: skip
