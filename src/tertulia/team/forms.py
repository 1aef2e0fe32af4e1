"""What people may send us about themselves and their team."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core.choices import name_empty

from . import skills
from .models import Absence, Membership, Shift, Skill, User
from .permissions import WHAT_FOR, Role, may_grant

KINDS: dict[str, Any] = {
    Skill.Kind.TOPIC: _("Topic"),
    Skill.Kind.LANGUAGE: _("Language"),
    Skill.Kind.CHANNEL: _("Channel"),
}
LISTED = (Skill.Kind.LANGUAGE, Skill.Kind.CHANNEL)
LANGUAGES = [("", _("the browser's")), *settings.LANGUAGES]
THEMES = [("", _("the device's")), ("light", _("light")), ("dark", _("dark"))]


def _time() -> forms.TimeInput:
    return forms.TimeInput(format="%H:%M", attrs={"type": "time"})


def _date() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False, widget=forms.RadioSelect)
    theme = forms.ChoiceField(label=_("Appearance"), choices=THEMES, required=False, widget=forms.RadioSelect)

    class Meta:
        model = User
        fields = ["name", "language", "theme", "notifies_by_mail"]
        labels = {"name": _("Name"), "notifies_by_mail": _("Also tell me by e-mail")}
        help_texts = {"name": _("What your team and the people you answer see.")}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}


class AppearanceForm(forms.Form):
    language = forms.ChoiceField(choices=settings.LANGUAGES, required=False)
    theme = forms.ChoiceField(choices=THEMES, required=False)

    def chosen(self) -> dict[str, Any]:
        """Only what was sent: an empty theme means the device's, an absent one means leave it."""
        chosen = {name: self.cleaned_data[name] for name in ("language", "theme") if name in self.data}
        if not chosen.get("language"):
            chosen.pop("language", None)
        return chosen


class InvitationForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"), max_length=254)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: Any, by: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = _roles(by)  # type: ignore[attr-defined]
        self.fields["role"].initial = Role.EXPERT


class MembershipForm(forms.Form):
    role = forms.ChoiceField(label=_("Role"))
    capacity = forms.IntegerField(
        label=_("Conversations at once"),
        min_value=0,
        max_value=1000,
        help_text=_("The routing gives no more than this; zero means none at all."),
    )
    is_fallback = forms.BooleanField(
        label=_("Takes what nobody else can"),
        required=False,
        help_text=_("When nobody fits or is there, the conversation goes to somebody with this mark."),
    )

    def __init__(self, data: Any = None, *, by: Membership, membership: Membership) -> None:
        initial = {name: getattr(membership, name) for name in ("role", "capacity", "is_fallback")}
        super().__init__(data, initial=initial)
        self.fields["role"].choices = _roles(by)  # type: ignore[attr-defined]


class SkillForm(forms.Form):
    """Topics are free text (a label may come later); languages and channels are of a list."""

    kind = forms.ChoiceField(choices=Skill.Kind.choices, widget=forms.HiddenInput)
    value = forms.CharField(max_length=60)
    level = forms.TypedChoiceField(
        label=_("How well"), choices=Skill.Level.choices, coerce=int, initial=Skill.Level.GOOD
    )

    def __init__(self, data: Any = None, *, brand: Brand, kind: str = "") -> None:
        kind = kind if kind in Skill.Kind.values else ""
        super().__init__(data, initial={"kind": kind}, auto_id=f"{kind}_%s")
        self.brand = brand
        self.offered = skills.choices(kind, brand)
        self.fields["value"].label = KINDS.get(kind, "")
        if kind in LISTED:
            self.fields["value"].widget = forms.Select(choices=self.offered)
        else:
            self.fields["value"].widget.attrs.update({"list": f"{kind}-offered", "autocomplete": "off"})

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        kind, value = data.get("kind", ""), " ".join(data.get("value", "").split())
        if kind in LISTED and value not in dict(skills.choices(kind, self.brand)):
            self.add_error("value", _("Choose one of the list."))
        return {**data, "value": value}


class ShiftForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Shift
        fields = ["weekday", "starts", "ends"]
        labels = {"weekday": _("Day"), "starts": _("From"), "ends": _("To")}
        widgets = {"starts": _time(), "ends": _time()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_empty(self.fields["weekday"], _("Choose a day"))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("starts") and data.get("ends") and data["starts"] >= data["ends"]:
            self.add_error("ends", _("It ends before it begins. A night is two shifts: until 23:59 and from 00:00."))
        return data


class AbsenceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Absence
        fields = ["starts_on", "ends_on", "reason"]
        labels = {"starts_on": _("First day away"), "ends_on": _("Last day away"), "reason": _("Reason")}
        widgets = {"starts_on": _date(), "ends_on": _date()}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("starts_on") and data.get("ends_on") and data["starts_on"] > data["ends_on"]:
            self.add_error("ends_on", _("The last day comes before the first."))
        return data


class NewPersonForm(forms.Form):
    """Who comes by an invitation; the address stands in it and can't be changed here."""

    name = forms.CharField(label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ten signs or more. A passkey can be added later."),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("password"):
            try:
                validate_password(data["password"], User(email=self.email, name=data.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return data


def _roles(by: Membership) -> list[tuple[str, str]]:
    return [(role.value, f"{str(role.label).capitalize()}: {WHAT_FOR[role]}") for role in may_grant(by.role)]
