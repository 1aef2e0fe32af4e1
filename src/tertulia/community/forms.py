"""What people may write about people."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from .models import Member


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
