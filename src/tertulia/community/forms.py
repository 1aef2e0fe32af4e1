"""What people may write about people."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils.translation import gettext_lazy as _

from tertulia.core.choices import LONGEST_NUMBER
from tertulia.core.html import tidy

from .models import Member, Testimonial


class MemberForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Member
        fields = ["name", "email", "phone", "language", "about"]
        labels = {
            "name": _("Name"),
            "email": _("E-mail"),
            "phone": _("Phone"),
            "language": _("Language"),
            "about": _("What we know"),
        }
        widgets = {"about": forms.Textarea(attrs={"rows": 5})}
        help_texts = {
            "language": _("Two letters: es, en, ca…"),
            "about": _("Only what helps to serve them. They may ask to read it."),
        }

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())


class TestimonialForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is said, by whom and where. Of one that comes from a message, or whose person is known, who it is stays."""

    class Meta:
        model = Testimonial
        fields = ["kind", "text", "said_by", "said_on", "stars", "source", "language"]
        labels = {
            "kind": _("What it is"),
            "text": _("In which words"),
            "said_by": _("How they are named"),
            "said_on": _("When"),
            "stars": _("Stars"),
            "source": _("Where it can be read"),
            "language": _("Language"),
        }
        help_texts = {
            "text": _("To the letter, as it is to be quoted. Shorten it with […]."),
            "said_by": _("As they want to be named: “Marta, from Valencia”. Empty where nobody is named."),
            "stars": _("From 1 to 5, of a review that has any."),
            "source": _("A link, if there is one."),
        }

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["text"].widget = forms.Textarea(attrs={"rows": 4, "maxlength": 1_000})
        self.fields["said_on"].widget = forms.DateInput(
            format="%Y-%m-%d", attrs={"type": "date", "max": today.isoformat()}
        )
        self.fields["source"].widget = forms.URLInput(attrs={"maxlength": 500})
        self.fields["stars"].widget = forms.NumberInput(attrs={"min": 1, "max": 5})
        self.fields["stars"].max_value, self.fields["stars"].min_value = 5, 1  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        return " ".join(tidy(self.cleaned_data["text"]).split())

    def clean_said_by(self) -> str:
        return " ".join(tidy(self.cleaned_data["said_by"]).split())

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"].strip()
        if source:
            try:
                URLValidator(schemes=["http", "https"])(source)
            except ValidationError:
                raise ValidationError(_("Write the whole address: https://…")) from None
        return source

    def clean_said_on(self) -> date:
        said_on: date = self.cleaned_data["said_on"]
        if said_on > self.today:
            raise ValidationError(_("That day is still to come."))
        return said_on

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        stars = said.get("stars")
        if stars is not None and not 1 <= stars <= 5:
            self.add_error("stars", _("From 1 to 5."))
        elif stars is not None and said.get("kind") != Testimonial.Kind.REVIEW:
            self.add_error("stars", _("Only a review has stars."))
        rests = self.instance.consent == Testimonial.State.UNNEEDED
        if rests and said.get("kind") != Testimonial.Kind.FIGURE and said.get("source") == "":
            self.add_error("source", _("No consent is asked for because it can be read there: it needs its link."))
        return said


class ConsentStateForm(forms.ModelForm):  # type: ignore[type-arg]
    """Whether a testimonial may be quoted."""

    class Meta:
        model = Testimonial
        fields = ["consent", "consent_on", "consent_wording", "consent_until"]
        labels = {
            "consent": _("Consent to quote it"),
            "consent_on": _("Since when"),
            "consent_wording": _("In which words, or why none is needed"),
            "consent_until": _("Until when"),
        }
        help_texts = {
            "consent_wording": _(
                "What they said and how it reached you. None is needed for a figure of your own, or for a review that "
                "anybody can read at its link: say which it is."
            ),
            "consent_until": _("The last day, where it was given for a time."),
        }
        widgets = {"consent_wording": forms.Textarea(attrs={"rows": 3})}

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        for name in ("consent_on", "consent_until"):
            self.fields[name].widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})

    def clean_consent_wording(self) -> str:
        return tidy(self.cleaned_data["consent_wording"]).strip()

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        state, on, until = said.get("consent"), said.get("consent_on"), said.get("consent_until")
        if on and on > self.today:
            self.add_error("consent_on", _("That day is still to come."))
        if on and until and until < on:
            self.add_error("consent_until", _("This day comes before the first."))
        if until and state != Testimonial.State.GIVEN:
            self.add_error("consent_until", _("Only a consent that was given ends on a day."))
        if state == Testimonial.State.GIVEN:
            self._needs(said, "consent_on", _("Say when they agreed."))
            self._needs(said, "consent_wording", _("Say in which words they agreed, and where."))
        elif state == Testimonial.State.UNNEEDED:
            self._needs(said, "consent_wording", _("Say why nobody need be asked."))
            if self.instance.kind != Testimonial.Kind.FIGURE and not self.instance.source:
                says = _("Without consent only a figure of your own is used, or what anybody can read at its link.")
                self.add_error("consent", says)
        return said

    def _needs(self, said: dict[str, Any], name: str, says: Any) -> None:
        if not said.get(name) and name not in self.errors:
            self.add_error(name, says)


def number(said: str) -> int:
    """A row's number in an address; 0 where it is none."""
    return int(said) if said.isdecimal() and said.isascii() and len(said) <= LONGEST_NUMBER else 0
