"""What people may hand to a journey."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext_lazy as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.abilities import KINDS
from tertulia.channels.models import Account
from tertulia.community.models import Consent, DataRequest, Member
from tertulia.core import clock
from tertulia.publishing import queries as publishing

from .launching import Sheet

LONGEST_WRITTEN = 20_000


def _moment(form: forms.BaseForm, field: str, brand: Brand) -> datetime:
    """A wall time of the brand's as the moment it is."""
    wall: datetime = form.cleaned_data[field].replace(tzinfo=None)
    try:
        return zones.moment(wall, ZoneInfo(brand.time_zone))
    except OverflowError:
        raise forms.ValidationError(form.fields[field].error_messages["invalid"]) from None


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
        self.brand = brand
        self.fields["member"] = forms.ModelChoiceField(
            Member.objects.filter(brand=brand), required=False, widget=forms.HiddenInput
        )

    def clean_happened_at(self) -> datetime:
        return _moment(self, "happened_at", self.brand)


class WherePostedForm(forms.Form):
    """Where messages stand that somebody writes down: the same for all that are handed in at once."""

    kind = forms.ChoiceField(label=_("What it is"))
    post_title = forms.CharField(
        label=_("Written under"), max_length=300, required=False, help_text=_("What post or video of ours it is about.")
    )
    post_url = forms.URLField(label=_("Address of that post"), max_length=500, required=False, assume_scheme="https")

    def __init__(self, *args: Any, accounts: Sequence[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = {account.pk: account.connector.noted_kinds(account) for account in accounts}
        offered = {kind for kinds in self.kinds.values() for kind in kinds}
        self.fields["kind"].choices = [(kind, name) for kind, name in KINDS.items() if kind in offered]  # type: ignore[attr-defined]
        self.fields["account"] = forms.TypedChoiceField(
            label=_("Where"), choices=[(account.pk, account.name) for account in accounts], coerce=int
        )
        if len(accounts) == 1:
            self.fields["account"].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "kind" in said and said["kind"] not in self.kinds.get(said.get("account", 0), [said["kind"]]):
            self.add_error("kind", _("Nothing of the kind comes in there: its settings say so."))
        return said


class PostedForm(forms.Form):
    """One message that somebody found on a platform."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    who = forms.CharField(
        label=_("Who wrote it"), max_length=200, help_text=_("As they are called there: @handle, a name, or both.")
    )
    happened_at = forms.DateTimeField(
        label=_("When"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )
    url = forms.URLField(label=_("Its address there"), max_length=500, required=False, assume_scheme="https")
    text = forms.CharField(label=_("What they wrote"), max_length=LONGEST_WRITTEN, widget=forms.Textarea({"rows": 3}))

    def __init__(self, *args: Any, brand: Brand, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand, self.at = brand, at

    def clean_happened_at(self) -> datetime:
        moment = _moment(self, "happened_at", self.brand)
        if moment > self.at:
            raise forms.ValidationError(_("That is still to come. Write when it happened."))
        return moment


class LaunchForm(forms.Form):
    """A product's sheet, and where it is to be told of."""

    name = forms.CharField(label=_("What it is called"), max_length=100)
    what = forms.CharField(
        label=_("What it is, in a sentence or two"), max_length=1_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    good = forms.CharField(
        label=_("What is good about it"), required=False, max_length=2_000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("A line each."),
    )  # fmt: skip
    price = forms.CharField(label=_("Price"), required=False, max_length=60)
    on = forms.DateField(
        label=_("From which day on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    url = forms.URLField(label=_("Where more is to be read"), required=False, max_length=500, assume_scheme="https")
    answers = forms.CharField(
        label=_("What people will ask"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 8}),
        help_text=_("The question on a line of its own, below it the answer, then an empty line."),
    )  # fmt: skip
    accounts_chosen = forms.TypedMultipleChoiceField(
        label=_("Where it is told"), coerce=int, widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose first where it is to be published.")},
    )  # fmt: skip

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._able = publishing.accounts(brand)
        field: Any = self.fields["accounts_chosen"]
        field.choices = [(account.pk, account.name) for account in self._able]

    def clean_answers(self) -> list[tuple[str, str]]:
        found = []
        for block in re.split(r"\n[ \t]*\n", self.cleaned_data["answers"].replace("\r\n", "\n").strip()):
            question, _rule, answer = block.strip().partition("\n")
            if question and not answer.strip():
                raise forms.ValidationError(
                    _("There is no answer below “%(question)s”."), params={"question": question[:80]}
                )
            if question:
                found.append((question.strip(), answer.strip()))
        return found

    @property
    def sheet(self) -> Sheet:
        said = self.cleaned_data
        good = [line.strip("·-• \t") for line in said["good"].splitlines()]
        return Sheet(
            said["name"].strip(), said["what"].strip(), [line for line in good if line], said["price"].strip(),
            said["on"], said["url"], said["answers"],
        )  # fmt: skip

    @property
    def accounts(self) -> list[Account]:
        return [account for account in self._able if account.pk in self.cleaned_data["accounts_chosen"]]


class ConsentForm(forms.Form):
    """That a person agreed to something."""

    purpose = forms.CharField(label=_("What they agreed to"), max_length=120)
    wording = forms.CharField(
        label=_("In which words"), max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The text they read or heard, word for word."),
    )  # fmt: skip
    source = forms.ChoiceField(label=_("Where"), choices=Consent.Source.choices)
    given_at = forms.DateTimeField(
        label=_("When"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    )

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand

    def clean_given_at(self) -> datetime:
        return _moment(self, "given_at", self.brand)


class DataRequestForm(forms.ModelForm):  # type: ignore[type-arg]
    """What somebody asked about their data, or a breach of it."""

    known_at = forms.DateTimeField(
        label=_("Since when you know"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("The term begins then: a month to answer, 72 hours to notify a breach."),
    )

    class Meta:
        model = DataRequest
        fields = ["kind", "about", "known_at"]
        widgets = {"about": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, brand: Brand, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.brand = brand

    def clean_known_at(self) -> datetime:
        known_at = _moment(self, "known_at", self.brand)
        if known_at > clock.now():
            raise forms.ValidationError(_("That is still to come."))
        return known_at


class OutcomeForm(forms.ModelForm):  # type: ignore[type-arg]
    outcome = forms.CharField(
        label=_("What was done"), max_length=2_000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("When and how it was answered; of a breach, to whom it was notified, or why it didn't have to be."),
    )  # fmt: skip

    class Meta:
        model = DataRequest
        fields = ["outcome"]


class ErasureForm(forms.Form):
    """It can't be taken back, so it is said twice."""

    why = forms.CharField(
        label=_("On whose word"), max_length=300, required=False,
        help_text=_("As in “asked for by mail on 3 May”. Don't write who: it would stay."),
    )  # fmt: skip
    sure = forms.BooleanField(
        label=_("I know that this can't be taken back"),
        error_messages={"required": _("Tick the box if you are sure.")},
    )


class RestrictionForm(forms.Form):
    because = forms.CharField(label=_("Why"), max_length=300, required=False)


class RetentionForm(forms.Form):
    months = forms.IntegerField(
        label=_("Months after the last word"), min_value=1, max_value=240, required=False,
        help_text=_("Empty: for ever."),
    )  # fmt: skip
