"""The one form of the set-up page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core.choices import name_empty
from tertulia.team.models import User

from .first_run import Person


class FirstRunForm(forms.ModelForm):  # type: ignore[type-arg]
    """The company, the first person, and whether a sample company comes along."""

    person_name = forms.CharField(
        label=_("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(label=_("Your e-mail"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        max_length=200,
        help_text=_("Ten characters or more. A sentence is easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    wants_sample = forms.BooleanField(
        label=_("Fill with a sample company"),
        required=False,
        initial=True,
        help_text=_(
            "A bakery with customers, conversations and a shop page, to try everything. It stands beside yours."
        ),
    )

    class Meta:
        model = Brand
        fields = ("name", "language", "treatment", "time_zone", "country", "region")
        labels = {"name": _("Company"), "language": _("Language you answer in"), "region": _("Region")}
        help_texts = {
            "treatment": _("For the texts in Spanish."),
            "region": _("For its public holidays. Only in Spain."),
        }
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "organization", "autofocus": True}),
            "language": forms.RadioSelect,
            "treatment": forms.RadioSelect,
        }

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, label_suffix="", initial={"language": (get_language() or "es")[:2]})
        name_empty(self.fields["region"], _("No region"))
        if self.is_bound:
            del self.fields["name"].widget.attrs["autofocus"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("country") != "ES":
            cleaned["region"] = ""
        if password := cleaned.get("password"):
            person = User(email=cleaned.get("email", ""), name=cleaned.get("person_name", ""))
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned

    @property
    def company(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    @property
    def person(self) -> Person:
        facts = self.cleaned_data
        return Person(
            name=facts["person_name"],
            email=facts["email"],
            password=facts["password"],
            language=(get_language() or "es")[:2],
        )
