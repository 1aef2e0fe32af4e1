"""What people may send us about themselves and their team."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from .models import User

LANGUAGES = [("", _("the browser's")), *settings.LANGUAGES]
THEMES = [("", _("the device's")), ("light", _("light")), ("dark", _("dark"))]


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
